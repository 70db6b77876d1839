"""The ladder of verdicts, the diagnosis by name, and that nothing a learner's file does gets past them."""

import dataclasses
import os
import re
import time

import numpy as np
import pytest

from tests.course.tiny_lesson import write_tiny
from tinygrad_rnn.course.authoring import AuthoringError, Bench, case_file, lesson_cases, mistaken
from tinygrad_rnn.course.cases import pack, read_cases, unpack
from tinygrad_rnn.course.grading import grade
from tinygrad_rnn.course.grading.marks import mark_of_failure
from tinygrad_rnn.course.manifest import ManifestError, read_lesson

CARRIED = "dH[t] = dY[t] + carried"


@pytest.fixture(scope="module")
def lesson(tmp_path_factory):
    folder = write_tiny(tmp_path_factory.mktemp("lessons"))
    text = (folder / "lesson.toml").read_text()
    (folder / "lesson.toml").write_text(text.replace("seconds = 5", "seconds = 1"))
    lesson = read_lesson(folder)
    lesson.file("cases.npz").write_bytes(case_file(lesson))
    return lesson


@pytest.fixture(scope="module")
def bench(lesson):
    return Bench(lesson)


def judged(lesson, source, only=(1,)):
    verdicts = list(grade(lesson, only=only, source=source))
    return verdicts[0] if len(verdicts) == 1 else verdicts


def states(body):
    """An exercise.py whose states_backward is `body`, and nothing else."""
    return f"import numpy as np\n\n\ndef states_backward(dY, Hs, w):\n    {body}\n"


def test_the_solution_earns_everything(lesson, bench):
    verdicts = judged(lesson, bench.source, only=None)
    assert [v.kind for v in verdicts] == ["right", "right"]
    assert [v.earned for v in verdicts] == [3, 2]


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_every_mistake_is_called_by_its_name(lesson, bench, seed):
    cases = lesson_cases(lesson, seed)
    for exercise in lesson.exercises:
        for name, edits in bench.edits[exercise.function].items():
            source = mistaken(bench.source, exercise.function, edits)
            (verdict,) = grade(lesson, only=[exercise.id], source=source, cases=cases)
            assert (verdict.kind, verdict.mistakes, verdict.certain) == ("mistake", (name,), True)


def test_a_mistake_tells_the_first_wrong_step_and_a_case_for_paper(lesson, bench):
    verdict = judged(lesson, mistaken(bench.source, "states_backward", [(CARRIED, "dH[t] = dY[t]")]))
    assert verdict.lines[0].endswith("dH is right at the last step and wrong from step 6 (index 5) down.")
    assert verdict.lines[-1].startswith("Small enough for paper (case tiny: T=2, B=1, H=1): dH[0, 0, 0] should be")
    assert (verdict.place.output, verdict.place.step, verdict.place.steps) == ("dH", 5, 7)


def test_a_right_part_keeps_its_points(lesson, bench):
    verdict = judged(lesson, bench.source.replace("da * Hs[t]", "da * Hs[t + 1]"))
    assert [(check.passed, check.earned) for check in verdict.checks] == [(True, 2), (False, 0.25)]


def test_two_slips_at_once_are_both_named(lesson, bench):
    source = bench.source.replace(CARRIED, "dH[t] = dY[t]").replace("da * Hs[t]", "da * Hs[t + 1]")
    verdict = judged(lesson, source)
    assert verdict.mistakes == ("NO_STEP_AFTER", "STATE_NOT_BEFORE")
    assert verdict.lines[0] == "2 slips together explain every number:"


def test_an_unknown_slip_is_placed_in_the_order_of_backpropagation(lesson, bench):
    verdict = judged(lesson, bench.source.replace(CARRIED, CARRIED + " * 0.3"))
    assert verdict.kind == "wrong value"
    assert verdict.mistakes == ()
    assert verdict.lines[0].startswith("dH[5, ")
    assert "right down to step 7 (index 6) and wrong from step 6 (index 5) down" in verdict.lines[0]


