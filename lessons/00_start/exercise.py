"""Fifteen minutes: how this course works: your part of it.

Each function says in its docstring what it is given and what it returns. Write its body in place of the line that
raises. To see how far you are: `tinygrad-rnn check start` in a terminal, `pytest` in this folder, or
`check("start.1")` in the notebook.
"""

import numpy as np


def affine(x, W, b):
    """A layer without squashing:  a = x W + b.

    x (B, D): a batch of B samples, one a row. W (D, H), b (H,). Returns a (B, H).
    """
    raise NotImplementedError("start.1")


def elman_step(x, h, W_xh, W_hh, b_h):
    """One step of an Elman network:  h_next = tanh(x W_xh + h W_hh + b_h).

    x (B, D): the input of this step. h (B, H): the state before it. W_xh (D, H), W_hh (H, H), b_h (H,).
    Returns h_next (B, H). Source: Elman (1990); the lectures' `h_t = tanh(W_hh h_{t-1} + W_xh x_t)`, in rows.
    """
    # There is one bug in this line. Do not look for it yet: run the check, and read what it says.
    return np.tanh(x @ W_xh + b_h) + h @ W_hh


def squared_loss(y, target):
    """Half the squared distance, summed over the C outputs, averaged over the B samples, and its gradient.

    loss = 1/(2B) * sum over b and c of (y - target)^2.  y (B, C), target (B, C).
    Returns a tuple: loss, a number (), and dy (B, C), the gradient of the loss for y.
    """
    raise NotImplementedError("start.3")
