"""Plain `pytest lessons/03_bptt` as the grader: one test an exercise, a verdict in place of a traceback, points.

A folder that holds test_exercise.py and lesson.toml (or cases.npz, if that was lost) is a lesson: nothing in it is
imported here. Exit code 0 where every core exercise is right; one of the extra part fails only if it was attempted and
is wrong. In a workspace progress is kept, as by `tinygrad-rnn check`. `-p no:tinygrad_rnn` turns this off. Until a
lesson is met, only pytest and the standard library are loaded for it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Generator, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from .manifest import Exercise
    from .verdict import Verdict

MANIFEST, CASES, TEST = "lesson.toml", "cases.npz", "test_exercise.py"
WIDEST = 100  # characters of a line
LETTER = "-"  # of what was not attempted, in the line of dots
VERDICT = "lesson_verdict"  # the attribute of a report that carries a verdict as JSON values, from other processes too
FOLDER = "lesson_folder"  # and of the lesson's folder


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("tinygrad_rnn")
    group.addoption("--verdicts-json", metavar="FILE", help="write the verdicts on lessons' exercises to FILE as JSON")


def pytest_configure(config: pytest.Config) -> None:
    file = config.getoption("--verdicts-json")
    if file and not (folder := Path(file).absolute().parent).is_dir():
        raise pytest.UsageError(f"--verdicts-json: there is no folder {folder} to write {Path(file).name} in")
    if not hasattr(config, "workerinput"):  # pytest-xdist: reports come to the process that was started first
        config.pluginmanager.register(Points(file), "tinygrad_rnn_points")


@pytest.hookimpl(tryfirst=True)
def pytest_collect_directory(path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """A lesson's folder is collected here and nowhere else: its notebook and its solution are no modules of tests."""
    if (path / TEST).is_file() and ((path / MANIFEST).is_file() or (path / CASES).is_file()):
        return LessonFolder.from_parent(parent, path=path)
    return None


class LessonFolder(pytest.Directory):
    """A lesson's folder: nothing in it is collected but its exercises, and nothing imported."""
    def collect(self) -> Iterable[pytest.Collector]:
        yield LessonFile.from_parent(self, path=self.path / TEST)


class LessonFile(pytest.File):
    """The exercises of one lesson, graded in order as they are asked for, in one run of the grader."""

    verdicts: Iterator[Verdict] | None = None
    refused = ""  # the first exercise that could not be graded

    def collect(self) -> Iterable[pytest.Item]:
        from .cases import read_cases
        from .manifest import ManifestError, read_lesson
        from .words import say

        try:
            if not (manifest := self.path.with_name(MANIFEST)).is_file():
                raise ManifestError(say("workspace.no_manifest", file=manifest))
            self.lesson = read_lesson(self.path.parent)
            if not self.lesson.file(CASES).is_file():
                read_cases(self.lesson)  # says so
        except ManifestError as why:
            # an item and not a failed collection, after which pytest would grade no other lesson either
            yield Unusable.from_parent(self, name=self.path.parent.name, line=str(why))
            return
        self.known: dict[int, Verdict] = {}
        for exercise in self.lesson.exercises:
            yield ExerciseItem.from_parent(self, name=f"{exercise.key} {exercise.title}", exercise=exercise)

    def verdict(self, exercise: Exercise) -> Verdict:
        """Raises Wrong, one line, where the lesson's own files stop the grader; the first exercise says why."""
        from .words import say

        if self.refused:
            raise Wrong(say("render.same_as", key=exercise.key, other=self.refused))
        try:
            return self._graded(exercise)
        except Exception as why:  # after which there is no going on with `verdicts`
            self.refused = exercise.key
            if isinstance(why, (ValueError, OSError, RuntimeError)):  # as the command line does
                raise Wrong(str(why)) from None
            raise

    def _graded(self, exercise: Exercise) -> Verdict:
        from .grading.grader import grade

        if hasattr(self.config, "workerinput"):  # pytest-xdist: the others may be asked for in other processes
            return next(iter(grade(self.lesson, only=[exercise.id])))
        if self.verdicts is None:
            chosen = {item.exercise.id for item in self.session.items
                      if isinstance(item, ExerciseItem) and item.parent is self}  # fmt: skip
            self.verdicts = grade(self.lesson, only=chosen)
        while exercise.id not in self.known:
            verdict = next(self.verdicts)
            self.known[verdict.exercise] = verdict
        return self.known[exercise.id]

    def teardown(self) -> None:
        if isinstance(self.verdicts, Generator):
            self.verdicts.close()  # and with it the child process
        self.verdicts = None


class Wrong(Exception):
    """An exercise that is not right, or a lesson that cannot be graded: its only argument is the whole report."""


class Spelled:
    """A verdict where pytest has its tracebacks: in colour on a terminal, and plain in every file."""

    def __init__(self, verdict: Verdict) -> None:
        self.verdict = verdict

    def toterminal(self, writer: Any) -> None:
        from .render import terminal

        writer.line(terminal.spelled(self.verdict, min(writer.fullwidth, WIDEST), writer.hasmarkup))

    def __str__(self) -> str:
        return str(self.verdict)


