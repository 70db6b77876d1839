"""The diagnosis: which known mistakes, alone or together, do exactly what a wrong answer does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..cases import Cases
from .judging import Judged
from .marks import mark, marked, same


@dataclass(frozen=True)
class Explanation:
    """Mistakes that account for an answer.

    `either` holds the sets of mistakes, as few mistakes as possible, of which each alone does what the answer does in
    every case; one set is a diagnosis, several are candidates. `weak`: all that was seen is that it stops with an
    exception of the same type. `partly` names, for an output, a mistake that accounts for that output alone.
    """

    either: tuple[tuple[str, ...], ...] = ()
    weak: bool = False
    partly: tuple[tuple[str, str], ...] = ()

    @property
    def certain(self) -> bool:
        """Whether there is one explanation, and more was seen of it than an exception."""
        return len(self.either) == 1 and not self.weak


def explain(cases: Cases, judged: Sequence[Judged]) -> Explanation:
    """The explanation of the answers to all scored cases, in their order."""
    if len(judged) != len(cases.scored) or not cases.explanations:
        return Explanation()
    seen = np.array([marked(each.values, output, _failure(each)) for each in judged for output in each.case.expected])
    wanted = np.array([mark(value) for case in cases.scored for value in case.expected.values()])
    agree, right = same(cases.marks, seen), same(seen, wanted)
    fits = agree.all(axis=1) & ~same(cases.marks, wanted).all(axis=1)  # slips that undo each other explain nothing
    fitting = [cases.explanations[row] for row in np.flatnonzero(fits)]
    if not seen[~right, 1:].any():  # what is wrong is all zeros: too little to see several slips in it
        fitting = [names for names in fitting if len(names) == 1]
    if fitting:
        fewest = min(map(len, fitting))
        returned = any(each.answer.outcome == "returned" for each in judged)
        return Explanation(tuple(names for names in fitting if len(names) == fewest), weak=not returned)
    return Explanation(partly=tuple(_partly(cases, agree, same(cases.marks, wanted), right)))


def _failure(judged: Judged) -> str:
    answer = judged.answer
    if answer.outcome == "returned":
        return ""
    return f"raises {answer.error.type}" if answer.outcome == "raised" and answer.error else answer.outcome


def _partly(cases: Cases, agree: np.ndarray, harmless: np.ndarray, right: np.ndarray) -> list[tuple[str, str]]:
    """(output, mistake) where one mistake alone does in every case what was seen of that output, which is wrong."""
    found = []
    outputs = [output for _, output in cases.slots]
    counts = {output for case in cases.scored for output, value in case.expected.items() if value.dtype.kind in "iub"}
    for output in dict.fromkeys(outputs):
        if output in counts:  # a yes or no is soon the same
            continue
        slots = [number for number, name in enumerate(outputs) if name == output]
        for row, names in enumerate(cases.explanations):
            wrong = not right[slots].all() and not harmless[row, slots].all()
            if len(names) == 1 and wrong and agree[row, slots].all():
                found.append((output, names[0]))
                break
    return found
