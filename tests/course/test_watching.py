"""Watching: which exercise a save checks, what the keys do, and what is left of the terminal afterwards."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from tests.course.tiny_lesson import MANIFEST
from tinygrad_rnn.course.verdict import Verdict
from tinygrad_rnn.course.workspace import progress, watching
from tinygrad_rnn.course.workspace.desk import Desk
from tinygrad_rnn.course.workspace.watching import Events, Session


class Watched:
    """A session whose checks are decided by the test: `right` are the exercises that pass."""

    def __init__(self, place, keys=True, lesson=None):
        self.place, self.right, self.asked, self.told = place, set(), [], []
        desk = Desk(place)
        chosen = None if lesson is None else desk.pick(lesson)[0]
        self.session = Session(desk, chosen, keys, self.check, self.told.append)
        self.session.begin()

    def check(self, lesson, numbers):
        for number in numbers or [exercise.id for exercise in lesson.exercises]:
            key = f"{lesson.id}.{number}"
            self.asked.append(key)
            kind, earned = ("right", 2.0) if key in self.right else ("wrong value", 0.0)
            progress.record(self.place.root, [Verdict(lesson.id, number, "", "core", kind, 2.0, earned, ())])

    def save(self, lesson="00_tiny"):
        self.session.saved(self.place.root / lesson)

    def press(self, keys):
        for key in keys:
            self.session.key(key)


@pytest.fixture
def second(place):
    """A further lesson in the workspace."""
    (place.root / "01_further").mkdir()
    manifest = MANIFEST.replace('"tiny"\norder = 0', '"further"\norder = 1')
    (place.root / "01_further" / "lesson.toml").write_text(manifest)


def test_it_stays_on_a_solved_exercise_until_told(place):
    watched = Watched(place)
    watched.right.add("tiny.1")
    watched.save()
    watched.save()
    assert watched.asked == ["tiny.1"] * 3
    assert "tiny.1 is right" in watched.told[-1]
    watched.press("n")
    assert watched.asked[3:] == ["tiny.2"]


def test_it_begins_where_the_learner_is(place):
    progress.record(place.root, [Verdict("tiny", 1, "", "core", "right", 3.0, 3.0, ())])
    assert Watched(place).asked == ["tiny.2"]


def test_the_lesson_that_was_saved_is_the_one_that_is_checked(place, second):
    watched = Watched(place)
    watched.save("01_further")
    watched.save("01_further")
    watched.save()
    assert watched.asked == ["tiny.1", "further.1", "further.1", "tiny.1"]
    watched.save("02_none")
    assert len(watched.asked) == 4


def test_a_lesson_that_is_named_is_the_only_one(place, second):
    watched = Watched(place, lesson="further")
    watched.save("00_tiny")
    watched.press("nn")
    assert watched.asked == ["further.1", "further.2", "further.1"]


def test_the_end_is_told(place):
    watched = Watched(place)
    watched.right |= {"tiny.1", "tiny.2"}
    watched.save()
    watched.press("n")
    assert not watched.session.done
    watched.press("n")
    assert watched.session.done
    assert "whole course" in watched.told[-1]
    again = Watched(place, lesson="tiny")
    assert again.session.done
    assert again.asked == []
    assert "Two steps back" in again.told[-1]


def test_a_solved_exercise_that_was_broken_again_is_not_called_right(place):
    watched = Watched(place)
    watched.right.add("tiny.1")
    watched.save()
    watched.right.clear()
    watched.save()
    assert "Watching" in watched.told[-1]


def test_where_nobody_can_press_n_the_next_save_goes_on(place):
    watched = Watched(place, keys=False)
    watched.right |= {"tiny.1", "tiny.2"}
    watched.save()
    assert "The next save checks tiny.2" in watched.told[-1]
    assert "n next" not in "".join(watched.told)
    watched.save()
    assert watched.asked == ["tiny.1", "tiny.1", "tiny.2"]
    assert watched.session.done


def test_every_key_does_its_own(place):
    watched = Watched(place)
    watched.press("h")
    assert "Hint 1 of 3" in watched.told[-2]
    watched.press("l")
    assert "Two steps back" in watched.told[-2]
    watched.press("c")
    assert watched.asked[1:] == ["tiny.1", "tiny.2"]
    before = len(watched.told)
    watched.press("x \n7")
    assert (len(watched.told), watched.session.done) == (before, False)
    watched.press("q")
    assert watched.session.done


# Events


def test_a_burst_of_saves_is_one_check_and_a_key_in_it_is_not_lost():
    events = Events()
    for _ in range(5):
        events.put(Path("a"))
    events.put("h")
    events.put(Path("a"))
    events.put(Path("b"))
    assert [events.get() for _ in range(3)] == [Path("a"), "h", Path("b")]
    events.put(Path("a"))  # a save during the check
    assert events.get() == Path("a")


@pytest.mark.parametrize("library", [True, False])
def test_saves_are_seen_however_an_editor_makes_them(tmp_path, monkeypatch, library):
    if library:
        pytest.importorskip("watchfiles")
    else:
        monkeypatch.setitem(sys.modules, "watchfiles", None)
        monkeypatch.setattr(watching, "GLANCE", 0.05)
    path = tmp_path / "exercise.py"
    path.write_text("a")
    events = Events()
    threading.Thread(target=watching._tell_saves, args=([tmp_path], events), daemon=True).start()
    time.sleep(0.5)
    try:
        path.write_text("bb")
        assert events.get() == tmp_path
        (tmp_path / ".swap").write_text("ccc")
        os.replace(tmp_path / ".swap", path)
        assert events.get() == tmp_path
        path.unlink()
        (tmp_path / "other.py").write_text("x")
        assert events._get(1.5) is None
        path.write_text("dddd")
        assert events.get() == tmp_path
    finally:
        events.stop.set()


# As a program


@pytest.fixture
def program(place):
    running = []

    def program(*arguments, **streams):
        command = [sys.executable, "-m", "tinygrad_rnn", "watch", *arguments]
        environment = {**os.environ, "TERM": "xterm", "PYTHONUNBUFFERED": "1"}
        running.append(subprocess.Popen(command, cwd=place.root, env=environment, **streams))
        return running[-1]

    yield program
    for each in running:
        each.kill()
        each.wait()
        for stream in (each.stdout, each.stderr):
            if stream:
                stream.close()


def until(read, wanted, seconds=30):
    """What `read` gives, until `wanted` is in it."""
    said, end = "", time.monotonic() + seconds
    while wanted not in said:
        assert time.monotonic() < end, said
        said += read()
    return said


@pytest.mark.skipif(sys.platform == "win32", reason="Ctrl-C is sent otherwise there")
def test_without_a_terminal_it_checks_again_until_ctrl_c(place, program, solve):
    watched = program(stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    until(watched.stdout.readline, "Watching 00_tiny")
    time.sleep(0.5)
    solve()
    said = until(watched.stdout.readline, "The next save checks tiny.2")
    assert "tiny.1" in said
    assert "\x1b" not in said
    watched.send_signal(signal.SIGINT)
    assert watched.wait(10) == 130
    assert watched.stderr.read() == "tinygrad-rnn: Stopped watching.\n"


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
@pytest.mark.parametrize("end", ["q", "ctrl-c", "killed"])
def test_the_terminal_is_left_as_it_was(place, program, solve, end):
    import pty
    import termios

    ours, theirs = pty.openpty()
    before = termios.tcgetattr(theirs)
    watched = program(stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True)

    def read():
        return os.read(ours, 4096).decode()

    try:
        until(read, "q quit")
        assert termios.tcgetattr(theirs) != before  # keys come one by one
        os.write(ours, b"h")
        until(read, "Hint 1 of 3")
        solve()
        until(read, "tiny.1 is right")
        if end == "q":
            os.write(ours, b"q")
        else:
            watched.send_signal(signal.SIGINT if end == "ctrl-c" else signal.SIGTERM)
        assert watched.wait(10) == (0 if end == "q" else 130)
        assert termios.tcgetattr(theirs) == before
    finally:
        os.close(ours)
        os.close(theirs)
