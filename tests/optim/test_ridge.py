"""Ridge regression against scikit-learn's and NumPy's least squares."""

from __future__ import annotations

import numpy as np
import pytest

import tinygrad_rnn as tg
from tinygrad_rnn.optim import Ridge


def problem(seed=0, T=40, N=6, M=2):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((T, N)) @ rng.standard_normal((N, N)) + 3
    return X, X @ rng.standard_normal((N, M)) + rng.standard_normal((T, M)) - 1


@pytest.mark.parametrize("penalty", [1e-6, 0.1, 10.0, 1e4])
def test_it_is_scikit_learns(penalty):
    linear = pytest.importorskip("sklearn.linear_model")
    X, Y = problem()
    theirs, ours = linear.Ridge(alpha=penalty, solver="cholesky").fit(X, Y), Ridge(X, Y).readout(penalty)
    np.testing.assert_allclose(ours.W, theirs.coef_.T, rtol=1e-7, atol=1e-10)
    np.testing.assert_allclose(ours.b, theirs.intercept_, rtol=1e-7)
    np.testing.assert_allclose(ours(X), theirs.predict(X), rtol=1e-7)


@pytest.mark.parametrize(("T", "N"), [(40, 6), (5, 8)])
def test_without_a_penalty_it_is_least_squares(T, N):
    X, Y = problem(T=T, N=N)
    W, *_ = np.linalg.lstsq(X - X.mean(0), Y - Y.mean(0), rcond=None)
    np.testing.assert_allclose(Ridge(X, Y).readout(0).W, W, rtol=1e-7, atol=1e-9)


def test_a_column_that_says_nothing_new_does_no_harm():
    X, Y = problem()
    doubled = Ridge(np.concatenate([X, X[:, :1], np.ones((40, 1))], axis=1), Y).readout(0)
    np.testing.assert_allclose(doubled(np.concatenate([X, X[:, :1], np.ones((40, 1))], axis=1)),
                               Ridge(X, Y).readout(0)(X), rtol=1e-8)  # fmt: skip


def test_washout_and_batches():
    X, Y = problem()
    expected = Ridge(X[8:], Y[8:]).readout(0.5)
    for x, y, washout in ((X, Y, 8), (X.reshape(20, 2, 6), Y.reshape(20, 2, 2), 4)):
        found = Ridge(tg.tensor(x), tg.tensor(y), washout).readout(0.5)
        np.testing.assert_allclose(found.W, expected.W, rtol=1e-10)
        np.testing.assert_allclose(found.b, expected.b, rtol=1e-10)


def test_the_penalty_is_chosen_where_the_score_is_least():
    X, Y = problem()
    X_new, Y_new = problem(1)
    penalties = (1e-3, 1.0, 1e3)
    error = {p: np.mean((Ridge(X, Y).readout(p)(X_new) - Y_new) ** 2) for p in penalties}
    choice = Ridge(X, Y).choose(penalties, lambda r: np.mean((r(X_new) - Y_new) ** 2))
    assert choice.scores == pytest.approx(error)
    assert choice.penalty == min(error, key=error.get)
    np.testing.assert_array_equal(choice.readout.W, Ridge(X, Y).readout(choice.penalty).W)
    scores = iter([5.0, float("nan")])  # a free run may diverge
    diverged = Ridge(X, Y).choose((0.0, 1.0), lambda r: next(scores))
    assert (diverged.penalty, diverged.scores) == (0.0, {0.0: 5.0, 1.0: float("inf")})


@pytest.mark.parametrize(("call", "message"), [
    (lambda: Ridge(np.ones((3, 2)), np.ones((4, 1))), r"X \(3, 2\) and Y \(4, 1\) must agree"),
    (lambda: Ridge(np.full((3, 2), np.inf), np.ones((3, 1))), "Ridge: X holds NaN or infinity"),
    (lambda: Ridge(np.ones((3, 2)), np.full((3, 1), np.nan)), "Ridge: Y holds NaN or infinity"),
    (lambda: Ridge(np.ones((3, 2)), np.ones((3, 1)), washout=3), "a washout of 3 leaves nothing of 3 steps"),
    (lambda: Ridge(np.ones((3, 2)), np.ones((3, 1))).readout(-1), "the penalty must not be negative"),
    (lambda: Ridge(np.ones((3, 2)), np.ones((3, 1))).choose([], len), "there is no penalty to choose from"),
])  # fmt: skip
def test_bad_input_is_answered_in_one_line(call, message):
    with pytest.raises(ValueError, match=message):
        call()
