"""How a claim came out: true of k of n seeds, the interval that this leaves, and one word."""

from __future__ import annotations

import math
from dataclasses import dataclass

from .experiment import Claim, Results

ENOUGH, LITTLE = 0.8, 0.2  # of the seeds: from the one on a claim is reproduced, up to the other it is not
FEW = 3  # seeds: fewer than that decide nothing
Z = 1.959963984540054  # of a standard normal distribution 95 % lie within


@dataclass(frozen=True)
class Verdict:
    """`held` of `seeds`; between `low` and `high` lies the share of all seeds of which the claim is true (95 %)."""

    claim: Claim
    held: int
    seeds: int

    @property
    def interval(self) -> tuple[float, float]:
        return interval(self.held, self.seeds)

    @property
    def word(self) -> str:
        if self.seeds < FEW:
            return "a glance"
        if self.held >= ENOUGH * self.seeds:
            return "reproduced"
        return "in part" if self.held > LITTLE * self.seeds else "not reproduced"


def judge(claim: Claim, results: Results) -> Verdict:
    """Count the seeds of which the claim is true."""
    return Verdict(claim, sum(bool(claim.holds(outcomes)) for outcomes in results.seeds), len(results.seeds))


def interval(held: int, seeds: int) -> tuple[float, float]:
    """The 95 % interval of a share of which `held` of `seeds` were seen (E. B. Wilson 1927; it does not collapse at 0
    and 1, as the normal one does).

    >>> [round(x, 3) for x in interval(5, 5)]
    [0.566, 1.0]
    """
    share, z2 = held / seeds, Z * Z
    centre = (share + z2 / (2 * seeds)) / (1 + z2 / seeds)
    half = Z / (1 + z2 / seeds) * math.sqrt(share * (1 - share) / seeds + z2 / (4 * seeds * seeds))
    return max(0.0, centre - half), min(1.0, centre + half)
