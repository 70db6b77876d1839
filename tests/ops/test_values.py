"""Where values meet their limits: ties, corners, extremes, dtypes."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinygrad_rnn as tg
from tests.ops.tools import BINARY, few, gradient, leaf

# Ties and corners


@pytest.mark.parametrize("f", [tg.max, tg.min])
def test_ties_of_extremes_share_equally(f):
    assert gradient(f, [2.0, 2.0, 2.0]).tolist() == [1 / 3] * 3
    x = np.array([[1.0, 1.0, 0.0], [0.0, 1.0, 1.0]])
    got = gradient(lambda x: f(x, axis=1), x)
    best = x == f(x, axis=1, keepdims=True)
    np.testing.assert_allclose(got, best / best.sum(1, keepdims=True))


@pytest.mark.parametrize("f", [tg.maximum, tg.minimum])
def test_ties_of_two_share_equally(f):
    gx, gy = gradient(f, [1.0, 2.0], [1.0, 3.0])
    assert (gx + gy).tolist() == [1.0, 1.0]
    assert gx[0] == gy[0] == 0.5
    assert gradient(lambda x: f(x, x), [1.0, 2.0]).tolist() == [1.0, 1.0]


@pytest.mark.parametrize(
    ("f", "slope"), [(tg.relu, 0), (tg.abs, 0), (tg.leaky_relu, 0.01), (tg.elu, 1), (tg.sign, None)]
)
def test_the_derivative_at_zero(f, slope):
    if slope is None:
        assert not f(leaf(0.0)).requires_grad
    else:
        assert gradient(f, 0.0) == slope


def test_clip_passes_the_gradient_at_its_ends():
    assert gradient(lambda x: tg.clip(x, -1, 1), [-2.0, -1, 0, 1, 2]).tolist() == [0, 1, 1, 1, 0]


def test_powers_at_the_corners():
    assert gradient(lambda x: x**0, [0.0, 2.0, -3.0]).tolist() == [0, 0, 0]
    assert gradient(lambda x: x**1, [0.0, 2.0]).tolist() == [1, 1]
    assert gradient(lambda x: x**2.0, [0.0, -3.0]).tolist() == [0, -6]
    assert gradient(lambda x: x**3, -2.0) == 12
    gx, gn = gradient(tg.power, [0.0, 0.0, 2.0], [0.0, 2.0, 0.0])
    assert gx.tolist() == [0, 0, 0]
    np.testing.assert_allclose(gn, [0, 0, np.log(2)])


@few
@given(st.floats(0.1, 3), st.sampled_from([-2.0, -1.0, 0.0, 1.0, 2.0, 3.0]))
def test_powers_mixed_second_derivative(x, n):
    """d2(x^n)/dx dn = x^(n-1) (1 + n log x), at n = 0 too."""
    a, b = leaf(x), leaf(n)
    (dx,) = tg.grad(a**b, a, create_graph=True)
    assert tg.grad(dx, b)[0].item() == pytest.approx(x ** (n - 1) * (1 + n * math.log(x)), rel=1e-12)


def test_where_takes_scalars_and_has_no_gradient_for_its_condition():
    x = leaf([1.0, -1.0], np.float32)
    assert tg.where(x > 0, 1.0, 0.0).dtype == np.float32
    assert (x * tg.where(x > 0, 1, 0.0)).dtype == (x * tg.where(x > 0, 1, 0)).dtype == np.float32
    assert tg.where(x > 0, True, False).dtype == bool
    assert tg.gradcheck(lambda x: tg.where(x > 0, tg.exp(x), 0.0), [np.array(0.7)], order=2)
    assert tg.where(x > 0, x, 0).dtype == np.float32
    g = tg.grad(tg.sum(tg.where(x, x, 2.0)), x)[0]
    assert g.tolist() == [1.0, 1.0]
    nan = tg.where(x > 0, tg.sqrt(tg.where(x > 0, x, 1.0)), 0.0)  # the safe form of a root with an edge
    assert tg.grad(tg.sum(nan), x)[0].tolist() == [0.5, 0.0]


def test_clip_on_one_side():
    x = [-2.0, -1.0, 0.0, 1.0, 2.0]
    for low, high, slope in ((None, 1, [1, 1, 1, 1, 0]), (-1, None, [0, 1, 1, 1, 1]), (None, None, [1] * 5)):
        f = lambda x, low=low, high=high: tg.clip(x, low, high)  # noqa: E731
        assert f(leaf(x)).tolist() == np.clip(x, low if low is not None else -9, high).tolist()
        assert gradient(f, x).tolist() == slope


# Extremes


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("size", [1e3, 1e4])
@pytest.mark.parametrize("f", [tg.sigmoid, tg.tanh, tg.softplus, tg.elu, tg.logsumexp, tg.softmax, tg.log_softmax,
                               lambda x: tg.cross_entropy(x, [0, 1, 2, 0]),
                               lambda x: tg.binary_cross_entropy(x, x * 0.0),
                               lambda x: tg.binary_cross_entropy(x, x * 0.0 + 1)])  # fmt: skip
def test_large_numbers_stay_finite(f, size, dtype):
    x = leaf([[size, -size, 0], [-size, -size, -size], [size, size, size], [0, 1, -size]], dtype)
    y = f(x)
    (g,) = tg.grad(tg.sum(y), x, create_graph=True)
    assert np.isfinite(y.numpy()).all()
    assert np.isfinite(g.numpy()).all()
    assert y.dtype == g.dtype == dtype


@pytest.mark.parametrize("x", [-80.0, -20.0, -5.0, 0.0, 5.0, 20.0])
def test_small_probabilities_keep_their_digits_in_float32(x):
    """sigmoid, softplus and the binary loss against 64 bits: a gate that is nearly shut is not quite shut."""
    t = leaf(x, np.float32)
    sigmoid = 1 / (1 + math.exp(-x))
    assert tg.sigmoid(t).item() == pytest.approx(sigmoid, rel=1e-6)
    assert tg.softplus(t).item() == pytest.approx(math.log1p(math.exp(x)) if x < 30 else x, rel=1e-6)
    assert tg.binary_cross_entropy(t, np.float32(1)).item() == pytest.approx(math.log1p(math.exp(-x)), rel=1e-6)


def test_softplus_and_sigmoid_at_infinity():
    x = [np.inf, -np.inf]
    assert tg.softplus(leaf(x)).tolist() == [np.inf, 0.0]
    assert gradient(tg.softplus, x).tolist() == tg.sigmoid(leaf(x)).tolist() == [1.0, 0.0]


def test_log_softmax_where_softmax_underflows():
    assert tg.log_softmax(leaf([0.0, -2000.0])).tolist() == [0.0, -2000.0]


# Dtypes

SCALARS = [2, 0.5, True, np.float64(0.5), np.float32(0.5), np.float16(0.5), np.int64(2), np.sqrt(2)]


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("scalar", SCALARS, ids=lambda s: f"{type(s).__name__} {s}")
@pytest.mark.parametrize("f", [*BINARY, tg.power, lambda x, s: tg.where(x > 1, x, s), lambda x, s: tg.leaky_relu(x, s),
                               lambda x, s: tg.elu(x, s), lambda x, s: tg.clip(x, 0, s)])  # fmt: skip
def test_a_scalar_never_changes_the_dtype(f, scalar, dtype):
    x = leaf([0.5, 1.5], dtype)
    ys = [f(x, scalar), *([f(scalar, x)] if f in BINARY else [])]
    for y in ys:
        assert y.dtype == dtype
        assert tg.grad(tg.sum(y), x, create_graph=True)[0].dtype == dtype


@pytest.mark.parametrize("f", [tg.sum, tg.mean, tg.var, tg.max, tg.logsumexp, lambda x: x[0, 0], lambda x: x * x.sum()])
def test_results_are_arrays_of_the_same_dtype(f):
    y = f(leaf(np.ones((2, 2)), np.float32))
    assert isinstance(y.data, np.ndarray)
    assert y.dtype == np.float32


def test_integers_have_no_history():
    x = leaf([1.5, 2.5])
    assert not tg.astype(x, np.int64).requires_grad
    assert not x.argmax().requires_grad


@pytest.mark.parametrize("number", [0.0, 1, np.float64(0.5), True])
def test_numbers_among_tensors_take_their_dtype(number):
    a, b = leaf([1.0, 2.0], np.float32), leaf(3.0, np.float32)
    for y in (tg.stack([a[0], number]), tg.stack([number, b, a[1]]), tg.concat([a, [number]]),
              tg.stack([[number], [b.item()], a[:1]])):  # fmt: skip
        assert y.dtype == np.float32
        assert float(number) in y.numpy().ravel()
        assert tg.grad(tg.sum(y), a, allow_unused=True)[0].dtype == np.float32
