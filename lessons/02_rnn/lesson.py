# %% [markdown]
# # The recurrent network: one step, used again and again
#
# **60 minutes.** You have done lesson `start`. No gradients yet: this lesson goes forward only. At the end you have
# written a recurrent network's forward pass, wired it five ways, and can say what sharing its parameters over time
# buys.

# %%
# Run me first: I find the lesson, and what you write in exercise.py, beside this notebook.
try:
    from tinygrad_rnn.course import lesson
except ImportError:  # a hosted notebook, say: fetch the course, once
    import subprocess
    import sys

    subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", "tinygrad_rnn[course]"], check=True)
    from tinygrad_rnn.course import lesson

here = lesson("rnn")  # whatever is missing here comes from the installed package
check, hint = here.check, here.hint
exercise = here.exercise  # your own code, read again whenever you save it

# %% [markdown]
# ## 1. A loop, or a chain
#
# A recurrent network reads a sequence $x_1, x_2, \dots, x_T$ one element at a time, and keeps a *state* $h$:
#
# $$h_t = \tanh(x_t W_{xh} + h_{t-1} W_{hh} + b_h), \qquad o_t = h_t W_{hy} + b_y.$$
#
# (Elman 1990; the lectures call the weights $W_{xh}$ or $U$, $W_{hh}$ or $W$, $W_{hy}$ or $V$, and write columns.)
# Drawn as it is written, it is a loop: the black square is a delay of one step. Drawn as it is *computed*, it is a
# chain, as long as the sequence. Both pictures are drawn from the same run of the same network:

# %%
import numpy as np

import tinygrad_rnn as tg

rng = np.random.default_rng(0)


def network(D=2, H=3, C=2):
    """Small random parameters, as tensors that the engine can draw."""
    shapes = {
        "W_xh": (D, H),
        "W_hh": (H, H),
        "b_h": (H,),
        "W_hy": (H, C),
        "b_y": (C,),
        "W_oh": (C, H),
    }
    return {
        name: tg.tensor(rng.normal(size=shape) / 2, requires_grad=True, name=name)
        for name, shape in shapes.items()
    }


def inputs(T, D=2):
    return [tg.tensor(rng.normal(size=(1, D)), name=f"x_{t + 1}") for t in range(T)]


def run(p, xs, read=lambda t: True, recur="state"):
    """The outputs of a small network on xs (None where a step has no input), read at the
    steps that `read` chooses."""
    h, back, outputs = tg.tensor(np.zeros((1, 3)), name="h_0"), None, []
    for t, x in enumerate(xs):
        with tg.step(t):
            a = p["b_h"] if x is None else x @ p["W_xh"] + p["b_h"]
            if recur == "state":
                a = a + h @ p["W_hh"]
            elif back is not None:
                a = a + back @ p["W_oh"]
            h = tg.tanh(a).named("h")
            if read(t):
                back = (h @ p["W_hy"] + p["b_y"]).named("y")
                outputs.append(back)
    return outputs


p = network()
outputs = run(p, inputs(3))
tg.draw(
    sum((o**2).sum() for o in outputs),
    view="rolled",
    title="As written: a loop with a delay of one step",
)

# %%
tg.draw(
    sum((o**2).sum() for o in outputs),
    view="cells",
    title="As computed: unrolled over three steps",
)

# %% [markdown]
# Every box called `W` in the chain is the *same* array: three steps, one set of parameters.
#
# **Exercise rnn.1** is this forward pass. Mind three things that are easily got wrong: what stands inside the tanh,
# where the first state comes from, and what the output reads. (One slide of the lectures lets the output weights read
# $a_t$, the sum before the tanh; the same lecture's equation has $h_t$, and so have we.)

# %%
check("rnn.1")

# %% [markdown]
# The engine has this network as a layer. It must give the same numbers, to the last digits:

# %%
arrays = {name: tensor.data for name, tensor in p.items()}
X, h0 = rng.normal(size=(5, 2, 2)), rng.normal(size=(2, 3)) / 2
layer = tg.nn.RNN(2, 3, dtype=np.float64)
for name, parameter in layer.named_parameters():
    parameter.data = arrays[name.rpartition(".")[2]]
