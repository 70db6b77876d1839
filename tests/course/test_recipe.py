"""The seven steps, on a task small enough to know what each should find."""

import math

import numpy as np
import pytest

import tinygrad_rnn as tg
from tinygrad_rnn import nn, optim
from tinygrad_rnn.course import recipe

rng = np.random.default_rng(0)
CENTRES = 3 * rng.standard_normal((4, 6))
LABELS = rng.integers(0, 4, 400)
POINTS = (CENTRES[LABELS] + rng.standard_normal((400, 6))).astype(np.float32)


def task(**changes):
    """Four clouds of points in six dimensions; 300 to train on, 100 to validate."""

    def draw(rng):
        rows = rng.integers(0, 300, 20)
        return POINTS[rows], LABELS[rows]

    parts = {
        "build": lambda rng, hidden=8: nn.MLP([6, hidden, 4], tg.tanh, rng=rng),
        "draw": draw,
        "loss": lambda model, batch: tg.cross_entropy(model(batch[0]), batch[1]),
        "score": lambda model: tg.cross_entropy(model(POINTS[300:]), LABELS[300:]).item(),
    }
    return recipe.Task(**{**parts, **changes})


def test_the_seven_steps_are_told_one_after_another_and_end_with_a_choice():
    said = []
    found = recipe.tune(task(), {"hidden": (4, 16), "weight_decay": (0.0,)}, classes=4, updates=40, say=said.append)
    assert found.whole
    assert [line[0] for line in said[:4]] == ["1", "2", "3", "4"]
    assert said[0].endswith("as it should be: ln 4 = 1.386")
    assert said[1].startswith("2 one batch is learned by heart")
    assert "4 coarse 6/6" in "\n".join(said)
    assert any(line.startswith("6 curves") for line in said)
    assert said[-1].startswith("chosen: lr")
    best = found.best
    assert best.score < 0.2 * math.log(4)
    assert best.score == min(trial.score for trial in found.trials if trial.updates == 80)
    assert best.score == pytest.approx(task().score(found.model.eval()))
    assert set(best.choice) == {"lr", "hidden", "weight_decay"}


def test_the_same_seed_finds_the_same():
    first, second = (recipe.tune(task(), updates=10, rounds=1, say=lambda line: None) for _ in range(2))
    assert (first.lr, [t.score for t in first.trials]) == (second.lr, [t.score for t in second.trials])


def test_a_wrong_initial_loss_is_told():
    loud = task(loss=lambda model, batch: tg.cross_entropy(100 * model(batch[0]), batch[1]))
    assert recipe.initial_loss(loud, {}, np.random.default_rng(0)) > 10
    said = []
    recipe.tune(loud, classes=4, updates=5, rounds=1, say=said.append)
    assert "but ln 4 = 1.386: are the first weights too large" in said[0]


def test_labels_that_cannot_be_learned_are_told():
    blind = task(loss=lambda model, batch: tg.cross_entropy(model(0 * batch[0]), batch[1]))
    said = []
    recipe.tune(blind, updates=5, rounds=1, say=said.append)
    assert "2 one batch is NOT learned" in said[1]


def test_the_range_test_ends_where_the_loss_explodes_and_the_rate_lies_below():
    """For loss = a/2 x^2, SGD contracts below 2 / a and explodes above: one step multiplies x by 1 - lr a."""
    a = 50.0

    class Bowl(nn.Module):
        def __init__(self):
            self.x = tg.tensor([1.0], requires_grad=True, dtype=np.float64)

        def forward(self):
            return (a / 2) * (self.x * self.x).sum()

    bowl = task(build=lambda rng: Bowl(), loss=lambda model, batch: model(), optimizer=optim.SGD)
    rates, losses = recipe.lr_range_test(bowl, {}, np.random.default_rng(0), np.geomspace(1e-5, 10, 40))
    x = np.cumprod(np.concatenate([[1.0], 1 - rates[:-1] * a]))
    np.testing.assert_allclose(losses, a / 2 * x**2, rtol=1e-9)
    assert rates[-1] < 10
    found = recipe.steepest(rates, losses)
    assert 1e-3 < found < 2 / a


def test_a_fall_from_a_peak_at_rates_that_are_too_large_does_not_count():
    rates = np.geomspace(1e-4, 1, 9)
    assert recipe.steepest(rates, np.array([2.3, 2.3, 2.2, 1.5, 1.0, 0.9, 8.0, 2.0, 1.0])) == rates[2]


def test_a_rate_that_is_too_large_scores_infinity_and_the_others_go_on():
    trial, _ = recipe.run_trial(task(optimizer=optim.SGD), {"lr": 1e39}, 20, seed=0)
    assert trial.score == math.inf
    trial, _ = recipe.run_trial(task(optimizer=optim.SGD), {"lr": 0.1}, 20, seed=0)
    assert trial.score < math.log(4)
    assert [point[0] for point in trial.curve] == list(range(1, 21))


def test_ctrl_c_keeps_what_was_found(monkeypatch):
    """A signal while the coarse grid is running: what was found before is there, and said."""
    import signal

    said, drawn = [], []

    def draw(rng):
        drawn.append(1)
        if any(line.startswith("4 coarse 1") for line in said):
            signal.raise_signal(signal.SIGINT)
        return task().draw(rng)

    found = recipe.tune(task(draw=draw), classes=4, updates=10, say=said.append)
    assert not found.whole
    assert said[-1] == "stopped: here is what was found so far"
    assert len(found.trials) == 1
    assert found.best is found.trials[0]
    assert found.lr > 0


def test_nothing_finite_is_an_error_that_says_so():
    wild = task(loss=lambda model, batch: tg.cross_entropy(model(batch[0]), batch[1]) * np.inf)
    with pytest.raises(FloatingPointError, match="does not stay finite even at a rate of 1e-05"):
        recipe.lr_range_test(wild, {}, np.random.default_rng(0))
    with pytest.raises(ValueError, match="beside lr"):
        recipe.tune(task(), {"lr": (0.1,)})
    with pytest.raises(ValueError, match="at least one value"):
        recipe.tune(task(), {"hidden": ()})


@pytest.mark.parametrize(("train", "validation", "words"), [
    ([1.0, 0.5, 0.3, 0.2], [1.0, 0.6, 0.5, 0.9], "turned upwards after update 3"),
    ([1.0, 0.8, 0.6, 0.5, 0.4], [1.0, 0.8, 0.7, 0.6, 0.5], "still falls"),
    ([1.0, 0.3, 0.1, 0.1], [1.0, 0.5, 0.5, 0.5], "a gap, 0.1 in training and 0.5"),
    ([0.5, 0.4, 0.4, 0.4], [0.5, 0.4, 0.4, 0.4], "lie together and are flat"),
    ([1.0, 0.99, 0.4, 0.3], [1.0, 1.0, 0.35, 0.34], "flat at first"),
])  # fmt: skip
def test_curves_are_read(train, validation, words):
    curve = [(i + 1, t, v) for i, (t, v) in enumerate(zip(train, validation, strict=True))]
    assert words in "; ".join(recipe.look_at(curve, initial=1.05))
