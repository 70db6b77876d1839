"""The synthetic tasks: their shapes, their answers, and the loss of who forgets."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinygrad_rnn.data import adding, hello, temporal_order
from tinygrad_rnn.data.tasks import ADDING_WITHOUT_MEMORY, HELLO_WITHOUT_MEMORY, TEMPORAL_ORDER_WITHOUT_MEMORY


@given(st.integers(2, 30), st.integers(1, 8), st.integers(0, 2**32))
@settings(max_examples=60)
def test_adding_marks_one_number_in_each_half_and_asks_for_their_sum(T, B, seed):
    x, y = adding(np.random.default_rng(seed), T, B, np.float64)
    assert x.shape == (T, B, 2)
    assert y.shape == (B, 1)
    values, marks = x[..., 0], x[..., 1]
    assert (marks[: T // 2].sum(axis=0) == 1).all()
    assert (marks[T // 2 :].sum(axis=0) == 1).all()
    assert ((values >= 0) & (values < 1)).all()
    for b in range(B):
        assert y[b, 0] == sum(values[t, b] for t in range(T) if marks[t, b])


def test_adding_repeats_with_its_seed_and_has_the_baseline_that_it_says():
    x, y = adding(np.random.default_rng(5), 20, 20_000)
    again, _ = adding(np.random.default_rng(5), 20, 20_000)
    assert x.dtype == y.dtype == np.float32
    assert (x == again).all()
    assert np.square(y - 1).mean() == pytest.approx(ADDING_WITHOUT_MEMORY, abs=4e-3)
    markers = x[..., 1].mean(axis=1)
    assert markers.min() > 0.08  # every place is marked, 1 in 10 times
    assert markers.max() < 0.12


@pytest.mark.parametrize(("T", "B"), [(1, 3), (4, 0)])
def test_adding_refuses_what_has_no_two_halves(T, B):
    with pytest.raises(ValueError, match="adding: needs"):
        adding(np.random.default_rng(0), T, B)


def test_hello_cannot_be_solved_without_memory():
    vocabulary, window = hello()
    inputs, targets = window[:-1, 0], window[1:, 0]
    assert vocabulary.decode(inputs) == "hell"
    assert vocabulary.decode(targets) == "ello"
    counts = np.zeros((4, 4))
    np.add.at(counts, (inputs, targets), 1)  # the best that a table from character to character can do
    p = counts[inputs, targets] / counts[inputs].sum(axis=1)
    assert -np.log(p).mean() == pytest.approx(HELLO_WITHOUT_MEMORY)


@given(st.integers(10, 60), st.integers(1, 8), st.integers(0, 2**32))
@settings(max_examples=60)
def test_temporal_order_hides_two_letters_and_asks_which_and_in_which_order(T, B, seed):
    x, y = temporal_order(np.random.default_rng(seed), T, B, np.float64)
    assert x.shape == (T, B, 6)
    assert x.dtype == np.float64
    assert y.shape == (B,)
    assert (x.sum(axis=2) == 1).all()
    assert ((x == 0) | (x == 1)).all()
    letters = x.argmax(axis=2)
    for b in range(B):
        first, second = np.flatnonzero(letters[:, b] < 2)
        assert T // 10 <= first < T // 5
        assert T // 2 <= second < T * 6 // 10
        assert ["AA", "AB", "BA", "BB"][y[b]] == "".join("AB"[letters[t, b]] for t in (first, second))


def test_temporal_order_repeats_with_its_seed_and_tells_nothing_by_its_noise():
    x, y = temporal_order(np.random.default_rng(5), 20, 20_000)
    again, answers = temporal_order(np.random.default_rng(5), 20, 20_000)
    assert x.dtype == np.float32
    assert (x == again).all()
    assert (y == answers).all()
    shares = np.bincount(y, minlength=4) / len(y)
    assert -(shares * np.log(shares)).sum() == pytest.approx(TEMPORAL_ORDER_WITHOUT_MEMORY, abs=1e-3)
    noise = np.stack([x[:, y == c, 2:].mean(axis=1) for c in range(4)])  # by class, step and letter
    assert np.ptp(noise, axis=0).max() < 0.04
    assert (x[[2, 3, 10, 11], :, :2].sum(axis=(1, 2)) > 9_500).all()  # each of the two places is used, half of the time


@pytest.mark.parametrize(("T", "B"), [(9, 3), (20, 0)])
def test_temporal_order_refuses_what_has_no_tenth(T, B):
    with pytest.raises(ValueError, match="temporal_order: needs"):
        temporal_order(np.random.default_rng(0), T, B)
