# %% [markdown]
# # Truncated BPTT, and the three things that go by that name
#
# **About 90 minutes.** You need: BPTT by hand (lesson `bptt`). It is given here; this lesson is about where to cut.
#
# At the end you will
#
# - have written the three kinds of truncated BPTT that the lectures show under one name, and know them apart: by what
#   the network can *hear*, and by what it can *learn from*;
# - know what is wrong with a lecture's nine lines of pseudo-code, and which of the slips no loss curve shows;
# - have predicted with a pencil, and then measured, how far back each kind reaches, what it costs and what it holds;
# - have trained echoes longer than the chunk, and seen which kinds cannot learn them, and which one learns some.
#
# Your code goes into `exercise.py`, beside this notebook; `check("truncated.1")` grades what is saved there.

# %%
# Run me first: I find the lesson, and what you write in exercise.py, beside this notebook.
try:
    from tinygrad_rnn.course import lesson
except ImportError:  # a hosted notebook, say: fetch the course, once
    import subprocess
    import sys

    subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", "tinygrad_rnn[course]"], check=True)
    from tinygrad_rnn.course import lesson

here = lesson("truncated")  # whatever is missing here comes from the installed package
check, hint = here.check, here.hint
exercise = here.exercise  # your own code, read again whenever you save it

# %%
import time
import tracemalloc

import numpy as np

import tinygrad_rnn as tg
from tinygrad_rnn.pictures import charts

# %% [markdown]
# ## 1. Why cut at all?
#
# Before BPTT can go back a single step, the forward pass has to be through, and every state of it has to be kept. A
# book is a sequence of a million letters: a million states in memory, for *one* update of the weights.
#
# Here is the network of lesson `bptt` in the engine. `before(t, h)` is asked for the state that step $t$ reads. Now
# it hands on what it gets; where it does something else, we cut.


# %%
def weights(rng, D, H, C, gain=1.0):
    """Weights of an Elman network; W_hh is orthogonal times `gain`, so that gradients
    neither die nor explode soon."""
    W_hh = gain * np.linalg.qr(rng.normal(size=(H, H)))[0]
    return {
        "W_xh": rng.normal(0, 0.5, (D, H)),
        "W_hh": W_hh,
        "b_h": np.zeros(H),
        "W_hy": rng.normal(0, 0.5, (H, C)),
        "b_y": np.zeros(C),
    }


def unrolled(W, X, Y, before=lambda t, h: h, first=0, start=None):
    """The network in the engine, from zeros or from the array `start`: its inputs, its
    states, its losses, by step."""
    start = h = tg.tensor(
        np.zeros((X.shape[1], len(W["W_hh"]))) if start is None else start, name="h_0"
    )
    inputs, states, losses = [], [], []
    for t, (x, y) in enumerate(zip(X, Y, strict=True), first):
        with tg.step(t):
            inputs.append(tg.tensor(x, requires_grad=True, name=f"x_{t + 1}"))
            h = start if t == first else before(t, h)
            h = tg.tanh(inputs[-1] @ W["W_xh"] + h @ W["W_hh"] + W["b_h"]).named("h")
            states.append(h)
            losses.append(tg.cross_entropy(h @ W["W_hy"] + W["b_y"], y.argmax(axis=-1)))
    return inputs, states, losses


def sequence(rng, T, B, D, C):
    """Random inputs (T, B, D), random targets (T, B, C), one-hot."""
    return rng.normal(size=(T, B, D)), np.eye(C)[rng.integers(0, C, (T, B))]


def leaves(p):
    """The weights as the engine's tensors."""
    return {
        name: tg.tensor(array, requires_grad=True, name=name) for name, array in p.items()
    }


rng = np.random.default_rng(3)
W = leaves(weights(rng, 8, 64, 8))
print("steps   nodes passed on the way back   memory")
for T in (50, 100, 200):
    X, Y = sequence(rng, T, 32, 8, 8)
    tracemalloc.start()
    losses = unrolled(W, X, Y)[-1]
    with tg.tap() as seen:
        tg.grad(sum(losses), list(W.values()))
    memory = tracemalloc.get_traced_memory()[1] / 1e6
    tracemalloc.stop()
    print(f"{T:5} {len(seen.nodes):30} {memory:9.1f} MB")

