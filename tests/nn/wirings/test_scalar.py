"""The smallest of all: one weight each, whose derivatives stand on the lecture's slide."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

import tinygrad_rnn as tg
from tinygrad_rnn import nn

weights = st.floats(-2, 2)


@given(weights, weights, weights, weights, st.lists(weights, min_size=1, max_size=6))
def test_the_scalar_rnn_multiplies_sigma_prime_by_w_in_each_step(w_h, w_x, b, h0, xs):
    """h_t = tanh(w_h h_{t-1} + w_x x_t + b), and dh_t/dh_{t-1} = tanh'(.) w_h."""
    cell = nn.RNNCell(1, 1, dtype=np.float64)
    for parameter, value in ((cell.W_xh, w_x), (cell.W_hh, w_h), (cell.b_h, b)):
        parameter.data = np.full(parameter.shape, value)
    start = tg.tensor([[h0]], dtype=np.float64, requires_grad=True)
    h, number, product = start, h0, 1.0
    for x in xs:
        before, h = h, cell(np.array([[x]]), h)
        number = np.tanh(w_h * number + w_x * x + b)
        slope = (1 - number**2) * w_h
        product *= slope
        (one,) = tg.grad(h, [before])
        np.testing.assert_allclose([h.item(), one.item()], [number, slope], atol=1e-12)
    (all_the_way,) = tg.grad(h, [start])
    np.testing.assert_allclose(all_the_way.item(), product, atol=1e-12)


@given(weights, weights, weights)
def test_the_scalar_layer_has_the_slope_g_prime_times_w(w, b, x):
    """y = g(w x + b), and dy/dx = g'(w x + b) w, with g the logistic function."""
    layer = nn.Linear(1, 1, dtype=np.float64)
    layer.W.data, layer.b.data = np.array([[w]]), np.array([b])
    leaf = tg.tensor([[x]], dtype=np.float64, requires_grad=True)
    y = tg.sigmoid(layer(leaf))
    g = 1 / (1 + np.exp(-(w * x + b)))
    (slope,) = tg.grad(y, [leaf])
    np.testing.assert_allclose([y.item(), slope.item()], [g, g * (1 - g) * w], atol=1e-12)
