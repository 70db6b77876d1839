"""The manifest of a lesson, lesson.toml: its exercises, their signatures, points, hints, and the mistakes with a name.

One table for all: the learner's stubs, the solutions, the named mistakes and the grader are held to it, and whoever
exports points reads them here.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

from .runner import Limits

PROBES = ("probe", "cost")  # unscored cases, which tell how an answer was come by: see `grading.by_numbers`
LAYOUTS = ("one", "tuple", "list", "dict")
MANIFEST, EXERCISE, CASES, DRIVER, NOTEBOOK = "lesson.toml", "exercise.py", "cases.npz", "driver.py", "lesson.ipynb"
RESTORE = "mend it, or restore the file with `tinygrad-rnn update`"
INSTRUCTOR = "instructor"  # the folder that no learner's workspace holds


class ManifestError(ValueError):
    """A lesson.toml that cannot be used; the message is one line that names the file, the place and the remedy."""


@dataclass(frozen=True)
class Check:
    """A part of an exercise that earns its own points: the named outputs right, in every case."""

    name: str
    outputs: tuple[str, ...]
    points: float


@dataclass(frozen=True)
class Mistake:
    """A wrong answer known by name: what the learner did (`says`) and where to look (`look`).

    `edge` names the quantity whose line in the unrolled graph is wrong first ("dH"), where no output is that quantity.
    """

    name: str
    says: str
    look: str
    edge: str | None = None


@dataclass(frozen=True)
class Exercise:
    """One function (or class) to write. `arguments` and `returns` map names to shapes, `p.W_hh` -> `(H, H)`.

    probes       unscored cases that tell numerical derivatives from backpropagation: see `grading.by_numbers`
    reveal       whether a verdict may tell the right number: not where the number is the exercise
    planted      the mistake that the stub makes, where it is no empty one
    figure       the unrolled graph on which a verdict shows the first wrong edge: "elman" or "lstm"
    """

    lesson: str
    id: int
    title: str
    part: str
    function: str
    arguments: Mapping[str, str]
    returns: Mapping[str, str]
    layout: str
    time: str
    cases: tuple[str, ...]
    probes: tuple[str, ...]
    checks: tuple[Check, ...]
    mistakes: tuple[Mistake, ...]
    hints: tuple[str, ...]
    tolerance: float
    by_hand: bool
    reveal: bool
    planted: str | None
    figure: str | None

    @property
    def key(self) -> str:
        """`bptt.2`, as the learner says it."""
        return f"{self.lesson}.{self.id}"

    @property
    def points(self) -> float:
        return sum(check.points for check in self.checks)

    @property
    def parameters(self) -> tuple[str, ...]:
        """The names in the signature: `p.W_hh` and `p.b_h` are both in `p`."""
        return tuple(dict.fromkeys(name.partition(".")[0] for name in self.arguments))

    def mistake(self, name: str) -> Mistake:
        """The mistake of that name; there must be one."""
        return next(mistake for mistake in self.mistakes if mistake.name == name)


@dataclass(frozen=True)
class Grading:
    """The share of a check's points for an answer wrong in a known way, and for one right by numerical derivatives."""

    mistake: float = 0.25
    numerical: float = 0.5


@dataclass(frozen=True)
class Lesson:
    """A lesson's folder, read."""

    folder: Path
    id: str
    order: float
    title: str
    summary: str
    minutes: int
    needs: tuple[str, ...]
    assumes: str
    grading: Grading
    limits: Limits
    exercises: tuple[Exercise, ...] = field(repr=False)

    @property
    def points(self) -> float:
        return sum(exercise.points for exercise in self.exercises)

    def exercise(self, which: str | int) -> Exercise:
        """The exercise called `2`, `"2"`, `"bptt.2"` or by its function's name."""
        wanted = str(which).rpartition(".")[2]
        for exercise in self.exercises:
            if wanted in (str(exercise.id), exercise.function):
                return exercise
        known = ", ".join(exercise.key for exercise in self.exercises)
        raise KeyError(f"no exercise {which!r} in lesson {self.id}: it has {known}")

    def file(self, name: str) -> Path:
        """The path of a file in the lesson's folder."""
        return self.folder / name


