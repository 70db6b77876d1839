"""Cells as graphs: the known ones equal the real cells, mutants are always cells, and texts are read as written."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tinygrad_rnn as tg
from tinygrad_rnn import nn
from tinygrad_rnn.nn.cells import mutation
from tinygrad_rnn.nn.cells.graph import GRU, LSTM, MUT1, TANH
from tinygrad_rnn.nn.cells.tree import TREE

B, D, H = 3, 4, 5
rng = np.random.default_rng(0)
KNOWN = {"tanh": TANH, "lstm": LSTM, "gru": GRU, "mut1": MUT1}


def filled(cell):
    cell.astype(np.float64)
    for p in cell.parameters():
        p.data = rng.standard_normal(p.shape)
    return cell


def give(cell, weights, biases):
    """Other numbers for a GraphCell: a dict for each stack, and its bias."""
    for mine, theirs, b, bias in zip(cell.weights, weights, cell.biases, biases, strict=True):
        assert mine.keys() == theirs.keys()
        for source, W in theirs.items():
            assert mine[source].shape == W.shape
            mine[source].data = W
        b.data = bias
    return cell


def given_as(kind):
    """A real cell, and the GraphCell of the same numbers."""
    if kind == "tanh":
        real = filled(nn.RNNCell(D, H))
        return real, [{"x": real.W_xh.data, "h": real.W_hh.data}], [real.b_h.data]
    if kind == "lstm":
        real = filled(nn.LSTMCell(D, H))
        return real, [{"x": real.W_xh.data, "h": real.W_hh.data}], [real.b_h.data]
    if kind == "gru":
        real = filled(nn.GRUCell(D, H))
        (x_rz, x_n), (h_rz, h_n), (rz, n) = (np.split(p.data, [2 * H], axis=-1) for p in real.parameters())
        return real, [{"x": x_rz, "h": h_rz}, {"x": x_n, "rh": h_n}], [rz, n]
    real = filled(nn.MUT1Cell(H, H))
    x_r, x_z = np.split(real.W_xh.data, 2, axis=1)
    h_r, h_n = np.split(real.W_hh.data, 2, axis=1)
    r, z, n = np.split(real.b_h.data, 3)
    return real, [{"x": x_z}, {"x": x_r, "h": h_r}, {"rh": h_n}], [z, r, n]


@pytest.mark.parametrize("kind", KNOWN)
def test_the_known_graphs_are_the_real_cells(kind):
    real, weights, biases = given_as(kind)
    cell = give(nn.GraphCell(real.input_size, H, KNOWN[kind], dtype=np.float64), weights, biases)
    assert cell.count_parameters() == real.count_parameters()
    mine = theirs = None
    for x in rng.standard_normal((4, B, real.input_size)):  # four steps, each from the state that came back
        mine, theirs = cell(x, mine), real(x, theirs)
        for a, b in zip(*[(s if isinstance(s, tuple) else (s,)) for s in (mine, theirs)], strict=True):
            np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-12)


def test_linear1_starts_as_the_forget_gate_of_an_lstm():
    (bias,) = nn.GraphCell(D, H, LSTM, rng=0).biases
    np.testing.assert_array_equal(bias.numpy(), nn.LSTMCell(D, H, rng=0).b_h.numpy())


def mutants(start, seed, count):
    draw, graph = np.random.default_rng(seed), KNOWN[start]
    for _ in range(count):
        before = graph.to_json()
        mutant = nn.mutate(graph, draw)
        assert graph.to_json() == before  # a graph is never changed
        graph = mutant
        yield graph


@given(st.sampled_from(sorted(KNOWN)), st.integers(0, 2**32))
@settings(max_examples=40, deadline=None)
def test_a_mutant_is_a_graph_without_circles_that_remembers(start, seed):
    before = KNOWN[start]
    for graph in mutants(start, seed, 12):
        assert graph != before
        before = graph
        known = {"x", *graph.outputs}
        for name, (_, *reads) in graph.nodes.items():  # each reads what stands before it
            assert set(reads) <= known
            known.add(name)
        needed = set(graph.outputs.values()).union(*(graph.ancestors(name) for name in graph.outputs.values()))
        assert needed >= set(graph.nodes)
        assert graph.remembers
        assert len(graph.nodes) <= 24
        assert nn.Graph.from_json(graph.to_json()) == graph
    cell = nn.GraphCell(D, H, graph, project=True, rng=0)
    state = cell(np.ones((B, D), np.float32), None)
    for part in state if isinstance(state, tuple) else (state,):
        assert part.shape == (B, H)
        assert part.dtype == np.float32


@given(st.integers(0, 2**32))
@settings(max_examples=10, deadline=None)
def test_what_remembers_hears_x_of_steps_before(seed):
    *_, graph = mutants("lstm", seed, 15)
    cell = nn.GraphCell(D, H, graph, project=True, rng=0)
    xs = [tg.tensor(rng.standard_normal((1, D)), requires_grad=True) for _ in range(4)]
    state = tuple(tg.tensor(rng.standard_normal((1, H))) for _ in cell.states)
    state = state if len(state) > 1 else state[0]
    for x in xs:
        state = cell(x, state)
    h = state[0] if isinstance(state, tuple) else state
    assert any(g is not None for g in tg.grad(h.sum(), xs, allow_unused=True))


def test_each_operator_finds_something_to_change():
    for operator in mutation.OPERATORS:
        changed = 0
        for name in LSTM.nodes:
            nodes, outputs = dict(LSTM.nodes), dict(LSTM.outputs)
            said = operator(LSTM, nodes, outputs, name, np.random.default_rng(1))
            assert said == (nodes != dict(LSTM.nodes) or outputs != dict(LSTM.outputs)), operator
            changed += said
        assert changed >= 3, operator


def test_mutation_repeats_with_its_seed_and_finds_many():
    assert [g.to_json() for g in mutants("gru", 3, 10)] == [g.to_json() for g in mutants("gru", 3, 10)]
    assert len({nn.mutate(TANH, np.random.default_rng(seed)).to_json() for seed in range(60)}) > 15


@pytest.mark.parametrize("kind", [*KNOWN, "tree"])
def test_gradients_of_first_and_second_order(kind):
    graph = KNOWN.get(kind) or nn.tree_graph([0, 1, 1, 2, 1, 2, 0, 1, 0, 1])
    cell = nn.GraphCell(D, H, graph, project=True, rng=0).astype(np.float64)
    states = [rng.standard_normal((B, H)) for _ in cell.states]

    def run(x, W, *state):
        cell.weights[0]["x"] = W
        return cell(x, state if len(state) > 1 else state[0])

    assert tg.gradcheck(run, [rng.standard_normal((B, D)), cell.weights[0]["x"].numpy(), *states], order=2, sample=6)


def test_a_layer_runs_it_and_a_picture_shows_it():
    layer = nn.Recurrent(D, H, cell=nn.GraphCell, graph=GRU, rng=0)
    outputs, h = layer(np.ones((6, B, D), np.float32))
    assert outputs.shape == (6, B, H)
    np.testing.assert_array_equal(outputs.numpy()[-1], h.numpy())
    outputs.sum().backward()
    assert all(p.grad is not None for p in layer.parameters())
    assert "tanh" in tg.draw(outputs.sum(), view="ops").svg
    gates = tg.draw(outputs.sum(), view="gates").svg
    assert gates.count("σ") >= 2  # both gates
    assert "1−" in gates or "1-" in gates


@given(st.tuples(*(st.integers(0, n - 1) for n in TREE)))
@settings(max_examples=40, deadline=None)
def test_ten_tokens_are_the_tree_of_the_paper(tokens):
    op0, f0, op1, f1, op, f, op_c, f_c, into, shown = tokens
    combine = [np.add, np.multiply]
    activate = [lambda a: a, np.tanh, lambda a: 1 / (1 + np.exp(-a)), lambda a: np.maximum(a, 0)]
    cell = filled(nn.GraphCell(D, H, nn.tree_graph(tokens)))
    x, h, c = rng.standard_normal((B, D)), rng.standard_normal((B, H)), rng.standard_normal((B, H))
    W = {name: p.data for name, p in cell.named_parameters()}
    x0, x1 = np.split(x @ W["weights.0.x"] + W["biases.0"], 2, axis=1)
    h0, h1 = np.split(h @ W["weights.1.h"] + W["biases.1"], 2, axis=1)
    sums = [combine[op0](x0, h0), combine[op1](x1, h1)]
    leaves = [activate[f0](sums[0]), activate[f1](sums[1])]
    leaves[into] = activate[f_c](combine[op_c](leaves[into], c))
    new_h, new_c = cell(x, (h, c))
    np.testing.assert_allclose(new_h.numpy(), activate[f](combine[op](*leaves)), rtol=1e-9)
    np.testing.assert_allclose(new_c.numpy(), sums[shown], rtol=1e-9)


def test_equations_are_written_as_one_would():
    assert str(GRU).splitlines() == [
        "z = sigmoid(linear(x, h))",
        "h = z * h + (1 - z) * tanh(linear(x, sigmoid(linear(x, h)) * h))",
    ]
    assert str(LSTM).splitlines()[1] == "h = sigmoid(linear(x, h)) * tanh(c')"


@pytest.mark.parametrize(("call", "message"), [
    (lambda: nn.Graph({"a": ("tanh", "x")}, {"c": "a"}), "h among them, not of c"),
    (lambda: nn.Graph({"a": ("swish", "x")}, {"h": "a"}), "a is a 'swish', and there are linear, linear1, tanh"),
    (lambda: nn.Graph({"a": ("tanh", "b"), "b": ("tanh", "x")}, {"h": "a"}), "reads 'b', which is no input"),
    (lambda: nn.Graph({"x": ("tanh", "h")}, {"h": "x"}), "two called 'x'"),
    (lambda: nn.Graph({"a": ("add", "x")}, {"h": "a"}), "a, a add, reads 2, not 1"),
    (lambda: nn.Graph({"a": ("linear",)}, {"h": "a"}), "reads at least 1, not 0"),
    (lambda: nn.Graph({"a": ("tanh", "x")}, {"h": "b"}), "the next h is 'b', which is no node"),
    (lambda: nn.cells.graph.arranged({"a": ("tanh", "b"), "b": ("tanh", "a")}, {"h": "a"}), "computed from itself"),
    (lambda: nn.Graph.from_json("{]"), "give what to_json gave"),
    (lambda: nn.Graph.from_json('{"nodes": {"a": 3}, "outputs": {"h": "a"}}'), "give what to_json gave"),
    (lambda: nn.GraphCell(D, H, MUT1), "seen = tanh reads x itself, so input_size must be 5, not 4"),
    (lambda: nn.GraphCell(D, H, nn.Graph({"a": ("tanh", "h")}, {"h": "a"})), "no linear node"),
    (lambda: nn.tree_graph([0] * 9), "takes 10 tokens"),
    (lambda: nn.tree_graph([2] + [0] * 9), "takes 10 tokens below 2, 4"),
])  # fmt: skip
def test_bad_graphs_are_answered_in_one_line(call, message):
    with pytest.raises(ValueError, match=message) as told:
        call()
    assert "\n" not in str(told.value)


def test_a_graph_that_is_too_large_has_no_mutant():
    with pytest.raises(RuntimeError, match="no useful graph of at most 2 nodes lies beside this one of 13"):
        nn.mutate(LSTM, np.random.default_rng(0), most=2)
