# %% [markdown]
# # Graphs, gates and an engine of your own
#
# **About 90 minutes**, with a good place for a break in the middle. You need Python with classes, NumPy and its
# broadcasting, and the chain rule for functions of one variable; and lesson `start`, for how exercises are checked.
#
# At the end you will
#
# - read a formula as a graph, and send gradients back through it, gate by gate;
# - have a judge of your own that tells a right derivative from a wrong one;
# - know what happens to a gradient where a value is used twice, which is all that is new in a recurrent network;
# - have written an autograd engine, about forty lines, and trained a network with it.
#
# Your code goes into `exercise.py`, beside this notebook. Save it, and run the `check` cell: it is read afresh.

# %%
# Run me first: I find the lesson, and what you write in exercise.py, beside this notebook.
try:
    from tinygrad_rnn.course import lesson
except ImportError:  # a hosted notebook, say: fetch the course, once
    import subprocess
    import sys

    subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", "tinygrad_rnn[course]"], check=True)
    from tinygrad_rnn.course import lesson

here = lesson("autograd")  # whatever is missing here comes from the installed package
check, hint = here.check, here.hint
exercise = here.exercise  # your own code, read again whenever you save it

# %%
import numpy as np

import tinygrad_rnn as tg
from tinygrad_rnn.pictures import charts

# %% [markdown]
# ## 1. A computation is a graph
#
# The lectures call a computational graph "a way to formalize the structure of a set of computations – those involved
# in mapping inputs and parameters to outputs and loss". Values and operations are its nodes; an edge says "is used
# by". Here is the smallest one, graph (a) of the lectures: $z = xy$, at $x = -2$ and $y = 3$. Values are green. What
# goes back is red: the gradient of the result, $\partial z/\partial z = 1$, enters from the right, and arrives at $x$
# and $y$.

# %%
x = tg.tensor(-2.0, requires_grad=True, name="x")
y = tg.tensor(3.0, requires_grad=True, name="y")
z = (x * y).named("z")
tg.draw(z, title="(a)  z = xy")

# %% [markdown]
# Look at the red numbers: $x$ has got the value of $y$, and $y$ that of $x$. Graphs (b) and (c) are one neuron and one
# layer,
#
# $$\hat y = \sigma(x^\top w + b), \qquad H = \max\{0, XW + b\}.$$
#
# (The lecture that shows them writes its recurrent network as $Wh + Ux$, with samples as columns, and graph (c) as
# $XW + b$, with samples as rows. Both are right, but not in one program. Here rows are samples, always: $X$ is
# $(B, D)$, $W$ is $(D, H)$, and $XW$ is $(B, H)$.)

# %%
x = tg.tensor([[1.5, -0.5]], name="x")
w = tg.tensor([[-0.8], [0.6]], requires_grad=True, name="w")
b = tg.tensor([0.4], requires_grad=True, name="b")
tg.draw(tg.sigmoid(x @ w + b).named("ŷ"), title="(b)  one neuron")

# %%
rng = np.random.default_rng(1)
X = tg.tensor(rng.normal(size=(4, 3)), name="X")
W = tg.tensor(rng.normal(size=(3, 2)), requires_grad=True, name="W")
b = tg.tensor(np.zeros(2), requires_grad=True, name="b")
tg.draw(tg.relu(X @ W + b).named("H"), title="(c)  one layer, on a batch of four")

# %% [markdown]
# Graph (d) "applies more than one operation to the weights $w$": they make a prediction, and they are penalised for
# their size. So $w$ has two edges going out. Remember it; section 5 is about nothing else.

# %%
x = tg.tensor([[1.0, 2.0]], name="x")
w = tg.tensor([[0.5], [-1.0]], requires_grad=True, name="w")
prediction, penalty = (x @ w).named("ŷ"), (0.1 * tg.sum(w * w)).named("penalty")
tg.draw([prediction, penalty], title="(d)  two operations on w")

