"""Small pictures of shapes, with captions, and with questions and their answers."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

COLOURS = {"red": (1.0, 0.1, 0.1), "green": (0.1, 0.9, 0.1), "blue": (0.2, 0.3, 1.0)}
SHAPES = {
    "square": ["####", "#..#", "#..#", "####"],
    "disc": [".##.", "####", "####", ".##."],
    "triangle": ["#...", "##..", "###.", "####"],
}
OBJECTS = [(colour, shape) for colour in COLOURS for shape in SHAPES]
CELLS, CELL = 3, 4  # a picture is 3 x 3 cells, each of 4 x 4 pixels
SIZE = CELLS * CELL
PIXELS = SIZE * SIZE * 3
QUESTIONS_BLIND = (1 / 3 + 1 / 2 + 1 / 4) / 3
"""The share of right answers to `questions` of who reads the question, and guesses without looking: 13/36 = 0.361."""


class Scenes(NamedTuple):
    """What stands where in N pictures of K things each: integers (N, K), the numbers of their `colours` and `shapes`,
    and the `cells` that they stand in, counted along the rows from the top."""

    colours: np.ndarray
    shapes: np.ndarray
    cells: np.ndarray

    @property
    def rows(self) -> np.ndarray:
        return self.cells // CELLS

    @property
    def columns(self) -> np.ndarray:
        return self.cells % CELLS


def render(scenes: Scenes, rng: np.random.Generator, noise: float = 0.1) -> np.ndarray:
    """Pictures (N, 12, 12, 3) of scenes, float32 of about 0 to 1, each thing a little brighter or darker, with Gaussian
    noise on each number."""
    N = len(scenes.cells)
    forms = np.array([[[c == "#" for c in row] for row in rows] for rows in SHAPES.values()], np.float32)
    colours = np.array(list(COLOURS.values()), np.float32)
    images = np.zeros((N, CELLS, CELLS, CELL, CELL, 3), np.float32)
    bright = rng.uniform(0.7, 1, scenes.cells.shape).astype(np.float32)[..., None, None, None]
    things = forms[scenes.shapes][..., None] * colours[scenes.colours][:, :, None, None] * bright
    images[np.arange(N)[:, None], scenes.rows, scenes.columns] = things
    whole = images.transpose(0, 1, 3, 2, 4, 5).reshape(N, SIZE, SIZE, 3)
    return whole + np.float32(noise) * rng.standard_normal(whole.shape, np.float32)


def _cells(rng: np.random.Generator, count: int, things: int) -> np.ndarray:
    """A cell for each of the things, no two in one."""
    return rng.random((count, CELLS * CELLS)).argsort(axis=1)[:, :things]


# Captions


def captions(rng: np.random.Generator, count: int, unseen: bool = False,
             noise: float = 0.1) -> tuple[np.ndarray, list[list[str]]]:  # fmt: skip
    """Pictures (count, 12, 12, 3) of two things, and what they show in words: "red square left of blue disc".

    The thing that stands to the left is named first, or of two in one column the upper one ("red square above blue
    disc"), so that each picture has one caption. There are nine things (three colours, three shapes) and 81 pairs; a
    pair is held out where the numbers of the two in `OBJECTS` add up to a multiple of 5 (16 of the pairs), so that
    `unseen` scenes show combinations that other scenes never do, of things that they do. Raises ValueError where
    count < 1.

    >>> images, texts = captions(np.random.default_rng(0), 3)
    >>> images.shape, " ".join(texts[0])
    ((3, 12, 12, 3), 'green triangle left of blue disc')
    """
    _check("captions", count)
    allowed = np.array([(a, b) for a in range(9) for b in range(9) if is_held_out(a, b) == unseen])
    pairs = allowed[rng.integers(len(allowed), size=count)]
    scenes = Scenes(pairs // len(SHAPES), pairs % len(SHAPES), _cells(rng, count, 2))
    columns, first = scenes.columns, (scenes.columns * CELLS + scenes.rows).argmin(axis=1)
    texts = []
    for pair, i, (left, right) in zip(pairs.tolist(), first.tolist(), columns.tolist(), strict=True):
        where = ["above"] if left == right else ["left", "of"]
        texts.append([*OBJECTS[pair[i]], *where, *OBJECTS[pair[1 - i]]])
    return render(scenes, rng, noise), texts


def is_held_out(a: int, b: int) -> bool:
    """Is this pair of things, by their numbers in OBJECTS, in either order, kept for testing?"""
    return (a + b) % 5 == 0


# Questions


class Asked(NamedTuple):
    """Pictures (N, 12, 12, 3), a question in words and an answer in one word for each; `kinds` names what was asked:
    "colour", "place" or "count"."""

    images: np.ndarray
    questions: list[list[str]]
    answers: list[str]
    kinds: list[str]


KINDS = {"colour": tuple(COLOURS), "place": ("yes", "no"), "count": ("0", "1", "2", "3")}  # and their answers


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
    ('how many are blue', '0')
    """
    _check("questions", count)
    kind = rng.integers(len(KINDS), size=count)
    known = np.array([len(answers) for answers in KINDS.values()])
    wanted = (rng.random(count) * known[kind]).astype(int)
    asked = rng.random((count, 3)).argsort(axis=1)[:, :2]  # two shapes; or one shape, or one colour, the first
    scenes = Scenes(*(np.zeros((count, 3), int) for _ in range(3)))
    scenes.shapes[:] = np.arange(3)
    open_ = np.arange(count)
    while len(open_):
        scenes.colours[open_] = rng.integers(len(COLOURS), size=(len(open_), 3))
        scenes.cells[open_] = _cells(rng, len(open_), 3)
        open_ = open_[_answers(scenes, kind, asked)[open_] != wanted[open_]]
    kinds = [list(KINDS)[k] for k in kind]
    texts = [_question(k, a, b) for k, (a, b) in zip(kinds, asked.tolist(), strict=True)]
    answers = [KINDS[k][i] for k, i in zip(kinds, wanted.tolist(), strict=True)]
    return Asked(render(scenes, rng, noise), texts, answers, kinds)


def _answers(scenes: Scenes, kind: np.ndarray, asked: np.ndarray) -> np.ndarray:
    """The number of the right answer to each question, -1 where it has none."""
    each = np.arange(len(kind))
    colour = scenes.colours[each, asked[:, 0]]
    left, right = (scenes.columns[each, asked[:, i]] for i in (0, 1))
    place = np.where(left == right, -1, left > right)
    count = (scenes.colours == asked[:, :1]).sum(axis=1)
    return np.choose(kind, [colour, place, count])


def _question(kind: str, a: int, b: int) -> list[str]:
    shapes, colours = list(SHAPES), list(COLOURS)
    if kind == "colour":
        return ["what", "colour", "is", "the", shapes[a]]
    if kind == "place":
        return ["is", "the", shapes[a], "left", "of", "the", shapes[b]]
    return ["how", "many", "are", colours[a]]


def _check(task: str, count: int) -> None:
    if count < 1:
        raise ValueError(f"{task}: count must be at least 1, not {count}")
