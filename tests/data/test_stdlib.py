"""The standard library as a corpus, and counted contexts as its baseline."""

from __future__ import annotations

import itertools
import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tinygrad_rnn.data import NGrams, split_files, stdlib_code, stdlib_prose

PLAIN = {"\n", *map(chr, range(32, 127))}


def test_the_code_is_the_standard_library_s_and_always_in_the_same_order():
    files = stdlib_code()
    assert {"heapq.py", "json/encoder.py", "unittest/case.py"} <= set(files)
    assert not any({"test", "tests", "site-packages"} & set(name.split("/")) for name in files)
    assert list(files) == sorted(files) == list(stdlib_code())
    assert sum(map(len, files.values())) > 3_000_000
    assert set("".join(itertools.islice(files.values(), 50))) <= PLAIN
    assert "def heappush(heap, item):" in files["heapq.py"]


def test_the_prose_is_the_language_reference():
    topics = stdlib_prose()
    assert sum(map(len, topics.values())) > 300_000
    assert set("".join(topics.values())) <= PLAIN


def test_a_python_without_its_sources_is_told_in_a_line(monkeypatch, tmp_path):
    monkeypatch.setattr("sysconfig.get_path", lambda name: str(tmp_path))
    with pytest.raises(RuntimeError, match="came without its sources"):
        stdlib_code()
    monkeypatch.setitem(__import__("sys").modules, "pydoc_data.topics", None)
    with pytest.raises(RuntimeError, match="came without pydoc_data"):
        stdlib_prose()


@given(st.lists(st.integers(1, 30), min_size=2, max_size=12), st.floats(0.05, 0.9), st.integers(0, 9))
@settings(max_examples=100)
def test_no_file_is_both_trained_on_and_held_out(sizes, held_out, seed):
    files = {f"f{i}": chr(97 + i) * size for i, size in enumerate(sizes)}
    try:
        seen, held = split_files(files, np.random.default_rng(seed), held_out)
    except ValueError:  # one file may be all that was to be held out, and nothing is left; but not always
        assume(False)
    check(files, seen, held, held_out, seed)


def check(files, seen, held, held_out, seed):
    assert not set(seen) & set(held)
    assert Counter(seen + held) == Counter("".join(files.values()))
    assert len(held) >= held_out * len(seen + held)
    assert (seen, held) == split_files(files, np.random.default_rng(seed), held_out)


def test_a_corpus_ends_with_the_file_that_passes_its_size():
    files = {f"f{i}": "x" * 10 for i in range(20)}
    seen, held = split_files(files, np.random.default_rng(0), 0.25, characters=75)
    assert (len(seen), len(held)) == (60, 20)
    with pytest.raises(ValueError, match="too few"):
        split_files({"a": "x"}, np.random.default_rng(0))
    with pytest.raises(ValueError, match="between 0 and 1"):
        split_files(files, np.random.default_rng(0), 1.0)


def by_hand(ids, V, context, x):
    """The mixture, from its definition."""
    p = 1 / V
    for n in range(len(context) + 1):
        before = tuple(context[len(context) - n :])
        after = [ids[i + n] for i in range(len(ids) - n) if tuple(ids[i : i + n]) == before]
        if after:
            p = (after.count(x) + len(set(after)) * p) / (len(after) + len(set(after)))
    return p


@given(st.lists(st.integers(0, 2), min_size=3, max_size=25), st.lists(st.integers(0, 2), min_size=1, max_size=8),
       st.integers(1, 3))  # fmt: skip
@settings(max_examples=150)
def test_chances_are_those_of_the_definition(ids, text, order):
    found = NGrams(ids, 3, order).probabilities(text)
    for n in range(1, order + 1):
        expected = [by_hand(ids, 3, text[max(0, t - n + 1) : t], x) for t, x in enumerate(text)]
        np.testing.assert_allclose(found[n - 1], expected, rtol=1e-12)


def test_chances_are_chances_whatever_came_before(rng):
    model = NGrams(rng.integers(5, size=60), 5, 3)
    for context in itertools.product(range(5), repeat=2):
        total = sum(model.probabilities([*context, x])[:, -1] for x in range(5))
        np.testing.assert_allclose(total, 1, rtol=1e-12)


def test_a_text_that_repeats_itself_costs_nothing_and_noise_all_it_has(rng):
    assert NGrams([0, 1, 2] * 300, 3, 3).bits([0, 1, 2] * 300)[2] < 0.02
    noise = rng.integers(4, size=30_000)
    np.testing.assert_allclose(NGrams(noise[:25_000], 4, 2).bits(noise[25_000:]), 2, atol=0.005)
    assert math.isclose(NGrams([0, 0, 0], 1, 2).bits([0, 0])[1], 0)


def test_what_cannot_be_counted_is_refused():
    with pytest.raises(ValueError, match="order 10 of 96 characters: from 1 to 9"):
        NGrams([0, 1], 96, 10)
    with pytest.raises(ValueError, match="order 0"):
        NGrams([0, 1], 2, 0)
    with pytest.raises(ValueError, match="2 characters are fewer than the order, 3"):
        NGrams([0, 1], 2, 3)
