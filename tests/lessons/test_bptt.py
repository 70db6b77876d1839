"""Lesson bptt: its solution against the engine, PyTorch and the complex step, and what its slips are said to do."""

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

LESSON = read_lesson(Path(__file__).parents[2] / "lessons" / "03_bptt")
BENCH = Bench(LESSON)
solution = solution_of(LESSON)
NAMES = ("W_xh", "W_hh", "b_h", "W_hy", "b_y")
sizes = st.tuples(*[st.integers(1, 6)] * 5, st.integers(0, 10_000))  # T, B, D, H, C and a seed


def network(size):
    """X, h0, dO and p of random numbers, weights large enough for the tanh to bend."""
    T, B, D, H, C, seed = size
    rng = np.random.default_rng(seed)
    shapes = {"W_xh": (D, H), "W_hh": (H, H), "b_h": (H,), "W_hy": (H, C), "b_y": (C,)}
    p = {name: rng.normal(0, 0.8, shape) for name, shape in shapes.items()}
    return rng.normal(size=(T, B, D)), rng.normal(size=(B, H)), rng.normal(size=(T, B, C)), p


def recorded(X, h0, dO, p):
    """The network in the engine: its leaves, its states from h_0 on, and sum(dO[t] * O[t]) as the loss of each step."""
    leaf = {name: tg.tensor(a, requires_grad=True, name=name) for name, a in {**p, "X": X, "h0": h0}.items()}
    states, losses = [leaf["h0"]], []
    for t, x in enumerate(tg.unstack(leaf["X"])):
        with tg.step(t):
            states.append(tg.tanh(x @ leaf["W_xh"] + states[-1] @ leaf["W_hh"] + leaf["b_h"]))
            losses.append(tg.sum((states[-1] @ leaf["W_hy"] + leaf["b_y"]) * dO[t]))
    return leaf, states, losses


def close(got, expected, rtol=1e-10):
    np.testing.assert_allclose(got, expected, rtol=rtol, atol=rtol * np.abs(expected).max(initial=1e-300))


@settings(deadline=None, max_examples=30)
@given(sizes)
def test_bptt_is_the_engines_gradient(size):
    X, h0, dO, p = network(size)
    Hs, _ = solution.elman_forward(X, h0, p)
    hand = solution.bptt(X, h0, Hs, dO, p)
    leaf, _, losses = recorded(X, h0, dO, p)
    found = tg.grad(sum(losses), list(leaf.values()), allow_unused=True)
    assert set(hand) == {"d" + name for name in leaf}
    for name, g in zip(leaf, found, strict=True):
        close(hand["d" + name], g.numpy())


@settings(deadline=None, max_examples=10)
@given(sizes)
def test_one_step_is_the_complex_step(size):
    X, h0, _, p = network(size)
    dh = np.random.default_rng(size[-1]).normal(size=h0.shape)
    inputs = {"x": X[0], "h_prev": h0, **{name: p[name] for name in ("W_xh", "W_hh", "b_h")}}

    def h(v):
        return np.tanh(v["x"] @ v["W_xh"] + v["h_prev"] @ v["W_hh"] + v["b_h"])

    hand = solution.elman_step_backward(dh, X[0], h0, h(inputs), p)
    for name, value in inputs.items():
        expected = np.zeros(value.shape)
        for entry in np.ndindex(*value.shape):
            moved = value.astype(complex)
            moved[entry] += 1e-30j
            expected[entry] = (dh * h({**inputs, name: moved}).imag).sum() / 1e-30
        close(hand["d" + name], expected)


