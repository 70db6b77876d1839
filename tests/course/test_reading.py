"""A character model that reads: its units and its guesses at each character; units found; completions."""

from __future__ import annotations

import numpy as np
import pytest

from tinygrad_rnn import flow
from tinygrad_rnn.course.charmodel import CharModel
from tinygrad_rnn.course.reading import complete, find_units, read
from tinygrad_rnn.data import Vocabulary

TEXT = "x = ['a', f(b)]  # one\n" * 40


@pytest.fixture(params=["rnn", "lstm", "gru"])
def model(request):
    return CharModel(Vocabulary.of(TEXT), request.param, 7, 2, dtype=np.float64, rng=np.random.default_rng(0))


def test_what_is_read_is_what_the_model_computes(model):
    text = TEXT[:130]
    reading = read(model, text)
    ids = model.vocabulary.encode(text)[:, None]
    logits = model(ids)[0].numpy()[:, 0]
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(reading.probabilities, p, rtol=1e-10)
    outputs = model.rnn(ids)[0].numpy()[:, 0]
    np.testing.assert_allclose(reading.units("h")[:, 7:], outputs, rtol=1e-10)  # the second layer's come last
    surprises = -np.log2(p[np.arange(129), ids[1:, 0]])
    np.testing.assert_allclose(reading.surprises()[:-1], surprises, rtol=1e-10)
    assert np.isnan(reading.surprises()[-1])
    for row, best in zip(p, reading.guesses(3), strict=True):
        order = np.argsort(-row, kind="stable")[:3]
        assert [c for c, _ in best] == [model.vocabulary.chars[i] for i in order]
        np.testing.assert_allclose([chance for _, chance in best], row[order], rtol=1e-10)


def test_stretches_read_side_by_side_are_each_read_from_the_start(model):
    reading = read(model, TEXT, streams=3, stretch=20, skip=5)
    part = len(TEXT) // 3
    assert reading.places.tolist() == [k * part + i for k in range(3) for i in range(5, 25)]
    for k in range(3):
        alone = read(model, TEXT[k * part : k * part + 25])
        here = slice(20 * k, 20 * k + 20)
        np.testing.assert_allclose(reading.units()[here], alone.units()[5:], rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(reading.probabilities[here], alone.probabilities[5:], rtol=1e-9)


def test_what_cannot_be_read_is_refused(model):
    with pytest.raises(ValueError, match="'Z'"):
        read(model, "xZ")
    with pytest.raises(ValueError, match="has 10 characters, and 12 are needed"):
        read(model, TEXT[:10], streams=2, skip=5)
    with pytest.raises(ValueError, match="no 'q'"):
        read(model, TEXT[:10]).units("q")


class Copier(CharModel):
    """A model whose unit 3 is 1 inside a string, by its weights: a quote opens it and a bracket's end closes it."""

    def __init__(self):
        super().__init__(Vocabulary.of(TEXT), "lstm", 7, dtype=np.float64, rng=np.random.default_rng(0))
        cell, chars = self.rnn.layers[0].forward, self.vocabulary.chars
        H, unit = 7, 3
        cell.W_xh.data[:, unit::H] = 0
        cell.W_hh.data[:, unit::H] = 0
        i, f, o, g = (k * H + unit for k in range(4))
        cell.b_h.data[[i, f, o, g]] = [-30, 30, 30, 0]
        for c, value in (("[", 30), ("]", -30)):
            cell.W_xh.data[chars.index(c), [i, f, g]] = [60, -60, value]


def test_a_unit_that_counts_brackets_is_found_and_nobody_tracks_addresses():
    found = find_units(Copier(), TEXT, "y = [g(a), 'b']  # one\n".replace("y", "x").replace("g", "f") * 30, "c",
                       rng=np.random.default_rng(1))  # fmt: skip
    assert isinstance(found["brackets"], flow.Found)
    assert found["brackets"].unit == 3
    assert found["brackets"].auc == pytest.approx(1)
    assert found["url"].startswith("the label is the same at all")


def test_a_stem_is_completed_up_to_the_line_s_end():
    model = CharModel(Vocabulary.of(TEXT), "gru", 7, rng=np.random.default_rng(0))
    done = complete(model, "x = ", 4, 30, 1.0, np.random.default_rng(3))
    assert done.stem == "x = "
    assert len(done.written) == 4
    assert all("\n" not in line and len(line) <= 30 for line in done.written)
    assert len(set(done.written)) > 1
    assert done == complete(model, "x = ", 4, 30, 1.0, np.random.default_rng(3))
    assert done.next == read(model, "x = ").guesses(8)[-1]
    with pytest.raises(ValueError, match="stem is empty"):
        complete(model, "")
