"""Lesson vanishing: its solution against the engine, PyTorch, the complex step and closed forms; what it claims."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tinygrad_rnn as tg
from tinygrad_rnn.course.authoring import Bench, mistaken, solution_of
from tinygrad_rnn.course.grading import grade
from tinygrad_rnn.course.manifest import read_lesson

LESSON = read_lesson(Path(__file__).parents[2] / "lessons" / "06_vanishing")
BENCH = Bench(LESSON)
solution = solution_of(LESSON)
seeds = st.integers(0, 10_000)
few = settings(deadline=None, max_examples=15)


def close(got, expected, rtol=1e-10):
    np.testing.assert_allclose(got, expected, rtol=rtol, atol=rtol * np.abs(expected).max(initial=1e-300))


def recorded(seed, T=6, H=4):
    """The states h_1 ... h_T of an Elman run in the engine, and W_hh."""
    rng = np.random.default_rng(seed)
    W_hh = tg.tensor(rng.normal(size=(H, H)), requires_grad=True)
    h, states = tg.tensor(rng.normal(size=(1, H)), requires_grad=True), []
    for t in range(T):
        with tg.step(t):
            h = tg.tanh(rng.normal(size=(1, H)) + h @ W_hh)
        states.append(h)
    return states, W_hh


@few
@given(seeds)
def test_the_product_is_the_engines(seed):
    states, W_hh = recorded(seed)
    Hs = np.stack([h.numpy()[0] for h in states])
    measured = tg.flow.jacobian_products(states)
    for t in range(6):
        for k in range(t + 1):
            close(solution.jac_product(Hs, W_hh.numpy(), t, k), measured.matrix(t, k))


@few
@given(seeds)
def test_the_product_is_the_complex_step(seed):
    rng = np.random.default_rng(seed)
    W_hh, X, h_k = rng.normal(size=(3, 3)), rng.normal(size=(4, 3)), np.tanh(rng.normal(size=3))

    def run(h):
        states = [h]
        for x in X:
            states.append(np.tanh(x + states[-1] @ W_hh))
        return np.array(states)

    columns = [run(h_k + 1e-30j * one)[-1].imag / 1e-30 for one in np.eye(3)]
    close(solution.jac_product(run(h_k), W_hh, 4, 0), np.transpose(columns))


def test_a_shear_grows_before_it_dies():
    shear = np.array([[0.5, 3.0], [0.0, 0.5]])
    norms = [np.linalg.norm(solution.jac_product(np.zeros((21, 2)), shear, k, 0), 2) for k in (1, 2, 3, 5, 10)]
    np.testing.assert_allclose(norms, [3.08, 3.02, 2.26, 0.94, 0.06], atol=0.01)
    assert solution.spectral(shear) == pytest.approx((3.08, 0.5), abs=0.005)


@few
@given(seeds, st.integers(1, 8))
def test_the_two_numbers_are_the_engines_and_what_powers_do(seed, H):
    W_hh = np.random.default_rng(seed).normal(size=(H, H))
    sigma1, rho = solution.spectral(W_hh)
    assert (sigma1, rho) == pytest.approx(tg.flow.spectrum(W_hh))
    assert sigma1 == pytest.approx(np.sqrt(np.linalg.eigvalsh(W_hh.T @ W_hh).max()))
    power = np.linalg.matrix_power(W_hh / rho, 1 << 10)  # Gelfand: the root of a power's norm tends to rho
    assert np.linalg.norm(power, 2) ** (1 / (1 << 10)) == pytest.approx(1, abs=0.02)


@few
@given(seeds, st.sampled_from([0.25, 1.0]), st.floats(0.3, 6))
def test_no_network_breaks_the_bound_and_what_vanishes_for_sure_does(seed, gamma, size):
    rng = np.random.default_rng(seed)
    W_hh = size * rng.normal(size=(4, 4)) / 4
    sigma1, rho = solution.spectral(W_hh)
    slopes = gamma * rng.random((40, 4))  # as any inputs may bring them about
    J = np.eye(4)
    for steps, slope in enumerate(slopes, 1):
        J = (slope[:, None] * W_hh.T) @ J
        says = solution.forecast(sigma1, rho, gamma, steps)
        assert np.linalg.norm(J, 2) <= says["bound"] * (1 + 1e-9)
    assert says["vanishes_for_sure"] == (says["bound"] < 1)
    assert says["can_explode"] == (says["bound"] > 1)


def test_a_large_singular_value_only_allows_an_explosion():
    W_hh = 3 * np.eye(2)
    says = solution.forecast(*solution.spectral(W_hh), 1.0, 30)
    assert says["can_explode"]
    assert not says["explodes_for_sure"]
    calm, saturated = np.zeros((31, 2)), np.full((31, 2), 0.99)
    assert np.linalg.norm(solution.jac_product(calm, W_hh, 30, 0), 2) == pytest.approx(3**30)
    assert np.linalg.norm(solution.jac_product(saturated, W_hh, 30, 0), 2) < 1e-30


def test_a_spectral_radius_of_zero_promises_nothing_under_tanh():
    W_hh = np.array([[2.0, 2.0], [-2.0, -2.0]])
    sigma1, rho = solution.spectral(W_hh)
    assert rho < 1e-6
    assert solution.forecast(sigma1, rho, 1.0, 20)["linear_vanishes"]
    assert not solution.forecast(sigma1, rho, 1.0, 20)["vanishes_for_sure"]
    Hs = np.tile([0.0, np.sqrt(0.9)], (21, 1))
    assert np.linalg.norm(solution.jac_product(Hs, W_hh, 20, 0), 2) > 1e5
    slip = BENCH.module(LESSON.exercise("forecast"), ["EIGEN_FOR_TANH"])
    assert slip.forecast(sigma1, rho, 1.0, 20)["vanishes_for_sure"]


@few
@given(st.floats(1.2, 4), st.floats(-2, 2))
def test_the_latch_by_counting_its_resting_states(w, h):
    a = np.linspace(-8, 8, 200_001)
    above = w * np.tanh(a) + h > a
    crossings = a[1:][above[1:] != above[:-1]]
    unit = solution.latch_basin(w, h)
    if abs(abs(h) - unit["h_star"]) < 0.01:  # too near the bifurcation for a grid, and for a thousand steps
        return
    assert unit["latches"] == (len(crossings) == 3)
    assert unit["a"] == pytest.approx(crossings[-1], abs=1e-3)
    assert unit["a"] == pytest.approx(w * np.tanh(unit["a"]) + h, rel=1e-12)
    assert unit["factor"] == pytest.approx((w * np.tanh(unit["a"] + 1e-30j)).imag / 1e-30)
    assert unit["factor"] < 1


@few
@given(seeds, st.integers(1, 12))
def test_the_cliffs_gradient_is_the_engines_and_the_complex_step(seed, T):
    rng = np.random.default_rng(seed)
    start = rng.uniform(2, 6, 3), rng.uniform(-3, -1, 3)
    w, b = (tg.tensor(each, requires_grad=True) for each in start)
    x = tg.tensor(np.full(3, 0.5))
    for _ in range(T):
        x = w * tg.sigmoid(x) + b
    loss = (tg.sigmoid(x) - 0.7) ** 2
    E, dw, db = solution.cliff_loss(*start, 0.5, T)
    close(E, loss.numpy())
    for hand, by_engine in zip((dw, db), tg.grad(tg.sum(loss), [w, b]), strict=True):
        close(hand, by_engine.numpy())
    close(dw, solution.cliff_loss(start[0] + 1e-30j, start[1] + 0j, 0.5, T)[0].imag / 1e-30)


def random_gradients(seed, scale):
    rng = np.random.default_rng(seed)
    return [scale * rng.normal(size=shape) for shape in [(3, 4), (4, 4), (4,)]]


@pytest.mark.parametrize("scale", [0.01, 0.3, 5.0, 1e3])
def test_clipping_is_pytorchs_and_the_engines(scale):
    torch = pytest.importorskip("torch")
    grads = random_gradients(0, scale)
    clipped, norm = solution.clip_global(grads, 1.5)
    theirs = [torch.zeros(g.shape, dtype=torch.float64, requires_grad=True) for g in grads]
    ours = [tg.tensor(np.zeros(g.shape), requires_grad=True) for g in grads]
    for p, q, g in zip(theirs, ours, grads, strict=True):
        p.grad, q.grad = torch.tensor(g), tg.tensor(g)
    assert norm == pytest.approx(torch.nn.utils.clip_grad_norm_(theirs, 1.5).item())
    assert norm == pytest.approx(tg.optim.clip_grad_norm(ours, 1.5))
    for hand, p, q in zip(clipped, theirs, ours, strict=True):
        close(hand, p.grad.numpy(), 1e-5)  # PyTorch adds 1e-6 to the norm
        close(hand, q.grad.numpy())


@pytest.mark.parametrize("limit", [0.2, 1.0, 50.0])
def test_a_step_clipped_by_value_is_pytorchs(limit):
    torch = pytest.importorskip("torch")
    theta, g = np.random.default_rng(1).normal(size=(2, 9)) * 3
    p = torch.tensor(theta, requires_grad=True)
    p.grad = torch.tensor(g)
    torch.nn.utils.clip_grad_value_([p], limit)
    torch.optim.SGD([p], lr=0.3).step()
    new, cosine = solution.clip_value(theta, g, 0.3, limit)
    close(new, p.detach().numpy())
    angle = torch.nn.functional.cosine_similarity(torch.tensor(g), p.grad, dim=0)
    assert cosine == pytest.approx(angle.item())


def test_the_slides_norm_shrinks_what_is_large_the_more():
    """A lecture divides by the squared norm: with threshold 5, norms 3, 10 and 100 become 1.67, 0.5 and 0.05."""
    slip = BENCH.module(LESSON.exercise("clip_global"), ["SQUARED_NORM_CLIP"])
    clipped = [slip.clip_global([np.array([0.6, 0.8]) * norm], 5.0)[0][0] for norm in (2.0, 3.0, 10.0, 100.0)]
    left = [np.linalg.norm(g) for g in clipped]
    np.testing.assert_allclose(left, [2.0, 5 / 3, 0.5, 0.05])


@few
@given(seeds)
def test_the_regularisers_derivative_is_the_complex_step(seed):
    rng = np.random.default_rng(seed)
    dHs, Hs, W_hh = rng.normal(size=(5, 3)), np.tanh(rng.normal(size=(5, 3))), rng.normal(size=(3, 3))

    def value(W):
        v = (dHs[1:] * (1 - Hs[1:] ** 2)) @ W.T
        return ((np.sqrt((v * v).sum(1)) / np.linalg.norm(dHs[1:], axis=1) - 1) ** 2).sum()

    found = solution.omega(dHs, Hs, W_hh)
    expected = np.zeros((3, 3))
    for entry in np.ndindex(3, 3):
        moved = W_hh.astype(complex)
        moved[entry] += 1e-30j
        expected[entry] = value(moved).imag / 1e-30
    close(found["dW_hh"], expected)
    assert found["omega"] == pytest.approx(value(W_hh))


def test_with_a_loss_at_the_end_the_regulariser_compares_neighbouring_gradients():
    states, W_hh = recorded(3)
    dHs = np.stack([g.numpy()[0] for g in tg.grad(tg.sum(states[-1] * np.arange(1.0, 5.0)), states)])
    norms = np.linalg.norm(dHs, axis=1)
    found = solution.omega(dHs, np.stack([h.numpy()[0] for h in states]), W_hh.numpy())
    close(found["terms"], (norms[:-1] / norms[1:] - 1) ** 2)


# What a learner reads


def verdict(function, *mistakes, edits=()):
    """The verdict on the solution with these mistakes, or these edits, made in it."""
    edits = [*edits, *(edit for name in mistakes for edit in BENCH.edits[function][name])]
    source = mistaken(BENCH.source, function, edits)
    return next(grade(LESSON, only=[LESSON.exercise(function).id], source=source))


def test_who_forgets_the_root_hears_of_it():
    told = verdict("clip_global", "SQUARED_NORM_CLIP")
    assert told.mistakes == ("SQUARED_NORM_CLIP",)
    assert "the square root is missing" in told.lines[0]


def test_who_concludes_too_much_is_told_though_every_number_is_right():
    told = verdict("forecast", "SIGMA_GT1_EXPLODES")
    assert told.mistakes == ("SIGMA_GT1_EXPLODES",)
    assert {check.name for check in told.checks if check.passed} == {"the bound", "the linear network"}


@pytest.mark.parametrize(
    ("function", "edits"),
    [
        ("jac_product", [("range(k + 1, t + 1)", "range(t, k, -1)"), ("step @ J", "J @ step")]),
        ("spectral", [("np.abs(eigenvalues)", "np.sqrt(eigenvalues.real**2 + eigenvalues.imag**2)")]),
        ("spectral", [("singular_values.max()", "np.sqrt(np.linalg.eigvalsh(W_hh.T @ W_hh).max())")]),
        ("latch_basin", [("range(1000)", "range(60)")]),
        ("clip_global", [("max_norm / norm if", "max_norm / (norm + 1e-6) if")]),  # as PyTorch has it
    ],
)
def test_other_right_ways_are_right(function, edits):
    assert verdict(function, edits=edits).kind == "right"


def test_differences_instead_of_a_derivative_are_told():
    body = BENCH.source[BENCH.source.index("    K = len(Hs) - 1\n") :]
    slow = body.replace("dW_hh += 2 * excess / before * np.outer(v, da) / after", "pass").replace(
        '    return {"terms": terms, "omega": terms.sum(), "dW_hh": dW_hh}',
        "    def value(W):\n"
        "        V = (dHs[1:] * (1 - Hs[1:] ** 2)) @ W.T\n"
        "        return ((np.linalg.norm(V, axis=1) / np.linalg.norm(dHs[1:], axis=1) - 1) ** 2).sum()\n"
        "    for entry in np.ndindex(*W_hh.shape):\n"
        "        step = np.zeros_like(W_hh)\n"
        "        step[entry] = 1e-6\n"
        "        dW_hh[entry] = (value(W_hh + step) - value(W_hh - step)) / 2e-6\n"
        '    return {"terms": terms, "omega": terms.sum(), "dW_hh": dW_hh}',
    )
    told = next(grade(LESSON, only=[8], source=BENCH.source.replace(body, slow)))
    assert told.kind == "numerical"


def test_clipping_in_place_is_told():
    in_place = ("[scale * g for g in grads]", "[np.multiply(scale, g, out=g) for g in grads]")
    told = verdict("clip_global", edits=[in_place])
    assert told.kind != "right"
    assert "grads" in " ".join(told.lines)
