"""A lesson to fill in: small, but whole, so that `course check` proves it from its first minute on.

Its one exercise is the step of an Elman network, backward. @SLUG@, @TITLE@ and @ORDER@ are filled in.
"""

from __future__ import annotations

import json
import re
import tempfile
from pathlib import Path

from ..manifest import INSTRUCTOR, MANIFEST, Lesson, ManifestError, lessons_in, read_lesson
from ..words import say
from .build import build
from .ipynb import SOURCE, first_cell
from .running import AuthoringError

FIRST_ORDER = 8  # the places before are those of the course's own story


def write_lesson(slug: str, title: str, lessons: str | Path) -> Lesson:
    """Make the lesson `slug` in the folder of all `lessons`, after the last one there; the folder is made if missing.

    Raises AuthoringError, and leaves nothing behind, for a bad slug and for one that is taken.
    """
    lessons = Path(lessons)
    if not re.fullmatch(r"[a-z][a-z0-9_]*", slug):
        raise AuthoringError(say("authors.bad_slug", slug=slug))
    order = FIRST_ORDER
    for folder in lessons_in(lessons):
        try:
            other = read_lesson(folder)
        except ManifestError:  # told by `course check`; its folder's name is taken all the same
            if re.sub(r"^\d+_", "", folder.name) == slug:
                raise AuthoringError(say("authors.taken", slug=slug, folder=folder)) from None
            continue
        if other.id == slug:
            raise AuthoringError(say("authors.taken", slug=slug, folder=folder))
        order = max(order, int(other.order) + 1)
    target = lessons / f"{order:02d}_{slug}"
    if target.exists():
        raise AuthoringError(say("authors.taken", slug=slug, folder=target))
    title = " ".join(title.split()) or slug.replace("_", " ").capitalize()
    lessons.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=lessons, prefix=".") as aside:
        made = Path(aside) / target.name
        (made / INSTRUCTOR).mkdir(parents=True)
        for name, text in FILES.items():
            quoted = json.dumps(title, ensure_ascii=False)  # a JSON string is a TOML string too
            text = text.replace("@QUOTED@", quoted).replace("@TITLE@", title).replace("@SLUG@", slug)
            text = text.replace("@ORDER@", str(order)).replace("@FIRST@", first_cell(slug))
            (made / name).write_text(text, encoding="utf-8", newline="\n")
        build(made)
        made.rename(target)
    return read_lesson(target)


_MANIFEST = r'''id = "@SLUG@"
order = @ORDER@
title = @QUOTED@
summary = "One line for `tinygrad-rnn list`."
minutes = 20
needs = []                               # slugs of earlier lessons
assumes = "The chain rule, and matrices in NumPy."

[[exercise]]
id = 1
title = "One step back"
part = "core"                            # or "extra"
function = "elman_step_backward"
cases = ["tiny", "square", "general"]    # smallest first: a wrong answer is explained on the first that fails
probes = ["probe", "cost"]               # not scored: they tell numerical derivatives from backpropagation
figure = "elman"
hints = [
    "Draw the step: h_prev and x go into one sum, the sum into tanh. Where does dh come in?",
    "The derivative of tanh is 1 minus its value squared. Behind it, the sum hands the same gradient to all its parts.",
    "Each weight's gradient is the transpose of what it was multiplied with, times the gradient of the sum.",
]
[exercise.arguments]                     # in the order of the signature
dh = "(B, H)"
h = "(B, H)"
h_prev = "(B, H)"
W_hh = "(H, H)"
[exercise.returns]                       # in the order in which backpropagation makes them
dW_hh = "(H, H)"
dh_prev = "(B, H)"
[[exercise.check]]                       # independent of each other; their points are the exercise's
name = "the gradient of W_hh"
outputs = ["dW_hh"]
points = 1
[[exercise.check]]
name = "the gradient on its way to the step before"
outputs = ["dh_prev"]
points = 1
[[exercise.mistake]]
name = "NO_TANH"
says = "You left out the derivative of tanh, 1 - h^2: the sum in front of it gets less than dh."
look = "What lies between the sum and h?"
[[exercise.mistake]]
name = "W_NOT_TRANSPOSED"
says = "You sent the gradient back through W_hh instead of its transpose."
look = "In W_hh[i, j], which of the two is the unit that the forward pass reads?"
[[exercise.mistake]]
name = "STATE_NOT_BEFORE"
says = "dW_hh takes the state that the step made, h, where the one that it read, h_prev, belongs."
look = "What was W_hh multiplied with?"
'''

