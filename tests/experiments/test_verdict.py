"""Counting claims: the interval against its definition, and the words."""

import math

import numpy as np
import pytest

from tinygrad_rnn.experiments import Claim, Results, Size, interval, judge


def verdict(held):
    claim = Claim("", lambda seed: seed["a"]["yes"], "", lambda results: "")
    return judge(claim, Results(Size(len(held)), {}, [], [{"a": {"yes": yes}} for yes in held]))


@pytest.mark.parametrize(("held", "seeds"), [(0, 5), (3, 5), (5, 5), (17, 40)])
def test_at_its_ends_what_was_seen_is_just_as_unlikely_as_it_says(held, seeds):
    for share in interval(held, seeds):
        if 0 < share < 1:  # Wilson's: |seen - share| is 1.96 standard deviations of the share itself
            deviation = math.sqrt(share * (1 - share) / seeds)
            assert abs(held / seeds - share) == pytest.approx(1.959964 * deviation, rel=1e-6)


def test_it_covers_the_truth_about_as_often_as_it_says():
    rng = np.random.default_rng(0)
    for share in (0.5, 0.8):
        ends = [interval(int(held), 20) for held in rng.binomial(20, share, 4000)]
        assert 0.93 < np.mean([low <= share <= high for low, high in ends]) < 0.98


@pytest.mark.parametrize(("held", "word"), [
    ([True] * 5, "reproduced"), ([True] * 4 + [False], "reproduced"), ([True] * 3 + [False] * 2, "in part"),
    ([True] + [False] * 4, "not reproduced"), ([False] * 5, "not reproduced"), ([True] * 2, "a glance"),
])  # fmt: skip
def test_words(held, word):
    assert verdict(held).word == word
