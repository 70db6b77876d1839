"""Decoding: beams against exhaustive search, a beam of one against greedy, and scores against the model's own."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tinygrad_rnn as tg
from tinygrad_rnn import nn
from tinygrad_rnn.nn.wirings import beam_search, greedy, sample


def decoder(V=3, H=4, kind=nn.LSTM, seed=0, **options):
    """A decoder with weights large enough that it has opinions, and a state for a batch of two."""
    made = nn.Decoder(V, H, kind, rng=seed, dtype=np.float64, **options)
    rng = np.random.default_rng(seed)
    for p in made.parameters():
        p.data = rng.normal(0, 1.5, p.shape)
    state = rng.normal(size=(2, 2, H))
    return made, (tuple(state) if kind is nn.LSTM else state[0])


def log_p(made, state, sequence, b):
    """The teacher-forced log p of a sequence for sample b."""
    target = np.array(sequence)[:, None]
    state = tuple(s[b : b + 1] for s in state) if isinstance(state, tuple) else state[b : b + 1]
    return -tg.sequence_loss(made(target, state), target).item()


def all_sequences(V, max_len):
    """Every sequence that ends with END, 0, within max_len symbols, or is cut off there."""
    for n in range(1, max_len + 1):
        for body in product(range(1, V), repeat=n - 1):
            yield (*body, 0)
    yield from product(range(1, V), repeat=max_len)


def cut(symbols):
    """Up to its END, with it."""
    symbols = symbols.tolist()
    return tuple(symbols[: symbols.index(0) + 1] if 0 in symbols else symbols)


@given(st.integers(0, 10_000), st.integers(2, 4), st.integers(1, 3), st.sampled_from([0.0, 0.7, 1.0]))
@settings(max_examples=15, deadline=None)
def test_a_beam_of_all_sequences_is_exhaustive_search(seed, V, max_len, alpha):
    made, state = decoder(V, seed=seed, kind=nn.GRU if seed % 2 else nn.LSTM)
    beams = made.beam(V**max_len, state, max_len=max_len, alpha=alpha)
    for b in range(2):
        known = {s: log_p(made, state, s, b) for s in all_sequences(V, max_len)}
        found = {cut(beams.symbols[:, b, w]): beams.log_p[b, w] for w in range(V**max_len) if beams.log_p[b, w] > -1e9}
        assert found == pytest.approx(known)
        scores = sorted((p / len(s) ** alpha for s, p in known.items()), reverse=True)
        np.testing.assert_allclose(beams.scores[b, : len(scores)], scores, rtol=1e-9)


@given(st.integers(0, 10_000))
@settings(max_examples=15, deadline=None)
def test_a_beam_of_one_is_greedy_and_a_wider_one_finds_no_worse_than_it_keeps(seed):
    made, state = decoder(5, seed=seed)
    symbols, scores = made.greedy(state, max_len=6)
    one = made.beam(1, state, max_len=6, alpha=0.5)
    np.testing.assert_array_equal(one.symbols[..., 0], symbols)
    np.testing.assert_allclose(one.log_p[:, 0], scores, rtol=1e-12)
    many = made.beam(5**3, state, max_len=6)
    assert (many.log_p[:, 0] >= scores - 1e-12).all()


def test_scores_are_the_teacher_forced_log_probabilities():
    made, state = decoder(6, seed=3)
    beams = made.beam(4, state, max_len=5, alpha=0.6)
    symbols, greedy_log_p = made.greedy(state, max_len=5)
    drawn, drawn_log_p = made.sample(np.random.default_rng(0), state, max_len=5)
    for b in range(2):
        assert log_p(made, state, cut(symbols[:, b]), b) == pytest.approx(greedy_log_p[b], rel=1e-12)
        assert log_p(made, state, cut(drawn[:, b]), b) == pytest.approx(drawn_log_p[b], rel=1e-12)
        for w in range(4):
            sequence = cut(beams.symbols[:, b, w])
            assert log_p(made, state, sequence, b) == pytest.approx(beams.log_p[b, w], rel=1e-12)
            assert beams.scores[b, w] == pytest.approx(beams.log_p[b, w] / len(sequence) ** 0.6)


def test_greedy_takes_the_bait_that_a_beam_of_two_does_not():
    """The likeliest first symbol leads nowhere: 0.6 * 0.5 against 0.4 * 1. Symbols: END, a, b."""
    table = {3: [0.0, 0.6, 0.4], 1: [0.5, 0.25, 0.25], 2: [1.0, 0.0, 0.0]}

    def model(symbols, state, t):
        return tg.tensor(np.log(np.array([table[s] for s in symbols.tolist()]) + 1e-30)), state

    symbols, p = greedy(model, None, 1, start=3, max_len=2)
    assert symbols[:, 0].tolist() == [1, 0]
    assert np.exp(p) == pytest.approx([0.3])
    beams = beam_search(model, None, 1, start=3, max_len=2, width=2)
    assert beams.symbols[:, 0].T.tolist() == [[2, 0], [1, 0]]
    assert np.exp(beams.log_p[0]) == pytest.approx([0.4, 0.3])


def test_length_normalisation_undoes_the_preference_for_the_short():
    """END at once has probability 0.3; a a a END has 0.7 * 0.6 * 0.6 * 1 = 0.252, but more for each symbol."""
    table = [[0.3, 0.7], [0.4, 0.6], [0.4, 0.6], [1.0, 0.0]]

    def model(symbols, state, t):
        return tg.tensor(np.log(np.tile(table[t], (len(symbols), 1)) + 1e-30)), state

    best = {alpha: beam_search(model, None, 1, start=2, width=4, max_len=4, alpha=alpha).symbols[:, 0, 0].tolist()
            for alpha in (0.0, 1.0)}  # fmt: skip
    assert best == {0.0: [0, 0, 0, 0], 1.0: [1, 1, 1, 0]}


def test_samples_have_the_probabilities_of_the_model_and_temperature_sharpens_them():
    p = np.array([0.1, 0.6, 0.3])

    def model(symbols, state, t):
        return tg.tensor(np.tile(np.log(p), (len(symbols), 1))), state

    for temperature in (1.0, 0.5):
        first = sample(model, None, 20_000, np.random.default_rng(0), start=3, max_len=1, temperature=temperature)[0][0]
        expected = p ** (1 / temperature) / (p ** (1 / temperature)).sum()
        np.testing.assert_allclose(np.bincount(first) / len(first), expected, atol=0.012)


def test_what_is_said_after_the_end_is_end_and_counts_for_nothing():
    made, state = decoder(3, seed=1)
    symbols, p = made.sample(np.random.default_rng(2), state, max_len=30)
    assert symbols.shape[0] < 30  # both have ended
    for b in range(2):
        ended = symbols[:, b].tolist().index(0)
        assert not symbols[ended:, b].any()
        assert log_p(made, state, cut(symbols[:, b]), b) == pytest.approx(p[b])


@pytest.mark.parametrize(("call", "line"), [
    (lambda m, s: m.greedy(s, max_len=0), "max_len and width must be at least 1, not 0"),
    (lambda m, s: m.beam(0, s), "must be at least 1, not 50 and 0"),
    (lambda m, s: m.sample(np.random.default_rng(0), s, temperature=0), "temperature must be above 0"),
    (lambda m, s: m.greedy(), "give a state or a context"),
])  # fmt: skip
def test_bad_calls_are_told_in_one_line(call, line):
    made, state = decoder()
    with pytest.raises(ValueError, match=line) as told:
        call(made, state)
    assert "\n" not in str(told.value)
