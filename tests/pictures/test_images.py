"""Images in pictures: the bytes of a PNG say the numbers, and the two figures show what they say."""

import base64
import io
import re
import struct
import xml.etree.ElementTree as ET
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import tinygrad_rnn as tg
from tinygrad_rnn.pictures.images import COLOURS, image_grid, to_png
from tinygrad_rnn.pictures.lecture_plots import activation_chart, stride_drawing


def read_png(content):
    """The pixels of an unfiltered PNG, checked chunk by chunk."""
    assert content[:8] == b"\x89PNG\r\n\x1a\n"
    at, chunks = 8, {}
    while at < len(content):
        (length,) = struct.unpack(">I", content[at : at + 4])
        kind, data = content[at + 4 : at + 8], content[at + 8 : at + 8 + length]
        assert struct.unpack(">I", content[at + 8 + length : at + 12 + length])[0] == zlib.crc32(kind + data)
        chunks[kind], at = data, at + 12 + length
    assert list(chunks) == [b"IHDR", b"IDAT", b"IEND"]
    wide, high = struct.unpack(">II", chunks[b"IHDR"][:8])
    rows = np.frombuffer(zlib.decompress(chunks[b"IDAT"]), np.uint8).reshape(high, 1 + 3 * wide)
    assert not rows[:, 0].any()
    return rows[:, 1:].reshape(high, wide, 3)


@settings(max_examples=20, deadline=None)
@given(hnp.arrays(np.uint8, st.tuples(st.integers(1, 5), st.integers(1, 5), st.just(3))))
def test_a_png_holds_its_pixels(pixels):
    np.testing.assert_array_equal(read_png(to_png(pixels)), pixels)


def test_another_reader_sees_the_same():
    image = pytest.importorskip("PIL.Image")
    pixels = np.random.default_rng(0).integers(0, 256, (3, 4, 3), dtype=np.uint8)
    np.testing.assert_array_equal(np.asarray(image.open(io.BytesIO(to_png(pixels)))), pixels)


def pixels_of(grid):
    """The colours of each image in an SVG, one a point of the array."""
    found = re.findall(r"data:image/png;base64,([^\"]+)", grid.svg)
    return [read_png(base64.b64decode(content)) for content in found]


def rgb(colour):
    return [int(colour[i : i + 2], 16) for i in (1, 3, 5)]


def test_the_least_and_the_largest_number_have_the_ends_of_the_scale():
    a = np.array([[0.0, 1.0], [2.0, 4.0]])
    (pixels,) = pixels_of(image_grid([a], "one"))
    step = len(pixels) // 2
    for (row, column), place in {(0, 0): 0, (0, 1): 1, (1, 0): 2, (1, 1): 4}.items():
        assert pixels[row * step, column * step].tolist() == rgb(COLOURS["heat"][place])
    (signed,) = pixels_of(image_grid([a - 1], "signed", colours="signed"))
    assert signed[0, step].tolist() == [255, 255, 255]  # 0
    assert signed[0, 0, 2] > signed[0, 0, 0]  # below is blue
    assert signed[-1, -1].tolist() == rgb(COLOURS["signed"][-1])


def test_a_grid_is_well_formed_and_says_what_it_shows(tmp_path):
    grid = image_grid(np.arange(48.0).reshape(3, 4, 4), "Three maps", ["h_1", "h_2", "<h_3>"], columns=2)
    root = ET.fromstring(grid.svg)
    texts = [e.text for e in root.iter() if e.tag.endswith("text")]
    assert {"Three maps", "h₁", "h₂", "<h₃>"} <= set(texts)
    assert "3 images; white is 0, darkest 47" in texts
    images = [e for e in root.iter() if e.tag.endswith("image")]
    places = [(float(e.get("x")), float(e.get("y"))) for e in images]
    assert len(set(places)) == 3
    assert places[0][1] == places[1][1] != places[2][1]  # two in the first row
    assert grid.save(tmp_path / "maps.svg").read_text() == grid.svg
    assert grid.svg in grid.save(tmp_path / "maps.html").read_text()
    with pytest.raises(ValueError, match=r"images do not go into \.pdf"):
        grid.save(tmp_path / "maps.pdf")


def test_a_saved_png_shows_the_image(tmp_path):
    image = pytest.importorskip("PIL.Image")
    pytest.importorskip("resvg_py")
    dark, light = (np.asarray(image.open(image_grid([np.full((2, 2), v)], "", colours="ink", limits=(0, 1)).save(
        tmp_path / f"{v}.png")).convert("L")).mean() for v in (1.0, 0.0))  # fmt: skip
    assert dark < light - 10


@pytest.mark.parametrize(("images", "options", "words"), [
    ([], {}, "at least one"), (np.ones((1, 1, 2, 2)), {}, r"maps\[0\]"), ([np.array([[np.nan]])], {}, "NaN"),
    (np.ones((2, 2, 2)), {"captions": ["a"]}, "2 images and 1 captions"),
    (np.ones((1, 2, 2)), {"colours": "x"}, "heat"),
])  # fmt: skip
def test_what_cannot_be_drawn_is_told(images, options, words):
    with pytest.raises(ValueError, match=words):
        image_grid(images, "t", **options)


SIZES = [((7, 3, 2, 0), 3), ((5, 3, 1, 1), 5), ((6, 2, 2, 0), 3), ((4, 4, 1, 0), 1)]


@pytest.mark.parametrize(("sizes", "count"), SIZES)
def test_the_stride_figure_has_a_cell_for_each_window(sizes, count):
    drawing = stride_drawing(*sizes)
    nodes = {node.key: node for node in drawing.figure.nodes}
    assert sum(key.startswith("y") for key in nodes) == count**2
    assert sum(key.startswith("x") for key in nodes) == (sizes[0] + 2 * sizes[3]) ** 2
    assert [f"window{n}" in nodes for n in range(1, count + 2)] == [True] * count + [False]
    assert sum(node.lines[0].text == "0" for key, node in nodes.items() if key[0] == "x" and node.lines) == (
        (sizes[0] + 2 * sizes[3]) ** 2 - sizes[0] ** 2
    )
    if count > 1:
        apart = nodes["window2"].x - nodes["window1"].x
        assert apart == pytest.approx(sizes[2] * nodes["x1,1"].width)
    assert drawing.figure.title == f"{sizes[0]} x {sizes[0]} becomes {count} x {count}"


def test_the_activation_chart_shows_the_engines_derivatives():
    drawing = activation_chart({"sin": tg.sin, "double": lambda x: 2 * x}, -2, 2)
    assert drawing.figure.description == "Steepest slopes: sin 1, double 2."
    keys = set(drawing.keys)
    assert {"activation/sin/line", "derivative/sin/line", "derivative/double/line"} <= keys
    assert "sigmoid 0.25, tanh 1, ReLU 1" in activation_chart().figure.description
