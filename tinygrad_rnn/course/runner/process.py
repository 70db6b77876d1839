"""The parent's side of a check: a learner's module in a process of its own, and calls of its functions."""

from __future__ import annotations

import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping
from pathlib import Path
from time import monotonic
from typing import Any

import numpy as np

from ..words import say
from . import platforms
from .answers import Answer, Error, Limits, Outcome, Stage, line_of, read_answer
from .channel import ANSWER_HEADER, Garbled, encode, receive, type_code
from .printed import Printed

_SCRIPT = Path(__file__).resolve().with_name("child.py")
_NUMPY = Path(np.__file__).resolve().parents[1]
_ENGINE = _SCRIPT.parents[3]
_START = 60.0  # seconds until Python and NumPy must be there: the machine's time, not the learner's
_GRACE = 0.5  # seconds more at most, in which the child says where it was
_LOOK = 0.02  # seconds between two looks at the clock, the printed text and the process

_WHOLE = ("returned", "unfinished", "raised", "too_large")  # after these a process goes on

Frame = tuple[dict[str, Any], dict[str, np.ndarray]]


class Child:
    """A learner's module in a child process with limits, started when first needed.

        with Child(source, Limits(seconds=2)) as child:
            answer = child.call("bptt", {"xs": xs, "p.W_xh": W_xh})

    source   the exercise, decoded; `name` is what tracebacks call it
    driver   source of functions `drive_<function>(exercise, **inputs)`, each called in place of exercise.<function>:
             it makes from arrays what the function needs beyond arrays, and arrays of what the function returns
    engine   whether the exercise may import tinygrad_rnn; without, it has NumPy and the standard library only

    A child that dies is started anew for the next call; one whose import fails is not. For one thread at a time.
    """

    def __init__(
        self, source: str, limits: Limits | None = None, *, driver: str | None = None, engine: bool = False,
        name: str = "exercise.py",
    ) -> None:  # fmt: skip
        self._limits = limits if limits is not None else Limits()
        self._source, self._name = source, name
        self._setup = {
            "name": name, "driver": driver,
            "paths": [str(_NUMPY), str(_ENGINE)] if engine else [],
            "words": {
                "by_hand": say("runner.by_hand", name="{name}"),
                "no_function": say("runner.no_function", file=name, name="{name}"),
            },
            "limits": {"memory_mb": self._limits.memory_mb, "answer_bytes": self._limits.answer_mb * 2**20},
        }  # fmt: skip
        self._process: _Process | None = None
        self._imported: Answer | None = None
        self._number = 0
        self._fresh = True  # the process served no call yet

    def __enter__(self) -> Child:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the child process and all that it started."""
        if self._process is not None:
            self._process.end()
        self._process = None

    def start(self) -> Answer:
        """Import the exercise, if that was not done yet; what came of it, with what it printed.

        RuntimeError where not even Python starts with this memory, or the driver cannot be imported.
        """
        if self._imported is not None and self._imported.outcome != "returned":
            return self._imported
        if self._process is not None and not self._process.is_alive():
            self.close()
        if self._process is None:
            self._process, self._fresh = _Process(self._limits, self._setup), True
            request = {"do": "import", "source": self._source}
            self._imported = self._ask(request, {}, "import", self._limits.seconds)
        assert self._imported is not None
        return self._imported

    def call(self, function: str, inputs: Mapping[str, object], seconds: float | None = None) -> Answer:
        """`function(**inputs)`, in at most `seconds` (else the limits').

        inputs: arrays, numbers, text and None by dotted name: "p.W_xh" is in a dict p, "grads.0" in a list grads; an
        empty list or dict stands for itself. The function gets copies. TypeError, ValueError for other inputs.
        """
        entries, arrays = _entries(inputs)
        request = {"do": "call", "function": function, "inputs": entries}
        while (imported := self.start()).outcome == "returned":
            fresh, self._fresh = self._fresh, False
            answer = self._ask(request, arrays, "call", self._limits.seconds if seconds is None else seconds)
            if fresh or answer.outcome in (*_WHOLE, "timeout"):
                return answer
            self.close()  # what broke the process may be what an earlier call left behind: once more, in a fresh one
        return imported

    def _ask(self, request: dict[str, Any], arrays: dict[str, np.ndarray], stage: Stage, seconds: float) -> Answer:
        process = self._process
        assert process is not None
        self._number += 1
        frame = encode({**request, "id": self._number, "seconds": seconds}, arrays)
        started = monotonic()
        try:
            reply = process.exchange(frame, self._number, seconds)
            if isinstance(reply, str):
                return self._stopped(process, reply, stage, seconds, monotonic() - started)
            header, values = reply
            if header.get("id") != self._number:
                raise Garbled("an answer to another question")
            answer = read_answer(header, values, stage, self._source, process.printed.text())
        except Garbled as problem:
            self.close()
            return Answer("garbled", stage, str(problem), printed=process.printed.text())
        except BaseException:  # Ctrl-C among them
            self.close()
            raise
        if answer.outcome not in _WHOLE:
            self.close()
        return answer

    def _stopped(self, process: _Process, how: str, stage: Stage, seconds: float, took: float) -> Answer:
        """The answer in place of one that did not come."""
        code = process.end()
        outcome, detail = _ending(code)
        if how == "timeout" or (outcome, detail) == ("crashed", "SIGXCPU"):
            outcome, detail = "timeout", f"{seconds:g} s"
        elif how == "output":
            outcome, detail = "output", f"more than {self._limits.flood // 1024} KB printed"
        elif how == "alive":
            outcome, detail = "garbled", "the channel was closed"
        place = process.printed.stopped_at(self._name)
        error = None if place is None else Error("", "", place[0], line_of(self._source, place[0]), place[1])
        return Answer(outcome, stage, detail, printed=process.printed.text(), seconds=took, error=error)


class _Process:
    """One child process, from its start to its end, in an empty directory of its own."""

    def __init__(self, limits: Limits, setup: Mapping[str, Any]) -> None:
        self._answer_bytes, self._mark = limits.answer_mb * 2**20, secrets.randbits(60)
        self._directory = tempfile.mkdtemp(prefix="exercise-")
        self._ended = False
        command = [platforms.executable(), "-I", "-S", "-B", "-X", "utf8", str(_SCRIPT), str(_NUMPY)]
        try:
            self._process = subprocess.Popen(
                command, cwd=self._directory, env=platforms.environment(self._directory), bufsize=0,
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **platforms.start_options(),
            )  # fmt: skip
        except OSError as problem:
            shutil.rmtree(self._directory, ignore_errors=True)
            raise RuntimeError(f"cannot start {command[0]}: {problem}") from None
        self._talk: threading.Thread | None = None
        self._requests: Any = self._process.stdin  # unbuffered files, which Popen's types do not say
        self._answers: Any = self._process.stdout
        self._errors: Any = self._process.stderr
        self.printed = Printed(self._errors, limits.output_kb * 1024, limits.flood)
        self._job = platforms.hold(self._process, limits.memory_mb)
        try:
            # up to here everything in it is ours, and can be believed
            for request in (b"", encode({**setup, "mark": self._mark}, {})):
                failed = isinstance(self.exchange(request, 0, _START), str)
                said = self.printed.text().strip().splitlines() or ["it said nothing"]
                if failed:
                    raise RuntimeError(f"the child process or its driver does not start: {said[-1]}")
        except BaseException:
            self.end()
            raise

    def is_alive(self) -> bool:
        return not self._ended and not platforms.has_ended(self._process)

    def exchange(self, request: bytes, number: int, seconds: float) -> Frame | str:
        """The answer to a request; else "timeout", "output", "ended", or "alive" where only its channel ended.

        Garbled where no frame comes. A thread talks, because neither end of a pipe can be trusted to move.
        """
        self.printed.begin(number)
        box: list[Frame | Garbled | None] = []
        done = threading.Event()

        def talk() -> None:
            try:
                view = memoryview(request)
                while view:
                    view = view[self._requests.write(view) :]
                box.append(receive(self._answers, ANSWER_HEADER, self._answer_bytes))
            except Garbled as problem:
                box.append(problem)
            except OSError:
                box.append(None)  # the process is gone
            except Exception as problem:  # what came is at fault, whatever we failed to foresee
                box.append(Garbled(f"the answer cannot be read: {type(problem).__name__}"))
            finally:
                done.set()

        self._talk = threading.Thread(target=talk, daemon=True)
        self._talk.start()
        deadline = monotonic() + seconds
        while not done.wait(_LOOK):
            if self.printed.flooded.is_set():
                return "output"
            if monotonic() >= deadline and (self.printed.has_last_words() or monotonic() >= deadline + _GRACE):
                return "timeout"
            if platforms.has_ended(self._process) and not done.wait(_GRACE):
                return "ended"  # and somebody whom it started holds the channel open
        (reply,) = box
        if isinstance(reply, Garbled):
            raise reply
        if reply is not None:
            return reply
        return "ended" if self._ends_soon() else "alive"

    def _ends_soon(self) -> bool:
        """The channel is closed: the process is about to be gone, unless it closed the channel and goes on."""
        deadline = monotonic() + 2 * _GRACE
        while monotonic() < deadline:
            if platforms.has_ended(self._process):
                return True
            threading.Event().wait(0.002)
        return sys.platform not in ("linux", "win32")  # elsewhere nobody knows before it is waited for

    def end(self) -> int:
        """End it, if it did not, with all that it started; its exit status."""
        if not self._ended:
            self._ended = True
            platforms.end(self._process, self._mark, self._job)
            for thread in (self._talk, self.printed):
                if thread is not None:
                    thread.join(0.5)
            for stream in (self._requests, self._answers, self._errors):
                stream.close()
            shutil.rmtree(self._directory, ignore_errors=True)
        return self._process.returncode


def _entries(inputs: Mapping[str, object]) -> tuple[list[tuple[str, str, Any]], dict[str, np.ndarray]]:
    """(name, kind, value) of each input, and the arrays among them."""
    entries: list[tuple[str, str, Any]] = []
    arrays: dict[str, np.ndarray] = {}
    for name, value in inputs.items():
        parts = name.split(".")
        if not all(parts) or any(".".join(parts[:i]) in inputs for i in range(1, len(parts))):
            raise ValueError(f"input {name!r} has no place: part of its dotted name is empty or an input itself")
        if isinstance(value, np.ndarray) and type_code(value.dtype) is not None:
            entries.append((name, "array", None))
            arrays[name] = value
        elif isinstance(value, np.generic) and type_code(value.dtype) is not None:
            entries.append((name, "plain", value.item()))
        elif value is None or isinstance(value, (bool, int, float, str)):
            entries.append((name, "plain", value))
        elif isinstance(value, (list, dict)) and not value:
            entries.append((name, "list" if isinstance(value, list) else "dict", None))
        else:
            kind = f"an array of {value.dtype}" if isinstance(value, np.ndarray) else f"a {type(value).__name__}"
            raise TypeError(f"input {name!r} is {kind}; arrays, numbers, text, None and empty lists or dicts travel")
    return entries, arrays


def _ending(code: int) -> tuple[Outcome, str]:
    """What an exit status says of a process that ended by itself."""
    if code < 0:
        known = {s.value: s.name for s in signal.Signals}
        return "crashed", known.get(-code, f"signal {-code}")
    if code >= 0xC0000000:
        return "crashed", f"{code:#x}"  # Windows: an exception that nobody handled
    return "exited", f"os._exit({code})"
