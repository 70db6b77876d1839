"""Losses and dropout by their definitions, and what operations refuse."""

from __future__ import annotations

import math

import numpy as np
import pytest

import tinygrad_rnn as tg
from tests.ops.tools import gradient, leaf

# Losses


def test_sequence_loss_over_time():
    logits, targets = np.random.default_rng(0).normal(size=(5, 2, 3)), np.random.default_rng(1).integers(0, 3, (5, 2))
    each = tg.cross_entropy(logits, targets, None, "none")
    assert tg.sequence_loss(logits, targets) == pytest.approx(each.mean(1).sum())
    assert tg.sequence_loss(logits, targets, "mean") == pytest.approx(each.mean())
    mask = np.array([[1, 1], [1, 1], [1, 0], [1, 0], [0, 0]])
    steps = (each * mask).sum(1) / np.maximum(mask.sum(1), 1)
    assert tg.sequence_loss(logits, targets, "sum", mask) == pytest.approx(steps.sum())
    assert tg.sequence_loss(logits, targets, "mean", mask) == pytest.approx((each * mask).sum() / mask.sum())


def test_an_untrained_classifier_starts_at_log_of_the_classes():
    assert tg.cross_entropy(np.zeros((4, 27)), [0, 5, 9, 26]) == pytest.approx(math.log(27))


@pytest.mark.parametrize("targets", [np.array([[2, 0], [1, 3], [3, 3]]), np.array([[2, 0], [1, 3], [3, 3]], np.uint64)])
def test_logits_in_any_order_of_memory_have_the_same_gradient(targets, rng):
    x = rng.normal(size=(3, 2, 4))
    e = np.exp(x)
    expected = (e / e.sum(-1, keepdims=True) - np.eye(4)[targets.astype(int)]) / 6
    for layout in (x, np.asfortranarray(x), np.repeat(x, 2, axis=2)[..., ::2]):
        np.testing.assert_allclose(gradient(lambda x: tg.cross_entropy(x, targets), layout), expected, rtol=1e-12)
        view = tg.Tensor(layout, requires_grad=True)  # a tensor made by tg.tensor is a copy
        np.testing.assert_allclose(tg.grad(tg.cross_entropy(view, targets), view)[0].numpy(), expected, rtol=1e-12)


def test_masked_targets_get_no_gradient():
    g = gradient(lambda x: tg.cross_entropy(x, [0, 1, 2], mask=tg.tensor([1, 0, 1])), np.ones((3, 4)))
    assert not g[1].any()
    assert g[0].any()


def test_one_hot():
    assert tg.one_hot([[0, 2]], 3).tolist() == [[[1, 0, 0], [0, 0, 1]]]
    assert tg.one_hot(np.array([], int), 3).shape == (0, 3)
    assert tg.one_hot([1], 2).dtype == np.float32


@pytest.mark.parametrize("weights", [[0.25, 0.25, 0.0], [0.5, 0.1, 0.2], [2.0, 0.0, 3.0]])
def test_the_mean_over_weights_is_divided_by_their_sum(weights):
    x = np.random.default_rng(0).normal(size=(3, 4))
    each = tg.cross_entropy(x, [0, 1, 2], None, "none")
    assert tg.cross_entropy(x, [0, 1, 2], weights) == pytest.approx(np.average(each, weights=weights))
    steps = np.stack([x, x], axis=1)
    mask = np.array([weights, [0.1, 0.2, 0.0]]).T
    both = np.stack([each, each], axis=1)
    total = mask.sum(1)
    means = np.divide((both * mask).sum(1), total, out=np.zeros(3), where=total != 0)
    assert tg.sequence_loss(steps, [[0, 0], [1, 1], [2, 2]], "sum", mask) == pytest.approx(means.sum())
    assert tg.sequence_loss(steps, [[0, 0], [1, 1], [2, 2]], "mean", mask) == pytest.approx(
        np.average(both, weights=mask)
    )


def test_lists_beside_tensors_are_read_in_their_dtype():
    x, y = leaf([1.0, 2.0], np.float32), [3.0, 5.0]
    for f, expected in ((lambda y: tg.einsum("i,i->", x, y), 13), (lambda y: tg.mse_loss(x, y), 6.5),
                        (lambda y: tg.mse_loss(y, x), 6.5), (lambda y: tg.einsum("i,j->ij", y, x)[1, 1], 10),
                        (lambda y: tg.binary_cross_entropy(x, [0.0, 1.0]), None)):  # fmt: skip
        z = f(y)
        assert z.dtype == np.float32
        assert expected is None or z.item() == expected
        assert tg.grad(z, x)[0].dtype == np.float32
    assert tg.cross_entropy([[0.0, 0.0]], [1]) == pytest.approx(math.log(2))
    assert tg.sequence_loss([[[0.0, 0.0]]], [[1]]) == pytest.approx(math.log(2))


# Randomness


