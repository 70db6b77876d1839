"""A model's folder: `model.safetensors` with all arrays and, in its header, all other facts as JSON; `config.json`, the
same facts for people to read. Written aside and moved into place, so that a crash leaves the old model or the new one,
never a part. Nothing in it can run code.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from .files import write_whole

ARRAYS, READABLE = "model.safetensors", "config.json"
_FACTS = "tinygrad_rnn"  # the header's entry that holds the facts


def save(folder: str | Path, arrays: Mapping[str, np.ndarray], facts: Mapping[str, Any]) -> None:
    """Write named arrays (any dtype, kept) and facts (what JSON can say) to `folder`, made where it is missing.

    Raises OSError where the folder cannot be written, RuntimeError without the package safetensors.
    """
    tensors = {name: np.array(a, order="C") for name, a in arrays.items()}
    content = _safetensors().save(tensors, {_FACTS: json.dumps(facts)})
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    write_whole(folder / ARRAYS, content)  # one file holds all that counts, so one move changes all of it
    write_whole(folder / READABLE, (json.dumps(facts, indent=2, ensure_ascii=False) + "\n").encode("utf-8", "replace"))


def load(folder: str | Path) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """The arrays and the facts of `folder`.

    Raises FileNotFoundError where no model is there, ValueError where it is broken, RuntimeError without safetensors.
    """
    library = _safetensors()
    path = Path(folder) / ARRAYS
    try:
        content = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        raise FileNotFoundError(f"{folder} holds no model ({ARRAYS} is missing): name another folder") from None
    try:
        size = int.from_bytes(content[:8], "little")
        facts = json.loads(json.loads(content[8 : 8 + size])["__metadata__"][_FACTS])
        return library.load(content), facts
    except Exception as why:  # safetensors raises a kind of its own for each way of being broken
        reason = "; ".join(str(why).splitlines()) or type(why).__name__
        raise ValueError(f"{path} is broken or not a model of this program ({reason}): train again") from None


def has_model(folder: str | Path) -> bool:
    """Has a model been saved there?"""
    return (Path(folder) / ARRAYS).exists()


def check_writable(folder: str | Path) -> None:
    """Raises OSError, saying why, where `folder` could not be made or written; leaves nothing behind. For the moment
    before long work begins."""
    folder = Path(folder)
    nearest = next(path for path in (folder, *folder.absolute().parents) if os.path.lexists(path))
    if not nearest.is_dir():
        raise NotADirectoryError(f"{folder} cannot be written: {nearest} is not a folder; choose another")
    try:
        tempfile.TemporaryFile(dir=nearest).close()
    except OSError as why:
        raise PermissionError(f"{folder} cannot be written ({nearest}: {why.strerror}): choose another") from None


def _safetensors() -> Any:
    try:
        import safetensors.numpy
    except ImportError:
        raise RuntimeError("models are kept in safetensors files: pip install 'tinygrad_rnn[course]'") from None
    return safetensors.numpy
