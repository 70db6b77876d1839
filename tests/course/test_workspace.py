"""A learner's workspace: how it comes to be, what it holds, and that nothing in it is lost."""

import importlib.metadata
import os
import subprocess
import sys

import pytest

from tinygrad_rnn.course import files
from tinygrad_rnn.course.authoring.stub import emptied_lines
from tinygrad_rnn.course.manifest import read_lesson
from tinygrad_rnn.course.workspace import folder as workspace
from tinygrad_rnn.course.workspace.folder import (
    WorkspaceError,
    altered,
    find_place,
    fingerprint,
    reset,
    solution,
    start,
)
from tinygrad_rnn.course.workspace.merging import Unreadable
from tinygrad_rnn.course.workspace.progress import MARKER


def everything(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


# start


def test_a_workspace_holds_the_lessons_and_none_of_the_solutions(place, shelf):
    held = everything(place.root)
    assert {"README.md", "pytest.ini", MARKER, "00_tiny/exercise.py", "00_tiny/lesson.ipynb", "00_tiny/cases.npz",
            "00_tiny/lesson.toml", "00_tiny/test_exercise.py", "00_tiny/lesson.py"} == held.keys()  # fmt: skip
    hidden = emptied_lines(read_lesson(shelf / "00_tiny"))
    assert hidden
    lines = {line.strip() for content in held.values() for line in content.decode("utf-8", "replace").splitlines()}
    assert not hidden & lines


def test_somebodys_work_on_the_shelf_is_not_delivered(shelf, tmp_path):
    stub = (shelf / "00_tiny" / "exercise.py").read_bytes()
    (shelf / "00_tiny" / "exercise.py").write_text("mine = 1\n")
    for name in (".ipynb_checkpoints", "__pycache__"):
        (shelf / "00_tiny" / name).mkdir()
        (shelf / "00_tiny" / name / "left.py").write_text("")
    (shelf / "00_tiny" / "lesson.new.ipynb").write_text("{}")
    made = start(tmp_path / "ws")
    assert (made.root / "00_tiny" / "exercise.py").read_bytes() == stub
    assert "left.py" not in str(everything(made.root).keys())
    assert not (made.root / "00_tiny" / "lesson.new.ipynb").exists()


@pytest.mark.parametrize("name", ["ws", "deep/er/ws", "."])
def test_a_workspace_is_made_in_a_new_or_an_empty_folder(shelf, tmp_path, monkeypatch, name):
    (tmp_path / "here" / ".git").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "here")
    start(workspace.Path(name))
    root = tmp_path / "here" / name
    assert (root / "00_tiny" / "exercise.py").is_file()
    assert not [each for each in os.listdir(root) if each.startswith(".starting")]
    assert os.stat(root).st_mode & 0o777 == 0o777 & ~files.umask()
    assert find_place().root == root.resolve() if name == "." else True


@pytest.mark.parametrize(("inside", "said"), [("notes.txt", "not empty (it holds notes.txt)"), (MARKER, "already")])
def test_what_is_there_already_is_left_as_it_is(shelf, tmp_path, inside, said):
    folder = tmp_path / "ws"
    folder.mkdir()
    (folder / inside).write_text("{}")
    with pytest.raises(WorkspaceError) as told:
        start(folder)
    assert said in str(told.value)
    assert "\n" not in str(told.value)
    assert everything(folder) == {inside: b"{}"}


def test_a_file_is_no_workspace(shelf, tmp_path):
    (tmp_path / "ws").write_text("mine")
    for path in (tmp_path / "ws", tmp_path / "ws" / "below"):
        with pytest.raises(WorkspaceError, match=r"is a file|cannot be written"):
            start(path)
    assert (tmp_path / "ws").read_text() == "mine"


@pytest.mark.skipif(not os.path.isdir("/proc/1"), reason="needs Linux's /proc, where nobody can make a file")
def test_where_nothing_can_be_written_one_line_says_so(shelf):
    with pytest.raises(WorkspaceError, match=r"^/proc/ws cannot be written \(.+\): choose another place$"):
        start(workspace.Path("/proc/ws"))


@pytest.mark.parametrize("there", [False, True])
def test_a_start_that_is_stopped_half_way_leaves_nothing(shelf, tmp_path, monkeypatch, there):
    if there:
        (tmp_path / "ws").mkdir()
    rename, calls = os.rename, []

    def stopped(source, target):
        calls.append(source)
        if len(calls) == (3 if there else 1):
            raise KeyboardInterrupt
        rename(source, target)

    monkeypatch.setattr(os, "rename", stopped)
    with pytest.raises(KeyboardInterrupt):
        start(tmp_path / "ws")
    assert sorted(os.listdir(tmp_path)) == ["shelf", "ws"][: 1 + there]
    assert not there or os.listdir(tmp_path / "ws") == []


def test_a_lesson_that_was_never_built_is_told_with_the_line_that_builds_it(shelf, tmp_path):
    (shelf / "00_tiny" / "cases.npz").unlink()
    with pytest.raises(WorkspaceError, match=r"lesson tiny has no cases\.npz yet: tinygrad-rnn course build"):
        start(tmp_path / "ws")
    assert not (tmp_path / "ws").exists()


PLUGGED = any(each.value.startswith("tinygrad_rnn.") for each in importlib.metadata.entry_points(group="pytest11"))


@pytest.mark.skipif(not PLUGGED, reason="the package was installed before it had a pytest plugin: install it again")
def test_plain_pytest_grades_a_fresh_workspace(place):
    ran = subprocess.run([sys.executable, "-m", "pytest"], capture_output=True, text=True, timeout=60, cwd=place.root)
    assert ran.returncode == 1
    assert "Traceback" not in ran.stdout
    assert "tiny.1" in ran.stdout
    assert ran.stderr == ""


