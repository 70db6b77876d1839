"""The digits: whole, in the order of their writers, and split so that nothing is in both parts."""

import sys

import numpy as np
import pytest

from tinygrad_rnn import data

pytest.importorskip("sklearn")
FORM = "0123456789" * 3 + "09556509898417735100227820126337334666491509528200176321746313917684314053696175447282257954"
FORM += "88490898"


@pytest.fixture(scope="module")
def digits():
    return data.digits()


def test_the_images_are_scikit_learns(digits):
    from sklearn.datasets import load_digits

    theirs = load_digits()
    np.testing.assert_allclose(digits.images[:, 0] * 16, theirs.images, atol=1e-5)
    np.testing.assert_array_equal(digits.labels, theirs.target)
    assert (digits.images.dtype, digits.images.min(), digits.images.max()) == (np.float32, 0, 1)


def test_each_writer_filled_in_the_same_form(digits):
    """Every block is the form with at most a few digits lost, and none of it stands in the block before."""
    assert set(digits.writers) == set(range(14))
    assert (np.diff(digits.writers) >= 0).all()
    for writer in range(14):
        block = "".join(map(str, digits.labels[digits.writers == writer]))
        assert 120 <= len(block) <= 130
        assert distance(block, FORM) <= 13, writer


def distance(a, b):
    """How many digits are to be lost, added or changed to make b of a."""
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        last, row[0] = row[0], i
        for j, y in enumerate(b, 1):
            last, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, last + (x != y))
    return row[-1]


def test_larger_images_have_their_margin():
    images = data.digits(32, margin=4).images
    assert images.shape == (1797, 1, 32, 32)
    assert not images[..., :4, :].any()
    assert not images[..., -4:].any()
    assert images[..., 4:28, 4:28].any(axis=(1, 2, 3)).all()
    with pytest.raises(ValueError, match="a margin of 4 leaves 0 of 8 points"):
        data.digits(margin=4)


@pytest.mark.parametrize("last", [1, 3, 13])
def test_strangers_are_strangers(digits, last):
    train, test = data.writer_split(digits.writers, last)
    assert sorted([*train, *test]) == list(range(1797))
    assert not set(digits.writers[train]) & set(digits.writers[test])
    assert len(set(digits.writers[test])) == last
    assert train.max() < test.min()


def test_a_random_split_is_another_for_another_seed():
    train, test = data.random_split(100, 0.2, np.random.default_rng(0))
    assert sorted([*train, *test]) == list(range(100))
    assert len(test) == 20
    assert set(test) != set(data.random_split(100, 0.2, np.random.default_rng(1))[1])


@pytest.mark.parametrize("call", [lambda: data.random_split(10, 1.0, np.random.default_rng(0)),
                                  lambda: data.random_split(10, 0.0, np.random.default_rng(0)),
                                  lambda: data.writer_split(np.arange(3), 3)])  # fmt: skip
def test_a_split_with_an_empty_part_is_refused(call):
    with pytest.raises(ValueError, match=r"leaves one part empty|last= is from 1 to 2, not 3"):
        call()


def test_without_scikit_learn_one_line_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    with pytest.raises(RuntimeError, match=r"scikit-learn.*pip install 'tinygrad_rnn\[data\]'"):
        data.digits()
