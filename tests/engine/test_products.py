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


def test_constant_outputs_have_products_of_zero():
    x, v = np.ones(2), np.ones(2)
    value, product = tg.hvp(lambda x: tg.tensor(1.0), x, [v])
    assert (value.item(), product.tolist()) == (1.0, [0.0, 0.0])
    assert tg.vjp(lambda x: (x * 2, tg.tensor([1.0])), x, (v, np.ones(1)))[1].tolist() == [2.0, 2.0]
    assert tg.vjp(lambda x: tg.tensor([1.0]), x, [1.0])[1].tolist() == [0.0, 0.0]


def test_a_list_is_one_vector_where_the_primal_is_bare():
    x = tg.tensor([1.0, 2.0])
    assert tg.jvp(lambda x: x * x, x, [1.0, 0.0])[1].tolist() == [2.0, 0.0]
    assert tg.vjp(lambda x: x * x, x, [1.0, 1.0])[1].tolist() == [2.0, 4.0]
    assert tg.hvp(lambda x: tg.sum(x**3), x, [1.0, 0.0])[1].tolist() == [6.0, 0.0]
    assert tg.jvp(lambda x: x * x, tg.tensor([3.0]), [1.0])[1].tolist() == [6.0]


NESTED = {
    "jvp of jvp": lambda f, x, v: tg.jvp(lambda x: tg.jvp(f, x, v)[1], x, v)[1],
    "jvp of vjp": lambda f, x, v: tg.sum(tg.jvp(lambda x: tg.vjp(f, x, np.array(1.0))[1], x, v)[1] * v),
    "vjp of jvp": lambda f, x, v: tg.sum(tg.vjp(lambda x: tg.jvp(f, x, v)[1], x, np.array(1.0))[1] * v),
    "jacobian of jacobian": lambda f, x, v: tg.tensor(v) @ tg.jacobian(lambda x: tg.jacobian(f, x), x) @ tg.tensor(v),
    "hvp": lambda f, x, v: tg.sum(tg.hvp(f, x, v)[1] * v),
    "jvp of a captured jvp": lambda f, x, v: tg.jvp(lambda a: tg.jvp(lambda b: f(x + a + b), 0 * v, v)[1], 0 * v, v)[1],
}


@pytest.mark.parametrize("nested", NESTED.values(), ids=NESTED)
def test_products_nest(nested):
    """v' H v, in each order of products, is what the complex step says of the gradient."""
    x, v = rng.normal(size=3), rng.normal(size=3)
    f = lambda x: tg.sum(tg.sin(x * x) * x)  # noqa: E731
    slope = lambda x: 2 * x * np.cos(x * x) * x + np.sin(x * x)  # noqa: E731
    expected = v @ (slope(x + 1e-30j * v).imag / 1e-30)
    assert nested(f, x, v).item() == pytest.approx(expected, rel=1e-12)


def test_third_order_by_products():
    third = tg.jvp(lambda x: tg.hvp(lambda x: tg.sum(x**4), x, np.ones(1))[1], np.array([2.0]), np.ones(1))[1]
    assert third.tolist() == [48.0]


def test_create_graph_keeps_products_in_the_graph_of_what_they_were_given():
    x, v, w = (tg.tensor(rng.normal(size=3), requires_grad=True) for _ in range(3))
    f = lambda x: tg.sum(w * x**3)  # noqa: E731
    one = np.array(1.0)
    products = (tg.vjp(f, x, one, create_graph=True)[1] * v, tg.jvp(f, x, v, create_graph=True)[1],
                tg.jacobian(f, x, create_graph=True) * v)  # fmt: skip
    for product in products:  # each is v . dF/dx, with F' = 3 w x^2
        for got, expected in zip(tg.grad(tg.sum(product), (x, v, w)),
                                 (6 * w.data * x.data * v.data, 3 * w.data * x.data**2, 3 * x.data**2 * v.data),
                                 strict=True):  # fmt: skip
            np.testing.assert_allclose(got.numpy(), expected, rtol=1e-12)
    second = tg.hvp(f, x, v, create_graph=True)[1]
    np.testing.assert_allclose(tg.grad(tg.sum(second), x)[0].numpy(), 6 * w.data * v.data, rtol=1e-12)
    assert tg.gradcheck(lambda x, v: tg.hvp(f, x, v, create_graph=True)[1], [x, v], order=2)
    assert not tg.hvp(f, x, v)[1].requires_grad


@pytest.mark.parametrize(("call", "error", "line"), [
    (lambda x, v: tg.vjp(tg.sin, x, X), ValueError,
     "vjp: the vector for the output is on cpu and the output on strict: move one with .to"),
    (lambda x, v: tg.jvp(tg.sin, x, X), ValueError, "the vector for the primal is on cpu and the primal on strict"),
    (lambda x, v: tg.hvp(lambda x, y: tg.sum(x * y), (x, x), (v, X)), ValueError, "hvp: the vector for primal 1 is on"),
    (lambda x, v: tg.jvp(tg.sin, x, v[0]), ValueError,
     r"jvp: the vector for the primal has shape \(3,\), the primal \(2, 3\)"),
    (lambda x, v: tg.jvp(tg.sin, (x,), (v, v)), ValueError, "2 vectors for 1 primal: give one of the shape of each"),
    (lambda x, v: tg.vjp(lambda x: 3.0, x, v), TypeError, "vjp: f gives a float, not a Tensor"),
])  # fmt: skip
def test_vectors_that_do_not_fit_are_refused_in_one_line(call, error, line):
    with pytest.raises(error, match=line) as caught:
        call(tg.tensor(X, device="strict"), tg.tensor(X, device="strict"))
    assert "\n" not in str(caught.value)


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


def test_gradcheck_leaves_integers_and_masks_as_they_are():
    W, rows, mask = rng.normal(size=(4, 2)), np.array([0, 3, 3]), tg.tensor(np.array([True, False, True]))
    seen = []

    def f(rows, W, mask):
        seen.append((rows.dtype, mask.dtype, mask.requires_grad))
        return tg.take(W, rows)[mask] ** 2

    assert tg.gradcheck(f, [rows, W, mask], order=2)
    assert set(seen) == {(np.dtype(np.int64), np.dtype(bool), False)}
    with pytest.raises(AssertionError, match=r"for input 1\[0, 0\]"):
        tg.gradcheck(lambda rows, W: wrong_by(2)(tg.take(W, rows)), [rows, W])
    with pytest.raises(ValueError, match="gradcheck: none of the inputs is of floats"):
        tg.gradcheck(tg.abs, [rows])