@settings(deadline=None, max_examples=10)
@given(sizes)
def test_contributions_are_the_engines_account(size):
    X, h0, dO, p = network(size)
    Hs, _ = solution.elman_forward(X, h0, p)
    leaf, _, losses = recorded(X, h0, dO, p)
    steps = range(len(X))
    table = np.array([[solution.contribution(k, t, X, h0, Hs, dO[t], p) for k in steps] for t in steps])
    close(table.sum(axis=(0, 1)), tg.grad(sum(losses), leaf["W_hh"])[0].numpy())
    for t in steps:
        book = tg.flow.ledger(losses[t], leaf["W_hh"])
        assert book.steps == tuple(range(t + 1))
        close(table[t, : t + 1], book.contributions)
        assert not table[t, t + 1 :].any()  # a loss owes nothing to what comes after it


@settings(deadline=None, max_examples=10)
@given(sizes)
def test_the_immediate_gradient_is_that_of_one_copy_of_the_weight(size):
    X, h0, _, p = network(size)
    Hs, _ = solution.elman_forward(X, h0, p)
    t = size[-1] % len(X)
    copy = tg.tensor(p["W_hh"], requires_grad=True)
    a = X[t] @ p["W_xh"] + tg.tensor(h0 if t == 0 else Hs[t - 1]) @ copy + p["b_h"]
    da = np.random.default_rng(t).normal(size=h0.shape)
    close(solution.immediate_grad(X, h0, Hs, t, da), tg.grad(a, copy, da)[0].numpy())


@settings(deadline=None, max_examples=10)
@given(sizes)
def test_jacobians_are_the_engines(size):
    X, h0, dO, p = network(size)
    _, states, _ = recorded(X, h0, dO, p)
    measured = tg.flow.jacobian_products(states).step_jacobians
    for h, J in zip(states[1:], measured, strict=True):
        close(solution.jacobian(h.numpy()[0], p["W_hh"]), J)


@pytest.mark.parametrize("over_time", ["sum", "mean", "last"])
def test_the_whole_way_back_is_pytorchs(over_time):
    torch = pytest.importorskip("torch")
    X, h0, _, p = network((6, 3, 4, 5, 2, 1))
    targets = np.random.default_rng(2).integers(0, 2, X.shape[:2])
    Hs, O = solution.elman_forward(X, h0, p)
    dO = solution.output_gradients(O, np.eye(2)[targets], over_time)
    hand = solution.bptt(X, h0, Hs, dO, p)

    leaf = {name: torch.tensor(a, requires_grad=True) for name, a in {**p, "X": X, "h0": h0}.items()}
    h, losses = leaf["h0"], []
    for x, y in zip(leaf["X"], torch.tensor(targets), strict=True):
        h = torch.tanh(x @ leaf["W_xh"] + h @ leaf["W_hh"] + leaf["b_h"])
        losses.append(torch.nn.functional.cross_entropy(h @ leaf["W_hy"] + leaf["b_y"], y))
    {"sum": sum(losses), "mean": sum(losses) / len(losses), "last": losses[-1]}[over_time].backward()
    for name, variable in leaf.items():
        close(hand["d" + name], variable.grad.numpy())


def test_the_pencil_is_the_engine():
    w, h, states = tg.tensor(np.float64(2.0), requires_grad=True), 1.0, []
    for t, x in enumerate([1.0, 1.0, 0.0]):
        with tg.step(t):
            h = w * h + x
            states.append(h.item())
    pencil = solution.three_uses()
    assert pencil["states"].tolist() == states
    assert pencil["contributions"].tolist() == tg.flow.ledger(h, w).contributions.tolist()
    assert pencil["total"] == tg.grad(h, w)[0].item()


