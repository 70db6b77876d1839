"""The command that runs the classic experiments: experiment."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from .lines import NAME, Stopped


def experiment(
    names: Annotated[list[str] | None, typer.Argument(help="Which, by name; see --list.", show_default=False)] = None,
    every: Annotated[bool, typer.Option("--all", help="All of them, in one table.")] = False,
    quick: Annotated[
        bool, typer.Option("--quick/--full", help="A glance in minutes, or enough seeds for a verdict.")
    ] = False,
    out: Annotated[Path, typer.Option(help="The folder for trials, tables, pages and figures.")] = Path("experiments"),
    jobs: Annotated[int | None, typer.Option(min=1, help="Trials side by side. (default: one a core)")] = None,
    list_: Annotated[bool, typer.Option("--list", help="List the experiments.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress.")] = False,
) -> None:
    """Run classic experiments of the lectures and papers. Ctrl-C keeps what is done; the same line goes on."""
    from ..course.saving import check_writable
    from ..experiments import catalogue, report, running

    if list_:
        for name in catalogue.names():
            print(f"{name:<24}{catalogue.module(name).EXPERIMENT.title}")
        return
    if bool(names) == every:
        told = "name experiments, or --all, not both" if every else "name an experiment"
        raise typer.BadParameter(f"{told}: {', '.join(catalogue.names())}")
    chosen = catalogue.names() if every else list(dict.fromkeys(names or ()))
    for name in chosen:
        catalogue.load(name)
    check_writable(out)
    scale = "quick" if quick else "full"
    with _Display(quiet) as display:
        runs, whole = running.run(chosen, scale, out, jobs=jobs, report=display)
    if not whole:
        done, trials = sum(len(run.outcomes) for run in runs), sum(run.trials for run in runs)
        raise Stopped(f"stopped after {done} of {trials} trials, which are kept in {out}; the same line goes on")
    page = report.write(runs, out / scale, "all" if every else _name(chosen))
    if not quiet:
        _show(report.rows(runs))
    print(page)
    failed = [run.failed for run in runs if run.failed]
    if failed:
        raise RuntimeError(f"{len(failed)} of {len(runs)} experiments failed: {'; '.join(failed)}")


def _name(chosen: list[str]) -> str:
    """Of the files that some experiments share; all names in one soon make a name that no file system takes."""
    return "-".join(chosen) if len(chosen) <= 4 else f"{chosen[0]}-and-{len(chosen) - 1}-more"


def _show(rows: list[Any]) -> None:
    """The table: drawn on a terminal, as Markdown elsewhere."""
    from ..experiments import report

    if not sys.stdout.isatty():
        print(report.markdown(rows), end="")
        return
    from rich import box
    from rich.console import Console
    from rich.table import Table

    table = Table(*report.HEADER, box=box.SIMPLE_HEAD)
    for row in rows:
        table.add_row(*row.cells())
    Console().print(table)


class _Display:
    """How the trials go, on stderr: a bar on a terminal, a line a trial elsewhere."""

    def __init__(self, quiet: bool) -> None:
        self.quiet = quiet
        self.bar: Any = None

    def __enter__(self) -> _Display:
        if not self.quiet and sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

            self.bar = Progress(BarColumn(20), MofNCompleteColumn(), TextColumn("{task.description}"),
                                     console=Console(stderr=True))  # fmt: skip
            self.bar.start()
            self.task = self.bar.add_task("the first trials", total=None)
        return self

    def __exit__(self, *_: object) -> None:
        if self.bar is not None:
            self.bar.stop()

    def __call__(self, progress: Any) -> None:
        minutes, seconds = divmod(round(progress.left), 60)
        left = f"about {minutes}:{seconds:02d} left"
        if self.bar is not None:
            self.bar.update(self.task, completed=progress.done, total=progress.trials,
                            description=f"{left}  {progress.said}")  # fmt: skip
        elif not self.quiet:
            from ..course.display import tell

            tell(f"{NAME}: {progress.done} of {progress.trials} trials, {left}: {progress.said}")
