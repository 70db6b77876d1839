"""Which values are states: made in one step and used in the next. And how they belong together: layers, h and c.

`tg.flow.find_states` asks the same of the tensors that a loss depends on, for instruments that differentiate. A
picture also draws what has no gradient, what leads to no loss and what failed, and has to tell h from c from the loss
so far, so it asks of the vertices of its own graph. Where both see a state they agree, which a test holds.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from .graph import Graph, Vertex

__all__ = ["By", "Layer", "ancestors", "is_sum", "lanes_of", "layers_of", "restarts_of"]

PRODUCTS = ("matmul", "einsum")

By = dict[int, Vertex]  # by step


@dataclass
class Layer:
    """One recurrence: its state `h`, and for an LSTM `c`, by step; what they were before the first one, if a vertex.

    `gates`: gates that the next step hears, by step, where there are any. `backward`: it reads the sequence from its
    end. `carried`: h itself goes on to the next step, and not only what is made of it.
    """

    h: By
    c: By = field(default_factory=dict)
    h0: Vertex | None = None
    c0: Vertex | None = None
    backward: bool = False
    carried: bool = True
    number: int = 1  # among the layers of its direction
    gates: list[By] = field(default_factory=list)


def lanes_of(graph: Graph) -> list[By]:
    """What is made in a step and used in the next (or the one before, for a layer that reads backwards), by place.

    Its place is that of the operation that makes it. A step that has fewer operations, as the first where a state
    starts at None, makes it in another place, but the next step takes it in the same one: that joins the two.
    """
    number = {t: i for i, t in enumerate(graph.steps)}
    found: dict[str, By] = {}  # by where it is made: what is carried on
    taken: dict[tuple[str, int], dict[str, None]] = {}  # by where it goes in: the places that it comes from
    for v in graph.vertices:
        for tail, i in v.inputs:
            if v.step is not None and tail.step is not None and abs(number[tail.step] - number[v.step]) == 1:
                found.setdefault(tail.local, {})[tail.step] = tail
                taken.setdefault((v.local, i), {})[tail.local] = None
    now = {place: place for place in found}
    for places in taken.values():
        same = list(dict.fromkeys(now[place] for place in places))
        kept = max(same, key=lambda place: (len(found[place]), found[place][max(found[place])].order))
        for other in same:
            if other != kept and not found[other].keys() & found[kept].keys():
                found[kept] |= found.pop(other)
                now = {place: kept if lane == other else lane for place, lane in now.items()}
    _complete(found, graph)
    return [dict(sorted(lane.items(), key=lambda item: item[1].order)) for lane in found.values()]


def _complete(found: dict[str, By], graph: Graph) -> None:
    """Add to the lanes what is not carried on, as in the last step: what has the name of the others, or their place."""
    made: dict[tuple[int, str], Vertex] = {}
    called: dict[tuple[int, tuple[str, ...], str | None], list[Vertex]] = {}
    for v in graph.vertices:
        if v.step is not None and v.kind != "failed":
            made[v.step, v.local] = v
            called.setdefault((v.step, v.scope, v.name), []).append(v)
    for place, lane in found.items():
        carried = dict(lane)
        one_look = len({(v.scope, v.name) for v in lane.values()}) == 1
        for t in graph.steps:
            near = carried[min(carried, key=lambda known: abs(known - t))]  # a decoder goes on where an encoder ended:
            scope, name = near.scope, near.name  # the last step is like the one before, and not like the first
            namesakes = called.get((t, scope, name), []) if name else []
            places = [place] if one_look else [near.local, place]
            here = [made[t, where] for where in places if (t, where) in made]
            found_here = namesakes[0] if len(namesakes) == 1 else here[0] if here else None
            if found_here is not None:
                lane.setdefault(t, found_here)


def is_sum(lane: By, graph: Graph) -> bool:
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
    steps = [t for t in steps if any(use.step != t and use.step in lane for use, _ in lane[t].uses)] or steps
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


def layers_of(graph: Graph, lanes: list[By]) -> list[Layer]:
    """The recurrent layers of a graph, each a chain of states, from their lanes."""
    gates = [lane for lane in lanes if _is_gate(lane, lanes)]
    lanes = [lane for lane in lanes if lane not in gates]
    members = {v for lane in lanes for v in lane.values()}
    how = [_carry(lane, members) for lane in lanes]
    recurrent = [i for i, (reached, _, _) in enumerate(how) if reached]
    if not recurrent and lanes:
        recurrent = list(range(len(lanes)))
    hidden = [i for i in recurrent if how[i][1]] or [i for i in range(len(lanes)) if _by_way_of(i, lanes, recurrent)]
    hidden = hidden or [i for i in recurrent if how[i][2]] or recurrent
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
    for lane in gates:
        owner = next((layer for layer in layers if _feeds(lane, layer.h)), None)
        if owner is not None:
            owner.gates.append(lane)
    return sorted(layers, key=lambda layer: min(v.order for v in layer.h.values()))


def _is_gate(lane: By, lanes: list[By]) -> bool:
    """Is this a gate, which lets another state through in its own step, and which the next step hears?"""
    return all(v.op == "sigmoid" for v in lane.values()) and any(_feeds(lane, h) for h in lanes if h is not lane)


def _by_way_of(i: int, lanes: list[By], recurrent: list[int]) -> bool:
    """Does lane i, made from a recurrent one, come back through a product and by way of that one alone? So does the h
    of an LSTM without gates: it is tanh(c), and only c hears it."""
    reached, product, _ = _carry(lanes[i], set())
    return i not in recurrent and reached and product and any(_feeds(lanes[c], lanes[i]) for c in recurrent)


def _same_node(a: By, b: By) -> bool:
    return any(a[t].node is b[t].node for t in a if t in b)


def _feeds(lane: By, h: By) -> bool:
    """Is `lane` what h is made from, in the same step and scope?"""
    t = next((t for t in lane if t in h), None)
    if t is None:
        return False
    if lane[t].node is h[t].node:
        return True
    made = {lane[t]}  # or what it would be without a mask
    made |= {tail for tail, _ in lane[t].inputs if lane[t].op == "where" and tail.step == t}
    waiting, seen = [h[t]], set()
    while waiting:
        for tail, _ in waiting.pop().inputs:
            if tail in made:
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
    backward = any(
        use.step is not None and use.step < v.step for v in lane.values() for use, _ in v.uses if v.step is not None
    )
    return Layer(lane, h0=_initial(lane, graph), backward=backward)


def _initial(lane: By, graph: Graph) -> Vertex | None:
    """What stands in the first step where the state stands in the others."""
    slots = _slots(lane)
    first = min(lane.values(), key=lambda v: v.order)
    partners = _partners(lane)
    for v in ancestors(first, first.step):  # what meets the weight that the states meet: the surest sign
        for tail, i in v.inputs:
            if tail.step is None and any((v.op, i, other) in partners for other, _ in v.inputs):
                return tail
    for v in ancestors(first, first.step):
        for tail, i in v.inputs:
            if (v.local, i) in slots and tail.step is None:
                return tail
    later = next((v for v in lane.values() if _way_back(v, lane)), None)
    start = first  # its step may have other operations: then by the way back that the later ones have
    for op, i in _way_back(later, lane) if later is not None else ():
        tails = [tail for tail, argument in start.inputs if argument == i and start.op == op]
        if not tails or start.step != first.step:
            return None
        start = tails[0]
    return start if start.step is None else None


def _way_back(v: Vertex, lane: By) -> tuple[tuple[str, int], ...]:
    """The (operation, argument) pairs that lead from a state back to that of another step, the shortest; or none."""
    waiting: deque[tuple[Vertex, tuple[tuple[str, int], ...]]] = deque([(v, ())])
    seen = {v}
    while waiting:
        u, way = waiting.popleft()
        for tail, i in u.inputs:
            if tail.step == v.step and tail not in seen:
                seen.add(tail)
                waiting.append((tail, (*way, (u.op, i))))
            elif tail.step is not None and tail.step != v.step and lane.get(tail.step) is tail:
                return (*way, (u.op, i))
    return ()


def _partners(lane: By) -> set[tuple[str, int, Vertex]]:
    """What meets a state in the step after and belongs to no step, a weight: (operation, argument of the state, it)."""
    uses = [(use, i) for v in lane.values() for use, i in v.uses if use.step not in (v.step, None)]
    return {(use.op, i, other) for use, i in uses for other, _ in use.inputs if other.step is None}


def _slots(lane: By) -> set[tuple[str, int]]:
    """Where, in the step after, a state goes in: (local key, argument)."""
    return {(use.local, i) for v in lane.values() for use, i in v.uses if use.step not in (v.step, None)}


def restarts_of(graph: Graph, layers: list[Layer]) -> dict[Vertex, Vertex]:
    """States that were detached on their way to the next step (truncated BPTT), and what they were before."""
    detached = [v for v in graph.vertices if v.is_leaf and v.tensor is not None and v.tensor.origin == "detach"]
    if not detached:
        return {}
    states = {id(v.value): v for layer in layers for lane in (layer.h, layer.c) for v in lane.values()}
    return {v: states[id(v.value)] for v in detached if id(v.value) in states}


def ancestors(v: Vertex, step: int | None) -> list[Vertex]:
    """`v` and what it is made from within the step."""
    found, waiting = {v: None}, [v]
    while waiting:
        for tail, _ in waiting.pop().inputs:
            if tail.step == step and tail not in found:
                found[tail] = None
                waiting.append(tail)
    return list(found)
