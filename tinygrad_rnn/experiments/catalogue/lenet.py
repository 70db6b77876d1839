"""LeNet5 on handwritten digits: of writers it knows, and of strangers."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ... import data, flow, nn, ops
from ...core import Tensor
from ...data import augment
from ...pictures.charts import curve_chart
from ...pictures.images import image_grid
from ..classifying import batches, logits_of, mistakes
from ..experiment import Arm, Claim, Experiment, Outcome, Results, Size
from ..training import train

SHIFT = 2  # points by which images are moved, in training and by crops


def trial(arm: Arm, rate: float | None, seed: int, size: Size) -> Outcome:
    """Train LeNet5; the share of kept digits misread, at one look and by votes of five and of ten crops."""
    rng = np.random.default_rng(seed)
    images, labels, writers = data.digits(32, margin=4)
    learned, kept = (data.writer_split(writers) if arm.settings["strangers"]
                     else data.random_split(len(labels), 510 / 1797, rng))  # fmt: skip
    net, rows, kept = nn.LeNet5(rng=rng), batches(learned, 64, rng), kept[: size.kept]

    def loss_of(update: int) -> Any:
        chosen = next(rows)
        x = augment.random_shift(images[chosen], SHIFT, rng) if arm.settings["shift"] else images[chosen]
        return ops.cross_entropy(net(x), labels[chosen])

    curve, _ = train(net.parameters(), loss_of, rate or 0.0, size.updates, clip=5.0, every=max(1, size.updates // 10),
                     check=lambda: mistakes(net, images[kept], labels[kept]))  # fmt: skip
    crops = augment.ten_crops(augment.pad_images(images[kept], SHIFT), 32)
    votes = np.stack([logits_of(net, crop) for crop in crops])
    outcome = {"score": curve[-1][1], "error": curve[-1][1], "curve": curve,
               "five": float((augment.vote(votes[:5]) != labels[kept]).mean()),
               "ten": float((augment.vote(votes) != labels[kept]).mean())}  # fmt: skip
    return outcome | (_looked_into(net, images[learned]) if arm.settings["shift"] else {})


def _looked_into(net: nn.LeNet5, images: np.ndarray) -> Outcome:
    """What the first layer makes of the first image, and what becomes of the average one when it climbs the logit of
    each digit. (From an empty image nothing moves: all units of the second layer may be off.)"""
    maps = flow.activations(net, images[:1], "conv_block1.0")["conv_block1.0"][0]
    mean = images.mean(axis=0, keepdims=True)

    def logit(digit: int) -> Callable[[Tensor], Tensor]:
        return lambda x: net(x)[0, digit]

    liked = [flow.maximise(logit(digit), mean, steps=25, lr=0.1, l2=1.0)[0] for digit in range(10)]
    return {"maps": _packed(np.maximum(maps, 0)), "liked": _packed(np.stack(liked)[:, 0, 0])}


def _packed(images: np.ndarray) -> dict[str, Any]:
    """Images as bytes in text, from the least number to the largest."""
    low, high = float(images.min()), float(images.max())
    levels = np.round(255 * (images - low) / (high - low or 1)).astype(np.uint8)
    text = base64.b64encode(levels.tobytes()).decode()
    return {"shape": list(images.shape), "low": low, "high": high, "levels": text}


def _unpacked(packed: Mapping[str, Any]) -> np.ndarray:
    levels = np.frombuffer(base64.b64decode(packed["levels"]), np.uint8).reshape(packed["shape"])
    return packed["low"] + levels / 255 * (packed["high"] - packed["low"])


def figures(results: Results) -> dict[str, Any]:
    curves = {}
    for arm in results.rates:
        points = np.array(results.of(arm, "curve"))
        curves[arm] = (points[0, :, 0], 100 * points[:, :, 1].mean(axis=0))
    seen = results.seeds[0]["strangers, shifted"]
    return {
        "errors": curve_chart(curves, "Digits that LeNet5 misreads, mean", y_label="% of kept images", log=True),
        "heat-maps": image_grid(_unpacked(seen["maps"]), "What the first layer of LeNet5 makes of a 0",
                                [f"channel {i + 1}" for i in range(6)], columns=6),
        "liked": image_grid(_unpacked(seen["liked"]), "From the average image towards what each digit's logit likes",
                            [str(digit) for digit in range(10)], columns=5, colours="signed"),
    }  # fmt: skip


def _errors(*keys: tuple[str, str]) -> Any:
    def said(results: Results) -> str:
        parts = []
        for arm, key in keys:
            mean, error = results.mean(arm, key)
            parts.append(f"{100 * mean:.2f} ± {100 * error:.2f} %")
        return " against ".join(parts)

    return said


STRANGERS, SHIFTED, KNOWN = "strangers", "strangers, shifted", "random split"
EXPERIMENT = Experiment(
    title="LeNet5 on digits of known writers and of strangers",
    chapter="images",
    source="LeCun et al. 1998; He et al. 2016, section 3.4 (crops); ELTE Deep Network Development, lecture 9",
    about="1 797 digits of 8 x 8 points, enlarged to 32 x 32. Kept to test are 510 at random, so that their writers "
    "are known, or the 382 of the last three forms, so that they are not. What helps with strangers: to shift images "
    "in training; to let shifted crops vote in testing; not to look at digits in a mirror. The strangers are the same "
    "for all seeds, those that choose the rate included, and ± is the standard error over seeds alone.",
    arms=(
        Arm(KNOWN, (0.001, 0.003), {"strangers": False, "shift": False}),
        Arm(STRANGERS, (0.001, 0.003), {"strangers": True, "shift": False}),
        Arm(SHIFTED, (0.001, 0.003), {"strangers": True, "shift": True}),
    ),
    trial=trial,
    claims=(
        Claim("LeNet5 misreads fewer than 2.5 % of known writers' digits", lambda seed: seed[KNOWN]["error"] < 0.025,
              "0.95 % of MNIST, after 60 000 examples", _errors((KNOWN, "error"))),
        Claim("strangers are harder to read", lambda seed: seed[STRANGERS]["error"] > seed[KNOWN]["error"],
              "no figure: MNIST is always tested on other people", _errors((STRANGERS, "error"), (KNOWN, "error"))),
        Claim("training on shifted images helps with strangers",
              lambda seed: seed[SHIFTED]["error"] < seed[STRANGERS]["error"],
              "0.95 % to 0.8 % with distorted images", _errors((SHIFTED, "error"), (STRANGERS, "error"))),
        Claim("a vote of five shifted crops is no worse than one look",
              lambda seed: seed[SHIFTED]["five"] <= seed[SHIFTED]["error"],
              "photographs are tested so (ten crops, five scales); no figure of the gain alone",
              _errors((SHIFTED, "five"), (SHIFTED, "error"))),
        Claim("mirror images among the crops do harm: a mirrored 2 is no digit",
              lambda seed: seed[SHIFTED]["ten"] > seed[SHIFTED]["five"],
              "no figure: photographs may be mirrored", _errors((SHIFTED, "ten"), (SHIFTED, "five"))),
    ),
    figures=figures,
    quick=Size(seeds=1, pilots=0, updates=20, kept=60),
    full=Size(seeds=5, pilots=1, updates=300, kept=510),
    needs=("sklearn",),
    seconds=115,
)  # fmt: skip
