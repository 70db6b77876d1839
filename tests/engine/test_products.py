"""vjp, jvp, hvp and jacobian against PyTorch, the complex step and closed forms; gradcheck against mistakes."""

from __future__ import annotations

import numpy as np
import pytest

import tinygrad_rnn as tg

rng = np.random.default_rng(0)
W = rng.normal(size=(3, 4))
X = rng.normal(size=(2, 3))


def f(x):
    return tg.tanh(x @ W) * tg.sum(x)


def two(x, y):
    return tg.sin(x) * y, tg.sum(x * y)


def closed_form_jacobian():
    """dy/dx of f by the complex step."""
    J = np.empty((2, 4, 2, 3))
    for k in np.ndindex(2, 3):
        z = X.astype(complex)
        z[k] += 1e-30j
        J[(slice(None), slice(None), *k)] = (np.tanh(z @ W) * z.sum()).imag / 1e-30
    return J


def test_jacobian_is_that_of_the_complex_step():
    np.testing.assert_allclose(tg.jacobian(f, tg.tensor(X)).numpy(), closed_form_jacobian(), rtol=1e-12, atol=1e-13)


def test_vjp_and_jvp_multiply_the_jacobian_from_either_side():
    J, u, v = closed_form_jacobian(), rng.normal(size=(2, 4)), rng.normal(size=(2, 3))
    y, left = tg.vjp(f, X, u)
    np.testing.assert_allclose(y.numpy(), np.tanh(X @ W) * X.sum())
    np.testing.assert_allclose(left.numpy(), np.tensordot(u, J, 2), rtol=1e-12)
    y, right = tg.jvp(f, X, v)
    np.testing.assert_allclose(y.numpy(), np.tanh(X @ W) * X.sum())
    np.testing.assert_allclose(right.numpy(), np.tensordot(J, v, 2), rtol=1e-12)


def test_products_of_several_inputs_and_outputs_agree_with_torch():
    torch = pytest.importorskip("torch")
    x, y, u, v = (rng.normal(size=3) for _ in range(4))
    ys, tangents = tg.jvp(two, (x, y), (u, v))
    to = lambda *xs: tuple(map(torch.tensor, xs))  # noqa: E731
    g = lambda x, y: (torch.sin(x) * y, (x * y).sum())  # noqa: E731
    expected, expected_tangents = torch.autograd.functional.jvp(g, to(x, y), to(u, v))
    for ours, theirs in zip((*ys, *tangents), (*expected, *expected_tangents), strict=True):
        np.testing.assert_allclose(ours.numpy(), theirs.numpy(), rtol=1e-12)
    _, back = tg.vjp(two, (x, y), (u, np.array(2.0)))
    _, pull = torch.func.vjp(g, *to(x, y))
    for ours, theirs in zip(back, pull((torch.tensor(u), torch.tensor(2.0, dtype=torch.float64))), strict=True):
        np.testing.assert_allclose(ours.numpy(), theirs.numpy(), rtol=1e-12)


def test_hvp_agrees_with_torch():
    torch = pytest.importorskip("torch")
    v = rng.normal(size=(2, 3))
    value, product = tg.hvp(lambda x: tg.sum(f(x) ** 2), X, v)
    square = lambda x: ((torch.tanh(x @ torch.tensor(W)) * x.sum()) ** 2).sum()  # noqa: E731
    H = torch.autograd.functional.hessian(square, torch.tensor(X))
    np.testing.assert_allclose(product.numpy(), np.tensordot(H.numpy(), v, 2), rtol=1e-11)
    assert value.shape == ()


def test_bare_in_bare_out():
    x, v = tg.tensor([1.0, 2.0]), tg.tensor([1.0, 0.0])
    cube = lambda x: tg.sum(x**3)  # noqa: E731
    value, product = tg.hvp(cube, x, v)
    assert isinstance(product, tg.Tensor)
    assert (value.item(), product.tolist()) == (9.0, [6.0, 0.0])
    for result in (tg.hvp(cube, (x,), (v,)), tg.vjp(cube, (x,), np.array(1.0))):
        assert isinstance(result[-1], tuple)
        assert len(result[-1]) == 1
    assert isinstance(tg.vjp(cube, x, np.array(1.0))[1], tg.Tensor)
    assert isinstance(tg.jvp(cube, x, v)[1], tg.Tensor)
    assert isinstance(tg.jacobian(f, (X,)), tuple)


