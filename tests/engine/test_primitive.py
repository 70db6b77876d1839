"""Primitives that a learner writes."""

from __future__ import annotations

import numpy as np
import pytest

import tinygrad_rnn as tg


@tg.primitive
def swish(x, /, beta=1.0):
    """x * sigmoid(beta x)."""
    return x / (1 + np.exp(-beta * x))


@swish.vjp(0)
def _(g, y, x, beta):
    s = tg.sigmoid(beta * x)
    return g * (s + beta * x * s * (1 - s))


def test_a_learners_primitive_is_a_full_citizen():
    x = np.array([-1.0, 0.5, 2.0])
    assert tg.gradcheck(lambda x: swish(x, 2.0), [x], order=2)
    assert tg.gradcheck(swish, [x], order=2, method="complex")
    t = tg.tensor(x, requires_grad=True)
    with tg.step(4):
        y = swish(t, beta=3.0)
    assert (y.op, y.step, y.inputs) == ("swish", 4, (t,))
    assert y.node.params == {"beta": 3.0}
    assert isinstance(swish(x), np.ndarray)
    assert swish.__doc__ == "x * sigmoid(beta x)."
    assert repr(swish) == "<primitive swish>"


def test_arguments_without_a_slash_are_those_without_a_default():
    @tg.primitive
    def affine(x, W, b, scale=2.0):
        return (x @ W + b) * scale

    @affine.vjp(0)
    def _(g, y, x, W, b, scale):
        return (g * scale) @ W.T

    @affine.vjp(1)
    def _(g, y, x, W, b, scale):
        return x.T @ (g * scale)

    @affine.vjp(2)
    def _(g, y, x, W, b, scale):
        return g * scale  # the engine sums over the rows

    x, W, b = (np.random.default_rng(i).normal(size=s) for i, s in enumerate([(4, 3), (3, 2), (2,)]))
    assert tg.gradcheck(affine, [x, W, b], order=2)
    assert tg.gradcheck(lambda x, W, b: affine(x, W, b, 5.0), [x, W, b], order=2)


def test_each_rule_runs_only_when_its_gradient_is_asked_for():
    ran = []

    @tg.primitive
    def product(x, y):
        return x * y

    @product.vjp(0)
    def _(g, z, x, y):
        ran.append(0)
        return g * y

    @product.vjp(1)
    def _(g, z, x, y):
        ran.append(1)
        return g * x

    x, W = tg.tensor([1.0]), tg.tensor([2.0], requires_grad=True)
    product(x, W).backward()
    assert ran == [1]


def test_a_missing_rule_says_how_to_write_it():
    @tg.primitive
    def product(x, y):
        return x * y

    @product.vjp(0)
    def _(g, z, x, y):
        return g * y

    x = tg.tensor([1.0], requires_grad=True)
    with pytest.raises(
        NotImplementedError, match=r"product has no derivative for argument 1: write it with @product.vjp\(1\)"
    ):
        product(x, x).backward()


def test_without_any_rule_nothing_is_recorded():
    @tg.primitive
    def rounded(x):
        return np.round(x)

    assert not rounded(tg.tensor([1.4], requires_grad=True)).requires_grad


def test_several_outputs():
    @tg.primitive(several=True)
    def both(x):
        return np.sin(x), np.cos(x)

    @both.vjp(0)
    def _(g, y, x):
        s, c = (0.0 if gi is None else gi for gi in g)
        return s * y[1] - c * y[0]

    x = np.array([0.3, 1.2])
    assert tg.gradcheck(both, [x], order=2)
    assert tg.gradcheck(lambda x: both(x)[1], [x], order=2)
    s, c = both(tg.tensor(x, requires_grad=True))
    assert s.node is c.node
    assert (s.index, c.index) == (0, 1)


def test_a_joint_rule_is_told_what_is_needed():
    told = []

    @tg.primitive
    def product(x, y):
        return x * y

    @product.joint_vjp
    def _(needed, g, z, x, y):
        told.append(needed)
        return [g * y if needed[0] else None, g * x if needed[1] else None]

    assert tg.gradcheck(product, [np.array(2.0), np.array(3.0)], order=2)
    told.clear()
    x, y = tg.tensor(2.0, requires_grad=True), tg.tensor(3.0, requires_grad=True)
    assert tg.grad(product(x, y), x)[0].item() == 3
    assert told == [(True, False)]


def test_an_error_inside_is_told_with_its_place():
    with (
        pytest.raises(TypeError, match=r"^swish: .*\(scope lab, step 2, line \d+ of test_primitive.py\)$"),
        tg.scope("lab"),
        tg.step(2),
    ):
        swish("no numbers")


def test_too_many_arguments_are_counted():
    with pytest.raises(TypeError, match="swish takes 2 arguments, not 3"):
        swish(tg.tensor(1.0), 1.0, 2.0)


def test_an_unknown_parameter_is_named():
    with pytest.raises(TypeError, match="gamma"):
        swish(tg.tensor(1.0), gamma=2.0)
