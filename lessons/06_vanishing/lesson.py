# %% [markdown]
# # Vanishing, exploding, clipping
#
# **About 90 minutes.** You need: BPTT by hand (lesson `bptt`), and what eigenvalues are.
#
# At the end you will
#
# - have multiplied the Jacobians through which a gradient travels, and seen the product vanish and explode;
# - know what the largest singular value of $W_{hh}$ can promise, what the spectral radius can, and why slides
#   disagree;
# - have seen why a network that remembers a bit must let its gradient vanish, and what a cliff in the loss is;
# - have written gradient clipping, met a slip that is copied from slide to slide, and measured what clipping is good
#   for: not "it makes training possible", but something more precise.
#
# Your code goes into `exercise.py`, beside this notebook; `check("vanishing.1")` grades what is saved there.

# %%
# Run me first: I find the lesson, and what you write in exercise.py, beside this notebook.
try:
    from tinygrad_rnn.course import lesson
except ImportError:  # a hosted notebook, say: fetch the course, once
    import subprocess
    import sys

    subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", "tinygrad_rnn[course]"], check=True)
    from tinygrad_rnn.course import lesson

here = lesson("vanishing")  # whatever is missing here comes from the installed package
check, hint = here.check, here.hint
exercise = here.exercise  # your own code, read again whenever you save it

# %%
import numpy as np

import tinygrad_rnn as tg
from tinygrad_rnn.pictures import charts

# %% [markdown]
# ## 1. Twelve steps back
#
# Take an Elman network over 12 steps and put a gradient of norm 1 into its last state. The same network three times,
# with weaker and stronger recurrent weights: $W_{hh}$ is an orthogonal matrix (all lengths stay) times 0.5, 1 and
# 1.5. The thicker and redder an arrow, the larger the gradient that goes back through it.


# %%
def chain(scale, T=12, H=16):
    """T steps with W_hh = scale * orthogonal, inputs faint: a number made of the last
    state, all states, W_hh."""
    rng = np.random.default_rng(0)
    orthogonal = tg.nn.init.orthogonal((H, H), rng, dtype=np.float64)
    W_hh = tg.tensor(scale * orthogonal, requires_grad=True, name="W_hh")
    direction = rng.normal(size=(H, 1))
    h = tg.tensor(np.zeros((1, H)), requires_grad=True, name="h_0")
    states = [h]
    for t in range(T):
        with tg.step(t):
            h = tg.tanh(1e-4 * rng.normal(size=(1, H)) + h @ W_hh).named("h")
        states.append(h)
    return tg.sum(h @ tg.tensor(direction / np.linalg.norm(direction))), states, W_hh


chains = {scale: chain(scale) for scale in (0.5, 1.0, 1.5)}
panels = [(f"orthogonal times {scale:g}", output) for scale, (output, *_) in chains.items()]
tg.draw(panels, view="flow", steps="all", title="A gradient on its way back through 12 steps")

# %%
for scale, (output, states, _) in chains.items():
    norms = tg.flow.state_gradients(output, states).norms
    print(
        f"times {scale:g}: norm {norms[-1]:.3g} at the last state, {norms[0]:.3g} at the "
        f"first; {scale:g}^12 = {scale**12:.3g}"
    )

# %% [markdown]
# It *vanishes*, it *stays*, it *explodes*. Why is plain: each step multiplies by one matrix more,
#
# $$\frac{\partial h_t}{\partial h_k} = J_t \, J_{t-1} \cdots J_{k+1}, \qquad
#   J_s = \frac{\partial h_s}{\partial h_{s-1}} = \mathrm{diag}(1 - h_s^2)\; W_{hh}^\top .$$
#
# (Pascanu, Mikolov & Bengio 2013, equation 5. They write columns, $a = W h$, and have no transpose; our rows are
# samples, $a = h W_{hh}$.)
#
# > **A slip.** One lecture's slide writes $\partial h_t / \partial h_{t-1} = \tanh'(W_{hh} h_{t-1} + W_{xh} x_t)\,
# > W_{hh}$. As it stands this is a vector times a matrix, which fits only by broadcasting, and then it scales
# > *columns*, that is the wrong units. The slopes form a **diagonal matrix on the left**: row $i$ of the Jacobian
# > gets the slope of unit $i$. For a gradient that travels back as a row, $\delta_{t-1} = (\delta_t \odot (1 -
# > h_t^2))\, W_{hh}^\top$.
#
# ### Exercise 1: a product of Jacobians

