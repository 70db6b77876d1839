"""The recurrent layers are PyTorch's: outputs, last states and every gradient, through its own names for weights."""

import numpy as np
import pytest

import tinygrad_rnn as tg
from tinygrad_rnn import nn

torch = pytest.importorskip("torch")

SHAPES = [(seed, *np.random.default_rng(seed).integers([1, 1, 1, 1], [8, 5, 7, 8]).tolist()) for seed in range(20)]
KINDS = {
    "tanh": (nn.RNN, torch.nn.RNN, {"nonlinearity": "tanh"}, {"nonlinearity": "tanh"}),
    "relu": (nn.RNN, torch.nn.RNN, {"nonlinearity": "relu"}, {"nonlinearity": "relu"}),
    "lstm": (nn.LSTM, torch.nn.LSTM, {}, {}),
    "gru": (nn.GRU, torch.nn.GRU, {"reset": "after"}, {}),
    "gru 1-z": (nn.GRU, torch.nn.GRU, {"reset": "after", "keep": "1-z"}, {}),
}


def close(ours, theirs, tolerance=1e-10):
    np.testing.assert_allclose(ours, theirs, rtol=tolerance, atol=tolerance)


def entries(state, kind, several):
    """A layer's state as one array (parts, layers * directions, B, H), as PyTorch stacks it."""
    states = state if several else (state,)
    parts = [s if kind == "lstm" else (s,) for s in states]
    return [[part[i] for part in parts] for i in range(len(parts[0]))]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("seed", "T", "B", "D", "H"), SHAPES)
def test_outputs_states_and_all_gradients_are_those_of_pytorch(kind, seed, T, B, D, H):
    Ours, Theirs, options, their_options = KINDS[kind]
    layers, bidirectional = 1 + seed % 3, seed % 2 == 1
    several = layers * (1 + bidirectional) > 1
    theirs = Theirs(D, H, layers, bidirectional=bidirectional, dtype=torch.float64, **their_options)
    ours = Ours(D, H, layers, bidirectional=bidirectional, **options)
    nn.load_torch(ours, theirs.state_dict())

    rng = np.random.default_rng(seed)
    x = rng.standard_normal((T, B, D))
    starts = [rng.standard_normal((layers * (1 + bidirectional), B, H)) for _ in range(2 if kind == "lstm" else 1)]

    x_theirs = torch.tensor(x, requires_grad=True)
    start_theirs = [torch.tensor(s, requires_grad=True) for s in starts]
    y_theirs, end_theirs = theirs(x_theirs, tuple(start_theirs) if kind == "lstm" else start_theirs[0])
    end_theirs = end_theirs if kind == "lstm" else (end_theirs,)

    x_ours = tg.tensor(x, requires_grad=True)
    start_ours = [[tg.tensor(s, requires_grad=True) for s in part] for part in starts]
    per_cell = [tuple(parts) if kind == "lstm" else parts[0] for parts in zip(*start_ours, strict=True)]
    y_ours, end_ours = ours(x_ours, tuple(per_cell) if several else per_cell[0])
    end_ours = entries(end_ours, kind, several)

    close(y_ours.numpy(), y_theirs.detach().numpy())
    for mine, yours in zip(end_ours, end_theirs, strict=True):
        close([s.numpy() for s in mine], yours.detach().numpy())

    weights = [rng.standard_normal(y_ours.shape), *(rng.standard_normal(e.shape) for e in end_theirs)]
    sum((y * torch.tensor(w)).sum() for y, w in zip((y_theirs, *end_theirs), weights, strict=True)).backward()
    loss = tg.sum(y_ours * weights[0])
    for part, w in zip(end_ours, weights[1:], strict=True):
        loss = loss + tg.sum(tg.stack(part) * w)
    loss.backward()

    close(x_ours.grad.numpy(), x_theirs.grad.numpy())
    for mine, yours in zip(start_ours, start_theirs, strict=True):
        close([s.grad.numpy() for s in mine], yours.grad.numpy())
    close_gradients(ours, theirs, options)


def close_gradients(ours, theirs, options):
    """Every weight's gradient, under PyTorch's names. Gradients transform as weights do, and both of the biases that
    PyTorch adds have the gradient of the one."""
    for p in ours.parameters():
        p.data, p.grad = p.grad.data, None
    gradients = nn.to_torch(ours)
    for name, p in theirs.named_parameters():
        if "bias_hh" in name and "reset" in options:
            H = ours.hidden_size
            shared = gradients[name.replace("bias_hh", "bias_ih")]
            close(np.concatenate([shared[: 2 * H], gradients[name][2 * H :]]), p.grad.numpy())
        else:
            close(gradients[name.replace("bias_hh", "bias_ih")], p.grad.numpy())


