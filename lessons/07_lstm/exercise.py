"""The LSTM, and where its gradient goes: your part of it.

Each function says in its docstring what it is given and what it returns. Write its body in place of the line that
raises. To see how far you are: `tinygrad-rnn check lstm` in a terminal, `pytest` in this folder, or
`check("lstm.1")` in the notebook.
"""

import numpy as np


def sigmoid(a):
    """1 / (1 + exp(-a)), in a form that cannot overflow."""
    return 0.5 * (1 + np.tanh(0.5 * a))


def incomplete_lstm_step(x, h_prev, c_prev, p):
    """One step of the lectures' incomplete LSTM: a cell that only adds. x (B, D), h_prev and c_prev (B, H).

    p: W_xh (D, H), W_hh (H, H), b_h (H,). Returns h, c and c_tilde, the candidate, each (B, H). Given, not an exercise:
    its way back is exercise 1.
    """
    c_tilde = np.tanh(x @ p["W_xh"] + h_prev @ p["W_hh"] + p["b_h"])
    c = c_prev + c_tilde
    h = np.tanh(c)
    return h, c, c_tilde


def incomplete_lstm_step_backward(dh, dc, x, h_prev, c_tilde, h, p):
    """The way back through `incomplete_lstm_step`.

    dh (B, H): dL/dh, all that the loss says about h.
    dc (B, H): dL/dc by every road but the one through this step's own h, so what the step after hands back.
    x (B, D), h_prev (B, H): what the step read; c_tilde (B, H), h (B, H): what it made; p: its W_xh, W_hh, b_h.

    Returns a dict: dc_prev (B, H), dh_prev (B, H), dx (B, D), dW_xh (D, H), dW_hh (H, H), db_h (H,).
    From the lectures on sequence models, where the gates are built up from this cell.
    """
    raise NotImplementedError("lstm.1")


def lstm_step(x, h, c, W_xh, W_hh, b_h):
    """One step of the LSTM with a forget gate. x (B, D), h and c (B, H): the state before.

    W_xh (D, 4H), W_hh (H, 4H), b_h (4H,): the gates side by side, i, f, o, g. With p a dict of the three, call it as
    lstm_step(x, h, c, **p).

    Returns a tuple: h (B, H) and c (B, H), the state after, and gates (B, 4H): i, f, o, g after their sigmoid or tanh.
    Hochreiter & Schmidhuber 1997; with the forget gate of Gers, Schmidhuber & Cummins 2000.
    """
    raise NotImplementedError("lstm.2")


def lstm_step_backward(dh, dc, x, h_prev, c_prev, c, gates, p):
    """The way back through `lstm_step`.

    dh (B, H): dL/dh, all that the loss says about this step's h.
    dc (B, H): dL/dc by every road but the one through this step's own h, so what the step after hands back.
    x (B, D), h_prev and c_prev (B, H): what the step read. c (B, H), gates (B, 4H), after their sigmoid or tanh: what
    it made. p: W_xh (D, 4H), W_hh (H, 4H), b_h (4H,).

    Returns a dict: dc_prev (B, H), db_h (4H,), dW_xh (D, 4H), dW_hh (H, 4H), dx (B, D), dh_prev (B, H).
    The equations are in Greff et al. 2017, "LSTM: A Search Space Odyssey", section III, there with peepholes.
    """
    raise NotImplementedError("lstm.3")


def lstm_bptt(dHs, step_backward):
    """The way back through all T steps of an LSTM.

    dHs (T, B, H): dHs[t] is what the loss says about h_t directly, by its readout, not through later steps.
    step_backward(t, dh, dc): a function, given. It is your `lstm_step_backward` with all that step t remembers filled
    in: it takes dh and dc (B, H) and returns the dict with dc_prev, db_h, dW_xh, dW_hh, dx and dh_prev of that step.

    Returns a dict: dX (T, B, D), dh0 and dc0 (B, H), dW_xh (D, 4H), dW_hh (H, 4H), db_h (4H,).
    Werbos 1990, "Backpropagation through time: what it does and how to do it".
    """
    raise NotImplementedError("lstm.4")


def cell_jacobian(gates, c_prev, o_prev, W_hh):
    """J (H, H), the whole derivative dc_t/dc_{t-1}: J[m, n] is how unit m of c_t answers to unit n of c_{t-1}.

    For one sample: gates (4H,): i, f, o, g of step t, after their sigmoid or tanh; c_prev (H,): c_{t-1};
    o_prev (H,): the output gate of step t-1, held fixed; W_hh (H, 4H). Remember that h_{t-1} is made of c_{t-1}, and
    that i, f and g of step t read h_{t-1}. The lectures derive it, and leave one term out.
    """
    raise NotImplementedError("lstm.5")


def init_forget_bias(b, value):
    """b_h (4H,), gates in the order i, f, o, g, with the forget gate's part set to `value`, a float.

    Returns a new array (4H,); b stays as it is. Gers et al. 2000 start it positive; Jozefowicz, Zaremba & Sutskever
    2015 recommend 1 for every LSTM.
    """
    raise NotImplementedError("lstm.6")


def repack_gates(W, src, dst):
    """W (D, 4H), whose four blocks of H columns are the gates in the order `src`, with them in the order `dst`.

    The orders are words of the letters i, f, o and g: "ifog" here and in all the lectures that stack them, "ifgo" in
    PyTorch. Returns a new array (D, 4H).
    """
    raise NotImplementedError("lstm.7")


def chrono_bias(H, T_max, u):
    """b_h (4H,), gates in the order i, f, o, g, for memories of all lengths up to T_max steps: chrono initialisation.

    H and T_max: int. u (H,): uniform numbers in [0, 1), one a unit; they stretch to a time between 1 and T_max - 1.
    Tallec & Ollivier 2018, "Can recurrent neural networks warp time?", equation 16; biases that it does not name are 0.
    """
    raise NotImplementedError("lstm.8")
