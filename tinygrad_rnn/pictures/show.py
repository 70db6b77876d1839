"""`tg.draw`: one call from a computation to a picture."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..core import Tensor
from ..flow.graphs import ancestors
from ..recording import trace
from .dot import MAX_LAYOUT_NODES, TooLarge
from .drawing import Drawing
from .figure import Figure
from .graph import Graph, Vertex, gradients
from .roles import Roles, roles_of
from .states import Layer
from .views.cells import cells
from .views.flow import flow, recurrent_weight
from .views.gates import gates
from .views.generic import generic, summary
from .views.ops import ops
from .views.rolled import rolled
from .views.scene import Scene, with_legend

__all__ = ["VIEWS", "draw"]

VIEWS = ("auto", "cells", "rolled", "gates", "ops", "flow")


def draw(output: Any, view: str = "auto", *, steps: str | tuple[int, int] | None = None, values: bool | str = "auto",
         step: int | None = None, parameters: str = "merged", weight: Tensor | None = None,
         state: str = "h", layer: int | None = None, title: str | None = None) -> Drawing:  # fmt: skip
    """A picture of how `output` was computed and of the gradients that flow back from it.

    `output` is a Tensor, a list of Tensors, or a `tg.trace()` (drawn up to the operation that failed, last and red).
    For `view="flow"` it may also be a list of pairs (title, Tensor), drawn one under another.

    Views: "cells" (rows x, h, y, L over time), "rolled" (one step with its loop, and unfolded), "gates" (inside one
    `step` and one `layer`, the last by default: an LSTM and its relatives, a GRU, or any other as a circuit), "ops"
    (every primitive), "flow" (the gradient's norm on its way back along the states h, or with `state="c"` an LSTM's
    cell states, and what each step contributes to the gradient of `weight`, by default the recurrent one).
    "auto" is cells where `tg.step(t)` marked time steps, else a plain graph of values and operations.

    `steps`: "all", or (first, last) counted from 0, both included; by default the first and last few. `values`: show
    numbers, by default where there are only a few. `layer`: counted from 0, each direction of a bidirectional one by
    itself, in the order in which they were computed, which is PyTorch's. The cells view draws the parameters that lead
    to a state as one, W, and those that lead from it to the output as V; `parameters="each"` draws every one of them.

    Gradients are those of the output (of the sum of its elements, if it is no scalar) from a pass of its own; no
    `.grad` is touched. Raises ValueError where nothing was recorded or an argument is unknown, TooLarge (a ValueError)
    where the picture could not be read; both say what to do.

    >>> from tinygrad_rnn import tensor
    >>> x = tensor(-2.0, requires_grad=True, name="x")
    >>> y = tensor(3.0, requires_grad=True, name="y")
    >>> draw(x * y, values=False).keys
    ('x', 'y', 'multiply', 'multiply/result', 'x->multiply', 'y->multiply', 'multiply->multiply/result')
    """
    _check(view, steps, values, parameters, state)
    if view == "flow" and _is_panels(output):
        panels = [_scene(item, view, steps, values, step, parameters, weight, name, state) for name, item in output]
        return Drawing(flow(panels, title or ""))
    try:
        scene = _scene(output, view, steps, values, step, parameters, weight, title or "", state)
        scene.layer = _layer(scene, layer)
    except TooLarge:
        if view != "auto" or _marked(output):
            raise
        return Drawing(summary(output, title or ""))
    return Drawing(_figure(scene, view))


def _check(view: str, steps: Any, values: Any, parameters: str, state: str) -> None:
    if view not in VIEWS:
        raise ValueError(f"draw: view={view!r} is none of {', '.join(VIEWS)}")
    pair = isinstance(steps, tuple) and len(steps) == 2 and all(isinstance(t, int) for t in steps)
    if steps not in (None, "all") and not pair:
        raise ValueError(f'draw: steps={steps!r}: give "all", or a pair (first, last) counted from 0')
    if values not in (True, False, "auto"):
        raise ValueError(f'draw: values={values!r}: give True, False or "auto"')
    if parameters not in ("merged", "each"):
        raise ValueError(f'draw: parameters={parameters!r}: give "merged" or "each"')
    if state not in ("h", "c"):
        raise ValueError(f'draw: state={state!r}: give "h", or "c" for the cell state of an LSTM')


def _is_panels(output: Any) -> bool:
    return (
        isinstance(output, (list, tuple))
        and bool(output)
        and all(isinstance(item, tuple) and len(item) == 2 for item in output)
    )


def _marked(output: Tensor | Sequence[Tensor] | trace) -> bool:
    """Are there time steps?"""
    tensors = [output] if isinstance(output, Tensor) else output
    nodes = tensors.nodes if isinstance(tensors, trace) else ancestors(tensors)
    return any(node.step is not None for node in nodes)


def _scene(output: Tensor | Sequence[Tensor] | trace, view: str, steps: Any, values: bool | str, step: int | None,
           parameters: str, weight: Tensor | None, title: str, state: str = "h") -> Scene:  # fmt: skip
    graph = Graph(output)
    roles = roles_of(graph)
    scene = Scene(graph, roles, title, steps=True if steps == "all" else steps, step=step, parameters=parameters,
                  state=state)  # fmt: skip
    if view == "flow":
        scene.weight = _weight(graph, weight) if weight is not None else recurrent_weight(scene)
    initial = [v for layer in roles.layers for v in (layer.h0, layer.c0) if v is not None and v.kind == "constant"]
    scene.contributions = gradients(graph, scene.weight, initial)
    scene.values = _few(graph, roles) if values == "auto" else bool(values)
    return scene


def _layer(scene: Scene, number: int | None) -> Layer | None:
    layers = scene.roles.layers
    if number is not None and not (isinstance(number, int) and 0 <= number < len(layers)):
        raise ValueError(f"draw: layer={number}, but there are {len(layers)} (each direction is one), counted from 0")
    return None if number is None else layers[number]


def _weight(graph: Graph, weight: Tensor) -> Vertex:
    try:
        return graph.of(weight)
    except KeyError:
        raise ValueError(
            f"draw: weight={weight.name or 'the tensor given'} does not take part in this computation"
        ) from None


def _few(graph: Graph, roles: Roles) -> bool:
    """Is everything that would show its numbers small?"""
    states = [v for layer in roles.layers for v in layer.h.values()]
    if not states:
        return len(graph.vertices) <= 60
    return len(states) <= 60 and all(v.size == 1 for v in states)


def _figure(scene: Scene, view: str) -> Figure:
    graph, roles = scene.graph, scene.roles
    if view == "auto":
        view = "cells" if roles.layers else "ops"
        if not graph.steps and len(graph.vertices) > MAX_LAYOUT_NODES:
            return summary(graph.tensors, scene.title)
    if view == "ops":
        return with_legend(ops(scene) if graph.steps else generic(scene), scene)
    if not graph.steps:
        raise ValueError(
            f"draw: view={view!r} needs time steps: run each step inside `with tg.step(t):` (layers of tg.nn do), "
            'or use view="ops"'
        )
    if not roles.layers:
        raise ValueError(f'draw: view={view!r} needs a state that one step hands to the next, and there is none here: '
                         'view="ops" shows the steps')  # fmt: skip
    if view == "gates":
        return _gates(scene)
    if view == "flow":
        return flow([scene])
    figure = with_legend(cells(scene), scene) if view == "cells" else rolled(scene)
    if len(figure.nodes) > 2000 and scene.steps is not True:
        raise TooLarge(f'draw: {len(figure.nodes)} nodes are too many to read: view="rolled" or "flow" is smaller, '
                       'steps=(a, b) draws fewer; steps="all" draws them all the same')  # fmt: skip
    return figure


def _gates(scene: Scene) -> Figure:
    """One step's inside; where it has too many parts for one picture, its operations, which the note says."""
    steps = [t for t in scene.roles.steps if any(t in layer.h for layer in scene.roles.layers)]
    step = steps[-1] if scene.step is None else scene.step
    if step not in steps:
        raise ValueError(f"draw: step={step} is not among the steps {steps[0]} to {steps[-1]} (counted from 0)")
    layer = scene.layer or next(layer for layer in reversed(scene.roles.layers) if step in layer.h)
    if step not in layer.h:
        raise ValueError(f"draw: layer {layer.number} has no step {step}: it has {min(layer.h)} to {max(layer.h)}")
    figure = gates(scene, step, layer)
    if figure is not None:
        return figure
    scene.notes.append("this step has too many parts for its inside to be read, so its operations are shown")
    scene.steps = (step, step)
    return with_legend(ops(scene), scene)
