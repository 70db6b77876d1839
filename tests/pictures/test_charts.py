"""Charts of what the instruments measure: what is drawn is where its number says, and nothing is dropped in silence."""

from __future__ import annotations

import itertools
import math
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tinygrad_rnn as tg
from tests.flow.runs import elman, lstm
from tinygrad_rnn import flow
from tinygrad_rnn.pictures import charts
from tinygrad_rnn.pictures.scales import number, scale, tick
from tinygrad_rnn.pictures.svg import to_svg


def advance_of(run):
    def advance(t, h):
        h = tg.tanh(run.X[t] @ run.W_xh + h @ run.W_hh)
        return (h * h).mean(), h

    return advance


@pytest.fixture(scope="module")
def every_chart():
    run, cell = elman(T=7), lstm(T=5)
    account = flow.ledger(run.total, run.W_hh)
    rows = flow.truncation_bias(advance_of(run), run.states[0], 7, run.W_hh, [1, 3, 7])
    lags = flow.by_lag(run.losses[-1])
    return {
        "ledger": charts.ledger_chart(account),
        "ledgers": charts.ledger_chart({"one": account, "two": account}),
        "table": charts.table_chart(flow.ledger(run.losses, run.W_hh)),
        "lag": charts.lag_chart(lags),
        "horizon": charts.horizon_chart(lags),
        "jacobian": charts.jacobian_chart(flow.jacobian_products(cell.states, of=1)),
        "jacobians": charts.jacobian_chart({"RNN": flow.jacobian_products(run.states)}),
        "truncation": charts.truncation_chart(rows),
        "curve": charts.curve_chart({"RNN": ([0, 1, 2], [3.0, 2.0, 1.5])}),
    }


def nodes(drawing):
    return {node.key: node for node in drawing.figure.nodes}


def words(drawing):
    return [line.text for node in drawing.figure.nodes for line in node.lines]


def test_each_is_a_drawing_with_words_that_a_phone_can_show(every_chart):
    for name, drawing in every_chart.items():
        tree = ET.fromstring(to_svg(drawing.figure))
        assert tree.find("{*}title").text
        assert any(c.isdigit() for c in tree.find("{*}desc").text), name  # says numbers
        assert min(line.size for node in drawing.figure.nodes for line in node.lines) >= 11
        x0, _, x1, _ = drawing.figure.bounds()
        assert x1 - x0 <= 480
        assert drawing.dot == drawing.dot


def test_no_text_lies_on_another(every_chart):
    for name, drawing in every_chart.items():
        boxes = []
        for node in drawing.figure.nodes:
            for line, y in node.rows():
                left = node.x - (node.width if node.align == "start" else line.width) / 2
                boxes.append((line.text, left, left + line.width, y - 0.4 * line.size, y + 0.4 * line.size))
        for (a, *p), (b, *q) in itertools.combinations(boxes, 2):
            apart = p[1] <= q[0] or q[1] <= p[0] or p[3] <= q[2] or q[3] <= p[2]
            assert apart, f"{name}: {a!r} and {b!r}"


def test_an_empty_text_leaves_no_gap_and_the_default_is_read_out_all_the_same():
    curves = {"net": ([0, 1, 2], [3.0, 2.0, 1.5])}
    silent, told = charts.curve_chart(curves, about=""), charts.curve_chart(curves)
    assert silent.figure.description == told.figure.description == "net: from 3 to 1.5."
    assert not [key for key in silent.keys if key.startswith("about")]
    one = charts.curve_chart(curves, about="One line.")
    assert one.figure.description == "One line."
    assert nodes(one)["title/0"].y - nodes(silent)["title/0"].y == 16  # one line of text less


def test_decades_are_evenly_apart_on_a_line_by_lag():
    marks = nodes(charts.lag_chart({"net": [1.0, 1e-3, 1e-6, 1e-9]}))
    ys = [marks[f"plot/net/{i}"].y for i in range(4)]
    np.testing.assert_allclose(np.diff(ys), ys[1] - ys[0])
    assert ys[1] < ys[0]


