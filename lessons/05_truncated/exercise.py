"""Truncated BPTT, and the three things that go by that name: your part of it.

Each function says in its docstring what it is given and what it returns. Write its body in place of the line that
raises. To see how far you are: `tinygrad-rnn check truncated` in a terminal, `pytest` in this folder, or
`check("truncated.1")` in the notebook.
"""

import numpy as np

GRADIENTS = ("dW_hy", "db_y", "dW_xh", "dW_hh", "db_h")


def elman_forward(X, h0, p):
    """The forward pass, which is given:  h_t = tanh(x_t W_xh + h_{t-1} W_hh + b_h)  and  o_t = h_t W_hy + b_y.

    X (T, B, D) and h0 (B, H), the state before the first step; samples are rows. p is a dict of W_xh (D, H),
    W_hh (H, H), b_h (H,), W_hy (H, C) and b_y (C,). Returns all states Hs (T, B, H) and all outputs O (T, B, C).
    X[t], Hs[t] and O[t] belong to step t, counted from 0. In all of this file dA is dL/dA, and has the shape of A.
    """
    h, Hs = h0, []
    for x in X:
        h = np.tanh(x @ p["W_xh"] + h @ p["W_hh"] + p["b_h"])
        Hs.append(h)
    Hs = np.stack(Hs)
    return Hs, Hs @ p["W_hy"] + p["b_y"]


