"""The optional extra `fast`: is the LSTM's arithmetic compiled, and may it be used?

Compiling takes seconds, so it happens when the user says so, `prepare()` or `tinygrad-rnn compile`, and never else. A
note beside the compiler's cache says what was compiled, for which compiler and processor; where it no longer holds,
NumPy computes, as without the extra. The environment variable TINYGRAD_RNN_FAST=0 turns it off.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import os
import sys
from functools import cache
from pathlib import Path
from typing import Any

_SOURCE = Path(__file__).with_name("compiled.py")
_NOTES = (
    _SOURCE.parent / "__pycache__" / "compiled.json",
    Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "tinygrad_rnn" / "compiled.json",
)


def prepare() -> Path:
    """Compile, and note it; gives the note's path. Takes some seconds. Raises RuntimeError where Numba is not
    installed, OSError where nothing can be written."""
    check()
    importlib.import_module(f"{__package__}.compiled").warm_up()
    text = json.dumps({**_facts(), "processor": _processor()})
    kept: OSError | None = None
    for note in _NOTES:
        try:
            note.parent.mkdir(parents=True, exist_ok=True)
            note.write_text(text)
        except OSError as error:
            kept = error
            continue
        kernels.cache_clear()
        return note
    raise kept or OSError("no place for the note of what was compiled")


def check() -> None:
    """Raise RuntimeError where Numba is not installed."""
    if importlib.util.find_spec("numba") is None:
        raise RuntimeError("Numba is not installed: pip install 'tinygrad_rnn[fast]'")


@cache
def kernels() -> Any:
    """The module of compiled arithmetic where it is prepared, else None. The first call may import Numba."""
    return importlib.import_module(f"{__package__}.compiled") if status() == "ready" else None


def status() -> str:
    """"ready", or why not, in words that say what to do."""
    if os.environ.get("TINYGRAD_RNN_FAST") == "0":
        return "turned off by TINYGRAD_RNN_FAST=0"
    if importlib.util.find_spec("numba") is None:
        return "Numba is not installed: pip install 'tinygrad_rnn[fast]'"
    for note in _NOTES:
        try:
            noted = json.loads(note.read_text())
        except (OSError, ValueError):
            continue
        if _holds(noted):
            return "ready"
    return "not compiled yet: tinygrad-rnn compile"


def _holds(noted: Any) -> bool:
    """Is what was noted what is here? The processor is asked last, since that imports the compiler's library."""
    known = isinstance(noted, dict) and all(noted.get(name) == value for name, value in _facts().items())
    return known and noted.get("processor") == _processor()


def _facts() -> dict[str, Any]:
    """What is compiled, and with what."""
    from importlib.metadata import version  # whose import takes a third of ours, and most need it never

    stamp = _SOURCE.stat()
    return {"source": [stamp.st_mtime_ns, stamp.st_size], "numba": version("numba"), "python": sys.version}


def _processor() -> str:
    binding = importlib.import_module("llvmlite.binding")
    return str(binding.get_host_cpu_name())
