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


def trial(arm: Arm, rate: float | None, seed: int, size: Size) -> Outcome:
    """The same start for every arm: LeNet5, which has learned 0 to 4 unless it is to learn from scratch."""
    rng = np.random.default_rng(seed)
    images, labels, _ = data.digits(32, margin=4)
    start = nn.LeNet5(5, rng=rng)
    if arm.settings["how"] != "scratch":
        rows = batches(np.flatnonzero(labels < 5), 64, rng)

        def loss_of(update: int) -> Tensor:
            chosen = next(rows)
            return ops.cross_entropy(start(images[chosen]), labels[chosen])

        train(start.parameters(), loss_of, 0.003, size.before, clip=5.0)
    new = rng.permutation(np.flatnonzero(labels >= 5))
    kept, offered = new[:400], new[400:]
    errors = {}
    for each in size.examples:
        few = np.concatenate([offered[labels[offered] == digit][:each] for digit in range(5, 10)])
        net = nn.LeNet5(5)
        net.load_state_dict(start.state_dict())
        net.fc3 = nn.Linear(84, 5, rng=rng, name="fc3")
        _learn(net, arm.settings["how"], rate or 0.0, images, labels, few, size.updates, rng)
        errors[str(each)] = mistakes(net, images[kept], labels[kept] - 5)
    return {"score": sum(errors.values()) / len(errors), "errors": errors}


def _learn(net: nn.LeNet5, how: str, rate: float, images: np.ndarray, labels: np.ndarray, few: np.ndarray, updates: int,
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
        ops.cross_entropy(net(images[chosen]), labels[chosen] - 5).backward()
        optim.clip_grad_norm(net.parameters(), 5.0)
        for optimizer in optimizers:
            optimizer.step()


def figures(results: Results) -> dict[str, Any]:
    each = list(results.size.examples)
    curves = {arm: ([float(n) for n in each],
                    [100 * float(np.mean([e[str(n)] for e in results.of(arm, "errors")])) for n in each])
              for arm in results.rates}  # fmt: skip
    return {"errors": curve_chart(curves, "Digits 5 to 9, learned from a few examples", "examples of each digit",
                                  "% of kept images")}  # fmt: skip


def _of(seed: Any, arm: str, which: int) -> float:
    return list(seed[arm]["errors"].values())[which]


def _errors(which: int, *arms: str) -> Any:
    return lambda results: " against ".join(
        f"{100 * float(np.median([_of(seed, arm, which) for seed in results.seeds])):.1f} % ({arm})" for arm in arms
    )


SCRATCH, FROZEN, TUNED = "from scratch", "frozen", "fine-tuned"
EXPERIMENT = Experiment(
    title="Transfer: from the digits 0 to 4 to the digits 5 to 9",
    chapter="images",
    source="CS 7643, lecture 12 (transfer learning with CNNs), after Donahue et al. 2014 and Razavian et al. 2014",
    about="LeNet5 learns the digits 0 to 4, then gets a new head for 5 to 9 and few examples of those. The head may "
    "learn alone (all else frozen), or all else a tenth as fast (fine-tuned). The lecture's rule: few examples, learn "
    "the head; more, fine-tune.",
    arms=(Arm(SCRATCH, (0.001, 0.003), {"how": "scratch"}), Arm(FROZEN, (0.003, 0.03), {"how": "frozen"}),
          Arm(TUNED, (0.003, 0.01), {"how": "tuned"})),
    trial=trial,
    claims=(
        Claim("with 3 examples of each digit, a trained network that is fine-tuned beats one from scratch",
              lambda seed: _of(seed, TUNED, 0) < _of(seed, SCRATCH, 0), "the norm, not an exception (no figure)",
              _errors(0, TUNED, SCRATCH)),
        Claim("with 3 examples, to learn the head alone beats a network from scratch",
              lambda seed: _of(seed, FROZEN, 0) < _of(seed, SCRATCH, 0), "the lecture's rule for small data",
              _errors(0, FROZEN, SCRATCH)),
        Claim("with 40 examples, to fine-tune beats to learn the head alone",
              lambda seed: _of(seed, TUNED, -1) < _of(seed, FROZEN, -1), "the lecture's rule for bigger data",
              _errors(-1, TUNED, FROZEN)),
        Claim("what training before has won gets less with more examples",
              lambda seed: (_of(seed, SCRATCH, -1) - _of(seed, TUNED, -1)
                            < _of(seed, SCRATCH, 0) - _of(seed, TUNED, 0)), "no figure",
              lambda results: "; ".join(f"{n}: {_errors(i, TUNED, SCRATCH)(results)}"
                                        for i, n in enumerate(results.size.examples))),
    ),
    figures=figures,
    quick=Size(seeds=1, pilots=0, before=10, updates=8, examples=(3, 10)),
    full=Size(seeds=5, pilots=1, before=80, updates=80, examples=(3, 10, 40)),
    needs=("sklearn",),
    seconds=40,
)  # fmt: skip
