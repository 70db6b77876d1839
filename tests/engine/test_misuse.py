"""What a learner does wrong, or does in a way of their own: named, or right; never silently wrong."""

from __future__ import annotations

import numpy as np
import pytest

import tinygrad_rnn as tg


def leaf(data, **options):
    return tg.tensor(data, requires_grad=True, **options)


def test_a_rule_that_forgets_a_transpose_is_named():
    @tg.primitive
    def times(X, W):
        return X @ W

    @times.vjp(0)
    def _(g, y, X, W):
        return W @ g.T

    X = leaf(np.ones((2, 3)), name="X")
    with pytest.raises(ValueError, match=r"times: the derivative for argument 0, X \(2, 3\), has shape \(3, 2\)"):
        times(X, np.ones((3, 3))).sum().backward()


def test_a_rule_that_gives_a_number_is_taken_for_a_scalar_and_named_for_an_array():
    @tg.primitive
    def double(x):
        return 2 * x

    @double.vjp(0)
    def _(g, y, x):
        return 2.0

    x = leaf(3.0)
    double(x).backward()
    assert x.grad.item() == 2.0
    with pytest.raises(ValueError, match=r"double: the derivative for argument 0, tensor \(3,\), has shape \(\)"):
        double(leaf(np.ones(3))).sum().backward()


def test_descent_by_hand_on_a_scalar_weight():
    w = leaf(2.0)
    for _ in range(3):
        w.grad = None
        (w**2).backward()
        w.data = w.data - np.float32(0.1) * w.grad.data
        assert isinstance(w.data, np.ndarray)
        assert w.dtype == np.float32
    assert w.item() == pytest.approx(2.0 * 0.8**3)


def test_data_takes_arrays_only():
    w = leaf([1.0, 2.0], name="w")
    w.grad = tg.tensor([1.0, 1.0])
    with pytest.raises(TypeError, match=r"w \(2,\).data takes an array, not a Tensor"):
        w.data = w.data - 0.1 * w.grad
    with pytest.raises(TypeError, match="takes an array, not a list"):
        w.data = [1.0, 2.0]


def test_numpy_copies():
    x = tg.tensor([1.0, 2.0])
    copy = np.array(x)
    copy[0] = 9
    assert x.tolist() == [1.0, 2.0]
    assert np.sum(x) == 3.0
    with pytest.raises(TypeError, match="tracked, and NumPy would lose its gradient"):
        np.sum(leaf([1.0, 2.0]))


def test_a_tracked_parameter_is_refused():
    slope = leaf(0.25, name="slope")
    with pytest.raises(TypeError, match=r"leaky_relu: slope is a parameter, which has no derivative, and slope \(\)"):
        tg.leaky_relu(leaf([-1.0, 2.0]), slope)


def test_parameters_are_given_once_and_by_their_name():
    x = leaf(np.ones((2, 2)))
    with pytest.raises(TypeError, match="sum: axis is given twice"):
        tg.sum(x, 0, axis=1)
    with pytest.raises(TypeError, match="maximum: arrays are given by position, not as x="):
        tg.maximum(x=x, y=x)
    with pytest.raises(TypeError, match="sum has no parameter 'axes'"):
        tg.sum(x, axes=0)


def test_a_checkpoint_refuses_a_parameter_that_was_rebound():
    W, x = leaf([3.0], name="W"), leaf([1.0])
    y = tg.checkpoint(lambda x: x * W, x)
    W.data = np.array([100.0], np.float32)
    with pytest.raises(RuntimeError, match=r"checkpoint: W \(1,\) was rebound"):
        y.backward()


def test_a_checkpoint_passes_on_what_its_function_gives_back():
    W, x = leaf([3.0]), leaf([1.0])
    y, same = tg.checkpoint(lambda x: (x * 2, W), x)
    (y * same).sum().backward()
    assert (x.grad.item(), W.grad.item()) == (6.0, 2.0)


def test_lists_are_operands_to_second_order_and_of_the_tensors_dtype():
    x = leaf(np.ones((2, 2), np.float32))
    y = tg.matmul(x, [[1.0, 2.0], [3.0, 4.0]])
    assert y.dtype == np.float32
    (g,) = tg.grad((y * y).sum(), x, create_graph=True)
    (second,) = tg.grad(g.sum(), x)
    W = np.array([[1.0, 2.0], [3.0, 4.0]])
    np.testing.assert_allclose(second.numpy(), 2 * np.ones((2, 2)) @ W @ W.T, rtol=1e-6)


def test_matrices_of_numpy_are_arrays_here():
    with pytest.warns(PendingDeprecationWarning):
        m = tg.tensor(np.matrix([[1.0, 2.0], [3.0, 4.0]]))
    assert (m * m).tolist() == [[1.0, 4.0], [9.0, 16.0]]
    for data in (np.array([1, None], object), np.array(["2020-01-01"], "datetime64[D]")):
        with pytest.raises(TypeError, match="is not numbers"):
            tg.tensor(data)
    assert tg.tensor([np.ones(2), np.ones(2)]).dtype == np.float64


def test_a_learners_own_error_stays_what_it_is():
    @tg.primitive
    def mine(x):
        return x + xx  # noqa: F821

    with pytest.raises(NameError, match="name 'xx' is not defined") as caught:
        mine(leaf([1.0]))
    assert "in mine: tensor (1,)" in caught.value.__notes__[0]
    with pytest.raises(RuntimeError, match="not available here"):
        leaf([1.0]).to("cuda") if not _has_cuda() else pytest.skip("a GPU is here")


def _has_cuda() -> bool:
    try:
        tg.tensor(0.0, device="cuda")
    except RuntimeError:
        return False
    return True


def test_tensors_are_not_subclassed():
    with pytest.raises(TypeError, match="not to be subclassed"):
        type("Mine", (tg.Tensor,), {})


def test_a_gradient_between_neighbours_costs_no_more_in_a_long_chain():
    h = leaf(1.0)
    for _ in range(2000):
        before, h = h, h * 1.0
    visited = []

    class Count(tg.Tap):
        def node(self, node, gradients):
            visited.append(node)

    with tg.tap(Count()):
        tg.grad(h, before)
    assert len(visited) <= 2


def test_stacks_that_do_not_broadcast_are_told_apart_from_inner_sizes():
    with pytest.raises(ValueError, match="sizes 2 and 5 differ on axis -3"):
        tg.tensor(np.ones((2, 3, 4))) @ tg.tensor(np.ones((5, 4, 6)))


def test_why_follows_what_lost_the_history():
    x = leaf([1.0])
    with tg.no_grad():
        h = x * 2
    assert "inside no_grad" in tg.why(h * 3)
    assert "detached" in tg.why(x.detach() * 3)
    assert "sign has no derivative" in tg.why(tg.sign(x))


def test_complex_gradients_do_not_reach_real_leaves():
    with pytest.raises(TypeError, match=r"the gradient is complex and tensor .* is real"):
        tg.abs(leaf(2.0) * 1j).backward()


def test_comparisons_name_their_operands():
    with pytest.raises(ValueError, match=r"h \(2,\) > array \(3,\)"):
        _ = leaf([1.0, 2.0], name="h") > np.ones(3)
