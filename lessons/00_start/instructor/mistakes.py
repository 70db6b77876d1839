"""The named wrong answers of lesson start: edits of the solution."""

MISTAKES = {
    "affine": {
        "W_ON_THE_LEFT": [("x @ W + b", "W @ x + b")],
        "W_TRANSPOSED": [("x @ W", "x @ W.T")],
        "BIAS_MISSING": [(" + b\n", "\n")],
        "BIAS_SUBTRACTED": [("x @ W + b\n", "x @ W - b\n")],
        "ELEMENTWISE_PRODUCT": [("return x @ W", "return x * W")],
    },
    "elman_step": {
        "STATE_OUTSIDE_TANH": [("(x @ W_xh + h @ W_hh + b_h)", "(x @ W_xh + b_h) + h @ W_hh")],
        "BIAS_OUTSIDE_TANH": [("(x @ W_xh + h @ W_hh + b_h)", "(x @ W_xh + h @ W_hh) + b_h")],
        "WEIGHTS_SWAPPED": [("(x @ W_xh + h @ W_hh + b_h)", "(x @ W_hh + h @ W_xh + b_h)")],
        "BIAS_TWICE": [("h @ W_hh + b_h)", "h @ W_hh + b_h + b_h)")],
        "W_HH_TRANSPOSED": [("h @ W_hh + b_h)", "h @ W_hh.T + b_h)")],
        "STATE_FORGOTTEN": [("(x @ W_xh + h @ W_hh + b_h)", "(x @ W_xh + b_h)")],
        "TANH_MISSING": [("return np.tanh(x @ W_xh + h @ W_hh + b_h)", "return x @ W_xh + h @ W_hh + b_h")],
    },
    "squared_loss": {
        "LOSS_NOT_MEAN": [("(error**2).sum() / (2 * len(y))", "(error**2).sum() / 2")],
        "LOSS_MEAN_OF_ALL": [("(error**2).sum() / (2 * len(y))", "(error**2).mean() / 2")],
        "LOSS_DOUBLED": [("(error**2).sum() / (2 * len(y))", "(error**2).sum() / len(y)")],
        "MEAN_OF_ALL": [
            ("(error**2).sum() / (2 * len(y))", "(error**2).mean() / 2"),
            ("dy = error / len(y)", "dy = error / error.size"),
        ],
        "NO_HALF": [
            ("(error**2).sum() / (2 * len(y))", "(error**2).sum() / len(y)"),
            ("dy = error / len(y)", "dy = 2 * error / len(y)"),
        ],
        "GRADIENT_MEAN_OF_ALL": [("dy = error / len(y)", "dy = error / error.size")],
        "GRADIENT_SIGN": [("dy = error / len(y)", "dy = (target - y) / len(y)")],
        "GRADIENT_NOT_DIVIDED": [("dy = error / len(y)", "dy = error")],
        "GRADIENT_DOUBLED": [("dy = error / len(y)", "dy = 2 * error / len(y)")],
    },
}
