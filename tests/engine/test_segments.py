"""checkpoint_segments: the numbers, gradients, scopes and steps of one plain run, in a fraction of its memory."""

from __future__ import annotations

import gc
import tracemalloc
from collections import Counter
from types import SimpleNamespace
from typing import NamedTuple

import numpy as np
import pytest

import tinygrad_rnn as tg

T, B, D, H, C = 23, 3, 4, 5, 6
KINDS = {"rnn": tg.nn.RNN, "lstm": tg.nn.LSTM, "gru": tg.nn.GRU}


class Run:
    """A recurrent layer and a head over X (T, B, D), with a loss at each step, in float64."""

    def __init__(self, kind="lstm", layers=1, dropout=0.0, given=True, track=True):
        rng = np.random.default_rng(0)
        self.layer = KINDS[kind](D, H, num_layers=layers, dropout=dropout, dtype=np.float64, rng=rng)
        self.head = tg.nn.Linear(H, C, dtype=np.float64, rng=rng)
        self.X = tg.tensor(rng.normal(size=(T, B, D)), requires_grad=track, name="X")
        self.Y = rng.integers(0, C, (T, B))
        self.starts = []
        for _ in range(layers if given else 0):
            parts = [tg.tensor(rng.normal(size=(B, H)), requires_grad=True) for _ in range(1 + (kind == "lstm"))]
            self.starts.append(tuple(parts) if kind == "lstm" else parts[0])
        self.state = None if not given else self.starts[0] if layers == 1 else tuple(self.starts)

    def segment(self, x, y, state, t0):
        outputs, state = self.layer(x, state, offset=t0)
        return tg.sequence_loss(self.head(outputs), y), state

    def loss(self, segmented, length=None, weight=0.1):
        """Of all steps, and of the last state, so that a gradient comes from both sides."""
        self.layer.rng.bit_generator.state = np.random.default_rng(7).bit_generator.state
        if segmented:
            losses, last = tg.checkpoint_segments(self.segment, (self.X, self.Y), self.state, length)
            loss = sum(losses)
        else:
            loss, last = self.segment(self.X, self.Y, self.state, 0)
        for part in flat(last):
            loss = loss + weight * tg.sum(part * part)
        return loss

    @property
    def leaves(self):
        return [*self.layer.parameters(), *self.head.parameters(), *flat(self.starts)] + [self.X] * self.X.requires_grad


def flat(nest):
    return [x for part in nest for x in flat(part)] if isinstance(nest, (tuple, list)) else [nest]


def close(given, wanted):
    for a, b in zip(given, wanted, strict=True):
        a, b = a.numpy(), b.numpy()
        assert np.abs(b).max() > 0
        np.testing.assert_allclose(a, b, rtol=0, atol=1e-12 * np.abs(b).max())


@pytest.mark.parametrize("length", [None, 1, 7, T, 100])
@pytest.mark.parametrize("kind", KINDS)
def test_losses_and_all_gradients_are_those_of_plain_bptt(kind, length):
    run = Run(kind)
    plain, cut = run.loss(False), run.loss(True, length)
    close([cut], [plain])
    close(tg.grad(cut, run.leaves), tg.grad(plain, run.leaves))


@pytest.mark.parametrize("given", [True, False])
@pytest.mark.parametrize("kind", KINDS)
def test_layers_with_dropout_and_a_state_that_is_given_or_not(kind, given):
    run = Run(kind, layers=2, dropout=0.4, given=given)
    close(tg.grad(run.loss(True), run.leaves), tg.grad(run.loss(False), run.leaves))


def test_dropout_draws_otherwise_where_the_generator_starts_otherwise():
    """What the test before leans on: the draws matter."""
    run = Run("gru", layers=2, dropout=0.4)
    a, run.layer.rng = run.loss(True), np.random.default_rng(8)
    assert abs(a.item() - run.segment(run.X, run.Y, run.state, 0)[0].item()) > 1e-3


@pytest.mark.parametrize("kind", KINDS)
def test_the_gradient_of_a_gradient(kind):
    run = Run(kind)

    def second(loss):
        first = tg.grad(loss, run.leaves, create_graph=True)
        return tg.grad(sum(tg.sum(g * g) for g in first), run.leaves)

    close(second(run.loss(True)), second(run.loss(False)))


def test_backward_fills_grad_and_data_gets_none():
    run = Run(track=False)
    run.loss(True).backward()
    given = [x.grad for x in run.leaves]
    for x in run.leaves:
        x.grad = None
    run.loss(False).backward()
    close(given, [x.grad for x in run.leaves])
    assert run.X.grad is None


