"""A verdict as text: a dozen lines or less, if that can be, for a terminal, a test report or a log."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence

from ..verdict import CheckResult, Verdict
from ..words import say
from . import phrases

LINES, MOST = 12, 20  # of a verdict: the aim, for which what matters less gives way; and more than that never
PRINTED, CHECKS = 3, 5  # lines at most
INDENT = "  "
COLOURS = {phrases.RIGHT: "32", phrases.WRONG: "31", phrases.PARTLY: "33", phrases.OPEN: "36", phrases.HALTED: "31"}


def spelled(verdict: Verdict, width: int = 80, colour: bool = False) -> str:
    """The verdict in lines of at most `width` characters; `colour` adds a terminal's escape sequences.

    Exercise and points; what kind; the sentences; the checks, where some are right and some are not; what the learner's
    code printed; which file was read, and where the next hint is. Where that is more than a dozen lines, the case for
    paper goes first, then how large the case is, then what was printed, then the checks are told together. The other
    sentences stay whole; only of what is longer than any verdict should be, the last ones go.
    """
    width = max(width, 40)
    symbol = phrases.symbol(verdict)
    head = _ends(f"{verdict.key}  {phrases.title(verdict)}", phrases.points(verdict), width)
    kind = _wrapped(f"{symbol} {phrases.kind(verdict)}", width)
    foot = _foot(verdict, width)
    room = LINES - 1 - len(kind) - len(foot)
    sentences = _sentences(verdict.lines, width)
    checks = _checks(verdict.checks, width) if phrases.shows_checks(verdict) else []
    printed = _printed(verdict, width)
    if len(sentences) + len(checks) + len(printed) > room:
        told = [line for line in verdict.lines if not phrases.for_paper(line)]
        sentences = _sentences(told, width)
        if len(sentences) + len(checks) + len(printed) > room:
            sentences = min(sentences, _sentences(map(phrases.without_sizes, told), width), key=len)
    if len(sentences) + len(checks) + len(printed) > room:
        printed = _printed(verdict, width, room - len(sentences) - len(checks))
    if len(sentences) + len(checks) > room:
        checks = _checks(verdict.checks, width, wrong_only=True)
    if len(sentences) + len(checks) > room and checks:
        checks = [_all_checks(verdict.checks, width)]
    if colour:
        ink = COLOURS[symbol]
        head, kind = f"\033[1m{head}\033[0m", [f"\033[{ink}m{line}\033[0m" for line in kind]
        checks = [f"\033[{COLOURS[line.strip()[0]]}m{line}\033[0m" for line in checks]
        printed, foot = ([f"\033[2m{line}\033[0m" for line in lines] for lines in (printed, foot))
    return "\n".join([head, *kind, *sentences, *checks, *printed, *foot])


def table(verdicts: Iterable[Verdict], width: int = 80, colour: bool = False) -> str:
    """The table of points: exercise, title, verdict, points, a block for each lesson; at its end core, extra, total."""
    verdicts = list(verdicts)
    if not verdicts:
        return ""
    heads = [say(f"render.{name}") for name in ("exercise", "title", "verdict", "points_head")]
    rows = [[v.key, phrases.title(v), f"{phrases.symbol(v)} {v.kind}", phrases.share(v.earned, v.points)]
            for v in verdicts]  # fmt: skip
    first, kind, points = (max(len(row[i]) for row in [heads, *rows]) for i in (0, 2, 3))
    room = max(width - first - kind - points - 6, 12)
    titles = min(room, max(len(row[1]) for row in [heads, *rows]))

    def line(row: Sequence[str]) -> str:
        return f"{row[0]:{first}}  {_cut(row[1], titles):{titles}}  {row[2]:{kind}}  {row[3]:>{points}}"

    lines, lesson = [line(heads)], verdicts[0].lesson
    for verdict, row in zip(verdicts, rows, strict=True):
        if verdict.lesson != lesson:
            lines, lesson = [*lines, ""], verdict.lesson
        drawn = line(row)
        lines.append(f"\033[{COLOURS[phrases.symbol(verdict)]}m{drawn}\033[0m" if colour else drawn)
    return "\n".join([*lines, "", totals(verdicts)])


def totals(verdicts: Sequence[Verdict]) -> str:
    """`3 of 5 exercises right · core 3/5 · extra 0/1 · total 3/6`"""
    said = [say("render.table_of", right=sum(v.right for v in verdicts), all=len(verdicts))]
    extra = any(v.part == "extra" for v in verdicts)
    for part in ("core", "extra", "total") if extra else ("total",):
        mine = [v for v in verdicts if part in (v.part, "total")]
        earned, points = phrases.share(sum(v.earned for v in mine), sum(v.points for v in mine)).split("/")
        said.append(say(f"render.{part}_points", earned=earned, points=points))
    return " · ".join(said)


def _sentences(lines: Iterable[str], width: int) -> list[str]:
    """The sentences' lines; where they are too many, the last sentences go, and of a single one the end."""
    room = MOST - 6  # the head, the kind in two lines, all checks in one, and the foot in two
    wrapped = [_wrapped(phrases.harmless(line), width, INDENT) for line in lines]
    while len(wrapped) > 1 and sum(map(len, wrapped)) > room:
        wrapped.pop()
    if len(wrapped) == 1 and len(wrapped[0]) > room:
        wrapped[0] = [*wrapped[0][: room - 1], _cut(wrapped[0][room - 1] + " " + say("render.and_more"), width)]
    return [line for each in wrapped for line in each]