# %% [markdown]
# ## 2. One gate at a time: the mul gate
#
# Backpropagation never looks at the whole graph. Each gate knows its own inputs, and is told one thing: $g$, the
# gradient of the loss with respect to its output. From that it works out what to send to each input:
#
# $$\frac{\partial L}{\partial x} = \underbrace{\frac{\partial L}{\partial z}}_{g,\ \text{what arrives}} \cdot
# \underbrace{\frac{\partial z}{\partial x}}_{\text{what the gate knows}}$$
#
# The lectures have a name for the gate $z = xy$: "mul gate: swap multiplier". In graph (a) you saw why.
#
# **Exercise 1.** Write `mul_backward(g, x, y)`. All three are arrays of one shape, and the product is entry by entry.

# %%
check("autograd.1")

# %% [markdown]
# It is a rule about numbers, so try it on those of graph (a). With $g = 1$:

# %%
gx, gy = exercise.mul_backward(np.array([[1.0]]), x=np.array([[-2.0]]), y=np.array([[3.0]]))
print(f"to x: {gx.item()}, to y: {gy.item()}")
assert (gx.item(), gy.item()) == (3.0, -2.0)

# %% [markdown]
# A consequence to keep: a large value in one input makes a large gradient in the *other*. Weights that multiply large
# inputs get large gradients, and that is one reason why inputs are scaled before they enter a network.
#
# ## 3. The matmul gate
#
# $O = XW$ is many mul gates and many sums. $X_{bd}$ takes part in the whole row $b$ of $O$, each time multiplied by a
# different weight, so that
#
# $$\frac{\partial L}{\partial X_{bd}} = \sum_h g_{bh} W_{dh}, \qquad
#   \frac{\partial L}{\partial W_{dh}} = \sum_b X_{bd}\, g_{bh}.$$
#
# Each is itself a matrix product. Which one, you need not remember: **a gradient has the shape of its value**, and with
# $B$, $D$ and $H$ all different there is only one way to make the shapes fit.
#
# | | shape |
# |---|---|
# | $g$ and $O$ | $(B, H)$ |
# | $X$ and its gradient | $(B, D)$ |
# | $W$ and its gradient | $(D, H)$ |
#
# **Exercise 2.** Write `matmul_backward(g, X, W)`. One of the grader's cases is square, $B = D = H$: there every
# product fits, and only the right one is right.

# %%
check("autograd.2")

# %% [markdown]
# ## 4. A judge of your own
#
# How do you know that a derivative is right when no grader is there? You ask the function itself. Move one entry of $x$
# a little up and a little down, and see what becomes of $f$:
#
# $$\frac{\partial f}{\partial x_i} \approx \frac{f(x + \varepsilon e_i) - f(x - \varepsilon e_i)}{2\varepsilon}.$$
#
# This costs two runs of $f$ for every entry: fine to judge with, hopeless to train with. A network with a million
# weights would need two million runs for one update, where backpropagation needs about the time of three.
#
# **Exercise 3.** Write `numgrad(f, x, eps)`. The grader's smallest case is $f(x) = x^3$ at $x = 2$ with a step of one
# half: $(2.5^3 - 1.5^3) / 1 = 12.25$, where the derivative is 12.

# %%
check("autograd.3")

# %% [markdown]
# **Experiment: how small should the step be?** Too large, and $f$ is curved between the two points; too small, and the
# two values of $f$ are so nearly the same that rounding eats their difference. Here is the error at
# $f(x) = \sum \tanh^2(x)$ for steps from $10^{-1}$ to $10^{-12}$, for your central difference and for one-sided ones.


# %%
def f(x):
    return np.sum(np.tanh(x) ** 2)


x = np.random.default_rng(0).normal(size=(4, 3))
exact = 2 * np.tanh(x) * (1 - np.tanh(x) ** 2)
steps = 10.0 ** -np.arange(1, 13)


