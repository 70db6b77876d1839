"""A newer course in an older workspace: what was never touched is replaced, and what was written stays."""

import json
import os
import re

import pytest

from tinygrad_rnn.course.workspace import merging, updating
from tinygrad_rnn.course.workspace.folder import WorkspaceError, find_place
from tinygrad_rnn.course.workspace.progress import MARKER, read
from tinygrad_rnn.course.workspace.updating import update

NEW = '''

def brand_new(x):
    """Something further.

    x (T, B). Returns (T, B).
    """
    return x * FACTOR
'''


@pytest.fixture
def newer(shelf, place):
    """A function that changes the course on the shelf: `newer(solution=[(old, new)], ...)`."""

    def newer(file, *edits):
        path = shelf / "00_tiny" / file
        text = path.read_text("utf-8")
        for old, new in edits:
            assert old in text
            text = text.replace(old, new)
        path.write_text(text, "utf-8")

    return newer


def backups(place):
    return sorted(path.read_text("utf-8") for path in (place.root / ".backup").rglob("*.*"))


def test_a_workspace_that_is_up_to_date_is_not_touched(place):
    before = {path: path.stat().st_mtime_ns for path in place.root.rglob("[!.]*")}
    assert len(before) > 5
    assert update(place) == []
    assert {path: path.stat().st_mtime_ns for path in place.root.rglob("[!.]*")} == before


def test_what_was_never_touched_is_replaced_without_a_word_of_warning(place, newer):
    newer("lesson.ipynb", ("Two steps back", "Three steps back"))
    newer("instructor/solution.py", ("dy (B, H): the gradient of y.", "dy (B, H): what comes back to y."))
    assert update(place) == ["files that you had not changed, replaced: 2"]
    assert "Three steps" in (place.root / "00_tiny" / "lesson.ipynb").read_text()
    assert "what comes back to y" in (place.root / "00_tiny" / "exercise.py").read_text()
    assert not (place.root / ".backup").exists()
    assert update(place) == []


def test_learners_code_stays_and_gets_the_new_stubs_below_it(place, newer, solve):
    solve()
    mine = (place.root / "00_tiny" / "exercise.py").read_text()
    newer("instructor/solution.py", ("SCALE = 1.0", "FACTOR = 2.0\nSCALE = 1.0"),
          ("return dx, dW\n", f"return dx, dW\n{NEW}"))  # fmt: skip
    told = update(place)
    text = (place.root / "00_tiny" / "exercise.py").read_text()
    assert text.startswith(mine.rstrip())
    added = text.removeprefix(mine.rstrip())
    assert re.findall(r"^(?:def )?(\w+)", added, re.M) == ["FACTOR", "brand_new"]
    assert len(told) == 1
    assert "FACTOR, brand_new" in told[0]
    assert backups(place) == [mine]
    assert update(place) == []


def test_a_changed_signature_docstring_or_given_function_is_told_and_lies_beside(place, newer, solve):
    mine = (place.root / "00_tiny" / "exercise.py").read_text().replace('raise NotImplementedError("tiny.1")', "pass")
    solve(mine)
    newer("instructor/solution.py", ("Gradients of y = x @ W.", "Gradients of y = x W."),
          ("SCALE * np", "2 * SCALE * np"))  # fmt: skip
    (told,) = update(place)
    assert "of squash, linear_backward:" in told
    assert (place.root / "00_tiny" / "exercise.py").read_text() == mine
    assert "y = x W" in (place.root / "00_tiny" / "exercise.new.py").read_text()
    assert update(place) == []


def test_a_file_that_is_no_python_is_left_alone(place, newer, solve):
    solve("def f(:\n")
    newer("instructor/solution.py", ("y = x @ W", "y = x W"))
    (told,) = update(place)
    assert "is not Python, line 1" in told
    assert (place.root / "00_tiny" / "exercise.py").read_text() == "def f(:\n"
    assert "y = x W" in (place.root / "00_tiny" / "exercise.new.py").read_text()


def test_a_notebook_that_was_run_stays_and_the_new_one_lies_beside(place, newer):
    notebook = place.root / "00_tiny" / "lesson.ipynb"
    notebook.write_text(notebook.read_text() + " ")
    mine = notebook.read_text()
    assert update(place) == []  # the course has not changed
    newer("lesson.ipynb", ("Two steps back", "Three steps back"))
    (told,) = update(place)
    assert "lesson.new.ipynb" in told
    assert notebook.read_text() == mine
    beside = notebook.with_name("lesson.new.ipynb")
    assert "Three steps" in beside.read_text()
    beside.write_text("and in this one I worked")
    newer("lesson.ipynb", ("Three steps back", "Four steps back"))
    update(place)
    assert "Four steps" in beside.read_text()
    assert backups(place) == ["and in this one I worked"]


@pytest.mark.parametrize("damage", [b"id = ", None])
def test_what_decides_about_points_is_restored(place, damage):
    manifest = place.root / "00_tiny" / "lesson.toml"
    whole = manifest.read_bytes()
    manifest.unlink() if damage is None else manifest.write_bytes(damage)
    (told,) = update(place)
    assert told.startswith("00_tiny/lesson.toml: ")
    assert manifest.read_bytes() == whole
    assert damage is None or backups(place) == ["id = "]