# find_place


def test_the_workspace_is_found_from_anywhere_inside(place, monkeypatch):
    deep = place.root / "00_tiny" / "deep"
    deep.mkdir()
    monkeypatch.chdir(deep)
    assert find_place() == place
    assert find_place().delivered


def test_a_repository_keeps_progress_beside_its_lessons_not_among_them(shelf, tmp_path):
    shelf.rename(tmp_path / "lessons")
    for inside in (tmp_path, tmp_path / "lessons", tmp_path / "lessons" / "00_tiny" / "instructor"):
        found = find_place(inside)
        assert (found.root, found.lessons, found.delivered) == (tmp_path, tmp_path / "lessons", False)


def test_a_lesson_lying_about_in_a_folder_above_makes_no_workspace(shelf, tmp_path):
    (shelf / "elsewhere").mkdir()
    with pytest.raises(WorkspaceError, match="tinygrad-rnn start DIR"):
        find_place(shelf / "elsewhere")
    assert find_place(shelf / "00_tiny").lessons == shelf


# reset and solution


def one(place):
    return read_lesson(place.root / "00_tiny")


MINE = '''import numpy as np

note = "déjà vu"  # mine


@staticmethod
def linear_backward(dy, x, W):
    return None


def states_backward(dY, Hs, w):
    """My own words."""
    return {}
    # a thought that I keep


def helper(): pass
'''


@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_one_function_is_reset_and_every_other_letter_stays(place, solve, ends):
    path = place.root / "00_tiny" / "exercise.py"
    path.write_bytes(MINE.replace("\n", ends).encode())
    kept = reset(place, one(place), one(place).exercise(2))
    text = path.read_bytes().decode()
    assert text.count("\r\n") == (text.count("\n") if ends == "\r\n" else 0)
    before, after = MINE.split("@staticmethod")[0], "\n\n\ndef states_backward" + MINE.split("def states_backward")[1]
    middle = text.replace("\r\n", "\n").removeprefix(before).removesuffix(after)
    assert middle.startswith("def linear_backward(dy, x, W):\n")
    assert middle.endswith('raise NotImplementedError("tiny.2")')
    assert (place.root / kept).read_bytes() == MINE.replace("\n", ends).encode()
    assert kept.parts[:2] == (".backup", "00_tiny")


def test_the_last_definition_is_the_one_that_counts_and_is_reset(place, solve):
    solve("def linear_backward(dy, x, W):\n    return 1\n\n\ndef linear_backward(dy, x, W):\n    return 2\n")
    reset(place, one(place), one(place).exercise(2))
    text = (place.root / "00_tiny" / "exercise.py").read_text()
    assert "return 1" in text
    assert "return 2" not in text


def test_a_function_that_is_gone_comes_back_at_the_end(place, solve):
    solve("x = 1")
    reset(place, one(place), one(place).exercise(1))
    text = (place.root / "00_tiny" / "exercise.py").read_text()
    assert text.startswith("x = 1\n\n\ndef states_backward(")


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"def f(:\n", "is not Python, line 1"), (b"x = 1\n\xff", "is not UTF-8 (byte 6)"), (b"\0", "is not Python")],
)
def test_one_function_in_a_file_that_is_no_python_is_not_reset_but_the_lesson_is(place, content, said):
    path = place.root / "00_tiny" / "exercise.py"
    stub = path.read_bytes()
    path.write_bytes(content)
    with pytest.raises(Unreadable) as told:
        reset(place, one(place), one(place).exercise(1))
    assert said in str(told.value)
    assert path.read_bytes() == content
    kept = reset(place, one(place))
    assert path.read_bytes() == stub
    assert (place.root / kept).read_bytes() == content


def test_no_backup_replaces_another(place, solve):
    kept = []
    for i in range(3):
        solve(f"x = {i}")
        kept.append(reset(place, one(place)))
    assert [(place.root / path).read_text() for path in kept] == ["x = 0", "x = 1", "x = 2"]


def test_the_solution_comes_with_its_own_helpers_and_nothing_else(place):
    shown = solution(one(place), one(place).exercise(1))
    assert shown.startswith("def _step(")
    assert "def states_backward(" in shown
    assert "squash" not in shown
    assert "linear" not in shown
    assert solution(one(place), one(place).exercise(2)).startswith("def linear_backward(")


# what grades


def test_a_manifest_that_was_edited_is_noticed_whatever_its_line_ends(place):
    folder = place.root / "00_tiny"
    assert altered(place, folder) == []
    manifest = folder / "lesson.toml"
    manifest.write_bytes(manifest.read_bytes().replace(b"\n", b"\r\n"))
    assert altered(place, folder) == []
    manifest.write_bytes(manifest.read_bytes().replace(b"points = 2", b"points = 9"))
    (folder / "cases.npz").unlink()
    assert altered(place, folder) == ["lesson.toml", "cases.npz"]


def test_a_fingerprint_of_numbers_minds_every_byte():
    assert fingerprint(b"\0\r\n") != fingerprint(b"\0\n")
    assert fingerprint(b"a\r\n") == fingerprint(b"a\n")


def test_paths_are_told_as_seen_from_where_the_learner_stands(place, monkeypatch, tmp_path):
    file = place.root / "00_tiny" / "exercise.py"
    assert place.shown(file).as_posix() == "00_tiny/exercise.py"
    monkeypatch.chdir(place.root / "00_tiny")
    assert place.shown(file).as_posix() == "exercise.py"
    assert place.shown(place.root / "README.md").as_posix() == "../README.md"
    monkeypatch.chdir(tmp_path)
    assert place.shown(file) == file
