"""The unrolled network with the first wrong edge: the right line is red, and nothing green depends on it."""

from __future__ import annotations

import itertools
import re
import xml.etree.ElementTree as ET

import pytest

from tinygrad_rnn.course.render.figure import first_wrong_edge, located, unrolled

BACK = ("dX", "dx", "dH", "dHs", "dh", "dh_prev", "dO", "dY", "dW_hh", "dW_xh", "db_h", "dW_hy", "db_y", "da", "dgates")
FORTH = ("Hs", "H", "h", "Y", "O", "logits", "gates")
CELL = ("dC", "dc_prev", "C", "Cs")
CASES = [
    (kind, output, step, steps)
    for kind, outputs in (("elman", BACK + FORTH), ("lstm", BACK + FORTH + CELL))
    for output in outputs
    for step, steps in ((0, 1), (0, 5), (2, 5), (4, 5), (0, 30), (17, 30), (29, 30))
]


@pytest.mark.parametrize(
    ("kind", "output", "step", "edge"),
    [
        ("elman", "dX", 2, "t3/x->t3/h"),
        ("elman", "dx", 0, "t1/x->t1/h"),
        ("elman", "dH", 2, "t3/h->t4/h"),  # what the step after sends back
        ("elman", "dh", 4, "t5/h->t5/y"),  # the last step has none after it
        ("elman", "dh_prev", 2, "t2/h->t3/h"),
        ("elman", "dO", 1, "t2/h->t2/y"),
        ("elman", "dlogits", 1, "t2/h->t2/y"),
        ("elman", "dW_hh", 3, "t4/W->t4/h"),
        ("elman", "db_h", 3, "t4/W->t4/h"),
        ("elman", "dW_hy", 3, "t4/V->t4/y"),
        ("elman", "db_y", 3, "t4/V->t4/y"),
        ("elman", "Hs", 3, "t3/h->t4/h"),
        ("elman", "Hs", 0, "t0/h->t1/h"),
        ("elman", "logits", 3, "t4/h->t4/y"),
        ("lstm", "dC", 2, "t3/c->t4/c"),
        ("lstm", "dC", 4, "t5/c->t5/h"),
        ("lstm", "dc_prev", 0, "t0/c->t1/c"),
        ("lstm", "C", 1, "t1/c->t2/c"),
    ],
)
def test_an_output_is_located_by_its_name(kind, output, step, edge):
    where = located(kind, output, step, 5)
    assert f"{where.tail}->{where.head}" == edge
    assert where.goes == ("back" if output[0] == "d" else "forth")
    figure = unrolled(kind, output, step, 5)
    assert [e.key for e in figure.edges if e.role == "wrong"] == [edge]


@pytest.mark.parametrize("output", ["da", "dgates", "anything", "gates", "dz"])
def test_what_is_on_no_line_marks_the_cell(output):
    figure = unrolled("lstm", output, 1, 4)
    assert not [e for e in figure.edges if e.role == "wrong"]
    assert [n.key for n in figure.nodes if n.stroke == "#dc2626"] == ["t2/h"]


@pytest.mark.parametrize(("kind", "output", "step", "steps"), CASES)
def test_no_green_line_depends_on_what_is_wrong(kind, output, step, steps):
    figure = unrolled(kind, output, step, steps)
    back = located(kind, output, step, steps).goes == "back"
    ends = {e.key: (e.head, e.tail) if back else (e.tail, e.head) for e in figure.edges if e.role != "bus"}
    wrong = [ends[e.key][1] for e in figure.edges if e.role == "wrong"]
    reached = set(wrong or [n.key for n in figure.nodes if n.stroke == "#dc2626"])
    assert reached
    for _ in ends:
        reached |= {end for start, end in ends.values() if start in reached}
    green = {e.key for e in figure.edges if e.role == "right"}
    assert not {key for key in green if ends[key][0] in reached}
    assert all(e.dashed == (e.role in ("not judged", "suspect")) for e in figure.edges if e.role != "bus")


