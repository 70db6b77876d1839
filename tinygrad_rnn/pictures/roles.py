"""What each value is in a recurrent network: input, state, cell state, output, loss, parameter.

Roles come from the steps and the graph, never from what things are called: a state is made in one step and used in the
next; the LSTM's cell state is the one that gets there by elementwise operations alone, the hidden state goes through a
matrix; a parameter is a leaf that several steps use; an input is what a step uses and other steps have another of.
`.named("y")` overrides.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from .graph import Graph, Vertex

__all__ = ["Layer", "Roles", "by_step", "roles_of"]

PRODUCTS = ("matmul", "einsum")
OF_NAME = {"x": "input", "h": "state", "s": "state", "c": "cell", "y": "output", "o": "output", "logits": "output",
           "L": "loss", "loss": "loss", "E": "loss"}  # fmt: skip

By = dict[int, Vertex]  # by step


@dataclass
class Layer:
    """One recurrence: its state `h`, and for an LSTM `c`, by step; what they were before the first one, if a vertex.

    `backward`: it reads the sequence from its end.
    """

    h: By
    c: By = field(default_factory=dict)
    h0: Vertex | None = None
    c0: Vertex | None = None
    backward: bool = False
    number: int = 1  # among the layers of its direction


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
    lanes = _lanes(graph)
    summing = [_is_sum(lane, graph) for lane in lanes]
    sums = {v for lane, is_sum in zip(lanes, summing, strict=True) if is_sum for v in lane.values()}
    lanes = [lane for lane, is_sum in zip(lanes, summing, strict=True) if not is_sum]
    roles = Roles(graph.steps, _layers(graph, lanes), sums=sums)
    if not roles.layers and len(graph.steps) == 1:
        _only_step(groups, roles)
    _inputs(graph, groups, roles)
    _head(graph, groups, roles)
    _overrides(graph, roles)
    _file(graph, roles)
    return roles


# States


def _lanes(graph: Graph) -> list[By]:
    """What is made in a step and used in the next (or the one before, for a layer that reads backwards), by place."""
    number = {t: i for i, t in enumerate(graph.steps)}
    found: dict[str, By] = {}
    for v in graph.vertices:
        for tail, _ in v.inputs if v.step is not None else ():
            if tail.step is not None and abs(number[tail.step] - number[v.step]) == 1:
                found.setdefault(tail.local, {})
    for v in graph.vertices:
        if v.step is not None and v.kind != "failed" and v.local in found:
            found[v.local][v.step] = v
    return list(found.values())


def _is_sum(lane: By, graph: Graph) -> bool:
    """Is this the loss so far: a number to which each step adds its own, and which nothing else uses?"""
    for v in lane.values():
        if v.size != 1 or v.op != "add":
            return False
        heads = [use for use, _ in v.uses]
        if any(use.op != "add" and use.step is not None for use in heads) or len(heads) > 1:
            return False
    last = max(lane.values(), key=lambda v: v.order)
    return last in graph.outputs or not any(use.step is not None for use, _ in last.uses)


def _carry(lane: By, others: set[Vertex]) -> tuple[bool, bool, bool]:
    """How a state gets to the next step: (does it reach itself?, through a product?, through a parameter at least?).

    Looked at between two neighbouring steps in the middle; other states are not passed through.
    """
    steps = [t for t in lane if any(use.step not in (t, None) for use, _ in lane[t].uses)]
    if not steps:
        return False, False, False
    v = lane[steps[len(steps) // 2]]
    ahead = next(use.step for use, _ in v.uses if use.step not in (v.step, None))
    target = lane.get(ahead) if ahead is not None else None
    reached = product = scaled = False
    waiting, seen = [use for use, _ in v.uses if use.step == ahead], set()
    while waiting:
        u = waiting.pop()
        if u in seen:
            continue
        seen.add(u)
        product |= u.op in PRODUCTS
        scaled |= any(tail.kind == "leaf" for tail, _ in u.inputs) and u.op in (*PRODUCTS, "multiply")
        if u is target:
            reached = True
        elif u not in others:
            waiting += [use for use, _ in u.uses if use.step == ahead]
    return reached, product, scaled


def _layers(graph: Graph, lanes: list[By]) -> list[Layer]:
    members = {v for lane in lanes for v in lane.values()}
    how = [_carry(lane, members) for lane in lanes]
    recurrent = [i for i, (reached, _, _) in enumerate(how) if reached]
    if not recurrent and lanes:
        recurrent = list(range(len(lanes)))
    hidden = [i for i in recurrent if how[i][1]] or [i for i in recurrent if how[i][2]] or recurrent
    if len(hidden) > 1 and _same_node(lanes[hidden[0]], lanes[hidden[1]]):  # a fused cell gives (h, c)
        hidden = hidden[::2]
    layers = [_layer(lanes[i], graph) for i in hidden]
    for i, lane in enumerate(lanes):
        if i in hidden:
            continue
        owner = next((layer for layer in layers if not layer.c and _feeds(lane, layer.h)), None)
        if owner is None:
            continue
        if how[i][0] or not _product_before(lane, members):
            owner.c, owner.c0 = lane, _initial(lane, graph)
    # A state that only passes through the cell state (h = tanh(c)) is the hidden one all the same.
    return sorted(layers, key=lambda layer: min(v.order for v in layer.h.values()))


def _same_node(a: By, b: By) -> bool:
    return any(a[t].node is b[t].node for t in a if t in b)


def _feeds(lane: By, h: By) -> bool:
    """Is `lane` what h is made from, in the same step and scope?"""
    t = next((t for t in lane if t in h), None)
    if t is None:
        return False
    if lane[t].node is h[t].node:
        return True
    waiting, seen = [h[t]], set()
    while waiting:
        for tail, _ in waiting.pop().inputs:
            if tail is lane[t]:
                return True
            if tail.step == t and tail not in seen and tail.op not in PRODUCTS:
                seen.add(tail)
                waiting.append(tail)
    return False


def _product_before(lane: By, members: set[Vertex]) -> bool:
    """Is this made from a state of its own step by a product? Then it is an output that is fed back, no state."""
    t, v = next(iter(lane.items()))
    waiting, seen = [(v, False)], set()
    while waiting:
        u, product = waiting.pop()
        for tail, _ in u.inputs:
            if tail.step != t or (tail, product) in seen:
                continue
            if tail in members and (product or u.op in PRODUCTS):
                return True
            seen.add((tail, product))
            if tail not in members:
                waiting.append((tail, product or u.op in PRODUCTS))
    return False


def _layer(lane: By, graph: Graph) -> Layer:
    backward = any(use.step is not None and use.step < v.step for v in lane.values() for use, _ in v.uses if v.step is not None)
    return Layer(lane, h0=_initial(lane, graph), backward=backward)


def _initial(lane: By, graph: Graph) -> Vertex | None:
    """What stands in the first step where the state stands in the others."""
    slots = _slots(lane)
    first = min(lane.values(), key=lambda v: v.order)
    for v in _ancestors(first, first.step):
        for tail, i in v.inputs:
            if (v.local, i) in slots and tail.step is None:
                return tail
    return None


def _slots(lane: By) -> set[tuple[str, int]]:
    """Where, in the step after, a state goes in: (local key, argument)."""
    return {(use.local, i) for v in lane.values() for use, i in v.uses if use.step not in (v.step, None)}


def _restarts(graph: Graph, layers: list[Layer]) -> dict[Vertex, Vertex]:
    """States that were detached on their way to the next step (truncated BPTT), and what they were before."""
    detached = [v for v in graph.vertices if v.is_leaf and v.tensor is not None and v.tensor.origin == "detach"]
    if not detached:
        return {}
    states = {id(v.value): v for layer in layers for lane in (layer.h, layer.c) for v in lane.values()}
    return {v: states[id(v.value)] for v in detached if id(v.value) in states}


def _ancestors(v: Vertex, step: int | None) -> list[Vertex]:
    """`v` and what it is made from within the step."""
    found, waiting = {v: None}, [v]
    while waiting:
        for tail, _ in waiting.pop().inputs:
            if tail.step == step and tail not in found:
                found[tail] = None
                waiting.append(tail)
    return list(found)


def _only_step(groups: dict[int, list[Vertex]], roles: Roles) -> None:
    """With a single step no state comes back, so it is the last value of more than one number that is no product plus a
    bias: what a nonlinearity or a gate made."""
    (t, group), = groups.items()
    made = [v for v in group if v.kind == "op" and v.op in ("tanh", "relu", "sigmoid", "multiply", "add")
            and not any(tail.kind == "leaf" or tail.op in PRODUCTS for tail, _ in v.inputs)]  # fmt: skip
    made = [v for v in made if v.size > 1] or made
    if made:
        roles.layers = [Layer({t: made[-1]})]


# Inputs and parameters


def _inputs(graph: Graph, groups: dict[int, list[Vertex]], roles: Roles) -> None:
    roles.restarts = _restarts(graph, roles.layers)
    initial = {v for layer in roles.layers for v in (layer.h0, layer.c0) if v is not None} | set(roles.restarts)
    used_in: dict[Vertex, set[int]] = {}
    for v in graph.vertices:
        if v.step is None and v not in initial:
            used_in[v] = {use.step for use, _ in v.uses if use.step is not None}
    shared = {v for v, steps in used_in.items() if len(steps) > 1}
    fed = {v for layer in roles.layers for t, h in layer.h.items() for v in _ancestors(h, t)} | (
        {v for layer in roles.layers for t, c in layer.c.items() for v in _ancestors(c, t)})
    if graph.failed is not None:
        fed |= set(_ancestors(graph.failed, graph.failed.step))
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
    roles.parameters = [v for v in graph.vertices if v.kind == "leaf" and v not in inputs
                        and (v in shared or single or len({u.local for u, _ in v.uses}) or not graph.steps)]  # fmt: skip


def _slices(groups: dict[int, list[Vertex]], shared: set[Vertex]) -> set[Vertex]:
    """Slices, taken within the steps, of one longer thing at a place that differs from step to step: X[t]."""
    found: dict[str, list[Vertex]] = {}
    for group in groups.values():
        for v in group:
            if v.op == "getitem" and v.kind == "op" and v.inputs and v.inputs[0][0].step is None:
                found.setdefault(v.local, []).append(v)
    return {v for same in found.values() if len({str(v.node.params["index"]) for v in same if v.node}) == len(same) for v in same}


# What is made of the states


def _head(graph: Graph, groups: dict[int, list[Vertex]], roles: Roles) -> None:
    """Outputs and losses by step, and the total."""
    states = {v for layer in roles.layers for v in (*layer.h.values(), *layer.c.values())}
    outputs = set(graph.outputs)
    parameters = set(roles.parameters)
    parameters |= {v for p in roles.parameters for v, _ in p.uses if v.op == "transpose" and v.step is None}
    for t, group in groups.items():
        before = {v for layer in roles.layers if t in layer.h for v in _ancestors(layer.h[t], t)}
        head = [v for v in group if v not in before and v not in roles.sums and v not in states and v.kind == "op"]
        leaving = [v for v in head if v in outputs or any(u.step != t or u in roles.sums for u, _ in v.uses)]
        last = leaving[-1] if leaving else head[-1] if head and graph.failed is not None and graph.failed.step != t else None
        if last is None:
            continue
        if last.size == 1 and (len(head) > 1 or last not in outputs):
            roles.loss[t] = last
            made = [v for v in _ancestors(last, t) if v in head and v.size and any(p in parameters for p, _ in v.inputs)]
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
                _call(roles, first, role, letter + mark, before, own=False)
            for t, v in lane.items():
                _call(roles, v, role, letter + mark, t + 1)
    for v, was in roles.restarts.items():
        roles.role[v], roles._symbols[v] = "state", roles.symbol(was)
    for row, letter, role in ((roles.x, "x", "input"), (roles.y, "y", "output"), (roles.loss, "L", "loss")):
        for t, v in row.items():
            if v not in roles.role:
                _call(roles, v, role, letter, t + 1)
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


def _call(roles: Roles, v: Vertex, role: str, letter: str, t: int, own: bool = True) -> None:
    roles.role[v] = role
    name = v.name if own and v.name else letter[0]
    number, arrow = letter[1:].rstrip("→←"), letter[-1] if letter[-1] in "→←" else ""
    roles._symbols[v] = name if any(c.isdigit() for c in name) else f"{name}{number}_{t}{arrow}"
