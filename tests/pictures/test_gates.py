"""The inside of one step of every cell: the right parts, joined the right way, and nothing over anything else."""

from itertools import pairwise

import numpy as np
import pytest

import tinygrad_rnn as tg
from tinygrad_rnn import nn

from . import models

CELLS = {
    "lstm": (nn.LSTMCell, {}),
    "incomplete": (nn.IncompleteLSTMCell, {}),
    "1997": (nn.LSTM97Cell, {}),
    "1997 in blocks": (nn.LSTM97Cell, {"block_size": 3}),
    "1997 with gate recurrence": (nn.LSTM97Cell, {"gate_recurrence": True}),
    "peepholes": (nn.PeepholeLSTMCell, {}),
    "NIG": (nn.LSTMVariantCell, {"variant": "NIG"}),
    "NFG": (nn.LSTMVariantCell, {"variant": "NFG"}),
    "NOG": (nn.LSTMVariantCell, {"variant": "NOG"}),
    "NIAF": (nn.LSTMVariantCell, {"variant": "NIAF"}),
    "NOAF": (nn.LSTMVariantCell, {"variant": "NOAF"}),
    "NP": (nn.LSTMVariantCell, {"variant": "NP"}),
    "CIFG": (nn.LSTMVariantCell, {"variant": "CIFG"}),
    "CIFG+NP": (nn.LSTMVariantCell, {"variant": "CIFG+NP"}),
    "FGR": (nn.LSTMVariantCell, {"variant": "FGR"}),
    "gru": (nn.GRUCell, {}),
    "gru after": (nn.GRUCell, {"keep": "1-z", "reset": "after"}),
    "MUT1": (nn.MUT1Cell, {}),
    "MUT1 projected": (nn.MUT1Cell, {"project": "learned"}),
    "MUT2": (nn.MUT2Cell, {}),
    "MUT3": (nn.MUT3Cell, {}),
    "residual": (nn.ResidualCell, {}),
    "highway": (nn.HighwayCell, {}),
    "simple": (nn.RNNCell, {}),
    "IRNN": (nn.IRNNCell, {}),
    "multiplicative": (nn.MultiplicativeRNNCell, {}),
    "reservoir": (nn.ReservoirCell, {"leak": 0.25}),
}


def draw(name, **more):
    kind, options = CELLS[name]
    D = 6 if name in ("MUT1", "MUT2") else 3
    layer = nn.Recurrent(D, 6, cell=kind, rng=0, **options, **more)
    x = np.random.default_rng(1).normal(size=(4, 2, D)).astype(np.float32)
    outputs, _ = layer(tg.tensor(x, requires_grad=name == "reservoir"))
    return tg.draw(outputs, "gates")


def nodes(drawing):
    return {node.key: node for node in drawing.figure.nodes}


def hears(drawing):
    """For each box, circle or ellipse: the keys of those whose lines lead to it, through dots."""
    shapes = nodes(drawing)
    into = {}
    for edge in drawing.figure.edges:
        into.setdefault(edge.head, set()).add(edge.tail)

    def sources(key, seen=()):
        found = set()
        for tail in into.get(key, set()) - set(seen):
            found |= sources(tail, (*seen, tail)) if shapes[tail].shape == "point" else {tail}
        return found

    return {key: sources(key) for key, node in shapes.items() if node.shape not in ("point", "text")}


def words(drawing, key):
    return [line.text for line in nodes(drawing)[key].lines]


@pytest.mark.parametrize("name", CELLS)
def test_nothing_stands_on_anything_and_no_line_crosses_a_box(name):
    drawing = draw(name)
    assert not drawing.figure.note
    solid = [node for node in drawing.figure.nodes if node.shape != "point"]
    for i, a in enumerate(solid):
        for b in solid[i + 1 :]:
            apart = abs(a.x - b.x) >= (a.width + b.width) / 2 - 0.5 or abs(a.y - b.y) >= (a.height + b.height) / 2 - 0.5
            assert apart, (a.key, b.key)
    for edge in drawing.figure.edges:
        for node in solid:
            if node.key in (edge.tail, edge.head) or node.shape == "text":
                continue
            for (ax, ay), (bx, by) in pairwise(edge.points):
                beside = max(ax, bx) <= node.x - node.width / 2 or min(ax, bx) >= node.x + node.width / 2
                above = max(ay, by) <= node.y - node.height / 2 or min(ay, by) >= node.y + node.height / 2
                assert beside or above, (edge.key, node.key)
    (box,) = drawing.figure.boxes
    line, x, y = box.label_row()
    for node in solid:
        beside = node.x - node.width / 2 > x + line.width / 2 or node.x + node.width / 2 < x - line.width / 2
        assert beside or abs(node.y - y) >= (node.height + line.size) / 2, node.key


