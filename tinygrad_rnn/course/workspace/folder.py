"""A learner's workspace: the lessons without their solutions, started, found again, and reset.

What a learner wrote is never overwritten without a copy in `.backup/`.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from ... import __version__
from ..authoring.stub import stub
from ..files import write_whole
from ..manifest import (
    CASES,
    DRIVER,
    EXERCISE,
    INSTRUCTOR,
    MANIFEST,
    NOTEBOOK,
    Exercise,
    Lesson,
    lessons_in,
    read_lesson,
)
from ..words import say
from . import merging, progress
from .progress import MARKER, State
from .shelf import find, shelf, slug_of

BACKUP, TEST = ".backup", "test_exercise.py"
MACHINERY = (MANIFEST, CASES, DRIVER, TEST)  # what grades: never the learner's to change
_UNWANTED = re.compile(r"(^|/)(\.|__pycache__(/|$)|instructor(/|$))|\.new\.\w+$")


class WorkspaceError(ValueError):
    """What was asked for cannot be done here; the message is one line that names the place and the remedy."""


@dataclass(frozen=True)
class Place:
    """Where a learner works: `lessons` holds the lessons' folders, `root` the progress and the backups."""

    root: Path
    lessons: Path

    @property
    def delivered(self) -> bool:
        """Whether `start` made it; a repository's own lessons/ was never delivered."""
        return (self.root / MARKER).is_file() and self.root == self.lessons

    def shown(self, path: Path) -> Path:
        """`path` as seen from the current folder, where that is in the same place."""
        here = Path.cwd()
        return Path(os.path.relpath(path.resolve(), here)) if here.is_relative_to(self.root.resolve()) else path


def find_place(start: Path | None = None) -> Place:
    """The workspace, or the repository with lessons, that `start` (default: the current folder) lies in.

    Raises WorkspaceError where there is none.
    """
    start = (Path.cwd() if start is None else start).resolve()
    for folder in (start, *start.parents):
        if lessons_in(folder / "lessons"):
            return Place(folder, folder / "lessons")
        if (folder / MARKER).is_file():
            return Place(folder, folder)
        lessons = [] if (folder / MANIFEST).is_file() else lessons_in(folder)
        if lessons and (folder == start or any(start.is_relative_to(each.resolve()) for each in lessons)):
            return Place(folder.parent if folder.name == "lessons" else folder, folder)
    raise WorkspaceError(say("workspace.nowhere", folder=start))


def start(directory: Path) -> Place:
    """Make a workspace in `directory`: new, empty, or with hidden files alone (.git, .venv).

    Raises WorkspaceError where it is anything else. It is built aside and moved: it is there whole, or not at all.
    """
    if (directory / MARKER).is_file():
        raise WorkspaceError(say("workspace.is_one_already", folder=directory))
    if os.path.lexists(directory) and not directory.is_dir():
        raise WorkspaceError(say("workspace.is_a_file", folder=directory))
    if directory.is_dir() and (found := sorted(p.name for p in directory.iterdir() if not p.name.startswith("."))):
        raise WorkspaceError(say("workspace.not_empty", folder=directory, found=found[0]))
    files = parcel()
    state = State(__version__, {path: fingerprint(content) for path, content in files.items()})
    try:
        parent = directory.parent if not directory.is_dir() else directory
        parent.mkdir(parents=True, exist_ok=True)
        aside = parent / f".starting-{time.time_ns()}"
        aside.mkdir()
    except OSError as why:
        raise WorkspaceError(say("workspace.cannot_write", folder=directory, why=why.strerror)) from None
    try:
        for path, content in files.items():
            (aside / path).parent.mkdir(parents=True, exist_ok=True)
            (aside / path).write_bytes(content)
        progress.write(aside, state)
        _move(aside, directory)
    except OSError as why:
        raise WorkspaceError(say("workspace.cannot_write", folder=directory, why=why.strerror)) from None
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return find_place(directory)


def _move(aside: Path, directory: Path) -> None:
    """All that `aside` holds to `directory`; where something stops it half-way, what came is taken away again."""
    if not directory.is_dir():
        os.rename(aside, directory)
        return
    moved: list[Path] = []
    try:
        for path in sorted(aside.iterdir(), key=lambda each: each.name == MARKER):  # the marker last
            moved.append(directory / path.name)
            os.rename(path, moved[-1])
    except BaseException:
        for path in moved:
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
        raise


