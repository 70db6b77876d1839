"""The cells compute the equations of the lectures, from whatever Tensors their attributes hold."""

import numpy as np
import pytest

import tinygrad_rnn as tg
from tinygrad_rnn import nn

B, D, H = 3, 4, 5
rng = np.random.default_rng(0)
x, h0, c0 = rng.standard_normal((B, D)), rng.standard_normal((B, H)), rng.standard_normal((B, H))


def filled(cell):
    """The cell in float64, no parameter zero."""
    cell.astype(np.float64)
    for p in cell.parameters():
        p.data = rng.standard_normal(p.shape)
    return cell


def sigma(a):
    return 1 / (1 + np.exp(-a))


@pytest.mark.parametrize(("nonlinearity", "f"), [("tanh", np.tanh), ("relu", lambda a: np.maximum(a, 0))])
def test_rnn(nonlinearity, f):
    cell = filled(nn.RNNCell(D, H, nonlinearity))
    W_xh, W_hh, b_h = (p.data for p in cell.parameters())
    for b in range(B):  # as printed: one sample, columns
        expected = f(W_xh.T @ x[b] + W_hh.T @ h0[b] + b_h)
        np.testing.assert_allclose(cell(x, h0).numpy()[b], expected, rtol=1e-12)


def test_lstm():
    cell = filled(nn.LSTMCell(D, H))
    W_x, W_h, b = (np.split(p.data, 4, axis=-1) for p in cell.parameters())
    i, f, o = (sigma(x @ W_x[k] + h0 @ W_h[k] + b[k]) for k in range(3))
    g = np.tanh(x @ W_x[3] + h0 @ W_h[3] + b[3])
    c = f * c0 + i * g
    h, got_c = cell(x, (h0, c0))
    np.testing.assert_allclose(got_c.numpy(), c, rtol=1e-12)
    np.testing.assert_allclose(h.numpy(), o * np.tanh(c), rtol=1e-12)


@pytest.mark.parametrize("keep", ["z", "1-z"])
@pytest.mark.parametrize("reset", ["before", "after"])
def test_gru(keep, reset):
    cell = filled(nn.GRUCell(D, H, keep=keep, reset=reset))
    W_xr, W_xz, W_xn = np.split(cell.W_xh.data, 3, axis=1)
    W_hr, W_hz, W_hn = np.split(cell.W_hh.data, 3, axis=1)
    b_r, b_z, b_n = np.split(cell.b_h.data, 3)
    r = sigma(x @ W_xr + h0 @ W_hr + b_r)
    z = sigma(x @ W_xz + h0 @ W_hz + b_z)
    if reset == "before":
        n = np.tanh(x @ W_xn + (r * h0) @ W_hn + b_n)
    else:
        n = np.tanh(x @ W_xn + r * (h0 @ W_hn + cell.b_hn.data) + b_n)
    kept = z if keep == "z" else 1 - z
    np.testing.assert_allclose(cell(x, h0).numpy(), kept * h0 + (1 - kept) * n, rtol=1e-12)


CELLS = {
    "rnn": lambda: nn.RNNCell(D, H, rng=0),
    "relu": lambda: nn.RNNCell(D, H, "relu", rng=0),
    "lstm": lambda: nn.LSTMCell(D, H, rng=0),
    "gru": lambda: nn.GRUCell(D, H, rng=0),
    "gru after": lambda: nn.GRUCell(D, H, keep="1-z", reset="after", rng=0),
}


@pytest.mark.parametrize("kind", CELLS)
def test_gradients_of_first_and_second_order(kind):
    cell = CELLS[kind]()
    names = [name for name, _ in cell.named_parameters()]

    def run(x, h, c, *weights):
        for name, W in zip(names, weights, strict=True):
            setattr(cell, name, W)  # Tensors that the check made
        return cell(x, (h, c) if kind == "lstm" else h)

    values = [rng.standard_normal(p.shape) for p in cell.parameters()]
    assert tg.gradcheck(run, [x, h0, c0, *values], order=2, sample=8)


@pytest.mark.parametrize("kind", CELLS)
def test_no_state_is_a_zero_state(kind):
    cell = filled(CELLS[kind]())
    zero = np.zeros((B, H))
    ours, explicit = cell(x), cell(x, (zero, zero) if kind == "lstm" else zero)
    for a, b in zip(*[(s if isinstance(s, tuple) else (s,)) for s in (ours, explicit)], strict=True):
        np.testing.assert_array_equal(a.numpy(), b.numpy())
        assert a.dtype == np.float64


