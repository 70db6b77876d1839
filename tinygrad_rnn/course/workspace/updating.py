"""A newer course merged into a learner's workspace, nothing of the learner's lost."""

from __future__ import annotations

import re
from pathlib import Path

from ... import __version__
from ..files import write_whole
from ..manifest import EXERCISE, read_lesson
from ..words import say
from . import merging, progress
from .folder import MACHINERY, Place, WorkspaceError, back_up, fingerprint, mark_of, parcel, writing
from .progress import State
from .shelf import find, slug_of


def update(place: Place) -> list[str]:
    """Bring in the course of this installation; gives the lines that say what became of what. What the learner never
    touched is replaced, a touched exercise.py gets new stubs appended, any other touched file stays, the new one beside
    it as `lesson.new.ipynb`; what grades is restored.

    Raises WorkspaceError in a repository's own lessons, and where the workspace came from a newer course.
    """
    if not place.delivered:
        raise WorkspaceError(say("workspace.own_lessons", folder=place.lessons))
    before = progress.read(place.root)
    if _version(before.course) > _version(__version__):
        raise WorkspaceError(say("workspace.older", mine=before.course, installed=__version__))
    lines = []
    files = parcel(place)
    with writing(place), progress.changed(place.root, strictly=True) as state:
        for path, new in files.items():
            lines.append(_updated(place, state, path, new))
        state.course = __version__
    quietly = lines.count("")
    return [*(line for line in lines if line), *([say("workspace.replaced", count=quietly)] if quietly else [])]


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", text))


def _updated(place: Place, state: State, path: str, new: bytes) -> str | None:
    """One file of `update`, and what there is to say of it: "" where it was replaced, None where nothing was done."""
    target, base, fresh = place.root / path, state.delivered.get(path), fingerprint(new)
    mine = mark_of(target)
    if mine == fresh:
        state.delivered[path] = fresh
        return None
    line = None
    if mine is None or mine == base:
        _put(target, new)
        line = "" if mine else say("workspace.restored" if base else "workspace.new", file=path)
    elif target.name in MACHINERY:
        kept = back_up(place, target)
        _put(target, new)
        line = say("workspace.mended", file=path, kept=kept)
    elif fresh != base and target.name == EXERCISE:
        line = _merged(place, target, path, new)
    elif fresh != base:
        line = say("workspace.beside", file=path, new=_beside(place, target, new))
    state.delivered[path] = fresh
    return line


def _merged(place: Place, target: Path, path: str, new: bytes) -> str | None:
    """A touched exercise.py and the course's new one."""
    try:
        mine = merging.read_python(target)
    except merging.Unreadable as why:
        return say("workspace.not_merged", why=why, new=_beside(place, target, new))
    functions = {exercise.function for exercise in read_lesson(find(slug_of(target.parent))).exercises}
    merged = merging.merge(mine, new.decode(), functions)
    lines = []
    if merged.added:
        kept = back_up(place, target)
        write_whole(target, merged.text.encode())
        lines.append(say("workspace.appended", file=path, names=", ".join(merged.added), kept=kept))
    if merged.changed:
        beside = _beside(place, target, new)
        lines.append(say("workspace.changed", file=path, names=", ".join(merged.changed), new=beside))
    return "\n".join(lines) or None


def _beside(place: Place, target: Path, new: bytes) -> str:
    """Put the course's new file beside the learner's own."""
    path = target.with_name(f"{target.stem}.new{target.suffix}")
    if path.exists() and path.read_bytes() != new:
        back_up(place, path)
    write_whole(path, new)
    return path.name


def _put(target: Path, content: bytes) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    write_whole(target, content)
