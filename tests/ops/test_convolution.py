"""Convolution and pooling for any size, stride and padding, and what they say where nothing fits."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinygrad_rnn as tg
from tests.ops.tools import few, gradient, leaf
from tinygrad_rnn.ops.convolution import output_size

SMALL = st.integers(1, 3)
PAIRS = st.tuples(SMALL, SMALL)


@st.composite
def windows(draw):
    """(B, C, H, W), (kh, kw), stride and padding that fit each other; a number where both directions are alike."""
    size, stride, padding = draw(PAIRS), draw(PAIRS), draw(st.tuples(st.integers(0, 2), st.integers(0, 2)))
    image = [draw(st.integers(max(1, k - 2 * p), 7)) for k, p in zip(size, padding, strict=True)]
    stride = stride[0] if stride[0] == stride[1] else stride
    return (draw(SMALL), draw(SMALL), *image), size, stride, padding[0] if padding[0] == padding[1] else padding


def numbers(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape)


@few
@given(windows(), SMALL)
def test_convolution_of_any_size_is_pytorchs(sizes, out):
    torch = pytest.importorskip("torch")
    shape, size, stride, padding = sizes
    x, k = numbers(*shape), numbers(out, shape[1], *size, seed=1)
    ours = [leaf(x), leaf(k)]
    theirs = [torch.tensor(a, requires_grad=True) for a in (x, k)]
    y, z = tg.conv2d(*ours, stride, padding), torch.nn.functional.conv2d(*theirs, stride=stride, padding=padding)
    np.testing.assert_allclose(y.numpy(), z.detach().numpy(), rtol=1e-10, atol=1e-10)
    seed = numbers(*y.shape, seed=2)
    got, expected = tg.grad(tg.sum(y * seed), ours), torch.autograd.grad((z * torch.tensor(seed)).sum(), theirs)
    for g, e in zip(got, expected, strict=True):
        np.testing.assert_allclose(g.numpy(), e.numpy(), rtol=1e-10, atol=1e-10)


@few
@given(windows())
def test_pooling_of_any_size_is_pytorchs(sizes):
    torch = pytest.importorskip("torch")
    shape, size, stride, _ = sizes
    if min(shape[2] - size[0], shape[3] - size[1]) < 0:
        return
    x = leaf(numbers(*shape))
    t = torch.tensor(x.data, requires_grad=True)
    y, z = tg.max_pool2d(x, size, stride), torch.nn.functional.max_pool2d(t, size, stride)
    np.testing.assert_array_equal(y.numpy(), z.detach().numpy())
    seed = numbers(*y.shape, seed=2)
    (got,), (expected,) = tg.grad(tg.sum(y * seed), x), torch.autograd.grad((z * torch.tensor(seed)).sum(), t)
    np.testing.assert_allclose(got.numpy(), expected.numpy(), rtol=1e-10, atol=1e-10)


@few
@given(windows())
def test_fold_is_the_adjoint_of_unfold(sizes):
    """<unfold(x), y> = <x, fold(y)> for all x and y."""
    shape, size, stride, padding = sizes
    x = numbers(*shape)
    columns = tg.unfold(x, size, stride, padding)
    y = numbers(*columns.shape, seed=1)
    back = tg.fold(y, shape, stride, padding)
    assert back.shape == shape
    np.testing.assert_allclose((columns * y).sum(), (x * back).sum(), rtol=1e-10, atol=1e-10)


@few
@given(windows(), SMALL)
def test_convolution_to_second_order(sizes, out):
    shape, size, stride, padding = sizes
    x, k = numbers(*shape), numbers(out, shape[1], *size, seed=1)
    assert tg.gradcheck(lambda x, k: tg.conv2d(x, k, stride, padding), [x, k], order=2, sample=6)


def test_a_kernel_of_one_place_is_a_linear_layer_and_nothing_is_flipped():
    x, k = numbers(2, 3, 4, 5), numbers(6, 3, 1, 1, seed=1)
    np.testing.assert_allclose(tg.conv2d(x, k), np.einsum("bchw,oc->bohw", x, k[:, :, 0, 0]), rtol=1e-12)
    image = np.arange(9.0).reshape(1, 1, 3, 3)
    assert tg.conv2d(image, np.array([[[[1.0, 0.0], [0.0, 0.0]]]])).ravel().tolist() == [0, 1, 3, 4]


def test_the_lectures_seven_by_seven_becomes_three_by_three():
    assert output_size(7, 3, 2) == (3, 3)
    assert tg.conv2d(np.ones((1, 1, 7, 7)), np.ones((1, 1, 3, 3)), 2).shape == (1, 1, 3, 3)


def test_ties_of_a_window_share_equally():
    x = np.array([[[[2.0, 2.0, 1.0, 0.0], [2.0, 0.0, 1.0, 5.0]]]])
    third = 1 / 3
    expected = [[third, third, 0, 0], [third, 0, 0, 1]]
    np.testing.assert_allclose(gradient(lambda x: tg.max_pool2d(x, 2), x)[0, 0], expected, rtol=1e-12)


def test_pooling_never_hands_out_its_input():
    x = numbers(1, 1, 2, 2)
    y = tg.max_pool2d(x, 1)
    y[:] = 0
    assert x.all()


@pytest.mark.parametrize(("call", "words"), [
    (lambda: tg.conv2d(np.ones((1, 2, 3, 3)), np.ones((1, 1, 2, 2))), r"kernels must be \(O, 2, kh, kw\)"),
    (lambda: tg.conv2d(np.ones((3, 3)), np.ones((1, 1, 2, 2))), r"images are \(B, C, H, W\): .* x\[None\]"),
    (lambda: tg.conv2d(np.ones((1, 1, 3, 3)), np.ones((1, 1, 4, 4))), r"no window \(4, 4\) .* image \(3, 3\)"),
    (lambda: tg.conv2d(np.ones((1, 1, 3, 3)), np.ones((1, 1, 2, 2)), 0), "a stride is at least 1"),
    (lambda: tg.conv2d(np.ones(3), np.ones((2, 2))), r"images are \(B, C, H, W\)"),
    (lambda: tg.conv2d(np.ones((1, 1, 5, 5)), np.ones((1, 1, 3, 3)), 1, -1), "a padding not negative"),
    (lambda: tg.max_pool2d(np.ones((1, 1, 1, 4)), 2), r"max_pool2d: .* no window \(2, 2\)"),
])  # fmt: skip
def test_what_does_not_fit_is_told_in_one_line(call, words):
    with pytest.raises(ValueError, match=words) as told:
        call()
    assert "\n" not in str(told.value)
