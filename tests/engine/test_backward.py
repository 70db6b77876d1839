"""What backward and grad do to whom, one behaviour a test."""

from __future__ import annotations

import gc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tinygrad_rnn as tg


def leaf(x, **options) -> tg.Tensor:
    return tg.tensor(np.asarray(x, np.float64), requires_grad=True, **options)


def graph_of(n: int) -> tuple[tg.Tensor, tg.Tensor]:
    x = leaf(1.0)
    y = x
    for _ in range(n):
        y = y * 1.0
    return x, y


# Size and shape of graphs


def test_a_chain_of_100_000_goes_forward_backward_and_away():
    x, y = graph_of(100_000)
    assert "multiply" in repr(y)
    y.backward()
    assert x.grad.item() == 1.0
    assert tg.grad(y, x)[0].item() == 1.0
    del y
    gc.collect()


def test_a_long_chain_under_a_tap_and_with_create_graph():
    x, y = graph_of(20_000)
    with tg.tap() as seen:
        y.backward()
    assert len(seen.edges) == 20_000
    (g,) = tg.grad(y, x, create_graph=True)
    assert g.item() == 1.0


def test_a_long_chain_of_nodes_with_several_outputs():
    x = y = leaf([1.0, 2.0])
    for _ in range(20_000):
        y = tg.stack(tg.unstack(y))
    tg.sum(y).backward()
    assert x.grad.tolist() == [1.0, 1.0]
    del y


def test_a_diamond_is_walked_once_on_each_side():
    x = leaf(3.0)
    a = x * x
    y = a * 2 + a * a
    y.backward()
    assert x.grad.item() == 4 * 3 + 4 * 27


def test_a_ladder_of_diamonds_takes_linear_time():
    """2 ** 200 paths, 200 nodes."""
    x = leaf(1.0)
    y = x
    for _ in range(200):
        y = (y + y) * 0.5
    y.backward()
    assert x.grad.item() == 1.0


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9), st.sampled_from("+-*")), min_size=1, max_size=12))
def test_random_graphs_agree_with_differences(plan):
    """Any wiring of sums and products over two leaves."""

    def f(x, y):
        made = [x, y]
        for i, j, sign in plan:
            a, b = made[i % len(made)], made[j % len(made)]
            made.append(tg.tanh(a + b if sign == "+" else a - b if sign == "-" else a * b))
        return made[-1] + 0 * x + 0 * y

    assert tg.gradcheck(f, [0.7, -0.4], order=2)


# Whose array is whose


def test_gradients_are_never_aliased():
    x, y, seed = leaf([1.0, 2.0]), leaf([3.0, 4.0]), np.array([1.0, 1.0])
    z = x + y
    z.retain_grad()
    z.backward(seed)
    for mine in (x, y, z):
        for other in (x, y, z):
            assert other is mine or not np.shares_memory(mine.grad.data, other.grad.data)
        assert not np.shares_memory(mine.grad.data, seed)
        assert mine.grad.data.flags.writeable
    x.grad.data[:] = 99
    assert (y.grad.tolist(), z.grad.tolist(), seed.tolist()) == ([1.0, 1.0], [1.0, 1.0], [1.0, 1.0])


VIEWS = [lambda x: x, lambda x: x.reshape(4), lambda x: x.T, lambda x: x[:1], lambda x: tg.broadcast_to(x, (3, 2, 2)),
         lambda x: tg.unstack(x)[0], lambda x: x + x, lambda x: tg.concat([x, x]), lambda x: tg.stack([x, x]),
         lambda x: 0 - x]  # fmt: skip


@pytest.mark.parametrize("create_graph", [False, True])
@pytest.mark.parametrize("view", VIEWS)
def test_gradients_through_views_are_arrays_of_their_own(view, create_graph):
    x, w = leaf(np.ones((2, 2))), leaf(np.ones((2, 2)))
    seed = np.ones(view(x).shape)
    y = view(x) + view(w)
    y.backward(seed, create_graph=create_graph)
    first, second = x.grad.data, w.grad.data
    assert first.flags.writeable
    assert second.flags.writeable
    assert not np.shares_memory(first, second)
    assert not np.shares_memory(first, seed)
    kept = second.copy()
    first[...] = 99
    np.testing.assert_array_equal(second, kept)


