# %% [markdown]
# # The character model: a network that writes
#
# **About 90 minutes.** You need the forward pass of an Elman network (lesson `rnn`), and the gradient of softmax and
# cross-entropy (lesson `bptt`). Everything is written in `exercise.py`, beside this notebook, with NumPy alone.
#
# At the end you will
#
# - have turned text into numbers, and into targets, in both ways that the lectures show, and know what each costs;
# - have a network that spells "hello", four words that it writes in the right proportions, and one that has read
#   two million characters of English and Python;
# - know why one *draws* from the network's guess, what the temperature does, and why a beginning is read first;
# - be able to say whether a model is any good: in bits per character, against a model that only counts.

# %%
# Run me first: I find the lesson, and what you write in exercise.py, beside this notebook.
try:
    from tinygrad_rnn.course import lesson
except ImportError:  # a hosted notebook, say: fetch the course, once
    import subprocess
    import sys

    subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", "tinygrad_rnn[course]"], check=True)
    from tinygrad_rnn.course import lesson

here = lesson("charmodel")  # whatever is missing here comes from the installed package
check, hint = here.check, here.hint
exercise = here.exercise  # your own code, read again whenever you save it

# %%
import numpy as np

import tinygrad_rnn as tg
from tinygrad_rnn import nn, optim
from tinygrad_rnn.course.charmodel import CharModel
from tinygrad_rnn.course.training import Run, Settings, Text, train
from tinygrad_rnn.data import Vocabulary, default_corpus, split
from tinygrad_rnn.pictures import charts
from tinygrad_rnn.pictures.palette import INK, ROLES

# %% [markdown]
# ## 1. Letters as vectors
#
# A character model answers one question, again and again: *what comes next?* To a network, a letter is a vector with
# as many entries as there are letters: all zeros, and a single 1. With the vocabulary h, e, l, o,
#
# $$\text{h} = (1, 0, 0, 0), \quad \text{e} = (0, 1, 0, 0), \quad \text{l} = (0, 0, 1, 0), \quad
# \text{o} = (0, 0, 0, 1).$$
#
# Why not the letter's number, 0 to 3? Because then *l* would be twice an *e*, and *e* would lie between *h* and *l*.
# Vectors like these are all equally far from each other: nothing is said that is not true.
#
# **A slip.** A lecture's slide calls this vector a *probability vector*. What goes in is no distribution: it is one
# letter, and certain. A distribution is what comes *out*, after the softmax. Keep the two apart; in section 6 it will
# matter which of them is fed back.
#
# **Exercise `charmodel.1`**: write `one_hot` in `exercise.py`, save, and run the next cell. Stuck?
# `hint("charmodel.1")` gives the first of three hints.

# %%
check("charmodel.1")

# %% [markdown]
# A product of a one-hot row and a matrix is *a row of the matrix*: $W_{xh}$ has one row for every letter, and reading
# a letter adds its row. No product needs to be computed, and in your later functions none will be.

# %%
helo = Vocabulary("helo")
ids = helo.encode("hello")
W_xh = np.arange(12.0).reshape(4, 3)
x = exercise.one_hot(ids[:, None], len(helo))  # (T, B, V) = (5, 1, 4)
print("hello in numbers:", ids, " as vectors:", x.shape)
print("x @ W_xh is W_xh[ids]:", np.array_equal(x[:, 0] @ W_xh, W_xh[ids]))
assert np.array_equal(x[:, 0] @ W_xh, W_xh[ids])

# %% [markdown]
# ## 2. What to read, what to say
#
# The text itself tells what should have been said: the next letter. So the targets are the inputs, *shifted by one*.
#
# | step | 1 | 2 | 3 | 4 |
# |---|---|---|---|---|
# | reads | h | e | l | l |
# | should say | e | l | l | o |
#
# Look at the two l's: the same input, and two targets. Without a memory nobody can get both right.
#
# Where does a text begin, and where does it end? Nothing tells the network, unless we add two categories to the
# alphabet: **START**, which is read first and never said, and **END**, which is said last and never read. With them
# "hello" has six steps, and a word is learned whole, its first letter and its end too.
#
# **Exercise `charmodel.2`**: `shift_targets`.

# %%
check("charmodel.2")