def test_zero_infinity_and_nan_are_seen():
    drawing = charts.lag_chart({"net": [1.0, 1e-3, 0.0, math.inf, math.nan, 2.0]})
    marks = nodes(drawing)
    finite = [marks["plot/net/0"].y, marks["plot/net/1"].y]
    assert marks["plot/net/2"].y < min(finite) - 5  # a row of its own
    assert marks["plot/net/3"].y > max(finite) + 5
    assert {"0", "∞"} <= set(words(drawing))
    assert "plot/net/4" not in marks
    assert "1 value is not a number (NaN)" in drawing.note
    lines = [edge for edge in drawing.figure.edges if "/line" in edge.key]
    assert sum(len(edge.points) for edge in lines) == 2  # the line stops where the numbers do


def test_lines_differ_without_colour_and_carry_their_names():
    drawing = charts.lag_chart({name: [1.0, 0.5, 0.1 * (i + 1)] for i, name in enumerate("abcd")})
    looks = set()
    for name in "abcd":
        mark = next(n for n in drawing.figure.nodes if n.key.startswith(f"plot/{name}/"))
        line = next(e for e in drawing.figure.edges if e.key.startswith(f"plot/{name}/line"))
        looks.add((mark.shape, mark.fill == "#ffffff", line.dashed))
        assert name in words(drawing)
    assert len(looks) == 4


def test_bars_have_the_height_of_their_contribution():
    norms = np.array([0.0, 1e-6, 1e-4, 1e-2])
    account = flow.Ledger((0, 1, 2, 3), norms, None, "W")
    drawing = charts.ledger_chart(account)
    bars = nodes(drawing)
    tops = [bars[f"W/step{t}"].y + bars[f"W/step{t}"].height / 2 for t in (2, 3, 4)]
    np.testing.assert_allclose(tops[1] - tops[0], tops[2] - tops[1])
    assert bars["W/step1"].shape == "circle"  # no bar for exactly 0
    assert "nothing from step 1" in drawing.figure.description
    assert "most, 0.01, from step 4" in drawing.figure.description.lower()


def test_near_numbers_get_an_axis_from_zero():
    account = flow.Ledger((0, 1), np.array([1.0, 2.0]), None, "W")
    bars = nodes(charts.ledger_chart(account))
    np.testing.assert_allclose(bars["W/step2"].height, 2 * bars["W/step1"].height)


def test_no_gradient_at_all_is_a_picture_too():
    drawing = charts.ledger_chart(flow.Ledger((0, 1), np.zeros(2), None, "W"))
    assert drawing.figure.description == "Nothing from 2 steps."
    assert {node.y for key, node in nodes(drawing).items() if key.startswith("W/step")} == {0.0}


def test_many_steps_are_joined_and_show_their_largest():
    account = flow.Ledger(tuple(range(1000)), np.linspace(1, 1000, 1000), None, "W")
    drawing = charts.ledger_chart(account)
    bars = [node for key, node in nodes(drawing).items() if key.startswith("W/step")]
    assert len(bars) == 100
    assert bars[0].tooltip == "step 1-10: 10"
    table = flow.Table(np.tril(np.ones((300, 300))), tuple(range(300)), tuple(range(300)), "W")
    cells = [key for key in nodes(charts.table_chart(table)) if key.startswith("loss")]
    assert cells[0] == "loss1-6/use1-6"
    assert len(cells) == 50 * 51 // 2


def test_the_table_is_darker_for_more_and_blank_for_nothing():
    norms = np.array([[1.0, 0.0], [1e-2, 0.5]])
    drawing = charts.table_chart(flow.Table(norms, (0, 1), (0, 1), "W"))
    cells = nodes(drawing)
    light = {key: sum(bytes.fromhex(cells[key].fill[1:])) for key in cells if key.startswith("loss")}
    assert set(light) == {"loss1/use1", "loss2/use1", "loss2/use2"}
    assert light["loss1/use1"] < light["loss2/use2"] < light["loss2/use1"]
    assert "owes 0.5 to the use of W in step 2, and 0.01 to that in step 1" in drawing.figure.description


