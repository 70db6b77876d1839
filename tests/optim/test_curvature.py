"""Gauss-Newton products against J' H_L J written out: J by the complex step, H_L by its formula."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinygrad_rnn as tg
from tinygrad_rnn import nn, optim
from tinygrad_rnn.optim.curvature import GaussNewton, flatten, hessian_of, softmax_hessian, squared_hessian, unflatten

T, B, D, H, C = 4, 3, 2, 5, 4


class Net:
    """A small Elman network with a read-out, and the same in NumPy for complex numbers."""

    def __init__(self, seed, kernel="unrolled"):
        rng = np.random.default_rng(seed)
        self.rnn = nn.RNN(D, H, kernel=kernel, dtype=np.float64, rng=rng)
        self.head = nn.Linear(H, C, dtype=np.float64, rng=rng)
        self.parameters = [*self.rnn.parameters(), *self.head.parameters()]
        self.x = rng.standard_normal((T, B, D))
        self.targets = rng.integers(0, C, (T, B))
        self.v = rng.standard_normal(flatten(self.parameters).size)

    def __call__(self):
        hs, _ = self.rnn(self.x)
        return self.head(hs), hs

    def plain(self, theta):
        shapes = [p.shape for p in self.parameters]
        ends = np.cumsum([int(np.prod(s)) for s in shapes])
        W_xh, W_hh, b_h, W, b = (part.reshape(s) for part, s in zip(np.split(theta, ends[:-1]), shapes, strict=True))
        h, hs = np.zeros((B, H)), []
        for x in self.x:
            h = np.tanh(x @ W_xh + h @ W_hh + b_h)
            hs.append(h)
        return np.stack(hs) @ W + b, np.stack(hs)

    def jacobian(self, of):
        theta = flatten(self.parameters).astype(complex)
        columns = []
        for k in range(theta.size):
            theta[k] += 1e-30j
            columns.append(self.plain(theta)[of].imag.ravel() / 1e-30)
            theta[k] = theta[k].real
        return np.stack(columns, axis=1)


def softmax_matrix(logits, weight):
    """The Hessian of the cross-entropy, block by block."""
    rows = logits.reshape(-1, C)
    whole = np.zeros((rows.size, rows.size))
    for i, row in enumerate(rows):
        p = np.exp(row - row.max())
        p /= p.sum()
        whole[i * C : (i + 1) * C, i * C : (i + 1) * C] = weight * (np.diag(p) - np.outer(p, p))
    return whole


@pytest.mark.parametrize("kernel", ["unrolled", "fused"])
@pytest.mark.parametrize("seed", range(3))
def test_the_product_is_that_of_the_matrix(seed, kernel):
    net = Net(seed, kernel)
    logits, _ = net()
    J, H_L = net.jacobian(0), softmax_matrix(logits.data, 1 / B)
    expected = J.T @ H_L @ J @ net.v
    G = GaussNewton(logits, net.parameters, softmax_hessian(logits, 1 / B))
    np.testing.assert_allclose(G @ net.v, expected, rtol=1e-10, atol=1e-12)
    by_engine = hessian_of(lambda y: tg.sequence_loss(y, net.targets), logits)
    np.testing.assert_allclose(GaussNewton(logits, net.parameters, by_engine) @ net.v, expected, rtol=1e-10, atol=1e-12)


def test_several_outputs_add_up():
    net = Net(0)
    logits, hs = net()
    J, J_h, H_L = net.jacobian(0), net.jacobian(1), softmax_matrix(logits.data, 1 / B)
    H = softmax_hessian(logits, 1 / B)
    G = GaussNewton([logits, hs], net.parameters, lambda u, s: (H(u), 0.3 * s))
    np.testing.assert_allclose(G @ net.v, J.T @ H_L @ J @ net.v + 0.3 * J_h.T @ (J_h @ net.v), rtol=1e-10, atol=1e-12)


def test_squares():
    net = Net(1)
    logits, _ = net()
    J = net.jacobian(0)
    targets = np.zeros(logits.shape)
    expected = 2 / logits.size * J.T @ (J @ net.v)
    for H_L in (squared_hessian(1 / logits.size), hessian_of(lambda y: tg.mse_loss(y, targets), logits)):
        np.testing.assert_allclose(GaussNewton(logits, net.parameters, H_L) @ net.v, expected, rtol=1e-10, atol=1e-12)


def test_of_a_linear_model_it_is_the_hessian():
    rng = np.random.default_rng(0)
    x, targets = rng.standard_normal((6, D)), rng.integers(0, C, 6)
    W, v = rng.standard_normal((D, C)), rng.standard_normal((D, C))
    _, expected = tg.hvp(lambda W: tg.cross_entropy(x @ W, targets), W, v)
    leaf = tg.tensor(W, requires_grad=True)
    logits = x @ leaf
    G = GaussNewton(logits, leaf, softmax_hessian(logits, 1 / 6))
    np.testing.assert_allclose(G @ v.ravel(), expected.numpy().ravel(), rtol=1e-12)


@given(st.integers(0, 2**32 - 1))
def test_it_is_symmetric_and_never_negative(seed):
    net = Net(seed)
    logits, _ = net()
    G = GaussNewton(logits, net.parameters, softmax_hessian(logits))
    w = np.random.default_rng(seed).standard_normal(net.v.size)
    Gv = G @ net.v
    assert net.v @ Gv >= 0
    np.testing.assert_allclose(w @ Gv, net.v @ (G @ w), rtol=1e-9, atol=1e-9)


def test_a_parameter_that_is_not_used_has_no_curvature():
    net = Net(0)
    logits, _ = net()
    idle = tg.tensor(np.ones(3), requires_grad=True)
    G = GaussNewton(logits, [idle, *net.parameters], softmax_hessian(logits))
    alone = GaussNewton(logits, net.parameters, softmax_hessian(logits))
    np.testing.assert_allclose(G @ np.append(np.ones(3), net.v), np.append(np.zeros(3), alone @ net.v))


def test_on_every_device(device):
    rng = np.random.default_rng(0)
    W, x = rng.standard_normal((D, C)), rng.standard_normal((6, D))
    v = rng.standard_normal(D * C)
    results = []
    for place in (device, "cpu"):
        leaf = tg.tensor(W, requires_grad=True, device=place)
        logits = tg.tanh(tg.tensor(x, device=place) @ leaf)
        for H_L in (softmax_hessian(logits), hessian_of(lambda y: tg.sum(y * y), logits)):
            product = GaussNewton(logits, leaf, H_L) @ tg.tensor(v, device=place).data
            results.append(tg.Tensor(product).numpy())
    np.testing.assert_allclose(results[:2], results[2:], rtol=1e-12)


def test_bad_input_is_answered_in_one_line():
    net = Net(0)
    logits, _ = net()
    with pytest.raises(ValueError, match=r"the vector has shape \(3,\), the 5 parameters \d+ numbers together"):
        GaussNewton(logits, net.parameters, squared_hessian()) @ np.ones(3)
    with pytest.raises(ValueError, match="depends on no parameter"):
        GaussNewton(logits.detach(), net.parameters, squared_hessian())
    with pytest.raises(ValueError, match="no output depends on any of the 1 parameters"):
        GaussNewton(logits, tg.tensor(np.ones(3), requires_grad=True), squared_hessian())
    assert [a.shape for a in unflatten(net.v, net.parameters)] == [p.shape for p in net.parameters]
    assert optim.GaussNewton is GaussNewton
