"""The page that leads from the lectures to the code names only what there is."""

import importlib
import re
from pathlib import Path

import pytest

import tinygrad_rnn as tg
from tinygrad_rnn.experiments import catalogue

PAGE = Path(__file__).parents[2] / "lessons" / "LECTURES.md"
ROWS = [[cell.strip() for cell in line.strip("|").split("|")] for line in PAGE.read_text().splitlines()
        if line.startswith("| ") and "in the lectures" not in line]  # fmt: skip
NAMED = [(row[0], name) for row in ROWS for name in re.findall(r"`([\w.]+)`", row[1]) if "." in name]
SHOWN = [(row[0], name) for row in ROWS for name in re.findall(r"`([^`]+)`", row[2])]


def found(name):
    """What a dotted name stands for: an attribute of tg, or of a module of the package."""
    first, *rest = name.split(".")
    thing = tg if first == "tg" else importlib.import_module(f"tinygrad_rnn.{first}")
    for part in rest:
        if not hasattr(thing, part):
            thing = importlib.import_module(f"{thing.__name__}.{part}")
        else:
            thing = getattr(thing, part)
    return thing


@pytest.mark.parametrize(("row", "name"), NAMED)
def test_what_it_names_is_there_and_says_what_it_is(row, name):
    assert (found(name).__doc__ or "").strip(), name


@pytest.mark.parametrize(("row", "name"), SHOWN)
def test_what_shows_it_is_there(row, name):
    lessons = {path.name.split("_", 1)[1] for path in PAGE.parent.iterdir() if path.is_dir() and "_" in path.name}
    assert name in {*lessons, *catalogue.names()} or name.startswith("tinygrad-rnn "), name


def test_every_experiment_is_on_the_page():
    assert set(catalogue.names()) <= {name for _, name in SHOWN}