engine_states, _ = layer(tg.tensor(X), tg.tensor(h0))
Hs, O = exercise.elman_forward(X, h0, arrays)
print("largest difference from the engine:", np.abs(Hs - engine_states.data).max())
assert np.allclose(Hs, engine_states.data, atol=1e-12)

# %% [markdown]
# ## 2. Five ways to wire it
#
# What a network *reads* and where it *answers* is up to the task. The step stays the same.
#
# | wiring | reads | answers | for example |
# |---|---|---|---|
# | one to one | one | once | the class of an image: no recurrence at all |
# | one to many | one | at every step | a caption for an image |
# | many to one | many | once, at the end | the sentiment of a sentence |
# | many to many, unpaired | many, then none | after it has read all | a translation |
# | many to many, paired | many | at every step | a label for every frame of a video |

# %%
total = sum((o**2).sum() for o in run(p, [*inputs(1), None, None, None]))
tg.draw(total, view="cells", title="One to many: x enters once")

# %%
total = sum((o**2).sum() for o in run(p, inputs(4), read=lambda t: t == 3))
tg.draw(total, view="cells", title="Many to one: the answer is read from the last state")

# %%
total = sum((o**2).sum() for o in run(p, [*inputs(2), None, None], read=lambda t: t >= 2))
tg.draw(total, view="cells", title="Many to many, unpaired: read all, then answer")

# %% [markdown]
# **Exercises rnn.2 and rnn.3**: many to one, and one to many.

# %%
check("rnn.2")

# %%
check("rnn.3")

# %% [markdown]
# ## 3. Three design patterns, and a teacher
#
# Goodfellow et al. (2016, figures 10.3 to 10.5) tell three patterns apart. The first you have written: an output at
# each step, and the *state* goes on. The third is many to one. In the second, only the *output* goes on to the next
# step:

# %%
total = sum((o**2).sum() for o in run(p, inputs(3), recur="output"))
tg.draw(total, view="cells", title="The second pattern: the output goes on, not the state")

# %% [markdown]
# It is weaker. An output is small and is trained to look like the target, so it carries what the target tells, and
# nothing else that the past may have held. But it has one advantage: while training, the last *target* can be fed in
# place of the last output. Then no step waits for another, and all steps can be trained at once. That is **teacher
# forcing**. Its trap: at step $t$ the teacher may tell what was right at $t-1$, and never what is right at $t$.

# %%
check("rnn.4")

# %% [markdown]
# How far does a network drift when nobody corrects it? The same network, the same inputs, with a teacher who always
# says zero, and without one:

# %%
small = {name: arrays[name] for name in ("W_xh", "W_oh", "b_h", "W_hy", "b_y")}
X = np.zeros((6, 1, 2))
X[0] = 1
free = exercise.output_recurrence(X, small, None)
forced = exercise.output_recurrence(X, small, np.zeros((6, 1, 2)))
for t in range(6):
    print(
        f"step {t + 1} (index {t}): free {np.round(free[t, 0], 3)}   with a teacher "
        f"{np.round(forced[t, 0], 3)}"
    )
assert np.allclose(free[0], forced[0])  # at the first step there is nothing to feed back
assert not np.allclose(free[1], forced[1])

# %% [markdown]
# ## 4. Sequences of different lengths
#
# A batch is one array, so shorter sequences are padded at their end. The loop runs on over the padding, and what
# stands in `Hs[-1]` for a short sequence is a state that has read rubbish. **Exercise rnn.5** picks each sample's own
# last state.

# %%
check("rnn.5")

# %% [markdown]
# The test that matters: the answer for a sequence must not depend on how far it was padded, nor on what with.

# %%
sequence = rng.normal(size=(3, 1, 2))
h0 = np.zeros((1, 3))
alone = exercise.elman_forward(sequence, h0, arrays)[0][-1]
padded = np.concatenate([sequence, rng.normal(size=(4, 1, 2)) * 9])
states, _ = exercise.elman_forward(padded, h0, arrays)
print("last state, not padded:      ", np.round(alone[0], 4))
print("last state, padded:          ", np.round(states[-1][0], 4))
print(
    "its own last state, picked:  ",
    np.round(exercise.masked_last(states, np.array([3]))[0], 4),
)
assert np.allclose(exercise.masked_last(states, np.array([3])), alone)