def one_sided(x, eps):
    moved = [
        (f(x + eps * (np.arange(x.size) == i).reshape(x.shape)) - f(x)) / eps
        for i in range(x.size)
    ]
    return np.reshape(moved, x.shape)


central = np.array([abs(exercise.numgrad(f, x, eps) - exact).max() for eps in steps])
forward = np.array([abs(one_sided(x, eps) - exact).max() for eps in steps])
best = steps[central.argmin()]
print(
    f"best central step {best:.0e}, error {central.min():.1e}; best one-sided error "
    f"{forward.min():.1e}"
)
assert 1e-7 <= best <= 1e-4
# error eps² against error eps, both against rounding / eps
assert central.min() < forward.min() / 10
charts.curve_chart(
    {"central": (np.arange(1, 13), central), "one-sided": (np.arange(1, 13), forward)},
    title="The error of numerical gradients",
    x_label="step 10⁻ⁿ: n",
    y_label="largest error",
    log=True,
)

# %% [markdown]
# So $10^{-5}$ is a good habit, and an error of $10^{-10}$ is what a right derivative looks like to this judge. If you
# see $10^{-2}$, the formula is wrong, not the step.
#
# **Experiment: a rule from the lectures, put to the test.** One lecture says of batch normalization, $\hat x = (x -
# \mu_B)/\sigma_B$: "If we multiply by a constant during the forward pass, then, the gradient is multiplied by that
# number during the backward pass too!" True of a constant: it is your mul gate. But $\mu_B$ and $\sigma_B$ are
# computed from $x$: they are no constants, and gradients flow through them as well. Let the judge decide.


# %%
def normalised(x):
    return (x - x.mean(axis=0)) / x.std(axis=0)


rng = np.random.default_rng(2)
x, g = rng.normal(size=(6, 2)), rng.normal(size=(6, 2))  # six samples; g arrives
judged = exercise.numgrad(lambda x: np.sum(g * normalised(x)), x)
as_constant = g / x.std(axis=0)
whole = (g - g.mean(axis=0) - normalised(x) * (g * normalised(x)).mean(axis=0)) / x.std(
    axis=0
)
print(f"σ and μ taken as constants: off by {abs(as_constant - judged).max():.2f}")
print(f"all paths counted:          off by {abs(whole - judged).max():.0e}")
assert abs(as_constant - judged).max() > 0.1
assert abs(whole - judged).max() < 1e-8

# %% [markdown]
# ## 5. The copy gate
#
# What if a value is used in two places? Move it a little, and both places move; the loss changes for both reasons. For
# small moves the two changes add:
#
# $$L = L(\text{copy}_1, \text{copy}_2), \quad \text{copy}_1 = \text{copy}_2 = x
#   \quad\Rightarrow\quad
#   \frac{\partial L}{\partial x} =
#   \frac{\partial L}{\partial\,\text{copy}_1} + \frac{\partial L}{\partial\,\text{copy}_2}.$$
#
# "Copy gate: gradient adder", say the lectures. Here is graph (d) again, now with one loss: the squared error plus the
# penalty, so that something comes back along both edges.

# %%
x = tg.tensor([[1.0, 2.0]], name="x")
w = tg.tensor([[0.5], [-1.0]], requires_grad=True, name="w")
error = (x @ w - 1.0).named("ŷ - 1")
loss = (tg.sum(error * error) + 0.1 * tg.sum(w * w)).named("L")
tg.draw(loss, title="(d)  regression with a penalty: two paths from L to w")

# %% [markdown]
# **Exercise 4.** Write `copy_backward(gs)`: the gradients of all copies come in a list.

# %%
check("autograd.4")

# %% [markdown]
# Put your three gates together on graph (d), by hand: the error's path, where the error itself is used twice (it is
# squared), and the penalty's path. Then let the engine of this package say what it gets.

