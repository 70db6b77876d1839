"""Grammars: strings, what may follow, and when a network has learned one."""

import re
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinygrad_rnn.data import counted, embedded_reber, reber, reber_stream, reber_strings, recall
from tinygrad_rnn.data.tasks.grammars import COUNTED, REBER, Strings, followers

# Reber's grammar as a regular expression, from its diagram: the loops at S and T, and the way back from X to T
PATTERN = re.compile(r"B(TS*X(S|XT*V(PXT*V)*(V|PS))|PT*V((PXT*V)*(V|PS)))E")


def generator(seed):
    return np.random.default_rng(seed)


@given(st.integers(0, 10**6))
@settings(max_examples=200, deadline=None)
def test_strings_are_those_of_the_regular_expression(seed):
    assert PATTERN.fullmatch(reber(generator(seed)))
    string = embedded_reber(generator(seed))
    assert string[0] == "B"
    assert string[-1] == "E"
    assert string[1] == string[-2]
    assert string[1] in "TP"
    assert PATTERN.fullmatch(string[2:-2])


@given(st.integers(0, 10**6))
@settings(max_examples=100, deadline=None)
def test_what_follows_is_among_what_may_and_every_choice_is_taken(seed):
    string = embedded_reber(generator(seed))
    may = followers(string)
    assert all(after in legal for after, legal in zip(string[1:], may, strict=True))
    assert may[-1] == "E"
    assert may[-2] == string[1]  # only who remembers the second symbol knows


def test_every_choice_is_taken_as_often():
    rng = generator(0)
    taken = Counter()
    for _ in range(3000):
        string = reber(rng)
        for at, legal in enumerate(followers(string, embedded=False)):
            if len(legal) == 2:
                taken["".join(sorted(legal)), string[at + 1]] += 1
    for pair in ("PT", "SX", "TV", "PV"):
        one, other = (taken[pair, symbol] for symbol in pair)
        assert abs(one - other) < 4 * np.sqrt(one + other), pair


@pytest.mark.parametrize("string", ["BTXSE", "BTBTXSEPE", "BTBTXSET", "BPBTXXPE"])
def test_a_string_of_another_grammar_is_refused(string):
    with pytest.raises(ValueError, match="no string of the embedded grammar"):
        followers(string)


def test_a_batch_is_the_strings_one_hot_and_padded():
    strings = reber_strings(generator(3), 4)
    rng = generator(3)
    for b in range(4):
        string, T = embedded_reber(rng), int(strings.mask[:, b].sum())
        assert "".join(REBER[i] for i in strings.x[:T, b].argmax(axis=1)) == string[:-1]
        assert "".join(REBER[i] for i in strings.y[:T, b]) == string[1:]
        for t, may in enumerate(followers(string)):
            assert {REBER[i] for i in np.flatnonzero(strings.legal[t, b])} == set(may)
        assert strings.x[T:, b].sum() == 0


def test_a_stream_is_strings_without_a_gap():
    stream = reber_stream(generator(0), 400, 3)
    assert stream.mask.all()
    for b in range(3):
        symbols = "B" + "".join(REBER[i] for i in stream.y[:, b])
        strings = re.findall(r"[^E]*E[^E]E", symbols)
        assert len(strings) > 10
        assert symbols.startswith("".join(strings))
        for string in strings:
            assert followers(string)
        assert stream.legal[np.arange(400), b, stream.y[:, b]].all()
        certain = stream.legal[:, b].sum(axis=1) == 1
        ends = np.flatnonzero((stream.x[:, b].argmax(axis=1) == REBER.index("E")) & certain)
        assert set(stream.y[ends, b]) <= {REBER.index(symbol) for symbol in "BTP"}


@given(st.integers(1, 8), st.integers(0, 8), st.sampled_from(["ab", "abc"]), st.integers(0, 1000))
@settings(max_examples=50, deadline=None)
def test_counted_strings_count(least, more, letters, seed):
    strings = counted(generator(seed), 5, least, least + more, letters)
    for b in range(5):
        T = int(strings.mask[:, b].sum())
        read = "S" + "".join(COUNTED[i] for i in strings.y[:T, b])
        n = read.count("a")
        assert least <= n <= least + more
        assert read == "S" + "".join(letter * n for letter in letters) + "S"
        certain = strings.legal[:T, b].sum(axis=1) == 1
        assert certain.tolist() == [True] + [False] * n + [True] * (T - 1 - n)


def test_learned_is_every_legal_symbol_above_every_other():
    strings = counted(generator(0), 2, 2, 2)
    logits = np.where(strings.legal, 1.0, 0.0)
    assert strings.learned(logits).tolist() == [True, True]
    worse = logits.copy()
    worse[1, 0, COUNTED.index("c")] = 1.0  # as high as a legal one is not below it
    assert strings.learned(worse).tolist() == [False, True]
    padded = Strings(strings.x, strings.y, strings.legal, strings.mask & (np.arange(len(strings.x))[:, None] != 1))
    assert padded.learned(worse).tolist() == [True, True]


@given(st.integers(1, 9), st.integers(2, 5), st.sampled_from(["before", "after"]), st.integers(0, 1000))
@settings(max_examples=50, deadline=None)
def test_recall_answers_the_question(length, values, question, seed):
    x, y = recall(generator(seed), length, 4, values, question)
    assert x.shape == (length + 1, 4, values + length)
    assert (x.sum(axis=2) == 1).all()
    for b in range(4):
        read = x[:, b].argmax(axis=1).tolist()
        place = (read.pop(0) if question == "before" else read.pop()) - values
        assert read[place] == y[b]


@pytest.mark.parametrize(("call", "said"), [
    (lambda rng: reber_strings(rng, 0), "batch_size >= 1"),
    (lambda rng: reber_stream(rng, 0, 2), "seq_len >= 1"),
    (lambda rng: counted(rng, 2, 3, 2), "most >= 3"),
    (lambda rng: counted(rng, 2, letters="abd"), 'one of "ab", "abc"'),
    (lambda rng: recall(rng, 0, 1), "length >= 1"),
    (lambda rng: recall(rng, 3, 1, question="never"), 'one of "before", "after"'),
])  # fmt: skip
def test_impossible_sizes_are_named(call, said):
    with pytest.raises(ValueError, match=said):
        call(generator(0))
