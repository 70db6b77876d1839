"""Training a character model by truncated backpropagation through time, so that it can stop anywhere and go on exactly.

A `Run` is everything that the next step depends on. `train` takes steps until told to stop, and tells how it goes.
"""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self

import numpy as np

from .. import backend, nn, optim
from ..core import Tensor, tensor
from ..data import Batches, Vocabulary, split
from ..recording import no_grad
from . import saving
from .charmodel import CharModel, bits
from .interrupts import stoppable

VALIDATION_WINDOWS = 20  # at most so many are read to validate: the estimate is good enough, and nobody waits


@dataclass(frozen=True)
class Settings:
    """What a training is, from first step to last. Raises ValueError, naming the setting, where one cannot be."""

    cell: str = "lstm"
    hidden_size: int = 128
    num_layers: int = 1
    forget_bias: float = 1.0
    seq_len: int = 50
    batch_size: int = 32
    lr: float = 5e-3
    clip: float = 1.0  # the largest norm of all gradients together, of the loss that is a mean over time and batch
    seed: int = 0
    dtype: str = "float32"
    validation: float = 0.05  # this part of the text, its end, is kept for validation

    def __post_init__(self) -> None:
        for name in ("hidden_size", "num_layers", "seq_len", "batch_size"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be 1 or more, not {getattr(self, name)}")
        for name in ("lr", "clip"):
            if not (0 < getattr(self, name) < math.inf):
                raise ValueError(f"{name} must be above 0 and finite, not {getattr(self, name)}")
        if self.dtype not in ("float32", "float64"):
            raise ValueError(f"dtype must be float32 or float64, not {self.dtype}")
        if self.seed < 0:
            raise ValueError(f"seed must be 0 or more, not {self.seed}")


class Text:
    """A text as numbers, cut into batches for training and for validation (None where too short for one window).

    `source` says where it came from, for whoever goes on with the training (None: the default corpus).
    Raises ValueError where the training part is shorter than one window of each stream.
    """

    def __init__(self, text: str, settings: Settings, source: str | None = None) -> None:
        self.vocabulary = Vocabulary.of(text)
        self.facts = {"source": source, "characters": len(text), "sha256": hashlib.sha256(text.encode()).hexdigest()}
        train, validation = split(self.vocabulary.encode(text), settings.validation)
        self.train = Batches(train, settings.batch_size, settings.seq_len)
        width = min(settings.batch_size, len(validation) // (settings.seq_len + 1))
        self.validation = Batches(validation, width, settings.seq_len) if width else None


@dataclass
class Run:
    """A training under way. `state` is the hidden state to carry on from, `rng` drew the weights and would draw what
    else is random, `step` counts steps (it is also the place in the text), `curve` has a point for each validation."""

    settings: Settings
    model: CharModel
    optimizer: Any
    rng: np.random.Generator
    text: dict[str, Any]  # facts of the text that it is trained on
    state: Any = None
    step: int = 0
    goal: int | None = None  # the step that it goes to, where one was said
    curve: list[dict[str, float | None]] = field(default_factory=list)
    losses: list[float] = field(default_factory=list)  # of the steps since the last regular point of the curve

    @classmethod
    def start(cls, settings: Settings, text: Text, device: str = "cpu") -> Self:
        """A new run on `text`, at step 0."""
        rng = np.random.default_rng(settings.seed)
        model = _model(settings, text.vocabulary, device, rng)
        return cls(settings, model, optim.Adam(model.parameters(), lr=settings.lr), rng, text.facts)

    def advance(self, batches: Batches) -> tuple[float, float]:
        """One step of truncated BPTT: one window forward from the carried state, and back; a step of Adam.

        Gives the loss in nats a character and the norm of the gradients before clipping. Raises FloatingPointError
        where they are not finite; then nothing has been changed.
        """
        window = self.step % len(batches)
        self.model.zero_grad()
        with np.errstate(over="ignore", invalid="ignore"):  # what overflows is told once and clearly, here and by check
            loss, state = self.model.loss(batches[window], self.state)
            loss.backward()
            value, norm = loss.item(), optim.clip_grad_norm(self.model.parameters(), self.settings.clip)
            if not math.isfinite(value + norm):
                raise FloatingPointError(f"step {self.step + 1}: the loss is {value:g}, its gradients' norm {norm:g}: "
                                         "start again with a smaller lr or clip")  # fmt: skip
            self.optimizer.step()
        self.step += 1
        again = window + 1 == len(batches)  # the text begins again, and so does the memory of it
        self.state = None if again else nn.detach(state)
        return value, norm

    def check(self) -> None:
        """Raise FloatingPointError, naming the parameter, where one is no longer finite: that is not worth saving."""
        for name, p in self.model.named_parameters():
            if not bool(backend.xp(p.data).isfinite(p.data).all()):
                raise FloatingPointError(f"step {self.step}: {name} is no longer finite: start again with a smaller lr")

    def save(self, folder: str | Path) -> None:
        """Write everything to `folder`, in one move. Raises OSError where it cannot be written."""
        arrays = {f"model.{name}": a for name, a in self.model.state_dict().items()}
        memory, counts = _apart(self.optimizer.state_dict())
        arrays |= {f"optimizer.{name}": a for name, a in memory.items()}
        arrays |= {f"state{path}": a.numpy() for path, a in _leaves(self.state)}
        facts = {
            "settings": asdict(self.settings), "vocabulary": self.model.vocabulary.chars, "text": self.text,
            "step": self.step, "goal": self.goal, "optimizer": counts, "generator": self.rng.bit_generator.state,
            "curve": self.curve, "losses": self.losses,
        }  # fmt: skip
        saving.save(folder, arrays, facts)

    @classmethod
    def load(cls, folder: str | Path, device: str = "cpu") -> Self:
        """The run saved in `folder`; its next step is what it would have been without the stop.

        Raises FileNotFoundError where there is none, ValueError where it is broken.
        """
        arrays, facts = saving.load(folder)
        try:
            rng = np.random.default_rng()
            model, settings = _restored(arrays, facts, device, rng), Settings(**facts["settings"])
            optimizer = optim.Adam(model.parameters(), lr=settings.lr)
            optimizer.load_state_dict({**facts["optimizer"], **_under("optimizer.", arrays)})
            rng.bit_generator.state = facts["generator"]
            state = _tree(_under("state", arrays), device)
            return cls(settings, model, optimizer, rng, facts["text"], state, facts["step"], facts["goal"],
                       facts["curve"], facts.get("losses", []))  # fmt: skip
        except (KeyError, TypeError, ValueError, AttributeError) as why:
            raise _broken(folder, why) from None


@dataclass(frozen=True)
class Progress:
    """How a training goes. `loss` is in nats a character, the mean since the last validation; `bits` the same in bits;
    `validation` in bits a character, at the steps that validate and else None; `norm` is that of the last step's
    gradients, `speed` in characters a second, `left` in seconds, `part` what is done of 1."""

    step: int
    steps: int | None
    loss: float
    bits: float
    validation: float | None
    norm: float
    speed: float
    left: float
    part: float


def train(run: Run, text: Text, *, steps: int | None = None, seconds: float | None = None, every: int = 100,
          report: Callable[[Progress], None] | None = None, folder: str | Path | None = None) -> bool:  # fmt: skip
    """Take steps until `run.step` is `steps`, or for `seconds`, or until Ctrl-C (SIGINT or SIGTERM: the step under way
    is finished; a second one breaks it off). Validates, and saves to `folder` if one is given, `every` so many steps
    and at the end. `report` is called after each step.

    Gives True if it came to its end, False if it was stopped. Raises ValueError where `text` is not the one that the
    run began with, and where there is nothing to do; FloatingPointError as `advance` does, leaving the last save.
    """
    _check(run, text, steps, seconds, every)
    run.goal = steps if steps is not None else run.goal
    if run.losses and run.curve and run.curve[-1]["step"] == run.step:  # made by a stop, between two regular points
        run.curve.pop()
    began, first = time.perf_counter(), run.step
    per_step = text.train.batch_size * text.train.seq_len
    with stoppable() as stop:
        while True:
            loss, norm = run.advance(text.train)
            run.losses.append(loss)
            spent, taken = time.perf_counter() - began, run.step - first
            ends = [] if steps is None else [(taken / (steps - first), (steps - run.step) * spent / taken)]
            ends += [] if seconds is None else [(spent / seconds, seconds - spent)]
            part, left = max(part for part, _ in ends), min(left for _, left in ends)
            over = part >= 1 or stop.is_set()
            mean, score = sum(run.losses) / len(run.losses), None
            if over or run.step % every == 0:
                run.check()
                score = validate(run.model, text.validation)
                run.curve.append({"step": run.step, "train": bits(mean), "validation": score})
                run.losses = run.losses if run.step % every else []
                if folder is not None:
                    run.save(folder)
            if report is not None:
                report(Progress(run.step, steps, mean, bits(mean), score, norm, per_step * taken / spent,
                                0.0 if over else left, min(1.0, part)))  # fmt: skip
            if over:
                return part >= 1


def _check(run: Run, text: Text, steps: int | None, seconds: float | None, every: int) -> None:
    """Raise ValueError where `train` could not go on from `run`, or would have nothing to do."""
    if text.facts["sha256"] != run.text["sha256"]:
        raise ValueError(f"this is not the text that was trained on so far ({text.facts['characters']} characters, not "
                         f"{run.text['characters']}): give that one, or start anew in another folder")  # fmt: skip
    if steps is None and seconds is None:
        raise ValueError("say how long to train: give steps or seconds")
    if steps is not None and steps <= run.step:
        raise ValueError(f"steps {steps}: {run.step} have been taken already, give more" if run.step
                         else f"steps must be 1 or more, not {steps}")  # fmt: skip
    if every < 1 or (seconds is not None and not seconds > 0):
        raise ValueError(f"every must be 1 or more and seconds above 0, not {every} and {seconds}")


def validate(model: CharModel, batches: Batches | None) -> float | None:
    """Bits a character on text that the model was not trained on, the state carried from window to window."""
    if batches is None:
        return None
    windows = [batches[i] for i in range(min(len(batches), VALIDATION_WINDOWS))]
    total, state = 0.0, None
    with no_grad():
        for window in windows:
            loss, state = model.loss(window, state)
            total += loss.item()
    return bits(total / len(windows))


def load_model(folder: str | Path, device: str = "cpu") -> CharModel:
    """The model saved in `folder`, to sample from. Raises FileNotFoundError where there is none, ValueError where it is
    broken."""
    arrays, facts = saving.load(folder)
    try:
        return _restored(arrays, facts, device, np.random.default_rng())
    except (KeyError, TypeError, ValueError, AttributeError) as why:
        raise _broken(folder, why) from None


def _model(settings: Settings, vocabulary: Vocabulary, device: str, rng: np.random.Generator) -> CharModel:
    return CharModel(vocabulary, settings.cell, settings.hidden_size, settings.num_layers, settings.forget_bias,
                     dtype=settings.dtype, device=device, rng=rng)  # fmt: skip


def _restored(arrays: dict[str, np.ndarray], facts: dict[str, Any], device: str, rng: np.random.Generator) -> CharModel:
    model = _model(Settings(**facts["settings"]), Vocabulary(facts["vocabulary"]), device, rng)
    model.load_state_dict(_under("model.", arrays))
    return model


def _broken(folder: str | Path, why: Exception) -> ValueError:
    reason = f"{type(why).__name__}: {why}"
    return ValueError(f"the model in {folder} is broken or of another version ({reason}): train again")


def _under(prefix: str, arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {name.removeprefix(prefix): a for name, a in arrays.items() if name.startswith(prefix)}


def _apart(state: dict[str, Any]) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """What an optimizer remembers: its arrays, and the rest, which JSON can say."""
    arrays = {name: value for name, value in state.items() if isinstance(value, np.ndarray)}
    return arrays, {name: value for name, value in state.items() if name not in arrays}


def _leaves(state: Any, path: str = "") -> Iterator[tuple[str, Tensor]]:
    """The Tensors of a state, however its layers are nested, each with its path: ".0.1"."""
    if isinstance(state, Tensor):
        yield path, state
    elif state is not None:
        for i, part in enumerate(state):
            yield from _leaves(part, f"{path}.{i}")


def _tree(arrays: dict[str, np.ndarray], device: str) -> Any:
    """The state again, from paths: tuples of tuples of Tensors."""
    if "" in arrays:
        return tensor(arrays[""], device=device)
    indices = sorted({int(path.split(".")[1]) for path in arrays})
    parts = tuple(_tree({p.removeprefix(f".{i}"): a for p, a in arrays.items() if p.split(".")[1] == str(i)}, device)
                  for i in indices)  # fmt: skip
    return parts or None
