"""The tour from start to end: experiments within their time, then pictures, page and numbers."""

from __future__ import annotations

import json
import platform
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from ... import __version__, backend
from ...data import default_corpus
from ..render.blocks import Part, Picture, plain
from ..render.page import page
from . import output
from .adding import adding_part
from .clipping import clipping_part
from .hello import hello_parts
from .language import check_length, language_parts
from .radius import radius_part

TITLE = "Recurrent networks from the inside"
SEED = 0
TRAINING = 0.9  # of the time; the rest is for measuring and drawing
SHARES = {"language": 0.45, "adding": 0.45, "clipping": 0.10}  # of the training; adding mostly ends before its time
Report = Callable[[str], None]


def run_tour(
    out: Path, text: str | None = None, seconds: float = 60.0, device: str = "cpu", report: Report = print
) -> Path:
    """Write the tour to the folder `out` and return the path of its page.

    `text` is learned from (None: what every Python carries). `seconds`: about how long all of it may take; less gives
    networks that have learned less, which the page then says. `device`: "cpu" or "cuda". `report` is told in lines how
    it goes. The page is `index.html`; each figure is also in `figures/`, each number in `numbers.json`.

    Raises ValueError for a text that is too short or seconds that are not positive, OSError where `out` cannot be
    written or holds something else than a tour, RuntimeError for a device that is not there. Then, as after Ctrl-C,
    what was at `out` is still there, and nothing else.
    """
    out = Path(out)
    if not 0 < seconds < float("inf"):
        raise ValueError(f"seconds must be positive, not {seconds}")
    backend.get(device)
    output.check_place(out)
    text, source = (
        (default_corpus(), "the documentation and code that come with Python") if text is None else (text, "your text")
    )
    check_length(text)
    start = time.perf_counter()

    def say(line: str) -> None:
        report(f"{time.perf_counter() - start:5.1f} s  {line}")

    parts = _parts(text, source, seconds, device, say)
    say("drawing")
    files = {
        f"{output.FIGURES}/{block.name}.svg": block.drawing.svg
        for part in parts
        for block in part.blocks
        if isinstance(block, Picture)
    }
    run = {
        "what": output.MARK,
        "version": __version__,
        "seed": SEED,
        "seconds_asked": seconds,
        "seconds_taken": time.perf_counter() - start,
        "device": device,
        "python": platform.python_version(),
        "numpy": np.__version__,
    }
    numbers = {**run, "parts": {part.key: part.numbers for part in parts}}
    files[output.NUMBERS] = json.dumps(plain(numbers), indent=1, allow_nan=False, ensure_ascii=False) + "\n"
    files[output.PAGE] = page(TITLE, parts, _lead(run, source), _closing(run))
    output.write(out, files)
    say(f"done: {out / output.PAGE}")
    return out / output.PAGE


def _parts(text: str, source: str, seconds: float, device: str, say: Report) -> list[Part]:
    """All parts in the order of the page. What needs no time comes first, so that mistakes show early."""
    times = {name: TRAINING * share * seconds for name, share in SHARES.items()}
    say("the hello network, and its gradients by hand")
    parts = [*hello_parts(SEED), radius_part(SEED)]
    say(f"four networks learn the text ({times['language']:.0f} s)")
    parts += language_parts(text, source, SEED, times["language"], device, say)
    say(f"four networks learn to add (up to {times['adding']:.0f} s)")
    parts.append(adding_part(SEED, times["adding"], device, say))
    say(f"temporal order with and without clipping (up to {times['clipping']:.0f} s)")
    return [*parts, clipping_part(SEED, times["clipping"], device, say)]


def _lead(run: dict[str, Any], source: str) -> str:
    return (
        "An unrolled graph, gradients that die or blow up on their way back through it, and when an LSTM's do not."
        f" Every number here was computed in {run['seconds_taken']:.0f} seconds on this machine, the text to learn from"
        f" being {source}; the captions say what this run's numbers say, whatever the textbook says."
    )


def _closing(run: dict[str, Any]) -> str:
    return (
        f"Made by tinygrad_rnn {run['version']} on {run['device']}, NumPy {run['numpy']}, Python {run['python']}, seed"
        f" {run['seed']}. All numbers are in `numbers.json`, all figures in `figures/`. How many updates fit into the"
        " time differs from machine to machine, and with it the numbers."
    )
