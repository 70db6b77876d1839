"""The mistakes known by name, each an edit of the solution's text; what is said about them stands in lesson.toml."""

ONE_HOT = {
    "COUNTED_FROM_ONE": [("np.eye(V)[ids]", "np.eye(V)[ids - 1]")],
    "AXIS_FIRST": [("np.eye(V)[ids]", "np.moveaxis(np.eye(V)[ids], -1, 0)")],
    "NUMBER_NOT_ONE": [("np.eye(V)[ids]", "np.eye(V)[ids] * ids[..., None]")],
    "BAG_OF_LETTERS": [("np.eye(V)[ids]", "np.eye(V)[ids].sum(axis=0)")],
    "WIDTH_OF_THE_DATA": [("np.eye(V)[ids]", "np.eye(ids.max() + 1)[ids]")],
}

INPUTS, TARGETS = "np.concatenate([[start], ids])", "np.concatenate([ids, [end]])"
SHIFT = {
    "TARGET_NOT_SHIFTED": [(TARGETS, "inputs")],
    "LEAK": [(INPUTS, "np.concatenate([ids, [end]])"), (TARGETS, "np.concatenate([[start], ids])")],
    "START_MISSING": [(INPUTS, "ids"), (TARGETS, "np.concatenate([ids[1:], [end]])")],
    "END_MISSING": [(INPUTS, "np.concatenate([[start], ids[:-1]])"), (TARGETS, "ids")],
    "START_END_SWAPPED": [(INPUTS, "np.concatenate([[end], ids])"), (TARGETS, "np.concatenate([ids, [start]])")],
    "WRAPPED_AROUND": [(TARGETS, "np.roll(inputs, -1)")],
    "SHIFTED_TWICE": [(TARGETS, "np.concatenate([ids[1:], [end, end]])")],
}

LOSS = {
    "LOG2_VS_LN": [("-(happened * log_p).sum(),", "-(happened * log_p).sum() / np.log(2),")],
    "LOG_OF_ZERO": [("shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))", "np.log(softmax(O))")],
    "SOFTMAX_OVER_TIME": [
        (
            "shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))",
            "O - np.log(np.exp(O - O.max(axis=0)).sum(axis=0)) - O.max(axis=0)",
        ),
        ("softmax(O) -", "np.exp(log_p) -"),
    ],
    "LOSS_SIGN": [("-(happened", "(happened")],
    "GRADIENT_SIGN": [("softmax(O) - happened", "happened - softmax(O)")],
    "NO_ONE_HOT": [("softmax(O) - happened", "softmax(O)")],
    "GRADIENT_OF_THE_SUM": [(", dO / (T * B)", ", dO")],
    "MEAN_OVER_BATCH_ALONE": [("loss / (T * B)", "loss / B"), ("dO / (T * B)", "dO / B")],
    "MEAN_OVER_TIME_ALONE": [("loss / (T * B)", "loss / T"), ("dO / (T * B)", "dO / T")],
    "MEAN_OVER_V_TOO": [("loss / (T * B)", "loss / (T * B * V)"), ("dO / (T * B)", "dO / (T * B * V)")],
    "SUM_IS_MEAN": [('reduction == "mean"', "True")],
    "ONLY_LAST_LOSS": [
        ("happened = np.eye(V)[Y]", "happened, last = np.eye(V)[Y], np.arange(T)[:, None, None] == T - 1"),
        ("-(happened * log_p).sum()", "-(last * happened * log_p).sum()"),
        ("softmax(O) - happened", "(softmax(O) - happened) * last"),
    ],
}

BPC = {
    "LOG2_VS_LN": [("/ np.log(2)", "* np.log(2)")],
    "LOG2_OF_NATS": [("np.mean(nats) / np.log(2)", "np.log2(np.mean(nats))")],
    "STILL_NATS": [(" / np.log(2)", "")],
    "SUM_NOT_MEAN": [("np.mean(nats)", "np.sum(nats)")],
    "PERPLEXITY": [("np.mean(nats) / np.log(2)", "np.exp(np.mean(nats))")],
}

