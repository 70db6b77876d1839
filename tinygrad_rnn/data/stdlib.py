"""The standard library as a corpus: its code file by file, and the prose of its language reference."""

from __future__ import annotations

import importlib
import os
import sysconfig
import tokenize
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from .text import ascii_text

# Tests and tables, and what only some Pythons carry.
_LEFT_OUT = {
    "site-packages", "dist-packages", "test", "tests", "encodings", "pydoc_data", "idlelib", "lib2to3", "distutils",
    "ensurepip", "turtledemo", "lib-dynload", "__pycache__",
}  # fmt: skip


def stdlib_code() -> dict[str, str]:
    """The source of every module of the standard library, by its path there, in the order of the paths.

    About 400 files and 8 million characters of ASCII, tests aside; always the same for one installed Python. Raises
    RuntimeError where it came without its sources.
    """
    root = Path(sysconfig.get_path("stdlib"))
    files = {}
    for folder, inner, names in os.walk(root):
        inner[:] = set(inner) - _LEFT_OUT
        for path in (Path(folder, name) for name in names if name.endswith(".py")):
            if source := _read(path).strip():
                files[path.relative_to(root).as_posix()] = source + "\n"
    if not files:
        raise RuntimeError(f"this Python came without its sources (none in {root}): give a text file instead")
    return dict(sorted(files.items()))


def stdlib_prose() -> dict[str, str]:
    """The language reference as English prose, by topic: 80 topics, about 0.7 million characters of ASCII. Raises
    RuntimeError where this Python came without it."""
    try:
        topics: Mapping[str, str] = importlib.import_module("pydoc_data.topics").topics
    except ImportError:
        raise RuntimeError("this Python came without pydoc_data, its prose: give a text file instead") from None
    return {name: ascii_text(topics[name]).strip() + "\n" for name in sorted(topics)}


def split_files(files: Mapping[str, str], rng: np.random.Generator, held_out: float = 0.1,
                characters: int | None = None) -> tuple[str, str]:  # fmt: skip
    """A text to train on and one held out, of whole files, `held_out` of 1 of the characters (at least): the files are
    shuffled by `rng`, and no file is in both, so that what is recognised in the second was not learned by heart.

    `characters` ends it with the file that passes so many, in all; None takes everything. Raises ValueError where there
    are not files for both.

    >>> split_files({"a": "one\\n", "b": "two\\n", "c": "three\\n"}, np.random.default_rng(1), held_out=0.2)
    ('two\\nthree\\n', 'one\\n')
    """
    if not 0 < held_out < 1:
        raise ValueError(f"split_files: held_out is a part of the text, between 0 and 1, not {held_out}")
    shuffled = [files[name] for name in rng.permutation(sorted(files))]
    wanted = sum(map(len, shuffled)) if characters is None else characters
    parts: tuple[list[str], list[str]] = ([], [])
    sizes = [0, 0]
    for text in shuffled:
        into = 1 if sizes[1] < held_out * wanted else 0
        if sum(sizes) >= wanted and sizes[0]:
            break
        parts[into].append(text)
        sizes[into] += len(text)
    if not all(sizes):
        raise ValueError(f"split_files: {len(files)} files are too few to hold some out: give at least two")
    return "".join(parts[0]), "".join(parts[1])


def _read(path: Path) -> str:
    try:
        with tokenize.open(path) as file:  # in the encoding that the file says it has
            return ascii_text(file.read())
    except (OSError, SyntaxError, UnicodeDecodeError):
        return ""
