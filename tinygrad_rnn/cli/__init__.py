"""The command line, `tinygrad-rnn`: options in, lines out; the floors below do the work.

What goes wrong is one line on stderr, `tinygrad-rnn: ...`, and exit code 1 (2 for a wrong option, 130 for Ctrl-C).
"""

from __future__ import annotations

import importlib.util
import os
import sys
from typing import TYPE_CHECKING, Annotated, Any

from .. import __version__
from .lines import INSTALL, NAME, Stopped, failed

try:
    import typer
except ImportError:  # the extra `course` brings it; main says so, and importing this module never fails
    if not TYPE_CHECKING:
        typer = None


def main(arguments: list[str] | None = None) -> int:
    """Run the command line (`sys.argv`'s by default) and give its exit code."""
    if typer is None or importlib.util.find_spec("rich") is None:
        return failed(f"the command line needs typer and rich: {INSTALL}", 1)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a terminal that lacks a character shows ? instead of failing
    arguments = (sys.argv[1:] if arguments is None else arguments) or ["--help"]
    try:
        code = typer.main.get_command(build()).main(arguments, prog_name=NAME, standalone_mode=False)
        sys.stdout.flush()
        if code == 130:  # typer has caught KeyboardInterrupt, and says so by this code alone
            return failed("stopped", 130)
        return code if isinstance(code, int) else 0
    except BrokenPipeError:  # whoever read our output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Stopped as why:
        return failed(str(why), 130)
    except (KeyboardInterrupt, typer.Abort):
        return failed("stopped", 130)
    except MemoryError as why:
        return failed(f"not enough memory: ask for something smaller ({str(why) or type(why).__name__})", 1)
    except (ValueError, OSError, RuntimeError, ArithmeticError) as why:
        return failed(str(why) or type(why).__name__, 1)
    except Exception as why:
        if not hasattr(why, "format_message"):
            raise
        command = getattr(getattr(why, "ctx", None), "command_path", NAME)
        return failed(f"{why.format_message()} (see {command} --help)", 2)  # click's, of which typer may carry its own


def build() -> typer.Typer:
    """The application, with all its commands."""
    about = "Recurrent networks seen from the inside: unrolled graphs, and the gradients that flow back through them."
    from . import authors, experiments, health, inside, lessons, models

    app = typer.Typer(help=about, add_completion=False, pretty_exceptions_enable=False)
    app.callback()(_common)
    for name, command in lessons.COMMANDS.items():
        app.command(name, rich_help_panel="The course")(command)
    app.add_typer(authors.app, name="course", rich_help_panel="For authors of lessons")
    for command in (models.tour, models.draw, models.train, models.sample):
        app.command(rich_help_panel="Whole models")(command)
    for command in (inside.inside, inside.units, inside.complete):
        app.command(rich_help_panel="Whole models")(command)
    app.command(rich_help_panel="Whole models")(experiments.experiment)
    app.command(rich_help_panel="This installation")(health.doctor)
    app.command("compile", rich_help_panel="This installation")(health.compile_fast)
    return app


def _version(wanted: bool) -> None:
    if wanted:
        print(f"{NAME} {__version__}")
        raise typer.Exit


def _common(
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Show it.")] = False,
) -> None:
    pass


__all__: list[Any] = ["build", "main"]
