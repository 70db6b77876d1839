"""Backpropagation through time, by hand: your part of it.

Each function says in its docstring what it is given and what it returns. Write its body in place of the line that
raises. To see how far you are: `tinygrad-rnn check bptt` in a terminal, `pytest` in this folder, or
`check("bptt.1")` in the notebook.
"""

import numpy as np


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


def elman_step_backward(dh, x, h_prev, h, p):
    """Backward through one step, h = tanh(x @ W_xh + h_prev @ W_hh + b_h).

    dh (B, H): the gradient of the loss for h, complete. x (B, D), h_prev (B, H) and h (B, H) are what the forward pass
    read and made; p holds W_xh (D, H), W_hh (H, H) and b_h (H,).
    Returns a dict: db_h (H,), dW_xh (D, H), dW_hh (H, H), dx (B, D), dh_prev (B, H).
    Source: the chain rule; Werbos (1990); Goodfellow et al. (2016), section 10.2.2.
    """
    raise NotImplementedError("bptt.1")


def bptt(X, h0, Hs, dO, p):
    """Backward through the whole sequence: the gradient of L for everything that it depends on.

    X (T, B, D), h0 (B, H), Hs (T, B, H) as in `elman_forward`; dO (T, B, C) is dL/dO, step by step; p holds
    W_xh (D, H), W_hh (H, H), b_h (H,), W_hy (H, C) and b_y (C,).
    Returns a dict: dX (T, B, D), dW_hy, db_y, dW_xh, dW_hh, db_h, dh0 (B, H), each of the shape of its namesake.
    Source: Werbos (1990); Goodfellow et al. (2016), section 10.2.2.
    """
    raise NotImplementedError("bptt.2")


def output_gradients(O, Y, over_time):
    """dL/dO (T, B, C) of the cross-entropy between softmax(O) and Y; it is where the backward pass begins.

    O (T, B, C): the outputs before the softmax. Y (T, B, C): the targets, one-hot. The loss is a mean over the batch,
    and over time what `over_time` says: "sum" or "mean" over all steps, or "last": the loss of the last step alone.
    `softmax` is given above. Source: Goodfellow et al. (2016), section 10.2.2.
    """
    raise NotImplementedError("bptt.3")


def three_uses():
    """Predict, with a pencil. h_k = w h_{k-1} + x_k, a scalar with no tanh, w = 2, h_0 = 1, x = 1, 1, 0, and L = h_3.

    Returns a dict of what you found, plain numbers in lists (or arrays): states (3,), h_1, h_2, h_3; contributions
    (3,), what the first, the second and the third use of w give to dL/dw, each dh_3/dh_k times the *immediate*
    derivative of h_k for w; and total, the number dL/dw.
    Source: Pascanu, Mikolov & Bengio (2013), equations 3 to 5.
    """
    raise NotImplementedError("bptt.4")


def immediate_grad(X, h0, Hs, t, da):
    """The immediate gradient: what the use of W_hh in step t alone gives to dW_hh (H, H), all other uses held fixed.

    da (B, H): the gradient for a_t, which is what the tanh of step t (an int, from 0) was given. X (T, B, D), h0 (B, H)
    and Hs (T, B, H) as in `elman_forward`; not all of them are needed.
    Source: Pascanu, Mikolov & Bengio (2013), equation 4, where this derivative carries a plus.
    """
    raise NotImplementedError("bptt.5")


def contribution(k, t, X, h0, Hs, dO_t, p):
    """What the use of W_hh in step k gives to the gradient of L_t, the loss of step t: dW_hh (H, H).

    k and t are ints, from 0, in any order. dO_t (B, C): dL_t/dO_t. X (T, B, D), h0 (B, H) and Hs (T, B, H) as in
    `elman_forward`; p holds W_xh (D, H), W_hh (H, H), b_h (H,), W_hy (H, C) and b_y (C,); not all of them are needed.
    The sum over all k is dL_t/dW_hh.
    Source: Pascanu, Mikolov & Bengio (2013), equations 4 and 5, one term of the sum.
    """
    raise NotImplementedError("bptt.6")


def jacobian(h, W_hh):
    """How h_t moves when h_{t-1} moves: J (H, H), where J[i, j] is dh_t[i] / dh_{t-1}[j].

    h (H,): the state h_t, of one sample. W_hh (H, H), used as h_{t-1} @ W_hh.
    Source: Pascanu, Mikolov & Bengio (2013), equation 5, for tanh and with samples as rows.
    """
    raise NotImplementedError("bptt.7")
