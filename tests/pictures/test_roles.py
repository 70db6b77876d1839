"""Roles come from the graph: states, inputs, outputs, losses, parameters."""

from __future__ import annotations

import numpy as np
import pytest

import tinygrad_rnn as tg
from tinygrad_rnn.pictures.graph import Graph
from tinygrad_rnn.pictures.roles import roles_of

from . import models


def roles(name):
    graph = Graph(models.ALL[name]())
    return graph, roles_of(graph)


@pytest.mark.parametrize("name", ["elman", "without names"])
def test_an_elman_loop_with_or_without_names(name):
    graph, found = roles(name)
    (layer,) = found.layers
    assert [v.key for v in layer.h.values()] == [f"t{t}/tanh" for t in (1, 2, 3, 4)]
    assert not layer.c
    assert layer.h0 is not None
    assert layer.h0.kind == "constant"
    assert [found.symbol(v) for v in layer.h.values()] == ["h_1", "h_2", "h_3", "h_4"]
    assert found.symbol(layer.h0) == "h_0"
    assert [v.key for v in found.x.values()] == [f"t{t}/input" for t in (1,)] + [f"t{t}/input" for t in (2, 3, 4)]
    assert {v.op for v in found.y.values()} == {"add"}
    assert {v.shape for v in found.y.values()} == {(2, 4)}
    assert all(v.size == 1 for v in found.loss.values())
    assert len(found.loss) == 4
    assert found.total is graph.outputs[0]
    assert len(found.parameters) == 5


def test_the_cell_state_is_the_one_that_passes_no_matrix():
    _, found = roles("lstm")
    (layer,) = found.layers
    assert {v.op for v in layer.h.values()} == {"multiply"}
    assert {v.op for v in layer.c.values()} == {"add"}
    assert layer.c0 is not None
    assert layer.c0 is not layer.h0
    assert found.total is not None  # the running sum is no state
    assert len(found.loss) == 4
    assert len(found.sums) == 4


def test_plain_numbers_have_states_inputs_and_parameters_too():
    _, found = roles("scalar")
    (layer,) = found.layers
    assert [v.op for v in layer.h.values()] == ["tanh"] * 4
    assert [float(v.value) for v in found.x.values()] == [1.0, -0.5, 0.8, 0.3]
    assert [p.key for p in found.parameters] == ["w", "u"]


def test_a_gru_has_one_state():
    _, found = roles("GRU")
    (layer,) = found.layers
    assert not layer.c
    assert layer.h0 is not None


def test_layers_and_directions_have_a_row_each():
    _, found = roles("both ways")
    assert [(layer.number, layer.backward) for layer in found.layers] == [(1, False), (1, True), (2, False), (2, True)]
    assert all(layer.c and layer.h0 is not None for layer in found.layers)
    assert [found.symbol(layer.h[0]) for layer in found.layers] == ["h¹_1→", "h¹_1←", "h²_1→", "h²_1←"]
    assert len(found.parameters) == 12


def test_a_tracked_sequence_is_an_input_and_no_parameter():
    _, found = roles("tracked input")
    assert [v.index for v in found.x.values()] == [0, 1, 2, 3]
    assert len(found.parameters) == 3
    assert len(found.sequences) == 1


def test_slices_of_a_tracked_sequence_are_inputs():
    X = tg.tensor(np.ones((3, 2, 4)), requires_grad=True)
    W = tg.tensor(np.ones((4, 4)), requires_grad=True)
    h = tg.tensor(np.zeros((2, 4)))
    for t in range(3):
        with tg.step(t):
            h = tg.tanh(X[t] @ W + h @ W)
    found = roles_of(Graph(h))
    assert [v.key for v in found.x.values()] == ["t1/getitem", "t2/getitem", "t3/getitem"]
    assert [p.key for p in found.parameters] == ["parameter#2"]


def test_an_embedding_is_what_goes_in():
    E = tg.tensor(np.ones((9, 3)), requires_grad=True, name="E")
    W = tg.tensor(np.ones((3, 3)), requires_grad=True, name="W")
    h = tg.tensor(np.zeros((2, 3)))
    for t in range(3):
        with tg.step(t):
            h = tg.tanh(tg.take(E, np.array([t, t + 1])) + h @ W)
    found = roles_of(Graph(h.sum()))
    assert {v.op for v in found.x.values()} == {"take"}
    assert [p.key for p in found.parameters] == ["E", "W"]


def test_a_name_overrides():
    W = tg.tensor(np.eye(3), requires_grad=True)
    h = tg.tensor(np.zeros((2, 3)))
    losses = []
    for t in range(3):
        with tg.step(t):
            a = h @ W + 1.0
            h = tg.tanh(a).named("s")
            p = tg.softmax(h * 2.0).named("y")
            losses.append((p * p).sum())
    found = roles_of(Graph(sum(losses)))
    assert {v.op for v in found.y.values()} == {"softmax"}
    assert [found.symbol(v) for v in found.layers[0].h.values()] == ["s_1", "s_2", "s_3"]


def test_a_detached_state_restarts_the_chain():
    _, found = roles("truncated")
    (layer,) = found.layers
    linked = [found.linked(layer.h[t], layer.h[t + 1]) for t in range(5)]
    assert linked == [True, True, False, True, True]
    assert list(found.restarts.values()) == [layer.h[2]]
    assert all(v.shape == (2, 3) for v in found.x.values())


@pytest.mark.parametrize("name", ["elman", "without names", "hoisted", "lstm", "scalar", "RNN", "LSTM", "GRU",
                                  "stacked", "both ways"])  # fmt: skip
def test_pictures_and_instruments_see_the_same_states(name):
    graph, found = roles(name)
    lanes = [lane for layer in found.layers for lane in (layer.h, layer.c) if lane]
    ours = {frozenset((v.node, v.step) for v in lane.values()) for lane in lanes}
    theirs = {frozenset((x.node, x.step) for x in states) for states in tg.flow.find_states(*graph.tensors).values()}
    assert ours == theirs
