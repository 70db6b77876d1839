"""no_grad, scopes and steps, traces and taps: what surrounds an operation, and who watches."""

from __future__ import annotations

import asyncio
import gc
import threading
import weakref

import numpy as np
import pytest

import tinygrad_rnn as tg


def leaf(x, name=None) -> tg.Tensor:
    return tg.tensor(np.asarray(x, np.float64), requires_grad=True, name=name)


# no_grad


def test_no_grad_as_a_block_and_as_a_decorator():
    x = leaf(1.0)
    with tg.no_grad():
        assert not (x * 2).requires_grad
        with tg.enable_grad():
            assert (x * 2).requires_grad
    assert (x * 2).requires_grad

    @tg.no_grad()
    def double(x, depth=0):
        return double(x, depth + 1) if depth < 3 else x * 2

    assert not double(x).requires_grad
    assert (x * 2).requires_grad
    assert double.__name__ == "double"


def test_no_grad_ends_with_an_exception():
    with pytest.raises(ZeroDivisionError), tg.no_grad():
        raise ZeroDivisionError
    assert (leaf(1.0) * 2).requires_grad


def test_threads_do_not_share_no_grad():
    x, inside, seen = leaf(1.0), threading.Event(), {}
    done = threading.Event()

    def other():
        inside.wait(5)
        seen["other"] = (x * 2).requires_grad
        done.set()

    thread = threading.Thread(target=other)
    thread.start()
    with tg.no_grad(), tg.scope("here"):
        inside.set()
        done.wait(5)
    thread.join()
    assert seen["other"] is True