# %%
values = {name: node.numpy() for name, node in {"x": x, "w": w, "error": error}.items()}
one = np.ones((1, 1))
to_factors = exercise.mul_backward(one, values["error"], values["error"])
to_error = exercise.copy_backward(list(to_factors))  # it was both factors
_, by_prediction = exercise.matmul_backward(to_error, values["x"], values["w"])
to_both = exercise.mul_backward(np.full_like(values["w"], 0.1), values["w"], values["w"])
by_penalty = exercise.copy_backward(list(to_both))
by_hand = exercise.copy_backward([by_prediction, by_penalty])
loss.backward()
print(
    "prediction:",
    by_prediction.ravel(),
    "penalty:",
    by_penalty.ravel(),
    "sum:",
    by_hand.ravel(),
)
assert np.allclose(by_hand, w.grad.numpy(), rtol=1e-6)

# %% [markdown]
# **The same gate makes recurrent networks trainable.** A lecture unfolds a dynamical system over $T = 3$ steps,
#
# $$s^{(3)} = f(s^{(2)}; \theta) = f(f(s^{(1)}; \theta); \theta),$$
#
# and says that unfolding "results in the sharing of parameters": $\theta$ is one number, used in each step. Here
# $f(s; \theta) = \tanh(\theta s)$. The unrolled graph (where a state is always called $h$) draws $\theta$ once,
# feeding a copy point for each use. Its gradient is the sum of what comes back from them, and that is backpropagation
# through time, in one sentence.

# %%
theta = tg.tensor(1.5, requires_grad=True, name="θ")
s = tg.tensor(0.4, requires_grad=True)
for t in (1, 2):
    with tg.step(t):
        s = tg.tanh(theta * s)
tg.draw(s, view="ops", title="T = 3: h₃ = f(f(h₁; θ); θ)")

# %% [markdown]
# ## 6. Undo broadcasting
#
# In `X @ W + b` the bias is $(H,)$ and the product $(B, H)$. NumPy copies $b$ to every row; so on the way back there
# is a copy gate nobody wrote down, with one gradient for each row. The rules of broadcasting say where copies were
# made:
#
# | value | result | copied along | on the way back |
# |---|---|---|---|
# | $(H,)$ | $(B, H)$ | an axis put in front | sum over it; it is gone |
# | $(B, 1)$ | $(B, H)$ | an axis of size 1 | sum over it; a 1 stays |
# | $()$ | $(B, H)$ | both axes | sum of everything |
#
# **Exercise 5.** Write `unbroadcast(g, shape)`: `g` has the shape of the result, `shape` is the value's own.

# %%
check("autograd.5")

# %% [markdown]
# Your judge agrees, on a case in which both kinds of axes occur:

# %%
rng = np.random.default_rng(3)
a, g = rng.normal(size=(3, 1)), rng.normal(size=(2, 3, 4))
judged = exercise.numgrad(lambda a: np.sum(g * np.broadcast_to(a, g.shape)), a)
assert np.allclose(exercise.unbroadcast(g, a.shape), judged, atol=1e-8)
print(
    "(2, 3, 4) back to (3, 1): off by "
    f"{abs(exercise.unbroadcast(g, a.shape) - judged).max():.0e}"
)

# %% [markdown]
# **Halfway: a good moment for a break.** You have the gates; what follows is a loss, an order, and the engine.
#
# ## 7. Softmax and cross-entropy in one gate
#
# A classifier ends with logits $o$, one row for each sample; probabilities $p = \mathrm{softmax}(o)$; and the loss
# $-\log p_y$, averaged over the batch. The way back through both is simpler than through either:
#
# $$p_c = \frac{e^{o_c}}{\sum_k e^{o_k}}, \qquad L = -\log p_y = -o_y + \log \sum_k e^{o_k}, \qquad
#   \frac{\partial L}{\partial o_c} = p_c - [c = y].$$
#
# Each logit is pulled by as much as its probability is wrong. Divide by $B$ for the mean over the batch.
#
# The formulas are right and still fail on a computer: $e^{1000}$ is no float64. But subtracting the same $m$ from all
# logits of a row changes no probability, so choose $m$ to be the row's largest logit; and take
# $\log p_c = (o_c - m) - \log \sum_k e^{o_k - m}$ directly, because $p_c$ itself may be 0 by rounding.
#
# **Exercise 6.** Write `softmax_xent(o, y)`. The last of its cases has logits in the thousands.

