"""The cases of an exercise: inputs, right answers, and the marks of known mistakes. One cases.npz a lesson."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .manifest import CASES, INSTRUCTOR, PROBES, Lesson, ManifestError
from .parsing import ONE_AT_A_TIME


@dataclass(frozen=True)
class Case:
    """Inputs by the names of the arguments, and the right outputs by the names in `returns`, both flat (`p.W_hh`)."""

    name: str
    inputs: Mapping[str, Any]
    expected: Mapping[str, np.ndarray]


@dataclass(frozen=True)
class Cases:
    """All cases of one exercise, smallest first.

    `explanations` are the mistakes, alone, in pairs and in triples; `marks` (explanations, slots, 4) what each does, a
    slot being an output of a scored case, in order. `probes` are not scored: they tell how an answer was come by.
    `effort` is how long the solution takes for the probe `cost`, in units of `effort.unit()`.
    """

    scored: tuple[Case, ...]
    probes: Mapping[str, Case] = field(default_factory=dict)
    explanations: tuple[tuple[str, ...], ...] = ()
    marks: np.ndarray = field(default_factory=lambda: np.zeros((0, 0, 4)))
    effort: float = 0.0

    @property
    def slots(self) -> list[tuple[str, str]]:
        """(case, output) for each row of marks, in order."""
        return [(case.name, output) for case in self.scored for output in case.expected]


def pack(exercises: Mapping[str, Cases]) -> bytes:
    """The cases of a lesson, by function, as the bytes of an .npz: the same bytes for the same cases, on every day."""
    arrays: dict[str, np.ndarray] = {}
    index: dict[str, Any] = {}
    for function, cases in exercises.items():
        entries = []
        for case in (*cases.scored, *cases.probes.values()):
            plain = {name: value for name, value in case.inputs.items() if not isinstance(value, np.ndarray)}
            for side, values in (("in", case.inputs), ("out", case.expected)):
                at = f"{function}/{case.name}/{side}"
                arrays |= {f"{at}/{name}": value for name, value in values.items() if isinstance(value, np.ndarray)}
            entries.append({"name": case.name, "plain": plain, "in": list(case.inputs), "out": list(case.expected)})
        index[function] = {"cases": entries, "explanations": cases.explanations, "effort": cases.effort}
        arrays[f"{function}/marks"] = cases.marks
    arrays["index"] = np.frombuffer(json.dumps(index).encode(), np.uint8)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, array in arrays.items():
            body = io.BytesIO()
            np.lib.format.write_array(body, np.asarray(array), allow_pickle=False)
            archive.writestr(zipfile.ZipInfo(f"{name}.npy"), body.getvalue(), zipfile.ZIP_DEFLATED)
    return packed.getvalue()


def unpack(packed: bytes) -> dict[str, Cases]:
    """The reverse of `pack`. Raises ValueError, OSError, KeyError and the like for what it did not make."""
    exercises = {}
    with ONE_AT_A_TIME, np.load(io.BytesIO(packed), allow_pickle=False) as arrays:
        for function, about in json.loads(arrays["index"].tobytes()).items():
            cases = {}
            for entry in about["cases"]:
                at = f"{function}/{entry['name']}"
                inputs = {n: entry["plain"][n] if n in entry["plain"] else arrays[f"{at}/in/{n}"] for n in entry["in"]}
                cases[entry["name"]] = Case(entry["name"], inputs, {n: arrays[f"{at}/out/{n}"] for n in entry["out"]})
            exercises[function] = Cases(
                tuple(case for name, case in cases.items() if name not in PROBES),
                {name: case for name, case in cases.items() if name in PROBES},
                tuple(tuple(names) for names in about["explanations"]), arrays[f"{function}/marks"], about["effort"],
            )
    return exercises


def read_cases(lesson: Lesson) -> dict[str, Cases]:
    """The public cases beside the manifest. Raises ManifestError, one line, where they are missing or damaged."""
    path = lesson.file(CASES)
    authors = lesson.file(INSTRUCTOR).is_dir()
    remedy = "`tinygrad-rnn course build` makes it anew" if authors else "`tinygrad-rnn update` restores it"
    try:
        cases = unpack(path.read_bytes())
    except FileNotFoundError:
        raise ManifestError(f"{path}: not there: {remedy}") from None
    except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile) as why:
        raise ManifestError(f"{path}: cannot be read ({type(why).__name__}): {remedy}") from None
    for exercise in lesson.exercises:
        if exercise.function not in cases:
            raise ManifestError(f"{path}: holds nothing for {exercise.key} ({exercise.function}): {remedy}")
        if list(exercise.cases) != [case.name for case in cases[exercise.function].scored]:
            raise ManifestError(f"{path}: the cases of {exercise.key} are not those of the manifest: {remedy}")
    return cases