# %%
check("vanishing.1")

# %% [markdown]
# ### What it shows
#
# Your product must be the engine's, which gets it from a recorded run by backpropagating one row after another.

# %%
for scale, (_, states, W_hh) in chains.items():
    Hs = np.stack([h.numpy()[0] for h in states])
    yours = exercise.jac_product(Hs, W_hh.numpy(), 12, 3)
    engine = tg.flow.jacobian_products(states).matrix(12, 3)
    difference = np.abs(yours - engine).max()
    print(
        f"times {scale:g}: largest entry {np.abs(engine).max():.3g}, largest difference "
        f"{difference:.1g}"
    )
    assert np.allclose(yours, engine, rtol=1e-10, atol=1e-12 * np.abs(engine).max())

# %% [markdown]
# Now networks as one finds them: random weights (no orthogonal ones), random inputs. For each of four matrices that
# differ by a factor only, the largest stretch of your product, its largest singular value, by the number of steps
# between the two states. $\rho$ is the spectral radius, the largest modulus of an eigenvalue.


# %%
def random_matrix(rho, H, rng):
    """A Gaussian matrix (H, H), scaled so that its spectral radius is rho."""
    return tg.nn.init.spectral_radius(rng.normal(size=(H, H)), rho)


def run(W_hh, inputs, squash=np.tanh):
    """The states (T, H) of h_t = squash(inputs_t + h_{t-1} @ W_hh), begun at 0.
    inputs (T, H)."""
    h, Hs = np.zeros(len(W_hh)), []
    for x in inputs:
        h = squash(x + h @ W_hh)
        Hs.append(h)
    return np.array(Hs)


def stretch_by_lag(Hs, W_hh):
    """The largest singular value of dh_T/dh_k for k = T, T-1, ..., by your function."""
    last = len(Hs) - 1
    products = [exercise.jac_product(Hs, W_hh, last, last - lag) for lag in range(len(Hs))]
    return np.linalg.norm(products, 2, axis=(1, 2))


T, H = 50, 30
rng = np.random.default_rng(1)
gaussian, noise = rng.normal(size=(H, H)), rng.normal(size=(T, H))
by_rho = {}
for rho in (0.5, 0.9, 1.1, 2.0):
    W_hh = tg.nn.init.spectral_radius(gaussian, rho)
    by_rho[f"ρ = {rho:g}"] = np.arange(T), stretch_by_lag(run(W_hh, 0.1 * noise), W_hh)
charts.curve_chart(
    by_rho,
    "What a product of Jacobians stretches",
    "steps between the two states",
    "largest singular value",
    log=True,
)

# %%
print("ρ = 0.9, after 0, 1, 2, ... steps:", np.round(by_rho["ρ = 0.9"][1][:8], 2))
assert by_rho["ρ = 0.9"][1][1] > 1.2 > 0.01 > by_rho["ρ = 0.9"][1][-1]

# %% [markdown]
# Straight lines on a logarithmic axis: exponential in the number of steps, as products are. And a first doubt: the
# product for $\rho = 0.9$, as printed, *grows* at first. Section 2 is about that.
#
# ### What vanishes, and what does not
#
# A lecture says that with vanishing gradients optimisation gets stuck because "the gradient is too small". Not so: it
# is the *long-term parts* that vanish. With a loss at every step, $\partial L/\partial W_{hh}$ is a sum over all
# pairs of a loss $t$ and a use $k \le t$ of the weights. Here are all of them, for $\rho = 0.9$ and inputs that
# saturate the units a little:

# %%
T, H = 20, 12
rng = np.random.default_rng(0)
W_hh = tg.tensor(random_matrix(0.9, H, rng), requires_grad=True, name="W_hh")
h, losses = tg.tensor(rng.normal(size=(1, H))), []
for t in range(T):
    with tg.step(t):
        h = tg.tanh(rng.normal(size=(1, H)) + h @ W_hh).named("h")
        losses.append(tg.sum((h - rng.normal(size=(1, H))) ** 2))
table = tg.flow.ledger(losses, W_hh)
charts.table_chart(table)