class _Table:
    """A TOML table, read key by key, so that what is missing, mistyped or unknown is told with its place."""

    def __init__(self, values: Any, place: str) -> None:
        if not isinstance(values, dict):
            raise ManifestError(f"{place}: expected a table, not {values!r}")
        self.values, self.place, self.read = dict(values), place, set[str]()

    def get(self, key: str, kind: type | tuple[type, ...], default: Any = ...) -> Any:
        self.read.add(key)
        if key not in self.values:
            if default is ...:
                raise ManifestError(f"{self.place}: `{key}` is missing")
            return default
        value = self.values[key]
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            kinds = kind if isinstance(kind, tuple) else (kind,)
            wanted = " or ".join(each.__name__ for each in kinds)
            raise ManifestError(f"{self.place}: `{key}` must be of type {wanted}, not {value!r}")
        return value

    def number(self, key: str, default: Any = ..., least: float = 0.0, most: float = float("inf")) -> float:
        value = self.get(key, (int, float), default)
        if not least <= value <= most:
            raise ManifestError(f"{self.place}: `{key}` = {value} must lie between {least:g} and {most:g}")
        return value

    def strings(self, key: str, default: Any = ...) -> tuple[str, ...]:
        values = self.get(key, list, default)
        if not all(isinstance(value, str) for value in values):
            raise ManifestError(f"{self.place}: `{key}` must be a list of strings, not {values!r}")
        return tuple(values)

    def choice(self, key: str, among: tuple[str, ...], default: Any = ...) -> str:
        value = self.get(key, str, default)
        if value not in among:
            raise ManifestError(f"{self.place}: `{key}` = {value!r} must be one of {', '.join(among)}")
        return value

    def done(self) -> None:
        """Nothing may stand in the table that nobody reads: a misspelt key is told, not ignored."""
        if unknown := sorted(set(self.values) - self.read):
            raise ManifestError(f"{self.place}: unknown key `{unknown[0]}`; known here: {', '.join(sorted(self.read))}")


def read_lesson(folder: str | Path) -> Lesson:
    """The lesson in `folder`. Raises ManifestError (one line: file, place, remedy) where it cannot be used."""
    folder = Path(folder)
    path = folder / MANIFEST
    try:
        values = tomllib.loads(path.read_bytes().decode("utf-8"))
    except FileNotFoundError:
        raise ManifestError(f"no lesson in {folder}: {MANIFEST} is not there") from None
    except UnicodeDecodeError as why:
        remedy = "save it as UTF-8" if _is_authors(folder) else RESTORE
        raise ManifestError(f"{path}: not UTF-8 at byte {why.start}: {remedy}") from None
    except tomllib.TOMLDecodeError as why:
        raise ManifestError(f"{path}: {why}: {'mend the line' if _is_authors(folder) else RESTORE}") from None
    table = _Table(values, str(path))
    slug = table.get("id", str)
    if not re.fullmatch(r"[a-z][a-z0-9_]*", slug):
        raise ManifestError(f"{path}: `id` = {slug!r} must be a slug: lower-case letters, digits, underscores")
    grading, limits = (_Table(table.get(key, dict, {}), f"{path}, [{key}]") for key in ("grading", "limits"))
    lesson = Lesson(
        folder, slug, table.number("order"), table.get("title", str), table.get("summary", str),
        table.get("minutes", int), table.strings("needs", []), table.get("assumes", str),
        Grading(grading.number("mistake", 0.25, most=1), grading.number("numerical", 0.5, most=1)),
        Limits(limits.number("seconds", 5.0), limits.get("memory_mb", int, 1024), limits.get("output_kb", int, 64)),
        tuple(_exercises(table.get("exercise", list), slug, path)),
    )
    for each in (table, grading, limits):
        each.done()
    ids, functions = ([str(getattr(e, key)) for e in lesson.exercises] for key in ("id", "function"))
    for name, keys in (("id", ids), ("function", functions)):
        if twice := sorted({key for key in keys if keys.count(key) > 1}):
            raise ManifestError(f"{path}: two exercises have the {name} {twice[0]}")
    return lesson


