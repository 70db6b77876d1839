"""Training: it goes on exactly, stops between steps, validates without disturbing, and refuses what makes no sense."""

import os
import signal
import threading
from dataclasses import replace

import numpy as np
import pytest

from tinygrad_rnn.course import training
from tinygrad_rnn.course.charmodel import CELLS, sample
from tinygrad_rnn.course.training import Run, Settings, Text, load_model, train, validate

pytest.importorskip("safetensors")

TEXT = "the cat sat on the mat and the rat ran. " * 30
SMALL = Settings(hidden_size=9, num_layers=2, seq_len=6, batch_size=4, lr=0.01, validation=0.1, dtype="float64")


def numbers(run):
    """All arrays that a run is made of, by name."""
    arrays = {f"model.{k}": v for k, v in run.model.state_dict().items()}
    arrays |= {f"optimizer.{k}": np.asarray(v) for k, v in run.optimizer.state_dict().items()}
    arrays |= {f"state{k}": v.numpy() for k, v in training._leaves(run.state)}
    return arrays


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("cell", CELLS)
def test_stopping_and_going_on_is_as_not_stopping_bit_for_bit(tmp_path, cell, dtype):
    settings = replace(SMALL, cell=cell, dtype=dtype, num_layers=1 if cell == "gru" else 2)
    text = Text(TEXT, settings)
    straight = Run.start(settings, text)
    assert train(straight, text, steps=20, every=7)

    first = Run.start(settings, text)
    train(first, text, steps=10, folder=tmp_path)
    first.rng.random(3)  # what else is random goes on too
    first.save(tmp_path)
    second = Run.load(tmp_path)
    assert second.step == 10
    assert second.rng.random() == first.rng.random()
    train(second, text, steps=20)

    a, b = numbers(straight), numbers(second)
    assert a.keys() == b.keys()
    assert any(key.startswith("state") for key in a)
    for name in a:
        assert a[name].dtype == b[name].dtype, name
        assert np.array_equal(a[name], b[name]), name
    assert second.settings == settings


def test_the_curve_of_a_run_that_was_stopped_between_two_points_is_that_of_one_that_was_not(tmp_path):
    text = Text(TEXT, SMALL)
    straight, stopped = Run.start(SMALL, text), Run.start(SMALL, text)
    train(straight, text, steps=20, every=7)
    for until in (3, 10, 14, 20):
        train(stopped, text, steps=until, every=7, folder=tmp_path)
        assert stopped.curve[-1]["step"] == until
        stopped = Run.load(tmp_path)
    assert stopped.curve == straight.curve
    assert [point["step"] for point in stopped.curve] == [7, 14, 20]


def test_the_memory_is_carried_through_the_text_and_dropped_where_it_begins_again():
    text = Text(TEXT, SMALL)
    run = Run.start(SMALL, text)
    begun = len(text.train)
    for _ in range(begun - 1):
        run.advance(text.train)
        assert run.state is not None
    run.advance(text.train)
    assert run.state is None
    loss, _ = run.advance(text.train)
    assert np.isfinite(loss)


def test_it_learns_and_says_so():
    text, seen = Text(TEXT, SMALL), []
    run = Run.start(SMALL, text)
    assert train(run, text, steps=160, every=60, report=seen.append)
    assert [p.step for p in seen] == list(range(1, 161))
    assert [p.step for p in seen if p.validation is not None] == [60, 120, 160]
    assert [point["step"] for point in run.curve] == [60, 120, 160]
    assert seen[0].bits == pytest.approx(np.log2(len(text.vocabulary)), rel=0.1)
    assert seen[0].bits == pytest.approx(seen[0].loss / np.log(2))
    assert seen[-1].bits < 0.75 * seen[0].bits
    assert seen[-1].validation < 0.75 * seen[0].bits
    assert (seen[-1].left, seen[-1].part) == (0, 1)
    assert all(p.speed > 0 and p.norm > 0 and 0 < p.part <= 1 for p in seen)
    assert run.curve[-1]["validation"] == validate(run.model, text.validation)


def test_the_loss_that_is_told_is_the_mean_since_the_last_validation():
    text, told = Text(TEXT, SMALL), []
    train(Run.start(SMALL, text), text, steps=6, every=4, report=lambda p: told.append(p.loss))
    run = Run.start(SMALL, text)
    each = [run.advance(text.train)[0] for _ in range(6)]
    expected = [*(np.mean(each[: n + 1]) for n in range(4)), each[4], np.mean(each[4:6])]
    np.testing.assert_allclose(told, expected, rtol=1e-12)


def test_the_gradients_are_clipped_by_their_true_norm():
    text = Text(TEXT, SMALL)
    run = Run.start(replace(SMALL, clip=1e-3), text)
    _, norm = run.advance(text.train)
    squares = sum((p.grad.numpy() ** 2).sum() for p in run.model.parameters())
    assert norm > 1e-3
    assert np.sqrt(squares) == pytest.approx(1e-3)


def test_time_can_be_up_before_the_steps_are():
    text, seen = Text(TEXT, SMALL), []
    run = Run.start(SMALL, text)
    assert train(run, text, steps=10**9, seconds=0.3, report=seen.append)
    assert 1 <= run.step < 10_000
    assert seen[0].left < 0.3
    assert run.goal == 10**9