# %%
MARKED = "helo^$"  # ^ is START, $ is END
read, say = exercise.shift_targets(ids, MARKED.index("^"), MARKED.index("$"))
print("reads     ", " ".join(MARKED[i] for i in read))
print("should say", " ".join(MARKED[i] for i in say))

# %% [markdown]
# ## 3. What a guess costs
#
# At every step the outputs $o_t$ go through a softmax, and the guess $p_t$ is paid for: $-\ln$ of the probability that
# it gave to the letter that came. All guesses together, over $T$ steps and $B$ texts:
#
# $$L = -\frac{1}{T B} \sum_{t, b} \ln p_{t,b}[y_{t,b}], \qquad
# \frac{\partial L}{\partial o} = \frac{1}{T B}\,(p - \text{one-hot}(y)) .$$
#
# That mean is *nats a character*. The famous `min-char-rnn.py` (Karpathy) adds up instead, over 25 steps; a learning
# rate, or a threshold for clipping, that fits the one is wrong by a factor of 25 for the other. So the function is
# told which is meant.
#
# One trap is numerical. The log of a softmax has an exp and a log that cancel, and an exp that can overflow or come
# out as 0 in between. Cancel them on paper first.
#
# **Exercise `charmodel.3`**: `char_loss`, with its gradient.

# %%
check("charmodel.3")

# %% [markdown]
# A network that knows nothing says "all $V$ letters alike" and pays $\ln V$. It is the first number to look at in any
# training: here $\ln 4 = 1.386$.
#
# The same price is also told in **bits**. A guess of one half costs 1 bit, a guess of one quarter 2. Bits per
# character are what a file takes that is compressed with the model's guesses, and what one compares in papers.
#
# **Exercise `charmodel.4`**: `bpc`.

# %%
check("charmodel.4")

# %%
ignorant, _ = exercise.char_loss(np.zeros((4, 1, 4)), ids[1:, None], "mean")
print(
    f"knowing nothing, of 4 letters: {ignorant:.3f} nats, "
    f"{exercise.bpc(np.array([ignorant])):.3f} bits a character"
)
assert np.isclose(ignorant, np.log(4))
assert np.isclose(exercise.bpc(np.array([ignorant])), 2)

# %% [markdown]
# ## 4. "hello", learned exactly
#
# The lectures' network: four letters in, three hidden units, four letters out (Karpathy 2015). Here it is over the
# four steps of "hello", before any training. Under each letter that is read stands what the network answers.
# *We want the green numbers high and the red ones low*, says the slide. The arrows say it without colour, and their
# length is yours: it is your gradient.


# %%
def letters_net(vocabulary, units, seed):
    """An Elman character model in float64; `forward` is the engine's."""
    return CharModel(
        vocabulary, "rnn", units, dtype=np.float64, rng=np.random.default_rng(seed)
    )


def weights_of(model):
    """Its parameters as the plain arrays that `sample` and `burn_in` are written for."""
    all_of = model.state_dict()
    p = {name: all_of[f"rnn.layers.0.forward.{name}"] for name in ("W_xh", "W_hh", "b_h")}
    return {
        name: a.astype(np.float64)
        for name, a in {**p, "W_hy": all_of["head.W"], "b_y": all_of["head.b"]}.items()
    }


class Answers:
    """What a network says to a word, letter by letter: a table for the notebook."""

    def __init__(self, model, word, title):
        chars, ids = model.vocabulary.chars, model.vocabulary.encode(word)
        with tg.no_grad():
            O = model(ids[:-1, None])[0].numpy()
        _, pull = exercise.char_loss(O, ids[1:, None], "sum")
        self.title, self.chars, self.word = title, chars, word
        self.O, self.pull, self.targets = O[:, 0], pull[:, 0], ids[1:]

    def _cell(self, t, i):
        right, pull = i == self.targets[t], abs(self.pull[t, i])
        arrows = ("▲" if right else "▼") * int(np.ceil(3 * pull - 0.03))
        fill = ROLES["state" if right else "error"].fill
        ring = f"outline:2px solid {INK};" if right else ""
        style = f"background:{fill};color:{INK};{ring}padding:.3em .8em;text-align:right"
        wide = "display:inline-block;width:3.2em;text-align:left"
        number = self.O[t, i].round(1) + 0.0
        return f'<td style="{style}">{number} <span style="{wide}">{arrows}</span></td>'

    def _repr_html_(self):
        head = "".join(
            f"<th>reads {a},<br>should say {b}</th>"
            for a, b in zip(self.word, self.word[1:], strict=False)
        )
        rows = ""
        for i, char in enumerate(self.chars):
            cells = "".join(self._cell(t, i) for t in range(len(self.targets)))
            rows += f"<tr><th>{char}</th>{cells}</tr>"
        caption = f"<caption>{self.title}</caption>"
        return f"<table>{caption}<tr><th>output for</th>{head}</tr>{rows}</table>"

    def __repr__(self):
        rows = [f"{char}  {self.O[:, i].round(1)}" for i, char in enumerate(self.chars)]
        return "\n".join([self.title, *rows])