def test_the_horizon_is_marked_where_it_is():
    drawing = charts.horizon_chart({"net": [2.0, 1.0, 0.1, 0.001], "far": [1.0, 1.0, 1.0, 1.0]})
    marks = nodes(drawing)
    assert marks["plot/net/horizon:mark"].x == marks["plot/net/2"].x
    assert marks["plot/far/horizon:mark"].x == marks["plot/net/3"].x
    assert "net: 2 steps" in drawing.figure.description
    assert "far: 3 steps, or more" in drawing.figure.description


def test_the_direct_path_stands_apart_where_there_is_one():
    cell = charts.jacobian_chart(flow.jacobian_products(lstm(T=4).states, of=1))
    assert {"all paths", "direct", "via gates"} <= set(words(cell))
    net = charts.jacobian_chart(flow.jacobian_products(elman(T=4).states))
    assert not {"direct", "via gates"} & set(words(net))


@settings(max_examples=40, deadline=None)
@given(st.lists(st.floats(min_value=0) | st.just(math.nan), min_size=1, max_size=12), st.booleans())
def test_any_numbers_can_be_drawn(values, log):
    steps, norms = tuple(range(len(values))), np.array(values)
    for drawing in (
        charts.curve_chart({"any": (steps, norms)}, log=log),
        charts.lag_chart({"one": norms, "other": norms[::-1]}),
        charts.horizon_chart({"any": [1.0, *values]}),
        charts.ledger_chart(flow.Ledger(steps, norms, None, "W")),
        charts.table_chart(flow.Table(np.stack([norms, norms], 1), steps, (None, 0), "W")),
    ):
        _, low, _, high = drawing.figure.bounds()
        assert 150 < high - low < 2500
        assert ET.fromstring(drawing.svg).tag.endswith("svg")


def test_a_factor_that_no_number_can_hold_is_left_out():
    said = charts.lag_chart({"net": [5e-324, 1e307]}).figure.description
    assert said.startswith("net: 4.9e-324 at lag 0, ")
    assert "times" not in said
    assert "(times 0.1 a step)" in charts.lag_chart({"net": [1.0, 0.1]}).figure.description


@pytest.mark.parametrize("log", [False, True])
def test_a_scale_holds_its_ends_and_few_ticks(log):
    for low, high in [(1e-300, 1e300), (0.5, 0.6), (3, 3), (1e-7, 1e-5), (1, 1000), (0.02, 1)]:
        axis = scale([low, high], 0, 100, log)
        assert -1e-9 <= axis.at(low) <= axis.at(high) <= 100 + 1e-9
        assert 1 <= len(axis.ticks()) <= 10


def test_numbers_as_they_are_written():
    assert [number(x) for x in (1234.5, -0.5, 1e5, math.inf, math.nan)] == ["1234", "-0.5", "1e5", "∞", "NaN"]
    decades = {1e-3: "1e-3", 0.01: "0.01", 1.0: "1", 100.0: "100", 1e9: "1e9", 5e-7: "5e-7", 0.2: "0.2"}
    assert {x: tick(x, True) for x in decades} == decades
    assert tick(1500.0, False) == "1500"


def test_bad_requests_get_one_clear_line():
    with pytest.raises(ValueError, match="nothing to draw"):
        charts.lag_chart({})
    with pytest.raises(ValueError, match="net: a line needs"):
        charts.lag_chart({"net": []})
    with pytest.raises(ValueError, match="2 numbers for x and 3 for y"):
        charts.curve_chart({"net": ([0, 1], [1, 2, 3])})
    with pytest.raises(ValueError, match="nothing to draw"):
        charts.ledger_chart({})
    lags = {"h": flow.Lags(np.ones(3), np.ones(3, int))}
    with pytest.raises(TypeError, match="not Lags: lag_chart draws those"):
        charts.ledger_chart(lags)
    with pytest.raises(TypeError, match="not dict"):
        charts.table_chart(lags)
