"""A lesson from inside its notebook: `here = lesson("bptt")`, then `here.check`, `here.hint` and `here.exercise`.

The same works in a script: there, what a notebook shows is printed.
"""

from __future__ import annotations

import sys
from collections.abc import Collection, Mapping
from html import escape
from pathlib import Path
from typing import Any, TypeVar

from .files import write_whole
from .grading.grader import grade
from .living import SWITCH as SWITCH
from .living import LessonError, LivingModule, exercise_file, spell_path
from .manifest import CASES, EXERCISE, MANIFEST, Exercise, Lesson, ManifestError, read_lesson
from .render import html, terminal
from .render.phrases import told_before
from .verdict import Verdict
from .words import say
from .workspace import progress
from .workspace.folder import WorkspaceError, find_place, keeps_progress, lesson_parcel
from .workspace.shelf import NoLesson, find

S = TypeVar("S")


def lesson(which: str) -> Here:
    """The lesson called "bptt" (or "3"), found beside the notebook or script that asks, or in its workspace; else
    fetched from the installed package into a folder beside it. A file that is there is never written over.

    Raises LessonError, one line, where there is no such lesson or it cannot be fetched.
    """
    start = _beside(sys._getframe(1).f_globals)
    try:
        folder = _found(which, start) or _place_for(which, start)
        if missing := [name for name in (MANIFEST, EXERCISE, CASES) if not (folder / name).is_file()]:
            _fetch(which, folder, missing)
        return Here(folder)
    except (ManifestError, NoLesson, WorkspaceError) as why:
        raise LessonError(str(why)) from None


class Here:
    """One lesson, in the folder where the learner works."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.lesson = read_lesson(folder)
        self.exercise = LivingModule(self.lesson)
        self._hints: dict[str, int] = {}  # taken, where no workspace keeps count

    def check(self, which: str | int | None = None) -> Verdict | Report:
        """Grade one exercise ("bptt.2", "2" or 2), or the whole lesson: the verdict, or all of them with their table.

        Raises LessonError for an exercise that the lesson does not have.
        """
        lesson = self._read_again()
        wanted = None if which is None else [self._exercise(which).id]
        verdicts = _graded(lesson, wanted)
        if root := keeps_progress(self.folder):
            progress.record(root, verdicts)
        shown: Verdict | Report = Report(verdicts) if wanted is None else verdicts[0]
        return _shown(shown)

    def hint(self, which: str | int) -> Hint:
        """The next hint for an exercise; after the last one, the last one again."""
        self._read_again()
        exercise = self._exercise(which)
        most, key, root = len(exercise.hints), exercise.key, keeps_progress(self.folder)
        if not most:
            return _shown(Hint((say("workspace.hint_none", key=key),)))
        taken = progress.take_hint(root, key, most) if root else min(self._hints.get(key, 0) + 1, most)
        self._hints[key] = taken
        after = say("notebook.hint_more", key=key) if taken < most else say("workspace.hint_last", key=key)
        return _shown(Hint((say("workspace.hint", number=taken, most=most, hint=exercise.hints[taken - 1]), after)))

    def _read_again(self) -> Lesson:
        """The lesson as it now lies on the disk: `tinygrad-rnn update` may have brought a newer one."""
        try:
            self.lesson = read_lesson(self.folder)
        except ManifestError as why:
            raise LessonError(str(why)) from None
        return self.lesson

    def _exercise(self, which: str | int) -> Exercise:
        known = ", ".join(exercise.key for exercise in self.lesson.exercises)
        owner = str(which).rpartition(".")[0].lstrip("0")
        if owner not in ("", self.lesson.id, f"{self.lesson.order:g}"):
            raise LessonError(say("notebook.other_lesson", which=which, lesson=self.lesson.id, known=known))
        try:
            return self.lesson.exercise(which)
        except KeyError:
            message = say("notebook.no_exercise", which=which, lesson=self.lesson.id, known=known)
            raise LessonError(message) from None

    def __repr__(self) -> str:
        key = self.lesson.exercises[0].key if self.lesson.exercises else self.lesson.id
        return say("notebook.here", lesson=self.lesson.id, folder=spell_path(self.folder), key=key)


class Report(tuple[Verdict, ...]):
    """The verdicts on a whole lesson; shows itself as a table of points, with what is not right yet."""

    def __str__(self) -> str:
        wrong = [verdict for verdict in self if not verdict.right and verdict.kind != "not attempted"]
        said = [told_before(each, wrong[:i]) or terminal.spelled(each) for i, each in enumerate(wrong)]
        return "\n\n".join([*said, terminal.table(self)])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return html.table(self)


class Hint(tuple[str, ...]):
    """A hint, and what comes after it."""

    def __str__(self) -> str:
        return "\n".join(self)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return "".join(f"<div>{escape(line)}</div>" for line in self)


def _beside(caller: Mapping[str, Any]) -> Path:
    """The folder of the notebook or script with these globals. A notebook is started in its folder; VS Code, which can
    be told otherwise, says where the file is."""
    for name in ("__vsc_ipynb_file__", "__file__"):
        if isinstance(value := caller.get(name), str) and Path(value).is_file():
            return Path(value).resolve().parent
    return Path.cwd()


def _found(which: str, start: Path) -> Path | None:
    """The lesson's folder: `start` itself, or among the lessons of the workspace around it."""
    if (start / MANIFEST).is_file():
        try:
            return find(which, start)
        except NoLesson:
            if read_lesson(start).id == which:
                return start
    try:
        return find(which, find_place(start).lessons)
    except (NoLesson, WorkspaceError):
        return None


def _place_for(which: str, start: Path) -> Path:
    """Where the lesson is to be: `start`, if it has the name of the lesson's folder, else that folder in it."""
    name = find(which).name
    return start if start.name == name else start / name


def _fetch(which: str, folder: Path, missing: Collection[str]) -> None:
    """Put what is missing of the lesson into `folder`, from the installed package, and say so in a line."""
    files, new = lesson_parcel(find(which)), not folder.exists()
    wanted = files if MANIFEST in missing else {file: files[file] for file in missing}
    wanted = {file: content for file, content in wanted.items() if not (folder / file).exists()}
    try:
        for file, content in wanted.items():
            (folder / file).parent.mkdir(parents=True, exist_ok=True)
            write_whole(folder / file, content)
    except OSError as why:
        about = {"lesson": which, "folder": spell_path(folder), "why": why.strerror or str(why)}
        raise LessonError(say("notebook.cannot_fetch", **about)) from None
    said = {"lesson": which, "folder": spell_path(folder), "count": len(wanted), "files": ", ".join(wanted)}
    _print(say("notebook.fetched" if new else "notebook.completed", **said))


def _graded(lesson: Lesson, only: Collection[int] | None) -> list[Verdict]:
    file = exercise_file(lesson)
    try:
        source = None if file == lesson.file(EXERCISE) else file.read_text(encoding="utf-8")
        return list(grade(lesson, only=only, source=source))
    except (ValueError, OSError, RuntimeError) as why:  # the lesson's own files, or no process to be had
        raise LessonError(str(why)) from None


def _shown(thing: S) -> S:
    """Printed, unless a notebook shows what a cell's last line gives."""
    if not _in_notebook():
        _print(str(thing))
    return thing


def _in_notebook() -> bool:
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return hasattr(shell, "kernel")


def _print(text: str) -> None:
    try:
        print(text, flush=True)
    except UnicodeEncodeError:  # a terminal that lacks a character shows ? instead
        encoding = sys.stdout.encoding or "ascii"
        print(text.encode(encoding, "replace").decode(encoding), flush=True)
