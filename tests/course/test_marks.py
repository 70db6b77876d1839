"""Flat tables of answers, and the marks that tell one wrong answer from another."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tinygrad_rnn.course.authoring.bench import nest
from tinygrad_rnn.course.grading.marks import flatten, mark, mark_of_failure, named, same

names = st.text("abcxyz_", min_size=1, max_size=4)
tables = st.dictionaries(names, st.floats(-9, 9) | st.lists(st.floats(-9, 9), min_size=1, max_size=3), max_size=4)
arrays = hnp.arrays(np.float64, hnp.array_shapes(max_dims=3, max_side=4), elements=st.floats(-1e6, 1e6))


@given(st.dictionaries(names, tables.filter(bool) | st.integers(), max_size=3))
@settings(max_examples=50)
def test_nesting_undoes_flattening(value):
    assert nest(flatten(value)) == value


@pytest.mark.parametrize(
    ("values", "layout", "wanted"),
    [
        ({"": 1}, "one", {"dx": 1}),
        ({"0": 1, "1": 2}, "tuple", {"dx": 1, "loss": 2}),
        ({"0.0": 1, "0.1": 2, "1": 3}, "tuple", {"dx.0": 1, "dx.1": 2, "loss": 3}),
        ({"0": 1, "1": 2, "2": 3}, "tuple", {"dx": 1, "loss": 2, "part 2": 3}),
        ({"loss": 1, "dx": 2}, "dict", {"loss": 1, "dx": 2}),
    ],
)
def test_parts_get_the_manifests_names(values, layout, wanted):
    assert named(values, layout, ("dx", "loss")) == wanted


@given(arrays)
@settings(max_examples=60)
def test_rounding_keeps_a_mark_and_a_different_answer_changes_it(array):
    nudged = array * (1 + 1e-13)
    assert same(mark(array), mark(nudged))
    moved = array.copy()
    moved.flat[-1] += 1 + 1e-3 * np.abs(array).max()
    assert not same(mark(array), mark(moved))


@given(arrays.filter(lambda a: a.ndim > 1 and not np.allclose(a, a[::-1], atol=1e-3 * np.abs(a).max() + 1e-9)))
@settings(max_examples=60)
def test_the_same_numbers_in_another_order_or_shape_have_another_mark(array):
    assert not same(mark(array), mark(array[::-1]))
    assert not same(mark(array), mark(array.reshape(-1)))


def test_failures_and_infinite_entries_have_marks_of_their_own():
    assert not same(mark_of_failure("raises ValueError"), mark_of_failure("raises TypeError"))
    assert not same(mark(np.zeros(3)), mark(np.array([0.0, np.nan, 0.0])))
    assert same(mark(np.array([1.0, np.inf])), mark(np.array([1.0, np.nan])))
