"""Lesson truncated: each kind against the engine's graph, PyTorch and the complex step; what its slips do."""

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

LESSON = read_lesson(Path(__file__).parents[2] / "lessons" / "05_truncated")
BENCH = Bench(LESSON)
solution = solution_of(LESSON)
B, D, H, C = 2, 3, 4, 3
lengths = st.integers(1, 12)
seeds = st.integers(0, 10_000)
quick = settings(deadline=None, max_examples=20)


def network(T, seed):
    """X, Y, a start state and p of random numbers, weights large enough for the tanh to bend."""
    rng = np.random.default_rng(seed)
    shapes = {"W_xh": (D, H), "W_hh": (H, H), "b_h": (H,), "W_hy": (H, C), "b_y": (C,)}
    p = {name: rng.normal(0, 0.8, shape) for name, shape in shapes.items()}
    return rng.normal(size=(T, B, D)), np.eye(C)[rng.integers(0, C, (T, B))], rng.normal(size=(B, H)), p


def recorded(X, Y, h, p, before):
    """The engine's network: leaves by name, the inputs, the states, the losses; `before(t, h)` is what step t reads."""
    leaf = {name: tg.tensor(array, requires_grad=True) for name, array in p.items()}
    inputs, states, losses, h = [], [], [], tg.tensor(h)
    for t, (x, y) in enumerate(zip(X, Y, strict=True)):
        inputs.append(tg.tensor(x, requires_grad=True))
        h = tg.tanh(inputs[-1] @ leaf["W_xh"] + before(t, h) @ leaf["W_hh"] + leaf["b_h"])
        states.append(h)
        losses.append(tg.cross_entropy(h @ leaf["W_hy"] + leaf["b_y"], y.argmax(axis=-1)))
    return leaf, inputs, states, losses


def close(got, expected, rtol=1e-10):
    np.testing.assert_allclose(got, expected, rtol=rtol, atol=rtol * max(1.0, np.abs(expected).max(initial=0.0)))


def same_gradients(d, leaf, inputs, parts):
    """The sets in d are the gradients of the losses `parts`, one after the other, and dX that of all of them."""
    for n, part in enumerate(parts):
        for name, g in zip(leaf, tg.grad(part, list(leaf.values()), allow_unused=True), strict=True):
            close(d["d" + name][n], 0.0 if g is None else g.numpy())
    arrived = tg.grad(sum(parts), inputs, allow_unused=True)
    close(d["dX"], np.stack([np.zeros((B, D)) if g is None else g.numpy() for g in arrived]))
    assert all(len(d["d" + name]) == len(parts) for name in leaf)


@quick
@given(st.integers(1, 60), st.integers(1, 20))
def test_chunks_cover_every_step_once(n, k):
    cuts = solution.chunks(n, k)
    assert [t for start, stop in cuts for t in range(start, stop)] == list(range(n))
    assert all(stop - start == k for start, stop in cuts[:-1])
    assert 1 <= cuts[-1][1] - cuts[-1][0] <= k


@quick
@given(lengths, st.integers(1, 6), seeds)
def test_carried_chunks_are_the_engines_detached_graph(T, k, seed):
    X, Y, h, p = network(T, seed)
    d, last = solution.tbptt_carried(X, Y, h, p, k)
    leaf, inputs, states, losses = recorded(X, Y, h, p, lambda t, h: h.detach() if t % k == 0 else h)
    same_gradients(d, leaf, inputs, [sum(losses[a : a + k]) for a in range(0, T, k)])
    close(last, states[-1].numpy())


@quick
@given(lengths, st.integers(1, 6), seeds)
def test_carrying_on_by_hand_from_call_to_call_is_one_call(T, k, seed):
    X, Y, h, p = network(T, seed)
    whole, last = solution.tbptt_carried(X, Y, h, p, k)
    for n, (start, stop) in enumerate(solution.chunks(T, k)):
        d, h = solution.tbptt_carried(X[start:stop], Y[start:stop], h, p, k)
        close(d["dW_hh"][0], whole["dW_hh"][n])
    close(h, last)


@quick
@given(lengths, st.integers(1, 6), seeds)
def test_isolated_segments_are_the_engines_fresh_graphs(T, k, seed):
    X, Y, _, p = network(T, seed)
    zeros = np.zeros((B, H))
    d = solution.tbptt_isolated(X, Y, p, k, np.arange(0, T, k))
    leaf, inputs, _, losses = recorded(X, Y, zeros, p, lambda t, h: tg.tensor(zeros) if t % k == 0 else h)
    same_gradients(d, leaf, inputs, [sum(losses[a : a + k]) for a in range(0, T, k)])


