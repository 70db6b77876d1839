"""checkpoint: the same numbers as without it, for everything that flows through."""

from __future__ import annotations

import numpy as np
import pytest

import tinygrad_rnn as tg


def leaf(*shape, seed=0, name=None) -> tg.Tensor:
    return tg.tensor(np.random.default_rng(seed).normal(size=shape), requires_grad=True, name=name)


def same(f, xs, wanted=None, rtol=1e-13):
    """f gives the same gradients with `checkpoint` in it as with a plain call."""
    wanted = wanted or xs
    plain = tg.grad(f(lambda g, *a: g(*a), *xs), wanted)
    again = tg.grad(f(tg.checkpoint, *xs), wanted)
    for p, a in zip(plain, again, strict=True):
        np.testing.assert_allclose(a.numpy(), p.numpy(), rtol=rtol, atol=1e-15)


def test_gradients_of_inputs_and_of_captured_parameters():
    x, W, b = leaf(2, 3), leaf(3, 3, seed=1), leaf(3, seed=2)

    def f(run, x):
        return tg.sum(run(lambda x: tg.tanh(x @ W + b) @ W, x) ** 2)

    same(f, (x,), (x, W, b))


def test_captured_tensors_from_inside_a_graph():
    x, W = leaf(2, 3), leaf(3, 3, seed=1)
    same(lambda run, x, W: (lambda V: tg.sum(run(lambda x: tg.tanh(x @ V), x * 2) * 3) + tg.sum(V))(W * W), (x, W))


def test_a_tensor_passed_twice_or_captured_and_passed():
    x = leaf(2, 3)
    same(lambda run, x: tg.sum(run(lambda a, b: tg.sin(a) * b, x, x)), (x,))
    same(lambda run, x: tg.sum(run(lambda a: tg.sin(a) * x, x)), (x,))


def test_two_outputs_with_one_unused():
    x = leaf(4)
    same(lambda run, x: tg.sum(run(lambda x: (tg.sin(x), tg.exp(x)), x)[0]), (x,))
    same(lambda run, x: tg.sum(run(lambda x: (tg.sin(x), tg.exp(x)), x)[1] * 2), (x,))
    same(lambda run, x: sum(map(tg.sum, run(lambda x: (tg.sin(x), tg.exp(x)), x))), (x,))


def test_dropout_inside_draws_the_same_and_leaves_the_generator_further_on():
    x = leaf(50)

    def f(run, x):
        rng = np.random.default_rng(7)
        y = run(lambda x: tg.dropout(x * x, 0.5, rng), x)
        return tg.sum(y) + tg.sum(tg.dropout(x, 0.5, rng))

    same(f, (x,))
    rng, other = np.random.default_rng(7), np.random.default_rng(7)
    y = tg.checkpoint(lambda x: tg.dropout(x, 0.5, rng), x)
    rng.random(3)
    tg.grad(tg.sum(y), x)
    other.random(50), other.random(3)
    assert rng.random() == other.random()


def test_a_generator_among_the_inputs():
    x = leaf(50)
    same(
        lambda run, x: tg.sum(run(lambda x, rng: x * tg.tensor(rng.normal(size=50)), x, np.random.default_rng(1))), (x,)
    )


def test_nested():
    x, W = leaf(2, 3), leaf(3, 3, seed=1)
    rng = [np.random.default_rng(0), np.random.default_rng(0)]

    def f(run, x, W):
        r = rng.pop()
        inner = lambda x: tg.dropout(tg.tanh(x @ W), 0.3, r)  # noqa: E731
        return tg.sum(run(lambda x: run(inner, run(inner, x)) * x, x))

    same(f, (x, W))


def test_a_chain_of_segments():
    x, W = leaf(2, 3), leaf(3, 3, seed=1)

    def f(run, x, W):
        h = x
        for _ in range(6):
            h = run(lambda h: tg.tanh(h @ W), h)
        return tg.sum(h)

    same(f, (x, W))


def test_second_order_through_it():
    W = leaf(3, 3, seed=1)
    f = lambda x, W: tg.checkpoint(lambda x: tg.tanh(x @ W) * x, x)  # noqa: E731
    assert tg.gradcheck(f, [np.random.default_rng(0).normal(size=(2, 3)), W], order=2)


def test_it_keeps_no_graph():
    x = leaf(3)
    with tg.trace() as tr:
        y = tg.checkpoint(lambda x: tg.exp(tg.sin(x)), x)
    assert y.op == "checkpointed"
    assert y.inputs == (x,)
    assert tr.nodes[-1] is y.node


