"""The solutions of lesson rnn: forward passes, all of them, and not one gradient."""

import numpy as np


def elman_forward(X, h0, p):
    """The forward pass:  h_t = tanh(x_t W_xh + h_{t-1} W_hh + b_h)  and  o_t = h_t W_hy + b_y,  for t = 1 ... T.

    X (T, B, D): T steps, B samples (rows), D numbers each. h0 (B, H): the state before the first step. p: a dict with
    W_xh (D, H), W_hh (H, H), b_h (H,), W_hy (H, C), b_y (C,).
    Returns a tuple: Hs (T, B, H), the states, Hs[t] of step t + 1; and O (T, B, C), the outputs.
    Source: Goodfellow et al. (2016), equations 10.8 to 10.10, in rows.
    """
    Hs, O, h = [], [], h0
    for x in X:
        h = np.tanh(x @ p["W_xh"] + h @ p["W_hh"] + p["b_h"])
        Hs.append(h)
        O.append(h @ p["W_hy"] + p["b_y"])
    return np.stack(Hs), np.stack(O)


def many_to_one(X, h0, p):
    """Reads a whole sequence, answers once, at the end: N to 1 (the sentiment of a sentence, say).

    X (T, B, D), h0 (B, H), p as for elman_forward. Returns the one output (B, C), read from the last state.
    """
    h = h0
    for x in X:
        h = np.tanh(x @ p["W_xh"] + h @ p["W_hh"] + p["b_h"])
    return h @ p["W_hy"] + p["b_y"]


def one_to_many(x0, h0, p, T):
    """Reads one input, answers at T steps: 1 to N (a caption for an image, say).

    x0 (B, D) enters at the first step alone; later steps have no input, only their old state. h0 (B, H), p as for
    elman_forward, T a whole number. Returns O (T, B, C).
    """
    h, O = h0, []
    for t in range(T):
        drive = x0 @ p["W_xh"] if t == 0 else 0.0
        h = np.tanh(drive + h @ p["W_hh"] + p["b_h"])
        O.append(h @ p["W_hy"] + p["b_y"])
    return np.stack(O)


def output_recurrence(X, p, teacher):
    """The second design pattern: not the state goes on to the next step, but the output.

    h_t = tanh(x_t W_xh + back_t W_oh + b_h),  o_t = h_t W_hy + b_y.  At the first step back_1 is zeros (B, C). Later,
    free running (teacher None), back_t is the network's own last output o_{t-1}; with teacher forcing it is the
    target of the last step, which training data has at hand.
    X (T, B, D); p: W_xh (D, H), W_oh (C, H), b_h (H,), W_hy (H, C), b_y (C,); teacher: None, or the targets (T, B, C).
    Returns O (T, B, C). Source: Goodfellow et al. (2016), figures 10.4 and 10.6.
    """
    back, O = np.zeros((X.shape[1], len(p["b_y"]))), []
    for t, x in enumerate(X):
        h = np.tanh(x @ p["W_xh"] + back @ p["W_oh"] + p["b_h"])
        O.append(h @ p["W_hy"] + p["b_y"])
        back = O[-1] if teacher is None else teacher[t]
    return np.stack(O)


def masked_last(Hs, lengths):
    """The state at each sample's own last step, in a batch whose sequences have different lengths.

    Hs (T, B, H): states of sequences that were padded at their end to T steps. lengths (B,): how many steps of each are
    real, at least 1. Returns (B, H).
    """
    return Hs[lengths - 1, np.arange(len(lengths))]


def stack_weights(W_xh, W_hh, order):
    """One matrix for both products, so that  [x, h] @ W = x W_xh + h W_hh.

    W_xh (D, H), W_hh (H, H). order says how the caller concatenates: "xh" for [x, h], "hx" for [h, x]: lectures do
    both. Returns W (D+H, H).
    """
    parts = [W_xh, W_hh] if order == "xh" else [W_hh, W_xh]
    return np.concatenate(parts, axis=0)


def count_parameters(D, H, C, T):
    """How many numbers must be learned: with the parameters shared by all steps, and with a copy of its own for each.

    D, H, C as in elman_forward (W_xh, W_hh, b_h, W_hy, b_y); T steps.
    Returns a tuple of two whole numbers, shared and unshared.
    """
    shared = D * H + H * H + H + H * C + C
    return shared, T * shared
