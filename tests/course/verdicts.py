"""A verdict of every kind, as a grader would give them, for the tests of what shows verdicts."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any, get_args

from tinygrad_rnn.course.verdict import CheckResult, Kind, Place, Verdict

SAVED = datetime(2026, 3, 4, 14, 3, 20)
HALF = (CheckResult("the gradient on its way to x", 1, 1, True), CheckResult("the gradient of W_hh", 1, 0.25, False))

SAID: dict[str, tuple[str, ...]] = {
    "right": ("Right in all 3 cases.",),
    "not attempted": ("Write `bptt` in exercise.py.",),
    "error": ('line 41: `da = dh @ p["Whh"].T`', "KeyError: 'Whh'", "p has the keys W_xh, W_hh, b_h."),
    "stopped": ("It ran for more than 5 seconds and was stopped.", "Does the loop over the steps come to its end?"),
    "wrong type": ("dW_hh should be an array; you returned a list of 3 arrays.",),
    "wrong shape": ("dW_hh should be (H, H) = (5, 5); you returned (B, H) = (2, 5).", "Sum over the batch."),
    "not finite": ("dH has NaN, first at step 3 (index 2), entry [2, 0, 1].",),
    "changed input": ("Your code changed its input Hs; the next step would see that.", "Work on a copy: Hs.copy()."),
    "mistake": (
        "You left out dh from the step after: dW_hh is right at the last step and wrong from step 6 (index 5) down.",
        "Which two ways lead from h_t to the loss?",
    ),
    "numerical": ("The numbers are right, to 9 digits, and took 61 times as long: finite differences.",),
    "not by hand": ("Your code imports tinygrad_rnn; this exercise is for NumPy alone.",),
    "wrong value": ("dX is wrong from step 6 (index 5), entry [5, 1, 2]: 0.4231 expected, 0.1180 there (72 % off).",),
}  # fmt: skip


def sample(kind: str, **changes: Any) -> Verdict:
    """A verdict on an exercise bptt.2, of that kind."""
    facts: dict[str, Any] = {
        "lesson": "bptt", "exercise": 2, "title": "Backpropagation through the whole sequence", "part": "core",
        "kind": kind, "points": 2, "earned": {"right": 2, "numerical": 1, "mistake": 1.25}.get(kind, 0),
        "lines": SAID[kind], "file": Path("/home/ada/course/03_bptt/exercise.py"), "saved": SAVED,
    }  # fmt: skip
    if kind in ("mistake", "wrong value", "not finite"):
        output = {"mistake": "dW_hh", "wrong value": "dX", "not finite": "dH"}[kind]
        facts["place"] = Place("general", output, (5, 1, 2), ("T", "B", "H"), 5, 7, 0.4231, 0.1180, 0.72)
        facts["figure"] = "elman"
        facts["checks"] = HALF if kind == "mistake" else ()
    if kind == "mistake":
        facts["mistakes"] = ("NO_DH_NEXT",)
    return Verdict(**(facts | changes))


KINDS: tuple[str, ...] = get_args(Kind)
ALL = tuple(sample(kind, exercise=i + 1) for i, kind in enumerate(KINDS))
