"""Where text comes from, its characters as numbers, and its windows."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinygrad_rnn.data import Batches, Vocabulary, default_corpus, read_text, split

texts = st.text(min_size=1, max_size=60)


def test_the_default_corpus_is_plain_english_and_code_and_always_the_same():
    text = default_corpus()
    assert len(text) > 500_000
    assert text == default_corpus()
    assert set(text) <= {"\n", *map(chr, range(32, 127))}
    train, validation = text[: len(text) * 9 // 10], text[len(text) * 9 // 10 :]
    for word in ("    def ", "the ", "self.", " statement"):  # prose and code, in both parts
        assert word in train
        assert word in validation


@given(texts)
@settings(max_examples=60)
def test_characters_survive_being_numbers(text):
    vocabulary = Vocabulary.of(text)
    ids = vocabulary.encode(text)
    assert vocabulary.decode(ids) == text
    assert ids.min() >= 0
    assert ids.max() < len(vocabulary) == len(set(text))


@given(st.permutations("xyzab"))
def test_a_number_is_the_place_among_the_characters_in_whatever_order(chars):
    vocabulary = Vocabulary("".join(chars))
    assert vocabulary.encode("".join(chars)).tolist() == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("text", ["heaven\n", "zebra", "aé", "a\ud800"])
def test_an_unknown_character_is_named_with_its_place(text):
    vocabulary = Vocabulary("aehbr")
    at, unknown = next((i, c) for i, c in enumerate(text) if c not in vocabulary.chars)
    with pytest.raises(ValueError, match="is not one of the 5") as raised:
        vocabulary.encode(text)
    assert repr(unknown) in str(raised.value)
    assert f"number {at + 1} " in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("chars", ["", "abca"])
def test_a_vocabulary_needs_each_character_once(chars):
    with pytest.raises(ValueError, match="each once"):
        Vocabulary(chars)


def test_a_text_file_is_read_with_its_line_ends_and_mark_normalised(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes(b"\xef\xbb\xbfone\r\ntwo\rthr\xc3\xa9e\n")
    assert read_text(path) == "one\ntwo\nthrée\n"


@pytest.mark.parametrize(
    ("content", "error", "said"),
    [
        (None, FileNotFoundError, "no such file"),
        (b"", ValueError, "is empty"),
        (b" \n\t", ValueError, "is empty"),
        (b"PNG\0\1\2", ValueError, "is binary (a zero byte at 3)"),
        (b"caf\xe9 noir", ValueError, "is not UTF-8 (byte 0xe9 at 3): save it as UTF-8"),
    ],
)
def test_a_file_that_is_no_text_is_refused_in_one_line(tmp_path, content, error, said):
    path = tmp_path / "a.txt"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(error) as raised:
        read_text(path)
    assert str(path) in str(raised.value)
    assert said in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_folder_is_no_text(tmp_path):
    with pytest.raises(IsADirectoryError, match="is a folder"):
        read_text(tmp_path)


def test_validation_is_the_end_of_the_text_and_nothing_is_copied():
    ids = np.arange(100)
    train, validation = split(ids, 0.25)
    assert train.tolist() == list(range(75))
    assert validation.tolist() == list(range(75, 100))
    assert np.shares_memory(train, ids)
    assert np.shares_memory(validation, ids)
    assert len(split(ids, 0)[1]) == 0
    with pytest.raises(ValueError, match="not 1"):
        split(ids, 1)


@given(st.integers(1, 200), st.integers(1, 7), st.integers(1, 9))
@settings(max_examples=100)
def test_windows_follow_each_other_in_every_stream(n, B, T):
    ids = np.arange(n)
    if n // B < T + 1:
        with pytest.raises(ValueError, match=f"{n} characters of text are fewer than one window") as raised:
            Batches(ids, B, T)
        assert f"= {B * (T + 1)}" in str(raised.value)
        return
    batches = Batches(ids, B, T)
    windows = list(batches)
    assert len(windows) == len(batches) > 0
    for window in windows:
        assert window.shape == (T + 1, B)
        assert np.shares_memory(window, ids)
        assert (window[1:] == window[:-1] + 1).all()  # the target is what stands next in the text
    for before, after in itertools.pairwise(windows):
        assert (before[-1] == after[0]).all()  # the state carries on where it was left
    inputs = np.concatenate([w[:-1] for w in windows])
    assert len(np.unique(inputs)) == inputs.size  # nothing is read twice
    assert n - inputs.size < B * (T + 1)  # and little is left out


@pytest.mark.parametrize(("B", "T"), [(0, 3), (2, 0)])
def test_empty_windows_are_refused(B, T):
    with pytest.raises(ValueError, match="1 or more"):
        Batches(np.arange(50), B, T)


def test_there_is_no_window_after_the_last():
    with pytest.raises(IndexError):
        Batches(np.arange(50), 2, 5)[4]
