"""Progress: a plain file that survives what happens to files."""

import json
import os
import threading

import pytest

from tinygrad_rnn.course import files
from tinygrad_rnn.course.verdict import Verdict
from tinygrad_rnn.course.workspace import progress
from tinygrad_rnn.course.workspace.locking import LOCK
from tinygrad_rnn.course.workspace.progress import DAMAGED, MARKER, State, changed, read, record


def verdict(kind="right", earned=3.0, exercise=1):
    return Verdict("tiny", exercise, "A title", "core", kind, 3.0, earned, ())


def test_verdicts_add_up_to_a_standing(tmp_path):
    record(tmp_path, [verdict("not attempted", 0.0)])
    assert read(tmp_path).of("tiny.1").attempts == 0
    record(tmp_path, [verdict("mistake", 0.75), verdict(exercise=2)])
    record(tmp_path, [verdict()])
    record(tmp_path, [verdict("wrong value", 1.0)])
    one = read(tmp_path).of("tiny.1")
    assert (one.best, one.kind, one.attempts) == (3.0, "wrong value", 3)
    assert one.first <= one.solved <= one.last
    assert one.solved
    assert read(tmp_path).of("tiny.2").attempts == 1


def test_numbers_by_finite_differences_do_not_solve_it(tmp_path):
    record(tmp_path, [verdict("numerical", 1.5)])
    assert (read(tmp_path).of("tiny.1").best, read(tmp_path).of("tiny.1").solved) == (1.5, "")


def test_hints_are_counted_to_their_number(tmp_path):
    assert [progress.take_hint(tmp_path, "tiny.1", 3) for _ in range(4)] == [1, 2, 3, 3]
    assert progress.take_hint(tmp_path, "tiny.2", 3, all_=True) == 3


def test_what_is_forgotten_is_the_solving_and_not_the_help(tmp_path):
    record(tmp_path, [verdict(), verdict(exercise=2)])
    progress.take_hint(tmp_path, "tiny.1", 3)
    progress.give_up(tmp_path, "tiny.1")
    progress.forget(tmp_path, ["tiny.1"])
    one, two = read(tmp_path).of("tiny.1"), read(tmp_path).of("tiny.2")
    assert (one.best, one.solved, one.attempts, one.hints, one.given_up) == (0.0, "", 1, 1, True)
    assert two.solved


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"\xff\xfe", b"[]", b"null", b'{"exercises": []}', b'{"exercises": {"a.1": 3}}', b'{"delivered": 1}',
     b'{"exercises": {"a.1": {"best": "all of it"}}}', b'{"exercises": {"a.1": {"attempts": 1.5}}}'],
)  # fmt: skip
def test_a_damaged_file_is_moved_aside_and_nothing_else_happens(tmp_path, capsys, content):
    (tmp_path / MARKER).write_bytes(content)
    assert read(tmp_path) == State()
    told = capsys.readouterr().err
    assert DAMAGED in told
    assert told.count("\n") == 1
    assert (tmp_path / DAMAGED).read_bytes() == content
    assert read(tmp_path) == State()  # and it is a workspace still
    assert (tmp_path / MARKER).is_file()
    assert capsys.readouterr().err == ""


def test_every_damaged_file_is_kept(tmp_path, capsys):
    for i in range(3):
        (tmp_path / MARKER).write_text("{" * (i + 1))
        read(tmp_path)
    told = capsys.readouterr().err.splitlines()
    kept = [DAMAGED, *(DAMAGED.replace(".json", f"-{i}.json") for i in (2, 3))]
    assert [(tmp_path / name).read_text() for name in kept] == ["{", "{{", "{{{"]
    assert all(name in line for name, line in zip(kept, told, strict=True))


def test_a_folder_in_the_files_place_is_moved_aside_too(tmp_path, capsys):
    (tmp_path / MARKER).mkdir()
    (tmp_path / MARKER / "mine").write_text("")
    record(tmp_path, [verdict()])
    assert "(it is a folder)" in capsys.readouterr().err
    assert os.listdir(tmp_path / DAMAGED) == ["mine"]
    assert read(tmp_path).of("tiny.1").solved


def test_what_a_newer_version_adds_is_no_damage(tmp_path):
    record(tmp_path, [verdict()])
    content = json.loads((tmp_path / MARKER).read_text())
    content["exercises"]["tiny.1"]["mood"] = "good"
    (tmp_path / MARKER).write_text(json.dumps({**content, "weather": "fine"}))
    assert read(tmp_path).of("tiny.1").solved
    record(tmp_path, [verdict(exercise=2)])
    later = json.loads((tmp_path / MARKER).read_text())
    assert (later["weather"], later["exercises"]["tiny.1"]["mood"]) == ("fine", "good")
    assert later["exercises"]["tiny.1"] == content["exercises"]["tiny.1"]
    assert later.keys() - content.keys() == {"weather"}


def test_an_interrupted_write_leaves_the_file_as_it_was(tmp_path, monkeypatch):
    record(tmp_path, [verdict()])
    before = (tmp_path / MARKER).read_bytes()

    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        record(tmp_path, [verdict("mistake", 0.0)])
    assert (tmp_path / MARKER).read_bytes() == before
    assert sorted(os.listdir(tmp_path)) == [MARKER, LOCK]


def test_a_block_that_fails_changes_nothing(tmp_path):
    with pytest.raises(ZeroDivisionError), changed(tmp_path) as state:
        state.of("tiny.1").best = 1 / 0
    assert not (tmp_path / MARKER).exists()


def test_where_nothing_can_be_written_a_line_says_so_and_work_goes_on(tmp_path, monkeypatch, capsys):
    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(files.tempfile, "mkstemp", refuse)
    record(tmp_path, [verdict()])
    assert capsys.readouterr().err == f"progress is not kept: {tmp_path} cannot be written (Permission denied)\n"
    monkeypatch.undo()
    record(tmp_path, [verdict()])
    before = (tmp_path / MARKER).read_bytes()
    monkeypatch.setattr(progress, "read", refuse)
    record(tmp_path, [verdict(exercise=2)])
    line = f"progress is not kept: {MARKER} in {tmp_path} cannot be read (Permission denied)\n"
    assert capsys.readouterr().err == line
    assert (tmp_path / MARKER).read_bytes() == before


def test_readers_never_see_half_a_file(tmp_path, capsys):
    record(tmp_path, [verdict(exercise=i) for i in range(200)])
    stop = threading.Event()

    def write():
        while not stop.is_set():
            record(tmp_path, [verdict()])

    writer = threading.Thread(target=write)
    writer.start()
    try:
        assert all(len(read(tmp_path).exercises) == 200 for _ in range(100))
    finally:
        stop.set()
        writer.join()
    assert capsys.readouterr().err == ""
