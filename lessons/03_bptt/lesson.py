# %% [markdown]
# # Backpropagation through time, by hand
#
# **About 90 minutes.** You need lesson `rnn` (the forward pass of an Elman network), and you should know how a
# product and a tanh hand a gradient back (lesson `autograd`, or the lectures' gate rules). Everything is written in
# `exercise.py`, beside this notebook, with NumPy alone.
#
# At the end you will
#
# - have written backpropagation through time (BPTT), and know that it is right: against the engine and against
#   numbers;
# - have trained a network with it, and seen what becomes of the network when one term is missing;
# - be able to say what *each step* contributes to the gradient of a weight that all steps share;
# - know the three slips that the lectures' formulas invite, and what each does to the numbers.

# %%
# Run me first: I find the lesson, and what you write in exercise.py, beside this notebook.
try:
    from tinygrad_rnn.course import lesson
except ImportError:  # a hosted notebook, say: fetch the course, once
    import subprocess
    import sys

    subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", "tinygrad_rnn[course]"], check=True)
    from tinygrad_rnn.course import lesson

here = lesson("bptt")  # whatever is missing here comes from the installed package
check, hint = here.check, here.hint
exercise = here.exercise  # your own code, read again whenever you save it

# %%
import numpy as np

import tinygrad_rnn as tg
from tinygrad_rnn.pictures import charts

# %% [markdown]
# ## 1. One network, drawn once for every step
#
# An Elman network reads $x_t$ and its own last state, and makes a new state and an output:
#
# $$a_t = x_t W_{xh} + h_{t-1} W_{hh} + b_h, \qquad h_t = \tanh(a_t), \qquad o_t = h_t W_{hy} + b_y .$$
#
# Samples are rows here, so weights stand on the right; in the lectures' columns the same line reads
# $W_{xh} x_t + W_{hh} h_{t-1}$. And the output reads the *state*: one slide applies $V$ (our $W_{hy}$) to $a_t$,
# against the same lecture's own equation and Goodfellow et al. (2016, section 10.2). Were it so, the outputs would
# not be squashed, and the way back would miss a tanh.
#
# Here is such a network in the engine, with small random numbers (pictures call the output $y$).


# %%
def weights(rng, D, H, C):
    """Small random weights of an Elman network, in float64."""
    shapes = {"W_xh": (D, H), "W_hh": (H, H), "b_h": (H,), "W_hy": (H, C), "b_y": (C,)}
    return {
        name: rng.normal(0, 0.9 / np.sqrt(shape[0]), shape) * (len(shape) > 1)
        for name, shape in shapes.items()
    }


def unrolled(p, X, h0, Y):
    """The network in the engine: what the loss depends on, by name; the states; the
    losses, one a step."""
    leaf = {
        name: tg.tensor(array, requires_grad=True, name=name)
        for name, array in {**p, "h_0": h0}.items()
    }
    xs = [tg.tensor(x, requires_grad=True, name=f"x_{t + 1}") for t, x in enumerate(X)]
    states, losses = [leaf["h_0"]], []
    for t, x in enumerate(xs):
        with tg.step(t):
            h = tg.tanh(x @ leaf["W_xh"] + states[-1] @ leaf["W_hh"] + leaf["b_h"]).named("h")
            states.append(h)
            losses.append(
                tg.cross_entropy(h @ leaf["W_hy"] + leaf["b_y"], Y[t].argmax(axis=-1))
            )
    return {**leaf, "X": xs}, states, losses


rng = np.random.default_rng(3)
T, B, D, H, C = 7, 2, 4, 5, 3
p = weights(rng, D, H, C)
X, h0 = rng.normal(size=(T, B, D)), rng.normal(0, 0.5, (B, H))
Y = np.eye(C)[rng.integers(0, C, (T, B))]  # the targets, one-hot
leaves, states, losses = unrolled(p, X, h0, Y)
loss = sum(losses)
tg.draw(loss, view="cells", steps="all", title="The same W at every step")

