"""What is generated of a lesson (exercise.py, lesson.ipynb, test_exercise.py, cases.npz): made, and told when stale."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from itertools import zip_longest
from pathlib import Path
from typing import Any

import numpy as np

from ..cases import Case, Cases, unpack
from ..files import write_whole
from ..manifest import CASES, DRIVER, EXERCISE, MANIFEST, NOTEBOOK, Lesson, lessons_in, read_lesson
from ..words import say
from .bench import case_file
from .ipynb import SOURCE, notebook
from .running import AuthoringError
from .stub import stub

TEST = "test_exercise.py"
GENERATED = (EXERCISE, NOTEBOOK, TEST, CASES)
CLOSE = 1e-9  # relative to an array's largest entry: as far as two machines' products may differ
_MACHINE_PATH = re.compile(r"(?<![\w.:/~-])(?:/(?:home|Users|tmp|root|var|work|mnt|opt)/|[A-Z]:\\(?=\w))[^\s\"')]*")


def generated(lesson: Lesson) -> dict[str, bytes]:
    """The generated files of a lesson, by name. Raises AuthoringError where one cannot be made."""
    _portable(lesson)
    return {
        EXERCISE: stub(lesson).encode(),
        NOTEBOOK: notebook(lesson).encode(),
        TEST: test_file(lesson).encode(),
        CASES: case_file(lesson),
    }


def build(folder: Lesson | str | Path, check: bool = False) -> list[str]:
    """Make what is generated of one lesson, or of each in a folder, and write what changed: all of it, or, where a part
    cannot be made (AuthoringError), nothing. With `check` nothing is written.

    Gives what was written; with `check` what is stale, and why.
    """
    lessons = [folder] if isinstance(folder, Lesson) else [read_lesson(each) for each in lessons_in(folder)]
    if not lessons:
        raise AuthoringError(say("authors.no_lessons", folder=folder))
    found = []
    for lesson in lessons:
        files = generated(lesson)
        for name, why in stale(lesson, files):
            found.append(why if check else say("authors.written", lesson=lesson.id, file=name))
            if not check:
                write_whole(lesson.file(name), files[name])
    return found


def stale(lesson: Lesson, files: Mapping[str, bytes]) -> Iterator[tuple[str, str]]:
    """The files on disk that are not as `files` has them, each with a line that says where."""
    for name, wanted in files.items():
        try:
            has = lesson.file(name).read_bytes()
        except FileNotFoundError:
            yield name, say("authors.absent", lesson=lesson.id, file=name, anew=say("authors.anew"))
            continue
        about: dict[str, Any] = {"lesson": lesson.id, "file": name, "anew": say("authors.anew")}
        difference = _other_cases(lesson, has, wanted, about) if name == CASES else _other_text(has, wanted, about)
        if difference is not None:
            yield name, difference


def test_file(lesson: Lesson) -> str:
    """test_exercise.py, which the course's pytest plugin takes over without reading it: the manifest says it all."""
    return (
        f'"""{say("authors.test", lesson=lesson.id)}"""\n\nfrom pathlib import Path\n\nimport pytest\n\n\n'
        f"# {say('authors.test_comment')}\ndef test_exercise():\n"
        f'    why = "{say("authors.no_plugin")}"\n'
        f'    if not Path(__file__).with_name("{MANIFEST}").is_file():\n'
        f'        why = "{say("authors.no_manifest")}"\n'
        "    pytest.fail(why, pytrace=False)\n"
    )


test_file.__test__ = False  # type: ignore[attr-defined]  # not a test, whatever its name begins with


def _portable(lesson: Lesson) -> None:
    """Raise AuthoringError where a file names a path that only its author's machine has."""
    for name in (MANIFEST, SOURCE, DRIVER, "instructor/solution.py"):
        path = lesson.file(name)
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines() if path.is_file() else [], 1):
            if found := _MACHINE_PATH.search(line):
                raise AuthoringError(f"{path}:{number}: {say('authors.machine_path', path=found[0])}")


