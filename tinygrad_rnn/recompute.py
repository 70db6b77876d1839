"""Recomputing instead of remembering: `checkpoint(f, *inputs)` keeps no graph of f and runs it again in backward."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from numbers import Number
from typing import Any

import numpy as np

from . import backend, core, ops
from .autograd import key_of, send_back
from .core import Node, Tensor, describe
from .primitives import primitive
from .recording import State, Surroundings, enable_grad, glance, state, trace


def checkpoint(f: Callable[..., Any], *inputs: Any) -> Any:
    """`f(*inputs)`, whose graph is dropped and built again when a gradient comes back: less memory, one more forward.

    Gradients flow to `inputs`, also where they are nested in tuples, and to tensors that f captures (its module's
    parameters). Generators that f draws from through `tg.dropout`, or that are among `inputs`, draw the same again. f
    gives a Tensor, or tuples, lists and dicts of Tensors; arrays, numbers and None among them are handed on as they
    are. Raises TypeError for anything else. `checkpoint_segments` does this along time.
    """
    now = state.get()
    if not now.on:
        return f(*inputs)
    aliases = [_alias(core.raw(x), x) for x in inputs]
    start = core.next_order()
    draws = {x: x.bit_generator.state for x in _parts(inputs) if isinstance(x, np.random.Generator)}
    with _drawing(draws), glance() as tr:
        result = f(*aliases)
    outputs = _tracked(result)
    if not outputs:
        return result
    captured = _captured(tr, start, aliases, outputs)
    arguments = (*inputs, *captured)
    params = {"f": f, "given": inputs, "captured": captured, "draws": draws, "scope": now.scope, "step": now.step}
    values = tuple(y.data for y in outputs)
    node = Node(checkpointed, arguments, [core.raw(x) for x in arguments], params, values, now.scope, now.step)
    for watcher in now.watchers:
        watcher.made(node)
    return _replaced(result, iter(node.outputs))


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

    def again(*aliases: Any) -> list[Tensor]:
        outputs = _tracked(f(*aliases))
        if len(outputs) != len(y):
            raise RuntimeError(f"checkpoint: f gave {len(y)} tracked tensors in the forward pass and {len(outputs)} "
                               "when run again: it must do the same each time")  # fmt: skip
        return outputs

    start = core.next_order()
    with enable_grad(), _as_then(draws, scope, step, dict(zip(map(id, aliases), given, strict=True))):
        return _gradients(again, aliases, captured, needed, g, create_graph, start)


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


def _parts(nest: Any) -> list[Any]:
    """What there is in tuples, lists and dicts, however nested, in order."""
    if isinstance(nest, dict):
        nest = tuple(nest.values())
    return [x for part in nest for x in _parts(part)] if isinstance(nest, (tuple, list)) else [nest]


def _tracked(result: Any) -> list[Tensor]:
    """The tensors in what f gave that a gradient can come back to; the rest is constant."""
    parts = _parts(result)
    for x in parts:
        if not (x is None or isinstance(x, (Tensor, Number, np.generic, str)) or backend.is_array(x)):
            raise TypeError(f"checkpoint: f gives a {type(x).__name__}, in which gradients could get lost: return "
                            "Tensors, arrays, numbers or None, alone or in tuples, lists and dicts")  # fmt: skip
    return [x for x in parts if isinstance(x, Tensor) and x.requires_grad]


def _replaced(result: Any, outputs: Iterator[Tensor]) -> Any:
    """What f gave, with the next of `outputs` for each tracked tensor in it."""
    if isinstance(result, dict):
        return {key: _replaced(part, outputs) for key, part in result.items()}
    if isinstance(result, (tuple, list)):
        parts = [_replaced(part, outputs) for part in result]
        return type(result)(*parts) if hasattr(result, "_fields") else type(result)(parts)  # a namedtuple takes several
    return next(outputs) if isinstance(result, Tensor) and result.requires_grad else result


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