@pytest.mark.parametrize("name", CELLS)
def test_lines_of_different_values_do_not_run_along_each_other(name):
    """They may cross, and those into one joint become one."""
    drawing = draw(name)
    lines = [(edge.tail, edge.head, a, b) for edge in drawing.figure.edges for a, b in pairwise(edge.points)]
    shapes = nodes(drawing)
    for i, (tail, head, a, b) in enumerate(lines):
        for other, other_head, c, d in lines[i + 1 :]:
            if tail == other or head == other_head or "point" in (shapes[tail].shape, shapes[other].shape):
                continue
            for x in (0, 1):  # both upright, or both level, in one line
                y = 1 - x
                if abs(a[x] - b[x]) < 1 and abs(c[x] - d[x]) < 1 and abs(a[x] - c[x]) < 3:
                    overlap = min(max(a[y], b[y]), max(c[y], d[y])) - max(min(a[y], b[y]), min(c[y], d[y]))
                    assert overlap < 1, (tail, head, other, other_head)


@pytest.mark.parametrize(("name", "kind", "gates", "absent", "slope"), [
    ("lstm", "LSTM cell", "figo", (), "f"),
    ("NP", "LSTM cell", "figo", (), "f"),
    ("incomplete", "Incomplete LSTM cell", "g", ("keep", "write", "out"), "1"),
    ("1997", "LSTM cell without forget gate", "igo", ("keep",), "1"),
    ("1997 in blocks", "LSTM cell without forget gate", "igo", ("keep",), "1"),
    ("1997 with gate recurrence", "LSTM cell without forget gate", "igo", ("keep",), "1"),
    ("peepholes", "LSTM cell with peepholes", "figo", (), "f"),
    ("NIG", "LSTM cell without input gate, with peepholes", "fgo", ("write",), "f"),
    ("NFG", "LSTM cell without forget gate, with peepholes", "igo", ("keep",), "1"),
    ("NOG", "LSTM cell without output gate, with peepholes", "fig", ("out",), "f"),
    ("NOAF", "LSTM cell with peepholes", "figo", ("squash",), "f"),
    ("CIFG", "LSTM cell with coupled gates, with peepholes", "igo", (), "1−i"),
    ("CIFG+NP", "LSTM cell with coupled gates", "igo", (), "1−i"),
    ("FGR", "LSTM cell with peepholes", "figo", (), "f"),
])  # fmt: skip
def test_a_relative_of_the_lstm_has_the_gates_that_it_has(name, kind, gates, absent, slope):
    drawing = draw(name)
    assert drawing.figure.boxes[0].label == f"{kind}, step 4"
    found = nodes(drawing)
    assert {key for key, node in found.items() if node.role == "gate" and key != "gates_before"} == set(gates)
    parts = {"keep", "write", "out", "squash"}
    assert parts & found.keys() == parts - set(absent)
    assert found["slope"].lines[0].text.endswith(f"= {slope}")
    assert found["c_before"].y == found["add"].y == found["c"].y


def test_peepholes_lead_from_the_old_cell_state_to_f_and_i_and_from_the_new_one_to_o():
    wired = hears(draw("peepholes"))
    taps = {edge.head: edge.points[0] for edge in draw("peepholes").figure.edges if edge.tail.startswith("peep")}
    found = nodes(draw("peepholes"))
    assert taps.keys() == {"f", "i", "o"}
    assert taps["f"] == (40.0, found["c"].y)  # before the ×
    assert taps["f"][0] < found["keep"].x < found["add"].x < taps["o"][0]
    assert wired["g"] == {"x", "h_before"}
    assert not [edge for edge in draw("NP").figure.edges if edge.tail.startswith("peep")]
    assert {edge.head for edge in draw("CIFG").figure.edges if edge.tail.startswith("peep")} == {"i", "o"}


def test_a_coupled_gate_is_one_minus_the_input_gate():
    drawing = draw("CIFG+NP")
    wired = hears(drawing)
    assert words(drawing, "flip") == ["1−"]
    assert wired["flip"] == {"i"}
    assert wired["keep"] == {"c_before", "flip"}
    assert wired["write"] == {"i", "g"}


def test_gates_of_the_step_before_are_heard_by_the_gates_only():
    wired = hears(draw("FGR"))
    assert {key for key, tails in wired.items() if "gates_before" in tails} == {"f", "i", "o"}
    assert words(draw("FGR"), "gates_before") == ["i₃ f₃ o₃"]


def test_squashing_is_written_as_it_is():
    drawing = draw("1997")
    assert words(drawing, "g")[0] == "4σ−2"
    assert words(drawing, "squash") == ["2σ−1"]
    assert words(draw("NIAF"), "g")[0].startswith("W_")
    assert words(draw("reservoir"), next(k for k, n in nodes(draw("reservoir")).items() if n.role == "gate"))[:2] == \
        ["0.25 tanh", "W"]  # fmt: skip


