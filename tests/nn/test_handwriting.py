"""The prediction and the synthesis network: what they are made of, and that they write what they have learned."""

import numpy as np
import pytest

import tinygrad_rnn as tg
from tinygrad_rnn import nn, optim
from tinygrad_rnn.nn.generative import PredictionNetwork, SynthesisNetwork, mdn_loss, window_weights


def strokes(rng, T, B):
    x = rng.standard_normal((T, B, 3))
    x[..., 2] = x[..., 2] > 0.5
    return x


def spelt(rng, B, U, V):
    return np.eye(V)[rng.integers(0, V, (B, U))]


def test_prediction_is_a_stack_with_skips_from_the_input_and_to_the_output(rng):
    network = PredictionNetwork(4, num_layers=2, mixtures=2, dtype=np.float64, rng=0)
    x = strokes(rng, 6, 3)
    y_hat, states = network(x)
    h, c = [np.zeros((3, 4))] * 2, [np.zeros((3, 4))] * 2
    for t in range(6):
        below = x[t]
        for k, layer in enumerate(network.layers):
            cell = nn.LSTMCell(3 + 4 * k, 4, dtype=np.float64)
            cell.load_state_dict({name: p.data for name, p in layer.layers[0].forward.named_parameters()})
            h[k], c[k] = (part.numpy() for part in cell(below, (h[k], c[k])))
            below = np.concatenate([x[t], h[k]], axis=1)
        expected = np.concatenate(h, axis=1) @ network.output.W.data + network.output.b.data
        np.testing.assert_allclose(y_hat.numpy()[t], expected, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(states[1][0].numpy(), h[1], rtol=1e-9)


def test_synthesis_is_equations_46_to_53_step_by_step(rng):
    network = SynthesisNetwork(3, 4, mixtures=2, bumps=2, pace=0.5, dtype=np.float64, rng=0)
    x, text = strokes(rng, 5, 2), spelt(rng, 2, 4, 3)
    y_hat, phi, _ = network(x, text)
    low, top = (np.zeros((2, 4)),) * 2, (np.zeros((2, 4)),) * 2
    w, kappa = np.zeros((2, 3)), np.zeros((2, 2))
    upper = nn.LSTMCell(3 + 3 + 4, 4, dtype=np.float64)
    upper.load_state_dict({name: p.data for name, p in network.writer.layers[0].forward.named_parameters()})
    for t in range(5):
        low = tuple(part.numpy() for part in network.reader(np.concatenate([x[t], w], axis=1), low))
        alpha, beta, delta = np.split(np.exp(network.window.projection(low[0]).numpy()), 3, axis=1)
        kappa = kappa + delta
        expected = window_weights(alpha, beta, kappa, 4)
        np.testing.assert_allclose(phi.numpy()[t], expected, rtol=1e-10)
        w = np.einsum("bu,buv->bv", expected, text)
        top = tuple(part.numpy() for part in upper(np.concatenate([x[t], w, low[0]], axis=1), top))
        expected = np.concatenate([low[0], top[0]], axis=1) @ network.output.W.data + network.output.b.data
        np.testing.assert_allclose(y_hat.numpy()[t], expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("kind", ["prediction", "synthesis"])
def test_a_sequence_in_two_pieces_is_the_sequence(kind, rng):
    x, text = strokes(rng, 7, 2), spelt(rng, 2, 4, 3)
    if kind == "prediction":
        network = PredictionNetwork(4, 2, mixtures=2, dtype=np.float64, rng=0)
        whole, (first, state) = network(x)[0], network(x[:3])
        second = network(x[3:], state)[0]
    else:
        network = SynthesisNetwork(3, 4, mixtures=2, bumps=2, dtype=np.float64, rng=0)
        whole, (first, _, state) = network(x, text)[0], network(x[:3], text)
        second = network(x[3:], text, state)[0]
    np.testing.assert_allclose(np.concatenate([first.numpy(), second.numpy()]), whole.numpy(), rtol=1e-9, atol=1e-12)


def test_gradients_reach_every_parameter_and_are_those_of_differences(rng):
    network = SynthesisNetwork(2, 3, mixtures=1, bumps=1, dtype=np.float64, rng=0)
    x, text = strokes(rng, 4, 2), spelt(rng, 2, 3, 2)
    names = [name for name, _ in network.named_parameters()]

    def loss(*values):
        for name, value in zip(names, values, strict=True):
            owner = network
            *path, last = name.split(".")
            for part in path:
                owner = owner[int(part)] if part.isdigit() else getattr(owner, part)
            setattr(owner, last, value)
        return mdn_loss(network(x[:-1], text)[0], x[1:])

    values = [p.data for p in network.parameters()]
    assert tg.gradcheck(loss, values, sample=5)
    leaves = [tg.tensor(value, requires_grad=True) for value in values]
    loss(*leaves).sum().backward()
    assert all(np.abs(leaf.grad.numpy()).max() > 0 for leaf in leaves)


PEN_UP = np.array([[[0.0, 0.0, 1.0]]])


def taught(seed=0):
    """A synthesis network that has learned two letters of 4 steps each: a goes right and up, b goes right and down,
    and the pen is lifted after each."""
    rng = np.random.default_rng(seed)
    letters = {"a": [(1, 0, 0), (0, 1, 0), (1, 0, 0), (0, 1, 1)], "b": [(1, 0, 0), (0, -1, 0), (1, 0, 0), (0, -1, 1)]}
    network = SynthesisNetwork(2, 24, mixtures=1, bumps=2, pace=0.25, rng=seed)
    optimizer = optim.Adam(network.parameters(), lr=0.02)
    for _ in range(250):
        words = rng.integers(0, 2, (16, 3))
        x = np.array([[step for number in word for step in letters["ab"[number]]] for word in words], float)
        x = np.concatenate([np.tile(PEN_UP, (1, 16, 1)), x.transpose(1, 0, 2)]).astype(np.float32)
        x[1:, :, :2] += 0.1 * rng.standard_normal(x[1:, :, :2].shape)
        network.zero_grad()
        loss = mdn_loss(network(x[:-1], np.eye(2, dtype=np.float32)[words])[0], x[1:]).mean()
        loss.backward()
        optim.clip_grad_norm(network.parameters(), 1.0)
        optimizer.step()
    return network


def test_synthesis_writes_the_text_that_it_is_given_and_stops_at_its_end():
    network = taught()
    for words in ([[0, 1, 0]], [[1, 1, 0]], [[0, 0, 1, 1]]):  # the last is longer than any that it has seen
        text = np.eye(2, dtype=np.float32)[words]
        ((written, phi),) = network.write(text, np.random.default_rng(0), bias=1.0, most=60)
        assert len(written) == 4 * len(words[0])
        assert phi.shape == (len(written), len(words[0]))
        ups = written[:, 1].reshape(-1, 4).sum(1)
        np.testing.assert_allclose(ups, [2 if letter == 0 else -2 for letter in words[0]], atol=0.6)
        assert written[:, 2].reshape(-1, 4).tolist() == [[0, 0, 0, 1]] * len(words[0])
    shorter = np.eye(2, dtype=np.float32)[[[0, 1, 0], [1, 0, 0]]]
    shorter[1, 2] = 0
    lengths = [len(s) for s, _ in network.write(shorter, np.random.default_rng(1), bias=1.0, most=60)]
    assert lengths == [12, 8]
    primer = np.array([[(1, 0, 0)], [(0, 1, 0)], [(1, 0, 0)], [(0, 1, 1)]]), np.eye(2, dtype=np.float32)[[[0]]]
    ((written, phi),) = network.write(np.eye(2, dtype=np.float32)[[[1, 0]]], np.random.default_rng(0), 1.0, 60, primer)
    assert len(written) == 8
    assert phi.shape == (8, 2)
    assert written[:4, 1].sum() < -1
    assert written[4:, 1].sum() > 1


def test_writing_repeats_with_its_seed_and_ends_after_the_most_steps(rng):
    network = PredictionNetwork(4, mixtures=2, rng=0)
    one, two = network.write(9, np.random.default_rng(3), count=2)
    again, _ = network.write(9, np.random.default_rng(3), count=2)
    assert one.shape == two.shape == (9, 3)
    assert (one == again).all()
    assert (one != two).any()
    primed, _ = network.write(9, np.random.default_rng(3), 2, primer=strokes(rng, 5, 2))
    assert (primed != one).any()
    slow = SynthesisNetwork(2, 4, mixtures=1, bumps=1, pace=1e-6, rng=0)
    ((written, _),) = slow.write(np.eye(2)[[[0, 1]]], rng, most=7)
    assert written.shape == (7, 3)


def test_on_every_device(device):
    rng = np.random.default_rng(0)
    x, text = strokes(rng, 4, 2).astype(np.float32), spelt(rng, 2, 3, 2).astype(np.float32)
    network = SynthesisNetwork(2, 4, mixtures=1, bumps=1, rng=0)
    expected = network(x, text)[0].numpy()
    network.to(device)
    y_hat, phi, _ = network(tg.tensor(x, device=device), tg.tensor(text, device=device))
    y_hat.sum().backward()
    assert y_hat.device == phi.device == network.window.projection.W.grad.device == device
    np.testing.assert_allclose(y_hat.numpy(), expected, rtol=1e-4, atol=1e-5)
    assert network.write(text, rng, most=3)[0][0].shape[1] == 3
    assert PredictionNetwork(4, 2, mixtures=1, rng=0).to(device).write(3, rng)[0].shape == (3, 3)


def test_what_does_not_fit_is_refused_in_one_line():
    with pytest.raises(ValueError, match=r"PredictionNetwork takes strokes \(T, B, 3\).*not array \(4, 3\)"):
        PredictionNetwork(4)(np.zeros((4, 3)))
    with pytest.raises(ValueError, match=r"SynthesisNetwork\(26, 4\) takes as the text \(2, U, 26\).*\(2, 5, 3\)"):
        SynthesisNetwork(26, 4)(np.zeros((4, 2, 3), np.float32), np.zeros((2, 5, 3)))
    with pytest.raises(ValueError, match="num_layers must be at least 1, not 0"):
        PredictionNetwork(4, num_layers=0)
    with pytest.raises(ValueError, match="write at least 1 step of 1 handwriting, not 0 of 1"):
        PredictionNetwork(4).write(0, np.random.default_rng(0))
    for text in (np.zeros((1, 0, 26)), np.zeros((2, 26)), np.zeros((1, 2, 3))):
        with pytest.raises(ValueError, match=r"SynthesisNetwork\(26, 4\) writes texts \(B, U, 26\) in at least one"):
            SynthesisNetwork(26, 4).write(text, np.random.default_rng(0))
