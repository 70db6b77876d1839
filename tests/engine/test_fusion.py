"""Unrolling: what taps, instruments, pictures and second derivatives see of a fused layer is what they see of one that
was recorded step by step; and what the user holds stays as it is."""

from __future__ import annotations

import re
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

import tinygrad_rnn as tg
from tinygrad_rnn import flow, fusion, nn, ops
from tinygrad_rnn.flow.graphs import ancestors
from tinygrad_rnn.pictures.graph import Graph, gradients

T, B, D, H = 4, 2, 3, 5
LAYERS = [nn.RNN, nn.LSTM, nn.GRU]
every_layer = pytest.mark.parametrize("Layer", LAYERS)
FUSED = {"rnn_sequence", "lstm_sequence", "gru_sequence", "join_directions", "dropout_sequence"}
X = np.random.default_rng(0).standard_normal((T, B, D))
MASK = np.arange(T)[:, None] < np.array([T, 2])


@dataclass
class Run:
    """One forward pass: a loss at each step, their sum, and a state to start from."""

    layer: Any
    x: tg.Tensor
    state: Any
    outputs: tg.Tensor
    last: Any
    losses: list[tg.Tensor]
    total: tg.Tensor

    @property
    def cell(self):
        return self.layer.layers[0].forward


def run(Layer, kernel, x=X, num_layers=1, bidirectional=False, dropout=0.0, mask=None, offset=0):
    layer = Layer(D, H, num_layers, bidirectional, dropout, kernel, np.float64, rng=0)
    rng = np.random.default_rng(1)
    x = tg.tensor(x, requires_grad=True, name="x") if isinstance(x, np.ndarray) and x.ndim == 3 else x
    parts = [tg.tensor(rng.standard_normal((B, H)), requires_grad=True, name=name) for name in ("h_0", "c_0")]
    state = None
    if num_layers == 1 and not bidirectional:
        state = tuple(parts) if Layer is nn.LSTM else parts[0]
    outputs, last = layer(x, state, mask=mask, offset=offset)
    losses = []
    for t, y in enumerate(tg.unstack(outputs), offset):
        with tg.step(t):
            losses.append(tg.sum(y * y))
    return Run(layer, x, state, outputs, last, losses, sum(losses))


def both(Layer, **options):
    return run(Layer, "fused", **options), run(Layer, "unrolled", **options)


def leaves(one):
    states = one.state if isinstance(one.state, tuple) else (one.state,)
    return [x for x in (one.x, *states, *one.layer.parameters()) if isinstance(x, tg.Tensor)]


def operations(node_or_output):
    return {node.op.name for node in flow.graphs.ancestors([node_or_output])}


def close(a, b, tolerance=1e-12):
    a, b = (x.numpy() if isinstance(x, tg.Tensor) else np.asarray(x) for x in (a, b))
    assert a.shape == b.shape
    assert np.abs(a - b).max(initial=0) <= tolerance * max(1, np.abs(b).max(initial=0))


# What stays as it was


@every_layer
def test_tensors_that_the_user_holds_stay_valid_and_keep_gradients(Layer):
    fused, unrolled = both(Layer, mask=MASK)
    numbers, node = fused.outputs.data, fused.outputs.node
    for one in (fused, unrolled):
        one.outputs.retain_grad()
        one.total.backward()
    assert fusion.unroll(fused.total)
    assert fused.outputs.node is node
    assert fused.outputs.data is numbers
    assert fused.outputs.op == "unrolled"
    fused.total.backward()
    unrolled.total.backward()
    for a, b in zip((fused.outputs, *leaves(fused)), (unrolled.outputs, *leaves(unrolled)), strict=True):
        close(a.grad, b.grad)
    close(fused.outputs.grad, 2 * 2 * fused.outputs.numpy())  # two passes, each 2 y
    assert fusion.unroll(fused.total) == []  # there is nothing left to be done


@every_layer
def test_backward_accumulates_the_same_before_and_after(Layer):
    one = run(Layer, "fused")
    one.total.backward()
    once = [p.grad.numpy().copy() for p in leaves(one)]
    fusion.unroll(one.total)
    for passes in (2, 3):
        one.total.backward()
        for p, g in zip(leaves(one), once, strict=True):
            close(p.grad, passes * g)