@pytest.mark.parametrize(("name", "expected"), [
    ("MUT1", {"z": {"x"}, "r": {"x", "h_before"}, "n": {"x1", "multiply"}}),
    ("MUT1 projected", {"z": {"x"}, "r": {"x", "h_before"}, "n": {"tanh(x)", "multiply"}, "tanh(x)": {"x"}}),
    ("MUT2", {"z": {"x", "h_before"}, "r": {"x", "h_before"}, "n": {"x", "multiply"}}),
    ("MUT3", {"z": {"x", "tanh"}, "tanh": {"h_before"}, "r": {"x", "h_before"}, "n": {"x", "multiply"}}),
    ("highway", {"t": {"x", "h_before"}, "n": {"x", "h_before"}, "subtract": {"t"}}),
    ("residual", {"n": {"x", "h_before"}, "h#2": {"h_before", "n"}}),
])  # fmt: skip
def test_a_circuit_says_who_hears_whom(name, expected):
    drawing = draw(name)
    wired = hears(drawing)
    assert {key: wired[key] for key in expected} == expected
    if "MUT" in name:
        assert wired["multiply"] == {"r", "h_before"}
        assert wired["multiply#2"] == {"n", "z"}
    assert nodes(drawing)["h_before"].y == nodes(drawing)["h"].y


@pytest.mark.parametrize("name", ["gru", "gru after"])
def test_the_candidate_of_a_gru_hears_the_old_state_only_through_the_reset_gate(name):
    wired = hears(draw(name))
    assert wired["r"] == wired["z"] == {"x", "h_before"}
    assert wired["n"] == {"x", "reset"}
    assert wired["reset"] == {"r", "h_before"}


@pytest.mark.parametrize(("name", "weights"), [
    ("MUT1", {"z": "W_xz", "r": "Wᵣ", "n": "Wₕₙ"}),
    ("MUT2", {"z": "W_z", "r": "Wₕᵣ", "n": "Wₙ"}),
    ("MUT3", {"z": "W_z", "r": "Wᵣ", "n": "Wₙ"}),
])  # fmt: skip
def test_a_gate_names_only_the_weights_that_it_has(name, weights):
    drawing = draw(name)
    assert {key: words(drawing, key)[1] for key in weights} == weights


def test_what_is_made_of_the_input_alone_and_not_recorded_is_an_input():
    assert words(draw("MUT1"), "x1") == ["tanh(x)"]
    W = tg.tensor(np.eye(3), requires_grad=True)
    h = tg.tensor(np.ones((2, 3)))
    for t in range(3):
        with tg.step(t):
            x = np.full((2, 3), t + 1.0)
            h = tg.tanh(x @ W + h @ W + x**2)
    assert words(tg.draw(h, "gates"), "x1") == ["x₃′"]


def test_a_mask_does_not_hide_the_lstm():
    layer = nn.LSTM(3, 5, rng=0)
    outputs, _ = layer(np.ones((4, 2, 3), np.float32), mask=np.arange(4)[:, None] < np.array([4, 2]))
    assert {"f", "i", "g", "o", "keep"} <= set(tg.draw(outputs, "gates").keys)
    layer = nn.Recurrent(3, 5, cell=nn.MUT3Cell, num_layers=2, bidirectional=True, rng=0)
    outputs, _ = layer(np.ones((4, 2, 3), np.float32), mask=np.arange(4)[:, None] < np.array([4, 2]))
    assert words(tg.draw(outputs, "gates"), "x") == ["h¹₄→ h¹₄←"]


def test_two_weights_of_different_inputs_are_both_named():
    drawing = draw("multiplicative")
    assert {words(drawing, key)[-2] for key, node in nodes(drawing).items() if node.role == "gate"} == \
        {"W_xf", "W_hf", "W_fh W_xh"}  # fmt: skip


@pytest.mark.parametrize("name", ["MUT3", "peepholes", "highway"])
def test_layers_and_directions_are_said(name):
    drawing = draw(name, num_layers=2, bidirectional=True)
    assert "layer 2, backwards" in drawing.figure.title
    assert words(drawing, "x") == ["h¹₄→ h¹₄←"]


def test_a_circuit_is_drawn_of_a_cell_written_by_hand():
    drawing = tg.draw(models.incomplete(), "gates")
    assert drawing.figure.boxes[0].label == "Incomplete LSTM cell, step 3"
    W = tg.tensor(np.eye(3), requires_grad=True)
    h = tg.tensor(np.ones((2, 3)))
    for t in range(3):
        with tg.step(t):
            h = tg.softplus(tg.sin(h @ W)) + 0.5
    drawing = tg.draw(h, "gates")
    assert hears(drawing)["softplus"] == {"sin"}
    assert words(drawing, "softplus") == ["softplus+0.5"]
