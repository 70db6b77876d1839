"""Programs: what they print is computed again, by Python or by hand; how they are spelled; made-up XML."""

import contextlib
import io
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinygrad_rnn import data
from tinygrad_rnn.data.tasks.programs import DISTRACTORS

SEED = st.integers(0, 2**32)
CHARACTERS = data.Vocabulary("0123456789:+-=." + DISTRACTORS)
few = settings(max_examples=60)


def rng(seed=0):
    return np.random.default_rng(seed)


def printed(program):
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        exec(program, {})
    return out.getvalue().strip()


@given(SEED, st.integers(1, 3), st.integers(1, 5))
@settings(max_examples=200)
def test_python_prints_what_is_said(seed, digits, nesting):
    program, answer = data.evaluation(rng(seed), digits, nesting)
    assert printed(program) == answer


def test_all_kinds_of_operations_come_up():
    programs = [data.evaluation(rng(seed))[0] for seed in range(60)]
    for sign in ("+", "-", "*", " if ", "=", "for x in range"):
        assert sum(sign in program for program in programs) > 5, sign


@given(SEED, st.integers(1, 8), st.integers(0, 3))
@few
def test_arithmetic_among_letters(seed, digits, distractors):
    program, answer = data.arithmetic(rng(seed), digits, distractors)
    kept = "".join(c for c in program if c not in DISTRACTORS)
    assert str(eval(kept)) == answer
    assert all(1 <= len(number) <= digits for number in kept.replace("-", "+").split("+"))
    runs = "".join(" " if c in DISTRACTORS else "|" for c in program).strip("|").split("|")
    assert max(len(run) for run in runs) <= distractors
    assert program[-1].isdigit()


@given(SEED, st.integers(1, 20))
@few
def test_counting_copying_and_adding(seed, size):
    program, answer = data.counting(rng(seed), size)
    start, count = map(int, program.split(":"))
    assert 1 <= count <= size
    assert answer == "".join(str(n)[-1] for n in range(start, start + count))
    program, answer = data.copying_digits(rng(seed), size)
    assert program == answer
    assert 1 <= len(answer) <= size
    program, answer = data.adding_digits(rng(seed), size % 9 + 1)
    assert [len(number) for number in program.split("+")] == [size % 9 + 1] * 2
    assert str(eval(program)) == answer


@given(SEED, st.integers(1, 30), st.integers(1, 4))
@few
def test_xml_is_well_formed(seed, tags, depth):
    text = data.xml(rng(seed), tags, (2, 5), depth)
    root = ElementTree.fromstring(f"<all>{text}</all>")
    elements = list(root.iter())[1:]
    assert 1 <= len(elements) <= tags
    assert all(2 <= len(element.tag) <= 5 for element in elements)

    def deep(element):
        return 1 + max((deep(child) for child in element), default=0)

    assert deep(root) - 1 <= depth


@given(SEED, st.booleans(), st.booleans())
@few
def test_what_is_spelled_is_read_again(seed, reverse, double):
    draw = rng(seed)
    pairs = [data.arithmetic(draw, 3, 2) for _ in range(4)]
    x, y, mask = data.spelled(pairs, CHARACTERS, reverse, double)
    assert x.shape == y.shape == mask.shape
    for b, (program, answer) in enumerate(pairs):
        program = program[::-1] if reverse else program
        program = program * 2 if double else program
        whole = f"{program}={answer}."
        assert CHARACTERS.decode(x[: len(whole) - 1, b]) == whole[:-1]
        assert CHARACTERS.decode(y[: len(whole) - 1, b]) == whole[1:]
        assert CHARACTERS.decode(y[mask[:, b], b]) == answer + "."


def test_a_tenth_is_held_out_and_never_trained_on():
    draw = rng()
    train = data.pairs_of(lambda: data.adding_digits(draw), 300, test=False)
    test = data.pairs_of(lambda: data.adding_digits(draw), 100, test=True)
    assert not {program for program, _ in train} & {program for program, _ in test}
    share = np.mean([data.held_out(f"{a}+{b}") for a in range(10, 100) for b in range(10, 100)])
    assert share == pytest.approx(0.1, abs=0.01)


@pytest.mark.parametrize(("call", "message"), [
    (lambda: data.counting(rng(), 0), "counting: needs most >= 1"),
    (lambda: data.copying_digits(rng(), 0), "copying_digits: needs length >= 1"),
    (lambda: data.adding_digits(rng(), 0), "adding_digits: needs digits >= 1"),
    (lambda: data.arithmetic(rng(), 2, -1), "distractors >= 0, not 2 and -1"),
    (lambda: data.evaluation(rng(), 2, 0), "nesting >= 1"),
    (lambda: data.xml(rng(), 5, (3, 2)), "most_letters >= 3"),
    (lambda: data.spelled([("1*2", "2")], CHARACTERS), r"character '\*'"),
])  # fmt: skip
def test_impossible_sizes_are_answered_in_one_line(call, message):
    with pytest.raises(ValueError, match=message) as told:
        call()
    assert "\n" not in str(told.value)