# %% [markdown]
# Both grow with the length, and there is no end to it. So cut the sequence into **chunks** of $k$ steps. A lecture
# gives this pseudo-code:
#
#     h = h_0
#     for c_i in num_chunk:
#         start_i, end_i = c_i * chunk_size, (c_i + 1) * chunk_size
#         for i in range(start_i, end_i):
#             h = f_h(x[i], h)
#             y_pred[i] = f_y(h)
#         L = compute_loss(y_pred[start_i:end_i], y[start_i:end_i])
#         backprop_update(L, [f_h, f_y])
#         clear_gradient([f_h, f_y])
#
# The idea is right. Typed as it stands, there is a trap in it (the second of these), and three slips:
#
# 1. `for c_i in num_chunk` runs over a number: Python says *'int' object is not iterable*. `range` is missing.
# 2. If `num_chunk` is `n // chunk_size`, the last steps are lost; if it is rounded up, the last chunk ends too late.
# 3. `h` goes from chunk to chunk with all of its history. So nothing is cut at all! (Section 4.)
# 4. `h = h_0` stands there once, for all documents of the world. (Section 5.)
#
# **Exercise `truncated.1`**: write `chunks`, without the first two. The third is in exercise 3, the fourth in 4.

# %%
check("truncated.1")

# %%
for n, k in ((12, 4), (13, 4), (3, 4)):
    print(
        f"{n} steps, chunks of {k}:",
        [list(range(start + 1, stop + 1)) for start, stop in exercise.chunks(n, k)],
    )

# %% [markdown]
# ## 2. One name, three things
#
# "We stop backpropagation after a given number of time steps", says a lecture, and the others would agree. But they do
# three different things, and call each of them truncated BPTT. What tells them apart is **the state from which a chunk
# starts**:
#
# | kind | in the lectures' words | a chunk starts from |
# |---|---|---|
# | **isolated segments** | "a forward pass on only a portion of the training data", and back | zeros |
# | **carried state, detached** | "the whole dataset, carrying the hidden state" | the last state before, as numbers |
# | **overlapping windows** | "overlapping chunks" by "a sliding window", each "independently" | zeros |
#
# Two questions for each. Through which steps does the *state* come: what can the network have heard? And through which
# does the *gradient* go: what can it learn from? Only for the second kind the two answers differ.
#
# ## 3. Isolated segments
#
# Take steps 3 and 4 out of a sequence, and forget the rest. The dashed box, $h_2$, is nothing but zeros here.

# %%
T, B, D, H, C, k = 4, 2, 3, 4, 3, 2
rng = np.random.default_rng(4)
p = weights(rng, D, H, C, 0.9)
W, (X, Y) = leaves(p), sequence(rng, T, B, D, C)
tg.draw(
    sum(unrolled(W, X[2:], Y[2:], first=2)[-1]),
    view="cells",
    title="An isolated segment: steps 3 and 4",
)

# %% [markdown]
# Each segment is a small sequence of its own, with gradients and (in training) an update of its own. The starts need
# not lie $k$ apart: one usually draws them at random. And a step that is in two segments hears from both.
#
# **Exercise `truncated.2`**: write `tbptt_isolated`. `elman_forward`, `output_gradients` and `bptt` are there to be
# called.

# %%
check("truncated.2")

# %% [markdown]
# Against the engine, on four steps: the segments 1 to 2 and 3 to 4, each a graph of its own.

# %%
isolated = exercise.tbptt_isolated(X, Y, p, k, np.array([0, 2]))
for n, start in enumerate((0, 2)):
    _, _, losses = unrolled(W, X[start : start + k], Y[start : start + k])
    engine = tg.grad(sum(losses), W["W_hh"])[0].numpy()
    gap = np.abs(isolated["dW_hh"][n] - engine).max()
    print(
        f"segment {n + 1}: the largest difference of dW_hh, by hand and by the engine, is "
        f"{gap:.0e}"
    )
    assert np.allclose(isolated["dW_hh"][n], engine, rtol=1e-10)

