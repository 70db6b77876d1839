"""The learner's commands as they are typed."""

import json
import os
import re
import subprocess
import sys

import pytest

pytest.importorskip("typer")
pytest.importorskip("rich")

from tinygrad_rnn import __version__, cli
from tinygrad_rnn.course import files
from tinygrad_rnn.course.workspace.progress import MARKER, read


@pytest.fixture
def call(capsys):
    """Run the command line in this process: its exit code, what it said on stdout, and on stderr."""

    def call(*arguments):
        code = cli.main([str(a) for a in arguments])
        said = capsys.readouterr()
        assert "Traceback" not in said.out + said.err
        assert "-" in arguments or all(len(line) <= 80 for line in said.out.splitlines() if "/" not in line)
        return code, said.out, said.err

    return call


@pytest.fixture
def refused(call):
    """Run it, expecting failure: the one line that it says."""

    def refused(*arguments, code=1):
        got, out, err = call(*arguments)
        assert (got, out, err.count("\n")) == (code, "", 1), err
        assert err.startswith("tinygrad-rnn: ")
        return err

    return refused


def test_a_learners_way_through_the_course(shelf, tmp_path, monkeypatch, call):
    monkeypatch.chdir(tmp_path)
    code, said, _ = call("start", "ws")
    assert code == 0
    assert said.splitlines()[-2:] == ["  cd ws", "  tinygrad-rnn next"]
    monkeypatch.chdir(tmp_path / "ws")
    said = call("next")[1]
    line = int(re.search(r"00_tiny/exercise\.py:(\d+)", said)[1])
    stub = (tmp_path / "ws/00_tiny/exercise.py").read_text().splitlines()
    assert stub[line - 1].startswith("def states_backward")
    assert "dY (T, B, H)" in said
    code, said, _ = call("check", "tiny.1")
    assert code == 1
    assert "not attempted" in said
    (tmp_path / "ws/00_tiny/exercise.py").write_bytes((shelf / "00_tiny/instructor/solution.py").read_bytes())
    code, said, _ = call("check", "0.1")
    assert code == 0
    assert "3 of 3 points" in said
    assert "tiny.2" in call("next")[1]
    assert re.search(r"\[#{10}\] +3/3\n", call("list")[1])
    code, said, _ = call("check")
    assert code == 0
    assert "total 5/5" in said
    assert re.search(r"\[#{10}\] +3/3 \+2 extra\n", call("list")[1])
    assert "whole course" in call("next")[1]
    assert call("solution", "tiny.2")[1].startswith("def linear_backward")
    code, said, _ = call("reset", "tiny.2")
    assert (tmp_path / "ws" / re.search(r"\.backup\S+", said)[0]).is_file()
    assert "tiny.2" in call("next")[1]
    assert call("check", "tiny")[0] == 0  # an extra exercise may be left out
    assert call("reset", "tiny.1")[0] == 0
    assert call("check", "tiny")[0] == 1
    assert call("update") == (0, f"All is up to date (course {__version__}).\n", "")


def test_the_lesson_that_is_meant_is_the_one_at_hand(place, shelf, call, monkeypatch, solve):
    import shutil

    shutil.copytree(place.root / "00_tiny", place.root / "01_twin")
    manifest = place.root / "01_twin" / "lesson.toml"
    manifest.write_text(manifest.read_text().replace('"tiny"\norder = 0', '"twin"\norder = 1'))
    with open(place.root / "01_twin" / "exercise.py", "a") as file:
        file.write("# touched\n")
    assert "twin.1" in call("check")[1]
    monkeypatch.chdir(place.root / "00_tiny")
    assert "tiny.1" in call("check")[1]
    both = call("check", "twin.2", "tiny", "twin.1")[1]
    assert re.findall(r"^(t\w+\.\d)  .* points$", both, re.M) == ["tiny.1", "tiny.2", "twin.1", "twin.2"]


