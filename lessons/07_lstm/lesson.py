# %% [markdown]
# # The LSTM, and where its gradient goes
#
# **About 115 minutes.** You need: BPTT by hand (lesson `bptt`) and the vanishing gradient (lesson `vanishing`).
#
# At the end you will
#
# - have written an LSTM's forward and backward pass by hand, and trained a network with them;
# - know which part of $\partial c_t/\partial c_{t-1}$ is the famous "highway", and which part slides leave out;
# - have seen the gradient of an LSTM vanish, twice: with a forget bias of 0, and after training on text;
# - have seen what the gates are for: a task that an LSTM solves and a vanilla RNN, with the same budget, does not.
#
# Your code goes into `exercise.py`, beside this notebook; `check("lstm.1")` grades what is saved there.

# %%
# Run me first: I find the lesson, and what you write in exercise.py, beside this notebook.
try:
    from tinygrad_rnn.course import lesson
except ImportError:  # a hosted notebook, say: fetch the course, once
    import subprocess
    import sys

    subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", "tinygrad_rnn[course]"], check=True)
    from tinygrad_rnn.course import lesson

here = lesson("lstm")  # whatever is missing here comes from the installed package
check, hint = here.check, here.hint
exercise = here.exercise  # your own code, read again whenever you save it

# %%
import numpy as np

import tinygrad_rnn as tg
from tinygrad_rnn.pictures import charts

# %% [markdown]
# ## 1. Do not overwrite: add
#
# A vanilla RNN writes its whole memory anew at every step, $h_t = \tanh(x_t W_{xh} + h_{t-1} W_{hh} + b)$. On the way
# back the gradient passes a matrix and a tanh at every step, and a product of many such factors dies or explodes.
#
# The lectures take a first step away from this and call it the **incomplete LSTM**. A second state, the cell $c$, is
# only ever *added to*:
#
# $$\tilde c_t = \tanh(x_t W_{xh} + h_{t-1} W_{hh} + b), \qquad c_t = c_{t-1} + \tilde c_t, \qquad h_t = \tanh(c_t).$$
#
# A sum hands its gradient on unchanged, so along $c$ there is a road without any factor. Here it is, with one unit,
# three steps and the loss $L = h_3$; the cell starts at 0, in the dashed box. Read the red numbers on the green line
# from right to left.


# %%
def incomplete_network(X, W_xh, W_hh, h, c):
    """The same recurrence in the engine, so that it can be drawn. X (T, B, D), h and
    c (B, H)."""
    for t, x in enumerate(tg.unstack(X)):
        with tg.step(t):
            c = (c + tg.tanh(x @ W_xh + h @ W_hh)).named("c")
            h = tg.tanh(c).named("h")
    return h


X = tg.tensor(np.array([0.5, -0.4, 0.8]).reshape(3, 1, 1), name="X")
W_xh = tg.tensor(np.array([[0.6]]), requires_grad=True, name="W_xh")
W_hh = tg.tensor(np.array([[-0.2]]), requires_grad=True, name="W_hh")
h_0, c_0 = (tg.tensor(np.zeros((1, 1)), name=name) for name in ("h_0", "c_0"))
loss = tg.sum(incomplete_network(X, W_xh, W_hh, h_0, c_0))
tg.draw(loss, view="cells", title="The incomplete LSTM")

# %% [markdown]
# Along the green line the gradient shrinks a little, although a sum takes nothing away. The lectures write why:
#
# $$\frac{\partial c_t}{\partial c_{t-1}} = 1 + \frac{\partial \tilde c_t}{\partial c_{t-1}}.$$
#
# The 1 is the direct road. The rest takes the detour $c_{t-1} \to h_{t-1} \to \tilde c_t$, the slanting arrows of the
# picture. In code the two roads are two gradients that travel from step to step, `dc` along the cell and `dh` along
# the slanting arrows. They meet in $c_{t-1}$, which is read twice.
#
# ### Exercise 1: the way back through the incomplete LSTM
#
# The forward step `incomplete_lstm_step` is given in `exercise.py`; its way back is yours. `dc` comes from the step
# after, `dh` from everything that reads $h_t$. Add first what meets in $c_t$, then hand on.

# %%
check("lstm.1")

# %% [markdown]
# ### What it shows
#
# Your step back, repeated, carries the gradient of the last $h$ through forty steps. Beside it: the direct road alone
# (a factor of 1 a step, for ever), and a vanilla RNN with the same weights.

# %%
H, D, T = 8, 3, 40
rng = np.random.default_rng(0)
small = {
    "W_xh": rng.normal(size=(D, H)) / 2,
    "W_hh": rng.normal(size=(H, H)) / 4,
    "b_h": np.zeros(H),
}
inputs = rng.normal(size=(T, 1, D))

h, c, memory = np.zeros((1, H)), np.zeros((1, H)), []
for x in inputs:
    h_prev = h
    h, c, c_tilde = exercise.incomplete_lstm_step(x, h_prev, c, small)
    memory.append((x, h_prev, c_tilde, h))

