"""The grading of the grader: the solution, the stub and every named mistake of a lesson must get what they should.

Each problem is one line, to be mended in the lesson; `problems` finds none in a lesson that is fit for learners.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import combinations
from pathlib import Path

import numpy as np

from ..cases import Cases
from ..grading.grader import grade
from ..grading.judging import sizes
from ..grading.marks import same
from ..manifest import INSTRUCTOR, Exercise, Lesson, ManifestError, Mistake, lessons_in, read_lesson
from ..verdict import Verdict
from ..words import say
from ..workspace.shelf import slug_of
from . import rehearsal
from .bench import SOLUTION, Bench, mistaken, text_of
from .build import generated, stale
from .leaks import leaks
from .signatures import docstrings, driver_of
from .stub import stub

HIDDEN = (1, 2, 3)
SPINE = range(1, 8)  # the orders of the lessons that owe their learners at least so many named mistakes:
AT_LEAST = 8
SHAPE = r"\((?:[\dA-Z][\w+*-]*(?:,\s*[\dA-Z][\w+*-]*)*,?)?\)"  # as a docstring writes it: (T+1, B, 4H)


def problems(lesson: Lesson, notebooks: bool = False, hidden: Sequence[int] = HIDDEN,
             report: Callable[[str], None] = lambda what: None) -> Iterator[str]:  # fmt: skip
    """What is wrong with a lesson, a line each, as it is found. With `notebooks` its notebook runs in a kernel too.
    `hidden` are the seeds of the cases that are tried beside the public ones; `report` is told what is being looked at.

    Raises AuthoringError or ManifestError where the lesson is too broken to be looked at.
    """
    report(say("proof.looking_files"))
    yield from table(lesson)
    files = generated(lesson)
    yield from (why for _, why in stale(lesson, files))
    yield from leaks(lesson, files)
    yield from docstring_shapes(lesson)
    bench = Bench(lesson)
    for seed in (0, *hidden):
        report(say("proof.looking_seed", seed=seed, last=max((0, *hidden))))
        cases = {exercise.function: bench.cases(exercise, seed) for exercise in lesson.exercises}
        for exercise in lesson.exercises:
            yield from case_shapes(exercise, cases[exercise.function], seed)
        yield from answers(lesson, cases, seed)
        yield from mistakes(lesson, bench, cases, seed)
    report(say("proof.looking_notebook"))
    with tempfile.TemporaryDirectory() as empty:
        alone = travelled(lesson, files, Path(empty))
        yield from untouched(alone)
        yield from rehearsal.script(alone, text_of(lesson, SOLUTION))
        if notebooks:
            yield from rehearsal.kernel(alone, text_of(lesson, SOLUTION))


def table(lesson: Lesson) -> Iterator[str]:
    """What lesson.toml says of itself: hints, sentences, minutes, what is needed."""
    others: dict[str, Lesson] = {}
    broken = set()
    for folder in lessons_in(lesson.folder.resolve().parent):
        try:
            other = read_lesson(folder)
        except ManifestError:  # that lesson's own problem
            broken.add(slug_of(folder))
            continue
        if other.id in others:
            yield say("proof.twice", lesson=other.id, one=others[other.id].folder.name, other=folder.name)
        others[other.id] = other
    for need in lesson.needs:
        if need not in others | dict.fromkeys(broken):
            yield say("proof.no_need", lesson=lesson.id, need=need)
        elif need in others and others[need].order >= lesson.order:
            yield say("proof.later_need", lesson=lesson.id, need=need)
    if lesson.minutes <= 0:
        yield say("proof.no_minutes", lesson=lesson.id)
    names = {mistake.name for exercise in lesson.exercises for mistake in exercise.mistakes}
    if lesson.order in SPINE and len(names) < AT_LEAST:
        yield say("proof.few_mistakes", lesson=lesson.id, count=len(names), least=AT_LEAST)
    for exercise in lesson.exercises:
        if len(exercise.hints) != 3 or not all(hint.strip() for hint in exercise.hints):
            yield say("proof.hints", exercise=exercise.key, count=len(exercise.hints))
        timed = any(re.match(r"\(T\b", shape) for shape in exercise.returns.values())
        for mistake in exercise.mistakes:
            yield from _places(exercise, mistake, timed)


def _places(exercise: Exercise, mistake: Mistake, timed: bool) -> Iterator[str]:
    """Only {step} is filled in, in `says`, where there are steps. Braces of mathematics, h_{t-1}, are left alone."""
    about = {"exercise": exercise.key, "mistake": mistake.name}
    for key, sentence in (("says", mistake.says), ("look", mistake.look)):
        for place in re.findall(r"(?<![_^\\\w}])\{([a-z]\w*)\}", sentence):
            if place != "step" or key == "look":
                yield say("proof.place", place=f"{{{place}}}", key=key, **about)
    if "{step}" in mistake.says and not timed:
        yield say("proof.no_steps", **about)


def docstring_shapes(lesson: Lesson) -> Iterator[str]:
    """Docstrings give the shapes of the table, and no others. Where driver.py calls, the table is the driver's."""
    texts = docstrings(lesson)
    for exercise in lesson.exercises:
        if driver_of(lesson, exercise) is not None:
            continue
        own = texts[exercise.function]
        whole = own + "".join(text for name, text in texts.items() if re.search(rf"\b{name}\b", own))  # "p as in bptt"
        for name, shape in {**exercise.arguments, **exercise.returns}.items():
            last, wanted = re.escape(name.rpartition(".")[2]), "".join(shape.split())
            beside = re.findall(rf"(?<!\w){last}[\"'\]]*:?\s*({SHAPE})", own)
            shapes = ["".join(found.split()) for found in beside or re.findall(SHAPE, whole)]
            if re.match(r"\(.*[A-Z]", wanted) and wanted not in shapes:
                yield say("proof.shape_untold", exercise=exercise.key, name=name, shape=shape)