_NOTEBOOK = r'''# %% [markdown]
# # @TITLE@
#
# **20 minutes.** You know the chain rule. In the end you will have sent a gradient back through one step of a recurrent
# network, by hand.

# %%
@FIRST@

# %%
import numpy as np

import tinygrad_rnn as tg

# %% [markdown]
# ## The step
#
# $h_t = \tanh(x_t W_{xh} + h_{t-1} W_{hh} + b_h)$: two products, a sum, a tanh. Here it is, with the gradients that you
# are about to make in red.

# %%
rng = np.random.default_rng(0)
cell = tg.nn.RNNCell(2, 3, rng=rng, dtype=np.float64)
x, h_prev = rng.normal(size=(1, 2)), tg.tensor(rng.normal(size=(1, 3)), requires_grad=True)
with tg.step(0):
    h = cell(x, h_prev)
loss = (h * h).sum()
tg.draw(loss, view="ops")

# %% [markdown]
# ## Exercise @SLUG@.1: one step back
#
# Write `elman_step_backward` in exercise.py, then run the cell below. `hint("@SLUG@.1")` helps.

# %%
check("@SLUG@.1")

# %% [markdown]
# ## What it shows
#
# Your gradient is the engine's, to the last digits.

# %%
loss.backward()
yours = exercise.elman_step_backward(2 * h.numpy(), h.numpy(), h_prev.numpy(), cell.W_hh.numpy())
assert np.allclose(yours["dh_prev"], h_prev.grad.numpy(), rtol=1e-12)
assert np.allclose(yours["dW_hh"], cell.W_hh.grad.numpy(), rtol=1e-12)
'''

_SOLUTION = '''"""One step of an Elman network, backward: the solution."""

import numpy as np


def elman_step_backward(dh, h, h_prev, W_hh):
    """Gradients through one step h = tanh(x @ W_xh + h_prev @ W_hh + b_h).

    dh (B, H): what reaches h, from its own loss and from the step after. h and h_prev (B, H): the states that the step
    made and read. W_hh (H, H).
    Returns a dict: dW_hh (H, H), dh_prev (B, H).
    Source: Werbos, "Backpropagation through time: what it does and how to do it" (1990).
    """
    #: # your code here; lines that begin with #: in the solution are given to the learner
    da = dh * (1 - h**2)
    return {"dW_hh": h_prev.T @ da, "dh_prev": da @ W_hh.T}
'''

_MISTAKES = '''"""The named mistakes: for each, what to replace in the solution."""

MISTAKES = {
    "elman_step_backward": {
        "NO_TANH": [("dh * (1 - h**2)", "dh.copy()")],
        "W_NOT_TRANSPOSED": [("da @ W_hh.T", "da @ W_hh")],
        "STATE_NOT_BEFORE": [("h_prev.T @ da", "h.T @ da")],
    },
}
'''

_GENERATE = '''"""The cases: the functions' arguments, drawn anew for every seed."""

import numpy as np


def elman_step_backward(rng, case):
    """tiny is to be checked by hand; in general no two axes are equal; probe has states that no forward pass gives."""
    B, H = {"tiny": (1, 1), "square": (2, 2), "cost": (2, 45)}.get(case, (2, 3))
    if case == "tiny":
        signs = rng.choice([-1.0, 1.0], size=3)
        return {"dh": np.array([[2.0 * signs[0]]]), "h": np.array([[0.5 * signs[1]]]),
                "h_prev": np.array([[0.2 * signs[2]]]), "W_hh": np.array([[3.0]])}  # fmt: skip
    W_hh, h_prev = rng.normal(size=(H, H)), rng.normal(size=(B, H)) / 2
    h = np.tanh(rng.normal(size=(B, H)) + h_prev @ W_hh)
    if case == "probe":
        h = rng.uniform(-0.9, 0.9, size=(B, H))
    return {"dh": rng.normal(size=(B, H)), "h": h, "h_prev": h_prev, "W_hh": W_hh}
'''

FILES = {
    MANIFEST: _MANIFEST,
    SOURCE: _NOTEBOOK,
    f"{INSTRUCTOR}/solution.py": _SOLUTION,
    f"{INSTRUCTOR}/mistakes.py": _MISTAKES,
    f"{INSTRUCTOR}/generate.py": _GENERATE,
}
