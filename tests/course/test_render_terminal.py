"""Verdicts as text: short, legible without colour, and harmless whatever the learner's code printed."""

from __future__ import annotations

import re

import pytest

from tests.course.verdicts import ALL, KINDS, sample
from tinygrad_rnn.course.render import phrases, terminal
from tinygrad_rnn.course.verdict import CheckResult
from tinygrad_rnn.course.words import say

LONG = sample(
    "mistake",
    mistakes=("NO_DH_NEXT", "W_NOT_TRANSPOSED"),
    lines=("You left out dh from the step after. " * 9, "- " + "which way " * 20, "why " * 99),
    checks=tuple(CheckResult(f"the gradient number {i}, " * 5, 1, i % 2, bool(i % 2)) for i in range(9)),
    printed="shape (3, 4)\n" * 5000,
)


@pytest.mark.parametrize("verdict", [*ALL, LONG], ids=[*KINDS, "long"])
@pytest.mark.parametrize("width", [50, 80, 100])
def test_a_verdict_is_at_most_a_dozen_lines_of_the_width_and_never_a_page(verdict, width):
    lines = terminal.spelled(verdict, width).split("\n")
    assert len(lines) <= (20 if verdict is LONG else 12)
    assert max(map(len, lines)) <= width
    assert all(line.strip() for line in lines)


@pytest.mark.parametrize("verdict", ALL, ids=KINDS)
def test_it_says_which_exercise_what_kind_in_symbol_and_words_and_the_first_sentence(verdict):
    head, kind, *rest = terminal.spelled(verdict).split("\n")
    assert head.startswith(f"{verdict.key}  Backpropagation")
    assert head.endswith(f"{verdict.earned:g} of 2 points")
    assert kind[0] in "✔✘◐○■"
    assert len(kind) > 5
    assert rest[0].strip()[:20] == verdict.lines[0][:20]


def test_every_kind_has_its_own_words():
    assert len({phrases.kind(verdict) for verdict in ALL}) == len(KINDS)


def test_the_last_line_names_the_file_when_it_was_saved_and_the_next_hint():
    assert terminal.spelled(sample("error")).split("\n")[-1].split(" · ") == [
        "  exercise.py, saved 14:03:20",
        "a hint: tinygrad-rnn hint bptt.2",
    ]
    assert "hint" not in terminal.spelled(sample("right"))
    assert terminal.spelled(sample("error", file=None)).endswith("  a hint: tinygrad-rnn hint bptt.2")


def test_colour_adds_nothing_but_colour():
    for verdict in (*ALL, LONG):
        plain, coloured = terminal.spelled(verdict), terminal.spelled(verdict, colour=True)
        assert "\033" not in plain
        assert re.sub(r"\033\[\d+m", "", coloured) == plain
    assert re.sub(r"\033\[\d+m", "", terminal.table(ALL, colour=True)) == terminal.table(ALL)


def test_checks_are_shown_where_some_are_right_and_some_are_not():
    lines = terminal.spelled(sample("mistake")).split("\n")
    assert any(re.fullmatch(r"  ✔ the gradient on its way to x +1/1", line) for line in lines)
    assert any(re.fullmatch(r"  ✘ the gradient of W_hh +0\.25/1", line) for line in lines)
    wrong = tuple(CheckResult(name, 1, 0, False) for name in ("one", "two"))
    assert "✘ one" not in terminal.spelled(sample("mistake", checks=wrong))


def test_sentences_come_before_checks_and_checks_before_what_was_printed():
    many = tuple(CheckResult(f"check {i}", 1, i == 0, i == 0) for i in range(5))
    said = terminal.spelled(sample("mistake", lines=tuple(f"sentence {i}" for i in range(8)), checks=many, printed="x"))
    assert [f"sentence {i}" in said for i in range(8)] == [True] * 8
    assert "1 of 5 checks right" in said
    assert "printed by your code" not in said
    said = terminal.spelled(sample("mistake", printed="first\nsecond\nthird\nfourth\n"))
    assert said.split("\n")[-5:-1] == ["  printed by your code:", "  | first", "  | second", "  | ... 2 more lines"]