dh, dc = np.ones((1, H)), np.zeros((1, H))  # dL/dh of the last step, for L = the sum of its h
along_the_cell = []  # the norm of dL/dc_t, from the last step to the first
for x, h_prev, c_tilde, h in reversed(memory):
    along_the_cell.append(np.linalg.norm(dc + dh * (1 - h**2)))
    back = exercise.incomplete_lstm_step_backward(dh, dc, x, h_prev, c_tilde, h, small)
    dh, dc = back["dh_prev"], back["dc_prev"]

h, states = np.zeros((1, H)), []
for x in inputs:
    h = np.tanh(x @ small["W_xh"] + h @ small["W_hh"])
    states.append(h)
dh, vanilla = np.ones((1, H)), []
for h in reversed(states):
    vanilla.append(np.linalg.norm(dh))
    dh = (dh * (1 - h**2)) @ small["W_hh"].T

charts.lag_chart(
    {
        "incomplete LSTM": along_the_cell,
        "its direct road": [along_the_cell[0]] * T,
        "vanilla RNN": vanilla,
    },
    "The gradient on its way back through forty steps",
    "norm of ∂L/∂c (vanilla: ∂L/∂h)",
)

# %%
kept = along_the_cell[-1] / along_the_cell[0]
lost = vanilla[-1] / vanilla[0]
print(
    f"of the gradient, {kept:.3g} is left after {T - 1} steps in the incomplete LSTM, "
    f"{lost:.3g} in the vanilla RNN"
)
assert kept > 0.01
assert lost < 1e-9

# %% [markdown]
# So adding works. But the incomplete LSTM is rightly called incomplete: whatever it has added stays added. It cannot
# erase, it cannot decide what to add, and it shows everything it holds at every step. Each of these lacks a gate.
#
# ## 2. The gates
#
# | gate | question | formula |
# |---|---|---|
# | $i$, input | do I write? | $\sigma(\cdot)$, 0 to 1 |
# | $f$, forget | do I keep? | $\sigma(\cdot)$, 0 to 1 |
# | $o$, output | do I show? | $\sigma(\cdot)$, 0 to 1 |
# | $g$, candidate | what would I write? | $\tanh(\cdot)$, −1 to 1 |
#
# Each reads $x_t W_{xh} + h_{t-1} W_{hh} + b_h$ with a block of columns of its own; the four blocks stand side by
# side, in the order $i, f, o, g$ of all lectures that stack them. One product computes all four. Then
#
# $$c_t = f \odot c_{t-1} + i \odot g, \qquad h_t = o \odot \tanh(c_t).$$
#
# **A slip of three lectures.** They show this cell and cite Hochreiter & Schmidhuber 1997. That cell had no forget
# gate: its state was $c_{t-1} + i \odot g$, the "constant error carousel", with a weight of exactly 1. The forget
# gate came with Gers, Schmidhuber & Cummins in 2000, for a reason that you will see in a moment.

# %%
one_unit = tg.nn.LSTM(
    1, 1, kernel="unrolled", rng=np.random.default_rng(0), dtype=np.float64
)  # its steps are recorded one by one, so that they can be seen
outputs, _ = one_unit(tg.tensor(np.array([0.3, -0.6, 0.9]).reshape(3, 1, 1), name="X"))
tg.draw(tg.sum(outputs[-1]), view="gates", title="Inside step 3 (index 2)")

# %% [markdown]
# The cell state is the conveyor belt on top. What stands above it, $\partial c_3/\partial c_2 = f$, is the *direct*
# road; in section 5 you compute the whole derivative.
#
# ### Exercise 2: one step of the LSTM
#
# `lstm_step` returns $h$, $c$ and the four gates (after their sigmoid or tanh), side by side: the way back wants
# them.

# %%
check("lstm.2")

# %% [markdown]
# ### What the forget gate is for
#
# Three cells read the same 300 random inputs, with the same weights: the incomplete one, the LSTM of 1997 (a forget
# bias of 50 holds $f$ at 1), and today's, with a forget bias of 1. How large does the cell become?

# %%
H, D, T = 16, 4, 300
rng = np.random.default_rng(1)
p = {
    "W_xh": rng.normal(size=(D, 4 * H)) / 2,
    "W_hh": rng.normal(size=(H, 4 * H)) / 4,
    "b_h": np.zeros(4 * H),
}
candidate_only = {name: array[..., 3 * H :] for name, array in p.items()}
inputs = rng.normal(size=(T, 32, D)) + 0.3  # a little more plus than minus, as in most data


def cell_sizes(step):
    """The mean of |c| after each step; `step(x, h, c)` returns h and c."""
    h = c = np.zeros((32, H))
    sizes = []
    for x in inputs:
        h, c = step(x, h, c)[:2]
        sizes.append(np.abs(c).mean())
    return np.array(sizes)


