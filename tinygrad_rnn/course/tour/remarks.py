"""What is said about the networks that need little or no training: hello, the spectral radius, clipping; and the words
that no number changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ...pictures.scales import number
from .captions import listed, steps, verdict

Facts = Mapping[str, Any]

HELLO_INTRODUCTION = (
    "The network of the lectures: it reads h, e, l, l and should say e, l, l, o. It has 4 letters, 3 hidden units and"
    " has learned nothing yet; at each step it is given the right letter, whatever it said before (teacher forcing)."
    " All pictures show one and the same computation; green numbers are values, red ones (∇) gradients of the loss."
)
HELLO = {
    "cells": (
        "Unrolled over time, as on a lecture slide: the inputs x, the hidden states h, the outputs y and the losses L."
        " The recurrent weights are drawn once and feed every step; the gradients that come back from all steps are"
        " added up."
    ),
    "rolled": (
        "The same network as one step with a loop. The black square is a delay of one step: what leaves it is the state"
        " of the step before."
    ),
    "ops": (
        "Every operation of the first two steps; the others are like the second. Backwards, each of these boxes needs"
        " only its own small rule, and the chain rule does the rest."
    ),
    "gates": (
        "Inside an LSTM with as many units, at its last step: the cell state c runs along the top and is only"
        " multiplied by the forget gate and added to. That path has no matrix and no tanh in it, but it has the forget"
        " gate."
    ),
    "flow": (
        "The way back: above each state the norm of its gradient, below each step what it contributes to the gradient"
        " of W_hh. The loss has a term at every step, and each adds to what flows back; the later figures have one"
        " loss, at the end. Step 1 pays nothing, here as in the figures to come: there W_hh multiplies h_0, which is 0."
    ),
}
BY_HAND_INTRODUCTION = (
    "This is all of backpropagation through time, for that network, with nothing but NumPy. The engine arrives at the"
    " same numbers from its recorded graph, without knowing that there is a network."
)
SAMPLES = (
    "What each network writes, at four moments. All draw from the same random numbers, so the differences are the"
    " networks'."
)
REACH_INTRODUCTION = (
    "Take the loss of one single character, and follow its gradient back: to the state just before it, one step"
    " earlier, and so on. The state is h in the Elman network and the cell state c in the LSTMs. A straight line here"
    " is a factor per step."
)
RADIUS_INTRODUCTION = (
    "An Elman network over 20 steps, with W_hh an orthogonal matrix times a number: that number is its spectral radius"
    " ρ and all of its singular values. A gradient of norm 1 is put in at the last state. In the first three the inputs"
    " are so weak that tanh is a straight line; in the last one they are not."
)
RADIUS_THEORY = (
    "The rule, with its two halves: for tanh, a largest singular value of W_hh below 1 is *sufficient* for the gradient"
    " to vanish; one above 1 is *necessary* for it to explode, and not sufficient, since each step also multiplies by"
    " the slope of tanh, which is at most 1 (Pascanu, Mikolov & Bengio 2013, section 2.1)."
)
WALL_INTRODUCTION = (
    "The smallest network with the trouble: x_t = w · sigmoid(x_{t-1}) + b, 50 steps, one number w to learn, and the"
    " error E = (sigmoid(x_50) − 0.7)² (Pascanu, Mikolov & Bengio 2013)."
)
ORDER_INTRODUCTION = (
    "And in a network: *temporal order*. Among 20 letters two are A or B, the others are noise, and after the last one"
    " the network has to say which two in which order, one of four answers. Plain gradient descent, 30 tanh units, and"
    " the only difference is whether a gradient whose norm is above 1 is scaled down to 1. (The norm: the square *root*"
    " of the sum of squares. Forgetting the root is a classic mistake: it shrinks a gradient of norm 10 to 0.1.)"
)


def hello(loss: float, count: int, letters: int) -> str:
    """One line for the table of contents: the size of the network, and its loss before any learning."""
    return (
        f"{steps(count)}, {letters} letters, 3 hidden units; the loss before any learning is {loss:.3f}, the sum of"
        " four characters."
    )


def by_hand(gap: float) -> str:
    """How far the gradients by hand are from the engine's."""
    if gap == 0:
        return "By hand and by the engine: the same numbers to the last bit."
    if gap <= 1e-12:
        return (
            f"By hand and by the engine: the largest difference in any entry of any gradient is {gap:.1e}, rounding in"
            " float64."
        )
    return (
        f"By hand and by the engine, gradients differ by up to {gap:.1e}: more than rounding, so one of the two is"
        " wrong."
    )


def hello_learned(n: Facts) -> str:
    """Descent with the gradients by hand."""
    said = (
        f"{n['updates']} steps of gradient descent with these gradients bring the loss from {n['loss_before']:.3f} to"
        f" {n['loss_after']:.3f} nats per character."
    )
    right = f" Given h, e, l, l, it now says {', '.join(n['says'])}" + (
        ": right." if n["says"] == "ello" else ", and not e, l, l, o."
    )
    bar = n["loss_without_memory"]
    known = (
        f" Without memory nobody can do better than {bar:.3f}: after l comes l once and o once. So it remembers."
        if n["loss_after"] < bar
        else f" That is no better than without memory, {bar:.3f}."
    )
    return said + right + known


# The spectral radius


BECOMES = {
    "dies": "vanishes",
    "fades": "vanishes",
    "holds": "holds",
    "grows": "explodes",
    "none": "is zero",
    "overflows": "overflows",
}


