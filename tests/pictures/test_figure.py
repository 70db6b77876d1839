"""The model: positions, outlines, keys, letters and colours."""

import math

import pytest

from tinygrad_rnn.pictures.figure import (
    Edge,
    Figure,
    Node,
    Text,
    border,
    curve,
    elbow,
    label,
    port,
    route,
    slug,
    straight,
    text_at,
    text_width,
)  # fmt: skip
from tinygrad_rnn.pictures.lettering import clean, runs
from tinygrad_rnn.pictures.palette import gradient_colour, ink_on

from .samples import cells, shapes


def on_outline(node: Node, point: tuple[float, float]) -> float:
    """Distance of a point from a rounded box's outline, by the signed distance of a rounded rectangle."""
    qx = abs(point[0] - node.x) - (node.width / 2 - node.corner)
    qy = abs(point[1] - node.y) - (node.height / 2 - node.corner)
    return math.hypot(max(qx, 0), max(qy, 0)) + min(max(qx, qy), 0) - node.corner


@pytest.mark.parametrize("angle", range(0, 360, 7))
def test_lines_end_on_the_outline(angle: int) -> None:
    far = (10 + 200 * math.cos(math.radians(angle)), 20 + 200 * math.sin(math.radians(angle)))
    box = Node("box", 10, 20, 54, 36)
    assert on_outline(box, border(box, far)) == pytest.approx(0, abs=1e-9)
    ellipse = Node("e", 10, 20, 54, 36, "ellipse")
    x, y = border(ellipse, far)
    assert ((x - 10) / 27) ** 2 + ((y - 20) / 18) ** 2 == pytest.approx(1)
    rect = Node("r", 10, 20, 54, 36, "rect")
    x, y = border(rect, far)
    assert max(abs(x - 10) / 27, abs(y - 20) / 18) == pytest.approx(1)
    for node in (box, ellipse, rect):  # on the ray, and between the centre and the far point
        x, y = border(node, far)
        assert math.atan2(y - 20, x - 10) == pytest.approx(math.atan2(far[1] - 20, far[0] - 10))


@pytest.mark.parametrize("offset", [-18, -15, -9, 0, 9, 17, 18])
def test_a_port_is_on_the_outline(offset: float) -> None:
    box = Node("box", 10, 20, 54, 36)
    x, y = port(box, "left", offset)
    assert y == 20 + offset
    assert x < 10
    assert on_outline(box, (x, y)) == pytest.approx(0, abs=1e-9)
    x, y = port(Node("c", 0, 0, 36, 36, "circle"), "bottom", offset)
    assert math.hypot(x, y) == pytest.approx(18)
    assert y <= 1e-9


def test_routes() -> None:
    a, b = Node("a", 0, 0, 40, 20, "rect"), Node("b", 100, 50, 20, 20, "circle")
    assert elbow(a, b) == ((20, 0), (100, 0), (100, 40))
    assert elbow(a, b, "y") == ((0, 10), (0, 50), (90, 50))
    assert route(a, (30, 0), (30, 50), b) == ((20, 0), (30, 0), (30, 50), (90, 50))
    assert straight((1, 2), (3, 4)) == ((1, 2), (3, 4))
    assert curve(a, (50, 0), (100, 20), b) == ((20, 0), (50, 0), (100, 20), (100, 40))
    assert elbow(a, Node("c", 100, 0, 20, 20)) == ((20, 0), (90, 0))
    with pytest.raises(ValueError, match="first must be"):
        elbow(a, b, "z")
    with pytest.raises(ValueError, match="two stops"):
        route(a)
    with pytest.raises(ValueError, match="side must be"):
        port(a, "middle")


def test_the_shaft_ends_inside_the_head_and_the_tip_stays() -> None:
    points, tip = Edge("e", "a", "b", ((0, 0), (0, 50), (100, 50))).shaft()
    assert (points, tip) == (((0, 0), (0, 50), (92.5, 50)), (100, 50))
    assert Edge("e", "a", "b", ((0, 0), (100, 0)), arrow=False).shaft() == (((0, 0), (100, 0)), None)
    points, tip = Edge("e", "a", "b", ((0, 0), (5, 0))).shaft()  # shorter than its head
    assert points[-1][0] == pytest.approx(1)
    assert Edge("e", "a", "b", ((3, 3), (3, 3))).shaft()[1] is None


def test_keys() -> None:
    assert shapes().keys() == (
        "a", "b", "c", "d", "e", "words", "remark", "a->b", "a->b#2", "a->c", "b->d", "d->d",
    )  # fmt: skip
    assert "t=2" in cells().keys()  # noqa: SIM118
    assert len({cells(n).prefix for n in range(1, 20)}) == 19
    assert slug("a b") != slug("a_b") != slug("a%20b")


A, B = Node("a", 0, 0, 10, 10), Node("b", 50, 0, 10, 10)


