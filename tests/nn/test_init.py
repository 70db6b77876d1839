"""Initialisers have the statistics that their papers promise."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinygrad_rnn.nn import init

LARGE = (300, 500)
N = LARGE[0] * LARGE[1]


@pytest.mark.parametrize(("draw", "variance"), [
    (init.uniform, 1 / 300 / 3),
    (init.normal, 1.0),
    (init.xavier_uniform, 2 / 800),
    (init.xavier_normal, 2 / 800),
    (init.kaiming_uniform, 2 / 300),
    (init.kaiming_normal, 2 / 300),
])  # fmt: skip
def test_mean_and_variance(draw, variance):
    W = draw(LARGE, np.random.default_rng(0), dtype=np.float64)
    assert abs(W.mean()) < 5 * np.sqrt(variance / N)
    assert abs(W.var() / variance - 1) < 5 * np.sqrt(2 / N)


def test_uniform_stays_within_its_bound():
    W = init.uniform(LARGE, np.random.default_rng(0), bound=0.3)
    assert 0.299 < np.abs(W).max() <= 0.3
    assert 0.057 < np.abs(init.uniform(LARGE, np.random.default_rng(0))).max() <= 1 / np.sqrt(300)


@settings(max_examples=25, deadline=None)
@given(rows=st.integers(1, 9), columns=st.integers(1, 9), gain=st.floats(0.1, 3))
def test_orthogonal_has_equal_singular_values(rows, columns, gain):
    W = init.orthogonal((rows, columns), np.random.default_rng(rows), gain, np.float64)
    np.testing.assert_allclose(np.linalg.svd(W, compute_uv=False), gain, rtol=1e-12)


def test_orthogonal_is_uniform_over_signs():
    """Without the correction by R's signs, the first entry of Q never changes sign."""
    draws = [init.orthogonal((2, 2), np.random.default_rng(seed))[0, 0] > 0 for seed in range(200)]
    assert 70 < sum(draws) < 130


@settings(max_examples=25, deadline=None)
@given(size=st.integers(1, 12), rho=st.floats(0, 3))
def test_spectral_radius(size, rho):
    W = init.spectral_radius(np.random.default_rng(size).standard_normal((size, size)), rho)
    assert np.abs(np.linalg.eigvals(W)).max() == pytest.approx(rho, abs=1e-9)


def test_spectral_radius_keeps_the_dtype_and_refuses_what_it_cannot_scale():
    assert init.spectral_radius(np.eye(3, dtype=np.float32), 0.5).dtype == np.float32
    with pytest.raises(ValueError, match=r"W \(2, 3\) is not square"):
        init.spectral_radius(np.ones((2, 3)), 1.0)
    with pytest.raises(ValueError, match="all eigenvalues of W are 0"):
        init.spectral_radius(np.array([[0.0, 1.0], [0.0, 0.0]]), 1.0)


def test_sparse_has_the_fan_in_asked_for():
    W = init.sparse((100, 200), np.random.default_rng(0))
    assert (np.count_nonzero(W, axis=0) == 15).all()
    assert abs(W[W != 0].var() - 1) < 5 * np.sqrt(2 / (15 * 200))
    assert np.count_nonzero(init.sparse((4, 3), np.random.default_rng(0))) == 12


def test_identity_and_zeros():
    np.testing.assert_array_equal(init.identity((3, 3), 0.5), 0.5 * np.eye(3))
    assert not init.zeros((2, 3)).any()


def test_each_gate_is_drawn_for_itself():
    W = init.per_gate(init.orthogonal, (5, 5), 4, np.random.default_rng(0), gain=2.0, dtype=np.float64)
    gates = np.split(W, 4, axis=1)
    for gate in gates:
        np.testing.assert_allclose(gate @ gate.T, 4 * np.eye(5), atol=1e-12)
    assert (gates[0] != gates[1]).any()


@pytest.mark.parametrize("draw", [init.uniform, init.normal, init.xavier_normal, init.orthogonal, init.sparse])
def test_float32_by_default_and_repeatable(draw):
    one, two = (draw((6, 4), np.random.default_rng(3)) for _ in range(2))
    assert one.dtype == np.float32
    np.testing.assert_array_equal(one, two)
