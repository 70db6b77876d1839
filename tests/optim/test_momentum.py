"""Momentum in Sutskever's form: against SGD, its theorem on quadratics, and a path by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinygrad_rnn as tg
from tinygrad_rnn import optim
from tinygrad_rnn.optim import Momentum, momentum_path, momentum_schedule


def quadratic(seed, n=5):
    """A symmetric positive definite A with its eigenvalues and -vectors, b, and a start."""
    rng = np.random.default_rng(seed)
    vectors, _ = np.linalg.qr(rng.standard_normal((n, n)))
    values = rng.uniform(0.1, 1.9, n)
    return (vectors * values) @ vectors.T, values, vectors, rng.standard_normal(n), rng.standard_normal(n)


def trained(optimizer, p, A, b, steps, ahead):
    path = [p.numpy().copy()]
    for _ in range(steps):
        optimizer.zero_grad()
        if ahead:
            with optimizer.look_ahead():
                (0.5 * tg.sum((p @ A) * p) - tg.sum(p * b)).backward()
        else:
            (0.5 * tg.sum((p @ A) * p) - tg.sum(p * b)).backward()
        optimizer.step()
        path.append(p.numpy().copy())
    return np.stack(path)


@given(st.integers(0, 2**32 - 1), st.floats(0.0, 0.99), st.floats(0.01, 0.5))
def test_nesterovs_is_classical_with_a_smaller_momentum_along_each_eigenvector(seed, mu, lr):
    A, values, vectors, b, start = quadratic(seed)
    path = np.stack(momentum_path(lambda w: A @ w - b, start, 30, lr, mu, nesterov=True)) @ vectors
    for i, value in enumerate(values):
        beta = vectors[:, i] @ b
        alone = momentum_path(lambda w: value * w - beta, vectors[:, i] @ start, 30, lr, mu * (1 - lr * value))  # noqa: B023
        np.testing.assert_allclose(path[:, i], alone, rtol=0, atol=1e-12 * max(1, np.abs(alone).max()))


@pytest.mark.parametrize("nesterov", [False, True])
def test_the_optimizer_takes_the_same_path(nesterov):
    A, _, _, b, start = quadratic(0)
    p = tg.tensor(start, requires_grad=True)
    path = trained(Momentum(p, 0.3, 0.8), p, A, b, 20, nesterov)
    np.testing.assert_allclose(path, momentum_path(lambda w: A @ w - b, start, 20, 0.3, 0.8, nesterov), rtol=1e-12)


def test_sgds_nesterov_stands_where_this_one_looks():
    A, _, _, b, start = quadratic(1)
    p, q = (tg.tensor(start, requires_grad=True) for _ in range(2))
    ours = trained(Momentum(p, 0.3, 0.8), p, A, b, 20, ahead=True)
    theirs = trained(optim.SGD(q, 0.3, momentum=0.8, nesterov=True), q, A, b, 20, ahead=False)
    velocities = np.diff(ours, axis=0)
    np.testing.assert_allclose(theirs[1:], ours[1:] + 0.8 * velocities, rtol=1e-12)


def test_sgds_classical_is_the_same():
    A, _, _, b, start = quadratic(2)
    p, q = (tg.tensor(start, requires_grad=True) for _ in range(2))
    ours = trained(Momentum(p, 0.3, 0.8), p, A, b, 20, ahead=False)
    theirs = trained(optim.SGD(q, 0.3, momentum=0.8), q, A, b, 20, ahead=False)
    np.testing.assert_allclose(ours, theirs, rtol=1e-12)


def test_the_schedule():
    expected = [1 - 2 ** (-1 - np.log2(np.floor(t / 250) + 1)) for t in range(0, 3000, 100)]
    assert [momentum_schedule(t, 0.99) for t in range(0, 3000, 100)] == pytest.approx(np.minimum(expected, 0.99))


def test_looking_ahead_ends_also_after_an_error():
    p = tg.tensor([1.0, 2.0], requires_grad=True)
    optimizer = Momentum(p, 0.5, 0.5)
    p.grad = tg.tensor([1.0, 1.0])
    optimizer.step()
    ahead = []

    def fails():
        with optimizer.look_ahead():
            ahead.extend(p.tolist())
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fails()
    assert (ahead, p.tolist()) == ([0.25, 1.25], [0.5, 1.5])


def test_a_saved_state_goes_on():
    A, _, _, b, start = quadratic(3)
    p, q = (tg.tensor(start, requires_grad=True) for _ in range(2))
    first, second = Momentum(p, 0.3, 0.8), Momentum(q, 1.0, 0.1)
    trained(first, p, A, b, 5, ahead=True)
    second.load_state_dict(first.state_dict())
    q.data = p.data.copy()
    np.testing.assert_array_equal(trained(first, p, A, b, 5, True), trained(second, q, A, b, 5, True))


def test_on_every_device(device):
    ends = []
    for place in (device, "cpu"):
        p = tg.tensor([1.0, -2.0], requires_grad=True, device=place, dtype=np.float64)
        optimizer = Momentum(p, 0.3, 0.8)
        for _ in range(4):
            optimizer.zero_grad()
            with optimizer.look_ahead():
                tg.sum(p * p).backward()
            optimizer.step()
        ends.append(p.numpy())
    np.testing.assert_allclose(ends[0], ends[1], rtol=1e-12)
