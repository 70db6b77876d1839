"""Lesson charmodel: its solution against the engine, PyTorch and closed forms, and what its slips are said to do."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tinygrad_rnn as tg
from tinygrad_rnn.course import charmodel
from tinygrad_rnn.course.authoring import Bench, mistaken, solution_of
from tinygrad_rnn.course.grading import grade
from tinygrad_rnn.course.manifest import read_lesson
from tinygrad_rnn.data import Batches, Vocabulary

LESSON = read_lesson(Path(__file__).parents[2] / "lessons" / "04_charmodel")
BENCH = Bench(LESSON)
solution = solution_of(LESSON)
sizes = st.tuples(*[st.integers(1, 6)] * 3, st.integers(0, 10_000))  # T, B, V and a seed
few = settings(deadline=None, max_examples=25)


def logits(size):
    T, B, V, seed = size
    rng = np.random.default_rng(seed)
    return rng.normal(0, 3, (T, B, V)), rng.integers(0, V, (T, B))


def character_model(seed, chars="abcdefg", units=5):
    """A model of the engine, with weights large enough for the tanh to bend, and the same as the lesson's arrays."""
    model = charmodel.CharModel(Vocabulary(chars), "rnn", units, dtype=np.float64, rng=np.random.default_rng(seed))
    rng = np.random.default_rng(seed + 1)
    model.load_state_dict({name: rng.normal(size=a.shape) for name, a in model.state_dict().items()})
    found = model.state_dict()
    p = {name: found[f"rnn.layers.0.forward.{name}"] for name in ("W_xh", "W_hh", "b_h")}
    return model, {**p, "W_hy": found["head.W"], "b_y": found["head.b"]}


@few
@given(sizes)
def test_one_hot_is_the_engines(size):
    _, ids = logits(size)
    assert np.array_equal(solution.one_hot(ids, size[2]), tg.ops.one_hot(ids, size[2], np.float64))


@few
@given(sizes, st.sampled_from(["sum", "mean"]))
def test_loss_and_gradient_are_the_engines(size, reduction):
    O, Y = logits(size)
    loss, dO = solution.char_loss(O, Y, reduction)
    recorded = tg.tensor(O, requires_grad=True)
    expected = tg.cross_entropy(recorded, Y, reduction=reduction)
    np.testing.assert_allclose(loss, expected.item(), rtol=1e-12)
    np.testing.assert_allclose(dO, tg.grad(expected, recorded)[0].numpy(), rtol=1e-10, atol=1e-15)


@pytest.mark.parametrize("reduction", ["sum", "mean"])
@pytest.mark.parametrize("far", [0, 1000])
def test_loss_and_gradient_are_pytorchs(reduction, far):
    torch = pytest.importorskip("torch")
    O, Y = logits((7, 3, 5, 1))
    O[::2, :, 1] += far
    leaf = torch.tensor(O, requires_grad=True)
    expected = torch.nn.functional.cross_entropy(leaf.flatten(0, 1), torch.tensor(Y).flatten(), reduction=reduction)
    expected.backward()
    loss, dO = solution.char_loss(O, Y, reduction)
    np.testing.assert_allclose(loss, expected.item(), rtol=1e-12)
    np.testing.assert_allclose(dO, leaf.grad.numpy(), rtol=1e-10, atol=1e-15)


def test_knowing_nothing_costs_the_log_of_the_vocabulary():
    loss, _ = solution.char_loss(np.zeros((6, 2, 8)), np.ones((6, 2), dtype=int), "mean")
    np.testing.assert_allclose(loss, np.log(8))
    np.testing.assert_allclose(solution.bpc(np.full(12, loss)), 3)  # 8 = 2^3 letters
    np.testing.assert_allclose(solution.bpc(np.array([0.3, 1.7])), charmodel.bits(1.0))


def test_shifted_targets_make_every_character_a_target_once():
    read, say = solution.shift_targets(np.array([3, 1, 4, 1]), 8, 9)
    assert read.tolist() == [8, 3, 1, 4, 1]
    assert say.tolist() == [3, 1, 4, 1, 9]


@few
@given(st.integers(1, 40), st.integers(1, 9))
def test_windows_in_the_alphabet(length, N):
    """With the letters numbered as they stand in the text, every window and target can be told."""
    ids = np.arange(N + length)
    X, y = solution.windows_n_to_1(ids, N)
    assert X.shape == (N, length)
    assert y.tolist() == list(range(N, N + length))
    assert (np.diff(X, axis=0) == 1).all()
    assert X[-1].tolist() == (y - 1).tolist()

    X, Y = solution.windows_n_to_n(ids, N)
    assert np.array_equal(Y, X + 1)
    assert X.T.ravel().tolist() == list(range(X.size))  # nothing twice, nothing left out ...
    assert len(ids) - 1 - X.size < N  # ... but less than a window, at the end


def test_windows_are_those_of_one_stream_of_the_engine():
    ids = np.random.default_rng(0).integers(0, 9, 50)
    X, Y = solution.windows_n_to_n(ids, 6)
    stream = Batches(ids, batch_size=1, seq_len=6)
    assert X.shape[1] == len(stream)
    for b, window in enumerate(stream):
        assert X[:, b].tolist() == window[:-1, 0].tolist()
        assert Y[:, b].tolist() == window[1:, 0].tolist()


