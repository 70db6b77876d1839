"""The gradient's way back through time: the chain of states coloured and widened by log10 of the gradient norm, and
under each step what it contributes to dL/dW."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from ..figure import Edge, Figure, Node, Text, label, straight, style, text_at
from ..graph import Vertex
from ..palette import GREY, gradient_colour, ink_on
from ..states import By, Layer
from .parts import kind_of, place_of
from .scene import ELLIPSIS, Scene, norm, number, tooltip

__all__ = ["flow", "recurrent_weight"]

DX, RADIUS = 46.0, 28.8
FIRST, LAST = 15, 15
DECADES, BAR = 6.0, 50.0  # of the bars, and their greatest height
FLOOR = -80.0  # of the bars, below the chain


def recurrent_weight(scene: Scene) -> Vertex | None:
    """The parameter that multiplies the state on its way to the next step."""
    roles = scene.roles
    found = next((W for layer in roles.layers if (W := _weight_of(scene, layer)) is not None), None)
    return found or next((p for p in roles.parameters if len({use.step for use, _ in p.uses}) > 1), None)


def _weight_of(scene: Scene, layer: Layer) -> Vertex | None:
    """The recurrent weight of one layer."""
    states = {v for layer in scene.roles.layers for v in layer.h.values()}
    parameters = set(scene.roles.parameters)
    for state in layer.h.values():
        for use, _ in state.uses:
            ahead = layer.h.get(use.step) if use.step is not None else None
            if ahead in (None, state) or use.op not in ("matmul", "einsum", "multiply"):
                continue
            for tail, _ in use.inputs:
                source = tail
                while source not in parameters and source not in states and len(source.inputs) == 1:
                    source = source.inputs[0][0]  # W.T, or a slice of W
                if source in parameters:
                    return source
    return None


def chain_of(scene: Scene, layer: Layer) -> tuple[str, By, Vertex | None]:
    """Letter, states by step, and the state before the first: of c where it was asked for and the layer has one."""
    return ("c", layer.c, layer.c0) if scene.state == "c" and layer.c else ("h", layer.h, layer.h0)


def flow(panels: Sequence[Scene], title: str = "") -> Figure:
    """One panel under another, in one scale of colours, each with the title of its scene; bars are relative to the
    largest of their panel. `state="c"` is for the layers that have one; ValueError where none has."""
    if panels[0].state == "c" and not any(layer.c for scene in panels for layer in scene.roles.layers):
        raise ValueError('draw: state="c" needs an LSTM\'s cell state, and there is none here: leave state="h"')
    nodes: list[Node] = []
    edges: list[Edge] = []
    about: list[str] = []
    notes: list[str] = []
    width = y = 0.0
    for i, scene in enumerate(panels):
        name = f"{i + 1}/" if len(panels) > 1 else ""
        if not scene.roles.layers:
            raise ValueError(
                'draw: no state is carried from step to step, so there is no chain for view="flow": mark the '
                "steps with tg.step(t)"
            )
        layers = scene.roles.layers
        owners = [layer for layer in layers if scene.weight is not None and _weight_of(scene, layer) is scene.weight]
        for layer_number, layer in enumerate(layers):
            bars = scene.weight is not None and (not owners or layer in owners)  # a panel has those of its own weight
            text, right = _panel(scene, layer_number, name, y, nodes, edges, bars)
            width = max(width, right)
            about.append(text)
            y -= 158.0 if bars else 92.0
        if owners and len(owners) < len(layers):
            notes.append("weight= draws the bars of another layer")
        notes += scene.notes
        if scene.state == "h" and any(layer.c for layer in scene.roles.layers):
            notes.append('state="c" follows the cell states c instead of h')
    letters = {chain_of(scene, layer)[0] for scene in panels for layer in scene.roles.layers}
    nodes[0], legend = _legend(width, letters, nodes[0])
    nodes += legend
    named = {"h": "hidden states h", "c": "cell states c"}
    about.insert(
        0,
        f"Circles are the {' or '.join(named[letter] for letter in sorted(letters))}, "
        "gradients flow from right to left; colour and width follow the logarithm of the "
        "gradient norm, which is written above; bars are what a step contributes to the weight's gradient.",
    )
    return Figure(
        title or (panels[0].title if len(panels) == 1 and panels[0].title else "Gradient flow back through time"),
        " ".join(about),
        tuple(nodes),
        tuple(edges),
        (),
        "; ".join(dict.fromkeys(notes)),
    )


def _panel(scene: Scene, layer_number: int, name: str, y: float, nodes: list[Node], edges: list[Edge],
           bars: bool) -> tuple[str, float]:  # fmt: skip
    layer, many = scene.roles.layers[layer_number], len(scene.roles.layers) > 1
    if many:
        name += f"layer{layer.number}{'back' if layer.backward else ''}/"
    letter, states, before = chain_of(scene, layer)
    heading = scene.title or f"{kind_of(layer, scene.roles)}, {len(states)} steps"
    heading += f", {place_of(layer, many)}" if many else ""
    nodes.append(text_at(f"{name}title", -14.4, y + 44, Text(heading, 12.0, bold=True), align="start", role="title"))
    chain: list[tuple[str, Vertex | None, int | None]] = []
    columns = scene.columns(FIRST, LAST)
    if before is not None and columns[0] is not ELLIPSIS and not layer.backward:
        chain.append((f"{name}t0/{letter}", before, None))
    for t in columns:
        if t is ELLIPSIS:
            chain.append((f"{name}...{len(chain)}", None, None))
        elif t in states:
            chain.append((f"{name}t{t + 1}/{letter}", states[t], t))
    if before is not None and layer.backward and columns[-1] is not ELLIPSIS:
        chain.append((f"{name}tend/{letter}", before, None))
    every = 2 if len(chain) > 12 else 1
    sizes = {t: norm(c) for t, c in scene.contributions.items() if t is not None}
    placed = []
    for i, (key, v, t) in enumerate(chain):
        placed.append(_state(scene, key, v, i * DX, y, nodes, show=(len(chain) - 1 - i) % every == 0 or v is before))
        if t is not None and bars:
            nodes.append(_bar(sizes, t, f"{name}t{t + 1}/bar", i * DX, FLOOR + y))
        if v is None and 0 < i < len(chain) - 1:
            sides = chain[i + 1][1], chain[i - 1][1]
            _left_out(nodes, key, i * DX, y, *(sides[::-1] if layer.backward else sides))
    order = list(zip(placed, (v for _, v, _ in chain), strict=True))
    order = order if layer.backward else order[::-1]
    for (a, va), (b, vb) in pairwise(order):
        cut = va is not None and vb is not None and not scene.roles.linked(vb, va)
        edges.append(_arrow(a, b, va, vb, cut))
    if bars and scene.weight is not None:
        name_of = label(scene.roles.symbol(scene.weight))
        text = f"contribution of each step to ∂L/∂{name_of}  (log scale, {DECADES:.0f} decades)"
        nodes.append(text_at(f"{name}bars", 0.0, FLOOR - 9 + y, Text(text, 9.0, "#9a3412"), align="start"))
    return _facts(scene, layer_number, heading, bars), (len(chain) - 1) * DX


def _left_out(nodes: list[Node], key: str, x: float, y: float, later: Vertex | None, earlier: Vertex | None) -> None:
    """What the steps that are not drawn do to the gradient: a factor over the dots."""
    if later is None or earlier is None or not norm(later.gradient) > 0 or not math.isfinite(norm(earlier.gradient)):
        return
    factor = number(norm(earlier.gradient) / norm(later.gradient))
    nodes.append(text_at(f"{key}/factor", x, y + 23, Text(f"× {factor}", 8.5, bold=True),
                         tooltip=f"over the steps left out, the gradient norm is multiplied by {factor}"))  # fmt: skip


def _log(x: float) -> float:
    return math.log10(x) if x > 0 else -math.inf if x == 0 else math.nan


def _state(scene: Scene, key: str, v: Vertex | None, x: float, y: float, nodes: list[Node], show: bool) -> Node:
    if v is None:
        node = text_at(key, x, y, Text("...", 13.0))
        nodes.append(node)
        return node
    symbol = scene.roles.symbol(v)
    size = norm(v.gradient)
    fill = gradient_colour(_log(size)) if v.gradient is not None else "#ffffff"
    text = Text(label(symbol), 11.0, ink_on(fill))
    undefined = v.gradient is not None and not math.isfinite(size)
    node = Node(key, x, y, RADIUS, RADIUS, "circle", (text,), fill, "#dc2626" if undefined else "#6b7280",
                2.6 if undefined else 1.2, v.gradient is None or v.step is None,
                f"‖dL/d{symbol}‖ = {size:.3e}\n" + tooltip(v, symbol), "state")  # fmt: skip
    nodes.append(node)
    if show or undefined:
        said = "no grad" if v.gradient is None else number(size)
        nodes.append(text_at(f"{key}/norm", x, y + 23, Text(said, 8.5, "#dc2626" if undefined else GREY)))
    return node


def _arrow(a: Node, b: Node, va: Vertex | None, vb: Vertex | None, cut: bool) -> Edge:
    """From the later state to the earlier one; as wide as the gradient is large, an order of magnitude a step."""
    v = vb if vb is not None else va
    log = _log(norm(v.gradient)) if v is not None and v.gradient is not None else math.nan
    gone = cut or math.isnan(log) or log == -math.inf
    width = 0.6 if gone else max(0.6, min(6.5, 4.4 + 0.8 * log))
    return Edge(
        f"{a.key}->{b.key}",
        a.key,
        b.key,
        straight(a, b),
        colour="#9ca3af" if gone else _darker(gradient_colour(log)),
        width=width,
        arrowsize=0.5,
        dashed=gone,
        role="backward",
        tooltip="detached: no gradient flows back here"
        if cut
        else ""
        if va is None or vb is None or va.gradient is None or vb.gradient is None or not norm(va.gradient)
        else f"x {norm(vb.gradient) / norm(va.gradient):.3f}",
    )


def _darker(colour: str) -> str:
    """A line needs more ink than a circle that has an outline."""
    r, g, b = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    mixed = 0.4 * r + 0.6 * min(r, 71), 0.4 * g + 0.6 * min(g, 85), 0.55 * b + 0.45 * min(b, 130)
    return "#" + "".join(f"{round(part):02x}" for part in mixed)


def _bar(sizes: dict[int, float], t: int, key: str, x: float, floor: float) -> Node:
    """A bar of the height of log10 of the contribution: full for the largest in the panel, none for 1e-6 of it.

    What is less than that is written: "0", or a decade that it does not reach.
    """
    top = max(filter(math.isfinite, sizes.values()), default=0.0)
    size = sizes.get(t, 0.0)
    fill, stroke = style("bar")
    about = f"‖contribution of step {t + 1}‖ = {size:.3e}"
    if size == 0 or not math.isfinite(size) or size < top * 10**-DECADES:
        least = math.ceil(math.log10(top) - DECADES) if top else 0
        said = "0" if size == 0 else f"<1e{least}" if math.isfinite(size) else str(size)
        text = Text(said, 9.0 if len(said) < 3 else 7.5, "#9a3412" if math.isfinite(size) else "#dc2626")
        return text_at(key, x, floor + 6, text, role="bar", tooltip=about)
    height = BAR * (1 + math.log10(size / top) / DECADES)
    return Node(key, x, floor + height / 2, 22, height, "rect", (), fill, stroke, 0.8, False, about, "bar")


def _legend(width: float, letters: set[str], title: Node) -> tuple[Node, list[Node]]:
    """The colours and what they mean, at the top right; `letters`: of the states in the chains.

    The first panel's `title` stands left of it or, where it is too long for that, moves above it.
    """
    exponents = range(-5, 3)
    left = max(width - 29.0 * len(exponents) - 8, 250.0)
    what = Text(" or ".join(f"||∂L/∂{letter}||" for letter in sorted(letters)), 9.0)
    begin = title.x - title.width / 2
    if begin + 1.1 * title.width > left - 20 - what.width:  # a font may be wider than our table of it
        title = replace(title, y=title.y + 22)
        left = max(width - 29.0 * len(exponents) - 8, begin + what.width + 8)
    nodes = [text_at("legend", left - 8 - what.width, 44, what, align="start", role="legend")]
    for i, exponent in enumerate(exponents):
        fill = gradient_colour(float(exponent))
        text = Text("1" if not exponent else f"1e{exponent}", 8.0, ink_on(fill))
        nodes.append(Node(f"legend/{exponent}", left + 14.5 + i * 29, 44, 29, 14, "rect", (text,), fill, "#d1d5db", 0.5,
                          role="legend"))  # fmt: skip
    return title, nodes


def _facts(scene: Scene, layer_number: int, heading: str, bars: bool) -> str:
    layer = scene.roles.layers[layer_number]
    _, states, before = chain_of(scene, layer)
    chain = [v for v in (before, *states.values()) if v is not None and v.gradient is not None]
    if len(chain) < 2:
        return f"{heading}: no gradient reached the states."
    ends = [chain[-1], chain[0]]
    sizes = [norm(v.gradient) for v in ends]
    verb = "falls" if sizes[1] < sizes[0] / 2 else "rises" if sizes[1] > 2 * sizes[0] else "goes"
    text = (f"{heading}: the gradient norm {verb} from {number(sizes[0])} at {scene.roles.symbol(ends[0])} to "
            f"{number(sizes[1])} at {scene.roles.symbol(ends[1])}.")  # fmt: skip
    sums = {t: norm(c) for t, c in scene.contributions.items() if t is not None}
    if sums and bars and scene.weight is not None:
        steps = sorted(sums)
        text += (
            f" Contributions to the gradient of {scene.roles.symbol(scene.weight)} go from "
            f"{number(sums[steps[-1]])} in step "
            f"{steps[-1] + 1} to {number(sums[steps[0]])} in step {steps[0] + 1}."
        )
    return text