# %% [markdown]
# ## 4. Carry the state, cut the gradient
#
# Now the second chunk begins where the first one ended. Its start is $h_2$ *as numbers*: the engine writes
# `h = h.detach()`, and in the picture the arrow from $h_2$ to $h_3$ is thin and dashed. The state passes; no gradient
# comes back.


# %%
def detached(t, h):
    """The state before step t: cut off from how it was made, every k steps."""
    return h.detach() if t % k == 0 else h


_, _, losses = unrolled(W, X, Y, detached)
tg.draw(
    sum(losses),
    view="cells",
    steps="all",
    title="Two chunks: the state is carried and detached",
)

# %% [markdown]
# By hand there is no graph, so there is nothing to detach. There is a number that you do *not* pass on: `bptt` tells
# you `dh0`, what the chunk has to say about the state before it, and the chunk before never hears of it. What must
# travel is the other thing. "Save the last hidden state!", as a lecture writes.
#
# **Exercise `truncated.3`**: write `tbptt_carried`. The state comes in as an argument and goes out as a result, so that
# a training loop can hand over one chunk at a time and update the weights in between.

# %%
check("truncated.3")

# %%
carried, h_last = exercise.tbptt_carried(X, Y, np.zeros((B, H)), p, k)
inputs, states, losses = unrolled(W, X, Y, detached)
from_engine = tg.grad(sum(losses), [W["W_hh"], *inputs])
assert np.allclose(carried["dW_hh"].sum(axis=0), from_engine[0].numpy(), rtol=1e-10)
assert np.allclose(carried["dX"], [g.numpy() for g in from_engine[1:]], rtol=1e-10)
assert np.allclose(h_last, states[-1].numpy(), rtol=1e-12)
print("your chunks and the engine's detached graph agree")

# %% [markdown]
# Here is the gradient on its way back, with the account of $W_{hh}$ under it: first this kind, then isolated segments.
# In both, nothing comes from $h_3$ back to $h_2$. The account tells them apart. The use of $W_{hh}$ in step 3 read
# $h_2$ in the one, and zeros in the other, where it has no part in the gradient: the bar is missing.

# %%
tg.draw(sum(losses), view="flow", steps="all", title="Carried and detached")

# %%
restarted = unrolled(W, X, Y, lambda t, h: tg.tensor(np.zeros((B, H))) if t % k == 0 else h)[
    -1
]
tg.draw(sum(restarted), view="flow", steps="all", title="Isolated")

# %% [markdown]
# ### The slip that no loss shows
#
# Leave `detach` out, as the pseudo-code does (its slip 3), and send each chunk's loss back when it is there. The states
# are the same, so the losses are, and everything seems to work. Let us watch the engine do it, chunk by chunk.

# %%
X, Y = sequence(rng, 8 * 25, 16, D, C)


def chunk_by_chunk(cut):
    """Each chunk's loss, the nodes that its backward pass goes through, and the
    milliseconds that this takes."""
    rows, h = [], np.zeros((16, H))
    for start, stop in exercise.chunks(len(X), 25):
        h = tg.tensor(h) if start == 0 else h.detach() if cut else h
        total = 0.0
        for t in range(start, stop):
            with tg.step(t):
                h = tg.tanh(tg.tensor(X[t]) @ W["W_xh"] + h @ W["W_hh"] + W["b_h"])
                total = total + tg.cross_entropy(
                    h @ W["W_hy"] + W["b_y"], Y[t].argmax(axis=-1)
                )
        spent = []
        for _ in range(3):
            began = time.perf_counter()
            tg.grad(total, list(W.values()))
            spent.append(1000 * (time.perf_counter() - began))
        with tg.tap() as seen:
            tg.grad(total, list(W.values()))
        rows.append((total.item(), len(seen.nodes), min(spent)))
    return rows


print("chunk     loss        nodes: detached   forgotten      ms: detached   forgotten")
for n, ((loss, nodes, ms), (same, more, longer)) in enumerate(
    zip(chunk_by_chunk(True), chunk_by_chunk(False), strict=True), 1
):
    assert loss == same  # to the last bit
    print(f"{n:5} {loss:10.4f} {nodes:16} {more:11} {ms:17.1f} {longer:11.1f}")
assert more > 4 * nodes  # the eighth chunk goes back through all eight

