"""The grading of the grader over every lesson of the course. `-m slow`: every hidden seed, and notebooks in kernels."""

from __future__ import annotations

from pathlib import Path

import pytest

from tinygrad_rnn.course.authoring import proof
from tinygrad_rnn.course.authoring.build import build
from tinygrad_rnn.course.manifest import lessons_in, read_lesson

FOLDERS = lessons_in(Path(__file__).parents[2] / "lessons")
each = pytest.mark.parametrize("folder", FOLDERS, ids=[folder.name for folder in FOLDERS])


@each
def test_what_is_generated_is_up_to_date(folder):
    assert build(folder, check=True) == []


@each
def test_the_grader_is_right(folder):
    assert list(proof.problems(read_lesson(folder), hidden=(1,))) == []


@each
@pytest.mark.slow
def test_the_grader_is_right_on_every_seed_and_in_a_kernel(folder):
    assert list(proof.problems(read_lesson(folder), notebooks=True)) == []


@each
def test_folders_tell_the_order_and_the_name(folder):
    lesson = read_lesson(folder)
    assert folder.name == f"{lesson.order:02g}_{lesson.id}"
