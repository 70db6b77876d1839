"""The learner's commands: start, next, check, watch, hint, list, reset, update, solution."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Annotated, Any

import typer

from .. import __version__
from ..course.manifest import EXERCISE, Exercise, Lesson, spell_points
from ..course.render import terminal
from ..course.render.phrases import told_before
from ..course.verdict import Verdict
from ..course.words import say
from ..course.workspace import folder as workspace
from ..course.workspace.desk import Desk
from ..course.workspace.progress import give_up
from .lines import NAME, Stopped

Named = Annotated[str, typer.Argument(metavar="LESSON.N", help="An exercise: bptt.2 (or 3.2).")]
Perhaps = Annotated[str | None, typer.Argument(metavar="[LESSON[.N]]", help="An exercise. (default: the next one)")]


def desk() -> Desk:
    """The learner's desk in the current folder."""
    return Desk(workspace.find_place())


def start(directory: Annotated[Path, typer.Argument(metavar="DIR", help="A new or an empty folder.")]) -> None:
    """Make a workspace: the lessons, without their solutions."""
    place = workspace.start(directory)
    lessons = Desk(place).lessons
    hours = max(1, round(sum(lesson.minutes for lesson in lessons) / 60))
    core, extra = (sum(exercise.points for lesson in lessons for exercise in lesson.exercises if exercise.part == part)
                   for part in ("core", "extra"))  # fmt: skip
    points = say("workspace.points", number=spell_points(core))
    if extra:
        points = say("workspace.and_extra", points=points, extra=spell_points(extra))
    quoted = f'"{directory}"' if " " in str(directory) else directory
    about = {"lessons": len(lessons), "hours": hours, "points": points}
    print(say("workspace.started", folder=directory, quoted=quoted, **about))


def next_() -> None:
    """Say what to do now: what is asked, and in which file."""
    print(desk().what_next())


def check(
    which: Annotated[list[str] | None, typer.Argument(
        metavar="[LESSON | LESSON.N]...", help="Lessons or exercises. (default: the lesson last touched)")] = None,
    json_: Annotated[str | None, typer.Option("--json", metavar="FILE", help="Write it as JSON; - is stdout.")] = None,
) -> None:  # fmt: skip
    """Check what you wrote. Exit code 0 if all is right; an extra exercise may be left out."""
    here = desk()
    chosen = _chosen(here, which)
    quiet = json_ == "-"
    verdicts: list[Verdict] = []
    for lesson, numbers in chosen:
        verdicts += checked(here, lesson, numbers, quiet)
    if len(verdicts) > 1 and not quiet:
        typer.echo(terminal.table(verdicts, *_look()))
    if json_ is not None:
        report = json.dumps(_report(verdicts), indent=2, ensure_ascii=False) + "\n"
        if quiet:
            print(report, end="")
        else:
            _save(json_, report)
            print(say("workspace.json_written", file=json_, count=len(verdicts)))
    if not all(verdict.passes for verdict in verdicts):
        raise typer.Exit(1)


def checked(here: Desk, lesson: Lesson, numbers: Iterable[int] | None, quiet: bool = False) -> list[Verdict]:
    """The verdicts on some exercises of a lesson (None: all), each shown as soon as it is there."""
    for name in workspace.altered(here.place, lesson.folder):
        tell(say("workspace.altered", file=here.place.shown(lesson.file(name))))
    if not lesson.exercises:
        tell(say("workspace.nothing_to_check", lesson=lesson.id))
    verdicts: list[Verdict] = []
    for verdict in here.check(lesson, None if numbers is None else set(numbers)):
        if not quiet:
            typer.echo((told_before(verdict, verdicts) or terminal.spelled(verdict, *_look())) + "\n")
            sys.stdout.flush()
        verdicts.append(verdict)
    return verdicts


def _chosen(here: Desk, which: list[str] | None) -> list[tuple[Lesson, list[int] | None]]:
    """Lessons, and the numbers of the exercises in each (None: all)."""
    if not which:
        return [(here.at_hand(), None)]
    chosen: dict[str, list[int] | None] = {}
    for name in which:
        lesson, exercise = here.pick(name)
        before = chosen.setdefault(lesson.id, [])
        chosen[lesson.id] = None if exercise is None or before is None else [*before, exercise.id]
    return [(lesson, chosen[lesson.id]) for lesson in here.lessons if lesson.id in chosen]


def watch(
    which: Annotated[str | None, typer.Argument(metavar="[LESSON]", help="(default: all of them)")] = None,
) -> None:
    """Check again whenever you save. n: next, h: hint, l: list, c: check all, q: quit."""
    from ..course.workspace import watching

    here = desk()
    lesson = None if which is None else here.pick(which)[0]
    screen = sys.stdout.isatty()

    def look(lesson: Lesson, numbers: list[int] | None) -> None:
        if screen:
            from rich.console import Console

            Console().clear()
        verdicts = checked(here, lesson, numbers)
        if numbers is None:
            typer.echo(terminal.table(verdicts, *_look()) + "\n")

    def show(text: str) -> None:
        typer.echo(f"{text}\n")
        sys.stdout.flush()

    session = watching.Session(here, lesson, sys.stdin.isatty(), look, show)
    folders = [each.folder for each in session.lessons]
    try:
        watching.run(session, folders, watching.Events())
    except KeyboardInterrupt:
        raise Stopped(say("workspace.stopped_watching")) from None