# %% [markdown]
# The eighth chunk goes back through all eight, and the graph is kept for ever: a training run that gets slower and
# slower until the memory is full. (PyTorch frees a graph when it has gone back through it, and stops at the second
# chunk: *Trying to backward through the graph a second time*. The usual cure from the web, `retain_graph=True`, is
# this very slip.)
#
# ## 5. Where a document ends
#
# Slip 4: a state is carried from chunk to chunk because the text goes on. Where one text ends and another begins, it
# must *not* be carried. A network whose state runs on hears the end of one document as the beginning of another, and no
# error tells you.
#
# **Exercise `truncated.4`**: write `tbptt_documents`, for texts that stand one after the other.

# %%
check("truncated.4")

# %% [markdown]
# To see it: two documents of five steps. We change the *first* one. What the second one's states make of that, with
# your code, and with the state carried all the way:

# %%
X, Y = sequence(rng, 10, B, D, C)
other = np.concatenate([rng.normal(size=(5, B, D)), X[5:]])
lengths = np.array([5, 5])
apart = [exercise.tbptt_documents(x, Y, lengths, p, 3)["Hs"] for x in (X, other)]
across = [exercise.elman_forward(x, np.zeros((B, H)), p)[0] for x in (X, other)]
print("change of the state in step   " + "".join(f"{t:7}" for t in range(6, 11)))
for name, (one, two) in {"reset at the border": apart, "carried across it": across}.items():
    change = np.linalg.norm((one - two)[5:], axis=(1, 2))
    print(f"{name:28}  " + "".join(f"{size:7.3f}" for size in change))
assert np.array_equal(apart[0][5:], apart[1][5:])
assert not np.allclose(across[0][5:], across[1][5:])

# %% [markdown]
# ## 6. Overlapping windows
#
# The third kind again starts from zeros, but now the pieces overlap. With $k = 3$ and a stride of 1, six steps give
# four windows:
#
#     step        1  2  3  4  5  6
#     window 1    *  *  *
#     window 2       *  *  *
#     window 3          *  *  *
#     window 4             *  *  *
#
# Why do that? Because every step (but the first few) is once the *last* of a window, with $k - 1$ steps before it. And
# windows that know nothing of each other can all be computed at once: they are a **batch**. The graph is that of a
# single window, however long the sequence; only its arrays are taller. Here are the four windows of two samples each,
# so each box holds 8 rows (the numbers count the places in a window):

# %%
X_windows, Y_windows = sequence(rng, 3, 4 * B, D, C)  # stand-ins; to cut them is your part
tg.draw(
    sum(unrolled(W, X_windows, Y_windows)[-1]), view="cells", title="Four windows, one batch"
)

# %% [markdown]
# On the way back every window has something to say to its own inputs: in the table, step 3 hears from three windows,
# step 1 from one.
#
# **Exercise `truncated.5`**: write `tbptt_windows`. The loss is a mean over the batch, so over the windows too.

# %%
check("truncated.5")

# %%
X, Y = sequence(rng, 6, B, D, C)
windows = exercise.tbptt_windows(X, Y, p, 3, 1)
# the same windows, as segments
one_by_one = exercise.tbptt_isolated(X, Y, p, 3, np.arange(4))
assert np.allclose(windows["dW_hh"], one_by_one["dW_hh"].mean(axis=0), rtol=1e-10)
assert np.allclose(windows["dX"], one_by_one["dX"] / 4, rtol=1e-10)
print("windows are isolated segments that overlap, and the batch of them is their mean")

# %% [markdown]
# ## 7. Context, reach, work, memory
#
# You have all three. Now say *beforehand* what they do, because the worst slip (the forgotten detach) shows in no loss:
# only in these numbers.
#
# **Exercise `truncated.6`**: `how_far`. Take a pencil. Its docstring has the question.

# %%
check("truncated.6")

# %% [markdown]
# Now the engine is asked. *Context*: change one input, and see whether the loss of step 10 changes. *Reach*: at which
# inputs does `tg.grad` of this loss arrive? *Work and memory*: a tap on each backward pass sees which steps it goes
# through.

# %%
X, Y = sequence(np.random.default_rng(7), 12, B, D, C)
KINDS = ["full BPTT", "isolated segments", "carried, detached", "detach forgotten", "windows"]


