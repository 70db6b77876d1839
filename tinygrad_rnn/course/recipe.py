"""Choosing hyper-parameters in seven steps, as a tool that says what it found (CS 7643, lecture 12; Karpathy 2019).

    task = Task(build=lambda rng, hidden=64: nn.MLP([64, hidden, 10], rng=rng),
                draw=lambda rng: batch_of_32(rng), loss=lambda model, batch: ..., score=lambda model: ...)
    found = tune(task, {"weight_decay": (0.0, 1e-2), "hidden": (32, 128)}, classes=10)

1 check the initial loss; 2 overfit a small sample; 3 find a learning rate that makes the loss go down; 4 a coarse grid,
trained briefly; 5 a finer one around the best, trained longer; 6 look at the curves; 7 go to 5, while the best still
lies at the grid's edge. Ctrl-C ends it where it is, and what was found so far is returned.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from threading import Event
from typing import Any

import numpy as np

from .. import nn, optim
from ..core import Tensor
from ..recording import no_grad
from .interrupts import stoppable

Choice = dict[str, Any]
Say = Callable[[str], None]
NEVER = Event()


@dataclass(frozen=True)
class Task:
    """What is to be learned. `build(rng, **choice)` gives a fresh model, `draw(rng)` a batch to train on,
    `loss(model, batch)` a scalar Tensor, `score(model)` the loss on data that is kept for validation.

    `optimizer` is a class of `tg.optim`: of a choice it takes what is among its hyperparameters, `build` the rest.
    """

    build: Callable[..., nn.Module]
    draw: Callable[[np.random.Generator], Any]
    loss: Callable[[nn.Module, Any], Tensor]
    score: Callable[[nn.Module], float]
    optimizer: Callable[..., optim.Optimizer] = optim.Adam


@dataclass
class Trial:
    """One choice, trained for `updates`: `score`, the last validation loss, is inf where the loss did not stay finite.
    `curve` has [update, mean training loss since the last point, validation loss]."""

    choice: Choice
    updates: int
    score: float
    curve: list[tuple[int, float, float]]


@dataclass
class Findings:
    """What the steps found, as far as they came; `model` is that of the best trial."""

    initial_loss: float = math.nan
    overfit_loss: float = math.nan
    rates: np.ndarray = field(default_factory=lambda: np.zeros(0))
    losses: np.ndarray = field(default_factory=lambda: np.zeros(0))  # of the range test, before the step at each rate
    lr: float = math.nan
    trials: list[Trial] = field(default_factory=list)
    best: Trial | None = None
    model: nn.Module | None = None
    advice: list[str] = field(default_factory=list)
    whole: bool = False  # did it come to its end?


class _Stopped(Exception):
    pass


def tune(task: Task, grid: Mapping[str, Sequence[Any]] | None = None, classes: int | None = None, updates: int = 200,
         rounds: int = 2, seed: int = 0, say: Say = print) -> Findings:  # fmt: skip
    """Go through the seven steps and say, in a line or two each, what they found.

    `grid`: names and what they may be, beside "lr", which is found. `classes`: how many, for a cross-entropy that is a
    mean over samples; the initial loss should be its logarithm. `updates`: how long a trial of the coarse grid is;
    those of the finer one take twice as many, at most `rounds` times. Raises ValueError where the grid holds "lr" or a
    name without values, and FloatingPointError where no rate is small enough.
    """
    grid = dict(grid or {})
    if "lr" in grid or not all(len(values) for values in grid.values()):
        raise ValueError("tune: the grid names what is chosen beside lr, with at least one value each")
    found = Findings()
    with stoppable() as stop:
        try:
            _steps(task, grid, classes, updates, rounds, seed, say, found, stop)
            found.whole = True
        except _Stopped:
            say("stopped: here is what was found so far")
    return found


def _steps(task: Task, grid: Mapping[str, Sequence[Any]], classes: int | None, updates: int, rounds: int, seed: int,
           say: Say, found: Findings, stop: Event) -> None:  # fmt: skip
    rng = np.random.default_rng(seed)
    middle = {name: values[len(values) // 2] for name, values in grid.items()}
    found.initial_loss = initial_loss(task, middle, rng)
    say(f"1 initial loss {found.initial_loss:.3f}" + _against_chance(found.initial_loss, classes))

    found.overfit_loss, rate, steps = overfit(task, middle, rng, updates=2 * updates, stop=stop)
    good = found.overfit_loss < 0.1 * found.initial_loss
    say(f"2 one batch {'is learned by heart' if good else 'is NOT learned'}: loss {found.overfit_loss:.3g} after "
        f"{steps} updates at lr {rate:g}" + ("" if good else ": is the model too small, or loss and targets wrong?"))

    found.rates, found.losses = lr_range_test(task, middle, rng, stop=stop)
    found.lr = steepest(found.rates, found.losses)
    say(f"3 from lr {found.rates[0]:.0e} to {found.rates[-1]:.0e} the loss falls fastest at {found.lr:.2g}, and is "
        f"least at {found.rates[found.losses.argmin()]:.2g}")

    rates = [found.lr / 10**0.5, found.lr, found.lr * 10**0.5]
    _try_all(task, {"lr": rates, **grid}, updates, seed, "4 coarse", say, found, stop)
    length = 2 * updates
    for left in reversed(range(max(1, rounds))):
        assert found.best is not None
        centre, choice = found.best.choice["lr"], found.best.choice
        fine = {"lr": [centre / 2, centre, centre * 2], **{name: [choice[name]] for name in grid}}
        _try_all(task, fine, length, seed, "5 finer", say, found, stop)
        found.advice = look_at(found.best.curve, found.initial_loss)
        say(f"6 curves of lr {found.best.choice['lr']:.2g}: {'; '.join(found.advice)}")
        if found.best.choice["lr"] == centre:
            break
        say("7 the best lies at the edge of the grid: " + ("back to 5, around it" if left else "more rounds may help"))
    assert found.best is not None
    say(f"chosen: {_told(found.best.choice)}, validation loss {found.best.score:.3f}")


def initial_loss(task: Task, choice: Choice, rng: np.random.Generator) -> float:
    """The loss of a model that has learned nothing, a mean over five models and batches."""
    with no_grad():
        losses = [task.loss(_built(task, choice, rng), task.draw(rng)).item() for _ in range(5)]
    return sum(losses) / len(losses)


def _against_chance(loss: float, classes: int | None) -> str:
    if classes is None:
        return ""
    chance = math.log(classes)
    if abs(loss - chance) < 0.15 * chance:
        return f", as it should be: ln {classes} = {chance:.3f}"
    return (f", but ln {classes} = {chance:.3f}: "
            + ("are the first weights too large, or is the loss a sum over samples?" if loss > chance
               else "does the model see its targets, or are classes missing?"))  # fmt: skip


def overfit(task: Task, choice: Choice, rng: np.random.Generator, rates: Sequence[float] = (1e-2, 1e-3, 1e-1),
            updates: int = 400, stop: Event = NEVER) -> tuple[float, float, int]:  # fmt: skip
    """Train on one batch alone, at one rate after another until the loss is a hundredth of what it was: the best loss,
    its rate, and the updates it took."""
    batch, best = task.draw(rng), (math.inf, rates[0], 0)
    for rate in rates:
        _, step = _learner(task, _built(task, choice, rng), {**choice, "lr": rate})
        first = step(batch)
        for update in range(1, updates + 1):
            _heed(stop)
            loss = step(batch)
            if not math.isfinite(loss):
                break
            best = min(best, (loss, rate, update))
            if loss < 0.01 * first:
                return best
    return best


def lr_range_test(task: Task, choice: Choice, rng: np.random.Generator, rates: Any = None,
                  stop: Event = NEVER) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    """One model, one step at each rate from small to large (Smith 2017, section 3.3): the rates, and the loss before
    each step, until that is four times what it was at first or not finite. `rates`: by default 100 from 1e-5 to 10.

    Raises FloatingPointError where not even three rates were small enough.
    """
    rates = np.geomspace(1e-5, 10, 100) if rates is None else np.asarray(rates, float)
    optimizer, step = _learner(task, _built(task, choice, rng), {**choice, "lr": float(rates[0])})
    losses: list[float] = []
    for rate in rates:
        _heed(stop)
        optimizer.lr = float(rate)
        loss = step(task.draw(rng))
        if not math.isfinite(loss) or loss > 4 * (losses or [loss])[0]:
            break
        losses.append(loss)
    if len(losses) < 3:
        raise FloatingPointError(f"lr_range_test: the loss does not stay finite even at a rate of {rates[0]:g}: give "
                                 "smaller rates, or look for the NaN with tg.debug()")  # fmt: skip
    return rates[: len(losses)], np.array(losses)


def steepest(rates: np.ndarray, losses: np.ndarray) -> float:
    """The rate at which the loss, smoothed over a tenth of the rates, falls fastest on its way to where it is least;
    what comes after, where steps are too large, goes up and down.

    >>> steepest(np.array([1e-3, 1e-2, 1e-1, 1.0, 10.0]), np.array([2.3, 2.2, 1.2, 1.1, 4.0]))
    0.01
    """
    width = max(1, len(losses) // 10)
    padded = np.concatenate([np.full(width // 2, losses[0]), losses, np.full(width - 1 - width // 2, losses[-1])])
    smooth = np.convolve(padded, np.ones(width) / width, "valid")
    least = max(2, int(smooth.argmin()) + 1)
    return float(rates[np.diff(smooth[:least]).argmin()])


def look_at(curve: Sequence[tuple[int, float, float]], initial: float) -> list[str]:
    """What a pair of curves says, in words: `curve` has [update, training loss, validation loss], `initial` is where
    the loss began."""
    _, train, validation = (np.array(column, float) for column in zip(*curve, strict=True))
    best, said = int(validation.argmin()), []
    if train[0] > 0.9 * initial and train[-1] < 0.5 * initial:
        said.append("flat at first: look at the initial weights, or warm up")
    if validation[-1] > 1.1 * validation[best]:
        said.append(f"validation turned upwards after update {curve[best][0]}: stop there, or regularise more")
    elif len(validation) > 3 and validation[-1] < 0.95 * validation[-1 - len(validation) // 4]:
        said.append("validation still falls: train longer")
    if validation[-1] > 2 * train[-1]:
        said.append(f"a gap, {train[-1]:.3g} in training and {validation[-1]:.3g} in validation: regularise, or get "
                    "more data")  # fmt: skip
    return said or ["training and validation lie together and are flat: a larger model may do better"]


def run_trial(task: Task, choice: Choice, updates: int, seed: int, stop: Event = NEVER,
              points: int = 12) -> tuple[Trial, nn.Module]:  # fmt: skip
    """Train a fresh model as `choice` says, and note the curves at about `points` points."""
    rng = np.random.default_rng(seed)
    model = _built(task, choice, rng)
    _, step = _learner(task, model, choice)
    every, losses = max(1, updates // points), []
    trial = Trial(choice, updates, math.inf, [])
    for update in range(1, updates + 1):
        _heed(stop)
        losses.append(step(task.draw(rng)))
        if not math.isfinite(losses[-1]):
            trial.score = math.inf
            break
        if update % every == 0 or update == updates:
            trial.score = _validated(task, model)
            trial.curve.append((update, sum(losses) / len(losses), trial.score))
            losses = []
    return trial, model


def _try_all(task: Task, grid: Mapping[str, Sequence[Any]], updates: int, seed: int, step: str, say: Say,
             found: Findings, stop: Event) -> None:  # fmt: skip
    """Run the grid; the best of it is the best found, since later grids train longer."""
    choices = [dict(zip(grid, values, strict=True)) for values in product(*grid.values())]
    here: list[tuple[Trial, nn.Module]] = []
    for i, choice in enumerate(choices):
        trial, model = run_trial(task, choice, updates, seed, stop)
        here.append((trial, model))
        found.trials.append(trial)
        found.best, found.model = min(here, key=lambda pair: pair[0].score)
        say(f"{step} {i + 1}/{len(choices)}: {_told(choice)}: validation {trial.score:.3f} after {updates} updates")
    if not math.isfinite(min(trial.score for trial, _ in here)):
        raise FloatingPointError(f"{step}: the loss did not stay finite in any trial: the task needs smaller rates")


def _built(task: Task, choice: Choice, rng: np.random.Generator) -> nn.Module:
    return task.build(rng, **{name: value for name, value in choice.items() if name not in _optimizers(task)})


def _learner(task: Task, model: nn.Module, choice: Choice) -> tuple[optim.Optimizer, Callable[[Any], float]]:
    """An optimizer of the model, and what takes a step on a batch and gives the loss before it."""
    mine = {name: value for name, value in choice.items() if name in _optimizers(task)}
    optimizer = task.optimizer(model.parameters(), **mine)

    def step(batch: Any) -> float:
        optimizer.zero_grad()
        with np.errstate(over="ignore", invalid="ignore"):  # a rate that is too large is told by the loss
            loss = task.loss(model, batch)
            value = loss.item()
            if math.isfinite(value):
                loss.backward()
                optimizer.step()
        return value

    return optimizer, step


def _optimizers(task: Task) -> tuple[str, ...]:
    """The names of a choice that are the optimizer's."""
    return ("lr", *getattr(task.optimizer, "hyperparameters", ()))


def _validated(task: Task, model: nn.Module) -> float:
    model.eval()
    with no_grad(), np.errstate(over="ignore", invalid="ignore"):
        score = float(task.score(model))
    model.train()
    return score if math.isfinite(score) else math.inf


def _told(choice: Choice) -> str:
    return ", ".join(f"{name} {value:.2g}" if isinstance(value, float) else f"{name} {value}"
                     for name, value in choice.items())  # fmt: skip


def _heed(stop: Event) -> None:
    if stop.is_set():
        raise _Stopped