def lstm_with(forget_bias):
    params = {**p, "b_h": p["b_h"] + np.repeat([0.0, forget_bias, 0.0, 0.0], H)}  # i, f, o, g
    return lambda x, h, c: exercise.lstm_step(x, h, c, **params)


sizes = {
    "incomplete": cell_sizes(
        lambda x, h, c: exercise.incomplete_lstm_step(x, h, c, candidate_only)
    ),
    "LSTM of 1997": cell_sizes(lstm_with(50)),
    "forget bias 1": cell_sizes(lstm_with(1)),
}
charts.curve_chart(
    {name: (np.arange(1, T + 1), y) for name, y in sizes.items()},
    "How large the cell becomes",
    "step",
    "mean of |c|",
)

# %%
lost = 1 - np.tanh(sizes["LSTM of 1997"][-1]) ** 2
print(
    f"at |c| = {sizes['LSTM of 1997'][-1]:.0f} the factor tanh'(c) between c and h is "
    f"{lost:.1g}, in 64 bits"
)
assert sizes["LSTM of 1997"][-1] > 5 * sizes["forget bias 1"][-1]
assert sizes["forget bias 1"][-1] < 2, "with f < 1 the cell stays where its tanh can be read"

# %% [markdown]
# A cell that cannot forget grows without end. Then $\tanh(c)$ says 1 whatever happened, and its derivative lets no
# gradient in: the carousel turns, but nobody can get on. Gers et al. saw just this on streams that are not cut into
# sequences, and put a gate on the carousel.
#
# ## 3. The way back through one step
#
# Read the step from its last line to its first. There are two kinds of gate, in the sense of the lectures' graphs: an
# *add* hands its gradient to both sides; a *multiply* hands each side the gradient times **the other** factor.
#
# 1. $h = o \odot \tanh(c)$: one part goes to $o$, the other to $c$. There it meets the `dc` that the next step hands
#    back.
# 2. $c = f \odot c_{t-1} + i \odot g$: the sum is handed on to $f$, $c_{t-1}$, $i$ and $g$, each times the other
#    factor.
# 3. Every gate's own derivative, written with what came *out* of it: $\sigma' = s(1-s)$, $\tanh' = 1-g^2$.
# 4. The four side by side are one `da` (B, 4H), and from there on it is the Elman network that you know.
#
# ### Exercise 3: `lstm_step_backward`
#
# The three checks are apart: the road along the cell can be right while the gates are still wrong.

# %%
check("lstm.3")

# %% [markdown]
# ### Against the engine
#
# The engine recorded the same step as a graph and goes back through it by rules that know nothing of LSTMs.

# %%
rng = np.random.default_rng(2)
B, D, H = 3, 4, 5
cell = tg.nn.LSTMCell(D, H, rng=rng, dtype=np.float64)
p = {name: getattr(cell, name).numpy() for name in ("W_xh", "W_hh", "b_h")}
x, h_prev, c_prev, dh, dc = (rng.normal(size=(B, n)) for n in (D, H, H, H, H))

leaves = [tg.tensor(a, requires_grad=True) for a in (x, h_prev, c_prev)]
h_new, c_new = cell(leaves[0], (leaves[1], leaves[2]))
engine = tg.grad(tg.sum(h_new * tg.tensor(dh)) + tg.sum(c_new * tg.tensor(dc)),
                 [*leaves, cell.W_xh, cell.W_hh, cell.b_h])  # fmt: skip

_, c, gates = exercise.lstm_step(x, h_prev, c_prev, **p)
yours = exercise.lstm_step_backward(dh, dc, x, h_prev, c_prev, c, gates, p)
for name, theirs in zip(
    ("dx", "dh_prev", "dc_prev", "dW_xh", "dW_hh", "db_h"), engine, strict=True
):
    off = np.abs(yours[name] - theirs.numpy()).max()
    print(f"{name:8} differs from the engine's by {off:.0e}")
    assert off < 1e-12

# %% [markdown]
# ## 4. The way back through all steps
#
# In an Elman network one gradient travels from step to step; here there are two, `dh` and `dc`. The loss speaks to
# $h_t$ only, through the readout, so its part (`dHs[t]`) joins `dh`.
#
# ### Exercise 4: `lstm_bptt`
#
# It is given `step_backward(t, dh, dc)`, your exercise 3 with all that step $t$ remembers filled in. Only the way
# through time is asked for: what starts at zero, what is carried, what is added up, what is kept.

# %%
check("lstm.4")


# %% [markdown]
# ### Your LSTM learns
#
# Your forward step, your step back, your way through time: that is a whole network. The task is **adding**
# (Hochreiter & Schmidhuber 1997, section 5.4): of 20 numbers, two are marked; say their sum at the end. A network
# that remembers nothing answers 1 and has an error of $1/6 = 0.167$.


