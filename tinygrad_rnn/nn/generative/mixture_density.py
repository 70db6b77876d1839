"""Graves's output layer for pen strokes: a mixture of bivariate Gaussians for where the pen goes next, and the
probability that the stroke ends there."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from ... import ops
from ..layers import Generator, Linear
from ..module import as_numpy, told


class Mixture(NamedTuple):
    """The mixture that an output y_hat (..., 1 + 6M) stands for (Graves 2013, equations 17 to 22).

    `end (..., 1)` is the logit of the end of the stroke, `log_pi (..., M)` the logarithms of the weights, which are a
    softmax; `mu_1, mu_2`, `log_sigma_1, log_sigma_2` and `r` are (..., M), and the correlation is rho = tanh(r).
    """

    end: Any
    log_pi: Any
    mu_1: Any
    mu_2: Any
    log_sigma_1: Any
    log_sigma_2: Any
    r: Any

    @classmethod
    def of(cls, y_hat: Any) -> Mixture:
        """Raises ValueError unless the last axis of y_hat is 1 + 6M long, M >= 1."""
        size = getattr(y_hat, "shape", (0,))[-1]
        if size < 7 or size % 6 != 1:
            raise ValueError(f"a mixture of M Gaussians has outputs (..., 1 + 6M), one for the end of the stroke and "
                             f"six for each Gaussian, not {told(y_hat)}")  # fmt: skip
        M = (size - 1) // 6
        end, pi, *others = ops.split(y_hat, [1 + i * M for i in range(6)], axis=-1)
        return cls(end, ops.log_softmax(pi), *others)


def mdn_loss(y_hat: Any, x: Any) -> Any:
    """-log p(x | y_hat), in nats, of each step: y_hat (..., 1 + 6M), x (..., 3) with rows (dx, dy, end), loss (...).

    Graves 2013, equations 23 to 26, computed as logarithms from end to end. With a = (dx - mu_1) / sigma_1 and
    b likewise, and rho = tanh(r), which makes 1 / sqrt(1 - rho^2) = cosh(r), the exponent of equation 24 is that of two
    independent numbers, a and b cosh(r) - a sinh(r): nothing divides by 1 - rho^2, which rounds to 0. The end of the
    stroke has probability e = sigmoid(y_hat[..., 0]), so that dL/dy_hat there is e - end. (Equation 18 is printed with
    the opposite sign, which only means that y_hat has it too.)

    The loss of a density has no floor at 0: it is negative where the density is above 1. Raises ValueError where the
    shapes do not fit.
    """
    mixture = Mixture.of(y_hat)
    if tuple(x.shape) != (*y_hat.shape[:-1], 3):
        raise ValueError(f"mdn_loss: y_hat {tuple(y_hat.shape)} needs x {(*y_hat.shape[:-1], 3)}, rows of (dx, dy, end "
                         f"of stroke), not {tuple(x.shape)}")  # fmt: skip
    dx, dy, end = ops.split(x, 3, axis=-1)
    log_gauss = _log_gauss(mixture, dx, dy)
    ending = ops.binary_cross_entropy(mixture.end, end, "none")
    return ops.squeeze(ending, -1) - ops.logsumexp(mixture.log_pi + log_gauss, axis=-1)


def _log_gauss(mixture: Mixture, dx: Any, dy: Any) -> Any:
    """log N(dx, dy | mu, sigma, rho) under each Gaussian: equations 24 and 25."""
    _, _, mu_1, mu_2, log_sigma_1, log_sigma_2, r = mixture
    a, b = (dx - mu_1) * ops.exp(-log_sigma_1), (dy - mu_2) * ops.exp(-log_sigma_2)
    grown, shrunk = 0.5 * ops.exp(r), 0.5 * ops.exp(-r)
    cosh, sinh = grown + shrunk, grown - shrunk
    c = b * cosh - a * sinh
    return ops.log(cosh) - log_sigma_1 - log_sigma_2 - 0.5 * (a * a + c * c) - math.log(2 * math.pi)


def mdn_sample(y_hat: Any, rng: np.random.Generator, bias: float = 0.0) -> np.ndarray:
    """Steps (..., 3) of the pen, rows (dx, dy, end), drawn from the mixtures that y_hat (..., 1 + 6M) stands for.

    `bias` b makes a tidier hand (Graves 2013, equations 61 and 62): sigma = exp(sigma_hat - b) and pi =
    softmax(pi_hat (1 + b)); 0 draws from the model itself. Raises ValueError for a negative bias.
    """
    if not bias >= 0:
        raise ValueError(f"mdn_sample: the bias must be at least 0, which draws from the model itself, not {bias}")
    y = as_numpy(y_hat).astype(np.float64)
    end, log_pi, mu_1, mu_2, log_sigma_1, log_sigma_2, r = (as_numpy(part) for part in Mixture.of(y))
    tempered = log_pi * (1 + bias)
    chosen = (tempered + rng.gumbel(size=tempered.shape)).argmax(-1)[..., None]  # Gumbel's way to draw from a softmax
    mu_1, mu_2, s_1, s_2, r = (np.take_along_axis(part, chosen, -1)[..., 0]
                               for part in (mu_1, mu_2, log_sigma_1 - bias, log_sigma_2 - bias, r))  # fmt: skip
    a, c = rng.standard_normal((2, *mu_1.shape))
    b = (c + a * np.sinh(r)) / np.cosh(r)  # so that a and b have the correlation tanh(r)
    ends = rng.random(mu_1.shape) < ops.sigmoid(end[..., 0])
    return np.stack([mu_1 + a * np.exp(s_1), mu_2 + b * np.exp(s_2), ends], axis=-1)


class MixtureDensity(Linear):
    """The layer in front of it: y_hat (..., 1 + 6M) = h @ W + b for h (..., in_features) and M = `mixtures`.

    What y_hat means is in `Mixture`, `mdn_loss` and `mdn_sample`.
    """

    def __init__(self, in_features: int, mixtures: int = 20, *, dtype: Any = np.float32, device: str | None = None,
                 rng: Generator = None, name: str = "mixture density") -> None:  # fmt: skip
        if mixtures < 1:
            raise ValueError(f"MixtureDensity: needs at least one Gaussian, not {mixtures}")
        super().__init__(in_features, 1 + 6 * mixtures, dtype=dtype, device=device, rng=rng, name=name)
        self.mixtures = mixtures
