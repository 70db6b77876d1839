"""The grading of the grader: a sound lesson passes, and each way of being unsound is told."""

from __future__ import annotations

import json
import os

import pytest

from tests.course.test_build import SOLVED, change
from tests.course.tiny_lesson import write_tiny
from tinygrad_rnn.course.authoring import AuthoringError, Bench, leaks, proof, rehearsal, shapes
from tinygrad_rnn.course.authoring.bench import SOLUTION, text_of
from tinygrad_rnn.course.authoring.build import build, generated
from tinygrad_rnn.course.authoring.proof import problems
from tinygrad_rnn.course.manifest import read_lesson


@pytest.fixture
def lesson(tmp_path):
    return read_lesson(write_tiny(tmp_path))


def graded(lesson, seeds=(0,)):
    """What the proof says of answers and mistakes, without what it says of files."""
    return list(proof.graded(lesson, seeds))


def test_a_sound_lesson_has_no_problems(lesson):
    build(lesson)
    looked = []
    assert list(problems(lesson, notebooks=True, report=looked.append)) == []
    assert len(looked) == 2 + 1 + len(proof.HIDDEN)


def test_stale_files_are_problems(lesson):
    build(lesson)
    lesson = change(lesson, "lesson.toml", 'title = "Two steps back"', 'title = "Two steps"')
    found = list(problems(lesson, hidden=()))
    assert len(found) == 1
    assert found[0].startswith("tiny: exercise.py is stale from line 1: ")


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("minutes = 10", "minutes = 0", "tiny: say in `minutes` how long it takes"),
        ("needs = []", 'needs = ["rnn"]', "tiny: needs rnn, which is no lesson beside it"),
        ("needs = []", 'needs = ["tiny"]', "tiny: needs tiny, which comes later: needs are lessons of a lower order"),
        ("order = 0", "order = 3", "tiny: 6 named mistakes: at least 8"),
        ('    "Keep what goes back in a variable; it starts as zeros.",\n', "",
         "tiny.1: 2 hints: three steps (where to look, the formula in words, nearly the line)"),
        ("You left out the derivative of tanh", "In {case} you left out the derivative of tanh",
         "tiny.1: NO_TANH: {case} in `says` stands for nothing: only {step} in `says` is filled in"),
        ("What lies between a_t and h_t?", "What lies before {step}?",
         "tiny.1: NO_TANH: {step} in `look` stands for nothing: only {step} in `says` is filled in"),
        ("You averaged dW", "At {step} you averaged dW",
         "tiny.2: MEAN_OVER_BATCH: `says` has {step}, and no output has an axis T in front"),
    ],
)  # fmt: skip
def test_the_manifest_is_looked_at(lesson, old, new, told):
    assert list(proof.table(lesson)) == []
    assert list(proof.table(change(lesson, "lesson.toml", old, new))) == [told]


def test_braces_of_mathematics_are_no_places(lesson):
    lesson = change(lesson, "lesson.toml", "the derivative of tanh, 1 - h^2", r"the factor 1 - h_{t}^{n} of \\tanh{a}")
    assert list(proof.table(lesson)) == []


def test_two_folders_with_one_lesson_are_told(lesson):
    (lesson.folder.parent / "01_other").mkdir()
    (lesson.folder.parent / "01_other" / "lesson.toml").write_bytes((lesson.folder / "lesson.toml").read_bytes())
    assert list(proof.table(lesson)) == ["tiny: two folders hold this lesson, 00_tiny and 01_other"]


def test_a_solution_that_is_not_right_every_time_is_told(lesson):
    lesson = change(lesson, SOLVED, "    dW = x.T @ dy\n", "    dW = x.T @ dy + np.random.random()\n")
    assert any(line.startswith("tiny.2: the solution gets 0 of 2 (") for line in graded(lesson))


def test_a_stub_that_is_an_answer_is_told(lesson):
    given = "    #: return np.dot(dy, W.T), np.dot(x.T, dy)\n    dx = dy @ W.T\n"
    (told,) = graded(change(lesson, SOLVED, "    dx = dy @ W.T\n", given))
    assert told.startswith("tiny.2: the stub gets 2 of 2 (right) (seed 0): ")


