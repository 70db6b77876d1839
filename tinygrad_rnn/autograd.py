"""Reverse mode: `backward` and `grad` walk a graph from an output to what it was made from; the rest follows from them.

The walk is a loop, never a recursion: nodes are numbered as they are made, so the newest first is an order in which
every node has received all of its gradient before it passes it on.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable, Sequence
from operator import attrgetter, iadd
from typing import Any

import numpy as np

from . import backend, core, ops
from .core import Node, Primitive, Tensor, describe, tensor
from .recording import enable_grad, state

Key = Any  # what a gradient belongs to: a leaf Tensor, a Node, or (Node, index) where a node has several outputs

_last_output: Any = lambda: None  # a weak reference to what `backward` was last called on, for `why`


def key_of(x: Tensor) -> Key:
    """What the gradient of `x` is filed under: all Tensors that stand for one output share it."""
    node = x.node
    return x if node is None else (node, x.index) if node.op.several else node


# The walk


def _reachable(outputs: Iterable[Tensor], since: int) -> list[Node]:
    """The nodes, made after number `since`, that `outputs` depend on, newest first."""
    found = {x.node for x in outputs if x.node is not None and x.node.order > since}
    waiting = list(found)
    while waiting:
        for x in waiting.pop().inputs:
            if x.__class__ is Tensor and (node := x.node) is not None and node not in found and node.order > since:
                found.add(node)
                waiting.append(node)
    return sorted(found, key=attrgetter("order"), reverse=True)


def _leading_to(nodes: list[Node], targets: set[Key]) -> set[Key]:
    """The targets, and the keys of those `nodes` (newest first) from which a target can be reached."""
    useful = set(targets)
    for node in reversed(nodes):
        if any(x.__class__ is Tensor and key_of(x) in useful for x in node.inputs):
            useful.update((node, i) for i in range(len(node.value))) if node.op.several else useful.add(node)
    return useful


def flow(seeds: Sequence[tuple[Tensor, Any]], targets: set[Key] | None = None, create_graph: bool = False,
         since: int = -1) -> dict[Key, Any]:  # fmt: skip
    """Send the gradient of each seed `(output, dL/d(output))` back, and return what arrives, by key.

    Gradients arrive at leaves and at inner tensors that are kept; with `targets`, only there. They are arrays, or
    Tensors with `create_graph`. Nodes not made after number `since` count as leaves.
    """
    nodes = _reachable((output for output, _ in seeds), since)
    useful = None if targets is None else _leading_to(nodes, targets)
    taps = state.get().taps
    in_place = not taps and not create_graph
    gradients: dict[Key, Any] = {}  # summed so far
    owned: set[Key] = set()  # those that sum in a buffer allocated here, which may be added into
    arrived: dict[Key, Any] = {}

    def add(key: Key, c: Any) -> None:
        total = gradients.get(key)
        if total is None:
            gradients[key] = c  # may be shared with another key: not owned
        elif in_place and key in owned:
            gradients[key] = iadd(total, c)
        else:
            gradients[key] = total + c
            owned.add(key)

    for output, seed in seeds:
        add(key_of(output), seed)

    for node in nodes:
        op = node.op
        if not op.several:
            g = gradients.pop(node, None)
            if g is None:
                continue
            if node.kept or targets:
                _keep(arrived, node, g, targets)
        else:
            g = tuple(gradients.pop((node, i), None) for i in range(len(node.value)))
            for i, gi in enumerate(g):
                if gi is not None and (node.kept or targets):
                    _keep(arrived, (node, i), gi, targets)
            if all(gi is None for gi in g):
                continue
        for reader in taps:
            reader.node(node, g)
        args, y, params = _as_tensors(node) if create_graph else (node.arrays, node.value, node.params)
        together = None if op.joint is None else op.joint(_needed(node, useful), g, y, *args, **params)
        for i, x in enumerate(node.inputs):
            if x.__class__ is not Tensor or not x.requires_grad:
                continue
            key = x.node
            if key is None:
                key = x
            elif key.op.several:
                key = (key, x.index)
            if useful is not None and key not in useful:
                continue
            if in_place and i in op.adders:
                if key not in owned:
                    gradients[key] = _buffer(args[i], gradients.get(key))
                    owned.add(key)
                op.adders[i](gradients[key], g, **params)
                continue
            c = together[i] if together is not None else op.rules[i](g, y, *args, **params)
            if c is None:
                continue
            a = args[i]
            if c.shape != a.shape:
                c = ops.sum_to(c, a.shape)  # broadcasting is undone here and nowhere else
            if c.dtype != a.dtype:
                c = ops.astype(c, a.dtype)
            if taps and not op.replays:
                for reader in taps:
                    reader.edge(node, i, x, c)
            add(key, c)

    for key, g in gradients.items():
        _keep(arrived, key, g, targets)
    return arrived if create_graph else {k: g if k in owned and backend.is_array(g) else _copy(g) for k, g in arrived.items()}


def _keep(arrived: dict[Key, Any], key: Key, g: Any, targets: set[Key] | None) -> None:
    """File `g` with what has arrived, if `key` is a target or, without targets, a leaf or an inner tensor that is kept."""
    if targets is not None:
        wanted = key in targets
    elif isinstance(key, Tensor):
        wanted = True
    else:
        node, i = key if isinstance(key, tuple) else (key, 0)
        wanted = bool(node.kept) and i in node.kept
    if wanted:
        arrived[key] = g


def _needed(node: Node, useful: set[Key] | None) -> tuple[bool, ...]:
    """Of each input: is its gradient asked for?"""
    return tuple(isinstance(x, Tensor) and x.requires_grad and (useful is None or key_of(x) in useful) for x in node.inputs)


def _as_tensors(node: Node) -> tuple[Sequence[Any], Any, dict[str, Any]]:
    """Arguments, outputs and parameters of `node` for rules that are to be recorded."""
    for x, used in zip(node.inputs, node.arrays, strict=True):
        if isinstance(x, Tensor) and x.data is not used:
            raise RuntimeError(f"create_graph: {describe(x)} was rebound (by an optimizer?) after {node.op.name} used it: "
                               "take the gradient of a gradient before the step")  # fmt: skip
    outputs = node.outputs
    params = {**node.params, "saved": None} if node.op.saves else node.params
    return node.inputs, outputs if node.op.several else outputs[0], params


def _buffer(like: Any, start: Any) -> Any:
    """A fresh array shaped `like`, holding `start` (zeros, where it is None)."""
    return backend.xp(like).zeros_like(like) if start is None else _copy(start)


def _copy(g: Any) -> Any:
    return backend.xp(g).array(g, copy=True)


# What users call


def backward(output: Tensor, grad: Any = None, create_graph: bool = False) -> None:
    """Add d(output)/d(leaf) to `.grad` of every leaf that requires it, and of inner tensors that `retain_grad`.

    `grad` (shaped like `output`) is the gradient that arrives from further on, 1 for a scalar. The graph stays: a second
    call adds the same again. Raises RuntimeError where nothing was recorded.
    """
    global _last_output
    seed = _seed(output, grad, create_graph)
    with enable_grad():
        arrived = flow([(output, seed)], None, create_graph)
    _last_output = weakref.ref(output)
    for key, g in arrived.items():
        node, i = (None, 0) if isinstance(key, Tensor) else key if isinstance(key, tuple) else (key, 0)
        x = key if node is None else node.kept.get(i) if node.kept is not None else None
        if x is not None:
            g = g if create_graph else Tensor(g)
            x.grad = g if x.grad is None else x.grad + g if create_graph else Tensor(core._asarray(x.grad.data + g.data))


def grad(output: Tensor | Sequence[Tensor], inputs: Tensor | Sequence[Tensor], grad_output: Any = None,
         create_graph: bool = False, allow_unused: bool = False) -> tuple[Any, ...]:  # fmt: skip
    """d(output)/d(input) for each of `inputs`, as a tuple of Tensors; no `.grad` is touched.

    Several outputs are summed, each weighted by its `grad_output`. An input that `output` does not depend on raises
    ValueError, or gives None with `allow_unused`.

    >>> x = tensor(3.0, requires_grad=True)
    >>> grad(x * x, x)
    (tensor(6.),)
    """
    outputs = (output,) if isinstance(output, Tensor) else tuple(output)
    wanted = (inputs,) if isinstance(inputs, Tensor) else tuple(inputs)
    weights = (grad_output,) if isinstance(output, Tensor) else grad_output or (None,) * len(outputs)
    for i, x in enumerate(wanted):
        if not x.requires_grad:
            raise ValueError(f"grad: input {i}, {describe(x)}, does not require a gradient: make it with requires_grad=True")
    seeds = [(y, _seed(y, g, create_graph)) for y, g in zip(outputs, weights, strict=True)]
    keys = [key_of(x) for x in wanted]
    with enable_grad():
        arrived = flow(seeds, set(keys), create_graph)
    for i, key in enumerate(keys):
        if key not in arrived and not allow_unused:
            raise ValueError(f"grad: {describe(outputs[0])} does not depend on input {i}, {describe(wanted[i])}: leave it out "
                             "or pass allow_unused=True")  # fmt: skip
    # The same input asked for twice gets two arrays: what is handed out is never aliased.
    results: list[Any] = []
    given: set[Key] = set()
    for key in keys:
        g = arrived.get(key)
        results.append(g if g is None or create_graph else Tensor(_copy(g) if key in given else g))
        given.add(key)
    return tuple(results)


def _seed(output: Tensor, grad: Any, create_graph: bool) -> Any:
    """dL/d(output) as an array (a Tensor with `create_graph`), checked."""
    if not output.requires_grad:
        raise RuntimeError(f"backward: {describe(output)} has no gradient to send back: {_untracked_reason(output)}")
    if grad is None:
        if output.size != 1:
            raise ValueError(f"backward: {describe(output)} is not a scalar: give grad=, dL/d(output), of that shape")
        grad = backend.xp(output.data).ones_like(output.data)
    array = core.raw(grad)
    array = array if backend.is_array(array) else backend.to_device(np.asarray(array, output.dtype), output.device)
    if tuple(array.shape) != output.shape:
        raise ValueError(f"backward: grad has shape {tuple(array.shape)}, the output {output.shape}")
    if not create_graph:
        return array.astype(output.dtype, copy=False)
    return grad if isinstance(grad, Tensor) else Tensor(array.astype(output.dtype, copy=False))


def why(x: Tensor) -> str:
    """Why `x.grad` is None (or that it is not), in one line that says what to do."""
    name = describe(x)
    if x.grad is not None:
        return f"{name} has a gradient."
    if not x.requires_grad:
        return f"{name} has no gradient: {_untracked_reason(x)}"
    output = _last_output()
    if output is None:
        return f"{name} has no gradient: backward has not been called yet: call loss.backward()"
    if x is not output and key_of(x) not in _leading_to(_reachable([output], -1), {key_of(x)}) & _keys_under(output):
        return (f"{name} has no gradient: {describe(output)}, on which backward was last called, does not depend on it: "
                "look for a detach, a no_grad, or a tensor made anew in between")  # fmt: skip
    if x.node is not None:
        return f"{name} has no gradient: it is no leaf, so it is not kept: call x.retain_grad() before backward"
    return f"{name} has no gradient: it was cleared since the last backward: call loss.backward()"


def _keys_under(output: Tensor) -> set[Key]:
    """The keys of everything that `output` depends on, itself too."""
    nodes = _reachable([output], -1)
    return {key_of(output)} | {key_of(x) for node in nodes for x in node.inputs if isinstance(x, Tensor)}


def _untracked_reason(x: Tensor) -> str:
    if x.origin == "no_grad":
        return "it was computed inside no_grad: move that line out"
    if x.origin == "detach":
        return "it was detached: gradients stop there"
    if x.dtype.kind not in "fc":
        return f"its numbers are {x.dtype}, which have no derivative: use floats"
    return "it does not require one: make a leaf with requires_grad=True before it is used"


# Products with Jacobians. Functions take Tensors and give one Tensor or several; bare in, bare out.


def _leaves(primals: Any) -> tuple[tuple[Tensor, ...], bool]:
    """Fresh leaves with the numbers of `primals`, and whether one was given bare."""
    bare = not isinstance(primals, (tuple, list))
    leaves = tuple(tensor(p, requires_grad=True) for p in ((primals,) if bare else primals))
    return leaves, bare


def _several(x: Any) -> tuple[Any, ...]:
    return tuple(x) if isinstance(x, (tuple, list)) else (x,)


def _detached(result: Any) -> Any:
    return tuple(r.detach() for r in result) if isinstance(result, (tuple, list)) else result.detach()


def _or_zeros(gradients: Iterable[Any], like: Iterable[Tensor]) -> list[Tensor]:
    return [Tensor(_buffer(x.data, None)) if g is None else g for g, x in zip(gradients, like, strict=True)]


def vjp(f: Callable[..., Any], primals: Any, vectors: Any) -> tuple[Any, Any]:
    """`(f(*primals), vectors @ Jacobian)`: the gradient of sum(f * vectors), for each primal."""
    leaves, bare = _leaves(primals)
    with enable_grad():
        y = f(*leaves)
        gradients = grad(_several(y), leaves, _several(vectors), allow_unused=True)
    results = _or_zeros(gradients, leaves)
    return _detached(y), results[0] if bare else tuple(results)


def jvp(f: Callable[..., Any], primals: Any, tangents: Any) -> tuple[Any, Any]:
    """`(f(*primals), Jacobian @ tangents)`: how f changes as the primals move along `tangents`.

    A vector-Jacobian product is linear in its vector u, so differentiating it by u gives the Jacobian times a tangent.
    """
    leaves, _ = _leaves(primals)
    with enable_grad():
        y = f(*leaves)
        ys = _several(y)
        us = [tensor(_buffer(yi.data, None), requires_grad=True) for yi in ys]
        tracked = [i for i, yi in enumerate(ys) if yi.requires_grad]
        back = grad([ys[i] for i in tracked], leaves, [us[i] for i in tracked], create_graph=True, allow_unused=True)
        pairs = [(b, core.raw(v)) for b, v in zip(back, _several(tangents), strict=True) if b is not None and b.requires_grad]
        products = grad([b for b, _ in pairs], us, [v for _, v in pairs], allow_unused=True) if pairs else [None] * len(us)
    results = _or_zeros(products, ys)
    return _detached(y), tuple(results) if isinstance(y, (tuple, list)) else results[0]


def hvp(f: Callable[..., Any], primals: Any, vectors: Any) -> tuple[Any, Any]:
    """`(f(*primals), Hessian @ vectors)` for a scalar f: the gradient of (gradient . vectors)."""
    leaves, bare = _leaves(primals)
    with enable_grad():
        y = f(*leaves)
        first = grad(y, leaves, create_graph=True, allow_unused=True)
        pairs = [(g, core.raw(v)) for g, v in zip(first, _several(vectors), strict=True) if g is not None and g.requires_grad]
        second = grad([g for g, _ in pairs], leaves, [v for _, v in pairs], allow_unused=True) if pairs else [None] * len(leaves)
    results = _or_zeros(second, leaves)
    return _detached(y), results[0] if bare else tuple(results)


def jacobian(f: Callable[..., Any], x: Any) -> Any:
    """dy/dx as a Tensor of shape `y.shape + x.shape` (a tuple of them, for a tuple of inputs), one row a backward pass."""
    leaves, bare = _leaves(x)
    with enable_grad():
        y = f(*leaves)
    rows: list[list[Any]] = [[] for _ in leaves]
    for j in range(y.size):
        seed = np.zeros(y.size, y.dtype)
        seed[j] = 1
        seed_there = backend.to_device(seed.reshape(y.shape), y.device)
        gradients = grad(y, leaves, seed_there, allow_unused=True) if y.requires_grad else [None] * len(leaves)
        for row, g in zip(rows, _or_zeros(gradients, leaves), strict=True):
            row.append(g.data)
    stack = backend.xp(y.data).stack
    results = [Tensor(stack(r).reshape(y.shape + leaf.shape) if r else _buffer(leaf.data, None).reshape(y.shape + leaf.shape))
               for r, leaf in zip(rows, leaves, strict=True)]  # fmt: skip
    return results[0] if bare else tuple(results)
