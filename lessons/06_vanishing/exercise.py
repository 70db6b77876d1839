"""Vanishing, exploding, clipping: your part of it.

Each function says in its docstring what it is given and what it returns. Write its body in place of the line that
raises. To see how far you are: `tinygrad-rnn check vanishing` in a terminal, `pytest` in this folder, or
`check("vanishing.1")` in the notebook.
"""

import numpy as np


def sigmoid(a):
    """The logistic function 1 / (1 + exp(-a)), elementwise. Its derivative is s * (1 - s), at most a quarter."""
    return 1 / (1 + np.exp(-a))


def jac_product(Hs, W_hh, t, k):
    """The Jacobian dh_t/dh_k of an Elman network h_t = tanh(x_t @ W_xh + h_{t-1} @ W_hh + b_h), for one sequence.

    Hs (T, H): the states, Hs[t] the one made in step t (t counts from 0); W_hh (H, H): the recurrent weights;
    t, k: ints with 0 <= k <= t < T. For k = t nothing lies between, and the answer is the identity.
    Returns J (H, H) with J[i, j] = dh_t[i] / dh_k[j].

    Pascanu, Mikolov & Bengio 2013, equation 5, with the weights transposed as everywhere here.
    """
    raise NotImplementedError("vanishing.1")


def spectral(W_hh):
    """Two numbers that say how a square matrix stretches.

    W_hh (H, H). Returns the tuple (sigma1, rho): sigma1, the largest factor by which it can stretch a vector in one
    step (its largest singular value); rho, the factor per step in the long run (its spectral radius).

    Anything of numpy.linalg may be used. Pascanu, Mikolov & Bengio 2013, section 2.1.
    """
    raise NotImplementedError("vanishing.2")


def forecast(sigma1, rho, gamma, steps):
    """What the two numbers of W_hh say about a network before it has seen a single input.

    sigma1: the largest singular value of W_hh; rho: its spectral radius; gamma: the largest slope of the activation
    (1 for tanh, 1/4 for the sigmoid), which may take any value in (0, gamma] on the way; steps: an int, how many steps
    lie between h_k and h_t. "For sure" means: whatever the inputs and the states.

    Returns a dict of
    - bound: a number that the norm (largest singular value) of dh_t/dh_k never exceeds, as small as sigma1 and gamma
      allow;
    - vanishes_for_sure, can_explode, explodes_for_sure: True or False, for the network with that activation, as the
      number of steps grows: the norm goes to zero; it may grow beyond all bounds; it must;
    - linear_vanishes, linear_explodes: the same two questions for the linear network h_t = h_{t-1} @ W_hh, without any
      activation.

    A singular value of just 1/gamma (an orthogonal matrix under tanh) neither vanishes for sure nor can explode.
    Pascanu, Mikolov & Bengio 2013, section 2.1.
    """
    raise NotImplementedError("vanishing.3")


def latch_basin(w, h):
    """Memory in a single unit: a_t = w * tanh(a_{t-1}) + h, with the same input h at every step and w > 1.

    w: a float above 1; h: a float. Without input the unit has two stable states, and stays near the one it is in: it
    has latched a bit. An input larger than some h_star pushes it out of either.

    Returns a dict of
    - h_star: the largest |h| for which there are still two stable states (where the curve w * tanh(a) + h touches the
      line a: same height, same slope);
    - latches: True where, with this h, there are two;
    - a: where the unit settles when it starts high, at a = w + |h|, to 12 digits;
    - factor: da_t/da_{t-1} there: what a step back through time does to the gradient of a latched unit.

    Bengio, Simard & Frasconi 1994, on a single recurrent unit.
    """
    raise NotImplementedError("vanishing.4")


def cliff_loss(w, b, x0, T):
    """The simplest recurrent network with a cliff in its loss, and the gradient of that loss by BPTT.

    x_t = w * sigmoid(x_{t-1}) + b for t = 1 ... T, and E = (sigmoid(x_T) - 0.7)**2. w (N,) and b (N,) are N networks at
    once, each entry its own; x0: a float, where all start; T: an int, the number of steps, at least 1.
    Returns the tuple (E, dw, db), each (N,): the losses, dE/dw and dE/db.

    Pascanu, Mikolov & Bengio 2013, section 2.3 (there T = 50, x0 = 0.5).
    """
    raise NotImplementedError("vanishing.5")


def clip_global(grads, max_norm):
    """Scale all gradients by one factor, so that their norm, taken together, is at most max_norm.

    grads: a list of arrays of any shapes, which stay as they are; max_norm: a float above 0. The norm is that of the
    long vector of all entries of all arrays. Gradients within max_norm come back with the same numbers.
    Returns the tuple (clipped, norm): a new list of arrays, and the norm before clipping.

    Pascanu, Mikolov & Bengio 2013, algorithm 1; torch.nn.utils.clip_grad_norm_ does this.
    """
    raise NotImplementedError("vanishing.6")


def clip_value(theta, g, lr, limit):
    """One step of gradient descent, the gradient clipped entry by entry.

    theta (P,): the parameters; g (P,): the gradient of the loss in them; both stay as they are. lr: the learning rate;
    limit: a float above 0, the most that an entry of the gradient may be, in size.
    Returns the tuple (new, cosine): the parameters (P,) after the step, and the cosine of the angle between the
    gradient as it was and as it is used.

    Mikolov clipped entry by entry in 2012 (according to Pascanu, Mikolov & Bengio 2013), and
    torch.nn.utils.clip_grad_value_ does.
    """
    raise NotImplementedError("vanishing.7")


def omega(dHs, Hs, W_hh):
    """The regulariser that asks every step back to keep the gradient's norm, for one sequence.

    dHs (T, H): dE/dh_t for every step; Hs (T, H): the states; W_hh (H, H). For each k = 0 ... T-2, let v_k be
    dE/dh_{k+1} taken one step further back, to h_k, and terms[k] = (norm of v_k / norm of dE/dh_{k+1} - 1)**2.
    Returns a dict: terms (T-1,); omega, their sum, a number; dW_hh (H, H), the derivative of omega
    in W_hh with dHs and Hs held fixed (the paper's "immediate" derivative).

    Pascanu, Mikolov & Bengio 2013, section 3.3.
    """
    raise NotImplementedError("vanishing.8")