model = letters_net(helo, 3, seed=2)
Answers(
    model,
    "hello",
    "Before: outlined and green should rise (▲), red should fall (▼), by so much",
)

# %% [markdown]
# Now the training: your loss and your gradient; the engine takes the gradient from the outputs back through time, as
# you did in lesson `bptt`.


# %%
def learn(model, lessons, updates, rate=0.05):
    """Adam on pairs (what is read, what should be said), each (T, B); the mean cost of one
    of them at each update."""
    adam, curve = optim.Adam(model.parameters(), lr=rate), []
    for _ in range(updates):
        model.zero_grad()
        cost = 0.0
        for X, Y in lessons:
            O, _ = model(X)
            loss, dO = exercise.char_loss(O.numpy(), Y, "sum")
            O.backward(dO / len(lessons))
            cost += loss / len(lessons)
        adam.step()
        curve.append(cost)
    return np.array(curve)


hello = (ids[:-1, None], ids[1:, None])
curve = learn(model, [hello], updates=300) / 4  # a character, of four
no_memory = np.full(300, np.log(2) / 2)
lines = {
    "three hidden units": (np.arange(300), curve),
    "the best without memory": (np.arange(300), no_memory),
}
charts.curve_chart(lines, title="Learning hello", y_label="nats a character", log=True)

# %%
Answers(model, "hello", "After 300 updates")

# %%
with tg.no_grad():
    said = model(hello[0])[0].numpy().argmax(axis=-1)[:, 0]
print(
    f"to 'hell' it says {helo.decode(said)!r}, at {curve[-1]:.4f} nats a character; without "
    f"memory {no_memory[0]:.3f}"
)
assert helo.decode(said) == "ello"
assert curve[-1] < 0.01 < no_memory[0]

# %% [markdown]
# The dashed line is the bound that matters. A model that sees only the present letter must say "l or o" after each l,
# half and half: 2 of 4 letters at $\ln 2$. The network goes below it, so it has learned to tell the first l from the
# second, in three numbers of memory. Here it is, unrolled: the green arrows, from state to state, are how it does that.

# %%
p = weights_of(model)
leaf = {name: tg.tensor(a, requires_grad=True, name=name) for name, a in p.items()}
h, losses = tg.tensor(np.zeros((1, 3)), name="h_0"), []
for t in range(4):
    with tg.step(t):
        x = tg.tensor(
            exercise.one_hot(ids[t : t + 1, None], 4)[0],
            name=f"x_{t + 1} = {helo.chars[ids[t]]}",
        )
        h = tg.tanh(x @ leaf["W_xh"] + h @ leaf["W_hh"] + leaf["b_h"]).named("h")
        losses.append(tg.cross_entropy(h @ leaf["W_hy"] + leaf["b_y"], ids[t + 1 : t + 2]))
tg.draw(
    sum(losses),
    view="cells",
    steps="all",
    title="hello: four letters read, four guesses paid",
)