def hint(
    which: Perhaps = None,
    all_: Annotated[bool, typer.Option("--all", help="All of them at once.")] = False,
) -> None:
    """Show one more hint each time; there are three."""
    here = desk()
    print(here.hint(here.pick_exercise(which)[1], all_))


def list_() -> None:
    """Show all lessons, and how far you are."""
    print(desk().overview())


def reset(which: Annotated[str, typer.Argument(metavar="LESSON[.N]", help="An exercise, or a whole lesson.")]) -> None:
    """Bring a stub back; your old file is kept in .backup/."""
    from ..course.workspace.merging import Unreadable

    here = desk()
    lesson, exercise = here.pick(which)
    file = here.place.shown(lesson.file(EXERCISE))
    try:
        kept = workspace.reset(here.place, lesson, exercise)
    except Unreadable as why:
        raise workspace.WorkspaceError(say("workspace.reset_whole", why=why, lesson=lesson.id)) from None
    if kept is None:
        print(say("workspace.reset_missing", file=file))
    elif exercise is not None:
        print(say("workspace.reset_exercise", key=exercise.key, function=exercise.function, file=file, kept=kept))
    else:
        print(say("workspace.reset_lesson", lesson=lesson.id, file=file, kept=kept))


def update() -> None:
    """Bring in the course of the installed package; what you wrote stays."""
    from ..course.workspace.updating import update as bring_in

    lines = bring_in(workspace.find_place())
    for line in lines:
        print(line)
    print(say("workspace.updated" if lines else "workspace.up_to_date", version=__version__))


def solution(
    which: Named,
    give_up_: Annotated[bool, typer.Option("--give-up", help="See it unsolved; your list will say so.")] = False,
) -> None:
    """Show the solution of an exercise that you have solved."""
    here = desk()
    lesson, exercise = here.pick(which)
    if exercise is None:
        key = lesson.exercises[0].key if lesson.exercises else f"{lesson.id}.1"
        raise typer.BadParameter(say("workspace.which_exercise", which=which, key=key))
    standing = here.state.of(exercise.key)
    if not standing.solved and not standing.given_up:
        _give_up(here, exercise, give_up_)
    _show_code(workspace.solution(lesson, exercise))


def _give_up(here: Desk, exercise: Exercise, wanted: bool) -> None:
    """Note it, where it is meant. Raises WorkspaceError where it is not."""
    key = exercise.key
    if not wanted:
        raise workspace.WorkspaceError(say("workspace.not_solved", key=key))
    if sys.stdin.isatty() and not typer.confirm(say("workspace.ask_give_up", key=key)):
        raise workspace.WorkspaceError(say("workspace.not_given_up", key=key))
    with workspace.writing(here.place):
        give_up(here.place.root, key)
    tell(say("workspace.gave_up", key=key) + "\n")


def _show_code(code: str) -> None:
    """In colour on a terminal."""
    if not _look()[1]:
        print(code, end="")
        return
    from rich.console import Console
    from rich.syntax import Syntax

    Console().print(Syntax(code.rstrip(), "python", theme="ansi_dark", background_color="default", word_wrap=True))


def tell(line: str) -> None:
    """Beside the answer: on stderr, with the program's name."""
    print(f"{NAME}: {line}", file=sys.stderr)


def _look() -> tuple[int, bool]:
    """How wide, and whether in colour: as the terminal is; 80 and plain where there is none."""
    if not sys.stdout.isatty():
        return 80, False
    plain = bool(os.environ.get("NO_COLOR")) or os.environ.get("TERM") == "dumb"
    return min(shutil.get_terminal_size((80, 24)).columns, 100), not plain


def _save(file: str, report: str) -> None:
    """Raises WorkspaceError where it cannot be written."""
    path = Path(file)
    try:
        if path.exists() and not (path.is_file() or path.is_dir()):  # a pipe or a device takes it as it comes
            path.write_bytes(report.encode())
        else:
            workspace.put(path, report.encode())
    except OSError as why:
        raise workspace.WorkspaceError(say("workspace.cannot_write", folder=file, why=why.strerror)) from None


def _report(verdicts: list[Verdict]) -> dict[str, Any]:
    return {
        "course": __version__,
        "earned": sum(verdict.earned for verdict in verdicts),
        "points": sum(verdict.points for verdict in verdicts),
        "verdicts": [verdict.to_json() for verdict in verdicts],
    }


COMMANDS: dict[str, Callable[..., None]] = {
    "start": start, "next": next_, "check": check, "watch": watch, "hint": hint, "list": list_, "reset": reset,
    "update": update, "solution": solution,
}  # fmt: skip