def test_a_planted_mistake_must_be_told_by_its_name(lesson):
    lesson = change(lesson, "lesson.toml", 'layout = "tuple"', 'layout = "tuple"\nplanted = "W_NOT_TRANSPOSED"')
    (told,) = graded(lesson)
    assert told.startswith("tiny.2: the stub holds W_NOT_TRANSPOSED, and is told no name (not attempted) (seed 0): ")
    given = "    #: return np.dot(dy, W), np.dot(x.T, dy)\n    dx = dy @ W.T\n"
    assert graded(change(lesson, SOLVED, "    dx = dy @ W.T\n", given)) == []


def test_a_mistake_without_effect_is_told(lesson):
    lesson = change(lesson, "instructor/mistakes.py", '"x.T @ dy / len(dy)"', '"x.T @ dy / 1"')
    for seeds, spelled in (((0,), "seed 0"), ((0, 1, 2), "seeds 0, 1, 2")):
        told = f"tiny.2: MEAN_OVER_BATCH is not noticed: it is graded right, 2 of 2 points ({spelled})"
        assert graded(lesson, seeds) == [told]


def test_two_mistakes_that_do_the_same_are_told(lesson):
    lesson = change(lesson, "instructor/mistakes.py", '[("da = _step(dH[t], Hs[t + 1])", "da = dH[t].copy()")]',
                    '[("dH[t] = dY[t] + carried", "dH[t] = 1 * dY[t]")]')  # fmt: skip
    told = "tiny.1: NO_STEP_AFTER and NO_TANH do the same in every case: add one that tells them apart (seeds 0, 1)"
    assert graded(lesson, (0, 1)) == [told]


def test_what_a_learner_would_read_is_told_to_its_end(lesson):
    lesson = change(lesson, "lesson.toml", 'layout = "tuple"', 'layout = "tuple"\nplanted = "W_NOT_TRANSPOSED"')
    given = "    #: return np.dot(dy, W), np.dot(x.T, dy) / len(dy)\n    dx = dy @ W.T\n"
    (told,) = graded(change(lesson, SOLVED, "    dx = dy @ W.T\n", given))
    assert told.startswith("tiny.2: the stub holds W_NOT_TRANSPOSED, and is told W_NOT_TRANSPOSED or MEAN_OVER_BATCH")
    assert "2 slips together explain every number: " in told
    assert told.endswith("the sum of what they send.")


def test_a_mistake_must_be_known_on_both_sides(lesson):
    change(lesson, "instructor/mistakes.py", '"NO_TANH"', '"NO_TANH_AT_ALL"')
    with pytest.raises(AuthoringError, match=r"tiny.1: the mistake NO_TANH of lesson.toml is missing in mistakes.py"):
        list(problems(lesson, hidden=()))


def test_cases_that_tell_too_little_are_told(lesson):
    lesson = change(lesson, "instructor/generate.py", "(2, 4, 5))", "(5, 4, 5))")
    told = "tiny.2: in no case do the axes D, H, B all differ: only there a transposed matrix shows (seed 0)"
    assert told in graded(lesson)
    lesson = change(lesson, "instructor/generate.py", '"W": np.array([[-1.0]])', '"W": np.array([[np.inf]])')
    assert "tiny.2: case tiny: W is not finite (seed 0)" in graded(lesson)


def test_docstrings_give_the_shapes_of_the_table(lesson):
    assert list(shapes.docstring_shapes(lesson)) == []
    wrong = change(lesson, SOLVED, "x (B, D). W (D, H).\n    Returns", "x (D, B). W (D, H).\n    Returns")
    assert list(shapes.docstring_shapes(wrong)) == ["tiny.2: the docstring does not say that x is (B, D)"]


@pytest.mark.parametrize(
    ("file", "old", "new", "told"),
    [
        ("lesson.toml", "and one transpose, gives dx its shape (B, D).", "as in dx = dy @ W.T: the shape",
         {"tiny.2: hint 3 holds a line of the solution: dx = dy @ W.T", "tiny: lesson.toml, line"}),
        ("lesson.py", "# What reaches", "# Since `carried = w*da`: what reaches", {"tiny: lesson.py, line",
                                                                               "tiny: lesson.ipynb, line"}),
        (SOLVED, "    #: dH =", "    #: # carried = w * da\n    #: dH =", {"tiny: exercise.py, line"}),
    ],
)  # fmt: skip
def test_lines_of_the_solution_that_travel_are_told(lesson, file, old, new, told):
    assert list(leaks.leaks(lesson, generated(lesson))) == []
    lesson = change(lesson, file, old, new)
    found = list(leaks.leaks(lesson, generated(lesson)))
    assert len(found) == len(told)
    assert all(any(line.startswith(start) for line in found) for start in told), found


