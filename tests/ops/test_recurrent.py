"""The three fused recurrences as operations: their derivatives against the complex step and central differences, which
know nothing of the hand-derived backward passes; indices, blocks, masks, dtypes, devices, and what they refuse."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import tinygrad_rnn as tg
from tinygrad_rnn import backend, ops
from tinygrad_rnn.ops.recurrent import gru, lstm, sequence

T, B, D, H = 5, 3, 2, 4
LENGTHS = np.arange(T)[:, None] < np.array([T, 2, 0])  # the last row is never there
HOLES = np.array([[1, 0, 1], [0, 0, 1], [1, 1, 0], [0, 1, 0], [1, 0, 0]], bool)
X = np.random.default_rng(0).standard_normal((T, B, D))
INDICES = np.random.default_rng(1).integers(0, D, (T, B))

# (operation, its number of gates, its number of states, has it b_hn, parameters)
OPS = {
    "rnn": (ops.rnn_sequence, 1, 1, False, {}),
    "relu": (ops.rnn_sequence, 1, 1, False, {"nonlinearity": "relu"}),
    "lstm": (ops.lstm_sequence, 4, 2, False, {}),
    "gru": (ops.gru_sequence, 3, 1, False, {}),
    "gru 1-z": (ops.gru_sequence, 3, 1, False, {"keep": "1-z"}),
    "gru after": (ops.gru_sequence, 3, 1, True, {}),
    "gru after 1-z": (ops.gru_sequence, 3, 1, True, {"keep": "1-z"}),
}
every_op = pytest.mark.parametrize("name", OPS)


def numbers(name, seed=0, width=D, batch=B, dtype=np.float64):
    """The states and weights of an operation, in its order."""
    _, gates, states, has_b_hn, _ = OPS[name]
    rng = np.random.default_rng(seed)
    shapes = [(batch, H)] * states + [(width, gates * H), (H, gates * H), (gates * H,)] + [(H,)] * has_b_hn
    return [(0.6 * rng.standard_normal(shape)).astype(dtype) for shape in shapes]


def function(name, **params):
    op, *_, own = OPS[name]
    return lambda *arrays: op(*arrays, **own, **params)


def run(name, x, arrays, device="cpu", **params):
    """Outputs, and the gradients of x (if of floats) and of all `arrays` for random weights on every output."""
    rng = np.random.default_rng(3)
    put = [tg.tensor(a, requires_grad=True, device=device) for a in arrays]
    x = tg.tensor(x, requires_grad=x.dtype.kind == "f", device=device)
    outputs = function(name, **params)(x, *put)
    weights = [backend.to_device(rng.standard_normal(y.shape).astype(y.dtype), device) for y in outputs]
    sum(tg.sum(y * w) for y, w in zip(outputs, weights, strict=True)).backward()
    return [y.numpy() for y in outputs] + [p.grad.numpy() for p in (x, *put) if p.requires_grad]


def agree(got, expected, tolerance=1e-12):
    assert len(got) == len(expected)
    for a, b in zip(got, expected, strict=True):
        assert a.shape == b.shape
        assert np.abs(a - b).max(initial=0) <= tolerance * max(1, np.abs(b).max(initial=0))


WAYS = list(itertools.product([None, LENGTHS, HOLES], [False, True]))


@every_op
@pytest.mark.parametrize(("mask", "reverse"), WAYS)
def test_first_derivatives(name, mask, reverse):
    f = function(name, mask=mask, reverse=reverse)
    method = "central" if name == "relu" else "complex"
    assert tg.gradcheck(f, [X, *numbers(name)], method=method)
    assert tg.gradcheck(f, [INDICES, *numbers(name)], method=method)


@every_op
@pytest.mark.parametrize("reverse", [False, True])
def test_second_derivatives(name, reverse):
    f = function(name, mask=HOLES[:3], reverse=reverse)
    assert tg.gradcheck(f, [X[:3], *numbers(name)], order=2, sample=6)
    assert tg.gradcheck(f, [INDICES[:3], *numbers(name)], order=2, sample=6)


@every_op
def test_one_argument_alone_may_be_differentiated_once_and_twice(name):
    """Beside one Tensor, or one complex array, all the others are plain arrays of floats."""
    arrays = [X, *numbers(name)]
    for i in range(len(arrays)):

        def f(moving, i=i):
            return function(name)(*arrays[:i], moving, *arrays[i + 1 :])

        assert tg.gradcheck(f, arrays[i], method="central" if name == "relu" else "complex")
        assert tg.gradcheck(f, arrays[i], order=2, sample=3)


@pytest.mark.parametrize("name", ["lstm", "gru", "gru after 1-z"])
@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("steps", [1, 2, 3, 4])
def test_local_derivatives_block_by_block_are_those_of_one_block(name, reverse, steps, monkeypatch):
    """T = 5 steps in blocks of 1 to 4, whose last may be shorter."""
    whole = run(name, X, numbers(name), mask=HOLES, reverse=reverse)
    step = {"lstm": 8}.get(name, 6) * B * H * 8 + 1
    monkeypatch.setattr(lstm, "BLOCK", steps * step)
    monkeypatch.setattr(gru, "BLOCK", steps * step)
    agree(run(name, X, numbers(name), mask=HOLES, reverse=reverse), whole, 1e-14)


@every_op
@pytest.mark.parametrize(("classes", "few"), [(3, 512), (3, 2), (40, 512), (40, 2)])
def test_indices_are_one_hot_vectors_without_the_product(name, classes, few, monkeypatch):
    """For a vocabulary smaller and larger than the sequence, with gradients summed either way."""
    monkeypatch.setattr(sequence, "FEW_CLASSES", few)
    indices = np.random.default_rng(2).integers(0, classes, (T, B))
    arrays = numbers(name, width=classes)
    by_index = run(name, indices, arrays)
    by_vector = run(name, np.eye(classes)[indices], arrays)
    states = OPS[name][2]
    del by_vector[1 + states]  # dL/dx, which indices have not
    agree(by_index, by_vector)


@every_op
@pytest.mark.parametrize("dtype", [np.uint8, np.int32, np.uint64])
def test_indices_of_any_integers(name, dtype):
    agree(run(name, INDICES.astype(dtype), numbers(name)), run(name, INDICES, numbers(name)), 0)


@every_op
@pytest.mark.parametrize("x", [X, INDICES, np.arange(T * B).reshape(T, B)], ids=["vectors", "indices", "many classes"])
def test_float32_beside_float64_is_computed_in_float64(name, x):
    width = T * B if x.max() > 9 else D
    arrays = numbers(name, width=width)
    expected = run(name, x, [a.astype(np.float32).astype(np.float64) for a in arrays])
    for i in range(len(arrays)):
        mixed = [a.astype(np.float32) for a in arrays]
        mixed[i] = mixed[i].astype(np.float64)
        y = run(name, x, mixed)
        assert {a.dtype for a in y[: 1 + OPS[name][2]]} == {np.dtype(np.float64)}
        agree(y, expected, 1e-6)  # gradients are cast to what they belong to


@every_op
@pytest.mark.parametrize("reverse", [False, True])
def test_an_empty_batch(name, reverse):
    got = run(name, X[:, :0], numbers(name, batch=0), reverse=reverse)
    assert [a.shape for a in got[:2]] == [(T, 0, H), (0, H)]
    assert all(not a.any() for a in got)


@every_op
def test_arguments_in_any_order_of_memory(name):
    """Transposed, reversed and read-only arrays."""
    arrays = numbers(name)
    expected = run(name, X, arrays)
    x = np.asfortranarray(X[:, ::-1])[:, ::-1]
    odd = [np.asfortranarray(a[::-1])[::-1] for a in arrays]
    f = function(name)
    leaves = [tg.core.Tensor(a, True) for a in (x, *odd)]  # `tensor` would copy into order
    for leaf in leaves:
        leaf.data.flags.writeable = False
    y = f(*leaves)
    agree([a.numpy() for a in y], expected[: len(y)], 1e-14)
    tg.sum(y[0].T.T[::-1] * 2).backward()  # a gradient that is a view
    again = [tg.tensor(a, requires_grad=True) for a in (X, *arrays)]
    (2 * tg.sum(f(*again)[0])).backward()
    agree([a.grad.numpy() for a in leaves], [a.grad.numpy() for a in again])


@every_op
@pytest.mark.parametrize("x", [X, INDICES], ids=["vectors", "indices"])
@pytest.mark.parametrize(("mask", "reverse"), [(None, False), (LENGTHS, False), (HOLES, True)])
def test_every_device_has_the_same_numbers(name, device, x, mask, reverse):
    expected = run(name, x, numbers(name), mask=mask, reverse=reverse)
    agree(run(name, x, numbers(name), device, mask=mask, reverse=reverse), expected)
    if mask is not None:
        there = tg.tensor(mask, device=device)
        agree(run(name, x, numbers(name), device, mask=there, reverse=reverse), expected)
    with tg.tap():  # step by step
        agree(run(name, x, numbers(name), device, mask=mask, reverse=reverse), expected)


@every_op
def test_devices_are_not_mixed(name):
    arrays = [tg.tensor(a, device="strict") for a in numbers(name)]
    with pytest.raises(TypeError, match=r"the arguments are on cpu and strict: move one with \.to") as told:
        function(name)(tg.tensor(X), *arrays)
    assert "\n" not in str(told.value)
    function(name)(INDICES, *arrays)  # NumPy's indices may come from the CPU


def spoilt(name, at, shape):
    arrays = numbers(name)
    arrays[at] = np.zeros(shape)
    return arrays


REFUSED = [
    (lambda: ops.rnn_sequence(X[..., :1], *numbers("rnn")), ValueError, r"x must be \(T, B, 2\), or integers \(T, B\)"),
    (lambda: ops.lstm_sequence(X[..., 0], *numbers("lstm")), ValueError, r"x must be \(T, B, 2\), or integers"),
    (lambda: ops.gru_sequence(X[:0], *numbers("gru")), ValueError, "x has no time step"),
    (lambda: ops.gru_sequence(INDICES + D, *numbers("gru")), IndexError, r"x: index 3 is outside 0\.\.1"),
    (lambda: ops.rnn_sequence(INDICES - 1, *numbers("rnn")), IndexError, r"x: index -1 is outside 0\.\.1"),
    (lambda: ops.rnn_sequence(X, *spoilt("rnn", 0, (B, H + 1))), ValueError, r"h must be \(3, 4\), and is \(3, 5\)"),
    (lambda: ops.lstm_sequence(X, *spoilt("lstm", 1, (H,))), ValueError, r"c must be \(3, 4\), and is \(4,\)"),
    (lambda: ops.lstm_sequence(X, *spoilt("lstm", 3, (H, 3 * H))), ValueError, r"W_hh must be \(4, 16\)"),
    (lambda: ops.gru_sequence(X, *spoilt("gru", 3, (4 * H,))), ValueError, r"b_h must be \(12,\), and is \(16,\)"),
    (lambda: ops.gru_sequence(X, *spoilt("gru after", 4, (1,))), ValueError, r"b_hn must be \(4,\), and is \(1,\)"),
    (lambda: ops.lstm_sequence(X, *numbers("lstm"), mask=HOLES.T), ValueError, r"mask must be \(T, B\) = \(5, 3\)"),
    (lambda: ops.rnn_sequence(X, *numbers("rnn"), "sigmoid"), ValueError, 'nonlinearity is "tanh" or "relu", not'),
    (lambda: ops.gru_sequence(X, *numbers("gru"), keep="r"), ValueError, 'keep is "z" or "1-z"'),
]  # fmt: skip


@pytest.mark.parametrize(("call", "error", "line"), REFUSED)
def test_bad_input_is_answered_in_one_line(call, error, line):
    with pytest.raises(error, match=line) as told:
        call()
    assert "\n" not in str(told.value)


@every_op
@pytest.mark.parametrize("turn", [lambda m: m * 3.0, lambda m: m.astype(int), np.ndarray.tolist, tg.tensor])
def test_a_mask_is_true_or_false_in_whatever_form(name, turn):
    agree(run(name, X, numbers(name), mask=turn(HOLES)), run(name, X, numbers(name), mask=HOLES), 0)


@every_op
@pytest.mark.parametrize("reverse", [False, True])
def test_the_last_state_does_not_hold_the_whole_sequence(name, reverse):
    """It is carried into the next chunk, when all else of this one may go."""
    _, *last = function(name, reverse=reverse)(X, *map(tg.tensor, numbers(name)))
    assert all(part.data.base is None for part in last)
