"""DRAW: its equations step by step in NumPy, its divergence, and its bound against the likelihood itself."""

import itertools

import numpy as np
import pytest

import tinygrad_rnn as tg
from tinygrad_rnn import nn, optim
from tinygrad_rnn.nn.generative import DRAW, gaussian_kl, reparameterised


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


@pytest.mark.parametrize("attention", [None, 2])
def test_a_painting_and_its_loss_are_the_equations_in_numpy(attention, rng):
    """Equations 3 to 8 and 9 to 12 written again with arrays; only the cells and windows are the package's."""
    model = DRAW(4, 5, hidden_size=6, latent_size=3, steps=3, attention=attention, dtype=np.float64, rng=0)
    model.canvas_0.data = rng.standard_normal((4, 5))
    x = (rng.random((2, 4, 5)) < 0.5).astype(float)
    loss, painting = model.loss(x, np.random.default_rng(7)), model(x, np.random.default_rng(7))
    noise = np.random.default_rng(7)
    canvas = np.tile(model.canvas_0.data, (2, 1, 1))
    enc, dec, divergence = (np.zeros((2, 6)),) * 2, (np.zeros((2, 6)),) * 2, np.zeros(2)
    for t in range(3):
        x_hat = x - sigmoid(canvas)
        if attention is None:
            seen = [x, x_hat]
        else:
            F_x, F_y, gamma = (part.numpy() for part in model.reader(dec[0])[:3])
            seen = [gamma * (F_y @ image @ F_x.transpose(0, 2, 1)) for image in (x, x_hat)]
        r = np.concatenate([*(image.reshape(2, -1) for image in seen), dec[0]], axis=1)
        enc = tuple(part.numpy() for part in model.encoder(r, enc))
        mu, log_sigma = np.split(enc[0] @ model.posterior.W.data + model.posterior.b.data, 2, axis=1)
        divergence += 0.5 * (mu**2 + np.exp(log_sigma) ** 2 - 2 * log_sigma - 1).sum(1)
        z = mu + np.exp(log_sigma) * noise.standard_normal(mu.shape)
        dec = tuple(part.numpy() for part in model.decoder(z, dec))
        patch = dec[0] @ model.brush.W.data + model.brush.b.data
        if attention is None:
            canvas = canvas + patch.reshape(2, 4, 5)
        else:
            F_x, F_y, gamma = (part.numpy() for part in model.writer(dec[0])[:3])
            canvas = canvas + F_y.transpose(0, 2, 1) @ patch.reshape(2, 2, 2) @ F_x / gamma
        np.testing.assert_allclose(painting.canvases[t].numpy(), canvas, rtol=1e-10)
    p = sigmoid(canvas)
    expected = -(x * np.log(p) + (1 - x) * np.log(1 - p)).sum((1, 2)) + divergence
    np.testing.assert_allclose(loss.numpy(), expected, rtol=1e-10)
    np.testing.assert_allclose(painting.frames()[-1], p, rtol=1e-10)
    assert len(painting.reads) == len(painting.writes) == (3 if attention else 0)


def test_gradients_of_the_loss_are_those_of_differences():
    model = DRAW(2, 3, hidden_size=3, latent_size=2, steps=2, attention=2, dtype=np.float64, rng=0)
    x = (np.random.default_rng(1).random((2, 2, 3)) < 0.5).astype(float)
    names = ["encoder.W_xh", "decoder.W_hh", "reader.place.W", "writer.place.b", "posterior.W", "canvas_0"]
    parameters = dict(model.named_parameters())

    def loss(*values):
        for name, value in zip(names, values, strict=True):
            owner, _, last = name.rpartition(".")
            target = model
            for part in filter(None, owner.split(".")):
                target = getattr(target, part)
            setattr(target, last, value)
        return model.loss(x, np.random.default_rng(3))

    assert tg.gradcheck(loss, [parameters[name].data for name in names], sample=6)


def test_divergence_is_that_of_pytorch_and_of_many_draws(rng):
    torch = pytest.importorskip("torch")
    D = torch.distributions
    mu, log_sigma = rng.standard_normal((2, 5, 3))
    theirs = D.kl_divergence(D.Normal(torch.tensor(mu), torch.tensor(np.exp(log_sigma))), D.Normal(0.0, 1.0))
    np.testing.assert_allclose(gaussian_kl(mu, log_sigma), theirs, rtol=1e-10)
    mu, log_sigma = np.full(200_000, 0.7), np.full(200_000, -0.4)
    z = reparameterised(mu, log_sigma, rng)
    log_ratio = -0.5 * ((z - mu) / np.exp(log_sigma)) ** 2 - log_sigma + 0.5 * z**2
    assert log_ratio.mean() == pytest.approx(gaussian_kl(0.7, -0.4), abs=4 * log_ratio.std() / np.sqrt(200_000))


