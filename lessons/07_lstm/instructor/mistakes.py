"""The named mistakes of this lesson, each an edit of the solution's text: {function: {name: [(right, wrong), ...]}}."""

SPLIT = "i, f, o, g = np.split({}, 4, axis=1)"
PACK = "np.concatenate([da_i, da_f, da_o, da_g], axis=1)"
SWAPS = {
    "GATE_ORDER_IF": "f, i, o, g",
    "GATE_ORDER_IO": "o, f, i, g",
    "GATE_ORDER_IG": "g, f, o, i",
    "GATE_ORDER_FO": "i, o, f, g",
    "GATE_ORDER_FG": "i, g, o, f",
    "GATE_ORDER_OG": "i, f, g, o",
}


def swapped(array):
    """The gates unpacked in each wrong order in which two have changed places."""
    right = SPLIT.format(array)
    return {name: [(right, right.replace("i, f, o, g", order))] for name, order in SWAPS.items()}


MISTAKES = {
    "incomplete_lstm_step_backward": {
        "INCOMPLETE_ONE": [('"dh_prev": da @ p["W_hh"].T', '"dh_prev": np.zeros_like(h_prev)')],
        "DH_IGNORED_IN_DC": [("dc + dh * (1 - h**2)", "dc")],
        "DC_NO_CARRY": [("dc + dh * (1 - h**2)", "dh * (1 - h**2)")],
        "DC_MISSING_TANH": [("dc + dh * (1 - h**2)", "dc + dh")],
        "DC_PREV_SQUASHED": [('"dc_prev": dc,', '"dc_prev": da,')],
        "TANH_PRIME_MISSING": [("da = dc * (1 - c_tilde**2)", "da = dc")],
        "TANH_PRIME_TWICE": [("1 - c_tilde**2", "1 - np.tanh(c_tilde) ** 2")],
        "TANH_PRIME_OF_H": [("1 - c_tilde**2", "1 - h**2")],
        "W_NOT_TRANSPOSED": [('da @ p["W_hh"].T', 'da @ p["W_hh"]')],
        "STALE_H": [("h_prev.T @ da", "h.T @ da")],
        "BIAS_NOT_SUMMED": [("da.sum(axis=0)", "da")],
    },
    "lstm_step": {
        **swapped("a"),
        "H_USES_C": [("o * np.tanh(c_new)", "o * c_new")],
        "G_SIGMOID": [("np.tanh(g)", "sigmoid(g)")],
        "F_FROM_C": [
            (
                "i, f, o, g = sigmoid(i), sigmoid(f)",
                "f = np.split(x @ W_xh + c @ W_hh + b_h, 4, axis=1)[1]\n    i, f, o, g = sigmoid(i), sigmoid(f)",
            )
        ],
        "GATES_FROM_C": [("h @ W_hh", "c @ W_hh")],
        "STACK_ORDER": [("x @ W_xh + h @ W_hh", "x @ W_hh + h @ W_xh")],
        "BIAS_FORGOTTEN": [("h @ W_hh + b_h", "h @ W_hh")],
        "NO_FORGET_GATE": [("f * c + i * g", "c + i * g")],
        "NO_INPUT_GATE": [("f * c + i * g", "f * c + g")],
        "COUPLED_GATES": [("f * c + i * g", "f * c + (1 - f) * g")],
        "H_FROM_OLD_C": [("np.tanh(c_new)", "np.tanh(c)")],
        "GATES_NOT_SQUASHED": [("np.concatenate([i, f, o, g], axis=1)", "a")],
        "PACK_ORDER": [("np.concatenate([i, f, o, g], axis=1)", "np.concatenate([i, f, g, o], axis=1)")],
        "H_C_SWAPPED": [("return h_new, c_new", "return c_new, h_new")],
        "SPLIT_AXIS": [(SPLIT.format("a"), "i, f, o, g = np.split(a, 4)")],
    },
    "lstm_step_backward": {
        **swapped("gates"),
        "PACK_ORDER": [(PACK, PACK.replace("da_o, da_g", "da_g, da_o"))],
        "DC_NO_CARRY": [("dc + dh * o * (1 - tanh_c**2)", "dh * o * (1 - tanh_c**2)")],
        "DC_MISSING_TANH": [("dc + dh * o * (1 - tanh_c**2)", "dc + dh * o")],
        "DC_MISSING_O": [("dc + dh * o * (1 - tanh_c**2)", "dc + dh * (1 - tanh_c**2)")],
        "DH_IGNORED_IN_DC": [("dc + dh * o * (1 - tanh_c**2)", "dc")],
        "TANH_PRIME_OF_C": [("1 - tanh_c**2", "1 - c**2")],
        "H_USES_C": [("do = dh * tanh_c", "do = dh * c")],
        "C_PREV_NOT_USED": [("df = dc * c_prev", "df = dc")],
        "F_FROM_C": [("df = dc * c_prev", "df = dc * c")],
        "NO_SWAP": [("di = dc * g", "di = dc * i"), ("dg = dc * i", "dg = dc * g")],
        "SIGMOID_PRIME_OF_GATE": [
            ("di * i * (1 - i)", "di * sigmoid(i) * (1 - sigmoid(i))"),
            ("df * f * (1 - f)", "df * sigmoid(f) * (1 - sigmoid(f))"),
            ("do * o * (1 - o)", "do * sigmoid(o) * (1 - sigmoid(o))"),
        ],
        "SIGMOID_PRIME_MISSING": [
            ("di * i * (1 - i)", "di"),
            ("df * f * (1 - f)", "df"),
            ("do * o * (1 - o)", "do"),
        ],
        "TANH_PRIME_TWICE": [("1 - g**2", "1 - np.tanh(g) ** 2")],
        "G_SIGMOID": [("dg * (1 - g**2)", "dg * g * (1 - g)")],
        "DC_PREV_NO_F": [('"dc_prev": dc * f', '"dc_prev": dc')],
        "DC_PREV_TOO_EARLY": [('"dc_prev": dc * f', '"dc_prev": (dc - dh * o * (1 - tanh_c**2)) * f')],
        "BIAS_NOT_SUMMED": [("da.sum(axis=0)", "da")],
        "W_NOT_TRANSPOSED": [('da @ p["W_xh"].T', 'da @ p["W_xh"]')],
    },
    "lstm_bptt": {
        "NO_DH_NEXT": [("dHs[t] + dh, dc)", "dHs[t], dc)")],
        "DC_NO_CARRY": [("dHs[t] + dh, dc)", "dHs[t] + dh, np.zeros_like(dc))")],
        "DC_FROM_DH": [("dHs[t] + dh, dc)", "dHs[t] + dh, dHs[t] + dc)")],
        "DH_DC_SWAPPED": [('back["dh_prev"], back["dc_prev"]', 'back["dc_prev"], back["dh_prev"]')],
        "ONLY_LAST_LOSS": [("dHs[t] + dh, dc)", "(dHs[t] if t == T - 1 else 0) + dh, dc)")],
        "TIME_FORWARD": [("reversed(range(T))", "range(T)")],
        "FIRST_STEP_LEFT_OUT": [
            ("reversed(range(T))", "range(T - 1, 0, -1)"),
            ("dX[t] = back", "dX[0] = np.zeros_like(back[\"dx\"])\n        dX[t] = back"),
        ],
        "DX_REVERSED": [("np.stack(dX)", "np.stack(dX[::-1])")],
        "OVERWRITE_NOT_ADD": [("sums[name] + back[name]", "back[name]")],
        "MEAN_NOT_SUM": [("sums[name] + back[name]", "sums[name] + back[name] / T")],
        "CARRIES_ADD_UP": [
            ('dh, dc = back["dh_prev"], back["dc_prev"]', 'dh, dc = dh + back["dh_prev"], dc + back["dc_prev"]')
        ],
        "DH0_WITH_LOSS": [('"dh0": dh', '"dh0": dh + dHs[0]')],
    },
    "cell_jacobian": {
        "JAC_ONLY_F": [("np.diag(f) + dc_dh @ dh_dc", "np.diag(f)")],
        "JAC_NO_F_TERM": [("np.diag(c_prev * f * (1 - f)) @ W_f.T + ", "")],
        "JAC_NO_DIRECT": [("np.diag(f) + dc_dh @ dh_dc", "dc_dh @ dh_dc")],
        "INCOMPLETE_ONE": [("np.diag(f) + dc_dh", "np.eye(len(f)) + dc_dh")],
        "NO_OUTPUT_GATE": [("o_prev * (1 - np.tanh(c_prev) ** 2)", "1 - np.tanh(c_prev) ** 2")],
        "DH_WITHOUT_TANH": [("o_prev * (1 - np.tanh(c_prev) ** 2)", "o_prev")],
        "TANH_PRIME_OF_C": [("1 - np.tanh(c_prev) ** 2", "1 - c_prev**2")],
        "H_FORGOTTEN": [("dc_dh @ dh_dc", "dc_dh")],
        "O_OF_THIS_STEP": [("i, f, _, g = np.split(gates, 4)", "i, f, o_prev, g = np.split(gates, 4)")],
        "W_NOT_TRANSPOSED": [("W_f.T", "W_f"), ("W_i.T", "W_i"), ("W_g.T", "W_g")],
        "JAC_TRANSPOSED": [("np.diag(f) + dc_dh @ dh_dc", "(np.diag(f) + dc_dh @ dh_dc).T")],
        "GATE_ORDER_OG": [
            ("i, f, _, g = np.split(gates, 4)", "i, f, g, _ = np.split(gates, 4)"),
            ("W_i, W_f, _, W_g", "W_i, W_f, W_g, _"),
        ],
        "G_SIGMOID": [("i * (1 - g**2)", "i * g * (1 - g)")],
        "SIGMOID_PRIME_MISSING": [("c_prev * f * (1 - f)", "c_prev"), ("g * i * (1 - i)", "g")],
    },
    "repack_gates": {
        "WRONG_WAY": [("zip(src,", "zip(dst,"), ("for gate in dst", "for gate in src")],
        "NOT_MOVED": [("for gate in dst", "for gate in src")],
        "ONLY_PYTORCH": [("for gate in dst", 'for gate in "".join(src[k] for k in (0, 1, 3, 2))')],
        "ROWS_NOT_COLUMNS": [
            ("np.split(W, 4, axis=1)", "np.split(W, 4)"),
            ("for gate in dst], axis=1)", "for gate in dst])"),
        ],
        "COLUMNS_NOT_BLOCKS": [("np.split(W, 4, axis=1)", "W.T[:4, :, None]")],
        "UNITS_INTERLEAVED": [("np.split(W, 4, axis=1)", "(W[:, k::4] for k in range(4))")],
    },
    "init_forget_bias": {
        "FIRST_BLOCK": [("b[H : 2 * H] =", "b[:H] =")],
        "THIRD_BLOCK": [("b[H : 2 * H] =", "b[2 * H : 3 * H] =")],
        "LAST_BLOCK": [("b[H : 2 * H] =", "b[3 * H :] =")],
        "ALL_GATES": [("b[H : 2 * H] =", "b[:] =")],
        "ADDED_NOT_SET": [("b[H : 2 * H] =", "b[H : 2 * H] +=")],
        "OTHERS_ZEROED": [("b.copy()", "np.zeros_like(b)")],
        "HALF_EACH": [("= value", "= value / 2")],
        "GATE_NOT_BIAS": [("= value", "= sigmoid(value)")],
        "ONE_UNIT_ONLY": [("b[H : 2 * H] =", "b[H] =")],
    },
    "chrono_bias": {
        "SAME_SIGN": [("= -b[H", "= b[H")],
        "SIGNS_SWAPPED": [("np.log(", "-np.log(")],
        "INPUT_LEFT_AT_ZERO": [("b[:H] = -b[H : 2 * H]\n    ", "")],
        "NO_LOG": [("np.log(1 + u * (T_max - 2))", "1 + u * (T_max - 2)")],
        "FROM_ZERO": [("1 + u * (T_max - 2)", "u * (T_max - 1)")],
        "UP_TO_T_MAX": [("T_max - 2", "T_max - 1")],
        "LOG_UNIFORM": [("np.log(1 + u * (T_max - 2))", "u * np.log(T_max - 1)")],
        "ONE_FOR_ALL": [("np.log(1 + u * (T_max - 2))", "np.log(1 + u[0] * (T_max - 2))")],
    },
}  # fmt: skip