def test_what_a_driver_gives_away_is_told(lesson):
    (lesson.folder / "driver.py").write_text("def linear(dy, x, W):\n    dW = x.T @ dy\n    return dW\n")
    assert list(leaks.leaks(lesson, {})) == ["tiny: driver.py, line 2, holds a line of the solution: dW = x.T @ dy"]


def alone(lesson, tmp_path):
    return proof.travelled(lesson, generated(lesson), tmp_path / "alone")


def test_the_learners_copy_holds_no_instructor(lesson, tmp_path):
    copy = alone(lesson, tmp_path)
    assert {path.name for path in copy.folder.iterdir()} == {
        "lesson.toml", "lesson.py", "lesson.ipynb", "exercise.py", "test_exercise.py", "cases.npz",
    }  # fmt: skip


def test_grading_that_changes_a_file_is_told(lesson, tmp_path, monkeypatch):
    copy = alone(lesson, tmp_path)
    assert list(proof.untouched(copy)) == []

    def careless(lesson):
        (lesson.folder / "exercise.py").write_bytes((lesson.folder / "exercise.py").read_bytes())
        (lesson.folder / "left.txt").write_text("")
        return iter(())

    monkeypatch.setattr(proof, "grade", careless)
    assert list(proof.untouched(copy)) == ["tiny: grading changed exercise.py", "tiny: grading changed left.txt"]


@pytest.mark.parametrize("way", ["script", "kernel"])
def test_a_notebook_that_fails_is_told_with_its_place(lesson, tmp_path, way):
    lesson = change(lesson, "lesson.py", "0.75**5)  # 1", "0.5**5)  # 1")
    copy, run = alone(lesson, tmp_path), getattr(rehearsal, way)
    (told,) = run(copy, text_of(lesson, SOLUTION))
    where = {"script": "lesson.py, line ", "kernel": "lesson.ipynb, cell tiny-007"}[way]
    assert told.startswith(f"tiny: {where}")
    assert ", with the solution: AssertionError" in told
    before = change(lesson, "lesson.py", "import numpy as np\n", "import numpy as np\n\n1 / 0\n")
    copy = proof.travelled(before, generated(before), tmp_path / "again")
    found = list(run(copy, text_of(lesson, SOLUTION)))
    assert [line.split("with ")[1] for line in found] == [
        "the stub, up to the first check: ZeroDivisionError: division by zero",
        "the solution: ZeroDivisionError: division by zero",
    ]
    assert (copy.folder / "exercise.py").read_bytes() == generated(lesson)["exercise.py"]
    assert json.loads((copy.folder / "lesson.ipynb").read_text())["cells"][1]["outputs"] == []


LOOKS = """import numpy as np

import tinygrad_rnn as tg

layer = tg.nn.RNN(2, 3, kernel="fused", rng=0)
tg.flow.find_states(layer(np.ones((4, 1, 2), np.float32))[0])
"""


@pytest.mark.parametrize("way", ["script", "kernel"])
def test_a_notebook_that_looks_into_a_fused_layer_is_told(lesson, tmp_path, way):
    lesson = change(lesson, "lesson.py", "import numpy as np\n", LOOKS)
    found = list(getattr(rehearsal, way)(alone(lesson, tmp_path), text_of(lesson, SOLUTION)))
    assert len(found) == 2
    assert all("SlowerRoad: a fused layer was unrolled" in told and 'kernel="unrolled"' in told for told in found)


def test_a_notebook_that_looks_into_an_unrolled_layer_is_fine(lesson, tmp_path):
    lesson = change(lesson, "lesson.py", "import numpy as np\n", LOOKS.replace("fused", "unrolled"))
    assert list(rehearsal.script(alone(lesson, tmp_path), text_of(lesson, SOLUTION))) == []


def test_a_notebook_that_hangs_is_told(lesson, tmp_path, monkeypatch):
    lesson = change(lesson, "lesson.py", "import numpy as np\n", "import time\n\ntime.sleep(60)\n")
    monkeypatch.setattr(rehearsal, "SECONDS", 1)
    assert list(rehearsal.script(alone(lesson, tmp_path), "")) == [
        "tiny: lesson.py, with the stub, up to the first check: not done after 1 s",
        "tiny: lesson.py, with the solution: not done after 1 s",
    ]


