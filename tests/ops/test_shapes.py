"""Shapes of every kind, empty ones too: broadcasting, reducing, joining, indexing."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import tinygrad_rnn as tg
from tests.ops.tools import BINARY, UNARY, few, gradient, leaf

SIDE = st.integers(0, 3)

# Shapes


@few
@given(hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=3), st.sampled_from(UNARY))
def test_elementwise_of_any_shape(shape, f):
    x = np.linspace(0.2, 1, math.prod(shape)).reshape(shape)
    y = f(leaf(x))
    assert y.shape == shape
    assert isinstance(y.data, np.ndarray)
    assert gradient(f, x).shape == shape
    assert tg.gradcheck(f, [x], order=2)


@few
@given(hnp.mutually_broadcastable_shapes(num_shapes=2, max_dims=3, min_side=0, max_side=3), st.sampled_from(BINARY))
def test_broadcasting_of_any_shapes(shapes, f):
    x, y = (
        np.linspace(low, low + 1, math.prod(s)).reshape(s)
        for low, s in zip((0.2, 2.0), shapes.input_shapes, strict=True)
    )
    assert f(leaf(x), leaf(y)).shape == shapes.result_shape
    assert tg.gradcheck(f, [x, y], order=2)


@few
@given(hnp.array_shapes(min_dims=1, max_dims=3, min_side=1, max_side=3), st.data())
def test_reductions_of_any_shape(shape, data):
    axis = data.draw(st.one_of(st.none(), st.integers(-len(shape), len(shape) - 1)))
    keep = data.draw(st.booleans())
    f = data.draw(st.sampled_from([tg.sum, tg.mean, tg.var, tg.max, tg.min, tg.logsumexp]))
    x = np.random.default_rng(0).permutation(math.prod(shape)).reshape(shape) / 3
    assert f(leaf(x), axis=axis, keepdims=keep).shape == np.sum(x, axis=axis, keepdims=keep).shape
    assert tg.gradcheck(lambda x: f(x, axis=axis, keepdims=keep), [x], order=2)


@few
@given(SIDE, SIDE, SIDE, SIDE)
def test_matmul_of_empty_and_single_rows(batch, m, n, k):
    x, y = np.ones((batch, m, n)), np.ones((n, k))
    assert tg.matmul(leaf(x), leaf(y)).shape == (batch, m, k)
    gx, gy = gradient(tg.matmul, x, y)
    assert gx.tolist() == np.full(x.shape, float(k)).tolist()
    assert gy.tolist() == np.full(y.shape, float(batch * m)).tolist()


@few
@given(SIDE, SIDE)
def test_joining_and_splitting_empty_parts(m, n):
    x, y = leaf(np.ones((m, 2))), leaf(np.ones((n, 2)))
    joined = tg.concat([x, y])
    back = tg.split(joined, [m])
    assert [p.shape for p in back] == [(m, 2), (n, 2)]
    gx, gy = tg.grad(tg.sum(back[0]) + 2 * tg.sum(joined), [x, y])
    assert gx.numpy().tolist() == [[3.0, 3.0]] * m
    assert gy.numpy().tolist() == [[2.0, 2.0]] * n


OF_NOTHING = [
    tg.sum, tg.softmax, tg.log_softmax, lambda x: tg.sum(x, axis=0), lambda x: tg.mean(x, axis=1), lambda x: x.T,
    lambda x: tg.max(x, axis=1), lambda x: tg.logsumexp(x, 1), lambda x: tg.reshape(x, (3, 0)), lambda x: x[1:],
    lambda x: tg.take(x, np.zeros((2, 0), int)), lambda x: tg.stack([x, x]), lambda x: tg.mse_loss(x, x),
    lambda x: tg.binary_cross_entropy(x, x), lambda x: tg.cross_entropy(x, []),
    lambda x: tg.einsum("ij,kj->ik", x, x), lambda x: tg.dropout(x, 0.5, np.random.default_rng()),
]  # fmt: skip


@pytest.mark.parametrize("f", OF_NOTHING)
def test_nothing_in_nothing_back(f):
    """An empty batch passes through forward and backward without a warning."""
    x = leaf(np.zeros((0, 3)))
    y = f(x)
    (g,) = tg.grad(tg.sum(y), x, create_graph=True)
    assert g.shape == (0, 3)
    assert np.isfinite(y.numpy()).all()


def test_the_loss_of_an_empty_batch_is_zero():
    x = np.zeros((0, 3))
    assert tg.cross_entropy(leaf(x), []).item() == 0
    assert tg.sequence_loss(leaf(np.zeros((0, 2, 3))), np.zeros((0, 2), int)).item() == 0
    assert tg.cross_entropy(leaf(np.ones((2, 3))), [0, 1], mask=[0, 0]).item() == 0


@pytest.mark.parametrize(
    "form", [lambda x: tg.reshape(x, (-1, 4)), lambda x: x.reshape(-1, 4), lambda x: x.reshape((-1, 4))]
)
def test_reshape_infers_a_size(form):
    assert form(leaf(np.zeros((2, 3, 4)))).shape == (6, 4)


def test_numpy_arrays_meet_tensors_on_either_side():
    W, h, a = leaf(np.arange(6.0).reshape(2, 3)), np.array([1.0, 0, 2]), np.eye(2)
    np.testing.assert_array_equal((W @ h).numpy(), W.numpy() @ h)
    assert isinstance(a @ W, tg.Tensor)
    np.testing.assert_array_equal((a @ W).numpy(), W.numpy())
    np.testing.assert_array_equal((h + W).numpy(), h + W.numpy())
    np.testing.assert_array_equal((h / (W + 1) - W).numpy(), h / (W.numpy() + 1) - W.numpy())
    np.testing.assert_array_equal((0 + W).numpy(), W.numpy())
    np.testing.assert_array_equal(sum([W, W, W]).numpy(), 3 * W.numpy())


def test_unstack_reads_any_axis():
    x = leaf(np.arange(24.0).reshape(2, 3, 4))
    for axis in (0, 1, 2, -1, -2, -3):
        parts = tg.unstack(x, axis)
        assert [p.numpy().tolist() for p in parts] == [p.tolist() for p in np.moveaxis(x.numpy(), axis, 0)]
        (g,) = tg.grad(tg.sum(parts[1]), x)
        expected = np.zeros(x.shape)
        np.moveaxis(expected, axis, 0)[1] = 1
        np.testing.assert_array_equal(g.numpy(), expected)


def test_an_unused_output_that_overflowed_does_no_harm():
    x = leaf([1.0, np.inf])
    a, _ = tg.unstack(x)
    assert tg.grad(a * 2, x, create_graph=True)[0].tolist() == [2.0, 0.0]
    b, _ = tg.split(x, 2)
    assert tg.grad(tg.sum(b * 2), x)[0].tolist() == [2.0, 0.0]


@few
@given(st.integers(0, 6), st.lists(st.integers(-8, 8), max_size=3))
def test_split_at_any_indices_goes_back_or_is_refused(size, at):
    x = np.arange(float(size))
    ends = [slice(None, i).indices(size)[1] for i in at]
    if ends != sorted(ends):
        with pytest.raises(ValueError, match="must not decrease"):
            tg.split(leaf(x), at)
        return
    assert [p.tolist() for p in tg.split(leaf(x), at)] == [p.tolist() for p in np.split(x, at)]
    assert gradient(lambda x: sum(tg.sum(p) for p in tg.split(x, at)), x).tolist() == [1.0] * size


# Indexing


def test_repeated_indices_accumulate():
    W = leaf(np.zeros((3, 2)))
    y = tg.take(W, [[0, 2], [2, 2]])
    assert y.shape == (2, 2, 2)
    assert tg.grad(tg.sum(y), W)[0].tolist() == [[1, 1], [0, 0], [3, 3]]
    assert tg.grad(tg.sum(W[[1, 1], [0, 0]]), W)[0].tolist() == [[0, 0], [2, 0], [0, 0]]
    assert tg.put(np.ones(3), (2,), [1, 1, 0]).tolist() == [1.0, 2.0]


@pytest.mark.parametrize("dtype", [np.int64, np.uint8, np.int16])
@pytest.mark.parametrize("shape", [(400,), (20, 30), (3, 0, 5), (0,), (3,), (1500, 2)])
@pytest.mark.parametrize("rows", [(300, 4), (5, 2, 3), (7,), (40, 1)])
def test_the_gradient_of_rows_is_their_sum_however_many_there_are(rows, shape, dtype):
    rng = np.random.default_rng(0)
    index, W = rng.integers(0, min(rows[0], 200), shape).astype(dtype), rng.normal(size=rows)
    weights = rng.normal(size=(*shape, *rows[1:]))
    expected = np.zeros(rows)
    for i, weight in zip(index.reshape(-1), weights.reshape(-1, *rows[1:]), strict=True):
        expected[i] += weight
    for read in (tg.take, lambda W, i: W[i], *([lambda W, i: W[i - rows[0]]] if dtype is np.int64 else [])):
        x = leaf(W)
        loss = tg.sum(read(x, index) * weights)
        for create_graph in (False, True):
            (g,) = tg.grad(loss, x, create_graph=create_graph)
            np.testing.assert_allclose(g.numpy(), expected, rtol=1e-12, atol=1e-12)
    mixed = np.where(rng.random(shape) < 0.5, index.astype(int), index.astype(int) - rows[0])  # row -1 is the last one
    np.testing.assert_allclose(tg.put(weights, rows, mixed), expected, rtol=1e-12, atol=1e-12)


@few
@given(hnp.array_shapes(min_dims=1, max_dims=3, max_side=4).flatmap(
    lambda s: st.tuples(st.just(s), hnp.basic_indices(s, allow_newaxis=True))))  # fmt: skip
def test_basic_indices_of_any_form(case):
    shape, index = case
    x = np.arange(1.0, 1 + math.prod(shape)).reshape(shape)
    np.testing.assert_array_equal(leaf(x)[index].numpy(), x[index])
    expected = np.zeros(shape)
    expected[index] += 1
    np.testing.assert_array_equal(gradient(lambda x: x[index], x), expected)


@few
@given(hnp.array_shapes(min_dims=2, max_dims=3, max_side=4).flatmap(
    lambda s: st.tuples(st.just(s), hnp.integer_array_indices(s, result_shape=st.just((2, 3))))))  # fmt: skip
def test_integer_arrays_of_any_form(case):
    shape, index = case
    x = np.arange(1.0, 1 + math.prod(shape)).reshape(shape)
    expected = np.zeros(shape)
    np.add.at(expected, index, 1)
    np.testing.assert_array_equal(gradient(lambda x: x[index], x), expected)
    np.testing.assert_array_equal(gradient(lambda x: x[tuple(map(tg.tensor, index))], x), expected)


@few
@given(hnp.arrays(bool, hnp.array_shapes(max_dims=3, max_side=3)))
def test_masks_of_any_form(mask):
    x = np.arange(1.0, 1 + mask.size).reshape(mask.shape)
    np.testing.assert_array_equal(leaf(x)[mask].numpy(), x[mask])
    np.testing.assert_array_equal(gradient(lambda x: x[tg.tensor(mask)], x), mask.astype(float))


@pytest.mark.parametrize("rows", [3, 3000])
def test_putting_outside_is_an_error_however_many_rows(rows):
    with pytest.raises(IndexError, match="12 is out of bounds"):
        tg.put(np.ones((rows, 2)), (10, 2), np.full(rows, 12))


def test_a_bias_of_no_numbers_has_a_gradient_of_none():
    b = tg.tensor(np.ones(0), requires_grad=True)
    assert tg.grad(tg.sum(np.ones((2, 3, 0)) + b), b)[0].shape == (0,)
