"""A lesson small enough to read at a glance, for tests of the course machine: two exercises, three mistakes each."""

from __future__ import annotations

from pathlib import Path

from tinygrad_rnn.course.authoring.ipynb import first_cell

MANIFEST = '''\
id = "tiny"
order = 0
title = "Two steps back"
summary = "A recurrence of one weight a unit, and a linear layer, backwards."
minutes = 10
needs = []
assumes = "The chain rule."

[limits]
seconds = 5

[[exercise]]
id = 1
title = "The states' gradients"
part = "core"
function = "states_backward"
time = "backward"
cases = ["tiny", "general"]
probes = ["probe", "cost"]
figure = "elman"
hints = [
    "Which steps does h_t reach the loss through?",
    "A state's gradient is its own step's, plus what the step after sends back.",
    "Keep what goes back in a variable; it starts as zeros.",
]
[exercise.arguments]
dY = "(T, B, H)"
Hs = "(T+1, B, H)"
w = "(H,)"
[exercise.returns]
dH = "(T, B, H)"
dw = "(H,)"
[[exercise.check]]
name = "the gradients of the states"
outputs = ["dH"]
points = 2
[[exercise.check]]
name = "the gradient of w"
outputs = ["dw"]
points = 1
[[exercise.mistake]]
name = "NO_STEP_AFTER"
says = "You left out what the step after sends back: dH is right at the last step and wrong from {step} down."
look = "Which two ways lead from h_t to the loss?"
[[exercise.mistake]]
name = "NO_TANH"
says = "You left out the derivative of tanh, 1 - h^2: wrong from {step} down."
look = "What lies between a_t and h_t?"
[[exercise.mistake]]
name = "STATE_NOT_BEFORE"
says = "dw takes the state of the step itself where the one before it belongs."
look = "Which state does w multiply at step t?"

[[exercise]]
id = 2
title = "A linear layer"
part = "extra"
function = "linear_backward"
layout = "tuple"
probes = ["cost"]
cases = ["tiny", "square", "general"]
hints = [
    "Write the shapes under every name.",
    "Each gradient is a product of dy and of what the other one was multiplied with.",
    "Only one order, and one transpose, gives dx its shape (B, D).",
]
[exercise.arguments]
dy = "(B, H)"
x = "(B, D)"
W = "(D, H)"
[exercise.returns]
dx = "(B, D)"
dW = "(D, H)"
[[exercise.check]]
name = "both gradients"
points = 2
[[exercise.mistake]]
name = "W_NOT_TRANSPOSED"
says = "You sent dy back through W instead of its transpose."
look = "Which product fits when D and H differ?"
[[exercise.mistake]]
name = "MEAN_OVER_BATCH"
says = "You averaged dW over the batch: a weight that all rows share gets the sum of what they send."
look = "Who divided by B in the forward pass?"
[[exercise.mistake]]
name = "PARTS_SWAPPED"
says = "You returned dW where dx was asked for, and the reverse."
look = "What does the docstring return first?"
'''

SOLUTION = '''\
"""The solution of lesson tiny."""

import numpy as np

SCALE = 1.0  # given to the learner as it stands


def squash(a):
    """tanh of a (B, H), given to the learner."""
    return SCALE * np.tanh(a)


def _step(dh, h):
    """The solution's own: dh (B, H) sent back through tanh, whose value is h."""
    return dh * (1 - h**2)


def states_backward(dY, Hs, w):
    """Gradients of h_t = tanh(x_t + w * h_{t-1}), given what each step's own loss sends to its state.

    dY (T, B, H): that gradient at each step. Hs (T+1, B, H): the states, Hs[0] before the first step. w (H,).
    Returns {"dH": (T, B, H) the whole gradient of each state, "dw": (H,)}.
    """
    #: dH = np.zeros_like(dY)  # to be filled, from the last step to the first
    dH = np.zeros_like(dY)
    dw = np.zeros_like(w)
    carried = np.zeros_like(dY[0])
    for t in reversed(range(len(dY))):
        dH[t] = dY[t] + carried
        da = _step(dH[t], Hs[t + 1])
        dw += (da * Hs[t]).sum(axis=0)
        carried = w * da
    return {"dH": dH, "dw": dw}


def linear_backward(dy, x, W):
    """Gradients of y = x @ W.

    dy (B, H): the gradient of y. x (B, D). W (D, H).
    Returns (dx (B, D), dW (D, H)).
    """
    dx = dy @ W.T
    dW = x.T @ dy
    return dx, dW
'''

