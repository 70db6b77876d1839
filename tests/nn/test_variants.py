"""The cells beside RNN, LSTM and GRU: each against its paper's equations, in column form, one sample at a time."""

import numpy as np
import pytest

import tinygrad_rnn as tg
from tinygrad_rnn import nn
from tinygrad_rnn.nn.cells.variants import CHANGES

B, D, H = 3, 4, 6
rng = np.random.default_rng(0)


def sigma(a):
    return 1 / (1 + np.exp(-a))


def filled(cell):
    """The cell in float64, no parameter zero."""
    cell.astype(np.float64)
    for p in cell.parameters():
        p.data = rng.standard_normal(p.shape)
    return cell


def columns(cell, x_gates, h_gates, b_gates):
    """The weights as the papers have them: (out, in), one matrix a gate, as W["xr"], W["hr"] and b["r"]."""
    W = {}
    for name, stacked, gates in (("x", cell.W_xh, x_gates), ("h", cell.W_hh, h_gates)):
        W |= {name + k: part.T for k, part in zip(gates, np.split(stacked.data, len(gates), axis=1), strict=True)}
    return W, dict(zip(b_gates, np.split(cell.b_h.data, len(b_gates)), strict=True))


def incomplete(cell, x, h, c):
    W, b = columns(cell, "g", "g", "g")
    c = c + np.tanh(W["xg"] @ x + W["hg"] @ h + b["g"])
    return np.tanh(c), c


def lstm97(cell, x, h, c, *gates):
    S, n = cell.block_size, cell.hidden_size // cell.block_size
    net = cell.W_xh.data.T @ x + cell.W_hh.data.T @ np.concatenate([h, *gates]) + cell.b_h.data
    y_in, y_out, new_c, new_h = sigma(net[:n]), sigma(net[n : 2 * n]), np.empty(n * S), np.empty(n * S)
    for j in range(n):  # block j, its cell v
        for v in range(S):
            at = j * S + v
            new_c[at] = c[at] + y_in[j] * (4 / (1 + np.exp(-net[2 * n + at])) - 2)
            new_h[at] = y_out[j] * (2 / (1 + np.exp(-new_c[at])) - 1)
    return (new_h, new_c, y_in, y_out) if gates else (new_h, new_c)


def greff(cell, x, y, c, *before):
    """Greff et al. 2015, section II and the list of variants."""
    changes = set(cell.variant.split("+"))
    gates = [k for k in "ifog" if not {f"N{k.upper()}G", {"f": "CIFG"}.get(k)} & changes]
    W, b = columns(cell, gates, gates, gates)

    def gate(k, c):
        if k not in gates:
            return np.ones_like(c)
        net = W["x" + k] @ x + W["h" + k] @ y + b[k]
        if "NP" not in changes:
            net = net + getattr(cell, f"p_{k}").data * c
        for other, value in zip(gates, before, strict=False):  # R_kl of gate l to gate k
            rows, cols = gates.index(other) * H, gates.index(k) * H
            net = net + cell.W_gg.data[rows : rows + H, cols : cols + H].T @ value
        return sigma(net)

    i = gate("i", c)
    f = 1 - i if "CIFG" in changes else gate("f", c)
    z = W["xg"] @ x + W["hg"] @ y + b["g"]
    z = z if "NIAF" in changes else np.tanh(z)
    c = z * i + c * f
    o = gate("o", c)
    y = (c if "NOAF" in changes else np.tanh(c)) * o
    return (y, c, *({"i": i, "f": f, "o": o}[k] for k in gates[: len(before)]))


def project(cell, x):
    return x if cell.P is None else cell.P.data.T @ x


def mut1(cell, x, h):
    W, b = columns(cell, "rz", "rn", "rzn")
    z = sigma(W["xz"] @ x + b["z"])
    r = sigma(W["xr"] @ x + W["hr"] @ h + b["r"])
    return np.tanh(W["hn"] @ (r * h) + np.tanh(project(cell, x)) + b["n"]) * z + h * (1 - z)