def test_ctrl_c_ends_after_the_step_under_way_and_saves(tmp_path):
    text = Text(TEXT, SMALL)
    run = Run.start(SMALL, text)

    def interrupt(progress):
        if progress.step == 5:
            os.kill(os.getpid(), signal.SIGINT)

    before = signal.getsignal(signal.SIGINT)
    assert not train(run, text, steps=20, report=interrupt, folder=tmp_path)
    assert signal.getsignal(signal.SIGINT) is before
    assert run.step in (5, 6)
    assert Run.load(tmp_path).step == run.step
    assert Run.load(tmp_path).goal == 20


def test_a_second_ctrl_c_breaks_off():
    text = Text(TEXT, SMALL)

    def interrupt(progress):
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        train(Run.start(SMALL, text), text, steps=20, report=interrupt)


def test_it_runs_in_a_thread_which_can_have_no_signals():
    text, got = Text(TEXT, SMALL), []
    thread = threading.Thread(target=lambda: got.append(train(Run.start(SMALL, text), text, steps=3)))
    thread.start()
    thread.join()
    assert got == [True]


def test_numbers_that_are_no_longer_finite_stop_it_and_the_last_save_stays(tmp_path):
    text = Text(TEXT, SMALL)
    run = Run.start(SMALL, text)
    train(run, text, steps=2, folder=tmp_path)
    kept = numbers(run)
    run.model.head.W.data = run.model.head.W.data * np.nan
    with pytest.raises(FloatingPointError, match="step 3: the loss is nan"):
        train(run, text, steps=9, folder=tmp_path)
    saved = numbers(Run.load(tmp_path))
    assert all(np.array_equal(kept[name], saved[name]) for name in kept)


def test_a_short_text_has_no_validation_but_trains():
    text = Text("abcabcabcabcabcabcabcabcabcabc", replace(SMALL, validation=0.05))
    run = Run.start(SMALL, text)
    assert text.validation is None
    train(run, text, steps=2)
    assert run.curve == [{"step": 2, "train": run.curve[0]["train"], "validation": None}]


def test_a_text_shorter_than_a_window_is_refused_with_the_numbers():
    with pytest.raises(ValueError, match=r"18 characters of text are fewer than one window, batch 4 x .* = 28"):
        Text("abcdefghijklmnopqrst", SMALL)


def test_another_text_is_refused():
    run = Run.start(SMALL, Text(TEXT, SMALL))
    with pytest.raises(ValueError, match="not the text that was trained on"):
        train(run, Text(TEXT.upper(), SMALL), steps=5)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({}, "give steps or seconds"),
        ({"steps": 0}, "steps must be 1 or more"),
        ({"steps": -3}, "steps must be 1 or more"),
        ({"seconds": 0}, "seconds above 0"),
        ({"steps": 3, "every": 0}, "every must be 1"),
    ],
)
def test_nothing_to_do_is_refused(options, said):
    text = Text(TEXT, SMALL)
    with pytest.raises(ValueError, match=said):
        train(Run.start(SMALL, text), text, **options)


def test_a_goal_that_is_reached_already_is_told(tmp_path):
    text = Text(TEXT, SMALL)
    run = Run.start(SMALL, text)
    train(run, text, steps=3)
    with pytest.raises(ValueError, match="steps 3: 3 have been taken already"):
        train(run, text, steps=3)


@pytest.mark.parametrize(
    ("setting", "value"),
    [("hidden_size", 0), ("num_layers", 0), ("seq_len", 0), ("batch_size", -1), ("lr", 0), ("lr", float("nan")),
     ("clip", -1.0), ("dtype", "float16"), ("seed", -1)],
)  # fmt: skip
def test_a_setting_that_cannot_be_is_named(setting, value):
    with pytest.raises(ValueError, match=setting):
        replace(SMALL, **{setting: value})


def test_a_model_comes_back_to_sample_from(tmp_path):
    text = Text(TEXT, SMALL)
    run = Run.start(SMALL, text)
    train(run, text, steps=2, folder=tmp_path)
    model = load_model(tmp_path)
    assert model.vocabulary == text.vocabulary
    assert all(np.array_equal(a, b) for a, b in
               zip(model.state_dict().values(), run.model.state_dict().values(), strict=True))  # fmt: skip


def test_a_folder_whose_facts_do_not_fit_is_broken(tmp_path):
    from tinygrad_rnn.course import saving

    text = Text(TEXT, SMALL)
    Run.start(SMALL, text).save(tmp_path)
    arrays, facts = saving.load(tmp_path)
    for wrong in ({**facts, "settings": {"cell": "lstm", "volume": 11}}, {"step": 1}, {**facts, "vocabulary": "ab"}):
        saving.save(tmp_path, arrays, wrong)
        for read in (load_model, Run.load):
            with pytest.raises(ValueError, match="is broken or of another version"):
                read(tmp_path)


def test_every_device_trains_saves_and_goes_on_alike(device, tmp_path):
    text = Text(TEXT, SMALL)
    here, there = Run.start(SMALL, text), Run.start(SMALL, text, device)
    train(here, text, steps=6)
    train(there, text, steps=3, folder=tmp_path)
    there = Run.load(tmp_path, device)
    assert all(p.device == device for p in there.model.parameters())
    train(there, text, steps=6)
    a, b = numbers(here), numbers(there)
    for name in a:
        np.testing.assert_allclose(b[name], a[name], rtol=1e-9, atol=1e-12, err_msg=name)
    assert sample(there.model, "the ", 20, 0) == sample(here.model, "the ", 20, 0)


def test_gradients_end_where_the_window_begins():
    text = Text(TEXT, SMALL)
    run = Run.start(SMALL, text)
    run.advance(text.train)
    assert all(not part.requires_grad for _, part in training._leaves(run.state))
