"""Captions of small scenes: the image read at every step, at the first alone, or not at all."""

from __future__ import annotations

from typing import Any

import numpy as np

from ... import nn, ops
from ...core import Tensor
from ...data import Words
from ...data.tasks import captions
from ...data.tasks.scenes import CELL, CELLS, OBJECTS, PIXELS, SIZE
from ...nn.layers import Generator
from ...pictures.charts import curve_chart
from ...recording import no_grad
from ..experiment import Arm, Claim, Experiment, Outcome, Results, Size
from ..scene_page import page
from ..training import train

LONGEST = 9


class Cells(nn.Module):
    """The same layer at each cell of the picture, as a convolution with a stride of its size, and a layer on all."""

    name = "column"

    def __init__(self, filters: int, features: int, rng: Generator) -> None:
        draw = np.random.default_rng(rng)
        self.patch = nn.Linear(CELL * CELL * 3, filters, rng=draw, name="patch")
        self.whole = nn.Linear(CELLS * CELLS * filters, features, rng=draw, name="whole")
        for layer in (self.patch, self.whole):
            layer.W.data = layer.W.data * 2  # as wide as relu wants it (He et al. 2015), or nearly so

    def forward(self, images: Any) -> Any:
        B = len(images)
        cells = images.reshape(B, CELLS, CELL, CELLS, CELL, 3).transpose(0, 1, 3, 2, 4, 5).reshape(B, CELLS * CELLS, -1)
        return ops.relu(self.whole(ops.relu(self.patch(cells)).reshape(B, -1)))


def trial(arm: Arm, rate: float | None, seed: int, size: Size) -> Outcome:
    """Train on `size.learned` scenes; exact captions of new ones, of pairs learned and pairs held out."""
    rng = np.random.default_rng(seed)
    context = arm.settings["context"]
    images, texts = captions(rng, size.learned)
    tests = {"seen": captions(rng, size.tested), "unseen": captions(rng, size.tested, unseen=True)}
    words = Words.of(texts)
    targets, mask = words.batch(texts)
    model = nn.Captioner(PIXELS, len(words), size.hidden, features=size.hidden, context=context or "every",
                         column=Cells(24, size.hidden, rng), rng=rng)  # fmt: skip

    def looked_at(pictures: np.ndarray) -> np.ndarray:
        return pictures if context else np.zeros_like(pictures)

    def loss(update: int) -> Tensor:
        rows = rng.integers(0, len(images), size.batch)
        return ops.sequence_loss(model(looked_at(images[rows]), targets[:, rows]), targets[:, rows], "mean",
                                 mask=mask[:, rows])  # fmt: skip

    def said(kind: str) -> list[list[str]]:
        with no_grad():
            return words.decode(model.greedy(looked_at(tests[kind][0]), max_len=LONGEST)[0])

    def exact(kind: str) -> float:
        return float(np.mean([a == b for a, b in zip(said(kind), tests[kind][1], strict=True)]))

    assert rate is not None
    curve, _ = train(model.parameters(), loss, rate, size.updates, every=max(1, size.updates // 10),
                     check=lambda: 1 - exact("seen"))  # fmt: skip
    shown = slice(0, 6)
    return {
        "score": curve[-1][1],
        "seen": exact("seen"),
        "unseen": exact("unseen"),
        "curve": curve,
        "pictures": np.clip(tests["unseen"][0][shown] * 255, 0, 255).astype(int).tolist(),
        "said": [" ".join(text) for text in said("unseen")[shown]],
        "true": [" ".join(text) for text in tests["unseen"][1][shown]],
    }


def figures(results: Results) -> dict[str, Any]:
    curves = {f"{arm}, seed {i + 1}": ([u for u, _ in curve], [1 - wrong for _, wrong in curve])
              for arm in results.rates for i, curve in enumerate(results.of(arm, "curve")[:2])}  # fmt: skip
    first = results.seeds[0]["every step"]
    rows = [(picture, said, said == true, f"right: {true}")
            for picture, said, true in zip(first["pictures"], first["said"], first["true"], strict=True)]  # fmt: skip
    return {
        "exact": curve_chart(curves, "Captions without a fault, of new scenes", "update", "share of captions"),
        "scenes": page("Pairs that were never shown, and what the network of the first seed says", rows, SIZE),
    }


def _shares(key: str) -> Any:
    return lambda results: ", ".join(f"{arm} {results.median(arm, key):.1%}" for arm in results.rates) + " (medians)"


EXPERIMENT = Experiment(
    title="Captions of small scenes",
    chapter="wirings",
    source="Vinyals et al. 2015; Karpathy & Fei-Fei 2015, section 3.2; Mao et al. 2015",
    about="Two shapes stand in a picture; a network says \"red square left of blue disc\". A caption counts only "
    "without a fault. Some pairs of things are never shown in training. The image is read at every step, or at the "
    "first alone; a third network sees black pictures and shows what language alone gives.",
    arms=(Arm("every step", (0.003, 0.006), {"context": "every"}),
          Arm("first step", (0.003, 0.006), {"context": "first"}),
          Arm("no image", (0.003, 0.006), {"context": ""})),
    trial=trial,
    claims=(
        Claim("captions of new scenes are without a fault (95 %)", lambda seed: seed["every step"]["seen"] > 0.95,
              "MSCOCO: BLEU-4 27.7, people 21.7 (Vinyals et al., table 1)", _shares("seen")),
        Claim("so are those of pairs that were never shown (80 %)", lambda seed: seed["every step"]["unseen"] > 0.8,
              "no figure", _shares("unseen")),
        Claim("without the image no caption is right but by chance (below 5 %)",
              lambda seed: seed["no image"]["seen"] < 0.05, "no figure",
              lambda results: f"{results.median('no image', 'seen'):.1%} (median); there are "
                              f"{len(OBJECTS) ** 2 * 2} captions"),
        Claim("the image at the first step alone is no worse (within 5 %)",
              lambda seed: seed["first step"]["seen"] > seed["every step"]["seen"] - 0.05,
              "at the first step only: at each it overfits (Vinyals et al., section 3.1)",
              _shares("seen")),
    ),
    figures=figures,
    quick=Size(seeds=1, learned=200, tested=50, hidden=24, batch=32, updates=60),
    full=Size(seeds=5, pilots=1, learned=10_000, tested=400, hidden=64, batch=64, updates=900),
    seconds=90,
)  # fmt: skip
