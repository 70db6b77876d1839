"""Graves's output layer: its loss against densities written down elsewhere, its gradients, and what it draws."""

import numpy as np
import pytest

import tinygrad_rnn as tg
from tinygrad_rnn.nn.generative import Mixture, MixtureDensity, mdn_loss, mdn_sample


def case(seed, *shape, M=3, scale=1.0):
    """Outputs (*shape, 1 + 6M) and strokes (*shape, 3)."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((*shape, 3))
    x[..., 2] = x[..., 2] > 0
    return scale * rng.standard_normal((*shape, 1 + 6 * M)), x


def by_hand(y_hat, x):
    """Equations 18 to 26 of the paper, one step at a time, in the form in which they are printed but for the sign of
    e's exponent."""
    M = (len(y_hat) - 1) // 6
    e = 1 / (1 + np.exp(-y_hat[0]))
    pi_hat, mu_1, mu_2, s_1, s_2, r = y_hat[1:].reshape(6, M)
    pi, sigma_1, sigma_2, rho = np.exp(pi_hat) / np.exp(pi_hat).sum(), np.exp(s_1), np.exp(s_2), np.tanh(r)
    d_1, d_2 = x[0] - mu_1, x[1] - mu_2
    Z = d_1**2 / sigma_1**2 + d_2**2 / sigma_2**2 - 2 * rho * d_1 * d_2 / (sigma_1 * sigma_2)
    N = np.exp(-Z / (2 * (1 - rho**2))) / (2 * np.pi * sigma_1 * sigma_2 * np.sqrt(1 - rho**2))
    loss = -np.log((pi * N).sum()) - np.log(e if x[2] else 1 - e)
    gamma, C = pi * N / (pi * N).sum(), 1 / (1 - rho**2)
    gradient = np.concatenate([
        [e - x[2]],
        pi - gamma,
        gamma * C / sigma_1 * (mu_1 - x[0]) / sigma_1 - gamma * C / sigma_1 * rho * (mu_2 - x[1]) / sigma_2,
        gamma * C / sigma_2 * (mu_2 - x[1]) / sigma_2 - gamma * C / sigma_2 * rho * (mu_1 - x[0]) / sigma_1,
        -gamma * (C * d_1 / sigma_1 * (d_1 / sigma_1 - rho * d_2 / sigma_2) - 1),
        -gamma * (C * d_2 / sigma_2 * (d_2 / sigma_2 - rho * d_1 / sigma_1) - 1),
        -gamma * (d_1 * d_2 / (sigma_1 * sigma_2) + rho * (1 - C * Z)),
    ])  # fmt: skip
    return loss, gradient


@pytest.mark.parametrize("seed", range(5))
def test_loss_and_gradients_are_the_equations_of_the_paper(seed):
    y_hat, x = case(seed, 4, 5)
    leaf = tg.tensor(y_hat, requires_grad=True)
    loss = mdn_loss(leaf, x)
    expected = [by_hand(y, row) for y, row in zip(y_hat.reshape(20, -1), x.reshape(20, 3), strict=True)]
    np.testing.assert_allclose(loss.numpy().ravel(), [value for value, _ in expected], rtol=1e-10)
    loss.sum().backward()
    np.testing.assert_allclose(leaf.grad.numpy().reshape(20, -1), [g for _, g in expected], rtol=1e-9, atol=1e-11)


def test_gradients_are_those_of_differences_and_of_the_complex_step():
    y_hat, x = case(0, 2, M=2)
    assert tg.gradcheck(lambda y: mdn_loss(y, x), y_hat, order=2)
    assert tg.gradcheck(lambda y: mdn_loss(y, x), y_hat, method="complex")


def test_loss_is_the_negative_log_likelihood_that_pytorch_computes():
    torch = pytest.importorskip("torch")
    D = torch.distributions
    y_hat, x = case(1, 7, 2, M=4)
    y, t = torch.tensor(y_hat), torch.tensor(x)
    parts = y[..., 1:].reshape(7, 2, 6, 4)
    mu = parts[..., 1:3, :].transpose(-1, -2)
    s_1, s_2, rho = parts[..., 3, :].exp(), parts[..., 4, :].exp(), parts[..., 5, :].tanh()
    covariance = torch.stack([s_1**2, rho * s_1 * s_2, rho * s_1 * s_2, s_2**2], -1).reshape(7, 2, 4, 2, 2)
    mixture = D.MixtureSameFamily(D.Categorical(logits=parts[..., 0, :]), D.MultivariateNormal(mu, covariance))
    theirs = -mixture.log_prob(t[..., :2]) - D.Bernoulli(logits=y[..., 0]).log_prob(t[..., 2])
    np.testing.assert_allclose(mdn_loss(y_hat, x), theirs, rtol=1e-10)


