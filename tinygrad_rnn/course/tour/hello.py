"""The network of the lectures: it reads h, e, l, l and should say e, l, l, o. Drawn in all views, and differentiated
twice: by the engine and by hand."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np

from ... import nn, ops
from ...autograd import grad
from ...core import Tensor, tensor
from ...data import hello as hello_data
from ...data.tasks import HELLO_WITHOUT_MEMORY
from ...pictures import draw
from ...recording import step
from ..render.blocks import Listing, Part, Picture, Prose, Table
from . import by_hand, remarks

HIDDEN, UPDATES, RATE = 3, 300, 0.2
Arrays = dict[str, np.ndarray]


def hello_parts(seed: int) -> list[Part]:
    """The two parts that need no training time to speak of: the pictures, and the gradients by hand."""
    rng = np.random.default_rng(seed)
    vocabulary, window = hello_data()
    p = weights(rng, len(vocabulary))
    xs, targets = np.eye(len(vocabulary))[window[:-1]], window[1:]
    leaves, loss = network(p, xs, targets)
    return [_drawn(loss, xs, targets, rng), _checked(p, leaves, loss, xs, targets, vocabulary.chars)]


def weights(rng: np.random.Generator, V: int) -> Arrays:
    """Small random weights in float64, biases at zero."""
    shapes = {"W_xh": (V, HIDDEN), "W_hh": (HIDDEN, HIDDEN), "b_h": (HIDDEN,), "W_hy": (HIDDEN, V), "b_y": (V,)}
    return {name: rng.normal(0, 0.6, shape) * (len(shape) > 1) for name, shape in shapes.items()}


def network(p: Arrays, xs: np.ndarray, targets: np.ndarray) -> tuple[dict[str, Tensor], Tensor]:
    """The same network in the engine: its leaves by name, and the loss, a sum over time."""
    leaf = {name: tensor(array, requires_grad=True, name=name) for name, array in p.items()}
    leaf["h_0"] = h = tensor(np.zeros((xs.shape[1], HIDDEN)), requires_grad=True, name="h_0")
    losses = []
    for t, (x, target) in enumerate(zip(xs, targets, strict=True)):
        with step(t):
            h = ops.tanh(tensor(x) @ leaf["W_xh"] + h @ leaf["W_hh"] + leaf["b_h"])
            losses.append(ops.cross_entropy(h @ leaf["W_hy"] + leaf["b_y"], target))
    loss = losses[0]
    for each in losses[1:]:
        loss = loss + each
    return leaf, loss


def _drawn(loss: Tensor, xs: np.ndarray, targets: np.ndarray, rng: np.random.Generator) -> Part:
    D = xs.shape[2]
    lstm = nn.LSTM(D, HIDDEN, kernel="unrolled", dtype=np.float64, rng=rng)  # to be drawn: each step is recorded
    head = nn.Linear(HIDDEN, D, dtype=np.float64, rng=rng)
    outputs, _ = lstm(tensor(xs))
    inside = ops.sequence_loss(head(outputs), targets, over_time="sum")
    names = {
        "cells": "The hello network, unrolled",
        "rolled": "The hello network, rolled up",
        "ops": "The hello network, every operation",
        "flow": "The way back",
    }
    options: dict[str, dict[str, Any]] = {"cells": {"values": True}, "ops": {"values": True, "steps": (0, 1)}}
    pictures = [
        Picture(f"hello_{view}", draw(loss, view=view, title=title, **options.get(view, {})), remarks.HELLO[view])
        for view, title in names.items()
    ]
    gates = draw(inside, view="gates", values=True, title="Inside the last step of an LSTM")
    pictures.insert(3, Picture("hello_gates", gates, remarks.HELLO["gates"]))
    part = Part("hello", "One network, five pictures", remarks.hello(loss.item(), len(xs), D))
    part.blocks = [Prose(remarks.HELLO_INTRODUCTION), *pictures]
    part.numbers = {"loss_nats": loss.item(), "steps": len(xs), "hidden_size": HIDDEN}
    return part


def _checked(
    p: Arrays, leaves: dict[str, Tensor], loss: Tensor, xs: np.ndarray, targets: np.ndarray, chars: str
) -> Part:
    start = np.zeros((xs.shape[1], HIDDEN))
    by_hand_loss, hand = by_hand.bptt(p, xs, targets, start)
    engine = dict(zip(leaves, grad(loss, list(leaves.values())), strict=True))
    gap = {name: float(np.abs(hand[name] - engine[name].numpy()).max()) for name in leaves}
    size = {name: float(np.linalg.norm(engine[name].numpy())) for name in leaves}
    curve, said = learned(p, xs, targets, chars)
    numbers: dict[str, Any] = {
        "loss_engine": loss.item(),
        "loss_by_hand": by_hand_loss,
        "largest_difference": gap,
        "gradient_norm": size,
        "updates": UPDATES,
        "learning_rate": RATE,
        "loss_before": curve[0],
        "loss_after": curve[-1],
        "loss_without_memory": HELLO_WITHOUT_MEMORY,
        "says": said,
    }
    rows = [
        (name, " × ".join(map(str, leaves[name].shape)), f"{size[name]:.6f}", f"{gap[name]:.1e}") for name in leaves
    ]
    part = Part("by_hand", "The same gradients, by hand", remarks.by_hand(max(gap.values())), numbers=numbers)
    part.blocks = [
        Prose(remarks.BY_HAND_INTRODUCTION),
        Listing(inspect.getsource(by_hand.bptt), "by_hand.py"),
        Table(
            ("parameter", "shape", "norm of the gradient", "largest difference"),
            rows,
            remarks.by_hand(max(gap.values())),
        ),
        Prose(remarks.hello_learned(numbers)),
    ]
    return part


def learned(p: Arrays, xs: np.ndarray, targets: np.ndarray, chars: str) -> tuple[list[float], str]:
    """Plain gradient descent with the gradients by hand: the loss per character before each update, and what the
    network says in the end."""
    p, start, curve = dict(p), np.zeros((xs.shape[1], HIDDEN)), []
    for _ in range(UPDATES + 1):
        loss, d = by_hand.bptt(p, xs, targets, start)
        curve.append(loss / len(xs))
        last, p = p, {name: array - RATE * d[name] for name, array in p.items()}
    h, said = start, ""
    for x in xs:
        h = np.tanh(x @ last["W_xh"] + h @ last["W_hh"] + last["b_h"])
        said += chars[int((h @ last["W_hy"] + last["b_y"])[0].argmax())]
    return curve, said
