"""`tinygrad-rnn course`: for those who write lessons."""

from __future__ import annotations

import os
import shutil
import sys
import textwrap
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Annotated

import typer

from ..course.manifest import INSTRUCTOR, MANIFEST, Lesson, lessons_in, read_lesson
from ..course.words import say
from ..course.workspace import shelf

app = typer.Typer(help="Write lessons: a new one, its generated files, and the proof that its grader is right.")
Which = Annotated[list[str] | None, typer.Argument(help="Lessons by name, number or folder. (default: all)")]
Where = Annotated[Path | None, typer.Option("--in", help="The folder of all lessons. (default: the course's own)")]


@app.command()
def new(
    slug: Annotated[str, typer.Argument(help="Its name for ever: small letters, digits, underscores.")],
    title: Annotated[str, typer.Option(help="What its notebook is called. (default: from the name)")] = "",
    folder: Where = None,
) -> None:
    """Make a lesson to fill in, which already passes `course check`."""
    from ..course.authoring.skeleton import write_lesson

    lesson = write_lesson(slug, title, folder if folder is not None else _home())
    where = f" --in {folder}" if folder is not None else ""
    print(say("authors.new", folder=_short(lesson.folder), lesson=lesson.id, where=where))


@app.command()
def build(
    lessons: Which = None,
    check: Annotated[bool, typer.Option("--check", help="Write nothing; say what is stale, and exit 1.")] = False,
    mend: Annotated[bool, typer.Option("--mend", help="Give each lesson.py the first cell of this version.")] = False,
    folder: Where = None,
) -> None:
    """Make exercise.py, lesson.ipynb, test_exercise.py and cases.npz from what the author wrote."""
    from ..course.authoring.build import build
    from ..course.authoring.ipynb import mend_first_cell

    def work(lesson: Lesson, report: Callable[[str], None]) -> list[str]:
        if mend and not check:
            mend_first_cell(lesson)
        changes = build(lesson, check=check)
        if not check:
            _tell(changes)
        return changes if check else []

    _each(_chosen(lessons, folder), work, "authors.fresh" if check else "authors.built")


@app.command()
def check(
    lessons: Which = None,
    notebooks: Annotated[bool, typer.Option("--notebooks", help="Run the notebooks in real kernels too.")] = False,
    folder: Where = None,
) -> None:
    """Grade the grader: solutions, stubs and every named mistake, on public and hidden cases."""
    from ..course.authoring.proof import problems

    def work(lesson: Lesson, report: Callable[[str], None]) -> Iterable[str]:
        return problems(lesson, notebooks=notebooks, report=report)

    _each(_chosen(lessons, folder), work, "authors.proved")


def _each(folders: list[Path], work: Callable[[Lesson, Callable[[str], None]], Iterable[str]], fine: str) -> None:
    """One line a lesson: how it went, and under it what is wrong. Exits with 1 if anything is."""
    found = 0
    for folder in folders:
        began, count = time.perf_counter(), 0
        busy = _Busy(folder.name)
        try:
            for problem in work(read_lesson(folder), busy.show):
                busy.clear()
                _tell([problem])
                count += 1
        except (ValueError, OSError) as why:  # an author's slip, told by its message: the other lessons go on
            busy.clear()
            _tell([str(why)])
            count += 1
        busy.clear()
        seconds = time.perf_counter() - began
        print(say("authors.failed", lesson=folder.name, count=count) if count
              else say(fine, lesson=folder.name, seconds=f"{seconds:.1f}"), flush=True)  # fmt: skip
        found += count
    if found:
        raise typer.Exit(1)


def _tell(lines: Iterable[str]) -> None:
    """Lines, indented; on a terminal wrapped, elsewhere one each, to be searched."""
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else 10**6
    for line in lines:
        wrapped = textwrap.wrap(line, width, initial_indent="  ", subsequent_indent="    ", break_on_hyphens=False)
        print("\n".join(wrapped), flush=True)


class _Busy:
    """What is being looked at: on the last line of a terminal, elsewhere a line each."""

    def __init__(self, name: str) -> None:
        self.name = name

    def show(self, what: str) -> None:
        if sys.stdout.isatty():
            print(f"\r\033[K{self.name}: {what} ...", end="", flush=True)
        else:
            print(f"{self.name}: {what} ...", flush=True)

    def clear(self) -> None:
        if sys.stdout.isatty():
            print("\r\033[K", end="", flush=True)


def _lessons() -> Path:
    """The folder of all lessons that an author means: ./lessons, else the course's own."""
    return Path("lessons") if Path("lessons").is_dir() else shelf.shelf()


def _home() -> Path:
    """The folder of all lessons that a new one may be written in: not that of an installed package, nor of a clone
    that the current folder is not in."""
    folder = _lessons()
    if os.environ.get(shelf.LESSONS) or Path.cwd().is_relative_to(folder.resolve().parent):
        return folder
    raise typer.BadParameter(say("authors.no_home"))


def _chosen(which: list[str] | None, folder: Path | None) -> list[Path]:
    if which:
        return [_found(each, folder) for each in which]
    folder = folder if folder is not None else _lessons()
    if folders := lessons_in(folder):
        return folders
    raise typer.BadParameter(say("authors.no_lessons", folder=folder))


def _found(which: str, folder: Path | None) -> Path:
    """A lesson by its path, or by its name or number among all."""
    path = Path(which)
    path = path.parent if path.name == MANIFEST else path
    if (path / INSTRUCTOR).is_dir() and (path / MANIFEST).is_file():
        return path
    return shelf.find(which, folder if folder is not None else _lessons())


def _short(path: Path) -> Path:
    """The path from here, where it is below."""
    path = path.resolve()
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
