"""Hessian-free steps against linear algebra with the matrices written out."""

from __future__ import annotations

import json

import numpy as np
import pytest

import tinygrad_rnn as tg
from tests.optim.test_curvature import B, Net, softmax_matrix
from tinygrad_rnn import nn, optim
from tinygrad_rnn.optim.curvature import flatten
from tinygrad_rnn.optim.hessian_free import HessianFree, Run


def regression(seed=0, rows=12, columns=4):
    rng = np.random.default_rng(seed)
    x, y = rng.standard_normal((rows, columns)), rng.standard_normal(rows)
    w = tg.tensor(rng.standard_normal(columns), requires_grad=True)
    return x, y, w, lambda data: Run(data[0] @ w, lambda out: tg.mse_loss(out, data[1]))


def classifier(net, states=True):
    def model(targets):
        logits, hs = net()
        return Run(logits, lambda y: tg.sequence_loss(y, targets), hs if states else None)

    return model


def test_least_squares_takes_one_step():
    x, y, w, model = regression()
    optimizer = HessianFree(w, damping=1e-12)
    report = optimizer.step(model, (x, y))
    np.testing.assert_allclose(w.numpy(), np.linalg.lstsq(x, y, rcond=None)[0], rtol=1e-7)
    assert report.step_size == 1
    assert report.ratio == pytest.approx(1, rel=1e-6)
    assert report.after == pytest.approx(np.mean((x @ w.numpy() - y) ** 2))
    assert optimizer.damping == pytest.approx(1e-12 / 1.5)


@pytest.mark.parametrize("structural", [0.0, 0.4])
def test_the_step_solves_the_damped_system(structural):
    net, damping = Net(3), 3.0
    before = flatten(net.parameters)
    logits, _ = net()
    loss = tg.sequence_loss(logits, net.targets)
    g = flatten(tg.grad(loss, net.parameters))
    J, J_h = net.jacobian(0), net.jacobian(1)
    A = J.T @ softmax_matrix(logits.data, 1 / B) @ J + damping * (np.eye(g.size) + 2 / B * structural * J_h.T @ J_h)
    optimizer = HessianFree(net.parameters, damping, structural, cg_steps=200)
    report = optimizer.step(classifier(net), net.targets)
    d = np.linalg.solve(A, -g)
    np.testing.assert_allclose(flatten(net.parameters) - before, d, rtol=0, atol=1e-3 * np.linalg.norm(d))
    foretold = g @ d + d @ A @ d / 2
    assert report.ratio == pytest.approx((report.after - report.loss) / foretold, rel=1e-3)


def test_the_gradient_and_the_curvature_have_data_of_their_own():
    x, y, w, model = regression()
    start, few = w.numpy().copy(), (x[:6], y[:6])
    HessianFree(w, damping=0.5).step(model, (x, y), few)
    A = 2 / 6 * few[0].T @ few[0] + 0.5 * np.eye(4)
    whole = np.linalg.solve(A, -2 / 12 * x.T @ (x @ start - y))
    step = w.numpy() - start
    np.testing.assert_allclose(step / np.linalg.norm(step), whole / np.linalg.norm(whole), atol=1e-6)


@pytest.mark.parametrize("seed", range(3))
def test_the_loss_never_rises_and_lambda_follows_the_ratio(seed):
    net = Net(seed)
    optimizer = HessianFree(net.parameters, damping=0.01, structural=0.1, cg_steps=20)
    for _ in range(6):
        damping = optimizer.damping
        report = optimizer.step(classifier(net), net.targets)
        logits, _ = net()
        assert tg.sequence_loss(logits, net.targets).item() == pytest.approx(report.after)
        assert report.after <= report.loss
        factor = 1.5 if report.ratio < 0.25 else 1 / 1.5 if report.ratio > 0.75 else 1
        assert optimizer.damping == report.damping == pytest.approx(damping * factor)


def test_where_nothing_helps_the_parameters_stay():
    w = tg.tensor([2.0, -1.0], requires_grad=True, dtype=np.float64)
    lies = lambda data: Run(w * 1, lambda y: tg.sum(y * y) if len(calls) == 1 else tg.sum(y * y) + 100)  # noqa: E731
    calls = []

    def model(data):
        calls.append(1)
        return lies(data)

    optimizer = HessianFree(w, damping=0.1)
    report = optimizer.step(model, None)
    assert (w.tolist(), report.step_size, report.after) == ([2.0, -1.0], 0, report.loss)
    assert optimizer.damping == pytest.approx(0.15)


def test_a_saved_state_goes_on_bit_by_bit():
    nets = [Net(5), Net(5)]
    first, second = (HessianFree(net.parameters, 0.1, 0.1, cg_steps=7) for net in nets)
    for _ in range(2):
        first.step(classifier(nets[0]), nets[0].targets)
    state = first.state_dict()
    arrays = {key: value for key, value in state.items() if isinstance(value, np.ndarray)}
    rest = json.loads(json.dumps({key: value for key, value in state.items() if key not in arrays}))
    second = HessianFree(nets[1].parameters, 7.0)
    second.load_state_dict(arrays | rest)
    for p, q in zip(nets[0].parameters, nets[1].parameters, strict=True):
        q.data = p.data.copy()
    for _ in range(2):
        reports = [o.step(classifier(net), net.targets) for o, net in zip((first, second), nets, strict=True)]
        assert reports[0] == reports[1]
    np.testing.assert_array_equal(flatten(nets[0].parameters), flatten(nets[1].parameters))


def test_it_learns_to_remember():
    """One bit across 15 steps, from small weights."""
    rng = np.random.default_rng(0)
    rnn, head = nn.RNN(2, 12, kernel="unrolled", rng=rng), nn.Linear(12, 2, rng=rng)
    bits = rng.integers(0, 2, 40)
    x = 0.1 * rng.standard_normal((15, 40, 2)).astype(np.float32)
    x[0, np.arange(40), bits] += 1
    optimizer = HessianFree([*rnn.parameters(), *head.parameters()], 0.1, 1 / 30, cg_steps=40)

    def model(data):
        hs, h = rnn(x)
        return Run(head(h), lambda y: tg.cross_entropy(y, bits), hs)

    losses = [optimizer.step(model, None).after for _ in range(12)]
    assert losses[-1] < 0.01


def test_bad_input_is_answered_in_one_line():
    x, y, w, model = regression()
    with pytest.raises(ValueError, match="structural damping holds the hidden states"):
        HessianFree(w, structural=0.1).step(model, (x, y))
    with pytest.raises(ValueError, match="damping must not be negative"):
        HessianFree(w, damping=-1)
    with pytest.raises(ValueError, match="the loss is nan before the step"):
        HessianFree(w).step(model, (x, y * np.nan))

    start, calls = w.data, []

    def fails(data):
        calls.append(1)
        if len(calls) > 2:
            raise KeyboardInterrupt
        return model(data)

    with pytest.raises(KeyboardInterrupt):
        HessianFree(w).step(fails, (x, y))
    np.testing.assert_array_equal(w.data, start)  # nothing half moved
    assert optim.HessianFree is HessianFree