def test_scopes_and_steps_are_those_of_the_plain_run():
    run = Run(layers=2)

    def places(segmented):
        with tg.scope("model"):
            loss = run.loss(segmented)
        with tg.tap() as seen, tg.scope("elsewhere"), tg.step(99):
            tg.grad(loss, run.leaves)
        return Counter((n.op.name, n.scope, n.step) for n, _ in seen.nodes if n.step is not None)

    plain = places(False)
    assert places(True) == plain
    assert {step for _, _, step in plain} == set(range(T))


def test_under_a_tap_each_use_of_a_weight_is_seen_once_and_x_once():
    run = Run()
    W = run.layer.layers[0].forward.W_hh
    plain, cut = (tg.flow.ledger(run.loss(segmented), W) for segmented in (False, True))
    assert cut.steps == plain.steps == tuple(range(T))
    np.testing.assert_allclose(cut.contributions, plain.contributions, rtol=1e-12, atol=1e-14)
    with tg.tap() as seen:
        (whole,) = tg.grad(run.loss(True), run.X)
    to_X = [c for _, _, parent, c in seen.edges if parent is run.X]
    assert len(to_X) == 1  # one edge for X, not one of its size for each segment
    np.testing.assert_array_equal(to_X[0], whole.numpy())


def test_parts_are_views_and_times_are_those_of_the_data():
    X, ids = np.zeros((10, 2, 3)), np.zeros((10, 2), int)
    seen = []

    def f(x, i, state, t0):
        seen.append((t0, len(x), np.shares_memory(x, X), np.shares_memory(i, ids), i.dtype.kind))
        return None, state

    assert tg.checkpoint_segments(f, [X, ids], length=4) == ([None] * 3, None)
    assert seen == [(0, 4, True, True, "i"), (4, 4, True, True, "i"), (8, 2, True, True, "i")]


def test_by_default_segments_have_the_square_root_of_T_rounded_up():
    for steps in (1, 2, 9, 10, 16, 17, 4096):
        parts, _ = tg.checkpoint_segments(lambda x, state, t0: (len(x), state), np.zeros((steps, 1)))
        assert max(parts) == int(np.ceil(np.sqrt(steps)))
        assert sum(parts) == steps


class Pair(NamedTuple):
    h: tg.Tensor
    rest: dict


def test_states_of_any_nesting_with_none_numbers_and_parts_without_gradient():
    W = tg.tensor(np.random.default_rng(0).normal(size=(3, 3)), requires_grad=True)
    h0 = tg.tensor(np.ones((2, 3)), requires_grad=True)
    X = np.random.default_rng(1).normal(size=(10, 2, 3))

    def f(x, state, t0):
        h, rest = state
        for xt in x:
            h = tg.tanh(xt + h @ W)
        rest = {"none": None, "count": rest["count"] + len(x), "list": [h * 2, rest["list"][0].detach()],
                "best": h > 0, "array": x[-1]}  # fmt: skip
        return {"loss": tg.sum(h * h), "pair": (rest["list"][0], None)}, Pair(h, rest)

    def total(results, state):
        whole = tg.sum(state.h * state.rest["list"][0])
        return whole + sum(r["loss"] + tg.sum(r["pair"][0]) for r in results)

    start = Pair(h0, {"count": 0, "list": [h0, None]})
    results, state = tg.checkpoint_segments(f, X, start, length=4)
    assert type(state) is Pair
    assert (state.rest["none"], state.rest["count"]) == (None, 10)
    assert not state.rest["best"].requires_grad
    assert not state.rest["list"][1].requires_grad
    assert state.rest["array"] is not None
    again, plain = [], start
    for t in range(0, 10, 4):
        result, plain = f(X[t : t + 4], plain, t)
        again.append(result)
    close(tg.grad(total(results, state), (W, h0)), tg.grad(total(again, plain), (W, h0)))


def test_a_state_that_f_hands_on_unchanged_or_twice():
    h0 = tg.tensor([1.0, 2.0], requires_grad=True)
    results, (a, b) = tg.checkpoint_segments(
        lambda x, state, t0: (tg.sum(state[0] * x[0]), state), np.ones((4, 2)), (h0, h0), length=2
    )
    (g,) = tg.grad(sum(results) + tg.sum(a * b), h0)
    np.testing.assert_allclose(g.numpy(), [4.0, 6.0])  # 1 for each of two results, and 2 h0


def test_outputs_join_and_inside_no_grad_nothing_is_recorded():
    run = Run(track=False)
    cut = lambda: tg.checkpoint_segments(lambda x, s, t0: run.layer(x, s, offset=t0), run.X, run.state)  # noqa: E731
    outputs, state = cut()
    plain, last = run.layer(run.X, run.state)
    close([tg.concat(outputs), *state], [plain, *last])
    with tg.no_grad():
        outputs, _ = cut()
    close([tg.concat(outputs)], [plain])
    assert not outputs[0].requires_grad