@every_layer
def test_the_gradient_of_an_inner_tensor_between_two_fused_layers(Layer):
    first, second = (Layer(D if i == 0 else H, H, kernel="fused", rng=i, dtype=np.float64) for i in range(2))

    def inner(look):
        h, _ = first(X)
        y, _ = second(h)
        loss = tg.sum(y * y)
        look(loss)
        (g,) = tg.grad(loss, h)
        return g

    plain = inner(lambda loss: None)
    close(inner(fusion.unroll), plain)
    with tg.tap():
        close(inner(lambda loss: None), plain)


# Taps


@every_layer
@pytest.mark.parametrize("bidirectional", [False, True])
def test_a_tap_sees_each_step_and_the_edges_sum_to_the_gradient(Layer, bidirectional):
    one = run(Layer, "fused", bidirectional=bidirectional, mask=MASK, offset=10)
    one.total.backward()
    plain = {id(p): p.grad.numpy() for p in leaves(one)}
    with tg.tap() as seen:
        tg.grad(one.total, leaves(one), allow_unused=True)
    for p in one.layer.parameters():
        edges = [(node.step, c) for node, _, parent, c in seen.edges if parent is p]
        assert {step for step, _ in edges} == set(range(10, 10 + T))
        close(sum(ops.sum_to(c, p.shape) for _, c in edges), plain[id(p)])
    assert not {node.op.name for node, _ in seen.nodes} & FUSED


@every_layer
def test_scopes_and_steps_are_those_of_the_unrolled(Layer):
    """Of all that happens in a step; what takes a sequence apart or puts it together is in none."""

    def places(one):
        nodes = flow.graphs.ancestors([one.total])
        return sorted(((*node.scope,), node.step, node.op.name) for node in nodes if node.step is not None)

    for options in ({}, {"mask": MASK}, {"num_layers": 2, "dropout": 0.5}, {"num_layers": 2, "bidirectional": True}):
        fused, unrolled = both(Layer, offset=3, **options)
        assert places(fused) == places(unrolled)
    assert {step for _, step, _ in places(fused)} == set(range(3, 3 + T))


@pytest.mark.parametrize("mask", [None, MASK])
def test_a_tensor_passed_twice_is_counted_twice_and_once_each(mask):
    """h and c the same tensor, which is x's first step too and is captured elsewhere."""
    rng = np.random.default_rng(2)
    weights = [tg.tensor(0.5 * rng.standard_normal(s), requires_grad=True) for s in ((H, 4 * H), (H, 4 * H), (4 * H,))]
    s = tg.tensor(rng.standard_normal((B, H)), requires_grad=True)

    def loss():
        x = tg.stack([s, s * 2, s])
        hs, h, c = ops.lstm_sequence(x, s, s, *weights, mask=None if mask is None else mask[:3])
        return tg.sum(hs * hs) + tg.sum(h * c * s)

    plain = tg.grad(loss(), [s, *weights])
    with tg.tap():
        tapped = tg.grad(loss(), [s, *weights])
    again = tg.grad(loss(), [s, *weights], create_graph=True)
    for a, b, c in zip(plain, tapped, again, strict=True):
        close(b, a)
        close(c, a)
    assert tg.gradcheck(lambda z: tg.sum(ops.lstm_sequence(tg.stack([z, z]), z, z, *weights)[0]), s.data, order=2)


# Derivatives of derivatives, and parameters that have moved


@every_layer
def test_a_parameter_that_was_rebound_since_is_named(Layer):
    one = run(Layer, "fused")
    W = one.cell.W_hh
    W.data = W.data * 2
    with pytest.raises(RuntimeError, match=r"create_graph: W_hh \(5, \d+\) was rebound") as told:
        tg.grad(one.total, W, create_graph=True)
    assert "\n" not in str(told.value)