class LessonItem(pytest.Item):
    """A test that reports a line or a verdict, and never a traceback."""
    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        return excinfo.value.args[0] if isinstance(excinfo.value, Wrong) else super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[os.PathLike[str], int | None, str]:
        return self.path, None, self.name.partition(" ")[0]  # the heading of its report


class Unusable(LessonItem):
    """A lesson that cannot be graded: one line that says why."""

    def __init__(self, *, line: str, **facts: Any) -> None:
        super().__init__(**facts)
        self.line = line

    def runtest(self) -> None:
        raise Wrong(self.line)


class ExerciseItem(LessonItem):
    """One exercise: its verdict is its report."""
    verdict: Verdict | None = None

    def __init__(self, *, exercise: Exercise, **facts: Any) -> None:
        super().__init__(**facts)
        self.exercise = exercise

    def runtest(self) -> None:
        from .render.phrases import told_before

        assert isinstance(self.parent, LessonFile)
        self.verdict = self.parent.verdict(self.exercise)
        if not self.verdict.right:
            before = [each for each in self.parent.known.values() if each.exercise < self.verdict.exercise]
            raise Wrong(told_before(self.verdict, before) or Spelled(self.verdict))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if isinstance(item, ExerciseItem) and call.when == "call" and item.verdict is not None:
        setattr(report, VERDICT, item.verdict.to_json())
        setattr(report, FOLDER, str(item.path.parent))
        if item.verdict.part == "extra" and item.verdict.kind == "not attempted":
            report.outcome, report.longrepr = "skipped", (str(item.path), 0, item.verdict.lines[0])
    return report


@pytest.hookimpl(tryfirst=True)
def pytest_report_teststatus(report: pytest.TestReport) -> tuple[str, str, str] | None:
    """What was not attempted is counted by itself, and the table says it all."""
    verdict = getattr(report, VERDICT, None)
    if verdict is None or report.when != "call":
        return None
    points = f"{verdict['earned']:g}/{verdict['points']:g}"
    if verdict["kind"] == "not attempted":
        return verdict["kind"], LETTER, f"{verdict['kind']} {points}"
    return report.outcome, "." if report.passed else "F", f"{verdict['kind']} {points}"


class Points:
    """What came of all lessons: the table at the end, the file of verdicts if one was asked for, and progress."""

    def __init__(self, file: str | None) -> None:
        self.file = Path(file) if file else None
        self.verdicts: list[dict[str, Any]] = []
        self.folders: dict[str, list[dict[str, Any]]] = {}  # the same, by the lesson's folder

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if (verdict := getattr(report, VERDICT, None)) is not None:
            self.verdicts.append(verdict)
            self.folders.setdefault(getattr(report, FOLDER), []).append(verdict)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_terminal_summary(
        self, terminalreporter: pytest.TerminalReporter, config: pytest.Config
    ) -> Generator[None, None, None]:
        yield  # pytest's own first: what was wrong, and its list
        writer = config.get_terminal_writer()
        if self.verdicts and config.get_verbosity() > -3:
            from .render import terminal
            from .words import say

            terminalreporter.section(say("notebook.points_title"))
            writer.line(terminal.table(self._ordered(), min(writer.fullwidth, WIDEST), writer.hasmarkup))
        if self.file is not None:
            writer.line(self._write(self.file))

    @pytest.hookimpl(wrapper=True)
    def pytest_sessionfinish(self) -> Generator[None, None, None]:
        yield  # after all that pytest says; and also where it was interrupted
        roots: dict[Path, list[Verdict]] = {}
        for folder, verdicts in self.folders.items():
            from .workspace.folder import keeps_progress

            if root := keeps_progress(Path(folder)):
                roots.setdefault(root, []).extend(map(_verdict, verdicts))
        for root, found in roots.items():
            from .workspace import progress

            progress.record(root, found)

    def _ordered(self) -> list[Verdict]:
        """In the order of the lessons, also where several processes graded."""
        first: dict[str, int] = {}
        for verdict in self.verdicts:
            first.setdefault(verdict["lesson"], len(first))
        ordered = sorted(self.verdicts, key=lambda verdict: (first[verdict["lesson"]], verdict["exercise"]))
        return [_verdict(verdict) for verdict in ordered]

    def _write(self, file: Path) -> str:
        """Write the verdicts to the file, whole or not at all; a line that says so."""
        from .files import write_whole
        from .words import say

        try:
            write_whole(file, (json.dumps(self.verdicts, indent=1, ensure_ascii=False) + "\n").encode())
        except OSError as why:
            return say("notebook.verdicts_not_written", file=file, why=why.strerror or why)
        return say("notebook.verdicts_written", file=file)


def _verdict(values: dict[str, Any]) -> Verdict:
    """What the table and progress need of a verdict."""
    from .verdict import Verdict

    facts = ("lesson", "exercise", "title", "part", "kind", "points", "earned")
    return Verdict(**{name: values[name] for name in facts}, lines=())
