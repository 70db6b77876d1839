"""A search for the unit that tracks something, and whether what it found is more than luck.

With a hundred units some will go along with anything a little. So the unit is chosen on one text and scored on another,
and the score is compared with what the best of all units reaches there by luck: against labels that are shifted along
the text, so that they keep their own rhythm and are only in the wrong place. (Shuffled one by one they would be noise,
and noise is no opponent: characters that are near each other have the same label, and so have states.)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

EFFECT, LUCK, SHIFTS = 0.5, 0.05, 200


@dataclass(frozen=True, eq=False)
class Found:
    """The unit that tracks a label best on the first text, and its `score` on the second, where `chance (shifts,)` are
    the best scores of all units against shifted labels. `found`: is it above all but 5 % of those, and at least 0.5?

    A score goes from -1 to 1 (0: nothing in common). For labels that are numbers it is Spearman's rank correlation, for
    labels of no and yes 2 AUC - 1, where `auc` is the chance that the unit is higher (where `sign` is -1: lower) at a
    place with yes than at one with no.
    """

    unit: int
    sign: int
    score: float
    first: float
    chance: np.ndarray
    binary: bool
    effect: float = EFFECT

    @property
    def auc(self) -> float:
        """(score + 1) / 2; NaN for labels that are numbers."""
        return (self.score + 1) / 2 if self.binary else float("nan")

    @property
    def luck(self) -> float:
        """What the best unit reaches against 95 % of the shifted labels."""
        return float(np.quantile(self.chance, 1 - LUCK))

    @property
    def p(self) -> float:
        """How often luck did as well: (1 + shifts that did) / (1 + shifts)."""
        return float((1 + (self.chance >= self.score).sum()) / (1 + len(self.chance)))

    @property
    def found(self) -> bool:
        return self.p <= LUCK and self.score >= self.effect

    def __repr__(self) -> str:
        said = f"AUC {self.auc:.3f}" if self.binary else f"correlation {self.score:.3f}"
        return f"<unit {self.unit}: {said} held out, {'found' if self.found else 'not found'} (p = {self.p:.3f})>"


def search(activations: Any, label: Any, held_activations: Any, held_label: Any, rng: np.random.Generator,
           shifts: int = SHIFTS, effect: float = EFFECT) -> Found:  # fmt: skip
    """The unit of activations (N, U) that goes most with label (N,), scored on `held_activations (M, U)`.

    Rows are characters in the order of the text. Labels are numbers, or 0 and 1; rows whose label is NaN are left out.
    `rng` draws the shifts. After Karpathy, Johnson & Fei-Fei (2015), section 4.1, who looked for such cells by eye.
    Raises ValueError where shapes do not fit or a label is always the same.
    """
    ranks, target, binary = _prepared(activations, label, "label")
    first = target @ ranks
    unit = int(np.abs(first).argmax())
    sign = -1 if first[unit] < 0 else 1
    ranks, target, _ = _prepared(held_activations, held_label, "held-out label", len(first))
    n = len(target)
    starts = rng.integers(max(1, n // 20), n - max(1, n // 20) + 1, size=shifts)  # far from where they belong
    chance = np.concatenate([np.abs(_shifted(target, some) @ ranks).max(axis=1)
                             for some in np.split(starts, range(16, shifts, 16))])  # fmt: skip
    score = sign * float(target @ ranks[:, unit])
    return Found(unit, sign, score, abs(float(first[unit])), chance, binary, effect)


def _shifted(target: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """(shifts, N): the labels from another start on, and at their end from the beginning."""
    return np.stack([np.roll(target, -start) for start in starts])


def _prepared(activations: Any, label: Any, what: str, units: int | None = None) -> tuple[np.ndarray, np.ndarray, bool]:
    """Arrays (N, U) and (N,) whose products are the units' scores, and whether the label is 0 or 1."""
    a, y = np.asarray(activations), np.asarray(label, float)
    if a.ndim != 2 or y.shape != a.shape[:1] or (units is not None and a.shape[1] != units):
        raise ValueError(f"search: activations are (N, {units or 'U'}) and a label (N,), not {a.shape} and {y.shape}")
    asked = ~np.isnan(y)
    a, y = a[asked], y[asked]
    if len(y) < 2 or (y == y[0]).all():
        raise ValueError(f"search: the {what} is the same at all {len(y)} places where it is asked: give more text")
    ranks = np.stack([_ranks(column) for column in a.T], axis=1)
    binary = bool(np.isin(y, (0, 1)).all())
    if binary:  # 2 AUC - 1 is the difference of the mean ranks, as a part of N / 2 (Mann & Whitney 1947)
        yes = y.mean()
        ranks, target = ranks / len(y), 2 / len(y) * (y - yes) / (yes * (1 - yes))
    else:
        lengths, target = np.linalg.norm(ranks, axis=0), _ranks(y)
        ranks, target = ranks / np.where(lengths, lengths, 1), target / np.linalg.norm(target)
    return ranks.astype(np.float32), target.astype(np.float32), binary


def _ranks(values: np.ndarray) -> np.ndarray:
    """The ranks of values (N,) around 0; equal ones share theirs."""
    _, places, counts = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - (counts - 1) / 2.0)[places] - (len(values) + 1) / 2
