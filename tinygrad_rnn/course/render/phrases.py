"""What all renderings of a verdict say alike: its kind in a symbol and words, points, file, what was printed."""

from __future__ import annotations

import re
from collections.abc import Iterable

from ..manifest import spell_points
from ..verdict import Kind, Verdict
from ..words import say

RIGHT, WRONG, PARTLY, OPEN, HALTED = "✔", "✘", "◐", "○", "■"
SYMBOLS: dict[Kind, str] = {
    "right": RIGHT, "not attempted": OPEN, "stopped": HALTED, "numerical": PARTLY, "not by hand": PARTLY,
}  # fmt: skip


def symbol(verdict: Verdict) -> str:
    """One character for the kind: a second cue beside colour, and never the only one."""
    return SYMBOLS.get(verdict.kind, WRONG)


def kind(verdict: Verdict) -> str:
    """The kind in words; of a mistake, with its name."""
    if verdict.kind != "mistake" or not verdict.mistakes:
        return say(f"render.{verdict.kind.replace(' ', '_')}")
    name = "mistake" if len(verdict.mistakes) == 1 else "mistakes" if verdict.certain else "either"
    return say("render.names", says=say(f"render.{name}"), names=", ".join(verdict.mistakes))


def title(verdict: Verdict) -> str:
    """The exercise's title, harmless to print; an extra one says so."""
    shown = harmless(verdict.title)
    return say("render.extra_title", title=shown) if verdict.part == "extra" else shown


def points(verdict: Verdict) -> str:
    """`0.5 of 2 points`"""
    which = "point" if verdict.points == 1 else "points"
    return say(f"render.{which}", earned=spell_points(verdict.earned), points=spell_points(verdict.points))


def share(earned: float, of: float) -> str:
    """`0.5/2`"""
    return f"{spell_points(earned)}/{spell_points(of)}"


def source(verdict: Verdict) -> str:
    """`exercise.py, saved 14:03:20`: which code was read; "" where that is not known."""
    if verdict.file is None:
        return ""
    name = harmless(verdict.file.name)
    return name if verdict.saved is None else say("render.saved", file=name, time=f"{verdict.saved:%H:%M:%S}")


def shows_checks(verdict: Verdict) -> bool:
    """Only of an exercise that is partly right: else the verdict says it for all of its checks."""
    return len({check.passed for check in verdict.checks}) == 2


def for_paper(sentence: str) -> bool:
    """Whether it tells the smallest case, for who wants to do it on paper: of a verdict's sentences the least."""
    return sentence.startswith(say("grading.paper", case="\0", what="", expected="", got="").partition("\0")[0])


def without_sizes(sentence: str) -> str:
    """The same without the sizes of the case that it names at its end.

    >>> without_sizes("dW[0, 1] should be 2, yours is 1. (case general: T=7, B=2)")
    'dW[0, 1] should be 2, yours is 1. (case general)'
    """
    return re.sub(r": [A-Za-z]\w*=\d[^()]*\)$", ")", sentence)


def told_before(verdict: Verdict, earlier: Iterable[Verdict]) -> str:
    """`bptt.3: the same as bptt.2`, where the code could not be run and that was said already; else ""."""
    if verdict.kind not in ("error", "stopped"):
        return ""
    alike = (v for v in earlier if (v.kind, v.lesson, v.lines) == (verdict.kind, verdict.lesson, verdict.lines))
    other = next((v.key for v in alike if v.key != verdict.key), None)
    return say("render.same_as", key=verdict.key, other=other) if other else ""


def printed(verdict: Verdict, most: int) -> list[str]:
    """The first lines of what the learner's code printed, at most `most`, the last of them saying how many were cut."""
    lines = harmless(verdict.printed).rstrip().split("\n") if verdict.printed.strip() else []
    if len(lines) <= most:
        return lines
    cut = len(lines) - most + 1
    return [*lines[: most - 1], say("render.one_more_line" if cut == 1 else "render.more_lines", count=cut)]


def harmless(text: str) -> str:
    """Text that a learner's code made, as it may be shown: control characters (and so escape sequences, and marks that
    turn the direction of writing) as middle dots.

    >>> harmless("a\\x1b[31m\\tb\\r\\n")
    'a·[31m    b\\n'
    """
    text = text.replace("\r\n", "\n").expandtabs(4)
    return "".join(c if c == "\n" or c.isprintable() else "·" for c in text)