# %%
total = np.linalg.norm(tg.grad(sum(losses), W_hh)[0].numpy())
print(f"norm of the whole gradient: {total:.3g}")
print(f"its part of the last loss, through the last use of W_hh: {table.norms[-1, -1]:.3g}")
print(f"                           through the first use of W_hh: {table.norms[-1, 0]:.3g}")
assert total > 1 > 1e3 * table.norms[-1, 0] / table.norms[-1, -1]

# %% [markdown]
# The whole gradient is large, and the network learns: what the last steps have to teach. Nobody sees from its norm
# that the first steps have no voice.
#
# ## 2. Two numbers, and what they promise
#
# How much can a matrix stretch? Two answers, which slides like to mix up:
#
# - the **largest singular value** $\sigma_1$: the most that *one* step can do to the length of a vector;
# - the **spectral radius** $\rho$: the factor per step in the *long run*, when the same matrix is applied again and
#   again.
#
# Always $\rho \le \sigma_1$; they are equal for symmetric, orthogonal and all other *normal* matrices, and those are
# the ones that one thinks of. Trained and random recurrent matrices are not normal.
#
# ### Exercise 2: both, for any matrix

# %%
check("vanishing.2")

# %% [markdown]
# ### What it shows
#
# The smallest matrix in which they differ is a shear, both eigenvalues ½. We apply it in a *linear* network; the
# states do not matter there, so zeros do (the slope of tanh at 0 is 1, and your `jac_product` becomes a power of the
# matrix).

# %%
shear = np.array([[0.5, 3.0], [0.0, 0.5]])
sigma1, rho = exercise.spectral(shear)
steps = np.arange(21)
norms = [
    np.linalg.norm(exercise.jac_product(np.zeros((21, 2)), shear, k, 0), 2) for k in steps
]
print(f"sigma1 = {sigma1:.2f}, rho = {rho:.2f}")
print("steps:", ", ".join(f"{k}: norm {norms[k]:.2g}" for k in (1, 2, 3, 5, 10, 20)))
assert np.allclose([norms[k] for k in (1, 2, 3, 5)], [3.08, 3.02, 2.26, 0.94], atol=0.01)
assert norms[20] < 1e-3
charts.curve_chart(
    {"norm of the product": (steps, norms), "ρ to the power of steps": (steps, rho**steps)},
    "Grows at first, dies in the end",
    "steps",
    "largest singular value",
    log=True,
)

# %% [markdown]
# Three steps of growth, because $\sigma_1 = 3.08$; then decay, because $\rho = 0.5$. Neither number alone tells the
# story.
#
# With an activation in between it gets harsher. Each $J_s$ has a diagonal of its own, the product is no power of
# anything, and eigenvalues of a product are not products of eigenvalues. Only norms can be multiplied:
#
# $$\Big\| \frac{\partial h_t}{\partial h_k} \Big\| \le \prod_s \big\|\mathrm{diag}(1 - h_s^2)\big\| \, \|W_{hh}\|
#   \le (\gamma \sigma_1)^{t-k},$$
#
# where $\gamma$ is the largest slope of the activation: 1 for tanh, ¼ for the sigmoid.
#
# From this bound follows what Pascanu and colleagues state (2013, section 2.1), and no more:
#
# | | is | for |
# |---|---|---|
# | $\sigma_1 < 1/\gamma$ | **sufficient** | the gradient to vanish |
# | $\sigma_1 > 1/\gamma$ | **necessary**, not sufficient | the gradient to explode |
#
# > **Two slips.** One lecture: "largest *singular* value > 1: exploding gradients, < 1: vanishing gradients". The
# > second half is right for tanh, the first is not: it turns "necessary" into "sufficient". Another lecture: the same
# > with the largest *eigenvalue*. That holds for the linear network, and only in the long run. (Of the paper itself
# > two versions circulate, one with singular values and one with eigenvalues, so say which one you cite.)
#
# Mistakes of this kind leave no trace in any training run: no number is wrong, only a conclusion. So the next
# exercise asks for conclusions.
#
# ### Exercise 3: what can be promised

# %%
check("vanishing.3")

# %% [markdown]
# ### What it shows
#
# Your forecast against measurements. Four random matrices, each run with faint inputs and with loud ones. The
# forecast knows $W_{hh}$ only; what happens depends on the states.

