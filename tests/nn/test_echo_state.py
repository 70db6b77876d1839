"""An echo state network's three drives against the recursion in NumPy."""

from __future__ import annotations

import numpy as np
import pytest

import tinygrad_rnn as tg
from tinygrad_rnn import nn, optim
from tinygrad_rnn.nn import init

N = 30


def reservoir(inputs, seed=0, rho=0.8):
    cell = nn.RNNCell(inputs, N, dtype=np.float64, rng=seed)
    rng = np.random.default_rng(seed)
    cell.W_hh.data = init.spectral_radius(init.sparse((N, N), rng, 5, dtype=np.float64), rho)
    cell.b_h.data = 0.2 * rng.standard_normal(N)
    return cell


def by_hand(cell, x, h):
    hs = []
    for x_t in x:
        h = np.tanh(x_t @ cell.W_xh.numpy() + h @ cell.W_hh.numpy() + cell.b_h.numpy())
        hs.append(h)
    return np.stack(hs)


def test_states_of_inputs_and_of_a_teacher():
    rng = np.random.default_rng(1)
    cell, u, y = reservoir(3), rng.standard_normal((9, 2, 2)), rng.standard_normal((9, 2, 1))
    net = nn.EchoState(cell, feedback=1)
    expected = by_hand(cell, np.concatenate([u, y], axis=2), np.zeros((2, N)))
    states, h = net.states(u, y)
    np.testing.assert_allclose(states, expected, rtol=1e-12)
    later, _ = net.states(u[6:], y[6:], net.states(u[:6], y[:6])[1])
    np.testing.assert_allclose(later, expected[6:], rtol=1e-12)
    np.testing.assert_array_equal(h.numpy(), states[-1])
    assert not h.requires_grad


@pytest.mark.parametrize("outside", [0, 2])
def test_a_free_run_feeds_back_what_it_says(outside):
    rng = np.random.default_rng(2)
    cell, W = reservoir(outside + 1), 0.1 * rng.standard_normal((N, 1))
    u = rng.standard_normal((5, 2, outside)) if outside else None
    h, y, expected = 0.1 * rng.standard_normal((2, N)), rng.standard_normal((2, 1)), []
    start = (tg.tensor(h), y)
    for t in range(5):
        x = y if u is None else np.concatenate([u[t], y], axis=1)
        h = by_hand(cell, x[None], h)[0]
        y = h @ W
        expected.append(y)
    outputs, state = nn.EchoState(cell, 1).generate(lambda h: h @ W, start[1], start[0], u, None if outside else 5)
    np.testing.assert_allclose(outputs, expected, rtol=1e-12)
    np.testing.assert_allclose(state.numpy(), h, rtol=1e-12)


def test_it_goes_on_with_a_sine():
    t = np.arange(600)
    y = (0.5 * np.sin(2 * np.pi * t / 37))[:, None, None]
    net = nn.EchoState(reservoir(1, rho=1.0), feedback=1)
    states, h = net.states(teacher=y[:399])
    readout = optim.Ridge(states, y[1:400], washout=100).readout(1e-8)
    outputs, _ = net.generate(readout, y[399], h, steps=200)
    assert np.abs(outputs - y[400:]).max() < 0.01


def test_an_lstm_of_random_weights_is_a_reservoir_too():
    cell, u = nn.LSTMCell(2, N, rng=0), np.ones((4, 1, 2), np.float32)
    states, (h, c) = nn.EchoState(cell).states(u)
    assert states.shape == (4, 1, N)
    np.testing.assert_array_equal(h.numpy(), states[-1])
    assert c.shape == (1, N)


def test_a_cell_whose_weights_have_other_names_is_a_reservoir_too():
    x, h = np.random.default_rng(0).standard_normal((4, 1, 2)), None
    for cell in (nn.GraphCell(2, N, nn.cells.graph.GRU, dtype=np.float64, rng=0),
                 nn.MultiplicativeRNNCell(2, N, dtype=np.float64, rng=0)):  # fmt: skip
        states, last = nn.EchoState(cell).states(x)
        h = None
        for t in range(4):
            h = cell(x[t], h)
            np.testing.assert_array_equal(states[t], h.numpy())
        np.testing.assert_array_equal(last.numpy(), h.numpy())


@pytest.mark.parametrize(("call", "message"), [
    (lambda: nn.EchoState(nn.RNNCell(2, N), 3), "feedback is how many of the cell's 2 inputs"),
    (lambda: nn.EchoState(nn.RNNCell(2, N)).states(np.ones((5, 1, 3))), r"u must be \(T, B, 2\)"),
    (lambda: nn.EchoState(nn.RNNCell(2, N), 1).states(np.ones((5, 1, 1))), r"teacher must be \(T, B, 1\) .* not none"),
    (lambda: nn.EchoState(nn.RNNCell(2, N), 2).states(np.ones((5, 1, 2))), "no column of x is left for u"),
    (lambda: nn.EchoState(nn.RNNCell(2, N), 1).states(np.ones((5, 1, 1)), np.ones((4, 1, 1))), "have 5 and 4 steps"),
    (lambda: nn.EchoState(nn.RNNCell(2, N)).states(np.ones((0, 1, 2))), "have 0 steps: .* at least 1"),
    (lambda: nn.EchoState(nn.RNNCell(2, N), 1).generate(len, np.ones((1, 1)), None, np.ones((3, 1, 1)), steps=7),
     "a free run of 7 steps with inputs u for 3"),
    (lambda: nn.EchoState(nn.RNNCell(1, N)).generate(len, np.ones((1, 1)), None, steps=2), "begins with y"),
    (lambda: nn.EchoState(nn.RNNCell(1, N), 1).generate(len, np.ones((1, 1)), None), "a free run of no steps"),
])  # fmt: skip
def test_bad_input_is_answered_in_one_line(call, message):
    with pytest.raises(ValueError, match=message) as told:
        call()
    assert "\n" not in str(told.value)