def test_a_need_whose_manifest_is_broken_is_not_called_missing(lesson):
    (lesson.folder.parent / "01_rnn").mkdir()
    (lesson.folder.parent / "01_rnn" / "lesson.toml").write_text("broken")
    assert list(proof.table(change(lesson, "lesson.toml", "needs = []", 'needs = ["rnn"]'))) == []


RETURNS = '[exercise.returns]\ndx = "(B, D)"\ndW = "(D, H)"'


@pytest.mark.parametrize(
    ("returns", "told"),
    [
        ('dx = "(B, D)"\ndW = "(H, D)"', "tiny.2: case square: dW has shape (3, 3)"),
        ('dx = "(B, D)"\ndW = "()"', "tiny.2: case tiny: dW has shape (1, 1), and lesson.toml says ()"),
        ('dx = "(T, B, D)"\ndW = "(D, H)"', "tiny.2: case tiny: dx has shape (1, 1), and lesson.toml says (T, B, D)"),
        ('dx = "(B, D)"\ndW = "(D+1, 2H)"',
         "tiny.2: case tiny: dW has shape (1, 1), and lesson.toml says (D+1, 2H) = (2, 2)"),
        ('dx = "float"\ndW = "(D, H)"', "tiny.2: case tiny: dx has shape (1, 1), and lesson.toml says float"),
        ('dx = "list of arrays"\ndW = "(D, H)"', "tiny.2: case tiny: dx has shape (1, 1), and lesson.toml says list"),
        ('dx = "(B, D)"\ndW = "matrix"', "tiny.2: dW = 'matrix' is no shape: (B, H), (T+1, 4H), (), int, float, "),
        ('dx = "(B, D)"\ndW = "(D, H)"\ndb = "(H,)"', "tiny.2: case tiny: db is in lesson.toml, and the solution does"),
    ],
)  # fmt: skip
def test_what_the_solution_returns_is_held_to_the_table(lesson, returns, told):
    lesson = change(lesson, "lesson.toml", RETURNS, "[exercise.returns]\n" + returns)
    if "square" in told:  # axes of a square case are alike: the next one tells
        told = "tiny.2: case general: dW has shape (4, 5), and lesson.toml says (H, D) = (5, 4)"
    found = graded(lesson)
    assert any(line.startswith(told) for line in found), found


def test_a_scalar_where_a_matrix_is_declared_is_no_proof(lesson):
    lesson = change(lesson, SOLVED, "    dW = x.T @ dy\n", "    dW = (x.T @ dy).sum()\n")
    told = "tiny.2: case tiny: dW has shape (), and lesson.toml says (D, H) = (1, 1) (seeds 0, 1)"
    assert told in graded(lesson, (0, 1))


def test_other_names_than_declared_are_told(lesson):
    lesson = change(lesson, SOLVED, '"dw": dw}', '"dv": dw}')
    with pytest.raises(AuthoringError, match=r"tiny.1, case tiny: the solution gives dv, which `returns` does"):
        graded(lesson)


def test_arguments_are_held_to_the_table_too(lesson):
    lesson = change(lesson, "lesson.toml", 'Hs = "(T+1, B, H)"', 'Hs = "(T, B, H)"')
    told = "tiny.1: case tiny: Hs has shape (3, 1, 1), and lesson.toml says (T, B, H) = (2, 1, 1) (seed 0)"
    assert told in graded(lesson)


