"""Handwriting as lines: the strokes and no more, inks by letter, and the window under them."""

import xml.etree.ElementTree as ET

import numpy as np
import pytest

from tinygrad_rnn.pictures.handwriting import INKS, density_picture, handwriting_picture, window_picture

STROKES = [(1, 0, 0), (0, 1, 1), (2, 0, 0), (0, -1, 0), (-4, 0, 1)]  # an angle, a hop of 2, and a hook
WINDOW = [[1, 0], [1, 0], [0, 1], [0, 1], [0, 1]]


def lines(drawing):
    return [edge.points for edge in drawing.figure.edges]


def test_lines_are_the_strokes_with_the_pen_down():
    drawing = handwriting_picture([("ab", STROKES)], "A word", scale=1.0)
    # the leftmost point, the hook's end, is moved to x = 0
    assert lines(drawing) == [((1, 0), (2, 0), (2, 1)), ((4, 1), (4, 0), (0, 0))]
    assert len({edge.colour for edge in drawing.figure.edges}) == 1


def test_the_ink_changes_where_the_window_goes_on_and_no_step_is_lost():
    strokes = [(1, 0, 0)] * 5 + [(1, 0, 1)]
    window = np.eye(2)[[0, 0, 1, 1, 1, 1]]
    drawing = handwriting_picture([("ab", strokes)], "A word", windows=[window], scale=1.0)
    assert lines(drawing) == [((0, 0), (1, 0), (2, 0)), ((2, 0), (3, 0), (4, 0), (5, 0), (6, 0))]
    assert [edge.colour for edge in drawing.figure.edges] == list(INKS)


def test_words_stand_apart_and_carry_their_text():
    drawing = handwriting_picture([(word, STROKES) for word in ("ab", "cd", "ef")], "Words", "About.", columns=2)
    names = {node.lines[0].text: (node.x, node.y) for node in drawing.figure.nodes if node.key in "012"}
    assert set(names) == {"ab", "cd", "ef"}
    assert names["cd"][0] > names["ab"][0]
    assert names["ef"][1] < names["ab"][1]
    boxes = [(min(x for x, _ in points), max(x for x, _ in points)) for points in lines(drawing)]
    assert boxes[2][0] > boxes[0][1]
    tree = ET.fromstring(drawing.svg)
    assert tree.find("{*}title").text == "Words"
    assert tree.find("{*}desc").text == "About."


def test_the_window_has_a_row_for_each_letter_and_is_darkest_where_it_reads():
    drawing = window_picture("ab", STROKES, WINDOW, "What it reads")
    paper = next(node for node in drawing.figure.nodes if node.key == "window/paper")
    dark = [node for node in drawing.figure.nodes if node.key.startswith("window/") and node is not paper]
    assert len(dark) == 2  # one run a letter
    first, second = sorted(dark, key=lambda node: -node.y)
    assert first.x + first.width / 2 == pytest.approx(second.x - second.width / 2)
    assert first.width / paper.width == pytest.approx(2 / 5)
    letters = {node.lines[0].text: node.y for node in drawing.figure.nodes if node.key.startswith("letter/")}
    assert letters == {"a": first.y, "b": second.y}


def test_a_map_of_what_was_expected_lies_under_the_pen():
    """A density that is 1 in the cell where the pen goes first and 0 elsewhere is dark under that place."""
    density = np.zeros((4, 8))
    density[1, 3] = 1  # cells of half a step, from (-0.5, 2) on: x from 1 to 1.5, y from 1 to 1.5
    drawing = density_picture([(1.25, 1.25, 1)], density, (-0.5, 2.0), 0.5, "Expected", scale=10.0)
    node = {node.key: node for node in drawing.figure.nodes}
    (dark,) = [each for key, each in node.items() if key.startswith("map/") and key != "map/paper"]
    assert (node["pen/0"].x, node["pen/0"].y) == (0, 0)
    assert (dark.x, dark.y) == (node["pen/1"].x, node["pen/1"].y) == (12.5, 12.5)


def test_what_is_no_handwriting_is_refused_in_one_line():
    with pytest.raises(ValueError, match="Empty: there is no handwriting to draw"):
        handwriting_picture([], "Empty")
    with pytest.raises(ValueError, match=r"strokes \(T, 3\).*not \(0,\)"):
        handwriting_picture([("a", [])], "Empty")
