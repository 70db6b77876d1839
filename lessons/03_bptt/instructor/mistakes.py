"""The mistakes known by name, each an edit of the solution's text; what is said about them stands in lesson.toml."""

STEP = {
    "TANH_PRIME_MISSING": [("dh * (1 - h**2)", "dh * 1.0")],
    "TANH_PRIME_OF_H": [("1 - h**2", "1 - np.tanh(h) ** 2")],
    "TANH_PRIME_LINEAR": [("1 - h**2", "1 - h")],
    "TANH_PRIME_SQUARE_OF_ALL": [("1 - h**2", "(1 - h) ** 2")],
    "TANH_PRIME_PLUS": [("1 - h**2", "1 + h**2")],
    "SIGMOID_PRIME": [("1 - h**2", "h * (1 - h)")],
    "TANH_PRIME_AT_H_PREV": [("1 - h**2", "1 - h_prev**2")],
    "BIAS_NOT_SUMMED": [("da.sum(axis=0)", "da")],
    "BIAS_SUMMED_OVER_UNITS": [("da.sum(axis=0)", "da.sum(axis=1)")],
    "BIAS_MEAN": [("da.sum(axis=0)", "da.mean(axis=0)")],
    "BATCH_MEAN": [
        ("da.sum(axis=0)", "da.mean(axis=0)"),
        ("x.T @ da,", "x.T @ da / len(da),"),
        ("h_prev.T @ da,", "h_prev.T @ da / len(da),"),
    ],
    "OUTER_TRANSPOSED": [("h_prev.T @ da,", "da.T @ h_prev,")],
    "STALE_H": [("h_prev.T @ da,", "h.T @ da,")],
    "W_SWAPPED": [
        ('da @ p["W_xh"].T', 'da @ p["W_hh"].T'),
        ('"dh_prev": da @ p["W_hh"].T', '"dh_prev": da @ p["W_xh"].T'),
    ],
    "W_NOT_TRANSPOSED": [('"dh_prev": da @ p["W_hh"].T', '"dh_prev": da @ p["W_hh"]')],
    "W_XH_NOT_TRANSPOSED": [('"dx": da @ p["W_xh"].T', '"dx": da @ p["W_xh"]')],
    "DH_NEXT_BEFORE_TANH": [('"dh_prev": da @', '"dh_prev": dh @')],
    "DH_PREV_IS_DA": [('"dh_prev": da @ p["W_hh"].T', '"dh_prev": da')],
}