def test_products_leave_no_trace_in_what_was_given():
    x = tg.tensor(X, requires_grad=True)
    tg.hvp(lambda x: tg.sum(x**2), x, X)
    tg.jvp(f, x, X)
    assert x.grad is None
    value, g = tg.vjp(f, x, np.ones((2, 4)))
    assert not value.requires_grad
    assert not g.requires_grad


def test_products_of_functions_without_curvature_or_without_dependence():
    x, v = np.ones(2), np.ones(2)
    assert tg.hvp(lambda x: tg.sum(3 * x), x, v)[1].tolist() == [0.0, 0.0]
    assert tg.jvp(lambda x: x * 2, x, v)[1].tolist() == [2.0, 2.0]
    assert tg.jvp(lambda x: tg.tensor([1.0]), x, v)[1].tolist() == [0.0]
    assert tg.jacobian(lambda x: tg.tensor([1.0, 2.0, 3.0]), x).shape == (3, 2)
    assert tg.jacobian(lambda x: x * x, np.array(3.0)).item() == 6
    assert tg.jacobian(lambda x: x, np.ones(0)).shape == (0, 0)


def test_products_work_inside_no_grad():
    with tg.no_grad():
        assert tg.jacobian(lambda x: x * x, np.array(3.0)).item() == 6
        assert tg.hvp(lambda x: x * x * x, np.array(3.0), np.array(1.0))[1].item() == 18


# gradcheck


def wrong_by(factor):
    @tg.primitive
    def cube(x):
        return x * x * x

    @cube.vjp(0)
    def _(g, y, x):
        return g * (factor * x * x)

    return cube


@pytest.mark.parametrize(("method", "how"), [("central", "central differences"), ("complex", "the complex step")])
def test_gradcheck_names_input_entry_and_both_values(method, how):
    x, y = tg.tensor([[1.0, 2.0]], name="W_hh"), np.array([[0.0, 0.0]])
    assert tg.gradcheck(lambda x, y: wrong_by(3)(x) + y, [x, y], order=2, method=method)
    with pytest.raises(
        AssertionError, match=r"the gradient for W_hh\[0, 0\] is \S+ by the engine and \S+ by " + how
    ) as caught:
        tg.gradcheck(lambda x, y: wrong_by(3.1)(x) + y, [x, y], method=method)
    assert "\n" not in str(caught.value)
    with pytest.raises(AssertionError, match=r"for input 1\[0, 1\]"):
        tg.gradcheck(
            lambda a, b: tg.sum(a) + tg.sum(tg.stack([b[0, 0], wrong_by(2)(b[0, 1])])), [x, y + 1], method=method
        )


def test_gradcheck_finds_a_lost_second_order():
    @tg.primitive(saves=True)
    def square(x):
        return x * x, 2 * x

    @square.vjp(0)
    def _(g, y, x, saved):
        return g * (2 * x if saved is None else saved)

    @tg.primitive(saves=True)
    def careless(x):
        return x * x, 2 * x

    @careless.vjp(0)
    def _(g, y, x, saved):
        return g * (np.array([2.0, 4.0]) if saved is None else saved)

    assert tg.gradcheck(square, [np.array([1.0, 2.0])], order=2)
    assert tg.gradcheck(careless, [np.array([1.0, 2.0])])
    with pytest.raises(AssertionError, match="the second-order gradient for input 0"):
        tg.gradcheck(careless, [np.array([1.0, 2.0])], order=2)


@pytest.mark.parametrize("f", [tg.abs, tg.max, tg.var, tg.relu, tg.maximum])
def test_the_complex_step_refuses_by_name_what_is_not_analytic(f):
    with pytest.raises(ValueError, match=rf'gradcheck: {f.name} is not analytic, .* use method="central"'):
        tg.gradcheck((lambda x: f(x, x)) if f is tg.maximum else f, [np.ones(3)], method="complex")


def test_gradcheck_checks_its_arguments():
    with pytest.raises(ValueError, match='method is "central" or "complex"'):
        tg.gradcheck(tg.exp, [1.0], method="forward")
    with pytest.raises(ValueError, match="order is 1 or 2"):
        tg.gradcheck(tg.exp, [1.0], order=3)


def test_gradcheck_samples_when_told():
    calls = []

    def f(x):
        calls.append(1)
        return x * x

    assert tg.gradcheck(f, [np.ones(1000)], sample=5)
    assert len(calls) == 1 + 2 * 5


def test_gradcheck_sees_a_gradient_that_is_nan():
    @tg.primitive
    def bad(x):
        return x * 1

    @bad.vjp(0)
    def _(g, y, x):
        return g * float("nan")

    with pytest.raises(AssertionError, match="is nan by the engine"):
        tg.gradcheck(bad, [1.0])
