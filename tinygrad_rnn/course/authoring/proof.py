"""The grading of the grader: the solution, the stub and every named mistake of a lesson must get what they should.

Each problem is one line, to be mended in the lesson; `problems` finds none in a lesson that is fit for learners.
"""

from __future__ import annotations

import ast
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import combinations, zip_longest
from pathlib import Path

from ..cases import Cases, unpack
from ..grading.grader import grade
from ..grading.marks import same
from ..manifest import (
    CASES,
    DRIVER,
    INSTRUCTOR,
    Exercise,
    Lesson,
    ManifestError,
    Mistake,
    lessons_in,
    read_lesson,
    spell_points,
)  # fmt: skip
from ..parsing import parse
from ..verdict import Verdict
from ..words import say
from ..workspace.shelf import slug_of
from . import ipynb, rehearsal
from .bench import Bench
from .build import generated, stale
from .inside import verdict_inside
from .leaks import leaks
from .running import SOLUTION, text_of
from .shapes import case_shapes, docstring_shapes, known_shapes
from .stub import stub

HIDDEN = (1, 2, 3)
SPINE = range(1, 8)  # the orders of the lessons that owe their learners at least so many named mistakes:
AT_LEAST = 8
Made = tuple[Exercise, str]  # a mistake, made in the solution of an exercise
Found = tuple[str, str]  # a problem of one seed's cases, and what a learner would read, which differs from seed to seed


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
    yield from unasked(lesson)
    with tempfile.TemporaryDirectory() as empty, ThreadPoolExecutor(1) as beside:
        alone = travelled(lesson, files, Path(empty))
        yield from untouched(alone)
        played = beside.submit(lambda: list(rehearsal.script(alone, text_of(lesson, SOLUTION))))  # while we grade
        yield from graded(lesson, (0, *hidden), report, unpack(files[CASES]))
        report(say("proof.looking_notebook"))
        yield from played.result()
        if notebooks:
            yield from rehearsal.kernel(alone, text_of(lesson, SOLUTION))


def graded(lesson: Lesson, seeds: Sequence[int], report: Callable[[str], None] = lambda what: None,
           public: Mapping[str, Cases] | None = None) -> Iterator[str]:  # fmt: skip
    """What is wrong with the cases of these seeds, and with what the grader says of them: each problem once. `public`
    are the cases of seed 0, where they were made already."""
    bench = Bench(lesson)
    for exercise in lesson.exercises:
        yield from known_shapes(exercise)
    found: dict[str, tuple[list[int], str]] = {}
    for seed in seeds:
        report(say("proof.looking_seed", seed=seed, last=max(seeds)))
        together = 3 if seed == 0 else 1  # hidden cases are asked about single mistakes alone
        cases = public if seed == 0 and public is not None else {
            exercise.function: bench.cases(exercise, seed, together) for exercise in lesson.exercises}  # fmt: skip
        shaped = [(what, "") for each in lesson.exercises for what in case_shapes(each, cases[each.function])]
        for what, detail in (*shaped, *answers(lesson, cases), *mistakes(bench, cases, inside=seed != 0)):
            found.setdefault(what, ([], detail))[0].append(seed)
    for what, (where, detail) in found.items():
        key = "proof.seeds" if len(where) > 1 else "proof.seed"
        yield say(key, what=what, seeds=", ".join(map(str, where))) + (f": {detail}" if detail else "")


def unasked(lesson: Lesson) -> Iterator[str]:
    """An exercise that the notebook never asks for."""
    yield from (say("proof.unasked", exercise=key) for key in ipynb.unasked(lesson))


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


def answers(lesson: Lesson, cases: Mapping[str, Cases]) -> Iterator[Found]:
    """The solution earns all; the stub nothing, as not attempted or for the mistake that was planted in it."""
    for verdict in grade(lesson, source=text_of(lesson, SOLUTION), cases=cases):
        if not verdict.right or verdict.earned != verdict.points:
            yield say("proof.solution", **_spelled(verdict)), _detail(verdict)
    for verdict in grade(lesson, source=stub(lesson), cases=cases):
        planted = lesson.exercise(verdict.exercise).planted
        if planted is None and (verdict.kind != "not attempted" or verdict.earned):
            yield say("proof.stub", **_spelled(verdict)), _detail(verdict)
        elif planted is not None and not _named(verdict, planted):
            yield say("proof.planted", planted=planted, **_spelled(verdict)), _detail(verdict)


