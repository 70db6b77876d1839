"""Truncated BPTT for training: each kind against full BPTT, and against the instrument that measures its bias."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinygrad_rnn as tg
from tinygrad_rnn import flow, nn
from tinygrad_rnn.flow.truncations import _gradient, _segments
from tinygrad_rnn.optim import carried, windows

T, B, D, H = 9, 2, 3, 4


class Task:
    def __init__(self, layer=nn.RNN):
        rng = np.random.default_rng(0)
        self.layer = layer(D, H, dtype=np.float64, rng=rng)
        self.parameters = list(self.layer.parameters())
        for p in self.parameters:
            p.data = 1.5 * p.data + 0.1
        self.x, self.y = rng.standard_normal((T, B, D)), rng.standard_normal((T, B, H))

    def run(self, start, stop, state):
        hs, state = self.layer(self.x[start:stop], state, offset=start)
        return tg.sum((hs - self.y[start:stop]) ** 2) / B, state

    def advance(self, t, state):
        return self.run(t, t + 1, state)

    def full(self):
        return flat(tg.grad(self.run(0, T, None)[0], self.parameters))

    def total(self, k1, k2=None, steps=T):
        return sum(flat(tg.grad(loss, self.parameters)) for loss, _ in carried(self.run, None, steps, k1, k2))


def flat(gradients):
    return np.concatenate([g.numpy().ravel() for g in gradients])


@pytest.mark.parametrize("layer", [nn.RNN, nn.LSTM])
def test_with_k2_as_long_as_the_sequence_carried_is_full_bptt(layer):
    task = Task(layer)
    for k1, k2 in ((T, T), (1, T), (3, T), (4, 50)):
        np.testing.assert_allclose(task.total(k1, k2), task.full(), rtol=1e-12, atol=1e-12)
    assert not np.allclose(task.total(3), task.full(), rtol=1e-3)


@given(st.integers(1, T), st.integers(0, T))
def test_carried_is_what_the_instrument_says(k1, more):
    task = Task()
    k2 = min(k1 + more, T)
    zero = tg.Tensor(np.zeros((B, H)))
    passed = [zero]
    for t in range(T):
        passed.append(task.advance(t, passed[-1])[1].detach())
    expected = flat(map(tg.Tensor, _gradient(task.advance, _segments("carried", k1, k2, T), passed, task.parameters)))
    np.testing.assert_allclose(task.total(k1, k2), expected, rtol=1e-10, atol=1e-12)


def test_the_instruments_bias_is_that_of_the_gradient_one_trains_with():
    task = Task()
    (row,) = flow.truncation_bias(task.advance, tg.Tensor(np.zeros((B, H))), T, task.parameters, [(2, 4)], ["carried"])
    g, full = task.total(2, 4), task.full()
    assert row.relative_error == pytest.approx(np.linalg.norm(g - full) / np.linalg.norm(full))


def test_the_state_goes_on_and_the_graph_does_not():
    task = Task()
    segments = list(carried(task.run, None, T, 4, 6))
    hs, _ = task.layer(task.x)
    for (_, state), t in zip(segments, (3, 7, 8), strict=True):
        np.testing.assert_allclose(state.numpy(), hs.numpy()[t], rtol=1e-12)
        assert not state.requires_grad
    steps = []
    log = lambda a, b, state: (steps.append((a, b)), task.run(a, b, state))[1]  # noqa: E731
    list(carried(log, None, T, 4, 6))
    assert steps == [(0, 2), (2, 4), (2, 4), (4, 6), (6, 8), (6, 8), (8, 9)]


@pytest.mark.parametrize("stride", [1, 2, 3, 4])
def test_windows_are_sequences_of_their_own(stride):
    task = Task()
    x, y = windows(task.x, 3, stride), windows(tg.Tensor(task.y), 3, stride)
    starts = range(0, T - 2, stride)
    assert x.shape == (3, len(starts) * B, D)
    loss = tg.sum((task.layer(x)[0] - y) ** 2) / B
    parts = [task.layer(task.x[a : a + 3])[0] - task.y[a : a + 3] for a in starts]
    expected = flat(tg.grad(sum(tg.sum(d**2) / B for d in parts), task.parameters))
    np.testing.assert_allclose(flat(tg.grad(loss, task.parameters)), expected, rtol=1e-11)
    if stride == 3:  # isolated
        isolated = _gradient(task.advance, _segments("isolated", 3, 3, T), [None] * (T + 1), task.parameters)
        np.testing.assert_allclose(expected, flat(map(tg.Tensor, isolated)), rtol=1e-11)


def test_one_window_is_the_sequence():
    task = Task()
    np.testing.assert_array_equal(windows(task.x, T), task.x)


def test_bad_input_is_answered_in_one_line():
    for length, stride in ((0, 1), (T + 1, 1), (3, 0)):
        with pytest.raises(ValueError, match=f"windows: length {length} and stride {stride} of 9 steps"):
            windows(np.zeros((T, B)), length, stride)
    with pytest.raises(ValueError, match="every k1 = 3 steps back through k2 = 2"):
        next(carried(Task().run, None, T, 3, 2))