# %%
T, H = 100, 50
rng = np.random.default_rng(0)
gaussian, noise = rng.normal(size=(H, H)), rng.normal(size=(T, H))
print(
    "                            forecast                    norm after 99 steps, inputs "
    "of size"
)
print("  ρ    σ1   vanishes for sure   can explode   linear explodes         0.1         1")
measured = {}
for rho in (0.5, 0.9, 1.1, 2.0):
    W_hh = tg.nn.init.spectral_radius(gaussian, rho)
    sigma1, _ = exercise.spectral(W_hh)
    says = exercise.forecast(sigma1, rho, 1.0, T - 1)
    for size in (0.1, 1.0):
        Hs = run(W_hh, size * noise)
        measured[rho, size] = np.linalg.norm(exercise.jac_product(Hs, W_hh, T - 1, 0), 2)
        assert measured[rho, size] <= says["bound"]
    claims = [
        str(bool(says[name]))
        for name in ("vanishes_for_sure", "can_explode", "linear_explodes")
    ]
    print(f"{rho:4.1f}  {sigma1:4.2f}   {claims[0]:<17}   {claims[1]:<11}   {claims[2]:<15}   "
          f"{measured[rho, 0.1]:8.1e}   {measured[rho, 1.0]:7.1e}")  # fmt: skip
assert measured[0.9, 0.1] < 1e-3  # sigma1 = 1.6 > 1, and it vanishes
assert measured[1.1, 1.0] < 1e-6 * measured[1.1, 0.1]  # the same W_hh: the inputs decide
assert measured[2.0, 0.1] > 1e3  # and it can explode, too

# %% [markdown]
# Every forecast held. For $\rho = 1.1$ everything "ought to explode" by either slide. With loud inputs the gradient
# is gone: saturated units have slopes near 0. A promise is possible only for the first row.
#
# And could one promise that it vanishes when the *spectral radius* is small? Here is a matrix whose eigenvalues are
# both 0: twice in a row it maps everything to zero. Let inputs hold the second unit of a tanh network near
# saturation, with a slope of 0.1, and the first at 0, with a slope of 1:

# %%
W_hh = np.array([[2.0, 2.0], [-2.0, -2.0]])
held = np.array([0.0, np.sqrt(0.9)])  # the states; slopes 1 and 0.1
inputs = np.tile(np.arctanh(held) - held @ W_hh, (21, 1))
inputs[0] = np.arctanh(held)  # the first state comes from 0
Hs = run(W_hh, inputs)
explodes = [np.linalg.norm(exercise.jac_product(Hs, W_hh, k, 0), 2) for k in (1, 2, 10, 20)]
sigma1, rho = exercise.spectral(W_hh)
print(f"sigma1 = {sigma1:.1f}, rho = {rho:.1g}; W_hh squared:", (W_hh @ W_hh).tolist())
print("norm after 1, 2, 10, 20 steps:", ", ".join(f"{each:.3g}" for each in explodes))
assert np.allclose(Hs, held)
assert explodes[-1] > 1e5 > 1e-6 > rho

# %% [markdown]
# It explodes. A slope of 0.1 *made* it explode, by spoiling a cancellation. Under tanh, $\rho$ promises nothing in
# either direction.
#
# ## 3. To remember is to let vanish
#
# Is vanishing then a matter of badly chosen weights? Bengio, Simard & Frasconi (1994) asked what a single unit needs
# in order to keep a bit:
#
# $$a_t = w \tanh(a_{t-1}) + h .$$
#
# For $w > 1$ and no input ($h = 0$) it has two stable states, up and down, and falls into the nearer one: the bit is
# *latched*. A constant input $h$ shifts the curve. Resting states are where curve and diagonal meet:

# %%
a = np.linspace(-3.5, 3.5, 141)
curves = {f"2 tanh(a) + {h:g}": (a, 2 * np.tanh(a) + h) for h in (0.0, 0.53, 1.0)}
charts.curve_chart(
    {"a itself": (a, a)} | curves,
    "The unit rests where its curve meets a itself",
    "a",
    "a, one step later",
    about="without input three crossings, the outer two stable;\n"
    "at 0.53 two of them touch; with more input one is left",
)

# %% [markdown]
# ### Exercise 4: a latched bit
#
# How large an input does it withstand, where does it rest, and what does it do there to a gradient?

# %%
check("vanishing.4")

# %% [markdown]
# ### What it shows