def _is_authors(folder: Path) -> bool:
    """Whether a lesson's folder is its author's, who has nothing to restore it from."""
    return (folder / INSTRUCTOR).is_dir()


def _exercises(tables: list[Any], slug: str, path: Path) -> Iterator[Exercise]:
    for number, values in enumerate(tables, 1):
        table = _Table(values, f"{path}, exercise {number}")
        arguments = _shapes(table.get("arguments", dict))
        returns = _shapes(table.get("returns", dict))
        if not returns:
            raise ManifestError(f"{table.place}: `returns` is empty: name what the function gives back")
        exercise = Exercise(
            slug, table.get("id", int), table.get("title", str), table.choice("part", ("core", "extra"), "core"),
            table.get("function", str), arguments, returns,
            table.choice("layout", LAYOUTS, "one" if len(returns) == 1 else "dict"),
            table.choice("time", ("backward", "forward"), "backward"), table.strings("cases"),
            table.strings("probes", []),
            tuple(_checks(table.get("check", list), returns, table.place)),
            tuple(_mistakes(table.get("mistake", list, []), table.place)), table.strings("hints"),
            table.number("tolerance", 1e-7), table.get("by_hand", bool, True),
            table.get("reveal", bool, True), table.get("planted", str, None), table.get("figure", str, None),
        )
        table.done()
        if not exercise.cases:
            raise ManifestError(f"{table.place}: `cases` is empty: name at least one")
        if strangers := [name for name in exercise.probes if name not in PROBES]:
            raise ManifestError(f"{table.place}: `probes` knows {' and '.join(PROBES)}, not {strangers[0]!r}")
        if exercise.planted and exercise.planted not in {mistake.name for mistake in exercise.mistakes}:
            raise ManifestError(f"{table.place}: `planted` = {exercise.planted!r} is none of its mistakes")
        yield exercise


def _shapes(tables: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    """`{"p": {"W_hh": "(H, H)"}}`, as TOML reads dotted keys, flat again: `{"p.W_hh": "(H, H)"}`."""
    flat: dict[str, str] = {}
    for name, shape in tables.items():
        flat |= _shapes(shape, f"{prefix}{name}.") if isinstance(shape, dict) else {prefix + name: str(shape)}
    return flat


def _checks(tables: list[Any], returns: Mapping[str, str], place: str) -> Iterator[Check]:
    if not tables:
        raise ManifestError(f"{place}: no [[exercise.check]]: without one it has no points")
    for number, values in enumerate(tables, 1):
        table = _Table(values, f"{place}, check {number}")
        outputs = table.strings("outputs", list(returns))
        if strangers := [name for name in outputs if name not in returns]:
            raise ManifestError(f"{table.place}: `{strangers[0]}` is not in `returns` ({', '.join(returns)})")
        yield Check(table.get("name", str), outputs, table.number("points"))
        table.done()


def _mistakes(tables: list[Any], place: str) -> Iterator[Mistake]:
    for number, values in enumerate(tables, 1):
        table = _Table(values, f"{place}, mistake {number}")
        name = table.get("name", str)
        if not re.fullmatch(r"[A-Z][A-Z0-9_]*", name):
            raise ManifestError(f"{table.place}: `name` = {name!r} must be in CAPITALS_AND_UNDERSCORES")
        yield Mistake(name, table.get("says", str), table.get("look", str, ""), table.get("edge", str, None))
        table.done()


def lessons_in(folder: str | Path) -> list[Path]:
    """The folders of lessons in `folder`, or `folder` itself if it is one, by name (which begins with the order)."""
    folder = Path(folder)
    if (folder / MANIFEST).is_file():
        return [folder]
    return sorted(path.parent for path in folder.glob(f"*/{MANIFEST}")) if folder.is_dir() else []


def spell_points(points: float) -> str:
    """Points without needless decimals: 2, 1.5, 0.25.

    >>> spell_points(2.0), spell_points(1.25)
    ('2', '1.25')
    """
    return f"{float(Fraction(points).limit_denominator(1000)):.3f}".rstrip("0").rstrip(".")