# %% [markdown]
# $W$ is drawn once, because it *is* one array. Each dot on its line is a **copy gate**: forward, it hands the same
# numbers to one more step. Backward, a copy gate adds up what comes back to it (the lectures call it a *gradient
# adder*). Two facts of this picture are all of BPTT:
#
# 1. **A state is read twice**: by its output, and by the next step. Its gradient is the sum of two.
# 2. **A weight is read $T$ times**. Its gradient is the sum of $T$.
#
# The smallest case has every number in it: one unit, two steps. Values are green, gradients red. Find $h_1$, and the
# two arrows that come back to it. Then find $W_{hh}$, and add up what its two uses send.

# %%
scalar = {"W_xh": 0.5, "W_hh": -0.8, "b_h": 0.1, "W_hy": 2.0, "b_y": 0.0}
leaf = {
    name: tg.tensor(np.float64(value), requires_grad=True, name=name)
    for name, value in scalar.items()
}
h = leaf["h_0"] = tg.tensor(np.float64(0.6), requires_grad=True, name="h_0")
small_loss = 0.0
for t, (x, y) in enumerate([(1.0, 1.0), (-0.5, 0.0)]):
    with tg.step(t):
        h = tg.tanh(x * leaf["W_xh"] + h * leaf["W_hh"] + leaf["b_h"]).named("h")
        o = h * leaf["W_hy"] + leaf["b_y"]
        small_loss = small_loss + 0.5 * (o - y) ** 2
tg.draw(small_loss, view="ops", values=True, title="Two steps, one unit, every number")

# %%
# each reader's word: its weight times its gradient, read off the picture
own, next_step = 2.0 * -0.761, -0.8 * -0.907
print(
    f"h_1 hears {own:.3f} from its output and {next_step:.3f} from step 2: together "
    f"{own + next_step:.3f}"
)
account = tg.flow.ledger(small_loss, leaf["W_hh"])
sent = account.contributions
print("what each use of W_hh sends back:", sent.round(4), " sum:", sent.sum().round(4))
print(
    "dL/dW_hh, from one backward pass:", tg.grad(small_loss, leaf["W_hh"])[0].numpy().round(4)
)

# %% [markdown]
# ## 2. One step back
#
# Take one step out of the chain. Its loss does not matter: somebody tells you $dh = \partial L / \partial h_t$,
# complete, from everything that comes after. (In this lesson $dA$ is $\partial L/\partial A$, and has the shape of
# $A$.) You pass it on: to the bias, to both weights, to the input, and to the state before.
#
# Three rules do it. Through $h = \tanh(a)$ a gradient is multiplied by the slope, which is $1 - \tanh^2(a)$; you
# have $\tanh(a)$ already, it is $h$. A sum hands its gradient to every part; where one row was added to $B$ rows
# (the bias), what comes back is summed over the $B$. And for a product $U V$, with gradient $G$,
#
# $$dU = G\, V^\top, \qquad dV = U^\top G .$$
#
# No need to remember which is turned over: only one way fits the shapes. Except where a matrix is square. $W_{hh}$
# is.
#
# **Exercise `bptt.1`**: write `elman_step_backward` in `exercise.py`, save, and run the next cell. Stuck?
# `hint("bptt.1")` gives the first of three hints.

# %%
check("bptt.1")

# %% [markdown]
# Try it on the network above, at the last step: the engine says what $dh$ is there, your function takes it from
# there, and both must agree on $x_T$.

# %%
Hs, O = exercise.elman_forward(X, h0, p)
dh_last = tg.grad(loss, states[-1])[0].numpy()
last_step = exercise.elman_step_backward(dh_last, X[-1], Hs[-2], Hs[-1], p)
from_engine = tg.grad(loss, leaves["X"][-1])[0].numpy()
print(
    "your dx at step 7 (index 6):\n",
    last_step["dx"].round(4),
    "\nthe engine's:\n",
    from_engine.round(4),
)
assert np.allclose(last_step["dx"], from_engine, rtol=1e-10)