def pieces(kind, X):
    """What is sent back one after the other, as the engine records it: (inputs by step,
    losses by step) of each."""
    if kind == "windows":
        parts = [(a, unrolled(W, X[a : a + 4], Y[a : a + 4], first=a)) for a in range(9)]
        return [
            (dict(enumerate(xs, a)), dict(enumerate(losses, a)))
            for a, (xs, _, losses) in parts
        ]
    fresh = {
        "isolated segments": lambda h: tg.tensor(np.zeros((B, H))),
        "carried, detached": lambda h: h.detach(),
    }
    cut = fresh.get(kind, lambda h: h)
    xs, _, losses = unrolled(W, X, Y, lambda t, h: cut(h) if t % 4 == 0 else h)
    size = 12 if kind == "full BPTT" else 4
    return [
        (dict(enumerate(xs)), {t: losses[t] for t in range(a, a + size)})
        for a in range(0, 12, size)
    ]


def measured(kind):
    """context, reach, work, held: as `how_far` has them."""
    asked = 9  # step 10
    recorded = [(xs, losses) for xs, losses in pieces(kind, X)]
    context, reach = [], []
    for n, (xs, losses) in enumerate(recorded):
        if asked not in losses:
            continue
        arrived = tg.grad(losses[asked], list(xs.values()), allow_unused=True)
        reach.append(sum(g is not None and bool(g.numpy().any()) for g in arrived))
        changes = 0
        for t in range(12):
            moved = X.copy()
            moved[t] += 0.1
            changes += pieces(kind, moved)[n][1][asked].item() != losses[asked].item()
        context.append(changes)
    passed = []
    for _, losses in recorded:
        with tg.tap() as seen:
            tg.grad(sum(losses.values()), W["W_xh"])
        passed.append(len({node.step for node, _ in seen.nodes} - {None}))
    return {
        "context": max(context),
        "reach": max(reach),
        "work": sum(passed),
        "held": max(passed),
    }


predicted = exercise.how_far()
print(
    "                     context      reach       work       held      (predicted / measured)"
)
for n, kind in enumerate(KINDS):
    found = measured(kind)
    print(
        f"{kind:18}" + "".join(f"{predicted[name][n]:6} /{found[name]:3}" for name in found)
    )
    assert all(predicted[name][n] == found[name] for name in found)

# %% [markdown]
# Isolated segments and detached chunks cost what full BPTT costs, and hold no more than a chunk. A forgotten detach
# costs more with every chunk, and holds everything. Windows of stride 1 cost up to $k$ times as much: the price of
# $k - 1$ steps of context before almost every loss. (Here each is a backward pass of its own. As one batch they hold
# all 36 steps at once.)
#
# > **A slip of the lectures.** Of truncated BPTT as such, a lecture says: "The size of the context is determined by the
# > chunk size. The network cannot learn to detect relationships in the data that span over a longer timescale." That is
# > the lecture of the windows, and for windows (and isolated segments) it is true. With a carried state the first
# > sentence is wrong: the loss of step 10 depends on all ten inputs. What the chunk limits is the *reach of the
# > gradient*. Whether the second sentence is wrong too, section 9 will ask the network itself.
#
# ## 8. What is saved, and what is lost
#
# First the savings. One pass over 240 steps with the carried state, for several $k$, one update a chunk:


# %%
def one_pass(W, X, Y, k):
    """Through all of X in chunks of k, forward and back; the number of nodes in the last
    chunk's graph."""

    def chunk(start, stop, h):
        _, states, losses = unrolled(W, X[start:stop], Y[start:stop], first=start, start=h)
        with tg.tap() if stop == len(X) else tg.enable_grad() as seen:
            tg.grad(sum(losses), list(W.values()))
        return states[-1].numpy(), seen

    h = None
    for start, stop in exercise.chunks(len(X), k):
        h, seen = chunk(start, stop, h)  # when it returns, nothing holds its graph any more
    return len(seen.nodes)