def test_loss_stays_finite_where_the_density_underflows_or_the_correlation_rounds_to_one():
    y_hat = np.zeros((1, 7), np.float32)
    far = np.array([[1000.0, 0.0, 1.0]], np.float32)
    assert mdn_loss(y_hat, far).item() == pytest.approx(500_000 + np.log(2 * np.pi) + np.log(2), rel=1e-6)
    y_hat[0, 6] = 12.0  # tanh(12) is 1 in float32, so that 1 - rho^2 is 0
    on_the_line = np.array([[0.5, 0.5, 0.0]], np.float32)
    expected = -(12 - np.log(2)) + np.log(2 * np.pi) + np.log(2) + 0.125
    assert mdn_loss(y_hat, on_the_line).item() == pytest.approx(expected, rel=1e-4)


def test_draws_have_the_moments_and_frequencies_of_the_mixture(rng):
    y = np.array([0.4, np.log(0.3), np.log(0.7), -5, 5, 1, 2, -1, -0.5, 0.2, -0.7, 0.8, -1.2])
    x = mdn_sample(np.tile(y, (40_000, 1)), rng)
    right = x[:, 0] > 0
    assert right.mean() == pytest.approx(0.7, abs=4 * np.sqrt(0.21 / 40_000))
    e = 1 / (1 + np.exp(-0.4))
    assert x[:, 2].mean() == pytest.approx(e, abs=4 * np.sqrt(e * (1 - e) / 40_000))
    assert set(np.unique(x[:, 2])) == {0.0, 1.0}
    for chosen, mu, s, r in ((~right, (-5, 1), (-1, 0.2), 0.8), (right, (5, 2), (-0.5, -0.7), -1.2)):
        points = x[chosen, :2]
        standard = np.exp(s) / np.sqrt(len(points))
        assert (np.abs(points.mean(0) - mu) < 4 * standard).all()
        np.testing.assert_allclose(points.std(0), np.exp(s), rtol=0.04)
        assert np.corrcoef(points.T)[0, 1] == pytest.approx(np.tanh(r), abs=0.03)


def test_bias_shrinks_the_spread_and_prefers_the_likely(rng):
    y = np.array([0.0, np.log(0.3), np.log(0.7), -5, 5, 0, 0, -1, -1, 0, 0, 0.5, 0.5])
    x = mdn_sample(np.tile(y, (20_000, 1)), rng, bias=1.5)
    right = x[:, 0] > 0
    p = 0.7**2.5 / (0.7**2.5 + 0.3**2.5)  # softmax of the logits times 1 + 1.5
    assert right.mean() == pytest.approx(p, abs=4 * np.sqrt(p * (1 - p) / 20_000))
    np.testing.assert_allclose(x[right, :2].std(0), [np.exp(-2.5), np.exp(-1.5)], rtol=0.04)


def test_a_layer_learns_a_density_down_to_its_entropy(rng):
    """One Gaussian for Gaussian data: the loss goes to the entropy of the data, which is known."""
    sigma = np.array([0.5, 0.1])
    x = np.concatenate([rng.standard_normal((500, 2)) * sigma + (1, -1), rng.random((500, 1)) < 0.2], axis=1)
    layer = MixtureDensity(1, mixtures=1, dtype=np.float64, rng=0)
    optimizer = tg.optim.Adam(layer.parameters(), lr=0.05)
    for _ in range(300):
        layer.zero_grad()
        loss = mdn_loss(layer(np.ones((500, 1))), x).mean()
        loss.backward()
        optimizer.step()
    share = x[:, 2].mean()
    ends = -share * np.log(share) - (1 - share) * np.log(1 - share)
    entropy = 0.5 * np.linalg.slogdet(np.cov(x[:, :2].T, bias=True))[1] + np.log(2 * np.pi) + 1 + ends
    assert loss.item() == pytest.approx(entropy, abs=1e-3)


def test_on_every_device(device):
    y_hat, x = case(2, 3, 2)
    expected = mdn_loss(y_hat, x)
    y, t = tg.tensor(y_hat, requires_grad=True, device=device), tg.tensor(x, device=device)
    loss = mdn_loss(y, t)
    loss.sum().backward()
    assert loss.device == y.grad.device == device
    np.testing.assert_allclose(loss.numpy(), expected, rtol=1e-12)
    assert mdn_sample(y, np.random.default_rng(0)).shape == (3, 2, 3)


def test_what_does_not_fit_is_refused_in_one_line():
    with pytest.raises(ValueError, match=r"outputs \(\.\.\., 1 \+ 6M\).*not array \(2, 9\)"):
        Mixture.of(np.zeros((2, 9)))
    with pytest.raises(ValueError, match=r"needs x \(2, 3\), rows of \(dx, dy, end of stroke\), not \(2, 2\)"):
        mdn_loss(np.zeros((2, 7)), np.zeros((2, 2)))
    with pytest.raises(ValueError, match="bias must be at least 0"):
        mdn_sample(np.zeros((2, 7)), np.random.default_rng(0), bias=-1)
    with pytest.raises(ValueError, match="at least one Gaussian, not 0"):
        MixtureDensity(4, mixtures=0)
