"""How far a learner has come: a plain JSON file in the workspace, which nobody else ever sees.

It also holds what `update` needs: each file's fingerprint as it was delivered.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime
from pathlib import Path
from typing import Any

from ..files import write_whole
from ..verdict import Verdict
from ..words import say
from . import locking

MARKER = ".tinygrad_rnn.json"  # its presence makes a folder a workspace
DAMAGED = ".tinygrad_rnn.damaged.json"


@dataclass
class Standing:
    """One exercise. `kind` is the last verdict's; the times are local, as ISO text, "" where it never happened."""

    best: float = 0.0
    kind: str = ""
    attempts: int = 0
    hints: int = 0
    given_up: bool = False
    first: str = ""
    last: str = ""
    solved: str = ""
    more: dict[str, Any] = field(default_factory=dict)  # what a newer version says: kept as it is


@dataclass
class State:
    """All that the file holds: the course's version, what was delivered (path -> fingerprint), and the standings."""

    course: str = ""
    delivered: dict[str, str] = field(default_factory=dict)
    exercises: dict[str, Standing] = field(default_factory=dict)
    more: dict[str, Any] = field(default_factory=dict)

    def of(self, key: str) -> Standing:
        """The standing of `bptt.2`, made where there is none yet."""
        return self.exercises.setdefault(key, Standing())


def read(root: Path) -> State:
    """The state kept in `root`; a new one where there is none. A damaged file is moved aside, and a line says so."""
    path = root / MARKER
    try:
        if path.is_dir():
            raise ValueError("it is a folder")
        return _parsed(json.loads(path.read_bytes().decode("utf-8")))
    except (FileNotFoundError, NotADirectoryError):
        return State()
    except (ValueError, TypeError, AttributeError) as why:  # no JSON, no UTF-8, or not what was written here
        reason = str(why).splitlines()[0]
    aside, count = root / DAMAGED, 1
    while os.path.lexists(aside):
        count += 1
        aside = (root / DAMAGED).with_stem(f"{Path(DAMAGED).stem}-{count}")
    try:
        os.replace(path, aside)
        write(root, State())
    except OSError:
        _tell(say("workspace.progress_unreadable", file=path, why=reason))
    else:
        _tell(say("workspace.progress_damaged", file=path, aside=aside.name, why=reason))
    return State()


def write(root: Path, state: State) -> None:
    """Keep the state in `root`, in one move. Raises OSError."""
    values = asdict(state)
    values["exercises"] = {key: _flat(entry) for key, entry in values["exercises"].items()}
    write_whole(root / MARKER, (json.dumps(_flat(values), indent=2, ensure_ascii=False) + "\n").encode())


@contextmanager
def changed(root: Path, strictly: bool = False) -> Iterator[State]:
    """`with changed(root) as state:` reads, lets the block change it, and writes it back in one move. No other process
    does so meanwhile: keep the block short.

    Where it cannot be read or written the work goes on, and a line says that progress is not kept; or `strictly`, it
    raises OSError.
    """

    def refused(key: str, why: OSError) -> None:
        if strictly:
            raise why
        _tell(say(f"workspace.{key}", folder=root, file=MARKER, why=why.strerror or str(why)))

    with locking.alone(root):
        try:
            state = read(root)
        except OSError as why:
            refused("progress_not_read", why)
            yield State()  # never to be written: what the file holds would be lost
            return
        yield state
        try:
            write(root, state)
        except OSError as why:
            refused("progress_not_kept", why)


def record(root: Path, verdicts: list[Verdict]) -> None:
    """Note verdicts. One that finds the stub untouched is no attempt, and takes nothing away."""
    now = _now()
    with changed(root) as state:
        for verdict in verdicts:
            standing = state.of(verdict.key)
            standing.kind, standing.last = verdict.kind, now
            standing.first = standing.first or now
            standing.attempts += verdict.kind != "not attempted"
            standing.best = max(standing.best, verdict.earned)
            if verdict.right:
                standing.solved = standing.solved or now


def take_hint(root: Path, key: str, most: int, all_: bool = False) -> int:
    """Note one more hint, or all of them, and give how many of the `most` have now been taken."""
    with changed(root) as state:
        standing = state.of(key)
        standing.hints = most if all_ else min(standing.hints + 1, most)
        return standing.hints


def give_up(root: Path, key: str) -> None:
    """Note that the solution was asked for before the exercise was solved. Raises OSError where it cannot be noted."""
    with changed(root, strictly=True) as state:
        state.of(key).given_up = True


def forget(root: Path, keys: list[str]) -> None:
    """These exercises are to be done again. What was tried, the hints and the giving up stay on record."""
    with changed(root) as state:
        for key in keys:
            standing = state.of(key)
            standing.best, standing.kind, standing.solved = 0.0, "", ""


def _flat(values: dict[str, Any]) -> dict[str, Any]:
    """What is known, and what more there was, side by side as they are read."""
    more: dict[str, Any] = values.pop("more")
    return {**values, **more}


def _parsed(values: Any) -> State:
    if not isinstance(values, dict):
        raise TypeError("not a table")
    known = {each.name: type(each.default) for each in fields(Standing) if each.name != "more"}
    exercises = {}
    for key, entry in values.get("exercises", {}).items():
        kept = {name: value for name, value in entry.items() if name in known}
        for name, value in kept.items():
            if not isinstance(value, (int, float) if known[name] is float else known[name]):
                raise TypeError(f"{key}: {name} = {value!r}")
        more = {name: value for name, value in entry.items() if name not in known}
        exercises[str(key)] = Standing(**kept, more=more)
    delivered = {str(path): str(mark) for path, mark in values.get("delivered", {}).items()}
    more = {name: value for name, value in values.items() if name not in ("course", "delivered", "exercises")}
    return State(str(values.get("course", "")), delivered, exercises, more)


def _now() -> str:
    return datetime.now().isoformat(timespec="seconds")


def _tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
