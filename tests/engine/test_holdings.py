"""tg.memory: every buffer that a graph keeps alive, once, for who made it."""

from __future__ import annotations

import dataclasses
import gc
import tracemalloc
from types import SimpleNamespace

import numpy as np
import pytest

import tinygrad_rnn as tg
from tinygrad_rnn.holdings import SHOWN, Holdings, Row

KB = 8 * 128  # an array (128,) of float64


def leaf(n=128, name=None, seed=0) -> tg.Tensor:
    return tg.tensor(np.random.default_rng(seed).normal(size=n), requires_grad=True, name=name)


def rows(held: Holdings) -> dict:
    return {(*row.scope, row.op): (row.nodes, row.bytes) for row in held.rows}


def test_it_is_what_the_allocator_counts():
    """Against Python's own account of every allocation: arrays, and the objects around them."""

    def build():
        rng = np.random.default_rng(0)
        lstm, head = tg.nn.LSTM(8, 32, 2, dropout=0.5, kernel="unrolled", rng=rng), tg.nn.Linear(32, 8, rng=rng)
        gru = tg.nn.GRU(32, 16, kernel="unrolled", rng=rng)
        X, Y = rng.normal(size=(100, 4, 8)).astype(np.float32), rng.integers(0, 8, (100, 4))
        outputs, _ = lstm(X)
        more, _ = gru(outputs)
        return tg.sequence_loss(head(outputs), Y) + tg.sum(more * more)

    build()
    gc.collect()
    tracemalloc.start()
    try:
        loss = build()
        gc.collect()
        traced = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    held = tg.memory(loss)
    assert held.bookkeeping > 0.2 * traced  # small arrays: the objects are no trifle
    assert held.total + held.bookkeeping == pytest.approx(traced, rel=0.03)


def test_leaves_are_told_from_what_was_made():
    x, W, b = tg.tensor(np.ones((4, 8))), leaf((8, 16)), leaf(16)
    held = tg.memory(tg.tanh(x @ W + b))
    assert (held.leaves, held.given) == (8 * (4 * 8 + 8 * 16 + 16), 3)
    assert (held.made, held.nodes) == (8 * 3 * 4 * 16, 3)
    assert held.total == held.leaves + held.made
    assert rows(held) == {("matmul",): (1, 512), ("add",): (1, 512), ("tanh",): (1, 512)}


def test_views_count_once_for_the_one_whose_buffer_it_is():
    x = leaf()
    y = x * 2
    parts = tg.split(tg.reshape(y, (8, 16)), 4)
    held = tg.memory([*parts, y.reshape(2, -1).T])
    assert rows(held) == {("multiply",): (1, KB), ("reshape",): (2, 0), ("split",): (1, 0), ("transpose",): (1, 0)}
    assert held.leaves == KB


def test_a_view_keeps_the_whole_of_its_base_alive():
    data = np.ones((1000, 128))
    held = tg.memory(leaf() * data[3])
    assert (held.leaves, held.made) == (KB + data.nbytes, KB)
    stretched = tg.memory(tg.broadcast_to(leaf(), (1000, 128)))
    assert stretched.total == KB


def test_arrays_that_were_given_are_inputs_and_constants_are_the_operations():
    rng = np.random.default_rng(0)
    logits, targets = leaf((16, 4)), rng.integers(0, 4, 16)
    held = tg.memory(tg.cross_entropy(logits, targets))
    assert held.leaves == logits.data.nbytes
    assert held.made == targets.nbytes + 16 * 4 * 8 + 8  # targets, the softmax that it saved, and the loss
    picked = leaf()[np.arange(5), ...]
    assert rows(tg.memory(picked)) == {("getitem",): (1, 5 * 8 + 5 * 8)}
    dropped = tg.dropout(leaf(), 0.5, rng)
    assert rows(tg.memory(dropped)) == {("dropout",): (1, 2 * KB)}


def test_a_parameter_rebound_since_is_held_in_both_forms():
    W = leaf()
    y = W * 2
    assert tg.memory(y).leaves == KB
    W.data = W.data - 1
    held = tg.memory(y)
    assert (held.leaves, held.given, held.made) == (2 * KB, 1, KB)


def test_gradients_are_not_the_graphs():
    W = leaf()
    loss = tg.sum(W * W)
    before = tg.memory(loss)
    loss.backward()
    assert tg.memory(loss) == before


@pytest.mark.parametrize(
    ("saved", "size"),
    [
        (np.ones(10), 80),
        ((np.ones(10), None, (np.ones(5), 3.0)), 120),
        (SimpleNamespace(nbytes=12345), 12345),
        (None, 0),
        (np.float64(1), 0),
        ("word", 0),
    ],
)
def test_what_an_operation_saved_is_its_own(saved, size):
    @tg.primitive(saves=True)
    def fused(x):
        return x * 2, saved

    fused.vjp(0)(lambda g, y, x, saved: g * 2)
    x = leaf()
    held = tg.memory(fused(x))
    assert rows(held) == {("fused",): (1, KB + size)}
    assert tg.memory([fused(x), fused(x)]).made == 2 * KB + size  # one workspace that two share


def test_several_outputs_share_what_they_share():
    x = leaf()
    y = tg.sin(x)
    a, b = y * 2, y * 3
    assert tg.memory(a).total == 3 * KB
    assert tg.memory((a, b)).total == 4 * KB
    assert tg.memory([a, a]) == tg.memory(a)


