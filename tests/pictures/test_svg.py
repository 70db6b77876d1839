"""Our own SVG: well-formed whatever comes, accessible, deterministic, fast."""

import time
import xml.etree.ElementTree as ET
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinygrad_rnn.pictures.figure import Box, Edge, Figure, Node, Text, straight
from tinygrad_rnn.pictures.svg import to_svg

from .samples import FIGURES, SVG, cells, extent, hostile, shapes, texts, things

anything = st.text(st.characters(), max_size=12)


@given(anything, anything, anything)
@settings(max_examples=300, deadline=None)
def test_hostile_text_stays_well_formed(first: str, second: str, third: str) -> None:
    nodes = (
        Node("a" + first, 0, 0, 10, 10, lines=(Text(second),), tooltip=third, role=first),
        Node("b" + first, 50, 0, 10, 10, lines=(Text(third), Text(first))),
    )
    edge = Edge("c" + first, "a" + first, "b" + first, straight(*nodes), tooltip=second, role=second)
    figure = Figure(first, second, nodes, (edge,), (Box("d" + first, 0, 0, 9, 9, third),), note=third)
    for in_runs in (False, True):
        found = things(to_svg(figure, in_runs=in_runs), figure)
        assert len(found) == 4


@pytest.mark.parametrize("name", FIGURES)
def test_everything_is_there_and_in_place(name: str) -> None:
    figure = FIGURES[name]()
    svg = to_svg(figure)
    found = things(svg, figure)
    if name != "hostile":  # where a key may hold what XML cannot
        assert set(found) == set(figure.keys())
    assert len(found) == len(figure.keys())
    for node in figure.nodes:
        if node.shape == "text" or name == "hostile":
            continue
        kind, group = found[node.key]
        half = node.width / 2, (node.width if node.shape == "point" else node.height) / 2
        where = (node.x - half[0], node.y - half[1], node.x + half[0], node.y + half[1])
        assert kind == "node"
        assert extent(group) == pytest.approx(where, abs=0.011)
        assert group.get("class", "").split(" ")[1:] == ([node.role] if node.role else [])


def test_text_comes_through() -> None:
    figure = hostile()
    shown = [texts(group) for kind, group in things(to_svg(figure), figure).values() if kind == "node"]
    expected = [[n.lines[0].text] for n in figure.nodes]
    expected[11], expected[12] = ["a", "b"], [""]
    assert shown == expected


def test_it_is_for_screen_readers_too() -> None:
    figure = hostile()
    root = ET.fromstring(to_svg(figure))
    assert root.get("role") == "img"
    named = {e.get("id"): "".join(e.itertext()) for e in root if e.tag in (f"{SVG}title", f"{SVG}desc")}
    assert [named[i] for i in root.get("aria-labelledby", "").split()] == [figure.title, figure.description]


def test_values_are_green_and_gradients_red() -> None:
    figure = cells()
    _, group = things(to_svg(figure), figure)["t2/h"]
    lines = [(t.text, t.get("fill")) for t in group.iter(f"{SVG}text")]
    assert lines == [("h₂", "#111827"), ("0.644", "#15803d"), ("∇ +0.0272", "#dc2626")]


def test_heads_touch_what_they_point_at() -> None:
    figure = shapes()
    svg = to_svg(figure)
    for edge in figure.edges:
        heads = list(things(svg, figure)[edge.key][1].iter(f"{SVG}polygon"))
        assert len(heads) == edge.arrow
        if edge.arrow:
            x, y = map(float, heads[0].get("points", "").split()[0].split(","))
            assert (x, -y) == pytest.approx(edge.points[-1], abs=0.011)


def test_order_and_page() -> None:
    figure = cells()
    kinds = [g.get("class", "").split()[0] for g in ET.fromstring(to_svg(figure)).iter(f"{SVG}g") if g.get("class")]
    assert kinds == sorted(kinds, key=["cluster", "edge", "node"].index)  # lines never cover nodes
    x0, y0, wide, high = map(float, ET.fromstring(to_svg(figure)).get("viewBox", "").split())
    left, low, right, top = figure.bounds()
    inner = (x0 + 14.4, y0 + 14.4, wide - 28.8, high - 28.8)
    assert inner == pytest.approx((left, -top, right - left, top - low), abs=0.02)


def test_an_empty_figure_is_a_picture() -> None:
    assert ET.fromstring(to_svg(Figure("nothing"))).tag == f"{SVG}svg"


def test_same_figure_same_bytes_and_a_tiny_change_shows() -> None:
    assert to_svg(cells()) == to_svg(cells())
    figure = cells()
    moved = replace(figure, nodes=(replace(figure.nodes[0], x=1.0), *figure.nodes[1:]))
    assert to_svg(moved) != to_svg(figure)


def test_five_thousand_nodes_take_less_than_a_second() -> None:
    figure = cells(1250)  # 3 750 nodes with three lines each, 6 250 edges
    start = time.perf_counter()
    to_svg(figure)
    assert time.perf_counter() - start < 1.0
