"""The character model against the equations written out, and its writing against its own probabilities."""

import itertools

import numpy as np
import pytest

import tinygrad_rnn as tg
from tinygrad_rnn import nn, optim
from tinygrad_rnn.course.charmodel import CELLS, CharModel, sample, stream
from tinygrad_rnn.data import Vocabulary, hello
from tinygrad_rnn.data.tasks import HELLO_WITHOUT_MEMORY

V = Vocabulary("abcde\n")


def model(cell="rnn", hidden=7, layers=1, seed=0, dtype=np.float64, **options):
    return CharModel(V, cell, hidden, layers, dtype=dtype, rng=np.random.default_rng(seed), **options)


def window(T, B, seed=1):
    return np.random.default_rng(seed).integers(0, len(V), (T + 1, B))


def test_the_loss_is_that_of_the_equations_written_out():
    m, ids = model(), window(5, 3)
    p = m.state_dict()
    h, total = np.zeros((3, 7)), 0.0
    for x, y in itertools.pairwise(ids):
        h = np.tanh(np.eye(6)[x] @ p["rnn.layers.0.forward.W_xh"] + h @ p["rnn.layers.0.forward.W_hh"]
                    + p["rnn.layers.0.forward.b_h"])  # fmt: skip
        logits = h @ p["head.W"] + p["head.b"]
        total += np.log(np.exp(logits).sum(axis=1)).sum() - logits[np.arange(3), y].sum()
    loss, state = m.loss(ids)
    assert loss.item() == pytest.approx(total / 15, rel=1e-13)
    np.testing.assert_allclose(state.numpy(), h, rtol=1e-13)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("layers", [1, 2])
def test_two_windows_with_the_state_carried_are_one_long_window(cell, layers):
    m, ids = model(cell, layers=layers), window(10, 2)
    whole, end = m.loss(ids)
    first, state = m.loss(ids[:5])
    second, last = m.loss(ids[4:], nn.detach(state))
    assert (4 * first.item() + 6 * second.item()) / 10 == pytest.approx(whole.item(), rel=1e-12)
    for a, b in zip(flat(end), flat(last), strict=True):
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-12)


def flat(state):
    return [state] if isinstance(state, tg.Tensor) else [x for part in state for x in flat(part)]


@pytest.mark.parametrize("cell", CELLS)
def test_every_parameter_learns_and_keeps_its_dtype(cell):
    m = model(cell, dtype=np.float32)
    loss, _ = m.loss(window(6, 4))
    loss.backward()
    assert loss.dtype == np.float32
    for name, p in m.named_parameters():
        assert p.dtype == np.float32, name
        assert abs(p.grad.numpy()).max() > 0, name


def test_the_forget_bias_is_the_lstms_own():
    biases = model("lstm", forget_bias=2.5).rnn.layers[0].forward.b_h.numpy()
    assert biases.tolist() == [0.0] * 7 + [2.5] * 7 + [0.0] * 14
    assert (model("gru").rnn.layers[0].forward.b_h.numpy() == 0).all()


def test_hello_is_learned_which_needs_memory():
    vocabulary, ids = hello()
    m = CharModel(vocabulary, "rnn", 8, rng=np.random.default_rng(3))
    adam = optim.Adam(m.parameters(), lr=0.03)
    for _ in range(60):
        m.zero_grad()
        m.loss(ids)[0].backward()
        adam.step()
    assert m.loss(ids)[0].item() < HELLO_WITHOUT_MEMORY / 3
    assert sample(m, "h", 4, temperature=0) == "ello"


@pytest.mark.parametrize("cell", CELLS)
def test_at_temperature_0_each_character_is_the_likeliest_after_all_before_it(cell):
    m = model(cell, seed=4)
    text = "bad" + sample(m, "bad", 12, temperature=0)
    for n in range(3, len(text)):
        logits, _ = m(V.encode(text[:n])[:, None])  # read anew from the start, no state carried
        assert text[n] == V.chars[logits.numpy()[-1, 0].argmax()]


@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
def test_characters_come_as_often_as_softmax_says(temperature):
    m, n, rng = model(seed=5), 4000, np.random.default_rng(6)
    m.head.W.data = m.head.W.data * 4
    logits = m(V.encode("ab")[:, None])[0].numpy()[-1, 0] / temperature
    p = np.exp(logits) / np.exp(logits).sum()
    drawn = [sample(m, "ab", 1, temperature, rng) for _ in range(n)]
    counts = np.array([drawn.count(c) for c in V.chars])
    assert (abs(counts - n * p) < 4 * np.sqrt(n * p * (1 - p)) + 1).all()  # four standard deviations
    assert p.max() - p.min() > 0.05


def test_writing_repeats_with_its_seed_and_records_nothing():
    m = model("lstm")
    with tg.trace() as seen:
        one = sample(m, "abc", 30, 1.0, np.random.default_rng(1))
    assert seen.nodes == []
    assert one == "".join(stream(m, "abc", 30, 1.0, np.random.default_rng(1)))
    assert one != sample(m, "abc", 30, 1.0, np.random.default_rng(2))
    assert len(one) == 30


def test_between_two_characters_recording_is_as_the_caller_left_it():
    m = model()
    for _ in stream(m, "a", 2):
        assert (m.head.W * 1).requires_grad


def test_a_tiny_temperature_is_the_likeliest_too():
    m = model(seed=8)
    assert sample(m, "a", 9, 1e-300, np.random.default_rng(0)) == sample(m, "a", 9, 0)


def test_without_a_prime_it_starts_as_after_a_line_end():
    m = model(seed=9)
    assert sample(m, "", 9, 0) == sample(m, "\n", 9, 0)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"temperature": -0.1}, "temperature must be 0"),
        ({"temperature": float("nan")}, "temperature must be 0"),
        ({"length": -1}, "length must be 0 or more"),
        ({"prime": "abz"}, "character 'z' (number 3 of the text) is not one of the 6"),
    ],
)
def test_what_cannot_be_written_is_refused_at_once(wrong, said):
    with pytest.raises(ValueError, match=r"must be|is not") as raised:
        stream(model(), **wrong)
    assert said in str(raised.value)


@pytest.mark.parametrize(("wrong", "said"), [({"cell": "lsmt"}, "rnn, lstm, gru"), ({"hidden": 0}, "1 or more")])
def test_what_cannot_be_a_model_is_refused(wrong, said):
    with pytest.raises(ValueError, match=said):
        model(**wrong)