@few
@given(st.integers(0, 10_000), st.integers(1, 8))
def test_burn_in_is_the_engines_state(seed, length):
    model, p = character_model(seed)
    ids = np.random.default_rng(seed).integers(0, 7, length)
    _, state = model(ids[:, None])
    np.testing.assert_allclose(solution.burn_in(p, ids), state.numpy()[0], rtol=1e-10, atol=1e-14)


class Given:
    """A stand-in for a generator that hands out these uniform numbers."""

    def __init__(self, u):
        self.u = iter(u)

    def random(self):
        return next(self.u)


@few
@given(st.integers(0, 10_000), st.sampled_from([0.3, 1.0, 2.5]))
def test_samples_are_the_engines_with_the_same_uniform_numbers(seed, temperature):
    model, p = character_model(seed)
    beginning = "bad"
    read, u = model.vocabulary.encode(beginning), np.random.default_rng(seed).random(40)
    ids = solution.sample(p, solution.burn_in(p, read[:-1]), read[-1], 40, temperature, u)
    assert model.vocabulary.decode(ids) == charmodel.sample(model, beginning, 40, temperature, Given(u))


def test_a_sample_follows_the_softmax():
    """One step, whose chances are known, drawn with uniform numbers laid out evenly."""
    o, n = np.array([0.0, 1.0, -1.0, 2.0]), 20_000
    p = {"W_xh": np.zeros((4, 1)), "W_hh": np.zeros((1, 1)), "b_h": np.zeros(1), "W_hy": np.zeros((1, 4)), "b_y": o}
    u = (np.arange(n) + 0.5) / n
    drawn = solution.sample(p, np.zeros(1), 0, n, 0.5, u)
    shares = np.bincount(drawn, minlength=4) / n
    np.testing.assert_allclose(shares, np.exp(2 * o) / np.exp(2 * o).sum(), atol=1.5 / n)


def test_writing_stops_with_the_end():
    _, p = character_model(3)
    u = np.random.default_rng(0).random(60)
    whole = solution.sample(p, np.zeros(5), 0, 60, 1.5, u)
    end = int(whole[20])
    first = whole.tolist().index(end)
    assert solution.sample(p, np.zeros(5), 0, 60, 1.5, u, end).tolist() == whole[: first + 1].tolist()
    assert len(whole) == 60


def test_a_network_can_learn_to_copy_if_the_answer_leaks():
    """What the slips of the targets do: repeating and remembering need no guess, so they cost nothing in the end."""
    rng = np.random.default_rng(0)

    def learned(change):
        """Nats a letter on random letters, whose next one nobody can know."""
        shift = (BENCH.module(LESSON.exercise("windows_n_to_n"), [change]) if change else solution).windows_n_to_n
        model = charmodel.CharModel(Vocabulary("abcd"), "rnn", 12, dtype=np.float64, rng=np.random.default_rng(0))
        adam = tg.optim.Adam(model.parameters(), lr=0.03)
        for _ in range(150):
            X, Y = shift(rng.integers(0, 4, 8 * 32 + 1), 8)
            model.zero_grad()
            O, _ = model(X)
            loss, dO = solution.char_loss(O.numpy(), Y, "mean")
            O.backward(dO)
            adam.step()
        return loss

    assert abs(learned("") - np.log(4)) < 0.1
    assert learned("TARGET_NOT_SHIFTED") < 0.1
    assert learned("LEAK") < np.log(4) / 8 + 0.15  # but for the first answer of a window, which was not read


def verdict(function, *mistakes):
    """What a learner reads whose code is the solution with these mistakes made in it."""
    edits = [edit for name in mistakes for edit in BENCH.edits[function][name]]
    source = mistaken(BENCH.source, function, edits)
    return next(grade(LESSON, only=[LESSON.exercise(function).id], source=source))


def test_who_feeds_back_the_likeliest_letter_is_told_so():
    told = verdict("sample", "ARGMAX_FEEDBACK")
    assert told.mistakes == ("ARGMAX_FEEDBACK",)
    assert told.lines[0].startswith("You always take the likeliest character.")


def test_a_state_that_is_reset_is_told_with_its_first_wrong_step():
    told = verdict("sample", "H_RESET_EACH_CHAR")
    assert told.mistakes == ("H_RESET_EACH_CHAR",)
    assert "Wrong from step " in told.lines[0]


def test_a_wrong_gradient_takes_nothing_from_a_right_loss():
    told = verdict("char_loss", "GRADIENT_OF_THE_SUM")
    assert told.mistakes == ("GRADIENT_OF_THE_SUM",)
    assert {check.name for check in told.checks if check.passed} == {"the loss"}


def test_two_slips_at_once_are_both_told():
    assert set(verdict("char_loss", "LOSS_SIGN", "NO_ONE_HOT").mistakes) == {"LOSS_SIGN", "NO_ONE_HOT"}


def test_the_mistakes_of_the_curriculum_are_known():
    known = {mistake.name for exercise in LESSON.exercises for mistake in exercise.mistakes}
    assert known >= {
        "ARGMAX_FEEDBACK", "FEED_DISTRIBUTION", "TARGET_NOT_SHIFTED", "LEAK", "TEMP_MULTIPLIED", "H_RESET_EACH_CHAR",
        "END_IGNORED", "LOG2_VS_LN",
    }  # fmt: skip
