"""Reverse mode: `backward` and `grad` walk a graph from an output to what it was made from; the rest follows from them.

The walk is a loop, never a recursion: nodes are numbered as they are made, so the newest first is an order in which
every node has received all of its gradient before it passes it on.
"""

from __future__ import annotations

import weakref
from collections.abc import Iterable, Sequence
from operator import attrgetter
from typing import Any

import numpy as np

from . import backend, core, fusion, ops
from .complaints import where
from .core import Node, Tensor, describe
from .recording import enable_grad, state

Key = Any  # what a gradient belongs to: a leaf Tensor, a Node, or (Node, index) where a node has several outputs

last_output: weakref.ref[Tensor] | None = None  # what backward was last called on


def key_of(x: Tensor) -> Key:
    """What the gradient of `x` is filed under: all Tensors that stand for one output share it."""
    return x.key or x


# The walk


def reachable(outputs: Iterable[Tensor], since: int) -> list[Node]:
    """The nodes, made after number `since`, that `outputs` depend on, newest first."""
    nodes = list({x.node for x in outputs if x.node is not None and x.node.order > since})
    found = set(nodes)
    for node in nodes:  # the list grows while it is walked
        for x in node.inputs:
            if x.__class__ is Tensor and (made := x.node) is not None and made not in found and made.order > since:
                found.add(made)
                nodes.append(made)
    return sorted(nodes, key=attrgetter("order"), reverse=True)


def leading_to(nodes: list[Node], targets: set[Key]) -> set[Key]:
    """The targets, and the keys of those `nodes` (newest first) from which a target can be reached."""
    useful = set(targets)
    for node in reversed(nodes):
        if any(x.__class__ is Tensor and key_of(x) in useful for x in node.inputs):
            useful.update((node, i) for i in range(len(node.value))) if node.op.several else useful.add(node)
    return useful


def send_back(seeds: Sequence[tuple[Tensor, Any]], targets: set[Key] | None = None, create_graph: bool = False,
              since: int = -1) -> dict[Key, Any]:  # fmt: skip
    """Send the gradient of each seed `(output, dL/d(output))` back, and return what arrives, by key.

    Gradients arrive at leaves and at inner tensors that are kept; with `targets`, only there. They are arrays, or
    Tensors with `create_graph`. Nodes not made after number `since` count as leaves.
    """
    nodes = reachable((output for output, _ in seeds), since)
    taps = state.get().taps
    if (taps or create_graph) and fusion.unroll_nodes(nodes):
        nodes = reachable((output for output, _ in seeds), since)
    useful = None if targets is None else leading_to(nodes, targets)
    in_place = not taps and not create_graph
    sum_to = ops.sum_to if create_graph else ops.sum_to.forward
    gradients = _planted(seeds)  # summed so far, of what has not fired yet
    owned: set[Key] = set()  # those that sum in a buffer allocated here, which may be added into
    arrived: dict[Key, Any] = {}

    for node in nodes:
        op = node.op
        g = _collect(gradients, node) if op.several else gradients.pop(node, None)
        if g is None:
            continue
        if targets or node.kept:
            _keep(arrived, node, g, targets)
        if taps:
            _show(taps, node, g)
        args, y, params = _as_tensors(node) if create_graph else (node.arrays, node.value, node.params)
        rules, adders = op.rules, op.adders if in_place else None
        together = op.joint and op.joint(_needed(node, useful), g, y, *args, **params)
        for i, x in enumerate(node.inputs):
            if x.__class__ is not Tensor or not x.requires_grad:
                continue
            key = x.key or x
            if useful is not None and key not in useful:
                continue
            total, a = gradients.get(key), args[i]
            if adders and i in adders:
                if key not in owned:
                    gradients[key] = total = backend.zeros_like(a) if total is None else backend.copy(total)
                    owned.add(key)
                adders[i](total, g, **params)
                continue
            c = together[i] if together else rules[i](g, y, *args, **params)
            if c is None:
                continue
            try:
                if c.shape != a.shape:
                    c = sum_to(c, a.shape)  # broadcasting is undone
                fits = c.dtype is a.dtype
            except (AttributeError, ValueError):
                fits = False
            if not fits:
                c = _fitted(c, a, node, i, create_graph)
            if taps and not op.replays:
                _show(taps, node, c, i, x)
            if total is None:
                gradients[key] = c  # perhaps the array of another key too: not owned
            elif in_place and key in owned:
                total += c  # in place, for an array
                gradients[key] = total
            else:
                gradients[key] = total + c
                owned.add(key)

    for key, g in gradients.items():
        _keep(arrived, key, g, targets)
    # What is handed out is aliased with nothing: not with each other, nor with the seed, nor with views.
    if create_graph:
        return {k: ops.copy(g) for k, g in arrived.items()}
    return {k: g if k in owned and backend.is_array(g) else backend.copy(g) for k, g in arrived.items()}