DH = 'dh = dO[t] @ p["W_hy"].T + dh_next'
BPTT = {
    "NO_DH_NEXT": [(".T + dh_next", ".T")],
    "DH_NEXT_AFTER_TANH": [(".T + dh_next", ".T"), ("* (1 - Hs[t] ** 2)", "* (1 - Hs[t] ** 2) + dh_next")],
    "DH_NEXT_BEFORE_TANH": [('dh_next = da @ p["W_hh"].T', 'dh_next = dh @ p["W_hh"].T')],
    "DH_NEXT_PILES_UP": [('dh_next = da @ p["W_hh"].T', 'dh_next = dh_next + da @ p["W_hh"].T')],
    "ONLY_LAST_LOSS": [(DH, 'dh = dO[t] @ p["W_hy"].T if t == len(X) - 1 else dh_next')],
    "TIME_FORWARD": [("in reversed(range(len(X)))", "in range(len(X))")],
    "FIRST_STEP_LEFT_OUT": [("reversed(range(len(X)))", "range(len(X) - 1, 0, -1)")],
    "LAST_STEP_LEFT_OUT": [("reversed(range(len(X)))", "range(len(X) - 2, -1, -1)")],
    "ONE_STEP_ONLY": [
        (
            'dh_next = da @ p["W_hh"].T',
            'dh_next = da @ p["W_hh"].T\n        return {"dX": dX, **d, "dh0": dh_next}',
        )
    ],
    "TANH_PRIME_MISSING": [("dh * (1 - Hs[t] ** 2)", "dh * 1.0")],
    "TANH_PRIME_OF_H": [("1 - Hs[t] ** 2", "1 - np.tanh(Hs[t]) ** 2")],
    "TANH_PRIME_LINEAR": [("1 - Hs[t] ** 2", "1 - Hs[t]")],
    "TANH_PRIME_SQUARE_OF_ALL": [("1 - Hs[t] ** 2", "(1 - Hs[t]) ** 2")],
    "TANH_PRIME_PLUS": [("1 - Hs[t] ** 2", "1 + Hs[t] ** 2")],
    "SIGMOID_PRIME": [("1 - Hs[t] ** 2", "Hs[t] * (1 - Hs[t])")],
    "W_NOT_TRANSPOSED": [('da @ p["W_hh"].T', 'da @ p["W_hh"]')],
    "W_HY_NOT_TRANSPOSED": [('dO[t] @ p["W_hy"].T', 'dO[t] @ p["W_hy"]')],
    "W_XH_NOT_TRANSPOSED": [('da @ p["W_xh"].T', 'da @ p["W_xh"]')],
    "STALE_H": [("Hs[t - 1] if t > 0 else h0", "Hs[t]")],
    "OUTER_TRANSPOSED": [("h_prev.T @ da", "da.T @ h_prev")],
    "READ_OUT_OF_OLD_STATE": [('d["dW_hy"] += Hs[t].T', 'd["dW_hy"] += h_prev.T')],
    "WRONG_H0": [("if t > 0 else h0", "if t > 0 else np.zeros_like(h0)")],
    "LAST_H_FOR_H0": [("Hs[t - 1] if t > 0 else h0", "Hs[t - 1]")],
    "OVERWRITE_NOT_ADD": [
        ('d["dW_hy"] +=', 'd["dW_hy"] ='),
        ('d["db_y"] +=', 'd["db_y"] ='),
        ('d["dW_xh"] +=', 'd["dW_xh"] ='),
        ('d["dW_hh"] +=', 'd["dW_hh"] ='),
        ('d["db_h"] +=', 'd["db_h"] ='),
    ],
    "ONLY_LAST_PATH": [
        ('d["dW_xh"] +=', 'd["dW_xh"] ='),
        ('d["dW_hh"] +=', 'd["dW_hh"] ='),
        ('d["db_h"] +=', 'd["db_h"] ='),
    ],
    "SUM_FROM_ZERO": [  # one step too many: range(-1, T), where the indices -1 wrap round to the end
        (
            'return {"dX": dX, **d, "dh0": dh_next}',
            "da = dh_next * (1 - h0**2)\n"
            '    d["dW_xh"] += X[-1].T @ da\n'
            '    d["dW_hh"] += Hs[-1].T @ da\n'
            '    d["db_h"] += da.sum(axis=0)\n'
            '    return {"dX": dX, **d, "dh0": dh_next}',
        )
    ],
    "DOUBLE_COUNT": [  # every dL/dh_k times the total derivative of h_k, not the immediate one
        ("dh_next = np.zeros_like(h0)", "dh_next = again = np.zeros_like(h0)"),
        ("da = dh * (1 - Hs[t] ** 2)", "da = dh * (1 - Hs[t] ** 2)\n        twice = da + again * (1 - Hs[t] ** 2)"),
        ("X[t].T @ da", "X[t].T @ twice"),
        ("h_prev.T @ da", "h_prev.T @ twice"),
        ("da.sum(axis=0)", "twice.sum(axis=0)"),
        ('dh_next = da @ p["W_hh"].T', 'dh_next, again = da @ p["W_hh"].T, twice @ p["W_hh"].T'),
    ],
    "MEAN_NOT_SUM": [
        (
            'return {"dX": dX, **d, "dh0": dh_next}',
            'd = {name: total / len(X) for name, total in d.items()}\n    return {"dX": dX, **d, "dh0": dh_next}',
        )
    ],
    "BIAS_NOT_SUMMED": [('d["db_h"] += da.sum(axis=0)', 'd["db_h"] = d["db_h"] + da')],
    "BIAS_SUMMED_OVER_UNITS": [  # in a sum that began as the number 0: onto zeros (H,) it would stop
        ('d["db_h"] += da.sum(axis=0)', 'd["db_h"] = da.sum(axis=1) + (d["db_h"] if t < len(X) - 1 else 0)')
    ],
    "BIAS_MEAN": [("da.sum(axis=0)", "da.mean(axis=0)")],
    "DX_REVERSED": [('return {"dX": dX', 'return {"dX": dX[::-1]')],
    "DH0_ONE_STEP_SHORT": [('"dh0": dh_next', '"dh0": dh')],
    "DH0_IS_DA": [('"dh0": dh_next', '"dh0": da')],
    "DX_FROM_DH": [("dX[t] = da @", "dX[t] = dh @")],
}

