"""What every unit of a recurrent layer does over a sequence: its state and its gates, step by step.

The fused layers keep none of it, so the layer is run in its steps and its graph is read: whatever a cell gives a name
by `.named("f")` is recorded, in any cell.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from .. import backend
from ..core import Tensor, as_array, raw
from ..recording import enable_grad, trace

CHUNK = 50  # steps whose graph is held at a time

ByStep = dict[str, dict[str, dict[int, Any]]]  # part, name, step


@dataclass(frozen=True, eq=False)
class Recording:
    """`parts`: for each layer ("layer 0", "layer 1", ...; "" where there is one, "forward" and "backward" in it where
    there are two directions), arrays (T, B, H) by name: "h", an LSTM's "c" and gates "i", "f", "o", "g", a GRU's "r",
    "z", "n". `h[t]` is the state after x[t] was read. `last`: the state to carry on from."""

    parts: Mapping[str, Mapping[str, np.ndarray]]
    last: Any

    def of(self, name: str, layer: int = -1) -> np.ndarray:
        """(T, B, H): what is called `name` in one layer, by default the last. Raises ValueError where there is none."""
        parts = list(self.parts.values())
        if not -len(parts) <= layer < len(parts):
            raise ValueError(f"there is no layer {layer}: there are {len(parts)}, counted from 0")
        if name not in parts[layer]:
            raise ValueError(f"the layer has no {name!r}: it has {', '.join(parts[layer])}")
        return parts[layer][name]

    def __repr__(self) -> str:
        inside = "; ".join(f"{part}: {', '.join(names)}".removeprefix(": ") for part, names in self.parts.items())
        T, B, H = next(iter(next(iter(self.parts.values())).values())).shape
        return f"<recording of {T} steps, {B} at a time, {H} units ({inside})>"


def record(layer: Any, x: Any, state: Any = None) -> Recording:
    """Run a recurrent layer (`tg.nn.LSTM` and its like) over x (T, B, D), or integers (T, B), from `state`, and note
    what every unit does. Nothing can be differentiated through it, and no more than 50 steps' graph is held at a time.
    Dropout between layers acts where the layer is in training: call `.eval()` first.

    Raises ValueError where x does not fit the layer, its direction is not one (a layer that reads backwards too needs
    the whole sequence at once), or its cells name nothing.

    >>> from tinygrad_rnn import nn
    >>> record(nn.LSTM(3, 5, rng=0), np.ones((7, 2, 3), np.float32))
    <recording of 7 steps, 2 at a time, 5 units (i, f, o, g, c, h)>
    """
    chunk = max(1, len(x)) if getattr(layer, "bidirectional", False) else CHUNK
    found: ByStep = {}
    for start in range(0, max(1, len(x)), chunk):
        with enable_grad(), trace() as seen:
            outputs, state = layer(_followed(x[start : start + chunk]), state, offset=start)
        del outputs
        for part, name, t, array in _named(seen.nodes):
            found.setdefault(part, {}).setdefault(name, {})[t] = backend.to_numpy(array)
        state = _detached(state)
        del seen
    parts = {part: {name: np.stack([steps[t] for t in sorted(steps)]) for name, steps in names.items()
                    if len(steps) == len(x)} for part, names in found.items()}  # fmt: skip
    if not any(parts.values()):
        raise ValueError(f"{type(layer).__name__}: its cells name nothing that happens at each step, or are frozen and "
                         'read integers: write h.named("h"), give frozen ones vectors')  # fmt: skip
    return Recording({part: names for part, names in parts.items() if names}, state)


def _named(nodes: list[Any]) -> Iterator[tuple[str, str, int, Any]]:
    """(part, name, step, array) of everything that was given a name within a step."""
    for node in nodes:
        for index, name in (node.names or {}).items() if node.step is not None else ():
            part = "/".join(s for s in node.scope if re.fullmatch(r"layer \d+|forward|backward", s))
            yield part, re.sub(r"_\d+$", "", name), node.step, node.value[index] if node.op.several else node.value


def _followed(x: Any) -> Any:
    """Numbers that the graph follows, so that cells whose weights are fixed are recorded, too."""
    return x if x.dtype.kind in "iub" else Tensor(as_array(raw(x)), requires_grad=True)


def _detached(state: Any) -> Any:
    return tuple(map(_detached, state)) if isinstance(state, (tuple, list)) else state.detach()