# %%
def forward(X, p):
    """The last h (B, H), and what every step must remember for the way back. X (T, B, D)."""
    h = c = np.zeros((X.shape[1], p["W_hh"].shape[0]))
    memory = []
    for x in X:
        before = (h, c)
        h, c, gates = exercise.lstm_step(x, h, c, p["W_xh"], p["W_hh"], p["b_h"])
        memory.append((x, *before, c, gates))
    return h, memory


def gradients(X, y, p):
    """The mean squared error of the sum read from the last h, and its gradient for every
    parameter."""
    h, memory = forward(X, p)
    error = h @ p["W_hy"] + p["b_y"] - y
    dy = 2 * error / len(error)
    dHs = np.zeros((len(X), *h.shape))
    dHs[-1] = dy @ p["W_hy"].T  # the loss looks at the last step only
    back = exercise.lstm_bptt(
        dHs, lambda t, dh, dc: exercise.lstm_step_backward(dh, dc, *memory[t], p)
    )
    grads = {name: back["d" + name] for name in ("W_xh", "W_hh", "b_h")}
    return (error**2).mean(), {**grads, "W_hy": h.T @ dy, "b_y": dy.sum(axis=0)}


def start(D, H, rng):
    """Uniform weights, and a forget gate that begins open."""
    r = 1 / np.sqrt(H)
    p = {"W_xh": rng.uniform(-r, r, (D, 4 * H)), "W_hh": rng.uniform(-r, r, (H, 4 * H))}
    p["b_h"] = np.repeat([0.0, 1.0, 0.0, 0.0], H)
    return {**p, "W_hy": rng.uniform(-r, r, (H, 1)), "b_y": np.ones(1)}


rng = np.random.default_rng(0)
p = start(2, 12, rng)
leaves = {name: tg.tensor(array, requires_grad=True) for name, array in p.items()}
optimizer = tg.optim.Adam(list(leaves.values()), lr=0.02, betas=(0.9, 0.99))
losses = []
for update in range(1, 401):
    X, y = tg.data.adding(rng, 20, 32, np.float64)
    loss, grads = gradients(X, y, p)
    for name, leaf in leaves.items():
        leaf.grad = tg.tensor(grads[name])  # the engine's Adam, fed with your gradients
    tg.optim.clip_grad_norm(list(leaves.values()), 1.0)
    optimizer.step()
    p = {name: leaf.numpy() for name, leaf in leaves.items()}
    losses.append(loss)
    if update % 100 == 0:
        print(f"update {update}: error {np.mean(losses[-20:]):.4f}")
assert np.mean(losses[-20:]) < 0.01, "your LSTM has learnt to add"

# %%
smooth = np.array(losses).reshape(-1, 10).mean(axis=1)
charts.curve_chart(
    {
        "your LSTM": (np.arange(10, 401, 10), smooth),
        "knows nothing": ([10, 400], [1 / 6, 1 / 6]),
    },
    "Your LSTM learns to add two of 20 numbers",
    "update",
    "mean squared error",
    log=True,
)

# %% [markdown]
# ## 5. The whole Jacobian, and "only f"
#
# How much of a change in $c_{t-1}$ arrives in $c_t$? Many slides answer $f$; one is more careful and writes $\partial
# c_t/\partial c_{t-1} = f_t + \partial (i \odot g)/\partial c_{t-1}$. **It is still one term short.** $f_t$ reads
# $h_{t-1}$, which was made of $c_{t-1}$, so the product $f_t \odot c_{t-1}$ has two derivatives, not one:
#
# $$\frac{\partial c_t}{\partial c_{t-1}} = \mathrm{diag}(f_t)
# + \Big[\underbrace{c_{t-1} \odot \frac{\partial f_t}{\partial h_{t-1}}}_{\text{left out}}
# + g_t \odot \frac{\partial i_t}{\partial h_{t-1}} + i_t \odot \frac{\partial g_t}{\partial h_{t-1}}\Big]
# \frac{\partial h_{t-1}}{\partial c_{t-1}}.$$
#
# Only the first term, the **direct road**, is free of matrices. "Only $f$" was exact for the gradient that the
# authors of 1997 used: they cut it at the inputs of the gates. Today's backpropagation does not.
#
# ### Exercise 5: `cell_jacobian`

# %%
check("lstm.5")

# %% [markdown]
# The engine's instrument `flow.jacobian_products` reads whole Jacobians off a recorded run; a single step of it must
# be yours. Then the two shortcuts, at two sizes of the weights: with `W_hh` at nought nothing reads $h$ and only the
# direct road is left; with the block of $f$ at nought, the slide's formula.

# %%
H, D, T = 6, 3, 30
rng = np.random.default_rng(3)
inputs = rng.normal(size=(T, 1, D))


def pieces_of(layer, t):
    """What `cell_jacobian` wants to know of step t: gates, c_prev, o_prev, W_hh."""
    cell = layer.layers[0].forward
    p = {name: getattr(cell, name).numpy() for name in ("W_xh", "W_hh", "b_h")}
    h = c = np.zeros((1, H))
    gates = np.zeros((1, 4 * H))
    for x in inputs[: t + 1]:
        o_prev, c_prev = gates[0, 2 * H : 3 * H], c[0]
        h, c, gates = exercise.lstm_step(x, h, c, **p)
    return gates[0], c_prev, o_prev, p["W_hh"]