def test_a_lesson_that_the_course_gave_up_stays(place, shelf):
    (shelf / "00_tiny").rename(shelf / "00_gone")
    manifest = shelf / "00_gone" / "lesson.toml"
    manifest.write_text(manifest.read_text().replace('id = "tiny"', 'id = "gone"'))
    update(place)
    assert sorted(path.parent.name for path in place.root.glob("*/exercise.py")) == ["00_gone", "00_tiny"]


def test_a_lesson_that_got_another_number_is_the_same_lesson(place, shelf, solve):
    solve("x = 1\n")
    (shelf / "00_tiny").rename(shelf / "05_tiny")
    assert update(place) == []
    assert [path.parent.name for path in place.root.glob("*/exercise.py")] == ["00_tiny"]


def test_an_update_that_is_interrupted_is_taken_up_again(place, newer, solve, monkeypatch):
    solve("x = 1\n")
    newer("lesson.ipynb", ("Two steps back", "Three steps back"))
    newer("instructor/solution.py", ("return dx, dW\n", f"return dx, dW\n{NEW}"))

    def interrupted(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(updating, "_merged", interrupted)
        with pytest.raises(KeyboardInterrupt):
            update(place)
    assert (place.root / "00_tiny" / "exercise.py").read_text() == "x = 1\n"
    update(place)
    assert "brand_new" in (place.root / "00_tiny" / "exercise.py").read_text()
    assert update(place) == []


def test_what_a_killed_process_left_half_written_is_swept_away(place):
    tiny = place.root / "00_tiny"
    names = [".lesson.toml.a1_b2c3d", ".lesson.new.ipynb.abcdefg1", ".exercise.py.zzzzzzzz"]
    left = [*(tiny / name for name in names), place.root / f".{MARKER}.k2k2k2k2"]
    stays = [tiny / ".lesson.toml.orig", tiny / ".mine.py.a1_b2c3d", tiny / ".cases.npz.just_now"]
    for path in (*left, *stays):
        path.write_bytes(b"half")
        if path != stays[-1]:  # which another process may be writing
            os.utime(path, (0, 0))
    assert update(place) == []
    assert [path.exists() for path in (*left, *stays)] == [False] * 4 + [True] * 3
    kept = [path.name for path in (place.root / ".backup").rglob("*") if path.is_file()]
    assert sorted(kept) == sorted(path.name for path in left)  # one of them may be the learner's after all


def test_after_the_fingerprints_were_lost_nothing_of_the_learner_is(place, newer, solve, capsys):
    solve("x = 1\n")
    (place.root / MARKER).write_text("{")
    newer("lesson.ipynb", ("Two steps back", "Three steps back"))
    update(place)
    assert "damaged" in capsys.readouterr().err
    assert (place.root / "00_tiny" / "exercise.py").read_text().startswith("x = 1\n")
    assert "Two steps" in (place.root / "00_tiny" / "lesson.ipynb").read_text()  # may be the learner's: kept
    assert (place.root / "00_tiny" / "lesson.new.ipynb").is_file()


def test_an_older_course_is_not_brought_in(place):
    state = json.loads((place.root / MARKER).read_text())
    (place.root / MARKER).write_text(json.dumps({**state, "course": "99.0"}))
    with pytest.raises(WorkspaceError, match=r"99\.0, newer than what is installed"):
        update(place)


def test_the_courses_own_lessons_are_not_updated(shelf):
    with pytest.raises(WorkspaceError, match="is the course itself"):
        update(find_place(shelf))
    assert MARKER not in os.listdir(shelf)


def test_progress_survives_an_update(place, newer):
    from tinygrad_rnn.course.workspace.progress import take_hint

    take_hint(place.root, "tiny.1", 3)
    newer("lesson.ipynb", ("Two steps back", "Three steps back"))
    update(place)
    assert read(place.root).of("tiny.1").hints == 1


# merging, on texts


def test_classes_are_compared_by_the_methods_that_the_course_has():
    stub = 'class Gate:\n    """A gate."""\n\n    def forward(self, x):\n        raise NotImplementedError("a.1")\n'
    own = "return self._own(x)\n\n    def _own(self, x):\n        return x"
    mine = stub.replace('raise NotImplementedError("a.1")', own)
    assert merging.merge(mine, stub, {"Gate"}) == merging.Merged(mine, (), ())
    other = stub.replace("(self, x)", "(self, x, h)")
    assert merging.merge(mine, other, {"Gate"}).changed == ("Gate",)


def test_imports_that_are_missing_come_with_the_stubs():
    stub = "import math, cmath\nimport numpy as np\n\n\ndef f():\n    pass\n"
    merged = merging.merge("import numpy as np\n", stub, {"f"})
    assert merged.text == "import numpy as np\n\n\nimport math, cmath\n\n\ndef f():\n    pass\n"
    assert merged.added == ("math", "cmath", "f")


def test_a_separator_that_python_does_not_count_as_a_line_end_shifts_nothing():
    mine = 's = "a\u2028b\x0c"\n\n\ndef f():\n    return 1\n\n\nlast = 2\n'
    assert merging.replaced(mine, "def f():\n    pass\n", "f") == mine.replace("return 1", "pass")