PAPER = say("grading.paper", case="tiny: T 2, B 1", what="dW[0, 0]", expected="0.5", got="0.25")


def test_what_is_too_much_gives_way_line_by_line_and_no_sentence_is_cut():
    says, value = "You left out what comes back. " * 5, "dW_hh[0, 2] should be 0.53. " * 5 + "(case general: T=7, B=2)"
    checks = tuple(CheckResult(f"check {i}", 1, i == 0, i == 0) for i in range(3))

    def given_way(look="Look.", printed=""):
        said = terminal.spelled(sample("mistake", lines=(says, look, value, PAPER), checks=checks, printed=printed))
        whole = " ".join(said.split())
        assert all(each.strip() in whole for each in (says, look, value.partition(":")[0]))  # each to its end
        kept = {"paper": PAPER, "sizes": "T=7", "printed": "printed by your code", "checks": "check 2"}
        return [name for name, text in kept.items() if text not in whole], len(said.split("\n"))

    assert given_way() == (["paper", "printed"], 12)
    assert given_way(printed="a") == (["paper", "sizes", "printed"], 11)
    assert given_way("Look. " * 14)[0] == ["paper", "sizes", "printed"]
    assert given_way("Look. " * 30)[0] == ["paper", "sizes", "printed", "checks"]
    assert given_way("Look. " * 90)[1] > 12  # where that is not enough, the sentences stay all the same


def test_what_a_learner_made_is_shown_harmless():
    bad = "\x1b[2J\x07\x00‮gnp\r\u2028\ud800"
    verdict = sample("error", title=f"t{bad}", lines=(f"l{bad}", "a\tb"), printed=f"p{bad}\n")
    shown = terminal.spelled(verdict) + terminal.table([verdict])
    assert all(c.isprintable() for c in shown.replace("\n", ""))
    assert "p·[2J" in shown


def test_mistakes_made_together_are_told_from_those_of_which_one_was_made():
    both = sample("mistake", mistakes=("A", "B"))
    either = sample("mistake", mistakes=("A", "B"), certain=False)
    assert "several known mistakes at once: A, B" in terminal.spelled(both)
    assert "one of these names: A, B" in terminal.spelled(either)
    assert "A" not in terminal.spelled(sample("wrong value", mistakes=("A",))).split("\n")[1]


def test_the_table_keeps_core_and_extra_apart_and_lessons_too():
    verdicts = [
        sample("right"),
        sample("mistake", exercise=3),
        sample("not attempted", exercise=4, part="extra", title="RTRL"),
        sample("right", lesson="lstm", points=4, earned=4),
    ]
    head, first, *rest = terminal.table(verdicts).split("\n")
    assert head.split() == ["exercise", "title", "verdict", "points"]
    assert first.split()[0] == "bptt.2"
    assert first.endswith("✔ right             2/2")
    assert rest[1].startswith("bptt.4    RTRL (extra)")
    assert rest[2] == ""
    assert rest[3].startswith("lstm.2")
    assert rest[-1] == "2 of 4 exercises right · core 7.25/8 · extra 0/2 · total 7.25/10"
    assert terminal.table([]) == ""
    assert max(map(len, terminal.table([sample("right", title="T" * 200)], width=60).split("\n"))) <= 60


def test_the_same_trouble_with_the_file_is_told_once():
    first, second = sample("error"), sample("error", exercise=3)
    assert phrases.told_before(second, [first]) == "bptt.3: the same as bptt.2"
    assert phrases.told_before(first, [first]) == ""
    assert phrases.told_before(sample("mistake", exercise=3), [sample("mistake")]) == ""
    assert phrases.told_before(sample("error", lesson="lstm"), [first]) == ""
