"""What units do, told by the layers' own graphs; gates that saturate; the search for units that track something."""

from __future__ import annotations

import numpy as np
import pytest

import tinygrad_rnn as tg
from tinygrad_rnn import flow

T, B, D, H = 7, 2, 3, 5


def layer(kind, seed=0, **options):
    return getattr(tg.nn, kind)(D, H, rng=seed, dtype=np.float64, **options)


@pytest.fixture
def x(rng):
    return rng.normal(size=(T, B, D))


# Recording


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


def test_a_recording_is_the_lstm_s_equations(x):
    net = layer("LSTM")
    seen = flow.record(net, x)
    cell = net.layers[0].forward
    W_xh, W_hh, b_h = (p.numpy() for p in (cell.W_xh, cell.W_hh, cell.b_h))
    h = c = np.zeros((B, H))
    for t in range(T):
        i, f, o, g = np.split(x[t] @ W_xh + h @ W_hh + b_h, 4, axis=1)
        i, f, o, g = sigmoid(i), sigmoid(f), sigmoid(o), np.tanh(g)
        c = f * c + i * g
        h = o * np.tanh(c)
        for name, value in {"i": i, "f": f, "o": o, "g": g, "c": c, "h": h}.items():
            np.testing.assert_allclose(seen.of(name)[t], value, rtol=1e-12, err_msg=f"{name} at {t}")


