"""Lesson lstm: its solution against the engine, PyTorch and the complex step, and what its mistakes are said to do."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tinygrad_rnn as tg
from tinygrad_rnn.course.authoring import Bench, mistaken, solution_of
from tinygrad_rnn.course.grading import grade
from tinygrad_rnn.course.manifest import read_lesson

LESSON = read_lesson(Path(__file__).parents[2] / "lessons" / "07_lstm")
BENCH = Bench(LESSON)
solution = solution_of(LESSON)
WEIGHTS = ("W_xh", "W_hh", "b_h")
sizes = st.tuples(*[st.integers(1, 6)] * 4, st.integers(0, 10_000))  # T, B, D, H and a seed


def network(size):
    """X, h0, c0, dHs and p of random numbers, weights large enough for the gates to bend."""
    T, B, D, H, seed = size
    rng = np.random.default_rng(seed)
    p = {"W_xh": rng.normal(0, 0.8, (D, 4 * H)), "W_hh": rng.normal(0, 0.8, (H, 4 * H)), "b_h": rng.normal(size=4 * H)}
    X, (h0, c0), dHs = rng.normal(size=(T, B, D)), rng.normal(size=(2, B, H)), rng.normal(size=(T, B, H))
    return X, h0, c0, dHs, p


def by_hand(X, h0, c0, dHs, p):
    """Outputs (T, B, H) and gradients, with the solution's step, its way back and its way through time."""
    h, c, hs, memory = h0, c0, [], []
    for x in X:
        before = (h, c)
        h, c, gates = solution.lstm_step(x, h, c, **p)
        hs.append(h)
        memory.append((x, *before, c, gates))
    back = solution.lstm_bptt(dHs, lambda t, dh, dc: solution.lstm_step_backward(dh, dc, *memory[t], p))
    return np.stack(hs), back


def layer_with(p):
    """The engine's LSTM with these weights."""
    D, H = p["W_xh"].shape[0], p["W_hh"].shape[0]
    layer = tg.nn.LSTM(D, H, dtype=np.float64)
    cell = layer.layers[0].forward
    for name in WEIGHTS:
        getattr(cell, name).data = p[name]
    return layer, cell


def close(got, expected, rtol=1e-10):
    np.testing.assert_allclose(got, expected, rtol=rtol, atol=rtol * np.abs(expected).max(initial=1e-300))


def complex_steps(f, inputs, names):
    """d f(inputs)/d inputs[name] for a real f that is analytic, by moving each entry along the imaginary axis."""
    found = {}
    for name in names:
        found[name] = np.zeros(inputs[name].shape)
        for entry in np.ndindex(*inputs[name].shape):
            moved = inputs[name].astype(complex)
            moved[entry] += 1e-30j
            found[name][entry] = f({**inputs, name: moved}).imag / 1e-30
    return found


@settings(deadline=None, max_examples=30)
@given(sizes)
def test_forward_and_the_whole_way_back_are_the_engines(size):
    X, h0, c0, dHs, p = network(size)
    hs, hand = by_hand(X, h0, c0, dHs, p)
    layer, cell = layer_with(p)
    leaves = {"dX": X, "dh0": h0, "dc0": c0}
    leaves = {name: tg.tensor(a, requires_grad=True) for name, a in leaves.items()}
    outputs, _ = layer(leaves["dX"], (leaves["dh0"], leaves["dc0"]))
    close(hs, outputs.numpy())
    leaves |= {"d" + name: getattr(cell, name) for name in WEIGHTS}
    assert set(hand) == set(leaves)
    for name, g in zip(leaves, tg.grad(outputs, list(leaves.values()), dHs), strict=True):
        close(hand[name], g.numpy())


def test_the_whole_way_back_is_pytorchs():
    torch = pytest.importorskip("torch")
    X, h0, c0, dHs, p = network((6, 3, 4, 5, 1))
    hs, hand = by_hand(X, h0, c0, dHs, p)
    D, H = 4, 5
    lstm = torch.nn.LSTM(D, H, dtype=torch.float64)
    theirs = {name: solution.repack_gates(np.atleast_2d(p[name]), "ifog", "ifgo") for name in WEIGHTS}
    with torch.no_grad():
        lstm.weight_ih_l0.copy_(torch.tensor(theirs["W_xh"].T))
        lstm.weight_hh_l0.copy_(torch.tensor(theirs["W_hh"].T))
        lstm.bias_ih_l0.copy_(torch.tensor(theirs["b_h"][0]))
        lstm.bias_hh_l0.zero_()
    x, h, c = (torch.tensor(a, requires_grad=True) for a in (X, h0[None], c0[None]))
    outputs, _ = lstm(x, (h, c))
    outputs.backward(torch.tensor(dHs))
    close(hs, outputs.detach().numpy())
    found = {"dX": x.grad, "dh0": h.grad[0], "dc0": c.grad[0]}
    for name, g in found.items():
        close(hand[name], g.numpy())
    stacked = {"W_xh": lstm.weight_ih_l0.grad.T, "W_hh": lstm.weight_hh_l0.grad.T, "b_h": lstm.bias_ih_l0.grad[None]}
    for name, g in stacked.items():
        close(np.atleast_2d(hand["d" + name]), solution.repack_gates(g.numpy(), "ifgo", "ifog"))