# %%
check("autograd.6")

# %% [markdown]
# Two things to try on every loss that you ever write. A network that knows nothing must have the loss $\log C$; and the
# judge must agree about the gradient.

# %%
rng = np.random.default_rng(4)
o, y = rng.normal(size=(5, 3)), rng.integers(0, 3, 5)
ignorant, _ = exercise.softmax_xent(np.zeros((5, 3)), y)
_, do = exercise.softmax_xent(o, y)
off = abs(do - exercise.numgrad(lambda o: exercise.softmax_xent(o, y)[0], o)).max()
print(
    f"loss without knowledge {ignorant:.4f}, log 3 = {np.log(3):.4f}; gradient off by "
    f"{off:.0e}"
)
assert np.isclose(ignorant, np.log(3))
assert off < 1e-8
assert np.allclose(do.sum(axis=1), 0)  # each row pushes as much up as down

# %% [markdown]
# ## 8. The order of a backward pass
#
# A gate may send its gradient on only when all of it has arrived: with a copy gate in the graph, it arrives in parts.
# So nodes are visited in an order in which everything that *uses* a node comes before it: the reverse of an order in
# which a forward pass could make them. Such an order is called topological.
#
# Take $r = u + x$ with $u = \tanh x$. Visiting level by level from $r$ reaches $x$ in one step, before $u$ has added
# its part.

# %%
x = tg.tensor(0.5, requires_grad=True, name="x")
u = tg.tanh(x).named("u")
tg.draw((u + x).named("r"), title="x is reached by a short way and by a long one")

# %% [markdown]
# **Exercise 7.** Write `toposort(root)`. `exercise.py` holds the class `Node`, whose `inputs` are the nodes it was
# made from; return a list of all that `root` was made from, each *once*, after its inputs. Follow the inputs depth
# first, and list a node when all of its inputs are listed. Use a loop and a stack of your own: recursion fails beyond
# about a thousand nodes, and unrolled networks have more. Any order that is right is accepted. The grader's smallest
# graph is $xy + x$: nodes 0 and 1 are $x$ and $y$, node 2 is the product, node 3 the sum.

# %%
check("autograd.7")

# %% [markdown]
# **Experiment: what one forgotten set costs.** Without remembering which nodes were seen, a search comes to a node once
# for every *way* that leads there. In a row of $n$ diamonds, each node used twice by the next, there are $2^n$ ways.
# Yours sees $n + 1$ nodes.


# %%
def diamonds(n):
    node = exercise.Node(1.0)
    for _ in range(n):
        node = exercise.Node(1.0, (node, node))
    return node


def visits_without_memory(node):
    return 1 + sum(visits_without_memory(x) for x in node.inputs)


for n in (4, 8, 12, 16):
    seen, visited = len(exercise.toposort(diamonds(n))), visits_without_memory(diamonds(n))
    print(f"{n:3} diamonds: {seen:3} nodes in your list, {visited:6} visits without memory")
    assert (seen, visited) == (n + 1, 2 ** (n + 1) - 1)
# neither recursion nor memory loss would get here
assert len(exercise.toposort(diamonds(5000))) == 5001

# %% [markdown]
# ## 9. Your engine
#
# All parts are there. An engine needs one idea more: let each value *remember how it was made*. A `Node` holds its
# `inputs` and, for each of them, a *rule*: a function that is given $g$ and returns what this use sends to that input.
# So an operation is a value and its rules, no more. Doubling, for example:


# %%
def double(x):
    """2x: the value, what it was made from, and what to send back."""
    return exercise.Node(2 * x.data, (x,), (lambda g: 2 * g,))


x = exercise.Node(3.0)
y = double(x)
print("value", y.data, "and the rule sends", y.rules[0](1.0))

# %% [markdown]
# `backward` is then the same few lines for every network in the world:
#
# 1. sort the nodes below the loss;
# 2. give each a gradient of zeros, and the loss itself a 1, since $\partial L/\partial L = 1$;
# 3. go through them in reverse; let each rule of a node make its share out of the node's gradient, and **add** that
#    share
#    to the input's gradient (the copy gate!).
#
# **Exercise 8.** Fill in the class `Tensor`: `+`, `*`, `@`, `tanh`, `sum`, and `backward`. Each operation's rules you
# have written before. The grader tries every operation by itself, and `backward` with rules of its own; its smallest
# graph is $n_1 = 2 n_0$, $n_2 = 3 n_0 + 5 n_1$, where $n_0$ gets $3 + 5 \cdot 2 = 13$.
#
# One choice: here `backward` forgets the gradients of earlier calls. PyTorch and this package's engine add to them
# until they are cleared, hence the famous `zero_grad()`.

# %%
check("autograd.8")

# %% [markdown]
# Is it an engine? Graph (d), which took five lines by hand:

# %%
Tensor = exercise.Tensor
x, w = Tensor([[1.0, 2.0]]), Tensor([[0.5], [-1.0]])
error = x @ w + Tensor([[-1.0]])
loss = error * error + (w * w).sum() * Tensor(0.1)
loss.sum().backward()
print(w.grad.ravel())
assert np.allclose(w.grad, by_hand)

# %% [markdown]
# ## 10. It learns
#
# Two classes, wound round each other: no straight line parts them. The network has one hidden layer,
#
# $$o = \tanh(X W_1 + b_1)\, W_2 + b_2,$$
#
# and the loss is your `softmax_xent`, made an operation in the way of `double` above. Everything that computes here is
# your own code.


# %%
def cross_entropy(o, y):
    loss, do = exercise.softmax_xent(o.data, y)
    return Tensor(loss, (o,), (lambda g: g * do,))


def spirals(n, rng):
    """n points on each of two arms: X (2n, 2), y (2n,)."""
    r = np.linspace(0.15, 1, n)
    arms = [1.25 * 2 * np.pi * r + turn for turn in (0, np.pi)]
    X = np.concatenate([np.stack([r * np.cos(a), r * np.sin(a)], axis=1) for a in arms])
    return X + rng.normal(0, 0.02, X.shape), np.repeat([0, 1], n)


def network(p, X):
    return (Tensor(X) @ p["W_1"] + p["b_1"]).tanh() @ p["W_2"] + p["b_2"]


def train(p, X, y, updates, rate=0.3, momentum=0.9):
    """Gradient descent with momentum on the whole batch; the loss before each update."""
    losses, moves = [], {name: np.zeros_like(w.data) for name, w in p.items()}
    for _ in range(updates):
        loss = cross_entropy(network(p, X), y)
        loss.backward()
        for name, w in p.items():
            moves[name] = momentum * moves[name] - rate * w.grad
            w.data = w.data + moves[name]
        losses.append(float(loss.data))
    return losses


rng = np.random.default_rng(0)
X, y = spirals(80, rng)
start = {"W_1": rng.normal(0, 2, (2, 32)), "b_1": rng.normal(0, 1, 32)}
start |= {"W_2": rng.normal(0, 0.3, (32, 2)), "b_2": np.zeros(2)}
p = {name: Tensor(value) for name, value in start.items()}
losses = train(p, X, y, updates=600)
right = (network(p, X).data.argmax(axis=1) == y).mean()
print(f"{right:.0%} of the points are on their side")
assert right > 0.98
charts.curve_chart(
    {"your engine": (np.arange(600), losses)}, title="The loss on the spirals", log=True
)