def test_scope_and_step_inside_are_those_of_the_first_run():
    x, places = leaf(3), []
    with tg.scope("encoder"), tg.step(2):
        y = tg.checkpoint(lambda x: places.append((x * 1 + 0).scope) or tg.sin(x), x)
    with tg.tap() as seen, tg.scope("elsewhere"):
        tg.sum(y).backward()
    assert places == [("encoder",)] * 2
    assert {n.step for n, *_ in seen.edges if n.op.name == "sin"} == {2}


def test_under_a_tap_the_edges_inside_are_seen_once_with_the_parents_given():
    x, W = leaf(2, 3, name="x"), leaf(3, 3, seed=1, name="W")

    def run():
        h = x
        for t in range(3):
            with tg.step(t):
                h = tg.checkpoint(lambda h: tg.tanh(h @ W) + h * h, h)
        return tg.sum(h)

    plain = tg.grad(run(), (x, W))
    loss = run()
    with tg.tap() as seen:
        tapped = tg.grad(loss, (x, W))
    for parent, p, g in zip((x, W), plain, tapped, strict=True):
        np.testing.assert_allclose(g.numpy(), p.numpy(), rtol=1e-13)
        edges = [c for _, _, to, c in seen.edges if to is parent]
        np.testing.assert_allclose(sum(edges), g.numpy(), rtol=1e-12)
    uses = [n.step for n, _, to, _ in seen.edges if to is W]
    assert sorted(uses) == [0, 1, 2]


def test_inside_no_grad_it_is_a_plain_call():
    x = leaf(3)
    with tg.no_grad():
        assert not tg.checkpoint(tg.sin, x).requires_grad
    assert not tg.checkpoint(tg.sin, tg.tensor([1.0])).requires_grad


def test_inputs_that_are_no_tensors_pass_through():
    x = leaf(3)
    same(
        lambda run, x: tg.sum(
            run(lambda x, n, c, flag: x**n * c if flag else x, x, 3, np.array([1.0, 2.0, 3.0]), True)
        ),
        (x,),
    )


def test_an_error_inside_is_raised_as_it_is():
    with pytest.raises(ValueError, match="inner sizes 3 and 2 differ"):
        tg.checkpoint(lambda x: x @ np.ones((2, 2)), leaf(2, 3))


def test_tensors_nested_in_inputs_and_in_what_f_gives():
    x, h, c, W = (leaf(3, 3, seed=i) for i in range(4))

    def f(run, x, h, c, W):
        def inside(x, state):
            h, (c, none) = state
            h = tg.tanh(x @ W + h)
            return {"h": h, "rest": [c * h, none, 7, (h,)]}

        made = run(inside, x, (h * 2, (c, None)))
        assert made["rest"][1:3] == [None, 7]
        assert type(made["rest"][3]) is tuple
        return tg.sum(made["h"] * made["rest"][0]) + tg.sum(made["rest"][3][0])

    same(f, (x, h, c, W))


def test_a_generator_nested_in_an_input():
    x = leaf(50)
    f = lambda x, pair: x * tg.tensor(pair[0].normal(size=50))  # noqa: E731
    same(lambda run, x: tg.sum(run(f, x, (np.random.default_rng(1), "word")) ** 2), (x,))


def test_a_layer_with_its_state():
    layer, x = tg.nn.LSTM(3, 4, dtype=np.float64, rng=0), leaf(5, 2, 3)

    def f(run, x):
        outputs, (h, c) = run(layer, x, None)
        return tg.sum(outputs * outputs) + tg.sum(h * c)

    same(f, (x,), (x, *layer.parameters()))


def test_what_is_not_tracked_is_handed_on_as_it_is():
    x = leaf(3)
    y, picks, array = tg.checkpoint(lambda x: (x * 2, x > 0, x.numpy()), x)
    assert y.op == "checkpointed"
    assert (picks.node, picks.requires_grad, picks.dtype) == (None, False, bool)
    assert type(array) is np.ndarray


def test_an_object_that_could_hide_tensors_is_refused():
    with pytest.raises(TypeError, match="checkpoint: f gives a set, in which gradients could get lost: return Tensors"):
        tg.checkpoint(lambda x: {x * 2}, leaf(3))


def test_a_function_that_gives_something_else_when_run_again_is_told():
    x, runs = leaf(3), []
    y = tg.checkpoint(lambda x: runs.append(1) or [x * 2] * len(runs), x)
    with pytest.raises(RuntimeError, match=r"gave 1 tracked tensors in the forward pass and 2 when run again"):
        tg.grad(tg.sum(y[0]), x)