def radius_panel(case: Facts) -> str:
    """What became of the gradient in one chain."""
    return f"ρ = {case['rho']:.1f}, {'weak' if case['inputs'] < 0.1 else 'strong'} inputs: it {BECOMES[verdict(case)]}"


def radius_summary(cases: Sequence[Facts]) -> str:
    """One line for the table of contents: what is left of a gradient of 1 for each spectral radius."""
    told = [f"{number(case['last'])} at ρ = {case['rho']:.1f}" for case in cases[:3]]
    return f"A gradient of 1, {steps(cases[0]['lags'])} later: {listed(told)}."


def radius(cases: Sequence[Facts]) -> str:
    """One sentence a chain; and whether the strong inputs undo the explosion."""
    parts = []
    for case in cases:
        what = "with strong inputs" if case["inputs"] >= 0.1 else "with weak inputs"
        parts.append(
            f"ρ = {case['rho']:.1f} {what}: it {BECOMES[verdict(case)]}, from {number(case['first'])} to"
            f" {number(case['last'])}."
        )
    weak, strong = cases[-2], cases[-1]
    if strong["last"] < strong["first"] < weak["last"]:
        parts.append(
            f"So the same matrix, with a largest singular value of {strong['sigma_1']:.2f}, makes a gradient explode or"
            " vanish: it depends on the slope of tanh at the states."
        )
    elif strong["last"] < weak["last"]:
        parts.append("Strong inputs push the states to where tanh is flat, and slow the explosion down.")
    return " ".join(parts)


# Clipping


def wall(n: Facts) -> str:
    """What the numbers at the wall say: how steep it is, and where a step with and without clipping lands."""
    slopes, at = [s for s in n["slope"] if s == s], max(range(len(n["slope"])), key=lambda i: n["slope"][i])
    flat = sorted(slopes)[len(slopes) // 2]
    return (
        f"At w = {n['w'][at]:.2f} the error is a wall: its slope there is {number(n['slope'][at])}, and on half of this"
        f" line it is below {number(flat)}. A step against such a slope, times any sensible learning rate, lands far"
        " away."
    )


def descent(n: Facts) -> str:
    """Where both descents went."""
    plain, clipped = n["plain"], n["clipped"]
    jumps = [max(abs(b - a) for a, b in zip(run["w"], run["w"][1:], strict=False)) for run in (plain, clipped)]
    ends = [f"ends at w = {run['w'][-1]:.2f} with error {number(run['error'][-1])}" for run in (plain, clipped)]
    text = (
        f"Both begin at w = {plain['w'][0]:.2f} with a learning rate of {n['learning_rate']:g}. Without clipping, the"
        f" largest step is {number(jumps[0])} and it {ends[0]}. Clipped at {n['clip']:g}, the largest step is"
        f" {number(jumps[1])} and it {ends[1]}."
    )
    if jumps[0] < 2 * jumps[1]:
        return text + " Here clipping made little difference."
    better = clipped["error"][-1] < plain["error"][-1]
    return text + (
        " Clipping kept it near the wall, where the minimum is."
        if better
        else " In the end the unclipped one was luckier."
    )


def clipping_summary(runs: Sequence[Facts]) -> str:
    """One line for the table of contents: the share of wrong answers with and without clipping."""
    plain, clipped = ([run["wrong"] for run in runs if bool(run["clip"]) == with_clip] for with_clip in (False, True))
    return (
        f"The same {len(plain)} networks: {_mean(plain):.0%} of the answers are wrong without clipping, "
        f"{_mean(clipped):.0%} with it."
    )


def order(runs: Sequence[Facts]) -> str:
    """All runs; the chart shows the first two."""
    plain, clipped = ([run["wrong"] for run in runs if bool(run["clip"]) == with_clip] for with_clip in (False, True))
    told = (
        f"Guessing is wrong in 75% of the cases. At the end, without clipping {_percent(plain)} of the answers are"
        f" wrong, with it {_percent(clipped)}"
    )
    told += f" ({len(plain)} networks each that differ in their first weights; the first is shown)."
    if max(clipped) < 0.1 < 0.5 < min(plain):
        return told + " Clipping alone makes the difference between not learning and learning."
    if _mean(clipped) < _mean(plain) - 0.1:
        return told + " Clipping helps here, though not every time or not all the way."
    return told + " In this run clipping made no clear difference; with so few updates there may not have been time to."


def order_norms(plain: Facts, clipped: Facts) -> str:
    """What the gradient norms during training say, with and without clipping."""
    text = (
        "The largest norm of the first network's gradient in each stretch of updates. Of all norms without clipping,"
        f" {plain['over_threshold']:.0%} are above the threshold, half are below {number(plain['median_norm'])}, and"
        f" the largest is {number(plain['largest_norm'])}. With clipping, measured before it,"
        f" {clipped['over_threshold']:.0%} are above it, half are below {number(clipped['median_norm'])}, and the"
        f" largest is {number(clipped['largest_norm'])}."
    )
    if plain["over_threshold"] >= 0.5:
        text += " So without clipping, steps too long for the threshold are the rule, not the exception."
    elif plain["over_threshold"] < 0.1 and plain["largest_norm"] > 5 * plain["median_norm"]:
        text += " So clipping is about a few steps, and those are large."
    if clipped["over_threshold"] < plain["over_threshold"] - 0.1:
        text += " With clipping, large gradients also come less often."
    return text


def _mean(values: Sequence[float]) -> float:
    return sum(values) / max(1, len(values))


def _percent(values: Sequence[float]) -> str:
    return f"{listed([f'{100 * v:.0f}' for v in values])}%"
