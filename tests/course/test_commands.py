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


def test_what_the_course_is_worth_tells_core_from_extra(shelf, tmp_path, monkeypatch, call):
    monkeypatch.chdir(tmp_path)
    assert "exercises worth 3 points, and 2 extra." in call("start", "ws")[1]
    manifest = shelf / "00_tiny" / "lesson.toml"
    manifest.write_text(manifest.read_text().replace('part = "extra"', 'part = "core"'))
    assert "exercises worth 5 points.\n" in call("start", "ws2")[1]


def test_a_file_that_is_no_python_is_told_once(place, call, solve):
    solve("def f(:\n")
    said = call("check", "tiny")[1]
    assert said.count("SyntaxError") == 1
    assert "tiny.2: the same as tiny.1" in said


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


def test_a_manifest_that_is_gone_is_one_line_until_it_is_restored(place, call, refused, monkeypatch):
    (place.root / "00_tiny" / "lesson.toml").unlink()
    line = "00_tiny/lesson.toml is missing: `tinygrad-rnn update` restores it"
    for command in (["check", "tiny.1"], ["check", "0"], ["check", "00_tiny"], ["hint", "tiny.2"], ["watch", "tiny"]):
        assert line in refused(*command)
    code, said, _ = call("list")
    assert (code, f"damaged: {line}" in said) == (0, True)
    monkeypatch.chdir(place.root / "00_tiny")
    assert "lesson.toml is missing" in refused("check")
    assert "00_tiny/lesson.toml: was missing, is back" in call("update")[1]
    assert "not attempted" in call("check")[1]


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
        (["start", "00_tiny/exercise.py/x/y"], 1, "exercise.py is a file: "),
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


NO_FILE = {
    "exercise.py is a folder: ": os.mkdir,
    "exercise.py is a link that leads back to itself: ": lambda path: os.symlink("exercise.py", path),
}
if hasattr(os, "mkfifo"):
    NO_FILE["exercise.py is no plain file: "] = os.mkfifo


@pytest.mark.parametrize("command", [["reset", "tiny"], ["reset", "tiny.1"], ["update"]])
@pytest.mark.parametrize("said", NO_FILE)
def test_what_is_no_file_is_named_by_update_and_put_aside_by_reset(place, call, refused, said, command):
    path = place.root / "00_tiny" / "exercise.py"
    stub = path.read_bytes()
    path.unlink()
    NO_FILE[said](path)
    kind = os.lstat(path).st_mode
    if command == ["update"]:
        assert said in refused(*command)
        assert os.lstat(path).st_mode == kind
        return
    code, told, _ = call(*command)
    kept = re.search(r"kept as (\S+)", told)[1]
    assert (code, path.read_bytes(), os.lstat(kept).st_mode) == (0, stub, kind)


@pytest.mark.parametrize("command", [["reset", "tiny"], ["reset", "tiny.1"], ["update"]])
def test_a_link_is_followed_and_stays_a_link(place, shelf, tmp_path, call, command):
    path, mine = place.root / "00_tiny" / "exercise.py", tmp_path / "mine.py"
    path.rename(mine)
    path.symlink_to(mine)
    text = mine.read_text()
    if command == ["update"]:
        solution = shelf / "00_tiny" / "instructor" / "solution.py"
        solution.write_text(solution.read_text().replace("Gradients of y", "The gradients of y"))
    else:
        mine.write_text(text.replace("    raise NotImplementedError", "    raise ValueError"))
    before = mine.read_text()
    code, said, _ = call(*command)
    assert (code, path.is_symlink()) == (0, True)
    assert mine.read_text() != before
    assert command == ["update"] or "00_tiny/exercise.py" in said


@pytest.mark.parametrize(
    ("file", "said"),
    [(".", "tinygrad-rnn: . is a folder"), ("no/x.json", "no/x.json cannot be written (No such file or directory)")],
)
def test_a_report_that_cannot_be_written_is_one_line(place, call, file, said):
    code, _, told = call("check", "tiny.1", "--json", file)
    assert (code, told.count("\n")) == (1, 1)
    assert said in told
    assert "Errno" not in told


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_report_to_a_pipe_goes_through_the_pipe(place, call, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    try:
        assert call("check", "tiny.1", "--json", tmp_path / "pipe")[0] == 1
        assert json.loads(os.read(reader, 100_000))["points"] == 3
    finally:
        os.close(reader)


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
