"""The layers' kernels: fused and unrolled are the same to rounding, whatever is asked of them; which one runs when."""

from __future__ import annotations

from dataclasses import dataclass, replace
from unittest import mock

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tinygrad_rnn as tg
from tinygrad_rnn import backend, nn
from tinygrad_rnn.ops.recurrent import gru, lstm

KINDS = {
    "rnn": (nn.RNN, {}),
    "relu": (nn.RNN, {"nonlinearity": "relu"}),
    "lstm": (nn.LSTM, {}),
    "gru": (nn.GRU, {}),
    "gru 1-z": (nn.GRU, {"keep": "1-z"}),
    "gru after": (nn.GRU, {"reset": "after"}),
    "gru after 1-z": (nn.GRU, {"reset": "after", "keep": "1-z"}),
}
every_kind = pytest.mark.parametrize("kind", KINDS)
FUSED = {"rnn_sequence", "lstm_sequence", "gru_sequence"}


@dataclass(frozen=True)
class Case:
    """A layer, its inputs, and which of its outputs the loss depends on."""

    kind: str = "lstm"
    T: int = 5
    B: int = 3
    D: int = 2
    H: int = 4
    layers: int = 1
    bidirectional: bool = False
    merge: str = "concat"
    dropout: float = 0.0
    indices: bool = False
    mask: tuple[tuple[bool, ...], ...] | None = None  # (T, B)
    states: tuple[bool, ...] | None = None  # which layers and directions are given a state
    offset: int = 0
    used: int = -1  # a bit for each output and part of the last state
    seed: int = 0


@st.composite
def cases(draw: st.DrawFn) -> Case:
    T, B, layers, bidirectional = draw(st.integers(1, 12)), draw(st.integers(1, 4)), draw(st.integers(1, 3)), draw(
        st.booleans())  # fmt: skip
    row = st.lists(st.booleans(), min_size=B, max_size=B).map(tuple)
    lengths = st.lists(st.integers(0, T), min_size=B, max_size=B)
    masks = st.one_of(
        st.none(),
        lengths.map(lambda ends: tuple(tuple(t < end for end in ends) for t in range(T))),
        st.lists(row, min_size=T, max_size=T).map(tuple),
    )
    cells = layers * (1 + bidirectional)
    return Case(
        kind=draw(st.sampled_from(list(KINDS))), T=T, B=B, D=draw(st.integers(1, 6)), H=draw(st.integers(1, 6)),
        layers=layers, bidirectional=bidirectional, merge=draw(st.sampled_from(["concat", "sum", "mul"])),
        dropout=draw(st.sampled_from([0.0, 0.4, 1.0])),
        indices=draw(st.booleans()), mask=draw(masks),
        states=draw(st.one_of(st.none(), st.lists(st.booleans(), min_size=cells, max_size=cells).map(tuple))),
        offset=draw(st.integers(0, 20)), used=draw(st.integers(1, 2**13 - 1)), seed=draw(st.integers(0, 10**6)),
    )  # fmt: skip


def build(case: Case, kernel: str, dtype=np.float64, device="cpu"):
    Kind, options = KINDS[case.kind]
    layer = Kind(case.D, case.H, case.layers, case.bidirectional, case.dropout, kernel, dtype, device,
                 np.random.default_rng(case.seed), merge=case.merge, **options)  # fmt: skip
    rng = np.random.default_rng([case.seed, 1])
    for p in layer.parameters():  # biases too
        p.data = backend.to_device(rng.uniform(-0.7, 0.7, p.shape).astype(dtype), device)
    return layer


def inputs(case: Case, dtype=np.float64, device="cpu"):
    """x, and the state of each layer and direction, None where none is given; as leaves."""
    rng = np.random.default_rng([case.seed, 2])
    if case.indices:
        x = rng.integers(0, case.D, (case.T, case.B))
    else:
        x = tg.tensor(rng.standard_normal((case.T, case.B, case.D)), dtype=dtype, device=device, requires_grad=True)
    parts = 2 if case.kind == "lstm" else 1
    states = []
    for there in case.states or (False,) * (case.layers * (1 + case.bidirectional)):
        leaves = [tg.tensor(rng.standard_normal((case.B, case.H)), dtype=dtype, device=device, requires_grad=True)
                  for _ in range(parts)]  # fmt: skip
        states.append((tuple(leaves) if parts > 1 else leaves[0]) if there else None)
    return x, states


