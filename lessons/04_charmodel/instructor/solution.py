"""The solutions of lesson charmodel: text in and out of a recurrent network, and what its guesses cost."""

import numpy as np


def softmax(o):
    """Probabilities along the last axis, of the shape of o (given)."""
    e = np.exp(o - o.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def choose(chances, u):
    """One index, drawn (given): the first at which the running sum of chances (V,) passes u, a number in [0, 1).

    With u uniform, index i comes with probability chances[i]. Random numbers come from outside, so that they can be
    repeated.
    """
    running = np.cumsum(chances)
    return int(np.searchsorted(running, u * running[-1], side="right"))


def one_hot(ids, V):
    """Characters as vectors: all zeros, and a single 1 at the character's number.

    ids (T, B): whole numbers from 0 to V - 1, where V is the size of the vocabulary. Returns (T, B, V), floats.
    """
    return np.eye(V)[ids]


def shift_targets(ids, start, end):
    """One sequence as a lesson to learn: at each step the network reads one character and should say the next.

    ids (T-1,): the characters. start and end: the numbers of two extra categories; what is read first is start,
    what should be said last is end. Returns a tuple of arrays, inputs (T,) and targets (T,), for T steps.
    Source: the lectures; A. Graves (2013), section 2, where x_{t+1} is the target of step t.
    """
    inputs = np.concatenate([[start], ids])
    targets = np.concatenate([ids, [end]])
    return inputs, targets


def char_loss(O, Y, reduction):
    """The cross-entropy of the next characters, in nats, and its gradient.

    O (T, B, V): the network's outputs, before the softmax; they may be as large as 1000. Y (T, B): the numbers of the
    characters that really came. Each guess costs -ln of the probability that was given to what came. reduction says
    what is made of the T times B costs: "sum", or "mean" over all of them, which is nats a character.
    Returns a tuple: loss, one number, and dO (T, B, V), its gradient for O. `softmax` is given above.
    Source: Goodfellow et al. (2016), sections 6.2.2.3 and 10.2.2.
    """
    T, B, V = O.shape
    shifted = O - O.max(axis=-1, keepdims=True)
    log_p = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))  # never the log of a 0
    happened = np.eye(V)[Y]
    loss, dO = -(happened * log_p).sum(), softmax(O) - happened
    if reduction == "mean":
        loss, dO = loss / (T * B), dO / (T * B)
    return loss, dO


def bpc(nats):
    """Bits per character: what a file costs that is compressed with the model's guesses.

    nats (T,): the cost -ln p of each character of a text. Returns one number: the mean, in bits.
    Source: C. E. Shannon, "Prediction and Entropy of Printed English" (1951).
    """
    return np.mean(nats) / np.log(2)


def sample(p, h, x0, n, temperature, u, end=None):
    """Let the network write: each character is drawn from its guess, and read as the next input.

    p: a dict of W_xh (V, H), W_hh (H, H), b_h (H,), W_hy (H, V), b_y (V,), as in  h_t = tanh(x_t W_xh + h_{t-1} W_hh +
    b_h),  o_t = h_t W_hy + b_y,  where x_t is one-hot: x_t W_xh is a row of W_xh. h (H,): the state so far; x0: the
    number of the character to be read first; n: how many to write, at most. The guess of a step is
    softmax(o_t / temperature), and `choose` (given) draws from it with u[t]; u (N,) holds N = n uniform numbers. Once
    `end` has been drawn, stop.
    Returns the numbers of the characters written, ids (T,): without x0, with `end`, and fewer than n if that came.
    Source: the lectures; A. Graves (2013), section 2.
    """
    x, ids = x0, []
    for t in range(n):
        h = np.tanh(p["W_xh"][x] + h @ p["W_hh"] + p["b_h"])
        chances = softmax((h @ p["W_hy"] + p["b_y"]) / temperature)
        x = choose(chances, u[t])
        ids.append(x)
        if x == end:
            break
    return np.array(ids)


def burn_in(p, ids):
    """Read a beginning before writing: the state in which the network is left by it.

    p: a dict of W_xh (V, H), W_hh (H, H) and b_h (H,), as for `sample`; ids (T,): the characters of the beginning, all
    of which are read. The state before the first is zeros. Returns h (H,), the state after the last.
    """
    h = np.zeros(len(p["b_h"]))
    for x in ids:
        h = np.tanh(p["W_xh"][x] + h @ p["W_hh"] + p["b_h"])
    return h


def windows_n_to_1(ids, N):
    """A text for "N in, 1 out": every N characters in a row, and the one that follows them.

    ids (T,): the text, T > N. There are B = T - N windows, each begun one character after the one before. Returns a
    tuple: X (N, B), where column b is window b, from top to bottom; and y (B,), the character after each.
    """
    starts = np.arange(len(ids) - N)
    X = ids[starts + np.arange(N)[:, None]]
    y = ids[starts + N]
    return X, y


def windows_n_to_n(ids, N):
    """A text for "N in, N out": windows of N characters, and the same shifted by one.

    ids (T,): the text, T > N. Window b holds the N characters from N b on, so that windows do not overlap; its targets
    are the characters that follow each of them, and its last target is the first input of window b + 1. There are as
    many windows as have all their targets in the text; what is left over at the end is dropped.
    Returns a tuple: X (N, B) and Y (N, B), where column b is window b, from top to bottom.
    """
    starts = N * np.arange((len(ids) - 1) // N)
    at = starts + np.arange(N)[:, None]
    return ids[at], ids[at + 1]
