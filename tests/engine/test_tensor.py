"""Tensor: how it is made, what it refuses and what it says."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

import tinygrad_rnn as tg
from tinygrad_rnn import autograd


def leaf(x, name=None) -> tg.Tensor:
    return tg.tensor(x, requires_grad=True, name=name)


def test_numbers_become_float32_and_float_arrays_keep_their_dtype():
    assert tg.tensor(1.0).dtype == tg.tensor([1, 2]).dtype == np.float32
    for dtype in (np.float16, np.float32, np.float64):
        assert tg.tensor(np.ones(2, dtype)).dtype == dtype
    assert tg.tensor(np.array([1, 2])).dtype == np.int64
    assert leaf(np.array([1, 2])).dtype == np.float32
    assert tg.tensor([1, 2], dtype=np.float64).dtype == np.float64
    assert tg.tensor([True]).dtype == bool


def test_tensor_copies():
    a = np.ones(2)
    x = tg.tensor(a)
    a[0] = 5
    assert x.tolist() == [1.0, 1.0]
    assert not np.shares_memory(tg.tensor(x).data, x.data)


@pytest.mark.parametrize(("data", "error", "line"), [
    ("abc", TypeError, "str is not numbers"), (None, TypeError, "NoneType is not numbers"),
    ([[1, 2], [3]], ValueError, "ragged"), ([tg.tensor(1.0)], TypeError, "use tg.stack"),
])  # fmt: skip
def test_tensor_refuses_what_is_not_numbers(data, error, line):
    with pytest.raises(error, match=line):
        tg.tensor(data)


def test_numpy_may_not_take_a_tracked_tensor():
    x = leaf([1.0, 2.0], name="h")
    for take in (np.asarray, np.array, np.exp, lambda x: np.concatenate([x, x])):
        with pytest.raises(
            TypeError, match=r"h \(2,\) is tracked, .*: use tg functions, or x.detach|not support ufuncs"
        ):
            take(x)
    assert np.asarray(x.detach()).tolist() == [1.0, 2.0]
    assert np.asarray(tg.tensor([1, 2])).tolist() == [1, 2]


def test_a_branch_on_a_tracked_tensor_is_refused():
    with pytest.raises(TypeError, match=r"bool\(loss \(\)\): a branch .* use tg.where"):
        bool(leaf(1.0, name="loss"))
    assert leaf(1.0) > 0
    assert not tg.tensor(0.0)


def test_writing_into_a_tensor_is_refused():
    with pytest.raises(
        TypeError, match=r"h \(2,\)\[\.\.\.\] = value .* build a new tensor with tg.where, tg.stack or tg.concat"
    ):
        leaf([1.0, 2.0], name="h")[0] = 3


def test_deepcopy_of_a_leaf_works_and_of_a_graph_is_refused():
    x = leaf([1.0, 2.0], name="W")
    y = copy.deepcopy({"a": x, "b": x})
    assert y["a"] is y["b"]
    assert (y["a"].tolist(), y["a"].requires_grad, y["a"].name) == ([1.0, 2.0], True, "W")
    assert not np.shares_memory(y["a"].data, x.data)
    with pytest.raises(
        TypeError, match=r"deepcopy: the result of multiply \(2,\) is part of a graph; copy a leaf, or x.detach"
    ):
        copy.deepcopy(x * 2)


def test_pickling_is_refused():
    with pytest.raises(TypeError, match="is not pickled: save"):
        pickle.dumps(leaf(1.0))


def test_detach_shares_numbers_and_stops_gradients():
    x = leaf([2.0])
    d = (x * x).detach()
    assert (d.requires_grad, d.node, d.op) == (False, None, None)
    (d * x).backward()
    assert x.grad.tolist() == [4.0]
    assert np.shares_memory(x.detach().data, x.data)


def test_equality_is_by_element_and_hashing_by_identity():
    x, y = leaf([1.0, 2.0]), leaf([1.0, 3.0])
    assert (x == y).tolist() == [True, False]
    assert (x != y).tolist() == [False, True]
    assert ((x < y) | (x >= 1)).tolist() == [True, True]
    assert len({x, y, x}) == 2
    assert not (x == y).requires_grad


def test_repr_says_what_it_is():
    x = leaf([1.0, 2.0], name="h")
    assert repr(x) == "tensor([1., 2.], name='h', requires_grad=True)"
    assert repr(x * 2) == "tensor([2., 4.], op='multiply')"
    assert len(repr(tg.tensor(np.zeros((1000, 1000))))) < 500


def test_names_stick_to_what_was_made():
    x = leaf(1.0)
    y = (x * 2).named("h")
    assert y.name == "h"
    (z,) = (y + 1).inputs
    assert z.name == "h"
    a, b = tg.unstack(leaf([1.0, 2.0]))
    a.named("first")
    assert (a.name, b.name) == ("first", None)


def test_item_of_many_is_refused():
    assert leaf([[3.0]]).item() == float(leaf(3.0)) == 3
    with pytest.raises(ValueError, match=r"item: h \(2,\) holds 2 numbers, not one"):
        leaf([1.0, 2.0], name="h").item()


def test_iteration_and_length():
    x = leaf([[1.0, 2.0], [3.0, 4.0]])
    assert len(x) == 2
    a, b = x
    (a @ b).backward()
    assert x.grad.tolist() == [[3, 4], [1, 2]]
    for use in (len, iter):
        with pytest.raises(TypeError, match="0-d"):
            use(leaf(1.0))


# Errors of operations


@pytest.mark.parametrize(("call", "line"), [
    (lambda h, W: h @ W, r"^matmul: h \(16, 32\) @ W_hh \(31, 32\): inner sizes 32 and 31 differ"),
    (lambda h, W: h + W, r"^add: h \(16, 32\) \+ W_hh \(31, 32\): sizes 16 and 31 differ on axis -2, and neither is 1"),
    (lambda h, W: h * np.ones(3), r"^multiply: h \(16, 32\) \* array \(3,\): sizes 32 and 3 differ on axis -1"),
    (lambda h, W: h @ 2.0, r"^matmul: h \(16, 32\) @ 2.0: "),
    (lambda h, W: tg.concat([h, W], axis=1), r"^concat: h \(16, 32\), W_hh \(31, 32\), axis=1: "),
    (lambda h, W: h.reshape(7, -1), r"^reshape: h \(16, 32\), shape=\(7, -1\): "),
    (lambda h, W: tg.sum(h, axis=2), r"^sum: h \(16, 32\), axis=2: "),
])  # fmt: skip
def test_errors_say_what_where_and_which_line(call, line):
    h, W = leaf(np.zeros((16, 32)), name="h"), leaf(np.zeros((31, 32)), name="W_hh")
    with pytest.raises((ValueError, TypeError), match=line) as caught, tg.scope("rnn"), tg.step(3):
        call(h, W)
    assert "(scope rnn, step 3, line " in str(caught.value)
    assert str(caught.value).endswith("of test_tensor.py)")
    assert "\n" not in str(caught.value)


# why


def test_why_answers_each_case():
    x, other = leaf(2.0, name="x"), leaf(1.0, name="other")
    y = (x * x).named("y")
    loss = y * 3
    loss.backward()
    assert tg.why(x) == "x () has a gradient."
    assert "it is no leaf, so it is not kept: call x.retain_grad() before backward" in tg.why(y)
    assert "does not depend on it: look for a detach" in tg.why(other)
    x.grad = None
    assert "cleared since the last backward" in tg.why(x)
    assert "does not require one: make a leaf with requires_grad=True" in tg.why(tg.tensor(1.0))
    assert "it was detached, or comes from what was: gradients stop there" in tg.why(y.detach())
    assert "which have no derivative: use floats" in tg.why(tg.tensor(np.array([1])))
    with tg.no_grad():
        z = x * x
    assert "it was computed inside no_grad: move that line out" in tg.why(z)
    for t in (x, y, other, z):
        assert "\n" not in tg.why(t)


def test_why_before_any_backward(monkeypatch):
    monkeypatch.setattr(autograd, "last_output", None)
    assert "backward has not been called yet: call loss.backward()" in tg.why(leaf(1.0))
