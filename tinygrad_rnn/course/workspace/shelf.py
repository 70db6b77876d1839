"""Where the course's lessons are: in the installed package, or in the repository that the package is run from."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path

from ..manifest import lessons_in
from ..words import say

LESSONS = "TINYGRAD_RNN_LESSONS"  # names a folder of somebody's own lessons, to be used instead of the course's
_PACKAGE = Path(__file__).resolve().parents[2]


class NoLesson(ValueError):
    """There is no such lesson; the message is one line that names those that there are."""


def shelf() -> Path:
    """The folder of all lessons, `instructor/` included. Raises NoLesson where this installation has none."""
    if own := os.environ.get(LESSONS):
        if not Path(own).is_dir():
            raise NoLesson(say("workspace.no_own_shelf", variable=LESSONS, folder=own))
        return Path(own)
    installed, repository = _PACKAGE / "lessons", _PACKAGE.parent
    if installed.is_dir():
        return installed
    if (repository / "pyproject.toml").is_file() and (repository / "lessons").is_dir():
        return repository / "lessons"
    raise NoLesson(say("workspace.no_shelf", folder=installed))


def slug_of(folder: Path) -> str:
    """The lesson's id as its folder's name tells it, so that a lesson is found even where its manifest is damaged.

    >>> slug_of(Path("lessons/03_bptt"))
    'bptt'
    """
    return re.sub(r"^\d+_", "", folder.name)


def number_of(folder: Path) -> str:
    """The number before the slug, without leading zeros; "" where there is none.

    >>> number_of(Path("lessons/03_bptt")), number_of(Path("lessons/00_start")), number_of(Path("lessons/bptt"))
    ('3', '0', '')
    """
    digits = re.match(r"(\d+)_", folder.name)
    return str(int(digits[1])) if digits else ""


def find(which: str, lessons: Path | Sequence[Path] | None = None, near: Path | None = None) -> Path:
    """The folder of one lesson among `lessons` (a folder of lessons, or a list of lessons' folders; default: the
    shelf), by slug ("bptt"), number ("3", "03"), folder's name ("03_bptt") or a path of the folder or of a file in it,
    from `near` (default: the current folder).

    Raises NoLesson, which names the lessons that there are.
    """
    folders = lessons if isinstance(lessons, Sequence) else lessons_in(shelf() if lessons is None else lessons)
    wanted = which.strip()
    for folder in folders:
        if wanted in (slug_of(folder), folder.name) or (wanted.isdecimal() and str(int(wanted)) == number_of(folder)):
            return folder
    path = ((near or Path()) / wanted).resolve()
    if wanted and path.exists():
        for folder in folders:
            if folder.resolve() in (path, *path.parents):
                return folder
    raise NoLesson(say("workspace.no_lesson", which=which, known=_known(folders)))


def target(which: str, lessons: Path | Sequence[Path], near: Path | None = None) -> tuple[Path, str | None]:
    """What `bptt`, `bptt.2` or `3.2` name: the lesson's folder, and the exercise, or None for the whole lesson."""
    try:
        return find(which, lessons, near), None
    except NoLesson:
        lesson, dot, exercise = which.rpartition(".")
        if not dot:
            raise
        return find(lesson, lessons, near), exercise


def _known(folders: Sequence[Path]) -> str:
    return ", ".join(slug_of(folder) for folder in folders) or say("workspace.none")
