"""The learner's exercise.py as a module that lives: read again whenever it was saved, and plain about what stops it."""

from __future__ import annotations

import functools
import os
import sys
import types
from pathlib import Path
from typing import Any

from .manifest import EXERCISE, Lesson
from .words import say

SWITCH = "TINYGRAD_RNN_EXERCISE"
"""For authors: the path of a file that stands in for exercise.py, such as instructor/solution.py, so that a lesson can
be run to its end. Read in `exercise_file` alone."""


class LessonError(ValueError):
    """What a learner can mend: one line, which a notebook shows without a traceback."""

    def _render_traceback_(self) -> list[str]:  # asked for by IPython
        return [str(self)]


class NoSuchName(LessonError, AttributeError):
    """exercise.py does not define that name."""


class NotWritten(LessonError, NotImplementedError):
    """A function of exercise.py that a cell calls is still a stub."""


class LivingModule(types.ModuleType):
    """The learner's exercise.py as a module that is read again whenever the file has changed on the disk.

    Raises LessonError, one line that names the line, where it cannot be run; NoSuchName for a name that it lacks.
    """

    def __init__(self, lesson: Lesson) -> None:
        super().__init__(f"exercise_{lesson.id}")
        self._lesson = lesson
        self._stamp: tuple[str, int, int] | None = None
        self._now = types.ModuleType(self.__name__)

    def __getattr__(self, name: str) -> Any:
        if name.startswith(("__", "_repr_", "_ipython_")):  # what notebooks ask of every object
            raise AttributeError(name)
        module = self._fresh()
        if name not in vars(module):
            known = ", ".join(dir(self)) or say("notebook.nothing")
            raise NoSuchName(say("notebook.no_name", file=EXERCISE, name=name, known=known))
        value = vars(module)[name]
        own = isinstance(value, types.FunctionType) and value.__module__ == self.__name__
        return _patient(value) if own else value

    def __dir__(self) -> list[str]:
        found = vars(self._fresh()).items()
        return sorted(name for name, value in found if name[0] != "_" and not isinstance(value, types.ModuleType))

    def __repr__(self) -> str:
        return f"<{spell_path(exercise_file(self._lesson))}>"

    def _fresh(self) -> types.ModuleType:
        path = exercise_file(self._lesson)
        try:
            facts = path.stat()
            stamp = (str(path), facts.st_mtime_ns, facts.st_size)
            if stamp != self._stamp:
                self._now, self._stamp = _run(path, self.__name__), stamp
        except OSError as why:
            about = {"file": path.name, "why": why.strerror or str(why), "lesson": self._lesson.id}
            raise LessonError(say("notebook.no_file", **about)) from None
        return self._now


def exercise_file(lesson: Lesson) -> Path:
    """The learner's file, or what the switch names in its place."""
    return Path(os.environ.get(SWITCH) or lesson.file(EXERCISE))


def spell_path(path: Path) -> str:
    """The path as seen from the current folder, where it lies in it."""
    here = Path.cwd()
    inside = path.resolve()
    return f"./{inside.relative_to(here).as_posix()}".removesuffix("/.") if inside.is_relative_to(here) else str(path)


def _run(path: Path, name: str) -> types.ModuleType:
    """The file as a module. Raises LessonError where that fails, OSError where it is not there."""
    module = types.ModuleType(name)
    module.__file__ = str(path)
    sys.modules[name] = module  # where dataclasses look up the names in annotations
    raw = path.read_bytes()
    try:
        exec(compile(raw, str(path), "exec", dont_inherit=True), module.__dict__)
    except (Exception, SystemExit) as why:  # a file that ends the program, too: the notebook goes on
        line = (why.lineno or None) if isinstance(why, SyntaxError) else _line_in(path, why)
        message = why.msg if isinstance(why, SyntaxError) else (str(why).splitlines() or [""])[0]
        about = {"file": path.name, "type": type(why).__name__, "message": message, "line": line}
        raise LessonError(say("notebook.broken" if line is None else "notebook.broken_line", **about)) from None
    return module


def _patient(function: types.FunctionType) -> Any:
    """The same function; where it is still a stub it says so in one line: no wall of red before the first attempt."""

    @functools.wraps(function)
    def called(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except NotImplementedError as why:
            about = {"key": str(why) or function.__name__, "file": EXERCISE}
            raise NotWritten(say("notebook.not_written", **about)) from None

    return called


def _line_in(path: Path, why: BaseException) -> int | None:
    """The last line of this file that the exception passed."""
    line, at = None, why.__traceback__
    while at is not None:
        if at.tb_frame.f_code.co_filename == str(path):
            line = at.tb_lineno
        at = at.tb_next
    return line