def _planted(seeds: Sequence[tuple[Tensor, Any]]) -> dict[Key, Any]:
    """The seeds by key; those of one output that is given twice add up."""
    gradients: dict[Key, Any] = {}
    for output, seed in seeds:
        key = key_of(output)
        gradients[key] = gradients[key] + seed if key in gradients else seed
    return gradients


def _fitted(c: Any, a: Any, node: Node, i: int, create_graph: bool) -> Any:
    """What a rule gave for argument number i, a Python number or in another dtype, as the argument `a` wants it.

    Raises ValueError where its shape is wrong, so that the rule must be, TypeError where a complex number meets a real
    one.
    """
    if not hasattr(c, "shape"):
        c = np.asarray(c)
    if c.shape != a.shape:
        raise ValueError(f"{node.op.name}: the derivative for argument {i}, {describe(node.inputs[i])}, has shape "
                         f"{tuple(c.shape)}, which is not the argument's ({where(node)})")  # fmt: skip
    if c.dtype.kind == "c" and a.dtype.kind == "f":
        raise TypeError(f"{node.op.name}: the gradient is complex and {describe(node.inputs[i])} is real: complex "
                        "numbers are here for the complex step of gradcheck only")  # fmt: skip
    return ops.cast(c, a.dtype) if create_graph else ops.cast.forward(c, a.dtype)


def _show(taps: Sequence[Any], node: Node, g: Any, argument: int | None = None, parent: Tensor | None = None) -> None:
    """Show each reader a gradient: of a node that fires, or on the edge to an input of it."""
    if not isinstance(g, (Tensor, tuple)):
        g = core.as_array(g)
    for reader in taps:
        reader.node(node, g) if parent is None else reader.edge(node, argument, parent, g)


def _collect(gradients: dict[Key, Any], node: Node) -> tuple[Any, ...] | None:
    """The gradients of the outputs of a node that has several, None for those not used; None where none is."""
    g = tuple(gradients.pop((node, i), None) for i in range(len(node.value)))
    return None if all(gi is None for gi in g) else g


def _keep(arrived: dict[Key, Any], key: Key, g: Any, targets: set[Key] | None) -> None:
    """File `g` with what has arrived, if `key` is a target or, without targets, a leaf or a kept inner tensor."""
    if isinstance(key, Node) and key.op.several:
        for i, gi in enumerate(g):
            if gi is not None:
                _keep(arrived, (key, i), gi, targets)
    elif targets is not None:
        if key in targets:
            arrived[key] = g
    elif isinstance(key, Tensor) or _kept(key) is not None:
        arrived[key] = g


def _kept(key: Key) -> Tensor | None:
    """The inner tensor, if it is still there, that asked to keep the gradient filed under `key`."""
    node, i = key if isinstance(key, tuple) else (key, 0)
    return node.kept.get(i) if node.kept else None


def _needed(node: Node, useful: set[Key] | None) -> tuple[bool, ...]:
    """Of each input: is its gradient asked for?"""
    return tuple(isinstance(x, Tensor) and x.requires_grad and (useful is None or key_of(x) in useful)
                 for x in node.inputs)  # fmt: skip


def _as_tensors(node: Node) -> tuple[Sequence[Any], Any, dict[str, Any]]:
    """Arguments, outputs and parameters of `node` for rules that are to be recorded."""
    for x, used in zip(node.inputs, node.arrays, strict=True):
        if isinstance(x, Tensor) and x.data is not used:
            raise RuntimeError(f"create_graph: {describe(x)} was rebound (by an optimizer?) after {node.op.name} used "
                               "it: take the gradient of a gradient before the step")  # fmt: skip
    outputs = node.outputs
    params = {**node.params, "saved": None} if node.op.saves else node.params
    args = tuple(x if isinstance(x, Tensor) else Tensor(a) if backend.is_array(a) else a
                 for x, a in zip(node.inputs, node.arrays, strict=True))  # fmt: skip
    return args, outputs if node.op.several else outputs[0], params


# What users call


