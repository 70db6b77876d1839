"""Lesson autograd: its solution against the engine, PyTorch and numbers, and its grader on answers nobody foresaw."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tinygrad_rnn as tg
from tinygrad_rnn.course.authoring import mistaken, solution_of
from tinygrad_rnn.course.grading import grade
from tinygrad_rnn.course.manifest import INSTRUCTOR, read_lesson

LESSON = read_lesson(Path(__file__).parents[2] / "lessons" / "01_autograd")
SOLUTION = (LESSON.folder / INSTRUCTOR / "solution.py").read_text(encoding="utf-8")
solution = solution_of(LESSON)
Node, Tensor = solution.Node, solution.Tensor
seeds = st.integers(0, 10_000)
sizes = st.tuples(*[st.integers(1, 5)] * 3, seeds)  # B, D, H and a seed


def close(got, expected, rtol=1e-12):
    np.testing.assert_allclose(got, expected, rtol=rtol, atol=rtol * np.abs(expected).max(initial=1e-300))


def by_engine(f, g, *arrays):
    """The engine's gradients of sum(g * f(arrays))."""
    leaves = [tg.tensor(a, requires_grad=True) for a in arrays]
    return [each.numpy() for each in tg.grad(f(*leaves), leaves, grad_output=g)]


def verdict(exercise, function, *edits):
    """What the grader says of the solution with these edits in one function."""
    source = mistaken(SOLUTION, function, edits)
    assert source is not None
    return next(iter(grade(LESSON, only=[exercise], source=source)))


# The gates against the engine


@given(sizes)
def test_mul_and_matmul_are_the_engines(size):
    B, D, H, seed = size
    rng = np.random.default_rng(seed)
    g, x, y = rng.normal(size=(3, B, D))
    for got, expected in zip(solution.mul_backward(g, x, y), by_engine(lambda x, y: x * y, g, x, y), strict=True):
        close(got, expected)
    X, W, g = rng.normal(size=(B, D)), rng.normal(size=(D, H)), rng.normal(size=(B, H))
    for got, expected in zip(solution.matmul_backward(g, X, W), by_engine(lambda X, W: X @ W, g, X, W), strict=True):
        close(got, expected)


@given(sizes)
def test_copy_and_unbroadcast_are_the_engines(size):
    B, D, H, seed = size
    rng = np.random.default_rng(seed)
    gs = list(rng.normal(size=(3, B, D)))
    uses = tg.tensor(np.zeros((B, D)), requires_grad=True)
    (expected,) = tg.grad(sum(tg.sum(uses * g) for g in gs), uses)
    close(solution.copy_backward(gs), expected.numpy())
    g = rng.normal(size=(B, D, H))
    for shape in ((), (H,), (1,), (D, H), (D, 1), (B, 1, H), (1, 1, 1), (B, D, H)):
        (expected,) = by_engine(lambda a: a + np.zeros(g.shape), g, rng.normal(size=shape))
        assert solution.unbroadcast(g, shape).shape == shape
        close(solution.unbroadcast(g, shape), expected)


@given(sizes, st.sampled_from([1.0, 1000.0]))
def test_softmax_xent_is_the_engines(size, scale):
    B, C, _, seed = size
    rng = np.random.default_rng(seed)
    o, y = scale * rng.normal(size=(B, C)), rng.integers(0, C, B)
    loss, do = solution.softmax_xent(o, y)
    leaf = tg.tensor(o, requires_grad=True)
    expected = tg.cross_entropy(leaf, y)
    close(loss, expected.item())
    np.testing.assert_allclose(do, tg.grad(expected, leaf)[0].numpy(), atol=1e-15)


def test_numgrad_is_the_derivative_of_an_analytic_function_by_the_complex_step():
    x = np.random.default_rng(0).normal(size=(3, 2))

    def f(x):
        return (np.tanh(x) * np.exp(x[::-1])).sum()

    exact = np.zeros_like(x)
    for i in np.ndindex(x.shape):
        moved = x.astype(complex)
        moved[i] += 1e-30j
        exact[i] = f(moved).imag / 1e-30
    np.testing.assert_allclose(solution.numgrad(f, x), exact, atol=1e-8)


# The engine


@given(seeds)
def test_toposort_is_an_order_of_what_the_root_was_made_from(seed):
    rng = np.random.default_rng(seed)
    nodes = []
    for i in range(12):
        nodes.append(Node(0.0, [nodes[j] for j in rng.integers(0, i, rng.integers(0, 4))] if i else ()))
    root = nodes[-1]
    below, waiting = {root}, [root]
    while waiting:
        new = set(waiting.pop().inputs) - below
        below |= new
        waiting += new
    order = solution.toposort(root)
    assert len(order) == len(below)
    assert set(order) == below
    place = {node: i for i, node in enumerate(order)}
    assert all(place[x] < place[node] for node in order for x in node.inputs)


