"""Verdicts as HTML: of one piece, nothing to fetch, nothing run, and legible without colour."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from tests.course.verdicts import ALL, KINDS, sample
from tinygrad_rnn.course.render import html, phrases
from tinygrad_rnn.course.verdict import Place

EVIL = "<script>alert(1)</script><img src=x onerror=alert(1)>&\x1b[2J\"'"


class Reader(HTMLParser):
    """Checks that what is opened is closed, and keeps the tags, the attributes and the text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs
        if tag != "br":
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


@pytest.mark.parametrize("verdict", ALL, ids=KINDS)
def test_every_kind_is_one_well_formed_piece_with_symbol_words_points_and_file(verdict):
    page = Reader(html.spelled(verdict))
    assert page.tags[0] == "div"
    said = (verdict.key, phrases.kind(verdict), phrases.symbol(verdict), phrases.points(verdict), "saved 14:03:20")
    assert [words in page.text for words in said] == [True] * 5
    assert ('hint("' in page.text) == (not verdict.right)
    assert ("aria-label", f"{verdict.key}: {phrases.kind(verdict)}") in page.attributes


def test_nothing_is_fetched_and_no_script_runs():
    text = "".join(map(html.spelled, ALL)) + html.table(ALL)
    page = Reader(text)
    assert not {"script", "link", "img", "iframe", "style", "object"} & set(page.tags)
    assert not [name for name, _ in page.attributes if name.startswith("on") or name in ("src", "href")]
    assert "url(" not in text


def test_the_same_trouble_with_the_file_is_told_once_under_the_table():
    text = Reader(html.table([sample("error"), sample("error", exercise=3), sample("mistake", exercise=4)])).text
    assert text.count("KeyError") == 1
    assert "bptt.3: the same as bptt.2" in text
    assert "NO_DH_NEXT" in text


def test_what_a_learner_wrote_is_shown_and_never_meant():
    check = sample("mistake").checks
    verdict = sample("mistake", title=EVIL, lines=(EVIL, f"`{EVIL}`"), printed=EVIL * 3, checks=check)
    for text in (html.spelled(verdict), html.table([verdict])):
        page = Reader(text)
        assert not {"script", "img"} & set(page.tags)
        assert "<script>alert(1)</script>" in page.text
        assert "\x1b" not in text


def test_the_figure_is_there_where_the_verdict_has_its_place():
    assert "svg" in Reader(html.spelled(sample("mistake"))).tags
    assert "desc" in Reader(html.spelled(sample("mistake"))).tags
    assert "svg" not in Reader(html.spelled(sample("mistake", figure=None))).tags
    assert "svg" not in Reader(html.spelled(sample("mistake", place=None))).tags
    here = Place("general", "dW", (1, 2), ("H", "H"), None, None, 1.0, 2.0, 1.0)
    assert "svg" not in Reader(html.spelled(sample("mistake", place=here))).tags


def test_an_array_of_one_state_more_than_steps_counts_from_the_state_before_the_first():
    def drawn(index: int) -> str:
        place = Place("general", "Hs", (index, 0, 0), ("T+1", "B", "H"), index, 8, 1.0, 2.0, 1.0)
        return html.spelled(sample("wrong value", place=place))

    assert "Hs at step 3 (index 2)" in drawn(3)
    assert "svg" not in Reader(drawn(0)).tags  # the state that was given
    between = Place("general", "terms", (1,), ("T-1",), 1, 6, 1.0, 2.0, 1.0)
    assert "svg" not in Reader(html.spelled(sample("wrong value", place=between))).tags  # no step's own


def test_what_was_printed_is_capped_and_labelled():
    page = Reader(html.spelled(sample("error", printed="line\n" * 9999)))
    assert page.text.count("line\n") == 39
    assert "... 9960 more lines" in page.text
    assert "printed by your code" in page.text
    assert "details" in page.tags


def test_white_words_on_the_badges_have_the_contrast_that_reading_needs():
    def luminance(colour: str) -> float:
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    for colour in html.COLOURS.values():
        assert 1.05 / (luminance(colour) + 0.05) >= 4.5  # WCAG 2, AA
    colours = set(re.findall(r"[^-]color:(#?\w+)", "".join(map(html.spelled, ALL))))
    assert colours == {"#fff"}  # all other text takes the page's own colour


def test_the_table_has_a_row_an_exercise_and_opens_what_is_wrong():
    page = Reader(html.table(ALL))
    assert page.tags.count("tr") == len(ALL) + 1
    assert page.tags.count("summary") == len(ALL) - 2  # not those right, nor those not attempted
    assert "1 of 12 exercises right" in page.text
