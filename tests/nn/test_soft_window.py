"""Graves's window on a text."""

import numpy as np
import pytest

import tinygrad_rnn as tg
from tinygrad_rnn.nn.generative import SoftWindow, window_weights


@pytest.mark.parametrize(("B", "K", "U"), [(1, 1, 1), (2, 3, 5), (4, 2, 7)])
def test_weights_are_the_sum_of_bumps_written_as_a_loop(B, K, U):
    rng = np.random.default_rng([B, K, U])
    alpha, beta = np.exp(rng.standard_normal((2, B, K)))
    kappa = rng.uniform(0, U + 1, (B, K))
    expected = [[sum(alpha[b, k] * np.exp(-beta[b, k] * (kappa[b, k] - u) ** 2) for k in range(K))
                 for u in range(1, U + 1)] for b in range(B)]  # fmt: skip
    np.testing.assert_allclose(window_weights(alpha, beta, kappa, U), expected, rtol=1e-12)


def test_gradients_to_second_order():
    rng = np.random.default_rng(0)
    inputs = [np.exp(rng.standard_normal((2, 3))), np.exp(rng.standard_normal((2, 3))), rng.uniform(0, 5, (2, 3))]
    for method in ("central", "complex"):
        assert tg.gradcheck(lambda a, b, k: window_weights(a, b, k, 4), inputs, order=2, method=method)


def test_a_sharp_bump_reads_the_letter_where_it_stands_and_never_goes_back():
    window = SoftWindow(3, bumps=1, dtype=np.float64, rng=0)
    window.projection.W.data = np.zeros((3, 3))
    window.projection.b.data = np.array([0.0, 4.0, 0.0])  # alpha 1, beta e^4, one letter a step
    text = np.eye(4)[[[2, 0, 3]]]
    kappa, read = np.zeros((1, 1)), []
    for _ in range(3):
        w, phi, kappa = window(np.ones((1, 3)), kappa, text)
        assert phi.shape == (1, 3)
        read.append(w.numpy()[0].argmax())
        np.testing.assert_allclose(w.numpy()[0].max(), 1, rtol=1e-12)
    assert read == [2, 0, 3]
    before = kappa
    for h in np.random.default_rng(0).standard_normal((20, 1, 3)):
        _, _, kappa = window(10 * h, kappa, text)
        assert (kappa.numpy() > before.numpy()).all()
        before = kappa


def test_pace_is_how_far_the_window_goes_in_its_first_steps():
    window = SoftWindow(50, bumps=4, pace=0.05, rng=0)
    _, _, kappa = window(np.zeros((2, 50), np.float32), np.zeros((2, 4), np.float32), np.ones((2, 3, 5), np.float32))
    np.testing.assert_allclose(kappa.numpy(), 0.05, rtol=1e-5)


def test_padding_is_read_as_nothing_and_what_does_not_fit_is_refused():
    window = SoftWindow(3, bumps=2, dtype=np.float64, rng=0)
    h, kappa, text = np.ones((1, 3)), np.ones((1, 2)), np.eye(4)[[[2, 0]]]
    padded = np.concatenate([text, np.zeros((1, 3, 4))], axis=1)
    np.testing.assert_allclose(window(h, kappa, text)[0].numpy(), window(h, kappa, padded)[0].numpy(), rtol=1e-12)
    with pytest.raises(ValueError, match=r"text is \(B, U, V\).*batch of 1 that h has, not array \(2, 3, 4\)"):
        window(h, kappa, np.zeros((2, 3, 4)))
    with pytest.raises(ValueError, match="at least one bump and a positive pace, not 0 and 1"):
        SoftWindow(3, bumps=0)
