"""A learner's desk: the lessons of one place and how far they are done. `next`, `check`, `list` rest on it."""

from __future__ import annotations

import ast
import textwrap
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

from ..manifest import (
    EXERCISE,
    MANIFEST,
    NOTEBOOK,
    Exercise,
    Lesson,
    ManifestError,
    lessons_in,
    read_lesson,
    spell_points,
)
from ..parsing import parse
from ..verdict import Verdict
from ..words import say
from . import progress
from .folder import Place, WorkspaceError, headless, touched
from .progress import State
from .shelf import number_of, slug_of, target

WIDTH, BAR = 80, 10


class Desk:
    """The lessons of a place, read once; progress is read anew whenever it is asked for."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.lessons: list[Lesson] = []
        self.damaged: dict[Path, str] = {}  # folders whose manifest cannot be used, and why
        for folder in lessons_in(place.lessons):
            try:
                self.lessons.append(read_lesson(folder))
            except ManifestError as why:
                self.damaged[folder] = str(why)
        for folder in headless(place):
            self.damaged[folder] = say("workspace.no_manifest", file=place.shown(folder / MANIFEST))
        self.lessons.sort(key=lambda lesson: lesson.order)

    @property
    def state(self) -> State:
        """The progress so far, read anew."""
        return progress.read(self.place.root)

    def pick(self, which: str) -> tuple[Lesson, Exercise | None]:
        """What `bptt`, `3` or `bptt.2` name. Raises NoLesson, ManifestError, or WorkspaceError for an exercise that the
        lesson has not."""
        folder, number = target(which, [*(lesson.folder for lesson in self.lessons), *self.damaged])
        lesson = next((each for each in self.lessons if each.folder == folder), None)
        if lesson is None:
            raise ManifestError(self.damaged[folder])
        if number is None:
            return lesson, None
        try:
            return lesson, lesson.exercise(number)
        except KeyError:
            known = ", ".join(exercise.key for exercise in lesson.exercises)
            raise WorkspaceError(say("workspace.no_exercise", which=which, lesson=lesson.id, known=known)) from None

    def pick_exercise(self, which: str | None) -> tuple[Lesson, Exercise]:
        """The exercise that is named, or the one to do next: in the lesson that is named, or in all."""
        lesson, exercise = (None, None) if which is None else self.pick(which)
        every = self._exercises([lesson] if lesson else self.lessons)
        exercise = exercise or self.next_exercise(lesson) or next(every, None)
        if exercise is None:
            raise WorkspaceError(say("workspace.nothing_to_check", lesson=which or slug_of(self.place.lessons)))
        return self.lesson_of(exercise), exercise

    def lesson_of(self, exercise: Exercise) -> Lesson:
        """The lesson that an exercise belongs to."""
        return next(lesson for lesson in self.lessons if lesson.id == exercise.lesson)

    def _exercises(self, lessons: Iterable[Lesson]) -> Iterator[Exercise]:
        return (exercise for lesson in lessons for exercise in lesson.exercises)

    def unsolved(self, lesson: Lesson | None = None) -> list[Exercise]:
        """What is left to do, in order: core exercises, then extra ones. What was given up is not asked for again."""
        state = self.state
        left = [exercise for exercise in self._exercises([lesson] if lesson else self.lessons)
                if not (state.of(exercise.key).solved or state.of(exercise.key).given_up)]  # fmt: skip
        return sorted(left, key=lambda exercise: exercise.part == "extra")

    def next_exercise(self, lesson: Lesson | None = None) -> Exercise | None:
        """The first that is left to do."""
        return next(iter(self.unsolved(lesson)), None)

    def at_hand(self) -> Lesson:
        """Which lesson a learner means who names none: the current folder's, else the one whose exercise.py was saved
        last, else the next. Raises ManifestError where the current folder's is damaged."""
        here = Path.cwd()
        for folder, why in self.damaged.items():
            if here.is_relative_to(folder.resolve()):
                raise ManifestError(why)
        for lesson in self.lessons:
            if here.is_relative_to(lesson.folder.resolve()):
                return lesson
        state, written = self.state, [each for each in self.lessons if each.file(EXERCISE).is_file()]
        if begun := [each for each in written if touched(self.place, state, each.folder)]:
            return max(begun, key=lambda lesson: lesson.file(EXERCISE).stat().st_mtime)
        return self.pick_exercise(None)[0]

    def check(self, lesson: Lesson, only: Collection[int] | None = None) -> Iterator[Verdict]:
        """Verdicts as they are found; what was found is kept, also when the rest is interrupted."""
        from ..grading.grader import grade

        found: list[Verdict] = []
        try:
            for verdict in grade(lesson, only=only):
                found.append(verdict)
                yield verdict
        finally:
            progress.record(self.place.root, found)

    def hint(self, exercise: Exercise, all_: bool = False) -> str:
        """The hints taken so far and one more, or all of them."""
        most = len(exercise.hints)
        if not most:
            return say("workspace.hint_none", key=exercise.key)
        taken = progress.take_hint(self.place.root, exercise.key, most, all_)
        taken_hints = enumerate(exercise.hints[:taken], 1)
        lines = [say("workspace.hint", number=i, most=most, hint=hint) for i, hint in taken_hints]
        lines.append(say("workspace.hint_more" if taken < most else "workspace.hint_last", key=exercise.key))
        return "\n".join(textwrap.fill(line, WIDTH, subsequent_indent="    ", break_on_hyphens=False) for line in lines)

    def what_next(self) -> str:
        """What to do now: what the exercise asks for, where it is written, how it is checked."""
        exercise = self.next_exercise()
        if exercise is None:
            keys = [e.key for e in self._exercises(self.lessons) if self.state.of(e.key).given_up]
            return say("workspace.all_but_given_up", keys=", ".join(keys)) if keys else say("workspace.all_solved")
        lesson = self.lesson_of(exercise)
        line, asked = _asked(lesson.file(EXERCISE), exercise.function)
        notebook, file = (self.place.shown(lesson.file(name)) for name in (NOTEBOOK, EXERCISE))
        about = say("workspace.next_lesson", number=number_of(lesson.folder), title=lesson.title,
                    minutes=lesson.minutes, assumes=lesson.assumes)  # fmt: skip
        lines = [
            *textwrap.wrap(about, WIDTH), "",
            say("workspace.next_head", key=exercise.key, title=exercise.title, points=_points(exercise)),
            *(line for each in asked for line in _indented(each)), "",
            say("workspace.next_notebook", file=notebook),
            say("workspace.next_file", file=f"{file}:{line}" if line else file),
            say("workspace.next_check", key=exercise.key), say("workspace.next_hint", key=exercise.key),
        ]  # fmt: skip
        return "\n".join(lines)

    def overview(self) -> str:
        """All lessons: minutes, how much of the core is done, points; and what is next."""
        heads = ["", *(say(f"workspace.list_{name}") for name in ("lesson", "title", "minutes", "progress", "points"))]
        rows, notes, state = [heads], [""], self.state
        for lesson in self.lessons:
            core, extra = ([e for e in lesson.exercises if (e.part == "extra") is more] for more in (False, True))
            points, earned = sum(e.points for e in core), sum(state.of(e.key).best for e in core)
            bar = "#" * int((earned / points if points else 1.0) * BAR + 1e-9)
            scored = f"{spell_points(earned)}/{spell_points(points)}"
            if more := sum(state.of(e.key).best for e in extra):
                scored += " " + say("workspace.list_extra", earned=spell_points(more))
            rows.append([number_of(lesson.folder), lesson.id, lesson.title, str(lesson.minutes),
                         f"[{bar:-<{BAR}}]", scored])  # fmt: skip
            given = [e.key for e in lesson.exercises if state.of(e.key).given_up and not state.of(e.key).solved]
            notes.append(say("workspace.list_given_up", keys=", ".join(given)) if given else "")
        lines = _aligned(rows, notes)
        lines += [f"{say('workspace.list_damaged')}: {why}" for why in self.damaged.values()]
        exercise = self.next_exercise()
        lines += ["", self.what_next() if exercise is None
                  else say("workspace.list_next", key=exercise.key, title=exercise.title)]  # fmt: skip
        return "\n".join(lines)