# %%
print("  w   withstands |h| <   rests at   factor on the gradient, a step   in 20 steps")
for w in (1.1, 1.5, 2.0, 3.0):
    unit = exercise.latch_basin(w, 0.0)
    print(f"{w:4.1f} {unit['h_star']:16.3f} {unit['a']:10.2f} "
          f"{unit['factor']:30.3f} {unit['factor'] ** 20:16.1e}")  # fmt: skip
    assert unit["factor"] < 1

# %% [markdown]
# The safer the memory, the faster the gradient dies: stable means that small changes shrink, and a gradient *is* what
# becomes of small changes. This is the dilemma of 1994. No choice of $w$ avoids it; another architecture does (lesson
# `lstm`).
#
# And one thing more. Follow the resting states while the input grows: from above, starting high, and from below.

# %%
h = np.linspace(-1.0, 1.0, 161)
high = np.array([exercise.latch_basin(2.0, each)["a"] for each in h])
# the unit is symmetric
low = np.array([-exercise.latch_basin(2.0, -each)["a"] for each in h])
charts.curve_chart(
    {"started high": (h, high), "started low": (h, low)},
    "Resting states of a unit with w = 2",
    "input h",
    "rests at a",
    about="between -0.53 and 0.53 two states: memory;\n"
    "at either end one of them is gone, and the unit jumps",
)

# %% [markdown]
# At $h = \pm h^*$ a resting state disappears (a *bifurcation*), and the unit jumps. Seen as a function of its
# parameters, the network after many steps has a **step** there, and a loss on top of it has a wall.
#
# ## 4. The cliff
#
# Pascanu and colleagues draw the smallest network with such a wall (2013, section 2.3): one unit, 50 steps, no
# inputs,
#
# $$x_t = w\,\sigma(x_{t-1}) + b, \qquad x_0 = \tfrac12, \qquad E = (\sigma(x_{50}) - 0.7)^2 .$$
#
# ### Exercise 5: its loss, and its gradient by BPTT

# %%
check("vanishing.5")

# %% [markdown]
# ### What it shows
#
# Your function takes many networks at once, so it can survey the loss. First a cut through it, along $b = -2.3$:

# %%
w = np.linspace(4.0, 5.5, 601)
E, dw, db = exercise.cliff_loss(w, np.full_like(w, -2.3), 0.5, 50)
slope = np.abs(dw)
charts.curve_chart(
    {"loss E": (w, E), "slope |dE/dw|": (w, slope)},
    "A wall in the loss",
    "weight w",
    "E and its slope",
    log=True,
    about=f"b = -2.3; the largest slope is {slope.max():.0f}",
)

# %%
print(
    f"steepest of these {len(w)} points: |dE/dw| = {slope.max():.1f}; half of them are "
    f"below {np.median(slope):.2f}"
)
assert slope.max() > 50 * np.median(slope)

# %% [markdown]
# A loss that never exceeds ½, and a slope in the dozens on a stretch too narrow to be met often, but met once is
# enough: a step of gradient descent is as long as the gradient, and leads to where nothing that was learned counts.
#
# The remedy (Pascanu et al., algorithm 1) is almost embarrassingly simple. The gradient's *direction* is still good:
# away from the wall. Its *length* is what misleads, so limit it.
#
# ### Exercise 6: clipping by the norm

# %%
check("vanishing.6")

# %% [markdown]
# > **A slip.** One lecture's slide computes `grad_norm = np.sum(grad * grad)` and then scales by `threshold /
# > grad_norm`. That is the *squared* norm: the root is missing. It has been copied into many notes, and it runs
# > without complaint. The same deck has the right formula, $\min(1, \lambda/\|g\|)\,g$, a few slides away.

# %%
print("norm before   clipped at 5, right   as on the slide")
for norm in (1.0, 3.0, 10.0, 100.0):
    g = np.array([0.6, 0.8]) * norm
    (right,), _ = exercise.clip_global([g], 5.0)
    slide = g * 5 / np.sum(g * g) if np.sum(g * g) > 5 else g
    print(f"{norm:11g} {np.linalg.norm(right):21g} {np.linalg.norm(slide):17g}")

# %% [markdown]
# The larger the gradient, the *smaller* the step; and it bites already at $\|g\| > \sqrt 5$.
#
# Now down the cliff, from sixty starting points above it, with and without clipping. Drawn is the one start of the
# sixty that is thrown furthest; the counts below are of all.


