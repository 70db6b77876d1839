"""Where the lessons are, and which one is meant."""

import shutil
from pathlib import Path

import pytest

from tinygrad_rnn.course.workspace import shelf as shelves
from tinygrad_rnn.course.workspace.shelf import NoLesson, find, target


@pytest.fixture
def two(shelf):
    shutil.copytree(shelf / "00_tiny", shelf / "03_other")
    return shelf


@pytest.mark.parametrize("which", ["tiny", "0", "00", "00_tiny", "ws/../shelf/00_tiny", "shelf/00_tiny/exercise.py"])
def test_a_lesson_is_found_by_every_name_that_it_has(two, tmp_path, which):
    assert find(which, near=tmp_path) == two / "00_tiny"


def test_a_number_is_not_a_part_of_a_number(two):
    assert find("3") == find("03") == two / "03_other"
    with pytest.raises(NoLesson, match=r"^no lesson '30': there are tiny, other$"):
        find("30")


@pytest.mark.parametrize("which", ["x", "", " ", "..", "/", "00_tin"])
def test_what_is_no_lesson_is_told_in_one_line(two, which):
    with pytest.raises(NoLesson) as told:
        find(which)
    assert str(told.value).endswith(": there are tiny, other")
    assert "\n" not in str(told.value)


def test_a_name_is_no_path_into_the_folder_in_which_it_is_said(two):
    with pytest.raises(NoLesson, match="'othr'"):
        find("othr", near=two / "00_tiny")
    assert target("other.2", two, near=two / "00_tiny") == (two / "03_other", "2")
    assert find(".", near=two / "00_tiny") == two / "00_tiny"


def test_an_exercise_is_named_after_its_lesson_however_that_is_named(two):
    assert target("tiny", two) == (two / "00_tiny", None)
    assert target("tiny.2", two) == target("0.2", two) == target("00_tiny.2", two) == (two / "00_tiny", "2")
    with pytest.raises(NoLesson, match="'x'"):
        target("x.2", two)


def test_a_lesson_with_a_damaged_manifest_is_still_found(two):
    (two / "00_tiny" / "lesson.toml").write_text("id = ")
    assert find("tiny") == two / "00_tiny"


def test_a_shelf_of_ones_own_must_be_there(monkeypatch, tmp_path):
    monkeypatch.setenv(shelves.LESSONS, str(tmp_path / "none"))
    with pytest.raises(NoLesson, match="is no folder"):
        find("tiny")


def test_the_course_itself_is_on_the_shelf(monkeypatch):
    monkeypatch.delenv(shelves.LESSONS, raising=False)
    assert (shelves.shelf() / find("bptt").name / "instructor" / "solution.py").is_file()
    assert shelves.shelf() == Path(shelves.__file__).parents[3] / "lessons"