print("weights   | whole Jacobian | only f is off by | the slide is off by")
for stretch in (1, 4):
    layer = tg.nn.LSTM(
        D, H, kernel="unrolled", rng=np.random.default_rng(4), dtype=np.float64
    )
    layer.layers[0].forward.W_hh.data = layer.layers[0].forward.W_hh.data * stretch
    outputs, _ = layer(tg.tensor(inputs))
    found = tg.flow.find_states(tg.sum(outputs[-1]))
    products = tg.flow.jacobian_products(list(zip(found["h"], found["c"], strict=True)), of=1)

    gates, c_prev, o_prev, W_hh = pieces_of(layer, T - 1)
    J = exercise.cell_jacobian(gates, c_prev, o_prev, W_hh)
    assert np.allclose(J, products.matrix(T - 1, T - 2), rtol=0, atol=1e-12), (
        "one step of the engine's run"
    )

    without_f = W_hh.copy()
    without_f[:, H : 2 * H] = 0
    only_f = exercise.cell_jacobian(gates, c_prev, o_prev, 0 * W_hh)
    slide = exercise.cell_jacobian(gates, c_prev, o_prev, without_f)
    size = np.linalg.norm(J, 2)
    wrong = [np.linalg.norm(J - other, 2) / size for other in (only_f, slide)]
    print(
        f"times {stretch}   |  norm {size:.3f}    |      {wrong[0]:5.1%}      |      "
        f"{wrong[1]:5.1%}"
    )
    assert wrong[0] > wrong[1] > 0.001

# %% [markdown]
# With the large weights (those of the last turn of the loop) many steps multiplied out look like this: the direct
# road falls steadily, as a product of forget gates does; after a few steps nearly all that arrives has come through
# gates.

# %%
charts.jacobian_chart(products, "What is left of a change of the cell")

# %% [markdown]
# ## 6. "Uninterrupted gradient flow"?
#
# So two lectures write over the LSTM. It holds where $f$ is 1, and in a cell of 1997. Else the direct road costs a
# factor $f$ a step, and where $f$ stands at the start is decided by its bias. Weights that start small leave $f
# \approx \sigma(b_f)$. After twenty steps:
#
# | forget bias | $f = \sigma(b_f)$ | $f^{20}$ |
# |---|---|---|
# | 0 | 0.5 | 9.5e-7 |
# | 1 | 0.731 | 1.9e-3 |
# | 2 | 0.881 | 7.9e-2 |
#
# A forget bias of 0 is what you get if nobody thinks of it. Jozefowicz, Zaremba & Sutskever (2015) searched among
# more than ten thousand cells, and report that a bias of 1 is enough to close the LSTM's gap to the GRU.
#
# ### Exercise 6: `init_forget_bias`

# %%
check("lstm.6")

# %% [markdown]
# First the bare mechanism: with all weights at nought the direct road is the only one, and the engine must measure
# the table above. Then a real start, weights drawn as usual.

# %%
H, D, T, LAG = 8, 4, 24, 20
BIASES = (0.0, 1.0, 2.0)


def loss_of(forget_bias, size=1.0):
    """The loss of the last step of an LSTM that has just been drawn, on random
    inputs (T, B, D)."""
    layer = tg.nn.LSTM(
        D, H, kernel="unrolled", rng=np.random.default_rng(1), dtype=np.float64
    )
    cell = layer.layers[0].forward
    cell.W_xh.data, cell.W_hh.data = cell.W_xh.data * size, cell.W_hh.data * size
    cell.b_h.data = exercise.init_forget_bias(np.zeros(4 * H), forget_bias)
    outputs, _ = layer(tg.tensor(np.random.default_rng(2).normal(size=(T, 8, D))))
    return tg.mean(outputs[-1])


def left_after(lag, loss):
    norms = tg.flow.by_lag(loss)["c"].norms
    return norms[lag] / norms[0]


for bias, expected in zip(BIASES, (9.5e-7, 1.9e-3, 7.9e-2), strict=True):
    bare, real = left_after(LAG, loss_of(bias, size=0)), left_after(LAG, loss_of(bias))
    print(
        f"forget bias {bias:g}: of ∂L/∂c, {LAG} steps back, the direct road leaves "
        f"{bare:.2g}, all {real:.2g}"
    )
    assert np.isclose(bare, expected, rtol=0.03)
assert left_after(LAG, loss_of(0.0)) < 1e-3 < 0.05 < left_after(LAG, loss_of(2.0))

# %%
panels = [(f"forget bias {b:g}", loss_of(b)) for b in BIASES]
tg.draw(panels, view="flow", state="c", steps=(12, T), title="The gradient along the cell")

