"""The ledger: what each use of a shared weight contributed to its gradient."""

from __future__ import annotations

import gc
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tinygrad_rnn as tg
from tests.flow.runs import elman
from tinygrad_rnn import backend, flow


def close(a, b, tolerance=1e-12):
    a, b = backend.to_numpy(a), backend.to_numpy(b)
    return np.abs(a - b).max() <= tolerance * np.abs(b).max()


def test_the_scalar_linear_net_has_the_closed_form():
    T, w0, rng = 7, 0.8, np.random.default_rng(0)
    w = tg.tensor(np.array(w0), requires_grad=True, name="w")
    x, h, before = rng.normal(size=T), tg.tensor(np.array(0.3)), []
    for t in range(T):
        before.append(h.item())
        with tg.step(t):
            h = w * h + x[t]
    account = flow.ledger(h, w)
    expected = np.array([w0 ** (T - 1 - t) * before[t] for t in range(T)])  # w^(T-k) h_(k-1), counting k from 1
    np.testing.assert_allclose(account.contributions, expected, rtol=1e-14)
    np.testing.assert_allclose(account.norms, abs(expected), rtol=1e-14)
    assert account.steps == tuple(range(T))
    assert account.name == "w"
    assert w.grad is None


@settings(max_examples=15, deadline=None)
@given(T=st.integers(1, 7), B=st.integers(1, 3), D=st.integers(1, 3), H=st.integers(1, 4),
       seed=st.integers(0, 99), hoist=st.sampled_from(["", "transpose", "inputs"]))  # fmt: skip
def test_contributions_sum_to_the_gradient_and_each_is_that_of_a_copy(T, B, D, H, seed, hoist):
    run = elman(T, B, D, H, seed, hoist)
    for name in ("W_xh", "W_hh", "b_h"):
        W = getattr(run, name)
        account = flow.ledger(run.total, W)
        assert account.steps == tuple(range(T))
        assert account.contributions.shape == (T, *W.shape)
        assert close(account.contributions.sum(0), tg.grad(run.total, W)[0].data)
    for t, expected in enumerate(gradients_of_copies(run)):
        assert close(flow.ledger(run.total, run.W_hh).contributions[t], expected, 1e-11)


def gradients_of_copies(run):
    """dL/dW_t with a W of its own at each step: what "one gradient per use" means, by another way."""
    copies = [tg.tensor(run.W_hh.data, requires_grad=True) for _ in run.losses]
    h, total = run.states[0].detach(), 0.0
    for t, W in enumerate(copies):
        h = tg.tanh(run.X[t] @ run.W_xh + run.b_h + h @ W)
        total = total + (h * h).mean()
    return [g.data for g in tg.grad(total, copies)]


def test_uses_in_one_step_are_one_use_and_those_outside_come_first():
    w = tg.tensor(np.array([1.5, -0.5]), requires_grad=True)
    double = w * 2.0  # made outside, used within
    h = tg.tensor(np.ones(2))
    for t in (3, 5):
        with tg.step(t):
            h = w * h + w + double
    loss = h.sum() + (w * w).sum()  # and weight decay, in no step
    account = flow.ledger(loss, w)
    assert account.steps == (None, 3, 5)
    a = np.array([1.5, -0.5])
    np.testing.assert_allclose(account.contributions, [2 * a, 4 * a, 4 * a + 3], rtol=1e-14)


def test_a_derived_tensor_of_several_outputs_is_pulled_back_to_the_weight():
    rng = np.random.default_rng(0)
    W = tg.tensor(rng.normal(size=(2, 6)), requires_grad=True)
    left, _, right = tg.split(W, 3, axis=1)
    h = tg.tensor(rng.normal(size=(1, 2)))
    for t in range(4):
        with tg.step(t):
            h = tg.tanh(h @ left) * tg.sigmoid(h @ right)
    account = flow.ledger(h.sum(), W)
    assert len(account) == 4
    assert close(account.contributions.sum(0), tg.grad(h.sum(), W)[0].data)
    assert not account.contributions[:, :, 2:4].any()


