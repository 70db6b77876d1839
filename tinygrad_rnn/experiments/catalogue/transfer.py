"""Transfer learning: what was learned of the digits 0 to 4 helps to learn 5 to 9 from a few examples."""

from __future__ import annotations

from typing import Any

import numpy as np

from ... import data, nn, ops, optim
from ...core import Tensor
from ...pictures.charts import curve_chart
from ..classifying import batches, mistakes
from ..experiment import Arm, Claim, Experiment, Outcome, Results, Size
from ..training import train

TARGETS = ("digits", "writers")


def trial(arm: Arm, rate: float | None, seed: int, size: Size) -> Outcome:
    """LeNet5 learns what is known, unless it is to learn from scratch, and then a few examples of what is new: new
    digits (5 to 9, after 0 to 4), or the same digits by new writers."""
    rng = np.random.default_rng(seed)
    images, labels, writers = data.digits(32, margin=4)
    errors: dict[str, dict[str, float]] = {}
    for target in TARGETS:
        if target == "digits":
            known, new, y = np.flatnonzero(labels < 5), np.flatnonzero(labels >= 5), labels % 5
        else:
            known, new, y = *data.writer_split(writers), labels
        classes = int(y.max()) + 1
        start = nn.LeNet5(classes, rng=rng)
        if arm.settings["how"] != "scratch":
            _know(start, images, y, batches(known, 32, rng), size.before)
        new = rng.permutation(new)
        kept, offered = new[: size.kept], new[size.kept :]
        errors[target] = {}
        for each in size.examples:
            few = np.concatenate([offered[y[offered] == kind][:each] for kind in range(classes)])
            net = nn.LeNet5(classes)
            net.load_state_dict(start.state_dict())
            net.fc3 = nn.Linear(84, classes, rng=rng, name="fc3")
            _learn(net, arm.settings["how"], rate or 0.0, images, y, few, size.updates, rng)
            errors[target][str(each)] = mistakes(net, images[kept], y[kept])
    return {"score": float(np.mean([list(each.values()) for each in errors.values()])), "errors": errors}


def _know(net: nn.LeNet5, images: np.ndarray, y: np.ndarray, rows: Any, updates: int) -> None:
    def loss_of(update: int) -> Tensor:
        chosen = next(rows)
        return ops.cross_entropy(net(images[chosen]), y[chosen])

    train(net.parameters(), loss_of, 0.003, updates, clip=5.0)


def _learn(net: nn.LeNet5, how: str, rate: float, images: np.ndarray, y: np.ndarray, few: np.ndarray, updates: int,
           rng: np.random.Generator) -> None:  # fmt: skip
    """All at one rate; or the head alone; or the head, and all else at a tenth of its rate."""
    body = list(nn.matching(net, "conv_block*", "fc1.*", "fc2.*").values())
    optimizers = [optim.Adam(net.fc3.parameters(), lr=rate)]
    if how == "frozen":
        nn.freeze(net, "conv_block*", "fc1.*", "fc2.*")
    else:
        optimizers.append(optim.Adam(body, lr=rate if how == "scratch" else rate / 10))
    rows = batches(few, 32, rng)
    for _ in range(updates):
        net.zero_grad()
        chosen = next(rows)
        ops.cross_entropy(net(images[chosen]), y[chosen]).backward()
        optim.clip_grad_norm(net.parameters(), 5.0)
        for optimizer in optimizers:
            optimizer.step()


def figures(results: Results) -> dict[str, Any]:
    pictures = {}
    for target, title in zip(TARGETS, ("Digits 5 to 9, after 0 to 4", "The digits of new writers"), strict=True):
        curves = {arm: ([float(n) for n in results.size.examples],
                        [100 * float(np.mean([errors[target][str(n)] for errors in results.of(arm, "errors")]))
                         for n in results.size.examples]) for arm in results.rates}  # fmt: skip
        pictures[target] = curve_chart(curves, f"{title}, from a few examples", "examples of each", "% of kept images")
    return pictures


def _of(seed: Any, arm: str, target: str, which: int) -> float:
    return float(list(seed[arm]["errors"][target].values())[which])


def _errors(target: str, which: int, *arms: str) -> Any:
    return lambda results: " against ".join(
        f"{100 * float(np.median([_of(seed, arm, target, which) for seed in results.seeds])):.1f} % ({arm})"
        for arm in arms
    )


def _less(target: str, which: int, better: str, worse: str) -> Any:
    return lambda seed: _of(seed, better, target, which) < _of(seed, worse, target, which)


SCRATCH, FROZEN, TUNED = "from scratch", "head alone", "fine-tuned"
EXPERIMENT = Experiment(
    title="Transfer: to new digits, and to new writers",
    chapter="images",
    source="CS 7643, lecture 12 (transfer learning with CNNs), after Donahue et al. 2014 and Razavian et al. 2014",
    about="LeNet5 learns the digits 0 to 4, then gets a new head for 5 to 9 and 3 or 40 examples of each; or it learns "
    "ten digits of some writers, then those of others. The head may learn alone (all else frozen), or all else a tenth "
    "as fast (fine-tuned). What to look at: transfer needs a start that knows what is asked of it.",
    arms=(Arm(SCRATCH, (0.001, 0.003), {"how": "scratch"}), Arm(FROZEN, (0.003, 0.03), {"how": "frozen"}),
          Arm(TUNED, (0.003, 0.01), {"how": "tuned"})),
    trial=trial,
    claims=(
        Claim("new writers, 3 examples each: the head alone beats from scratch",
              _less("writers", 0, FROZEN, SCRATCH), "the lecture's rule for small data (no figure)",
              _errors("writers", 0, FROZEN, SCRATCH)),
        Claim("new writers, 3 examples each: fine-tuning beats from scratch", _less("writers", 0, TUNED, SCRATCH),
              "pervasive: the norm, not an exception (the lecture)", _errors("writers", 0, TUNED, SCRATCH)),
        Claim("new digits, 3 examples each: fine-tuning beats from scratch", _less("digits", 0, TUNED, SCRATCH),
              "the same; but ImageNet's 1 000 classes know more than five digits",
              _errors("digits", 0, TUNED, SCRATCH)),
        Claim("new digits, 40 examples each: fine-tuning beats the head alone", _less("digits", -1, TUNED, FROZEN),
              "the lecture's rule for bigger data", _errors("digits", -1, TUNED, FROZEN)),
    ),
    figures=figures,
    quick=Size(seeds=1, pilots=0, before=8, updates=6, kept=300, examples=(3, 10)),
    full=Size(seeds=5, pilots=1, before=80, updates=80, kept=300, examples=(3, 40)),
    needs=("sklearn",),
    seconds=65,
)  # fmt: skip
