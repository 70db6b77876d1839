"""The encoder-decoder is that of PyTorch's layers; masks, reversal, scheduled sampling and the picture."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinygrad_rnn as tg
from tinygrad_rnn import nn
from tinygrad_rnn.nn.wirings import reverse_source, scheduled_sampling

KINDS = {"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}


def batch(S=5, T=4, B=3, D=6, V=7, seed=0):
    """Source and target of different lengths, with END and zeros behind it, and their masks."""
    rng = np.random.default_rng(seed)
    lengths, targets = rng.integers(1, S + 1, B), rng.integers(1, T + 1, B)
    lengths[0], targets[0] = S, T
    source_mask, mask = np.arange(S)[:, None] < lengths, np.arange(T)[:, None] < targets
    source, target = rng.integers(0, D, (S, B)) * source_mask, rng.integers(1, V, (T, B)) * mask
    target[targets - 1, np.arange(B)] = 0
    return source, target, source_mask, mask


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("layers", "reverse"), [(1, False), (2, True)])
def test_loss_and_every_gradient_are_those_of_pytorch(kind, layers, reverse):
    torch = pytest.importorskip("torch")
    D, V, H = 6, 7, 5
    source, target, source_mask, mask = batch(D=D, V=V, seed=layers)
    Theirs = {"rnn": torch.nn.RNN, "lstm": torch.nn.LSTM, "gru": torch.nn.GRU}[kind]
    options = {"reset": "after"} if kind == "gru" else {}
    encoder, decoder = (Theirs(n, H, layers, dtype=torch.float64) for n in (D, V + 1))
    head = torch.nn.Linear(H, V, dtype=torch.float64)
    ours = nn.EncoderDecoder(D, V, H, KINDS[kind], reverse, num_layers=layers, dtype=np.float64, rng=0, **options)
    for mine, theirs in ((ours.encoder, encoder), (ours.decoder.recurrent, decoder), (ours.decoder.head, head)):
        nn.load_torch(mine, theirs.state_dict())

    loss = tg.sequence_loss(ours(source, target, source_mask), target, "mean", mask)
    loss.backward()

    total, count = 0.0, 0  # there, one sequence at a time and nothing padded
    for b in range(source.shape[1]):
        x = source[source_mask[:, b], b]
        x = torch.nn.functional.one_hot(torch.tensor(x[::-1].copy() if reverse else x), D).double()
        y = target[mask[:, b], b]
        said = torch.nn.functional.one_hot(torch.tensor([V, *y[:-1]]), V + 1).double()
        outputs, _ = decoder(said[:, None], encoder(x[:, None])[1])
        total = total + torch.nn.functional.cross_entropy(head(outputs[:, 0]), torch.tensor(y), reduction="sum")
        count += len(y)
    expected = total / count
    expected.backward()

    assert loss.item() == pytest.approx(expected.item(), rel=1e-12)
    for mine, theirs in ((ours.encoder, encoder), (ours.decoder.recurrent, decoder), (ours.decoder.head, head)):
        grads = {name: p.grad for name, p in mine.named_parameters()}
        nn.load_torch(mine, {name: p.grad for name, p in theirs.named_parameters()})  # as weights are translated
        for name, p in mine.named_parameters():
            scale = 1.0
            if name.endswith("b_h"):  # their two biases, which are added, have the gradient of our one each
                scale = np.full(p.shape, 0.5)
                scale[2 * H :] = 1.0 if kind == "gru" else 0.5
            np.testing.assert_allclose(grads[name].numpy(), p.numpy() * scale, rtol=1e-9, atol=1e-12, err_msg=name)


def test_the_unrolled_and_the_fused_road_are_one_and_padding_counts_for_nothing():
    source, target, source_mask, mask = batch(seed=4)
    model = nn.EncoderDecoder(6, 7, 5, reverse=True, dtype=np.float64, rng=0)
    fused = model(source, target, source_mask)
    with tg.trace():
        unrolled = model(source, target, source_mask)
    np.testing.assert_allclose(fused.numpy(), unrolled.numpy(), rtol=1e-12)
    loss = tg.sequence_loss(fused, target, "mean", mask).item()
    other_source, other_target = np.where(source_mask, source, 5), np.where(mask, target, 6)
    again = tg.sequence_loss(model(other_source, other_target, source_mask), other_target, "mean", mask).item()
    assert again == pytest.approx(loss, rel=1e-12)


@given(st.lists(st.lists(st.integers(1, 9), max_size=6), min_size=1, max_size=5))
def test_reversal_turns_each_sequence_and_leaves_padding_behind(sequences):
    source, mask = tg.data.pad([np.array(s, int) for s in sequences])
    turned = reverse_source(source, mask)
    for b, sequence in enumerate(sequences):
        assert turned[: len(sequence), b].tolist() == sequence[::-1]
        assert not turned[len(sequence) :, b].any()
    np.testing.assert_array_equal(reverse_source(turned, mask), source)


def test_decoding_goes_through_the_same_encoder():
    source, _, source_mask, _ = batch(seed=5)
    model = nn.EncoderDecoder(6, 7, 5, reverse=True, dtype=np.float64, rng=1)
    for p in model.parameters():
        p.data = p.data * 4
    symbols, p = model.greedy(source, source_mask, max_len=6)
    loss = tg.sequence_loss(model(source, symbols, source_mask), symbols, "sum", mask=_upto_end(symbols))
    weights = _upto_end(symbols)
    each = tg.cross_entropy(model(source, symbols, source_mask), symbols, reduction="none").numpy()
    np.testing.assert_allclose(p, -(each * weights).sum(axis=0), rtol=1e-10)
    assert loss.item() > 0
    np.testing.assert_array_equal(model.beam(source, 1, source_mask, max_len=6).symbols[..., 0], symbols)


def _upto_end(symbols):
    ended = np.cumsum(symbols == 0, axis=0)
    return (ended == 0) | ((ended == 1) & (symbols == 0))


# Teacher forcing, free running and between


class Listening(nn.Decoder):
    """Writes down what it reads."""

    def step(self, symbols, state, t, offset=0):
        self.heard = [*getattr(self, "heard", []), symbols] if t else [symbols]
        return super().step(symbols, state, t, offset)


def test_what_is_drawn_is_an_input_and_no_gradient_flows_through_it():
    rng = np.random.default_rng(0)
    decoder = Listening(5, 4, rng=1, dtype=np.float64)
    target, h = rng.integers(0, 5, (6, 3)), rng.normal(size=(2, 3, 4))
    tg.sequence_loss(decoder(target, tuple(h), teacher=0.4, rng=np.random.default_rng(2)), target).backward()
    inputs = np.array(decoder.heard)
    assert (inputs[0] == decoder.START).all()
    assert (inputs[1:] != target[:-1]).any()
    assert (inputs[1:] == target[:-1]).any()
    outputs, _ = decoder.recurrent(inputs, tuple(map(tg.tensor, h)))  # the same inputs, given from outside
    loss = tg.sequence_loss(decoder.head(outputs), target)
    for (name, p), g in zip(decoder.named_parameters(), tg.grad(loss, decoder.parameters()), strict=True):
        np.testing.assert_allclose(p.grad.numpy(), g.numpy(), rtol=1e-10, atol=1e-13, err_msg=name)


def test_the_coin_falls_as_often_as_the_teacher_says():
    decoder = Listening(50, 4, rng=1)
    target = np.random.default_rng(0).integers(0, 50, (40, 100))
    h = np.zeros((2, 100, 4), np.float32)
    for teacher in (0.0, 0.3, 0.8):
        with tg.no_grad():
            decoder(target, tuple(h), teacher=teacher, rng=np.random.default_rng(3))
        same = (np.array(decoder.heard)[1:] == target[:-1]).mean()
        assert same == pytest.approx(teacher + (1 - teacher) / 50, abs=0.03)  # 1 in 50 is drawn right by chance
    with tg.no_grad():
        forced = decoder(target, tuple(h))
        np.testing.assert_allclose(decoder(target, tuple(h), teacher=1.0).numpy(), forced.numpy())


@pytest.mark.parametrize(("kind", "k"), [("linear", 200.0), ("exponential", 0.99), ("inverse sigmoid", 50.0)])
def test_schedules_fall_from_one_to_the_least(kind, k):
    found = [scheduled_sampling(i, k, kind, least=0.1) for i in range(0, 3000, 10)]
    assert found[0] > 0.97
    assert found == sorted(found, reverse=True)
    assert found[-1] == 0.1
    expected = {"linear": 1 - 100 / k, "exponential": k**100, "inverse sigmoid": k / (k + np.exp(100 / k))}[kind]
    assert scheduled_sampling(100, k, kind) == pytest.approx(expected)


@pytest.mark.parametrize(("call", "line"), [
    (lambda m: m(np.zeros((3, 2), int), np.array([[7, 1]])), "0 .END. to 6, and the target's go from 1 to 7"),
    (lambda m: m(np.zeros((3, 2), int), np.ones((4, 2))), "integers .T, B., END = 0 last, not array"),
    (lambda m: m(np.zeros((3, 2), int), np.array([[1, 1]]), teacher=0.5), "below 1 an rng draws"),
    (lambda m: nn.Decoder(5, 4, context="twice"), 'at "every" step or the "first"'),
    (lambda m: scheduled_sampling(1, 0.5), 'k = 0.5 does not fit "inverse sigmoid"'),
    (lambda m: scheduled_sampling(1, 5, "cosine"), "kind is"),
])  # fmt: skip
def test_bad_calls_are_told_in_one_line(call, line):
    with pytest.raises(ValueError, match=line) as told:
        call(nn.EncoderDecoder(6, 7, 5, rng=0))
    assert "\n" not in str(told.value)


def test_the_picture_has_one_bus_of_weights_for_each_half():
    model = nn.EncoderDecoder(6, 7, 5, rng=0)
    source, target = np.array([[1, 2], [3, 4], [5, 0]]), np.array([[3, 4], [0, 0]])
    with tg.trace():
        loss = tg.sequence_loss(model(source, target), target)
    figure = tg.draw(loss, view="cells").figure
    nodes = {node.key: node for node in figure.nodes}
    boxes = {key: "".join(text.text for text in nodes[key].lines) for key in ("W", "W/2", "V")}
    assert boxes == {"W": "W₁", "W/2": "W₂", "V": "V"}
    fed = {head for tail, head in ((edge.tail, edge.head) for edge in figure.edges) if tail.endswith("/W")}
    assert {"t1/h", "t2/h", "t3/h"} <= fed
    assert not {"t4/h", "t5/h"} & fed
    assert {("t4/W/2", "t4/h"), ("t3/h", "t4/h"), ("t5/h", "t5/y")} <= {(e.tail, e.head) for e in figure.edges}
    box = nodes["W/2"]  # between the last use of one and the first of the other
    assert nodes["t3/W"].x < box.x - box.width / 2
    assert box.x + box.width / 2 < nodes["t4/W/2"].x
    assert "t4/y" in nodes
    assert "t3/y" not in nodes
