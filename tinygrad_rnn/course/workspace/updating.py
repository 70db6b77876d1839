"""A newer course merged into a learner's workspace, nothing of the learner's lost."""

from __future__ import annotations

import os
import re
import time
from pathlib import Path

from ... import __version__
from ..manifest import EXERCISE, read_lesson
from ..words import say
from . import merging, progress
from .folder import BACKUP, MACHINERY, Place, WorkspaceError, back_up, fingerprint, mark_of, parcel, put, writing
from .shelf import find, slug_of

_HALF_WRITTEN = re.compile(r"\.(.+)\.[a-z0-9_]{8}")  # as `write_whole` names a file until it is complete
AT_WORK = 10.0  # seconds: what is younger may be in another process's hands


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
    files = parcel(place)
    with writing(place):
        _sweep(place, [*files, progress.MARKER])
        lines = [_updated(place, before.delivered.get(path), path, new) for path, new in files.items()]
        with progress.changed(place.root, strictly=True) as state:
            state.delivered.update((path, fingerprint(new)) for path, new in files.items())
            state.course = __version__
    quietly = lines.count("")
    return [*(line for line in lines if line), *([say("workspace.replaced", count=quietly)] if quietly else [])]


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", text))


def _sweep(place: Place, files: list[str]) -> None:
    """Move what a killed process left half-written, `.lesson.toml.x8_k2a0f`, to `.backup/`: should it be the learner's
    after all, it is not lost."""
    whole = {place.root / each for each in files}
    for folder in {path.parent for path in whole}:
        for path in folder.glob(".*"):
            name = _HALF_WRITTEN.fullmatch(path.name)
            ours = name is not None and folder / name[1].replace(".new.", ".") in whole and path.is_file()
            if ours and time.time() - path.stat().st_mtime > AT_WORK:
                kept = place.root / BACKUP / folder.name
                kept.mkdir(parents=True, exist_ok=True)
                os.replace(path, kept / path.name)


def _updated(place: Place, base: str | None, path: str, new: bytes) -> str | None:
    """One file of `update`, and what there is to say of it: "" where it was replaced, None where nothing was done.
    `base` is its fingerprint as it was delivered last."""
    target, fresh = place.root / path, fingerprint(new)
    mine = mark_of(target)
    if mine == fresh:
        return None
    if mine is None or mine == base:
        target.parent.mkdir(parents=True, exist_ok=True)
        put(target, new)
        return "" if mine else say("workspace.restored" if base else "workspace.new", file=path)
    if target.name in MACHINERY:
        kept = back_up(place, target)
        put(target, new)
        return say("workspace.mended", file=path, kept=kept)
    if fresh == base:
        return None
    if target.name == EXERCISE:
        return _merged(place, target, path, new)
    return say("workspace.beside", file=path, new=_beside(place, target, new))


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
        put(target, merged.text.encode())
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
    put(path, new)
    return path.name