# %% [markdown]
# ## 3. The whole sequence
#
# Now chain the steps. Only fact 1 is new: step $t$ hears about $h_t$ from two sides,
#
# $$dh_t \;=\; \underbrace{do_t\, W_{hy}^\top}_{\text{its own output}} \;+\;
# \underbrace{da_{t+1}\, W_{hh}^\top}_{\text{the step after}}, \qquad da_t = dh_t \odot (1 - h_t^2).$$
#
# The right-hand side needs $da_{t+1}$, so the loop runs from the last step to the first; after the last there is
# nothing, so that term begins as zeros. One lecture says it in a sentence: each copy of $f_W$ receives gradients
# from its own loss *and* from the losses of future steps,
# $\partial L/\partial W_i = \sum_{t \ge i} \partial L_t/\partial W_i$, where $W_i$ is the copy of $W$ that step $i$
# uses. And the sum over the copies (fact 2) is the gradient (Werbos 1990).

# %%
tg.draw(
    loss, view="flow", title="The gradient on its way back, and what each step pays into W_hh"
)

# %% [markdown]
# **Exercise `bptt.2`**: write `bptt`. Where the outputs' gradients `dO` come from is the next section; here they are
# given. There is nothing to gain from calling exercise 1, and nothing wrong with it.
#
# Where `dX` is wrong, the check tells of it before anything else, and looks at it step by step, beginning where
# backpropagation begins. If you are told *right down to step 7 (index 6), wrong from step 6 (index 5) down*, then
# something is lost between two steps: look at the term that connects them.

# %%
check("bptt.2")

# %% [markdown]
# ## 4. Where the gradient comes in: sum, mean, or the end alone
#
# The lectures do not agree on what the loss of a sequence is. One takes the **sum** over time, $J = \sum_t J_t$;
# another the **mean**, $J = \frac1N \sum_t J_t$. The gradients differ by the factor $T$, so a learning rate or a
# clipping threshold that works with one is wrong by that factor with the other. And in a many-to-one network
# (classify the whole sentence) there is a loss at the **last** step only. In all three the way back is the `bptt`
# that you have; only `dO` changes:
#
# - softmax and cross-entropy together hand back *probabilities minus one-hot targets*;
# - a mean over the batch divides by $B$, a mean over time by $T$;
# - an output that no loss reads has the gradient zero.
#
# **Exercise `bptt.3`**: write `output_gradients`.

# %%
check("bptt.3")

# %% [markdown]
# ## 5. Is it right? Three roads to one number
#
# Your chain rule, the engine's, and no chain rule at all: the **complex step**. For a function of real numbers that
# is smooth, $f(x + i\epsilon) = f(x) + i \epsilon f'(x) + O(\epsilon^2)$, so $f'(x)$ is the imaginary part over
# $\epsilon$, with no difference of two near numbers and thus no rounding error to speak of. It needs one forward
# pass for *every* parameter, which is why nobody trains with it, and why it is a fine judge.


# %%
def loss_by_numbers(variables, over_time):
    """The loss from a forward pass; also for complex numbers."""
    _, O = exercise.elman_forward(variables["X"], variables["h0"], variables)
    each = -(Y * np.log(exercise.softmax(O))).sum(axis=(1, 2)) / B
    return {"sum": each.sum(), "mean": each.mean(), "last": each[-1]}[over_time]


def complex_step(variables, name, over_time, epsilon=1e-30):
    """dL/d(variables[name]), one entry at a time."""
    d = np.zeros(variables[name].shape)
    for entry in np.ndindex(*d.shape):
        moved = variables[name].astype(complex)
        moved[entry] += 1j * epsilon
        d[entry] = loss_by_numbers({**variables, name: moved}, over_time).imag / epsilon
    return d


def engine_gradients(over_time):
    """The same from `tg.grad`."""
    leaves, _, losses = unrolled(p, X, h0, Y)
    total = {"sum": sum(losses), "mean": sum(losses) / T, "last": losses[-1]}[over_time]
    xs = leaves.pop("X")
    found = tg.grad(total, [*leaves.values(), *xs])
    d = {name: g.numpy() for name, g in zip(leaves, found, strict=False)}
    return {**d, "h0": d.pop("h_0"), "X": np.stack([g.numpy() for g in found[len(leaves) :]])}


