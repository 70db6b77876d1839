"""What each value is in a recurrent network: input, state, cell state, output, loss, parameter.

Roles come from the steps and the graph, never from what things are called: a state is made in one step and used in the
next; the LSTM's cell state is the one that gets there by elementwise operations alone, the hidden state goes through a
matrix; a parameter is a leaf that several steps use; an input is what a step uses and other steps have another of.
`.named("y")` overrides.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from .graph import Graph, Vertex
from .states import PRODUCTS, By, Layer, ancestors, is_sum, lanes_of, layers_of, restarts_of

__all__ = ["OF_NAME", "Roles", "by_step", "outputs_apart", "roles_of"]

OF_NAME = {"x": "input", "h": "state", "s": "state", "c": "cell", "y": "output", "o": "output", "logits": "output",
           "L": "loss", "loss": "loss", "E": "loss"}  # fmt: skip


@dataclass
class Roles:
    """Who plays what. `total` is what the picture ends in, where that is no state, output or loss of one step."""

    steps: list[int]
    layers: list[Layer]
    x: By = field(default_factory=dict)
    y: By = field(default_factory=dict)
    loss: By = field(default_factory=dict)
    total: Vertex | None = None
    parameters: list[Vertex] = field(default_factory=list)
    sequences: set[Vertex] = field(default_factory=set)  # leaves of which each step takes its slice
    sums: set[Vertex] = field(default_factory=set)  # accumulators: loss so far
    restarts: dict[Vertex, Vertex] = field(default_factory=dict)  # detached states, and the state that each was
    role: dict[Vertex, str] = field(default_factory=dict)

    def linked(self, before: Vertex, after: Vertex) -> bool:
        """Does `after`, a state, come from `before`, that of the step before, so that a gradient flows back?"""
        return before.is_leaf or any(use.step == after.step for use, _ in before.uses)

    def symbol(self, v: Vertex) -> str:
        """What the picture calls it: "h_1" (pictures count from 1), "W_hh", "L"; "" for an operation without a role."""
        return self._symbols.get(v, v.name or "")

    _symbols: dict[Vertex, str] = field(default_factory=dict)


def by_step(graph: Graph) -> dict[int, list[Vertex]]:
    """The vertices of each step, in the order in which they were made."""
    groups: dict[int, list[Vertex]] = {t: [] for t in graph.steps}
    for v in graph.vertices:
        if v.step is not None:
            groups[v.step].append(v)
    return groups


def roles_of(graph: Graph) -> Roles:
    """Infer the roles; linear in the size of the graph."""
    groups = by_step(graph)
    lanes = lanes_of(graph)
    summing = [is_sum(lane, graph) for lane in lanes]
    sums = {v for lane, is_sum in zip(lanes, summing, strict=True) if is_sum for v in lane.values()}
    lanes = [lane for lane, is_sum in zip(lanes, summing, strict=True) if not is_sum]
    roles = Roles(graph.steps, layers_of(graph, lanes), sums=sums)
    if not roles.layers and len(graph.steps) == 1:
        _only_step(groups, roles)
    _inputs(graph, groups, roles)
    _head(graph, groups, roles)
    _overrides(graph, roles)
    _file(graph, roles)
    return roles


# Inputs and parameters


def _only_step(groups: dict[int, list[Vertex]], roles: Roles) -> None:
    """With a single step no state comes back, so it is the last value of more than one number that is no product plus a
    bias: what a nonlinearity or a gate made."""
    ((t, group),) = groups.items()
    made = [v for v in group if v.kind == "op" and v.op in ("tanh", "relu", "sigmoid", "multiply", "add")
            and not any(tail.kind == "leaf" or tail.op in PRODUCTS for tail, _ in v.inputs)]  # fmt: skip
    made = [v for v in made if v.size > 1] or made
    if made:
        roles.layers = [Layer({t: made[-1]})]


def _inputs(graph: Graph, groups: dict[int, list[Vertex]], roles: Roles) -> None:
    roles.restarts = restarts_of(graph, roles.layers)
    initial = {v for layer in roles.layers for v in (layer.h0, layer.c0) if v is not None} | set(roles.restarts)
    used_in: dict[Vertex, set[int]] = {}
    for v in graph.vertices:
        if v.step is None and v not in initial:
            used_in[v] = {use.step for use, _ in v.uses if use.step is not None}
    shared = {v for v, steps in used_in.items() if len(steps) > 1}
    fed = {v for layer in roles.layers for t, h in layer.h.items() for v in ancestors(h, t)} | (
        {v for layer in roles.layers for t, c in layer.c.items() for v in ancestors(c, t)}
    )
    if graph.failed is not None:
        fed |= set(ancestors(graph.failed, graph.failed.step))
    taken = _slices(groups, shared)
    roles.sequences = {v.inputs[0][0] for v in taken}
    single = len(graph.steps) == 1
    for t, group in groups.items():
        for v in group:
            if v not in fed or t in roles.x:
                continue
            for tail, _ in v.inputs:
                other = tail.step is None and tail not in shared and tail not in initial and used_in.get(tail) == {t}
                if (other and not (single and tail.kind == "leaf")) or (tail in taken and tail.step == t):
                    roles.x.setdefault(t, tail)
        if t not in roles.x:
            embedded = next((v for v in group if v in fed and v.op == "take"), None)
            if embedded is not None:
                roles.x[t] = embedded
    sliced = {part.inputs[0][0] for part in roles.x.values() if part.kind == "part" and part.step is None}
    roles.sequences |= {tail for op in sliced for tail, _ in op.inputs}
    inputs = set(roles.x.values()) | initial | roles.sequences
    roles.parameters = [
        v
        for v in graph.vertices
        if v.kind == "leaf"
        and v not in inputs
        and (v in shared or single or len({u.local for u, _ in v.uses}) or not graph.steps)
    ]


def _slices(groups: dict[int, list[Vertex]], shared: set[Vertex]) -> set[Vertex]:
    """Slices, taken within the steps, of one longer thing at a place that differs from step to step: X[t]."""
    found: dict[str, list[Vertex]] = {}
    for group in groups.values():
        for v in group:
            if v.op == "getitem" and v.kind == "op" and v.inputs and v.inputs[0][0].step is None:
                found.setdefault(v.local, []).append(v)
    return {
        v
        for same in found.values()
        if len({str(v.node.params["index"]) for v in same if v.node}) == len(same)
        for v in same
    }


# What is made of the states


def _head(graph: Graph, groups: dict[int, list[Vertex]], roles: Roles) -> None:
    """Outputs and losses by step, and the total."""
    states = {v for layer in roles.layers for v in (*layer.h.values(), *layer.c.values())}
    outputs = set(graph.outputs)
    parameters = set(roles.parameters)
    parameters |= {v for p in roles.parameters for v, _ in p.uses if v.op == "transpose" and v.step is None}
    for t, group in groups.items():
        before = {v for layer in roles.layers if t in layer.h for v in ancestors(layer.h[t], t)}
        head = [v for v in group if v not in before and v not in roles.sums and v not in states and v.kind == "op"]
        leaving = [v for v in head if v in outputs or any(u.step != t or u in roles.sums for u, _ in v.uses)]
        last = (
            leaving[-1]
            if leaving
            else head[-1]
            if head and graph.failed is not None and graph.failed.step != t
            else None
        )
        if last is None:
            continue
        if last.size == 1 and (len(head) > 1 or last not in outputs):
            roles.loss[t] = last
            made = [v for v in ancestors(last, t) if v in head and v.size and any(p in parameters for p, _ in v.inputs)]
            if made:
                roles.y[t] = max(made, key=lambda v: v.order)
                if roles.y[t] is last:
                    del roles.loss[t]
        else:
            roles.y[t] = last
    known = states | set(roles.y.values()) | set(roles.loss.values())
    if graph.outputs and len(graph.outputs) == 1 and graph.outputs[0] not in known:
        roles.total = graph.outputs[0]


def _overrides(graph: Graph, roles: Roles) -> None:
    """A name says what a thing is, whatever was inferred: `.named("y")`."""
    rows: dict[str, By] = {"input": roles.x, "output": roles.y, "loss": roles.loss}
    replaced: set[str] = set()
    states = {v for layer in roles.layers for v in (*layer.h.values(), *layer.c.values())}
    for v in graph.vertices:
        if not v.name or v in states:
            continue
        row = OF_NAME.get(v.name.partition("_")[0])
        steps = {use.step for use, _ in v.uses} if v.is_leaf else {v.step}
        step = next(iter(steps)) if len(steps) == 1 else None
        if row in rows and step is not None and (row != "output" or v.name != "o"):
            if row not in replaced:
                replaced.add(row)
                rows[row].clear()
            rows[row][step] = v


def outputs_apart(roles: Roles) -> None:
    """A state that is called y is an output that is fed back: it goes to the outputs, above the h that it is made
    from, if there is one in each step."""
    for layer in roles.layers:
        outputs = layer.h
        hidden = {t: next((u for u in ancestors(v, t) if u.name == "h"), None) for t, v in outputs.items()}
        called = {OF_NAME.get((v.name or "").partition("_")[0]) for v in outputs.values()}
        found = {t: h for t, h in hidden.items() if h is not None}
        if called != {"output"} or len(found) < len(outputs):
            continue
        layer.h, layer.h0, layer.carried, roles.y = found, None, False, outputs
        for lane, letter, role in ((found, "h", "state"), (outputs, "y", "output")):
            for t, v in lane.items():
                _call(roles, v, role, letter, t + 1)


def _file(graph: Graph, roles: Roles) -> None:
    """Fill `role` and the symbols."""
    both = {layer.backward for layer in roles.layers} == {True, False}
    counts = {True: 0, False: 0}
    for layer in roles.layers:
        counts[layer.backward] += 1
        layer.number = counts[layer.backward]
    for layer in roles.layers:
        mark = "".join("⁰¹²³⁴⁵⁶⁷⁸⁹"[int(d)] for d in str(layer.number)) if max(counts.values()) > 1 else ""
        mark += ("←" if layer.backward else "→") if both else ""
        for lane, first, letter, role in ((layer.h, layer.h0, "h", "state"), (layer.c, layer.c0, "c", "cell")):
            if first is not None:
                before = max(lane) + 2 if layer.backward else min(lane)
                _call_first(roles, first, role, letter + mark, before, {v.name for v in lane.values()})
            for t, v in lane.items():
                _call(roles, v, role, letter + mark, t + 1)
    for v, was in roles.restarts.items():
        roles.role[v], roles._symbols[v] = "state", roles.symbol(was)
    for row, letter, role in ((roles.x, "x", "input"), (roles.y, "y", "output"), (roles.loss, "L", "loss")):
        for t, v in row.items():
            if v not in roles.role:
                _call(roles, v, role, letter, t + 1)
    if len(roles.loss) == 1 and graph.outputs == list(roles.loss.values()) and not graph.outputs[0].name:
        roles._symbols[graph.outputs[0]] = "L"
    if roles.total is not None:
        role = "loss" if roles.total.size == 1 else "output"
        roles.role[roles.total] = role
        roles._symbols[roles.total] = roles.total.name or ("L" if role == "loss" else "outputs")
    for v in roles.parameters:
        roles.role[v] = "parameter"
        roles._symbols[v] = v.name or "W"
    for v in graph.vertices:
        if v not in roles.role and v.is_leaf:
            roles.role[v] = "constant"


def _call(roles: Roles, v: Vertex, role: str, letter: str, t: int, name: str | None = None) -> None:
    roles.role[v] = role
    name = name or v.name or letter[0]
    number, arrow = letter[1:].rstrip("→←"), letter[-1] if letter[-1] in "→←" else ""
    roles._symbols[v] = name if any(c.isdigit() for c in name) else f"{name}{number}_{t}{arrow}"


def _call_first(roles: Roles, v: Vertex, role: str, letter: str, t: int, names: set[str | None]) -> None:
    """What a chain starts from has its own name; without one, or with that of all the states, it is counted like them.

    "h_0" is no more than that: those of all layers, directions and later segments may be called so.
    """
    shared = next(iter(names)) if len(names) == 1 else None
    base = shared or letter[0]
    own = None if v.name in (base, f"{base}_0") else v.name
    _call(roles, v, role, letter, t, own or base)
    if own:
        roles._symbols[v] = own
