"""Small pictures of shapes, with captions, and with questions and their answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

COLOURS = {"red": (1.0, 0.1, 0.1), "green": (0.1, 0.9, 0.1), "blue": (0.2, 0.3, 1.0)}
SHAPES = {
    "square": ["####", "####", "####", "####"],
    "disc": [".##.", "####", "####", ".##."],
    "triangle": ["#...", "##..", "###.", "####"],
}
OBJECTS = [(colour, shape) for colour in COLOURS for shape in SHAPES]
CELLS, CELL = 3, 4  # a picture is 3 x 3 cells, each of 4 x 4 pixels
SIZE = CELLS * CELL
PIXELS = SIZE * SIZE * 3
QUESTIONS_BLIND = (1 / 3 + 1 / 2 + 1 / 4) / 3
"""The share of right answers to `questions` of who reads the question, and guesses without looking: 13/36 = 0.361."""


class Thing(NamedTuple):
    """A shape in a cell of the picture; rows are counted from the top."""

    colour: str
    shape: str
    row: int
    column: int

    @property
    def name(self) -> tuple[str, str]:
        return self.colour, self.shape


def render(scene: list[Thing], rng: np.random.Generator, noise: float = 0.1) -> np.ndarray:
    """A picture (12, 12, 3) of a scene, float32 of about 0 to 1, each thing a little brighter or darker, with Gaussian
    noise on each number."""
    image = rng.normal(0, noise, (SIZE, SIZE, 3))
    for thing in scene:
        shape = np.array([[c == "#" for c in row] for row in SHAPES[thing.shape]])
        y, x = thing.row * CELL, thing.column * CELL
        image[y : y + CELL, x : x + CELL] += shape[..., None] * np.array(COLOURS[thing.colour]) * rng.uniform(0.7, 1)
    return image.astype(np.float32)


# Captions


def captions(rng: np.random.Generator, count: int, unseen: bool = False,
             noise: float = 0.1) -> tuple[np.ndarray, list[list[str]]]:  # fmt: skip
    """Pictures (count, 12, 12, 3) of two things, and what they show in seven words: "red square left of blue disc".

    The thing that stands to the left is named first, or of two in one column the upper one, so that each picture has
    one caption. There are nine things (three colours, three shapes) and 81 pairs; a pair is held out, `is_held_out`,
    where the numbers of the two add up to a multiple of 5 (16 of the pairs), so that `unseen` scenes show combinations
    that other scenes never do, of things that they do. Raises ValueError where count < 1.

    >>> images, texts = captions(np.random.default_rng(0), 3)
    >>> images.shape, " ".join(texts[0])
    ((3, 12, 12, 3), 'blue disc left of green triangle')
    """
    _check("captions", count)
    scenes: list[list[Thing]] = []
    while len(scenes) < count:
        a, b = rng.integers(len(OBJECTS), size=2)
        if is_held_out(OBJECTS[a], OBJECTS[b]) == unseen:
            scenes.append(_place([OBJECTS[a], OBJECTS[b]], rng))
    return np.stack([render(scene, rng, noise) for scene in scenes]), [caption(scene) for scene in scenes]


def caption(scene: list[Thing]) -> list[str]:
    """The words for a scene of two things."""
    first, second = sorted(scene, key=lambda thing: (thing.column, thing.row))
    where = ["left", "of"] if first.column < second.column else ["above"]
    return [*first.name, *where, *second.name]


def is_held_out(a: tuple[str, str], b: tuple[str, str]) -> bool:
    """Is this pair of things, in either order, kept for testing?"""
    return (OBJECTS.index(a) + OBJECTS.index(b)) % 5 == 0


# Questions


class Asked(NamedTuple):
    """Pictures (N, 12, 12, 3), a question in words and an answer in one word for each; `kinds` names what was asked:
    "colour", "place" or "count"."""

    images: np.ndarray
    questions: list[list[str]]
    answers: list[str]
    kinds: list[str]


def questions(rng: np.random.Generator, count: int, noise: float = 0.1) -> Asked:
    """Pictures of one square, one disc and one triangle, any of them red, green or blue, and a question for each:

        what colour is the disc?              red, green, blue
        is the square left of the disc?       yes, no (asked where they stand in different columns)
        how many are red?                     0, 1, 2, 3

    All three are as frequent, and within each question all its answers: scenes are drawn until one has the answer that
    was drawn before. So the question alone, or the commonest answer, tells nothing: `QUESTIONS_BLIND`. In the manner of
    S. Antol et al. ("VQA: Visual Question Answering", 2015); Y. Goyal et al. ("Making the V in VQA Matter", 2017)
    balance answers so. Raises ValueError where count < 1.

    >>> asked = questions(np.random.default_rng(0), 4)
    >>> " ".join(asked.questions[0]), asked.answers[0]
    ('how many are green', '2')
    """
    _check("questions", count)
    kinds, texts, answers, scenes = [], [], [], []
    for _ in range(count):
        kind = list(KINDS)[rng.integers(len(KINDS))]
        text, known, ask = KINDS[kind](rng)
        answer = known[rng.integers(len(known))]
        while True:
            colours = rng.choice(list(COLOURS), 3)
            scene = _place([(str(colour), shape) for colour, shape in zip(colours, SHAPES, strict=True)], rng)
            if ask({thing.shape: thing for thing in scene}) == answer:
                break
        kinds.append(kind)
        texts.append(text)
        answers.append(answer)
        scenes.append(scene)
    return Asked(np.stack([render(scene, rng, noise) for scene in scenes]), texts, answers, kinds)


Question = tuple[list[str], list[str], Callable[[dict[str, Thing]], str | None]]


def _colour(rng: np.random.Generator) -> Question:
    shape = list(SHAPES)[rng.integers(3)]
    return ["what", "colour", "is", "the", shape], list(COLOURS), lambda things: things[shape].colour


def _place_question(rng: np.random.Generator) -> Question:
    a, b = (list(SHAPES)[i] for i in rng.permutation(3)[:2])

    def ask(things: dict[str, Thing]) -> str | None:
        left, right = things[a].column, things[b].column
        return None if left == right else "yes" if left < right else "no"

    return ["is", "the", a, "left", "of", "the", b], ["yes", "no"], ask


def _count(rng: np.random.Generator) -> Question:
    colour = list(COLOURS)[rng.integers(3)]
    return (["how", "many", "are", colour], ["0", "1", "2", "3"],
            lambda things: str(sum(thing.colour == colour for thing in things.values())))  # fmt: skip


KINDS: dict[str, Callable[[np.random.Generator], Question]] = {
    "colour": _colour, "place": _place_question, "count": _count,
}  # fmt: skip


def _place(names: list[tuple[str, str]], rng: np.random.Generator) -> list[Thing]:
    """The things, each in a cell of its own."""
    cells = rng.permutation(CELLS * CELLS)[: len(names)]
    return [Thing(*name, *divmod(int(cell), CELLS)) for name, cell in zip(names, cells, strict=True)]


def _check(task: str, count: int) -> None:
    if count < 1:
        raise ValueError(f"{task}: count must be at least 1, not {count}")