def test_without_steps_there_is_one_use():
    W = tg.tensor(np.eye(2), requires_grad=True)
    account = flow.ledger((W @ W).sum(), W)
    assert account.steps == (None,)
    np.testing.assert_array_equal(account.contributions[0], np.full((2, 2), 2.0))


@pytest.mark.parametrize("within", [False, True])
def test_uses_inside_a_checkpoint_are_seen(within):
    rng = np.random.default_rng(0)
    W = tg.tensor(rng.normal(size=(3, 3)), requires_grad=True)
    start = tg.tensor(rng.normal(size=(2, 3)), requires_grad=True)

    def segment(h, first):
        V = W.T
        for t in range(first, first + 2):
            with tg.step(t):
                h = tg.tanh(h @ V.T)
        return h

    def run(keep):
        h = start
        for first in (0, 2):
            h = tg.checkpoint(segment, h, first) if keep else segment(h, first)
        return (h * h).sum()

    plain, saved = flow.ledger(run(False), W), flow.ledger(run(True), W, keep=not within)
    assert saved.steps == plain.steps == (0, 1, 2, 3)
    np.testing.assert_allclose(saved.norms, plain.norms, rtol=1e-12)


def test_norms_alone_are_the_same_and_need_the_memory_of_one_gradient():
    H, T = 80, 60
    rng = np.random.default_rng(0)
    W = tg.tensor(rng.normal(size=(H, H)) / 9, requires_grad=True)
    h = tg.tensor(rng.normal(size=(1, H)))
    for t in range(T):
        with tg.step(t):
            h = tg.tanh(h @ W)
    loss = (h * h).sum()
    peaks = []
    for keep in (True, False):
        gc.collect()
        tracemalloc.start()
        account = flow.ledger(loss, W, keep=keep)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        if keep:
            norms = account.norms
    np.testing.assert_array_equal(account.norms, norms)
    assert account.contributions is None
    assert peaks[0] > T * W.data.nbytes > 5 * peaks[1]


def test_norms_of_contributions_too_small_to_be_squared():
    w = tg.tensor(np.array(1e-30), requires_grad=True)
    h = tg.tensor(np.array(1.0))
    for t in range(9):
        with tg.step(t):
            h = w * h
    np.testing.assert_allclose(flow.ledger(h, w).norms, 1e-240, rtol=1e-10)


def test_the_table_says_which_loss_owes_what_to_which_use():
    run = elman(T=5)
    table = flow.ledger(run.losses, run.W_hh)
    assert table.norms.shape == (5, 5)
    assert table.loss_steps == table.steps == tuple(range(5))
    assert not np.triu(table.norms, 1).any()
    for t, loss in enumerate(run.losses):
        np.testing.assert_allclose(table.norms[t, : t + 1], flow.ledger(loss, run.W_hh).norms, rtol=1e-14)


def test_it_reads_a_layer_and_every_device(device):
    run = elman(T=4, device=device)
    account = flow.ledger(run.total, run.W_hh)
    assert backend.of(account.contributions).device == device
    assert close(account.contributions.sum(0), tg.grad(run.total, run.W_hh)[0].data)


def test_a_long_chain_is_no_matter():
    w = tg.tensor(np.array(1.0), requires_grad=True)
    h = tg.tensor(np.array(1.0))
    for t in range(20_000):
        with tg.step(t):
            h = w * h
    assert flow.ledger(h, w, keep=False).norms.sum() == 20_000


def test_bad_requests_get_one_clear_line():
    run = elman(T=2)
    other = tg.tensor(np.ones(2), requires_grad=True, name="other")
    with pytest.raises(ValueError, match=r"ledger: .* does not depend on other \(2,\)"):
        flow.ledger(run.total, other)
    with pytest.raises(ValueError, match="requires_grad=True"):
        flow.ledger(run.total, tg.tensor(np.ones(2)))
    with pytest.raises(ValueError, match="not a scalar"):
        flow.ledger(run.states[-1], run.W_hh)
    with pytest.raises(ValueError, match="empty"):
        flow.ledger([], run.W_hh)
    with pytest.raises(TypeError, match=r"the weight itself, .* not 'W_hh'"):
        flow.ledger(run.total, "W_hh")
    with pytest.raises(TypeError, match="not float"):
        flow.ledger(3.0, run.W_hh)
