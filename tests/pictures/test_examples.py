"""The built-in models of `tinygrad-rnn draw`."""

from __future__ import annotations

import numpy as np
import pytest

import tinygrad_rnn as tg
from tests.conftest import steps_recorded
from tinygrad_rnn.pictures.examples import EXAMPLES


@pytest.mark.parametrize("name", EXAMPLES)
def test_each_example_draws_by_itself_and_alike_for_a_seed(name):
    drawings = [tg.draw(EXAMPLES[name](4, np.random.default_rng(7))) for _ in range(2)]
    assert drawings[0].dot == drawings[1].dot
    assert len(drawings[0].figure.nodes) > 3


@pytest.mark.parametrize("name", [name for name in EXAMPLES if name not in ("product", "logistic", "layer", "shared")])
@pytest.mark.parametrize("view", ["cells", "rolled", "gates", "ops", "flow"])
def test_each_recurrent_example_has_every_view(name, view):
    with steps_recorded():
        assert tg.draw(EXAMPLES[name](3, np.random.default_rng(0)), view).figure.nodes


def test_the_product_s_gradients_are_each_other_s_values():
    output = EXAMPLES["product"](1, np.random.default_rng(0))
    lines = {node.key: [line.text for line in node.lines] for node in tg.draw(output).figure.nodes}
    assert lines["x"] == ["x", "-2", "∇ 3"]
    assert lines["y"] == ["y", "3", "∇ -2"]


def test_the_shared_weight_gathers_from_both_uses():
    output = EXAMPLES["shared"](1, np.random.default_rng(0))
    edges = [(edge.tail, edge.head) for edge in tg.draw(output).figure.edges if edge.tail == "W"]
    assert sorted(edges) == [("W", "matmul"), ("W", "multiply#2"), ("W", "multiply#2")]


def test_hello_reads_h_e_l_l_and_is_to_say_e_l_l_o():
    output = EXAMPLES["hello"](4, np.random.default_rng(0))
    from tinygrad_rnn.pictures.graph import Graph
    from tinygrad_rnn.pictures.roles import roles_of

    graph = Graph(output)
    found = roles_of(graph)
    assert "".join("helo"[int(v.value.argmax())] for v in found.x.values()) == "hell"
    assert len(found.loss) == 4
    assert found.layers[0].h[0].shape == (1, 3)
