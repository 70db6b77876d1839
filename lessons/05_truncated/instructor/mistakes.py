"""The mistakes known by name, each an edit of the solution's text; what is said about them stands in lesson.toml."""

RETURN = 'return {"dX": dX, **stack(sets)}'
APPEND = "sets.append(d)"
CLEARED = [(APPEND, "sets.append({name: d[name] + (sets[-1][name] if sets else 0) for name in GRADIENTS})")]
MEAN = [("output_gradients(O, Y[part])", "output_gradients(O, Y[part]) / len(O)")]
FORWARD = "Hs, O = elman_forward(X[part], h, p)"
BACKWARD = "d = bptt(X[part], h, Hs, output_gradients(O, Y[part]), p)"

CHUNKS = {
    "RANGE_MISSING": [("range(0, n, k)", "(0, n, k)")],
    "LAST_CHUNK_DROPPED": [("range(0, n, k)", "range(0, n - k + 1, k)")],
    "LAST_CHUNK_TOO_LONG": [("min(start + k, n)", "start + k")],
    "STOP_INCLUSIVE": [("min(start + k, n)", "min(start + k, n) - 1")],
    "OVERLAP_BY_ONE": [("range(0, n, k)", "range(0, n, max(1, k - 1))")],
    "EMPTY_LAST_CHUNK": [("range(0, n, k)", "range(0, n + 1, k)")],
    "LENGTH_NOT_STOP": [("min(start + k, n)", "min(k, n - start)")],
    "K_IS_THE_NUMBER": [("range(0, n, k)", "range(0, n, max(1, n // k))"), ("start + k,", "start + max(1, n // k),")],
    "COUNTED_FROM_ONE": [("(start, min(start + k, n))", "(start + 1, min(start + k, n) + 1)")],
}

ISOLATED = {
    "H_CARRIED": [
        (APPEND, "sets.append(d)\n        h0 = Hs[-1]"),
    ],
    "TARGETS_FROM_THE_START": [("Y[part]", "Y[: len(O)]")],
    "GRAD_NOT_CLEARED": CLEARED,
    "OVERWRITE_NOT_ADD": [("dX[part] +=", "dX[part] =")],
    "LAST_CHUNK_DROPPED": [("for start in starts:", "for start in [s for s in starts if s + k <= len(X)]:")],
    "STARTS_IGNORED": [("for start in starts:", "for start in range(0, len(X), k):")],
    "MEAN_NOT_SUM": MEAN,
    "ONLY_THE_LAST_LOSS": [
        (
            "output_gradients(O, Y[part])",
            "output_gradients(O, Y[part]) * (np.arange(len(O)) == len(O) - 1)[:, None, None]",
        )
    ],
    "TRUE_STATE": [
        (
            "Hs, O = elman_forward(X[part], h0, p)",
            "h0 = elman_forward(X[:start], np.zeros_like(h0), p)[0][-1] if start > 0 else np.zeros_like(h0)\n"
            "        Hs, O = elman_forward(X[part], h0, p)",
        )
    ],
}

CARRIED = {
    "NO_DETACH": [  # from the very first step, with the losses of this chunk alone
        ("sets, dX = []", "first, Whole = h, []\n    sets, dX = []"),
        (
            BACKWARD,
            "Whole = [*Whole, *Hs]\n"
            "        new = np.zeros((len(Whole), *Y.shape[1:]))\n"
            "        new[start:] = output_gradients(O, Y[part])\n"
            "        d = bptt(X[: len(Whole)], first, np.stack(Whole), new, p)",
        ),
        ('dX[part] = d["dX"]', 'dX[: len(Whole)] += d["dX"]'),
    ],
    "H_RESET": [("h = Hs[-1]", "h = np.zeros_like(h)")],
    "WRONG_H0": [("for start in range(0, len(X), k):", "h = np.zeros_like(h)\n    for start in range(0, len(X), k):")],
    "START_STATE_AGAIN": [
        ("sets, dX = []", "first = h\n    sets, dX = []"),
        (FORWARD, "Hs, O = elman_forward(X[part], first, p)"),
        (BACKWARD, "d = bptt(X[part], first, Hs, output_gradients(O, Y[part]), p)"),
    ],
    "DETACH_INSIDE": [
        (
            BACKWARD,
            "dO, before = output_gradients(O, Y[part]), [h, *Hs]\n"
            "        each = [bptt(X[start + i : start + i + 1], before[i], Hs[i : i + 1], dO[i : i + 1], p)\n"
            "                for i in range(len(Hs))]\n"
            "        d = {name: sum(one[name] for one in each) for name in GRADIENTS}\n"
            '        d["dX"] = np.concatenate([one["dX"] for one in each])',
        )
    ],
    "BACKWARD_FROM_ZEROS": [(BACKWARD, BACKWARD.replace("h, Hs", "np.zeros_like(h), Hs"))],
    "STATE_TOO_EARLY": [("h = Hs[-1]", "h = Hs[-2] if len(Hs) > 1 else h")],
    "FIRST_STATE_CARRIED": [("h = Hs[-1]", "h = Hs[0]")],
    "DH_FOR_H": [("h = Hs[-1]", 'h = d["dh0"]')],
    "GRAD_NOT_CLEARED": CLEARED,
    "LAST_CHUNK_DROPPED": [("range(0, len(X), k)", "range(0, len(X) - k + 1, k)")],
    "MEAN_NOT_SUM": MEAN,
    "H_LAST_NOT_SAVED": [
        ("sets, dX = []", "first = h\n    sets, dX = []"),
        (RETURN + ", h", RETURN + ", first"),
    ],
}

