"""Text coloured by a unit, guesses under it, and gates that saturate: what the pictures say."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import numpy as np
import pytest

from tinygrad_rnn import flow
from tinygrad_rnn.pictures.firing import firing, guess_grid
from tinygrad_rnn.pictures.saturation import saturation_chart

TEXT = 'if a <b> & "c":\n    x\n'


def nodes(picture):
    return {node.key: node for node in picture.figure.nodes}


class Read(HTMLParser):
    """What a reader of the page gets: its text, line by line, without what is hidden from a screen reader."""

    def __init__(self, page):
        super().__init__()
        self.lines, self.hidden, self.tags = [], 0, []
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.hidden += ("aria-hidden", "true") in attributes
        if tag == "p":
            self.lines.append("")

    def handle_endtag(self, tag):
        self.hidden -= tag == "i"

    def handle_data(self, data):
        if self.lines and not self.hidden:
            self.lines[-1] += data


def test_the_page_is_the_text_itself_escaped_and_whole():
    page = firing(TEXT, np.linspace(-1, 1, len(TEXT)), guesses=[[("<", 0.5), ("\n", 0.2)]] * len(TEXT)).html
    read = Read(page)
    assert [line.rstrip("\n") for line in read.lines[1:]] == ['if a <b> & "c":¶', "    x¶"]
    assert not {"script", "link", "img"} & set(read.tags)
    assert "http" not in page
    assert 'lang="en"' in page
    assert page.count("&lt;</i>") == len(TEXT)


def test_high_is_red_with_a_bar_below_and_low_is_blue_with_one_above():
    drawn = nodes(firing("abc", [2.0, -2.0, 0.1], "c of unit 7"))
    assert (drawn["c0"].fill, drawn["c1"].fill) == ("#dc2626", "#2563eb")
    assert drawn["c2"].fill not in ("#dc2626", "#2563eb")
    assert drawn["c0/bar"].y < drawn["c0"].y
    assert drawn["c1/bar"].y > drawn["c1"].y
    assert drawn["c0/bar"].height == drawn["c1/bar"].height > 1
    assert "c2/bar" not in drawn  # too little to be seen
    assert drawn["c1"].tooltip == "b  -2"


def test_the_title_says_which_unit_and_the_words_how_far_it_goes():
    picture = firing("abc", [0.5, -2.0, 0.25], "c of unit 7")
    assert picture.figure.title == "What c of unit 7 does"
    assert "from -2 to 0.5" in picture.figure.description
    assert "full colour at 2" in picture.figure.description


def test_guesses_stand_below_their_character_the_darker_the_likelier():
    guesses = [[("b", 0.9), ("\n", 0.1)], [("x", 0.6), (" ", 0.4)], []]
    picture = guess_grid("abc", guesses)
    drawn = nodes(picture)
    assert drawn["c0/0"].x == drawn["c0"].x
    assert drawn["c0"].y > drawn["c0/0"].y > drawn["c0/1"].y
    assert [drawn[f"c0/{k}"].lines[0].text for k in (0, 1)] == ["b", "¶"]
    assert drawn["c1/1"].lines[0].text == "·"
    green = [int(drawn[f"c{i}/0"].fill[3:5], 16) for i in (0, 1)]
    assert green[0] < green[1]
    assert "right 1 times of 2" in picture.figure.description
    assert "a; next: b 90%, ¶ 10%" in picture.html


def test_lines_end_with_the_text_s_and_at_the_width():
    def lines(text, columns):
        picture = firing(text, np.ones(len(text)), columns=columns)
        return ["".join(cell.shown for cell in line) for line in picture.lines]

    assert lines("abcd\nef\n\ng", 3) == ["abc", "d¶", "ef¶", "¶", "g"]
    assert lines("abc\n", 3) == ["abc", "¶"]
    heights = {node.y for node in nodes(firing("ab\nc", np.ones(4))).values() if re.fullmatch(r"c\d", node.key)}
    assert len(heights) == 2


def test_a_unit_that_is_always_off_is_white():
    assert {node.fill for key, node in nodes(firing("ab", [0.0, 0.0])).items() if key != "text/axes"} <= {"#ffffff"}


@pytest.mark.parametrize("suffix", ["svg", "png", "html"])
def test_it_is_saved_in_every_form(tmp_path, suffix):
    if suffix == "png":
        pytest.importorskip("resvg_py")
    picture = firing("a\x07\u0301é\n", np.array([1.0, -1, 0.5, 0.2, 0.1]), guesses=[[("\x00", 1.0)]] * 5)
    path = picture.save(tmp_path / f"a.{suffix}")
    assert path.stat().st_size > 500


@pytest.mark.parametrize(("text", "values", "said"), [
    ("", [], "one number for each character"),
    ("abc", [1.0, 2.0], r"not \(2,\) for 3"),
    ("abc", [1.0, np.nan, 1.0], "character 2 has no finite"),
])  # fmt: skip
def test_what_cannot_be_coloured_is_refused(text, values, said):
    with pytest.raises(ValueError, match=said):
        firing(text, values)


def test_other_things_that_cannot_be_drawn_are_refused():
    with pytest.raises(ValueError, match="not 1 for 2"):
        firing("ab", [1.0, 1.0], guesses=[[]])
    with pytest.raises(ValueError, match="columns"):
        firing("ab", [1.0, 1.0], columns=0)
    with pytest.raises(ValueError, match="empty"):
        guess_grid("", [])
    with pytest.raises(ValueError, match="at least one gate"):
        saturation_chart({})


def test_a_point_a_unit_a_plot_a_gate():
    gates = {"i": flow.Saturation(np.array([0.0, 0.95]), np.array([1.0, 0.0])),
             "f": flow.Saturation(np.array([0.25, 0.5]), np.array([0.5, 0.25]))}  # fmt: skip
    picture = saturation_chart(gates)
    drawn = nodes(picture)
    corners = drawn["i/0"], drawn["i/1"]
    assert corners[0].x < corners[1].x
    assert corners[0].y > corners[1].y
    assert drawn["f/0"].x > drawn["i/1"].x  # beside it
    assert drawn["f/0"].y > drawn["f/1"].y
    assert drawn["f/1"].tooltip == "unit 1: shut 50%, wide open 25% of the time"
    assert "i: shut 48%, wide open 50% of the time; of 2 units 1 nearly always shut" in picture.figure.description