# %% [markdown]
# ## 5. Teacher forcing, and no copying
#
# Notice what the network read at step 2: the e of the *text*, not what it had itself said at step 1. Input and target
# both come from the training text. That is **teacher forcing** (the lectures; Williams & Zipser 1989; Goodfellow et
# al. 2016, section 10.2.1). It has two sides. All inputs are known beforehand, and a wrong guess does not spoil the
# steps after it. But when it writes on its own, the network reads *itself*, and comes to places where no teacher has
# ever taken it.
#
# Why can the network not simply copy the answer? It stands in the input, one step later! Because reading goes **one
# way**: at step $t$ it has seen $x_1, \dots, x_t$, and the answer is $x_{t+1}$. A *bidirectional* network has seen the
# answer. Let us see what that does, on letters drawn at random, about which there is *nothing* to know: no honest model
# can pay less than $\ln 4$.


# %%
def guess_random_letters(bidirectional, steps=12, texts=32, updates=250, seed=0):
    """A network trained to say the next of random letters: the cost of each step (T,), on
    fresh ones."""
    rng = np.random.default_rng(seed)
    net = nn.RNN(4, 16, bidirectional=bidirectional, dtype=np.float64, rng=rng)
    head = nn.Linear(32 if bidirectional else 16, 4, dtype=np.float64, rng=rng)
    adam = optim.Adam([*net.parameters(), *head.parameters()], lr=0.02)
    for update in range(updates + 1):
        text = rng.integers(0, 4, (steps + 1, texts if update < updates else 2000))
        with tg.enable_grad() if update < updates else tg.no_grad():
            O = head(net(tg.tensor(exercise.one_hot(text[:-1], 4)))[0])
        if update < updates:
            net.zero_grad()
            head.zero_grad()
            O.backward(exercise.char_loss(O.numpy(), text[1:], "mean")[1])
            adam.step()
    each = [(O.numpy()[t : t + 1], text[t + 1 : t + 2]) for t in range(steps)]
    return np.array([exercise.char_loss(*one, "mean")[0] for one in each])


honest = guess_random_letters(bidirectional=False)
leaky = guess_random_letters(bidirectional=True)
print(
    "nats a letter, step by step (ln 4 = 1.386 is the least for who has not seen the answer)"
)
print("one direction ", *(f"{cost:.2f}" for cost in honest), f"  mean {honest.mean():.3f}")
print("both          ", *(f"{cost:.2f}" for cost in leaky), f"  mean {leaky.mean():.3f}")
assert abs(honest.mean() - np.log(4)) < 0.03
assert leaky[:-1].max() < 0.1
assert abs(leaky[-1] - np.log(4)) < 0.2

# %% [markdown]
# The bidirectional one pays almost nothing: it *reads* the next letter, coming the other way. Only at the last step,
# whose answer is not in its input, does it know as little as anybody. Nothing crashes when an answer leaks, and the
# curve looks splendid. **A loss below what is possible is a bug**, which is why it pays to know what is possible.
#
# ## 6. Let it write
#
# To write, turn it round: read START, guess, *draw* a letter from the guess, write it down, and read it as the next
# input; until END is drawn. Two slips have names:
#
# - **feeding back the likeliest letter.** A slide says: *the trained network will always generate exactly the same
#   sequence*, and advises to add noise to the input, or to begin with a piece of text. True if one feeds back the
#   argmax, and only then. The network gives a distribution; the remedy is to **draw** from it.
# - **feeding back the distribution.** A mixture of letters is an input the network has never met. What was drawn goes
#   back, one-hot.
#
# How bold the drawing is, the **temperature** $\tau$ says: the guess is $\text{softmax}(o / \tau)$. At $\tau \to 0$ the
# likeliest letter gets everything, at $\tau \to \infty$ all letters are alike.
#
# To draw, `choose` (given) needs uniform numbers, which reach your function as `u`. So the same `u` gives the same
# text.
#
# **Exercise `charmodel.5`**: `sample`.

# %%
check("charmodel.5")

# %% [markdown]
# A world with four words, all as frequent: hello, hell, heel, hole. Here everything can be computed beforehand. A word
# out of four costs at least $\ln 4 = 1.386$ nats, *all its letters and its end together*. And a network that has
# learned them should write each of them in a quarter of all cases.