def test_the_steps_that_the_gradient_passed_before_are_green():
    green = {e.key for e in unrolled("elman", "dH", 1, 4).edges if e.role == "right"}
    assert green == {"t3/h->t4/h", "t3/h->t3/y", "t4/h->t4/y"}
    green = {e.key for e in unrolled("elman", "Hs", 2, 4).edges if e.role == "right"}
    assert green == {
        "t0/h->t1/h", "t1/h->t2/h", "t1/x->t1/h", "t2/x->t2/h", "t1/W->t1/h", "t2/W->t2/h",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "output", "step", "edges"),
    [
        ("elman", "dX", 2, {"t3/h->t4/h"}),  # the gradient of x is wrong, or what the step after sent already was
        ("elman", "dX", 4, {"t5/h->t5/y"}),
        ("elman", "dW_hh", 0, {"t1/h->t2/h"}),
        ("lstm", "dgates", 1, {"t2/h->t3/h", "t2/c->t3/c"}),
        ("elman", "dH", 2, set()),  # that line itself is red
        ("elman", "dW_hy", 2, set()),  # which no step after reaches
        ("elman", "Hs", 2, set()),
    ],
)
def test_what_comes_into_a_cell_that_is_wrong_is_a_suspect(kind, output, step, edges):
    figure = unrolled(kind, output, step, 5)
    assert {e.key for e in figure.edges if e.role == "suspect"} == edges
    assert ("may be wrong already" in figure.description) == bool(edges)


@pytest.mark.parametrize(("step", "steps"), [(0, 100), (1, 100), (50, 100), (98, 100), (99, 100), (3, 8)])
def test_of_many_steps_the_first_the_last_and_those_near_are_drawn(step, steps):
    figure = unrolled("lstm", "dX", step, steps)
    drawn = {int(m[1]) for n in figure.nodes if (m := re.fullmatch(r"t(\d+)/x", n.key))}
    assert {1, steps, step + 1} <= drawn
    assert len(drawn) <= 7
    assert [n for n in figure.nodes if n.key.startswith("h/...")]


def test_seven_steps_need_no_dots():
    assert not [n for n in unrolled("elman", "dX", 3, 7).nodes if "..." in n.key]


def test_it_says_in_words_what_it_shows():
    svg = first_wrong_edge("lstm", "dC", 2, 6)
    root = ET.fromstring(svg)
    space = {"s": "http://www.w3.org/2000/svg"}
    assert root.find("s:title", space).text == "Where the gradient is first wrong: dC at step 3 (index 2)"
    about = root.find("s:desc", space).text
    assert "between c of this step and c of the step after" in about
    assert "6 time steps" in about
    words = {text.text for text in root.iter("{http://www.w3.org/2000/svg}text")}
    assert {"first", "wrong", "here"} <= words


@pytest.mark.parametrize(("kind", "output", "step", "steps"), CASES)
def test_the_mark_covers_no_box(kind, output, step, steps):
    nodes = {n.key: n for n in unrolled(kind, output, step, steps).nodes}
    mark = nodes.pop("mark")
    for node in nodes.values():
        if node.shape == "box":
            apart_x = abs(node.x - mark.x) - (node.width + mark.width) / 2
            apart_y = abs(node.y - mark.y) - (node.height + mark.height) / 2
            assert max(apart_x, apart_y) > -3, node.key


def test_what_cannot_be_drawn_is_refused():
    for kind, step, steps in (("gru", 0, 3), ("elman", 3, 3), ("elman", -1, 3), ("elman", 0, 0)):
        with pytest.raises(ValueError, match=r"unrolled graph|not among"):
            first_wrong_edge(kind, "dX", step, steps)


def test_any_name_at_all_is_located():
    letters = "dWxhbyCct_0 é"
    for name in map("".join, itertools.product(letters, repeat=2)):
        keys = {node.key for node in unrolled("lstm", name, 1, 3).nodes}
        where = located("lstm", name, 1, 3)
        assert {where.tail, where.head} <= keys