def backward(output: Tensor, grad: Any = None, create_graph: bool = False) -> None:
    """Add d(output)/d(leaf) to `.grad` of every leaf that requires it, and of inner tensors that `retain_grad`.

    `grad` (shaped like `output`) is the gradient that arrives from further on, 1 for a scalar. The graph stays: a
    second call adds the same again. Raises RuntimeError where nothing was recorded. With `create_graph`, a leaf's
    `.grad` leads back to the leaf: a cycle, which Python's garbage collector frees in its own time; `grad` makes none.
    """
    global last_output
    seed = _seed("backward", output, grad, create_graph)
    with enable_grad():
        arrived = send_back([(output, seed)], None, create_graph)
        for key, g in arrived.items():
            x = key if isinstance(key, Tensor) else _kept(key)
            if x is None:
                continue
            g = g if create_graph else Tensor(g)
            if x.grad is not None:
                g = x.grad + g if create_graph else Tensor(core.as_array(x.grad.data + g.data))
            x.grad = g
    last_output = weakref.ref(output)


def grad(output: Tensor | Sequence[Tensor], inputs: Tensor | Sequence[Tensor], grad_output: Any = None,
         create_graph: bool = False, allow_unused: bool = False) -> tuple[Any, ...]:  # fmt: skip
    """d(output)/d(input) for each of `inputs`, as a tuple of Tensors; no `.grad` is touched.

    Several outputs are summed, each weighted by its `grad_output`. An input that `output` does not depend on raises
    ValueError, or gives None with `allow_unused`.

    >>> x = core.tensor(3.0, requires_grad=True)
    >>> grad(x * x, x)
    (tensor(6.),)
    """
    outputs = (output,) if isinstance(output, Tensor) else tuple(output)
    wanted = (inputs,) if isinstance(inputs, Tensor) else tuple(inputs)
    weights = (grad_output,) if isinstance(output, Tensor) else tuple(grad_output or (None,) * len(outputs))
    if len(weights) != len(outputs):
        raise ValueError(f"grad: {len(weights)} grad_output for {len(outputs)} outputs: give one for each, or None")
    for i, x in enumerate(wanted):
        if not (isinstance(x, Tensor) and x.requires_grad):
            raise ValueError(f"grad: input {i}, {describe(x)}, does not require a gradient: make it with "
                             "requires_grad=True")  # fmt: skip
    seeds = [(y, _seed("grad", y, g, create_graph)) for y, g in zip(outputs, weights, strict=True)]
    keys = [key_of(x) for x in wanted]
    since = min((x.node.order - 1 if x.node else -1 for x in wanted), default=-1)  # what is older leads to none of them
    with enable_grad():
        arrived = send_back(seeds, set(keys), create_graph, since)
    for i, key in enumerate(keys):
        if key not in arrived and not allow_unused:
            raise ValueError(f"grad: {describe(outputs[0])} does not depend on input {i}, {describe(wanted[i])}: leave "
                             "it out or pass allow_unused=True")  # fmt: skip
    results: list[Any] = []
    given: set[Key] = set()
    for key in keys:
        g = arrived.get(key)
        if g is not None and key in given:
            g = ops.copy(g) if create_graph else backend.copy(g)
        results.append(g if g is None or create_graph else Tensor(g))
        given.add(key)
    return tuple(results)


def _seed(caller: str, output: Tensor, grad: Any, create_graph: bool) -> Any:
    """dL/d(output) as an array (a Tensor with `create_graph`), checked."""
    if not output.requires_grad:
        raise RuntimeError(f"{caller}: {describe(output)} has no gradient to send back: {untracked_reason(output)}")
    if grad is None:
        if output.size != 1:
            name = "grad" if caller == "backward" else "grad_output"
            raise ValueError(f"{caller}: {describe(output)} is not a scalar: give {name}=, dL/d(output), of that shape")
        grad = backend.xp(output.data).ones_like(output.data)
    array = core.raw(grad)
    array = array if backend.is_array(array) else backend.to_device(np.asarray(array, output.dtype), output.device)
    if tuple(array.shape) != output.shape:
        raise ValueError(f"{caller}: the gradient given has shape {tuple(array.shape)}, the output {output.shape}")
    if backend.of(array).device != output.device:
        raise ValueError(f"{caller}: the gradient given is on {backend.of(array).device}, the output on "
                         f"{output.device}: move it with .to({output.device!r})")  # fmt: skip
    if not create_graph:
        return array.astype(output.dtype, copy=False)
    return grad if isinstance(grad, Tensor) else Tensor(array.astype(output.dtype, copy=False))


def untracked_reason(x: Tensor) -> str:
    """Why nothing was recorded of `x`, and what to do."""
    if x.origin == "no_grad":
        return "it was computed inside no_grad: move that line out"
    if x.origin == "detach":
        return "it was detached, or comes from what was: gradients stop there"
    if x.dtype.kind not in "fc":
        return f"its numbers are {x.dtype}, which have no derivative: use floats"
    if x.origin:
        return x.origin
    return "it does not require one: make a leaf with requires_grad=True before it is used"