# %%
def descend(starts, max_norm, lr=0.3, updates=150):
    """Gradient descent on the cliff from each of N starts (N, 2), rows (w, b): the paths
    (updates + 1, N, 2)."""
    paths = [starts]
    for _ in range(updates):
        _, dw, db = exercise.cliff_loss(*paths[-1].T, 0.5, 50)
        clipped = [
            exercise.clip_global([g], max_norm)[0][0] for g in np.column_stack([dw, db])
        ]
        paths.append(paths[-1] - lr * np.array(clipped))
    return np.array(paths)


rng = np.random.default_rng(0)
starts = np.column_stack([rng.uniform(4.5, 5.5, 60), rng.uniform(-2.4, -2.1, 60)])
paths = {
    name: descend(starts, max_norm) for name, max_norm in (("plain", 1e300), ("clipped", 0.2))
}
lengths = {
    name: np.linalg.norm(np.diff(each, axis=0), axis=-1) for name, each in paths.items()
}
final = {name: exercise.cliff_loss(*each[-1].T, 0.5, 50)[0] for name, each in paths.items()}
solved = {name: np.mean(E < 0.01) for name, E in final.items()}
for name in paths:
    print(f"{name}: ends with E < 0.01 from {solved[name]:.0%} of the starts; "
          f"the longest step is {lengths[name].max():.3g}")  # fmt: skip
assert solved["clipped"] > 0.9 > 0.6 > solved["plain"]

# %%
import matplotlib.pyplot as plt

update, one = np.unravel_index(lengths["plain"].argmax(), lengths["plain"].shape)
W, B = np.meshgrid(np.linspace(3.2, 6.2, 240), np.linspace(-3.0, -1.8, 180))
E = exercise.cliff_loss(W.ravel(), B.ravel(), 0.5, 50)[0].reshape(W.shape)
figure, axes = plt.subplots(figsize=(7.2, 4.6), layout="constrained")
surface = axes.contourf(W, B, E, 24, cmap="Blues")
figure.colorbar(surface, label="loss E")
plain, clipped = (paths[name][:, one].T for name in ("plain", "clipped"))
axes.plot(
    *plain, color="#b91c1c", marker="s", ms=4, lw=1.4, ls="--", label="without clipping"
)
axes.plot(
    *clipped,
    color="#15803d",
    marker="o",
    ms=3,
    lw=1,
    mec="white",
    mew=0.4,
    label="clipped at 0.2",
)
axes.plot(*starts[one], marker="*", ms=14, color="black", ls="", label="start")
axes.set(xlim=(3.2, 6.2), ylim=(-3.0, -1.8), xlabel="weight w", ylabel="bias b",
         title="Down to the cliff, and what happens there")  # fmt: skip
axes.legend(loc="lower left")
plt.show()
w, b = paths["plain"][update + 1, one]
print(
    "In words: both go down the gentle slope side by side. At the wall the dashed path, "
    "without clipping,\n"
    f"leaves the picture in one step, to w = {w:.0f}, b = {b:.0f}. The clipped one bounces "
    "along the foot of\n"
    f"the wall, to E = {final['clipped'][one]:.4f}."
)

# %% [markdown]
# There is a second way to clip: every entry by itself, into $[-c, c]$. It is older (Mikolov, 2012, as the paper
# reports) and has a side effect.
#
# ### Exercise 7: one step, clipped by value

# %%
check("vanishing.7")

# %%
g = np.array([10.0, 0.1])
for limit in (20.0, 1.0, 0.1):
    _, cosine = exercise.clip_value(np.zeros(2), g, 1.0, limit)
    angle = np.degrees(np.arccos(min(1.0, cosine)))
    print(f"gradient (10, 0.1), every entry at most {limit:g}: turned by {angle:.0f} degrees")

# %% [markdown]
# Clipping by value *turns* the gradient, in the extreme until every entry counts the same. Clipping by norm never
# does.
#
# One more trap, of order. `loss.backward()`, `clip_grad_norm_(...)`, `optimizer.step()`: with the last two exchanged
# everything runs, and nothing is clipped.
#
# ## 5. What clipping widens
#
# Now a real task. **Temporal order** (Hochreiter & Schmidhuber 1997, section 5.6): among 20 letters of noise stand
# two that matter, each an A or a B, one early and one in the middle. After the last letter the network must say which
# they were, in their order: four classes, so a network that forgets is wrong three times out of four.