def flat(states):
    return [part for s in states for part in (s if isinstance(s, tuple) else (s,)) if part is not None]


def call(layer, case: Case, x, states):
    """All outputs in a list: those of the steps, then each part of each last state."""
    mask = None if case.mask is None else np.array(case.mask)
    state = None if case.states is None else states[0] if len(states) == 1 else tuple(states)
    outputs, last = layer(x, state, offset=case.offset, mask=mask)
    return [outputs, *flat(last if len(states) > 1 else [last])]


def weighted(outputs, case: Case):
    rng = np.random.default_rng([case.seed, 3])
    weights = [rng.standard_normal(y.shape).astype(y.dtype) for y in outputs]
    used = [bool(case.used >> i & 1) for i in range(len(outputs))]
    chosen = [(y, w) for y, w, u in zip(outputs, weights, used, strict=True) if u] or [(outputs[0], weights[0])]
    return sum(tg.sum(y * backend.to_device(w, y.device)) for y, w in chosen)


def everything(case: Case, kernel: str, dtype=np.float64, device="cpu"):
    """By name: outputs, last states, and the gradients of all parameters, of x and of the states given; what had none
    is None."""
    layer = build(case, kernel, dtype, device)
    x, states = inputs(case, dtype, device)
    outputs = call(layer, case, x, states)
    assert (outputs[0].op in FUSED | {"join_directions"}) == (kernel == "fused")
    weighted(outputs, case).backward()
    got = {f"output {i}": y.numpy() for i, y in enumerate(outputs)}
    leaves = dict(layer.named_parameters()) | {f"state {i}": s for i, s in enumerate(flat(states))}
    leaves |= {} if case.indices else {"x": x}
    return got | {f"d {name}": None if leaf.grad is None else leaf.grad.numpy() for name, leaf in leaves.items()}


def agree(got, expected, tolerance):
    assert got.keys() == expected.keys()
    for name, b in expected.items():
        a = got[name]
        if a is None or b is None:  # None and zeros are the same gradient
            assert not np.any(0 if a is None else a), name
            assert not np.any(0 if b is None else b), name
            continue
        assert a.shape == b.shape, name
        assert a.dtype == b.dtype, name
        assert np.abs(a - b).max() <= tolerance * max(1, np.abs(b).max()), name


@settings(max_examples=100, deadline=None)
@given(case=cases(), block=st.sampled_from([1, 400_000]))
def test_fused_and_unrolled_agree(case, block):
    """`block`: local derivatives one step at a time, or all at once."""
    with mock.patch.object(lstm, "BLOCK", block), mock.patch.object(gru, "BLOCK", block):
        fused = everything(case, "fused")
    agree(fused, everything(case, "unrolled"), 1e-12)


@settings(max_examples=40, deadline=None)
@given(case=cases())
def test_fused_and_unrolled_agree_in_float32(case):
    agree(everything(case, "fused", np.float32), everything(case, "unrolled", np.float32), 1e-5)


@every_kind
def test_every_subset_of_the_outputs_may_be_unused(kind):
    case = Case(kind, bidirectional=True, states=(True, True))
    count = 5 if kind == "lstm" else 3
    for used in range(1, 2**count):
        agree(everything(replace(case, used=used), "fused"), everything(replace(case, used=used), "unrolled"), 1e-12)


@every_kind
def test_a_sample_that_is_never_there_keeps_its_state_and_has_no_gradient_but_that(kind):
    case = Case(kind, mask=tuple((True, False, t > 2) for t in range(5)), states=(True,))
    layer = build(case, "fused")
    x, states = inputs(case)
    outputs, *last = call(layer, case, x, states)
    assert not outputs.numpy()[:, 1].any()
    for after, before in zip(last, flat(states), strict=True):
        np.testing.assert_array_equal(after.numpy()[1], before.numpy()[1])
    (tg.sum(outputs) + 3 * sum(map(tg.sum, last))).backward()
    assert not x.grad.numpy()[:, 1].any()
    assert x.grad.numpy()[:, 0].any()
    assert all((s.grad.numpy()[1] == 3).all() for s in flat(states))


