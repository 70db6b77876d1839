"""What learners do by accident, and what they could do on purpose: each gets its outcome, nothing hangs or survives.

Every source is run as it stands, and the next exercise of the same file is still answered afterwards.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from tinygrad_rnn.course.runner import Answer, Child, Limits
from tinygrad_rnn.course.runner.child import MARK
from tinygrad_rnn.course.runner.printed import Printed

LIMITS = Limits(seconds=0.3, memory_mb=512, output_kb=4, answer_mb=1)
posix = pytest.mark.skipif(os.name != "posix", reason="a POSIX attack")
linux = pytest.mark.skipif(sys.platform != "linux", reason="Linux finds and limits what others cannot")

BEGINNING = "import atexit, builtins, ctypes, gc, os, signal, struct, sys, threading, time\nimport numpy as np\n"
ENDING = "\n\ndef after(x):\n    return x + 1\n"


def attack(body: str, inputs: dict | None = None, limits: Limits = LIMITS) -> Answer:
    """The answer of a function with this body; a call after it is answered rightly, and within the limits."""
    lines = "\n".join("    " + line for line in body.splitlines())
    started = time.monotonic()
    with Child(f"{BEGINNING}\ndef f(**inputs):\n{lines}{ENDING}", limits) as child:
        answer = child.call("f", inputs or {})
        after = child.call("after", {"x": np.ones(2)})
    assert time.monotonic() - started < limits.seconds + 5
    assert (after.outcome, after.error) == ("returned", None)
    np.testing.assert_array_equal(after.values[""], [2, 2])
    assert answer.stage == "call"
    return answer


@pytest.mark.parametrize(
    ("body", "line"),
    [
        ("while True:\n    x = 1", "x = 1"),
        ("time.sleep(1000)", "time.sleep(1000)"),
        ("while True:\n    try:\n        time.sleep(9)\n    except BaseException:\n        pass", "time.sleep(9)"),
        ("threading.Event().wait()", "threading.Event().wait()"),
        ("sum(range(10**11))", "sum(range(10**11))"),
        ("sys.settrace(lambda *a: time.sleep(9))\nafter(1)", "sys.settrace(lambda *a: time.sleep(9))"),
    ],
)
def test_what_does_not_end_is_stopped_and_the_line_is_known(body, line):
    answer = attack(body)
    assert (answer.outcome, answer.detail) == ("timeout", "0.3 s")
    assert answer.error.text in (line, "while True:")
    assert answer.printed == ""
    assert 0.3 <= answer.seconds < 5


@posix
def test_signals_cannot_be_refused():
    body = """
for number in range(1, 65):
    try: signal.signal(number, signal.SIG_IGN)
    except (OSError, ValueError): pass
signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65))
while True: pass"""
    assert attack(body).outcome == "timeout"


def test_an_import_that_hangs_is_waited_for_once():
    with Child("while True:\n    pass", LIMITS) as child:
        answer = child.call("f", {})
        assert (answer.outcome, answer.stage, answer.error.function) == ("timeout", "import", "<module>")
        started = time.monotonic()
        for name in "ghijk":
            assert child.call(name, {}) is answer
        assert time.monotonic() - started < 0.5


@pytest.mark.parametrize(
    ("body", "outcome", "detail"),
    [
        ("os._exit(0)", "exited", "os._exit(0)"),
        ("os._exit(7)", "exited", "os._exit(7)"),
        ("sys.exit()", "exited", "sys.exit()"),
        ("raise SystemExit('passed')", "exited", "sys.exit(passed)"),
        ("atexit.register(os._exit, 0)\nsys.exit(0)", "exited", "sys.exit(0)"),
        ("threading.Thread(target=os._exit, args=(0,)).start()\ntime.sleep(1)", "exited", "os._exit(0)"),
        ("raise KeyboardInterrupt", "raised", ""),
        ("def g(n): return g(n + 1)\ng(0)", "raised", ""),
    ],
)
def test_leaving_is_no_answer(body, outcome, detail):
    answer = attack(body)
    assert (answer.outcome, answer.detail, answer.values) == (outcome, detail, {})


def test_crashes_are_named_with_their_line():
    answer = attack("x = 1\nctypes.string_at(0)")
    assert answer.outcome == "crashed"
    assert answer.error.text == "ctypes.string_at(0)"
    assert answer.printed == ""
    if os.name == "posix":
        assert answer.detail == "SIGSEGV"


@posix
def test_recursion_in_c_to_a_crash():
    body = "sys.setrecursionlimit(10**9)\nx = []\nfor _ in range(2 * 10**5): x = [x]\nrepr(x)"
    answer = attack(body, limits=Limits(seconds=3, memory_mb=1024))
    assert answer.outcome in ("crashed", "raised", "memory")
    assert answer.error.text == "repr(x)"


@posix
def test_a_signal_of_its_own():
    assert attack("os.kill(os.getpid(), signal.SIGKILL)").detail == "SIGKILL"
    assert attack("signal.setitimer(signal.ITIMER_REAL, 0.01)\ntime.sleep(1)").detail == "SIGALRM"


@linux
@pytest.mark.parametrize(
    "body",
    [
        "x = np.ones(10**10 // 8)",
        "x = bytearray(10**10)",
        "x = []\nwhile True: x.append(bytearray(10**6))",
        "x = []\nwhile True: x.append([])",
        "global x\nx = []\nwhile True: x.append([[]])",
        "return [np.broadcast_to(np.int8(1), 200 * 2**20) + np.int8(0) for _ in range(9)]",
    ],
)
def test_memory_has_its_limit(body):
    answer = attack(body, limits=Limits(seconds=5, memory_mb=300))
    assert (answer.outcome, answer.values) == ("memory", {})
    assert answer.error.text in body  # "" where there was no room left even for the traceback


def test_a_flood_of_prints_is_cut_and_stopped():
    answer = attack("for _ in range(10**6): print('x' * 1000)", limits=Limits(seconds=5, output_kb=4))
    assert (answer.outcome, answer.detail) == ("output", "more than 1024 KB printed")
    kept, _, cut = answer.printed.rpartition("\n")
    assert len(kept) <= 4096 + 1
    assert cut.startswith("... ")
    assert cut.endswith(" more bytes cut")


def test_much_printed_is_cut_with_its_count():
    answer = attack("print('y' * 9999)\nreturn 1")
    assert (answer.outcome, answer.printed) == ("returned", "y" * 4096 + "\n... 5904 more bytes cut")


def test_a_call_that_ends_just_in_time_printed_no_last_words():
    """The interpreter may have begun to say where it is."""
    reading, writing = os.pipe()
    dump = b'Timeout (0:00:05)!\nThread 0x00007f (most recent call first):\n  File "exercise.py", line 3 in f\n'
    with open(reading, "rb", buffering=0) as stream:
        printed = Printed(stream, 100, 1000)
        printed.begin(7)
        os.write(writing, b"loss 0.5\n" + dump + MARK.format(7).encode())
        os.close(writing)
        printed.join()
        assert printed.stopped_at("exercise.py") == (3, "f")
        assert printed.text() == "loss 0.5\n"


def test_printed_bytes_that_are_no_text():
    answer = attack("os.write(1, bytes(range(256)))\nos.write(2, b'\\xff\\x1b[2J')\nreturn 1")
    assert answer.outcome == "returned"
    assert "\x1b" not in answer.printed
    assert "\0" not in answer.printed


@pytest.mark.parametrize("body", [*(f"os.close({n})" for n in range(3)), "sys.stdout.close()", "sys.stdout = None"])
def test_standard_streams_are_the_learners_to_close(body):
    answer = attack(f"{body}\nreturn 1.5")
    assert answer.values[""] == 1.5


def test_closing_everything():
    assert attack("os.closerange(0, 64)\nreturn 1").outcome in ("exited", "garbled")


FORGE = """
def frame(header, rest=b''):
    return struct.pack('<I', len(header)) + header + rest
def write(data):
    for n in range(3, 64):
        try:
            if not os.get_blocking(n) or os.readlink(f'/proc/self/fd/{n}').startswith('pipe:'): os.write(n, data)
        except OSError: pass
"""


@linux
@pytest.mark.parametrize(
    "forged",
    [
        "b'garbage that is longer than a header'",
        "b'\\xff' * 4096",
        "frame(b'[' * 60000)",
        "frame(b'{}')",
        'frame(b\'{"id": 2, "arrays": [["", "f8", [1000000, 1000000]]]}\')',
        'frame(b\'{"id": 2, "arrays": [["", "O", [1]]]}\', b"x" * 8)',
        'frame(b\'{"id": 2, "arrays": [["", "f8", [0\' + b", 1000000" * 7 + b\']]]}\')',  # no bytes, and no such shape
        'frame(b\'{"id": 2, "outcome": "passed", "arrays": []}\')',
        'frame(b\'{"id": 2, "outcome": "returned", "detail": "", "structure": "one", "leaves": {"": [[], 1, 2]},'
        ' "arrays": []}\')',
        'frame(b\'{"id": 1, "outcome": "returned", "detail": "", "structure": "one", "leaves": {}, "changed": [],'
        ' "seconds": 0, "error": null, "foreign": [], "arrays": []}\')',
    ],
)
def test_forged_frames_are_garbled(forged):
    answer = attack(f"{FORGE}\nwrite({forged})\nreturn 1.0")
    assert (answer.outcome, answer.values) == ("garbled", {})
    assert "\n" not in answer.detail


@linux
def test_a_forged_answer_is_only_an_answer():
    """A whole right frame: then those are the learner's arrays, and the frame left over spoils no later call."""
    header = (
        b'{"id": 2, "outcome": "returned", "detail": "", "structure": "one",'
        b' "leaves": {"": ["ndarray", "float64", [1]]},'
        b' "changed": [], "seconds": 0, "error": null, "foreign": [], "arrays": [["", "f8", [1]]]}'
    )
    source = f"{BEGINNING}{FORGE}\ndef f():\n    write(frame({header!r}, bytes(8)))\n    return 1.0{ENDING}"
    with Child(source, LIMITS) as child:
        assert child.call("f", {}).values[""].tolist() == [0.0]
        assert child.call("after", {"x": 1}).values[""] == 2


