"""The LSTM by hand, in NumPy: one step forward, one step back, the whole way back, and the bias that keeps it open.

Rows are samples: x (B, D), h and c (B, H). The four gates stand side by side in the order i, f, o, g, H columns each:
in W_xh (D, 4H), in W_hh (H, 4H), in b_h (4H,), and in what `lstm_step` returns. The code counts time from 0.
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
    dc = dc + dh * (1 - h**2)  # c is read twice: by this step's h, and by the next step's c
    da = dc * (1 - c_tilde**2)
    return {
        "dc_prev": dc,  # the sum hands its gradient on as it is
        "dh_prev": da @ p["W_hh"].T,
        "dx": da @ p["W_xh"].T,
        "dW_xh": x.T @ da,
        "dW_hh": h_prev.T @ da,
        "db_h": da.sum(axis=0),
    }


def lstm_step(x, h, c, W_xh, W_hh, b_h):
    """One step of the LSTM with a forget gate. x (B, D), h and c (B, H): the state before.

    W_xh (D, 4H), W_hh (H, 4H), b_h (4H,): the gates side by side, i, f, o, g. With p a dict of the three, call it as
    lstm_step(x, h, c, **p).

    Returns a tuple: h (B, H) and c (B, H), the state after, and gates (B, 4H): i, f, o, g after their sigmoid or tanh.
    Hochreiter & Schmidhuber 1997; with the forget gate of Gers, Schmidhuber & Cummins 2000.
    """
    a = x @ W_xh + h @ W_hh + b_h
    i, f, o, g = np.split(a, 4, axis=1)
    i, f, o, g = sigmoid(i), sigmoid(f), sigmoid(o), np.tanh(g)
    c_new = f * c + i * g
    h_new = o * np.tanh(c_new)
    return h_new, c_new, np.concatenate([i, f, o, g], axis=1)


def lstm_step_backward(dh, dc, x, h_prev, c_prev, c, gates, p):
    """The way back through `lstm_step`.

    dh (B, H): dL/dh, all that the loss says about this step's h.
    dc (B, H): dL/dc by every road but the one through this step's own h, so what the step after hands back.
    x (B, D), h_prev and c_prev (B, H): what the step read. c (B, H), gates (B, 4H), after their sigmoid or tanh: what
    it made. p: W_xh (D, 4H), W_hh (H, 4H), b_h (4H,).

    Returns a dict: dc_prev (B, H), db_h (4H,), dW_xh (D, 4H), dW_hh (H, 4H), dx (B, D), dh_prev (B, H).
    The equations are in Greff et al. 2017, "LSTM: A Search Space Odyssey", section III, there with peepholes.
    """
    i, f, o, g = np.split(gates, 4, axis=1)
    tanh_c = np.tanh(c)
    do = dh * tanh_c
    dc = dc + dh * o * (1 - tanh_c**2)  # c is read twice: by this step's h, and by the next step's c
    di = dc * g
    df = dc * c_prev
    dg = dc * i
    da_i, da_f = di * i * (1 - i), df * f * (1 - f)
    da_o, da_g = do * o * (1 - o), dg * (1 - g**2)
    da = np.concatenate([da_i, da_f, da_o, da_g], axis=1)
    return {
        "dc_prev": dc * f,
        "db_h": da.sum(axis=0),
        "dW_xh": x.T @ da,
        "dW_hh": h_prev.T @ da,
        "dx": da @ p["W_xh"].T,
        "dh_prev": da @ p["W_hh"].T,
    }


def lstm_bptt(dHs, step_backward):
    """The way back through all T steps of an LSTM.

    dHs (T, B, H): dHs[t] is what the loss says about h_t directly, by its readout, not through later steps.
    step_backward(t, dh, dc): a function, given. It is your `lstm_step_backward` with all that step t remembers filled
    in: it takes dh and dc (B, H) and returns the dict with dc_prev, db_h, dW_xh, dW_hh, dx and dh_prev of that step.

    Returns a dict: dX (T, B, D), dh0 and dc0 (B, H), dW_xh (D, 4H), dW_hh (H, 4H), db_h (4H,).
    Werbos 1990, "Backpropagation through time: what it does and how to do it".
    """
    T = len(dHs)
    dh, dc = np.zeros_like(dHs[0]), np.zeros_like(dHs[0])  # after the last step there is nothing
    dX, sums = [None] * T, {"dW_xh": 0.0, "dW_hh": 0.0, "db_h": 0.0}
    for t in reversed(range(T)):
        back = step_backward(t, dHs[t] + dh, dc)
        dX[t] = back["dx"]
        for name in sums:
            sums[name] = sums[name] + back[name]
        dh, dc = back["dh_prev"], back["dc_prev"]
    return {"dX": np.stack(dX), "dh0": dh, "dc0": dc, **sums}


def cell_jacobian(gates, c_prev, o_prev, W_hh):
    """J (H, H), the whole derivative dc_t/dc_{t-1}: J[m, n] is how unit m of c_t answers to unit n of c_{t-1}.

    For one sample: gates (4H,): i, f, o, g of step t, after their sigmoid or tanh; c_prev (H,): c_{t-1};
    o_prev (H,): the output gate of step t-1, held fixed; W_hh (H, 4H). Remember that h_{t-1} is made of c_{t-1}, and
    that i, f and g of step t read h_{t-1}. The lectures derive it, and leave one term out.
    """
    i, f, _, g = np.split(gates, 4)
    W_i, W_f, _, W_g = np.split(W_hh, 4, axis=1)
    dc_dh = np.diag(c_prev * f * (1 - f)) @ W_f.T + np.diag(g * i * (1 - i)) @ W_i.T + np.diag(i * (1 - g**2)) @ W_g.T
    dh_dc = np.diag(o_prev * (1 - np.tanh(c_prev) ** 2))
    return np.diag(f) + dc_dh @ dh_dc


def init_forget_bias(b, value):
    """b_h (4H,), gates in the order i, f, o, g, with the forget gate's part set to `value`, a float.

    Returns a new array (4H,); b stays as it is. Gers et al. 2000 start it positive; Jozefowicz, Zaremba & Sutskever
    2015 recommend 1 for every LSTM.
    """
    b = b.copy()
    H = len(b) // 4
    b[H : 2 * H] = value
    return b


def repack_gates(W, src, dst):
    """W (D, 4H), whose four blocks of H columns are the gates in the order `src`, with them in the order `dst`.

    The orders are words of the letters i, f, o and g: "ifog" here and in all the lectures that stack them, "ifgo" in
    PyTorch. Returns a new array (D, 4H).
    """
    blocks = dict(zip(src, np.split(W, 4, axis=1), strict=True))
    return np.concatenate([blocks[gate] for gate in dst], axis=1)


def chrono_bias(H, T_max, u):
    """b_h (4H,), gates in the order i, f, o, g, for memories of all lengths up to T_max steps: chrono initialisation.

    H and T_max: int. u (H,): uniform numbers in [0, 1), one a unit; they stretch to a time between 1 and T_max - 1.
    Tallec & Ollivier 2018, "Can recurrent neural networks warp time?", equation 16; biases that it does not name are 0.
    """
    b = np.zeros(4 * H)
    b[H : 2 * H] = np.log(1 + u * (T_max - 2))
    b[:H] = -b[H : 2 * H]
    return b