# %%
WORDS = ("hello", "hell", "heel", "hole")
marked = Vocabulary(MARKED)
START, END = marked.encode("^$")
pairs = [exercise.shift_targets(marked.encode(word), START, END) for word in WORDS]
words_net = letters_net(marked, 12, seed=0)
curve = learn(
    words_net, [(read[:, None], say[:, None]) for read, say in pairs], updates=250, rate=0.02
)
print(
    f"nats a word: {curve[0]:.2f} at first, {curve[-1]:.3f} after 250 updates; least "
    f"possible {np.log(4):.3f}"
)
assert np.log(4) < curve[-1] < np.log(4) + 0.05


# %%
def written(temperature, count=400, seed=0):
    """`count` words by your `sample`, counted."""
    p, rng, words = weights_of(words_net), np.random.default_rng(seed), {}
    for _ in range(count):
        out = exercise.sample(
            p, np.zeros(12), START, 12, temperature, rng.random(12), end=END
        )
        word = marked.decode(out).removesuffix("$")
        words[word] = words.get(word, 0) + 1
    return words


temperatures = (0.1, 0.5, 1.0, 2.0, 10.0)
counts = {temperature: written(temperature) for temperature in temperatures}
print("of 400 words      ", *(f"{word:>8}" for word in WORDS), f"{'others':>8}  such as")
for temperature, words in counts.items():
    known = [words.get(word, 0) for word in WORDS]
    others = sorted(
        filter(None, set(words) - set(WORDS)), key=lambda word: (-words[word], word)
    )
    print(
        f"temperature {temperature:4}  ",
        *(f"{n:8}" for n in known),
        f"{400 - sum(known):8} ",
        ", ".join(others[:3]),
    )

once = weights_of(words_net)
coldest = {
    marked.decode(
        exercise.sample(
            once, np.zeros(12), START, 12, 1e-6, np.random.default_rng(i).random(12), END
        )
    )
    for i in range(20)
}
print("\nalways the likeliest letter (temperature 0.000001), 20 times:", *coldest)
assert all(abs(counts[1.0].get(word, 0) / 400 - 1 / 4) < 0.08 for word in WORDS)
assert len(coldest) == 1

# %% [markdown]
# At temperature 1 all four, and hardly anything else. Colder, *hole* goes first: its second letter, o, is three times
# rarer than e, and cold makes the frequent more frequent. Hotter, words appear that are not in this world. And the
# likeliest letter, taken again and again, gives one word for ever: the slide's "exactly the same sequence". (After
# *hell*, o and END are all but even; a hair decides, and always the same way.) Temperature 1 is what was learned;
# away from it one trades variety for safety.
#
# ## 7. Read first, then write
#
# A state of zeros knows nothing. Let the network read a beginning, and write from the state it is left in: the
# lectures' **burn-in**, or primer. Nothing is drawn while it reads. Its guesses are ignored, and what goes in is the
# text.
#
# **Exercise `charmodel.6`**: `burn_in`.

# %%
check("charmodel.6")

# %%
print("after reading ...   the guess for the next letter")
for beginning in ("", "h", "he", "hel", "hell", "ho"):
    read = marked.encode("^" + beginning)
    guess = exercise.softmax(exercise.burn_in(once, read) @ once["W_hy"] + once["b_y"])
    print(
        f"{beginning:>12}        ",
        "  ".join(f"{MARKED[i]} {guess[i]:.2f}" for i in np.argsort(-guess)[:3]),
    )

last = marked.encode("^he")
rng = np.random.default_rng(1)
h = exercise.burn_in(once, last[:-1])  # all but the last, which is the x0 of `sample`
endings = [
    marked.decode(exercise.sample(once, h, last[-1], 12, 1.0, rng.random(12), END))
    for _ in range(12)
]
print("\n'he' goes on:", *("he" + ending for ending in endings))
guess = exercise.softmax(exercise.burn_in(once, last) @ once["W_hy"] + once["b_y"])
assert np.abs(guess[[2, 1]] - [2 / 3, 1 / 3]).max() < 0.1  # hello and hell against heel