@settings(deadline=None, max_examples=10)
@given(sizes)
def test_one_step_back_is_the_complex_step(size):
    X, h0, c0, dHs, p = network(size)
    dh, dc, H = dHs[0], np.random.default_rng(0).normal(size=c0.shape), c0.shape[1]
    inputs = {"x": X[0], "h_prev": h0, "c_prev": c0, **p}

    def loss(v):
        i, f, o, g = np.split(v["x"] @ v["W_xh"] + v["h_prev"] @ v["W_hh"] + v["b_h"], 4, axis=1)
        i, f, o = (1 / (1 + np.exp(-a)) for a in (i, f, o))
        c = f * v["c_prev"] + i * np.tanh(g)
        return (dh * o * np.tanh(c) + dc * c).sum()

    _, c, gates = solution.lstm_step(X[0], h0, c0, **p)
    assert gates.shape[1] == 4 * H
    hand = solution.lstm_step_backward(dh, dc, X[0], h0, c0, c, gates, p)
    for name, expected in complex_steps(loss, inputs, inputs).items():
        close(hand[{"h_prev": "dh_prev", "c_prev": "dc_prev"}.get(name, "d" + name)], expected)


@settings(deadline=None, max_examples=10)
@given(sizes)
def test_the_incomplete_step_back_is_the_complex_step(size):
    X, h0, c0, dHs, p = network(size)
    H = h0.shape[1]
    p = {name: array[..., :H] for name, array in p.items()}
    dh, dc = dHs[0], np.random.default_rng(0).normal(size=c0.shape)
    h, _, c_tilde = solution.incomplete_lstm_step(X[0], h0, c0, p)
    hand = solution.incomplete_lstm_step_backward(dh, dc, X[0], h0, c_tilde, h, p)

    def loss(v):
        c = v["c_prev"] + np.tanh(v["x"] @ v["W_xh"] + v["h_prev"] @ v["W_hh"] + v["b_h"])
        return (dh * np.tanh(c) + dc * c).sum()

    inputs = {"x": X[0], "h_prev": h0, "c_prev": c0, **p}
    for name, expected in complex_steps(loss, inputs, inputs).items():
        close(hand["d" + name], expected)


def cell_of_the_run(size):
    """The arguments of `cell_jacobian` at the last step, for the first sample, and the engine's Jacobian there."""
    X, h0, c0, _, p = network(size)
    layer, _ = layer_with(p)
    states = [tuple(tg.tensor(a, requires_grad=True) for a in (h0, c0))]
    for t, x in enumerate(X):
        with tg.step(t):
            states.append(layer.layers[0].forward(tg.tensor(x), states[-1]))
    h, c, gates = h0, c0, None
    for x in X:
        previous, c_prev = gates, c
        h, c, gates = solution.lstm_step(x, h, c, **p)
    H = c0.shape[1]
    J = tg.flow.jacobian_products(states[1:], of=1).matrix(-1, -2)
    return gates[0], c_prev[0], previous[0, 2 * H : 3 * H], p["W_hh"], J


@settings(deadline=None, max_examples=10)
@given(st.tuples(st.integers(2, 5), *[st.integers(1, 5)] * 3, st.integers(0, 10_000)))
def test_the_cells_jacobian_is_the_engines(size):
    *arguments, J = cell_of_the_run(size)
    close(solution.cell_jacobian(*arguments), J, rtol=1e-9)


def test_what_the_slides_leave_out():
    """Only f is the direct road; a slide's formula lacks the term c_{t-1} * df_t/dc_{t-1}."""
    *arguments, J = cell_of_the_run((4, 2, 3, 4, 5))
    exercise = LESSON.exercise("cell_jacobian")
    gates, c_prev, o_prev, W_hh = arguments
    H = len(c_prev)
    only_f = BENCH.module(exercise, ["JAC_ONLY_F"]).cell_jacobian(*arguments)
    np.testing.assert_array_equal(only_f, np.diag(gates[H : 2 * H]))
    slide = BENCH.module(exercise, ["JAC_NO_F_TERM"]).cell_jacobian(*arguments)
    f = gates[H : 2 * H]
    left_out = (c_prev * f * (1 - f))[:, None] * W_hh[:, H : 2 * H].T * (o_prev * (1 - np.tanh(c_prev) ** 2))
    close(J - slide, left_out, rtol=1e-9)
    assert np.abs(left_out).max() > 0.01