def test_a_part_that_a_slip_explains_is_said(lesson, bench):
    source = bench.source.replace("(da * Hs[t])", "(_step(dY[t], Hs[t + 1]) * Hs[t])")  # dw lacks what comes after
    verdict = judged(lesson, source)
    assert verdict.kind == "wrong value"
    told = "Looked at by itself, your dw is what this slip gives: You left out"
    assert any(line.startswith(told) for line in verdict.lines)
    source = bench.source.replace("return dx, dW", "return dx + 1, dW / len(dy)")
    verdict = judged(lesson, source, only=(2,))
    assert not any("Looked at by itself" in line for line in verdict.lines)  # dx is wrong too: who knows why
    assert "Wrong too: dW." in verdict.lines


RETURN = 'return {"dH": np.zeros_like(dY), "dw": '


@pytest.mark.parametrize(
    ("body", "kind", "told"),
    [
        ('raise NotImplementedError("tiny.1")', "not attempted", "Not attempted yet: states_backward"),
        ("dH = dY[t]", "error", "NameError: name 't' is not defined"),
        ("pass", "wrong type", "states_backward returned None: is its `return` missing?"),
        ("return dY, w", "wrong type", "is of type tuple; a dict with the keys dH, dw is asked for"),
        ('return {"dH": dY}', "wrong type", "dw is missing in what states_backward returned"),
        (RETURN + "[1.0]}", "wrong type", None),
        (RETURN + "None}", "wrong type", "dw is None"),
        (RETURN + "w * 1j}", "wrong type", r"dw is complex \(complex128\)"),
        (RETURN + "w[:, None]}", "wrong shape", r"The shape of dw is \(1, 1\); it should be \(H,\) = \(1,\)"),
        (RETURN + "w.sum()}", "wrong shape", r"The axis H is gone: did you sum over it\?"),
        (RETURN + "w * np.nan}", "not finite", r"dw\[0\] is nan"),
        ('dY += 1; return {"dH": dY, "dw": w}', "wrong value", "dH"),
        ("while True: pass", "stopped", "Stopped after 1 s: is there a loop without an end?"),
        ("import os; os._exit(0)", "stopped", "Your code ended the program itself"),
        ("import sys; sys.exit()", "stopped", "Your code ended the program itself"),
        ("return np.ones(10 * 1024**3 // 8)", "stopped", "more than 1024 MB of memory"),
        ("while True: print('x' * 10**6)", "stopped", "printed more than 64 KB"),
        ("return states_backward(dY, Hs, w)", "error", "RecursionError"),
        ("import tinygrad_rnn", "error", "by hand: NumPy and the standard library only"),
    ],
)
def test_every_rung_has_its_verdict(lesson, body, kind, told):
    verdict = judged(lesson, states(body))
    assert verdict.kind == kind
    assert verdict.earned == 0
    assert told is None or re.search(told, " ".join(verdict.lines)), verdict.lines
    assert len(verdict.lines) <= 8


def test_an_error_shows_the_learners_line_and_the_case(lesson):
    verdict = judged(lesson, states("return dY[99]"))
    assert "line 5: return dY[99]" in " ".join(verdict.lines)
    assert not any("tinygrad_rnn" in line or "Traceback" in line for line in verdict.lines)


def test_a_changed_input_is_told_although_the_answer_is_right(lesson, bench):
    verdict = judged(lesson, bench.source.replace('return {"dH": dH', 'Hs += 1\n    return {"dH": dH'))
    assert verdict.kind == "changed input"
    assert verdict.earned == 0.75
    assert "changed its input Hs in place" in verdict.lines[0]


def test_a_fatal_exercise_does_not_keep_the_next_from_its_verdict(lesson, bench):
    source = bench.source.replace(CARRIED, "import os; os._exit(0)")
    assert [v.kind for v in judged(lesson, source, only=None)] == ["stopped", "right"]


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("def states_backward(dY, Hs, w):\n    return (", "line 2"),
        ("import nowhere", "ModuleNotFoundError"),
        ("while True: pass", "while exercise.py was read"),
        ("1 / 0", "ZeroDivisionError"),
        ("x = 1", "There is no states_backward in exercise.py: `tinygrad-rnn reset tiny.1`"),
    ],
)
def test_a_file_that_cannot_be_read_is_told_for_every_exercise(lesson, source, told):
    first, second = judged(lesson, source, only=None)
    assert first.kind == second.kind
    assert first.kind in ("error", "stopped")
    assert told in " ".join(first.lines)