# %% [markdown]
# After *he* an l has probability 2/3 (hello, hell) and an e 1/3 (heel): the network has found the frequencies that you
# can count. After *hell*, o and END are even. It is nothing but counting, so far; but it counts *in a state*, and what
# to keep in the state it has found itself.
#
# ## 8. N in, one out; or N in, N out
#
# Real text does not come in words of a few letters. It is cut into windows of $N$ characters, and the lectures show two
# ways:
#
# - **N to 1**: read $N$ characters, guess *the one that follows*. The windows overlap, each begins one character after
#   the one before, so that each is guessed once, with $N$ before it.
# - **N to N**: read the same $N$ characters, and guess *at each of them*: the targets are the window, shifted by one.
#
# Both run the network for $N$ steps per window, forward and back. But one is paid for one guess, the other for $N$. To
# guess every character of a text once, N to 1 computes $N$ steps for each, and N to N one step.
#
# What speaks for N to 1? Its guess has always seen $N$ characters. In N to N the first guess of a window has seen one
# (unless the state is carried over from the window before: lesson `truncated`).
#
# **Exercises `charmodel.7` and `charmodel.8`**: `windows_n_to_1` and `windows_n_to_n`. Time runs downwards; every
# window is a column.

# %%
check("charmodel.7")

# %%
check("charmodel.8")

# %%
alphabet = Vocabulary("abcdefghijklmnopqrstuvwxyz")
small = alphabet.encode("abcdefghi")
for name, (X, Y) in {
    "4 to 1": exercise.windows_n_to_1(small, 4),
    "4 to 4": exercise.windows_n_to_n(small, 4),
}.items():
    print(f"{name}: windows", *(alphabet.decode(column) for column in X.T), end="   ")
    print("targets", *(alphabet.decode(column) for column in np.atleast_2d(Y).T), end="   ")
    print(f"{X.size} steps for {Y.size} guesses")

# %% [markdown]
# Now in earnest. Every Python carries a text of more than a million characters: its language reference, and its own
# standard library. We keep the last 5 % for judging, where nobody trains.

# %%
corpus = default_corpus()
settings = Settings(cell="rnn", hidden_size=128, seq_len=25, batch_size=16, lr=2e-3, seed=0)
text = Text(corpus, settings)
vocabulary = text.vocabulary
train_ids, held_out = split(vocabulary.encode(corpus), settings.validation)
V = len(vocabulary)
print(
    f"{len(corpus):,} characters, {V} different: knowing nothing costs {np.log2(V):.2f} "
    "bits a character\n"
)
print(corpus[100_000:100_400])

# %% [markdown]
# Two equal networks, with equally many steps to compute in every update: 32 windows of 20 characters. Both are judged
# in the same way, by the guess after 20 characters of text that neither has seen.

# %%
N, WIDTH, UPDATES = 20, 32, 600
X_judge, y_judge = exercise.windows_n_to_1(held_out[:3000], N)


def race(X, Y, seed=0):
    """Train on windows X (N, B) with targets Y (T, B), the last T of the N steps: updates,
    and bits held out."""
    rng, net = np.random.default_rng(seed), letters_net(vocabulary, 64, seed)
    adam, at, scores = optim.Adam(net.parameters(), lr=0.005), [], []
    for update in range(UPDATES + 1):
        if update % 50 == 0:
            with tg.no_grad():
                O = net(X_judge)[0].numpy()[-1:]
            at.append(update)
            scores.append(
                exercise.bpc(np.array([exercise.char_loss(O, y_judge[None], "mean")[0]]))
            )
        some = rng.integers(0, X.shape[1], WIDTH)
        net.zero_grad()
        O, _ = net(X[:, some])
        dO = np.zeros(O.shape)  # where no guess is paid, no gradient comes in
        dO[len(X) - len(Y) :] = exercise.char_loss(
            O.numpy()[len(X) - len(Y) :], Y[:, some], "mean"
        )[1]
        O.backward(dO)
        adam.step()
    print(
        f"guesses per window {len(Y):2}: {scores[-1]:.2f} bits a character after {UPDATES} "
        "updates",
        flush=True,
    )
    return np.array(at), np.array(scores)


X_one, y_one = exercise.windows_n_to_1(train_ids[:300_000], N)
one = race(X_one, y_one[None])
many = race(*exercise.windows_n_to_n(train_ids[:300_000], N))
lines = {"N to 1": one, "N to N": many}
charts.curve_chart(
    lines, title="The same number of steps computed", y_label="bits a character, held out"
)

# %%
reached = many[0][many[1] <= one[1][-1]][0]
print(f"where N to 1 is after {UPDATES} updates, N to N has been after {reached} or fewer")
assert many[1][-1] < one[1][-1] - 0.2
assert reached <= UPDATES / 2

