"""Waves of different lengths, and years in different places."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinygrad_rnn.data import waves, year_sentences
from tinygrad_rnn.data.tasks import WAVES, WAVES_WITHOUT_MEMORY, YEAR_WITHOUT_READING, YEAR_WORDS, YEARS


def test_waves_have_lengths_of_their_own_and_shapes_that_only_their_order_tells():
    sequences, y = waves(np.random.default_rng(0), 3000, 20, 40, noise=0.0)
    lengths = [len(s) for s in sequences]
    assert set(lengths) == set(range(20, 41))
    assert all(s.shape[1:] == (1,) and s.dtype == np.float32 for s in sequences)
    for kind, name in enumerate(WAVES):
        mine = [s[:, 0] for s, k in zip(sequences, y, strict=True) if k == kind]
        values = np.concatenate(mine)
        quarters = np.histogram(values, 4, (-1, 1))[0] / len(values)
        np.testing.assert_allclose(quarters, 0.25, atol=0.01)  # uniform in [-1, 1]
        up = np.mean(np.concatenate([np.diff(s) for s in mine]) > 0)
        assert {"sawtooth up": up > 0.85, "sawtooth down": up < 0.15, "triangle": 0.45 < up < 0.55}[name]
    shares = np.bincount(y) / len(y)
    assert -(shares * np.log(shares)).sum() == pytest.approx(WAVES_WITHOUT_MEMORY, abs=1e-3)
    noisy, _ = waves(np.random.default_rng(0), 1, 4000, 4000, noise=0.5)
    assert np.abs(noisy[0]).max() > 1.5


@given(st.integers(2, 12), st.integers(1, 6), st.integers(0, 2**32))
@settings(max_examples=50)
def test_a_sentence_names_one_year_after_in(T, B, seed):
    x, y = year_sentences(np.random.default_rng(seed), T, B)
    words = np.array(YEAR_WORDS)[x]
    for b in range(B):
        (at,) = np.flatnonzero(np.isin(words[:, b], YEARS))
        assert at >= 1
        assert words[at - 1, b] == "in"
        assert words[at, b] == YEARS[y[b]]
        assert (words[:, b] == "in").sum() == 1


def test_years_stand_where_they_are_allowed_and_all_are_as_likely():
    x, y = year_sentences(np.random.default_rng(0), 10, 20_000, places=[2, 7])
    at = (x >= len(YEAR_WORDS) - 10).argmax(axis=0)
    assert set(at) == {2, 7}
    assert np.mean(at == 2) == pytest.approx(0.5, abs=0.02)
    shares = np.bincount(y) / len(y)
    assert -(shares * np.log(shares)).sum() == pytest.approx(YEAR_WITHOUT_READING, abs=1e-3)


@pytest.mark.parametrize(("call", "line"), [
    (lambda: waves(np.random.default_rng(0), 0), "waves: needs"),
    (lambda: waves(np.random.default_rng(0), 1, 10, 9), "waves: needs"),
    (lambda: year_sentences(np.random.default_rng(0), 1, 1), "year_sentences: needs"),
    (lambda: year_sentences(np.random.default_rng(0), 5, 1, [0]), "places are from 1 .* to 4, not"),
    (lambda: year_sentences(np.random.default_rng(0), 5, 1, [5]), "places are from 1 .* to 4, not"),
    (lambda: year_sentences(np.random.default_rng(0), 5, 1, []), "places are from 1 .* to 4, not"),
])  # fmt: skip
def test_what_cannot_be_is_refused(call, line):
    with pytest.raises(ValueError, match=line):
        call()
