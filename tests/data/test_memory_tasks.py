"""The tasks that ask for memory: answers recomputed from the input in plain Python, baselines measured, bad sizes."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinygrad_rnn import data
from tinygrad_rnn.data import tasks

SEED, BATCH = st.integers(0, 2**32), st.integers(1, 6)
few = settings(max_examples=30)


def rng(seed=5):
    return np.random.default_rng(seed)


def letters(x):
    """The symbols of one-hot x (T, B, D), as lists, one a sequence."""
    assert (x.sum(axis=2) == 1).all()
    assert ((x == 0) | (x == 1)).all()
    return x.argmax(axis=2).T.tolist()


def marked(x, value=0, marker=1):
    """Of each sequence: where it is marked with 1, and the values there."""
    for b in range(x.shape[1]):
        places = [t for t in range(len(x)) if x[t, b, marker] == 1]
        yield places, [x[t, b, value] for t in places]


@given(st.integers(10, 40), BATCH, SEED)
@few
def test_adding_as_martens_and_sutskever_and_as_pascanu(T, B, seed):
    x, y = data.adding(rng(seed), T, B, np.float64, dialect="ms")
    assert (x.shape, y.shape) == ((T, B, 2), (B, 1))
    for (places, values), answer in zip(marked(x), y[:, 0], strict=True):
        first, second = places
        assert first < T // 10 <= second < T // 2
        assert answer == sum(values) / 2
    swapped, same = data.adding(rng(seed), T, B, np.float64, dialect="pascanu")
    assert (swapped[..., 0] == x[..., 1]).all()
    assert (swapped[..., 1] == x[..., 0]).all()
    assert (same == y).all()


@given(st.integers(11, 40), BATCH, SEED)
@few
def test_adding_and_multiplication_as_hochreiter_and_schmidhuber(T, B, seed):
    x, y = data.adding(rng(seed), T, B, np.float64, dialect="hs97")
    z, product = data.multiplication(rng(seed), T, B, np.float64, dialect="hs97")
    assert (x[..., 1] == z[..., 1]).all()
    assert ((x[..., 0] >= -1) & (x[..., 0] < 1)).all()
    assert (x[[0, -1], :, 1] == -1).all()
    assert (np.isin(x[1:-1, :, 1], (0, 1))).all()
    for (places, values), (_, factors), total, times in zip(marked(x), marked(z), y[:, 0], product[:, 0], strict=True):
        assert len(places) in (1, 2)  # one, where the other is the first of all: it counts as 0, or as 1
        assert all(place <= max(9, T // 2 - 1) for place in places)
        assert total == pytest.approx(0.5 + sum(values) / 4, abs=1e-15)
        assert times == pytest.approx(math.prod(factors), abs=1e-15)


def test_in_hs97_the_first_of_all_is_chosen_as_often_as_said():
    x, _ = data.adding(rng(), 20, 40_000, dialect="hs97")
    alone = np.mean([len(places) == 1 for places, _ in marked(x)])
    assert alone == pytest.approx(1 / 10 + 9 / 10 / 9, abs=5e-3)
    where = (x[1:-1, :, 1] == 1).mean(axis=1)
    assert (where[:9] > 0.15).all()  # all of the first ten are used, and none after them
    assert (where[9:] == 0).all()


@given(st.integers(10, 40), BATCH, SEED)
@few
def test_multiplication_and_exclusive_or(T, B, seed):
    x, y = data.multiplication(rng(seed), T, B, np.float64)
    for (places, values), answer in zip(marked(x), y[:, 0], strict=True):
        first, second = places
        assert first < T // 10 <= second < T // 2
        assert answer == values[0] * values[1]
    x, y = data.xor(rng(seed), T, B)
    assert np.isin(x, (0, 1)).all()
    for (_, bits), answer in zip(marked(x), y, strict=True):
        assert answer == (bits[0] + bits[1] == 1)


@pytest.mark.parametrize(("generate", "baseline"), [
    (lambda: data.adding(rng(), 20, 40_000), tasks.adding_without_memory()),
    (lambda: data.adding(rng(), 20, 40_000, dialect="ms"), tasks.adding_without_memory("ms")),
    (lambda: data.adding(rng(), 20, 40_000, dialect="hs97"), tasks.adding_without_memory("hs97", 20)),
    (lambda: data.multiplication(rng(), 20, 40_000), tasks.multiplication_without_memory()),
    (lambda: data.multiplication(rng(), 20, 40_000, dialect="hs97"), tasks.multiplication_without_memory("hs97", 20)),
    (lambda: data.latch(rng(), 5, 40_000), tasks.LATCH_WITHOUT_MEMORY),
    (lambda: data.two_sequence(rng(), 5, 40_000), tasks.two_sequence_without_memory()),
    (lambda: data.two_sequence(rng(), 5, 40_000, variant="b"), tasks.two_sequence_without_memory("b")),
    (lambda: data.two_sequence(rng(), 5, 40_000, variant="c"), tasks.two_sequence_without_memory("c")),
])  # fmt: skip
def test_the_mean_of_the_targets_has_the_squared_error_that_is_said(generate, baseline):
    _, y = generate()
    assert y.var() == pytest.approx(baseline, rel=0.02)


@pytest.mark.parametrize(("answers", "baseline"), [
    (lambda: data.xor(rng(), 20, 40_000)[1], tasks.XOR_WITHOUT_MEMORY),
    (lambda: data.parity(rng(), 20, 40_000)[1], tasks.PARITY_WITHOUT_MEMORY),
    (lambda: data.temporal_order(rng(), 20, 40_000, symbols=3)[1], math.log(8)),
    (lambda: data.random_permutation(rng(), 5, 40_000, symbols=7)[1][-1], tasks.PERMUTATION_WITHOUT_MEMORY),
    (lambda: data.noise_free_lag(rng(), 5, 40_000)[1][-1], tasks.LAG_WITHOUT_MEMORY),
    (lambda: data.noise_free_lag(rng(), 5, 40_000, variant="2b")[1][-1], tasks.LAG_WITHOUT_MEMORY),
    (lambda: data.very_long_lag(rng(), 5, 40_000)[1], tasks.LAG_WITHOUT_MEMORY),
])  # fmt: skip
def test_the_shares_of_the_classes_have_the_entropy_that_is_said(answers, baseline):
    shares = np.bincount(answers()) / 40_000
    shares = shares[shares > 0]
    assert -(shares * np.log(shares)).sum() == pytest.approx(baseline, abs=1e-3)


@pytest.mark.parametrize(("answers", "baseline"), [
    (lambda: data.memorisation(rng(), 7, 20_000)[1], tasks.memorisation_without_memory(7)),
    (lambda: data.memorisation(rng(), 7, 20_000, 10, 5)[1], tasks.memorisation_without_memory(7, 10, 5)),
    (lambda: data.copy_memory(rng(), 30, 20_000)[1], tasks.copy_memory_without_memory(30)),
    (lambda: data.echo(rng(), 12, 20_000, lag=4)[1], tasks.echo_without_memory(12, lag=4)),
])  # fmt: skip
def test_who_knows_the_time_alone_has_the_mean_entropy_that_is_said(answers, baseline):
    y = answers()
    shares = np.stack([(y == c).mean(axis=1) for c in range(y.max() + 1)], axis=1)
    entropies = -(shares * np.log(shares, where=shares > 0, out=np.zeros_like(shares))).sum(axis=1)
    assert entropies.mean() == pytest.approx(baseline, abs=1e-3)


def test_copy_memory_has_the_baseline_that_is_printed():
    assert tasks.copy_memory_without_memory(100) == pytest.approx(0.1733, abs=5e-5)
    assert tasks.copy_memory_without_memory(500) == pytest.approx(0.0400, abs=5e-5)


@given(st.integers(10, 40), BATCH, SEED)
@few
def test_temporal_order_of_three(T, B, seed):
    x, y = data.temporal_order(rng(seed), T, B, symbols=3)
    for sequence, answer in zip(letters(x), y, strict=True):
        places = [t for t, letter in enumerate(sequence) if letter < 2]
        assert all(T * a // 10 <= t < T * b // 10 for t, (a, b) in zip(places, [(1, 2), (3, 4), (6, 7)], strict=True))
        assert format(answer, "03b") == "".join(str(sequence[t]) for t in places)


@given(st.integers(2, 20), BATCH, st.integers(3, 9), SEED)
@few
def test_random_permutation_ends_as_it_began(T, B, symbols, seed):
    x, y = data.random_permutation(rng(seed), T, B, symbols)
    assert (x.shape, y.shape) == ((T, B, symbols), (T, B))
    for sequence, following in zip(letters(x), y.T.tolist(), strict=True):
        assert following == [*sequence[1:], sequence[0]]
        assert sequence[0] < 2
        assert min(sequence[1:]) >= 2


@given(st.integers(1, 20), BATCH, st.integers(1, 6), st.integers(2, 6), SEED)
@few
def test_memorisation_asks_for_what_came_first(gap, B, length, values, seed):
    x, y = data.memorisation(rng(seed), gap, B, length, values)
    blank, trigger = values, values + 1
    assert (x.shape, y.shape) == ((2 * length + gap, B, values + 2), (2 * length + gap, B))
    for seen, said in zip(letters(x), y.T.tolist(), strict=True):
        symbols = seen[:length]
        assert max(symbols) < values
        assert seen[length:] == [blank] * (gap - 1) + [trigger] + [blank] * length
        assert said == [blank] * (length + gap) + symbols


def test_copy_memory_is_arjovskys():
    x, y = data.copy_memory(rng(), 15, 3)
    assert x.shape == (35, 3, 10)
    for seen, said in zip(letters(x), y.T.tolist(), strict=True):
        assert seen[10:] == [8] * 14 + [9] + [8] * 10
        assert said == [8] * 25 + seen[:10]


@given(st.integers(1, 9), st.integers(1, 20), BATCH, SEED)
@few
def test_echo_is_late_by_the_lag(lag, more, B, seed):
    x, y = data.echo(rng(seed), lag + more, B, lag)
    for bits, answers in zip(x[..., 0].T, y.T.tolist(), strict=True):
        assert answers == [0] * lag + [int(bit == 1) for bit in bits[:-lag]]


@given(st.integers(1, 5), st.integers(1, 20), BATCH, SEED)
@few
def test_latch_shows_its_class_in_the_first_steps_alone(L, more, B, seed):
    x, y = data.latch(rng(seed), L + more, B, L, noise=0.3, dtype=np.float64)
    for b in range(B):
        kind = int(y[b, 0] > 0)
        assert abs(y[b, 0]) == 0.8
        for t in range(L):
            assert np.flatnonzero(x[t, b]).tolist() == [1 + L * kind + t]
        assert not x[L:, b, 1:].any()


def test_noise_has_the_spread_that_is_said():
    x, _ = data.latch(rng(), 23, 2_000, noise=0.3)
    assert x[3:, :, 0].std() == pytest.approx(0.3, rel=0.02)
    for variant, of_signal in (("a", 0.0), ("b", 0.2), ("c", 0.0)):
        x, y = data.two_sequence(rng(), 5, 40_000, variant=variant)
        assert x[3:].var() == pytest.approx(0.2, rel=0.02)
        signal = np.where(y[:, 0] > 0.5, 1, -1)
        if variant != "c":  # there the target is too noisy to tell the class
            assert (x[:3, :, 0] - signal).var() == pytest.approx(of_signal, rel=0.05)
    kind = x[0, :, 0] > 0
    for mean, of_kind in ((0.2, ~kind), (0.8, kind)):
        assert y[of_kind].mean() == pytest.approx(mean, abs=0.01)
        assert y[of_kind].var() == pytest.approx(0.1, rel=0.05)


@given(st.integers(1, 5), st.integers(1, 20), BATCH, SEED)
@few
def test_two_sequence_and_parity(N, more, B, seed):
    x, y = data.two_sequence(rng(seed), N + more, B, N)
    for b in range(B):
        assert x[:N, b, 0].tolist() == [2 * y[b, 0] - 1] * N
    x, y = data.parity(rng(seed), N, B)
    for b in range(B):
        assert y[b] == sum(1 for bit in x[:, b, 0] if bit == 1) % 2
        assert all(abs(bit) == 1 for bit in x[:, b, 0])


@given(st.integers(2, 12), BATCH, SEED)
@few
def test_noise_free_lag_ends_as_it_began(p, B, seed):
    for variant in ("2a", "2b"):
        x, y = data.noise_free_lag(rng(seed), p, B, variant)
        assert x.shape == (p, B, p + 1)
        for sequence, following in zip(letters(x), y.T.tolist(), strict=True):
            assert following == [*sequence[1:], sequence[0]]
            assert sequence[0] in (p - 1, p)
            assert sequence[1:] == list(range(p - 1)) or (variant == "2b" and max(sequence[1:]) < p - 1)


@given(st.integers(1, 12), BATCH, st.integers(1, 9), SEED)
@few
def test_very_long_lag_asks_for_its_second_symbol(q, B, p, seed):
    x, y = data.very_long_lag(rng(seed), q, B, p)
    for sequence, answer in zip(letters(x), y, strict=True):
        assert sequence[0] == p + 1
        assert sequence[1] == p + 2 + answer
        assert sequence[-1] == p
        assert max(sequence[2:-1]) < p
        assert len(sequence) >= q + 3


def test_very_long_lag_goes_on_with_nine_chances_in_ten():
    generator = rng()
    beyond = [len(data.very_long_lag(generator, 2, 1)[0]) - 5 for _ in range(4_000)]
    assert min(beyond) == 0
    assert np.mean(beyond) == pytest.approx(9, abs=0.5)


@pytest.mark.parametrize("generate", [
    lambda r, k: data.adding(r, 12, 2, k, dialect="hs97"), lambda r, k: data.multiplication(r, 12, 2, k),
    lambda r, k: data.xor(r, 12, 2, k), lambda r, k: data.random_permutation(r, 4, 2, dtype=k),
    lambda r, k: data.copy_memory(r, 4, 2, k), lambda r, k: data.echo(r, 9, 2, dtype=k),
    lambda r, k: data.latch(r, 9, 2, dtype=k), lambda r, k: data.two_sequence(r, 9, 2, dtype=k),
    lambda r, k: data.parity(r, 9, 2, k), lambda r, k: data.noise_free_lag(r, 4, 2, dtype=k),
    lambda r, k: data.very_long_lag(r, 4, 2, dtype=k),
])  # fmt: skip
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_same_seed_same_numbers_of_the_dtype_asked_for(generate, dtype):
    x, y = generate(rng(1), dtype)
    again = generate(rng(1), dtype)
    assert x.dtype == dtype
    assert y.dtype in (dtype, np.int64)
    assert (x == again[0]).all()
    assert (y == again[1]).all()


@pytest.mark.parametrize(("call", "message"), [
    (lambda: data.adding(rng(), 10, 2, dialect="hs97"), r"adding: needs seq_len >= 11 \(one of the first ten"),
    (lambda: data.adding(rng(), 9, 2, dialect="ms"), r"seq_len >= 10 \(a tenth is a step\) and batch_size >= 1, not 9"),
    (lambda: data.adding(rng(), 9, 2, dialect="le"), 'dialect is one of "sum", "hs97", "ms", "pascanu", not \'le\''),
    (lambda: tasks.adding_without_memory("hs97"), '"hs97" depends on the length: give seq_len >= 11, not None'),
    (lambda: data.multiplication(rng(), 20, 0), "multiplication: needs"),
    (lambda: data.multiplication(rng(), 20, 1, dialect="sum"), 'one of "ms", "hs97", not'),
    (lambda: data.xor(rng(), 9, 2), "xor: needs seq_len >= 10"),
    (lambda: data.temporal_order(rng(), 20, 2, symbols=4), "symbols is 2 or 3, not 4"),
    (lambda: data.random_permutation(rng(), 1, 2), "random_permutation: needs seq_len >= 2"),
    (lambda: data.random_permutation(rng(), 3, 2, symbols=2), "symbols >= 3"),
    (lambda: data.memorisation(rng(), 0, 2), "memorisation: needs gap >= 1"),
    (lambda: data.memorisation(rng(), 1, 2, values=1), "values >= 2, not 1, 2, 5 and 1"),
    (lambda: data.copy_memory(rng(), 0, 2), "copy_memory: needs gap >= 1"),
    (lambda: data.echo(rng(), 5, 2, lag=5), r"seq_len >= 6 \(longer than the lag\)"),
    (lambda: data.latch(rng(), 3, 2), "latch: needs informative >= 1, seq_len >= 4"),
    (lambda: data.latch(rng(), 5, 2, noise=-1), "noise is a standard deviation, not -1"),
    (lambda: data.two_sequence(rng(), 3, 2), "two_sequence: needs"),
    (lambda: data.two_sequence(rng(), 9, 2, variant="d"), "two_sequence: variant is one of"),
    (lambda: data.parity(rng(), 0, 2), "parity: needs seq_len >= 1"),
    (lambda: data.noise_free_lag(rng(), 1, 2), "noise_free_lag: needs lag >= 2"),
    (lambda: data.noise_free_lag(rng(), 4, 2, variant="2c"), 'variant is one of "2a", "2b"'),
    (lambda: data.very_long_lag(rng(), 0, 2), "very_long_lag: needs least >= 1"),
])  # fmt: skip
def test_impossible_sizes_are_answered_in_one_line(call, message):
    with pytest.raises(ValueError, match=message) as told:
        call()
    assert "\n" not in str(told.value)