@every_layer
@pytest.mark.parametrize("tapped", [False, True])
def test_plain_backward_uses_the_arrays_of_the_forward_pass(Layer, tapped):
    results = []
    for one in both(Layer):
        for p in one.layer.parameters():
            p.data = p.data * 2
        with tg.tap() if tapped else tg.enable_grad():
            one.total.backward()
        results.append([p.grad for p in leaves(one)])
    for a, b in zip(*results, strict=True):
        close(a, b)


# Instruments


@every_layer
def test_instruments_read_the_same(Layer):
    fused, unrolled = both(Layer, mask=MASK, offset=2)
    for name in ("W_xh", "W_hh", "b_h"):
        a, b = (flow.ledger(one.total, getattr(one.cell, name)) for one in (fused, unrolled))
        assert a.steps == b.steps == tuple(range(2, 2 + T))
        close(a.contributions, b.contributions)
        a, b = (flow.ledger(one.losses, getattr(one.cell, name)) for one in (fused, unrolled))
        close(a.norms, b.norms)
    a, b = (flow.find_states(one.total) for one in (fused, unrolled))
    assert a.keys() == b.keys() == ({"h", "c"} if Layer is nn.LSTM else {"h"})
    for name in a:
        assert [s.step for s in a[name]] == [s.step for s in b[name]]
    a, b = (flow.by_lag(one.losses[-1]) for one in (fused, unrolled))
    for name in b:
        assert a[name].counts.tolist() == b[name].counts.tolist()
        np.testing.assert_allclose(a[name].norms, b[name].norms, rtol=1e-12)  # NaN where nothing was measured


@every_layer
def test_jacobian_products_are_the_same(Layer):
    products = []
    for one in both(Layer):
        states = flow.find_states(one.total)
        states = list(zip(states["h"], states["c"], strict=True)) if Layer is nn.LSTM else states["h"]
        products.append(flow.jacobian_products(states))
    a, b = products
    close(a.norms, b.norms, 1e-10)
    close(a.step_jacobians, b.step_jacobians, 1e-10)
    if Layer is not nn.RNN:  # which has no direct path
        close(a.carousel, b.carousel)
        close(a.direct.norms, b.direct.norms)


def test_a_ledger_taken_first_finds_the_steps_too():
    """Unrolling is the instrument's own doing, not left behind by another."""
    one = run(nn.GRU, "fused")
    assert flow.ledger(one.total, one.cell.W_hh).steps == (0, 1, 2, 3)
    one = run(nn.GRU, "fused")
    assert set(flow.find_states(one.total)) == {"h"}


# Pictures

VIEWS = ("cells", "rolled", "gates", "ops", "flow")
MODELS = {
    "one layer": {},
    "masked": {"mask": MASK},
    "chunk": {"offset": 7},
    "two layers": {"num_layers": 2},
    "dropout": {"num_layers": 2, "dropout": 0.5, "mask": MASK},
    "bidirectional": {"bidirectional": True},
    "all": {"num_layers": 2, "bidirectional": True, "dropout": 0.5, "mask": MASK},
}
INPUTS = {"tensor": X, "indices": np.random.default_rng(3).integers(0, D, (T, B))}


def picture(one, view):
    """Of the graph in SVG, whichever layer or direction it was that took a sequence apart or put it together."""
    try:
        svg = tg.draw(one.total, view=view).svg
    except ValueError as error:
        return str(error)  # a view that does not apply says so for both
    return re.sub(r"(/layer \d)?(/(for|back)ward)?/((un)?stack)", r"/\4", svg)


@every_layer
@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("x", INPUTS)
def test_pictures_are_the_same_in_every_view(Layer, name, x):
    fused, unrolled = both(Layer, x=INPUTS[x], **MODELS[name])
    for view in VIEWS:
        assert picture(fused, view) == picture(unrolled, view), view


