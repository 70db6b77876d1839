"""The recurrent network: one step, used again and again: your part of it.

Each function says in its docstring what it is given and what it returns. Write its body in place of the line that
raises. To see how far you are: `tinygrad-rnn check rnn` in a terminal, `pytest` in this folder, or
`check("rnn.1")` in the notebook.
"""

import numpy as np


def elman_forward(X, h0, p):
    """The forward pass:  h_t = tanh(x_t W_xh + h_{t-1} W_hh + b_h)  and  o_t = h_t W_hy + b_y,  for t = 1 ... T.

    X (T, B, D): T steps, B samples (rows), D numbers each. h0 (B, H): the state before the first step. p: a dict with
    W_xh (D, H), W_hh (H, H), b_h (H,), W_hy (H, C), b_y (C,).
    Returns a tuple: Hs (T, B, H), the states, Hs[t] of step t + 1; and O (T, B, C), the outputs.
    Source: Goodfellow et al. (2016), equations 10.8 to 10.10, in rows.
    """
    raise NotImplementedError("rnn.1")


def many_to_one(X, h0, p):
    """Reads a whole sequence, answers once, at the end: N to 1 (the sentiment of a sentence, say).

    X (T, B, D), h0 (B, H), p as for elman_forward. Returns the one output (B, C), read from the last state.
    """
    raise NotImplementedError("rnn.2")


def one_to_many(x0, h0, p, T):
    """Reads one input, answers at T steps: 1 to N (a caption for an image, say).

    x0 (B, D) enters at the first step alone; later steps have no input, only their old state. h0 (B, H), p as for
    elman_forward, T a whole number. Returns O (T, B, C).
    """
    raise NotImplementedError("rnn.3")


def output_recurrence(X, p, teacher):
    """The second design pattern: not the state goes on to the next step, but the output.

    h_t = tanh(x_t W_xh + back_t W_oh + b_h),  o_t = h_t W_hy + b_y.  At the first step back_1 is zeros (B, C). Later,
    free running (teacher None), back_t is the network's own last output o_{t-1}; with teacher forcing it is the
    target of the last step, which training data has at hand.
    X (T, B, D); p: W_xh (D, H), W_oh (C, H), b_h (H,), W_hy (H, C), b_y (C,); teacher: None, or the targets (T, B, C).
    Returns O (T, B, C). Source: Goodfellow et al. (2016), figures 10.4 and 10.6.
    """
    raise NotImplementedError("rnn.4")


def masked_last(Hs, lengths):
    """The state at each sample's own last step, in a batch whose sequences have different lengths.

    Hs (T, B, H): states of sequences that were padded at their end to T steps. lengths (B,): how many steps of each are
    real, at least 1. Returns (B, H).
    """
    raise NotImplementedError("rnn.5")


def stack_weights(W_xh, W_hh, order):
    """One matrix for both products, so that  [x, h] @ W = x W_xh + h W_hh.

    W_xh (D, H), W_hh (H, H). order says how the caller concatenates: "xh" for [x, h], "hx" for [h, x]: lectures do
    both. Returns W (D+H, H).
    """
    raise NotImplementedError("rnn.6")


def count_parameters(D, H, C, T):
    """How many numbers must be learned: with the parameters shared by all steps, and with a copy of its own for each.

    D, H, C as in elman_forward (W_xh, W_hh, b_h, W_hy, b_y); T steps.
    Returns a tuple of two whole numbers, shared and unshared.
    """
    raise NotImplementedError("rnn.7")
