"""The README's figure is what the command under it draws today."""

import re
from pathlib import Path

import numpy as np
import pytest

import tinygrad_rnn as tg
from tinygrad_rnn.pictures.examples import EXAMPLES
from tinygrad_rnn.pictures.figure import unslug

ROOT = Path(__file__).parents[2]
COMMAND = "TINYGRAD_RNN_ENGINE=builtin tinygrad-rnn draw hello --view cells --values --out .readme/hello.svg"


def keys(svg: str) -> list[str]:
    """The keys of nodes, edges and boxes, in drawing order."""
    return [unslug(name.split("-", 1)[1]) for name in re.findall(r'<g id="([^"]+)"', svg)]


def numberless(svg: str) -> str:
    return re.sub(r"[\d.-]+(e[+-]?\d+)?", "0", svg)


def test_the_figure_in_the_readme_is_drawn_by_this_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TINYGRAD_RNN_ENGINE", "builtin")
    kept = (ROOT / ".readme" / "hello.svg").read_text(encoding="utf-8")
    fresh = tg.draw(EXAMPLES["hello"](4, np.random.default_rng(0)), "cells", values=True).svg
    assert len(keys(kept)) > 40
    remedy = f"the README's figure is not the one drawn today: {COMMAND}"
    assert keys(kept) == keys(fresh), remedy
    assert numberless(kept) == numberless(fresh), remedy


def test_the_readme_shows_it() -> None:
    assert "](.readme/hello.svg)" in (ROOT / "README.md").read_text(encoding="utf-8")
