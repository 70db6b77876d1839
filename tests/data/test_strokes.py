"""Handwriting from the Hershey fonts: lines to steps of a pen and back, hands, and what is refused."""

import sys
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinygrad_rnn.data import strokes
from tinygrad_rnn.data.strokes import Hand, handwriting, handwriting_batch, hershey, one_hot_text, resampled, to_lines

pytest.importorskip("HersheyFonts")
words = st.text("abcdefghijklmnopqrstuvwxyz", min_size=1, max_size=6)


def gaps(points):
    return np.hypot(*np.diff(points, axis=0).T)


@given(words, st.sampled_from(["scripts", "futural", "timesr"]), st.floats(0.08, 0.4), st.integers(0, 2**32))
@settings(max_examples=40, deadline=None)
def test_steps_and_lines_are_each_others_inverse(word, font, spacing, seed):
    hand = Hand.drawn(np.random.default_rng(seed), wobble=0.0)
    x = handwriting(word, hand=hand, font=font, spacing=spacing)
    assert x.dtype == np.float32
    assert x[-1, 2] == 1
    first = hershey(word, font, spacing)[0][:1]
    lines = to_lines(x, spacing, tuple(hand.written(first)[0]))
    assert len(lines) == x[:, 2].sum()
    points = np.concatenate(lines)
    letters = np.concatenate(hershey(word, font, spacing))
    expected = hand.written(letters)
    distance = np.linalg.norm(points[:, None] - expected[None], axis=-1)
    assert distance.min(axis=1).max() < strokes.JOINED  # every point drawn is one of the font's ...
    assert distance.min(axis=0).max() < 1.3 * strokes.JOINED  # ... and all of the font's are drawn, but for joints


def test_lines_make_the_same_steps_again():
    x = handwriting("lstm", np.random.default_rng(0))
    lines = to_lines(x)
    points = np.concatenate(lines)
    np.testing.assert_allclose(np.diff(points, axis=0), x[:, :2], atol=1e-5)
    ends = np.cumsum([len(line) for line in lines]) - 2
    assert np.flatnonzero(x[:, 2]).tolist() == ends.tolist()


@given(st.lists(st.tuples(st.integers(-9, 9), st.integers(-9, 9)), min_size=2, max_size=8, unique=True),
       st.floats(0.1, 3))  # fmt: skip
@settings(max_examples=60, deadline=None)
def test_resampled_points_lie_on_the_stroke_at_even_distances_along_it(corners, spacing):
    stroke = np.array(corners, float)
    points = resampled(stroke, spacing)
    np.testing.assert_allclose(points[[0, -1]], stroke[[0, -1]])
    length = gaps(stroke).sum()
    fine = np.concatenate([np.linspace(a, b, 200) for a, b in pairwise(stroke)])
    off = np.linalg.norm(points[:, None] - fine[None], axis=-1).min(axis=1)
    assert off.max() <= gaps(stroke).max() / 200  # on the line, as finely as it was drawn here
    even = length / (len(points) - 1)
    assert (gaps(points) <= even * (1 + 1e-9)).all()  # straight from point to point is no longer than along the line
    assert even <= 1.5 * spacing or len(points) == 2


def test_letters_of_a_cursive_font_are_joined_and_those_of_print_are_not():
    assert handwriting("lll")[:, 2].sum() == 1
    assert handwriting("lll", font="futural")[:, 2].sum() == 3
    assert handwriting("i")[:, 2].sum() == 2  # and its dot


def test_a_letter_stands_on_the_line_and_a_capital_is_one_high():
    for letter in "HEZ":
        points = np.concatenate(hershey(letter, "futural"))
        assert points[:, 1].min() == pytest.approx(0)
        assert points[:, 1].max() == pytest.approx(1)
    assert np.concatenate(hershey("p", "futural"))[:, 1].min() < -0.2


def test_a_hand_shears_stretches_scales_and_turns():
    square = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    np.testing.assert_allclose(Hand().written(square), square)
    slanted = Hand(slant=np.pi / 4).written(square)
    np.testing.assert_allclose(slanted, [[0, 0], [1, 0], [1, 1]], atol=1e-12)  # upright strokes lean to the right
    np.testing.assert_allclose(Hand(climb=np.pi / 2).written(square), [[0, 0], [0, 1], [-1, 0]], atol=1e-12)
    np.testing.assert_allclose(Hand(width=3, size=2).written(square), [[0, 0], [6, 0], [0, 2]])


def test_writing_repeats_with_its_seed_and_varies_without():
    a, b, c = (handwriting("ab", np.random.default_rng(seed)) for seed in (1, 1, 2))
    np.testing.assert_array_equal(a, b)
    assert a.shape == c.shape
    assert np.abs(a - c).max() > 0.05
    assert np.hypot(*handwriting("m")[:, :2].T).mean() == pytest.approx(1, abs=0.05)


def test_a_batch_starts_with_the_pen_in_the_air_and_masks_what_is_past_the_end():
    x, mask = handwriting_batch(["i", "mm"], font="futural")
    one, two = handwriting("i", font="futural"), handwriting("mm", font="futural")
    assert x.shape == (len(two) + 1, 2, 3)
    assert (x[0] == (0, 0, 1)).all()
    np.testing.assert_array_equal(x[1:, 0][mask[:, 0]], one)
    np.testing.assert_array_equal(x[1:, 1], two)
    assert not x[1:, 0][~mask[:, 0]].any()


def test_words_are_spelt_in_one_hot_letters():
    text = one_hot_text(["cab", "b"], "abc", length=4)
    assert text.shape == (2, 4, 3)
    assert text[0, :3].argmax(-1).tolist() == [2, 0, 1]
    assert text.sum(-1).tolist() == [[1, 1, 1, 0], [1, 0, 0, 0]]
    with pytest.raises(ValueError, match=r"'d' .*is not one of the 3"):
        one_hot_text(["bad"], "abc")


def test_what_cannot_be_written_is_refused_in_one_line(monkeypatch):
    with pytest.raises(ValueError, match=r"no font 'comic'; there are futural, .*scripts"):
        hershey("a", "comic")
    with pytest.raises(ValueError, match=r"'é' \(number 2 of the text\) is not in the font scripts"):
        handwriting("né")
    with pytest.raises(ValueError, match="' ' has nothing to write"):
        handwriting(" ")
    with pytest.raises(ValueError, match="spacing of the points must be positive, and it is 0"):
        handwriting("a", spacing=0)
    with pytest.raises(ValueError, match=r"strokes are \(T, 3\).*not \(4, 2\)"):
        to_lines(np.zeros((4, 2)))
    monkeypatch.setitem(sys.modules, "HersheyFonts", None)
    strokes._font.cache_clear()
    with pytest.raises(RuntimeError, match=r"Hershey-Fonts.*: pip install 'tinygrad_rnn\[data\]'"):
        hershey("a")