@pytest.mark.parametrize("kind", KINDS)
def test_weights_survive_the_way_to_pytorch_and_back(kind):
    Ours, Theirs, options, their_options = KINDS[kind]
    ours = Ours(3, 4, 2, True, rng=0, dtype=np.float64, **options)
    for p in ours.parameters():
        p.data = np.random.default_rng(p.size).standard_normal(p.shape)
    before = ours.state_dict()
    exported = nn.to_torch(ours)
    assert all(array.flags.c_contiguous for array in exported.values())  # as safetensors wants them
    theirs = Theirs(3, 4, 2, bidirectional=True, dtype=torch.float64, **their_options)
    theirs.load_state_dict({key: torch.tensor(array) for key, array in exported.items()})  # strict: all names, shapes
    again = Ours(3, 4, 2, True, **options)
    nn.load_torch(again, theirs.state_dict())
    for name, array in again.state_dict().items():
        np.testing.assert_array_equal(array, before[name])
    x = np.random.default_rng(1).standard_normal((5, 2, 3))
    close(again(x)[0].numpy(), theirs(torch.tensor(x))[0].detach().numpy())


CELLS = [(nn.RNNCell, torch.nn.RNNCell, {}), (nn.LSTMCell, torch.nn.LSTMCell, {}),
         (nn.GRUCell, torch.nn.GRUCell, {"reset": "after"})]  # fmt: skip


@pytest.mark.parametrize(("Ours", "Theirs", "options"), CELLS)
def test_a_single_cell(Ours, Theirs, options):
    theirs = Theirs(3, 4, dtype=torch.float64)
    ours = Ours(3, 4, **options)
    nn.load_torch(ours, theirs.state_dict())
    x = np.random.default_rng(0).standard_normal((2, 3))
    h_ours, h_theirs = ours(x), theirs(torch.tensor(x))
    for mine, yours in zip(*[(h if isinstance(h, tuple) else (h,)) for h in (h_ours, h_theirs)], strict=True):
        assert mine.dtype == np.float64  # the zero state too
        close(mine.numpy(), yours.detach().numpy())
    assert set(nn.to_torch(ours)) == set(theirs.state_dict())


class Ours(nn.Module):
    def __init__(self):
        self.embed = nn.Embedding(11, 3)
        self.rnn = nn.GRU(3, 4, 2, reset="after")
        self.head = nn.Linear(4, 11)
        self.scale = tg.tensor([1.0], requires_grad=True)

    def forward(self, indices):
        return self.head(self.rnn(self.embed(indices))[0]) * self.scale