# %% [markdown]
# ## 5. What sharing buys: "In 2019, I went to Russia"
#
# *I went to Russia in 2019. In 2019, I went to Russia.* Asked for the year, one answer is right for both, wherever the
# year stands (the lectures' example, and Goodfellow et al. 2016, section 10). A network with weights of its own for
# every position has to learn what a year looks like at each of them. A recurrent one learns it once.
#
# Let us see. A sentence is eight tokens long; one of them is a year, one of five, and the others are words. While
# training, the year never stands at index 3 or 6; in the test, only there. The recurrent network has shared weights.
# The other reads all eight tokens at once, with a weight for each position. Both get the same updates, and the second
# has more parameters.

# %%
YEARS, WORDS, LENGTH, HIDDEN = 5, 12, 8, 24


def sentences(rng, count, positions):
    """One-hot sentences (T, B, D) with a year at one of `positions`, and which year it is
    (B,)."""
    tokens = rng.integers(YEARS, YEARS + WORDS, (LENGTH, count))
    year = rng.integers(0, YEARS, count)
    tokens[rng.choice(positions, count), np.arange(count)] = year
    return np.eye(YEARS + WORDS, dtype=np.float32)[tokens], year


class Recurrent(tg.nn.Module):
    def __init__(self, rng):
        self.rnn = tg.nn.RNN(YEARS + WORDS, HIDDEN, rng=rng)
        self.out = tg.nn.Linear(HIDDEN, YEARS, rng=rng)

    def __call__(self, X):
        states, _ = self.rnn(tg.tensor(X))
        return self.out(states[-1])


class OneWeightAPosition(tg.nn.Module):
    def __init__(self, rng):
        self.hidden = tg.nn.Linear(LENGTH * (YEARS + WORDS), 2 * HIDDEN, rng=rng)
        self.out = tg.nn.Linear(2 * HIDDEN, YEARS, rng=rng)

    def __call__(self, X):
        return self.out(
            tg.tanh(self.hidden(tg.tensor(X.transpose(1, 0, 2).reshape(X.shape[1], -1))))
        )


def right_answers(model, X, year):
    with tg.no_grad():
        return float((model(X).data.argmax(axis=1) == year).mean())


def trained(kind, positions, updates=400, seed=7):
    """A network of this kind, trained on sentences with the year at `positions` only."""
    rng = np.random.default_rng(seed)
    model = kind(rng)
    optimizer = tg.optim.Adam(model.parameters(), lr=0.005)
    for _ in range(updates):
        X, year = sentences(rng, 32, positions)
        optimizer.zero_grad()
        tg.cross_entropy(model(X), year).backward()
        optimizer.step()
    return model


def told(kind, seen, unseen):
    """Right answers where the year was trained, and elsewhere: two shares, printed."""
    model, test = trained(kind, seen), np.random.default_rng(8)
    shares = [
        right_answers(model, *sentences(test, 500, np.array(where)))
        for where in (seen, unseen)
    ]
    count = sum(parameter.data.size for parameter in model.parameters())
    trained_here, elsewhere = (f"{share:6.1%}" for share in shares)
    print(
        f"{kind.__name__:20s} {count:5d} parameters: {trained_here} where it was trained, "
        f"{elsewhere} elsewhere"
    )
    return shares


shared = told(Recurrent, [0, 1, 2, 4, 5, 7], [3, 6])
apart = told(OneWeightAPosition, [0, 1, 2, 4, 5, 7], [3, 6])
assert shared[1] > 0.9, "the shared weights should know a year anywhere"
assert apart[1] < 0.5, "weights of their own should not"

# %% [markdown]
# Both learn the positions that they were shown. Elsewhere the recurrent network still knows the year, and the other one
# guesses (one in five is chance).
#
# Sharing makes this *possible*; it is no promise. Shown years at even positions alone, the recurrent network is free to
# learn a rule about even steps, since its state can count them, and nothing in the data speaks against it:

# %%
even = told(Recurrent, [0, 2, 4, 6], [1, 3, 5, 7])
assert even[0] > 0.9 > even[1]

# %% [markdown]
# ## 6. Two exercises more
#
# `[x, h] @ W` computes both products at once; the lectures write it so, and do not agree on the order (**rnn.6**). And
# how many parameters does sharing save (**rnn.7**)?

# %%
check("rnn.6")

# %%
check("rnn.7")

# %%
check()