# %%
from tinygrad_rnn.data import temporal_order

x, y = temporal_order(np.random.default_rng(3), seq_len=20, batch_size=4)
for b in range(4):
    print(
        "".join("ABcdef"[i] for i in x[:, b].argmax(axis=1)),
        "->",
        ["AA", "AB", "BA", "BB"][y[b]],
    )

# %% [markdown]
# Is it true that "without clipping it cannot be learned"? Slides show one learning rate, one run. Let us take five
# rates, three networks each, with and without clipping at norm 1 (**your** `clip_global`); plain gradient descent, no
# momentum. A run counts as solved as soon as fewer than 1 % of the last 1000 sequences were answered wrongly; each
# sequence is new. About half a minute:

# %%
RATES, SEEDS, UPDATES = (0.02, 0.05, 0.1, 0.3, 1.0), (0, 1, 2), 1500


def train(seed, lr, max_norm, hidden=50, batch=20):
    """The update at which temporal order at T = 20 is solved, or None."""
    rng, data = np.random.default_rng(seed), np.random.default_rng(100 + seed)
    layer, head = tg.nn.RNN(6, hidden, rng=rng), tg.nn.Linear(hidden, 4, rng=rng)
    cell = layer.layers[0].forward
    cell.W_hh.data = tg.nn.init.spectral_radius(
        tg.nn.init.sparse((hidden, hidden), rng), 0.95
    )
    cell.W_xh.data = tg.nn.init.normal((6, hidden), rng, 0.1)
    parameters = layer.parameters() + head.parameters()
    optimizer, wrong = tg.optim.SGD(parameters, lr=lr), []
    for update in range(UPDATES):
        x, y = temporal_order(data, 20, batch)
        optimizer.zero_grad()
        outputs, _ = layer(tg.tensor(x))
        logits = head(outputs[-1])
        tg.cross_entropy(logits, y).backward()
        if max_norm is not None:
            clipped, _ = exercise.clip_global([p.grad.numpy() for p in parameters], max_norm)
            for p, g in zip(parameters, clipped, strict=True):
                p.grad = tg.tensor(g)
        optimizer.step()
        wrong.append(np.mean(logits.numpy().argmax(axis=1) != y))
        if update >= 50 and np.mean(wrong[-50:]) < 0.01:
            return update + 1
    return None


solved = {"without clipping": {}, "clipped at 1": {}}
for name, max_norm in zip(solved, (None, 1.0), strict=True):
    print(f"{name}:")
    for lr in RATES:
        runs = [train(seed, lr, max_norm) for seed in SEEDS]
        solved[name][lr] = sum(update is not None for update in runs)
        updates = ", ".join(str(update or "-") for update in runs)
        print(
            f"  rate {lr:4g}: solved {solved[name][lr]} of {len(SEEDS)}, after {updates} "
            "updates"
        )

# %%
charts.curve_chart(
    {name: (np.log10(RATES), list(each.values())) for name, each in solved.items()},
    "Temporal order, T = 20: which learning rates work",
    "learning rate, as a power of ten",
    "networks that solve it, of 3",
    about=f"plain descent, at most {UPDATES} updates",
)

# %%
usable = {
    name: [lr for lr in RATES if 2 * each[lr] > len(SEEDS)] for name, each in solved.items()
}
for name, rates in usable.items():
    print(
        f"{name}: most networks solve it at the rates "
        f"{', '.join(f'{lr:g}' for lr in rates) or 'none'}"
    )
small = [lr for lr in RATES if lr <= 0.05]
assert all(sum(each[lr] for lr in small) > 0 for each in solved.values()), (
    "at small rates both can solve it"
)
widest = {name: max(rates, default=0.0) for name, rates in usable.items()}
assert widest["clipped at 1"] >= 3 * widest["without clipping"], (
    "clipping allows larger rates"
)

