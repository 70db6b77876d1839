"""What the experiments on cells take for granted."""

import numpy as np
import pytest

import tinygrad_rnn as tg
from tinygrad_rnn import nn
from tinygrad_rnn.experiments import Size
from tinygrad_rnn.experiments.catalogue.arithmetic import CHARACTERS, GATES, layer_of
from tinygrad_rnn.experiments.memorising import memorised
from tinygrad_rnn.nn.cells.graph import TANH
from tinygrad_rnn.ops.recurrent import fast

H = 6


@pytest.mark.parametrize(("name", "left_out"), [("LSTM-i", "NIG"), ("LSTM-f", "NFG"), ("LSTM-o", "NOG")])
def test_a_gate_that_starts_wide_open_is_one_that_is_left_out(name, left_out, monkeypatch):
    monkeypatch.setattr(fast, "kernels", lambda: None)  # as trials run: what is compiled rounds sigmoid(40) to 1 - 1e-8
    layer = layer_of(name, H, np.random.default_rng(0))
    cell = layer.layers[0].forward
    kept = [k for k in range(4) if k != GATES.index(name[-1])]

    def others(array):
        return np.concatenate([np.split(array, 4, axis=-1)[k] for k in kept], axis=-1)

    without = nn.LSTMVariantCell(len(CHARACTERS), H, f"{left_out}+NP", forget_bias=0.0, rng=0)
    for mine, theirs in zip(without.parameters(), cell.parameters(), strict=True):
        mine.data = others(theirs.data)
    x = np.random.default_rng(1).integers(0, len(CHARACTERS), (9, 3))
    hs, _ = layer(x)
    state = None
    for t in range(9):
        state = without(tg.one_hot(x[t], len(CHARACTERS)), state)
        np.testing.assert_allclose(hs.numpy()[t], state[0].numpy(), atol=1e-6)
    hs.sum().backward()
    state[0].sum().backward()
    k = GATES.index(name[-1])
    for p in cell.parameters():  # so no optimizer ever moves it
        assert not np.split(p.grad.numpy(), 4, axis=-1)[k].any()
        assert others(p.grad.numpy()).any()


def test_how_fit_a_cell_is_repeats_and_improves_with_training():
    size = Size(1, length=2, values=4, hidden=16, batch=16, updates=80)
    fit = memorised(TANH, 0.02, np.random.default_rng(0), size, gap=1)
    assert fit == memorised(TANH, 0.02, np.random.default_rng(0), size, gap=1)
    few = Size(1, length=2, values=4, hidden=16, batch=16, updates=1)
    assert fit > 0.8 > memorised(TANH, 0.02, np.random.default_rng(0), few, gap=1)


def test_a_cell_whose_numbers_explode_is_not_fit():
    graph = nn.Graph({"a": ("linear", "x", "h"), "b": ("multiply", "a", "a"), "c": ("add", "b", "b")}, {"h": "c"})
    size = Size(1, length=2, values=4, hidden=16, batch=4, updates=2)
    assert memorised(graph, 100.0, np.random.default_rng(0), size, gap=12) == 0
