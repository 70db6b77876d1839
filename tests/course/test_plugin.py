"""`pytest lessons/` as the grader, in a process of its own: what it prints, its exit code, and what it leaves alone."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tinygrad_rnn.course.authoring.bench import mistaken, mistakes_of, text_of
from tinygrad_rnn.course.manifest import read_lesson
from tinygrad_rnn.course.workspace import progress

PLUGIN = "tinygrad_rnn.course.pytest_plugin"


def run(folder: Path, *arguments: str, plugin: bool = True) -> tuple[int, str]:
    """Exit code and output of pytest, with the plugin and no other of this environment."""
    command = [sys.executable, "-m", "pytest", "--color=no", *(["-p", PLUGIN] if plugin else []), *arguments]
    environment = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONIOENCODING": "utf-8", "COLUMNS": "80"}
    environment = {name: value for name, value in environment.items() if not name.startswith("PYTEST_XDIST")}
    ran = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, encoding="utf-8",
                         timeout=120)  # fmt: skip
    return ran.returncode, ran.stdout + ran.stderr


def copy(built: Path, lessons: Path, number: int, slug: str, *mistakes: str, solved: bool = False) -> Path:
    """The tiny lesson under another name, in lessons/, solved with these mistakes."""
    folder = lessons / f"{number:02}_{slug}"
    shutil.copytree(built / "00_tiny", folder)
    lesson = read_lesson(folder)
    manifest = folder / "lesson.toml"
    manifest.write_text(manifest.read_text("utf-8").replace('id = "tiny"', f'id = "{slug}"'), "utf-8")
    if solved or mistakes:
        source = text_of(lesson, "solution.py")
        for function, known in mistakes_of(lesson).items():
            source = mistaken(source, function, [edit for name in mistakes for edit in known.get(name, [])])
        (folder / "exercise.py").write_text(source, "utf-8")
    return folder


@pytest.fixture(scope="module")
def lessons(built, tmp_path_factory) -> Path:
    """A course: one lesson fresh, one right, two wrong, one that is no Python, one damaged, one without cases."""
    folder = tmp_path_factory.mktemp("course") / "lessons"
    copy(built, folder, 0, "fresh")
    copy(built, folder, 1, "good", solved=True)
    copy(built, folder, 2, "wrong", "NO_STEP_AFTER", "W_NOT_TRANSPOSED")
    (copy(built, folder, 3, "syntax") / "exercise.py").write_text("def f(:\n", "utf-8")
    with open(copy(built, folder, 4, "damaged") / "lesson.toml", "a", encoding="utf-8") as manifest:
        manifest.write("\nid = [")
    (copy(built, folder, 5, "lacking") / "cases.npz").unlink()
    return folder


@pytest.fixture(scope="module")
def whole(lessons) -> tuple[int, str, list[dict]]:
    file = lessons.parent / "verdicts.json"
    code, said = run(lessons.parent, "lessons/", "--verdicts-json", str(file))
    return code, said, json.loads(file.read_text("utf-8"))


def test_all_lessons_are_graded_whatever_is_wrong_with_one(whole):
    code, said, verdicts = whole
    assert code == 1
    assert [v["kind"] for v in verdicts] == [
        "not attempted", "not attempted", "right", "right", "mistake", "mistake", "error", "error",
    ]  # fmt: skip
    assert "2 of 8 exercises right · core 3.75/12 · extra 2.5/8 · total 6.25/20" in said


def test_a_failure_is_the_verdict_alone(whole):
    _, said, verdicts = whole
    assert "✘ a known mistake: NO_STEP_AFTER" in said
    assert "right at the last step and\n  wrong from step 6 (index 5) down" in said
    assert verdicts[4]["mistakes"] == ["NO_STEP_AFTER"]
    for noise in ("Traceback", "\nE  ", "Captured", "pytest_plugin", "site-packages", "Wrong"):
        assert noise not in said
    assert said.count("SyntaxError") == 1
    assert "syntax.2: the same as syntax.1" in said


def test_what_was_not_attempted_stands_in_the_table_alone(whole):
    said = whole[1]
    assert "lessons/00_fresh/test_exercise.py --" in said
    assert said.count("fresh.1") == 1
    assert "○ not attempted     0/3" in said


def test_a_lesson_that_cannot_be_graded_is_one_line(whole):
    said = whole[1]
    assert len([line for line in said.splitlines() if "04_damaged" in line and "lesson.toml: " in line]) >= 1
    assert len([line for line in said.splitlines() if "05_lacking" in line and "cases.npz" in line]) >= 1


@pytest.mark.parametrize("arguments", [[], ["-n", "1", "-p", "xdist"]])
def test_cases_that_are_damaged_are_told_once_and_a_line_for_each_further_exercise(built, tmp_path, arguments):
    if arguments:
        pytest.importorskip("xdist")
    copy(built, tmp_path, 0, "garbage").joinpath("cases.npz").write_bytes(b"garbage")
    code, said = run(tmp_path, *arguments)
    assert code == 1
    assert said.split("short test summary")[0].count("cases.npz: cannot be read") == 1
    assert said.split("short test summary")[0].count("garbage.2: the same as garbage.1") == 1
    assert "StopIteration" not in said
    assert len(said.splitlines()) < 25


def test_a_driver_that_is_damaged_is_told_once_and_a_line_for_each_further_exercise(built, tmp_path):
    copy(built, tmp_path, 0, "driven").joinpath("driver.py").write_text("1 / 0\n", "utf-8")
    said = run(tmp_path)[1].split("short test summary")[0]
    assert said.count("driver does not start") == 1
    assert "driven.2: the same as driven.1" in said
    assert "Traceback" not in said
    assert "pytest_plugin" not in said


def test_a_lesson_without_its_manifest_says_what_is_missing_and_what_restores_it(built, tmp_path):
    copy(built, tmp_path, 3, "headless").joinpath("lesson.toml").unlink()
    for where in (tmp_path, tmp_path / "03_headless"):
        code, said = run(where)
        assert code == 1
        assert "lesson.toml is missing: `tinygrad-rnn update` restores it" in said
        assert "not installed" not in said
        assert "1 failed" in said


def test_the_table_is_the_last_thing_before_the_count(whole):
    lines = whole[1].rstrip().splitlines()
    heads = [i for i, line in enumerate(lines) if line.startswith("=====")]
    assert lines[heads[-1]].strip("= ").startswith("6 failed, 2 passed, 2 not attempted")
    assert lines[heads[-2]].strip("= ") == "points"
    assert lines[heads[-2] + 1].split() == ["exercise", "title", "verdict", "points"]


def test_right_is_exit_code_zero_and_an_extra_exercise_may_be_left(lessons, tmp_path):
    assert run(lessons.parent, "lessons/01_good")[0] == 0
    shutil.copytree(lessons / "01_good", tmp_path / "01_good")
    exercise = tmp_path / "01_good" / "exercise.py"
    text = exercise.read_text("utf-8").replace("dx = dy @ W.T", 'raise NotImplementedError("good.2")')
    exercise.write_text(text, "utf-8")
    code, said = run(tmp_path)
    assert (code, "1 passed, 1 not attempted" in said) == (0, True)
    exercise.write_text(text.replace('raise NotImplementedError("good.2")', "dx = dy @ W"), "utf-8")
    assert run(tmp_path)[0] == 1


@pytest.mark.parametrize("arguments", [
    ["02_wrong/test_exercise.py", "-k", "wrong.2"],
    ["02_wrong/test_exercise.py::wrong.2 A linear layer"],
    ["02_wrong", "--deselect", "02_wrong/test_exercise.py::wrong.1 The states' gradients"],
])  # fmt: skip
def test_one_exercise_can_be_chosen(lessons, arguments):
    code, said = run(lessons, "-q", *arguments)
    assert code == 1
    assert "W_NOT_TRANSPOSED" in said
    assert "wrong.1" not in said


def test_it_works_from_inside_a_lesson_verbosely_and_stops_at_the_first(lessons):
    code, said = run(lessons / "02_wrong", "-v", "-x")
    assert code == 1
    assert "test_exercise.py::wrong.1 The states' gradients mistake 0.75/3" in said
    assert "wrong.2" not in said
    code, said = run(lessons / "01_good", "-v")
    assert "test_exercise.py::good.2 A linear layer right 2/2" in said


def test_what_failed_last_is_run_again(lessons, tmp_path):
    for name in ("01_good", "02_wrong"):
        shutil.copytree(lessons / name, tmp_path / name)
    run(tmp_path, "-q", "--tb=no")
    code, said = run(tmp_path, "--lf", "--tb=no")
    assert code == 1
    assert "good" not in said
    assert "0 of 2 exercises right" in said


def test_a_repository_that_tests_doctests_collects_no_file_of_a_lesson(lessons, tmp_path):
    shutil.copytree(lessons / "01_good", tmp_path / "lessons" / "01_good")
    (tmp_path / "lessons" / "01_good" / "lesson.py").write_text("raise SystemExit('the notebook was run')\n", "utf-8")
    (tmp_path / "lessons" / "helper.py").write_text('"""\n>>> 1 + 1\n2\n"""\n', "utf-8")
    (tmp_path / "pytest.ini").write_text("[pytest]\naddopts = --doctest-modules --strict-markers\n"
                                         "filterwarnings = error\n", "utf-8")  # fmt: skip
    code, said = run(tmp_path)
    assert (code, "3 passed" in said) == (0, True)


def test_several_processes_give_one_table(lessons, tmp_path):
    pytest.importorskip("xdist")
    file = tmp_path / "v.json"
    code, said = run(lessons, "-p", "xdist", "-n", "2", "01_good", "02_wrong", "--verdicts-json", str(file))
    assert code == 1
    assert "2 of 4 exercises right · core 3.75/6 · extra 2.5/4 · total 6.25/10" in said
    assert len(json.loads(file.read_text("utf-8"))) == 4


@pytest.mark.parametrize("arguments", [["-q"], ["-p", "xdist", "-n", "2"]])
def test_in_a_workspace_progress_is_kept_as_by_a_check(lessons, tmp_path, arguments):
    if "xdist" in arguments:
        pytest.importorskip("xdist")
    for name in ("01_good", "02_wrong"):
        shutil.copytree(lessons / name, tmp_path / name)
    (tmp_path / progress.MARKER).write_text("{}", "utf-8")
    run(tmp_path, *arguments)
    state = progress.read(tmp_path)
    assert {key: (each.best, each.kind, each.attempts) for key, each in state.exercises.items()} == {
        "good.1": (3, "right", 1), "good.2": (2, "right", 1),
        "wrong.1": (0.75, "mistake", 1), "wrong.2": (0.5, "mistake", 1),
    }  # fmt: skip
    assert state.of("good.1").solved
    run(tmp_path / "01_good", "--collect-only")
    assert progress.read(tmp_path).of("good.1").attempts == 1


def test_where_no_workspace_is_no_progress_is_kept(lessons, whole):
    assert not [path for path in lessons.parent.rglob("*") if path.name.startswith(".tinygrad")]


@pytest.mark.parametrize("refused", ["files.tempfile.mkstemp", "progress.Path.read_bytes"])
def test_progress_that_cannot_be_kept_is_a_line_and_no_failure(lessons, tmp_path, refused):
    shutil.copytree(lessons / "01_good", tmp_path / "01_good")
    (tmp_path / progress.MARKER).write_text("{}", "utf-8")
    (tmp_path / "conftest.py").write_text(
        "from tinygrad_rnn.course import files\nfrom tinygrad_rnn.course.workspace import progress\n\n"
        "def refuse(*_, **__):\n    raise PermissionError(13, 'Permission denied')\n\n"
        f"def pytest_sessionfinish():\n    {refused} = refuse\n", "utf-8",
    )  # fmt: skip
    code, said = run(tmp_path)
    assert (code, said.count("progress is not kept")) == (0, 1)


@pytest.mark.parametrize(("how", "shown"), [("-q", True), ("-qq", True), ("-qqq", False)])
def test_the_table_is_shown_unless_all_quiet_is_asked_for(lessons, how, shown):
    assert ("2 of 2 exercises right" in run(lessons, "01_good", how)[1]) is shown


def test_the_learners_files_are_as_they_were(lessons, whole):
    before = sorted(str(path) for path in (lessons / "01_good").rglob("*"))
    text = (lessons / "01_good" / "exercise.py").read_bytes()
    run(lessons, "01_good", "-q")
    assert sorted(str(path) for path in (lessons / "01_good").rglob("*")) == before
    assert (lessons / "01_good" / "exercise.py").read_bytes() == text


def test_a_file_that_cannot_be_written_is_told_before_anything_is_graded(lessons):
    code, said = run(lessons, "01_good", "--verdicts-json", "nowhere/at/all.json")
    assert code == pytest.ExitCode.USAGE_ERROR
    assert said.strip().count("\n") == 0
    assert "there is no folder" in said


def test_where_no_lesson_is_near_nothing_of_it_is_seen_or_loaded(tmp_path):
    (tmp_path / "lesson.toml").write_text("", "utf-8")  # somebody else's: no test_exercise.py beside it
    (tmp_path / "test_a.py").write_text(
        "import sys\ndef test_a():\n    loaded = [m for m in sys.modules if m.startswith('tinygrad_rnn.course.')]\n"
        f"    assert loaded == ['{PLUGIN}']\n", "utf-8",
    )  # fmt: skip
    code, said = run(tmp_path)
    assert code == 0
    assert "points" not in said


def test_it_is_found_by_its_entry_point():
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text("utf-8"))["project"]
    assert project["entry-points"]["pytest11"] == {"tinygrad_rnn": PLUGIN}
