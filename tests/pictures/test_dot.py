"""DOT text: portable, deterministic, meaning exactly what the figure says; and layouts for graphs without positions."""

import json
import os
import subprocess
import sys
import xml.etree.ElementTree as ET
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinygrad_rnn.pictures import engines
from tinygrad_rnn.pictures.dot import MAX_LAYOUT_NODES, TooLarge, layout_with_dot, to_dot
from tinygrad_rnn.pictures.figure import Edge, Figure, Node, Text, slug, straight
from tinygrad_rnn.pictures.layered import arrange, layered

from .samples import FIGURES, SVG, cells, hostile, needs_dot, needs_wasi, shapes, texts, things

PRINTABLE = st.characters(codec="utf-8", exclude_categories=["Cc", "Cn", "Co", "Cs"])


def as_json(dot: str) -> dict:
    return json.loads(engines.run("dot", dot, "json"))


def test_it_is_the_same_on_every_run() -> None:
    code = (
        "from tests.pictures.samples import FIGURES; from tinygrad_rnn.pictures.dot import to_dot; import hashlib\n"
        "print(hashlib.sha256(''.join(to_dot(f()) for f in FIGURES.values()).encode()).hexdigest())"
    )
    answers = set()
    for seed in ("0", "1", "4711"):
        environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        run = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
        answers.add(run.stdout)
    assert len(answers) == 1


@pytest.mark.parametrize("name", FIGURES)
def test_it_is_portable(name: str) -> None:
    dot = to_dot(FIGURES[name]())
    assert "label=<" not in dot
    assert "0x" not in dot
    assert "arrowhead=normal" in dot.split("{")[1]  # the defaults come first


@needs_dot
@pytest.mark.parametrize("name", FIGURES)
def test_names_classes_and_positions_survive_graphviz(name: str) -> None:
    figure = FIGURES[name]()
    graph = as_json(to_dot(figure))
    objects = {o["name"]: o for o in graph["objects"]}
    for node in figure.nodes:
        seen = objects[slug(node.key)]
        x, y = (float(v) for v in seen["pos"].split(","))
        wide = float(seen["width"]) * 72  # 2.43 rounds to whole points
        assert y == pytest.approx(node.y, abs=0.011)
        if node.align == "start":  # room to the right, for a wider font; the left edge stays
            assert wide >= node.width - 0.51
            assert x - wide / 2 == pytest.approx(node.x - node.width / 2, abs=0.51)
        else:
            assert x == pytest.approx(node.x, abs=0.011)
            assert wide == pytest.approx(node.width, abs=0.51)
        assert seen["id"] == figure.id_of(node.key)
    ends = [(graph["objects"][e["tail"]]["name"], graph["objects"][e["head"]]["name"], e["id"]) for e in graph["edges"]]
    assert sorted(ends) == sorted((slug(e.tail), slug(e.head), figure.id_of(e.key)) for e in figure.edges)
    boxes = {o["id"]: o["bb"] for o in graph["objects"] if o["name"].startswith("cluster")}
    assert set(boxes) == {figure.id_of(box.key) for box in figure.boxes}
    for box in figure.boxes:
        corners = [float(v) for v in boxes[figure.id_of(box.key)].split(",")]
        assert corners == pytest.approx([box.x0, box.y0, box.x1, box.y1], abs=0.011)


@needs_dot
def test_hostile_labels_are_drawn_as_they_are() -> None:
    figure = hostile()
    svg = engines.run("dot", to_dot(figure), "svg").decode()
    shown = [texts(group) for kind, group in things(svg, figure).values() if kind == "node"]
    expected = [[n.lines[0].text] for n in figure.nodes]
    expected[11], expected[12] = [], []  # of several lines, or nothing to show
    assert shown == expected
    cluster = next(group for kind, group in things(svg, figure).values() if kind == "cluster")
    assert texts(cluster) == [figure.boxes[0].label]


@needs_dot
@given(st.lists(st.text(PRINTABLE, min_size=1, max_size=8), min_size=1, max_size=12))
@settings(max_examples=40, deadline=None)
def test_any_label_round_trips(labels: list[str]) -> None:
    nodes = tuple(Node(f"n{i}", 40.0 * i, 0, 30, 20, lines=(Text(text),)) for i, text in enumerate(labels))
    figure = Figure("labels", "", nodes)
    svg = engines.run("dot", to_dot(figure), "svg").decode()
    found = things(svg, figure)
    for node in nodes:
        drawn = texts(found[node.key][1])
        assert [t.replace("\xa0", " ") for t in drawn] == [node.lines[0].text.replace("\xa0", " ")]


@needs_dot
def test_lines_of_a_label_have_their_own_colours() -> None:
    figure = cells()
    root = ET.fromstring(engines.run("dot", to_dot(figure), "svg"))
    groups = {g.get("id"): g for g in root.iter(f"{SVG}g")}
    colours = []
    for number in range(3):
        (text,) = groups[f"{figure.id_of('t2/h')}:{number}"].iter(f"{SVG}text")
        colours.append((text.text, text.get("fill", "")))
    assert [t for t, _ in colours] == ["h₂", "0.644", "∇ +0.0272"]
    assert [c for _, c in colours] == ["#111827", "#15803d", "#dc2626"]


