"""A small layered layout, for graphs without positions where no Graphviz is: longest path, then barycentres.

Good to about sixty nodes. Ranks go left to right; a long edge gets a place in every rank that it crosses, so that it
runs between the nodes and not over them.
"""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import replace
from itertools import pairwise

from . import engines
from .dot import MAX_LAYOUT_NODES, TooLarge, layout_with_dot
from .figure import Edge, Figure, Node, Point, Stop, curve

__all__ = ["arrange", "layered"]

RANK_GAP = 44.0  # points between two ranks
NODE_GAP = 20.0  # points between two nodes of a rank
SWEEPS = 8

Place = str | tuple[int, int]  # a node's key, or (number of the edge, rank) where a long edge passes


def arrange(
    nodes: Iterable[Node], edges: Iterable[Edge], *, title: str, description: str = "", note: str = ""
) -> Figure:
    """Positions by Graphviz's ``dot`` where that works, otherwise by :func:`layered`, and the note says so.

    Raises ``TooLarge``, and EngineError where the environment asks for an engine that fails.
    """
    nodes, edges = tuple(nodes), tuple(edges)
    forced = os.environ.get(engines.VARIABLE, "").strip()
    if forced == "builtin":
        return layered(nodes, edges, title=title, description=description, note=note)
    try:
        return layout_with_dot(nodes, edges, title=title, description=description, note=note)
    except engines.EngineError as error:
        if forced:
            raise
        note = " | ".join(filter(None, (note, f"simple layout: {error}")))
        return layered(nodes, edges, title=title, description=description, note=note)


def layered(
    nodes: Iterable[Node], edges: Iterable[Edge], *, title: str, description: str = "", note: str = ""
) -> Figure:
    """Positions for nodes that have sizes but no positions, and points for edges that have none, left to right.

    Deterministic: ties keep the order given. Cycles are allowed; an edge that closes one runs backwards.
    Raises ValueError for an edge to no node, ``TooLarge`` above ``MAX_LAYOUT_NODES`` nodes.
    """
    nodes, edges = tuple(nodes), tuple(edges)
    if len(nodes) > MAX_LAYOUT_NODES:
        raise TooLarge(f"{len(nodes)} nodes are too many to lay out or to read (at most {MAX_LAYOUT_NODES})")
    known = {node.key: node for node in nodes}
    for edge in edges:
        for end in (edge.tail, edge.head):
            if end not in known:
                raise ValueError(f"edge {edge.key!r}: there is no node {end!r}")
    rank = _ranks([node.key for node in nodes], [(edge.tail, edge.head) for edge in edges])
    layers: list[list[Place]] = [[] for _ in range(max(rank.values(), default=-1) + 1)]
    for node in nodes:
        layers[rank[node.key]].append(node.key)
    chains: list[list[Place]] = []
    for number, edge in enumerate(edges):
        low, high = rank[edge.tail], rank[edge.head]
        between = range(low + 1, high) if low < high else range(low - 1, high, -1)
        for passed in between:
            layers[passed].append((number, passed))
        chains.append([edge.tail, *((number, passed) for passed in between), edge.head])
    _order(layers, chains)
    placed = _place(layers, chains, known)
    drawn = {key: replace(node, x=placed[key][0], y=placed[key][1]) for key, node in known.items()}
    return Figure(
        title,
        description,
        tuple(drawn.values()),
        tuple(_draw(*each, placed, drawn) for each in zip(edges, chains, _bends(edges), strict=True)),
        note=note,
    )


def _ranks(keys: list[str], pairs: list[tuple[str, str]]) -> dict[str, int]:
    """Length of the longest path to each node, over the edges that close no cycle."""
    heads: dict[str, list[str]] = defaultdict(list)
    for tail, head in pairs:
        heads[tail].append(head)
    finished: list[str] = []  # heads before tails
    state = dict.fromkeys(keys, 0)  # 1: on the path, 2: done
    forward: list[tuple[str, str]] = []
    for start in keys:
        if state[start]:
            continue
        state[start] = 1
        path = [(start, iter(heads[start]))]
        while path:
            key, rest = path[-1]
            for head in rest:
                if state[head] != 1:
                    forward.append((key, head))
                if not state[head]:
                    state[head] = 1
                    path.append((head, iter(heads[head])))
                    break
            else:
                path.pop()
                state[key] = 2
                finished.append(key)
    after: dict[str, list[str]] = defaultdict(list)
    for tail, head in forward:
        after[tail].append(head)
    rank = dict.fromkeys(keys, 0)
    for key in reversed(finished):
        for head in after[key]:
            rank[head] = max(rank[head], rank[key] + 1)
    for key in finished:  # a source, say a parameter, stands just before its first use
        if not any(head == key for _, head in forward) and after[key]:
            rank[key] = min(rank[head] for head in after[key]) - 1
    return rank