@pytest.mark.parametrize("kind", ["RNN", "LSTM", "GRU"])
@pytest.mark.parametrize("num_layers", [1, 2])
def test_a_recording_ends_where_the_fused_layer_does(kind, num_layers, rng):
    """Longer than the graph that is held at a time, and from a state that is given."""
    net = layer(kind, num_layers=num_layers)
    ids = rng.integers(D, size=(2 * flow.units.CHUNK + 3, B))
    _, state = net(ids[:1])
    outputs, last = net(ids[1:], state)
    seen = flow.record(net, ids[1:], state)
    np.testing.assert_allclose(seen.of("h"), outputs.numpy(), rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(_flat(seen.last), _flat(last), rtol=1e-12, atol=1e-14)
    assert list(seen.parts) == (["layer 0", "layer 1"] if num_layers > 1 else [""])


def _flat(state):
    return np.concatenate([_flat(s) for s in state]) if isinstance(state, tuple) else state.numpy().ravel()


def test_a_recording_agrees_with_torch(rng):
    torch = pytest.importorskip("torch")
    net = layer("LSTM", num_layers=2)
    theirs = torch.nn.LSTM(D, H, 2, dtype=torch.float64)
    theirs.load_state_dict({name: torch.tensor(a) for name, a in tg.nn.torch_names.to_torch(net).items()})
    ids = rng.integers(D, size=(20, B))
    seen = flow.record(net, ids)
    one_hot = torch.nn.functional.one_hot(torch.tensor(ids), D).double()
    state = None
    for t in range(20):
        _, state = theirs(one_hot[t : t + 1], state)
        for k in range(2):
            np.testing.assert_allclose(seen.of("h", k)[t], state[0][k].detach(), rtol=1e-10, atol=1e-12)
            np.testing.assert_allclose(seen.of("c", k)[t], state[1][k].detach(), rtol=1e-10, atol=1e-12)


def test_both_directions_are_recorded_at_the_time_of_the_data(x):
    net = layer("RNN", bidirectional=True)
    seen = flow.record(net, x)
    outputs = net(x)[0].numpy()
    np.testing.assert_allclose(seen.parts["forward"]["h"], outputs[..., :H], rtol=1e-12)
    np.testing.assert_allclose(seen.parts["backward"]["h"], outputs[..., H:], rtol=1e-12)


def test_recording_inside_no_grad_and_on_every_device(x, device):
    net = tg.nn.GRU(D, H, rng=0, dtype=np.float64, device=device)
    with tg.no_grad():
        seen = flow.record(net, tg.tensor(x, device=device))
    assert isinstance(seen.of("z"), np.ndarray)
    np.testing.assert_allclose(seen.of("z"), flow.record(layer("GRU"), x).of("z"), rtol=1e-12)
    assert repr(seen) == "<recording of 7 steps, 2 at a time, 5 units (r, z, n, h)>"


CELLS = ["HighwayCell", "IRNNCell", "IncompleteLSTMCell", "LSTM97Cell", "LSTMVariantCell", "MUT1Cell", "MUT2Cell",
         "MUT3Cell", "MultiplicativeRNNCell", "PeepholeLSTMCell", "ReservoirCell", "ResidualCell"]  # fmt: skip


@pytest.mark.parametrize("name", CELLS)
def test_whatever_cell_names_its_state_is_recorded(name, rng):
    kind = type("Some", (tg.nn.recurrent.Recurrent,), {"cell": getattr(tg.nn, name)})
    net, x = kind(H, H, rng=0, dtype=np.float64), rng.normal(size=(T, B, H))
    np.testing.assert_allclose(flow.record(net, x).of("h"), net(x)[0].numpy(), rtol=1e-12)


def test_what_was_not_recorded_is_asked_for_in_vain(x):
    seen = flow.record(layer("RNN"), x)
    with pytest.raises(ValueError, match="no 'c': it has h"):
        seen.of("c")
    with pytest.raises(ValueError, match="no layer 1: there are 1"):
        seen.of("h", 1)
    with pytest.raises(ValueError, match="takes x"):
        flow.record(layer("RNN"), x[..., :2])


# Saturation


@pytest.mark.parametrize(("bias", "left", "right"), [(-5.0, 1.0, 0.0), (0.0, 0.0, 0.0), (5.0, 0.0, 1.0)])
def test_a_gate_is_as_saturated_as_its_bias_makes_it(x, bias, left, right):
    net = layer("LSTM")
    cell = net.layers[0].forward
    for p in (cell.W_xh, cell.W_hh):
        p.data[:] = 0
    cell.b_h.data[2 * H : 3 * H] = bias
    found = flow.gate_saturation(flow.record(net, x))
    assert list(found) == ["i", "f", "o"]  # g is no sigmoid
    assert found["o"].left.tolist() == [left] * H
    assert found["o"].right.tolist() == [right] * H


def test_saturation_counts_steps_of_all_sequences(rng):
    gate = rng.uniform(size=(50, 3, H))
    each = flow.saturation(gate)
    for unit in range(H):
        values = gate[:, :, unit].ravel().tolist()
        assert each.left[unit] == sum(v < 0.1 for v in values) / 150
        assert each.right[unit] == sum(v > 0.9 for v in values) / 150
    two = flow.gate_saturation(flow.record(layer("GRU", num_layers=2), rng.normal(size=(4, 1, D))))
    assert list(two) == ["layer 0/r", "layer 0/z", "layer 1/r", "layer 1/z"]


@pytest.mark.parametrize("wrong", [np.array([[-0.5, 0.5]]), np.array([[0.5, 1.5]]), np.array([[np.nan]]),
                                   np.zeros((0, 3))])  # fmt: skip
def test_saturation_of_a_tanh_unit_is_refused(wrong):
    with pytest.raises(ValueError, match=r"sigmoid gates|at least one step"):
        flow.saturation(wrong)


def test_a_layer_without_gates_has_no_saturation(x):
    with pytest.raises(ValueError, match="no gates"):
        flow.gate_saturation(flow.record(layer("RNN"), x))


# Search


def rhythm(rng, n, length=40):
    """0 and 1 in runs, as labels of a text are."""
    return np.repeat(rng.integers(0, 2, size=n), rng.integers(1, length, size=n))[:n].astype(float)


def states(rng, n, units, memory=0.95):
    """Units that wander, and forget as slowly as a network's."""
    noise = rng.normal(size=(n, units))
    for t in range(1, n):
        noise[t] += memory * noise[t - 1]
    return noise


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("binary", [True, False])
def test_a_planted_unit_is_found(rng, sign, binary):
    a, b = states(rng, 1500, 30), states(rng, 1200, 30)
    y, z = (rhythm(rng, len(s)) if binary else np.cumsum(rng.normal(size=len(s))) for s in (a, b))
    for s, label in ((a, y), (b, z)):
        s[:, 17] = sign * 4 * s.std() * (label - label.mean()) / label.std() + s[:, 17]
    found = flow.search(a, y, b, z, rng)
    assert (found.unit, found.sign, found.binary) == (17, sign, binary)
    assert found.found
    assert found.score > 0.9
    assert found.p < 0.01
    assert "unit 17" in repr(found)
    assert "held out, found" in repr(found)


def test_scores_are_those_of_scikit_learn_and_scipy(rng):
    metrics = pytest.importorskip("sklearn.metrics")
    stats = pytest.importorskip("scipy.stats")
    a, b = np.round(states(rng, 400, 6), 1), np.round(states(rng, 300, 6), 1)  # rounded: with ties
    y, z = rhythm(rng, 400), rhythm(rng, 300)
    found = flow.search(a, y, b, z, rng, shifts=3)
    aucs = np.array([metrics.roc_auc_score(y, column) for column in a.T])
    assert found.unit == np.abs(aucs - 0.5).argmax()
    auc = metrics.roc_auc_score(z, found.sign * b[:, found.unit])
    np.testing.assert_allclose(found.auc, auc, rtol=1e-5)
    y, z = np.round(y + rng.normal(size=400), 1), np.round(z + rng.normal(size=300), 1)
    found = flow.search(a, y, b, z, rng, shifts=3)
    all_of_them = [stats.spearmanr(column, y).statistic for column in a.T]
    assert found.unit == np.abs(all_of_them).argmax()
    expected = stats.spearmanr(found.sign * b[:, found.unit], z).statistic
    np.testing.assert_allclose(found.score, expected, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(found.first, np.abs(all_of_them).max(), rtol=1e-5)


def test_luck_is_the_best_of_all_units_against_labels_in_the_wrong_place(rng):
    stats = pytest.importorskip("scipy.stats")
    a, y = states(rng, 120, 4), rng.normal(size=120)
    found = flow.search(a, y, a, y, np.random.default_rng(5), shifts=20)
    starts = np.random.default_rng(5).integers(6, 115, size=20)
    expected = [max(abs(stats.spearmanr(column, np.roll(y, -s)).statistic) for column in a.T) for s in starts]
    np.testing.assert_allclose(found.chance, expected, rtol=1e-4)
    np.testing.assert_allclose(found.p, (1 + sum(e >= found.score for e in expected)) / 21)
    assert found.luck <= max(expected) + 1e-6


def found_in_nothing(seeds=100):
    """How often something is found where labels and units have nothing to do with each other; with an effect of 0, so
    that luck alone decides."""
    found = 0
    for seed in range(seeds):
        rng = np.random.default_rng(seed)
        a, b = states(rng, 300, 20), states(rng, 300, 20)
        found += flow.search(a, rhythm(rng, 300), b, rhythm(rng, 300), rng, shifts=60, effect=0.0).found
    return found


def test_what_tracks_nothing_is_rarely_found_but_would_be_against_labels_shuffled_one_by_one(monkeypatch, rng):
    assert found_in_nothing() <= 8
    shuffled = lambda target, starts: np.stack([rng.permutation(target) for _ in starts])  # noqa: E731
    monkeypatch.setattr(flow.probes, "_shifted", shuffled)
    assert found_in_nothing() > 12


def test_places_without_a_label_are_left_out(rng):
    a, y = states(rng, 400, 5), rhythm(rng, 400)
    hole = np.where(np.arange(400) % 3 == 0, np.nan, y)
    kept = ~np.isnan(hole)
    one, other = (flow.search(s, l, s, l, np.random.default_rng(1)) for s, l in ((a, hole), (a[kept], y[kept])))
    assert one.score == other.score
    assert (one.chance == other.chance).all()


def test_a_unit_that_never_changes_is_never_found(rng):
    a = np.concatenate([np.ones((200, 1)), states(rng, 200, 3)], axis=1)
    for y in (rhythm(rng, 200), rng.normal(size=200)):
        assert flow.search(a, y, a, y, rng).unit != 0


@pytest.mark.parametrize(("a", "y", "b", "z", "said"), [
    ((9, 3), (8,), (9, 3), (9,), r"\(N, U\) and a label \(N,\), not \(9, 3\) and \(8,\)"),
    ((9, 3), (9,), (9, 2), (9,), r"\(N, 3\) and a label"),
    ((9,), (9,), (9, 3), (9,), r"not \(9,\)"),
])  # fmt: skip
def test_a_search_that_cannot_be_is_refused(rng, a, y, b, z, said):
    with pytest.raises(ValueError, match=said):
        flow.search(*(rng.normal(size=shape) for shape in (a, y, b, z)), rng)


def test_a_label_that_is_always_the_same_is_refused(rng):
    a, y = states(rng, 50, 3), rhythm(rng, 50, 5)
    with pytest.raises(ValueError, match="label is the same at all 50"):
        flow.search(a, np.ones(50), a, y, rng)
    with pytest.raises(ValueError, match="held-out label is the same at all 1 "):
        flow.search(a, y, a, np.where(np.arange(50) == 7, 1, np.nan), rng)