@every_kind
@pytest.mark.parametrize("indices", [False, True])
@pytest.mark.parametrize("kernel", ["fused", "unrolled"])
def test_every_device_has_the_same_numbers(kind, indices, kernel, device):
    mask = tuple((t < 5, t < 2, False) for t in range(5))
    for case in (Case(kind, indices=indices), Case(kind, layers=2, bidirectional=True, dropout=0.3, indices=indices,
                                                   mask=mask, states=(True, False, False, True))):  # fmt: skip
        agree(everything(case, kernel, device=device), everything(case, kernel), 1e-12)


@every_kind
def test_a_second_derivative_of_the_fused_layer_is_that_of_the_unrolled(kind):
    case = Case(kind, layers=2, bidirectional=True, states=(True, False, True, True))
    x, states = inputs(case)
    rng = np.random.default_rng(5)
    direction = rng.standard_normal(x.shape)

    def f(kernel):
        layer = build(case, kernel)
        return layer, lambda x: weighted(call(layer, case, x, states), case) ** 2

    results = {}
    for kernel in ("fused", "unrolled"):
        layer, loss = f(kernel)
        value, product = tg.hvp(loss, x.data, direction)
        y, moved = tg.jvp(loss, x.data, direction)
        leaf = tg.tensor(x.data, requires_grad=True)
        (g,) = tg.grad(loss(leaf), leaf, create_graph=True)
        weights = layer.parameters()
        seconds = tg.grad(tg.sum(g * direction), weights)
        results[kernel] = [value, product, y, moved, *seconds]
    for a, b in zip(results["fused"], results["unrolled"], strict=True):
        a, b = a.numpy(), b.numpy()
        assert np.abs(a - b).max() <= 1e-10 * max(1, np.abs(b).max())


@every_kind
def test_the_gradient_inside_a_checkpoint_is_the_plain_one(kind):
    case = Case(kind, layers=2, dropout=0.4)
    mask = np.arange(5)[:, None] < np.array([5, 3, 1])

    def gradients(run):
        layer = build(case, "auto")
        x, _ = inputs(case)
        ops = []

        def f(x):
            y, _ = layer(x, mask=mask)
            ops.append(y.op)
            return y

        outputs = run(f, x)
        tg.sum(outputs * outputs).backward()
        assert set(ops) == {KINDS[kind][0].__name__.lower() + "_sequence"}  # fused, also when run again
        return [outputs.numpy(), x.grad.numpy(), *(p.grad.numpy() for p in layer.parameters())]

    for a, b in zip(gradients(tg.checkpoint), gradients(lambda f, x: f(x)), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-13, atol=1e-15)


# Which kernel runs


def made_by(layer, **options):
    """The operation that made the outputs."""
    return layer(np.ones((3, 2, 2), np.float32), **options)[0].op


class Doubled(nn.LSTMCell):
    """A cell of somebody's own: the layer must not fuse past it."""

    def forward(self, x, state):
        h, c = super().forward(x, state)
        return h * 2, c


class LayerOfOwn(nn.LSTM):
    cell = Doubled


@pytest.mark.parametrize("Kind", [nn.RNN, nn.LSTM, nn.GRU])
class TestChoice:
    def test_auto_is_fused(self, Kind):
        assert made_by(Kind(2, 4)) in FUSED
        assert made_by(Kind(2, 4, bidirectional=True)) == "join_directions"
        with tg.no_grad():
            assert Kind(2, 4).fuses

    def test_auto_is_unrolled_where_somebody_looks(self, Kind):
        layer = Kind(2, 4)
        for looking in (tg.trace, tg.debug):
            with looking():
                assert made_by(layer) == "stack"
            assert made_by(layer) in FUSED

    def test_what_is_said_is_done(self, Kind):
        for looking in (tg.trace, tg.debug, tg.no_grad):
            with looking():
                assert Kind(2, 4, kernel="fused").fuses
                assert not Kind(2, 4, kernel="unrolled").fuses
        assert made_by(Kind(2, 4, kernel="unrolled")) == "stack"

    def test_a_forward_of_ones_own_is_run(self, Kind):
        layer = Kind(2, 4, 2, rng=0)
        run = layer.layers[1].forward.forward
        seen = []
        layer.layers[1].forward.forward = lambda x, state: seen.append(1) or run(x, state)
        assert made_by(layer) == "stack"
        assert len(seen) == 3
        layer.kernel = "fused"
        with pytest.raises(ValueError, match=r'Cell\(4, 4\) has no fused form .*: use kernel="auto"') as told:
            made_by(layer)
        assert "\n" not in str(told.value)