MISTAKES = '''\
"""The named mistakes of lesson tiny: edits of the solution."""

MISTAKES = {
    "states_backward": {
        "NO_STEP_AFTER": [("dH[t] = dY[t] + carried", "dH[t] = dY[t]")],
        "NO_TANH": [("da = _step(dH[t], Hs[t + 1])", "da = dH[t].copy()")],
        "STATE_NOT_BEFORE": [("(da * Hs[t])", "(da * Hs[t + 1])")],
    },
    "linear_backward": {
        "W_NOT_TRANSPOSED": [("dy @ W.T", "dy @ W")],
        "MEAN_OVER_BATCH": [("x.T @ dy", "x.T @ dy / len(dy)")],
        "PARTS_SWAPPED": [("return dx, dW", "return dW, dx")],
    },
}
'''

GENERATE = '''\
"""The inputs of lesson tiny's cases."""

import numpy as np


def states_backward(rng, case):
    if case == "tiny":
        a, b, c, d, e = rng.permutation([1.0, 2.0, -1.0, 3.0, -2.0])
        return {"dY": np.array([[[a]], [[b]]]), "Hs": np.array([[[c / 4]], [[d / 5]], [[e / 8]]]), "w": np.array([2.0])}
    T, B, H = (3, 2, 700) if case == "cost" else (7, 2, 5)
    w, Hs = rng.normal(size=H), [rng.normal(size=(B, H)) / 2]
    for _ in range(T):
        Hs.append(np.tanh(rng.normal(size=(B, H)) + w * Hs[-1]))
    if case == "probe":  # states that no forward pass gives
        Hs = [rng.normal(size=(B, H)) / 2 for _ in range(T + 1)]
    return {"dY": rng.normal(size=(T, B, H)), "Hs": np.array(Hs), "w": w}


def linear_backward(rng, case):
    B, D, H = {"tiny": (1, 1, 1), "square": (2, 3, 3), "cost": (2, 40, 50)}.get(case, (2, 4, 5))
    if case == "tiny":
        return {"dy": np.array([[2.0]]), "x": np.array([[rng.integers(3, 9) * 1.0]]), "W": np.array([[-1.0]])}
    return {"dy": rng.normal(size=(B, H)), "x": rng.normal(size=(B, D)), "W": rng.normal(size=(D, H))}
'''

NOTEBOOK = r'''# %% [markdown]
# # Two steps back
#
# Ten minutes. You send gradients back through two steps, by hand.

# %%
FIRST_CELL

# %%
import numpy as np

# %% [markdown]
# ## Exercise tiny.1
#
# $h_t = \tanh(x_t + w \, h_{t-1})$: how does the loss change with every $h_t$?

# %%
check("tiny.1")

# %% [markdown]
# What reaches the first state, when only the last step has a loss?

# %%
dY = np.zeros((6, 1, 1))
dY[-1] = 1
reached = exercise.states_backward(dY, np.full((7, 1, 1), 0.5), np.array([1.0]))["dH"]
assert np.isclose(reached[0, 0, 0], 0.75**5)  # 1 - h^2, once for each step back

# %%
check("tiny.2")
'''


def write_tiny(folder: Path) -> Path:
    """Write what an author writes of lesson `tiny` to folder/00_tiny, and give that path. `build` makes the rest."""
    lesson = Path(folder) / "00_tiny"
    (lesson / "instructor").mkdir(parents=True)
    for name, text in {
        "lesson.toml": MANIFEST,
        "lesson.py": NOTEBOOK.replace("FIRST_CELL", first_cell("tiny")),
        "instructor/solution.py": SOLUTION,
        "instructor/mistakes.py": MISTAKES,
        "instructor/generate.py": GENERATE,
    }.items():
        (lesson / name).write_text(text, encoding="utf-8", newline="\n")
    return lesson