def _foot(verdict: Verdict, width: int) -> list[str]:
    source = phrases.source(verdict)
    how = say("render.hint_command", key=verdict.key)
    hint = "" if verdict.right else say("render.next_step", how=how)
    said = [part for part in (source, hint) if part]
    one = INDENT + " · ".join(said)
    return ([one] if len(one) <= width else [_cut(INDENT + part, width) for part in said]) if said else []


def _checks(checks: Sequence[CheckResult], width: int, wrong_only: bool = False) -> list[str]:
    """One line for each check, or, where these are too many, one for all that are right together."""
    right = [check for check in checks if check.passed]
    shown = [check for check in checks if not check.passed or not (wrong_only or len(checks) > CHECKS)]
    lines = [
        _ends(f"{INDENT}{phrases.RIGHT if check.passed else phrases.WRONG} {phrases.harmless(check.name)}",
              phrases.share(check.earned, check.points), width)
        for check in shown[:CHECKS]
    ]  # fmt: skip
    if len(shown) < len(checks) and right:
        earned, points = sum(check.earned for check in right), sum(check.points for check in right)
        said = say("render.one_other_check" if len(right) == 1 else "render.other_checks", count=len(right))
        lines.append(_ends(f"{INDENT}{phrases.RIGHT} {said}", phrases.share(earned, points), width))
    return lines


def _all_checks(checks: Sequence[CheckResult], width: int) -> str:
    said = say("render.all_checks", right=sum(check.passed for check in checks), all=len(checks))
    points = phrases.share(sum(check.earned for check in checks), sum(check.points for check in checks))
    return _ends(f"{INDENT}{phrases.PARTLY} {said}", points, width)


def _printed(verdict: Verdict, width: int, most: int = PRINTED + 1) -> list[str]:
    """What was printed, under its label, in `most` lines with that; nothing where there is no room for both."""
    if most < 2:
        return []
    lines = phrases.printed(verdict, min(most - 1, PRINTED))
    label = INDENT + say("render.printed")
    return [label, *(_cut(f"{INDENT}| {line}", width) for line in lines)] if lines else []


def _wrapped(text: str, width: int, indent: str = "") -> list[str]:
    """The lines of a text; an item of a list, `- ...`, hangs on its dash."""
    lines = []
    for part in text.split("\n"):
        hanging = indent + INDENT if part.startswith("- ") else indent
        lines += textwrap.wrap(part, width, initial_indent=indent, subsequent_indent=hanging, break_on_hyphens=False)
    return lines


def _ends(left: str, right: str, width: int) -> str:
    """`left` at the left and `right` at the right end of the line, never touching."""
    left = _cut(left, width - len(right) - 2)
    return f"{left}{' ' * (width - len(left) - len(right))}{right}"


def _cut(text: str, width: int) -> str:
    more = say("render.and_more")
    return text if len(text) <= width else text[: width - len(more)].rstrip() + more
