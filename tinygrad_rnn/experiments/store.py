"""Where trials are kept: one small JSON file each, written whole, so that an interrupted run goes on where it was.

A trial's file holds the fingerprint of what it came from, the experiment's code and size; where that has changed since,
the trial is run again.
"""

from __future__ import annotations

import ast
import hashlib
import inspect
import json
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from .. import __version__
from ..course.files import write_whole
from . import catalogue
from .experiment import Arm, Experiment, Outcome


@dataclass(frozen=True)
class Key:
    """Which trial: `use` is "pilot" or "seed"."""

    experiment: str
    scale: str
    arm: str
    rate: float | None
    use: str
    seed: int

    @property
    def told(self) -> str:
        at = "" if self.rate is None else f" at rate {self.rate:g}"
        return f"{self.experiment}, {self.arm}{at}, {self.use} {self.seed}"

    @property
    def file(self) -> str:
        rate = "" if self.rate is None else f"-{self.rate:g}"
        arm = re.sub(r"[^a-z0-9]+", "-", self.arm.lower()).strip("-")
        told = hashlib.sha256(self.arm.encode()).hexdigest()[:4]  # arms that differ only in signs stay apart
        return f"{arm}-{told}{rate}-{self.use}-{self.seed}.json"


class Store:
    """The trials kept in a folder, `FOLDER/trials/EXPERIMENT/SCALE/`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, key: Key) -> Path:
        return self.folder / "trials" / key.experiment / key.scale / key.file

    def get(self, key: Key, fingerprint: str) -> tuple[Outcome, float] | None:
        """The outcome and the seconds it took; None where it was not run, or from other code."""
        try:
            kept = json.loads(self.path(key).read_text(encoding="utf-8"))
            return (kept["outcome"], float(kept["seconds"])) if kept["fingerprint"] == fingerprint else None
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def put(self, key: Key, fingerprint: str, outcome: Outcome, seconds: float) -> None:
        path = self.path(key)
        path.parent.mkdir(parents=True, exist_ok=True)
        kept = {"fingerprint": fingerprint, "seconds": round(seconds, 2), "outcome": outcome}
        write_whole(path, json.dumps(kept).encode())


def fingerprint(name: str, experiment: Experiment, scale: str) -> str:
    """Of what a trial's outcome depends on in these experiments: the code of its module and of those here that it uses,
    the arms' settings and the size's numbers; and the package's version for all the rest."""
    module = catalogue.module(name)
    here = used_by(module.__name__) - {module.__name__}
    code = [_code(inspect.getsource(sys.modules[each])) for each in (module.__name__, *sorted(here))]
    arms = [f"{arm.name}: {settings(arm)}" for arm in experiment.arms]
    told = "\n".join([__version__, *code, *arms, repr(experiment.size(scale).numbers)])
    return hashlib.sha256(told.encode()).hexdigest()[:16]


def used_by(name: str) -> set[str]:
    """The modules of these experiments from which `name` takes something, and they in turn; itself too."""
    found, new = set[str](), {name}
    while new:
        found |= new
        values = [value for each in new for value in vars(sys.modules[each]).values()]
        new = {getattr(value, "__module__", None) or "" for value in values} - found
        new = {each for each in new if each.startswith(f"{__package__}.")}
    return found


def settings(arm: Arm) -> str:
    """An arm's settings in words that are the same in each process: of a function, its name."""
    return repr({key: f"{value.__module__}.{value.__qualname__}" if callable(value) else value
                 for key, value in arm.settings.items()})  # fmt: skip


def _code(source: str) -> str:
    """A module's code but for what only says and draws: its EXPERIMENT, `figures`, docstrings and comments."""
    tree = ast.parse(source)
    tree.body = [part for part in tree.body if not isinstance(part, ast.Assign) or _assigned(part) != "EXPERIMENT"]
    tree.body = [part for part in tree.body if getattr(part, "name", "") != "figures"]
    for node in ast.walk(tree):
        if isinstance(node, (ast.Module, ast.FunctionDef, ast.ClassDef)) and ast.get_docstring(node) is not None:
            node.body = node.body[1:]
    return ast.dump(tree)


def _assigned(assignment: ast.Assign) -> str:
    target = assignment.targets[0]
    return target.id if isinstance(target, ast.Name) else ""


def plain(x: Any) -> Any:
    """What JSON can say, exactly: arrays as lists, NumPy's numbers as Python's.

    >>> plain({"error": np.float32(0.5), "curve": np.arange(3)})
    {'error': 0.5, 'curve': [0, 1, 2]}
    """
    if isinstance(x, Mapping):
        return {str(key): plain(value) for key, value in x.items()}
    if isinstance(x, (list, tuple)):
        return [plain(value) for value in x]
    return x.tolist() if isinstance(x, (np.ndarray, np.generic)) else x
