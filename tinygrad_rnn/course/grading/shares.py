"""Points: what each check of an exercise earns, from what was found out about the answer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ..manifest import Exercise, Grading
from ..verdict import CheckResult
from .judging import Judged


@dataclass(frozen=True)
class Findings:
    """What counts for points. `complete`: every case was answered; `named`: the whole answer is a known mistake's;
    `numerical`: its derivatives are; `changed`: it changes its inputs; `foreign`: an autograd engine was imported."""

    complete: bool
    named: bool = False
    numerical: bool = False
    changed: bool = False
    foreign: bool = False


def earned(exercise: Exercise, grading: Grading, judged: Sequence[Judged], found: Findings) -> Iterator[CheckResult]:
    """Each check by itself: right outputs keep their points, whatever the others are; but how they were come by counts
    for them as well, so that a wrong part never pays more than a right one."""
    faults = [fault for each in judged for fault in each.faults]
    answered = found.complete and not found.foreign and not any(fault.whole for fault in faults)
    for check in exercise.checks:
        hit = any(f.output == output or f.output.startswith(f"{output}.") for f in faults for output in check.outputs)
        right = answered and not hit
        share = 1.0 if right else grading.mistake if found.named else 0.0
        if right and found.numerical:
            share = min(share, grading.numerical)
        if right and found.changed:
            share = min(share, grading.mistake)
        yield CheckResult(check.name, check.points, check.points * share, right and share == 1.0)