@pytest.mark.parametrize(
    "body",
    [
        "class Same(float):\n    def __eq__(self, other): return True\nreturn Same(1)",
        "class Same:\n    __eq__ = __array_function__ = lambda *a: True\n    __class__ = np.ndarray\nreturn Same()",
        "class Same(np.ndarray):\n    def __eq__(self, other): return True\nreturn np.ones(2).view(Same)",
        "return np.array([object()])",
        "return np.ma.ones(2)",
    ],
)
def test_what_would_equal_anything_does_not_travel(body):
    answer = attack(body)
    assert (answer.outcome, answer.values) == ("returned", {})
    assert list(answer.leaves) == [""]


def test_broken_builtins_and_a_patched_numpy_stay_there():
    before = np.testing.assert_allclose, np.asarray, np.ndarray, builtins_of(__import__("builtins"))
    body = "np.testing.assert_allclose = np.asarray = np.allclose = lambda *a, **k: True\nnp.ndarray = int"
    assert attack(f"{body}\nreturn np.ones(2)").values[""].tolist() == [1, 1]
    for name in ("len", "issubclass"):
        answer = attack(f"builtins.{name} = None\nreturn np.ones(2)")
        assert answer.outcome in ("returned", "garbled", "exited")
    assert before == (np.testing.assert_allclose, np.asarray, np.ndarray, builtins_of(__import__("builtins")))


def builtins_of(module) -> tuple:
    return module.len, module.isinstance, module.type


def test_nothing_worth_reading_is_in_the_process():
    """Frames above, all objects, all modules: the inputs, and no right answer."""
    body = """
found = [type(x).__name__ for x in gc.get_objects() if type(x).__name__ in ('Answer', 'Verdict', 'Child')]
frame, names = sys._getframe(), set()
while frame: names |= set(frame.f_locals); frame = frame.f_back
modules = [name for name in sys.modules if name.split('.')[0] in ('tinygrad_rnn', 'pytest', 'tests')]
return len(found) + len(modules) + len(names & {'expected', 'solution', 'reference'})"""
    assert attack(body, {"x": np.ones(2)}).values[""] == 0


def test_threads_that_never_end_do_not_hold_the_answer():
    body = "threading.Thread(target=lambda: time.sleep(1000)).start()\natexit.register(time.sleep, 1000)\nreturn 1"
    assert attack(body).values[""] == 1


def test_a_process_that_dies_between_calls_costs_no_other_exercise():
    body = "threading.Thread(target=lambda: (time.sleep(0.02), os._exit(3))).start()\nreturn os.getpid()"
    source = f"{BEGINNING}\ndef f():\n    " + body.replace("\n", "\n    ") + ENDING
    with Child(source, LIMITS) as child:
        first = child.call("f", {}).values[""]
        time.sleep(0.3)
        assert child.call("after", {"x": 1}).values[""] == 2
        assert child.call("f", {}).values[""] != first


def gone(pid: int) -> bool:
    deadline = time.monotonic() + 3
    while time.monotonic() < deadline:
        try:
            os.kill(pid, 0)
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return True  # dead; whoever adopted it has not looked yet
        except (ProcessLookupError, FileNotFoundError):
            return True
        time.sleep(0.01)
    return False


BARE = 'os.execve("/bin/sleep", ["sleep", "1000"], {})'  # with an empty environment