@quick
@given(st.integers(3, 12), st.integers(1, 3), st.integers(1, 4), seeds)
def test_windows_are_the_mean_of_segments_that_overlap(T, k, stride, seed):
    X, Y, _, p = network(T, seed)
    starts = [a for a in range(0, T, stride) if a + k <= T]
    d = solution.tbptt_windows(X, Y, p, k, stride)
    leaf = {name: tg.tensor(array, requires_grad=True) for name, array in p.items()}
    x, total = tg.tensor(X, requires_grad=True), 0.0
    for a in starts:
        h = tg.tensor(np.zeros((B, H)))
        for t in range(a, a + k):
            h = tg.tanh(x[t] @ leaf["W_xh"] + h @ leaf["W_hh"] + leaf["b_h"])
            total = total + tg.cross_entropy(h @ leaf["W_hy"] + leaf["b_y"], Y[t].argmax(axis=-1)) / len(starts)
    for name, g in zip(["X", *leaf], tg.grad(total, [x, *leaf.values()]), strict=True):
        close(d["d" + name], g.numpy())


@quick
@given(st.lists(st.integers(1, 5), min_size=1, max_size=4), st.integers(1, 4), seeds)
def test_documents_are_carried_chunks_each_from_zeros(sizes, k, seed):
    X, Y, _, p = network(sum(sizes), seed)
    d = solution.tbptt_documents(X, Y, np.array(sizes), p, k)
    zeros, ends = np.zeros((B, H)), np.cumsum(sizes)
    cuts = [start for end, size in zip(ends, sizes, strict=True) for start in range(end - size, end, k)]

    def before(t, h):
        return tg.tensor(zeros) if t in ends - sizes else h.detach() if t in cuts else h

    leaf, inputs, states, losses = recorded(X, Y, zeros, p, before)
    parts = [sum(losses[a:b]) for a, b in zip(cuts, [*cuts[1:], len(X)], strict=True)]
    same_gradients(d, leaf, inputs, parts)
    close(d["Hs"], np.stack([h.numpy() for h in states]))


@quick
@given(lengths, st.integers(1, 5), st.integers(0, 5), seeds)
def test_k1_k2_sends_each_loss_back_through_the_engines_cut_graph(T, k1, more, seed):
    X, Y, _, p = network(T, seed)
    k2, zeros = k1 + more, np.zeros((B, H))
    d = solution.tbptt_k1k2(X, Y, p, k1, k2)
    dX = np.zeros_like(X)
    for n, a in enumerate(range(0, T, k1)):
        first = max(0, a + k1 - k2)
        leaf, inputs, _, losses = recorded(X, Y, zeros, p, lambda t, h, cut=first: h.detach() if t == cut else h)
        part = sum(losses[a : a + k1])
        close(d["dW_hh"][n], tg.grad(part, leaf["W_hh"])[0].numpy())
        close(d["db_y"][n], tg.grad(part, leaf["b_y"])[0].numpy())
        for t, g in enumerate(tg.grad(part, inputs, allow_unused=True)):
            dX[t] += 0.0 if g is None else g.numpy()
    close(d["dX"], dX)


@quick
@given(lengths, st.integers(1, 5), seeds)
def test_the_three_meet_where_they_must(T, k, seed):
    X, Y, _, p = network(T, seed)
    zeros = np.zeros((B, H))
    carried, _ = solution.tbptt_carried(X, Y, zeros, p, k)
    pairs = solution.tbptt_k1k2(X, Y, p, k, k)
    whole = [solution.tbptt_isolated(X, Y, p, T, np.array([0])), solution.tbptt_carried(X, Y, zeros, p, T)[0],
             solution.tbptt_documents(X, Y, np.array([T]), p, T), solution.tbptt_k1k2(X, Y, p, 1, T)]  # fmt: skip
    for name in solution.GRADIENTS:
        close(pairs[name], carried[name])
        for d in whole:  # a chunk as long as the sequence cuts nothing
            close(d[name].sum(axis=0), solution.tbptt_windows(X, Y, p, T, 1)[name])


def test_carried_chunks_are_pytorchs():
    torch = pytest.importorskip("torch")
    X, Y, h, p = network(11, 5)
    d, last = solution.tbptt_carried(X, Y, h, p, 4)
    leaf = {name: torch.tensor(array, requires_grad=True) for name, array in p.items()}
    state = torch.tensor(h)
    for n, start in enumerate(range(0, 11, 4)):
        state, loss = state.detach(), 0.0
        for x, y in zip(torch.tensor(X[start : start + 4]), torch.tensor(Y[start : start + 4]), strict=True):
            state = torch.tanh(x @ leaf["W_xh"] + state @ leaf["W_hh"] + leaf["b_h"])
            loss = loss + torch.nn.functional.cross_entropy(state @ leaf["W_hy"] + leaf["b_y"], y)
        for name, g in zip(leaf, torch.autograd.grad(loss, list(leaf.values())), strict=True):
            close(d["d" + name][n], g.numpy())
    close(last, state.detach().numpy())


def test_a_segments_gradient_is_the_complex_step():
    """No chain rule at all: the loss of one segment, moved by an imaginary step."""
    X, Y, _, p = network(5, 8)
    d = solution.tbptt_isolated(X, Y, p, 3, np.array([2]))
    for entry in np.ndindex(H, H):
        moved = {**p, "W_hh": p["W_hh"].astype(complex)}
        moved["W_hh"][entry] += 1e-30j
        _, O = solution.elman_forward(X[2:5], np.zeros((B, H)), moved)
        loss = -(Y[2:5] * np.log(solution.softmax(O))).sum() / B
        close(d["dW_hh"][0][entry], loss.imag / 1e-30)


