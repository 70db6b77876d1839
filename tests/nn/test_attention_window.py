"""DRAW's filterbank and what it reads and writes."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tinygrad_rnn as tg
from tinygrad_rnn.nn.generative import AttentionWindow, filterbank


def by_loops(centre, stride, sigma2, N, size):
    """Equations 19 and 25 of the paper, with indices from 1."""
    F = np.zeros((len(centre), N, size))
    for b in range(len(centre)):
        for i in range(1, N + 1):
            mu = centre[b, 0] + (i - N / 2 - 0.5) * stride[b, 0]
            for a in range(1, size + 1):
                F[b, i - 1, a - 1] = np.exp(-((a - mu) ** 2) / (2 * sigma2[b, 0]))
            F[b, i - 1] /= F[b, i - 1].sum()
    return F


@given(st.integers(1, 5), st.integers(1, 9), st.integers(1, 3), st.integers(0, 2**32))
@settings(max_examples=40, deadline=None)
def test_filters_are_those_of_a_double_loop(N, size, B, seed):
    rng = np.random.default_rng(seed)
    centre, stride = rng.uniform(0, size + 1, (B, 1)), rng.uniform(0.1, 3, (B, 1))
    sigma2 = rng.uniform(0.3, 4, (B, 1))
    F = filterbank(centre, stride, sigma2, N, size)
    np.testing.assert_allclose(F, by_loops(centre, stride, sigma2, N, size), rtol=1e-9, atol=1e-14)
    np.testing.assert_allclose(F.sum(-1), 1, rtol=1e-12)


def test_a_filter_far_outside_reads_the_nearest_pixel_instead_of_zero_by_zero():
    F = filterbank(np.array([[-50.0]]), np.array([[1.0]]), np.array([[0.01]]), 2, 4)
    np.testing.assert_array_equal(F, [[[1, 0, 0, 0], [1, 0, 0, 0]]])


def test_gradients_to_second_order():
    rng = np.random.default_rng(0)
    inputs = [rng.uniform(1, 5, (2, 1)), rng.uniform(0.5, 2, (2, 1)), rng.uniform(0.5, 2, (2, 1))]
    assert tg.gradcheck(lambda c, s, v: filterbank(c, s, v, 3, 5), inputs, order=2)


def test_reading_and_writing_are_the_sums_of_the_paper(rng):
    attend = AttentionWindow(5, 4, 6, 3, dtype=np.float64, rng=0)
    window = attend(rng.standard_normal((2, 5)))
    F_x, F_y, gamma = (part.numpy() for part in window[:3])
    image, patch = rng.standard_normal((2, 4, 6)), rng.standard_normal((2, 3, 3))
    read, written = window.read(image).numpy(), window.write(patch).numpy()
    assert F_x.shape == (2, 3, 6)
    assert F_y.shape == (2, 3, 4)
    for b in range(2):
        np.testing.assert_allclose(read[b], gamma[b] * F_y[b] @ image[b] @ F_x[b].T, rtol=1e-12)
        np.testing.assert_allclose(written[b], F_y[b].T @ patch[b] @ F_x[b] / gamma[b], rtol=1e-12)


def test_the_state_sets_the_window_by_equations_21_to_24():
    attend = AttentionWindow(2, 5, 9, 3, dtype=np.float64, rng=0)
    attend.place.W.data = np.zeros((2, 5))
    attend.place.b.data = np.array([0.5, -0.5, np.log(0.7), np.log(0.25), np.log(3.0)])
    window = attend(np.ones((1, 2)))
    said = {name: getattr(window, name).item() for name in ("x", "y", "stride", "sigma2", "gamma")}
    assert said == pytest.approx({"x": 10 / 2 * 1.5, "y": 6 / 2 * 0.5, "stride": 8 / 2 * 0.25, "sigma2": 0.7,
                                  "gamma": 3.0})  # fmt: skip
    expected = by_loops(np.array([[7.5]]), np.array([[1.0]]), np.array([[0.7]]), 3, 9)
    np.testing.assert_allclose(window.F_x.numpy(), expected, rtol=1e-9, atol=1e-14)


def test_a_sharp_window_as_large_as_the_image_copies_it(rng):
    attend = AttentionWindow(2, 4, 4, 4, dtype=np.float64)
    at = [np.full((1, 1), value) for value in (2.5, 2.5, 1.0, 1e-3, 2.0)]
    image = rng.standard_normal((1, 4, 4))
    window = attend.at(*at)
    np.testing.assert_allclose(window.read(image), 2 * image, rtol=1e-12)
    np.testing.assert_allclose(window.write(window.read(image)), image, rtol=1e-12)


def test_a_grid_larger_than_the_image_is_refused():
    with pytest.raises(ValueError, match="from 1 to 6 for images of 4 x 6, not 7"):
        AttentionWindow(5, 4, 6, 7)