DOCUMENTS = {
    "H_ACROSS_DOCS": [("h = zeros", "h = h if sets else zeros")],
    "H_RESET": [("h = Hs[-1]", "h = zeros")],
    "CHUNK_ACROSS_DOCS": [
        ("for length, end in zip(lengths, np.cumsum(lengths), strict=True):", "for length, end in [(len(X), len(X))]:"),
        (
            "part = slice(start",
            "begins = np.cumsum(lengths) - lengths\n"
            "            if np.any((begins > start - k) & (begins <= start)):\n"
            "                h = zeros\n"
            "            part = slice(start",
        ),
    ],
    "CHUNK_PAST_THE_END": [
        ("min(start + k, end)", "start + k"),
        ('dX[part] = d["dX"]', 'own = min(k, end - start)\n            dX[start : start + own] = d["dX"][:own]'),
        ("states.append(Hs)", "states.append(Hs[:own])"),
        ("h = Hs[-1]", "h = Hs[own - 1]"),
    ],
    "ONE_CHUNK_A_DOCUMENT": [
        ("in range(end - length, end, k)", "in [end - length]"),
        ("min(start + k, end)", "end"),
    ],
    "LAST_CHUNK_DROPPED": [  # what is left of a document is passed over forward, but has no say
        (APPEND, "if len(Hs) < k:\n                dX[part] = 0\n            else:\n                sets.append(d)"),
    ],
    "GRAD_NOT_CLEARED": CLEARED,
    "NO_DETACH": [  # back to where the document begins
        (
            BACKWARD,
            "open_, new = slice(end - length, part.stop), np.zeros((part.stop, *Y.shape[1:]))\n"
            "            new[part] = output_gradients(O, Y[part])\n"
            "            passed = np.concatenate([*states, Hs])[open_]\n"
            "            d = bptt(X[open_], zeros, passed, new[open_], p)",
        ),
        ('dX[part] = d["dX"]', 'dX[open_] += d["dX"]'),
    ],
    "MEAN_NOT_SUM": MEAN,
}

WINDOWS = {
    "WINDOW_STRIDE_OFF_BY_ONE": [("T - k + 1, stride", "T - k, stride")],
    "STRIDE_IS_THE_OVERLAP": [("T - k + 1, stride", "T - k + 1, max(1, k - stride)")],
    "STRIDE_IGNORED": [("T - k + 1, stride", "T - k + 1, 1")],
    "NO_OVERLAP": [("T - k + 1, stride", "T - k + 1, k")],
    "SUM_OVER_WINDOWS": [("output_gradients(O, Ys)", "output_gradients(O, Ys) * len(starts)")],
    "MEAN_NOT_SUM": [("output_gradients(O, Ys)", "output_gradients(O, Ys) / k")],
    "OVERWRITE_NOT_ADD": [("np.add.at(dX, steps,", "dX.__setitem__(steps,")],
    "LOSSES_COUNTED_ONCE": [
        (
            "output_gradients(O, Ys)",
            "output_gradients(O, Ys) / np.repeat(np.bincount(steps.ravel(), minlength=T)[steps], B, 1)[:, :, None]",
        )
    ],
    "H_CARRIED": [  # every window begins where the one before it began, with the state that it had there
        (
            'h0 = np.zeros((rows, len(p["W_hh"])))',
            'h0 = np.concatenate([np.zeros((1, B, len(p["W_hh"]))),'
            ' elman_forward(X, np.zeros((B, len(p["W_hh"]))), p)[0]])[starts].reshape(rows, -1)',
        )
    ],
    "WINDOWS_MIXED_UP": [
        ("X[steps].reshape(k, rows, D)", "X[steps.T].reshape(k, rows, D)"),
        ("Y[steps].reshape(k, rows, C)", "Y[steps.T].reshape(k, rows, C)"),
        ('d["dX"].reshape(k, -1, B, D))', 'd["dX"].reshape(-1, k, B, D).swapaxes(0, 1))'),
    ],
    "ONLY_THE_LAST_LOSS": [
        ("output_gradients(O, Ys)", "output_gradients(O, Ys) * (np.arange(k) == k - 1)[:, None, None]")
    ],
}

