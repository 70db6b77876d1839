"""Recursive networks: closed form, the two ways to compute them, gradients, and depth as measured on the graph."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tinygrad_rnn as tg
from tinygrad_rnn import nn
from tinygrad_rnn.nn.wirings import balanced, chain, nonlinear_depth

LEAVES = st.integers(0, 3)
TREES = st.recursive(LEAVES, lambda t: st.tuples(t, t) | st.tuples(t, LEAVES, t), max_leaves=12)


def network(kernel="auto", seed=0):
    return nn.RecursiveNetwork(4, 3, rng=seed, dtype=np.float64, kernel=kernel)


def by_definition(net, tree):
    """The equation of every node, by recursion, in NumPy."""
    W_xh, W_left, W_right, b_h = (p.data for p in (net.W_xh, net.W_left, net.W_right, net.b_h))
    if isinstance(tree, int):
        return np.tanh(W_xh[tree] + b_h)
    a = by_definition(net, tree[0]) @ W_left + by_definition(net, tree[-1]) @ W_right + b_h
    return np.tanh(a + (W_xh[tree[1]] if len(tree) == 3 else 0))


@given(st.lists(TREES, min_size=1, max_size=4), st.integers(0, 50))
@settings(max_examples=40, deadline=None)
def test_both_kernels_are_the_equation_and_have_the_same_gradients(trees, seed):
    expected = [by_definition(network(seed=seed), tree) for tree in trees]
    weights = np.random.default_rng(seed).normal(size=(len(trees), 3))
    gradients = []
    for kernel in ("batched", "unrolled"):
        net = network(kernel, seed)
        h = net(trees)
        np.testing.assert_allclose(h.numpy(), expected, rtol=1e-12)
        gradients.append(tg.grad((h * weights).sum(), net.parameters(), allow_unused=True))
    for batched, unrolled in zip(*gradients, strict=True):
        assert (batched is None) == (unrolled is None)
        if batched is not None:
            np.testing.assert_allclose(batched.numpy(), unrolled.numpy(), rtol=1e-10, atol=1e-13)


@pytest.mark.parametrize("kernel", ["batched", "unrolled"])
def test_gradients_of_first_and_second_order(kernel):
    net = network(kernel)
    names = [name for name, _ in net.named_parameters()]

    def run(*weights):
        for name, W in zip(names, weights, strict=True):
            setattr(net, name, W)
        return net([((0, 1), 2, (3, 3)), 1, (2, (0, 1, 2))])

    tg.gradcheck(run, [p.data for p in net.parameters()], order=2)


@pytest.mark.parametrize("tau", [1, 2, 7, 16, 64, 1000])
def test_a_chain_is_as_deep_as_it_is_long_and_a_balanced_tree_as_its_logarithm(tau):
    symbols = [i % 4 for i in range(tau)]
    assert nonlinear_depth(network()([chain(symbols)])) == tau
    assert nonlinear_depth(network()([balanced(symbols)])) == math.ceil(math.log2(tau)) + 1


def test_a_chain_without_branches_is_a_recurrent_network():
    """h = tanh(left W_left + leaf W_right + b), the leaf being tanh(x W_xh + b): an Elman network that reads it."""
    net, symbols = network(), [0, 3, 1, 2, 2]
    leaf = {s: np.tanh(net.W_xh.data[s] + net.b_h.data) for s in symbols}
    rnn = nn.RNN(3, 3, dtype=np.float64)
    cell = rnn.layers[0].forward
    cell.W_xh.data, cell.W_hh.data, cell.b_h.data = net.W_right.data, net.W_left.data, net.b_h.data
    outputs, _ = rnn(np.array([leaf[s] for s in symbols[1:]])[:, None], leaf[symbols[0]][None])
    np.testing.assert_allclose(net([chain(symbols)]).numpy()[0], outputs.numpy()[-1, 0], rtol=1e-12)


def test_the_picture_shows_every_node_and_each_weight_once():
    net = network()
    with tg.trace():
        h = net([((0, 1), (2, 3))])
    figure = tg.draw(h.sum(), view="ops").figure
    words = ["".join(text.text for text in node.lines[:1]) for node in figure.nodes]
    assert words.count("tanh") == 7
    assert sum(node.role == "parameter" for node in figure.nodes) == 4


@pytest.mark.parametrize("wrong", [[4], [-1], [(1,)], [(1, 2, 3, 3)], [(1, "+", 2)], ["ab"], []])
def test_what_is_no_tree_is_told_in_one_line(wrong):
    with pytest.raises(ValueError, match=r"a tree is|a list of trees") as told:
        network()(wrong)
    assert "\n" not in str(told.value)
