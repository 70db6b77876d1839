"""States found in a graph, their gradients, norms by lag and horizons."""

from __future__ import annotations

import numpy as np
import pytest

import tinygrad_rnn as tg
from tests.flow.runs import elman, lstm
from tinygrad_rnn import flow


def test_a_state_is_made_in_one_step_and_used_in_the_next():
    run = elman(T=4)
    found = flow.find_states(run.total)
    assert list(found) == ["tanh"]
    assert [x.node for x in found["tanh"]] == [x.node for x in run.states[1:]]


def test_a_running_total_is_no_state_but_a_scalar_state_is():
    w, h, total = tg.tensor(np.array(0.5), requires_grad=True), tg.tensor(np.array(1.0)), 0.0
    for t in range(4):
        with tg.step(t):
            h = (w * h).named(f"h_{t}")
            total = total + h * h
    assert {name: len(xs) for name, xs in flow.find_states(total).items()} == {"h": 4}


def test_an_lstm_has_two_and_two_layers_have_four():
    cells = [tg.nn.LSTMCell(3, 3, rng=0, name="first"), tg.nn.LSTMCell(3, 3, rng=1, name="second")]
    states, xs = [None, None], np.ones((5, 2, 3), np.float32)
    for t in range(5):
        with tg.step(t):
            x = tg.tensor(xs[t])
            for i, cell in enumerate(cells):
                states[i] = cell(x, states[i])
                x = states[i][0]
    found = flow.find_states(x.sum())
    assert sorted(found) == ["first/c", "first/h", "second/c", "second/h"]
    assert all([x.step for x in xs] == [0, 1, 2, 3, 4] for xs in found.values())


def test_names_of_layers_are_all_told_apart_by_their_scopes():
    outputs, _ = tg.nn.GRU(3, 4, num_layers=3, rng=0)(tg.tensor(np.ones((4, 2, 3), np.float32)))
    names = ["gru/layer 0/h", "gru/layer 1/h", "gru/layer 2/h"]
    assert list(flow.find_states(outputs.sum())) == names
    assert list(flow.horizon(flow.by_lag(outputs[3].sum()))) == names


def test_states_of_one_operation_are_all_numbered():
    w = tg.tensor(0.5, requires_grad=True)
    a = b = tg.tensor(1.0)
    for t in range(4):
        with tg.step(t):
            a = tg.tanh(w * a)
            b = tg.tanh(w * b + a)
    assert list(flow.find_states(b)) == ["tanh 1", "tanh 2"]


def test_results_are_told_in_a_line():
    run = elman(T=5)
    assert repr(flow.by_lag(run.losses[-1], run.states)).startswith("<lags 0 to 5: norms ")
    assert repr(flow.state_gradients(run.total)["tanh"]).startswith("<state gradients: 5 states, norms ")


def test_state_gradients_are_those_of_a_leaf_in_their_place():
    """dL/dh_t, by running the rest of the net again from a leaf that holds h_t."""
    run = elman(T=5)
    result = flow.state_gradients(run.total, run.states)
    assert result.steps == (None, 0, 1, 2, 3, 4)
    for k, h_k in enumerate(run.states):
        leaf = tg.tensor(h_k.data, requires_grad=True)
        h, rest = leaf, (leaf * leaf).mean() if k else 0.0
        for t in range(k, 5):
            h = tg.tanh(run.X[t] @ run.W_xh + run.b_h + h @ run.W_hh)
            rest = rest + (h * h).mean()
        expected = tg.grad(rest, leaf)[0].data
        np.testing.assert_allclose(result.gradients[k], expected, rtol=1e-12)
        np.testing.assert_allclose(result.norms[k], np.linalg.norm(expected), rtol=1e-12)
    np.testing.assert_array_equal(flow.state_gradients(run.total)["tanh"].norms, result.norms[1:])
    assert run.W_hh.grad is None


def test_every_device_is_read(device):
    run, here = elman(T=3, device=device), elman(T=3)
    np.testing.assert_allclose(flow.by_lag(run.losses, run.states).norms, flow.by_lag(here.losses, here.states).norms)
    norms = flow.jacobian_products(run.states).norms
    np.testing.assert_allclose(norms, flow.jacobian_products(here.states).norms, rtol=1e-12)
    assert flow.jacobian_products(run.states).carousel.shape == (3, 5)