print("largest difference from your gradient, over its largest entry")
for over_time in ("sum", "mean", "last"):
    hand = exercise.bptt(X, h0, Hs, exercise.output_gradients(O, Y, over_time), p)
    engine = engine_gradients(over_time)
    print(f"\n  {over_time:8}{'engine':>10}{'complex step':>15}")
    for name in ("W_hy", "b_y", "X", "W_xh", "W_hh", "b_h", "h0"):
        judge = complex_step({**p, "X": X, "h0": h0}, name, over_time)
        gaps = [
            np.abs(hand["d" + name] - other).max() / np.abs(judge).max()
            for other in (engine[name], judge)
        ]
        print(f"  d{name:7}{gaps[0]:10.0e}{gaps[1]:15.0e}")
        assert max(gaps) < 1e-7

# %% [markdown]
# ## 6. Does it learn? An echo
#
# A task that cannot be solved without memory: letters come in at random, and the network has to say, at every step,
# the letter of **three steps ago** (and *a* in the first three). Whoever guesses pays $\ln 3 = 1.10$ nats a letter.
# Below, your `output_gradients` and your `bptt` are all of the learning: plain gradient descent, no optimizer, no
# engine.
#
# Beside it we train the same network, from the same weights and on the same letters, with *one term missing*: no
# step hears from the step after it. Nothing has to be rewritten for that: give your `bptt` sequences of length one,
# each with the state before it as its start, and add the results up.

# %%
LETTERS, LAG, STEPS, BATCH, UNITS = "abc", 3, 12, 16, 12
START = np.zeros((BATCH, UNITS))


def echo(rng):
    """X and Y (12, 16, 3): random letters, and the same three steps late, with `a` for the
    first three."""
    X = np.eye(len(LETTERS))[rng.integers(0, len(LETTERS), (STEPS, BATCH))]
    silence = np.tile(np.eye(len(LETTERS))[0], (LAG, BATCH, 1))
    return X, np.concatenate([silence, X[:-LAG]])


def step_by_step(X, h0, Hs, dO, p):
    """The gradients as if no step heard from the next one: your `bptt`, one step at a time."""
    before = [h0, *Hs[:-1]]
    parts = [
        exercise.bptt(X[t : t + 1], before[t], Hs[t : t + 1], dO[t : t + 1], p)
        for t in range(len(X))
    ]
    return {"d" + name: sum(part["d" + name] for part in parts) for name in p}


def train(gradients, updates=400, rate=1.0, seed=0):
    """Gradient descent on the echo: the weights, and the loss before each update."""
    rng = np.random.default_rng(seed)
    p, curve = weights(rng, len(LETTERS), UNITS, len(LETTERS)), []
    for _ in range(updates):
        X, Y = echo(rng)
        Hs, O = exercise.elman_forward(X, START, p)
        curve.append(-(Y * np.log(exercise.softmax(O))).sum() / (STEPS * BATCH))
        d = gradients(X, START, Hs, exercise.output_gradients(O, Y, "mean"), p)
        p = {name: array - rate * d["d" + name] for name, array in p.items()}
    return p, np.array(curve)


trained, full = train(exercise.bptt)
_, deaf = train(step_by_step)
updates = np.arange(len(full))
curves = {"your BPTT": (updates, full), "no word from the step after": (updates, deaf)}
charts.curve_chart(curves, title="An echo of three steps", y_label="nats a letter", log=True)


# %%
def heard(p, X):
    """What the network says to one sequence of letters."""
    _, O = exercise.elman_forward(X, START, p)
    return "".join(LETTERS[i] for i in O[:, 0].argmax(axis=-1))


X_new, Y_new = echo(np.random.default_rng(99))
print("it hears ", "".join(LETTERS[i] for i in X_new[:, 0].argmax(axis=-1)))
print("it says  ", heard(trained, X_new))
print("it should", "".join(LETTERS[i] for i in Y_new[:, 0].argmax(axis=-1)))
print(
    f"\nnats a letter over the last 50 updates: {full[-50:].mean():.4f} with BPTT, "
    f"{deaf[-50:].mean():.2f} without"
)