@pytest.mark.parametrize("kind", CELLS)
def test_float32_stays_float32(kind):
    cell = CELLS[kind]()
    state = cell(x.astype(np.float32))
    assert {s.dtype for s in (state if isinstance(state, tuple) else (state,))} == {np.dtype(np.float32)}


def test_the_forget_gate_starts_open():
    b_i, b_f, b_o, b_g = np.split(nn.LSTMCell(D, H, forget_bias=2.0).b_h.data, 4)
    assert (b_f == 2).all()
    assert not np.concatenate([b_i, b_o, b_g]).any()


class TestAReplacedParameter:
    def test_is_used_and_gets_the_gradient(self):
        cell = nn.RNNCell(D, H, rng=0).astype(np.float64)
        old = cell.W_hh
        cell.W_hh = tg.tensor(np.eye(H), requires_grad=True)
        h = cell(x, h0)
        np.testing.assert_allclose(h.numpy(), np.tanh(x @ cell.W_xh.data + h0 + cell.b_h.data), rtol=1e-12)
        h.sum().backward()
        assert old.grad is None
        np.testing.assert_allclose(cell.W_hh.grad.numpy(), h0.T @ (1 - h.numpy() ** 2), rtol=1e-12)

    def test_may_be_computed_from_others(self):
        cell = nn.RNNCell(D, H, rng=0).astype(np.float64)
        scale = tg.tensor(2.0, requires_grad=True, dtype=np.float64)
        cell.W_hh = scale * np.eye(H)
        h = cell(x, h0)
        h.sum().backward()
        np.testing.assert_allclose(scale.grad.item(), ((1 - h.numpy() ** 2) * h0).sum(), rtol=1e-12)

    def test_may_be_a_constant(self):
        cell = nn.RNNCell(D, H, rng=0).astype(np.float64)
        cell.W_hh = tg.tensor(np.eye(H))
        cell(x, h0).sum().backward()
        assert cell.W_hh.grad is None
        assert cell.W_xh.grad is not None

    def test_keeps_its_place_among_the_parameters(self):
        cell = nn.RNNCell(D, H)
        new = cell.W_xh = tg.tensor(np.ones((D, H)), requires_grad=True)
        assert [name for name, _ in cell.named_parameters()] == ["W_xh", "W_hh", "b_h"]
        assert cell.parameters()[0] is new


def test_what_a_picture_needs_is_recorded():
    cell = nn.LSTMCell(D, H)
    with tg.trace() as tr, tg.step(4):
        cell(x)
    assert {node.step for node in tr.nodes} == {4}
    assert {node.scope for node in tr.nodes} == {("lstm",)}
    names = [name for node in tr.nodes if node.names for name in node.names.values()]
    assert names == ["i", "f", "o", "g", "c", "h"]
    assert nn.GRUCell(D, H, name="encoder")(x).scope == ("encoder",)


@pytest.mark.parametrize(("call", "message"), [
    (lambda: nn.LSTMCell(D, H)(x[:, :3], None), r"LSTMCell\(4, 5\) takes x \(B, 4\), not array \(3, 3\)"),
    (lambda: nn.LSTMCell(D, H)(x[0], None), r"takes x \(B, 4\), not array \(4,\)"),
    (lambda: nn.RNNCell(D, H)(np.ones((2, 3, 4))), r"a sequence goes to a layer"),
    (lambda: nn.LSTMCell(D, H)(x, h0), r"takes as its state a tuple \(h, c\), not array \(3, 5\)"),
    (lambda: nn.GRUCell(D, H)(x, (h0, c0)), r"takes as its state one tensor h, not a tuple of 2"),
    (lambda: nn.RNNCell(D, H)(x, h0[:2]), r"takes h \(3, 5\) with a batch of 3, not array \(2, 5\)"),
    (lambda: nn.LSTMCell(D, H)(x, (h0, c0[0])), r"takes c \(3, 5\) with a batch of 3, not array \(5,\)"),
    (lambda: nn.RNNCell(D, H, "softmax"), '"tanh" or "relu"'),
    (lambda: nn.GRUCell(D, H, keep="r"), 'keep is "z" or "1-z"'),
    (lambda: nn.GRUCell(D, H, reset="never"), 'reset is "before" or "after"'),
    (lambda: nn.GRUCell(D, 0), "hidden_size must be at least 1"),
])  # fmt: skip
def test_bad_input_is_answered_in_one_line(call, message):
    with pytest.raises(ValueError, match=message) as told:
        call()
    assert "\n" not in str(told.value)
