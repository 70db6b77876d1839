"""Calls of a function in a child process: arguments in, answers out, and what is said of each way to fail."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tinygrad_rnn.course.runner import Answer, Child, Error, Leaf, Limits, missing_limits

SOURCE = '''\
import sys
import numpy as np

def helper(x):
    return x / 0

def echo(**inputs):
    return inputs

def kinds(a, i, f, s, b, n):
    return [type(v).__name__ for v in (a, i, f, s, b, n)] == ["ndarray", "int", "float", "str", "bool", "NoneType"]

def nests(p, xs, none, empty):
    import exercise
    assert exercise.helper is helper
    return {"sum": p["W"] @ p["more"]["h"] + sum(xs), "lists": type(xs) is list and none == [] and empty == {}}

def returns(what):
    class Tensor:
        def __eq__(self, other): return True
        __array_ufunc__ = None
    class Fake(np.ndarray):
        def __eq__(self, other): return True
    return {
        "none": None, "tuple": (np.ones((2, 3)), 0.5), "table": [[1.0, 2.0], [3.0, 4.0]], "list": [1, np.float32(2)],
        "tensor": {"dW": Tensor()}, "fake": np.ones(3).view(Fake), "object": np.array([None]), 
        "complex": np.ones(2, complex),
        "text": "nan", "generator": (x for x in [1.0]), "empty": {}, "nan": np.array([np.nan, 1.0]),
        "keys": {(1, 2): 3.0},
        "big": 10**30, "nested": {"grads": [{"dW": np.arange(3)}, ()]}, "large": np.ones(2_000_000),
        "many": list(range(1000)), "view": np.broadcast_to(1.0, (10**6, 10**6)), 
        "big-endian": np.arange(3, dtype=">f4"),
    }[what]

def changes(x, p):
    x += 1
    p["b"][...] = 0.0
    return p["W"]

def unfinished(x):
    # your code here
    raise NotImplementedError("03.2")

def divides(x):
    y = 1
    return helper(y)

def one(x): return x

def prints(text):
    print(text)
    print("to the standard error", file=sys.stderr)
    return 1.0

def reads():
    return input("name? ")

def imports(name):
    return hasattr(__import__(name), "__doc__")

def needs_engine(x):
    import tinygrad_rnn as tg
    y = tg.tensor(x, requires_grad=True)
    (y * y).sum().backward()
    return y.grad.data

def where():
    import os
    return len(os.listdir(".")) + sum(name.startswith(("HOME", "PATH", "PYTHON", "AWS")) for name in os.environ)

def apply(f, x):
    return f(x) + 1
'''

DRIVER = """\
import numpy as np
def drive_apply(exercise, kind, x):
    return {"y": exercise.apply({"square": np.square, "none": None}[kind], x)}
def drive_lost(exercise):
    return exercise.lost()
def drive_wrong(exercise):
    return len(None)