_, O_new = exercise.elman_forward(X_new, START, trained)
right = O_new.argmax(axis=-1) == Y_new.argmax(axis=-1)
assert right.all()  # all 16 sequences, every letter
assert full[-50:].mean() < 0.02
assert deaf[-50:].mean() > 0.3

# %% [markdown]
# The crippled network is no fool at first: random recurrent weights keep some trace of the last inputs, and the
# output layer, whose gradient is right, learns to read it (that is how the lectures' echo state networks work). But
# nobody tells the recurrent weights what they should *keep*: what step $t$ stores matters only later, and later is
# not heard. They follow a gradient that is wrong, and the trace gets lost. That is what the missing `dh` costs.
#
# ## 7. Who paid? Opening the sum
#
# You have $dW_{hh}$ as one sum over time. The sum hides who paid what. Take the loss of the *last* step alone and
# open it, as an account book would: one entry for every use of $W_{hh}$.

# %%
book = tg.flow.ledger(losses[-1], leaves["W_hh"])
charts.ledger_chart(
    book, title="What each use of W_hh contributes to the gradient of the last loss"
)

# %%
whole = tg.grad(losses[-1], leaves["W_hh"])[0].numpy()
assert np.allclose(book.contributions.sum(axis=0), whole, rtol=1e-12)
first = np.linalg.norm(whole - book.contributions[0]) / np.linalg.norm(whole)
print(
    f"If only the first use (k = 1) counted, the gradient would be off by {100 * first:.1f} "
    "% of its size."
)
assert first > 0.9

# %% [markdown]
# **The first slip.** A lecture's slide gives the gradient of the last loss as a single product,
#
# $$\frac{\partial L_T}{\partial W} \overset{?}{=}
# \frac{\partial L_T}{\partial h_T} \Big( \prod_{t=2}^{T} \frac{\partial h_t}{\partial h_{t-1}} \Big)
# \frac{\partial h_1}{\partial W} .$$
#
# That is the path through *all* the steps down to $k = 1$: the first bar of the chart, and the others are forgotten.
# There is a term for every use (Pascanu, Mikolov & Bengio 2013, equations 3 to 5):
#
# $$\frac{\partial L_T}{\partial W} = \sum_{k=1}^{T}
# \frac{\partial L_T}{\partial h_T} \Big( \prod_{j=k+1}^{T} \frac{\partial h_j}{\partial h_{j-1}} \Big)
# \frac{\partial^{+} h_k}{\partial W} .$$
#
# The slide wants to show that long products vanish. They do, *in the first bars*. The gradient as a whole need not
# be small.
#
# ## 8. The little plus: immediate and total
#
# What is the $+$ in $\partial^{+} h_k / \partial W$? It says **immediate**: how $h_k$ moves if $W$ moves *in step
# $k$ alone*, with $h_{k-1}$ held fixed. Without it, $\partial h_k/\partial W$ is the **total** derivative: $W$ moves
# everywhere, and $h_{k-1}$ with it.
#
# **The second slip.** Another lecture writes, with no plus,
#
# $$\frac{\partial J_t}{\partial U} \overset{?}{=} \sum_{k=0}^{t} \frac{\partial J_t}{\partial o_t}
# \frac{\partial o_t}{\partial h_t} \frac{\partial h_t}{\partial h_k} \frac{\partial h_k}{\partial U} .$$
#
# Read as it stands, it counts double: the path from $h_2$ through step 1 is in the term $k = 2$ (inside
# $\partial h_2/\partial U$), and *again* in the term $k = 1$.
#
# A pencil shows it best. Take one unit, no tanh:
#
# $$h_k = w\, h_{k-1} + x_k, \qquad w = 2, \quad h_0 = 1, \quad x = (1, 1, 0), \qquad L = h_3 .$$
#
# **Exercise `bptt.4`**: no code, only numbers. Write down $h_1, h_2, h_3$, what each of the three uses of $w$
# contributes, and their sum. Predict first, then run.