def test_a_leaf_alone_and_what_has_no_history():
    held = tg.memory(leaf())
    assert (held.total, held.leaves, held.given, held.nodes, held.rows, held.steps) == (KB, KB, 1, 0, (), ())
    assert tg.memory(tg.tensor(np.ones(3)) * 2).leaves == 24
    assert tg.memory([]).total == 0


def test_a_trace_holds_what_nobody_uses_and_what_it_was_made_from():
    x = leaf()
    before = tg.exp(x)
    with tg.trace() as tr:
        y = tg.sin(before)
        tg.cos(y)
    assert rows(tg.memory(tr)) == {("exp",): (1, KB), ("sin",): (1, KB), ("cos",): (1, KB)}
    assert rows(tg.memory(y)) == {("exp",): (1, KB), ("sin",): (1, KB)}
    with tg.trace() as broken, pytest.raises(ValueError, match="inner sizes"):
        tg.sin(x) @ np.ones(3)
    held = tg.memory(broken)
    assert rows(held) == {("sin",): (1, KB), ("matmul",): (1, 0)}
    assert held.leaves == KB + 24


def test_rows_by_scope_and_operation_and_bytes_by_step():
    h, W = leaf(), leaf(seed=1)
    for t in (3, 4, 5):
        with tg.scope("rnn"), tg.step(t):
            h = tg.tanh(h * W)
            if t == 4:
                h = h * 1.0
    with tg.scope("head"):
        out = h * 2
    held = tg.memory(out)
    assert rows(held) == {("rnn", "multiply"): (4, 4 * KB), ("rnn", "tanh"): (3, 3 * KB), ("head", "multiply"): (1, KB)}
    assert [row.bytes for row in held.rows] == [4 * KB, 3 * KB, KB]
    assert held.steps == ((3, 2 * KB), (4, 3 * KB), (5, 2 * KB))
    text = repr(held)
    assert "made in step 3: 2.0 kB, in step 5: 2.0 kB; the mean of 3 steps: 2.4 kB" in text.splitlines()


def test_segments_hold_a_fraction():
    gru, x = tg.nn.GRU(3, 8, rng=0), np.ones((100, 2, 3), np.float32)
    plain = tg.memory(tg.sum(gru(x)[0]))
    sums, _ = tg.checkpoint_segments(lambda x, h, t0: (lambda ys, h: (tg.sum(ys), h))(*gru(x, h, offset=t0)), x)
    cut = tg.memory(sum(sums))
    assert cut.made < 0.1 * plain.made
    assert cut.leaves == plain.leaves - 2 * 8 * 4  # but the zeros to start from, which f makes itself


def test_arrays_that_know_no_base(device):
    x = tg.tensor(np.ones((4, 8)), requires_grad=True, device=device)
    y = tg.tanh(x @ tg.tensor(np.ones((8, 2)), device=device))
    held = tg.memory(y)
    assert (held.leaves, held.made) == (8 * (32 + 16), 2 * 8 * 8)


def test_a_long_chain_takes_seconds_and_no_recursion():
    y = leaf(1)
    for _ in range(100_000):
        y = y * 1.0
    held = tg.memory(y)
    assert (held.nodes, held.made) == (100_000, 100_000 * 8)


def test_the_table_is_aligned_largest_first_and_sums():
    with tg.scope("a"):
        x = tg.tanh(leaf(1000) * 2.0)
    with tg.scope("longer name"):
        y = tg.sum(x)
    lines = str(tg.memory(y)).splitlines()
    assert lines == [
        "scope        operation  count    bytes  share",
        "a            multiply       1   8.0 kB    33%",
        "a            tanh           1   8.0 kB    33%",
        "longer name  sum            1      8 B     0%",
        "leaves                      1   8.0 kB    33%",
        "total                       4  24.0 kB   100%",
        lines[-1],
    ]
    assert lines[-1].startswith("beside the arrays, ")


def test_small_rows_are_summed_and_numbers_have_units():
    sizes = [3_000_000_000, 999_960, 999, *[1] * 20]
    made = tuple(Row((f"layer {i}",), "add", 1, size) for i, size in enumerate(sizes))
    text = repr(Holdings(0, 0, 23, 1_260_000, made, ()))
    lines = text.splitlines()
    assert len(lines) == 1 + SHOWN + 1 + 2 + 1
    assert [line.split()[4:6] for line in lines[1:4]] == [["3.0", "GB"], ["1.0", "MB"], ["999", "B"]]
    assert lines[1 + SHOWN].split() == ["others", "(3", "rows)", "3", "3", "B", "0%"]
    assert lines[-1] == "beside the arrays, 1.3 MB of Python objects"


def test_a_notebook_shows_the_same_table():
    with tg.scope("<b>"):
        held = tg.memory(tg.tanh(leaf()))
    html = held._repr_html_()
    assert html.count("<tr>") == html.count("</tr>") == 4  # with the titles, leaves and total
    assert "&lt;b&gt;" in html
    assert "<b>" not in html
    for cell in ("operation", "tanh", "1.0 kB", "50%"):
        assert cell in html


def test_it_is_immutable_and_refuses_what_has_no_graph():
    held = tg.memory(leaf())
    with pytest.raises(dataclasses.FrozenInstanceError):
        held.leaves = 0
    for wrong in (np.ones(3), [np.ones(3)], None, {"loss": leaf()}):
        with pytest.raises(TypeError, match=r"^memory: output is a Tensor, a list of them, or a trace, not a"):
            tg.memory(wrong)
