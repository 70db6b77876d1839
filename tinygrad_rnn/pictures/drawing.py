"""A drawing: a figure that shows itself in a notebook and saves itself to a file."""

from __future__ import annotations

import base64
import os
import secrets
from functools import cached_property
from html import escape
from pathlib import Path
from typing import Any

from . import engines
from .dot import to_dot
from .figure import Figure
from .lettering import clean
from .svg import accessible, to_svg

__all__ = ["Drawing"]

SUFFIXES = (".svg", ".png", ".pdf", ".dot", ".html")
LARGE = 1500
"""Nodes above which our own writer draws, unless the environment asks for an engine.

Measured on 2 cores: 5 000 nodes and 7 000 edges take it 0.14 s and 2.8 MB; DOT and ``dot`` take 0.65 s and 5.9 MB.
"""


class Drawing:
    """What ``tg.draw`` returns. ``.figure`` holds the positions; ``.svg`` and ``.dot`` are made when asked for."""

    def __init__(self, figure: Figure) -> None:
        self.figure = figure

    @cached_property
    def _drawn(self) -> tuple[str, str, str]:
        """(svg, engine, what went wrong with better engines)"""
        forced = os.environ.get(engines.VARIABLE, "").strip()
        names = engines.allowed()
        if len(self.figure.nodes) > LARGE and not forced:
            names = ("builtin",)
        wrong: list[str] = []
        for name in names:
            if name == "builtin":
                break
            try:
                svg = engines.run(name, self.dot, "svg").decode()
                return accessible(svg, self.figure), name, "; ".join(wrong)
            except engines.EngineError as error:
                if forced:
                    raise
                wrong.append(str(error))
        return to_svg(self.figure), "builtin", "; ".join(wrong)

    @property
    def svg(self) -> str:
        """The picture as one ``<svg>`` element. Never fails, unless the environment asks for an engine that does."""
        return self._drawn[0]

    @property
    def engine(self) -> str:
        """Which engine made ``.svg``: "dot", "wasi" or "builtin"."""
        return self._drawn[1]

    @property
    def note(self) -> str:
        """The figure's note, and in a line what went wrong with an engine that should have drawn; often empty."""
        return " | ".join(filter(None, (self.figure.note, self._drawn[2])))

    @cached_property
    def dot(self) -> str:
        """The picture as portable DOT text with every position pinned: ``dot -Knop2 -Tsvg`` draws it."""
        return to_dot(self.figure)

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys of all nodes, edges and boxes."""
        return self.figure.keys()

    def __repr__(self) -> str:
        figure = self.figure
        boxes = f", {len(figure.boxes)} boxes" if figure.boxes else ""
        return f"<Drawing {clean(figure.title)!r}: {len(figure.nodes)} nodes, {len(figure.edges)} edges{boxes}>"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> tuple[dict[str, str], dict[str, Any]]:
        """For notebooks: data and metadata. No wider than the page, and with words for those who do not see it.

        nbconvert and JupyterLab make of SVG an image that has neither: so they get the image as HTML, without a script
        and with nothing that a sanitiser takes out. The SVG is for those who put the element itself in their page.
        """
        fit = "max-width:100%;height:auto"
        words = (clean(text).strip() for text in (self.figure.title, self.figure.description))
        about = " ".join(text if text.endswith((".", "!", "?")) else f"{text}." for text in words if text)
        content = base64.b64encode(self.svg.encode()).decode()
        return {
            "text/html": f'<img alt="{escape(about)}" style="{fit}" src="data:image/svg+xml;base64,{content}">',
            "image/svg+xml": self.svg.replace("<svg ", f'<svg style="{fit}" ', 1),
            "text/plain": repr(self),
        }, {"image/svg+xml": {"alt": about}}

    @property
    def html(self) -> str:
        """The picture as a page of its own, with title, description and note; needs nothing from the network."""
        figure = self.figure
        title, about = escape(clean(figure.title)), escape(clean(figure.description))
        return (
            '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
            '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
            f"<title>{title}</title>\n"
            "<style>body{font-family:Helvetica,Arial,sans-serif;color:#111827;background:#fff;margin:2em}"
            "p{max-width:60em}figure{margin:0}svg{max-width:100%;height:auto}</style>\n</head>\n<body>\n"
            f"<h1>{title}</h1>\n<figure>\n{self.svg}</figure>\n<p>{about}</p>\n</body>\n</html>\n"
        )

    def save(self, path: str | os.PathLike[str], scale: float = 2.0) -> Path:
        """Write the picture to a file, whole or not at all, and return its path.

        The suffix says how: svg, png, pdf, dot or html; ``scale`` is for png only, in units of 96 pixels an inch.
        Raises ValueError for another suffix or a scale that is not positive, OSError for a folder that is missing or
        not writable, MissingEngine for png and pdf where nothing installed makes them. An older file then stays.
        """
        target = Path(path)
        suffix = target.suffix.lower()
        if suffix not in SUFFIXES:
            raise ValueError(f"{target.name!r}: known suffixes are {', '.join(SUFFIXES)}")
        if not 0 < scale <= 100:
            raise ValueError(f"scale must be positive, at most 100, not {scale}")
        if not target.parent.is_dir():
            raise FileNotFoundError(f"there is no folder {str(target.parent)!r} to save {target.name!r} in")
        content = self._content(suffix, scale)
        aside = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
        try:
            aside.write_bytes(content)
            os.replace(aside, target)
        except OSError as error:
            raise type(error)(f"cannot write {str(target)!r}: {error.strerror}") from None
        finally:
            aside.unlink(missing_ok=True)
        return target

    def _content(self, suffix: str, scale: float) -> bytes:
        if suffix == ".png":
            return engines.png(to_svg(self.figure, in_runs=True), self.dot, scale)
        if suffix == ".pdf":
            return engines.pdf(self.dot)
        return {".svg": lambda: self.svg, ".dot": lambda: self.dot, ".html": lambda: self.html}[suffix]().encode()