def mut2(cell, x, h):
    W, b = columns(cell, "zn", "rzn", "rzn")
    z = sigma(W["xz"] @ x + W["hz"] @ h + b["z"])
    r = sigma(project(cell, x) + W["hr"] @ h + b["r"])
    return np.tanh(W["hn"] @ (r * h) + W["xn"] @ x + b["n"]) * z + h * (1 - z)


def mut3(cell, x, h):
    W, b = columns(cell, "rzn", "rzn", "rzn")
    z = sigma(W["xz"] @ x + W["hz"] @ np.tanh(h) + b["z"])
    r = sigma(W["xr"] @ x + W["hr"] @ h + b["r"])
    return np.tanh(W["hn"] @ (r * h) + W["xn"] @ x + b["n"]) * z + h * (1 - z)


def residual(cell, x, h):
    return h + np.tanh(cell.W_xh.data.T @ x + cell.W_hh.data.T @ h + cell.b_h.data)


def highway(cell, x, h):
    W, b = columns(cell, "tn", "tn", "tn")
    t = sigma(W["xt"] @ x + W["ht"] @ h + b["t"])
    return np.tanh(W["xn"] @ x + W["hn"] @ h + b["n"]) * t + h * (1 - t)


def irnn(cell, x, h):
    return np.maximum(cell.W_xh.data.T @ x + cell.W_hh.data.T @ h + cell.b_h.data, 0)


def mrnn(cell, x, h):
    f = np.diag(cell.W_xf.data.T @ x) @ cell.W_hf.data.T @ h
    return np.tanh(cell.W_fh.data.T @ f + cell.W_xh.data.T @ x + cell.b_h.data)


def reservoir(cell, x, h):
    return (1 - cell.leak) * h + cell.leak * irnn_tanh(cell, x, h)


def irnn_tanh(cell, x, h):
    return np.tanh(cell.W_xh.data.T @ x + cell.W_hh.data.T @ h + cell.b_h.data)


VARIANTS = ["vanilla", *CHANGES, "CIFG+NP", "NFG+NP", "CIFG+FGR", "NIAF+NOAF+NOG"]
CELLS = {
    "incomplete": (nn.IncompleteLSTMCell, incomplete, {}),
    "1997": (nn.LSTM97Cell, lstm97, {}),
    "1997 in blocks": (nn.LSTM97Cell, lstm97, {"block_size": 2}),
    "1997 with gate recurrence": (nn.LSTM97Cell, lstm97, {"block_size": 3, "gate_recurrence": True}),
    "peepholes": (nn.PeepholeLSTMCell, greff, {}),
    "MUT1": (nn.MUT1Cell, mut1, {"project": "learned"}),
    "MUT1 fixed": (nn.MUT1Cell, mut1, {"project": "random"}),
    "MUT2": (nn.MUT2Cell, mut2, {"project": "learned"}),
    "MUT3": (nn.MUT3Cell, mut3, {}),
    "residual": (nn.ResidualCell, residual, {}),
    "highway": (nn.HighwayCell, highway, {}),
    "IRNN": (nn.IRNNCell, irnn, {}),
    "multiplicative": (nn.MultiplicativeRNNCell, mrnn, {"factors": 5}),
    "reservoir": (nn.ReservoirCell, reservoir, {"leak": 0.3}),
} | {variant: (nn.LSTMVariantCell, greff, {"variant": variant}) for variant in VARIANTS}  # fmt: skip


def parts(state):
    return state if isinstance(state, tuple) else (state,)


def states_of(cell):
    made = tuple(rng.standard_normal((B, width)) for width in cell.widths)
    return made if len(made) > 1 else made[0]


