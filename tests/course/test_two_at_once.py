"""Two of the learner's processes at once in one workspace: a check in a terminal, a hint in a notebook, an update."""

import os
import signal
import subprocess
import sys

import pytest

from tinygrad_rnn.course.workspace import folder as workspace
from tinygrad_rnn.course.workspace import locking, progress, updating
from tinygrad_rnn.course.workspace.folder import WorkspaceError, start
from tinygrad_rnn.course.workspace.progress import read, take_hint

TOGETHER = """
import sys
from pathlib import Path
from tinygrad_rnn.course.workspace import locking, progress
root = Path(sys.argv[1])
print("ready", flush=True)
sys.stdin.readline()
"""


@pytest.fixture
def process(tmp_path):
    """Start Python on some code, in the folder `root`: it says "ready" and waits for a line, as TOGETHER has it."""
    begun = []

    def process(code, root=tmp_path, *more):
        begun.append(subprocess.Popen([sys.executable, "-c", TOGETHER + code, str(root), *more], text=True,
                                      stdin=subprocess.PIPE, stdout=subprocess.PIPE))  # fmt: skip
        assert begun[-1].stdout.readline() == "ready\n"
        return begun[-1]

    yield process
    for each in begun:
        each.kill()
        each.communicate()


def test_no_hint_of_two_processes_is_lost(tmp_path, process):
    code = "for _ in range(60): progress.take_hint(root, sys.argv[2], 100)"
    both = [process(code, tmp_path, key) for key in ("tiny.1", "tiny.2")]
    for each in both:
        each.stdin.write("go\n")
        each.stdin.flush()
    assert [each.wait(60) for each in both] == [0, 0]
    assert [read(tmp_path).of(key).hints for key in ("tiny.1", "tiny.2")] == [60, 60]


def test_what_is_noted_during_an_update_is_kept_and_so_is_the_new_version(place, monkeypatch):
    with progress.changed(place.root) as state:
        state.course, state.delivered["00_tiny/lesson.toml"] = "0.0.1", "another"
    updated, calls = updating._updated, []

    def meanwhile(*arguments):
        calls.append(take_hint(place.root, "tiny.1", 100))
        return updated(*arguments)

    monkeypatch.setattr(updating, "_updated", meanwhile)
    updating.update(place)
    state = read(place.root)
    assert (state.of("tiny.1").hints, state.course) == (len(calls), updating.__version__)
    assert calls == list(range(1, len(calls) + 1))
    assert state.delivered["00_tiny/lesson.toml"] != "another"


# the lock


def test_a_holder_that_was_killed_holds_nothing(tmp_path, process):
    holder = process("with locking.alone(root) as held:\n    print(held, flush=True)\n    sys.stdin.readline()")
    holder.stdin.write("go\n")
    holder.stdin.flush()
    assert holder.stdout.readline() == "True\n"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(locking, "PATIENCE", 0.0)
        with locking.alone(tmp_path) as held:
            assert not held
    holder.send_signal(getattr(signal, "SIGKILL", signal.SIGTERM))
    holder.wait(10)
    with locking.alone(tmp_path) as held:
        assert held


def test_work_goes_on_without_a_lock_that_is_never_let_go(tmp_path, monkeypatch):
    monkeypatch.setattr(locking, "PATIENCE", 0.05)
    with locking.alone(tmp_path) as held:
        assert held
        assert take_hint(tmp_path, "tiny.1", 3) == 1
    assert read(tmp_path).of("tiny.1").hints == 1


def test_work_goes_on_where_no_lock_can_be_made(tmp_path):
    (tmp_path / locking.LOCK).mkdir()
    assert take_hint(tmp_path, "tiny.1", 3) == 1
    assert read(tmp_path).of("tiny.1").hints == 1


# start


@pytest.mark.parametrize("there", [False, True])
def test_of_two_starts_in_one_folder_one_is_refused_and_takes_nothing_away(shelf, tmp_path, monkeypatch, there):
    root, move = tmp_path / "ws", workspace._move
    if there:
        root.mkdir()

    def second(aside, directory):
        monkeypatch.setattr(workspace, "_move", move)
        start(tmp_path / "ws")  # comes first after all
        move(aside, directory)

    monkeypatch.setattr(workspace, "_move", second)
    with pytest.raises(WorkspaceError, match="is not empty"):
        start(root)
    assert sorted(os.listdir(root)) == [".tinygrad_rnn.json", "00_tiny", "README.md", "pytest.ini"]
    assert (root / "00_tiny" / "exercise.py").is_file()
    assert sorted(os.listdir(tmp_path)) == ["shelf", "ws"]


@pytest.mark.parametrize("name", ["00_tiny", "README.md"])
def test_what_came_into_the_folder_meanwhile_stays_and_nothing_else_is_there(shelf, tmp_path, monkeypatch, name):
    root, rename = tmp_path / "ws", os.rename
    root.mkdir()

    def slow(source, target):
        rename(source, target)
        (root / "README.md").write_text("mine")

    if name == "README.md":
        monkeypatch.setattr(os, "rename", slow)
    else:
        move = workspace._move
        monkeypatch.setattr(workspace, "_move", lambda *both: ((root / name).write_text("mine"), move(*both)))
    with pytest.raises(WorkspaceError, match=f"it holds {name}"):
        start(root)
    assert os.listdir(root) == [name]
    assert (root / name).read_text() == "mine"


def test_a_way_back_through_a_folder_that_is_not_there_is_the_folder_itself(shelf, tmp_path):
    root = tmp_path / "mine"
    root.mkdir()
    (root / "README.md").write_text("my thesis")
    with pytest.raises(WorkspaceError, match=r"is not empty \(it holds README\.md\)"):
        start(root / "x" / "..")
    assert os.listdir(root) == ["README.md"]
    assert (root / "README.md").read_text() == "my thesis"
