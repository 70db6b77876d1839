"""Layers over sequences: what is recorded where, chunks, dropout and states (test_torch is about their numbers)."""

import numpy as np
import pytest

import tinygrad_rnn as tg
from tinygrad_rnn import nn

T, B, D, H = 6, 2, 3, 4
KINDS = [nn.RNN, nn.LSTM, nn.GRU]
x = np.random.default_rng(0).standard_normal((T, B, D))


def leaf(offset=0):
    return tg.tensor(x[offset:], requires_grad=True)


@pytest.mark.parametrize("Layer", KINDS)
def test_a_layer_is_its_cell_step_by_step(Layer):
    layer = Layer(D, H, rng=0, dtype=np.float64, kernel="unrolled")
    outputs, state = layer(x)
    by_hand = None
    for t in range(T):
        by_hand = layer.layers[0].forward(x[t], by_hand)
        h = by_hand[0] if Layer is nn.LSTM else by_hand
        np.testing.assert_array_equal(outputs.numpy()[t], h.numpy())
    parts = zip(state, by_hand, strict=True) if Layer is nn.LSTM else [(state, by_hand)]
    assert all((a.numpy() == b.numpy()).all() for a, b in parts)


@pytest.mark.parametrize("Layer", KINDS)
@pytest.mark.parametrize("offset", [0, 10])
def test_every_node_carries_the_time_of_the_data_it_reads(Layer, offset):
    layer = Layer(D, H, num_layers=2, bidirectional=True, rng=0)
    xs = leaf()
    with tg.trace() as tr:
        layer(xs, offset=offset)
    inside = [node for node in tr.nodes if node.op.name not in ("unstack", "stack")]
    assert {node.step for node in inside} == set(range(offset, offset + T))
    assert {node.step for node in tr.nodes if node not in inside} == {None}  # they see all of the sequence
    reads = [(node.scope[-1], node.step - offset, x.index) for node in inside for x in node.inputs
             if isinstance(x, tg.Tensor) and x.node is not None and x.node.op.name == "unstack"]  # fmt: skip
    assert all(step == index for _, step, index in reads)
    assert [step for direction, step, _ in reads if direction == "backward"] == list(range(T))[::-1]


def test_scopes_say_which_layer_and_direction():
    def scopes(layer):
        with tg.trace() as tr:
            layer(leaf())
        return {node.scope for node in tr.nodes}

    assert scopes(nn.LSTM(D, H)) == {("lstm",)}
    assert scopes(nn.RNN(D, H, name="encoder")) == {("encoder",)}
    assert scopes(nn.GRU(D, H, 2)) == {("gru",), ("gru", "layer 0"), ("gru", "layer 1")}
    assert scopes(nn.RNN(D, H, bidirectional=True)) == {("rnn",), ("rnn", "forward"), ("rnn", "backward")}


@pytest.mark.parametrize("Layer", KINDS)
def test_a_gradient_that_is_cut_by_detach_is_the_truncated_one(Layer):
    """h_{k-1} carried over as a number: the loss of the second chunk sees the weights through that chunk alone."""
    k = 4
    layer = Layer(D, H, rng=0, dtype=np.float64)
    first, state = layer(x[:k])
    second, _ = layer(x[k:], nn.detach(state), offset=k)
    (second * second).sum().backward()
    got = [p.grad.numpy() for p in layer.parameters()]

    layer.zero_grad()
    with tg.no_grad():
        _, constant = layer(x[:k])
    again, _ = layer(x[k:], constant)
    (again * again).sum().backward()
    np.testing.assert_array_equal(np.concatenate([first.numpy(), second.numpy()]), layer(x)[0].numpy())
    for g, p in zip(got, layer.parameters(), strict=True):
        np.testing.assert_array_equal(g, p.grad.numpy())