def softmax(O):
    """Probabilities along the last axis, of the shape of O (given)."""
    e = np.exp(O - O.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def output_gradients(O, Y):
    """dO (T, B, C) of the loss in this lesson (given): cross-entropy, a sum over the steps, a mean over the batch.

    O (T, B, C): the outputs before the softmax. Y (T, B, C): the targets, one-hot.
    """
    return (softmax(O) - Y) / O.shape[1]


def bptt(X, h0, Hs, dO, p):
    """Backward through all steps of X (given; lesson `bptt` is about it).

    X (T, B, D), h0 (B, H) and Hs (T, B, H) as in `elman_forward`, dO (T, B, C). It stops at h0.
    Returns a dict: dX (T, B, D), dW_xh, dW_hh, db_h, dW_hy, db_y and dh0 (B, H).
    """
    d = {"d" + name: np.zeros_like(weight) for name, weight in p.items()}
    dX, dh = np.zeros_like(X), np.zeros_like(h0)
    for t in reversed(range(len(X))):
        da = (dO[t] @ p["W_hy"].T + dh) * (1 - Hs[t] ** 2)
        dX[t] = da @ p["W_xh"].T
        d["dW_xh"] += X[t].T @ da
        d["dW_hh"] += (Hs[t - 1] if t > 0 else h0).T @ da
        d["db_h"] += da.sum(axis=0)
        d["dW_hy"] += Hs[t].T @ dO[t]
        d["db_y"] += dO[t].sum(axis=0)
        dh = da @ p["W_hh"].T
    return {"dX": dX, **d, "dh0": dh}


def stack(sets):
    """N dicts of gradients as one (given): dW_xh (N, D, H) and so on, for the names in GRADIENTS."""
    return {name: np.stack([d[name] for d in sets]) for name in GRADIENTS}


def chunks(n, k):
    """Where to cut a sequence of n steps into chunks of k: an array (N, 2), a row [start, stop] for each, in order.

    n >= 1 and k >= 1 are ints. A chunk has the steps start, start + 1, ..., stop - 1, as a slice has. Every step is in
    exactly one chunk; all have k steps but the last, which has what is left.
    Source: the lectures' pseudo-code for truncated BPTT (`for c_i in num_chunk`, which needs mending).
    """
    raise NotImplementedError("truncated.1")


def tbptt_isolated(X, Y, p, k, starts):
    """Truncated BPTT, first kind: isolated segments. Each knows nothing of what came before it.

    X (T, B, D): the inputs, Y (T, B, C): the targets. p holds W_xh (D, H), W_hh (H, H), b_h (H,), W_hy (H, C) and
    b_y (C,). starts (N,): ints, the step (from 0) at which each segment begins, in any order; a segment has k (an int)
    steps, or as many as the sequence has left. Its forward pass begins with a state of zeros.
    Returns a dict of gradients, one set for each segment (its loss as in `output_gradients`), and dX of all of them
    together, where segments that overlap add up: dX (T, B, D), dW_hy (N, H, C), db_y (N, C), dW_xh (N, D, H),
    dW_hh (N, H, H), db_h (N, H).
    Source: a lecture, "run a forward pass on only a portion of the training data".
    """
    raise NotImplementedError("truncated.2")


def tbptt_carried(X, Y, h, p, k):
    """Truncated BPTT, second kind: the state is carried on and detached. Chunks of k steps, one after the other.

    X (T, B, D): the inputs, Y (T, B, C): the targets. h (B, H): the state before the first step, from whatever came
    earlier. p holds W_xh (D, H), W_hh (H, H), b_h (H,), W_hy (H, C) and b_y (C,), the same for all chunks here; k is an
    int, and the last chunk may be shorter.
    Returns (grads, h_last). grads is a dict, one set for each of the N chunks (its loss as in `output_gradients`), and
    dX of all together: dX (T, B, D), dW_hy (N, H, C), db_y (N, C), dW_xh (N, D, H), dW_hh (N, H, H), db_h (N, H).
    h_last (B, H) is the state with which the next call would go on.
    Source: two lectures, "carry hidden states forward", "save the last hidden state"; Williams & Peng (1990).
    """
    raise NotImplementedError("truncated.3")


def tbptt_documents(X, Y, lengths, p, k):
    """The second kind on documents that stand one after the other: what one document says is no context for the next.

    X (T, B, D): the inputs, Y (T, B, C): the targets. lengths (M,): ints, how many steps each of the M documents has;
    they add up to T. Each document begins with a state of zeros and is cut into chunks of k steps (its last one may be
    shorter; no chunk has steps of two documents); between its chunks the state is carried and detached. p holds
    W_xh (D, H), W_hh (H, H), b_h (H,), W_hy (H, C) and b_y (C,).
    Returns a dict: the states Hs (T, B, H); dX (T, B, D) of all chunks together; and one set of gradients for each of
    the N chunks (its loss as in `output_gradients`): dW_hy (N, H, C), db_y (N, C), dW_xh (N, D, H), dW_hh (N, H, H),
    db_h (N, H).
    Source: the lectures' pseudo-code sets h = h_0 once and for all; here it is set where it must be.
    """
    raise NotImplementedError("truncated.4")


def tbptt_windows(X, Y, p, k, stride):
    """Truncated BPTT, third kind: overlapping windows, each on its own from a state of zeros, all in one batch.

    X (T, B, D): the inputs, Y (T, B, C): the targets. p holds W_xh (D, H), W_hh (H, H), b_h (H,), W_hy (H, C) and
    b_y (C,). k and stride are ints, k <= T: the windows have k steps and begin at the steps 0, stride, 2 stride, ...,
    as long as all k steps are there. N windows of B samples are one batch of N times B, and the loss is its mean (as in
    `output_gradients`).
    Returns a dict: dX (T, B, D), where a step that is in several windows hears from all of them, and dW_hy (H, C),
    db_y (C,), dW_xh (D, H), dW_hh (H, H), db_h (H,).
    Source: a lecture, "overlapping chunks", computed "on one chunk or a batch of chunks, independently".
    """
    raise NotImplementedError("truncated.5")


def how_far():
    """Predict, with a pencil. A sequence of 12 steps, k = 4, a loss at each step; windows have the stride 1.

    Returns a dict of four lists (or arrays) of five plain numbers, (5,). Each list has one number for: full BPTT;
    isolated segments; carried and detached; carried, but the detach was forgotten (and each chunk's loss sent back as
    soon as it is there); windows. The segments and chunks are steps 1-4, 5-8, 9-12.
    context (5,): of how many inputs x_1, x_2, ... the loss of step 10 (index 9) depends in the forward pass, its own
    included. reach (5,): at how many of them its gradient arrives. work (5,): through how many steps there is a
    backward pass, all losses together; a step that is passed twice counts twice. held (5,): through how many steps the
    longest single backward pass goes, which are held in memory till then. Each window is a backward pass of its own
    here, and for context and reach the best window is meant.
    Source: Williams & Peng (1990) count the cost of such algorithms in time and memory like this.
    """
    raise NotImplementedError("truncated.6")


def tbptt_k1k2(X, Y, p, k1, k2):
    """Truncated BPTT with two numbers: every k1 steps the newest k1 losses are sent back through k2 >= k1 steps.

    X (T, B, D): the inputs, Y (T, B, C): the targets. p holds W_xh (D, H), W_hh (H, H), b_h (H,), W_hy (H, C) and
    b_y (C,). k1 and k2 are ints. The state begins with zeros and is carried on through the whole sequence. The losses
    of the steps a, ..., a + k1 - 1 (a = 0, k1, 2 k1, ...; at the end there may be fewer) go back through their own
    steps and the k2 - k1 steps before a, as far as there are any; each loss is sent back once.
    Returns a dict: dX (T, B, D) of all together, and one set of gradients for each of the N times that something is
    sent back (its loss as in `output_gradients`): dW_hy (N, H, C), db_y (N, C), dW_xh (N, D, H), dW_hh (N, H, H),
    db_h (N, H).
    Source: Williams & Peng (1990), BPTT(h; h') with h = k2 and h' = k1; Sutskever (2013), section 2.8.6.
    """
    raise NotImplementedError("truncated.7")
