"""Series made by equations: against closed forms, SciPy's integrators, finer steps, and their recurrences."""

import numpy as np
import pytest

from tinygrad_rnn.data import lorenz, mackey_glass, multi_sine, narma10


def test_mackey_glass_is_its_closed_form_while_it_looks_back_on_its_constant_past():
    t = np.arange(18)  # until tau the delayed term is constant, and the equation linear
    level = 0.2 * 1.2 / (1 + 1.2**10) / 0.1
    np.testing.assert_allclose(mackey_glass(18, warmup=0), level + (1.2 - level) * np.exp(-0.1 * t), atol=2e-5)


def test_mackey_glass_agrees_with_scipy_over_its_first_three_delays():
    integrate = pytest.importorskip("scipy.integrate")
    pieces = [lambda t: 1.2]  # the method of steps: over one delay, what is delayed is known

    def delayed_by(piece):
        def f(t, y):
            past = piece(t - 17)
            return 0.2 * past / (1 + past**10) - 0.1 * y

        return f

    for k in range(3):
        start = 1.2 if k == 0 else float(pieces[-1](17 * k))
        solution = integrate.solve_ivp(delayed_by(pieces[-1]), (17 * k, 17 * k + 17), [start], rtol=1e-10, atol=1e-12,
                                       dense_output=True)  # fmt: skip
        pieces.append(lambda t, sol=solution.sol: sol(t)[0])
    theirs = [float(pieces[1 + min(t // 17, 2)](t)) for t in range(52)]
    np.testing.assert_allclose(mackey_glass(52, warmup=0, dt=0.01), theirs, atol=2e-6)


def test_the_error_of_mackey_glass_falls_with_the_square_of_the_step():
    coarse, middle, fine = (mackey_glass(100, warmup=0, dt=dt) for dt in (0.1, 0.05, 0.025))
    ratio = np.abs(coarse - middle).max() / np.abs(middle - fine).max()
    assert 3.8 < ratio < 4.2


def test_mackey_glass_has_a_seed_a_warmup_and_chaos():
    y = mackey_glass(1500)
    np.testing.assert_array_equal(y[300:], mackey_glass(1200, warmup=1300))
    np.testing.assert_array_equal(mackey_glass(200, rng=3), mackey_glass(200, rng=np.random.default_rng(3)))
    assert np.abs(mackey_glass(200, rng=3) - mackey_glass(200, rng=4)).max() > 0.2
    assert 0.2 < y.min() < y.max() < 1.4
    y = mackey_glass(1000, tau=12, warmup=4000)  # below the onset of chaos: one cycle for ever
    lag = 20 + np.argmin([np.abs(y[k:] - y[:-k]).max() for k in range(20, 200)])
    assert np.abs(y[lag:] - y[:-lag]).max() < 0.03
    y = mackey_glass(4000, tau=17)
    assert min(np.abs(y[k:] - y[:-k]).max() for k in range(20, 500)) > 0.1


def test_lorenz_agrees_with_scipy_while_chaos_lets_it():
    integrate = pytest.importorskip("scipy.integrate")

    def f(t, p):
        x, y, z = p
        return [10 * (y - x), x * (28 - z) - y, x * y - 8 / 3 * z]

    times = 0.02 * np.arange(200)
    theirs = integrate.solve_ivp(f, (0, 4), [1, 1, 1], t_eval=times, rtol=1e-11, atol=1e-11).y.T
    np.testing.assert_allclose(lorenz(200, warmup=0), theirs, atol=2e-3)
    np.testing.assert_allclose(lorenz(200, warmup=0, steps=16), theirs, atol=2e-5)
    assert np.abs(lorenz(50, rng=0) - lorenz(50, rng=1)).max() > 1


def test_narma_is_its_equation_and_stays_bounded():
    u, y = narma10(2000, 0)
    for t in range(10, 2000):
        moving = 0.3 * y[t - 1] + 0.05 * y[t - 1] * y[t - 10 : t].sum() + 1.5 * u[t - 9] * u[t] + 0.1
        assert y[t] == pytest.approx(moving)
    assert 0 <= u.min() < u.max() < 0.5
    runaways = [seed for seed in range(60) if narma10(10_000, seed)[1].max() > 1.5]
    assert runaways == []  # three or so of these would have run away undrawn


def test_multi_sine_is_a_sum_of_sines():
    t = np.arange(300)
    np.testing.assert_allclose(multi_sine(300), np.sin(0.2 * t) + np.sin(0.311 * t), atol=1e-12)
    spectrum = np.abs(np.fft.rfft(multi_sine(400, (np.pi / 5, np.pi / 2), rng=1)))
    assert np.flatnonzero(spectrum > 1).tolist() == [40, 100]
    noisy = multi_sine(4000, rng=2, noise=0.3) - multi_sine(4000, rng=2)
    assert noisy.std() == pytest.approx(0.3, rel=0.05)


@pytest.mark.parametrize(("call", "line"), [
    (lambda: mackey_glass(0), "length >= 1"),
    (lambda: mackey_glass(10, dt=0.3), "dt must divide"),
    (lambda: mackey_glass(10, tau=0), "dt must divide"),
    (lambda: lorenz(0), "lorenz: needs"),
    (lambda: narma10(0, 0), "narma10: needs"),
    (lambda: multi_sine(0), "multi_sine: needs"),
    (lambda: multi_sine(5, noise=1), "pass rng="),
])  # fmt: skip
def test_what_cannot_be_is_refused(call, line):
    with pytest.raises(ValueError, match=line):
        call()
