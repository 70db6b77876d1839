"""`pytest` in this folder grades exercise.py: points, and what is wrong by its name (lesson charmodel)."""

import pytest


# The course's pytest plugin reads lesson.toml instead; this runs where the plugin is not installed.
def test_exercise():
    pytest.fail("the grader is not installed: pip install 'tinygrad_rnn[course]'", pytrace=False)