# %% [markdown]
# So the honest sentence is: **clipping widens the range of usable learning rates, upwards**. At small rates plain
# gradient descent solves the task as well, and with clipping it is often *slower* there: every step that was fine but
# long has been shortened. At large rates one meeting with a wall undoes everything, unless it is clipped. At a rate
# of 1 both fail. (Three networks are few. Of fifteen, without clipping 11 solved it at a rate of 0.02, 9 at 0.05, 2
# at 0.1, none above; clipped 8, 14, 15, and 15 each at 0.2 and 0.5; at 1 none.)
#
# That is worth having: with the larger rate the task is solved in a few hundred updates. But mind what clipping does
# *not* do: it cannot bring back a gradient that has vanished. "First mend the cause, clip last", says one lecture,
# rightly.
#
# ## 6. And ReLU?
#
# One lecture's first remedy is "use ReLU instead of tanh": its slope is 1, so nothing is squashed. True, and by
# itself dangerous: where tanh saturates and so puts an end to growth, ReLU lets it go on. The same $W_{hh}$, the same
# inputs:

# %%
T, H = 60, 50
rng = np.random.default_rng(0)
W_hh, inputs = random_matrix(2.0, H, rng), rng.normal(size=(T, H))


def relu(a):
    return np.maximum(a, 0)


growth = {}
for name, squash, slope in (
    ("tanh", np.tanh, lambda h: 1 - h**2),
    ("ReLU", relu, lambda h: h > 0),
):
    Hs, J, norms = run(W_hh, inputs, squash), np.eye(H), [1.0]
    for h in reversed(Hs[1:]):
        J = J @ (slope(h)[:, None] * W_hh.T)
        norms.append(np.linalg.norm(J, 2))
    growth[name] = np.arange(T), norms
assert growth["ReLU"][1][-1] > 1e3 * growth["tanh"][1][-1]
charts.curve_chart(
    growth,
    "The same weights (ρ = 2) and inputs, two activations",
    "steps between the two states",
    "largest singular value",
    log=True,
)

# %% [markdown]
# What works is ReLU *together with* recurrent weights that begin as the identity, small input weights, and clipping
# (Le, Jaitly & Hinton 2015).
#
# ## 7. Extra: asking the gradient to keep its length
#
# Clipping treats explosion. For vanishing the same paper proposes to put the wish into the loss: a regulariser that
# is 0 when no step back changes the gradient's norm (section 3.3),
#
# $$\Omega = \sum_k \left( \frac{\| v_k \|}{\| \partial E / \partial h_{k+1} \|} - 1 \right)^2, \qquad
#   v_k = \frac{\partial E}{\partial h_{k+1}} \frac{\partial h_{k+1}}{\partial h_k} .$$
#
# Its gradient in $W_{hh}$ is taken with states and incoming gradients held fixed.
#
# ### Exercise 8 (extra): the regulariser

# %%
check("vanishing.8")

# %%
T, H = 30, 16
rng = np.random.default_rng(1)
W_hh, inputs, direction = (
    random_matrix(0.7, H, rng),
    0.3 * rng.normal(size=(T, H)),
    rng.normal(size=H),
)


def way_back(W_hh):
    """States, and the gradients of h_T @ direction in them, both (T, H)."""
    Hs, dHs = run(W_hh, inputs), [direction / np.linalg.norm(direction)]
    for h in reversed(Hs[1:]):
        dHs.append((dHs[-1] * (1 - h**2)) @ W_hh.T)
    return Hs, np.array(dHs[::-1])


norms = {}
for update in range(201):
    Hs, dHs = way_back(W_hh)
    if update in (0, 20, 200):
        norms[f"after {update} updates" if update else "before"] = np.linalg.norm(
            dHs, axis=1
        )[::-1]
    (g,), _ = exercise.clip_global([exercise.omega(dHs, Hs, W_hh)["dW_hh"]], 1.0)
    W_hh = W_hh - 0.02 * g
assert norms["before"][-1] < 1e-4 < 0.01 < norms["after 200 updates"][-1]
charts.lag_chart(
    norms, "Descending on Ω alone: the gradient learns to travel", "norm of ∂E/∂h"
)

# %% [markdown]
# ## What you have now
#
# - A gradient through time is a product of Jacobians, each a diagonal of slopes times $W_{hh}^\top$; products go to 0
#   or to infinity exponentially.
# - $\gamma\sigma_1 < 1$ promises that it vanishes. Nothing about $W_{hh}$ promises that it explodes. The spectral
#   radius speaks about the linear network, in the long run.
# - Latching a bit *means* a vanishing gradient, in this architecture.
# - Walls in the loss come from bifurcations. Clipping by the norm survives them; it widens the range of learning
#   rates that work, and does nothing against vanishing.
#
# Next, lesson `lstm`: an architecture in which remembering and a living gradient go together.