HOW_FAR = {
    "NO_DETACH": [("reach = [10, 2, 2, 10, 4]", "reach = [10, 2, 10, 10, 4]")],
    "H_RESET": [("context = [10, 2, 10, 10, 4]", "context = [10, 2, 2, 10, 4]")],
    "REACH_IS_K": [
        ("context = [10, 2, 10, 10, 4]", "context = [10, 4, 10, 10, 4]"),
        ("reach = [10, 2, 2, 10, 4]", "reach = [10, 4, 4, 10, 4]"),
    ],
    "OWN_STEP_NOT_COUNTED": [
        ("context = [10, 2, 10, 10, 4]", "context = [9, 1, 9, 9, 3]"),
        ("reach = [10, 2, 2, 10, 4]", "reach = [9, 1, 1, 9, 3]"),
    ],
    "FUTURE_COUNTED": [
        ("context = [10, 2, 10, 10, 4]", "context = [12, 4, 12, 12, 4]"),
        ("reach = [10, 2, 2, 10, 4]", "reach = [12, 4, 4, 12, 4]"),
    ],
    "DETACH_IN_TIME": [("reach = [10, 2, 2, 10, 4]", "reach = [10, 2, 2, 2, 4]")],
    "GRAPH_CLEARED_BY_ITSELF": [("held = [12, 4, 4, 12, 4]", "held = [12, 4, 4, 4, 4]")],
    "EACH_STEP_ONCE": [("4 + 8 + 12", "12")],
    "EARLIER_CHUNKS_FORGOTTEN": [("4 + 8 + 12", "4 + 8 + 8")],
    "WINDOWS_APART": [("9 * 4", "3 * 4")],
    "WINDOW_STRIDE_OFF_BY_ONE": [("9 * 4", "8 * 4")],
    "WINDOW_AT_EVERY_STEP": [("9 * 4", "12 * 4")],
}

K1K2 = {
    "K1_K2_SWAPPED": [
        ("range(0, len(X), k1)", "range(0, len(X), k2)"),
        ("a - (k2 - k1)", "a - (k1 - k2)"),
        ("a + k1)", "a + k2)"),
        ("new[: a - first] = 0", "new[: max(0, a - first)] = 0"),
    ],
    "LOSSES_SENT_AGAIN": [("new[: a - first] = 0", "pass")],
    "H_RESET": [("Hs[first - 1] if first > 0 else h0", "h0")],
    "STALE_STATE": [("Hs[first - 1] if first > 0 else h0", "Hs[a - 1] if a > 0 else h0")],
    "K2_BEFORE_THE_NEW_ONES": [("a - (k2 - k1)", "a - k2")],
    "NO_DETACH": [("max(0, a - (k2 - k1))", "0")],
    "K1_ALONE": [("a - (k2 - k1)", "a")],
    "NEGATIVE_START": [("max(0, a - (k2 - k1))", "a - (k2 - k1)")],
    "OVERWRITE_NOT_ADD": [("dX[part] +=", "dX[part] =")],
    "GRAD_NOT_CLEARED": CLEARED,
    "LAST_CHUNK_DROPPED": [("range(0, len(X), k1)", "range(0, len(X) - k1 + 1, k1)")],
    "FORWARD_FROM_ZEROS": [
        (
            "d = bptt(X[part], Hs[first - 1] if first > 0 else h0, Hs[part], new, p)",
            "Again, Out = elman_forward(X[part], h0, p)\n"
            "        new = output_gradients(Out, Y[part])\n"
            "        new[: a - first] = 0\n"
            "        d = bptt(X[part], h0, Again, new, p)",
        )
    ],
}

MISTAKES = {
    "chunks": CHUNKS,
    "tbptt_isolated": ISOLATED,
    "tbptt_carried": CARRIED,
    "tbptt_documents": DOCUMENTS,
    "tbptt_windows": WINDOWS,
    "how_far": HOW_FAR,
    "tbptt_k1k2": K1K2,
}