def _other_text(has: bytes, wanted: bytes, about: Mapping[str, Any]) -> str | None:
    if has == wanted or has.replace(b"\r\n", b"\n") == wanted:  # as git gives it on Windows
        return None
    try:
        text = has.decode()
        if about["file"] == NOTEBOOK and any(cell.get("outputs") for cell in json.loads(text)["cells"]):
            return say("authors.holds_outputs", **about)
    except (ValueError, KeyError, TypeError, AttributeError):
        return say("authors.unreadable", **about)
    for number, (left, right) in enumerate(zip_longest(text.splitlines(), wanted.decode().splitlines()), 1):
        if left != right:
            return say("authors.differs", line=number, **_where_other(left or "", right or ""), **about)
    return say("authors.differs", line=1, text="\\n", wanted="", **about)


def _where_other(text: str, wanted: str) -> dict[str, str]:
    """The two lines from a little before the place where they part."""
    apart = next((n for n, (a, b) in enumerate(zip(text, wanted, strict=False)) if a != b), min(len(text), len(wanted)))
    begin = max(0, apart - 12)
    return {side: ("..." if begin else "") + line[begin : begin + 36] + ("..." if len(line) > begin + 36 else "")
            for side, line in (("text", text), ("wanted", wanted))}  # fmt: skip


def _other_cases(lesson: Lesson, has: bytes, wanted: bytes, about: Mapping[str, Any]) -> str | None:
    """What differs between two files of cases, by more than machines do; None where nothing does."""
    if has == wanted:
        return None
    try:
        old, new = unpack(has), unpack(wanted)
    except Exception:  # whatever an archive may be damaged by
        return say("authors.unreadable", **about)
    known = {exercise.function: {mistake.name for mistake in exercise.mistakes} for exercise in lesson.exercises}
    for function, cases in old.items():
        for name in {name for names in cases.explanations for name in names} - known.get(function, set()):
            return say("authors.removed_mistake", name=name, function=function, **about)
    for function in (*new, *(old.keys() - new.keys())):
        if (function in old) != (function in new):
            return say("authors.array_differs", array=function, **about)
        for name in _differing(old[function], new[function]):
            return say("authors.array_differs", array=f"{function}/{name}", **about)
    return None


def _differing(old: Cases, new: Cases) -> Iterator[str]:
    """The names of what is not the same. The effort is not looked at: it is a time, and differs from run to run."""
    if (bool(old.effort), old.explanations) != (bool(new.effort), new.explanations):
        yield "effort" if old.explanations == new.explanations else "explanations"
    left, right = ({c.name: c for c in (*each.scored, *each.probes.values())} for each in (old, new))
    if list(left) != list(right):
        yield "cases"
        return
    sides: tuple[tuple[str, Callable[[Case], Mapping[str, Any]]], ...]
    sides = (("in", lambda case: case.inputs), ("out", lambda case: case.expected))
    for name in left:
        for side, of in sides:
            a, b = of(left[name]), of(right[name])
            if a.keys() == b.keys() and list(a) != list(b):
                yield f"{name}/{side}"
            yield from (f"{name}/{side}/{key}" for key in (*b, *(a.keys() - b.keys()))
                        if key not in a or key not in b or not _near(a[key], b[key]))  # fmt: skip
    if not _same_marks(old.marks, new.marks):
        yield "marks"


def _near(left: Any, right: Any) -> bool:
    if not isinstance(left, np.ndarray) or not isinstance(right, np.ndarray):
        return bool(left == right)
    if left.shape != right.shape or left.dtype != right.dtype:
        return False
    if left.dtype.kind not in "fc":
        return bool((left == right).all())
    finite = np.isfinite(right)
    size = float(np.abs(right[finite]).max(initial=0.0))
    return bool(np.allclose(left, right, rtol=0.0, atol=CLOSE * size + 1e-15, equal_nan=True))


def _same_marks(left: np.ndarray, right: np.ndarray) -> bool:
    """Marks hold codes beside values: the codes are compared as they are, the values against their row's largest."""
    if left.shape != right.shape or not (left[..., 0] == right[..., 0]).all():
        return False
    size = np.abs(np.concatenate([left[..., 1:], right[..., 1:]], axis=-1)).max(axis=-1, keepdims=True, initial=0.0)
    with np.errstate(invalid="ignore"):
        near = np.abs(left[..., 1:] - right[..., 1:]) <= CLOSE * size + 1e-12
    return bool((near | (left[..., 1:] == right[..., 1:])).all())