BROKEN = [
    ("instructor/generate.py", '"W": rng.normal(size=(D, H))}', '"V": rng.normal(size=(D, H))}',
     "generate.py: linear_backward gives V, which lesson.toml does not list: tiny.2, case square, seed 0"),
    ("instructor/generate.py", '"x": rng.normal(size=(B, D)), ', "",
     "generate.py: linear_backward does not give x: tiny.2, case square, seed 0"),
    ("instructor/generate.py", "        a, b, c, d, e = ", "        1 / 0\n        a, b, c, d, e = ",
     "generate.py:8, in states_backward: ZeroDivisionError: division by zero: tiny.1, case tiny, seed 0"),
    ("instructor/generate.py", "import numpy as np\n", "import numpy as np\n\nnp.nothing\n",
     "generate.py:5: AttributeError: module 'numpy' has no attribute 'nothing'"),
    ("instructor/generate.py", '    return {"dy": rng', '    return 3\n    return {"dy": rng',
     "generate.py: linear_backward gives an int, not a dict of arguments: tiny.2, case square, seed 0"),
    (SOLVED, "    dx = dy @ W.T\n", "    dx = dy @ WT\n",
     "solution.py:42, in linear_backward: NameError: name 'WT' is not defined: tiny.2, case tiny, seed 0"),
    (SOLVED, "SCALE = 1.0", "SCALE = scale", "solution.py:5: NameError: name 'scale' is not defined"),
    (SOLVED, "    return dh * (1 - h**2)", "    exit(3)",
     "solution.py:15, in _step: SystemExit: 3: tiny.1, case tiny, seed 0"),
    ("instructor/mistakes.py", "MISTAKES = {", "MISTAKE = {", "mistakes.py: no dict MISTAKES"),
    ("instructor/mistakes.py", '[("dy @ W.T", "dy @ W")]', '("dy @ W.T", "dy @ W")',
     "mistakes.py: W_NOT_TRANSPOSED of linear_backward is no list of pairs (right text, wrong text)"),
    ("instructor/mistakes.py", '("dy @ W.T", "dy @ W")', '("dy @ W.X", "dy @ W")',
     "mistakes.py, linear_backward: 'dy @ W.X' must occur once in the solution, not 0x"),
    ("instructor/mistakes.py", '"dy @ W")', '"dy @ (W")',
     "mistakes.py, linear_backward: W_NOT_TRANSPOSED is no Python: "),
]  # fmt: skip


@pytest.mark.parametrize(("file", "old", "new", "told"), BROKEN)
def test_what_an_authors_code_raises_is_one_line_with_its_place(lesson, file, old, new, told):
    lesson = change(lesson, file, old, new)
    with pytest.raises(AuthoringError) as caught:
        build(lesson)
    folder = str(lesson.folder / "instructor")
    assert str(caught.value).startswith(f"{folder}{os.sep}{told}")
    assert len(str(caught.value).splitlines()) == 1


def test_an_exercise_that_the_notebook_never_checks_is_told(lesson):
    assert list(proof.unasked(lesson)) == []
    lesson = change(lesson, "lesson.py", 'check("tiny.2")', '# check("tiny.2")')
    assert list(proof.unasked(lesson)) == ['tiny.2: no cell of lesson.py has check("tiny.2")']


def test_threads_are_few_where_notebooks_run_unless_set(monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "3")
    made = rehearsal._environment()
    assert (made["OMP_NUM_THREADS"], made["OPENBLAS_NUM_THREADS"]) == ("1", "3")


def test_hidden_seeds_are_graded_as_public_ones_are(lesson):
    """In this process and through a child, every mistake gets the same verdict."""
    bench = Bench(lesson)
    cases = {exercise.function: bench.cases(exercise, 1) for exercise in lesson.exercises}
    inside, outside = (list(proof.verdicts(bench, cases, here)) for here in (True, False))
    told = [(name, v.kind, v.mistakes, v.earned, v.lines) for (_, name), v in inside]
    assert len(told) == 6
    assert told == [(name, v.kind, v.mistakes, v.earned, v.lines) for (_, name), v in outside]


def test_exercises_that_call_one_another_are_not_mistaken_together(lesson):
    bench = Bench(lesson)
    assert [len(batch) for batch in proof.batches(bench)] == [2, 2, 2]
    bench.source = bench.source.replace("SCALE = 1.0", "SCALE = 1.0  # of linear_backward, maybe")
    assert [len(batch) for batch in proof.batches(bench)] == [2, 2, 2]
    for own, sizes in (("states_backward", [1] * 6), ("linear_backward", [2] * 3)):
        (lesson.folder / "driver.py").write_text(f"def drive_{own}(exercise):\n    return exercise.linear_backward\n")
        assert [len(batch) for batch in proof.batches(bench)] == sizes
    bench.source = bench.source.replace("    dx = dy @ W.T\n", "    dx = dy @ W.T\n    states_backward\n")
    assert [len(batch) for batch in proof.batches(bench)] == [1] * 6