@pytest.mark.parametrize("name", CELLS)
def test_a_cell_computes_its_paper_s_equations(name):
    kind, equations, options = CELLS[name]
    cell = filled(kind(D, H, **options))
    x, state = rng.standard_normal((B, D)), states_of(cell)
    got = parts(cell(x, state))
    for b in range(B):
        expected = parts(equations(cell, x[b], *(part[b] for part in parts(state))))
        assert len(expected) == len(got)
        for ours, theirs in zip(got, expected, strict=True):
            np.testing.assert_allclose(ours.numpy()[b], theirs, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize(("kind", "equations"), [(nn.MUT1Cell, mut1), (nn.MUT2Cell, mut2)])
def test_mut_needs_no_projection_where_x_is_as_wide_as_h(kind, equations):
    cell = filled(kind(H, H))
    x, h = rng.standard_normal((2, H))
    np.testing.assert_allclose(cell(x[None], h[None]).numpy()[0], equations(cell, x, h), rtol=1e-12)
    with pytest.raises(ValueError, match=r'MUT.Cell: x itself .* input_size must be 6, not 4: .*project="random"'):
        kind(D, H)


@pytest.mark.parametrize("name", CELLS)
def test_gradients_of_first_and_second_order(name):
    kind, _, options = CELLS[name]
    cell = filled(kind(D, H, **options))
    names = [name for name, p in cell.named_parameters()]

    def run(x, *rest):
        state, weights = rest[: len(cell.states)], rest[len(cell.states) :]
        for name, W in zip(names, weights, strict=True):
            setattr(cell, name, W)  # Tensors that the check made
        return cell(x, state if len(state) > 1 else state[0])

    values = [0.5 * rng.standard_normal(p.shape) for p in cell.parameters()]
    assert tg.gradcheck(run, [rng.standard_normal((2, D)), *(s[:2] for s in parts(states_of(cell))), *values], order=2,
                        sample=4)  # fmt: skip


class TestOneReducesToAnother:
    def same(self, a, b, x, state):
        for ours, theirs in zip(parts(a(x, state)), parts(b(x, state)), strict=True):
            np.testing.assert_allclose(ours.numpy(), theirs.numpy(), rtol=1e-13)

    @pytest.fixture
    def run(self):
        return rng.standard_normal((B, D)), (rng.standard_normal((B, H)), rng.standard_normal((B, H)))

    def test_peepholes_of_zero_are_the_lstm(self, run):
        peephole, lstm = filled(nn.PeepholeLSTMCell(D, H)), filled(nn.LSTMCell(D, H))
        for name in ("W_xh", "W_hh", "b_h"):
            setattr(peephole, name, getattr(lstm, name))
        for k in "ifo":
            getattr(peephole, f"p_{k}").data = np.zeros(H)
        self.same(peephole, lstm, *run)

    def test_without_peepholes_it_is_the_lstm_and_its_numbers_fit(self, run):
        plain, lstm = filled(nn.LSTMVariantCell(D, H, "NP")), nn.LSTMCell(D, H)
        lstm.load_state_dict(plain.state_dict())
        self.same(plain, lstm, *run)

    def test_without_any_gate_it_is_the_incomplete_lstm(self, run):
        bare, incomplete = filled(nn.LSTMVariantCell(D, H, "NIG+NFG+NOG+NP")), nn.IncompleteLSTMCell(D, H)
        incomplete.load_state_dict(bare.state_dict())
        self.same(bare, incomplete, *run)

    def test_coupled_gates_are_an_lstm_whose_forget_gate_is_the_input_gate_negated(self, run):
        coupled, lstm = filled(nn.LSTMVariantCell(D, H, "CIFG+NP")), nn.LSTMCell(D, H)
        for name in ("W_xh", "W_hh", "b_h"):  # 1 - sigma(a) = sigma(-a)
            i, o, g = np.split(getattr(coupled, name).data, 3, axis=-1)
            getattr(lstm, name).data = np.concatenate([i, -i, o, g], axis=-1)
        self.same(coupled, lstm, *run)

    def test_a_leak_of_1_is_a_simple_cell(self, run):
        x, (h, _) = run
        reservoir, cell = filled(nn.ReservoirCell(D, H)), nn.RNNCell(D, H)
        cell.load_state_dict(reservoir.state_dict())
        self.same(reservoir, cell, x, h)

    def test_a_highway_that_is_closed_keeps_the_state(self, run):
        x, (h, _) = run
        cell = filled(nn.HighwayCell(D, H))
        cell.b_h.data[:H] = -1e3
        np.testing.assert_array_equal(cell(x, h).numpy(), h)

    def test_one_input_of_a_multiplicative_net_has_a_matrix_of_its_own(self):
        cell = filled(nn.MultiplicativeRNNCell(D, H, factors=3))
        k, h = 2, rng.standard_normal((B, H))
        W = cell.W_hf.data @ np.diag(cell.W_xf.data[k]) @ cell.W_fh.data
        assert np.linalg.matrix_rank(W) == 3
        x = np.tile(np.eye(D)[k], (B, 1))
        np.testing.assert_allclose(cell(x, h).numpy(), np.tanh(h @ W + cell.W_xh.data[k] + cell.b_h.data), rtol=1e-12)


class TestCounts:
    @pytest.mark.parametrize(("kind", "count"), [(nn.RNNCell, 13_416), (nn.LSTMCell, 38_184), (nn.GRUCell, 29_928)])
    def test_are_those_of_jozefowicz_for_64_units_and_40_symbols(self, kind, count):
        """Symbols are embedded in 64 dimensions, and a softmax with biases reads h."""
        parts = nn.Embedding(40, 64), kind(64, 64), nn.Linear(64, 40)
        assert sum(part.count_parameters() for part in parts) == count

    @pytest.mark.parametrize(("inputs", "outputs", "blocks", "size", "output_bias", "count"), [
        (2, 1, 2, 2, True, 93),  # adding
        (8, 4, 2, 2, True, 156),  # temporal order, 2 symbols
        (8, 8, 3, 2, True, 308),  # temporal order, 3 symbols
    ])  # fmt: skip
    def test_are_those_of_1997(self, inputs, outputs, blocks, size, output_bias, count):
        cell = nn.LSTM97Cell(inputs, blocks * size, block_size=size, gate_recurrence=True)
        readout = nn.Linear(blocks * size, outputs, bias=output_bias)
        assert cell.count_parameters() + readout.count_parameters() == count

    @pytest.mark.parametrize(("blocks", "size", "count"), [(4, 1, 264), (3, 2, 276)])
    def test_are_those_of_1997_on_reber_strings_where_only_gates_have_biases(self, blocks, size, count):
        cell = nn.LSTM97Cell(7, blocks * size, block_size=size, gate_recurrence=True)
        readout = nn.Linear(blocks * size, 7, bias=False)
        assert cell.count_parameters() + readout.count_parameters() - blocks * size == count


class TestHowTheyStart:
    def test_irnn_is_the_identity_with_small_input_weights(self):
        cell = nn.IRNNCell(400, 50, rng=0)
        np.testing.assert_array_equal(cell.W_hh.numpy(), np.eye(50))
        assert cell.W_xh.numpy().std() == pytest.approx(0.001, rel=0.05)
        assert not cell.b_h.numpy().any()

    def test_chrono_biases_spread_the_time_constants_and_the_input_gate_mirrors_them(self):
        b_i, b_f, b_o, b_g = np.split(nn.LSTMCell(D, 500, chrono=100, rng=0).b_h.numpy(), 4)
        np.testing.assert_array_equal(b_i, -b_f)
        assert not np.concatenate([b_o, b_g]).any()
        uniform = np.sort(np.exp(b_f))  # U[1, 99], by its quantiles
        np.testing.assert_allclose(uniform, np.linspace(1, 99, 500), atol=6)

    def test_chrono_changes_nothing_else(self):
        plain, chrono = nn.LSTMCell(D, H, rng=0), nn.LSTMCell(D, H, chrono=9, rng=0)
        np.testing.assert_array_equal(plain.W_xh.numpy(), chrono.W_xh.numpy())
        np.testing.assert_array_equal(plain.W_hh.numpy(), chrono.W_hh.numpy())

    @pytest.mark.parametrize(("variant", "where", "bias"), [("vanilla", 1, 2.0), ("NIG", 0, 2.0), ("CIFG", 0, -2.0)])
    def test_the_forget_gate_starts_open(self, variant, where, bias):
        cell = nn.LSTMVariantCell(D, H, variant, forget_bias=2.0)
        biases = np.split(cell.b_h.numpy(), cell.gates)
        assert (biases[where] == bias).all()
        assert not np.concatenate(biases[:where] + biases[where + 1 :]).any()

    def test_the_gates_of_1997_start_with_the_biases_of_their_blocks(self):
        cell = nn.LSTM97Cell(D, 6, block_size=2, input_bias=[-1, -2, -3], output_bias=-4)
        assert cell.b_h.numpy().tolist() == [-1, -2, -3, -4, -4, -4, *[0] * 6]

    def test_a_reservoir_has_the_radius_and_scales_asked_for_and_does_not_learn(self):
        cell = nn.ReservoirCell(2, 100, spectral_radius=0.8, input_scale=[0.1, 2.0], connections=7, rng=0)
        assert abs(np.linalg.eigvals(cell.W_hh.numpy())).max() == pytest.approx(0.8, rel=1e-5)
        assert ((cell.W_hh.numpy() != 0).sum(axis=0) == 7).all()
        assert 0.09 < abs(cell.W_xh.numpy()[0]).max() <= 0.1
        assert 1.8 < abs(cell.W_xh.numpy()[1]).max() <= 2.0
        assert not any(p.requires_grad for p in cell.parameters())
        head = nn.Linear(100, 1)
        outputs, _ = nn.Recurrent(2, 100, cell=nn.ReservoirCell, rng=0)(np.ones((5, 3, 2), np.float32))
        head(outputs).sum().backward()
        assert head.W.grad is not None

    def test_a_random_projection_is_of_one_length_and_fixed(self):
        cell = nn.MUT2Cell(D, H, project="random", rng=0)
        assert set(np.abs(cell.P.numpy()).ravel().tolist()) == {0.5}
        assert not cell.P.requires_grad
        assert nn.MUT2Cell(D, H, project="learned").P.requires_grad
        np.testing.assert_array_equal(nn.MUT2Cell(D, H, project="learned", rng=0).P.numpy(), cell.P.numpy())


class TestInLayers:
    @pytest.mark.parametrize("name", CELLS)
    def test_both_directions_read_what_the_mask_leaves(self, name):
        """Padded, each sequence gives what it gives alone: the backward direction begins at its own end."""
        kind, _, options = CELLS[name]
        layer = nn.Recurrent(D, H, cell=kind, bidirectional=True, dtype=np.float64, rng=0, **options)
        x, lengths = rng.standard_normal((5, 2, D)), (5, 3)
        mask = np.arange(5)[:, None] < np.array(lengths)
        outputs, ends = layer(x, mask=mask)
        assert layer.layers[0].forward.name == kind(D, H, **options).name
        for b, length in enumerate(lengths):
            alone, alone_ends = layer(x[:length, b : b + 1])
            np.testing.assert_allclose(outputs.numpy()[:length, b], alone.numpy()[:, 0], rtol=1e-12)
            assert not outputs.numpy()[length:, b].any()
            for end, alone_end in zip(ends, alone_ends, strict=True):
                for part, alone_part in zip(parts(end), parts(alone_end), strict=True):
                    np.testing.assert_allclose(part.numpy()[b], alone_part.numpy()[0], rtol=1e-12)

    def test_steps_are_recorded_at_the_offset_and_indices_are_one_hot_vectors(self):
        layer = nn.Recurrent(D, H, cell=nn.MUT3Cell, num_layers=2, rng=0)
        ids = np.array([[0, 3], [2, 1]])
        with tg.trace() as tr:
            outputs, _ = layer(ids, offset=7)
        assert {node.step for node in tr.nodes if node.step is not None} == {7, 8}
        vectors, _ = layer(np.eye(D, dtype=np.float32)[ids])
        np.testing.assert_allclose(outputs.numpy(), vectors.numpy(), rtol=1e-6)

    def test_what_reduces_to_a_fused_recurrence_is_fused_and_the_rest_is_not(self):
        assert nn.IRNNCell(D, H).fuses
        assert nn.LSTMCell(D, H, chrono=9).fuses
        for kind, _, options in CELLS.values():
            if kind is not nn.IRNNCell:
                assert not kind(D, H, **options).fuses
        with pytest.raises(ValueError, match="has no fused form"):
            nn.Recurrent(D, H, cell=nn.MUT3Cell, kernel="fused")(np.ones((2, 1, D), np.float32))

    def test_a_layer_that_is_of_no_cell_says_what_to_give(self):
        with pytest.raises(ValueError, match="say of which cell"):
            nn.Recurrent(D, H)

    def test_a_layer_says_what_it_is_made_of(self):
        layer = nn.Recurrent(D, H, cell=nn.MUT3Cell)
        assert "cell=MUT3Cell" in repr(layer)
        assert layer.name == "mut3"
        assert "cell" not in nn.GRU(D, H).describe()

    def test_numbers_travel_under_their_own_names(self):
        """Also to_torch keeps them, where PyTorch has no such cell."""
        layer = nn.Recurrent(D, H, cell=nn.PeepholeLSTMCell, rng=0)
        other = nn.Recurrent(D, H, cell=nn.PeepholeLSTMCell, rng=1)
        assert set(nn.to_torch(layer)) == set(layer.state_dict())
        nn.load_torch(other, nn.to_torch(layer))
        x = np.ones((3, 1, D), np.float32)
        np.testing.assert_array_equal(layer(x)[0].numpy(), other(x)[0].numpy())

    def test_pytorch_has_the_irnn(self):
        torch = pytest.importorskip("torch")
        ours = nn.Recurrent(D, H, cell=nn.IRNNCell, std=0.5, rng=0)
        theirs = torch.nn.RNN(D, H, nonlinearity="relu")
        theirs.load_state_dict({key: torch.tensor(array) for key, array in nn.to_torch(ours).items()})
        x = rng.standard_normal((7, B, D)).astype(np.float32)
        np.testing.assert_allclose(ours(x)[0].numpy(), theirs(torch.tensor(x))[0].detach().numpy(), rtol=1e-5)


@pytest.mark.parametrize("name", CELLS)
def test_float32_stays_float32(name):
    kind, _, options = CELLS[name]
    state = kind(D, H, **options)(rng.standard_normal((B, D)).astype(np.float32))
    assert {s.dtype for s in parts(state)} == {np.dtype(np.float32)}


@pytest.mark.parametrize(("make", "message"), [
    (lambda: nn.LSTMVariantCell(D, H, "CIGF"), "no variant 'CIGF': did you mean CIFG?"),
    (lambda: nn.LSTMVariantCell(D, H, "CIFG+NIG"), "CIFG makes f of i, and NIG leaves one"),
    (lambda: nn.LSTMVariantCell(D, H, "FGR+NIG+NFG+NOG"), "none is left"),
    (lambda: nn.LSTM97Cell(D, 5, block_size=2), "blocks of 2 cells do not divide 5"),
    (lambda: nn.LSTM97Cell(D, 6, block_size=2, input_bias=[-1, -2]), "one for each of 3 blocks"),
    (lambda: nn.MUT1Cell(D, H, project="fixed"), "project is None"),
    (lambda: nn.MultiplicativeRNNCell(D, H, factors=0), "factors must be at least 1"),
    (lambda: nn.ReservoirCell(D, H, leak=0), "leak is how much"),
    (lambda: nn.ReservoirCell(D, H, input_scale=[1.0]), "one for each of 4 inputs"),
    (lambda: nn.ReservoirCell(D, H, connections=0), "at least 1, not 0"),
    (lambda: nn.LSTMCell(D, H, chrono=1), "T_max is the longest memory"),
    (lambda: nn.LSTMCell(D, H, chrono=float("inf")), "T_max is the longest memory"),
    (lambda: nn.LSTMCell(D, H, chrono=float("nan")), "T_max is the longest memory"),
    (lambda: nn.LSTM97Cell(D, 6, block_size=3, gate_recurrence=True)(np.ones((1, D)), tuple(np.ones((4, 1, 6)))),
     r"takes i \(1, 2\)"),
])  # fmt: skip
def test_bad_input_is_named_in_one_line(make, message):
    with pytest.raises(ValueError, match=message) as caught:
        make()
    assert "\n" not in str(caught.value)
