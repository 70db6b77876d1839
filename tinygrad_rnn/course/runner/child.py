"""The process in which a learner's code runs: `python -I -S -B child.py NUMPY`, NUMPY being the directory that holds
NumPy. It gets arrays and returns arrays: it never says "right", and holds nothing worth reading.

Requests come on the standard input, answers go to the standard output (`channel`); both are moved to descriptors of our
own before any learner's code runs, so that what it prints goes to the standard error, and what it reads is empty.

    {name, driver, paths, words, limits, mark}                    once, before any learner's code: what to prepare
    {"do": "import", id, seconds, source}                         import the exercise
    {"do": "call", id, seconds, function, inputs} + arrays        call one of its functions

The learner's code shares this process and may break all of it. Then the parent gets a frame that is garbled or wrong,
or none, and says so.
"""

from __future__ import annotations

import builtins
import faulthandler
import importlib
import linecache
import os
import sys
import threading
import types
from collections.abc import Mapping
from contextlib import suppress
from math import ceil
from queue import SimpleQueue
from time import perf_counter
from typing import Any

WATCHED = ("tinygrad_rnn", "torch", "jax", "autograd", "tensorflow")
DRIVER = "<driver>"
MARK = "\0answered {}\0"  # ends what one call printed
MAX_MESSAGE = 500
SPARE = 16 * 2**20  # bytes given back when memory is out, so that there is room to say so
EMPTY: dict[str, Any] = {
    "outcome": "returned", "detail": "", "structure": "one", "leaves": {}, "changed": [], "seconds": 0.0, "error": None,
    "foreign": [],
}  # fmt: skip

# Bound before the learner's code puts its own in their places.
_exit, _write, _pid, _rmdir = os._exit, os.write, os.getpid, os.rmdir


class ByHand:
    """Last on sys.meta_path: a module that nobody found is refused in the words of the course."""

    def __init__(self, words: str) -> None:
        self.words = words

    def find_spec(self, name: str, path: object = None, target: object = None) -> None:
        if path is None:
            raise ModuleNotFoundError(self.words.replace("{name}", name), name=name)


def private_streams() -> tuple[Any, int, int]:
    """(requests, answers, printed): the real standard streams on descriptors of their own; 0 is empty, 1 goes to 2."""
    requests, answers, printed = os.dup(0), os.dup(1), os.dup(2)
    if sys.platform == "win32":
        import msvcrt

        for descriptor in (requests, answers, printed):
            msvcrt.setmode(descriptor, os.O_BINARY)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(line_buffering=True, errors="backslashreplace")  # type: ignore[union-attr]
    return open(requests, "rb", buffering=0), answers, printed


def load_numpy_and_ours(where: str) -> tuple[Any, Any]:
    """(channel, trees), with NumPy from the directory `where`, from which nothing else can be imported afterwards."""
    sys.path.append(where)
    package = types.ModuleType("_runner")  # this directory as a package, without what the parent's side imports
    package.__path__ = [os.path.dirname(os.path.abspath(__file__))]
    sys.modules["_runner"] = package
    try:
        return importlib.import_module("_runner.channel"), importlib.import_module("_runner.trees")
    finally:
        sys.path.remove(where)


def limit(memory_mb: int, mark: int) -> None:
    """The limits of the process, where the platform has them (`platforms.missing_limits` names the others).

    On Linux RLIMIT_RSS limits nothing: it marks whatever is started here, for `platforms.end`. Another program can be
    started with an empty environment, but not without its limits.
    """
    if sys.platform == "win32":
        return
    import resource

    bounds = {"RLIMIT_AS": memory_mb * 2**20, "RLIMIT_FSIZE": 0, "RLIMIT_CORE": 0, "RLIMIT_NOFILE": 64}
    if sys.platform == "linux":  # on macOS it is another name of RLIMIT_AS
        bounds["RLIMIT_RSS"] = mark
    for name, bound in bounds.items():
        try:
            resource.setrlimit(getattr(resource, name), (bound, bound))
        except (AttributeError, ValueError, OSError):
            continue  # not there, not honoured, or already stricter


def adopt() -> None:
    """Linux: a process whose parent here has died becomes our child, so that it stays below us for `platforms.end`."""
    if sys.platform == "linux":
        import ctypes

        with suppress(AttributeError, OSError):
            ctypes.CDLL(None).prctl(36, *map(ctypes.c_ulong, (1, 0, 0, 0)))  # PR_SET_CHILD_SUBREAPER