"""


@pytest.fixture(scope="module")
def child():
    with Child(SOURCE, Limits(answer_mb=1), driver=DRIVER) as child:
        yield child


def returned(answer: Answer) -> dict[str, np.ndarray]:
    assert (answer.outcome, answer.stage, answer.detail, answer.error) == ("returned", "call", "", None)
    return answer.values


def test_arrays_travel_there_and_back(child, rng):
    inputs = {
        "x": rng.normal(size=(2, 3)), "zero": np.array(1, np.float32), "none": np.empty((0, 4)),
        "turned": rng.normal(size=(3, 2)).T, "odd": np.arange(9, dtype=">i2")[::2], "flags": np.array([True, False]),
    }  # fmt: skip
    answer = child.call("echo", inputs)
    assert returned(answer).keys() == inputs.keys()
    for name, array in inputs.items():
        np.testing.assert_array_equal(answer.values[name], array, strict=name != "odd")
    assert answer.structure == "dict"
    assert answer.changed == ()
    assert 0 < answer.seconds < 5


def test_numbers_and_text_keep_their_types(child):
    inputs = {"a": np.ones(1), "i": np.int64(3), "f": float("nan"), "s": "∂", "b": True, "n": None}
    assert returned(child.call("kinds", inputs))[""]


def test_dotted_names_nest(child):
    inputs = {f"xs.{i}": np.full(2, 10.0**i) for i in range(11)}
    answer = child.call("nests", {"p.W": np.eye(2), "p.more.h": np.ones(2), **inputs, "none": [], "empty": {}})
    np.testing.assert_array_equal(returned(answer)["sum"], [11111111112.0] * 2)
    assert answer.values["lists"]


@pytest.mark.parametrize(
    ("inputs", "error"),
    [({"z": np.ones(1, complex)}, TypeError), ({"f": len}, TypeError), ({"p": 1, "p.W": 2}, ValueError),
     ({"l": [1]}, TypeError), ({"a..b": 1}, ValueError)],
)  # fmt: skip
def test_what_cannot_be_an_input(child, inputs, error):
    with pytest.raises(error, match="input '"):
        child.call("echo", inputs)


@pytest.mark.parametrize(
    ("what", "structure", "leaves"),
    [
        ("none", "one", {"": Leaf("NoneType")}),
        ("tuple", "tuple", {"0": Leaf("ndarray", "float64", (2, 3)), "1": Leaf("float", "float64", ())}),
        ("table", "one", {"": Leaf("list")}),
        ("list", "list", {"0": Leaf("int", "int64", ()), "1": Leaf("float32", "float32", ())}),
        ("tensor", "dict", {"dW": Leaf("Tensor")}),
        ("fake", "one", {"": Leaf("Fake")}),
        ("object", "one", {"": Leaf("ndarray", "object", (1,))}),
        ("complex", "one", {"": Leaf("ndarray", "complex128", (2,))}),
        ("text", "one", {"": Leaf("str")}),
        ("generator", "one", {"": Leaf("generator")}),
        ("empty", "dict", {}),
        ("nan", "one", {"": Leaf("ndarray", "float64", (2,))}),
        ("keys", "dict", {"": Leaf("dict")}),
        ("big", "one", {"": Leaf("int")}),
        ("nested", "dict", {"grads.0.dW": Leaf("ndarray", "int64", (3,)), "grads.1": Leaf("tuple")}),
        ("big-endian", "one", {"": Leaf("ndarray", "float32", (3,))}),
    ],
)
def test_every_place_of_an_answer_is_named(child, what, structure, leaves):
    answer = child.call("returns", {"what": what})
    travelled = {path for path, leaf in leaves.items() if leaf.dtype not in (None, "object", "complex128")}
    assert returned(answer).keys() == travelled
    assert (answer.structure, answer.leaves) == (structure, leaves)


@pytest.mark.parametrize(
    ("what", "why"), [("large", "16000000 bytes"), ("view", "8000000000000 bytes"), ("many", "256 values")]
)
def test_an_answer_can_be_too_large(child, what, why):
    answer = child.call("returns", {"what": what})
    assert (answer.outcome, answer.values) == ("too_large", {})
    assert why in answer.detail


def test_changed_inputs_are_named_and_ours_are_whole(child):
    x, W = np.zeros(2), np.array([np.nan])
    answer = child.call("changes", {"x": x, "p.W": W, "p.b": np.ones(2)})
    assert answer.changed == ("x", "p.b")
    np.testing.assert_array_equal(x, 0)


def test_unfinished_is_no_error(child):
    answer = child.call("unfinished", {"x": 1})
    assert answer.outcome == "unfinished"
    assert answer.error == Error("NotImplementedError", "03.2", 42, 'raise NotImplementedError("03.2")', "unfinished")


def test_an_exception_is_at_the_learners_line(child):
    answer = child.call("divides", {"x": 1})
    assert answer.outcome == "raised"
    assert answer.error == Error("ZeroDivisionError", "division by zero", 5, "return x / 0", "helper")


def test_arguments_that_a_function_does_not_take(child):
    answer = child.call("one", {"y": 1})
    assert answer.outcome == "raised"
    assert answer.error == Error(
        "TypeError", "one() got an unexpected keyword argument 'y'", 48, "def one(x): return x", "one"
    )


def test_a_function_that_is_not_there(child):
    for name in ("absent", "lost"):  # called by itself, and by a driver
        answer = child.call(name, {})
        assert (answer.outcome, answer.detail) == ("raised", "missing")
        assert answer.error.message == f"exercise.py defines no function {name!r}"


def test_what_is_printed_is_kept_call_by_call(child):
    answer = child.call("prints", {"text": "loss \x1b[31m0.5\x1b[0m ∂"})
    assert answer.printed == "loss [31m0.5[0m ∂\nto the standard error\n"
    assert child.call("one", {"x": 1}).printed == ""


def test_reading_finds_nothing(child):
    answer = child.call("reads", {})
    assert (answer.outcome, answer.error.type, answer.error.function) == ("raised", "EOFError", "reads")


def test_a_driver_makes_what_arrays_cannot_be(child):
    answer = child.call("apply", {"kind": "square", "x": np.arange(3.0)})
    np.testing.assert_array_equal(returned(answer)["y"], [1, 2, 5])
    answer = child.call("apply", {"kind": "none", "x": 1})
    assert (answer.outcome, answer.error.text) == ("raised", "return f(x) + 1")
    answer = child.call("wrong", {})
    assert (answer.outcome, answer.detail, answer.error.line) == ("raised", "driver", None)


@pytest.mark.parametrize("name", ["tinygrad_rnn", "torch", "scipy", "_runner_of_mine"])
def test_by_hand_there_is_numpy_and_the_standard_library(child, name):
    answer = child.call("imports", {"name": name})
    assert answer.error.type == "ModuleNotFoundError"
    assert answer.error.message == f"by hand: NumPy and the standard library only; {name!r} may not be imported"
    for allowed in ("numpy.fft", "numpy.testing", "unittest", "pickle", "decimal", "ctypes"):
        assert returned(child.call("imports", {"name": allowed}))[""]


def test_an_exercise_with_the_engine_has_the_engine():
    with Child(SOURCE, Limits(), engine=True) as child:
        answer = child.call("needs_engine", {"x": np.arange(3.0)})
        np.testing.assert_array_equal(returned(answer)[""], [0, 2, 4])
        assert answer.foreign == ()


def test_watched_modules_are_named(child):
    with Child("import sys\nsys.modules['torch'] = sys\ndef f(): return 1", Limits()) as child:
        assert child.call("f", {}).foreign == ("torch",)


def test_the_directory_is_empty_and_nothing_of_ours_is_in_the_environment(child):
    assert returned(child.call("where", {}))[""] == 0


@pytest.mark.parametrize(
    ("source", "outcome", "detail", "error"),
    [
        ("x = 1\ndef f(:\n", "raised", "", Error("SyntaxError", "invalid syntax", 2, "def f(:", "")),
        ("import nunpy\n", "raised", "", "by hand: NumPy and the standard library only; 'nunpy' may not be imported"),
        ("a\n= 1", "raised", "", Error("SyntaxError", "invalid syntax", 2, "= 1", "")),
        ("import sys\nsys.exit(3)", "exited", "sys.exit(3)", Error("SystemExit", "3", 2, "sys.exit(3)", "<module>")),
        ("exit()", "exited", "sys.exit()", "None"),
        ("import os\nos._exit(0)", "exited", "os._exit(0)", None),
        ("raise NotImplementedError", "unfinished", "", Error("NotImplementedError", "", 1, "raise NotImplementedError",
                                                              "<module>")),
        ("x = '\0'", "raised", "", None),
        ("(" * 5000, "raised", "", "too many nested parentheses"),
        ("x = bytearray(10**10)", "memory", "", Error("MemoryError", "", 1, "x = bytearray(10**10)", "<module>")),
    ],
)
def test_an_import_that_fails_is_the_answer_to_every_call(source, outcome, detail, error):
    with Child(source, Limits()) as child:
        answer = child.call("f", {})
        assert (answer.outcome, answer.stage, answer.detail) == (outcome, "import", detail)
        if isinstance(error, Error):
            assert answer.error == error
        elif error is not None:
            assert error in answer.error.message or error == "None"
        assert child.call("g", {}) is answer
        assert child.start() is answer


def test_lines_are_counted_as_python_counts_them():
    source = "# a form feed \x0c and a \u2028 in a comment\r\n# two\rdef f():\n    raise KeyError('h')\n"
    with Child(source, Limits()) as child:
        assert child.call("f", {}).error == Error("KeyError", "'h'", 4, "raise KeyError('h')", "f")


def test_what_the_import_prints():
    with Child("print('loading')\ndef f(): return 1", Limits()) as child:
        assert child.call("f", {}).printed == ""
        assert child.start().printed == "loading\n"


def test_a_broken_driver_is_not_the_learners():
    said = "driver does not start: ModuleNotFoundError: by hand.*'nothing' may not be imported$"
    with Child("def f(): pass", Limits(), driver="import nothing") as child, pytest.raises(RuntimeError, match=said):
        child.call("f", {})


@pytest.mark.parametrize("problem", [ValueError("two\nlines"), MemoryError(), RecursionError()])
def test_an_answer_that_cannot_be_read_is_garbled_whatever_the_reason(problem, monkeypatch):
    def fails(*_):
        raise problem

    with Child("def f(): return 1", Limits()) as child:
        assert child.start().outcome == "returned"
        with monkeypatch.context() as broken:
            broken.setattr("tinygrad_rnn.course.runner.process.receive", fails)
            answer = child.call("f", {})
        assert (answer.outcome, answer.detail) == ("garbled", f"the answer cannot be read: {type(problem).__name__}")
        assert returned(child.call("f", {}))[""] == 1


def test_what_learners_read_is_translated(tmp_path, monkeypatch):
    from tinygrad_rnn.course import words

    (tmp_path / "xx").mkdir()
    sentences = 'by_hand = "ohne {name}"\nno_function = "{file}: kein {name}"\ntrust = "Vertraue."\n'
    (tmp_path / "xx" / "runner.toml").write_text(sentences, encoding="utf-8")
    shutil.copytree(Path(words.__file__).parent / "en", tmp_path / "en")
    monkeypatch.setattr(words, "__file__", str(tmp_path / "__init__.py"))
    monkeypatch.setenv(words.LANGUAGE, "xx")
    words._subject.cache_clear()
    with Child("def f(): import torch", Limits()) as child:
        assert child.call("f", {}).error.message == "ohne torch"
        assert child.call("g", {}).error.message == "exercise.py: kein g"
    assert missing_limits()[0] == "Vertraue."
    words._subject.cache_clear()


def test_memory_that_not_even_numpy_fits_in():
    with Child("def f(): pass", Limits(memory_mb=64)) as child, pytest.raises(RuntimeError, match="does not start"):
        child.call("f", {})


def test_the_parent_has_its_standard_input_closed():
    """As under a service, a notebook kernel or `pytest < /dev/null`."""
    code = (
        "import os; [os.close(n) for n in (0, 1)]\n"
        "from tinygrad_rnn.course.runner import Child\n"
        "with Child('def f():\\n    print(1)\\n    return 2.5') as child: answer = child.call('f', {})\n"
        "os.write(2, repr((answer.outcome, float(answer.values['']), answer.printed)).encode())"
    )
    done = subprocess.run([sys.executable, "-c", code], stderr=subprocess.PIPE, timeout=60, check=True)
    assert done.stderr.decode() == repr(("returned", 2.5, "1\n"))


def test_nothing_is_left_behind(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    child = Child("import os\nopen('here', 'w').close()\ndef f(): return os.getpid()", Limits())
    with child:
        pid = int(child.call("f", {}).values[""])
        (directory,) = tmp_path.iterdir()
        assert [path.name for path in directory.iterdir()] == ["here"]
    assert not list(tmp_path.iterdir())
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    child.close()


def test_missing_limits_are_sentences():
    assert missing_limits()
    assert all(sentence.endswith(".") and "\n" not in sentence for sentence in missing_limits())


def test_the_windows_structure_has_its_documented_size():
    from tinygrad_rnn.course.runner.windows import Limits as Structure

    assert Structure.__mro__[1].__name__ == "Structure"
    assert np.dtype(Structure).itemsize == 144  # JOBOBJECT_EXTENDED_LIMIT_INFORMATION in 64 bits
    assert Structure.job_memory.offset == 120


def test_the_child_needs_nothing_of_the_package():
    """It is read by its path: an import of the package at its top would break every by-hand exercise."""
    text = Path("tinygrad_rnn/course/runner/child.py").read_text(encoding="utf-8")
    assert "import tinygrad_rnn" not in text
