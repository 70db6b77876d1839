"""Grey frames: every pixel in its shade and place, frames where they were said to be, words for who sees nothing."""

import xml.etree.ElementTree as ET

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinygrad_rnn.pictures.frames import LEVELS, frames_picture, pixels


def shade(node):
    return int(node.fill[1:3], 16)


@given(st.integers(1, 6), st.integers(1, 7), st.integers(0, 2**32))
@settings(max_examples=40, deadline=None)
def test_each_pixel_is_covered_once_by_its_shade_of_grey(height, width, seed):
    image = np.random.default_rng(seed).random((height, width)).round(1)
    paper, *nodes = pixels("a", image, 10, 20, 4)
    assert (paper.x, paper.y, paper.width, paper.height) == (10 + 2 * width, 20 - 2 * height, 4 * width, 4 * height)
    drawn = np.zeros((height, width))
    for node in nodes:
        i, start = round((20 - node.y) / 4 - 0.5), round((node.x - node.width / 2 - 10) / 4)
        assert (drawn[i, start : start + round(node.width / 4)] == 0).all()
        drawn[i, start : start + round(node.width / 4)] = 1 - shade(node) / 255
    np.testing.assert_allclose(drawn, image, atol=0.5 / LEVELS + 0.5 / 255 + 1e-9)


def test_shades_go_from_the_lowest_to_the_highest_value_in_the_ink():
    _, *nodes = pixels("a", [[-1.0, 0.0, 3.0, 9.0]], 0, 0, 1, "#ff0000", lowest=0, highest=3)
    assert [node.fill for node in nodes] == ["#ff0000"]  # the first two are white paper, the last two one rectangle
    assert nodes[0].width == 2
    with pytest.raises(ValueError, match=r"an image \(height, width\), not \(3,\)"):
        pixels("a", np.zeros(3), 0, 0, 1)


def picture(**options):
    rng = np.random.default_rng(0)
    rows = [("first", rng.random((2, 8, 8))), ("second", rng.random((2, 8, 8)))]
    return frames_picture(rows, "Frames", "What is seen here.", ["step 1", "step 2"], pixel=5.0, **options)


def edges_of(node):
    return node.x - node.width / 2, node.x + node.width / 2, node.y - node.height / 2, node.y + node.height / 2


def test_frames_stand_in_pixels_counted_from_one_over_the_images_and_differ_without_colour():
    drawing = picture(reads=[[None, (4.5, 4.5, 8, 8)], []], writes=[[(2.0, 1.0, 1, 1), None], []])
    node = {node.key: node for node in drawing.figure.nodes}
    whole, first = node["row 1, image 2/paper"], node["row 1, image 1/paper"]
    read, written = node["row 1, image 2/read"], node["row 1, image 1/write"]
    assert edges_of(read) == edges_of(whole)
    x, y = first.x - 20, first.y + 20
    assert edges_of(written) == (x + 5, x + 10, y - 5, y)  # the second pixel of the first row
    assert read.fill == written.fill == "none"
    assert read.dashed
    assert not written.dashed
    assert drawing.figure.nodes[-2:] in ((read, written), (written, read))
    assert sum(key.endswith(("/read", "/write")) for key in node) == 2


def test_a_frame_far_outside_is_cut_off_near_its_image():
    drawing = picture(reads=[[(50.0, -40.0, 30, 30)]])
    node = {node.key: node for node in drawing.figure.nodes}
    paper, frame = node["row 1, image 1/paper"], node["row 1, image 1/read"]
    assert all(abs(x - paper.x) <= 20 + 2.5 for x in edges_of(frame)[:2])
    assert all(abs(y - paper.y) <= 20 + 2.5 for y in edges_of(frame)[2:])


def test_it_has_a_title_a_description_and_names_of_rows_and_columns():
    drawing = picture()
    tree = ET.fromstring(drawing.svg)
    assert tree.find("{*}title").text == "Frames"
    assert tree.find("{*}desc").text == "What is seen here."
    words = {line.text for node in drawing.figure.nodes for line in node.lines}
    assert {"first", "second", "step 1", "step 2"} <= words
    with pytest.raises(ValueError, match="Nothing: there is no image to draw"):
        frames_picture([], "Nothing")
