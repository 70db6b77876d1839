"""A character model of the standard library's code, seen from the inside: units that keep track, gates, guesses."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ... import flow, nn, optim
from ...course.charmodel import CharModel, sample
from ...course.reading import STREAMS, STRETCH, WARM_UP, Reading, find_units, read
from ...data import Batches, NGrams, Vocabulary, split_files, stdlib_code, text_labels
from ...pictures.charts import curve_chart
from ...pictures.firing import firing, guess_grid
from ...pictures.saturation import saturation_chart
from ..experiment import Arm, Claim, Experiment, Outcome, Results, Size

CHARACTERS = Vocabulary("\n" + "".join(map(chr, range(32, 127))))
SAMPLED = (100, 300, 500, 700, 1200, 2000)  # updates after which the lecture shows what the model writes
ASKED, MORE, HARD = ("quotes", "comments", "indent", "line"), ("brackets", "newline"), ("if", "depth")
ORDER = 6  # of the longest counted context
SHOWN, WINDOW = 420, 200  # characters in a picture of a unit, and of guesses


def trial(arm: Arm, rate: float | None, seed: int, size: Size) -> Outcome:
    """Train on most files of the standard library; then read the others, and look for units that track something."""
    rng = np.random.default_rng(seed)
    seen, held_out = split_files(stdlib_code(), rng, 0.1, size.characters)
    model = CharModel(CHARACTERS, "lstm", size.hidden, rng=rng)
    assert rate is not None
    curve, samples = _train(model, seen, held_out, rate, size, rng)
    reading = _read(model, held_out)
    counted = NGrams(CHARACTERS.encode(seen), len(CHARACTERS), ORDER).probabilities(CHARACTERS.encode(held_out))
    next_places = reading.places[reading.places + 1 < len(held_out)] + 1
    found = find_units(model, seen[:1_000_000], held_out, "c", rng=rng)
    labels = text_labels(held_out[:100_000])
    return {
        "score": _bits(reading),
        "ngrams": [float(-np.log2(p[next_places]).mean()) for p in counted],
        "curve": curve,
        "samples": samples,
        "units": {name: each if isinstance(each, str) else _facts(each) for name, each in found.items()},
        "saturation": {gate: [np.round(each.left, 3), np.round(each.right, 3)]
                       for gate, each in flow.gate_saturation(reading.recording).items()},
        "pictures": {name: _excerpt(model, held_out, labels[name], each.unit) for name, each in found.items()
                     if isinstance(each, flow.Found) and each.found},
        "guesses": _guesses(model, held_out),
    }  # fmt: skip


def _train(model: CharModel, seen: str, held_out: str, rate: float, size: Size,
           rng: np.random.Generator) -> tuple[list[list[float]], list[list[Any]]]:  # fmt: skip
    """Truncated BPTT with the state carried on; the rate falls to zero over the last two fifths. Gives the bits that a
    character held out costs, [update, bits], and what the model writes, [update, text]."""
    batches = Batches(CHARACTERS.encode(seen), size.batch, size.steps)
    optimizer = optim.Adam(model.parameters(), lr=rate)
    curve: list[list[float]] = []
    samples: list[list[Any]] = []
    state = None
    for update in range(1, size.updates + 1):
        window = (update - 1) % len(batches)
        optimizer.zero_grad()
        loss, state = model.loss(batches[window], state if window else None)
        loss.backward()
        optim.clip_grad_norm(model.parameters(), 1.0)
        optimizer.lr = rate * min(1.0, 2.5 * (1 - update / size.updates))
        optimizer.step()
        state = nn.detach(state)
        if update in SAMPLED or update == size.updates:
            samples.append([update, sample(model, length=300, temperature=0.8, rng=rng)])
        if update % (size.updates // 5) == 0:
            curve.append([update, _bits(_read(model, held_out))])
    return curve, samples


def _read(model: CharModel, text: str) -> Reading:
    return read(model, text, STREAMS, STRETCH, WARM_UP)


def _bits(reading: Reading) -> float:
    return float(np.nanmean(reading.surprises()))


def _facts(found: flow.Found) -> dict[str, Any]:
    return {"unit": found.unit, "found": found.found, "score": found.score, "auc": found.auc if found.binary else None,
            "luck": found.luck, "p": found.p}  # fmt: skip


def _excerpt(model: CharModel, text: str, label: np.ndarray, unit: int) -> dict[str, Any]:
    """The unit over a piece of the text where its label changes much."""
    starts = np.arange(WARM_UP, max(WARM_UP + 1, len(label) - SHOWN), 50)
    start = int(starts[np.argmax([np.nan_to_num(label[s : s + SHOWN]).std() for s in starts])])
    start = text.rfind("\n", start - 60, start) + 1 or start  # at the beginning of its line
    values = read(model, text[start - WARM_UP : start + SHOWN]).units("c")[WARM_UP:, unit]
    return {"text": text[start : start + SHOWN], "values": np.round(values, 3)}


def _guesses(model: CharModel, text: str) -> dict[str, Any]:
    start = text.index("\n", WARM_UP) + 1
    guesses = read(model, text[start - WARM_UP : start + WINDOW]).guesses()[WARM_UP:]
    return {"text": text[start : start + WINDOW], "next": [[[c, round(p, 3)] for c, p in row] for row in guesses]}


def figures(results: Results) -> dict[str, Any]:
    outcome = results.seeds[0]["LSTM"]
    updates, bits = zip(*outcome["curve"], strict=True)
    curves: dict[str, tuple[Any, Any]] = {"LSTM": (updates, bits)}
    curves |= {f"{n}-gram": (updates, [outcome["ngrams"][n - 1]] * len(updates)) for n in (2, 3, 4, ORDER)}
    drawn = {
        "bits": curve_chart(curves, "What a character held out costs, first seed", "update", "bits a character"),
        "guesses": guess_grid(outcome["guesses"]["text"], outcome["guesses"]["next"]),
        "saturation": saturation_chart({gate: flow.Saturation(np.array(left), np.array(right))
                                        for gate, (left, right) in outcome["saturation"].items()}),
        "units": _table(outcome["units"]),
        "samples": _written(outcome["samples"]),
    }  # fmt: skip
    for name, piece in outcome["pictures"].items():
        unit = outcome["units"][name]["unit"]
        picture = firing(piece["text"], piece["values"], f"c of unit {unit}", title=f"{name}: c of unit {unit}")
        drawn |= {f"unit-{name}": picture, f"unit-{name}-page": picture.html}
    return drawn


def _table(units: Mapping[str, Any]) -> str:
    lines = ["Scores are of files held out; luck: what the best unit reaches against 95 % of shifted labels.\n",
             f"{'label':<12}{'unit':>5}{'score':>8}{'AUC':>8}{'luck':>8}"]  # fmt: skip
    for name, each in units.items():
        if isinstance(each, str):
            lines.append(f"{name:<12}{'-':>5}  {each}")
            continue
        auc = "" if each["auc"] is None else f"{each['auc']:.3f}"
        lines.append(f"{name:<12}{each['unit']:>5}{each['score']:>8.3f}{auc:>8}{each['luck']:>8.3f}   "
                     + ("found" if each["found"] else "not found"))  # fmt: skip
    return "\n".join(lines) + "\n"


def _written(samples: list[list[Any]]) -> str:
    head = "What the model writes as it learns, from the beginning of a line and at temperature 0.8, after as many\n"
    head += "updates as in the lecture.\n"
    return head + "".join(f"\n--- after {update} updates\n{text}\n" for update, text in samples)


def _units_found(seed: Mapping[str, Outcome], names: tuple[str, ...] = ASKED) -> list[int]:
    units = seed["LSTM"]["units"]
    return [units[name]["unit"] for name in names if not isinstance(units[name], str) and units[name]["found"]]


def _scores(*names: str) -> Callable[[Results], str]:
    def said(results: Results) -> str:
        parts = []
        for name in names:
            each = [units[name] for units in results.of("LSTM", "units") if not isinstance(units[name], str)]
            if each and each[0]["auc"] is None:
                parts.append(f"{name} {np.median([one['score'] for one in each]):.2f}")
            elif each:
                parts.append(f"{name} AUC {np.median([one['auc'] for one in each]):.2f}")
        return ", ".join(parts) + " (medians)"

    return said


def _keeps(seed: Mapping[str, Outcome]) -> bool:
    shut, wide = (np.array(part) for part in seed["LSTM"]["saturation"]["f"])
    return bool((wide > 0.9).any() and not (shut > 0.9).any())


def _open_gates(results: Results) -> str:
    counts = [(np.array(gates["f"][1]) > 0.9).sum() for gates in results.of("LSTM", "saturation")]
    return f"{np.median(counts):.0f} of {results.size.hidden} nearly always open (median)"


def _cost(results: Results) -> str:
    counted = np.median(results.of("LSTM", "ngrams"), axis=0)
    ours = f"{results.median('LSTM'):.2f} bits"
    return f"{ours}; the 3-gram {counted[2]:.2f}, the {ORDER}-gram {counted[-1]:.2f}"


EXPERIMENT = Experiment(
    title="Looking inside a character model of Python's own code",
    chapter="inside",
    source="Karpathy, Johnson & Fei-Fei 2015, sections 3 and 4; the lecture's firing neurons, guesses and samples",
    about="An LSTM of one layer reads most of the standard library's code, character by character. Then every cell "
    "state is compared with what a reader knows: inside a string, a comment, brackets, how deep the indentation, how "
    "far in the line. The unit is chosen on files of the training, scored on files held out, and has to beat what the "
    "best of all units reaches against labels shifted along the text. The moments of the samples are the lecture's, "
    "whose own are of a model of War and Peace (one deck calls them Shakespeare's plays).",
    arms=(Arm("LSTM", (0.01,)),),
    trial=trial,
    claims=(
        Claim("units for 3 or 4 of: strings, comments, indentation, line position",
              lambda seed: len(_units_found(seed)) >= 3, "such cells shown, found by eye; no score", _scores(*ASKED)),
        Claim("and these are at least three different units", lambda seed: len(set(_units_found(seed))) >= 3,
              "no figure",
              lambda results: f"{np.median([len(set(_units_found(seed))) for seed in results.seeds]):.0f} (median)"),
        Claim("units for brackets and the coming newline", lambda seed: len(_units_found(seed, MORE)) == len(MORE),
              "shown; no score", _scores(*MORE)),
        Claim("units for conditions (if) and the depth of brackets",
              lambda seed: len(_units_found(seed, HARD)) == len(HARD), "shown; no score", _scores(*HARD)),
        Claim("forget gates: some nearly always open, none nearly always shut", _keeps,
              "shown; no number", _open_gates),
        Claim(f"fewer bits a character than the best counted context (up to {ORDER})",
              lambda seed: seed["LSTM"]["score"] < min(seed["LSTM"]["ngrams"]),
              "the best LSTM 1.077 nats, the 20-gram 1.195 (War and Peace)", _cost),
    ),
    figures=figures,
    quick=Size(seeds=1, characters=200_000, hidden=24, batch=16, steps=32, updates=100),
    full=Size(seeds=3, characters=None, hidden=128, batch=32, steps=64, updates=3000),
    seconds=330,
)  # fmt: skip