def test_segments_within_segments():
    run = Run()

    def segment(x, y, state, t0):
        losses, state = tg.checkpoint_segments(
            lambda x, y, state, t: run.segment(x, y, state, t0 + t), (x, y), state, length=2
        )
        return sum(losses), state

    losses, last = tg.checkpoint_segments(segment, (run.X, run.Y), run.state, length=9)
    loss = sum(losses) + sum(0.1 * tg.sum(part * part) for part in last)
    close(tg.grad(loss, run.leaves), tg.grad(run.loss(False), run.leaves))
    with tg.tap() as seen:
        tg.grad(loss, run.leaves)
    uses = [n.step for n, _, parent, _ in seen.edges if parent is run.layer.layers[0].forward.W_hh]
    assert sorted(uses) == list(range(T))


def test_an_optimizer_step_before_backward_is_refused():
    run = Run()
    loss = run.loss(True)
    W = run.layer.layers[0].forward.W_hh
    W.data = W.data * 2
    with pytest.raises(RuntimeError, match=r"checkpoint: W_hh \(5, 20\) was rebound"):
        loss.backward()


def test_on_another_device(device):
    W = tg.tensor(np.random.default_rng(0).normal(size=(3, 3)), requires_grad=True, device=device)
    X = tg.tensor(np.random.default_rng(1).normal(size=(10, 2, 3)), requires_grad=True, device=device)

    def f(x, h, t0):
        for xt in x:
            h = tg.tanh(xt + h @ W) if h is not None else tg.tanh(xt)
        return tg.sum(h * h), h

    losses, _ = tg.checkpoint_segments(f, X, length=4)
    h, plain = None, []
    for t in range(0, 10, 4):
        loss, h = f(X[t : t + 4], h, t)
        plain.append(loss)
    close(tg.grad(sum(losses), (W, X)), tg.grad(sum(plain), (W, X)))


def peak(work) -> int:
    """Bytes that `work` has alive at most, beside what there was."""
    gc.collect()
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("track", [False, True])
def test_memory_is_a_fraction_of_the_plain_runs(track):
    layer, rng = tg.nn.RNN(8, 64, rng=0, kernel="unrolled"), np.random.default_rng(0)

    def run(steps, cut):
        X = tg.tensor(rng.normal(size=(steps, 4, 8)).astype(np.float32), requires_grad=track)

        def segment(x, state, t0):
            outputs, state = layer(x, state, offset=t0)
            return tg.sum(outputs * outputs), state

        loss = sum(tg.checkpoint_segments(segment, X)[0]) if cut else segment(X, None, 0)[0]
        loss.backward()
        layer.zero_grad()

    run(4, True)
    plain, cut = peak(lambda: run(400, False)), peak(lambda: run(400, True))
    assert cut < 0.15 * plain
    assert peak(lambda: run(1600, True)) < 3 * cut  # 4 times the steps, about twice the memory


@pytest.mark.parametrize(
    ("f", "xs", "length", "kind", "message"),
    [
        (lambda x, s, t: x, np.ones((4, 2)), None, TypeError, r"f must give \(result, state\), not array \(2, 2\)"),
        (lambda x, s, t: (1, 2, 3), np.ones((4, 2)), None, TypeError, "not 3 values"),
        (lambda x, s, t: None, np.ones((4, 2)), None, TypeError, "not None"),
        (None, (np.ones((4, 2)), np.ones((5, 2))), None, ValueError, r"must be of one length T, not \[4, 5\]"),
        (None, [[1.0, 2.0]], None, TypeError, r"sequence 0 is a list: give an array or a Tensor \(T, ...\)"),
        (None, np.float64(1), None, TypeError, "sequence 0 is a float64"),
        (None, np.array(1.0), None, TypeError, r"sequence 0 is array \(\)"),
        (None, (), None, ValueError, "no sequence"),
        (None, np.ones((0, 2)), None, ValueError, "has no time step"),
        (None, np.ones((4, 2)), 0, ValueError, "length is the number of steps in a segment, at least 1, not 0"),
        (None, np.ones((4, 2)), 2.5, TypeError, "length is the number of steps in a segment, not 2.5"),
        (lambda x, s, t: (SimpleNamespace(), s), np.ones((4, 2)), None, TypeError, "f gives a SimpleNamespace"),
    ],
)
def test_what_cannot_be_done_is_told_in_one_line(f, xs, length, kind, message):
    with pytest.raises(kind, match=message) as told:
        tg.checkpoint_segments(f, xs, None, length)
    assert "\n" not in str(told.value)
    assert str(told.value).startswith("checkpoint")