def parcel(place: Place | None = None) -> dict[str, bytes]:
    """Every file that a workspace gets, by its path there. A lesson that `place` has keeps its folder's name.

    Raises WorkspaceError where a lesson of this installation was never built.
    """
    named = {slug_of(folder): folder.name for folder in lessons_in(place.lessons)} if place else {}
    files = {"README.md": say("workspace.readme").encode(), "pytest.ini": say("workspace.pytest_ini").encode()}
    for folder in lessons_in(shelf()):
        name = named.get(slug_of(folder), folder.name)
        lesson = read_lesson(folder)
        if missing := [each for each in (EXERCISE, CASES, NOTEBOOK, TEST) if not lesson.file(each).is_file()]:
            raise WorkspaceError(say("workspace.not_built", lesson=lesson.id, file=missing[0], folder=folder))
        for path in sorted(folder.rglob("*")):
            inside = path.relative_to(folder).as_posix()
            if path.is_file() and not path.is_symlink() and not _UNWANTED.search(inside):
                files[f"{name}/{inside}"] = path.read_bytes()
        files[f"{name}/{EXERCISE}"] = stub(lesson).encode()  # in a repository the file may be somebody's work
    return files


def fingerprint(content: bytes) -> str:
    """The same for a text with either kind of line end."""
    return hashlib.sha256(content if b"\0" in content else content.replace(b"\r\n", b"\n")).hexdigest()


def altered(place: Place, lesson: Path) -> list[str]:
    """The files that grade this lesson and are not as they were delivered: points earned by them may differ."""
    state = progress.read(place.root)
    marks = {name: state.delivered.get(f"{lesson.name}/{name}") for name in MACHINERY}
    return [name for name, mark in marks.items() if mark is not None and mark_of(lesson / name) != mark]


def touched(place: Place, state: State, lesson: Path) -> bool:
    """Whether exercise.py is not as it was delivered."""
    return mark_of(lesson / EXERCISE) != state.delivered.get(f"{lesson.name}/{EXERCISE}")


def mark_of(path: Path) -> str | None:
    return fingerprint(path.read_bytes()) if path.is_file() else None


@contextmanager
def writing(place: Place) -> Iterator[None]:
    """What cannot be written in here is told as a WorkspaceError."""
    try:
        yield
    except OSError as why:
        file = why.filename or place.root
        raise WorkspaceError(say("workspace.cannot_change", file=file, why=why.strerror)) from None


def back_up(place: Place, path: Path) -> Path:
    """Copy a file to `.backup/`, with the time in its name; gives the copy's path, as seen from the current folder."""
    folder = place.root / BACKUP / path.parent.name
    folder.mkdir(parents=True, exist_ok=True)
    stamp, count = f"{datetime.now():%Y-%m-%d_%H%M%S}", 1
    while (copy := folder / f"{path.stem}.{stamp}{f'-{count}' if count > 1 else ''}{path.suffix}").exists():
        count += 1
    shutil.copy2(path, copy)
    return place.shown(copy)


def reset(place: Place, lesson: Lesson, exercise: Exercise | None = None) -> Path | None:
    """Put one exercise's function, or the whole exercise.py, back to the stub. Gives where the old file is kept, or
    None where there was none. Raises Unreadable where one function is wanted and the file is not Python."""
    path, fresh = lesson.file(EXERCISE), stub(read_lesson(find(lesson.id)))
    if exercise is not None and path.is_file():
        fresh = merging.replaced(merging.read_python(path), fresh, exercise.function)
    with writing(place):
        kept = back_up(place, path) if path.is_file() else None
        write_whole(path, fresh.encode())
    progress.forget(place.root, [exercise.key] if exercise else [each.key for each in lesson.exercises])
    return kept


def solution(lesson: Lesson, exercise: Exercise) -> str:
    """The solution's function, with those of the solution's own helpers that it calls."""
    source = (find(lesson.id) / INSTRUCTOR / "solution.py").read_text(encoding="utf-8")
    return merging.excerpt(source, exercise.function)
