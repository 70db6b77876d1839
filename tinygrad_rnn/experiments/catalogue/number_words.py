"""Numbers in words: an encoder-decoder that learns to say 1984, its source read from the start or from the end."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ... import nn, ops
from ...core import Tensor
from ...data import Words, held_out_numbers, number_words
from ...pictures.charts import curve_chart
from ...recording import no_grad
from ..experiment import Arm, Claim, Experiment, Outcome, Results, Size
from ..training import train

TESTED = 500  # numbers that are never learned, looked at after training
LONGEST = 15  # words


def trial(arm: Arm, rate: float | None, seed: int, size: Size) -> Outcome:
    """Train on a part of the numbers below `size.limit`; exact translations of others, greedy and by a beam."""
    rng = np.random.default_rng(seed)
    learned, unseen = held_out_numbers(size.limit, 1 - size.learned / size.limit, rng)
    unseen = unseen[:TESTED]
    digits, names = number_words([*learned, *unseen])
    figures, words = Words.of(digits), Words.of(names)
    source, source_mask = figures.batch(digits, end=False)
    target, target_mask = words.batch(names)
    model = nn.EncoderDecoder(len(figures), len(words), size.hidden, reverse=arm.settings["reverse"], rng=rng)

    def loss(update: int) -> Tensor:
        rows = rng.integers(0, len(learned), size.batch)
        logits = model(source[:, rows], target[:, rows], source_mask[:, rows])
        return ops.sequence_loss(logits, target[:, rows], "mean", mask=target_mask[:, rows])

    test = np.arange(len(learned), len(learned) + len(unseen))
    expected = names[len(learned) :]

    def wrong() -> float:
        said, _ = model.greedy(source[:, test], source_mask[:, test], max_len=LONGEST)
        return 1 - _exact(words.decode(said), expected)

    assert rate is not None
    curve, _ = train(model.parameters(), loss, rate, size.updates, every=max(1, size.updates // 10), check=wrong)
    said, log_p = model.greedy(source[:, test], source_mask[:, test], max_len=LONGEST)
    beams = model.beam(source[:, test], 5, source_mask[:, test], max_len=LONGEST)
    with no_grad():
        logits = model(source[:, test], target[:, test], source_mask[:, test])
        test_loss = ops.sequence_loss(logits, target[:, test], "mean", mask=target_mask[:, test]).item()
    greedily = words.decode(said)
    faults = [[" ".join(digits[i]), " ".join(found)]
              for i, found, right in zip(test, greedily, expected, strict=True) if found != right]  # fmt: skip
    return {
        "score": test_loss,
        "exact": _exact(greedily, expected),
        "beam": _exact(words.decode(beams.symbols[..., 0]), expected),
        "likelier": float((beams.log_p[:, 0] > log_p + 1e-3).mean()),
        "less likely": float((beams.log_p[:, 0] < log_p - 1e-3).mean()),
        "curve": curve,
        "faults": faults[:5],
    }


def _exact(found: list[list[str]], expected: list[list[str]]) -> float:
    return float(np.mean([a == b for a, b in zip(found, expected, strict=True)]))


def figures(results: Results) -> dict[str, Any]:
    curves = {f"{arm}, seed {i + 1}": ([u for u, _ in curve], [1 - wrong for _, wrong in curve])
              for arm in results.rates for i, curve in enumerate(results.of(arm, "curve")[:2])}  # fmt: skip
    faults = "\n".join(f"{digits} -> {found}" for digits, found in results.seeds[0]["reversed"]["faults"])
    about = f"What the first seed, source reversed, still says wrong:\n{faults}" if faults else None
    return {"exact": curve_chart(curves, "Numbers never seen, said without a fault", "update", "share", about=about)}


def _better(seed: Mapping[str, Outcome]) -> bool:
    return bool(seed["reversed"]["exact"] > seed["forward"]["exact"])


EXPERIMENT = Experiment(
    title="Numbers in words, by an encoder-decoder",
    chapter="wirings",
    source="Sutskever, Vinyals & Le 2014, sections 3.2 and 3.3; Cho et al. 2014",
    about="An LSTM reads the digits of a number below a million, another says it in English; the lengths differ. Of "
    "three thousand numbers they learn to say all others: only a name without any fault counts. The source is read "
    "forward or from its end, and a beam of 5 is compared with the likeliest word each time.",
    arms=(Arm("reversed", (0.003, 0.01), {"reverse": True}), Arm("forward", (0.003, 0.01), {"reverse": False})),
    trial=trial,
    claims=(
        Claim("most numbers never seen are said without a fault (90 %)", lambda seed: seed["reversed"]["exact"] > 0.9,
              "English to French, WMT'14: 34.81 BLEU by 5 LSTMs (section 3.6)",
              lambda results: f"{results.median('reversed', 'exact'):.1%} exact (median)"),
        Claim("reading the source from its end is better", _better,
              "test perplexity 5.8 to 4.7, BLEU 25.9 to 30.6 (section 3.3)",
              lambda results: f"{results.median('forward', 'exact'):.1%} forward, "
                              f"{results.median('reversed', 'exact'):.1%} reversed (medians)"),
        Claim("a beam of 5 says no fewer right than the likeliest word each time",
              lambda seed: all(outcome["beam"] >= outcome["exact"] for outcome in seed.values()),
              "five LSTMs, reversed: BLEU 33.00 with a beam of 1, 34.81 with 12 (table 1)",
              lambda results: f"forward {results.median('forward', 'exact'):.1%}, "
                              f"beam {results.median('forward', 'beam'):.1%}; reversed "
                              f"{results.median('reversed', 'exact'):.1%}, "
                              f"beam {results.median('reversed', 'beam'):.1%} (medians)"),
    ),
    figures=figures,
    quick=Size(seeds=1, limit=100, learned=80, hidden=24, batch=32, updates=60),
    full=Size(seeds=5, pilots=1, limit=1_000_000, learned=3000, hidden=64, batch=64, updates=1500),
    needs=("num2words",),
    seconds=200,
)  # fmt: skip
