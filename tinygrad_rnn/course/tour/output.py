"""Where the tour goes: written aside, and moved into place whole."""

from __future__ import annotations

import json
import os
import secrets
import shutil
from collections.abc import Mapping
from pathlib import Path

PAGE, NUMBERS, FIGURES = "index.html", "numbers.json", "figures"
MARK = "tinygrad_rnn tour"  # what numbers.json begins with, so that a tour is known for one


def check_place(out: Path) -> None:
    """Raise FileExistsError or NotADirectoryError unless `out` is missing, empty, or a tour that may be replaced."""
    if not out.exists():
        return
    if not out.is_dir():
        raise NotADirectoryError(f"{out} is a file: name a folder for the tour")
    if any(out.iterdir()) and not is_tour(out):
        raise FileExistsError(f"{out} holds other files, which the tour will not replace: name another folder")


def is_tour(folder: Path) -> bool:
    """Is everything in this folder a tour's?"""
    if {each.name for each in folder.iterdir()} - {PAGE, NUMBERS, FIGURES}:
        return False
    figures = folder / FIGURES
    if figures.is_dir() and any(each.suffix != ".svg" for each in figures.iterdir()):
        return False
    try:
        return bool(json.loads((folder / NUMBERS).read_text(encoding="utf-8"))["what"] == MARK)
    except (OSError, ValueError, KeyError, TypeError):
        return False


def write(out: Path, files: Mapping[str, str]) -> None:
    """Make `out` a folder of these files (paths inside it, text); an older tour there is gone then.

    They are written aside and then moved, in one move or, where the folder is there already, an entry at a time: it may
    be somebody's working directory, or a mount. Raises OSError where it cannot be written; whatever stops it, what was
    at `out` before is still there, and nothing else.
    """
    check_place(out)
    aside = out / f".{secrets.token_hex(4)}" if out.exists() else out.with_name(f".{out.name}.{secrets.token_hex(4)}")
    try:
        for name, content in files.items():
            path = aside / "new" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.encode("utf-8", "replace"))
        if out.exists():
            _exchange(out, aside / "new", aside / "old")
        else:
            os.replace(aside / "new", out)
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _exchange(out: Path, new: Path, old: Path) -> None:
    """Move what is in `out` to `old`, and what is in `new` to `out`; back again, if anything goes wrong."""
    old.mkdir()
    try:
        for name in (PAGE, NUMBERS, FIGURES):
            if (out / name).exists():
                os.replace(out / name, old / name)
        for name in (FIGURES, NUMBERS, PAGE):  # the page last: where it is, all is there
            if (new / name).exists():
                os.replace(new / name, out / name)
    except BaseException:
        for entry in old.iterdir():
            if (out / entry.name).is_dir():
                shutil.rmtree(out / entry.name)
            os.replace(entry, out / entry.name)
        raise