def test_the_same_input_asked_for_twice_gives_two_arrays():
    x = leaf([1.0])
    for create_graph in (False, True):
        a, b = tg.grad(x * 2, (x, x), create_graph=create_graph)
        assert not np.shares_memory(a.data, b.data)
        assert a.tolist() == b.tolist() == [2.0]


def test_backward_leaves_the_values_of_the_graph_alone():
    x = leaf([1.0, 2.0])
    y = tg.exp(x)
    before = y.numpy().copy()
    z = y * y + y
    z.backward([1.0, 1.0])
    z.backward([1.0, 1.0])
    np.testing.assert_array_equal(y.numpy(), before)


# What accumulates


def test_a_second_backward_adds_the_same_again():
    x = leaf(2.0)
    y = x * x
    y.backward()
    y.backward()
    assert x.grad.item() == 8.0


def test_what_was_read_from_grad_stays_as_it_was():
    x = leaf(2.0)
    (x * 1).backward()
    first = x.grad
    (x * 1).backward()
    assert (first.item(), x.grad.item()) == (1.0, 2.0)


def test_grad_touches_no_grad():
    x = leaf(2.0)
    y = (x * x).retain_grad()
    tg.grad(y * 3, (x, y))
    assert x.grad is None
    assert y.grad is None


def test_retain_grad_keeps_an_inner_gradient():
    x = leaf(2.0)
    y = (x * x).retain_grad()
    a, b = (t.retain_grad() for t in tg.split(tg.stack([y, x]), 2))
    tg.sum(a * 5 + b).backward()
    assert (y.grad.item(), a.grad.tolist(), b.grad.tolist()) == (5.0, [5.0], [1.0])
    assert (x * x).grad is None


def test_grad_is_cleared_by_none():
    x = leaf(2.0)
    (x * x).backward()
    x.grad = None
    (x * 3).backward()
    assert x.grad.item() == 3.0


def test_a_leaf_may_call_backward():
    x = leaf(2.0)
    x.backward()
    assert x.grad.item() == 1.0
    x.backward(np.array(5.0))
    assert x.grad.item() == 6.0
    assert tg.grad(x, x)[0].item() == 1.0


def test_only_leaves_that_ask_get_a_gradient():
    x, c = leaf(2.0), tg.tensor(3.0, dtype=np.float64)
    (x * c).backward()
    assert c.grad is None


def test_several_outputs_with_some_unused():
    x = leaf(np.arange(6.0).reshape(3, 2))
    a, _, c = tg.unstack(x)
    tg.sum(a * 2 + c).backward()
    assert x.grad.tolist() == [[2, 2], [0, 0], [1, 1]]
    first, _ = tg.split(x, [1])
    (g,) = tg.grad(tg.sum(first**2), x, create_graph=True)
    assert g.tolist() == [[0, 2], [0, 0], [0, 0]]


def test_grad_of_several_outputs_is_their_weighted_sum():
    x = leaf(2.0)
    (g,) = tg.grad([x * x, x * 3], [x], [np.array(1.0), np.array(10.0)])
    assert g.item() == 4 + 30
    assert tg.grad([x * x, x * 3], x)[0].item() == 7


def test_grad_for_an_inner_tensor_stops_there():
    x = leaf(2.0)
    y = x * x
    z = y * y
    gy, gx = tg.grad(z, (y, x))
    assert (gy.item(), gx.item()) == (8.0, 32.0)


def test_grad_does_no_work_beside_the_way():
    """Only what lies between output and inputs is walked."""
    calls = []

    @tg.primitive
    def watched(x):
        return x * 1

    @watched.vjp(0)
    def _(g, y, x):
        calls.append(1)
        return g

    x, w = leaf(1.0), leaf(2.0)
    tg.grad(watched(w) * x, x)
    assert not calls
    tg.grad(watched(w) * x, w)
    assert calls == [1]


def test_unused_inputs_are_named_or_none():
    x, y = leaf(1.0, name="x"), leaf(2.0, name="W_hh")
    with pytest.raises(ValueError, match=r"does not depend on input 1, W_hh \(\): leave it out or pass allow_unused"):
        tg.grad(x * 2, (x, y))
    g, none = tg.grad(x * 2, (x, y), allow_unused=True)
    assert (g.item(), none) == (2.0, None)
