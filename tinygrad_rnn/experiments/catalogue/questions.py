"""Questions about small scenes: answered with both the picture and the question, or with one of them alone."""

from __future__ import annotations

from typing import Any

import numpy as np

from ... import nn, ops
from ...core import Tensor
from ...data import Words
from ...data.tasks import QUESTIONS_BLIND, captions, questions
from ...data.tasks.scenes import PIXELS, SIZE
from ...pictures.charts import curve_chart
from ...recording import no_grad
from ..experiment import Arm, Claim, Experiment, Outcome, Results, Size
from ..scene_page import page
from ..training import train
from .captions import Cells


def trial(arm: Arm, rate: float | None, seed: int, size: Size) -> Outcome:
    """Train on `size.learned` questions; the share of right answers to new ones, by what is asked."""
    rng = np.random.default_rng(seed)
    learned, new = questions(rng, size.learned), questions(rng, size.tested)
    words, known = Words.of(learned.questions), sorted(set(learned.answers))
    column = Cells(24, size.hidden, rng)
    if arm.settings["image"]:
        learn_to_see(column, size, rng)
    model = nn.Answerer(PIXELS, len(words), len(known), size.hidden, features=size.hidden, column=column, rng=rng)

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


def learn_to_see(column: nn.Module, size: Size, rng: np.random.Generator) -> None:
    """Train a column on captions, as that of Antol et al. was trained to name what is in photographs: the answers
    alone, which depend on shape, colour and place together, hardly show it what shapes are."""
    images, texts = captions(rng, size.learned)
    words = Words.of(texts)
    targets, mask = words.batch(texts)
    captioner = nn.Captioner(PIXELS, len(words), size.hidden, features=size.hidden, column=column, rng=rng)

    def loss(update: int) -> Tensor:
        rows = rng.integers(0, len(images), size.batch)
        logits = captioner(images[rows], targets[:, rows])
        return ops.sequence_loss(logits, targets[:, rows], "mean", mask=mask[:, rows])

    train(captioner.parameters(), loss, 0.005, size.seeing)


def figures(results: Results) -> dict[str, Any]:
    curves = {f"{arm}, seed {i + 1}": ([u for u, _ in curve], [1 - wrong for _, wrong in curve])
              for arm in results.rates for i, curve in enumerate(results.of(arm, "curve")[:2])}  # fmt: skip
    first = results.seeds[0]["image and question"]
    rows = [(picture, f"{asked} {said}", said == true, f"is: {true}")
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
    "has learned before, from captions.",
    arms=(Arm("image and question", (0.003, 0.01), {"image": 1, "question": 1}),
          Arm("question alone", (0.003, 0.01), {"image": 0, "question": 1}),
          Arm("image alone", (0.003, 0.01), {"image": 1, "question": 0})),
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
    full=Size(seeds=5, pilots=1, learned=20_000, tested=600, hidden=64, batch=64, seeing=400,
              updates=600),
    seconds=60,
)  # fmt: skip
