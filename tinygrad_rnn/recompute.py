"""Recomputing instead of remembering: `checkpoint(f, *inputs)` keeps no graph of f and runs it again in backward."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from . import core, ops
from .autograd import key_of, send_back
from .core import Node, Tensor, describe
from .primitives import primitive
from .recording import State, Surroundings, enable_grad, state, trace


def checkpoint(f: Callable[..., Any], *inputs: Any) -> Any:
    """`f(*inputs)`, whose graph is dropped and built again when a gradient comes back: less memory, one more forward.

    Gradients flow to `inputs` and to tensors that f captures (its module's parameters). Generators that f draws from
    through `tg.dropout`, or that are among `inputs`, draw the same again. f gives a Tensor or a tuple of Tensors.
    """
    now = state.get()
    if not now.on:
        return f(*inputs)
    aliases = [_alias(core.raw(x), x) for x in inputs]
    start = core.next_order()
    draws = {x: x.bit_generator.state for x in inputs if isinstance(x, np.random.Generator)}
    with _drawing(draws), trace() as tr:
        result = f(*aliases)
    outputs = result if isinstance(result, (tuple, list)) else (result,)
    if not all(isinstance(y, Tensor) for y in outputs):
        raise TypeError("checkpoint: f gives something that is not a Tensor: return a Tensor or a tuple of Tensors")
    if not any(y.requires_grad for y in outputs):
        return result
    captured = _captured(tr, start, aliases, outputs)
    arguments = (*inputs, *captured)
    params = {"f": f, "given": inputs, "captured": captured, "draws": draws, "scope": now.scope, "step": now.step}
    values = tuple(y.data for y in outputs)
    node = Node(checkpointed, arguments, [core.raw(x) for x in arguments], params, values, now.scope, now.step)
    for watcher in now.watchers:
        watcher.made(node)
    return node.outputs if isinstance(result, (tuple, list)) else node.outputs[0]


@primitive(several=True)
def checkpointed(*arguments: Any) -> Any:
    """The forward rule is f itself, which `checkpoint` has run."""
    return arguments


checkpointed.replays = True  # taps see the edges inside instead of its own


@checkpointed.joint_vjp
def _(needed: Any, g: Any, y: Any, *args: Any, f: Any, given: Any, captured: Any, draws: Any, scope: Any,
      step: Any) -> Any:  # fmt: skip
    create_graph = any(isinstance(a, Tensor) for a in args)
    for x, a in zip(captured, args[len(given) :], strict=True):
        if core.raw(a) is not x.data:
            raise RuntimeError(f"checkpoint: {describe(x)} was rebound (by an optimizer?) after the forward pass: call "
                               "backward before the step")  # fmt: skip
    aliases = [_alias(a, x) for a, x in zip(args, given, strict=False)]
    start = core.next_order()
    with enable_grad(), _as_then(draws, scope, step, dict(zip(map(id, aliases), given, strict=True))):
        return _gradients(f, aliases, captured, needed, g, create_graph, start)


def _gradients(f: Any, aliases: Any, captured: Any, needed: Any, g: Any, create_graph: bool, start: int) -> list[Any]:
    result = f(*aliases)
    outputs = result if isinstance(result, (tuple, list)) else (result,)
    seeds = [(out, gi) for out, gi in zip(outputs, g, strict=True) if gi is not None and out.requires_grad]
    ends = [key_of(x) if isinstance(x, Tensor) else None for x in (*aliases, *captured)]
    arrived = send_back(seeds, {k for k, wanted in zip(ends, needed, strict=True) if wanted}, create_graph, since=start)
    return [arrived.get(k) if k is not None else None for k in ends]


def _alias(x: Any, given: Any) -> Any:
    """What f gets for an argument: a Tensor of its own, so that one passed twice or captured too is not counted twice.

    `x` is the argument's array, or a Tensor where the gradient is to be differentiated again.
    """
    if not isinstance(given, Tensor):
        return given
    if isinstance(x, Tensor):
        return ops.copy(x) if x.requires_grad else x
    alias = Tensor(x, given.requires_grad)
    alias.name = given.name
    return alias


def _captured(tr: trace, start: int, aliases: list[Any], outputs: Any) -> tuple[Tensor, ...]:
    """The tensors made before number `start`, and not passed, that the traced operations used or f gave back."""
    passed = {id(x) for x in aliases}
    used = [*outputs, *(x for node in tr.nodes for x in node.inputs)]
    found = {key_of(x): x for x in used
             if isinstance(x, Tensor) and x.requires_grad and id(x) not in passed
             and (x.node is None or x.node.order < start)}  # fmt: skip
    return tuple(found.values())


class _drawing(Surroundings):
    """Inside, `draws` remembers the state of each generator before it is first drawn from."""

    def __init__(self, draws: dict[Any, Any]) -> None:
        super().__init__()
        self.draws = draws

    def change(self, new: State) -> None:
        self.outer, new.draws = new.draws, self.draws

    def __exit__(self, *error: object) -> None:
        super().__exit__(*error)
        if self.outer is not None:  # a checkpoint within a checkpoint
            for rng, before in self.draws.items():
                self.outer.setdefault(rng, before)


class _as_then(Surroundings):
    """Inside, scope and step are as they were when f first ran, and its generators draw the same numbers again."""

    def __init__(self, draws: dict[Any, Any], scope: tuple[str, ...], step: int | None, given: dict[int, Any]) -> None:
        super().__init__()
        self.draws, self.scope, self.step, self.given = draws, scope, step, given

    def change(self, new: State) -> None:
        self.after = {rng: rng.bit_generator.state for rng in self.draws}
        for rng, before in self.draws.items():
            rng.bit_generator.state = before
        new.scope, new.step, new.draws = self.scope, self.step, None
        new.taps = tuple(_Through(reader, self.given) for reader in new.taps)

    def __exit__(self, *error: object) -> None:
        super().__exit__(*error)
        for rng, after in self.after.items():
            rng.bit_generator.state = after


class _Through:
    """A tap's reader, to which the aliases of this run are what was given for them."""

    def __init__(self, reader: Any, given: dict[int, Any]) -> None:
        self.reader, self.given = reader, given

    def edge(self, node: Node, argument: int, parent: Tensor, contribution: Any) -> None:
        self.reader.edge(node, argument, self.given.get(id(parent), parent), contribution)

    def node(self, node: Node, gradients: Any) -> None:
        self.reader.node(node, gradients)