rng = np.random.default_rng(5)
big, (X, Y) = leaves(weights(rng, 8, 64, 8)), sequence(rng, 240, 32, 8, 8)
print("   k   nodes in a graph   memory in MB   ms for all 240 steps   updates")
memory = {}
for k in (240, 60, 20, 5, 1):
    began = time.perf_counter()
    nodes = one_pass(big, X, Y, k)
    spent = 1000 * (time.perf_counter() - began)
    tracemalloc.start()  # once more, because watching takes time itself
    one_pass(big, X, Y, k)
    memory[k] = tracemalloc.get_traced_memory()[1] / 1e6
    tracemalloc.stop()
    print(f"{k:4} {nodes:18} {memory[k]:14.2f} {spent:22.0f} {240 // k:9}")
assert memory[240] > 8 * memory[20]

# %% [markdown]
# Memory falls with $k$, and there are more updates. The work does not fall: every step is passed once.
#
# Now the price. How far is the truncated gradient from the full one? `flow.truncation_bias` compares each kind, for
# several $k$, over all weights at once. The network is a fresh one, with 60 steps and a loss at each.

# %%
rng = np.random.default_rng(6)
T = 60
W, (X, Y) = leaves(weights(rng, 3, 16, 3)), sequence(rng, T, 4, 3, 3)


def advance(t, h):
    """Step t: the loss, and the state."""
    h = tg.tanh(X[t] @ W["W_xh"] + h @ W["W_hh"] + W["b_h"])
    return tg.cross_entropy(h @ W["W_hy"] + W["b_y"], Y[t].argmax(axis=-1)), h


start = tg.tensor(np.zeros((4, 16)))
rows = tg.flow.truncation_bias(
    advance, start, T, list(W.values()), [1, 2, 3, 5, 10, 15, 20, 30]
)
charts.truncation_chart(rows)

# %%
print(
    "   k    isolated    carried    windows     (error of the gradient, relative to the "
    "full one)"
)
by_kind = {(row.kind, row.k2): row for row in rows}
for k in (1, 5, 10, 30):
    errors = [by_kind[kind, k].relative_error for kind in ("isolated", "carried", "windows")]
    print(f"{k:4} " + "".join(f"{100 * error:9.1f} %" for error in errors))
assert all(
    by_kind["carried", k].relative_error < by_kind["isolated", k].relative_error
    for k in (1, 5, 10, 30)
)

# %% [markdown]
# (Here a loss that is in several windows counts once, as their mean, so that it can be compared.) The carried kind is
# the better of the two that cut into chunks: its states are right, only the way back is cut short. But none is right:
# truncation is a *bias*, not noise. More data does not average it away.
#
# Where does the cut lie? Below: how much of a loss arrives how many steps back, on average over the losses. The lines
# agree at first. With chunks of 10 a loss reaches 9 steps back at most, and that only from the last step of a chunk.

# %%
reach = {}
ways = {
    "full BPTT": lambda t, h: h,
    "carried, k = 10": lambda t, h: h.detach() if t % 10 == 0 else h,
}
for name, cut in ways.items():
    _, states, losses = unrolled(W, X, Y, cut)
    reach[name] = tg.flow.by_lag(losses, states)
assert len(reach["full BPTT"]) == T
assert len(reach["carried, k = 10"]) == 10
charts.lag_chart(reach)

# %% [markdown]
# ## 9. The experiment: echoes longer than the chunk
#
# A stream without end of zeros and ones. At each step the network has to say what it heard `lag` steps ago. Whoever
# guesses is right half of the time. Your three functions do all the learning; every run hears 6 000 steps of 32
# streams and changes its weights after each chunk. (So a carried state was made by slightly older weights than those
# that read it. While the updates are small, nobody minds.)
#
# Say first what you expect. An echo of 5 steps, chunks of 5 steps. In an isolated segment the answer to *no* step is
# within the segment: the first step that has heard 5 steps before it would be the sixth. And with a carried state?
#
# The last row is for comparison: the state is carried, but only the output layer learns. The recurrent weights stay as
# random as they were. The lectures call this an echo state network.

# %%
UNITS, STREAMS, STEPS = 32, 32, 6000