def test_the_truncated_gradient_worked_out_by_hand():
    """h_t = W h_{t-1} + x_t with relu, all positive: dL/dW = h_0 + 2 W ... shortened to the steps after the cut."""
    layer = nn.RNN(1, 1, nonlinearity="relu", dtype=np.float64)
    cell, w = layer.layers[0].forward, 0.5
    cell.W_xh.data, cell.W_hh.data = np.ones((1, 1)), np.full((1, 1), w)
    ones = np.ones((4, 1, 1))
    h = [0, 1, 1 + w, 1 + w + w**2, 1 + w + w**2 + w**3]

    layer(ones)[1].sum().backward()  # L = h_4; dh_t/dw = h_{t-1} + w dh_{t-1}/dw
    assert cell.W_hh.grad.item() == h[3] + w * (h[2] + w * h[1])

    layer.zero_grad()
    _, state = layer(ones[:2])
    layer(ones[2:], nn.detach(state))[1].sum().backward()
    assert cell.W_hh.grad.item() == h[3] + w * h[2]


def test_without_detach_the_gradient_goes_on_into_the_first_chunk():
    layer = nn.LSTM(D, H, rng=0, dtype=np.float64)
    first, whole = leaf(), leaf()
    _, state = layer(first[:3])
    layer(first[3:], state)[0].sum().backward()
    layer(whole)[0][3:].sum().backward()
    np.testing.assert_allclose(first.grad.numpy(), whole.grad.numpy(), rtol=1e-12)


def test_detach_keeps_the_nesting_and_cuts_every_tensor():
    state = nn.LSTM(D, H, 2)(leaf())[1]
    cut = nn.detach(state)
    assert [[part.shape for part in entry] for entry in cut] == [[part.shape for part in entry] for entry in state]
    assert not any(part.requires_grad for entry in cut for part in entry)
    assert nn.detach(None) is None


@pytest.mark.parametrize("Layer", KINDS)
def test_the_backward_direction_reads_from_the_end(Layer):
    """Its last state, computed last, stands at the start of the sequence, and what it saw of x[0] is x[0] alone."""
    both = Layer(D, H, bidirectional=True, rng=0, dtype=np.float64)
    alone = Layer(D, H, dtype=np.float64)
    alone.layers[0].forward = both.layers[0].backward
    outputs, (_, last) = both(x)
    reversed_outputs, reversed_last = alone(x[::-1])
    np.testing.assert_array_equal(outputs.numpy()[:, :, H:], reversed_outputs.numpy()[::-1])
    for a, b in zip(last, reversed_last, strict=True) if Layer is nn.LSTM else [(last, reversed_last)]:
        np.testing.assert_array_equal(a.numpy(), b.numpy())


def test_no_state_hides_in_a_module():
    layer = nn.LSTM(D, H, 2, rng=0)
    np.testing.assert_array_equal(layer(x)[0].numpy(), layer(x)[0].numpy())


def test_a_state_may_be_given_in_part():
    layer = nn.RNN(D, H, 2, rng=0, dtype=np.float64)
    h = np.random.default_rng(1).standard_normal((B, H))
    expected = layer(x, (np.zeros((B, H)), h))[0].numpy()
    np.testing.assert_array_equal(layer(x, (None, h))[0].numpy(), expected)


class TestDropout:
    def test_acts_between_layers_in_training_only(self):
        layer = nn.RNN(D, H, 2, dropout=0.5, rng=0)
        assert (layer(x)[0].numpy() != layer(x)[0].numpy()).any()
        layer.eval()
        plain = nn.RNN(D, H, 2, rng=0)
        np.testing.assert_array_equal(layer(x)[0].numpy(), plain(x)[0].numpy())

    def test_draws_from_the_generator_given(self):
        runs = [nn.GRU(D, H, 3, dropout=0.3, rng=np.random.default_rng(7))(x)[0].numpy() for _ in range(2)]
        np.testing.assert_array_equal(*runs)

    def test_scales_what_it_keeps_and_leaves_the_last_layer_whole(self):
        layer = nn.RNN(D, H, 2, nonlinearity="relu", dropout=0.5, rng=0)
        handed = []
        second = layer.layers[1].forward
        run = second.forward
        second.forward = lambda x, h: handed.append(x.numpy()) or run(x, h)
        whole = nn.RNN(D, H, 1, nonlinearity="relu")
        whole.layers[0].forward = layer.layers[0].forward
        layer(x)
        first = whole(x)[0].numpy()
        ratio = np.array(handed)[first > 0] / first[first > 0]
        assert set(np.round(ratio, 6)) == {0.0, 2.0}

    def test_drops_everything_between_layers_at_one(self):
        layer = nn.RNN(D, H, 2, dropout=1.0, rng=0)
        assert not layer(x)[0].numpy().any()  # biases are zero


