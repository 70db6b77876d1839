"""Grades a learner's exercise.py against a lesson's cases: one verdict an exercise, whatever the file does."""

from __future__ import annotations

import ast
import stat
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from ..cases import Case, Cases, read_cases
from ..manifest import DRIVER, EXERCISE, Exercise, Lesson
from ..parsing import parse
from ..runner import Answer, Child
from ..verdict import Kind, Verdict
from ..words import say
from . import telling
from .by_numbers import NEAR, by_numbers
from .explaining import Explanation, explain
from .judging import Judged, first_wrong_step, judge
from .shares import Findings, earned

LARGEST = 256 * 1024  # bytes of an exercise.py
STOPPED = ("timeout", "memory", "output", "exited", "crashed", "garbled", "too_large")
PATIENCE = 4  # times the limit of one call that a probe may take: numerical derivatives are slow, and are to be named


def grade(
    lesson: Lesson,
    *,
    only: Collection[int] | None = None,
    source: str | None = None,
    cases: Mapping[str, Cases] | None = None,
) -> Iterator[Verdict]:
    """The verdicts of a lesson's exercises (those numbered in `only`), in order, each as soon as it is known.

    source      the learner's code; by default what stands in the lesson's exercise.py
    cases       by function; by default the public ones in cases.npz. Hidden ones come from `authoring.lesson_cases`.

    Nothing that the code does raises here. Raises ManifestError for a cases.npz that is missing or damaged.
    """
    with Grader(lesson, source, read_cases(lesson) if cases is None else cases) as grader:
        for exercise in lesson.exercises:
            if only is None or exercise.id in only:
                yield grader.verdict(exercise)