def limit_time(seconds: float) -> None:
    """Processor time for the next call. The parent has the clock; this ends a call whose parent is gone."""
    if sys.platform == "win32":
        return
    import resource

    used = resource.getrusage(resource.RUSAGE_SELF)
    hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
    with suppress(ValueError, OSError):  # already stricter
        resource.setrlimit(resource.RLIMIT_CPU, (ceil(used.ru_utime + used.ru_stime + seconds) + 1, hard))


def module(name: str, file: str, source: str) -> types.ModuleType:
    """The module made of `source`, importable by its name; tracebacks know its lines."""
    made = types.ModuleType(name)
    made.__file__ = file
    linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
    sys.modules[name] = made
    exec(compile(source, file, "exec", dont_inherit=True), made.__dict__)
    return made


def message_of(problem: BaseException) -> str:
    """What an exception says, capped; its `__str__` is the learner's too, and may raise."""
    try:
        return str(problem.msg if isinstance(problem, SyntaxError) else problem)[:MAX_MESSAGE]
    except Exception:
        return "its message cannot be shown"


class Exercise:
    """A learner's module, the driver beside it, and calls of its functions. What they return are headers of answers."""

    def __init__(self, setup: Mapping[str, Any], trees: Any) -> None:
        self.file: str = setup["name"]
        self.no_function: str = setup["words"]["no_function"]
        self.trees = trees
        self.answer_bytes: int = setup["limits"]["answer_bytes"]
        self.module = self.driver = types.ModuleType("exercise")
        if setup["driver"] is not None:
            self.driver = module("driver", DRIVER, setup["driver"])
        self.spare = trees.room(SPARE)

    def open(self, source: str) -> dict[str, Any]:
        start = perf_counter()
        try:
            self.module = module("exercise", self.file, source)
        except BaseException as problem:
            if isinstance(problem, MemoryError):
                self.spare = None
            return {"seconds": perf_counter() - start, **self.failure(problem)}
        return {"seconds": perf_counter() - start}

    def call(self, name: str, inputs: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        """(header, arrays) of one call of a function, through its driver where it has one."""
        drive = getattr(self.driver, f"drive_{name}", None)
        function = getattr(self.module, name, None)
        if drive is None and not callable(function):
            return self.missing(name), {}
        start = perf_counter()
        try:
            value = function(**inputs) if drive is None else drive(self.module, **inputs)  # type: ignore[misc]
        except BaseException as problem:
            if isinstance(problem, MemoryError):
                self.spare = None
            return {"seconds": perf_counter() - start, **self.failure(problem, function)}, {}
        header: dict[str, Any] = {"seconds": perf_counter() - start}
        try:
            leaves, arrays, too_much = self.trees.flatten(value, self.answer_bytes)
            header |= {"leaves": leaves, "structure": self.trees.structure(value)}
        except MemoryError:
            self.spare = None
            return {**header, "outcome": "memory"}, {}
        except Exception as problem:
            return {**header, "outcome": "garbled", "detail": f"the answer cannot be read: {message_of(problem)}"}, {}
        return (header | {"outcome": "too_large", "detail": too_much} if too_much else header), arrays

    def missing(self, name: str) -> dict[str, Any]:
        return self._failed("raised", "missing", "AttributeError", self.no_function.replace("{name}", name))

    def failure(self, problem: BaseException, function: object = None) -> dict[str, Any]:
        """The outcome of an exception, and the innermost line of the exercise that it passed through."""
        frames = []
        trace = problem.__traceback__
        while trace is not None:
            code = trace.tb_frame.f_code
            frames.append((code.co_filename, trace.tb_lineno, code.co_name))
            trace = trace.tb_next
        own = [frame for frame in frames if frame[0] == self.file]
        _, line, where = own[-1] if own else ("", None, "")
        if isinstance(problem, SyntaxError) and not own and problem.filename == self.file:
            line = problem.lineno
        elif isinstance(problem, TypeError) and not own and isinstance(function, types.FunctionType):
            line, where = function.__code__.co_firstlineno, function.__name__  # called with arguments it does not take
        elif isinstance(problem, AttributeError) and not own and problem.obj is self.module and problem.name:
            return self.missing(problem.name)  # the driver asked for it
        name, message = self.trees.type_name(problem), message_of(problem)
        if isinstance(problem, SystemExit):
            return self._failed("exited", f"sys.exit({message})", name, message, line, where)
        if isinstance(problem, MemoryError):
            return self._failed("memory", "", name, message, line, where)
        if isinstance(problem, NotImplementedError) and own and frames[-1] == own[-1]:
            return self._failed("unfinished", "", name, message, line, where)
        blamed = "driver" if not own and any(file == DRIVER for file, _, _ in frames) else ""
        return self._failed("raised", blamed, name, message, line, where)

    def _failed(
        self, outcome: str, detail: str, name: str, message: str, line: int | None = None, where: str = ""
    ) -> dict[str, Any]:
        error = {"type": name, "message": message, "line": line, "function": where}
        return {"outcome": outcome, "detail": detail, "error": error}


class Wire:
    """The private ends of the pipes, after the streams were moved away."""

    def __init__(self, channel: Any, source: Any, answers: int, printed: int) -> None:
        self.channel, self.source, self.answers, self.printed = channel, source, answers, printed
        self.requests: SimpleQueue[Any] = SimpleQueue()
        self.stdout, self.pid, self.directory = sys.stdout, _pid(), os.getcwd()
        threading.Thread(target=self.listen, daemon=True).start()

    def listen(self) -> None:
        """Requests as they come. Their end is the parent's end, also while a call runs; then it is ours."""
        try:
            while (frame := self.channel.receive(self.source, self.channel.REQUEST_HEADER, 2**40)) is not None:
                self.requests.put(frame)
        finally:
            with suppress(OSError):
                _rmdir(self.directory)  # nobody else is left to do it
            _exit(0)

    def answer(self, number: int, header: Mapping[str, Any], arrays: Mapping[str, Any]) -> None:
        if _pid() != self.pid:
            _exit(0)  # a fork came back from the call, too: one answer is enough
        with suppress(OSError, ValueError):  # closed by the learner
            self.stdout.flush()
        try:
            frame = self.channel.encode({"id": number, **EMPTY, **header}, arrays, self.channel.ANSWER_HEADER)
        except ValueError:
            rest = {"outcome": "too_large", "detail": "names longer than an answer's header"}
            frame = self.channel.encode({"id": number, **EMPTY, **rest}, {})
        _write(self.printed, MARK.format(number).encode())
        view = memoryview(frame)
        while view:
            view = view[_write(self.answers, view) :]


def main(where: str) -> None:
    """Answer requests until the standard input ends. `where` is the directory that holds NumPy."""
    source, answers, printed = private_streams()
    channel, trees = load_numpy_and_ours(where)
    wire = Wire(channel, source, answers, printed)
    wire.answer(0, {}, {})  # ready
    setup, _ = wire.requests.get()
    adopt()
    limit(setup["limits"]["memory_mb"], setup["mark"])
    sys.path.extend(setup["paths"])
    if not setup["paths"]:
        sys.meta_path.append(ByHand(setup["words"]["by_hand"]))
    sys.argv = [setup["name"]]
    builtins.exit = builtins.quit = sys.exit  # type: ignore[assignment]  # site, which has them, is not imported
    faulthandler.enable(printed, all_threads=False)
    exercise = Exercise(setup, trees)
    watched = [name for name in WATCHED if not (setup["paths"] and name == "tinygrad_rnn")]
    wire.answer(0, {}, {})  # prepared
    while True:
        header, given = wire.requests.get()
        limit_time(header["seconds"])
        faulthandler.dump_traceback_later(header["seconds"], file=printed)  # where it was when its time was over
        if header["do"] == "import":
            answer, arrays = exercise.open(header["source"]), dict[str, Any]()
        else:
            own = {name: array.copy() for name, array in given.items()}
            answer, arrays = exercise.call(header["function"], trees.nested(header["inputs"], own))
            answer["changed"] = [name for name in given if not trees.same(own[name], given[name])]
        faulthandler.cancel_dump_traceback_later()
        answer["foreign"] = [name for name in watched if name in sys.modules]
        wire.answer(header["id"], answer, arrays)
        del answer, arrays


if __name__ == "__main__":
    main(sys.argv[1])
