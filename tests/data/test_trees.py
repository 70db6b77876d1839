"""Nested expressions: Python's own evaluation of the printed line is the value, and depth is what was asked for."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinygrad_rnn.data.tasks import boolean, expressions, modular
from tinygrad_rnn.data.tasks.trees import line, symbols_of, without_reading


def depth(tree):
    return 0 if isinstance(tree, int) else 1 + max(depth(tree[0]), depth(tree[2]))


@given(st.integers(0, 6), st.sampled_from([boolean(), modular(5), modular(2), modular(10)]), st.integers(0, 1000))
@settings(max_examples=60)
def test_the_value_is_what_python_says_of_the_line(d, algebra, seed):
    trees, values = expressions(np.random.default_rng(seed), algebra, d, 5)
    for tree, value in zip(trees, values, strict=True):
        assert depth(tree) == d
        assert value == eval(line(tree, algebra)) % algebra.values
        symbols = symbols_of(tree, algebra)
        assert max(symbols) < algebra.symbols + 2
        assert symbols.count(algebra.symbols) == sum(s in range(algebra.values, algebra.symbols) for s in symbols)


def test_values_are_balanced_so_that_guessing_is_no_use():
    rng = np.random.default_rng(0)
    for algebra, share in ((boolean(), 1 / 2), (modular(5), 1 / 5)):
        for d in (1, 4):
            assert without_reading(expressions(rng, algebra, d, 4000)[1]) == pytest.approx(share, abs=0.03)


def test_expressions_repeat_with_their_seed():
    first, again = (expressions(np.random.default_rng(7), boolean(), 4, 20) for _ in range(2))
    assert first[0] == again[0]
    assert (first[1] == again[1]).all()


@pytest.mark.parametrize(("call", "text"), [
    (lambda rng: expressions(rng, boolean(), -1, 3), "depth >= 0"),
    (lambda rng: expressions(rng, boolean(), 2, 0), "count >= 1"),
    (lambda rng: modular(11), "from 2 to 10"),
])  # fmt: skip
def test_impossible_sizes_are_refused(call, text):
    with pytest.raises(ValueError, match=text):
        call(np.random.default_rng(0))
