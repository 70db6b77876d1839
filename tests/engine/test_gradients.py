"""Gradients of gradients, of small shapes and dtypes, and of tensors read piece by piece."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

import tinygrad_rnn as tg


def leaf(x, **options) -> tg.Tensor:
    return tg.tensor(np.asarray(x, np.float64), requires_grad=True, **options)


# Higher orders


def test_derivatives_of_any_order():
    x = leaf(2.0)
    y = x**5
    for expected in (80, 160, 240, 240, 120):
        (y,) = tg.grad(y, x, create_graph=True)
        assert y.item() == pytest.approx(expected)


def test_backward_with_create_graph_gives_grads_that_can_be_differentiated():
    x = leaf(3.0)
    (x**3).backward(create_graph=True)
    g, x.grad = x.grad, None
    assert g.item() == 27
    g.backward()
    assert x.grad.item() == 18


def test_a_seed_can_be_differentiated():
    x, u = leaf([1.0, 2.0]), leaf([1.0, 1.0])
    (g,) = tg.grad(x**3, x, u, create_graph=True)
    assert tg.grad(tg.sum(g), u)[0].tolist() == [3.0, 12.0]


def test_create_graph_names_a_parameter_that_was_rebound():
    W = leaf([1.0, 2.0], name="W_hh")
    y = tg.sum(W * W)
    W.data = W.data - 0.1
    with pytest.raises(RuntimeError, match=r"W_hh \(2,\) was rebound .* before the step"):
        tg.grad(y, W, create_graph=True)
    assert tg.grad(y, W)[0].tolist() == [2.0, 4.0]  # the graph kept the numbers that it used


# Dtypes, and shapes at the end of the scale


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_gradients_have_their_owners_dtype(dtype):
    x, w = tg.tensor(np.ones(3, dtype), requires_grad=True), tg.tensor(np.ones(3, np.float64), requires_grad=True)
    y = tg.sum(x * w + tg.tanh(x))
    for create_graph in (False, True):
        gx, gw = tg.grad(y, (x, w), create_graph=create_graph)
        assert (gx.dtype, gw.dtype) == (dtype, np.float64)
    y.backward()
    y.backward()
    assert x.grad.dtype == dtype


@pytest.mark.parametrize("shape", [(), (0,), (0, 3), (1,), (1, 1)])
def test_backward_of_small_shapes(shape):
    x = leaf(np.ones(shape))
    tg.sum(x * x + x).backward()
    assert x.grad.shape == shape
    assert isinstance(x.grad.data, np.ndarray)
    np.testing.assert_array_equal(x.grad.numpy(), np.full(shape, 3.0))


@pytest.mark.parametrize(("grad", "line"), [
    (None, r"is not a scalar: give grad="),
    (np.ones(3), r"the gradient given has shape \(3,\), the output \(2,\)")])  # fmt: skip
def test_backward_checks_its_seed(grad, line):
    with pytest.raises(ValueError, match=line):
        (leaf([1.0, 2.0]) * 2).backward(grad)


def test_backward_without_history_says_why():
    with pytest.raises(
        RuntimeError, match="no gradient to send back: it does not require one: make a leaf with requires_grad"
    ):
        tg.tensor(1.0).backward()
    with pytest.raises(ValueError, match="does not require a gradient"):
        tg.grad(leaf(1.0) * 2, tg.tensor(1.0))


# Memory


def peak(f) -> int:
    tracemalloc.start()
    f()
    size = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return size


@pytest.mark.parametrize("read", [lambda X, t: X[t], lambda X, t: X[t, :, :2], lambda X, t: tg.take(X, [t])])
def test_reading_step_by_step_shares_one_buffer(read):
    """T reads of X (T, B, D) add into one buffer of its size: no second one, which each read on its own would need."""
    X = leaf(np.ones((1024, 8, 16)))
    loss = sum(tg.sum(read(X, t)) for t in range(1024))
    assert peak(lambda: tg.grad(loss, X)) < 1.5 * X.data.nbytes


def test_reading_4096_steps_gives_the_right_gradient():
    X = leaf(np.ones((4096, 2, 3)))
    loss = 0
    for t in range(4096):
        loss = loss + tg.sum(X[t]) * t
    loss.backward()
    np.testing.assert_array_equal(X.grad.numpy()[:, 0, 0], np.arange(4096.0))


def test_indexing_into_the_middle_of_a_graph_mixes_with_other_uses():
    x = leaf(np.ones((3, 2)))
    y = x * 2
    loss = tg.sum(y[0]) + tg.sum(y) + tg.sum(y[0] * 3) + tg.sum(tg.take(y, [2, 2]))
    loss.backward()
    assert x.grad.tolist() == [[10, 10], [2, 2], [6, 6]]