# %% [markdown]
# What has it learnt? Each small grey mark is a place where your network says "square".

# %%
from tinygrad_rnn.pictures.plot import SERIES, Plot, Series, chart
from tinygrad_rnn.pictures.scales import Scale

side = np.linspace(-1.14, 1.14, 32)
places = np.array([(u, v) for u in side for v in side])
says_square = network(p, places).data.argmax(axis=1) == 1
plot = Plot("spirals", Scale(-1.2, 1.2, 0, 330), Scale(-1.2, 1.2, 0, 330), 0, 330)
plot.axes("x₁", "x₂")
for i, (u, v) in enumerate(places[says_square]):
    plot.mark(
        f"map{i}",
        plot.x.at(u),
        plot.y.at(v),
        Series("#d1d5db", "square", True, False),
        "square",
    )
for i, ((u, v), k) in enumerate(zip(X, y, strict=True)):
    plot.mark(
        f"point{i}", plot.x.at(u), plot.y.at(v), SERIES[k], "circle" if k == 0 else "square"
    )
share = (
    f"{right:.0%} of {len(y)} points on their side; "
    "the grey region is where the network says square"
)
chart("Two spirals, parted by your engine", share, [plot])

# %% [markdown]
# **Is it the same gradient as that of a grown-up engine?** The package's own, on the same network at the same weights:

# %%
leaves = {
    name: tg.tensor(value, requires_grad=True, name=name) for name, value in start.items()
}
theirs = tg.cross_entropy(
    tg.tanh(X @ leaves["W_1"] + leaves["b_1"]) @ leaves["W_2"] + leaves["b_2"], y
)
theirs.backward()
mine = {name: Tensor(value) for name, value in start.items()}
cross_entropy(network(mine, X), y).backward()
off = {name: abs(mine[name].grad - leaf.grad.numpy()).max() for name, leaf in leaves.items()}
print({name: f"{value:.0e}" for name, value in off.items()})
assert max(off.values()) < 1e-12

# %% [markdown]
# And the bug that hurts most is the one that does not crash. Let every `grad` keep what was written there last,
# instead of the sum. In this network each weight is used once, and *nothing changes*. In the chain $s_3 =
# f(f(s_1;\theta);\theta)$ of section 5 it does: give each step a $\theta$ of its own, all of one value, and you see
# what each use pays.


# %%
def chain(thetas):
    s = Tensor(0.4)
    for theta in thetas:
        s = (theta * s).tanh()
    return s


theta = Tensor(1.5)
chain([theta, theta]).backward()
own = [Tensor(1.5), Tensor(1.5)]
chain(own).backward()
shares = [float(each.grad) for each in own]
judged = exercise.numgrad(lambda v: float(chain([Tensor(v), Tensor(v)]).data), np.array(1.5))
print("one θ, used twice:", f"{theta.grad:.4f}", "  the judge:", f"{judged:.4f}")
print(
    "what each use pays:",
    " + ".join(f"{share:.4f}" for share in shares),
    "=",
    f"{sum(shares):.4f}",
)
assert np.isclose(theta.grad, judged, atol=1e-9)
assert np.isclose(theta.grad, sum(shares))
assert min(shares) > 0.1  # to keep but one of them is to be wrong, and nothing would say so

# %% [markdown]
# ## What you have
#
# An engine: values that remember how they were made, a rule for each gate, one order, one loop. The engine of this
# package (`autograd.py`, an hour's reading) is the same idea, with more rules; and since it numbers its nodes as they
# are made, it need not even search for an order: newest first will do.
#
# And the sentence to take along: **where a value is used several times, its gradients add.** A recurrent network uses
# its weights at every step. What that sum looks like, how much each step pays into it, and why early steps often pay
# nothing, is the rest of this course.