@linux
@pytest.mark.parametrize("sleep", ["time.sleep(1000)", BARE], ids=["forked", "another program"])
@pytest.mark.parametrize("detach", ["pass", "os.setsid()"], ids=["in the group", "out of it"])
@pytest.mark.parametrize("then", ["return pid", "os._exit(0)", "while True: pass"])
def test_no_grandchild_outlives_the_check(sleep, detach, then):
    body = f"""
r, w = os.pipe()
if os.fork() == 0:
    {detach}
    if os.fork() == 0:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        os.write(w, struct.pack('q', os.getpid()))
        {sleep}
    os._exit(0)
os.wait()
pid, = struct.unpack('q', os.read(r, 8))
print('pid', pid)
{then}"""
    answer = attack(body)
    assert answer.outcome == {"r": "returned", "o": "exited", "w": "timeout"}[then[0]]
    assert gone(int(answer.printed.split()[1]))


@linux
def test_who_unmarks_itself_is_found_below_its_parent():
    """It leaves the group, its environment and its limits behind; the child stays alive, and adopts it."""
    body = f"""
import resource
r, w = os.pipe()
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        for limit in resource.RLIMIT_RSS, resource.RLIMIT_AS:
            resource.setrlimit(limit, (2**28, 2**28))
        os.write(w, struct.pack('q', os.getpid()))
        {BARE}
    os._exit(0)
os.wait()
print('pid', *struct.unpack('q', os.read(r, 8)))"""
    assert gone(int(attack(body).printed.split()[1]))


@linux
def test_a_fork_that_returns_answers_nothing():
    answer = attack("return 1.0 + (os.fork() == 0)")
    assert answer.values[""] == 1.0


@posix
def test_files_are_not_written():
    answer = attack("with open('big', 'wb') as file: file.write(bytes(1000))")
    assert (answer.outcome, answer.error.type) == ("raised", "OSError")


@pytest.mark.parametrize(
    "body",
    [
        "class E(Exception):\n    def __str__(self): raise self\nraise E",
        "class E(Exception):\n    def __str__(self): os._exit(0)\nraise E",
        "raise type('E' * 10**6, (Exception,), {})('m' * 10**7)",
        "raise ValueError('\\x1b[2J\\n<script>\\u202e')",
        "class M(type):\n    __name__ = property(lambda cls: 3)\nclass E(Exception, metaclass=M): pass\nraise E",
    ],
    ids=["raises", "exits", "long", "controls", "nameless"],
)
def test_hostile_exceptions(body):
    answer = attack(body)
    assert answer.outcome in ("raised", "exited")
    if answer.error is not None:
        assert len(answer.error.type) <= 200
        assert len(answer.error.message) <= 500
        assert (answer.error.type + answer.error.message).isprintable()


def test_a_hostile_audit_hook_ends_its_own_process():
    assert attack("sys.addaudithook(lambda *a: 1 / 0)\nreturn 1").outcome in ("returned", "raised", "exited", "garbled")


def test_a_long_answer_of_names_is_too_large():
    assert attack("return {('k%d' % i) * 20: None for i in range(250)}").outcome in ("returned", "too_large")
    assert attack("return {'\\udcff' * 90 + str(i): None for i in range(250)}").outcome == "too_large"


def test_what_is_large_comes_whole():
    x = np.arange(10**6, dtype=float)
    with Child("def f(x): return x + 1", Limits()) as child:
        np.testing.assert_array_equal(child.call("f", {"x": x}).values[""], x + 1)


@posix
def test_ctrl_c_ends_the_child_and_goes_on():
    with Child("import os, time\ndef pid(): return os.getpid()\ndef f(): time.sleep(100)", Limits(seconds=60)) as child:
        pid = int(child.call("pid", {}).values[""])
        threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT)).start()
        started = time.monotonic()
        with pytest.raises(KeyboardInterrupt):
            child.call("f", {})
        assert time.monotonic() - started < 5
        assert gone(pid)
        assert child.call("pid", {}).values[""] != pid


@linux
def test_a_parent_that_is_killed_takes_its_child_along(tmp_path):
    code = (
        "from tinygrad_rnn.course.runner import *\n"
        "child = Child('import os, time\\ndef f(): time.sleep(1000)\\ndef pid(): return os.getpid()')\n"
        "print(int(child.call('pid', {}).values['']), flush=True)\n"
        "child.call('f', {}, seconds=1000)"
    )
    place = {**os.environ, "TMPDIR": str(tmp_path)}
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, env=place) as parent:
        pid = int(parent.stdout.readline())
        time.sleep(0.2)
        parent.kill()
    assert gone(pid)
    assert not list(tmp_path.iterdir())


def test_no_thread_and_no_descriptor_is_left():
    def held() -> int:
        return len(os.listdir("/proc/self/fd")) if sys.platform == "linux" else 0

    before, threads = held(), threading.active_count()
    for body in ("return 1", "while True: pass", "os._exit(1)"):
        attack(body)
    assert (held(), threading.active_count()) == (before, threads)
