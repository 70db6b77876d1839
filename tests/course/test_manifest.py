"""lesson.toml: read whole, or refused in one line that names the place and the remedy."""

import pytest

from tests.course.tiny_lesson import MANIFEST, write_tiny
from tinygrad_rnn.course.manifest import ManifestError, lessons_in, read_lesson, spell_points


def test_the_tiny_lesson_is_read_whole(tmp_path):
    lesson = read_lesson(write_tiny(tmp_path))
    first, second = lesson.exercises
    assert (lesson.id, lesson.minutes, lesson.points) == ("tiny", 10, 5)
    assert (first.key, first.layout, first.points) == ("tiny.1", "dict", 3)
    assert (second.layout, second.part, second.parameters) == ("tuple", "extra", ("dy", "x", "W"))
    assert [check.outputs for check in first.checks] == [("dH",), ("dw",)]
    assert lesson.grading.mistake == 0.25
    assert lessons_in(tmp_path) == [lesson.folder] == lessons_in(lesson.folder)


@pytest.mark.parametrize("which", [2, "2", "tiny.2", "linear_backward"])
def test_an_exercise_is_found_by_number_key_or_function(tmp_path, which):
    assert read_lesson(write_tiny(tmp_path)).exercise(which).id == 2


def test_an_exercise_that_is_not_there_is_told_with_those_that_are(tmp_path):
    with pytest.raises(KeyError, match=r"no exercise 'tiny\.9' in lesson tiny: it has tiny\.1, tiny\.2"):
        read_lesson(write_tiny(tmp_path)).exercise("tiny.9")


@pytest.mark.parametrize(
    ("right", "wrong", "told"),
    [
        ('id = "tiny"', 'id = "Tiny Lesson"', "must be a slug"),
        ("minutes = 10", 'minutes = "ten"', "`minutes` must be of type int, not 'ten'"),
        ("minutes = 10", "minutes = true", "`minutes` must be of type int"),
        ('assumes = "The chain rule."', "", "`assumes` is missing"),
        ('assumes = "The chain rule."', 'assumes = "x"\ncolour = 1', "unknown key `colour`"),
        ('time = "backward"', 'time = "back"', "exercise 1: `time` = 'back' must be one of backward, forward"),
        ('outputs = ["dw"]', 'outputs = ["dv"]', r"exercise 1, check 2: `dv` is not in `returns` \(dH, dw\)"),
        ('name = "NO_TANH"', 'name = "no tanh"', "exercise 1, mistake 2: `name` = 'no tanh' must be in CAPITALS"),
        ('id = 2', "id = 1", "two exercises have the id 1"),
        ("points = 1", "points = -1", "`points` = -1 must lie between 0 and inf"),
        ('probes = ["probe", "cost"]', 'probes = ["probing"]', "`probes` knows probe and cost, not 'probing'"),
        ('title = "Two steps back"', "title = Two", r"lesson\.toml: Invalid value .*line 3"),
        ('[exercise.returns]\ndH = "(T, B, H)"\ndw = "(H,)"', "[exercise.returns]", "exercise 1: `returns` is empty"),
    ],
)
def test_a_broken_manifest_is_one_line_with_its_place(tmp_path, right, wrong, told):
    folder = write_tiny(tmp_path)
    assert right in MANIFEST
    (folder / "lesson.toml").write_text(MANIFEST.replace(right, wrong, 1))
    with pytest.raises(ManifestError, match=told) as raised:
        read_lesson(folder)
    assert str(folder / "lesson.toml") in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_manifest_that_is_not_there_or_not_utf8_is_told(tmp_path):
    with pytest.raises(ManifestError, match=r"no lesson in .*nowhere: lesson\.toml is not there"):
        read_lesson(tmp_path / "nowhere")
    folder = write_tiny(tmp_path)
    (folder / "lesson.toml").write_bytes(MANIFEST.encode().replace(b"Two", b"Zw\xf6lf"))
    with pytest.raises(ManifestError, match="not UTF-8 at byte"):
        read_lesson(folder)


def test_the_remedy_for_a_broken_manifest_is_its_readers(tmp_path):
    """A learner gets the file anew; an author, beside whose lesson instructor/ stands, mends what was written."""
    folder = write_tiny(tmp_path)
    (folder / "lesson.toml").write_text("id = \n")
    with pytest.raises(ManifestError, match=r"line 1.*: mend the line$"):
        read_lesson(folder)
    (folder / "lesson.toml").write_bytes(b'id = "\xff"')
    with pytest.raises(ManifestError, match=r"not UTF-8 at byte 6: save it as UTF-8$"):
        read_lesson(folder)
    (folder / "instructor").rename(tmp_path / "instructor")
    with pytest.raises(ManifestError, match="restore the file with `tinygrad-rnn update`"):
        read_lesson(folder)


def test_points_are_spelled_without_needless_decimals():
    assert [spell_points(p) for p in (10.0, 0.5, 2 / 3, 0.0)] == ["10", "0.5", "0.667", "0"]
