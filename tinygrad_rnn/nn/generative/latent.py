"""A latent variable with a Gaussian posterior, as variational auto-encoders have it."""

from __future__ import annotations

from typing import Any

import numpy as np

from ... import backend, ops
from ...core import raw


def reparameterised(mu: Any, log_sigma: Any, rng: np.random.Generator) -> Any:
    """z = mu + sigma epsilon, epsilon standard normal: a draw through which gradients flow to mu and log_sigma (Kingma
    & Welling 2014, section 2.4)."""
    noise = rng.standard_normal(mu.shape).astype(mu.dtype)
    return mu + ops.exp(log_sigma) * backend.to_device(noise, backend.of(raw(mu)).device)


def gaussian_kl(mu: Any, log_sigma: Any) -> Any:
    """KL(N(mu, sigma^2) || N(0, 1)) of each element, in nats: (mu^2 + sigma^2 - log sigma^2 - 1) / 2 (Kingma & Welling
    2014, appendix B; Gregor et al. 2015, equation 11)."""
    return 0.5 * (mu * mu + ops.exp(2 * log_sigma) - 1) - log_sigma