SAMPLE = {
    "ARGMAX_FEEDBACK": [("choose(chances, u[t])", "int(chances.argmax())")],
    "FEED_DISTRIBUTION": [
        ("x, ids = x0, []", 'x, ids, read = x0, [], p["W_xh"][x0]'),
        ('p["W_xh"][x] +', "read +"),
        ("x = choose(chances, u[t])", 'x, read = choose(chances, u[t]), chances @ p["W_xh"]'),
    ],
    "X0_EVERY_STEP": [('p["W_xh"][x]', 'p["W_xh"][x0]')],
    "TEMP_MULTIPLIED": [(") / temperature)", ") * temperature)")],
    "TEMP_WITHOUT_EFFECT": [(") / temperature)", "))")],
    "H_RESET_EACH_CHAR": [("x, ids = x0, []", "x, ids, first = x0, [], h"), ('h @ p["W_hh"]', 'first @ p["W_hh"]')],
    "STATE_IGNORED": [("x, ids = x0, []", "x, ids, h = x0, [], np.zeros_like(h)")],
    "END_IGNORED": [("if x == end:", "if False:")],
    "END_LEFT_OUT": [
        (
            "        ids.append(x)\n        if x == end:\n            break",
            "        if x == end:\n            break\n        ids.append(x)",
        )
    ],
    "X0_WRITTEN_TOO": [("x, ids = x0, []", "x, ids = x0, [x0]")],
    "ONE_UNIFORM_FOR_ALL": [("choose(chances, u[t])", "choose(chances, u[0])")],
    "W_TURNED_OVER": [('h @ p["W_hh"]', 'p["W_hh"] @ h')],
}

BURN_IN = {
    "H_RESET_EACH_CHAR": [(' + h @ p["W_hh"]', "")],
    "LAST_CHAR_UNREAD": [("for x in ids:", "for x in ids[:-1]:")],
    "FIRST_CHAR_SKIPPED": [("for x in ids:", "for x in ids[1:]:")],
    "READ_BACKWARDS": [("for x in ids:", "for x in ids[::-1]:")],
    "BIAS_MISSING": [(' + p["b_h"])', ")")],
    "TANH_MISSING": [("np.tanh(", "(")],
    "W_TURNED_OVER": [('h @ p["W_hh"]', 'p["W_hh"] @ h')],
    "NUMBER_AS_INPUT": [('p["W_xh"][x]', 'x * p["W_xh"].sum(axis=0)')],
}

N_TO_1 = {
    "LEAK": [("ids[starts + N]", "ids[starts + N - 1]")],
    "TARGET_TOO_FAR": [("len(ids) - N)", "len(ids) - N - 1)"), ("ids[starts + N]", "ids[starts + N + 1]")],
    "LAST_WINDOW_DROPPED": [("len(ids) - N)", "len(ids) - N - 1)")],
    "NO_OVERLAP": [("np.arange(len(ids) - N)", "np.arange(0, len(ids) - N, N)")],
    "TRANSPOSED": [("return X, y", "return X.T, y")],
    "READ_BACKWARDS": [("np.arange(N)[:, None]", "np.arange(N)[::-1, None]")],
}

N_TO_N = {
    "TARGET_NOT_SHIFTED": [("ids[at + 1]", "ids[at]")],
    "LEAK": [("ids[at], ids[at + 1]", "ids[at + 1], ids[at]")],
    "WRAPPED_AROUND": [("ids[at + 1]", "np.roll(ids[at], -1, axis=0)")],
    "PIECES_OF_N_PLUS_1": [("N * np.arange((len(ids) - 1) // N)", "(N + 1) * np.arange(len(ids) // (N + 1))")],
    "LAST_WINDOW_DROPPED": [("(len(ids) - 1) // N)", "(len(ids) - 1) // N - 1)")],
    "OVERLAPPING": [("N * np.arange((len(ids) - 1) // N)", "np.arange(len(ids) - N)")],
    "TRANSPOSED": [("return ids[at], ids[at + 1]", "return ids[at].T, ids[at + 1].T")],
    "CUT_ACROSS": [("at = starts + np.arange(N)[:, None]", "at = np.arange(N * len(starts)).reshape(N, -1)")],
}

MISTAKES = {
    "one_hot": ONE_HOT,
    "shift_targets": SHIFT,
    "char_loss": LOSS,
    "bpc": BPC,
    "sample": SAMPLE,
    "burn_in": BURN_IN,
    "windows_n_to_1": N_TO_1,
    "windows_n_to_n": N_TO_N,
}