def test_the_pencil_is_what_the_engine_does():
    """The four numbers of each kind, from the graphs themselves."""
    X, Y, _, p = network(12, 3)
    zeros = np.zeros((B, H))

    def whole(cut):
        return recorded(X, Y, zeros, p, lambda t, h: cut(h) if t % 4 == 0 else h)

    graphs = {
        "full": [(12, whole(lambda h: h))], "isolated": [(4, whole(lambda h: tg.tensor(zeros)))],
        "carried": [(4, whole(lambda h: h.detach()))], "forgotten": [(4, whole(lambda h: h))],
    }  # fmt: skip
    reach, work, held = [], [], []
    for [(size, (_, inputs, _, losses))] in graphs.values():
        passes = [sum(losses[a : a + size]) for a in range(0, 12, size)]
        through = [sum(g is not None for g in tg.grad(each, inputs, allow_unused=True)) for each in passes]
        reach.append(sum(g is not None for g in tg.grad(losses[9], inputs, allow_unused=True)))
        work.append(sum(through))
        held.append(max(through))
    told = solution.how_far()
    assert told["reach"].tolist() == [*reach, 4]
    assert told["work"].tolist() == [*work, 4 * len(range(12 - 4 + 1))]
    assert told["held"].tolist() == [*held, 4]
    changed = [  # context: does the loss of step 10 move with x_t?
        sum(abs(_loss_of_step_10(kind, X, Y, p, t) - _loss_of_step_10(kind, X, Y, p)) > 1e-12 for t in range(12))
        for kind in ("full", "isolated", "carried", "carried", "windows")
    ]
    assert told["context"].tolist() == changed


def _loss_of_step_10(kind, X, Y, p, moved=None):
    X = X.copy()
    if moved is not None:
        X[moved] += 0.1
    start = {"isolated": 8, "windows": 6}.get(kind, 0)  # where the state that step 10 reads began with zeros
    _, O = solution.elman_forward(X[start:10], np.zeros((B, H)), p)
    return -(Y[9] * np.log(solution.softmax(O[-1]))).sum() / B


def test_without_a_detach_the_losses_are_the_same_and_the_gradient_is_full_bptt():
    """What the lesson says of the forgotten detach, and what the mistake of that name does."""
    X, Y, h, p = network(10, 2)
    slip, last = BENCH.module(LESSON.exercise("tbptt_carried"), ["NO_DETACH"]).tbptt_carried(X, Y, h, p, 3)
    d, right = solution.tbptt_carried(X, Y, h, p, 3)
    full, _ = solution.tbptt_carried(X, Y, h, p, 10)
    close(last, right)
    close(slip["dX"], full["dX"])
    close(slip["dW_hh"].sum(axis=0), full["dW_hh"][0])
    assert np.abs(slip["dX"] - d["dX"]).max() > 1e-3


@pytest.mark.parametrize(("function", "mistake", "other"), [
    ("tbptt_carried", "H_RESET", lambda X, Y, p: solution.tbptt_isolated(X, Y, p, 3, np.arange(0, len(X), 3))),
    ("tbptt_carried", "DETACH_INSIDE", lambda X, Y, p: solution.tbptt_carried(X, Y, np.zeros((B, H)), p, 1)[0]),
])  # fmt: skip
def test_a_slip_is_another_kind_under_the_wrong_name(function, mistake, other):
    X, Y, _, p = network(9, 4)
    d, _ = BENCH.module(LESSON.exercise(function), [mistake]).tbptt_carried(X, Y, np.zeros((B, H)), p, 3)
    close(d["dX"], other(X, Y, p)["dX"])


def verdict(function, *mistakes):
    """What a learner reads whose code is the solution with these mistakes made in it."""
    edits = [edit for name in mistakes for edit in BENCH.edits[function][name]]
    return next(
        grade(LESSON, only=[LESSON.exercise(function).id], source=mistaken(BENCH.source, function, edits))
    )  # fmt: skip


def test_who_resets_the_state_is_told_from_which_step():
    told = verdict("tbptt_carried", "H_RESET")
    assert told.mistakes == ("H_RESET",)
    assert "wrong from step 4 (index 3) on" in told.lines[0]
    assert "isolated segments" in told.lines[0]


def test_two_slips_at_once_are_both_told():
    told = verdict("tbptt_carried", "H_RESET", "GRAD_NOT_CLEARED")
    assert set(told.mistakes) == {"H_RESET", "GRAD_NOT_CLEARED"}


def test_the_lectures_loop_over_a_number_is_pointed_to():
    """`for c_i in num_chunk` stops with Python's own error, which the learner reads with the line."""
    source = BENCH.source.replace("for start in range(0, n, k)])", "for start in -(-n // k)])")
    told = next(grade(LESSON, only=[1], source=source))
    assert told.kind == "error"
    assert any("not iterable" in line for line in told.lines)