@settings(deadline=None, max_examples=10)
@given(sizes)
def test_total_derivatives_pay_use_j_once_for_every_state_after_it(size):
    """What the lesson says of the double counting, and what the mistake of that name does."""
    X, h0, dO, p = network(size)
    Hs, _ = solution.elman_forward(X, h0, p)
    steps = range(len(X))
    parts = [[(t - j + 1) * solution.contribution(j, t, X, h0, Hs, dO[t], p) for j in range(t + 1)] for t in steps]
    twice = BENCH.module(LESSON.exercise("bptt"), ["DOUBLE_COUNT"]).bptt(X, h0, Hs, dO, p)
    close(twice["dW_hh"], sum(sum(row) for row in parts))

    # and the sum as a lecture has it, with the total derivatives of each state from the engine
    leaf, states, losses = recorded(X, h0, dO, p)
    wrong = np.zeros_like(p["W_hh"])
    for h in states[1:]:
        dh = tg.grad(losses[-1], h)[0]
        wrong += tg.grad(h, leaf["W_hh"], dh)[0].numpy()
    close(sum(parts[-1]), wrong)


def test_the_path_through_all_steps_alone_pays_the_first_use():
    X, h0, dO, p = network((5, 2, 3, 4, 2, 3))
    Hs, _ = solution.elman_forward(X, h0, p)
    slip = BENCH.module(LESSON.exercise("bptt"), ["ONLY_LAST_PATH"]).bptt(X, h0, Hs, dO, p)
    close(slip["dW_hh"], sum(solution.contribution(0, t, X, h0, Hs, dO[t], p) for t in range(len(X))))


def verdict(function, *mistakes):
    """What a learner reads whose code is the solution with these mistakes made in it."""
    edits = [edit for name in mistakes for edit in BENCH.edits[function][name]]
    source = mistaken(BENCH.source, function, edits)
    return next(grade(LESSON, only=[LESSON.exercise(function).id], source=source))


def test_who_left_out_dh_from_the_step_after_is_told_so():
    told = verdict("bptt", "NO_DH_NEXT")
    assert told.kind == "mistake"
    assert told.mistakes == ("NO_DH_NEXT",)
    assert told.lines[0] == (
        "You left out dh from the step after: dX is right at the last step and wrong from step 6 (index 5) down."
    )
    assert "Who is the other?" in told.lines[1]
    passed = {check.name for check in told.checks if check.passed}
    assert passed == {"the output layer"}


@pytest.mark.parametrize(
    ("steps", "mistake"),
    [
        ("range(len(X) - 1, 0, -1)", "FIRST_STEP_LEFT_OUT"),
        ("range(1, len(X))[::-1]", "FIRST_STEP_LEFT_OUT"),
        ("range(len(X) - 2, -1, -1)", "LAST_STEP_LEFT_OUT"),
        ("range(len(X))[-1:]", "ONE_STEP_ONLY"),  # as a return within the loop
        ("range(len(X))", "TIME_FORWARD"),
    ],
)
def test_a_loop_over_the_wrong_steps_is_told_by_its_name(steps, mistake):
    told = next(grade(LESSON, only=[2], source=BENCH.source.replace("reversed(range(len(X)))", steps)))
    assert told.mistakes == (mistake,)


def test_where_dX_is_wrong_it_is_told_before_all_else():
    """The notebook says so: in which step it begins is worth more than that a weight's gradient is off."""
    source = BENCH.source.replace("dh = dO[t] @", "dh = 3.0 * dO[t] @")
    source = source.replace("Hs[t].T @ dO[t]", "2.5 * Hs[t].T @ dO[t]")
    told = next(grade(LESSON, only=[2], source=source))
    assert told.kind == "wrong value"
    assert told.lines[0].startswith("dX[6, ")


def test_two_slips_at_once_are_both_told():
    told = verdict("bptt", "STALE_H", "MEAN_NOT_SUM")
    assert set(told.mistakes) == {"STALE_H", "MEAN_NOT_SUM"}


def test_a_bias_that_is_not_summed_in_place_is_pointed_to():
    """`+=` of (B, H) onto (H,) stops with NumPy's error, which the learner reads with the line."""
    source = BENCH.source.replace('d["db_h"] += da.sum(axis=0)', 'd["db_h"] += da')
    told = next(grade(LESSON, only=[2], source=source))
    assert told.kind == "error"
    assert any('d["db_h"] += da' in line for line in told.lines)
