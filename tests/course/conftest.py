"""For the tests of the course machine: a shelf that holds the tiny lesson, built once, and a workspace made from it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.course.tiny_lesson import write_tiny
from tinygrad_rnn.course.authoring.build import build
from tinygrad_rnn.course.workspace import folder as workspace
from tinygrad_rnn.course.workspace import shelf as shelves


@pytest.fixture(scope="session")
def built(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("built")
    build(write_tiny(folder))
    return folder


@pytest.fixture
def shelf(built, tmp_path, monkeypatch) -> Path:
    """The folder of all lessons, for this test alone: it holds 00_tiny."""
    folder = tmp_path / "shelf"
    shutil.copytree(built, folder)
    monkeypatch.setenv(shelves.LESSONS, str(folder))
    return folder


@pytest.fixture
def place(shelf, tmp_path, monkeypatch) -> workspace.Place:
    """A fresh workspace, and the current folder."""
    made = workspace.start(tmp_path / "ws")
    monkeypatch.chdir(made.root)
    return made


@pytest.fixture
def solve(shelf, place):
    """Write the solution into exercise.py."""

    def solve(text: str | None = None) -> None:
        solution = (shelf / "00_tiny" / "instructor" / "solution.py").read_text("utf-8")
        (place.root / "00_tiny" / "exercise.py").write_text(solution if text is None else text, "utf-8")

    return solve