def test_a_file_that_is_missing_or_not_utf8_is_one_line(lesson):
    file = lesson.file("exercise.py")
    (verdict,) = grade(lesson, only=[1])
    assert verdict.kind == "error"
    assert "`tinygrad-rnn reset tiny`" in verdict.lines[0]
    file.write_bytes("# caf\xe9\n".encode("latin-1"))
    (verdict,) = grade(lesson, only=[1])
    assert "not UTF-8 in line 1" in verdict.lines[0]
    assert verdict.file == file
    file.unlink()


DIFFERENCES = """
def loss(x, W, dy):
    return (dy * (x @ W)).sum()


def linear_backward(dy, x, W):
    gradients = []
    for which in (0, 1):
        array = (x, W)[which]
        gradient = np.zeros_like(array)
        for index in np.ndindex(array.shape):
            sides = []
            for sign in (1, -1):
                moved = [x.astype(TYPE), W.astype(TYPE)]
                moved[which][index] += sign * STEP
                sides.append(loss(*moved, dy))
            gradient[index] = RESULT
        gradients.append(gradient)
    return tuple(gradients)
"""


@pytest.mark.parametrize(
    ("kind", "result", "step", "told"),
    [
        ("float", "(sides[0] - sides[1]) / (2 * STEP)", "1e-6", "finite differences"),
        ("complex", "sides[0].imag / STEP", "1e-30j", "complex step"),
    ],
)
def test_numerical_derivatives_are_told_from_backpropagation(lesson, kind, result, step, told):
    source = "import numpy as np\n" + DIFFERENCES.replace("RESULT", result.replace("STEP", step.rstrip("j")))
    verdict = judged(lesson, source.replace("TYPE", kind).replace("STEP", step), only=(2,))
    assert verdict.kind == "numerical"
    assert told in verdict.lines[0]
    assert verdict.earned == 1  # half


def test_slow_loops_by_hand_are_right(lesson, bench):
    loops = """
def linear_backward(dy, x, W):
    dx, dW = np.zeros_like(x), np.zeros_like(W)
    for b in range(len(x)):
        for d in range(W.shape[0]):
            for h in range(W.shape[1]):
                dx[b, d] += dy[b, h] * W[d, h]
                dW[d, h] += x[b, d] * dy[b, h]
    return dx, dW
"""
    assert judged(lesson, "import numpy as np\n" + loops, only=(2,)).kind == "right"


def test_complex_step_through_the_forward_pass_is_told_by_the_probe(lesson):
    source = """
import numpy as np


def forward(X, h, w):
    out = []
    for x in X:
        h = np.tanh(x + w * h)
        out.append(h)
    return np.array(out)


def states_backward(dY, Hs, w):
    X = np.arctanh(Hs[1:]) - w * Hs[:-1]
    dw = np.array([(dY * forward(X, Hs[0], w + 1e-30j * row)).sum().imag / 1e-30 for row in np.eye(len(w))])
    dH = np.zeros_like(dY)
    for t in range(len(dY)):
        for index in np.ndindex(dY[0].shape):
            h = Hs[t + 1].astype(complex)
            h[index] += 1e-30j
            later = np.concatenate([h[None], forward(X[t + 1:], h, w)]) if t + 1 < len(dY) else h[None]
            dH[(t, *index)] = (dY[t:] * later).sum().imag / 1e-30
    return {"dH": dH, "dw": dw}
"""
    verdict = judged(lesson, source)
    assert verdict.kind == "numerical"
    assert "complex step" in verdict.lines[0]


def test_a_call_of_an_exercise_that_is_not_right_yet_is_pointed_out(lesson, bench):
    called = "dx = states_backward(dy[None], dy[None].repeat(2, 0), W[0])['dH'][0]"
    source = bench.source.replace("dx = dy @ W.T", called)
    verdict = judged(lesson, source.replace(CARRIED, "dH[t] = 0"), only=(2,))
    assert any("calls your states_backward (tiny.1)" in line for line in verdict.lines)


def test_cases_are_packed_and_read_alike_and_the_bytes_do_not_depend_on_the_day(lesson, monkeypatch):
    raw = lesson.file("cases.npz").read_bytes()
    cases = unpack(raw)
    assert pack(cases) == raw
    monkeypatch.setattr("time.localtime", lambda *_: (2031, 1, 1, 0, 0, 0, 0, 0, 0))
    assert pack(cases) == raw
    first = cases["states_backward"]
    assert first.slots == [("tiny", "dH"), ("tiny", "dw"), ("general", "dH"), ("general", "dw")]
    assert np.shape(first.marks) == (len(first.explanations), 4, 4)
    assert ("NO_STEP_AFTER", "NO_TANH") in first.explanations


