"""Scenes: captions and answers are what the noise-free picture shows, and questions alone tell nothing."""

import numpy as np
import pytest

from tinygrad_rnn.data.tasks import QUESTIONS_BLIND, captions, questions
from tinygrad_rnn.data.tasks.scenes import CELL, CELLS, COLOURS, OBJECTS, SHAPES, SIZE, is_held_out


def seen(image):
    """The things in a picture without noise, read from its pixels: (colour, shape, row, column)."""
    found = []
    for row in range(CELLS):
        for column in range(CELLS):
            cell = image[row * CELL : (row + 1) * CELL, column * CELL : (column + 1) * CELL]
            form = cell.max(axis=2) > 0.3
            if form.any():
                mean = cell[form].mean(axis=0)
                colour = min(COLOURS, key=lambda name: np.ptp(mean / np.array(COLOURS[name])))
                (shape,) = (name for name, rows in SHAPES.items()
                            if ["".join(".#"[int(on)] for on in line) for line in form] == rows)  # fmt: skip
                found.append((colour, shape, row, column))
    return found


def test_a_caption_says_what_the_picture_shows():
    images, texts = captions(np.random.default_rng(0), 200, noise=0)
    for image, text in zip(images, texts, strict=True):
        a, b = sorted(seen(image), key=lambda thing: (thing[3], thing[2]))
        where = ["left", "of"] if a[3] < b[3] else ["above"]
        assert text == [*a[:2], *where, *b[:2]]


def test_combinations_that_are_held_out_are_never_shown_but_their_things_are():
    texts = captions(np.random.default_rng(1), 2000)[1]
    unseen = captions(np.random.default_rng(2), 500, unseen=True)[1]

    def pairs(some):
        return {frozenset([tuple(t[:2]), tuple(t[-2:])]) for t in some}

    assert not pairs(texts) & pairs(unseen)
    assert {tuple(t[:2]) for t in texts} == set(OBJECTS)
    assert sum(is_held_out(a, b) for a in range(9) for b in range(9)) == 16


def test_an_answer_is_what_the_picture_shows():
    asked = questions(np.random.default_rng(0), 300, noise=0)
    for image, question, answer in zip(asked.images, asked.questions, asked.answers, strict=True):
        things = {shape: (colour, column) for colour, shape, _, column in seen(image)}
        assert set(things) == set(SHAPES)
        match question:
            case ["what", "colour", "is", "the", shape]:
                expected = things[shape][0]
            case ["is", "the", a, "left", "of", "the", b]:
                assert things[a][1] != things[b][1]
                expected = "yes" if things[a][1] < things[b][1] else "no"
            case ["how", "many", "are", colour]:
                expected = str(sum(c == colour for c, _ in things.values()))
        assert answer == expected


def test_the_question_alone_does_no_better_than_it_says():
    """Who knows for each question its commonest answer, found on one half, is right on the other as often as said."""
    asked = questions(np.random.default_rng(3), 6000)
    counts = {}
    for question, answer in list(zip(asked.questions, asked.answers, strict=True))[:3000]:
        counts.setdefault(tuple(question), {}).setdefault(answer, 0)
        counts[tuple(question)][answer] += 1
    best = {question: max(each, key=each.get) for question, each in counts.items()}
    right = [best[tuple(q)] == a for q, a in zip(asked.questions[3000:], asked.answers[3000:], strict=True)]
    assert len(best) == 3 + 6 + 3
    assert np.mean(right) == pytest.approx(QUESTIONS_BLIND, abs=0.03)
    shares = np.unique(asked.kinds, return_counts=True)[1] / 6000
    assert shares == pytest.approx(1 / 3, abs=0.03)


@pytest.mark.parametrize("task", [captions, questions])
def test_scenes_repeat_with_their_seed_and_are_some(task):
    first, again = task(np.random.default_rng(5), 10), task(np.random.default_rng(5), 10)
    np.testing.assert_array_equal(first[0], again[0])
    assert first[0].shape == (10, SIZE, SIZE, 3)
    assert first[0].dtype == np.float32
    assert first[1] == again[1]
    with pytest.raises(ValueError, match="count must be at least 1"):
        task(np.random.default_rng(0), 0)
