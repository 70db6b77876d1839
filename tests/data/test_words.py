"""Words as integers, and numbers in words: round trips, no leaks, and what is said when something is missing."""

import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_rnn.data import Words, held_out_numbers, number_words

SEQUENCES = st.lists(st.lists(st.sampled_from(["one", "two", "and", "-"]), max_size=6), min_size=1, max_size=5)


@given(SEQUENCES, st.booleans())
def test_what_is_encoded_is_decoded(sequences, end):
    words = Words.of([["one", "two", "and", "-"]])
    ids, mask = words.batch(sequences, end)
    assert words.decode(ids) == sequences
    assert mask.sum(axis=0).tolist() == [len(s) + end for s in sequences]
    assert not ids[~mask].any()
    assert ids.max(initial=0) < len(words) == 5


def test_unknown_and_repeated_words_are_refused():
    with pytest.raises(ValueError, match="'ten' is not one of the 2 words"):
        Words(("one", "two")).batch([["ten"]])
    with pytest.raises(ValueError, match="each once"):
        Words(("one", "one"))


ONES = ("zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
        "seventeen eighteen nineteen")  # fmt: skip
TENS = "- - twenty thirty forty fifty sixty seventy eighty ninety"


def by_hand(n):
    """English as num2words has it, below a million."""
    ones, tens = ONES.split(), TENS.split()
    if n < 20:
        return [ones[n]]
    if n < 100:
        return [tens[n // 10]] + ([ones[n % 10]] if n % 10 else [])
    if n < 1000:
        return [ones[n // 100], "hundred"] + (["and", *by_hand(n % 100)] if n % 100 else [])
    rest = n % 1000
    joined = [] if not rest else ["and", *by_hand(rest)] if rest < 100 else by_hand(rest)
    return [*by_hand(n // 1000), "thousand", *joined]


@given(st.lists(st.integers(0, 999_999), max_size=20))
def test_english_is_right_and_digits_are_the_number(numbers):
    pytest.importorskip("num2words")
    digits, names = number_words(numbers)
    assert [int("".join(d)) for d in digits] == numbers
    assert names == [by_hand(n) for n in numbers]


def test_other_languages_and_characters():
    pytest.importorskip("num2words")
    assert number_words([42], "de", "characters")[1] == [list("zweiundvierzig")]
    assert number_words([80], "fr")[1] == [["quatre", "vingts"]]
    for language in ("en", "de", "hu", "fr"):
        names = [tuple(n) for n in number_words(range(1000), language)[1]]
        assert len(set(names)) == 1000  # a name that is held out is not another number's


@given(st.integers(2, 500), st.floats(0.1, 0.9), st.integers(0, 99))
def test_no_number_is_learned_and_tested(limit, share, seed):
    if not 0 < round(limit * share) < limit:
        return
    learn, test = held_out_numbers(limit, share, np.random.default_rng(seed))
    assert not set(learn.tolist()) & set(test.tolist())
    assert sorted([*learn, *test]) == list(range(limit))
    assert len(test) == round(limit * share)


@pytest.mark.parametrize(("call", "line"), [
    (lambda: number_words([-1]), "0 or more, not -1"),
    (lambda: number_words([1], "xx"), "no language 'xx', but am, ar"),
    (lambda: number_words([1], units="letters"), 'units are "words" or "characters"'),
    (lambda: held_out_numbers(10, 0, np.random.default_rng(0)), "leaves 10 to learn from and 0 to test"),
    (lambda: held_out_numbers(10, 1, np.random.default_rng(0)), "leaves 0 to learn from"),
])  # fmt: skip
def test_bad_calls_are_told_in_one_line(call, line):
    pytest.importorskip("num2words")
    with pytest.raises(ValueError, match=line) as told:
        call()
    assert "\n" not in str(told.value)


def test_without_the_package_one_line_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "num2words", None)
    with pytest.raises(RuntimeError, match=r"pip install 'tinygrad_rnn\[data\]'") as told:
        number_words([1])
    assert "\n" not in str(told.value)
