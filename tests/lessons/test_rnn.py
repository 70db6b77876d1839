"""Lesson rnn: its solutions against the engine and PyTorch."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

import tinygrad_rnn as tg
from tinygrad_rnn.course.authoring import solution_of
from tinygrad_rnn.course.manifest import read_lesson

LESSON = read_lesson(Path(__file__).parents[2] / "lessons" / "02_rnn")
solution = solution_of(LESSON)

sizes = st.tuples(*[st.integers(1, 5)] * 5, st.integers(0, 2**16))


def network(T, B, D, H, C, seed):
    rng = np.random.default_rng(seed)
    p = {"W_xh": (D, H), "W_hh": (H, H), "b_h": (H,), "W_hy": (H, C), "b_y": (C,), "W_oh": (C, H)}
    p = {name: rng.normal(size=shape) for name, shape in p.items()}
    return rng.normal(size=(T, B, D)), rng.normal(size=(B, H)), p, rng


def engine(p, D, H):
    layer = tg.nn.RNN(D, H, dtype=np.float64)
    for name, parameter in layer.named_parameters():
        parameter.data = p[name.rpartition(".")[2]]
    return layer


@given(sizes)
@settings(max_examples=15, deadline=None)
def test_the_forward_pass_and_many_to_one_are_the_engines(size):
    X, h0, p, _ = network(*size)
    states, last = engine(p, size[2], size[3])(tg.tensor(X), tg.tensor(h0))
    Hs, O = solution.elman_forward(X, h0, p)
    assert_allclose(Hs, states.data, rtol=1e-10, atol=1e-12)
    assert_allclose(O, (states @ p["W_hy"] + p["b_y"]).data, rtol=1e-10, atol=1e-12)
    assert_allclose(solution.many_to_one(X, h0, p), (last @ p["W_hy"] + p["b_y"]).data, rtol=1e-10, atol=1e-12)


def test_the_forward_pass_is_pytorchs():
    torch = pytest.importorskip("torch")
    X, h0, p, _ = network(6, 2, 3, 4, 2, 0)
    layer = torch.nn.RNN(3, 4, dtype=torch.float64)
    with torch.no_grad():
        for theirs, ours in (("weight_ih_l0", p["W_xh"].T), ("weight_hh_l0", p["W_hh"].T), ("bias_ih_l0", p["b_h"])):
            getattr(layer, theirs).copy_(torch.tensor(ours))
        layer.bias_hh_l0.zero_()
        states, _ = layer(torch.tensor(X), torch.tensor(h0[None]))
    assert_allclose(solution.elman_forward(X, h0, p)[0], states.numpy(), rtol=1e-10)


@given(sizes)
@settings(max_examples=15, deadline=None)
def test_one_to_many_is_a_sequence_that_is_zero_after_its_first_element(size):
    X, h0, p, _ = network(*size)
    X[1:] = 0
    assert_allclose(solution.one_to_many(X[0], h0, p, len(X)), solution.elman_forward(X, h0, p)[1], rtol=1e-10)


@given(sizes)
@settings(max_examples=15, deadline=None)
def test_output_recurrence_is_a_state_recurrence_through_the_product_of_its_weights(size):
    X, h0, p, rng = network(*size)
    # o W_oh = h (W_hy W_oh) + b_y W_oh: the second pattern is the first one with a W_hh of low rank, and a later bias
    q = {**p, "W_hh": p["W_hy"] @ p["W_oh"], "b_h": p["b_h"] + p["b_y"] @ p["W_oh"]}
    h, wanted = np.zeros_like(h0), []
    for t, x in enumerate(X):
        h = np.tanh(x @ p["W_xh"] + p["b_h"]) if t == 0 else solution.elman_forward(x[None], h, q)[0][0]
        wanted.append(h @ p["W_hy"] + p["b_y"])
    free = solution.output_recurrence(X, p, None)
    assert_allclose(free, wanted, rtol=1e-9, atol=1e-11)
    # a teacher who says what the network says anyhow changes nothing; what he says last is never heard
    assert_allclose(solution.output_recurrence(X, p, free), free, rtol=1e-9)
    teacher = free.copy()
    teacher[-1] = rng.normal(size=teacher[-1].shape)
    assert_allclose(solution.output_recurrence(X, p, teacher), free, rtol=1e-9)


def test_the_last_real_state_is_that_of_the_sequence_alone():
    X, h0, p, _ = network(7, 4, 3, 5, 2, 1)
    lengths = np.array([3, 7, 1, 5])
    Hs, _ = solution.elman_forward(X, h0, p)
    picked = solution.masked_last(Hs, lengths)
    for b, length in enumerate(lengths):
        alone, _ = solution.elman_forward(X[:length, b : b + 1], h0[b : b + 1], p)
        assert_allclose(picked[b], alone[-1, 0], rtol=1e-12)


@pytest.mark.parametrize("order", ["xh", "hx"])
def test_the_stacked_matrix_does_both_products(order):
    X, h0, p, _ = network(1, 3, 4, 5, 2, 2)
    both = np.concatenate([X[0], h0] if order == "xh" else [h0, X[0]], axis=1)
    W = solution.stack_weights(p["W_xh"], p["W_hh"], order)
    assert_allclose(both @ W, X[0] @ p["W_xh"] + h0 @ p["W_hh"], rtol=1e-12)


def test_the_count_of_parameters_is_the_engines():
    D, H, C, T = 7, 5, 3, 11
    modules = [tg.nn.RNN(D, H), tg.nn.Linear(H, C)]
    shared = sum(parameter.data.size for module in modules for parameter in module.parameters())
    assert solution.count_parameters(D, H, C, T) == (shared, T * shared)
