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
        if not here.is_relative_to(self.root.resolve()):
            return path
        return Path(os.path.relpath(path.parent.resolve() / path.name, here))  # a link by its own name


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


def keeps_progress(lesson: Path) -> Path | None:
    """Where the progress in this lesson's folder is kept: in the workspace around it, and only there."""
    try:
        root = find_place(lesson).root
    except WorkspaceError:
        return None
    return root if (root / MARKER).is_file() else None


def headless(place: Place) -> list[Path]:
    """The folders that were delivered with a lesson.toml, and have lost it."""
    if not place.delivered:
        return []
    files = (place.root / path for path in progress.read(place.root).delivered)
    return [file.parent for file in files if file.name == MANIFEST and file.parent.is_dir() and not file.is_file()]


def start(directory: Path) -> Place:
    """Make a workspace in `directory`: new, empty, or with hidden files alone (.git, .venv).

    Raises WorkspaceError where it is anything else. It is built aside and moved: it is there whole, or not at all.
    """
    directory = Path(os.path.realpath(directory))  # `x/..` is this folder, also where there is no x yet
    if (directory / MARKER).is_file():
        raise WorkspaceError(say("workspace.is_one_already", folder=directory))
    for folder in (directory, *directory.parents):
        if os.path.lexists(folder) and not folder.is_dir():
            raise WorkspaceError(say("workspace.is_a_file", folder=folder))
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
    """All that `aside` holds to `directory`; where something stops it half-way, what came is taken away again.

    Raises WorkspaceError where something of that name is there by now. The lessons go first: no folder can be moved
    onto one that holds something, so that of two that start at once only one gets further. The marker goes last.
    """
    if not directory.is_dir():
        os.rename(aside, directory)
        return
    paths = sorted(aside.iterdir(), key=lambda path: (path.name == MARKER, not path.is_dir(), path.name))
    moved: list[Path] = []
    try:
        for path in paths:
            target = directory / path.name
            if os.path.lexists(target):
                raise WorkspaceError(say("workspace.not_empty", folder=directory, found=path.name))
            os.rename(path, target)
            moved.append(target)  # not before: what another put there is not ours to take away
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
        files |= {f"{name}/{inside}": content for inside, content in lesson_parcel(folder).items()}
    return files


def lesson_parcel(folder: Path) -> dict[str, bytes]:
    """Every file of one lesson of the shelf that a learner gets, by its path in the lesson's folder.

    Raises WorkspaceError where the lesson was never built.
    """
    lesson = read_lesson(folder)
    if missing := [each for each in (EXERCISE, CASES, NOTEBOOK, TEST) if not lesson.file(each).is_file()]:
        raise WorkspaceError(say("workspace.not_built", lesson=lesson.id, file=missing[0], folder=folder))
    paths = {path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*"))}
    files = {inside: path.read_bytes() for inside, path in paths.items()
             if path.is_file() and not path.is_symlink() and not _UNWANTED.search(inside)}  # fmt: skip
    return files | {EXERCISE: stub(lesson).encode()}  # in a repository the file may be somebody's work


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
    """The fingerprint of a file; None where there is no file."""
    return fingerprint(path.read_bytes()) if path.is_file() else None


@contextmanager
def writing(place: Place) -> Iterator[None]:
    """What cannot be written in here is told as a WorkspaceError."""
    try:
        yield
    except OSError as why:
        file = why.filename or place.root
        raise WorkspaceError(say("workspace.cannot_change", file=file, why=why.strerror)) from None


def put(path: Path, content: bytes) -> None:
    """Make `content` the file at `path`, in one move; where that is a link, the file that it leads to.

    Raises WorkspaceError where something else is there, such as a folder, and OSError that names `path`.
    """
    target = Path(os.path.realpath(path))
    if os.path.lexists(target) and not target.is_file():
        what = "a_folder" if target.is_dir() else "a_circle" if target.is_symlink() else "no_file"
        raise WorkspaceError(say(f"workspace.is_{what}", file=path))
    try:
        write_whole(target, content)
    except OSError as why:
        raise OSError(why.errno, why.strerror, str(path)) from None


def back_up(place: Place, path: Path) -> Path:
    """Copy a file to `.backup/`, with the time in its name; gives the copy's path, as seen from the current folder.
    What is no file, such as a folder, is moved there."""
    folder = place.root / BACKUP / path.parent.name
    folder.mkdir(parents=True, exist_ok=True)
    stamp, count = f"{datetime.now():%Y-%m-%d_%H%M%S}", 1
    while os.path.lexists(copy := folder / f"{path.stem}.{stamp}{f'-{count}' if count > 1 else ''}{path.suffix}"):
        count += 1
    shutil.copy2(path, copy) if path.is_file() else os.replace(path, copy)
    return place.shown(copy)


def reset(place: Place, lesson: Lesson, exercise: Exercise | None = None) -> Path | None:
    """Put one exercise's function, or the whole exercise.py, back to the stub. Gives where the old file is kept, or
    None where there was none. Raises Unreadable where one function is wanted and the file is not Python."""
    path, fresh = lesson.file(EXERCISE), stub(read_lesson(find(lesson.id)))
    if exercise is not None and path.is_file():
        fresh = merging.replaced(merging.read_python(path), fresh, exercise.function)
    with writing(place):
        kept = back_up(place, path) if os.path.lexists(path) else None
        put(path, fresh.encode())
    progress.forget(place.root, [exercise.key] if exercise else [each.key for each in lesson.exercises])
    return kept


def solution(lesson: Lesson, exercise: Exercise) -> str:
    """The solution's function, with those of the solution's own helpers that it calls."""
    source = (find(lesson.id) / INSTRUCTOR / "solution.py").read_text(encoding="utf-8")
    return merging.excerpt(source, exercise.function)
