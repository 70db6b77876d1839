"""`pytest` in this folder grades exercise.py: points, and what is wrong by its name (lesson start)."""

from pathlib import Path

import pytest


# The course's pytest plugin takes the place of this where both it and lesson.toml are there.
def test_exercise():
    why = "the grader is not installed: pip install 'tinygrad_rnn[course]'"
    if not Path(__file__).with_name("lesson.toml").is_file():
        why = "lesson.toml is not beside this file: `tinygrad-rnn update` brings it back"
    pytest.fail(why, pytrace=False)