def test_dropout_keeps_the_mean_and_drops_as_often_as_asked(rng):
    x = leaf(np.ones(100_000), np.float32)
    y = tg.dropout(x, 0.3, rng)
    assert (y.numpy() == 0).mean() == pytest.approx(0.3, abs=0.005)
    assert y.numpy().mean() == pytest.approx(1, abs=0.01)
    assert set(np.unique(y.numpy())) == {np.float32(0), np.float32(1 / 0.7)}
    np.testing.assert_array_equal(tg.grad(tg.sum(y), x)[0].numpy(), y.numpy())


def test_dropout_of_nothing_and_of_everything(rng):
    x = leaf(np.ones(5))
    assert tg.dropout(x, 0, rng) is x
    assert tg.dropout(x, 0.5, rng, training=False) is x
    assert tg.dropout(x, 1, rng).tolist() == [0.0] * 5
    assert gradient(lambda x: tg.dropout(x, 1.0, rng), np.ones(5)).tolist() == [0.0] * 5


@pytest.mark.parametrize("p", [-0.1, 1.1, float("nan")])
def test_dropout_refuses_what_is_no_probability(p, rng):
    with pytest.raises(ValueError, match="dropout: p is the probability to drop, between 0 and 1"):
        tg.dropout(leaf([1.0]), p, rng)


# Refusals: one line that says what, and what to do


@pytest.mark.parametrize(("call", "error", "line"), [
    (lambda x: tg.einsum("ij,jk", x, x), ValueError, r"'ij,jk' for 2 operands: one term an operand and an explicit ->"),
    (lambda x: tg.einsum("ii->i", x), ValueError, r"none twice in a term"),
    (lambda x: tg.einsum("...i->i", x), ValueError, r'no "\.\.\."'),
    (lambda x: tg.einsum("ij->ij", x, x), ValueError, r"for 2 operands"),
    (lambda x: tg.einsum("ij,jk->ik", x, x[:, :1]), ValueError, r"axis j has sizes 2 and 3"),
    (lambda x: tg.einsum("i->i", x), ValueError, r"einsum: tensor \(2, 3\)"),
    (lambda x: tg.cross_entropy(x, [0, 1, 2]), ValueError, r"logits \(2, 3\) need targets \(2,\), not \(3,\)"),
    (lambda x: tg.cross_entropy(x, [0, 1], [1, 1]*2), ValueError, r"mask \(4,\) must have the shape of the targets"),
    (lambda x: tg.cross_entropy(x, [0, 1], None, "avg"), ValueError, r"\"mean\", \"sum\" or \"none\", not 'avg'"),
    (lambda x: tg.cross_entropy(x, [0.0, 1.0]), TypeError, r"cross_entropy: target must be an integer, not float64"),
    (lambda x: tg.cross_entropy(x, [0, 3]), IndexError, r"cross_entropy: target 3 is outside 0\.\.2"),
    (lambda x: tg.cross_entropy(x, [0, -1]), IndexError, r"cross_entropy: target -1 is outside 0\.\.2"),
    (lambda x: tg.take(x, [0, 2]), IndexError, r"take: index 2 is outside 0\.\.1"),
    (lambda x: tg.one_hot([0, -1], 3), IndexError, r"one_hot: index -1 is outside 0\.\.2"),
    (lambda x: tg.mse_loss(x, x[0]), ValueError, r"mse_loss: prediction \(2, 3\) and target \(3,\) differ in shape"),
    (lambda x: tg.binary_cross_entropy(x, x[0]), ValueError, r"logits \(2, 3\) and targets \(3,\) differ in shape"),
    (lambda x: tg.mse_loss(x, x, "avg"), ValueError, r"not 'avg'"),
    (lambda x: tg.sequence_loss(x, x, "max"), ValueError, r'over_time is "sum" or "mean", not \'max\''),
    (lambda x: tg.concat([]), ValueError, r"concat: the list of tensors is empty"),
    (lambda x: tg.stack([]), ValueError, r"stack: the list of tensors is empty"),
    (lambda x: tg.reshape(x, (4, 2)), ValueError, r"reshape: tensor \(2, 3\), shape=\(4, 2\)"),
    (lambda x: tg.concat([x, x[:, :2]]), ValueError, r"^concat: tensor \(2, 3\), the result of getitem \(2, 2\)"),
    (lambda x: x[5], IndexError, r"getitem: tensor \(2, 3\), index=5: index 5 is out of bounds"),
    (lambda x: tg.split(x, 4), ValueError, r"split: tensor \(2, 3\), sections=4"),
    (lambda x: tg.split(x, [2, 1], axis=1), ValueError, r"split: .*sections=\[2, 1\].*: the indices must not decrease"),
    (lambda x: tg.dropout(x, 0.5, 0), TypeError, r"dropout: rng must be a numpy.random.Generator, such as .*, not 0"),
])  # fmt: skip
def test_refusals(call, error, line):
    with pytest.raises(error, match=line) as caught:
        call(leaf(np.ones((2, 3))))
    assert "\n" not in str(caught.value)
