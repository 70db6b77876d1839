"""The bias of truncated BPTT, each kind against its definition written out."""

from __future__ import annotations

import numpy as np
import pytest

import tinygrad_rnn as tg
from tests.flow.runs import elman
from tinygrad_rnn import flow

T = 9


def advance_of(run):
    def advance(t, h):
        h = tg.tanh(run.X[t] @ run.W_xh + run.b_h + h @ run.W_hh)
        return (h * h).mean(), h

    return advance


def of(rows, gradient, full):
    g, f = (np.concatenate([x.data.ravel() for x in xs]) for xs in (gradient, full))
    (row,) = rows
    np.testing.assert_allclose(row.relative_error, np.linalg.norm(g - f) / np.linalg.norm(f), rtol=1e-10, atol=1e-14)
    np.testing.assert_allclose(row.cosine, g @ f / np.linalg.norm(g) / np.linalg.norm(f), rtol=1e-10)
    np.testing.assert_allclose(row.length, np.linalg.norm(g) / np.linalg.norm(f), rtol=1e-10)


def totals(run, reset):
    """The loss of one forward pass in which `reset(t, h)` comes before step t."""
    h, total = run.states[0], 0.0
    for t in range(T):
        loss, h = advance_of(run)(t, reset(t, h))
        total = total + loss
    return total


@pytest.mark.parametrize("k", [1, 2, 4, 9])
def test_segments_are_a_detach_or_a_fresh_start_every_k_steps(k):
    run = elman(T=T, scale=0.9)
    weights = [run.W_xh, run.W_hh, run.b_h]
    full = tg.grad(run.total, weights)
    ask = lambda kind: flow.truncation_bias(advance_of(run), run.states[0], T, weights, [k], [kind])  # noqa: E731
    carried = totals(run, lambda t, h: h.detach() if t and t % k == 0 else h)
    isolated = totals(run, lambda t, h: run.states[0] if t % k == 0 else h)
    of(ask("carried"), tg.grad(carried, weights), full)
    of(ask("isolated"), tg.grad(isolated, weights), full)
    assert run.W_hh.grad is None


def test_overlapping_carried_segments_send_each_loss_back_through_k2_steps():
    run = elman(T=T, scale=0.9)
    weights = [run.W_xh, run.W_hh, run.b_h]
    total = 0.0
    for first in range(0, T, 2):  # losses first and first+1 are cut five steps before the later of the two
        stop = min(first + 2, T)
        start = max(0, first + 2 - 5)
        h = run.states[start].detach()
        for t in range(start, stop):
            loss, h = advance_of(run)(t, h)
            total = total + loss if t >= first else total
    rows = flow.truncation_bias(advance_of(run), run.states[0], T, weights, [(2, 5)], ["carried"])
    assert (rows[0].k1, rows[0].k2) == (2, 5)
    of(rows, tg.grad(total, weights), tg.grad(run.total, weights))


def test_windows_average_the_losses_that_several_hold():
    run = elman(T=T, scale=0.9)
    weights = [run.W_hh]
    total, starts = 0.0, [0, 3, 5]  # of 4 steps, every 3; the last ends with the sequence
    for start in starts:
        h = run.states[0]
        for t in range(start, start + 4):
            loss, h = advance_of(run)(t, h)
            total = total + loss / sum(a <= t < a + 4 for a in starts)
    rows = flow.truncation_bias(advance_of(run), run.states[0], T, weights, [(3, 4)], ["windows"])
    of(rows, tg.grad(total, weights), tg.grad(run.total, weights))


def test_a_window_as_long_as_the_sequence_has_no_bias():
    run = elman(T=T)
    rows = flow.truncation_bias(advance_of(run), run.states[0], T, run.W_hh, [T])
    assert [row.kind for row in rows] == ["isolated", "carried", "windows"]
    assert all(row.relative_error < 1e-14 and abs(row.cosine - 1) < 1e-14 for row in rows)


def test_a_tuple_of_states_and_steps_without_a_loss():
    cell = tg.nn.LSTMCell(2, 3, rng=0, dtype=np.float64)
    xs = np.random.default_rng(0).normal(size=(T, 1, 2))

    def advance(t, state):
        h, c = cell(tg.tensor(xs[t]), state)
        return ((h * h).sum() if t == T - 1 else None), (h, c)

    short, long = flow.truncation_bias(advance, cell.zero_state(1), T, [cell.W_hh], [1, 6], ["carried"])
    assert short.relative_error > long.relative_error > 0


def test_bad_requests_get_one_clear_line():
    run = elman(T=T)
    for window in (0, T + 1, (3, 2)):
        with pytest.raises(ValueError, match="1 <= k1 <= k2 <= 9"):
            flow.truncation_bias(advance_of(run), run.states[0], T, run.W_hh, [window])
    with pytest.raises(ValueError, match="none of isolated, carried, windows"):
        flow.truncation_bias(advance_of(run), run.states[0], T, run.W_hh, [2], ["random"])
    with pytest.raises(ValueError, match="no loss"):
        flow.truncation_bias(lambda t, h: (None, h), run.states[0], T, run.W_hh, [2])