@pytest.mark.parametrize(
    ("nodes", "edges", "message"),
    [
        ([A, A], [], "'a' is used twice"),
        ([A, B], [Edge("a", "a", "b", straight(A, B))], "'a' is used twice"),
        ([Node("", 0, 0, 1, 1)], [], "'' is empty"),
        ([A], [Edge("e", "a", "b", ((0, 0), (1, 1)))], "no node 'b'"),
        ([A, B], [Edge("e", "a", "b")], "0 points do not make a line"),
        ([A, B], [Edge("e", "a", "b", ((0, 0),) * 5, "bezier")], "5 points do not make a bezier"),
        ([A, B], [Edge("e", "a", "b", ((0, 0), (math.nan, 1)))], "not finite"),
        ([Node("a", math.inf, 0, 1, 1)], [], "not finite"),
        ([Node("a", 0, 0, -1, 1)], [], "negative"),
        ([Node("a", 0, 0, 1, 1, "blob")], [], "shape 'blob' is none of"),  # type: ignore[arg-type]
    ],
)
def test_what_cannot_be_drawn_is_refused(nodes: list[Node], edges: list[Edge], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Figure("f", "", tuple(nodes), tuple(edges))


def test_bounds_hold_everything() -> None:
    assert Figure("empty").bounds() == (0, 0, 0, 0)
    wide = Node("a", 0, 0, 10, 10, lines=(Text("a very long label"),))
    assert Figure("f", "", (wide,)).bounds()[2] == pytest.approx(text_width("a very long label") / 2)
    plain, noted = Figure("f", "", (A, B)), Figure("f", "", (A, B), note="a note")
    assert noted.bounds()[1] < plain.bounds()[1] - 10
    assert noted.keys() == plain.keys()
    loop = shapes().bounds()
    assert loop[2] >= 260


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("h_1", "h₁"), ("h_{t-1}", "hₜ₋₁"), ("W_hh", "Wₕₕ"), ("W_xh", "Wₓₕ"), ("L_t", "Lₜ"), ("dW_hh", "dWₕₕ"),
        ("W_hy", "W_hy"), ("b_y", "b_y"), ("W_f", "W_f"), ("h_{y}", "h_{y}"), ("hidden_state", "hidden_state"),
        ("layer_10", "layer₁₀"), ("∂c_t/∂c_{t-1}", "∂cₜ/∂cₜ₋₁"), ("a_b_c", "a_b_c"), ("_x", "_x"), ("x_", "x_"),
        ("h_{t+1} = f(h_t)", "hₜ₊₁ = f(hₜ)"), ("x_H", "x_H"), ("", ""),
    ],
)  # fmt: skip
def test_labels(name: str, shown: str) -> None:
    assert label(name) == shown


def test_widths() -> None:
    assert text_width("tanh", 10) == pytest.approx(10 * (0.278 + 0.556 + 0.556 + 0.556))
    assert text_width("日本", 10) == 20
    assert text_width("e\u0301", 10) == text_width("e", 10)
    assert text_width("h", 12, bold=True) > text_width("h", 12)
    start = text_at("k", 5, 0, Text("abc"), align="start")
    assert start.x - start.width / 2 == pytest.approx(5)


def test_runs_keep_the_line_together() -> None:
    assert [run[0] for run in runs("∇ hₜ₋₁ = 1")] == ["∇", " h", "t−1", " = 1"]
    ends = [x + text_width(text, size) for text, x, _, size in runs("hₜ₋₁", 12.0)]
    assert ends[-1] == pytest.approx(text_width("hₜ₋₁", 12.0), abs=0.1)


def test_clean() -> None:
    assert clean("a\x00b\x1f\ud800\ufffe") == "ab"
    assert clean("  a  b ") == "\xa0\xa0a\xa0\xa0b\xa0"
    assert clean("a b") == "a b"


def test_rows_stand_around_the_middle() -> None:
    node = Node("a", 0, 100, 50, 50, lines=(Text("one\ntwo", 10), Text("three", 20)))
    rows = [(line.text, y) for line, y in node.rows()]
    assert [text for text, _ in rows] == ["one", "two", "three"]
    assert rows[0][1] - rows[1][1] == pytest.approx(12)
    assert rows[0][1] + 6 - 100 == pytest.approx(100 - (rows[2][1] - 12))


def test_gradient_colours_go_from_blue_to_red_with_legible_ink() -> None:
    def channels(value: float) -> tuple[int, ...]:
        colour = gradient_colour(value)
        return tuple(int(colour[i : i + 2], 16) for i in (1, 3, 5))

    reds = [channels(v)[0] - channels(v)[2] for v in (-9, -5, -3, -1, 0, 0.5, 1, 2, 3)]
    assert reds == sorted(reds)
    assert gradient_colour(math.nan) not in {gradient_colour(v / 10) for v in range(-60, 40)}
    for tenth in range(-60, 40):
        assert contrast(gradient_colour(tenth / 10), ink_on(gradient_colour(tenth / 10))) > 4.0


def contrast(a: str, b: str) -> float:
    def luminance(colour: str) -> float:
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    high, low = sorted((luminance(a), luminance(b)), reverse=True)
    return (high + 0.05) / (low + 0.05)
