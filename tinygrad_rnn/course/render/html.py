"""A verdict as HTML for a notebook's cell: of one piece, nothing to fetch, legible on a light page and a dark one."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from html import escape

from ..verdict import Verdict
from ..words import say
from . import phrases

PRINTED = 40  # lines at most
# White on these is legible (contrast 4.5 and more), and so are they as a bar on white and on near black.
COLOURS = {phrases.RIGHT: "#15803d", phrases.WRONG: "#c62828", phrases.PARTLY: "#a16207", phrases.OPEN: "#4b6a8a",
           phrases.HALTED: "#c62828"}  # fmt: skip
# The page's own colours are inherited: a notebook's theme is known to the notebook alone.
CARD = "border-left:4px solid {ink};padding:.35em 0 .35em .9em;margin:.4em 0;max-width:62em;line-height:1.45;"
ROW = "display:flex;flex-wrap:wrap;gap:.2em 1em;justify-content:space-between;align-items:baseline;"
BADGE = "display:inline-block;background:{ink};color:#fff;border-radius:.3em;padding:.1em .55em;font-weight:600;"
FAINT = "opacity:.75;font-size:.92em;"
SIDE = "white-space:nowrap;font-variant-numeric:tabular-nums;"
PRE = "font-size:.9em;white-space:pre-wrap;overflow-wrap:anywhere;margin:.3em 0;max-height:20em;overflow:auto;"
CELL = "text-align:{side};padding:.2em .9em .2em 0;border-bottom:1px solid #8886;"


def spelled(verdict: Verdict) -> str:
    """The verdict as one <div>, with the first wrong edge drawn where the verdict has its place. All text that a
    learner or a lesson wrote is escaped."""
    ink = COLOURS[phrases.symbol(verdict)]
    head = (f"<strong>{_text(verdict.key)}&ensp;{_text(phrases.title(verdict))}</strong>"
            f'<span style="{SIDE}">{_text(phrases.points(verdict))}</span>')  # fmt: skip
    badge = f'<span style="{BADGE.format(ink=ink)}">{phrases.symbol(verdict)} {_text(phrases.kind(verdict))}</span>'
    sentences = "".join(f'<div style="margin:.25em 0">{_marked(line)}</div>' for line in verdict.lines)
    parts = [f'<div style="{ROW}">{head}</div>', f'<div style="margin:.35em 0">{badge}</div>', sentences]
    if phrases.shows_checks(verdict):
        parts.append(_checks(verdict))
    parts += [_figure(verdict), _printed(verdict), _foot(verdict)]
    about = escape(f"{verdict.key}: {phrases.kind(verdict)}")
    style = CARD.format(ink=ink)
    return f'<div role="group" aria-label="{about}" style="{style}">\n' + "\n".join(filter(None, parts)) + "\n</div>"


def table(verdicts: Iterable[Verdict]) -> str:
    """The table of points, and under it every verdict on what was attempted and is not yet right, to be opened."""
    from .terminal import totals

    verdicts = list(verdicts)
    heads = [(say(f"render.{name}"), side) for name, side in (
        ("exercise", "left"), ("title", "left"), ("verdict", "left"), ("points_head", "right"))]  # fmt: skip
    head = "".join(f'<th scope="col" style="{CELL.format(side=side)}">{_text(name)}</th>' for name, side in heads)
    rows = "\n".join(_row(verdict) for verdict in verdicts)
    table = (f'<table style="border-collapse:collapse;margin:.4em 0"><thead><tr>{head}</tr></thead>\n'
             f"<tbody>\n{rows}\n</tbody></table>\n<div><strong>{_text(totals(verdicts))}</strong></div>")  # fmt: skip
    wrong = [verdict for verdict in verdicts if not verdict.right and verdict.kind != "not attempted"]
    opened = "\n".join(_opened(verdict, wrong[:i]) for i, verdict in enumerate(wrong))
    return f"<div>\n{table}\n{opened}\n</div>"


def _opened(verdict: Verdict, before: Sequence[Verdict]) -> str:
    """A verdict under the table, to be opened; or, where one before it says the same, a line."""
    if same := phrases.told_before(verdict, before):
        return f'<div style="margin:.4em 0">{_text(same)}</div>'
    return (f'<details style="margin:.4em 0"><summary style="cursor:pointer">{_text(verdict.key)}: '
            f"{_text(phrases.kind(verdict))}</summary>{spelled(verdict)}</details>")  # fmt: skip


def _row(verdict: Verdict) -> str:
    ink = COLOURS[phrases.symbol(verdict)]
    word = f"{phrases.symbol(verdict)} {_text(verdict.kind)}"
    badge = f'<span style="{BADGE.format(ink=ink)}font-size:.9em">{word}</span>'
    cells = [(_text(verdict.key), "left"), (_text(phrases.title(verdict)), "left"), (badge, "left"),
             (phrases.share(verdict.earned, verdict.points), "right")]  # fmt: skip
    return "<tr>" + "".join(f'<td style="{CELL.format(side=side)}">{cell}</td>' for cell, side in cells) + "</tr>"


def _checks(verdict: Verdict) -> str:
    rows = []
    for check in verdict.checks:
        symbol, word = (phrases.RIGHT, "right") if check.passed else (phrases.WRONG, "wrong")
        sign = f'<span role="img" aria-label="{escape(say(f"render.check_{word}"))}">{symbol}</span>'
        rows.append(f'<div style="{ROW}"><span>{sign} {_text(check.name)}</span>'
                    f'<span style="{SIDE}">{phrases.share(check.earned, check.points)}</span></div>')  # fmt: skip
    return f'<div style="margin:.4em 0 .4em 1em;max-width:40em">{"".join(rows)}</div>'


def _figure(verdict: Verdict) -> str:
    place = verdict.place
    if place is None or place.step is None or place.steps is None or verdict.figure not in ("elman", "lstm"):
        return ""
    from .figure import first_wrong_edge

    before = {"T": 0, "T+1": 1}.get("".join(place.axes[:1]).replace(" ", ""))  # of T + 1 states, one precedes step 1
    if before is None or place.step < before:
        return ""
    svg = first_wrong_edge(verdict.figure, verdict.edge or place.output, place.step - before, place.steps - before)
    svg = svg.replace("<svg ", '<svg style="display:block;max-width:100%;height:auto" ', 1)
    return f'<div style="background:#fff;border-radius:.4em;margin:.6em 0;width:fit-content;max-width:100%">{svg}</div>'


def _printed(verdict: Verdict) -> str:
    lines = phrases.printed(verdict, PRINTED)
    if not lines:
        return ""
    said = _text(say("render.printed"))
    return (f'<details style="margin:.3em 0"{" open" if len(lines) <= 4 else ""}><summary style="cursor:pointer">{said}'
            f'</summary><pre style="{PRE}">{_text(chr(10).join(lines))}</pre></details>')  # fmt: skip


def _foot(verdict: Verdict) -> str:
    source = _text(phrases.source(verdict))
    how = f"`{say('render.hint_call', key=verdict.key)}`"
    hint = "" if verdict.right else _marked(say("render.next_step", how=how))
    said = " · ".join(part for part in (source, hint) if part)
    return f'<div style="{FAINT}">{said}</div>' if said else ""


def _text(text: str) -> str:
    return escape(phrases.harmless(text))


def _marked(text: str) -> str:
    """A sentence, its `code` in the letters of code.

    >>> _marked("`a < b` <b>")
    '<code>a &lt; b</code> &lt;b&gt;'
    """
    return re.sub(r"`([^`\n]+)`", r"<code>\1</code>", _text(text)).replace("\n", "<br>")