def test_a_decorated_function_runs_in_several_threads_at_once():
    x, gate, wrong = leaf(1.0), threading.Barrier(4), []

    @tg.no_grad()
    @tg.scope("worker")
    def work():
        gate.wait(5)
        if (x * 2).requires_grad:
            wrong.append("recorded")
        gate.wait(5)

    def run():
        try:
            work()
            if not (x * 2).requires_grad:
                wrong.append("still off")
        except Exception as error:
            wrong.append(repr(error))

    threads = [threading.Thread(target=run) for _ in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert wrong == []


def test_no_grad_and_scope_decorate_coroutines():
    x = leaf(1.0)

    @tg.no_grad()
    async def outer(depth=0):
        await asyncio.sleep(0)
        return [*(await outer(depth + 1) if depth < 2 else []), (x * 2).requires_grad]

    @tg.scope("worker")
    async def scoped(t):
        with tg.step(t):
            await asyncio.sleep(0)
            return (x * 2).scope, (x * 2).step

    async def both():
        return await asyncio.gather(outer(), scoped(1), scoped(2), tracked())

    async def tracked():
        return (x * 2).requires_grad

    assert asyncio.run(both()) == [[False] * 3, (("worker",), 1), (("worker",), 2), True]
    assert outer.__name__ == "outer"


def test_generators_are_refused_because_their_body_runs_outside_the_call():
    def numbers():
        yield 1

    async def later():
        yield 1

    for f in (numbers, later):
        with pytest.raises(TypeError, match=rf"^no_grad: {f.__name__} is a generator.*put `with .*inside it$"):
            tg.no_grad()(f)


@pytest.mark.parametrize("decorator", [tg.no_grad, tg.enable_grad, tg.scope, tg.step, tg.debug, tg.trace])
def test_a_decorator_without_its_brackets_says_so(decorator):
    name = decorator.__name__
    with pytest.raises(TypeError, match=rf"^{name}: write @tg.{name}\(.*\), with brackets$"):
        decorator(lambda x: x)


# Scopes and steps


def test_scopes_nest_and_the_innermost_step_wins():
    x = leaf(1.0)
    with tg.scope("encoder"), tg.step(3):
        a = x * 2
        with tg.scope("cell"), tg.step(7):
            b = x * 2
        c = x * 2
    d = x * 2
    assert [(t.scope, t.step) for t in (a, b, c, d)] == [
        (("encoder",), 3), (("encoder", "cell"), 7), (("encoder",), 3), ((), None)]  # fmt: skip
    assert (x.scope, x.step) == ((), None)


def test_a_scope_can_be_entered_again():
    here, x = tg.scope("a"), leaf(1.0)
    with here:
        with here:
            assert (x * 2).scope == ("a", "a")
        assert (x * 2).scope == ("a",)
    assert (x * 2).scope == ()


# trace


def test_a_trace_remembers_what_was_recorded_in_order():
    x = leaf(1.0)
    with tg.trace() as tr:
        y = tg.tanh(x * 2)
        with tg.no_grad():
            tg.exp(x)
        tg.tensor(1.0) * 2
    tg.sin(x)
    assert [n.op.name for n in tr.nodes] == ["multiply", "tanh"]
    assert tr.nodes[-1] is y.node
    assert (tr.failed, tr.error) == (None, None)


def test_a_trace_keeps_the_operation_that_raised():
    h, W = leaf(np.ones((2, 3)), "h"), leaf(np.ones((4, 3)), "W")
    tr = tg.trace()
    with pytest.raises(ValueError, match="inner sizes 3 and 4 differ"), tr, tg.step(5):
        tg.tanh(h) @ W
    assert [n.op.name for n in tr.nodes] == ["tanh"]
    assert tr.failed.op.name == "matmul"
    assert tr.failed.step == 5
    assert [x.name or x.op for x in tr.failed.inputs] == ["tanh", "W"]
    assert "inner sizes 3 and 4 differ" in str(tr.error)


# tap


def network():
    """A recurrence of 4 steps over a shared W, with every kind of edge: shared, twice, broadcast, indexed, several."""
    rng = np.random.default_rng(0)
    W, b, X = leaf(rng.normal(size=(3, 3)), "W"), leaf(rng.normal(size=3), "b"), leaf(rng.normal(size=(4, 2, 3)), "X")
    h = tg.tensor(np.zeros((2, 3)))
    total = 0
    for t, x in enumerate(tg.unstack(X)):
        with tg.step(t):
            h = tg.tanh(x + h @ W + b * b + X[t])
            total = total + tg.sum(h * h)
    return (W, b, X), total


def test_the_edges_into_a_tensor_sum_to_its_gradient():
    leaves, loss = network()
    plain = tg.grad(loss, leaves)
    with tg.tap() as seen:
        tapped = tg.grad(loss, leaves)
    for x, p, g in zip(leaves, plain, tapped, strict=True):
        np.testing.assert_array_equal(p.numpy(), g.numpy())  # looking changes nothing
        edges = [c for _, _, parent, c in seen.edges if parent is x]
        np.testing.assert_allclose(sum(edges), g.numpy(), rtol=1e-12, atol=1e-14)
    assert len([1 for _, _, parent, _ in seen.edges if parent is leaves[0]]) == 4
    assert sorted({n.step for n, _, parent, _ in seen.edges if parent is leaves[0]}) == [0, 1, 2, 3]


def test_a_tap_sees_nodes_as_they_fire():
    _, loss = network()
    with tg.tap() as seen:
        loss.backward()
    orders = [node.order for node, _ in seen.nodes]
    assert orders == sorted(orders, reverse=True)
    assert len(set(orders)) == len(orders)
    gradients = next(g for n, g in seen.nodes if n.op.name == "unstack")
    assert [g.shape for g in gradients] == [(2, 3)] * 4
    assert seen.nodes[0][0] is loss.node


def test_a_tap_reports_unused_outputs_as_none():
    with tg.tap() as seen:
        a, _ = tg.unstack(leaf([1.0, 2.0]))
        a.backward()
    assert [g is None for g in seen.nodes[0][1]] == [False, True]


def test_contributions_kept_by_a_tap_do_not_change_later():
    x = leaf(np.ones(3))
    y = x * 1
    with tg.tap() as seen:
        tg.sum(y[0] + y[0] + y + y).backward()
    for _, _, parent, c in seen.edges:
        if parent is x:
            np.testing.assert_array_equal(c, x.grad.numpy())
    into_y = [c for _, _, parent, c in seen.edges if parent.node is y.node]
    np.testing.assert_array_equal(sum(into_y), x.grad.numpy())


def test_a_reader_of_ones_own():
    class Norms:
        def __init__(self):
            self.seen = []

        def edge(self, node, argument, parent, contribution):
            self.seen.append((node.op.name, argument))

        def node(self, node, gradients):
            pass

    x = leaf(2.0)
    with tg.tap(Norms()) as reader:
        (x * x).backward()
    assert reader.seen == [("multiply", 0), ("multiply", 1)]


# debug


def test_debug_names_the_operation_that_made_a_nan():
    x = leaf([-1.0, 4.0], "x")
    with (
        tg.debug(),
        np.errstate(all="ignore"),
        tg.scope("model"),
        tg.step(2),
        pytest.raises(FloatingPointError) as caught,
    ):
        tg.exp(tg.log(x))
    assert str(caught.value).startswith("log made NaN of finite inputs: x (2,) in [-1, 4] (scope model, step 2, line ")
    assert "of test_recording.py" in str(caught.value)


def test_debug_names_the_derivative_that_made_an_inf():
    x = leaf([0.0, 4.0], "x")
    with tg.debug(), np.errstate(all="ignore"):
        with tg.step(1):
            y = tg.sqrt(x)
        with pytest.raises(
            FloatingPointError,
            match=r"^the derivative of sqrt for x made Inf .*x \(2,\) in \[0, 4\] \(step 1, line \d+ of",
        ):
            tg.sum(y * 2).backward()


def test_debug_lets_infinities_that_were_given_pass():
    x = leaf([np.inf, 1.0])
    with tg.debug():
        tg.sum(x * 2).backward()
    assert x.grad.tolist() == [2.0, 2.0]


def test_nan_is_named_where_it_was_born_in_an_untracked_operation_too():
    quiet = np.errstate(all="ignore")
    with pytest.raises(FloatingPointError, match="log made NaN of finite inputs"), quiet, tg.debug():
        tg.log(tg.tensor([-1.0]))


def test_debug_locks_the_arrays_of_the_graph_until_it_ends():
    x, c = leaf([1.0, 2.0]), np.array([3.0, 4.0])
    with tg.debug():
        y = x * c
        z = y.reshape(2, 1)[0]
        for array in (x.data, c, y.data, z.data):
            with pytest.raises(ValueError, match="read-only"):
                array[...] = 0
    for array in (x.data, c, y.data, z.data):
        array[...] = 0


def test_debug_leaves_what_was_read_only_as_it_was():
    c = np.array([1.0, 2.0])
    c.flags.writeable = False
    with tg.debug():
        leaf([1.0, 2.0]) * c
    assert not c.flags.writeable


def test_debug_unlocks_also_after_an_exception():
    x = leaf([1.0])
    with pytest.raises(ValueError, match="sizes 2 and 3"), tg.debug():
        (x * np.ones(2)) + np.ones(3)
    x.data[0] = 3


def test_debug_keeps_source_lines():
    x = leaf([1.0])
    with tg.debug():
        y = x * 2
    assert "of test_recording.py" in y.node.line
    assert (x * 2).node.line is None


def test_debug_takes_a_given_infinite_number_as_given():
    x = leaf([1.0, 2.0])
    with tg.debug():
        scores = tg.where(np.array([True, False]), x, -np.inf)
        tg.sum(tg.softmax(scores)).backward()
        tg.clip(x, -np.inf, np.float64(np.inf))
    assert np.isfinite(x.grad.numpy()).all()


def test_debug_names_a_nan_born_of_infinities():
    x = leaf([np.inf, 1.0], "x")
    with (
        tg.debug(),
        np.errstate(all="ignore"),
        pytest.raises(FloatingPointError, match=r"^subtract made NaN of infinite inputs: x \(2,\) in \[1, inf\], x "),
    ):
        x - x


def test_debug_says_through_which_input_a_nan_came_in():
    w = leaf([1.0], "w")
    with np.errstate(all="ignore"):
        born_outside = tg.log(tg.tensor([-1.0]))
    with tg.debug():
        for x, name in ((tg.tensor([np.nan], name="x"), "x"), (np.array([np.nan]), "argument 1"),
                        (born_outside, "argument 1"), (np.nan, "argument 1")):  # fmt: skip
            with pytest.raises(FloatingPointError, match=rf"^multiply gave NaN, which came in through its {name}: w "):
                w * x


def test_debug_locks_indices_and_targets_too():
    x, rows, targets = leaf(np.eye(3)), np.array([0, 1, 2]), np.array([0, 1, 2])
    with tg.debug():
        x[rows, 0], x[rows], tg.take(x, targets), tg.cross_entropy(x, targets)
        for array in (rows, targets):
            with pytest.raises(ValueError, match="read-only"):
                array[...] = 0
    rows[...] = targets[...] = 0


@pytest.mark.parametrize("debug_first", [False, True])
def test_a_trace_keeps_the_operation_that_debug_stopped_at(debug_first):
    x, tr = leaf([-1.0], "x"), tg.trace()
    first, second = (tg.debug(), tr) if debug_first else (tr, tg.debug())
    with pytest.raises(FloatingPointError), np.errstate(all="ignore"), first, second:
        tg.log(x * 1)
    assert [n.op.name for n in tr.nodes] == ["multiply"]
    assert tr.failed.op.name == "log"
    assert "log made NaN" in str(tr.error)


def test_debug_inside_debug_unlocks_nothing_of_the_outer():
    x, seen = leaf([1.0]), []

    @tg.debug()
    def recursive(depth):
        c = np.ones(1)
        x * c
        if depth:
            recursive(depth - 1)
        seen.append(c.flags.writeable or x.data.flags.writeable)

    recursive(2)
    again = tg.debug()
    with again:
        c = np.ones(1)
        x * c
        with again:
            x * 2
        seen.append(c.flags.writeable or x.data.flags.writeable)
    assert seen == [False] * 4
    assert x.data.flags.writeable
    assert c.flags.writeable


def test_debug_keeps_no_array_alive():
    x = leaf([1.0])
    with tg.debug():
        gone = weakref.ref((x * 2).data)
        gc.collect()
        assert gone() is None
