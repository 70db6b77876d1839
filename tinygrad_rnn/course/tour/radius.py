"""Three spectral radii of W_hh, and what each does to a gradient on its way back; and that for a radius above 1 the
answer depends on where the states are."""

from __future__ import annotations

from typing import Any

import numpy as np

from ... import ops
from ...core import Tensor, tensor
from ...flow import spectrum, state_gradients
from ...nn import init
from ...pictures import draw
from ...recording import step
from ..render.blocks import Part, Picture, Prose
from . import remarks

STEPS, HIDDEN = 20, 16
STRONG = 1.0  # size of inputs for which tanh saturates; weaker ones, as below, leave it a straight line
CASES = ((0.5, 3e-3), (1.0, 1e-3), (1.5, 1e-6), (1.5, STRONG))  # spectral radius and size of the inputs


def radius_part(seed: int) -> Part:
    """One figure of four chains. W_hh is an orthogonal matrix times the radius, so that no direction is special, and
    the gradient that is put in at the last state has norm 1."""
    panels, cases = [], []
    for rho, size in CASES:
        output, W_hh, states = chain(rho, size, np.random.default_rng(seed))
        norms = state_gradients(output, states).norms
        measured = spectrum(W_hh)
        facts: dict[str, Any] = {
            "rho": measured.rho,
            "sigma_1": measured.sigma_1,
            "inputs": size,
            "first": float(norms[-1]),
            "last": float(norms[0]),
            "lags": len(norms) - 1,
            "norms": norms,
        }
        cases.append(facts)
        panels.append((remarks.radius_panel(facts), output))
    part = Part("radius", "Vanishing, borderline, exploding", remarks.radius_summary(cases))
    part.blocks = [
        Prose(remarks.RADIUS_INTRODUCTION),
        Picture(
            "gradient_flow",
            draw(panels, view="flow", steps="all", title="Gradients through 20 steps of an Elman network"),
            remarks.radius(cases),
        ),
        Prose(remarks.RADIUS_THEORY),
    ]
    part.numbers = {"seed": seed, "hidden_size": HIDDEN, "steps": STEPS, "cases": cases}
    return part


def chain(rho: float, size: float, rng: np.random.Generator) -> tuple[Tensor, Tensor, list[Tensor]]:
    """h_t = tanh(x_t W_xh + h_{t-1} W_hh) over random inputs: the last state's product with a unit vector, W_hh, and
    all states."""
    W_hh = tensor(rho * init.orthogonal((HIDDEN, HIDDEN), rng, dtype=np.float64), requires_grad=True, name="W_hh")
    W_xh = tensor(init.normal((HIDDEN, HIDDEN), rng, size, np.float64), requires_grad=True, name="W_xh")
    xs = rng.standard_normal((STEPS, 1, HIDDEN))
    direction = rng.standard_normal((HIDDEN, 1))
    h = tensor(np.zeros((1, HIDDEN)), requires_grad=True, name="h_0")
    states = [h]
    for t, x in enumerate(xs):
        with step(t):
            h = ops.tanh(x @ W_xh + h @ W_hh).named("h")
        states.append(h)
    return (h @ tensor(direction / np.linalg.norm(direction))).sum(), W_hh, states
