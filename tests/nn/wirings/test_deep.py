"""Depth inside the step, against loops in NumPy and differences; the length of the ways, by formula and counted."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tinygrad_rnn as tg
from tinygrad_rnn import nn
from tinygrad_rnn.nn.wirings import DeepRNN, measured_path_length, path_length

T, B, D, H = 4, 2, 3, 5
x = np.random.default_rng(0).standard_normal((T, B, D))


def deep(transition_depth=3, input_depth=2, skip=True, **options):
    layer = DeepRNN(D, H, transition_depth=transition_depth, input_depth=input_depth, skip=skip, dtype=np.float64,
                    rng=0, **options)  # fmt: skip
    rng = np.random.default_rng(1)
    for p in layer.parameters():
        p.data = rng.uniform(-0.8, 0.8, p.shape)
    return layer


@pytest.mark.parametrize("skip", [True, False])
def test_a_deep_transition_is_its_equations(skip):
    layer = deep(skip=skip)
    p = {name.removeprefix("layers.0.forward."): v.numpy() for name, v in layer.named_parameters()}
    assert len(p) == 3 + 2 + 4 + skip
    outputs, h = layer(x)
    state = np.zeros((B, H))
    for t in range(T):
        u = np.tanh(x[t] @ p["W_xh"] + p["b_u.0"]) @ p["W_u.0"]
        a = np.tanh(u + state @ p["W_hh"] + p["b_h"])
        a = np.tanh(a @ p["W_a.0"] + p["b_a.0"])
        a = a @ p["W_a.1"] + p["b_a.1"]
        state = np.tanh(a + state @ p["W_skip"] if skip else a)
        np.testing.assert_allclose(outputs.numpy()[t], state, atol=1e-12)
    np.testing.assert_allclose(h.numpy(), state, atol=1e-12)


def test_one_layer_of_each_is_the_simple_recurrence():
    layer, simple = deep(1, 1, False), nn.RNN(D, H, dtype=np.float64)
    simple.load_state_dict(layer.state_dict())
    np.testing.assert_allclose(layer(x)[0].numpy(), simple(x)[0].numpy(), atol=1e-12)


def test_a_deep_layer_takes_masks_indices_and_both_directions():
    layer = deep(bidirectional=True, merge="sum", num_layers=2)
    ids = np.random.default_rng(2).integers(0, D, (T, B))
    np.testing.assert_allclose(layer(ids)[0].numpy(), layer(np.eye(D)[ids])[0].numpy(), atol=1e-12)
    mask = np.arange(T)[:, None] < [4, 2]
    outputs, _ = layer(x, mask=mask)
    alone, _ = layer(x[:2, 1:])
    np.testing.assert_allclose(outputs.numpy()[:2, 1:], alone.numpy(), atol=1e-12)
    assert not outputs.numpy()[2:, 1].any()


@pytest.mark.parametrize("skip", [True, False])
def test_gradients_of_a_deep_transition(skip):
    layer = deep(skip=skip)
    cell = layer.layers[0].forward

    def loss(x, h, W_hh, W_a):
        old, cell.W_hh = cell.W_hh, W_hh
        first, cell.W_a[0] = cell.W_a[0], W_a
        outputs, _ = layer(x, h)
        cell.W_hh, cell.W_a[0] = old, first
        return tg.sum(outputs * outputs)

    h = np.random.default_rng(3).standard_normal((1, H))
    arrays = (x[:3, :1], h, cell.W_hh.numpy(), cell.W_a[0].numpy())
    assert tg.gradcheck(loss, arrays, method="complex", order=2)


@given(st.integers(1, 3), st.integers(1, 4), st.integers(1, 3), st.booleans(), st.integers(1, 5))
@settings(max_examples=40, deadline=None)
def test_the_formula_of_the_path_length_is_what_is_counted_in_the_graph(layers, depth, inner, skip, lag):
    skip = skip and depth > 1
    stack = DeepRNN(2, 3, layers, transition_depth=depth, input_depth=inner, skip=skip, kernel="unrolled", rng=0)
    h0 = tg.tensor(np.zeros((1, 3), np.float32), requires_grad=True)
    outputs, _ = stack(np.ones((lag, 1, 2), np.float32), h0 if layers == 1 else (h0, *[None] * (layers - 1)))
    assert path_length(stack, lag) == measured_path_length(h0, outputs[-1])


@given(st.integers(1, 5), st.integers(1, 8))
@settings(max_examples=20, deadline=None)
def test_so_is_that_of_a_stack_of_simple_layers_and_of_what_was_fused(layers, lag):
    stack = nn.RNN(2, 3, layers, kernel="fused", rng=0)
    h0 = tg.tensor(np.zeros((1, 3), np.float32), requires_grad=True)
    outputs, _ = stack(np.ones((lag, 1, 2), np.float32), h0 if layers == 1 else (h0, *[None] * (layers - 1)))
    assert path_length(stack, lag) == measured_path_length(h0, outputs[-1]) == (lag + layers - 1,) * 2


def test_a_gate_shortens_the_way_to_nothing():
    c0 = tg.tensor(np.zeros((1, 3)), requires_grad=True)
    with tg.trace():
        _, (h, c) = nn.LSTM(2, 3, dtype=np.float64, rng=0)(np.ones((6, 1, 2)), (tg.tensor(np.zeros((1, 3))), c0))
    assert measured_path_length(c0, c) == (0, 5)  # the conveyor, or out through o and in again, but for one end
    assert measured_path_length(c0, h).shortest == 0


@pytest.mark.parametrize(("call", "line"), [
    (lambda: deep(0), "depths must be at least 1, not 0 and 2"),
    (lambda: deep(1, skip=True), "nothing to skip: transition_depth=2"),
    (lambda: path_length(nn.GRU(2, 3), 4), "no formula for a GRUCell"),
    (lambda: path_length(nn.RNN(2, 3), -1), "a lag of 0 or more in one direction, not -1"),
    (lambda: path_length(nn.RNN(2, 3, bidirectional=True), 1), "in one direction, not 1 in RNN"),
    (lambda: measured_path_length(tg.tensor([1.0]), tg.tensor([2.0], requires_grad=True) * 2), "nothing leads from"),
])  # fmt: skip
def test_what_cannot_be_is_told_in_one_line(call, line):
    with pytest.raises(ValueError, match=line) as told:
        call()
    assert "\n" not in str(told.value)