OUTPUTS = {
    "NO_ONE_HOT": [("softmax(O) - Y", "softmax(O)")],
    "SIGN": [("softmax(O) - Y", "Y - softmax(O)")],
    "NO_SOFTMAX": [("softmax(O) - Y", "O - Y")],
    "SOFTMAX_PRIME_AGAIN": [("(softmax(O) - Y)", "(softmax(O) - Y) * softmax(O) * (1 - softmax(O))")],
    "NO_BATCH_MEAN": [(" / B", "")],
    "MEAN_NOT_SUM": [('if over_time == "mean"', 'if over_time in ("mean", "sum")')],
    "SUM_NOT_MEAN": [("dO = dO / T", "pass")],
    "LAST_DIVIDED_BY_T": [('if over_time == "mean"', 'if over_time in ("mean", "last")')],
    "LAST_IS_EVERY_STEP": [("dO[:-1] = 0", "pass")],
    "LAST_IS_FIRST": [("dO[:-1] = 0", "dO[1:] = 0")],
}

USES = {
    "DOUBLE_COUNT": [("[4.0 * 1.0, 2.0 * 3.0, 1.0 * 7.0]", "[4.0 * 1.0, 2.0 * 5.0, 1.0 * 17.0]")],
    "ONLY_LAST_PATH": [("sum(contributions)", "contributions[0]")],
    "ONLY_THE_LAST_USE": [("sum(contributions)", "contributions[2]")],
    "WAY_BACK_MISSING": [("[4.0 * 1.0, 2.0 * 3.0, 1.0 * 7.0]", "[1.0, 3.0, 7.0]")],
    "ONLY_THE_WAY_BACK": [("[4.0 * 1.0, 2.0 * 3.0, 1.0 * 7.0]", "[4.0, 2.0, 1.0]")],
    "WRONG_H0": [
        ("[3.0, 7.0, 14.0]", "[1.0, 3.0, 6.0]"),
        ("[4.0 * 1.0, 2.0 * 3.0, 1.0 * 7.0]", "[4.0 * 0.0, 2.0 * 1.0, 1.0 * 3.0]"),
    ],
    "ORDER_OF_USES": [("[4.0 * 1.0, 2.0 * 3.0, 1.0 * 7.0]", "[7.0, 6.0, 4.0]")],
    "STALE_H": [("[4.0 * 1.0, 2.0 * 3.0, 1.0 * 7.0]", "[4.0 * 3.0, 2.0 * 7.0, 1.0 * 14.0]")],
}

IMMEDIATE = {
    "STALE_H": [("Hs[t - 1] if t > 0 else h0", "Hs[t]")],
    "WRONG_H0": [("if t > 0 else h0", "if t > 0 else np.zeros_like(h0)")],
    "LAST_H_FOR_H0": [("Hs[t - 1] if t > 0 else h0", "Hs[t - 1]")],
    "READS_X": [("h_prev = Hs[t - 1] if t > 0 else h0", "h_prev = X[t]")],
    "OUTER_TRANSPOSED": [("h_prev.T @ da", "da.T @ h_prev")],
    "BATCH_MEAN": [("h_prev.T @ da", "h_prev.T @ da / len(da)")],
    "TANH_TWICE": [("h_prev.T @ da", "h_prev.T @ (da * (1 - Hs[t] ** 2))")],
    "NOT_IMMEDIATE": [  # every use up to t, not the one in t
        ("return h_prev.T @ da", "return h_prev.T @ da + sum(h.T @ da for h in [h0, *Hs[: t - 1]][:t])")
    ],
}

