"""Workspaces are used again, and nobody notices: two calls never share one, and nothing that a user holds is in one."""

from __future__ import annotations

import gc
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from threading import Thread

import numpy as np
import pytest

import tinygrad_rnn as tg
from tinygrad_rnn import nn, optim
from tinygrad_rnn.ops.recurrent import workspace
from tinygrad_rnn.ops.recurrent.workspace import Lease, Workspace

T, B, D, H = 6, 3, 2, 4
LAYERS = [nn.RNN, nn.LSTM, nn.GRU]
every_layer = pytest.mark.parametrize("Layer", LAYERS)


def sequence(seed):
    return np.random.default_rng(seed).standard_normal((T, B, D))


@pytest.fixture
def shelf(monkeypatch):
    """An empty shelf, for this test alone."""
    monkeypatch.setattr(workspace, "_shelf", workspace._Shelf())
    return workspace._shelf


@pytest.fixture
def made(shelf, monkeypatch):
    """The workspaces that are allocated, by kind."""
    made = []
    for kind in Workspace.__subclasses__():

        def allocate(self, *sizes, kind=kind, run=kind.__init__):
            made.append(kind)
            run(self, *sizes)

        monkeypatch.setattr(kind, "__init__", allocate)
    return made


class Page(Workspace):
    """A workspace of a kilobyte."""

    def __init__(self, lib, dtype, size):
        self.page = lib.empty(size, dtype)


def page(size=1024):
    return Lease(Page, np, np.dtype(np.uint8), size)


@every_layer
def test_the_second_training_step_allocates_no_workspace(Layer, made):
    layer = Layer(D, H, 2, bidirectional=True, rng=0, dtype=np.float64)
    mask = np.arange(T)[:, None] < np.array([6, 3, 1])

    def step():
        loss = tg.sum(layer(sequence(0), mask=mask)[0] ** 2)
        loss.backward()
        layer.zero_grad()

    step()
    assert made
    made.clear()
    step()
    step()
    assert not made


@every_layer
def test_one_that_a_graph_still_needs_is_not_given_away(Layer, made):
    """As many calls as are alive at once take as many workspaces, and when their graphs are gone there is no need of
    more."""
    layer = Layer(D, H, rng=0)
    layer(sequence(0))  # fill the shelf
    made.clear()
    alive = [layer(sequence(i))[0] for i in range(4)]
    assert len(made) == (0 if Layer is nn.RNN else 3)  # an RNN keeps its states, and no workspace
    del alive
    made.clear()
    assert len([layer(sequence(i))[0] for i in range(4)]) == 4
    assert not made


@every_layer
def test_two_graphs_of_one_shape_do_not_disturb_each_other(Layer):
    """Forward, forward, backward, backward, in both orders, against one after the other."""
    layer = Layer(D, H, rng=0, dtype=np.float64)

    def forward(i):
        x = tg.tensor(sequence(i), requires_grad=True)
        outputs, state = layer(x)
        return x, tg.sum(outputs * sequence(9)[:, :, :1]) + tg.sum(tg.concat(state, 0) if Layer is nn.LSTM else state)

    def gradients(x, loss):
        return [g.numpy() for g in tg.grad(loss, (x, *layer.parameters()))]

    alone = [gradients(*forward(i)) for i in (0, 1)]
    for order in ((0, 1), (1, 0)):
        runs = [forward(i) for i in (0, 1)]
        for i in order:
            for a, b in zip(gradients(*runs[i]), alone[i], strict=True):
                np.testing.assert_array_equal(a, b)
    both = [forward(0), forward(1)]
    total = tg.grad(both[0][1] + both[1][1], (both[0][0], both[1][0], *layer.parameters()))  # and in one graph
    for got, expected in zip(total, (alone[0][0], alone[1][0], *map(sum, zip(*(a[1:] for a in alone), strict=True))),
                             strict=True):  # fmt: skip
        np.testing.assert_allclose(got.numpy(), expected, rtol=1e-12, atol=1e-15)