# %%
check("bptt.4")

# %%
w, h, chain = tg.tensor(np.float64(2.0), requires_grad=True, name="w"), 1.0, []
for t, x in enumerate([1.0, 1.0, 0.0]):
    with tg.step(t):
        h = w * h + x
        chain.append(h)
pencil = exercise.three_uses()
account = tg.flow.ledger(h, w).contributions
print("the engine's account:", account, " dL/dw:", tg.grad(h, w)[0].item())
assert np.allclose(account, pencil["contributions"])

# w moves everywhere, not in step k alone
totals = np.array([tg.grad(each, w)[0].item() for each in chain])
way = np.array([tg.grad(h, each)[0].item() for each in chain])  # dh_3/dh_k
doubled, paid = way * totals, np.multiply(pencil["contributions"], [3, 2, 1])
print("with total derivatives:", doubled, " sum:", doubled.sum())
print("the first use paid three times, the second twice, the third once:", paid.sum())
assert doubled.sum() == paid.sum()
assert doubled.sum() > 1.8 * pencil["total"]

# %% [markdown]
# So the double counting has a pattern. A path from the loss to use $j$ passes $h_j, h_{j+1}, \dots, h_t$, and the
# wrong sum takes it once for each of them: use $j$ is paid $t - j + 1$ times. The oldest uses, of which the gradient
# should say least, are paid most often.
#
# **The third slip** is small. The same slide begins its sum at $k = 0$. That is right where $h_0$ is itself computed
# from $x_0$ with the weights. Where $h_0$ is *given* (as it is on that lecture's own slide of shapes, and here), no
# weight was used to make it: its immediate derivative is zero, and the sum begins at $k = 1$. In code that extra
# step is worse than idle: the index is $-1$, and Python hands you the *last* state.
#
# Now by hand, for matrices. **Exercise `bptt.5`**: `immediate_grad`, one use. **Exercise `bptt.6`**: `contribution`,
# which carries the gradient from the loss of step $t$ back to $h_k$ and ends with one use.

# %%
check("bptt.5")

# %%
check("bptt.6")

# %% [markdown]
# Your contributions to the last loss, against the engine's account; and the two wrong sums, made from your right
# parts.

# %%
dO = exercise.output_gradients(O, Y, "sum")  # every loss speaks for its own output
mine = np.stack([exercise.contribution(k, T - 1, X, h0, Hs, dO[-1], p) for k in range(T)])
assert np.allclose(mine, book.contributions, rtol=1e-10, atol=1e-15)
assert np.allclose(mine.sum(axis=0), whole, rtol=1e-10)


def account_of(parts):
    """An account book from arrays of one's own."""
    return tg.flow.Ledger(
        tuple(range(T)), np.array([np.linalg.norm(part) for part in parts]), parts, "W_hh"
    )


times = np.arange(T, 0, -1)[:, None, None]  # use j of T is in T - j + 1 terms
wrong = times * mine
books = {"immediate (right)": account_of(mine), "total (counts double)": account_of(wrong)}
charts.ledger_chart(books, title="One loss, seven uses")

# %%
print("use k              ", *(f"{k:7}" for k in range(1, T + 1)))
for name, account in {"immediate (right)": mine, "total (double)": wrong}.items():
    print(f"{name:19}", *(f"{np.linalg.norm(part):7.3f}" for part in account))
print("is paid so often   ", *(f"{n:7}" for n in times.ravel()))

# %%
sums = {"immediate": mine.sum(axis=0), "total": wrong.sum(axis=0), "k = 1 alone": mine[0]}
for name, gradient in sums.items():
    size = np.linalg.norm(gradient) / np.linalg.norm(whole)
    cosine = (gradient * whole).sum() / np.linalg.norm(gradient) / np.linalg.norm(whole)
    print(f"{name:12} size {size:5.2f} of the gradient's, cosine with it {cosine:5.2f}")