# %% [markdown]
# The same work, and more learned from it: every window gives $N$ guesses to learn from instead of one. They are not $N$
# *independent* ones, and N to N is not $N$ times as fast; but there is no reason to throw them away. Nearly all
# language models are trained like this.
#
# ## 9. A network reads Python
#
# Now the whole way: 128 units, 16 places of the text read in parallel, 25 steps at a time, the state carried over (how
# that is right is the subject of lesson `truncated`). That is about the size of `min-char-rnn.py`, which has 100 units,
# 25 steps and Adagrad; here it is Adam. The model to beat is the **bigram**: count, in the training text, how often
# each character follows each. It knows exactly one character of the past. Both are judged on text held out.


# %%
def bigram_bits(train_ids, judged, add=0.1):
    """Bits a character of counted pairs; `add` is counted for each, so that no pair is
    impossible."""
    pairs = np.full((V, V), add)
    np.add.at(pairs, (train_ids[:-1], train_ids[1:]), 1)
    chances = pairs / pairs.sum(axis=1, keepdims=True)
    return exercise.bpc(-np.log(chances[judged[:-1], judged[1:]]))


def model_bits(model, judged):
    """The same for the network, which reads the text in one go."""
    with tg.no_grad():
        O = model(judged[:-1, None])[0].numpy().astype(np.float64)
    return exercise.bpc(np.array([exercise.char_loss(O, judged[1:, None], "mean")[0]]))


def write(model, beginning, length, temperature=0.7, seed=0):
    """Text by your `sample`, from the state of your `burn_in`."""
    p, read = weights_of(model), vocabulary.encode(beginning)
    h, u = exercise.burn_in(p, read[:-1]), np.random.default_rng(seed).random(length)
    return beginning + vocabulary.decode(
        exercise.sample(p, h, read[-1], length, temperature, u)
    )


judged = held_out[:20_000]
bigram = bigram_bits(train_ids, judged)
run = Run.start(settings, text)
print(
    f"bits a character, held out: bigram {bigram:.2f}, the network at first "
    f"{model_bits(run.model, judged):.2f}"
)
STAGES = (100, 300, 700, 2000, 5000)
steps, scores = [0], [model_bits(run.model, judged)]
for stage in STAGES:
    train(run, text, steps=stage, every=1000)
    steps.append(stage)
    scores.append(model_bits(run.model, judged))
    print(f"\n----- after {stage} updates: {scores[-1]:.2f} bits a character", flush=True)
    print(write(run.model, "The ", 160))

# %%
lines = {
    "network": (np.array(steps), np.array(scores)),
    "bigram": (np.array(steps), np.full(len(steps), bigram)),
}
charts.curve_chart(lines, title="Learning to write", y_label="bits a character, held out")

# %%
characters = STAGES[-1] * settings.batch_size * settings.seq_len
print(
    f"after {characters:,} characters read: {scores[-1]:.2f} bits a character; the bigram "
    f"{bigram:.2f}"
)
assert scores[-1] < bigram - 0.5

# %% [markdown]
# First blanks and the commonest letters; then words' lengths and endings; then words, and lines that are laid out like
# prose or like code. Nobody told it of words: one character at a time is all it has ever seen.
#
# **A wrong caption.** The lectures show such an evolution too: *tyntd-iafhatawiaoihrdemot...*, then *Tmont thithey*,
# then *Aftair fall unsuch that the hall for Prince Velzonski's...*, then *"Why do what that day," replied Natasha...*
# A slide says of it that the network was trained to predict Shakespeare's plays, others put the Sonnets beside it. It
# is neither. Natasha, Pierre and Princess Mary are Tolstoy's: it is Karpathy's *War and Peace* network (2015) after
# 100, 300, 700 and 2000 updates, as another of the lectures says rightly. The names in a sample tell what was read.
#
# ### Hot and cold

# %%
for temperature in (0.2, 0.6, 1.0, 1.6):
    print(
        "----- temperature "
        f"{temperature}\n{write(run.model, 'The ', 200, temperature, seed=3)}\n"
    )