@pytest.mark.parametrize("damage", [lambda raw: raw[: len(raw) // 2], lambda raw: b"", lambda raw: b"PK\x03\x04 no"])
def test_damaged_cases_are_one_line(lesson, damage):
    path = lesson.file("cases.npz")
    raw = path.read_bytes()
    try:
        path.write_bytes(damage(raw))
        with pytest.raises(ManifestError, match=r"cases\.npz: cannot be read .*`tinygrad-rnn course build`"):
            read_cases(lesson)
    finally:
        path.write_bytes(raw)


def test_an_edit_that_does_not_fit_is_an_authors_error(bench):
    with pytest.raises(AuthoringError, match=r"states_backward: 'nowhere' must occur once in the solution, not 0x"):
        mistaken(bench.source, "states_backward", [("nowhere", "")])
    overlapping = [(CARRIED, "dH[t] = 0"), ("dY[t] + carried", "0")]
    assert mistaken(bench.source, "states_backward", overlapping) is None


def test_a_planted_bug_earns_nothing_by_its_name(lesson, bench):
    exercise = dataclasses.replace(lesson.exercise(1), planted="NO_STEP_AFTER")
    planted = dataclasses.replace(lesson, exercises=(exercise,))
    edits = bench.edits["states_backward"]["NO_STEP_AFTER"]
    verdict = judged(planted, mistaken(bench.source, "states_backward", edits))
    assert (verdict.kind, verdict.mistakes, verdict.earned) == ("mistake", ("NO_STEP_AFTER",), 0)


def test_an_output_of_a_wrong_type_costs_its_own_check_alone(lesson, bench):
    verdict = judged(lesson, bench.source.replace('return {"dH": dH, "dw": dw}', 'return {"dH": dH, "dw": None}'))
    assert verdict.kind == "wrong type"
    assert [check.earned for check in verdict.checks] == [2, 0]
    verdict = judged(lesson, bench.source.replace('return {"dH": dH, "dw": dw}', 'return {"dH": dH}'))
    assert [check.earned for check in verdict.checks] == [2, 0]


def test_what_was_returned_instead_is_told(lesson, bench):
    verdict = judged(lesson, bench.source.replace('return {"dH": dH, "dw": dw}', 'return {"dH": dH, "dW": dw}'))
    assert verdict.lines[0].startswith("dw is missing in what states_backward returned: it gave dH, dW.")
    assert "it gave nothing." in judged(lesson, states("return {}")).lines[0]


def test_a_crash_in_one_case_comes_before_a_wrong_value_in_another(lesson):
    verdict = judged(lesson, "def linear_backward(dy, x, W):\n    return 0.5 * dy @ W, x.T @ dy\n", only=(2,))
    assert (verdict.kind, verdict.lines[0][:10]) == ("error", "ValueError")
    assert any(line.startswith("dx[") and "(case square" in line for line in verdict.lines)


def test_an_input_that_is_changed_on_the_way_to_a_wrong_answer_is_told(lesson, bench):
    verdict = judged(lesson, bench.source.replace("da = _step", "w += 1; da = _step"))
    assert verdict.kind == "wrong value"
    assert any("changes its input w in place, which may be the cause" in line for line in verdict.lines)


def test_a_list_where_an_array_is_asked_for_is_told_as_such(lesson, bench):
    verdict = judged(lesson, bench.source.replace('"dw": dw}', '"dw": [float(x) for x in dw]}'))
    assert verdict.kind == "wrong type"
    assert verdict.lines[0].startswith("dw is a list of 1, not an array: np.stack(dw) makes one array of it.")


def test_a_wrong_part_never_pays_for_how_the_others_were_come_by(lesson, bench):
    """Spoiling one output must not buy back what numerical derivatives, or changed inputs, cost the other."""
    source = "import numpy as np\n" + DIFFERENCES.replace("RESULT", "sides[0].imag / 1e-30")
    source = source.replace("TYPE", "complex").replace("STEP", "1e-30j")
    both = judged(lesson, source, only=(2,))
    spoilt = judged(lesson, source.replace("tuple(gradients)", "gradients[0], gradients[1] + 1"), only=(2,))
    assert (both.kind, both.earned) == ("numerical", 1)
    assert spoilt.kind == "wrong value"
    assert spoilt.earned <= both.earned
    changing = bench.source.replace('return {"dH": dH', 'Hs += 1\n    return {"dH": dH')
    assert judged(lesson, changing.replace("dw}", "dw + 1}")).earned < judged(lesson, changing).earned


def test_right_answers_in_float32_or_beside_complex_numbers_are_not_numerical(lesson, bench):
    source = bench.source.replace("return dx, dW", "assert not dx.imag.any()\n    return dx, dW")
    assert judged(lesson, source, only=(2,)).kind == "right"
    loose = dataclasses.replace(lesson.exercise(2), tolerance=1e-6)
    source = bench.source.replace("return dx, dW", "return dx.astype(np.float32), dW.astype(np.float32)")
    verdict = judged(dataclasses.replace(lesson, exercises=(loose,)), source, only=(2,))
    assert verdict.kind == "right"


@pytest.mark.parametrize(("off", "kind"), [("3e-6", "wrong value"), ("3e-8", "right")])
def test_the_tolerance_is_that_of_the_manifest(lesson, bench, off, kind):
    assert judged(lesson, bench.source.replace('"dw": dw}', f'"dw": dw * (1 + {off})}}')).kind == kind


def test_zeros_are_not_taken_for_several_slips(lesson):
    verdict = judged(lesson, states('return {"dH": np.zeros_like(dY), "dw": np.zeros_like(w)}'))
    assert (verdict.kind, verdict.mistakes) == ("wrong value", ())


def test_an_engine_that_was_found_after_all_earns_nothing(lesson, bench):
    source = "import sys, types\nsys.modules['torch'] = types.ModuleType('torch')\n" + bench.source
    verdict = judged(lesson, source)
    assert (verdict.kind, verdict.earned) == ("not by hand", 0)


def test_a_crash_that_a_known_slip_shares_is_only_a_remark(lesson, bench):
    name, source = "W_NOT_TRANSPOSED", "def linear_backward(dy, x, W):\n    raise ValueError('mine')\n"
    cases = lesson_cases(lesson)
    marks = cases["linear_backward"].marks.copy()
    marks[:] = mark_of_failure("raises ValueError")
    cases["linear_backward"] = dataclasses.replace(cases["linear_backward"], marks=marks)
    (verdict,) = grade(lesson, only=[2], source=source, cases=cases)
    assert (verdict.kind, verdict.earned) == ("error", 0)
    assert any("A known slip stops in the same way" in line for line in verdict.lines), name


def test_one_exercise_cannot_spoil_the_next(lesson, bench):
    source = bench.source.replace(CARRIED, f"np.dot = None; {CARRIED}").replace("dy @ W.T", "np.dot(dy, W.T)")
    assert [verdict.kind for verdict in judged(lesson, source, only=None)] == ["right", "right"]


def test_a_hang_is_met_once_for_all_cases_and_exercises(lesson):
    start = time.perf_counter()
    judged(lesson, "while True: pass", only=None)
    judged(lesson, states("while True: pass"))
    assert time.perf_counter() - start < 4  # two limits of a second, not four or more


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir] if hasattr(os, "mkfifo") else [os.mkdir])
def test_an_exercise_that_is_no_plain_file_is_told_and_nobody_waits(lesson, make):
    file = lesson.file("exercise.py")
    make(file)
    try:
        (verdict,) = grade(lesson, only=[1])
        assert verdict.lines[0].startswith("exercise.py is no plain file")
    finally:
        file.rmdir() if file.is_dir() else file.unlink()


@pytest.mark.parametrize("raw", [b"\xef\xbb\xbfx = 1\n", b"x = 1\r\ny = 2\r\n"])
def test_marks_of_other_editors_are_no_errors(lesson, raw):
    file = lesson.file("exercise.py")
    file.write_bytes(raw)
    try:
        (verdict,) = grade(lesson, only=[1])
        assert "There is no states_backward" in verdict.lines[0]
    finally:
        file.unlink()
