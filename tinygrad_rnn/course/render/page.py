"""Parts as one HTML page that needs nothing else: no script, no network, figures inline."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape

from .blocks import Block, File, Listing, Part, Picture, Prose, Samples, Table

WIDE = 560.0  # points: a figure wider than that may leave the column of text
NARROW = 480.0  # points: a figure no wider than that, as charts are, shrinks as far as the screen is narrow
PIXELS_PER_POINT = 0.86  # at least, for all others: these are scrolled, not shrunk until nobody can read them

STYLE = """
:root { --ink: #111827; --grey: #4b5563; --line: #e5e7eb; --tint: #f9fafb; --blue: #1d4ed8; }
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body { margin: 0; color: var(--ink); background: #fff; font: 17px/1.6 Georgia, "Times New Roman", serif; }
header, section, footer {
  display: grid; grid-template-columns: minmax(0, 1fr) minmax(0, 44rem) minmax(0, 1fr); padding-left: 1.25rem;
  padding-right: 1.25rem;
}
header > *, section > *, footer > * { grid-column: 2; }
section > .wide { grid-column: 1 / -1; width: 100%; max-width: 74rem; justify-self: center; }
section > .listing { grid-column: 1 / -1; width: 100%; max-width: 60rem; justify-self: center; }
.wide figcaption { margin-left: auto; margin-right: auto; }
header { padding-top: 3rem; }
h1, h2, h3, nav, th, figcaption b, .when { font-family: Helvetica, Arial, sans-serif; }
h1 { font-size: 2.1rem; line-height: 1.15; margin: 0 0 .75rem; letter-spacing: -.01em; }
h2 { font-size: 1.5rem; line-height: 1.2; margin: 0 0 .5rem; }
h3 { font-size: 1.05rem; margin: 0 0 .5rem; }
p { margin: 0 0 1rem; }
.lead { color: var(--grey); font-size: 1.1rem; }
section { border-top: 1px solid var(--line); padding-top: 2.5rem; padding-bottom: 1rem; }
nav ol { padding-left: 1.4rem; font-size: 15px; }
nav li { margin: .35rem 0; }
nav span { color: var(--grey); }
a { color: var(--blue); }
figure { margin: 1.75rem 0 2.25rem; }
figcaption { max-width: 44rem; color: var(--grey); font-size: 15.5px; line-height: 1.5; margin-top: .5rem; }
figcaption b { color: var(--ink); font-size: 14px; }
.line { display: block; margin-top: .35rem; }
.scroll {  /* with a shadow at each edge behind which there is more: what stays in place is covered by what scrolls */
  overflow-x: auto;
  background:
    linear-gradient(to right, #fff 40%, #fff0) left / 3rem 100% no-repeat local,
    linear-gradient(to left, #fff 40%, #fff0) right / 3rem 100% no-repeat local,
    linear-gradient(to right, #64748b99, #64748b00) left / 1.1rem 100% no-repeat scroll,
    linear-gradient(to left, #64748b99, #64748b00) right / 1.1rem 100% no-repeat scroll;
}
.scroll > * { mix-blend-mode: multiply; }
.scroll:focus-visible { outline: 2px solid var(--blue); }
svg { display: block; max-width: 100%; height: auto; margin: 0 auto; overflow: visible; }  /* where fonts are wider */
code, pre { font: 14px/1.5 ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace; }
pre {
  background: var(--tint); border: 1px solid var(--line); border-radius: 6px; padding: .8rem 1rem;
  margin: 0 0 1rem; overflow-x: auto;
}
.scroll pre { overflow: visible; width: max-content; min-width: 100%; }
table { border-collapse: collapse; font-size: 15px; margin: 0; }
th, td {
  text-align: right; padding: .3rem .9rem .3rem 0; border-bottom: 1px solid var(--line);
  font-variant-numeric: tabular-nums; white-space: nowrap;
}
th { font-size: 14px; color: var(--grey); white-space: normal; vertical-align: bottom; line-height: 1.3; }
th:first-child, td:first-child { text-align: left; white-space: normal; }
.words td, .words th { text-align: left; white-space: normal; vertical-align: top; line-height: 1.35; }
.words td { min-width: 5.5rem; }
.words td:first-child, .words td:nth-last-child(-n+2) { min-width: 11rem; }
.samples {
  display: grid; gap: 1.5rem; grid-template-columns: repeat(auto-fit, minmax(min(100%, 27rem), 1fr));
  margin: 0 0 1.5rem;
}
.samples pre { white-space: pre-wrap; overflow-wrap: anywhere; margin: 0 0 .6rem; padding: .5rem .8rem; }
.when { font-size: 14px; color: var(--grey); }
footer {
  border-top: 1px solid var(--line); color: var(--grey); font-size: 15px; padding-top: 1.5rem;
  padding-bottom: 3rem; margin-top: 2rem;
}
@media (max-width: 40rem) {
  body { font-size: 16px; }
  header { padding-top: 1.75rem; }
  h1 { font-size: 1.7rem; }
  section { padding-top: 1.75rem; }
}
@media print { section { break-inside: avoid-page; } nav { display: none; } }
"""


def page(title: str, parts: Sequence[Part], lead: str, closing: str) -> str:
    """The whole document; `lead` stands under its title and `closing` at its end."""
    contents = "\n".join(
        f'<li><a href="#{part.key}">{escape(part.title)}</a> <span>{marked(part.summary)}</span></li>' for part in parts
    )
    count = iter(range(1, 1000))
    sections = "\n".join(_section(part, count) for part in parts)
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n"
        f'<header>\n<h1>{escape(title)}</h1>\n<p class="lead">{marked(lead)}</p>\n'
        f'<nav aria-label="Contents">\n<ol>\n{contents}\n</ol>\n</nav>\n</header>\n'
        f"<main>\n{sections}\n</main>\n<footer>\n<p>{marked(closing)}</p>\n</footer>\n</body>\n</html>\n"
    )


def _section(part: Part, count: Sequence[int] | object) -> str:
    pieces, blocks = [], list(part.blocks)
    while blocks:
        if isinstance(blocks[0], Samples):  # side by side, where there is room
            group = []
            while blocks and isinstance(blocks[0], Samples):
                group.append(_samples(blocks.pop(0)))  # type: ignore[arg-type]
            pieces.append('<div class="samples wide">\n' + "\n".join(group) + "\n</div>")
        else:
            pieces.append(_block(blocks.pop(0), count))
    return f'<section id="{part.key}">\n<h2>{escape(part.title)}</h2>\n' + "\n".join(pieces) + "\n</section>"


def _block(block: Block, count: object) -> str:
    if isinstance(block, Prose):
        return f"<p>{marked(block.text)}</p>"
    if isinstance(block, Listing):
        code = f"<pre><code>{escape(block.code.rstrip())}</code></pre>"
        return f'<div class="listing">{_scroll(code, block.title)}</div>'
    if isinstance(block, Table):
        return _table(block)
    if isinstance(block, File):
        return _file(block)
    assert isinstance(block, Picture)
    return _picture(block, next(count))  # type: ignore[call-overload]


def _picture(block: Picture, number: int) -> str:
    x0, _, x1, _ = block.drawing.figure.bounds()
    kind = ' class="wide"' if x1 - x0 > WIDE else ""
    least = f' style="min-width:{(x1 - x0) * PIXELS_PER_POINT:.0f}px"' if x1 - x0 > NARROW else ""
    drawn = _scroll(f"<div{least}>{block.drawing.svg}</div>", block.drawing.figure.title)
    return (
        f'<figure id="{block.name}"{kind}>\n{drawn}\n'
        f"<figcaption><b>Figure {number}.</b> {lines(block.caption)}</figcaption>\n</figure>"
    )


def _file(block: File) -> str:
    link = f'<a href="{escape(block.path)}">{escape(block.path)}</a>'
    shown = ""
    if block.path.endswith(".svg"):
        shown = _scroll(block.content[block.content.index("<svg") :], block.path)
    elif block.path.endswith(".txt"):
        shown = _scroll(f"<pre>{escape(visible(block.content))}</pre>", block.path)
    return f"<figure>\n{shown}\n<figcaption>{link}</figcaption>\n</figure>"


def _scroll(inner: str, name: str) -> str:
    """What may be wider than the screen, in a box of its own that the keyboard reaches."""
    return f'<div class="scroll" tabindex="0" role="region" aria-label="{escape(name)}">{inner}</div>'


def _table(block: Table) -> str:
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in block.header)
    rows = "\n".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in block.rows)
    caption = f"\n<figcaption>{lines(block.caption)}</figcaption>" if block.caption else ""
    table = f"<table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{rows}\n</tbody>\n</table>"
    kind = ' class="wide words"' * block.words
    return f"<figure{kind}>\n{_scroll(table, block.header[0])}{caption}\n</figure>"


def _samples(block: Samples) -> str:
    pieces = "\n".join(
        f'<div class="when">{escape(when)}</div>\n<pre>{escape(visible(text))}</pre>' for when, text in block.written
    )
    return f"<div>\n<h3>{escape(block.title)}</h3>\n{pieces}\n</div>"


def visible(text: str) -> str:
    """The text with a dot for each character that a page cannot show."""
    return "".join(c if c == "\n" or c.isprintable() else "·" for c in text)


def lines(text: str) -> str:
    """Each line of a caption in a line of its own."""
    first, *others = text.split("\n")
    return marked(first) + "".join(f'<span class="line">{marked(line)}</span>' for line in others if line)


def marked(text: str) -> str:
    """`code` and *emphasis* as HTML, all else escaped.

    >>> marked("`a < b` is *not* a * b")
    '<code>a &lt; b</code> is <em>not</em> a * b'
    """
    text = re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text, quote=False))
    return re.sub(r"\*(\w[^*]*)\*", r"<em>\1</em>", text)