# %% [markdown]
# Cold, it goes round in circles of its safest words; hot, it spells like a child. Samples in
# print are often drawn below 1; whoever shows one should say at which temperature.
#
# ### Completions
#
# The lectures ask a network that has read Wikipedia to go on from *Sheila thrunges*, a verb that does not exist. What
# it says is not stored anywhere; it is what a word *like this* would get. So let us ask ours: the likeliest next
# characters, real words first, then invented ones.

# %%
p = weights_of(run.model)
print("after ...           likeliest next characters")
for beginning in (
    "    retur",
    "an excepti",
    "the functio",
    "the sequen",
    "she thrung",
    "to blorf a str",
):
    guess = exercise.softmax(
        exercise.burn_in(p, vocabulary.encode("\n" + beginning)) @ p["W_hy"] + p["b_y"]
    )
    best = np.argsort(-guess)[:3]
    print(
        f"{beginning:16}    ",
        "   ".join(f"{vocabulary.chars[i]!r} {guess[i]:.2f}" for i in best),
    )

# %% [markdown]
# ### What is a beginning worth?
#
# Take 1500 places in the held-out text, begin at each with a state of zeros, and see what the guesses cost, by how many
# characters have been read before. Guess first: what will it be after one character? The bigram knows one, too.

# %%
X, Y = exercise.windows_n_to_n(held_out, 40)
X, Y = X[:, :1500], Y[:, :1500]
with tg.no_grad():
    O = run.model(X)[0].numpy().astype(np.float64)
read = np.arange(1, 41)
costs = [
    exercise.bpc(np.array([exercise.char_loss(O[t : t + 1], Y[t : t + 1], "mean")[0]]))
    for t in range(40)
]
lines = {"network": (read, np.array(costs)), "bigram": (read, np.full(40, bigram))}
charts.curve_chart(lines, title="What reading a beginning is worth", x_label="characters read",
                   y_label="bits a character, held out")  # fmt: skip

# %%
print("characters read    ", *(f"{n:5}" for n in (1, 2, 3, 4, 5, 10)), "  20 to 40")
print(
    "bits a character   ",
    *(f"{costs[n - 1]:5.2f}" for n in (1, 2, 3, 4, 5, 10)),
    f"  {np.mean(costs[19:]):8.2f}",
)
assert costs[0] > bigram
assert costs[4] < bigram - 0.5
assert np.mean(costs[19:]) < costs[0] - 1

# %% [markdown]
# After one character it is *worse* than the bigram. It could know as much; but zeros are no neutral state. With the
# state carried over, this network has met zeros only where the text began, and everywhere else a state full of what
# came before. Started at zeros it is in a place where no teacher has taken it, as in section 5. That is what burn-in is
# for, and a few characters do it. After ten the gain is small: an Elman network trained on 25 steps does not remember
# for long. Why not is the subject of lesson `vanishing`; what helps, that of lesson `lstm`.
#
# ## What you have now
#
# - **The shift is the whole trick**: read one character, say the next. Shift the wrong way, or read both ways, and the
#   answer leaks: a loss below what is possible.
# - **Draw, and feed back what was drawn.** Not the likeliest letter, not the distribution. The temperature goes under
#   the outputs, before the softmax.
# - **Know the price**: $\ln V$ for who knows nothing, the bigram's bits for who counts, nats divided by $\ln 2$ for who
#   wants to compare.
#
# Go on with a text of your own: `tinygrad-rnn train --help`. Next: `truncated` asks how far back the training has to
# look.
#
# *Sources.* A. Karpathy, "The Unreasonable Effectiveness of Recurrent Neural Networks" (2015), and `min-char-rnn.py`.
# A. Graves, "Generating Sequences With Recurrent Neural Networks" (2013). I. Sutskever, J. Martens and G. Hinton,
# "Generating Text with Recurrent Neural Networks", ICML 2011 (the completions). R. Williams and D. Zipser, "A Learning
# Algorithm for Continually Running Fully Recurrent Neural Networks", Neural Computation 1, 1989. C. E. Shannon,
# "Prediction and Entropy of Printed English", Bell System Technical Journal 30, 1951. I. Goodfellow, Y. Bengio and A.
# Courville, "Deep Learning", 2016, section 10.2.
