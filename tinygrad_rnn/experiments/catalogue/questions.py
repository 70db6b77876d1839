"""Questions about small scenes: answered with both the picture and the question, or with one of them alone."""

from __future__ import annotations

from typing import Any

import numpy as np

from ... import nn, ops
from ...core import Tensor
from ...data import Words
from ...data.tasks import QUESTIONS_BLIND, questions
from ...data.tasks.scenes import CELL, CELLS, OBJECTS, PIXELS, SHAPES, SIZE, Scenes, render
from ...pictures.charts import curve_chart
from ...recording import no_grad
from ..experiment import Arm, Claim, Experiment, Outcome, Results, Size
from ..scene_page import page
from ..training import train


class Detector(nn.Module):
    """What is in each cell of a picture, as the probabilities of the nine things: features (B, 9 * 9).

    It has learned to name things one by one, as the column of Antol et al. had learned to name what is in photographs;
    from answers alone, which depend on shape, colour and place together, a column hardly learns to see.
    """

    name = "column"

    def __init__(self, hidden: int, rng: np.random.Generator) -> None:
        self.first = nn.Linear(CELL * CELL * 3, hidden, rng=rng, name="first")
        self.second = nn.Linear(hidden, 1 + len(OBJECTS), rng=rng, name="second")

    def logits(self, images: Any) -> Any:
        B = len(images)
        cells = images.reshape(B, CELLS, CELL, CELLS, CELL, 3).transpose(0, 1, 3, 2, 4, 5).reshape(B, CELLS * CELLS, -1)
        return self.second(ops.relu(self.first(cells)))

    def forward(self, images: Any) -> Any:
        return ops.softmax(self.logits(images))[:, :, 1:].reshape(len(images), -1)

    def learn(self, updates: int, batch: int, rng: np.random.Generator) -> None:
        """From pictures of one thing: what is in each cell, 0 for nothing."""

        def loss(update: int) -> Tensor:
            numbers, cells = rng.integers(len(OBJECTS), size=(batch, 1)), rng.integers(CELLS * CELLS, size=(batch, 1))
            images = render(Scenes(numbers // len(SHAPES), numbers % len(SHAPES), cells), rng)
            truth = np.zeros((batch, CELLS * CELLS), int)
            truth[np.arange(batch), cells[:, 0]] = 1 + numbers[:, 0]
            return ops.cross_entropy(self.logits(images), truth)

        train(self.parameters(), loss, 0.01, updates)


def trial(arm: Arm, rate: float | None, seed: int, size: Size) -> Outcome:
    """Train on `size.learned` questions; the share of right answers to new ones, by what is asked."""
    rng = np.random.default_rng(seed)
    learned, new = questions(rng, size.learned), questions(rng, size.tested)
    words, known = Words.of(learned.questions), sorted(set(learned.answers))
    column = Detector(24, rng)
    column.learn(size.seeing, size.batch, rng)
    seen = CELLS * CELLS * len(OBJECTS)
    model = nn.Answerer(PIXELS, len(words), len(known), size.hidden, seen, column=column, rng=rng)

    def given(asked: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Images, questions, their mask, and the numbers of the answers; what the arm may not have is blank."""
        ids, mask = words.batch(asked.questions, end=False)
        answers = np.array([known.index(answer) for answer in asked.answers])
        return asked.images * arm.settings["image"], ids * arm.settings["question"], mask, answers

    images, ids, mask, answers = given(learned)
    if not arm.settings["question"]:
        mask = np.ones_like(mask)  # not even how long it is
    tests = given(new)
    tests = (*tests[:2], tests[2] if arm.settings["question"] else np.ones_like(tests[2]), tests[3])

    def loss(update: int) -> Tensor:
        rows = rng.integers(0, len(images), size.batch)
        return ops.cross_entropy(model(images[rows], ids[:, rows], mask[:, rows]), answers[rows])

    def said() -> np.ndarray:
        with no_grad():
            return np.asarray(model(*tests[:3]).numpy().argmax(axis=1))

    assert rate is not None
    curve, _ = train(model.parameters(), loss, rate, size.updates, every=max(1, size.updates // 10),
                     check=lambda: float((said() != tests[3]).mean()))  # fmt: skip
    right = said() == tests[3]
    kinds = np.array(new.kinds)
    shown = range(6)
    return {
        "score": curve[-1][1],
        "right": float(right.mean()),
        **{kind: float(right[kinds == kind].mean()) for kind in ("colour", "place", "count")},
        "curve": curve,
        "pictures": np.clip(new.images[:6] * 255, 0, 255).astype(int).tolist(),
        "asked": [" ".join(new.questions[i]) + "?" for i in shown],
        "said": [known[int(said()[i])] for i in shown],
        "true": [new.answers[i] for i in shown],
    }


def figures(results: Results) -> dict[str, Any]:
    curves = {f"{arm}, seed {i + 1}": ([u for u, _ in curve], [1 - wrong for _, wrong in curve])
              for arm in results.rates for i, curve in enumerate(results.of(arm, "curve")[:2])}  # fmt: skip
    first = results.seeds[0]["image and question"]
    rows = [(picture, f"{asked} {said}", said == true, f"right: {true}")
            for picture, asked, said, true in zip(*(first[k] for k in ("pictures", "asked", "said", "true")),
                                                  strict=True)]  # fmt: skip
    return {
        "right": curve_chart(curves, "Questions about new scenes", "update", "share of right answers"),
        "scenes": page("New scenes, and what the network of the first seed answers", rows, SIZE),
    }


def _right(results: Results) -> str:
    return ", ".join(f"{arm} {results.median(arm, 'right'):.1%}" for arm in results.rates) + " (medians)"


def _kinds(results: Results) -> str:
    both = "image and question"
    return ", ".join(f"{kind} {results.median(both, kind):.1%}" for kind in ("colour", "place", "count"))


EXPERIMENT = Experiment(
    title="Questions about small scenes",
    chapter="wirings",
    source="Antol et al. 2015; Goyal et al. 2017",
    about="A square, a disc and a triangle stand in a picture; the network is asked for a colour, for who stands left "
    "of whom, and for a count. Answers are balanced, so that the question alone is of no use: guessing well is "
    f"{QUESTIONS_BLIND:.1%} right. Two networks get black pictures, or no question. The column that looks at pictures "
    "has learned before to name single things.",
    arms=(Arm("image and question", (0.003, 0.006), {"image": 1, "question": 1}),
          Arm("question alone", (0.003, 0.006), {"image": 0, "question": 1}),
          Arm("image alone", (0.003, 0.006), {"image": 1, "question": 0})),
    trial=trial,
    claims=(
        Claim("with both, answers are right (90 %)", lambda seed: seed["image and question"]["right"] > 0.9,
              "VQA, open answers: 57.75 % (Antol et al., table 2)", _kinds),
        Claim("the question alone does no better than its prior (within 5 %)",
              lambda seed: seed["question alone"]["right"] < QUESTIONS_BLIND + 0.05,
              "VQA, not balanced: 48.76 % (table 2, LSTM Q)", _right),
        Claim("the image alone does worse than that", lambda seed: seed["image alone"]["right"] < QUESTIONS_BLIND,
              "no figure", _right),
    ),
    figures=figures,
    quick=Size(seeds=1, learned=200, tested=60, hidden=24, batch=32, seeing=30, updates=40),
    full=Size(seeds=5, pilots=1, learned=6000, tested=600, hidden=48, batch=48, seeing=300, updates=900),
    seconds=60,
)  # fmt: skip
