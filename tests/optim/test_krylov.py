"""Conjugate gradients against NumPy's solver."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_rnn.optim import conjugate_gradient


def problem(seed, n, values=None):
    """A symmetric positive definite A with eigenvalues between 1 and 100, or those given, and b."""
    rng = np.random.default_rng(seed)
    q, _ = np.linalg.qr(rng.standard_normal((n, n)))
    values = rng.uniform(1, 100, n) if values is None else np.resize(values, n)
    A = (q * values) @ q.T
    return (A + A.T) / 2, rng.standard_normal(n), rng


@given(st.integers(0, 2**32 - 1), st.integers(1, 30), st.booleans(), st.booleans())
def test_it_solves(seed, n, warm, preconditioned):
    A, b, rng = problem(seed, n)
    found = conjugate_gradient(lambda v: A @ v, b, rng.standard_normal(n) if warm else None, 3 * n, 1e-11,
                               (lambda r: r / np.diag(A)) if preconditioned else None)  # fmt: skip
    np.testing.assert_allclose(found.x, np.linalg.solve(A, b), rtol=1e-7, atol=1e-9)
    np.testing.assert_allclose(found.values[-1], found.x @ A @ found.x / 2 - b @ found.x, rtol=1e-7, atol=1e-9)
    assert (np.diff(found.values) <= 1e-9 * np.abs(found.values[-1])).all()
    assert found.kept[-1] == found.steps
    assert found.iterates[-1] is found.x


@pytest.mark.parametrize("different", [1, 2, 3, 5])
def test_as_many_steps_as_different_eigenvalues(different):
    A, b, _ = problem(0, 20, values=np.arange(1.0, different + 1))
    found = conjugate_gradient(lambda v: A @ v, b, tolerance=1e-10)
    assert found.steps == different
    np.testing.assert_allclose(found.x, np.linalg.solve(A, b), rtol=1e-9)


def test_the_right_preconditioner_needs_one_step():
    A, b, _ = problem(0, 12)
    exactly = lambda r: np.linalg.solve(A, r)  # noqa: E731
    assert conjugate_gradient(lambda v: A @ v, b, tolerance=1e-9, precondition=exactly).steps == 1


def test_each_kept_iterate_is_the_best_of_its_krylov_space():
    A, b, _ = problem(1, 15)
    found = conjugate_gradient(lambda v: A @ v, b, max_steps=8)
    assert found.kept == [0, 1, 2, 3, 4, 6, 8]
    krylov = [b]
    for _ in range(7):
        krylov.append(A @ krylov[-1])
    for step, x in zip(found.kept[1:], found.iterates[1:], strict=True):
        q, _ = np.linalg.qr(np.stack(krylov[:step], axis=1))
        np.testing.assert_allclose(x, q @ np.linalg.solve(q.T @ A @ q, q.T @ b), rtol=1e-7, atol=1e-9)


def test_it_stops_where_progress_ends():
    A, b, _ = problem(2, 200, values=np.geomspace(1e-4, 1, 200))
    eager = conjugate_gradient(lambda v: A @ v, b, progress=0.05)
    patient = conjugate_gradient(lambda v: A @ v, b, progress=0.0005)
    assert 10 < eager.steps < patient.steps < 200
    for found, progress in ((eager, 0.05), (patient, 0.0005)):
        fell = [(v - w) / v < k * progress for i, v in enumerate(found.values)
                if i > (k := max(10, i // 10)) for w in [found.values[i - k]]]  # fmt: skip
        assert fell == [False] * (len(fell) - 1) + [True]  # at its last step for the first time


def test_it_takes_no_direction_of_negative_curvature():
    A = np.diag([2.0, -1.0])
    assert conjugate_gradient(lambda v: A @ v, np.array([0.0, 1.0])).steps == 0
    assert conjugate_gradient(lambda v: A @ v, np.array([1.0, 0.0])).x.tolist() == [0.5, 0.0]


def test_bad_input_is_answered_in_one_line():
    with pytest.raises(ValueError, match=r"b has shape \(2,\), start \(3,\): give vectors"):
        conjugate_gradient(lambda v: v, np.ones(2), np.ones(3))
