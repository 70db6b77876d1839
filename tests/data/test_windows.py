"""Windows over series and texts, and scales."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_rnn.data import Scaling, windows_n_to_1, windows_n_to_n


@given(st.integers(1, 30), st.integers(1, 8), st.integers(1, 9), st.sampled_from(["numbers", "symbols", "channels"]))
def test_windows_are_slices_of_the_series(extra, N, stride, kind):
    T = N + extra
    rng = np.random.default_rng([T, N])
    series = {"numbers": rng.standard_normal(T), "symbols": rng.integers(0, 26, T),
              "channels": rng.standard_normal((T, 3))}[kind]  # fmt: skip
    steps = series[:, None] if kind == "numbers" else series
    starts = range(0, T - N, stride)
    x, y = windows_n_to_1(series, N, stride)
    assert x.shape == (N, len(starts), *steps.shape[1:])
    for b, start in enumerate(starts):
        np.testing.assert_array_equal(x[:, b], steps[start : start + N])
        np.testing.assert_array_equal(y[b], steps[start + N])
    x, y = windows_n_to_n(series, N, stride)
    for b, start in enumerate(starts):
        np.testing.assert_array_equal(x[:, b], steps[start : start + N])
        np.testing.assert_array_equal(y[:, b], steps[start + 1 : start + N + 1])
    assert np.shares_memory(x, series)


def test_side_by_side_each_step_is_a_target_once():
    x, y = windows_n_to_n(np.arange(1, 27), 5)
    assert sorted(y.ravel()) == list(range(2, 27))
    assert (y == x + 1).all()


@pytest.mark.parametrize(("call", "line"), [
    (lambda: windows_n_to_1(np.arange(4), 4), r"windows_n_to_1: a window of 4 .* longer than the series, \(4,\)"),
    (lambda: windows_n_to_n(np.arange(4), 0), "N and stride must be 1 or more, not 0 and 0"),
    (lambda: windows_n_to_n(np.float64(3), 1), "longer than the series"),
    (lambda: Scaling.of(np.ones(4)), "does not change has no scale"),
    (lambda: Scaling.of(np.ones((0, 2))), "nothing to fit"),
])  # fmt: skip
def test_what_cannot_be_is_refused(call, line):
    with pytest.raises(ValueError, match=line):
        call()


def test_a_scale_is_that_of_its_part_and_goes_back():
    series = np.random.default_rng(0).normal([3, -1], [2, 5], (400, 2))
    scaling = Scaling.of(series[:300])
    np.testing.assert_allclose(scaling(series[:300]).mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(scaling(series[:300]).std(axis=0), 1)
    np.testing.assert_allclose(scaling.back(scaling(series)), series)