@every_layer
@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("x", INPUTS)
def test_graphs_have_the_same_vertices_and_gradients(Layer, name, x):
    """By key, for all that happens in a step or is given. A fused layer has its sequence taken apart and put together
    under its own scope, an unrolled one under that of the whole, once for both directions."""

    def vertices(one):
        graph = Graph(one.total)
        gradients(graph)
        return {v.key: v.gradient for v in graph.vertices
                if v.node is None or v.op not in ("unstack", "stack")}  # fmt: skip

    fused, unrolled = map(vertices, both(Layer, x=INPUTS[x], **MODELS[name]))
    assert fused.keys() == unrolled.keys()
    for key, gradient in unrolled.items():
        assert (fused[key] is None) == (gradient is None), key
        if gradient is not None:
            close(fused[key], gradient)


@every_layer
def test_a_trace_of_the_fused_kernel_is_drawn_step_by_step(Layer):
    pictures = []
    for kernel in ("fused", "unrolled"):
        with tg.trace() as tr:
            run(Layer, kernel)
        pictures.append([tg.draw(tr, view="cells").svg for _ in range(2)])
    assert pictures[0] == pictures[1]
    assert pictures[0][0] == pictures[0][1]  # drawn again, the same


def test_a_trace_is_drawn_after_its_graph_was_unrolled_for_a_tap():
    with tg.trace() as tr:
        one = run(nn.LSTM, "fused")
    with tg.tap():
        one.total.backward()
    assert tg.draw(tr, view="cells").svg == tg.draw(tr, view="cells").svg


def test_layers_of_different_widths_may_read_the_same_indices():
    """What they share of one sequence is cut for each width and dtype by itself."""
    ids = np.random.default_rng(0).integers(0, 3, (T, B))
    layers = [nn.RNN(width, H, kernel="fused", rng=0, dtype=dtype)
              for width, dtype in ((3, np.float64), (5, np.float64), (3, np.float32))]  # fmt: skip
    totals = [tg.sum(layer(ids)[0] ** 2) for layer in layers]
    loss, weights = totals[0] + totals[1] + totals[2], [layer.layers[0].forward.W_xh for layer in layers]
    before = [g.numpy() for g in tg.grad(loss, weights)]
    tg.unroll(loss)
    for g, expected, W in zip(tg.grad(loss, weights), before, weights, strict=True):
        assert g.dtype == W.dtype
        np.testing.assert_allclose(g.numpy(), expected, rtol=1e-5 if W.dtype == np.float32 else 1e-12, atol=1e-7)
    tables = [x for node in ancestors([loss]) if node.op.name == "matmul" for x in node.inputs if x.shape[0] == B]
    assert {x.dtype for x in tables} == {np.dtype(np.float64), np.dtype(np.float32)}


def test_the_warning_names_the_line_that_looks_inside(monkeypatch):
    monkeypatch.setattr(fusion, "_told", False)
    one = run(nn.GRU, "fused")
    with pytest.warns(fusion.SlowerRoad) as told:
        flow.find_states(one.total)
    assert told[0].filename == __file__


def test_what_is_no_tensor_is_not_unrolled():
    with pytest.raises(TypeError, match=r"give Tensors, unroll\(a, b\), not a tuple"):
        tg.unroll((tg.tensor(1.0),))


# What the user is told


@pytest.fixture
def untold(monkeypatch):
    monkeypatch.setattr(fusion, "_told", False)


LOOKS = {
    "unroll": lambda one: fusion.unroll(one.total),
    "create_graph": lambda one: tg.grad(one.total, one.cell.W_hh, create_graph=True),
    "ledger": lambda one: flow.ledger(one.total, one.cell.W_hh),
    "draw": lambda one: tg.draw(one.total).svg,
}


@pytest.mark.parametrize("look", LOOKS)
def test_the_slower_road_is_told_once(look, untold):
    one, another = run(nn.LSTM, "fused"), run(nn.GRU, "fused")
    with pytest.warns(fusion.SlowerRoad, match='kernel="unrolled" records the steps from the start') as told:
        LOOKS[look](one)
    assert len(told) == 1
    assert "\n" not in str(told[0].message)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        LOOKS[look](another)


@every_layer
def test_nothing_is_said_of_what_is_not_unrolled(Layer, untold):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        run(Layer, "fused").total.backward()
        one = run(Layer, "unrolled")
        with tg.tap():
            one.total.backward()
        with tg.trace():
            run(Layer, "auto")
    assert not fusion._told
