"""The states of a recurrent network in its recorded graph, and the gradient that reaches each."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, overload

import numpy as np

from .. import backend
from ..autograd import grad
from ..core import Node, Tensor, describe
from .graphs import ancestors, norm

ByName = Mapping[str, Sequence[Tensor]]
Role = tuple[tuple[str, ...], str, int, int]  # scope, operation, which of those in the step, which output


@dataclass(frozen=True, eq=False)
class StateGradients:
    """dL/dh_t for the states of one sequence, oldest first.

    `gradients`: one array a state, of its shape. `norms (states,)`: their Euclidean norms (over batch and units), as
    float64. `steps (states,)`: the step each was made in, None for a given start state.
    """

    gradients: tuple[Any, ...]
    norms: np.ndarray
    steps: tuple[int | None, ...]

    def __len__(self) -> int:
        return len(self.steps)

    def __repr__(self) -> str:
        if not len(self):
            return "<state gradients: no states>"
        return f"<state gradients: {len(self)} states, norms {self.norms[0]:.3g} to {self.norms[-1]:.3g}, oldest first>"


def find_states(*outputs: Tensor) -> dict[str, list[Tensor]]:
    """The states that `outputs` depend on, by name, each a list in the order of time in which they were made.

    A state is made in one step and used in the next: nothing else is asked, so a cell needs only `tg.step(t)`. States
    that play the same part in their step (same scope, same operation, same place among those) are one sequence, which
    includes the last, although no step uses it. An LSTM has two, a stack of layers one or two a layer. Names are those
    that `.named` gave, without the number at the end ("h" of "h_3"), or else the operation that made them; where
    several would be called the same, all have their scope before it, which counts as the code does: "gru/layer 0/h" is
    what pictures call layer 1 and h¹. A running total (`loss = loss + L_t`) is not a state. What happens inside
    `tg.checkpoint` is not in the graph and is not found; fused operations are unrolled.
    """
    nodes = ancestors(outputs)
    roles = _roles(nodes)
    place = {step: i for i, step in enumerate(sorted({n.step for n in nodes if n.step is not None}))}
    found: dict[Role, bool] = {}  # is it more than a running total?
    for node in nodes:
        for x in node.inputs:
            if not isinstance(x, Tensor) or x.node is None or x.step is None or node.step is None:
                continue
            if abs(place[x.step] - place[node.step]) == 1 and x.requires_grad:
                role = (*roles[x.node], x.index)
                total = x.ndim == 0 and node.op.name == "add" and roles[node] == roles[x.node]
                found[role] = found.get(role, False) or not total
    sequences: dict[Role, list[Tensor]] = {role: [] for role, keep in found.items() if keep}
    for node in nodes:
        for x in node.outputs if node.step is not None else ():
            if (role := (*roles[node], x.index)) in sequences:
                sequences[role].append(x)
    return _named(sequences)


def _roles(nodes: list[Node]) -> dict[Node, tuple[tuple[str, ...], str, int]]:
    """What part each node plays in its step: its scope, its operation, and which of those it is there."""
    seen: Counter[tuple[Any, ...]] = Counter()
    roles = {}
    for node in nodes:
        part = (node.step, node.scope, node.op.name)
        roles[node] = (node.scope, node.op.name, seen[part])
        seen[part] += 1
    return roles


def _named(sequences: dict[Role, list[Tensor]]) -> dict[str, list[Tensor]]:
    """A word where it is the only one, else all that share it with their scopes, else numbered."""
    words = []
    for (scope, op, _, _), states in sequences.items():
        given = {re.sub(r"[\W_]*\d+\W*$", "", x.name) for x in states if x.name} - {""}
        word = given.pop() if len(given) == 1 else op
        words.append((word, "/".join((*scope, word))))
    short, long = Counter(word for word, _ in words), Counter(path for _, path in words)
    result: dict[str, list[Tensor]] = {}
    seen: Counter[str] = Counter()
    for (word, path), states in zip(words, sequences.values(), strict=True):
        seen[path] += 1
        name = word if short[word] == 1 else path if long[path] == 1 else f"{path} {seen[path]}"
        while name in result:
            name += "'"
        result[name] = states
    return result


@overload
def state_gradients(loss: Tensor, states: Sequence[Tensor]) -> StateGradients: ...
@overload
def state_gradients(loss: Tensor, states: ByName | None = None) -> dict[str, StateGradients]: ...
def state_gradients(loss: Tensor, states: Any = None) -> Any:
    """The total gradient dL/dh_t of each state: along every path from h_t to the loss, not only through h_{t+1}.

    `states`: a list of Tensors, for one StateGradients; or lists by name, or None for those that `find_states` finds,
    for a dict of them. A state that the loss does not depend on has gradient 0. Raises ValueError where no states are
    found, or a state requires no gradient.
    """
    sequences = {"": list(states)} if isinstance(states, Sequence) else sequences_of([loss], states)
    everything = [x for xs in sequences.values() for x in xs]
    arrived = iter(grad(loss, everything, allow_unused=True)) if everything else iter(())
    results = {}
    for name, xs in sequences.items():
        gradients = tuple(backend.xp(x.data).zeros_like(x.data) if (g := next(arrived)) is None else g.data for x in xs)
        results[name] = StateGradients(gradients, np.array([norm(g) for g in gradients]), tuple(x.step for x in xs))
    return results[""] if isinstance(states, Sequence) else results


def sequences_of(losses: Sequence[Tensor], states: ByName | None) -> dict[str, list[Tensor]]:
    """The states given, or those found; ValueError where there are none."""
    sequences = {name: list(xs) for name, xs in (find_states(*losses) if states is None else states).items()}
    if not sequences:
        raise ValueError(f"no states between steps lead to {describe(losses[0])}: run each step in `with tg.step(t):`, "
                         "keep checkpoint away, or give states=[h_0, h_1, ...]")  # fmt: skip
    return sequences
