"""Omega against its formula in NumPy, and both its gradients against finite differences."""

from __future__ import annotations

import numpy as np
import pytest

import tinygrad_rnn as tg
from tinygrad_rnn import nn
from tinygrad_rnn.optim import omega

T, B, D, H = 6, 3, 2, 4


class Task:
    """A loss after the last step, and one after the fourth."""

    def __init__(self, seed=0):
        rng = np.random.default_rng(seed)
        self.cell = nn.RNNCell(D, H, dtype=np.float64, rng=rng)
        self.cell.W_hh.data = 1.4 * self.cell.W_hh.data
        self.x, self.c = rng.standard_normal((T, B, D)), rng.standard_normal((2, B, H))
        self.h0 = rng.standard_normal((B, H))

    def run(self, create_graph=False):
        hs = [tg.tensor(self.h0, requires_grad=True)]
        for x in self.x:
            hs.append(self.cell(x, hs[-1]))
        loss = tg.sum(hs[-1] * self.c[0]) + tg.sum(hs[4] ** 2 * self.c[1])
        gradients = tg.grad(loss, hs[1:], create_graph=create_graph)
        return tg.stack(hs[:-1]), tg.stack(gradients)

    def step(self, h):
        x = self.x.reshape(T * B, D)
        return self.cell(x, tg.reshape(h, (T * B, H)))


def formula(W_xh, W_hh, x, c, h0, frozen=None):
    """Omega, for real or for complex weights; `frozen`: states and gradients that do not move with them."""
    square_norm = lambda v: (v * v).sum(-1)  # noqa: E731, of complex numbers too
    hs = [h0]
    for x_t in x:
        hs.append(np.tanh(x_t @ W_xh + hs[-1] @ W_hh))
    ds = [c[0]]
    for k in range(T, 1, -1):  # dE/dh_k to dE/dh_{k-1}
        ds.insert(0, (ds[0] * (1 - hs[k] ** 2)) @ W_hh.T + (2 * hs[k - 1] * c[1] if k - 1 == 4 else 0))
    if frozen:
        hs, ds = frozen
    total = 0
    for k in range(T):
        new = np.tanh(x[k] @ W_xh + hs[k] @ W_hh)
        before = (ds[k] * (1 - new**2)) @ W_hh.T
        total = total + (np.sqrt(square_norm(before) / square_norm(ds[k])) - 1) ** 2
    return total.sum() / B, (hs, ds)


def complex_step(f, W):
    gradient = np.empty(W.shape)
    for i in np.ndindex(W.shape):
        z = W.astype(complex)
        z[i] += 1e-30j
        gradient[i] = f(z).imag / 1e-30
    return gradient


def test_its_value_is_the_formulas():
    task = Task()
    value, _ = formula(task.cell.W_xh.numpy(), task.cell.W_hh.numpy(), task.x, task.c, task.h0)
    states, gradients = task.run()
    assert value > 0.1
    for s, g in ((states, gradients), (states.detach(), gradients), (states.numpy(), gradients.numpy())):
        assert omega(task.step, s, g).item() == pytest.approx(value, rel=1e-12)


def test_the_papers_gradient_holds_states_and_errors_still():
    task = Task(1)
    W_xh, W_hh = task.cell.W_xh.numpy(), task.cell.W_hh.numpy()
    _, frozen = formula(W_xh, W_hh, task.x, task.c, task.h0)
    states, gradients = task.run()
    found = tg.grad(omega(task.step, states.detach(), gradients), [task.cell.W_hh, task.cell.W_xh])
    by_W_hh = complex_step(lambda W: formula(W_xh, W, task.x, task.c, task.h0, frozen)[0], W_hh)
    by_W_xh = complex_step(lambda W: formula(W, W_hh, task.x, task.c, task.h0, frozen)[0], W_xh)
    np.testing.assert_allclose(found[0].numpy(), by_W_hh, rtol=1e-9, atol=1e-11)
    np.testing.assert_allclose(found[1].numpy(), by_W_xh, rtol=1e-9, atol=1e-11)


def test_the_exact_gradient_moves_them():
    task = Task(2)
    W_xh, W_hh = task.cell.W_xh.numpy(), task.cell.W_hh.numpy()
    states, gradients = task.run(create_graph=True)
    found = tg.grad(omega(task.step, states, gradients), [task.cell.W_hh, task.cell.W_xh])
    by_W_hh = complex_step(lambda W: formula(W_xh, W, task.x, task.c, task.h0)[0], W_hh)
    by_W_xh = complex_step(lambda W: formula(W, W_hh, task.x, task.c, task.h0)[0], W_xh)
    np.testing.assert_allclose(found[0].numpy(), by_W_hh, rtol=1e-9, atol=1e-11)
    np.testing.assert_allclose(found[1].numpy(), by_W_xh, rtol=1e-9, atol=1e-11)


def test_an_orthogonal_linear_network_has_none():
    Q, _ = np.linalg.qr(np.random.default_rng(0).standard_normal((H, H)))
    W = tg.tensor(Q, requires_grad=True)
    error = np.random.default_rng(1).standard_normal((T, B, H))
    assert omega(lambda h: h @ W, np.zeros((T, B, H)), error).item() == pytest.approx(0, abs=1e-24)


def test_steps_that_no_error_reaches_count_nothing():
    task = Task()
    states, gradients = task.run()
    some = gradients.numpy().copy()
    some[2:, 1] = 0
    value = omega(task.step, states.numpy(), some)
    whole = np.stack([omega(lambda h, k=k: task.cell(task.x[k], h[0]), states.numpy()[k : k + 1],
                            np.where(np.arange(B)[:, None] == b, some[k : k + 1], 0)).item()
                      for k in range(T) for b in range(B) if some[k, b].any()])  # fmt: skip
    assert value.item() == pytest.approx(whole.sum())
    (g,) = tg.grad(value, [task.cell.W_hh])
    assert np.isfinite(g.numpy()).all()


def test_an_error_that_dies_at_once_counts_one_and_pulls_at_nothing():
    W = tg.tensor(np.zeros((H, H)), requires_grad=True)
    value = omega(lambda h: h @ W, np.zeros((T, B, H)), np.ones((T, B, H)))
    assert value.item() == T
    assert not tg.grad(value, W)[0].numpy().any()


def test_bad_input_is_answered_in_one_line():
    with pytest.raises(ValueError, match=r"states \(2, 3, 4\) and gradients \(3, 3, 4\) must both be"):
        omega(lambda h: h, np.zeros((2, 3, 4)), np.zeros((3, 3, 4)))