# %% [markdown]
# And all losses together: the table of who (the loss of step $t$) owes what to whom (use $k$). Above the diagonal
# there is nothing: no loss depends on what comes after it. Each row adds up to the gradient of one loss; all of it
# adds up to the $dW_{hh}$ of your `bptt`.

# %%
mine = np.array(
    [[exercise.contribution(k, t, X, h0, Hs, dO[t], p) for k in range(T)] for t in range(T)]
)
assert np.allclose(
    mine.sum(axis=(0, 1)), exercise.bptt(X, h0, Hs, dO, p)["dW_hh"], rtol=1e-10
)
norms = np.sqrt((mine**2).sum(axis=(2, 3)))
assert np.allclose(
    norms, tg.flow.ledger(losses, leaves["W_hh"]).norms, rtol=1e-10, atol=1e-15
)
charts.table_chart(tg.flow.Table(norms, tuple(range(T)), tuple(range(T)), "W_hh"))

# %% [markdown]
# ## 9. One step as a matrix (extra)
#
# In the sums above stands $\partial h_j/\partial h_{j-1}$, a matrix: row $i$, column $j$ says how unit $i$ of the
# new state answers to unit $j$ of the old one. A lecture's slide has it as
#
# $$\frac{\partial h_t}{\partial h_{t-1}} \overset{?}{=} \tanh'(W_{hh} h_{t-1} + W_{xh} x_t)\, W_{hh} .$$
#
# The first factor is a vector, the second a matrix, and what is meant by their product is not said. Typed as it
# stands, NumPy multiplies *columns*. But it is the new unit that has the tanh, so it is the *rows* that are scaled:
# in the lectures' columns $\operatorname{diag}(1 - h_t^2)\, W_{hh}$, and with our samples as rows the same with
# $W_{hh}^\top$.
#
# **Exercise `bptt.7`**: write `jacobian`, for one sample.

# %%
check("bptt.7")

# %%
# of the first sample
steps = np.stack([exercise.jacobian(Hs[t, 0], p["W_hh"]) for t in range(T)])
products = tg.flow.jacobian_products(states)
assert np.allclose(steps, products.step_jacobians, rtol=1e-10)

typed = (1 - Hs[-1, 0] ** 2) * p["W_hh"].T  # the slide's line, as NumPy reads it
off = np.abs(typed - steps[-1]).max() / np.abs(steps[-1]).max()
print(f"the slide as typed is off by {off:.0%} of the largest entry")

J = np.eye(H)
for step in reversed(steps):  # from h_7 back to h_0
    J = J @ step
left = np.linalg.norm(J, 2)
print(
    f"largest singular value of dh_7/dh_6: {np.linalg.norm(steps[-1], 2):.3f}, of "
    f"dh_7/dh_0: {left:.3f}"
)
assert np.isclose(left, products.norms[-1, 0], rtol=1e-9)
assert left < 0.02

# %%
charts.jacobian_chart(products, title="What is left of a change of state, step after step")

# %% [markdown]
# A product of seven matrices, and a hundredth is left: that is why the bars of old uses are low. When such a product
# falls, when it grows instead, and what can be done, is lesson `vanishing`.
#
# ## What you have now
#
# - **Two sums.** A state's gradient: its output's word, plus the word of the step after. A weight's gradient: one
#   part for every use.
# - **A judge.** By hand, by engine, by complex step: to rounding the same number.
# - **Three slips that you can name**: the path $k = 1$ alone; total where immediate is meant; a use of $W$ in a step
#   that never was.
#
# Next: `charmodel` puts your network to work on text, and `truncated` asks how far back the loop really has to go.
#
# *Sources.* P. Werbos, "Backpropagation through time: what it does and how to do it", Proc. IEEE 78, 1990. I.
# Goodfellow, Y. Bengio and A. Courville, "Deep Learning", 2016, section 10.2. R. Pascanu, T. Mikolov and Y. Bengio,
# "On the difficulty of training recurrent neural networks", ICML 2013. J. L. Elman, "Finding structure in time",
# Cognitive Science 14, 1990.