@pytest.mark.parametrize(("call", "message"), [
    (lambda: nn.LSTM(D, H, kernel="fast"), 'kernel is "auto", "fused" or "unrolled", not \'fast\''),
    (lambda: nn.RNN(D, H, bidirectional=True, merge="add"), 'RNN: merge is "concat", "sum" or "mul", not \'add\''),
    (lambda: nn.LSTM(D, H, num_layers=0), "num_layers must be at least 1"),
    (lambda: nn.LSTM(D, H, dropout=1.5), "between 0 and 1"),
    (lambda: nn.LSTM(D, H)(x[0]), r"LSTM\(3, 4\) takes x \(T, B, 3\), time first, not array \(2, 3\)"),
    (lambda: nn.LSTM(D, H)(x[:, :, :2]), r"not array \(6, 2, 2\)"),
    (lambda: nn.LSTM(D, H)(x[:0]), "no time step"),
    (lambda: nn.LSTM(D, H)(x, np.ones((B, H))), r"takes as its state a tuple \(h, c\)"),
    (lambda: nn.RNN(D, H, 2)(x, np.ones((B, H))), "a tuple of 2, one for each layer and direction"),
    (lambda: nn.RNN(D, H, 2)(x, (np.ones((B, H)),) * 3), "not 3"),
    (lambda: nn.RNN(D, H)(x, np.ones((B + 1, H))), r"takes h \(2, 4\) with a batch of 2, not array \(3, 4\)"),
])  # fmt: skip
def test_bad_input_is_answered_in_one_line(call, message):
    with pytest.raises(ValueError, match=message) as told:
        call()
    assert "\n" not in str(told.value)


def test_detach_reaches_into_lists_tuples_and_dicts():
    h = tg.tensor([1.0], requires_grad=True) * 2
    out = nn.detach({"h": h, "deep": [(h, {"c": h})], "n": 3})
    assert not any(x.requires_grad for x in (out["h"], out["deep"][0][0], out["deep"][0][1]["c"]))
    assert (out["h"].tolist(), out["n"]) == ([2.0], 3)


LISTS = [
    (lambda: nn.RNNCell(2, 3)([[1.0, 2.0]]), r"RNNCell.* takes x \(B, 2\), not a list: pass tg.tensor"),
    (lambda: nn.Linear(2, 3)([[1.0, 2.0]]), r"Linear.* takes x \(..., 2\), not a list: pass tg.tensor"),
    (lambda: nn.LSTM(2, 3)([[[1.0, 2.0]]]), r"LSTM.* takes x \(T, B, 2\), time first, not a list: pass tg.tensor"),
    (lambda: nn.LSTMCell(2, 3)(np.ones((1, 2)), (np.ones((1, 3)), None)), r"takes c \(1, 3\) .*, not None"),
    (lambda: nn.LSTM(2, 3)(np.ones((4, 1, 2)), (np.ones((1, 3)), None)), r"takes c \(1, 3\) .*, not None"),
    (lambda: nn.GRUCell(2, 3)(np.ones((1, 2)), 0.0), r"takes h \(1, 3\) .*, not 0.0"),
]  # fmt: skip


@pytest.mark.parametrize(("call", "line"), LISTS)
def test_what_is_no_array_is_refused_in_one_line(call, line):
    with pytest.raises(ValueError, match=line) as told:
        call()
    assert "\n" not in str(told.value)
