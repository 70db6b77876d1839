"""`tinygrad-rnn course`: a new lesson passes its proof from the first minute on; build and check say how it went."""

from __future__ import annotations

import pytest

from tests.course.tiny_lesson import write_tiny
from tinygrad_rnn import cli
from tinygrad_rnn.course.authoring import AuthoringError
from tinygrad_rnn.course.authoring.proof import problems
from tinygrad_rnn.course.authoring.skeleton import write_lesson
from tinygrad_rnn.course.workspace import shelf


def test_a_new_lesson_passes_the_proof(tmp_path):
    lesson = write_lesson("echo_state", 'A "quoted" title, \\tanh and """all"""', tmp_path / "lessons")
    assert list(problems(lesson, hidden=(1,))) == []
    assert lesson.folder.name == "08_echo_state"
    assert lesson.title == 'A "quoted" title, \\tanh and """all"""'
    assert write_lesson("next_one", "", tmp_path / "lessons").folder.name == "09_next_one"
    assert sorted(path.name for path in (tmp_path / "lessons").iterdir()) == ["08_echo_state", "09_next_one"]


@pytest.mark.parametrize("slug", ["", "Bptt", "2d", "a-b", "a/b", "../x", "bptt ", "é"])
def test_bad_slugs_are_refused(tmp_path, slug):
    with pytest.raises(AuthoringError, match="is no name for a lesson"):
        write_lesson(slug, "", tmp_path / "lessons")
    assert not (tmp_path / "lessons").exists()


def test_a_slug_that_is_taken_is_refused(tmp_path):
    made = write_tiny(tmp_path)
    with pytest.raises(AuthoringError, match="there is a lesson tiny already"):
        write_lesson("tiny", "", tmp_path)
    (made / "lesson.toml").write_text("broken")
    with pytest.raises(AuthoringError, match="there is a lesson tiny already"):
        write_lesson("tiny", "", tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["00_tiny"]


def test_nothing_is_left_behind_where_building_fails(tmp_path, monkeypatch):
    def broken(folder):
        raise AuthoringError("no")

    monkeypatch.setattr("tinygrad_rnn.course.authoring.skeleton.build", broken)
    with pytest.raises(AuthoringError):
        write_lesson("one", "", tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_the_commands(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        code = cli.main(["course", *arguments, "--in", "lessons"])
        out, err = capsys.readouterr()
        return code, out + err

    code, said = run("new", "gru", "--title", "Gates, by hand")
    assert code == 0
    assert "08_gru is a lesson already" in said
    assert "tinygrad-rnn course check gru --in lessons" in said
    assert max(map(len, said.splitlines())) <= 80
    assert run("build", "--check")[1] == "08_gru: up to date\n"
    code, said = run("check", "gru")
    assert code == 0
    assert said.splitlines()[-1].startswith("08_gru: proved (")
    stages = ["files", *(f"grading, seed {seed} of 3" for seed in range(4)), "the notebook"]
    assert said.splitlines()[:-1] == [f"08_gru: {stage} ..." for stage in stages]
    lesson = tmp_path / "lessons" / "08_gru"
    (lesson / "exercise.py").unlink()
    anew = "`tinygrad-rnn course build` makes it anew"
    assert run("build", "8", "--check") == (1, f"  gru: exercise.py is missing: {anew}\n08_gru: 1 to mend\n")
    assert not (lesson / "exercise.py").exists()
    code, said = run("build", "gru")
    assert (code, said.splitlines()[0]) == (0, "  exercise.py")
    source = (lesson / "lesson.py").read_text(encoding="utf-8")
    (lesson / "lesson.py").write_text(source.replace("hint = here.check", "hint = here.test"), encoding="utf-8")
    code, said = run("build")
    assert code == 1
    assert "course build --mend gru" in said
    assert run("build", "--mend")[0] == 0
    assert (lesson / "lesson.py").read_text(encoding="utf-8") == source
    code, said = run("new", "gru")
    assert code == 1
    assert said.startswith("tinygrad-rnn: there is a lesson gru already")
    assert run("check", "nothing")[0] == 1


def test_a_broken_lesson_does_not_hide_the_others(tmp_path, monkeypatch, capsys):
    write_tiny(tmp_path)
    (tmp_path / "01_broken").mkdir()
    (tmp_path / "01_broken" / "lesson.toml").write_text("id = 3")
    assert cli.main(["course", "build", "--in", str(tmp_path)]) == 1
    said = capsys.readouterr().out
    assert "00_tiny: built" in said
    assert "01_broken: 1 to mend" in said
    assert cli.main(["course", "check", "--in", str(tmp_path / "empty")]) == 2


def test_lessons_are_found_by_path_and_the_next_commands_say_where(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        code = cli.main(["course", *arguments])
        out, err = capsys.readouterr()
        return code, out + err

    code, said = run("new", "gru", "--in", ".")
    assert code == 0
    assert "  tinygrad-rnn course build gru --in ." in said
    assert "  tinygrad-rnn course check gru --in ." in said
    for path in ("./08_gru", "08_gru", "08_gru/lesson.toml", str(tmp_path / "08_gru")):
        assert run("build", "--check", path) == (0, "08_gru: up to date\n")
    assert run("build", "--check", "./09_none")[0] == 1


def test_nothing_is_written_into_an_installation(tmp_path, monkeypatch, capsys):
    """Outside of a clone, and without a folder of one's own, there is no place that an author can have meant."""
    monkeypatch.delenv(shelf.LESSONS, raising=False)
    monkeypatch.setattr(shelf, "_PACKAGE", tmp_path / "site-packages" / "tinygrad_rnn")
    installed = tmp_path / "site-packages" / "tinygrad_rnn" / "lessons"
    installed.mkdir(parents=True)
    (tmp_path / "mine").mkdir()
    monkeypatch.chdir(tmp_path / "mine")
    assert cli.main(["course", "new", "my_lesson"]) != 0
    assert "--in FOLDER" in capsys.readouterr().err
    assert list(installed.iterdir()) == []
    own = tmp_path / "own"
    own.mkdir()
    monkeypatch.setenv(shelf.LESSONS, str(own))
    assert cli.main(["course", "new", "my_lesson"]) == 0
    assert [path.name for path in own.iterdir()] == ["08_my_lesson"]