def _neighbours(chains: list[list[Place]]) -> dict[Place, list[Place]]:
    beside: dict[Place, list[Place]] = defaultdict(list)
    for chain in chains:
        for a, b in pairwise(chain):
            beside[a].append(b)
            beside[b].append(a)
    return beside


def _order(layers: list[list[Place]], chains: list[list[Place]]) -> None:
    """Sort each rank by the mean position of its neighbours in the rank before (then after), sweep by sweep."""
    beside = _neighbours(chains)
    where = {place: index for layer in layers for index, place in enumerate(layer)}
    level = {place: number for number, layer in enumerate(layers) for place in layer}
    for sweep in range(SWEEPS):
        step = 1 if sweep % 2 == 0 else -1
        for number in range(len(layers))[::step]:
            def mean(place: Place, from_rank: int = number - step) -> float:
                seen = [where[other] for other in beside[place] if level[other] == from_rank]
                return sum(seen) / len(seen) if seen else where[place]

            layers[number].sort(key=mean)
            where.update((place, index) for index, place in enumerate(layers[number]))


def _place(layers: list[list[Place]], chains: list[list[Place]], known: dict[str, Node]) -> dict[Place, Point]:
    """Coordinates: ranks side by side; in a rank each place as near to the mean height of its neighbours as it fits."""
    beside = _neighbours(chains)

    def size(place: Place) -> tuple[float, float]:
        return (known[place].width, known[place].height) if isinstance(place, str) else (0.0, 0.0)

    x, height = {}, {}
    left = 0.0
    for layer in layers:
        wide = max((size(place)[0] for place in layer), default=0.0)
        y = 0.0
        for place in layer:
            x[place] = left + wide / 2
            height[place] = y - size(place)[1] / 2
            y -= size(place)[1] + NODE_GAP
        for place in layer:
            height[place] -= y / 2
        left += wide + RANK_GAP
    for sweep in range(SWEEPS):
        for layer in layers if sweep % 2 == 0 else reversed(layers):
            wish = [_mean([height[other] for other in beside[place]], height[place]) for place in layer]
            needed = [(size(a)[1] + size(b)[1]) / 2 + NODE_GAP for a, b in pairwise(layer)]
            down, up = wish[:], wish[:]
            for i, gap in enumerate(needed):
                down[i + 1] = min(down[i + 1], down[i] - gap)
            for i in range(len(needed) - 1, -1, -1):
                up[i] = max(up[i], up[i + 1] + needed[i])
            for place, a, b in zip(layer, down, up, strict=True):
                height[place] = (a + b) / 2
    return {place: (x[place], height[place]) for place in x}


def _mean(values: list[float], otherwise: float) -> float:
    return sum(values) / len(values) if values else otherwise


def _draw(edge: Edge, chain: list[Place], bend: float, placed: dict[Place, Point], drawn: dict[str, Node]) -> Edge:
    """Smooth from place to place; straight between neighbours that are steeply above one another.

    ``bend`` moves the middle up, in points, so that several edges between the same two nodes can be told apart.
    """
    tail, head = drawn[edge.tail], drawn[edge.head]
    points: tuple[Point, ...] = ()
    if edge.tail == edge.head:
        up = tail.y + tail.height / 2 + 24 + abs(bend)
        points = curve(tail, (tail.x - tail.width / 2, up), (tail.x + tail.width / 2, up), tail)
        return replace(edge, points=points, curve="bezier")
    stops: list[Stop] = [tail, *(placed[place] for place in chain[1:-1]), head]
    lift = bend if len(stops) == 2 else 0.0  # a long edge has places of its own
    for a, b in pairwise(stops):
        (ax, ay), (bx, by) = (stop if isinstance(stop, tuple) else (stop.x, stop.y) for stop in (a, b))
        if len(stops) == 2 and abs(by - ay) > abs(bx - ax) / 3:
            controls = ((2 * ax + bx) / 3, (2 * ay + by) / 3 + lift), ((ax + 2 * bx) / 3, (ay + 2 * by) / 3 + lift)
        else:
            controls = ((ax + bx) / 2, ay + lift), ((ax + bx) / 2, by + lift)
        points = points[:-1] + curve(a, *controls, b)
    return replace(edge, points=points, curve="bezier")


def _bends(edges: tuple[Edge, ...]) -> list[float]:
    """For each edge how far to bend it, in points: 0 unless others join the same two nodes."""
    pairs = [frozenset((edge.tail, edge.head)) for edge in edges]
    total, seen = Counter(pairs), Counter[frozenset[str]]()
    bends = []
    for pair in pairs:
        bends.append(18.0 * (seen[pair] - (total[pair] - 1) / 2))
        seen[pair] += 1
    return bends