class Theirs(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = torch.nn.Embedding(11, 3, dtype=torch.float64)
        self.rnn = torch.nn.GRU(3, 4, 2, dtype=torch.float64)
        self.head = torch.nn.Linear(4, 11, dtype=torch.float64)
        self.scale = torch.nn.Parameter(torch.tensor([2.0], dtype=torch.float64))

    def forward(self, indices):
        return self.head(self.rnn(self.embed(indices))[0]) * self.scale


def test_a_model_of_several_parts():
    theirs, ours = Theirs(), Ours()
    nn.load_torch(ours, theirs.state_dict())
    indices = np.random.default_rng(0).integers(0, 11, (6, 2))
    close(ours(indices).numpy(), theirs(torch.tensor(indices)).detach().numpy())
    assert set(nn.to_torch(ours)) == set(theirs.state_dict())
    for key, array in nn.to_torch(ours).items():
        assert array.shape == tuple(theirs.state_dict()[key].shape)


def test_a_layer_without_biases():
    theirs = torch.nn.LSTM(3, 4, bias=False, dtype=torch.float64)
    ours = nn.LSTM(3, 4, forget_bias=1.0)
    nn.load_torch(ours, theirs.state_dict())
    x = np.ones((4, 2, 3))
    close(ours(x)[0].numpy(), theirs(torch.tensor(x))[0].detach().numpy())


def test_a_module_that_loads_float64_becomes_float64():
    ours = nn.LSTM(3, 4, 2)
    assert ours(np.ones((2, 1, 3), np.float32))[0].dtype == np.float32
    nn.load_torch(ours, torch.nn.LSTM(3, 4, 2, dtype=torch.float64).state_dict())
    assert {p.dtype for p in ours.parameters()} == {np.dtype(np.float64)}
    assert ours.layers[0].forward.zero_state(1)[1].dtype == np.float64
    assert ours(np.ones((2, 1, 3), np.float32))[0].dtype == np.float64


def test_what_does_not_fit_is_named_and_nothing_is_loaded():
    ours = nn.RNN(3, 4, rng=0)
    before = ours.state_dict()
    good = nn.to_torch(nn.RNN(3, 4, rng=1))
    cases = [
        ({k: v for k, v in good.items() if k != "weight_hh_l0"}, "missing weight_hh_l0"),
        ({k: v for k, v in good.items() if k != "bias_hh_l0"}, "missing bias_hh_l0"),
        (good | {"weight_hh_l1": good["weight_hh_l0"]}, r"unexpected weight_hh_l1 \(did you mean weight_hh_l0\?\)"),
        (good | {"weight_ih_l0": np.ones((4, 5))}, r"weight_ih_l0 is \(4, 5\), and \(4, 3\) fits"),
    ]
    for state_dict, message in cases:
        with pytest.raises(ValueError, match=message):
            nn.load_torch(ours, state_dict)
    for name, array in ours.state_dict().items():
        np.testing.assert_array_equal(array, before[name])


@pytest.mark.parametrize("convert", [nn.to_torch, lambda gru: nn.load_torch(gru, {})])
def test_a_gru_that_pytorch_cannot_express_is_refused(convert):
    with pytest.raises(ValueError, match=r'layers\.0\.forward resets before.*reset="after"'):
        convert(nn.GRU(3, 4))


@pytest.mark.parametrize("kernel", ["fused", "unrolled"])
@pytest.mark.parametrize("merge", ["sum", "mul"])
@pytest.mark.parametrize("kind", ["tanh", "lstm", "gru"])
def test_directions_that_are_added_or_multiplied_are_the_halves_of_pytorchs(kind, merge, kernel):
    """Two layers, sequences of different lengths: PyTorch has each layer's two halves, and what merges them is here."""
    Ours, Theirs, options, _ = KINDS[kind]
    lengths, D, H = (6, 2, 4), 3, 5
    T, B = max(lengths), len(lengths)
    ours = Ours(D, H, 2, True, kernel=kernel, rng=0, dtype=np.float64, merge=merge, **options)
    assert [layer.forward.input_size for layer in ours.layers] == [D, H]
    assert ours.output_size == H
    theirs = [Theirs(size, H, bidirectional=True, dtype=torch.float64) for size in (D, H)]
    weights = nn.to_torch(ours)
    for k, layer in enumerate(theirs):
        layer.load_state_dict({key.replace(f"_l{k}", "_l0"): torch.tensor(array)
                               for key, array in weights.items() if f"_l{k}" in key})  # fmt: skip
    x, w = np.random.default_rng(0).standard_normal((T, B, D)), np.random.default_rng(1).standard_normal((T, B, H))

    x_theirs = torch.tensor(x, requires_grad=True)
    y_theirs, utils = x_theirs, torch.nn.utils.rnn
    for layer in theirs:
        packed, _ = layer(utils.pack_padded_sequence(y_theirs, torch.tensor(lengths), enforce_sorted=False))
        ahead, back = utils.pad_packed_sequence(packed, total_length=T)[0].chunk(2, dim=-1)
        y_theirs = ahead + back if merge == "sum" else ahead * back
    x_ours = tg.tensor(x, requires_grad=True)
    y_ours, _ = ours(x_ours, mask=np.arange(T)[:, None] < lengths)
    close(y_ours.numpy(), y_theirs.detach().numpy())

    (y_theirs * torch.tensor(w)).sum().backward()
    tg.sum(y_ours * w).backward()
    close(x_ours.grad.numpy(), x_theirs.grad.numpy())
    for p in ours.parameters():
        p.data, p.grad = p.grad.data, None
    gradients = nn.to_torch(ours)
    for k, layer in enumerate(theirs):
        for name, p in layer.named_parameters():
            if "bias_hh" not in name:
                close(gradients[name.replace("_l0", f"_l{k}")], p.grad.numpy())


@pytest.mark.parametrize("kernel", ["fused", "unrolled"])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("lengths", [(7, 2, 5, 1), (3, 7, 7, 6), (4, 4, 4, 4)])
def test_sequences_of_different_lengths_are_pytorchs_packed_ones(kind, lengths, kernel):
    """Two layers, both directions: outputs, zeros at the padding, each sequence's own last states, every gradient."""
    Ours, Theirs, options, their_options = KINDS[kind]
    T, B, D, H = max(lengths), len(lengths), 3, 5
    theirs = Theirs(D, H, 2, bidirectional=True, dtype=torch.float64, **their_options)
    ours = Ours(D, H, 2, True, kernel=kernel, **options)
    nn.load_torch(ours, theirs.state_dict())
    rng = np.random.default_rng(sum(lengths))
    x = rng.standard_normal((T, B, D))

    x_theirs = torch.tensor(x, requires_grad=True)
    utils = torch.nn.utils.rnn
    packed, end_theirs = theirs(utils.pack_padded_sequence(x_theirs, torch.tensor(lengths), enforce_sorted=False))
    y_theirs, _ = utils.pad_packed_sequence(packed, total_length=T)
    end_theirs = end_theirs if kind == "lstm" else (end_theirs,)

    x_ours = tg.tensor(x, requires_grad=True)
    y_ours, end_ours = ours(x_ours, mask=np.arange(T)[:, None] < lengths)
    end_ours = entries(end_ours, kind, several=True)

    close(y_ours.numpy(), y_theirs.detach().numpy())
    for mine, yours in zip(end_ours, end_theirs, strict=True):
        close([s.numpy() for s in mine], yours.detach().numpy())

    weights = [rng.standard_normal(y_ours.shape), *(rng.standard_normal(e.shape) for e in end_theirs)]
    sum((y * torch.tensor(w)).sum() for y, w in zip((y_theirs, *end_theirs), weights, strict=True)).backward()
    loss = tg.sum(y_ours * weights[0])
    for part, w in zip(end_ours, weights[1:], strict=True):
        loss = loss + tg.sum(tg.stack(part) * w)
    loss.backward()
    close(x_ours.grad.numpy(), x_theirs.grad.numpy())
    close_gradients(ours, theirs, options)