@pytest.mark.parametrize(("layer", "names"), [("RNN", ["h"]), ("LSTM", ["c", "h"]), ("GRU", ["h"])])
def test_the_states_of_a_layer_are_found(layer, names):
    net = getattr(tg.nn, layer)(3, 4, rng=0, dtype=np.float64)
    outputs, _ = net(tg.tensor(np.random.default_rng(0).normal(size=(5, 2, 3))))
    found = flow.find_states(outputs[4].sum())
    assert sorted(found) == names
    assert all([x.step for x in states] == [0, 1, 2, 3, 4] for states in found.values())
    W = dict(net.named_parameters())["layers.0.forward.W_hh"]
    assert flow.ledger(outputs.sum(), W).steps == (0, 1, 2, 3, 4)


def test_a_state_after_the_loss_has_gradient_zero():
    run = elman(T=4)
    assert flow.state_gradients(run.losses[1], run.states).norms[-2:].tolist() == [0, 0]


def test_norms_by_lag_of_the_scalar_linear_net():
    w0, T = 0.5, 6
    w, h, losses = tg.tensor(np.array(w0), requires_grad=True), tg.tensor(np.array(1.0), requires_grad=True), []
    states = [h]
    for t in range(T):
        with tg.step(t):
            h = w * h
            states.append(h)
            losses.append(h * (t + 1))  # dL_t/dh_k = (t+1) w^(t-k)
    lags = flow.by_lag(losses, states)
    expected = [w0**lag * np.mean(range(max(lag, 1), T + 1)) for lag in range(T + 1)]  # the losses with t + 1 >= lag
    np.testing.assert_allclose(lags.norms, expected, rtol=1e-14)
    assert lags.counts.tolist() == [6, 6, 5, 4, 3, 2, 1]
    assert flow.by_lag(losses[-1])["multiply"].norms.tolist() == [6 * w0**lag for lag in range(T)]
    assert flow.by_lag(losses[-1] * 2.0, states).norms[0] == 12  # made in no step: counted from its last state


def test_a_layer_that_reads_backwards_counts_its_lags_the_other_way():
    w, h = tg.tensor(np.array(0.5), requires_grad=True), tg.tensor(np.array(1.0))
    for t in reversed(range(4)):
        with tg.step(t):
            h = w * h
            loss = h * 1.0
    assert flow.by_lag(loss)["multiply"].norms.tolist() == [1, 0.5, 0.25, 0.125]


def test_the_lstm_with_a_closed_input_keeps_its_cell_gradient_by_the_forget_gate():
    run = lstm(T=6, scale=0.0, forget=2.0)  # gates that see neither x nor h
    cells = [c for _, c in run.states]
    f = 1 / (1 + np.exp(-2.0))
    norms = flow.by_lag(cells[-1].sum(), cells).norms
    np.testing.assert_allclose(norms, np.sqrt(8) * f ** np.arange(7), rtol=1e-12)
    assert flow.horizon(norms, f**3 * 0.999) == 3


@pytest.mark.parametrize(("norms", "threshold", "expected"), [
    ([1, 0.1, 0.01, 0.001], 0.01, 2),
    ([1, 0.001, 0.5, 0.001], 0.01, 2),  # a gradient may come back
    ([1, 2, 4, 8], 0.01, 3),
    ([0, 0, 0], 0.01, 0),
    ([1, np.inf, np.nan], 0.01, 1),
    ([3.0], 0.01, 0),
])  # fmt: skip
def test_the_horizon_is_the_last_lag_above_the_threshold(norms, threshold, expected):
    assert flow.horizon(norms, threshold) == expected
    assert flow.horizon({"net": norms}, threshold) == {"net": expected}


def test_bad_requests_get_one_clear_line():
    W = tg.tensor(np.eye(2), requires_grad=True)
    with pytest.raises(ValueError, match=r"with tg\.step"):
        flow.state_gradients((W @ W).sum())
    with pytest.raises(ValueError, match="positive"):
        flow.horizon([1.0], threshold=0)
    with pytest.raises(ValueError, match="one number a lag"):
        flow.horizon([])
    with pytest.raises(ValueError, match="empty"):
        flow.by_lag([])