def test_the_bound_is_below_the_likelihood_and_the_likelihood_sums_to_one(rng):
    """All 8 images of 1 x 3 pixels, one latent number a step: the likelihood is an integral over two numbers."""
    model = DRAW(1, 3, hidden_size=4, latent_size=1, steps=2, dtype=np.float64, rng=0)
    every = np.array(list(itertools.product([0.0, 1.0], repeat=3)))[:, None]
    frequent = every[[0, 3, 3, 5, 6, 6, 6, 7]]
    optimizer = optim.Adam(model.parameters(), lr=0.02)
    for _ in range(150):
        model.zero_grad()
        model.loss(frequent, rng).mean().backward()
        optimizer.step()

    class Grid:
        """In place of a generator: z on a grid, the same for all that ask."""

        def __init__(self, values):
            self.values = iter(values)

        def standard_normal(self, shape):
            return next(self.values).reshape(shape)

    z = np.linspace(-6, 6, 81)
    first, second = (part.reshape(-1, 1) for part in np.meshgrid(z, z, indexing="ij"))
    logits = model.paint(Grid([first, second]), first.size).canvases[-1].numpy()[:, 0]
    weight = np.exp(-0.5 * (first**2 + second**2))[:, 0]
    weight /= weight.sum()
    p = sigmoid(logits)
    likelihood = [(weight * np.where(x[0] == 1, p, 1 - p).prod(1)).sum() for x in every]
    assert sum(likelihood) == pytest.approx(1, rel=1e-9)
    draws = np.stack([-model.loss(every, rng).numpy() for _ in range(300)])
    bound = draws.mean(0)
    error = draws.std(0) / np.sqrt(300)
    assert (bound < np.log(likelihood) + 4 * error).all()
    assert (bound > np.log(likelihood) - 1).all()  # and not far below, after some learning


def test_one_step_without_attention_is_a_variational_auto_encoder(rng):
    """With one step the encoder sees the image, itself again less the first canvas, and zeros, and z is its code."""
    model = DRAW(3, 3, hidden_size=5, latent_size=2, steps=1, dtype=np.float64, rng=0)
    x = rng.random((4, 3, 3))
    cell = nn.LSTMCell(18 + 5, 5, dtype=np.float64)
    cell.load_state_dict(model.encoder.state_dict())
    h, _ = cell(np.concatenate([x.reshape(4, -1), x.reshape(4, -1) - 0.5, np.zeros((4, 5))], axis=1))
    mu, log_sigma = np.split(model.posterior(h).numpy(), 2, axis=1)
    expected = gaussian_kl(mu, log_sigma).sum(1)
    (divergence,) = model(x, rng).divergences
    np.testing.assert_allclose(divergence.numpy(), expected, rtol=1e-12)


def test_it_learns_and_paints_what_it_has_seen(rng):
    """Two patterns: the bound gets near ln 2 nats, and what it paints is nearly always one of the two."""
    patterns = np.array([np.tri(4), 1 - np.tri(4)[::-1]], np.float32)
    model = DRAW(4, 4, hidden_size=16, latent_size=2, steps=2, rng=0)
    optimizer = optim.Adam(model.parameters(), lr=0.02)
    for _ in range(250):
        model.zero_grad()
        loss = model.loss(patterns[rng.integers(0, 2, 32)], rng).mean()
        loss.backward()
        optimizer.step()
    assert np.log(2) - 0.05 < loss.item() < 1.5
    painted = model.paint(rng, 200).frames()[-1] > 0.5
    known = (painted[:, None] == (patterns > 0.5)).all((2, 3)).any(1)
    assert known.mean() > 0.8
    assert len({image.tobytes() for image in painted[known]}) == 2


def test_on_every_device(device):
    model = DRAW(3, 4, hidden_size=4, latent_size=2, steps=2, attention=2, rng=0)
    x = np.random.default_rng(1).random((2, 3, 4)).astype(np.float32)
    expected = model.loss(x, np.random.default_rng(0)).numpy()
    loss = model.to(device).loss(tg.tensor(x, device=device), np.random.default_rng(0))
    loss.sum().backward()
    assert loss.device == model.brush.W.grad.device == device
    np.testing.assert_allclose(loss.numpy(), expected, rtol=1e-5)
    assert model.paint(np.random.default_rng(0), 3).frames().shape == (2, 3, 3, 4)


def test_what_does_not_fit_is_refused_in_one_line(rng):
    model = DRAW(4, 5, rng=0)
    with pytest.raises(ValueError, match=r"DRAW takes images \(B, 4, 5\), not array \(2, 20\)"):
        model.loss(np.zeros((2, 20)), rng)
    with pytest.raises(ValueError, match="at least one step and one latent number, not 0 and 8"):
        DRAW(4, 5, steps=0)
    with pytest.raises(ValueError, match="from 1 to 5 for images of 4 x 5, not 9"):
        DRAW(4, 5, attention=9)
