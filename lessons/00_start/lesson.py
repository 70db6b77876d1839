# %% [markdown]
# # Fifteen minutes: how this course works
#
# **15 minutes.** You need some Python and NumPy. At the end you have written two lines, found a planted bug, and can
# read a verdict: everything that the other lessons ask of you, in small.
#
# You write your answers in **`exercise.py`**, the file beside this notebook, in any editor. The notebook reads it again
# whenever you save it. Run the cell below first.

# %%
# Run me first: I find the lesson, and what you write in exercise.py, beside this notebook.
try:
    from tinygrad_rnn.course import lesson
except ImportError:  # a hosted notebook, say: fetch the course, once
    import subprocess
    import sys

    subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", "tinygrad_rnn[course]"], check=True)
    from tinygrad_rnn.course import lesson

here = lesson("start")  # whatever is missing here comes from the installed package
check, hint = here.check, here.hint
exercise = here.exercise  # your own code, read again whenever you save it

# %% [markdown]
# ## 1. Shapes, and a first line
#
# In this course **samples are rows**. A batch of $B$ inputs of size $D$ is an array `x` of shape `(B, D)`; a weight has
# the shape `(in, out)`. So a layer is
#
# $$a = x\,W + b, \qquad (B, H) = (B, D)(D, H) + (H,).$$
#
# The lectures write column vectors, $W x$; their $W$ is ours turned over. Here is the layer, drawn by the engine that
# the later lessons take apart, with the values that flow forward in green and the gradients that flow back in red:

# %%
import numpy as np

import tinygrad_rnn as tg

x = tg.tensor(np.array([[1.0, 2.0]]), requires_grad=True, name="x")
W = tg.tensor(np.array([[1.0], [-1.0]]), requires_grad=True, name="W")
b = tg.tensor(np.array([0.5]), requires_grad=True, name="b")
tg.draw((x @ W + b).sum(), view="ops", title="A layer: x @ W + b, then a sum")

# %% [markdown]
# **Exercise start.1.** Open `exercise.py`, find `affine`, and write its one line in place of the `raise`. Then save,
# and run the next cell. Before you write anything, run it once as it is: an exercise that you have not begun is
# *not attempted*, which is no mistake.

# %%
check("start.1")

# %% [markdown]
# Stuck? There are three hints for every exercise, from *where to look* to *nearly the line of code*. Each call gives
# one more.

# %%
hint("start.1")

# %% [markdown]
# ## 2. One bug to find
#
# A recurrent network applies *the same* layer at every step, to the input of the step and to its own last state:
#
# $$h_t = \tanh(x_t W_{xh} + h_{t-1} W_{hh} + b_h).$$
#
# `elman_step` in `exercise.py` is written for you, and **it is wrong**. Run the check, and read the verdict from its
# first line down:
#
# 1. **what kind** of trouble it is: an error in your code, a wrong type or shape, a number that is not finite, a wrong
#    value; or a mistake that is known **by its name**, and then what you did, in words;
# 2. **where**: the entry that is furthest off, what it should be, and for a sequence the *first wrong step*. Pictures
#    count steps from 1 and code counts from 0, so you always read both: step 3 (index 2);
# 3. **a case for paper**, small enough to work out by hand;
# 4. **which file** was read, and when you saved it.

# %%
check("start.2")

# %% [markdown]
# Now mend the bug, save, and run the cell above again. Then see what the bug would have done to a network, over forty
# steps. A state made by tanh stays between -1 and 1, whatever the weights are; what is added outside does not. How far
# it goes is up to the recurrent weights: where they are small, the old state fades from step to step, and where they
# are large, it grows without bound. (What decides is their *spectral radius*, below or above 1; lesson `vanishing`.)


# %%
def planted(x, h, W_xh, W_hh, b_h):
    """The step as it stood in exercise.py, with its bug."""
    return np.tanh(x @ W_xh + b_h) + h @ W_hh


def largest_states(step, radius, steps=40, seed=0):
    """The largest entry of the state after each step, for random weights and inputs."""
    rng = np.random.default_rng(seed)
    W_xh, b_h = rng.normal(size=(3, 5)), rng.normal(size=5)
    W_hh = rng.normal(size=(5, 5))
    W_hh *= radius / np.abs(np.linalg.eigvals(W_hh)).max()
    h, largest = np.zeros((2, 5)), []
    for _ in range(steps):
        h = step(rng.normal(size=(2, 3)), h, W_xh, W_hh, b_h)
        largest.append(float(np.abs(h).max()))
    return largest


right = largest_states(exercise.elman_step, 1.5)
small, large = largest_states(planted, 0.5), largest_states(planted, 1.5)
print("largest entry of the state      yours   with the bug: radius 0.5   radius 1.5")
for t in (0, 9, 19, 39):
    numbers = f"{right[t]:9.3f} {small[t]:25.3f} {large[t]:12.3f}"
    print(f"after step {t + 1:2d} (index {t:2d})    {numbers}")
assert max(right) <= 1, "mend elman_step first: its state leaves (-1, 1)"
assert 1 < max(small) < 10  # outside (-1, 1), but it fades
assert large[39] > 100 * large[19] > 1000 * large[9]  # and here it grows on and on

# %% [markdown]
# ## 3. Two answers, judged apart
#
# Training needs a number to make smaller, the *loss*, and its gradient. **Exercise start.3** asks for both. Each earns
# its own points: a wrong gradient takes nothing from a right loss. If a mistake has a name, even a wrong answer earns a
# share.

# %%
check("start.3")

# %% [markdown]
# How would you know that a gradient is right, without a grader? Change one entry of $y$ a little, and see whether the
# loss changes as the gradient says. That is a *finite difference*; it is slow and never quite exact, but it knows
# nothing of your formula, so it cannot make the same mistake.

# %%
rng = np.random.default_rng(1)
y, target = rng.normal(size=(4, 3)), rng.normal(size=(4, 3))
loss, dy = exercise.squared_loss(y, target)
nudge = np.zeros_like(y)
nudge[2, 1] = 1e-6
higher, lower = (exercise.squared_loss(each, target)[0] for each in (y + nudge, y - nudge))
print(f"your gradient {dy[2, 1]:.9f}, by finite differences {(higher - lower) / 2e-6:.9f}")
assert abs(dy[2, 1] - (higher - lower) / 2e-6) < 1e-8

# %% [markdown]
# ## Where to go from here
#
# In a terminal, in the folder of your course:
#
# | command | what it does |
# |---|---|
# | `tinygrad-rnn next` | what comes next, and where |
# | `tinygrad-rnn check` | grades what you saved last; `check start` a lesson, `check start.2` an exercise |
# | `tinygrad-rnn watch` | checks again whenever you save |
# | `tinygrad-rnn hint start.2` | one more hint |
# | `tinygrad-rnn list` | all lessons, and your points |
# | `tinygrad-rnn reset start.2` | the stub again; your code is kept in `.backup` |
#
# Plain `pytest` in a lesson's folder prints the same verdicts and a table of points. Here is yours:

# %%
check()
