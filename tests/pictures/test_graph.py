"""From a computation to a graph: keys, edges, values, gradients, limits."""

from __future__ import annotations

import time

import numpy as np
import pytest

import tinygrad_rnn as tg
from tinygrad_rnn.pictures.dot import TooLarge
from tinygrad_rnn.pictures.graph import Graph, gradients

from . import models


def test_keys_say_where_and_the_how_manieth():
    graph = Graph(models.elman(T=2)[0])
    keys = [v.key for v in graph.vertices]
    assert len(set(keys)) == len(keys)
    assert {"W_xh", "W_hh", "t1/matmul", "t1/matmul#2", "t1/matmul#3", "t2/tanh", "t1/input", "add"} <= set(keys)
    assert keys.index("t1/tanh") < keys.index("t2/tanh") < keys.index("add#2")


def test_scopes_are_part_of_the_key_and_equal_in_every_step():
    graph = Graph(models.layer("RNN", T=3))
    tanh = [v for v in graph.vertices if v.op == "tanh"]
    assert [v.local for v in tanh] == ["rnn/tanh"] * 3
    assert [v.key for v in tanh] == ["t1/rnn/tanh", "t2/rnn/tanh", "t3/rnn/tanh"]


def test_a_square_is_two_edges():
    x = tg.tensor(3.0, requires_grad=True, name="x")
    assert [(a.key, b.key, i) for a, b, i in Graph(x * x).edges] == [("x", "multiply", 0), ("x", "multiply", 1)]


def test_the_same_name_twice_stays_two_vertices():
    a, b = tg.tensor(1.0, requires_grad=True, name="W"), tg.tensor(2.0, requires_grad=True, name="W")
    assert [v.key for v in Graph(a * b).vertices] == ["W", "W#2", "multiply"]


def test_values_and_gradients_are_those_of_the_run_and_grad_is_untouched():
    loss, leaves = models.elman()
    graph = Graph(loss)
    gradients(graph)
    for leaf, expected in zip(leaves, tg.grad(loss, leaves), strict=True):
        assert leaf.grad is None
        np.testing.assert_array_equal(graph.of(leaf).value, leaf.data)
        np.testing.assert_allclose(graph.of(leaf).gradient, expected.data, rtol=1e-12)
    assert float(graph.of(loss).value) == loss.item()


def test_inner_gradients_equal_those_that_retain_grad_keeps():
    x = tg.tensor([1.0, -2.0], requires_grad=True)
    y = (x * 3.0).retain_grad()
    loss = (y * y).sum()
    graph = Graph(loss)
    gradients(graph)
    found = graph.of(y).gradient
    loss.backward()
    np.testing.assert_allclose(found, y.grad.data)


def test_several_outputs_count_together_and_a_part_has_its_own_gradient():
    x = tg.tensor(np.arange(6.0), requires_grad=True, name="x")
    a, b = tg.split(x, 2)
    graph = Graph([a * 2.0, b * 5.0])
    gradients(graph)
    assert {"split", "split[0]", "split[1]"} <= {v.key for v in graph.vertices}
    np.testing.assert_array_equal(graph.of(x).gradient, [2, 2, 2, 5, 5, 5])
    np.testing.assert_array_equal(graph.of(b).gradient, [5, 5, 5])


def test_what_is_taken_from_a_stack_is_the_thing_itself():
    x = tg.tensor([1.0, 2.0], requires_grad=True, name="x")
    a, b = x * 2.0, x * 3.0
    stacked = tg.stack([a, b])
    for again in (tg.unstack(stacked)[1], stacked[1]):
        assert [v.op for v in Graph(again.sum()).vertices] == ["", "multiply", "sum"]


def test_a_failed_operation_comes_last_with_its_error_and_without_gradients():
    graph = Graph(models.failed())
    gradients(graph)
    assert graph.failed is graph.vertices[-1]
    assert graph.failed.key == "t3/matmul"
    assert "inner sizes 4 and 3 differ" in graph.failed.error
    assert all(v.gradient is None for v in graph.vertices)


def test_nothing_recorded_is_said_in_a_line_with_the_remedy():
    x = tg.tensor(1.0, requires_grad=True, name="x")
    with tg.no_grad():
        y = (x * x).named("y")
    with pytest.raises(ValueError, match=r"nothing was recorded of y .*no_grad: move that line out"):
        Graph(y)
    with tg.trace() as empty:
        pass
    with pytest.raises(ValueError, match="the trace recorded nothing"):
        Graph(empty)
    with pytest.raises(TypeError, match="give a Tensor"):
        Graph([3.0])


def test_a_million_operations_are_counted_and_not_drawn():
    y = x = tg.tensor(1.0, requires_grad=True, name="x")
    for _ in range(1_000_000):
        y = y * 1.0
    with pytest.raises(TooLarge, match="300,000 operations are too many"):
        tg.draw(y, "ops")
    start = time.perf_counter()
    drawing = tg.draw(y)
    assert time.perf_counter() - start < 20
    assert "1,000,000 × multiply" in drawing.figure.description
    assert x.grad is None


def test_thousands_of_slices_of_slices_are_no_recursion():
    x = tg.tensor(np.ones(3000), requires_grad=True) * 1
    for _ in range(2000):
        x = x[1:]
    assert len(Graph(x.sum()).vertices) == 2003  # x, its product, the slices and the sum