@settings(max_examples=30, deadline=None)
@given(sizes)
def test_tensor_is_the_engine_on_a_network_that_uses_its_weights_twice(size):
    B, D, _, seed = size
    rng = np.random.default_rng(seed)
    arrays = [rng.normal(size=shape) for shape in ((B, D), (D, D), (D,), (D,))]

    def network(x, W, b, v):
        h = ((x @ W + b) * v).tanh() if isinstance(x, Tensor) else tg.tanh((x @ W + b) * v)
        y = h @ W * h + b
        return (y * y).sum()

    mine = [Tensor(a) for a in arrays]
    loss = network(*mine)
    for _ in range(2):  # the second call forgets the first
        loss.backward()
    for leaf, expected in zip(mine, by_engine(network, np.float64(1.0), *arrays), strict=True):
        close(leaf.grad, expected, 1e-10)


def test_tensor_is_pytorch_on_a_network():
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(1)
    arrays = [rng.normal(size=shape) for shape in ((4, 3), (3, 5), (5,))]
    mine, theirs = [Tensor(a) for a in arrays], [torch.tensor(a, requires_grad=True) for a in arrays]
    for x, W, b in (mine, theirs):
        h = (x @ W + b).tanh()
        (h * h * b).sum().backward()
    for leaf, other in zip(mine, theirs, strict=True):
        close(leaf.grad, other.grad.numpy())


# What the grader says where its tables do not


def test_other_right_orders_are_right():
    said = verdict(7, "toposort", ("for x in node.inputs", "for x in node.inputs[::-1]"))
    assert said.right


def test_right_answers_in_other_words_are_right():
    in_place = (
        ("above, below = x.copy(), x.copy()\n        above[i] += eps\n        below[i] -= eps\n", "old = x[i]\n"),
        (
            "gradient[i] = (f(above) - f(below)) / (2 * eps)",
            "x[i] = old + eps\n        up = f(x)\n        x[i] = old - eps\n"
            "        gradient[i] = (up - f(x)) / (2 * eps)\n        x[i] = old",
        ),
    )
    assert verdict(3, "numgrad", *in_place).right
    assert verdict(8, "Tensor", ("x.grad = x.grad + rule(node.grad)", "x.grad += rule(node.grad)")).right


def test_a_half_written_engine_is_paid_for_its_half():
    tanh = "y = np.tanh(self.data)\n        return Tensor(y, (self,), (lambda g: g * (1 - y * y),))"
    said = verdict(8, "Tensor", (tanh, 'raise NotImplementedError("autograd.8")'))
    assert (said.earned, said.points) == (8, 9)
    assert said.lines[0].startswith("tanh.value is None: it was never given a value")
    assert not said.printed


def test_an_engine_of_which_one_line_is_written_is_told_what_is_not_there():
    source = (LESSON.folder / "exercise.py").read_text()
    add = 'Returns a Tensor (B, H)."""\n        raise NotImplementedError("autograd.8")'
    assert add in source
    written = (
        'Returns a Tensor (B, H)."""\n        return Tensor(self.data + other.data, (self, other), '
        "(lambda g: g, lambda g: unbroadcast(g, other.data.shape)))"
    )
    said = next(iter(grade(LESSON, only=[8], source=source.replace(add, written, 1))))
    assert (said.earned, said.kind) == (1, "wrong type")
    assert said.lines[0].startswith("sum.value is None")


def test_the_engine_is_graded_whatever_the_exercises_before_it_do():
    source = mistaken(SOLUTION, "toposort", [("return order", "return order[::-1]")])
    source = mistaken(source, "unbroadcast", [("return g", "return 7 * g")])
    assert next(iter(grade(LESSON, only=[8], source=source))).right


@pytest.mark.parametrize(
    ("returns", "kind"),
    [("None", "wrong type"), ("set(order)", "wrong type"), ("[x.data for x in order]", "wrong value")],
)
def test_a_toposort_that_returns_something_else_is_told_so(returns, kind):
    said = verdict(7, "toposort", ("return order", f"return {returns}"))
    assert (said.kind, said.earned) == (kind, 0)


def test_softmax_by_numerical_derivatives_is_told_from_by_hand():
    loss = "lambda o: (np.log(np.exp(o - m).sum(1)) + m[:, 0] - o[rows, y]).mean()"
    by_numbers = f"m = o.max(axis=1, keepdims=True)\n    return loss, numgrad({loss}, o)"
    said = verdict(6, "softmax_xent", ("return loss, do / len(o)", by_numbers))
    assert said.kind == "numerical"
    assert 0 < said.earned < said.points