def case_shapes(exercise: Exercise, cases: Cases, seed: int) -> Iterator[str]:
    """Numbers that are numbers, and one case at least whose axes all differ: a transposed matrix shows only there."""
    for case in (*cases.scored, *cases.probes.values()):
        for name, value in (*case.inputs.items(), *case.expected.items()):
            if isinstance(value, np.ndarray) and value.dtype.kind == "f" and not np.isfinite(value).all():
                yield say("proof.not_finite", exercise=exercise.key, case=case.name, seed=seed, name=name)
    found = [sizes(exercise, case) for case in cases.scored]
    if seed == 0 and not any(len(set(each.values())) == len(each) for each in found):
        yield say("proof.equal_axes", exercise=exercise.key, axes=", ".join(found[-1]))


def answers(lesson: Lesson, cases: Mapping[str, Cases], seed: int) -> Iterator[str]:
    """The solution earns all; the stub nothing, as not attempted or for the mistake that was planted in it."""
    about = {"lesson": lesson.id, "seed": seed}
    for verdict in grade(lesson, source=text_of(lesson, SOLUTION), cases=cases):
        if not verdict.right or verdict.earned != verdict.points:
            yield say("proof.solution", **about, **_spelled(verdict))
    for verdict in grade(lesson, source=stub(lesson), cases=cases):
        planted = lesson.exercise(verdict.exercise).planted
        if planted is None and (verdict.kind != "not attempted" or verdict.earned):
            yield say("proof.stub", **about, **_spelled(verdict))
        elif planted is not None and not _named(verdict, planted):
            yield say("proof.planted", planted=planted, **about, **_spelled(verdict))


def mistakes(lesson: Lesson, bench: Bench, cases: Mapping[str, Cases], seed: int) -> Iterator[str]:
    """Each mistake, made in the solution, is called by its own name; no two do the same."""
    for exercise in lesson.exercises:
        found = cases[exercise.function]
        alone = {names[0]: row for row, names in enumerate(found.explanations) if len(names) == 1}
        for one, other in combinations(alone, 2):
            if same(found.marks[alone[one]], found.marks[alone[other]]).all():
                yield say("proof.alike", exercise=exercise.key, one=one, other=other, seed=seed)

    def graded(made: tuple[Exercise, str]) -> Verdict | None:
        exercise, name = made
        source = mistaken(bench.source, exercise.function, bench.edits[exercise.function][name])
        if source is None:
            return None
        (verdict,) = grade(lesson, only={exercise.id}, source=source, cases=cases)
        return verdict

    every = [(exercise, mistake.name) for exercise in lesson.exercises for mistake in exercise.mistakes]
    with ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as pool:  # each waits for a child process
        for (exercise, name), verdict in zip(every, pool.map(graded, every), strict=True):
            if verdict is None:
                yield say("proof.overlap", exercise=exercise.key, mistake=name)
            elif not _named(verdict, name) or verdict.earned >= verdict.points:
                yield say("proof.mistake", mistake=name, seed=seed, **_spelled(verdict))


def travelled(lesson: Lesson, files: Mapping[str, bytes], folder: Path) -> Lesson:
    """The lesson as a learner has it, alone in an empty folder: no instructor's folder, no other lessons."""
    alone = folder / lesson.folder.resolve().name
    shutil.copytree(lesson.folder, alone, ignore=shutil.ignore_patterns(INSTRUCTOR, "__pycache__", ".*"))
    for name, content in files.items():
        (alone / name).write_bytes(content)
    return read_lesson(alone)


def untouched(alone: Lesson) -> Iterator[str]:
    """Grading a learner's folder changes nothing in it, and needs nothing beside it."""
    before = _snapshot(alone.folder)
    list(grade(alone))
    after = _snapshot(alone.folder)
    for path in sorted(before.keys() | after.keys()):
        if before.get(path) != after.get(path):
            yield say("proof.touched", lesson=alone.id, path=path)


def _snapshot(folder: Path) -> dict[str, tuple[int, bytes]]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): (path.stat().st_mtime_ns, path.read_bytes()) for path in files}


def _named(verdict: Verdict, name: str) -> bool:
    return verdict.kind == "mistake" and verdict.mistakes == (name,) and verdict.certain


def _spelled(verdict: Verdict) -> dict[str, object]:
    return {
        "exercise": verdict.key, "kind": verdict.kind, "earned": verdict.earned, "points": verdict.points,
        "names": " or ".join(verdict.mistakes) or "-", "line": verdict.lines[0] if verdict.lines else "-",
    }  # fmt: skip