def test_hints_come_one_by_one(place, call):
    assert call("hint")[1].count("Hint") == 1
    assert call("hint", "tiny.1")[1].count("Hint") == 2
    assert call("hint", "tiny.2", "--all")[1].count("Hint") == 3
    assert read(place.root).of("tiny.1").hints == 2


def test_a_solution_before_solving_is_given_up_and_says_so(place, call, refused):
    assert "--give-up" in refused("solution", "tiny.2")
    assert not read(place.root).of("tiny.2").given_up
    code, said, told = call("solution", "tiny.2", "--give-up")
    assert (code, said.startswith("def linear_backward")) == (0, True)
    assert "given up" in told
    assert "given up: tiny.2" in call("list")[1]
    assert call("solution", "tiny.2")[0] == 0
    assert "tiny.1" in call("next")[1]


def test_the_report_is_json_and_the_same_in_a_file(place, call, solve):
    solve("def states_backward(dY, Hs, w):\n    return {'dH': dY * float('nan'), 'dw': w}\n")
    code, said, told = call("check", "tiny", "--json", "-")
    assert (code, told) == (1, "")

    def no_constant(name):
        raise AssertionError(f"{name} is no JSON")

    report = json.loads(said, parse_constant=no_constant)
    assert [each["exercise"] for each in report["verdicts"]] == [1, 2]
    assert (report["earned"], report["points"]) == (0, 5)
    assert call("check", "tiny", "--json", "out.json")[1].endswith("out.json: 2 verdicts\n")
    kinds = [each["kind"] for each in json.loads((place.root / "out.json").read_text())["verdicts"]]
    assert kinds == [each["kind"] for each in report["verdicts"]]


def test_an_edited_manifest_is_told_and_can_be_restored(place, call):
    manifest = place.root / "00_tiny" / "lesson.toml"
    manifest.write_text(manifest.read_text().replace("points = 2", "points = 20"))
    _, _, told = call("check", "tiny.1")
    assert "00_tiny/lesson.toml is not as it was delivered" in told
    assert told.count("\n") == 1
    assert "lesson.toml: restored" in call("update")[1]
    assert call("check", "tiny.1")[2] == ""


def test_a_damaged_manifest_is_one_line_and_harms_no_other_lesson(place, call, refused):
    (place.root / "01_bad").mkdir()
    (place.root / "01_bad" / "lesson.toml").write_text("id = 3\n")
    assert "lesson.toml: `id`" in refused("check", "bad")
    assert call("check", "tiny.1")[0] == 1
    said = call("list")[1]
    assert "damaged: " in said
    assert "Two steps back" in said


@pytest.mark.parametrize("content", [b"def f(:\n", b"\xff\xfe", b"raise SystemExit\n", None])
def test_whatever_exercise_py_is_the_check_says_so_and_leaves_it(place, call, content):
    path = place.root / "00_tiny" / "exercise.py"
    path.unlink() if content is None else path.write_bytes(content)
    code, said, told = call("check", "tiny")
    assert (code, told) == (1, "")
    assert "0/5" in said
    assert path.exists() is (content is not None)
    assert content is None or path.read_bytes() == content
    for command in (["next"], ["list"], ["hint", "tiny.1"]):
        assert call(*command)[0] == 0


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["check", "x"], 1, "no lesson 'x': there are tiny"),
        (["check", "tiny.9"], 1, "no exercise 'tiny.9': lesson tiny has tiny.1, tiny.2"),
        (["watch", "x"], 1, "no lesson 'x'"),
        (["hint", "x.1"], 1, "no lesson 'x'"),
        (["reset"], 2, "LESSON[.N]"),
        (["solution", "tiny"], 2, "such as tiny.1"),
        (["start", "00_tiny/exercise.py"], 1, "is a file"),
        (["start", "00_tiny"], 1, "is not empty"),
        (["start", "."], 1, "is a workspace already"),
        (["check", "tiny.1", "tiny.0"], 1, "no exercise 'tiny.0'"),
    ],
)
def test_what_cannot_be_is_one_line(place, refused, arguments, code, said):
    assert said in refused(*arguments, code=code)