# %% [markdown]
# ### After training on text
#
# A good start is no promise. Three small character models learn real text (prose and code that Python carries) for
# 400 updates; before and after, we follow the gradient of one character's loss back along the cell. This takes a few
# seconds.

# %%
from tinygrad_rnn.course.charmodel import CharModel
from tinygrad_rnn.course.tour.language import Learner, followed, prepared

UPDATES = 400
vocabulary, train, _, windows = prepared(tg.data.default_corpus()[:300_000])
learners = {
    b: Learner(
        f"forget bias {b:g}",
        CharModel(vocabulary, "lstm", 32, forget_bias=b, rng=np.random.default_rng(0)),
    )
    for b in BIASES
}


def weights_of(model):
    """Of a character model's LSTM, as arrays for your `lstm_step`."""
    cell = model.rnn.layers[0].forward
    return {
        name: getattr(cell, name).numpy().astype(float) for name in ("W_xh", "W_hh", "b_h")
    }


at_start = {
    b: (followed(each.model, windows), weights_of(each.model)) for b, each in learners.items()
}
for each in learners.values():
    for n in range(UPDATES):
        each.read(train[n % len(train)], again=(n + 1) % len(train) == 0)
    first, last = np.mean(each.losses[:5]), np.mean(each.losses[-20:])
    print(f"{each.name}: {first:.2f} bits per character at first, {last:.2f} now")
at_end = {
    b: (followed(each.model, windows), weights_of(each.model)) for b, each in learners.items()
}

# %%
lines = {
    f"bias {b:g}, {when}": memory[b][0].norms[:41]
    for when, memory in (("before", at_start), ("after", at_end))
    for b in (0.0, 2.0)
}
charts.lag_chart(lines, "Along the cell, before and after text", "norm of ∂L/∂c")

# %% [markdown]
# With a forget bias of 2 half of the gradient was left after twenty steps, before training. Training closed the road.
# But how? The obvious guess is that the gates have shut. Your `lstm_step` can read them: for each unit the product of
# its last twenty forget gates, how full its cell is, $|c|$, and the door between cell and loss, $\partial h/\partial
# c = o \odot (1 - \tanh^2 c)$.

# %%
characters = np.eye(len(vocabulary))[windows[:-1]]  # one-hot, (T, B, V)


def cells_of(p):
    """By unit, means over the sequences: the product of the last 20 forget gates, |c| at
    the end, and the door (H,)."""
    h = c = np.zeros((characters.shape[1], p["W_hh"].shape[0]))
    forget = []
    for x in characters:
        h, c, gates = exercise.lstm_step(x, h, c, **p)
        _, f, o, _ = np.split(gates, 4, axis=1)
        forget.append(f)
    doors = o * (1 - np.tanh(c) ** 2)
    return (
        np.prod(forget[-20:], axis=0).mean(axis=0),
        np.abs(c).mean(axis=0),
        doors.mean(axis=0),
    )


print("forget bias 2    | units | product of 20 f | mean |c| | mean dh/dc")
for when, memory in (("before", at_start), ("after", at_end)):
    product, full, door = cells_of(memory[2.0][1])
    keeps = product > 0.02
    for told, which in (("keep", keeps), ("forget", ~keeps)):
        if which.any():
            numbers = f"{product[which].mean():11.2g}     |  {full[which].mean():5.1f}   | "
            numbers += f"{door[which].mean():.2g}"
            print(f"{when + ', ' + told:16} | {which.sum():4}  | {numbers}")

left = {}
for when, memory in (("before", at_start), ("after", at_end)):
    norms = memory[2.0][0].norms
    left[when] = norms[20] / norms[0]
print(
    f"left of the gradient after 20 steps: {left['before']:.2g} before training, "
    f"{left['after']:.2g} after"
)
assert left["before"] > 0.1, "the gradient held at the start"
assert left["after"] < 0.02, "and vanishes after training on text"
assert door[keeps].mean() < 0.05, "the cells that keep are full: no gradient gets in"

# %% [markdown]
# The guess was wrong. Most forget gates are *wider* open than before. But a cell that keeps what it gets, and gets a
# little at every character, fills up, as in section 2: at $|c| = 10$ the door $1 - \tanh^2 c$ is shut to one part in
# a hundred million. The loss speaks only to the few units that forget, and along those the gradient is gone in a
# dozen steps. So the gradient can vanish in an LSTM in two ways, by gates that shut and by cells that are full, and a
# product of forget gates shows only one of them.
#
# Nothing in these 400 updates asked for more: what one must know for the next character mostly lies a few steps back.
# The LSTM makes long memory possible. It does not make it happen.
#
# ## 7. A task that needs memory
#
# Adding again, 50 numbers long, and now against the vanilla RNN: the same updates, the same sequences, the same size
# (16 units), the same optimizer. The learning rate is each network's own (the vanilla RNN was tried at 0.001, 0.003,
# 0.01 and 0.03: no difference). This takes a few seconds.