def _aligned(rows: list[list[str]], notes: list[str]) -> list[str]:
    """The rows in columns of at most 80 characters, the title's wrapped, each row's note below it."""
    widths = [max(len(row[i]) for row in rows) for i in range(6)]
    widths[2] = max(10, min(widths[2], WIDTH - sum(widths) + widths[2] - 2 * 5))
    lines = []
    for row, note in zip(rows, notes, strict=True):
        first, *more = textwrap.wrap(row[2], widths[2]) or [""]
        cells = [f"{row[0]:>{widths[0]}}", f"{row[1]:{widths[1]}}", f"{first:{widths[2]}}", f"{row[3]:>{widths[3]}}",
                 f"{row[4]:{widths[4]}}", row[5]]  # fmt: skip
        left = " " * (widths[0] + widths[1] + 4)
        lines += ["  ".join(cells).rstrip(), *(left + each for each in [*more, note] if each)]
    return lines


def _points(exercise: Exercise) -> str:
    one = exercise.points == 1
    return say("workspace.point") if one else say("workspace.points", number=spell_points(exercise.points))


def _indented(line: str) -> list[str]:
    """One line of a docstring, wrapped where it is too long, its own indentation kept."""
    indent = " " * (4 + len(line) - len(line.lstrip()))
    return textwrap.wrap(line.strip(), WIDTH, initial_indent=indent, subsequent_indent=indent + "  ",
                         break_on_hyphens=False) or [""]  # fmt: skip


def _asked(path: Path, function: str) -> tuple[int | None, list[str]]:
    """Where a function stands in exercise.py, and its signature and docstring; nothing where it cannot be read."""
    try:
        source = path.read_bytes().decode("utf-8-sig")
        nodes = parse(source).body
    except (OSError, ValueError, SyntaxError):
        return None, []
    for node in nodes:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name == function:
            arguments = f"({ast.unparse(node.args)})" if isinstance(node, ast.FunctionDef) else ""
            signature = f"{'' if arguments else 'class '}{function}{arguments}"
            return node.lineno, [signature, *(f"    {line}" for line in (ast.get_docstring(node) or "").splitlines())]
    return None, []
