"""The commands that look inside a character model: what they make, and what they say when something is wrong."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

pytest.importorskip("typer")
pytest.importorskip("rich")
pytest.importorskip("safetensors")

from tinygrad_rnn import cli
from tinygrad_rnn.cli.inside import _opened
from tinygrad_rnn.course.training import Run
from tinygrad_rnn.data.labels import LABELS

LINE = "    x = f('it', [b])  # \"one\": two\nif a:\n\n"


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A model that has learned next to nothing, quickly, by its folder; and the text it was trained on."""
    folder = tmp_path_factory.mktemp("inside")
    (folder / "code.py").write_text(LINE * 300)
    for cell in ("lstm", "rnn"):
        assert cli.main(["train", "--text", str(folder / "code.py"), "--cell", cell, "--hidden", "6", "--seq-len", "5",
                         "--batch", "4", "--steps", "2", "--quiet", "--out", str(folder / cell)]) == 0  # fmt: skip
    return folder


@pytest.fixture
def model(trained, monkeypatch):
    monkeypatch.chdir(trained)
    return "lstm"


def test_a_text_is_coloured_by_a_unit(call, model, trained):
    assert call("inside", "--model", model, "--unit", 3, "--length", 80, "-g") == (0, "inside.html\n", "")
    page = (trained / "inside.html").read_text("utf-8")
    assert "c of unit 3" in page
    assert page.count("<b ") == 80
    assert page.count("<i ") == 400  # five guesses each
    for out, option in (("a.svg", "h"), ("deep/b.png", "c")):
        code, said, _ = call("inside", "--model", model, "--unit", 0, "--state", option, "--length", 50, "--out", out)
        assert (code, said) == (0, f"{out}\n")
        assert (trained / out).stat().st_size > 1000
    assert "h of unit 0" in (trained / "a.svg").read_text("utf-8")


def test_what_is_shown_is_the_text_from_where_it_is_asked_for(call, model, trained):
    (trained / "other.py").write_text("one = f(x)\n" * 30 + "b = [if]")
    common = ["inside", "--model", model, "--text", "other.py"]
    assert call(*common, "--unit", 1, "--start", 330)[0] == 0
    page = (trained / "inside.html").read_text("utf-8")
    assert re.sub(r"<[^>]*>", "", page.split('class="text"')[1]).split(">")[1].split() == ["b", "=", "[if]"]
    call(*common, "--unit", 1, "--start", 0, "--length", 338)
    whole = (trained / "inside.html").read_text("utf-8")
    assert "b  " in whole


def test_without_a_unit_the_guesses_are_shown_and_with_saturation_the_gates(call, model, trained):
    assert call("inside", "--model", model, "--length", 60, "--out", "g.svg")[0] == 0
    assert "What comes next?" in (trained / "g.svg").read_text("utf-8")
    assert call("inside", "--model", model, "--saturation", "--out", "s.svg")[0] == 0
    told = (trained / "s.svg").read_text("utf-8")
    assert all(f"gate {gate}" in told for gate in "ifo")


def test_a_unit_is_looked_for_by_what_it_tracks(call, model, trained):
    code, said, _ = call("inside", "--model", model, "--find", "line", "--length", 50)
    assert code == 0
    told = re.match(r"line: c (\d), correlation -?0\.\d{3} on text held out \(p = [01]\.\d{3}\): (not )?found\n", said)
    assert told
    assert f"c of unit {told[1]}" in (trained / "inside.html").read_text("utf-8")
    listed = call("units", "--model", model)[1]
    assert re.search(rf"^line +c {told[1]} +correlation", listed, re.MULTILINE)  # the same, by the same seed
    assert call("inside", "--model", "rnn", "--find", "line", "--length", 50)[1].startswith("line: h ")


