import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tinygrad_rnn as tg
from tinygrad_rnn.optim import clip_grad_norm, clip_grad_value

SHAPES = [(3, 4), (4,), (), (0,)]


def with_gradients(scale=1.0, dtype=np.float64, device=None):
    rng = np.random.default_rng(0)
    params = [tg.tensor(np.zeros(shape), requires_grad=True, dtype=dtype, device=device) for shape in SHAPES]
    for p in params:
        p.grad = tg.tensor(scale * rng.standard_normal(p.shape), dtype=dtype, device=device)
    return [*params, tg.tensor([1.0], requires_grad=True)]  # the last was not used


def norm(params):
    return math.sqrt(sum(float((p.grad.numpy() ** 2).sum()) for p in params if p.grad is not None))


@settings(max_examples=30, deadline=None)
@given(scale=st.floats(1e-3, 1e3), max_norm=st.floats(1e-2, 1e2))
def test_the_norm_is_pytorchs_and_so_is_the_direction(scale, max_norm):
    torch = pytest.importorskip("torch")
    ours = with_gradients(scale)
    theirs = []
    for p in ours:
        theirs.append(torch.zeros(p.shape, dtype=torch.float64, requires_grad=True))
        theirs[-1].grad = None if p.grad is None else torch.tensor(p.grad.numpy().copy())
    total = clip_grad_norm(ours, max_norm)
    assert total == pytest.approx(torch.nn.utils.clip_grad_norm_(theirs, max_norm).item(), rel=1e-12)
    # PyTorch divides by the norm plus 1e-6, and so ends just below max_norm, or clips what is just below it
    small = (total + 1e-6) / total if total > max_norm else max(1.0, (total + 1e-6) / max_norm)
    for p, q in zip(ours, theirs, strict=True):
        if p.grad is not None:
            np.testing.assert_allclose(p.grad.numpy(), q.grad.numpy() * small, rtol=1e-12, atol=1e-15)


def test_the_norm_returned_is_that_before_clipping_and_not_its_square(device):
    params = with_gradients(device=device)
    before = norm(params)
    assert clip_grad_norm(params, 0.5) == pytest.approx(before, rel=1e-12)
    assert norm(params) == pytest.approx(0.5, rel=1e-12)
    assert all(p.grad.device == device for p in params[:-1])


def test_small_gradients_are_left_alone():
    params = with_gradients()
    before = [p.grad for p in params]
    clip_grad_norm(params, 1e3)
    assert all(a is p.grad for a, p in zip(before, params, strict=True))
    assert params[-1].grad is None


def test_old_gradients_are_not_written_into():
    params = with_gradients()
    arrays = [p.grad.data for p in params[:-1]]
    copies = [a.copy() for a in arrays]
    clip_grad_norm(params, 0.1)
    clip_grad_value(params, 0.01)
    for a, b in zip(arrays, copies, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("exponent", [-30, 30])
def test_a_norm_whose_square_would_not_fit_float32(exponent):
    params = with_gradients(10.0**exponent, np.float32)
    expected = norm(with_gradients()) * 10.0**exponent
    assert clip_grad_norm(params, 1e-35) == pytest.approx(expected, rel=1e-5)
    assert {p.grad.dtype for p in params[:-1]} == {np.dtype(np.float32)}


def test_a_norm_whose_square_would_not_fit_float64():
    params = with_gradients(1e200)
    assert clip_grad_norm(params, 2.0) == pytest.approx(norm(with_gradients()) * 1e200, rel=1e-12)
    assert norm(params) == pytest.approx(2.0, rel=1e-12)


def test_no_gradients_have_norm_zero():
    assert clip_grad_norm([], 1.0) == clip_grad_norm(tg.tensor([1.0], requires_grad=True), 1.0) == 0


@pytest.mark.parametrize("bad", [math.inf, math.nan])
def test_a_norm_that_is_not_finite_is_returned_and_changes_nothing(bad):
    params = with_gradients()
    params[0].name = "W_hh"
    params[0].grad.data[0, 0] = bad
    before = [p.grad.numpy().copy() for p in params[:-1]]
    total = clip_grad_norm(params, 1.0)
    assert total == bad or (math.isnan(total) and math.isnan(bad))
    for a, p in zip(before, params, strict=False):
        np.testing.assert_array_equal(a, p.grad.numpy())
    with pytest.raises(FloatingPointError, match=r"the gradient of W_hh \(3, 4\) has norm (inf|nan)"):
        clip_grad_norm(params, 1.0, error_if_nonfinite=True)


def test_a_shared_parameter_counts_once():
    p = tg.tensor([0.0, 0.0], requires_grad=True)
    p.grad = tg.tensor([3.0, 4.0])
    assert clip_grad_norm([p, p], 1.0) == 5
    np.testing.assert_allclose(p.grad.numpy(), [0.6, 0.8], rtol=1e-6)


def test_clip_by_value(device):
    params = with_gradients(device=device)
    expected = [p.grad.numpy().clip(-0.3, 0.3) for p in params[:-1]]
    clip_grad_value(params, 0.3)
    for p, e in zip(params, expected, strict=False):
        np.testing.assert_array_equal(p.grad.numpy(), e)
    assert params[-1].grad is None


@pytest.mark.parametrize("call", [lambda p: clip_grad_norm(p, -1.0), lambda p: clip_grad_value(p, math.nan)])
def test_a_negative_limit_is_refused(call):
    with pytest.raises(ValueError, match="must not be negative or NaN"):
        call(with_gradients())
