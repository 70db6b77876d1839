"""Every view from every kind of run: what is drawn, how often, with which numbers."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

import tinygrad_rnn as tg
from tinygrad_rnn import nn
from tinygrad_rnn.pictures import Drawing
from tinygrad_rnn.pictures.dot import TooLarge
from tinygrad_rnn.pictures.examples import EXAMPLES
from tinygrad_rnn.pictures.svg import to_svg
from tinygrad_rnn.pictures.views.scene import numbers

from . import models
from .samples import extent, needs_dot, needs_wasi, things

VIEWS = ("cells", "rolled", "gates", "ops", "flow")


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("name", models.ALL)
def test_every_view_of_every_run_is_a_figure_with_words(name, view):
    output = models.ALL[name]()
    if name == "failed at once" and view != "ops":  # it stopped before there was a state
        with pytest.raises(ValueError, match='view="ops" shows the steps'):
            tg.draw(output, view)
        return
    drawing = tg.draw(output, view)
    assert isinstance(drawing, Drawing)
    assert drawing.figure.title
    assert drawing.figure.description.endswith((".", ")"))
    assert len(set(drawing.keys)) == len(drawing.keys)
    assert "<svg" in to_svg(drawing.figure)


@pytest.mark.parametrize("view", VIEWS)
def test_drawing_touches_no_gradient(view):
    loss, leaves = models.elman()
    tg.draw(loss, view)
    assert all(leaf.grad is None for leaf in leaves)


def nodes(drawing):
    return {node.key: node for node in drawing.figure.nodes}


def pairs(drawing):
    return {(edge.tail, edge.head) for edge in drawing.figure.edges}


def texts(drawing):
    return [line.text for node in drawing.figure.nodes for line in node.lines]


def both(output, view):
    return both_of(tg.draw(output, view))


def both_of(drawing):
    """(the first line of each node by key, the pairs that edges link)"""
    return {key: node.lines[0].text for key, node in nodes(drawing).items() if node.lines}, pairs(drawing)


# cells


def test_cells_draw_the_shared_weight_once_with_a_copy_point_for_each_step():
    drawing = tg.draw(models.elman(T=4)[0])
    found = nodes(drawing)
    assert [key for key in found if found[key].role == "parameter"] == ["W", "V"]
    copies = [key for key in found if found[key].role == "copy"]
    assert copies == [f"t{t}/{group}" for group in "WV" for t in (1, 2, 3, 4)]
    assert {("W", "t1/W"), ("t1/W", "t2/W"), ("t3/W", "t3/h"), ("t0/h", "t1/h"), ("t3/h", "t4/h"), ("t2/x", "t2/h"),
            ("t2/h", "t2/y"), ("t2/y", "t2/L"), ("t2/L", "L"), ("V", "t1/V"),
            ("t2/V", "t2/y")} <= pairs(drawing)  # fmt: skip
    assert found["t0/h"].dashed
    assert not found["t1/h"].dashed
    assert "L = ∑ Lₜ" in texts(drawing)


@pytest.mark.parametrize("name", ["hello", "elman", "lstm", "gru", "no y", "both ways"])
def test_cells_show_every_parameter_that_a_step_uses(name):
    r = np.random.default_rng(0)
    if name == "no y":
        W, V, h, loss = tg.tensor(0.5, requires_grad=True, name="W_h"), tg.tensor(2.0, requires_grad=True), 1.0, 0.0
        V.named("V_L")
        for t in range(3):
            with tg.step(t):
                h = tg.tanh(W * h)
                loss = loss + (V * h - 1.0) ** 2
    elif name == "both ways":
        layer, readout = nn.LSTM(3, 5, num_layers=2, bidirectional=True, rng=0), nn.Linear(10, 4, rng=0)
        outputs, _ = layer(tg.tensor(r.normal(size=(3, 2, 3)).astype(np.float32)))
        loss = 0.0
        for t, h in enumerate(tg.unstack(outputs)):
            with tg.step(t):
                loss = loss + tg.cross_entropy(readout(h), np.array([1, 2]))
    else:
        loss = EXAMPLES[name](4, r)
    for values in (False, True):
        drawing = tg.draw(loss, "cells", values=values)
        shown = "\n".join(n.tooltip for n in drawing.figure.nodes if n.role == "parameter")
        for v in _vertices(loss):
            assert v.kind != "leaf" or v.key in shown.split("\n"), v.key
        boxes_apart(drawing, 4)
        level = {n.y for n in drawing.figure.nodes if n.role == "copy" and n.key.partition("/")[2].startswith("V")}
        assert len(level) == 1
        bus = level.pop()
        assert not [n.key for n in drawing.figure.nodes if n.shape != "text" and n.role != "copy"
                    and abs(n.y - bus) < n.height / 2 + 5]  # fmt: skip


def test_cells_with_each_parameter_lead_it_to_what_it_makes():
    drawing = tg.draw(models.elman(T=3)[0], parameters="each")
    assert Counter(node.role for node in drawing.figure.nodes)["copy"] == 5 * 3
    assert {("t2/W_hh", "t2/h"), ("t2/W_hy", "t2/y"), ("t2/b_y", "t2/y")} <= pairs(drawing)


def test_the_sum_is_only_written_where_the_numbers_bear_it_out():
    loss, _ = models.elman(T=3)
    assert "L = mean Lₜ" in texts(tg.draw(loss / 3.0))
    assert not any("=" in text for text in texts(tg.draw(loss * 2.0)))


def test_cells_rows_stand_over_each_other_and_columns_side_by_side():
    found = nodes(tg.draw(models.elman(T=3)[0]))
    for row in "xhyL":
        assert len({found[f"t{t}/{row}"].y for t in (1, 2, 3)}) == 1
    for t in (1, 2, 3):
        assert len({found[f"t{t}/{row}"].x for row in "xhyL"}) == 1
        heights = [found[f"t{t}/{row}"].y for row in "xhyL"]
        assert heights == sorted(heights)
    assert found["t1/h"].x < found["t2/h"].x < found["t3/h"].x


def test_an_lstm_has_a_cell_state_chain_and_a_box_for_each_cell():
    drawing = tg.draw(models.lstm(T=3))
    assert {("t0/c", "t1/c"), ("t1/c", "t2/c"), ("t2/c", "t2/h")} <= pairs(drawing)
    boxes = {box.key: box for box in drawing.figure.boxes}
    for t in (1, 2, 3):
        cell, c, h = boxes[f"t{t}/cell"], nodes(drawing)[f"t{t}/c"], nodes(drawing)[f"t{t}/h"]
        assert cell.x0 < c.x < h.x < cell.x1
        assert cell.y0 < h.y < c.y < cell.y1


@pytest.mark.parametrize("T", [2, 3, 5])
def test_names_find_the_states_where_the_first_step_is_another(T):
    """By place alone, two steps do not tell which sum of the second is c."""
    for c_0 in (True, False):
        found, _ = both(models.incomplete(T, h_0=False, c_0=c_0), "ops")
        for letter in "ch":
            symbols = [f"{letter}{'₁₂₃₄₅'[t]}" for t in range(T)]
            assert [found[f"t{t + 1}/{letter}"] for t in range(T)] == symbols


@pytest.mark.parametrize("c_0", [True, False])
def test_an_incomplete_lstm_whose_h_starts_at_none_has_a_chain_through_all_steps(c_0):
    """Its first step has fewer operations, so that c is made by another of them than later."""
    found, lines = both(models.incomplete(h_0=False, c_0=c_0), "cells")
    assert [found[f"t{t}/c"] for t in (1, 2, 3)] == ["c₁", "c₂", "c₃"]
    assert [found[f"t{t}/h"] for t in (1, 2, 3)] == ["h₁", "h₂", "h₃"]
    assert {("t1/c", "t2/c"), ("t2/c", "t3/c")} <= lines
    assert (found.get("t0/c"), ("t0/c", "t1/c") in lines) == (("c₀", True) if c_0 else (None, False))
    assert [found[f"t{t}/x"] for t in (1, 2, 3)] == ["x₁", "x₂", "x₃"]


@pytest.mark.parametrize("view", ["cells", "ops"])
def test_the_start_of_a_chain_is_called_what_its_tensor_is_called(view):
    found, _ = both(models.incomplete(), view)
    assert (found["t0/h"], found["t0/c"]) == ("h₀", "c₀")
    found, _ = both(models.lstm(names=("memory", "start")), view)
    assert (found["t0/h"], found["t0/c"]) == ("memory", "start")


def test_the_starts_of_several_layers_are_told_apart():
    output = models.ALL["both ways"]()
    found, _ = both(output, "cells")  # whose tensors all are called h_0 or c_0
    keys = ("t0/h1", "t0/c2", "tend/h1back", "tend/c2back")
    assert [found[key] for key in keys] == ["h¹₀→", "c²₀→", "h¹₅←", "c²₅←"]
    assert both(output, "gates")[0]["c_before"] == "c²₅←"


def test_the_start_of_a_later_segment_is_counted_in_data_time():
    W, h = tg.tensor(0.5, requires_grad=True), tg.tensor(1.0, name="h_0")
    for t in (2, 3):
        with tg.step(t):
            h = tg.tanh(W * h).named("h")
    assert both(h, "cells")[0]["t0/h"] == "h₂"


def test_a_start_without_a_name_is_called_as_the_states_are():
    W, s = tg.tensor(0.5, requires_grad=True), tg.tensor(1.0)
    for t in range(3):
        with tg.step(t):
            s = tg.tanh(W * s).named("s")
    assert both(s, "ops")[0]["t0/h"] == "s₀"


@pytest.mark.parametrize("last", [1, 2])
def test_ops_keep_the_name_of_the_initial_state(last):
    """f(s_1; theta), with one step or two."""
    theta, s = tg.tensor(0.5, requires_grad=True, name="theta"), tg.tensor(0.4, requires_grad=True, name="s_1")
    for t in range(1, last + 1):
        with tg.step(t):
            s = tg.tanh(theta * s).named("s")
    shown = [text for text in texts(tg.draw(s, "ops")) if text.startswith(("s", "h"))]
    assert sorted(shown) == ["s₁", "s₂", "s₃"][: last + 1]


def test_cells_of_a_step_that_failed_between_c_and_h_show_the_c():
    drawing = tg.draw(models.failed_inside(), "cells")
    found, lines = both_of(drawing)
    assert {("t1/c", "t2/c"), ("t2/c", "t3/c")} <= lines
    assert "t3/h" not in found


@pytest.mark.parametrize(("name", "view"), [("lstm", "cells"), ("both ways", "cells"), ("LSTM", "rolled"),
                                            ("both ways", "rolled")])  # fmt: skip
def test_the_input_and_the_old_state_enter_the_whole_cell_of_an_lstm(name, view):
    """They make c as well as h, so their lines end at the border of the cell; only c comes straight to c."""
    figure = tg.draw(models.ALL[name](), view).figure
    found = {node.key: node for node in figure.nodes}
    cells = {b.key: b for b in figure.boxes}
    seen = set()
    for edge in figure.edges:
        cell = cells.get(re.sub("/[hc]", "/cell", edge.head))
        a, letter = found[edge.tail], edge.head.partition("/")[2][:1]
        inside = cell is not None and cell.x0 < a.x < cell.x1 and cell.y0 < a.y < cell.y1
        if cell is None or inside or edge.head == edge.tail or "/c" in edge.tail or edge.tail.startswith("V"):
            continue
        x, y = edge.points[-1]
        borders = {x - cell.x0: "left", x - cell.x1: "right", y - cell.y0: "bottom"}
        assert min(map(abs, borders)) < 1e-6, (edge.tail, edge.head)
        seen.add(letter + next(side for gap, side in borders.items() if abs(gap) < 1e-6))
    assert len(seen) >= 2


def test_backward_layers_run_the_other_way():
    drawing = tg.draw(models.ALL["both ways"]())
    assert {("t2/h1back", "t1/h1back"), ("t1/h1", "t2/h1"), ("tend/h1back", "t4/h1back")} <= pairs(drawing)


def test_a_detached_state_is_linked_by_a_dashed_line():
    edges = {(edge.tail, edge.head): edge for edge in tg.draw(models.truncated()).figure.edges}
    assert edges["t3/h", "t4/h"].dashed
    assert not edges["t2/h", "t3/h"].dashed


def test_a_long_sequence_shows_its_ends_unless_asked():
    loss = models.lstm(T=40)
    drawing = tg.draw(loss, "cells")
    assert {"t1/h", "t5/h", "t36/h", "t40/h", "h/..."} <= set(drawing.keys)
    assert "t6/h" not in drawing.keys
    assert "30 of 40 steps are left out" in drawing.figure.note
    assert len([key for key in tg.draw(loss, "cells", steps="all").keys if re.fullmatch(r"t\d+/h", key)]) == 41
    part = nodes(tg.draw(loss, "cells", steps=(10, 12)))
    assert [key for key in part if re.fullmatch(r"t\d+/h", key)] == ["t11/h", "t12/h", "t13/h"]
    assert len([key for key in part if key.startswith("h/...")]) == 2
    with pytest.raises(ValueError, match=r"steps=\(50, 60\) leaves nothing"):
        tg.draw(loss, "cells", steps=(50, 60))


def test_a_failed_run_ends_in_a_red_box_with_its_error_below():
    for view in ("cells", "ops"):
        drawing = tg.draw(models.failed(), view)
        (red,) = [node for node in drawing.figure.nodes if node.role == "error"]
        assert red.key == "t3/matmul"
        assert "failed" in red.lines[0].text
        assert "inner sizes 4 and 3 differ" in drawing.figure.note
        assert {"t1/h", "t2/h", "t3/x"} <= set(drawing.keys)


# values


def test_the_numbers_shown_are_the_tensors_numbers():
    loss, w, u = models.scalar()
    g_w, g_u = (float(g.data) for g in tg.grad(loss, (w, u)))
    for view in ("cells", "ops"):
        shown = nodes(tg.draw(loss, view))
        lines = [line.text for line in shown["L"].lines]
        assert lines == ["L", f"{loss.item():.3g}", "∇ 1"]
    assert [line.text for line in shown["w"].lines] == ["w", "1.3", f"∇ {g_w:.3g}"]
    assert [line.text for line in shown["u"].lines] == ["u", "0.8", f"∇ {g_u:.3g}"]


def test_numbers_can_be_switched_on_and_off():
    loss, _ = models.elman(T=2)
    assert len(nodes(tg.draw(loss))["t1/h"].lines) == 1
    assert [line.text[:4] for line in nodes(tg.draw(loss, values=True))["t1/h"].lines[1:]] == ["2×5 ", "∇ no"]
    assert len(nodes(tg.draw(models.scalar()[0], values=False))["t1/h"].lines) == 1


def test_what_is_not_finite_has_a_thick_red_border():
    x = tg.tensor(0.0, requires_grad=True, name="x")
    with np.errstate(divide="ignore"):
        result = nodes(tg.draw(tg.log(x).named("y")))["log/result"]
    assert result.stroke == "#dc2626"
    assert result.pen > 2


def boxes_apart(drawing, gap):
    """No two boxes closer than `gap`, and no upright line of a weight through a box."""
    boxes = [n for n in drawing.figure.nodes if n.shape == "box"]
    for i, a in enumerate(boxes):
        for b in boxes[i + 1 :]:
            aside, above = abs(a.x - b.x) - (a.width + b.width) / 2, abs(a.y - b.y) - (a.height + b.height) / 2
            assert max(aside, above) >= gap, (a.key, b.key)
    for edge in drawing.figure.edges:
        if edge.role == "weight":
            (x, y0), (_, y1), tip = edge.points
            assert abs(tip[0] - x) >= 10 * edge.arrowsize + 2, edge.key  # room for the arrow's head
            for n in boxes:
                assert abs(n.x - x) >= n.width / 2 + 2 or n.y < min(y0, y1) or n.y > max(y0, y1), (edge.key, n.key)


@pytest.mark.parametrize("parameters", ["merged", "each"])
@pytest.mark.parametrize("name", ["elman", "lstm", "RNN", "LSTM", "stacked", "both ways", "scalar"])
def test_cells_with_numbers_leave_room_for_boxes_and_weights(name, parameters):
    boxes_apart(tg.draw(models.ALL[name](), "cells", values=True, parameters=parameters), 4)


def test_cells_of_several_numbers_leave_room_for_them():
    boxes_apart(tg.draw(EXAMPLES["hello"](4, np.random.default_rng(0)), "cells", values=True), 12)


def test_the_numbers_of_one_box_have_the_same_decimals():
    def shown(*entries):
        return numbers(np.array(entries))

    assert shown(0.0739, -0.1532, 0.00904, 0.0188) == "0.07 -0.15 0.01 0.02"
    assert shown(-0.001, 1.0) == "0.00 1.00"
    assert shown(0.0, 0.5) == "0 0.50"
    assert shown(0.0312, -0.0004) == "0.031 0.000"
    assert shown(1.0, 0.0, -3.0) == "1 0 -3"
    assert shown(12.34, 0.5) == "12.3 0.5"
    assert shown(-1234.5, 0.5) == "-1234 0"
    assert shown(1e-5, 2.0e-7) == "1e-5 2e-7"
    assert shown(np.nan, 1.5) == "nan 1.5"
    assert shown(2.0 / 3.0) == "0.667"


def test_the_colours_are_explained_where_numbers_are_shown():
    loss = models.elman(T=3)[0]
    for view in ("cells", "ops"):
        found = nodes(tg.draw(loss, view, values=True))
        assert found["legend/value"].lines[0].text == "green: value"
        assert found["legend/gradient"].lines[0].text == "red: ∇, the gradient ∂L/∂·"
        assert "legend/value" not in nodes(tg.draw(loss, view, values=False))
        legend, others = found.pop("legend/gradient"), [n for key, n in found.items() if not key.startswith("legend")]
        assert all(abs(n.x - legend.x) > (n.width + legend.width) / 2 or abs(n.y - legend.y) > (n.height + 12) / 2
                   for n in others)  # fmt: skip
    legend = nodes(tg.draw(models.layer("RNN"), values=True))["legend/gradient"]
    assert "of the sum of the output" in legend.lines[0].text


# ops


def test_ops_draw_every_primitive_in_the_box_of_its_step():
    loss, _ = models.elman(T=3)
    drawing = tg.draw(loss, "ops")
    found, boxes = nodes(drawing), {box.key: box for box in drawing.figure.boxes}
    assert set(boxes) == {"t1", "t2", "t3"}
    for t in (1, 2, 3):
        names = ["matmul", "matmul#2", "add", "add#2", "tanh", "matmul#3", "add#3", "cross_entropy", "x", "h", "y", "L"]
        for name in names:
            node, box = found[f"t{t}/{name}"], boxes[f"t{t}"]
            assert box.x0 < node.x < box.x1
            assert box.y0 < node.y < box.y1
    assert {("t1/tanh", "t1/h"), ("t1/h", "t2/matmul#2"), ("t2/W_hh", "t2/matmul#2")} <= pairs(drawing)
    copies = Counter(key.split("/")[1] for key, node in found.items() if node.role == "copy")
    assert copies == {"W_xh": 3, "W_hh": 3, "b_h": 3, "W_hy": 3, "b_y": 3}
    state_line = {
        round(found[f"t{t}/{name}"].y, 6) for t in (1, 2, 3) for name in ("matmul#2", "add", "add#2", "tanh", "h")
    }
    assert len(state_line) == 1


def test_ops_nodes_do_not_cover_each_other():
    for name in ("elman", "lstm", "GRU", "both ways", "scalar"):
        drawn = [n for n in tg.draw(models.ALL[name](), "ops").figure.nodes if n.shape != "point"]
        for i, a in enumerate(drawn):
            for b in drawn[i + 1 :]:
                apart = (abs(a.x - b.x) > (a.width + b.width) / 2 - 1) or (
                    abs(a.y - b.y) > (a.height + b.height) / 2 - 1
                )
                assert apart, (name, a.key, b.key)


def test_a_square_is_two_lines_and_a_weight_used_twice_in_a_step_has_two_copies():
    x, W = tg.tensor(2.0), tg.tensor(1.0, requires_grad=True, name="W")
    h = tg.tensor(1.0)
    for t in range(3):
        with tg.step(t):
            h = tg.tanh(W * h + W * x)
    h = h * h
    drawing = tg.draw(h, "ops")
    copies = [node.key for node in drawing.figure.nodes if node.role == "copy"]
    assert copies == ["t1/W", "t1/W'", "t2/W", "t2/W'", "t3/W", "t3/W'"]
    lines = [e.points for e in drawing.figure.edges if (e.tail, e.head) == ("t3/h", "multiply")]
    assert len(lines) == 2
    assert not set(lines[0]) & set(lines[1])


def test_both_lines_of_a_square_are_seen_wherever_it_is_made():
    W, h, losses = tg.tensor(np.eye(2), requires_grad=True), tg.tensor(np.ones((1, 2))), []
    for t in range(3):
        with tg.step(t):
            a = h @ W
            h = tg.tanh(a * a + h * h)  # of this step, and of the one before
            losses.append((h * h).sum())
    total = sum(losses)
    together = {}
    for edge in tg.draw(total * total, "ops").figure.edges:
        together.setdefault((edge.tail, edge.head), []).append(edge.points)
    twice = [lines for lines in together.values() if len(lines) > 1]
    assert len(twice) == 3 * 3
    assert all(len({lines[0], lines[1]}) == 2 and lines[0][1] != lines[1][1] for lines in twice)


def test_too_many_operations_are_refused_unless_all_were_asked_for():
    loss = models.lstm(T=200)
    with pytest.raises(TooLarge, match='view="cells" or "flow"'):
        tg.draw(loss, "ops", steps=(0, 199))
    assert len(tg.draw(loss, "ops", steps="all").figure.nodes) > 3000


# gates


def test_gates_of_an_lstm_show_the_run_s_gates():
    layer = nn.LSTM(3, 5, forget_bias=2.0, dtype=np.float64, rng=0)
    outputs, _ = layer(tg.tensor(np.random.default_rng(1).normal(size=(4, 2, 3))))
    drawing = tg.draw(outputs, "gates", step=1)
    forget = next(v for v in _vertices(outputs) if v.name == "f" and v.step == 1).value
    assert f"Gate f has mean {forget.mean():.2f}" in drawing.figure.description
    assert {"f", "i", "g", "o", "keep", "write", "out", "squash"} <= set(drawing.keys)
    assert {
        ("c_before", "keep"),
        ("keep", "add"),
        ("f", "keep"),
        ("i", "write"),
        ("g", "write"),
        ("o", "out"),
    } <= pairs(drawing)
    found = nodes(drawing)
    assert found["c_before"].y == found["keep"].y == found["add"].y == found["c"].y


@pytest.mark.parametrize("bidirectional", [False, True])
def test_gates_say_that_the_slope_is_f_on_the_direct_path_only(bidirectional):
    """The whole derivative has a second part, by way of h and the gates, which is not 0."""
    drawing = tg.draw(models.layer("LSTM", bidirectional=bidirectional, num_layers=2), "gates")
    assert "directly" in nodes(drawing)["slope"].lines[0].text
    assert not any(re.search(r"∂c\S*/∂c\S* = f$", text) and "direct" not in text for text in texts(drawing))
    assert "by way of h" in drawing.figure.description
    slope = nodes(drawing)["slope"]
    others = [n for n in drawing.figure.nodes if n.key != "slope" and n.shape != "point"]
    assert all(abs(n.x - slope.x) >= (n.width + slope.width) / 2 or abs(n.y - slope.y) >= (n.height + slope.height) / 2
               for n in others)  # fmt: skip


def _vertices(output):
    from tinygrad_rnn.pictures.graph import Graph

    return Graph(output).vertices


@pytest.mark.parametrize(
    ("options", "said"), [({}, "keeps z"), ({"keep": "1-z"}, "keeps 1−z"), ({"reset": "after"}, "keeps z")]
)
def test_gates_of_each_form_of_gru(options, said):
    drawing = tg.draw(models.layer("GRU", **options), "gates")
    assert {"r", "z", "n", "keep", "new", "flip"} <= set(drawing.keys)
    assert any(text.startswith(said) for text in texts(drawing))
    assert "Gate z has mean" in drawing.figure.description


def test_gates_of_too_much_fall_back_to_its_operations_and_say_so():
    W = tg.tensor(np.eye(3), requires_grad=True)
    h = tg.tensor(np.ones((2, 3)))
    for t in range(3):
        with tg.step(t):
            h = h @ W
            for _ in range(20):
                h = tg.sin(tg.tanh(h))
    drawing = tg.draw(h, "gates")
    assert "too many parts" in drawing.figure.note
    assert [box.key for box in drawing.figure.boxes] == ["t3"]


def test_gates_of_the_layer_that_is_asked_for():
    stacked = models.layer("GRU", num_layers=2)
    assert tg.draw(stacked, "gates").figure.title == "GRU cell, layer 2 (gru/layer 1), step 4"
    assert tg.draw(stacked, "gates", layer=0).figure.title == "GRU cell, layer 1 (gru/layer 0), step 4"
    (box,) = tg.draw(models.layer("LSTM", bidirectional=True), "gates", layer=1).figure.boxes
    assert box.label == "LSTM cell, backwards, step 4"
    with pytest.raises(ValueError, match="layer=2, but there are 2"):
        tg.draw(stacked, "gates", layer=2)


# flow


def test_flow_says_which_layer_of_what_kind_and_bars_stand_under_their_own():
    drawing = tg.draw(models.layer("GRU", num_layers=2), "flow")
    assert {"GRU, 4 steps, layer 1 (gru/layer 0)", "GRU, 4 steps, layer 2 (gru/layer 1)"} <= set(texts(drawing))
    assert {key.partition("/")[0] for key in nodes(drawing) if key.endswith("/bar")} == {"layer1"}
    assert 'state="c"' not in drawing.note
    assert 'state="c"' in tg.draw(models.lstm(), "flow").note


@pytest.mark.parametrize("bidirectional", [False, True])
def test_flow_says_what_the_steps_left_out_do_to_the_gradient(bidirectional):
    outputs = models.layer("RNN", T=40, bidirectional=bidirectional)
    found = nodes(tg.draw(outputs, "flow"))
    ways = ("layer1/", "layer1back/") if bidirectional else ("",)
    for way in ways:
        (key,) = (key for key in found if key.startswith(f"{way}...") and key.endswith("/factor"))
        left, right = (float(re.search(r"= (\S+)", found[f"{way}t{t}/h"].tooltip)[1]) for t in (15, 26))
        expected = right / left if "back" in way else left / right
        assert float(found[key].lines[0].text.removeprefix("× ")) == pytest.approx(expected, rel=0.1)


def test_flow_numbers_are_the_gradients_of_grad():
    loss, _ = models.elman(T=5)
    states = [v for v in _vertices(loss) if v.op == "tanh"]
    expected = [float(np.linalg.norm(tg.grad(loss, v.node.outputs[0])[0].data)) for v in states]
    found = nodes(tg.draw(loss, "flow"))
    for t, norm in enumerate(expected, 1):
        assert float(re.search(r"= (\S+)", found[f"t{t}/h"].tooltip)[1]) == pytest.approx(norm, rel=1e-3)


@pytest.mark.parametrize("hoisted", [False, True])
def test_flow_bars_are_contributions_whose_sum_is_the_gradient(hoisted):
    from tinygrad_rnn.pictures.show import _scene

    loss, (W_xh, W_hh, *_) = models.elman(T=5, hoisted=hoisted)
    for weight in (None, W_xh):
        scene = _scene(loss, "flow", None, "auto", None, "merged", weight, "")
        assert scene.weight.name == ("W_hh" if weight is None else "W_xh")
        assert set(scene.contributions) == {0, 1, 2, 3, 4}
        expected = tg.grad(loss, W_hh if weight is None else weight)[0].data
        np.testing.assert_allclose(sum(scene.contributions.values()), expected, rtol=1e-12, atol=1e-15)


def test_flow_shows_zero_as_zero_and_panels_under_each_other():
    a, b = models.elman(T=4)[0], models.lstm(T=4)
    drawing = tg.draw([("one", a), ("two", b)], "flow")
    found = nodes(drawing)
    assert found["1/t1/bar"].lines[0].text == "0"  # h_0 = 0, so the first step adds nothing
    assert found["2/t2/h"].y < found["1/t2/h"].y
    assert {"one", "two"} <= set(texts(drawing))
    assert "one: the gradient norm" in drawing.figure.description
    assert "two: the gradient norm" in drawing.figure.description


def contributions(norms):
    """A loss whose derivative by w has these contributions, a step each."""
    w, h, losses = tg.tensor(1.0, requires_grad=True, name="w"), tg.tensor(0.0), []
    for t, size in enumerate(norms):
        with tg.step(t):
            h = tg.tanh(w * size + 0.0 * h)
            losses.append(h)
    return sum(losses), w


def test_flow_bars_are_relative_to_the_largest_of_their_panel():
    loss, w = contributions([1.5e-14, 0.0, 2e-10, 2e-9, 2e-8])
    found = nodes(tg.draw(loss, "flow", weight=w))
    assert found["t5/bar"].height == pytest.approx(50)
    assert found["t5/bar"].height - found["t4/bar"].height == pytest.approx(50 / 6)
    assert found["t4/bar"].height - found["t3/bar"].height == pytest.approx(50 / 6)
    assert found["t2/bar"].lines[0].text == "0"
    assert found["t1/bar"].lines[0].text == "<1e-13"
    nothing = nodes(tg.draw(contributions([0.0, 0.0])[0], "flow"))
    assert nothing["t1/bar"].lines[0].text == "0"


@pytest.mark.parametrize("title", ["short", "a title of a few words", "a title that is as long as a sentence and more"])
@pytest.mark.parametrize("T", [2, 4, 12, 40])
def test_the_title_of_the_flow_view_keeps_clear_of_the_legend(T, title):
    loss = models.lstm(T=T)
    for drawing in (tg.draw(loss, "flow", title=title), tg.draw([(title, loss), ("other", loss)], "flow")):
        heading, *others = [n for n in drawing.figure.nodes if n.role in ("title", "legend") or n.role == "remark"]
        for other in others:
            aside = abs(other.x - heading.x) - (other.width + heading.width) / 2
            above = abs(other.y - heading.y) - (other.height + heading.height) / 2
            assert max(aside, above) > 0, other.key
        left, _, right, _ = drawing.figure.bounds()
        assert all(left <= n.x - n.width / 2 and n.x + n.width / 2 <= right for n in others)


def test_flow_follows_the_cell_state_where_asked():
    loss = models.lstm(T=5)
    drawing = tg.draw(loss, "flow", state="c")
    found, states = nodes(drawing), [v for v in _vertices(loss) if v.op == "add" and v.step is not None and v.size > 1]
    cells = [v for v in states if any(tail.op == "multiply" for tail, _ in v.inputs)]
    assert len(cells) == 5
    for t, v in enumerate(cells, 1):
        norm = float(np.linalg.norm(tg.grad(loss, v.node.outputs[0])[0].data))
        assert float(re.search(r"= (\S+)", found[f"t{t}/c"].tooltip)[1]) == pytest.approx(norm, rel=1e-3)
    assert "t1/h" not in found
    assert "||∂L/∂c||" in texts(drawing)
    assert "cell states c" in drawing.figure.description
    assert "hidden states h" in tg.draw(loss, "flow").figure.description
    both = tg.draw([("one", models.elman(T=4)[0]), ("two", loss)], "flow", state="c")
    assert {"1/t1/h", "2/t1/c"} <= set(both.keys)  # a network without c keeps its h
    with pytest.raises(ValueError, match='state="c" needs an LSTM'):
        tg.draw(models.elman()[0], "flow", state="c")
    with pytest.raises(ValueError, match="state='s'"):
        tg.draw(loss, "flow", state="s")


def test_flow_marks_what_is_not_finite():
    W = tg.tensor(np.array([[1e200]]), requires_grad=True)
    h = tg.tensor(np.array([[1.0]]))
    with np.errstate(all="ignore"):
        for t in range(3):
            with tg.step(t):
                h = h @ W + 0.0
        drawing = tg.draw(h.sum(), "flow")
    assert any(text in ("inf", "nan") for text in texts(drawing))


def test_a_weight_that_takes_no_part_is_refused():
    with pytest.raises(ValueError, match="weight=V does not take part"):
        tg.draw(models.elman()[0], "flow", weight=tg.tensor(1.0, requires_grad=True, name="V"))


# graphs without steps


def test_a_graph_without_steps_shows_values_and_gradients():
    x, y = tg.tensor(-2.0, requires_grad=True, name="x"), tg.tensor(3.0, requires_grad=True, name="y")
    found = nodes(tg.draw(x * y))
    assert [line.text for line in found["x"].lines] == ["x", "-2", "∇ 3"]
    assert [line.text for line in found["y"].lines] == ["y", "3", "∇ -2"]
    assert [line.text for line in found["multiply/result"].lines][1:] == ["-6", "∇ 1"]


def test_views_over_time_say_what_they_need():
    x = tg.tensor(2.0, requires_grad=True)
    with pytest.raises(ValueError, match=r"with tg\.step\(t\):"):
        tg.draw(x * x, "cells")
    with pytest.raises(ValueError, match="none of auto, cells"):
        tg.draw(x * x, "pretty")
    with pytest.raises(ValueError, match="steps='some'"):
        tg.draw(x * x, steps="some")
    with pytest.raises(ValueError, match="step=9 is not among the steps 0 to 3"):
        tg.draw(models.lstm(), "gates", step=9)


@pytest.mark.parametrize(("thing", "named"), [(3.0, "float"), (None, "NoneType"), (np.ones(3), "ndarray"),
                                              ("abc", "str"), ([1.0], "float")])  # fmt: skip
def test_what_is_no_tensor_is_named(thing, named):
    with pytest.raises(TypeError, match=f"draw: give a Tensor, .* not {named}"):
        tg.draw(thing)
    with pytest.raises(ValueError, match="empty"):
        tg.draw([])


def test_a_run_of_too_many_steps_is_refused_and_not_told_to_mark_its_steps(monkeypatch):
    from tinygrad_rnn.pictures import graph

    monkeypatch.setattr(graph._reachable, "__defaults__", (50,))
    for output in (models.lstm(T=9), models.elman(T=30)[0]):
        with pytest.raises(TooLarge, match="too many for any picture"):
            tg.draw(output)
    x = tg.tensor(1.0, requires_grad=True)
    for _ in range(60):
        x = x * 2.0
    assert "mark the time steps" in tg.draw(x).note


def test_a_readout_called_v_is_named_once():
    W, V = (tg.tensor(0.5 * np.eye(3), requires_grad=True, name=name) for name in "WV")
    h, loss = tg.tensor(np.ones((1, 3))), 0.0
    for t in range(3):
        with tg.step(t):
            h = tg.tanh(h @ W)
            loss = loss + ((h @ V) ** 2).sum()
    assert texts(tg.draw(loss)).count("V") == 1


# engines


@pytest.mark.parametrize("view", VIEWS)
def test_dot_is_the_same_whatever_the_hash_seed(view):
    program = ("import tinygrad_rnn as tg; from tests.pictures import models;"
               f"import sys; sys.stdout.buffer.write(tg.draw(models.lstm(), {view!r}).dot.encode())")  # fmt: skip
    root = Path(__file__).parents[2]
    outputs = {subprocess.run([sys.executable, "-c", program], capture_output=True, check=True, cwd=root,
                              env={**os.environ, "PYTHONHASHSEED": seed}).stdout for seed in ("0", "77")}  # fmt: skip
    assert len(outputs) == 1
    assert outputs.pop().startswith(b"digraph")


@needs_dot
@needs_wasi
@pytest.mark.parametrize("view", VIEWS)
def test_the_three_engines_agree_on_keys_and_places(view, monkeypatch):
    drawn = {}
    for engine in ("dot", "wasi", "builtin"):
        monkeypatch.setenv("TINYGRAD_RNN_ENGINE", engine)
        drawing = tg.draw(models.lstm(), view)
        drawn[engine] = {key: extent(group) for key, (_, group) in things(drawing.svg, drawing.figure).items()}
        assert set(drawn[engine]) == set(drawing.keys)
    for engine in ("dot", "wasi"):
        for key, corners in drawn["builtin"].items():
            if corners is not None:
                assert drawn[engine][key] == pytest.approx(corners, abs=1.0), (engine, key)


def test_names_that_pictures_use_themselves_do_no_harm():
    @tg.primitive
    def h(x):
        return np.tanh(x)

    @h.vjp(0)
    def _(g, y, x):
        return g * (1 - y * y)

    L, x = (tg.tensor(np.eye(3), requires_grad=True, name=name) for name in ("L", "t1/x"))
    state, losses = tg.tensor(np.zeros((1, 3))), []
    for t in range(3):
        with tg.step(t):
            state = h(np.ones((1, 3)) @ x + state @ L)
            losses.append((state * state).sum())
    for view in VIEWS:
        drawing = tg.draw(sum(losses), view, parameters="each")
        assert all(edge.tail != edge.head for edge in drawing.figure.edges)
    drawing = tg.draw(sum(losses), "ops")
    assert {"t1/h", "t1/h'", "L", "L'"} <= set(drawing.keys)


def test_an_output_that_is_fed_back_and_attention_to_old_states_are_lines_between_steps():
    V, R, W = (tg.tensor(np.ones(s) * 0.3, requires_grad=True) for s in ((4, 2), (2, 4), (4, 4)))
    h, y, losses = tg.tensor(np.zeros((1, 4))), tg.tensor(np.zeros((1, 2))), []
    for t in range(4):
        with tg.step(t):
            h = tg.tanh(h @ W + y @ R)
            y = h @ V
            losses.append((y * y).sum())
    drawing = tg.draw(sum(losses))
    assert {("t1/y", "t2/h"), ("t3/y", "t4/h"), ("t1/h", "t2/h")} <= pairs(drawing)

    h, states = tg.tensor(np.ones((1, 4))), []
    for t in range(4):
        with tg.step(t):
            h = tg.tanh(h @ W)
            states.append(h)
    with tg.step(4):
        loss = tg.stack(states).sum()
    drawing = tg.draw(loss)
    assert {(f"t{t}/h", "t5/L") for t in (1, 2, 3, 4)} <= pairs(drawing)
    assert "L" in texts(drawing)


def test_the_start_is_what_meets_the_states_weight_where_only_the_first_step_has_an_input():
    rng = np.random.default_rng(0)
    shapes = {"W_xh": (2, 3), "W_hh": (3, 3), "b_h": (3,)}
    p = {name: tg.tensor(rng.normal(size=shape), requires_grad=True, name=name) for name, shape in shapes.items()}
    h, x = tg.tensor(np.zeros((1, 3)), name="h_0"), tg.tensor(rng.normal(size=(1, 2)), name="x_1")
    for t in range(3):
        with tg.step(t):
            a = x @ p["W_xh"] + p["b_h"] if t == 0 else p["b_h"]
            h = tg.tanh(a + h @ p["W_hh"]).named("h")
    drawing = tg.draw((h**2).sum(), view="cells")
    labels = ["".join(line.text for line in node.lines) for node in drawing.figure.nodes]
    assert sorted(label for label in labels if label[:1] in ("h", "x")) == ["h₀", "h₁", "h₂", "h₃", "x₁"]
