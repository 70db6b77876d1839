"""The grader without its channel: the same judging, of an author's own code, in this process.

For hidden cases, which are many; the public ones go through a child process, as a learner's code does.
"""

from __future__ import annotations

from collections.abc import Mapping
from time import perf_counter
from types import ModuleType
from typing import cast

from ..cases import Case, Cases
from ..grading.grader import Grader
from ..grading.judging import Judged, judge
from ..manifest import Exercise
from ..runner import Answer, Error, Leaf, Limits
from ..runner.answers import Structure
from ..runner.trees import flatten, structure
from ..verdict import Verdict
from .bench import Bench

BYTES = Limits().answer_mb * 2**20


def verdict_inside(bench: Bench, cases: Mapping[str, Cases], exercise: Exercise, mistakes: tuple[str, ...]) -> Verdict:
    """The verdict on the solution with these mistakes made in `exercise`, which can be made together."""
    source, module = bench.mistaken(exercise, mistakes), bench.module(exercise, mistakes)
    assert source is not None
    assert module is not None
    return _Inside(bench, module, source, cases).verdict(exercise)


class _Inside(Grader):
    def __init__(self, bench: Bench, module: ModuleType, source: str, cases: Mapping[str, Cases]) -> None:
        super().__init__(bench.lesson, source, cases)
        self.bench, self.module = bench, module

    def _ask(self, exercise: Exercise, case: Case, seconds: float | None = None) -> Judged:
        return judge(exercise, case, self._answer(exercise, case))

    def _answer(self, exercise: Exercise, case: Case) -> Answer:
        start = perf_counter()
        try:
            value = self.bench.called(exercise, self.module, case.inputs)
        except Exception as why:
            return Answer("unfinished" if isinstance(why, NotImplementedError) else "raised", "call",
                          error=Error(type(why).__name__, str(why), None, "", ""))  # fmt: skip
        seconds = perf_counter() - start
        leaves, arrays, _ = flatten(value, BYTES)
        return Answer("returned", "call", values=arrays, leaves={path: Leaf(*leaf) for path, leaf in leaves.items()},
                      structure=cast(Structure, structure(value)), seconds=seconds)  # fmt: skip
