"""An author's own code, run in this process: whatever it raises becomes one line that says where."""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

from ..manifest import INSTRUCTOR, Lesson
from ..words import say

SOLUTION, MISTAKES, GENERATE = "solution.py", "mistakes.py", "generate.py"


class AuthoringError(ValueError):
    """Something that an author wrote does not fit; the message names the file, the place and the remedy."""


def instructors(lesson: Lesson, name: str) -> Path:
    """Where a file of the instructor's folder is."""
    return lesson.folder / INSTRUCTOR / name


def text_of(lesson: Lesson, name: str) -> str:
    """A file of the instructor's folder."""
    path = instructors(lesson, name)
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise AuthoringError(f"{path}: {say('authors.missing_part')}") from None
    except UnicodeDecodeError as why:
        raise AuthoringError(f"{path}: {say('authors.not_utf8', byte=why.start)}") from None


def module_of(source: str, path: Path, what: str = "") -> ModuleType:
    """A module made from `source`; `path` stands in its tracebacks. AuthoringError where it raises."""
    module = ModuleType(path.stem)
    module.__file__ = str(path)
    with in_words(path, what):
        exec(compile(source, str(path), "exec"), module.__dict__)
    return module


def instructor_module(lesson: Lesson, name: str) -> ModuleType:
    """The module `solution.py`, `mistakes.py` or `generate.py` of a lesson."""
    return module_of(text_of(lesson, name), instructors(lesson, name))


def solution_of(lesson: Lesson) -> ModuleType:
    """The lesson's solution, run: its functions are the right answers. Raises AuthoringError."""
    return instructor_module(lesson, SOLUTION)


@contextmanager
def in_words(path: Path, what: str = "") -> Iterator[None]:
    """Raise AuthoringError for what is raised inside: the file, the line and the function, the exception, and `what`
    was being done. Files are those of the lesson that `path` is of: the innermost line there is the author's."""
    try:
        yield
    except AuthoringError:
        raise
    except (Exception, SystemExit) as why:
        line = " ".join(f"{_place(path, why)}: {type(why).__name__}: {_message(why)}".split())
        raise AuthoringError(f"{line}: {what}" if what else line) from why


def _message(why: BaseException) -> str:
    return (why.msg if isinstance(why, SyntaxError) else str(why)) or "-"


def _place(path: Path, why: BaseException) -> str:
    if isinstance(why, SyntaxError) and why.filename == str(path):
        return f"{path}:{why.lineno}"
    folder = path.parent.parent if path.parent.name == INSTRUCTOR else path.parent
    own = [frame for frame in traceback.extract_tb(why.__traceback__) if folder in Path(frame.filename).parents]
    if not own:
        return str(path)
    last = own[-1]
    return f"{last.filename}:{last.lineno}" + (f", in {last.name}" if last.name != "<module>" else "")