@settings(deadline=None, max_examples=20)
@given(st.permutations("ifog"), st.permutations("ifog"), st.integers(1, 4), st.integers(1, 4))
def test_repacked_gates_stand_where_they_are_said_to(src, dst, D, H):
    src, dst = "".join(src), "".join(dst)
    W = np.random.default_rng(0).normal(size=(D, 4 * H))
    there = solution.repack_gates(W, src, dst)
    for gate in "ifog":
        a, b = (order.index(gate) * H for order in (src, dst))
        np.testing.assert_array_equal(there[:, b : b + H], W[:, a : a + H])
    np.testing.assert_array_equal(solution.repack_gates(there, dst, src), W)


def test_the_forget_bias_is_the_engines():
    b = solution.init_forget_bias(np.zeros(20), 1.5)
    np.testing.assert_array_equal(b, tg.nn.LSTMCell(3, 5, forget_bias=1.5, dtype=np.float64).b_h.numpy())


def test_chrono_gates_keep_for_the_times_that_were_drawn():
    """With nothing but its bias, f = T / (1 + T) and i = 1 - f, for T uniform between 1 and T_max - 1."""
    u = np.linspace(0, 1, 7)
    i, f, o, g = np.split(solution.sigmoid(solution.chrono_bias(7, 50, u)), 4)
    close(f / (1 - f), 1 + 48 * u)
    close(i, 1 - f)
    assert set(o) | set(g) == {0.5}


def test_the_notebooks_numbers():
    """f^20 for a forget bias of 0, 1 and 2, as the lesson's table has them."""
    assert [f"{solution.sigmoid(np.float64(b)) ** 20:.1e}" for b in (0, 1, 2)] == ["9.5e-07", "1.9e-03", "7.9e-02"]


def verdict(function, *mistakes):
    """What a learner reads whose code is the solution with these mistakes made in it."""
    edits = [edit for name in mistakes for edit in BENCH.edits[function][name]]
    return told(function, mistaken(BENCH.source, function, edits))


def told(function, source):
    return next(grade(LESSON, only=[LESSON.exercise(function).id], source=source))


def test_a_carry_that_is_lost_is_told_with_its_step():
    lost = verdict("lstm_bptt", "DC_NO_CARRY")
    assert lost.mistakes == ("DC_NO_CARRY",)
    assert "right at the last step and wrong from step 5 (index 4) down" in lost.lines[0]


def test_the_way_through_time_does_not_depend_on_the_step():
    """Its cases bring steps of their own, so a wrong lstm_step_backward fails one exercise and not two."""
    edits = BENCH.edits["lstm_step_backward"]["F_FROM_C"]
    source = mistaken(BENCH.source, "lstm_step_backward", edits)
    assert told("lstm_step_backward", source).mistakes == ("F_FROM_C",)
    assert told("lstm_bptt", source).right


def test_the_road_along_the_cell_keeps_its_points_when_a_gate_is_wrong():
    wrong = verdict("lstm_step_backward", "C_PREV_NOT_USED")
    assert {check.name for check in wrong.checks if check.passed} == {"along the cell, to c_{t-1}"}


def test_two_mistakes_at_once_are_both_told():
    both = verdict("lstm_step_backward", "DC_MISSING_TANH", "PACK_ORDER")
    assert set(both.mistakes) == {"DC_MISSING_TANH", "PACK_ORDER"}


def test_finite_differences_are_told_from_backpropagation():
    source = BENCH.source + '''

def lstm_step_backward(dh, dc, x, h_prev, c_prev, c, gates, p):
    def loss(x, h_prev, c_prev, p):
        h, c, _ = lstm_step(x, h_prev, c_prev, **p)
        return (dh * h + dc * c).sum()

    given = {"dx": x, "dh_prev": h_prev, "dc_prev": c_prev, **{"d" + name: p[name] for name in p}}
    found = {}
    for name, array in given.items():
        array = array.copy()
        now = {**given, name: array}
        found[name] = np.zeros(array.shape)
        for entry in np.ndindex(*array.shape):
            kept = array[entry]
            sides = []
            for e in (1e-5, -1e-5):
                array[entry] = kept + e
                sides.append(loss(now["dx"], now["dh_prev"], now["dc_prev"], {n: now["d" + n] for n in p}))
            array[entry] = kept
            found[name][entry] = (sides[0] - sides[1]) / 2e-5
    return found
'''
    verdict = told("lstm_step_backward", source)
    assert verdict.kind == "numerical"
    assert verdict.earned == LESSON.grading.numerical * verdict.points