# %%
from tinygrad_rnn.course.tour.adding import SOLVED, Adder

LENGTH, UPDATES, BATCH = 50, 500, 32
unseen = tg.data.adding(np.random.default_rng(1), LENGTH, 256)
kinds = {"Elman": None, "LSTM bias 0": 0.0, "LSTM bias 1": 1.0, "LSTM bias 2": 2.0}
adders = {name: Adder(name, 0, "cpu", forget_bias) for name, forget_bias in kinds.items()}
for name, adder in adders.items():
    rng = np.random.default_rng(3)  # the same sequences for all
    while adder.updates < UPDATES:
        adder.update(*tg.data.adding(rng, LENGTH, BATCH))
        if adder.updates % 25 == 0:
            adder.test(*unseen)
    solved = f"solved after {adder.solved}" if adder.solved else "not solved"
    print(f"{name}: error {adder.tests[-1][1]:.4f} after {UPDATES} updates, {solved}")

# %%
curves = {name: tuple(np.array(adder.tests, float).T) for name, adder in adders.items()}
charts.curve_chart(
    curves, f"Adding two of {LENGTH} numbers", "update", "error on unseen sequences", log=True
)

# %%
assert adders["LSTM bias 1"].tests[-1][1] < SOLVED, "the LSTM has learnt it"
assert adders["Elman"].tests[-1][1] > 0.1, (
    "the vanilla RNN, with the same budget, knows no more than the mean"
)

# %% [markdown]
# In our runs a forget bias of 0 took longest but got there: training can open a gate as well as fill a cell. (One start
# each: do not read more into the order of the three.)
#
# A fair word: "cannot" would be too much. With 32 units and forty times the updates a vanilla RNN solved 50 steps in
# a trial of ours; a ReLU network that starts from the identity does it sooner (Le, Jaitly & Hinton 2015). The claim
# of one lecture, "no more than 10 to 15 steps", is about small random weights and plain gradient descent.
#
# ### Inside the network that can add
#
# How does it do it? Your `lstm_step` reads its gates. We look at the unit that keeps best, the one with the largest
# mean of $f$, on one sequence: what it *writes* at each step, $|i \cdot g|$, and what it holds, $|c|$.

# %%
cell = adders["LSTM bias 1"].layer.layers[0].forward
p = {name: getattr(cell, name).numpy().astype(float) for name in ("W_xh", "W_hh", "b_h")}
X = unseen[0].astype(float)
h = c = np.zeros((X.shape[1], 16))
gates, cells = [], []
for x in X:
    h, c, stacked = exercise.lstm_step(x, h, c, **p)
    gates.append(stacked)
    cells.append(c)
i, f, o, g = np.split(np.array(gates), 4, axis=2)  # each (T, B, 16)
keeper = f.mean(axis=(0, 1)).argmax()
written, marked = np.abs(i * g)[..., keeper], X[..., 1] > 0
print(f"unit {keeper + 1} (index {keeper}): mean f {f[..., keeper].mean():.3f}")
print(
    f"it writes {written[marked].mean():.3f} where a number is marked, "
    f"{written[~marked].mean():.3f} elsewhere"
)
print(
    "marked on the first sequence: steps "
    f"{' and '.join(str(t + 1) for t in np.flatnonzero(marked[:, 0]))}"
)
steps = np.arange(1, LENGTH + 1)
lines = {
    "what it holds, |c|": (steps, np.abs(np.array(cells)[:, 0, keeper])),
    "what it writes, |i·g|": (steps, written[:, 0]),
    "forget gate f": (steps, f[:, 0, keeper]),
}
charts.curve_chart(lines, "One cell of the network that learnt to add", "step", "")

# %%
assert f[..., keeper].mean() > 0.9
assert written[marked].mean() > 5 * written[~marked].mean()

# %% [markdown]
# It found the program by itself: *keep what you have; write where there is a mark*. (It leaks a little, about as $f$
# says.) That is what the lectures mean by "$f = 1$, $i = 0$ preserves indefinitely", learnt from nothing but the
# error at the end.
#
# ## 8. The same weights elsewhere
#
# The order of the gates is a convention, and a common source of silent errors: every array has the right shape.
# PyTorch stacks `i, f, g, o`, as rows (its weights are the transpose of ours), and adds two biases.
#
# ### Exercise 7: `repack_gates`

# %%
check("lstm.7")

