"""Padding and masks: each sequence alone, and in a batch with others, gives the same."""

import numpy as np
import pytest

import tinygrad_rnn as tg
from tinygrad_rnn.data import length_mask, pad


def test_a_padded_batch_is_its_sequences_one_by_one():
    rng = np.random.default_rng(0)
    sequences = [rng.normal(size=(n, 3)) for n in (5, 2, 7)]
    x, mask = pad(sequences)
    assert x.shape == (7, 3, 3)
    assert mask.sum() == 14
    layer = tg.nn.GRU(3, 4, 2, bidirectional=True, rng=0, dtype=np.float64)
    outputs, states = layer(x, mask=mask)
    for b, alone in enumerate(sequences):
        expected, ends = layer(alone[:, None])
        np.testing.assert_allclose(outputs.data[: len(alone), b], expected.data[:, 0], rtol=1e-12)
        assert not outputs.data[len(alone) :, b].any()
        for state, end in zip(states, ends, strict=True):
            np.testing.assert_allclose(state.data[b], end.data[0], rtol=1e-12)


def test_the_mask_may_be_longer_than_the_longest():
    assert length_mask(np.array([2, 0]), 3).tolist() == [[True, False], [True, False], [False, False]]
    assert length_mask([], 2).shape == (2, 0)


def test_an_empty_sequence_leaves_integers_integers():
    x, mask = pad([[1, 2], []])
    assert x.dtype.kind == "i"
    assert mask.tolist() == [[True, False], [True, False]]


@pytest.mark.parametrize(("call", "line"), [
    (lambda: length_mask([3, 1], 2), r"from 0 to T = 2, and they go from 1 to 3"),
    (lambda: length_mask([-1]), "from -1"),
    (lambda: length_mask([1.5]), r"integers \(B,\), not float64"),
    (lambda: length_mask(5), r"integers \(B,\), not int64 \(\)"),
    (lambda: pad([]), "not none"),
    (lambda: pad([np.ones((2, 3)), np.ones((2, 4))]), r"\(2, 3\), \(2, 4\)"),
])  # fmt: skip
def test_bad_lengths_are_told_in_one_line(call, line):
    with pytest.raises(ValueError, match=line) as told:
        call()
    assert "\n" not in str(told.value)
