"""The named wrong answers of lesson rnn: edits of the solution."""

STEP = 'h = np.tanh(x @ p["W_xh"] + h @ p["W_hh"] + p["b_h"])'
OUT = 'O.append(h @ p["W_hy"] + p["b_y"])'

ZEROS = 'back, O = np.zeros((X.shape[1], len(p["b_y"]))), []'
FIRST = "back = teacher[0]"

MISTAKES = {
    "elman_forward": {
        "W_SWAPPED": [('x @ p["W_xh"] + h @ p["W_hh"]', 'x @ p["W_hh"] + h @ p["W_xh"]')],
        "READ_OUT_OF_PREACTIVATION": [
            (STEP, 'a = x @ p["W_xh"] + h @ p["W_hh"] + p["b_h"]\n        h = np.tanh(a)'),
            (OUT, 'O.append(a @ p["W_hy"] + p["b_y"])'),
        ],
        "MISSING_H0": [("Hs, O, h = [], [], h0", "Hs, O, h = [], [], np.zeros_like(h0)")],
        "TANH_OUTSIDE": [(STEP, 'h = np.tanh(x @ p["W_xh"] + p["b_h"]) + np.tanh(h) @ p["W_hh"]')],
        "BIAS_ONCE_ONLY": [(STEP, 'h = np.tanh(x @ p["W_xh"] + h @ p["W_hh"] + (p["b_h"] if not Hs else 0))')],
        "STATE_NOT_CARRIED": [(STEP, 'h = np.tanh(x @ p["W_xh"] + h0 @ p["W_hh"] + p["b_h"])')],
        "TANH_MISSING": [("np.tanh(", "(")],
        "READ_OUT_OF_OLD_STATE": [
            ("        Hs.append(h)\n", ""),
            (STEP, f"{OUT}\n        {STEP}"),
            (OUT, "Hs.append(h)"),
        ],
        "OUTPUT_BIAS_MISSING": [(' + p["b_y"]', "")],
        "H0_AMONG_STATES": [("return np.stack(Hs)", "return np.stack([h0, *Hs[:-1]])")],
        "ONE_STATE_TOO_MANY": [("return np.stack(Hs)", "return np.stack([h0, *Hs])")],
    },
    "many_to_one": {
        "STATE_NOT_CARRIED": [("+ h @ ", "+ h0 @ ")],
        "MEAN_OVER_STEPS": [
            ("h = h0\n", "h, total = h0, 0\n"), (STEP, f"{STEP}\n        total = total + h / len(X)"),
            ('return h @ p["W_hy"]', 'return total @ p["W_hy"]'),
        ],
        "FIRST_STATE_READ": [("for x in X:", "for x in X[:1]:")],
        "MISSING_H0": [("h = h0\n", "h = np.zeros_like(h0)\n")],
        "LAST_INPUT_DROPPED": [("for x in X:", "for x in X[:-1]:")],
        "READ_OUT_OF_PREACTIVATION": [
            (STEP, 'a = x @ p["W_xh"] + h @ p["W_hh"] + p["b_h"]\n        h = np.tanh(a)'),
            ("return h @", "return a @"),
        ],
    },
    "one_to_many": {
        "ONE_TO_MANY_INPUT_EVERY_STEP": [(" if t == 0 else 0.0", "")],
        "OUTPUT_FIRST": [
            ('        O.append(h @ p["W_hy"] + p["b_y"])\n', ""),
            ("    for t in range(T):\n", '    for t in range(T):\n        O.append(h @ p["W_hy"] + p["b_y"])\n'),
        ],
        "SAME_OUTPUT_EVERY_STEP": [("return np.stack(O)", "return np.stack(O[:1] * T)")],
        "ONE_STEP_TOO_FEW": [("range(T)", "range(T - 1)")],
        "MISSING_H0": [("h, O = h0, []", "h, O = np.zeros_like(h0), []")],
        "BIAS_ONCE_ONLY": [('+ p["b_h"])', '+ (p["b_h"] if t == 0 else 0))')],
    },
    "output_recurrence": {
        "TEACHER_OFF_BY_ONE": [
            ("else teacher[t]", "else teacher[min(t + 1, len(X) - 1)]"),
            (ZEROS, f"{ZEROS}\n    if teacher is not None:\n        {FIRST}"),
        ],
        "TEACHER_IGNORED": [("O[-1] if teacher is None else teacher[t]", "O[-1]")],
        "STATE_FED_BACK": [
            ("    for t, x in enumerate(X):\n", "    h = 0.0\n    for t, x in enumerate(X):\n"),
            ('back @ p["W_oh"] + p["b_h"])', 'back @ p["W_oh"] + h + p["b_h"])'),
        ],
        "TANH_OF_OUTPUT_FED_BACK": [("back = O[-1] if", "back = np.tanh(O[-1]) if")],
        "FIRST_OUTPUT_FED_BACK": [("O[-1] if", "O[0] if")],
        "NO_FEEDBACK": [('back @ p["W_oh"] + ', "")],
    },
    "masked_last": {
        "LAST_IS_PADDING": [("Hs[lengths - 1, np.arange(len(lengths))]", "Hs[-1]")],
        "LENGTH_IS_INDEX": [("lengths - 1", "np.minimum(lengths, len(Hs) - 1)")],
        "FIRST_LENGTH_FOR_ALL": [("lengths - 1", "lengths[0] - 1 + 0 * lengths")],
        "MEAN_OVER_TIME": [("Hs[lengths - 1, np.arange(len(lengths))]", "Hs.mean(axis=0)")],
        "EVERY_SAMPLE_FOR_EVERY_LENGTH": [(", np.arange(len(lengths))]", "]")],
        "SHORTEST_FOR_ALL": [("lengths - 1", "lengths.min() - 1 + 0 * lengths")],
    },
    "stack_weights": {
        "STACK_ORDER": [('order == "xh"', 'order == "hx"')],
        "ORDER_IGNORED": [(' if order == "xh" else [W_hh, W_xh]', "")],
        "STACKED_SIDE_BY_SIDE": [("axis=0", "axis=1")],
        "ADDED_NOT_STACKED": [("np.concatenate(parts, axis=0)", "W_xh + W_hh")],
    },
    "count_parameters": {
        "SHARED_TIMES_T": [("return shared, T * shared", "return T * shared, T * shared")],
        "BIASES_FORGOTTEN": [("+ H * H + H + H * C + C", "+ H * H + H * C")],
        "W_HH_FORGOTTEN": [(" + H * H + H +", " + H +")],
        "UNSHARED_NOT_MULTIPLIED": [("return shared, T * shared", "return shared, shared")],
        "OUTPUT_FORGOTTEN": [(" + H * C + C", "")],
    },
}