def test_a_subclass_that_changes_the_equations_is_unrolled():
    x = np.random.default_rng(0).standard_normal((3, 2, 2)).astype(np.float32)
    layer, plain = LayerOfOwn(2, 4, rng=0), nn.LSTM(2, 4, rng=0)
    assert made_by(layer) == "stack"
    np.testing.assert_allclose(layer(x[:1])[0].numpy(), 2 * plain(x[:1])[0].numpy(), rtol=1e-6)
    layer.kernel = "fused"
    with pytest.raises(ValueError, match=r'LayerOfOwn: Doubled\(2, 4\) has no fused form of its forward: use kernel='):
        layer(x)


def test_a_subclass_that_only_adds_stays_fused():
    class Counted(nn.LSTMCell):
        calls = 0

        def count(self):
            self.calls += 1

    class Layer(nn.LSTM):
        cell = Counted

    assert made_by(Layer(2, 4)) == "lstm_sequence"


def test_a_fused_layer_in_debug_mode_leaves_nothing_locked():
    case = Case("lstm", mask=tuple((True, t < 2, False) for t in range(5)))
    before = everything(case, "fused")
    with tg.debug():
        agree(everything(case, "fused"), before, 1e-12)
    agree(everything(case, "fused"), before, 0)  # the same workspaces are written to


x = np.ones((5, 3, 2))


@pytest.mark.parametrize("kernel", ["fused", "unrolled"])
@pytest.mark.parametrize(("call", "error", "line"), [
    (lambda l: l(x[..., :1]), ValueError, r"GRU\(2, 4\) takes x \(T, B, 2\), time first, not array \(5, 3, 1\)"),
    (lambda l: l(x[..., 0]), ValueError, r"GRU\(2, 4\) takes x \(T, B, 2\), time first, not array \(5, 3\)"),
    (lambda l: l(x[:0]), ValueError, r"GRU: x \(0, 3, 2\) has no time step"),
    (lambda l: l(np.full((5, 3), 2)), IndexError, r"index 2 is outside 0\.\.1"),
    (lambda l: l(np.full((5, 3), -1)), IndexError, r"index -1 is outside 0\.\.1"),
    (lambda l: l(x, mask=np.ones((3, 5))), ValueError, r"mask is \(T, B\) = \(5, 3\), .* not array \(3, 5\)"),
    (lambda l: l(x, np.ones((3, 5))), ValueError, r"takes h \(3, 4\) with a batch of 3, not array \(3, 5\)"),
])  # fmt: skip
def test_bad_input_is_answered_in_one_line(kernel, call, error, line):
    with pytest.raises(error, match=line) as told:
        call(nn.GRU(2, 4, kernel=kernel))
    assert "\n" not in str(told.value)


@pytest.mark.parametrize("kernel", ["fused", "unrolled"])
def test_a_layer_on_another_device_names_both(kernel):
    layer = nn.LSTM(2, 4, kernel=kernel, device="strict")
    with pytest.raises(TypeError, match="on cpu and strict") as told:
        layer(tg.tensor(np.ones((3, 2, 2), np.float32)))
    assert "\n" not in str(told.value)


def test_gradcheck_checks_the_kernel_that_runs():
    layer, used = build(Case("gru"), "auto"), []

    def f(x):
        y = layer(x)[0]
        used.append(y.op)
        return y

    assert tg.gradcheck(f, x, method="complex")
    assert set(used) == {"gru_sequence", None}  # None: values alone


@pytest.mark.parametrize("kernel", ["fused", "unrolled"])
def test_integers_of_three_axes_are_numbers_of_the_weights_dtype(kernel):
    outputs, _ = nn.RNN(4, 3, kernel=kernel, rng=0)(np.ones((3, 2, 4), int))
    assert outputs.dtype == np.float32


def test_the_last_state_of_a_fused_layer_is_an_output_of_its_own():
    """As PyTorch's h_n: what uses the outputs alone gives it no gradient."""
    outputs, h = nn.GRU(4, 3, kernel="fused", rng=0)(np.ones((3, 2, 4), np.float32))
    assert tg.grad(tg.sum(outputs), h, allow_unused=True) == (None,)
    (g,) = tg.grad(tg.sum(outputs) + tg.sum(h * 2), h)
    assert (g.numpy() == 2).all()