# %%
lstm = tg.nn.LSTM(3, 4, rng=np.random.default_rng(5), dtype=np.float64)
theirs = tg.nn.to_torch(lstm)  # under PyTorch's names, in its layout
p = {
    "W_xh": exercise.repack_gates(theirs["weight_ih_l0"].T, "ifgo", "ifog"),
    "W_hh": exercise.repack_gates(theirs["weight_hh_l0"].T, "ifgo", "ifog"),
    "b_h": exercise.repack_gates(
        (theirs["bias_ih_l0"] + theirs["bias_hh_l0"])[None], "ifgo", "ifog"
    )[0],
}
X = np.random.default_rng(6).normal(size=(5, 2, 3))
h = c = np.zeros((2, 4))
h_wrong = c_wrong = np.zeros((2, 4))
wrong = {
    "W_xh": theirs["weight_ih_l0"].T,
    "W_hh": theirs["weight_hh_l0"].T,
    "b_h": theirs["bias_ih_l0"],
}
for x in X:
    h, c, _ = exercise.lstm_step(x, h, c, **p)
    h_wrong, c_wrong, _ = exercise.lstm_step(x, h_wrong, c_wrong, **wrong)
last = lstm(tg.tensor(X))[0].numpy()[-1]
off, off_wrong = (np.abs(each - last).max() for each in (h, h_wrong))
print(
    f"repacked: off by {off:.0e}; not repacked: off by {off_wrong:.2f}, and no error message"
)
assert off < 1e-12
assert off_wrong > 0.01

# %% [markdown]
# ## 9. Extra: memories of all lengths
#
# One forget bias gives all units the same memory, about $1/(1-f)$ steps. If you know that the task spans up to
# $T_{\max}$ steps, why not give each unit a time of its own? Tallec & Ollivier (2018) do, and balance the input gate:
#
# $$b_f \sim \log\big(\mathcal{U}(1,\, T_{\max} - 1)\big), \qquad b_i = -b_f.$$
#
# ### Exercise 8 (extra): `chrono_bias`

# %%
check("lstm.8")

# %%
H, T_MAX = 64, 100
u = (np.arange(H) + 0.5) / H  # evenly spread, for a smooth curve
f_chrono = exercise.sigmoid(exercise.chrono_bias(H, T_MAX, u)[H : 2 * H])
lags = np.arange(T_MAX + 1)
kept = {"chrono, up to 100 steps": (f_chrono[None] ** lags[:, None]).mean(axis=1)}
kept |= {f"forget bias {b:g}": exercise.sigmoid(np.array(b)) ** lags for b in BIASES[1:]}
charts.lag_chart(
    kept, "What the direct road keeps: mean of f to the power of the lag", "share"
)

# %%
assert kept["chrono, up to 100 steps"][100] > 0.05
assert kept["forget bias 2"][100] < 1e-5

# %% [markdown]
# ## 10. Why the fast one is fast
#
# Where nobody wants to see its steps, `tg.nn.LSTM` is *fused*: the whole sequence is one operation, with a way back
# derived by hand, like yours. Twice the same layer, then, and the same loss:

# %%
import time

X = np.random.default_rng(7).normal(size=(100, 16, 27))  # (T, B, D)
found = {}
for kernel in ("unrolled", "fused"):
    layer = tg.nn.LSTM(27, 64, kernel=kernel, rng=np.random.default_rng(8), dtype=np.float64)
    took = []
    for _ in range(5):
        began = time.perf_counter()
        outputs, _ = layer(tg.tensor(X))
        loss = tg.mean(outputs * outputs)
        found[kernel] = [outputs, *tg.grad(loss, layer.parameters())]
        took.append(1000 * (time.perf_counter() - began))
    print(
        f"{kernel:8}: {tg.memory(loss).nodes:4} operations recorded, {np.median(took):5.1f} ms "
        "for forward and backward"
    )
for one, other in zip(found["unrolled"], found["fused"], strict=True):
    size = np.abs(one.numpy()).max()
    assert np.allclose(one.numpy(), other.numpy(), rtol=0, atol=1e-12 * size)

# %% [markdown]
# The same numbers, to rounding. An engine that goes back through one operation after the other cannot pull these three
# levers; who has written the way back by hand can:
#
# 1. **One product for all inputs.** $x_t W_{xh}$ waits for no state, so all steps are multiplied at once, before the
#    loop.
# 2. **One product for each weight's gradient.** $\sum_t h_{t-1}^\top\, da_t$ is a single product of all states with all
#    `da`, stacked. It can wait until the walk is over.
# 3. **Local derivatives known before the walk.** $s(1-s)$, $1-g^2$, $1-\tanh^2 c$ come from the forward pass alone and
#    are computed for many steps at once. What is left in the loop is what needs the step after.
#
# Read it in `tinygrad_rnn/ops/recurrent/lstm.py`: your equations stand at its top. The price is that there is nothing
# to see inside one operation. Where this lesson looked into a layer, it asked for `kernel="unrolled"`.

# %% [markdown]
# ## What to take along
#
# - Along the cell the gradient is multiplied by $f$, not by a matrix and a tanh. That is all the magic, and it is
#   enough.
# - Two gradients travel back from step to step. In $c_t$ they meet: add first, then hand on.
# - "Only $f$" is the direct road. The whole $\partial c_t/\partial c_{t-1}$ has three more terms, one through each
#   gate that $c_t$ is made of.
# - Open the forget gate before training. And measure: a network that could remember may have learnt not to.