class Grader:
    """One lesson, one exercise.py, and the child processes in which it runs. Each exercise is graded once."""

    def __init__(self, lesson: Lesson, source: str | None, cases: Mapping[str, Cases]) -> None:
        self.lesson, self.cases = lesson, cases
        self.file: Path | None = None
        self.saved: datetime | None = None
        self.unreadable = ""
        self.source = source if source is not None else self._read()
        driver = lesson.file(DRIVER)
        self.driver = driver.read_text(encoding="utf-8") if driver.is_file() else None
        self._child: Child | None = None
        self._broken: Answer | None = None  # what came of reading the file, where it could not be read
        self._verdicts: dict[str, Verdict] = {}

    def __enter__(self) -> Grader:
        return self

    def __exit__(self, *_: object) -> None:
        self._child = None

    def verdict(self, exercise: Exercise) -> Verdict:
        """The verdict on one exercise; the second time, the same one."""
        if exercise.key not in self._verdicts:
            self._verdicts[exercise.key] = self._graded(exercise)
        return self._verdicts[exercise.key]

    def _read(self) -> str:
        self.file = self.lesson.file(EXERCISE)
        raw = b""
        try:
            about = self.file.stat()  # before it is opened: a pipe would wait for ever
            self.saved = datetime.fromtimestamp(about.st_mtime)
            if not stat.S_ISREG(about.st_mode):
                self.unreadable = say("grading.no_file", file=EXERCISE, lesson=self.lesson.id)
                return ""
            with self.file.open("rb") as file:
                raw = file.read(LARGEST + 1)
            if len(raw) <= LARGEST:
                return raw.decode("utf-8-sig")
            self.unreadable = say("grading.too_long", file=EXERCISE, most=LARGEST // 1024)
        except OSError as why:
            self.unreadable = say("grading.unreadable", file=EXERCISE, why=why.strerror, lesson=self.lesson.id)
        except UnicodeDecodeError as why:
            self.unreadable = say("grading.not_utf8", file=EXERCISE, line=raw[: why.start].count(b"\n") + 1)
        return ""

    def _ask(self, exercise: Exercise, case: Case, seconds: float | None = None) -> Judged:
        if self._broken is not None:
            return judge(exercise, case, self._broken)
        assert self._child is not None
        answer = self._child.call(exercise.function, case.inputs, seconds)
        if answer.stage == "import" and answer.outcome != "returned":
            self._broken = answer  # the next exercise would only wait for the same
        return judge(exercise, case, answer)

    def _graded(self, exercise: Exercise) -> Verdict:
        """In a process of its own: what one exercise does to NumPy, say, is not the next one's fault."""
        if self.unreadable:
            return self._spelled(exercise, "error", [self.unreadable], [])
        engine = not exercise.by_hand
        with Child(self.source, self.lesson.limits, driver=self.driver, engine=engine, name=EXERCISE) as self._child:
            return self._judged(exercise)

    def _judged(self, exercise: Exercise) -> Verdict:
        cases, judged = self.cases[exercise.function], list[Judged]()
        for case in cases.scored:
            judged.append(self._ask(exercise, case))
            answer = judged[-1].answer
            if answer.outcome in (*STOPPED, "unfinished") or answer.stage == "import":
                break  # it would only happen again, as slowly
        last = judged[-1].answer
        if last.stage == "import" and last.outcome != "returned":
            return self._spelled(exercise, *telling.at_import(self.lesson.limits, last), judged)
        if last.outcome == "unfinished":
            return self._spelled(exercise, "not attempted", telling.unfinished(exercise, judged), judged)
        if last.outcome in STOPPED:
            return self._spelled(exercise, "stopped", telling.stopped(self.lesson.limits, exercise, judged[-1]), judged)
        if exercise.by_hand and last.foreign:
            foreign = say("grading.foreign", names=", ".join(last.foreign))
            return self._spelled(exercise, "not by hand", [foreign], judged)
        patience = PATIENCE * self.lesson.limits.seconds
        told = by_numbers(exercise, cases, judged, self.source, lambda case: self._ask(exercise, case, patience))
        near = all(error < NEAR for each in judged for error in each.errors.values())
        if told and near and not any(fault.kind != "wrong value" for each in judged for fault in each.faults):
            judged = [replace(each, faults=()) for each in judged]  # right, but for the error that the detour leaves
            return self._spelled(exercise, "numerical", [told], judged, numerical=True)
        if all(each.right for each in judged):
            if changed := [name for each in judged for name in each.answer.changed]:
                line = say("grading.changed", names=", ".join(dict.fromkeys(changed)))
                return self._spelled(exercise, "changed input", [line], judged)
            key = "grading.right" if len(judged) > 1 else "grading.right_one"
            return self._spelled(exercise, "right", [say(key, cases=len(judged))], judged)
        return self._wrong(exercise, cases, judged, told)

    def _wrong(self, exercise: Exercise, cases: Cases, judged: list[Judged], numerical: str | None) -> Verdict:
        explanation = explain(cases, judged)
        first = next(each for each in judged if not each.right)
        shown = telling.shown(judged)
        if explanation.certain or (explanation.either and not explanation.weak):
            lines = [*telling.named(exercise, explanation, judged)]
            lines += [shown.line, *telling.on_paper(exercise, judged)] if shown else telling.error(exercise, first)
            kind: Kind = "mistake"
        elif shown is None:
            kind, lines = "error", telling.error(exercise, first)
            if explanation.either:
                lines.append(say("grading.weak", says=exercise.mistake(explanation.either[0][0]).says))
        else:
            raised = next((each for each in judged if each.answer.outcome != "returned"), None)
            kind, lines = shown.kind, [shown.line]
            if raised is not None:  # wrong where it ran, and it did not always run: first things first
                kind, lines = "error", [*telling.error(exercise, raised), *lines]
            elif kind == "wrong value":
                lines += telling.beside(exercise, explanation, judged)
        if changed := dict.fromkeys(name for each in judged for name in each.answer.changed):
            lines.insert(1, say("grading.changed_too", names=", ".join(changed)))
        if called := self._called(exercise):
            lines.insert(1, say("grading.calls", function=exercise.function, other=called.function, key=called.key))
        if numerical:
            lines.append(numerical)
        return self._spelled(exercise, kind, lines, judged, explanation, numerical=numerical is not None)

    def _called(self, exercise: Exercise) -> Exercise | None:
        """Another exercise of this lesson that the learner's function calls, and that is not right."""
        try:
            body = next(n for n in parse(self.source).body if getattr(n, "name", None) == exercise.function)
        except (SyntaxError, ValueError, RecursionError, MemoryError, StopIteration):
            return None
        names = {node.id for node in ast.walk(body) if isinstance(node, ast.Name)} - {exercise.function}
        for other in self.lesson.exercises:
            if other.function in names and other.id < exercise.id and not self.verdict(other).right:
                return other
        return None

    def _spelled(
        self,
        exercise: Exercise,
        kind: Kind,
        lines: list[str],
        judged: list[Judged],
        explained: Explanation = Explanation(),  # noqa: B008 (frozen)
        numerical: bool = False,
    ) -> Verdict:
        found = Findings(
            complete=len(judged) == len(self.cases[exercise.function].scored)
            and all(each.answer.outcome == "returned" for each in judged),
            named=kind == "mistake" and explained.certain and (exercise.planted,) not in explained.either,
            numerical=numerical,
            changed=any(each.answer.changed for each in judged),
            foreign=kind == "not by hand",
        )
        checks = tuple(earned(exercise, self.lesson.grading, judged, found))
        places = [fault.place for each in reversed(judged) for fault in each.faults if fault.place]
        place = first_wrong_step(judged) or (places[0] if places else None)
        sole = explained.either[0] if explained.certain and len(explained.either[0]) == 1 else ()
        edge = exercise.mistake(sole[0]).edge if sole else None
        return Verdict(
            self.lesson.id, exercise.id, exercise.title, exercise.part, kind, exercise.points,
            sum(check.earned for check in checks), tuple(lines), checks,
            tuple(dict.fromkeys(name for names in explained.either for name in names)), explained.certain, place,
            exercise.figure, edge, self.file, self.saved, sum(each.answer.seconds for each in judged),
            next((each.answer.printed for each in judged if each.answer.printed), ""),
        )  # fmt: skip