class Adam:
    """Kingma & Ba (2015), on a dict of arrays."""

    def __init__(self, p, rate=0.003):
        self.rate, self.updates = rate, 0
        self.mean = {name: np.zeros_like(array) for name, array in p.items()}
        self.square = {name: np.zeros_like(array) for name, array in p.items()}

    def update(self, p, d):
        """The weights after one more update with the gradients d."""
        self.updates, new = self.updates + 1, {}
        for name, array in p.items():
            g = d["d" + name]
            self.mean[name] = 0.9 * self.mean[name] + 0.1 * g
            self.square[name] = 0.99 * self.square[name] + 0.01 * g**2
            mean, square = (
                self.mean[name] / (1 - 0.9**self.updates),
                self.square[name] / (1 - 0.99**self.updates),
            )
            new[name] = array - self.rate * mean / (np.sqrt(square) + 1e-8)
        return new


def echo(rng, steps, streams, lag):
    """Bits as one-hot X (steps, streams, 2), and Y, the same `lag` steps late; bits before
    the stream count too."""
    bits = np.eye(2)[rng.integers(0, 2, (steps + lag, streams))]
    return bits[lag:], bits[:steps]


def train(kind, k, lag, seed=0):
    """The weights after one pass through the stream."""
    rng = np.random.default_rng(seed)
    p = weights(rng, 2, UNITS, 2, 0.97)
    adam, h, ones = Adam(p), np.zeros((STREAMS, UNITS)), np.array([0])
    X, Y = echo(rng, STEPS, STREAMS, lag)
    for a in range(0, STEPS - k + 1, k):
        x, y = X[a : a + k], Y[a : a + k]
        if kind == "isolated":
            d = exercise.tbptt_isolated(x, y, p, k, ones)
        elif kind == "carried":
            d, h = exercise.tbptt_carried(x, y, h, p, k)
        elif kind == "windows":
            # a few of each of eight streams, within the length of two chunks
            x, y = X[max(0, a - k) : a + k, :8], Y[max(0, a - k) : a + k, :8]
            d = exercise.tbptt_windows(x, y, p, k, max(1, k // 3))
        else:
            d, h = exercise.tbptt_carried(x, y, h, p, k)
            d = {name: array * (name in ("dW_hy", "db_y")) for name, array in d.items()}
        p = adam.update(
            p, {n: (d[n] if kind == "windows" else d[n][0]) / k for n in exercise.GRADIENTS}
        )
    return p


def right(p, kind, k, lag):
    """How often the last answer is right after what the kind hears: k steps from zeros, or
    a stream."""
    X, Y = echo(
        np.random.default_rng(1000), k if kind in ("isolated", "windows") else 60, 4000, lag
    )
    _, O = exercise.elman_forward(X, np.zeros((4000, UNITS)), p)
    return (O[-1].argmax(axis=-1) == Y[-1].argmax(axis=-1)).mean()


LAGS, SIZES = (1, 5, 10), (1, 5, 10, 20)
score = {}
print("                      echo of  " + "".join(f"{lag:6}" for lag in LAGS) + "  steps")
for kind in ("isolated", "windows", "carried", "echo state"):
    for k in (5,) if kind == "echo state" else SIZES:
        began = time.perf_counter()
        for lag in LAGS:
            score[kind, k, lag] = right(train(kind, k, lag), kind, k, lag)
        row = "".join(f"{100 * score[kind, k, lag]:6.0f}" for lag in LAGS)
        print(
            f"{kind:10} chunks of {k:2} steps:   {row}  % right   "
            f"({time.perf_counter() - began:.1f} s)",
            flush=True,
        )

# %%
for kind in ("isolated", "windows"):
    for k, lag in [(k, lag) for k in SIZES for lag in LAGS]:
        if lag >= k:
            assert score[kind, k, lag] < 0.55  # guessing
        elif 2 * lag <= k:
            assert score[kind, k, lag] > 0.95
# one step beyond what a gradient can reach
assert min(score["carried", k, k] for k in (1, 5, 10)) > 0.85
# it learned more than to read
assert score["carried", 10, 10] > score["echo state", 5, 10] + 0.1
# and here less than nothing
assert score["carried", 5, 10] < score["echo state", 5, 10] - 0.05

# %% [markdown]
# Isolated segments and windows behave as the lecture says: what lies a chunk or more back cannot be learned. It is not
# in the input.
#
# The carried state does better. With chunks of $k$ steps it learns the echo of $k$ steps, although the bit that is
# asked for came before the chunk began, where *no* gradient reaches. Even with chunks of one step, where no gradient
# ever crosses from one state to another, it repeats the bit before. How can that be?
#
# The last row has half of the answer. Random recurrent weights keep traces of the last inputs, by themselves; and a
# gradient that stops at the chunk's border still teaches the output to **read** what the carried state holds. For an
# echo of 5 steps, that is all it takes. The echo of 10 with chunks of 10 is more: much better than with random weights.
# So the recurrent weights did learn, from gradients that never saw the bit come in, to pass on its traces.
#
# But now the echo of 10 with chunks of 5: *worse* than with recurrent weights that learn nothing at all. (Over five
# seeds 50 to 68 %, against 71 to 85 %; and with four times the training no better.) The gradient looks five steps back,
# changes the recurrent weights for what it sees there, and older traces are lost. What lies beyond its reach, a
# truncated gradient does not only fail to teach. It does not *protect* it either.
#
# So, for a carried state, the lecture's sentence reads: the context has no limit, and the network may learn from it a
# little beyond the chunk, if it is lucky. **Choose $k$ longer than the dependencies that you want to learn**, and carry
# the state anyway: it is free.
#
# ## 10. Two numbers instead of one (extra)
#
# In a chunk, the first loss goes back through one step and the last one through $k$: on average about half the chunk.
# This can be mended, at a price. Every $k_1$ steps, send the newest $k_1$ losses back through $k_2 \ge k_1$ steps, so
# that the pieces that are passed backward overlap. With $k_1 = 1$, every loss reaches the full $k_2$ steps. Williams &
# Peng (1990) call it BPTT($h$; $h'$) with $h = k_2$, $h' = k_1$; Sutskever (2013) writes TBPTT($k_1$, $k_2$). If
# both are equal, it is section 4.
#
# **Exercise `truncated.7`**: write `tbptt_k1k2`. Mind that each loss speaks once.

# %%
check("truncated.7")

# %%
p = {name: tensor.numpy() for name, tensor in W.items()}
full = exercise.tbptt_carried(X, Y, np.zeros((4, 16)), p, T)[0]


def error(d):
    """How far the sum of all sets is from the full gradient, relative to it, over all
    weights."""
    off = sum(
        ((d[name].sum(axis=0) - full[name][0]) ** 2).sum() for name in exercise.GRADIENTS
    )
    return np.sqrt(off / sum((full[name] ** 2).sum() for name in exercise.GRADIENTS))


print(" k1   k2   error    steps passed backward")
pairs = [(10, 10), (5, 10), (2, 10), (1, 10)]
table = tg.flow.truncation_bias(advance, start, T, list(W.values()), pairs, ["carried"])
errors = []
for (k1, k2), row in zip(pairs, table, strict=True):
    errors.append(error(exercise.tbptt_k1k2(X, Y, p, k1, k2)))
    work = sum(min(k1, T - a) + min(a, k2 - k1) for a in range(0, T, k1))
    print(f"{k1:3} {k2:4} {100 * errors[-1]:6.1f} % {work:12}")
    assert np.isclose(errors[-1], row.relative_error, rtol=1e-8)  # the engine's number
assert errors[-1] < errors[0]

# %% [markdown]
# ## What you have now
#
# - **Three kinds, told apart by the state at a chunk's start.** Isolated segments and windows: zeros, and the chunk is
#   all that there is. Carried and detached: the network has heard everything, and is taught by gradients that end with
#   the chunk.
# - **Three lines to look at in any training loop**: where the state is detached (each chunk), where it is set to zeros
#   (each document, and nowhere else), where gradients are cleared (each update).
# - **The slip that no loss shows**: a forgotten detach. Count nodes, or watch the memory.
#
# What keeps a gradient alive *within* the chunk, and what kills it, is lesson `vanishing`.
#
# *Sources.* R. J. Williams and J. Peng, "An efficient gradient-based algorithm for on-line training of recurrent
# network trajectories", Neural Computation 2, 1990. I. Sutskever, "Training recurrent neural networks", PhD thesis,
# Toronto, 2013, section 2.8.6. D. P. Kingma and J. Ba, "Adam: a method for stochastic optimization", ICLR 2015.