AT_K = "da = dh * (1 - Hs[k] ** 2)"
CONTRIBUTION = {
    "ONLY_LAST_PATH": [("if k > t:", "k = 0 if k <= t else k\n    if k > t:")],
    "DOUBLE_COUNT": [  # the total derivative of h_k: the uses before k once more
        (
            "return h_prev.T @ da",
            "dW_hh = h_prev.T @ da\n"
            "    for j in range(k - 1, -1, -1):\n"
            '        da = (da @ p["W_hh"].T) * (1 - Hs[j] ** 2)\n'
            "        dW_hh = dW_hh + (Hs[j - 1] if j > 0 else h0).T @ da\n"
            "    return dW_hh",
        )
    ],
    "FUTURE_USE": [("if k > t:", "if False:")],
    "ONE_STEP_TOO_FAR": [("range(t, k, -1)", "range(t, k - 1, -1)")],
    "ONE_STEP_SHORT": [("range(t, k, -1)", "range(t, k + 1, -1)")],
    "NO_WAY_BACK": [("range(t, k, -1)", "range(0)")],
    "TANH_PRIME_ON_THE_WAY": [("(dh * (1 - Hs[j] ** 2)) @", "dh @")],
    "TANH_PRIME_AT_K": [("dh * (1 - Hs[k] ** 2)", "dh * 1.0")],
    "TANH_PRIME_STUCK": [("1 - Hs[j] ** 2", "1 - Hs[t] ** 2")],
    "TANH_PRIME_OF_H": [("1 - Hs[j] ** 2", "1 - np.tanh(Hs[j]) ** 2"), ("1 - Hs[k] ** 2", "1 - np.tanh(Hs[k]) ** 2")],
    "TANH_PRIME_LINEAR": [("1 - Hs[j] ** 2", "1 - Hs[j]"), ("1 - Hs[k] ** 2", "1 - Hs[k]")],
    "W_NOT_TRANSPOSED": [('p["W_hh"].T', 'p["W_hh"]')],
    "W_HY_NOT_TRANSPOSED": [('p["W_hy"].T', 'p["W_hy"]')],
    "STALE_H": [("Hs[k - 1] if k > 0 else h0", "Hs[k]")],
    "WRONG_H0": [("if k > 0 else h0", "if k > 0 else np.zeros_like(h0)")],
    "LAST_H_FOR_H0": [("Hs[k - 1] if k > 0 else h0", "Hs[k - 1]")],
    "OUTER_TRANSPOSED": [("h_prev.T @ da", "da.T @ h_prev")],
}

JACOBIAN = {
    "DIAG_ON_THE_WRONG_SIDE": [("(1 - h**2)[:, None] * W_hh.T", "(1 - h**2) * W_hh.T")],
    "W_NOT_TRANSPOSED": [("W_hh.T", "W_hh")],
    "J_TRANSPOSED": [("(1 - h**2)[:, None] * W_hh.T", "W_hh * (1 - h**2)")],
    "NO_DIAG": [("(1 - h**2)[:, None] *", "(1 - h**2) @")],
    "TANH_PRIME_MISSING": [("(1 - h**2)[:, None] * W_hh.T", "1.0 * W_hh.T")],
    "TANH_PRIME_OF_H": [("1 - h**2", "1 - np.tanh(h) ** 2")],
    "TANH_PRIME_LINEAR": [("1 - h**2", "1 - h")],
}

MISTAKES = {
    "elman_step_backward": STEP,
    "bptt": BPTT,
    "output_gradients": OUTPUTS,
    "three_uses": USES,
    "immediate_grad": IMMEDIATE,
    "contribution": CONTRIBUTION,
    "jacobian": JACOBIAN,
}