@every_layer
def test_what_a_user_holds_is_never_written_to_again(Layer):
    layer = Layer(D, H, 2, bidirectional=True, rng=0)

    def step(i):
        x = tg.tensor(sequence(i), requires_grad=True, dtype=np.float32)
        outputs, state = layer(x)
        outputs.retain_grad()
        tg.sum(outputs * outputs).backward()
        leaves = [part for entry in state for part in (entry if isinstance(entry, tuple) else (entry,))]
        arrays = [outputs.data, outputs.grad.data, x.grad.data, *(s.data for s in leaves)]
        arrays += [p.grad.data for p in layer.parameters()]
        layer.zero_grad()
        return arrays

    held = step(0)
    copies = [a.copy() for a in held]
    for i in range(1, 4):
        step(i)
    for a, b in zip(held, copies, strict=True):
        np.testing.assert_array_equal(a, b)


@every_layer
def test_backward_twice_gives_the_same_twice(Layer):
    layer = Layer(D, H, rng=0, dtype=np.float64)
    loss = tg.sum(layer(sequence(0))[0] ** 2)
    loss.backward()
    once = [p.grad.numpy().copy() for p in layer.parameters()]
    layer(sequence(1))  # which takes what the first backward pass has put back
    loss.backward()
    for p, g in zip(layer.parameters(), once, strict=True):
        np.testing.assert_array_equal(p.grad.numpy(), 2 * g)


def test_the_shelf_keeps_no_more_than_its_limit(shelf, monkeypatch):
    monkeypatch.setattr(workspace, "LIMIT", 3000)
    leases = [page(size) for size in (900, 1000, 1100, 950)]
    while leases:
        leases.pop(0)
    waiting = [space for spaces in shelf._spaces.values() for space in spaces]
    assert [space.nbytes for space in waiting] == [1100, 950]  # those that waited longest were given up
    assert shelf._bytes == 2050
    assert page(4000).nbytes == 4000  # larger than the limit: used, and not kept, and nobody makes room for it
    assert shelf._bytes == 2050


def test_a_kind_and_size_is_a_workspace_of_its_own(shelf):
    first = page()
    space = first.space
    del first
    assert page(2048).space is not space
    assert Lease(Page, np, np.dtype(np.int8), 1024).space is not space
    assert page().space is space


def test_a_lease_ends_once(shelf):
    lease = page()
    with lease as space:
        pass
    del lease
    assert [s for spaces in shelf._spaces.values() for s in spaces] == [space]


def test_what_the_garbage_collector_puts_back_waits_for_nobody(shelf):
    """It may run at any time, also while this very thread has the shelf's lock."""
    lease = page()
    space = lease.space

    def collected_inside():
        with shelf._lock:
            lease.__del__()

    thread = Thread(target=collected_inside, daemon=True)
    thread.start()
    thread.join(timeout=5)
    assert not thread.is_alive(), "deadlock"
    assert page().space is space  # it came back all the same


def test_a_graph_in_a_cycle_gives_its_workspace_back(shelf, made):
    layer = nn.LSTM(D, H, rng=0)
    outputs = layer(sequence(0))[0]
    outputs.node.params["cycle"] = outputs.node
    del outputs
    gc.collect()
    made.clear()
    layer(sequence(1))
    assert not made


def train(Layer, seed, steps=20):
    layer = Layer(D, H, rng=seed, dtype=np.float64)
    optimizer = optim.SGD(layer.parameters(), 0.1)
    for i in range(steps):
        optimizer.zero_grad()
        outputs, _ = layer(sequence([seed, i]))
        tg.mean(outputs * outputs).backward()
        optimizer.step()
    return [p.numpy().copy() for p in layer.parameters()]


@every_layer
def test_two_threads_train_as_each_alone(Layer):
    alone = [train(Layer, seed) for seed in (0, 1)]
    with ThreadPoolExecutor(2) as threads:
        together = list(threads.map(lambda seed: train(Layer, seed), (0, 1)))
    for a, b in zip(alone, together, strict=True):
        for p, q in zip(a, b, strict=True):
            np.testing.assert_array_equal(p, q)


def test_a_program_ends_quietly_with_a_graph_alive():
    code = "import numpy as np, tinygrad_rnn as tg; y = tg.nn.LSTM(2, 3)(np.ones((4, 1, 2)))[0]; cycle = [y]; " \
           "cycle.append(cycle)"  # fmt: skip
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")