def mistakes(bench: Bench, cases: Mapping[str, Cases], inside: bool) -> Iterator[Found]:
    """Each mistake, made in the solution, is called by its own name; no two do the same."""
    alike: set[tuple[str, str]] = set()
    for exercise in bench.lesson.exercises:
        found = cases[exercise.function]
        alone = {names[0]: row for row, names in enumerate(found.explanations) if len(names) == 1}
        for one, other in combinations(alone, 2):
            if same(found.marks[alone[one]], found.marks[alone[other]]).all():
                alike |= {(exercise.key, one), (exercise.key, other)}
                yield say("proof.alike", exercise=exercise.key, one=one, other=other), ""
        for mistake in exercise.mistakes:
            if bench.mistaken(exercise, [mistake.name]) is None:
                yield say("proof.overlap", exercise=exercise.key, mistake=mistake.name), ""
    for (exercise, name), verdict in verdicts(bench, cases, inside):
        if _named(verdict, name) and verdict.earned < verdict.points:
            continue
        if verdict.kind == "right":
            yield say("proof.unnoticed", mistake=name, **_spelled(verdict)), ""
        elif not all((exercise.key, told) in alike for told in (name, *verdict.mistakes)):  # that is told already
            yield say("proof.mistake", mistake=name, **_spelled(verdict)), _detail(verdict)


def verdicts(bench: Bench, cases: Mapping[str, Cases], inside: bool) -> Iterator[tuple[Made, Verdict]]:
    """The verdict on every mistake, made alone: `inside` this process, or through child processes, two at once."""
    if inside:
        for made in (made for batch in batches(bench) for made in batch):
            yield made, verdict_inside(bench, cases, made[0], (made[1],))
        return

    def told(batch: Sequence[Made]) -> list[Verdict]:
        source = bench.source
        for exercise, name in batch:
            source = bench.mistaken(exercise, [name], source) or source
        return list(grade(bench.lesson, only={exercise.id for exercise, _ in batch}, source=source, cases=cases))

    every = list(batches(bench))
    with ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as pool:  # each waits for a child process
        for batch, found in zip(every, pool.map(told, every), strict=True):
            yield from zip(batch, found, strict=True)


def batches(bench: Bench) -> Iterator[tuple[Made, ...]]:
    """Every mistake once, in groups of one an exercise, which are made in one solution and graded by one process.

    An exercise whose function the lesson's own code uses elsewhere, or hands on by name, may be called there: its
    mistakes are made alone.
    """
    driver = bench.lesson.file(DRIVER)
    code = [*parse(bench.source).body, *(parse(driver.read_text("utf-8")).body if driver.is_file() else [])]
    queues: list[list[Made]] = []
    for exercise in bench.lesson.exercises:
        own = (exercise.function, f"drive_{exercise.function}")
        queue = [(exercise, each.name) for each in exercise.mistakes
                 if bench.mistaken(exercise, [each.name]) is not None]  # fmt: skip
        if any(exercise.function in _words(node) for node in code if getattr(node, "name", "") not in own):
            yield from ((made,) for made in queue)
        else:
            queues.append(queue)
    for row in zip_longest(*queues):
        yield tuple(made for made in row if made is not None)


def _words(code: ast.AST) -> set[object]:
    """The names that a piece of code uses, those in strings of one word too."""
    return {getattr(node, key) for node in ast.walk(code) for key in ("id", "attr", "value")
            if isinstance(getattr(node, key, None), str)}  # fmt: skip


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
        "exercise": verdict.key, "kind": verdict.kind, "earned": spell_points(verdict.earned),
        "points": spell_points(verdict.points), "names": " or ".join(verdict.mistakes) or say("proof.no_name"),
    }  # fmt: skip


def _detail(verdict: Verdict) -> str:
    """What a learner would read first; where that ends in a colon, with what it announces."""
    first, *rest = verdict.lines or ("-",)
    if first.endswith(":"):
        first = " ".join([first, *(line.removeprefix("- ") for line in rest if line.startswith("- "))])
    return first
