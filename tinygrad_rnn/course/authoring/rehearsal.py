"""A notebook run as its learner will: with the stub up to its first check, and with the solution to its end."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

from ..manifest import EXERCISE, NOTEBOOK, Lesson
from ..notebook import SWITCH
from ..words import say
from .ipynb import SOURCE, checks, until_first_check

SECONDS = 300  # a hang's end; lessons take under a minute
SURPRISE = "error:a fused layer was unrolled"  # a learner who looks where the lesson says to look is not to be warned


def script(alone: Lesson, solution: str) -> Iterator[str]:
    """The cells as a plain script, which is quick. `alone` is a lesson's folder that may be written in."""
    whole = alone.file(SOURCE).read_text(encoding="utf-8")
    stub = alone.file(EXERCISE).read_text(encoding="utf-8")
    for what, code, text in (("stubs", stub, until_first_check(alone)), ("solutions", solution, whole)):
        alone.file(EXERCISE).write_text(code, encoding="utf-8", newline="\n")
        alone.file(SOURCE).write_text(text, encoding="utf-8", newline="\n")
        about = {"lesson": alone.id, "what": say(f"proof.{what}")}
        try:
            ran = subprocess.run([sys.executable, "-B", SOURCE], cwd=alone.folder, env=_environment(), timeout=SECONDS,
                                 capture_output=True, text=True, encoding="utf-8", errors="replace")  # fmt: skip
        except subprocess.TimeoutExpired:
            yield say("proof.slow", seconds=SECONDS, **about)
            continue
        finally:
            alone.file(EXERCISE).write_text(stub, encoding="utf-8", newline="\n")
            alone.file(SOURCE).write_text(whole, encoding="utf-8", newline="\n")
        if ran.returncode:
            lines = re.findall(rf'File "[^"]*{re.escape(SOURCE)}", line (\d+)', ran.stderr)
            error = (ran.stderr.strip().splitlines() or [f"exit code {ran.returncode}"])[-1]
            yield say("proof.script", line=lines[-1] if lines else "-", error=error, **about)


def kernel(alone: Lesson, solution: str) -> Iterator[str]:
    """The notebook in a real kernel, as Jupyter runs it."""
    try:
        import nbformat
        from nbclient import NotebookClient
        from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
    except ImportError:
        yield say("proof.no_nbclient", lesson=alone.id)
        return
    whole = json.loads(alone.file(NOTEBOOK).read_text(encoding="utf-8"))
    stub = alone.file(EXERCISE).read_text(encoding="utf-8")
    asked = [n for n, cell in enumerate(whole["cells"]) if checks("".join(cell["source"]), cell["cell_type"])]
    shortened = whole["cells"][: asked[0] + 1] if asked else whole["cells"]
    for what, code, cells in (("stubs", stub, shortened), ("solutions", solution, whole["cells"])):
        alone.file(EXERCISE).write_text(code, encoding="utf-8", newline="\n")
        notebook: Any = nbformat.reads(json.dumps({**whole, "cells": cells}), as_version=4)  # type: ignore[no-untyped-call]
        about = {"lesson": alone.id, "what": say(f"proof.{what}")}
        runner = NotebookClient(notebook, timeout=SECONDS, kernel_name="python3",
                                resources={"metadata": {"path": str(alone.folder)}})  # fmt: skip
        try:
            runner.execute(env=_environment(), stderr=subprocess.DEVNULL)  # the kernel's own remarks
        except CellExecutionError as why:
            failed = [c["id"] for c in notebook.cells for o in c.get("outputs", []) if o.output_type == "error"]
            yield say("proof.cell", cell=failed[0] if failed else "-", error=f"{why.ename}: {why.evalue}", **about)
        except (CellTimeoutError, DeadKernelError) as why:
            yield say("proof.cell", cell="-", error=" ".join(str(why).split())[:200], **about)
        finally:
            alone.file(EXERCISE).write_text(stub, encoding="utf-8", newline="\n")


def _environment() -> dict[str, str]:
    """This process's environment, without a window to draw in, and with warnings left to the notebook, but for the one
    that is its author's to avoid. Lessons' arrays are small: on a busy machine, threads that wait for one another take
    most of the time."""
    kept = {name: value for name, value in os.environ.items() if name not in ("PYTHONWARNINGS", SWITCH)}
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
    return {**threads, **kept, "MPLBACKEND": "Agg", "PYDEVD_DISABLE_FILE_VALIDATION": "1", "PYTHONWARNINGS": SURPRISE}