@pytest.mark.parametrize("command", [["next"], ["check"], ["list"], ["watch"], ["hint"], ["reset", "tiny"], ["update"]])
def test_outside_of_any_workspace_the_way_in_is_told(shelf, tmp_path, monkeypatch, refused, command):
    (tmp_path / "nowhere").mkdir()
    monkeypatch.chdir(tmp_path / "nowhere")
    assert "tinygrad-rnn start DIR" in refused(*command)


def test_a_function_in_a_broken_file_is_not_reset_and_the_way_out_is_told(place, refused, solve):
    solve("def f(:\n")
    assert "reset the whole lesson: tinygrad-rnn reset tiny" in refused("reset", "tiny.1")


def test_progress_that_cannot_be_kept_is_told_beside_the_verdict(place, call, monkeypatch):

    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(files.tempfile, "mkstemp", refuse)
    _, said, told = call("check", "tiny.1")
    assert "not attempted" in said
    assert "cannot be written" in told


@pytest.mark.parametrize("command", [["reset", "tiny"], ["reset", "tiny.1"], ["solution", "tiny.1", "--give-up"],
                                     ["update"]])  # fmt: skip
def test_what_cannot_be_written_is_refused_before_anything_is_shown(place, refused, monkeypatch, command):

    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(files.tempfile, "mkstemp", refuse)
    before = (place.root / "00_tiny" / "exercise.py").read_bytes()
    assert "cannot be written (Permission denied)" in refused(*command)
    assert (place.root / "00_tiny" / "exercise.py").read_bytes() == before


def test_a_damaged_progress_file_stops_nothing(place, call):
    (place.root / MARKER).write_text("{")
    code, said, told = call("list")
    assert (code, told.count("\n")) == (0, 1)
    assert "0/3" in said


def test_pipes_get_no_colours(place):
    environment = {**os.environ, "TERM": "xterm-256color", "FORCE_COLOR": "1"}
    for command in (["check", "tiny"], ["list"], ["next"], ["solution", "tiny.1", "--give-up"]):
        ran = subprocess.run([sys.executable, "-m", "tinygrad_rnn", *command], capture_output=True, timeout=60,
                             env=environment, stdin=subprocess.DEVNULL, cwd=place.root)  # fmt: skip
        assert ran.stdout
        assert b"\x1b" not in ran.stdout + ran.stderr


def test_ctrl_c_keeps_what_was_found(place, monkeypatch, refused, capsys):
    from tinygrad_rnn.course.grading import grader as grading
    from tinygrad_rnn.course.verdict import Verdict

    def stopped(lesson, only=None):
        yield Verdict("tiny", 1, "", "core", "right", 3.0, 3.0, ("Right.",))
        raise KeyboardInterrupt

    monkeypatch.setattr(grading, "grade", stopped)
    assert cli.main(["check", "tiny"]) == 130
    assert capsys.readouterr().err == "tinygrad-rnn: stopped\n"
    assert read(place.root).of("tiny.1").solved


def test_the_doctor_tells_what_a_check_cannot_limit_and_which_packages_are_missing(capsys, monkeypatch, shelf):
    import importlib.metadata

    from tinygrad_rnn.course import runner

    def missing(name, version=importlib.metadata.version):
        if name == "jupyterlab":
            raise importlib.metadata.PackageNotFoundError(name)
        return version(name)

    wanted = ["numpy>=2", "jupyterlab>=4; extra == 'course'", "ruff; extra == 'test'", "wasmtime; extra == 'course'"]
    monkeypatch.setattr(importlib.metadata, "requires", lambda _: wanted)
    monkeypatch.setattr(importlib.metadata, "version", missing)
    assert cli.main(["doctor"]) == 0
    said = capsys.readouterr().out
    assert re.search(r"^jupyterlab +missing: pip install", said, re.M)
    assert "ruff" not in said
    assert "wasmtime" not in said
    for limit in runner.missing_limits():
        assert limit in " ".join(said.split()).replace("not limited ", "")