def test_units_are_listed_with_what_luck_would_give(call, model, trained):
    code, said, err = call("units", "--model", model, "--state", "h")
    assert (code, err) == (0, "")
    lines = said.splitlines()
    assert [line.split()[0] for line in lines[1:]] == list(LABELS)
    assert lines[-1].startswith("url         -       the label is the same at all")
    assert re.match(r"quotes +h \d +AUC 0\.\d{3} +0\.\d{3} +[01]\.\d{3} +(not )?found +inside a string", lines[1])
    assert call("units", "--model", model, "--state", "h")[1] == said
    (trained / "prose.txt").write_text('if a "b f" (x)\n' * 60)
    prose = call("units", "--model", model, "--text", "prose.txt", "--prose")[1]
    assert "comments" not in prose
    assert "quotes" in prose


def test_a_stem_is_completed(call, model):
    code, said, _ = call("complete", "x = f(", "--model", model, "-n", 3, "--length", 9, "--seed", 1)
    assert code == 0
    first, *written = said.splitlines()
    assert re.match(r"next: (('.+?'|\".+?\") \d+%  ){7}", first)
    assert len(written) == 3
    assert all(line.startswith("x = f(") and len(line) <= 15 for line in written)
    assert call("complete", "x = f(", "--model", model, "-n", 3, "--length", 9, "--seed", 1)[1] == said


@pytest.mark.parametrize("kept", [0.0, 0.2])
def test_units_are_scored_on_other_text_than_they_were_chosen_on(trained, kept):
    run = Run.load(trained / "rnn")
    run.settings = replace(run.settings, validation=kept)
    run.save(trained / "all")
    _, seen, held_out, shown = _opened(trained / "all", None)
    text = LINE * 300
    assert seen + held_out == text
    assert len(held_out) == len(text) * (kept or 0.5)
    assert shown == (held_out if kept else text)


@pytest.mark.parametrize(("arguments", "code", "said"), [
    (["inside", "--model", "none"], 1, "holds no model"),
    (["units", "--model", "none"], 1, "holds no model"),
    (["complete", "a", "--model", "none"], 1, "holds no model"),
    (["inside", "--model", "lstm", "--unit", "6"], 1, "there is no unit 6: the model has 6, counted from 0"),
    (["inside", "--model", "lstm", "--unit", "-1"], 2, "--unit"),
    (["inside", "--model", "lstm", "--unit", "1", "--find", "line"], 2, "give one"),
    (["inside", "--model", "lstm", "--find", "rhyme"], 2, "no label 'rhyme': quotes, docstrings, comments"),
    (["inside", "--model", "lstm", "--find", "comments", "--prose"], 2, "no label 'comments': quotes, brackets"),
    (["inside", "--model", "lstm", "--find", "url"], 1, "nothing to find for 'url': the label is the same"),
    (["inside", "--model", "rnn", "--unit", "1", "--state", "c"], 1, "no 'c': it has h"),
    (["inside", "--model", "rnn", "--saturation"], 1, "no gates that saturate"),
    (["inside", "--model", "lstm", "--unit", "1", "--start", "99999"], 1, "--start 99999: the text has"),
    (["inside", "--model", "lstm", "--unit", "1", "--out", "a.bmp"], 1, "known suffixes"),
    (["inside", "--model", "lstm", "--text", "strange"], 1, "character 'Z' (number 3 of the text)"),
    (["inside", "--model", "lstm", "--text", "missing"], 1, "there is no such file"),
    (["units", "--model", "lstm", "--text", "short"], 1, "the text has 12 characters, and 101 are needed"),
    (["complete", "", "--model", "lstm"], 1, "the stem is empty"),
    (["complete", "Zebra", "--model", "lstm"], 1, "'Z'"),
    (["complete", "a", "--model", "lstm", "--temperature", "-1"], 1, "temperature must be 0"),
])  # fmt: skip
def test_what_cannot_be_looked_into_is_refused_in_one_line(refused, model, trained, arguments, code, said):
    (trained / "strange").write_text("x Zone")
    (trained / "short").write_text("if a: x = b\n" * 2)
    assert said in refused(*arguments, code=code)
    assert not (trained / "a.bmp").exists()
