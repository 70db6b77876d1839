"""A lesson from inside a notebook: found or fetched, checked, hinted at, the learner's file read again when saved."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tinygrad_rnn.course import living, notebook
from tinygrad_rnn.course.living import LessonError, NoSuchName, NotWritten
from tinygrad_rnn.course.notebook import lesson
from tinygrad_rnn.course.verdict import Verdict
from tinygrad_rnn.course.workspace import progress


def ask(which: str, **around: str) -> notebook.Here:
    """`lesson(which)` as a cell says it: in a namespace of its own."""
    return eval("lesson(which)", {"lesson": lesson, "which": which, **around})


@pytest.fixture
def here(place, monkeypatch) -> notebook.Here:
    monkeypatch.chdir(place.root / "00_tiny")
    return ask("tiny")


@pytest.fixture
def alone(shelf, tmp_path, monkeypatch):
    """A folder that belongs to no workspace, and is the current one."""
    folder = tmp_path / "hosted" / "content"
    folder.mkdir(parents=True)
    monkeypatch.chdir(folder)
    return folder


# found, or fetched


def test_it_is_found_beside_the_notebook_in_the_workspace_and_from_the_lesson_next_to_it(place, monkeypatch, capsys):
    lesson_folder = place.root / "00_tiny"
    other = place.root / "01_other"
    other.mkdir()
    for where in (lesson_folder, place.root):
        monkeypatch.chdir(where)
        assert ask("tiny").folder.samefile(lesson_folder)
    monkeypatch.chdir("/")
    assert ask("0", __file__=str(lesson_folder / "lesson.py")).folder.samefile(lesson_folder)
    assert ask("tiny", __vsc_ipynb_file__=str(lesson_folder / "lesson.ipynb")).folder.samefile(lesson_folder)
    assert capsys.readouterr().out == ""


def test_a_folder_of_any_name_is_known_by_its_manifest(place, monkeypatch):
    (place.root / "00_tiny").rename(place.root / "mine")
    monkeypatch.chdir(place.root / "mine")
    assert ask("tiny").folder.samefile(place.root / "mine")


def test_where_there_is_none_it_is_fetched_without_its_solution_and_said_in_a_line(alone, capsys):
    here = ask("tiny")
    assert here.folder.samefile(alone / "00_tiny")
    files = {path.name for path in (alone / "00_tiny").rglob("*")}
    assert {"lesson.toml", "exercise.py", "cases.npz", "lesson.ipynb", "test_exercise.py"} <= files
    assert not {"instructor", "solution.py", "mistakes.py"} & files
    said = capsys.readouterr().out
    assert said.count("\n") == 1
    assert "./00_tiny" in said
    assert here.check(1).kind == "not attempted"
    capsys.readouterr()
    ask("tiny")
    assert capsys.readouterr().out == ""


def test_what_is_there_is_never_written_over(alone, monkeypatch, capsys):
    ask("tiny")
    mine = alone / "00_tiny" / "exercise.py"
    mine.write_text("mine = 1\n", "utf-8")
    for lost in ("lesson.toml", "cases.npz"):
        (alone / "00_tiny" / lost).unlink()
        capsys.readouterr()
        assert ask("tiny").exercise.mine == 1
        assert capsys.readouterr().out.endswith(f"fetched from the installed package: {lost}\n")
    (alone / "00_tiny" / "lesson.toml").unlink()
    monkeypatch.chdir(alone / "00_tiny")  # the notebook's own folder, in which a file is missing
    assert ask("tiny").folder.samefile(alone / "00_tiny")
    assert not (alone / "00_tiny" / "00_tiny").exists()
    assert mine.read_text("utf-8") == "mine = 1\n"


def test_a_lesson_that_was_never_built_keeps_no_other_from_being_fetched(alone, shelf, capsys):
    (shelf / "01_draft").mkdir()
    manifest = (shelf / "00_tiny" / "lesson.toml").read_text("utf-8")
    (shelf / "01_draft" / "lesson.toml").write_text(manifest.replace('id = "tiny"', 'id = "draft"'), "utf-8")
    assert ask("tiny").check(1).kind == "not attempted"
    with pytest.raises(LessonError, match=r"^lesson draft has no .* yet"):
        ask("draft")


def test_no_such_lesson_is_one_line_that_names_those_there_are(alone):
    with pytest.raises(LessonError, match=r"^no lesson 'bptt'.*tiny$") as caught:
        ask("bptt")
    assert caught.value._render_traceback_() == [str(caught.value)]
    assert list(alone.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_one_line(alone, monkeypatch):
    def refuse(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(notebook, "write_whole", refuse)
    with pytest.raises(LessonError, match="choose a folder that you can write to"):
        ask("tiny")


def test_a_damaged_manifest_is_one_line(here):
    (here.folder / "lesson.toml").write_text("id = [", "utf-8")
    for act in (lambda: here.check(1), lambda: here.hint(1), lambda: ask("tiny")):
        with pytest.raises(LessonError, match=r"lesson\.toml.*tinygrad-rnn update"):
            act()


def test_a_damaged_driver_is_one_line(here):
    (here.folder / "driver.py").write_text("1 / 0\n", "utf-8")
    with pytest.raises(LessonError, match=r"driver does not start: .*"):
        here.check(1)


# checks and hints


@pytest.mark.parametrize("which", ["tiny.2", "2", 2, "linear_backward", "0.2"])
def test_one_exercise_by_any_of_its_names_is_a_verdict_and_printed(here, solve, capsys, which):
    solve()
    verdict = here.check(which)
    assert isinstance(verdict, Verdict)
    assert (verdict.key, verdict.kind) == ("tiny.2", "right")
    assert verdict.file.samefile(here.folder / "exercise.py")
    assert capsys.readouterr().out == f"{verdict}\n"


def test_the_whole_lesson_is_a_report_with_its_table(here, solve, capsys):
    report = here.check()
    assert [verdict.kind for verdict in report] == ["not attempted"] * 2
    assert capsys.readouterr().out.startswith("exercise  title")
    solve("def broken(:\n")
    report = here.check()
    assert str(report).count("SyntaxError") == 1  # told once
    assert "tiny.2: the same as tiny.1" in str(report)
    assert "<table" in report._repr_html_()


def test_in_a_notebook_nothing_is_printed_for_the_cell_shows_it(here, monkeypatch, capsys):
    monkeypatch.setattr(notebook, "_in_notebook", lambda: True)
    for shown in (here.check(1), here.check(), here.hint(1)):
        assert shown._repr_html_().startswith("<div")
    assert capsys.readouterr().out == ""


def test_a_terminal_that_lacks_a_character_shows_a_question_mark(here, monkeypatch, capfd):
    with open(1, "w", encoding="ascii", closefd=False) as terminal:
        monkeypatch.setattr(sys, "stdout", terminal)
        here.check(1)
    assert "? not attempted yet" in capfd.readouterr().out


@pytest.mark.parametrize(("which", "why"), [
    ("tiny.7", "no exercise 'tiny.7' in lesson tiny: it has tiny.1, tiny.2"), (3, "no exercise 3"),
    ("bptt.1", "'bptt.1' is an exercise of another lesson"), ("", "no exercise ''"),
])  # fmt: skip
def test_what_the_lesson_does_not_have_is_one_line(here, which, why):
    for act in (here.check, here.hint):
        with pytest.raises(LessonError, match=why) as caught:
            act(which)
        assert "\n" not in str(caught.value)


def test_hints_come_one_by_one_and_the_workspace_remembers(here, place):
    hints = here.lesson.exercises[0].hints
    assert hints[0] in str(here.hint("tiny.1"))
    assert hints[1] in str(ask("tiny").hint("tiny.1"))  # a new kernel
    assert hints[2] in str(here.hint(1))
    assert hints[2] in str(here.hint(1))
    assert 'hint("tiny.2")' in str(here.hint(2))
    assert progress.read(place.root).of("tiny.1").hints == 3


def test_hints_come_one_by_one_without_a_workspace_too(alone):
    here = ask("tiny")
    assert [text in str(here.hint(1)) for text in here.lesson.exercises[0].hints] == [True] * 3
    assert [path.name for path in alone.iterdir()] == ["00_tiny"]


def test_progress_is_kept_in_a_workspace(here, place, solve):
    solve()
    here.check(1)
    assert progress.read(place.root).of("tiny.1").best == 3
    assert progress.read(place.root).of("tiny.2").attempts == 0


def test_another_file_stands_in_where_the_switch_says_so(here, shelf, monkeypatch):
    monkeypatch.setenv(living.SWITCH, str(shelf / "00_tiny" / "instructor" / "solution.py"))
    assert [verdict.kind for verdict in here.check()] == ["right", "right"]
    assert here.exercise._step(2.0, 0.5) == 1.5


# the learner's module


def test_it_is_read_again_when_the_file_was_saved(here, solve):
    solve("x = 1\n")
    assert here.exercise.x == 1
    solve("x = 1\nimport numpy as np\ny = 22\n")
    assert here.exercise.y == 22
    assert dir(here.exercise) == ["x", "y"]
    solve("x = 3\n")
    with pytest.raises(NoSuchName, match=r"exercise.py has no 'y'; it has x"):
        _ = here.exercise.y
    assert not hasattr(here.exercise, "y")
    assert here.exercise.x == 3


@pytest.mark.parametrize(("text", "line"), [
    ("x = 1\ndef f(:\n", "exercise.py, line 2: SyntaxError: invalid syntax"),
    ("def f():\n    return 1 / 0\n\nf()\n", "exercise.py, line 2: ZeroDivisionError: division by zero"),
    ("import sys\nsys.exit('bye')\n", "exercise.py, line 2: SystemExit: bye"),
    ("raise ValueError\n", "exercise.py, line 1: ValueError: "),
])  # fmt: skip
def test_what_stops_the_file_is_one_line_that_names_the_line(here, solve, text, line):
    solve(text)
    with pytest.raises(LessonError) as caught:
        _ = here.exercise.f
    assert str(caught.value).startswith(line)
    assert "\n" not in str(caught.value)
    assert caught.value.__suppress_context__
    solve("f = 5\n")
    assert here.exercise.f == 5


def test_a_file_that_is_no_text_or_not_there_is_one_line(here):
    (here.folder / "exercise.py").write_bytes(b"\xff\xfe bad")
    with pytest.raises(LessonError, match=r"^exercise.py.*SyntaxError.*utf-8"):
        _ = here.exercise.x
    (here.folder / "exercise.py").unlink()
    with pytest.raises(LessonError, match=r"exercise.py cannot be read .*tinygrad-rnn reset tiny"):
        _ = here.exercise.x


def test_a_stub_called_in_a_cell_says_so_in_a_line(here):
    with pytest.raises(NotWritten, match=r"^tiny.2 is not written yet: write it in exercise.py") as caught:
        here.exercise.linear_backward(1, 2, 3)
    assert isinstance(caught.value, NotImplementedError)
    assert here.exercise.squash(0.0) == 0.0  # given, and no stub
    assert here.exercise.squash.__doc__.startswith("tanh of a")


def test_what_a_notebook_asks_of_every_object_reads_no_file(here, solve):
    solve("def broken(:\n")
    assert not hasattr(here.exercise, "_repr_html_")
    assert not hasattr(here.exercise, "_ipython_display_")
    assert "exercise.py" in repr(here.exercise)


# a script, and what importing costs


def test_a_script_runs_from_anywhere_and_prints(place, tmp_path):
    script = place.root / "00_tiny" / "lesson_alone.py"
    script.write_text("from tinygrad_rnn.course import lesson\nhere = lesson('tiny')\nhere.check('tiny.1')\n", "utf-8")
    ran = subprocess.run([sys.executable, script], cwd=tmp_path, capture_output=True, text=True, encoding="utf-8",
                         env={**os.environ, "PYTHONIOENCODING": "utf-8"}, timeout=60)  # fmt: skip
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout.splitlines()[1] == "○ not attempted yet"


def test_the_course_is_imported_without_its_grader():
    code = "import sys, tinygrad_rnn.course as c; print('tinygrad_rnn.course.grading' in sys.modules, bool(c.lesson))"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert ran.stdout == "False True\n"
