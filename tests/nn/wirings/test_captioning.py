"""Captions and answers: the equations of the lectures by hand, and the image at one step or at every."""

import numpy as np
import pytest

import tinygrad_rnn as tg
from tinygrad_rnn import nn

rng = np.random.default_rng(0)
images = rng.normal(size=(2, 4, 3))
captions = np.array([[3, 1], [2, 0], [0, 0]])


def relu(x):
    return np.maximum(x, 0)


@pytest.mark.parametrize("context", ["every", "first"])
def test_the_equation_of_the_lectures(context):
    """h = tanh(W_xh x + W_hh h + W_ih v + b), the last term at each step or at the first."""
    model = nn.Captioner(12, 5, 6, features=7, kind=nn.RNN, context=context, rng=1, dtype=np.float64)
    one, two = model.column.first, model.column.second
    v = relu(relu(images.reshape(2, 12) @ one.W.data + one.b.data) @ two.W.data + two.b.data)
    cell, head = model.decoder.recurrent.layers[0].forward, model.decoder.head
    W_xh, W_ih = np.split(cell.W_xh.data, [6])
    h, before, expected = np.zeros((2, 6)), np.array([5, 5]), []
    for t in range(3):
        a = W_xh[before] + h @ cell.W_hh.data + cell.b_h.data
        h = np.tanh(a + v @ W_ih if context == "every" or t == 0 else a)
        expected.append(h @ head.W.data + head.b.data)
        before = captions[t]
    np.testing.assert_allclose(model(images, captions).numpy(), expected, rtol=1e-12)
    with tg.trace():
        np.testing.assert_allclose(model(images, captions).numpy(), expected, rtol=1e-12)
    symbols, p = model.greedy(images, max_len=4)
    beams = model.beam(images, 1, max_len=4)
    np.testing.assert_array_equal(beams.symbols[..., 0], symbols)
    each = tg.cross_entropy(model(images, symbols), symbols, reduction="none").numpy()
    ended = np.cumsum(symbols == 0, axis=0) - (symbols == 0) > 0
    np.testing.assert_allclose(p, -np.where(ended, 0, each).sum(axis=0), rtol=1e-10)


@pytest.mark.parametrize("context", ["every", "first"])
def test_gradients_reach_the_column(context):
    model = nn.Captioner(12, 5, 4, features=3, kind=nn.RNN, context=context, rng=2, dtype=np.float64)
    names = [name for name, _ in model.column.named_parameters()]

    def run(*weights):
        for name, W in zip(names, weights, strict=True):
            layer, _, which = name.partition(".")
            setattr(getattr(model.column, layer), which, W)
        return tg.sequence_loss(model(images, captions), captions)

    tg.gradcheck(run, [p.data for p in model.column.parameters()])


def test_any_module_can_be_the_column():
    model = nn.Captioner(3, 5, 4, features=6, column=nn.Linear(3, 6, rng=0, dtype=np.float64), dtype=np.float64)
    assert model(images[:, 0], captions).shape == (3, 2, 5)


def test_an_answer_is_the_product_of_image_and_question():
    model = nn.Answerer(12, 9, 4, 5, features=7, rng=3, dtype=np.float64)
    questions, mask = np.array([[1, 2], [3, 8], [4, 0]]), np.array([[1, 1], [1, 1], [1, 0]], bool)
    v = model.column(images).numpy()
    for b in range(2):
        _, (q, _) = model.reader(questions[mask[:, b], b : b + 1])
        u = np.tanh(v[b] @ model.from_image.W.data) * np.tanh(q.numpy()[0] @ model.from_question.W.data)
        expected = np.tanh(u @ model.hidden.W.data) @ model.head.W.data  # biases start at zero
        np.testing.assert_allclose(model(images, questions, mask).numpy()[b], expected, rtol=1e-12)