def test_double_edges_are_two() -> None:
    figure = shapes()
    assert to_dot(figure).count("\ta -> b ") == 2


# --- layouts -------------------------------------------------------------------------------------------------------


def chain() -> tuple[list[Node], list[Edge]]:
    names = ["x", "W", "mm", "add", "b", "tanh", "L"]
    pairs = [("x", "mm"), ("W", "mm"), ("mm", "add"), ("b", "add"), ("add", "tanh"), ("tanh", "L"), ("x", "L")]
    pairs.append(("mm", "add"))
    nodes = [Node(n, 0, 0, 40 + 3 * i, 30, "circle" if i % 2 else "box", (Text(n),)) for i, n in enumerate(names)]
    edges = [Edge(f"{i}", a, b, width=1.0 + i) for i, (a, b) in enumerate(pairs)]
    return nodes, edges


def check_layout(figure: Figure, nodes: list[Node], edges: list[Edge]) -> None:
    assert figure.keys() == tuple(n.key for n in nodes) + tuple(e.key for e in edges)
    for a, b in combinations(figure.nodes, 2):
        apart = abs(a.x - b.x) >= (a.width + b.width) / 2 or abs(a.y - b.y) >= (a.height + b.height) / 2
        assert apart, (a.key, b.key)
    places = {node.key: node for node in figure.nodes}
    for edge, before in zip(figure.edges, edges, strict=True):
        assert edge == replace(before, points=edge.points, curve="bezier")
        assert places[edge.tail].x < places[edge.head].x
        for end, (x, y) in ((places[edge.tail], edge.points[0]), (places[edge.head], edge.points[-1])):
            assert abs(x - end.x) <= end.width / 2 + 1
            assert abs(y - end.y) <= end.height / 2 + 1
    assert len({edge.points for edge in figure.edges}) == len(edges)  # the double edge is visible as two


@pytest.mark.parametrize("engine", [pytest.param("dot", marks=needs_dot), pytest.param("wasi", marks=needs_wasi)])
def test_layout_by_graphviz(engine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(engines.VARIABLE, engine)
    nodes, edges = chain()
    check_layout(layout_with_dot(nodes, edges, title="chain"), nodes, edges)


def test_layout_of_our_own() -> None:
    nodes, edges = chain()
    figure = layered(nodes, edges, title="chain", note="install Graphviz for a better layout")
    check_layout(figure, nodes, edges)
    assert figure == layered(nodes, edges, title="chain", note="install Graphviz for a better layout")


def test_arrange_takes_what_there_is_and_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    nodes, edges = chain()
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv(engines.VARIABLE, raising=False)
    monkeypatch.setattr(engines, "_present", lambda name: name == "builtin")
    figure = arrange(nodes, edges, title="chain", note="first")
    check_layout(figure, nodes, edges)
    assert figure.note.startswith("first | simple layout: no Graphviz is installed")
    monkeypatch.setenv(engines.VARIABLE, "builtin")  # asked for: nothing to explain
    assert arrange(nodes, edges, title="chain").note == ""
    monkeypatch.setenv(engines.VARIABLE, "dot")
    with pytest.raises(engines.MissingEngine):
        arrange(nodes, edges, title="chain")


def test_our_own_layout_stands_cycles_loops_and_nothing() -> None:
    assert layered([], [], title="none").nodes == ()
    nodes = [Node(n, 0, 0, 20, 20) for n in "abc"]
    edges = [Edge("1", "a", "b"), Edge("2", "b", "c"), Edge("3", "c", "a"), Edge("4", "b", "b")]
    figure = layered(nodes, edges, title="cycle")
    assert len(figure.edges) == 4
    with pytest.raises(ValueError, match="no node 'z'"):
        layered(nodes, [Edge("5", "a", "z")], title="bad")


def test_our_own_layout_does_not_recurse() -> None:
    nodes = [Node(f"n{i}", 0, 0, 20, 20) for i in range(MAX_LAYOUT_NODES)]
    edges = [Edge(f"e{i}", f"n{i}", f"n{i + 1}") for i in range(MAX_LAYOUT_NODES - 1)]
    figure = layered(nodes, edges, title="long")
    assert figure.nodes[-1].x > figure.nodes[0].x


@pytest.mark.parametrize("layout", [layout_with_dot, layered])
def test_too_large_is_refused_by_name(layout) -> None:  # type: ignore[no-untyped-def]
    nodes = [Node(f"n{i}", 0, 0, 20, 20) for i in range(MAX_LAYOUT_NODES + 1)]
    with pytest.raises(TooLarge, match="401 nodes"):
        layout(nodes, [], title="large")


def test_layout_without_an_engine_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(engines, "_present", lambda name: name == "builtin")
    with pytest.raises(engines.MissingEngine, match="apt install graphviz"):
        layout_with_dot(*chain(), title="chain")


def test_straight_is_cut_before_it_is_written() -> None:
    a, b = Node("a", 0, 0, 20, 20, "rect"), Node("b", 100, 0, 20, 20, "rect")
    dot = to_dot(Figure("f", "", (a, b), (Edge("e", "a", "b", straight(a, b)),)))
    assert 'pos="e,90,0 10,0 34.17,0 58.33,0 82.5,0"' in dot
