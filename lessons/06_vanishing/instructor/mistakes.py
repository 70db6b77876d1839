"""The mistakes known by name, each an edit of the solution's text; what is said about them stands in lesson.toml."""

JAC_PRODUCT = {
    "DIAG_MISSING": [("(1 - Hs[s] ** 2)[:, None] * W_hh.T", "W_hh.T")],
    "DIAG_ON_COLUMNS": [("(1 - Hs[s] ** 2)[:, None] * W_hh.T", "(1 - Hs[s] ** 2) * W_hh.T")],
    "W_NOT_TRANSPOSED": [("[:, None] * W_hh.T", "[:, None] * W_hh")],
    "ORDER_REVERSED": [("step @ J", "J @ step")],
    "ENTRY_BY_ENTRY": [("step @ J", "step * J")],
    "JACOBIAN_TRANSPOSED": [("return J", "return J.T")],
    "TANH_PRIME_OF_H": [("1 - Hs[s] ** 2", "1 - np.tanh(Hs[s]) ** 2")],
    "TANH_PRIME_LINEAR": [("1 - Hs[s] ** 2", "1 - Hs[s]")],
    "STALE_H": [("Hs[s]", "Hs[s - 1]")],
    "ONE_STEP_TOO_MANY": [("range(k + 1, t + 1)", "range(k, t + 1)")],
    "LAST_STEP_LEFT_OUT": [("range(k + 1, t + 1)", "range(k + 1, t)")],
    "ONLY_LAST_STEP": [("J = step @ J", "J = step")],
    "START_FROM_ONES": [("np.eye(len(W_hh))", "np.ones_like(W_hh)")],
}

SIGMA, RHO = "singular_values.max()", "np.abs(eigenvalues).max()"
SVD, EIGVALS = "np.linalg.svd(W_hh, compute_uv=False)", "np.linalg.eigvals(W_hh)"
SPECTRAL = {
    "SWAPPED": [(SIGMA, RHO), (", " + RHO, ", " + SIGMA)],
    "EIGEN_FOR_SINGULAR": [(SVD, "np.abs(np.linalg.eigvals(W_hh))")],
    "SINGULAR_FOR_EIGEN": [(EIGVALS, "np.linalg.svd(W_hh, compute_uv=False)")],
    "FROBENIUS_NORM": [(SVD, "np.linalg.norm(W_hh)")],
    "NORM_OF_ROWS": [(SVD, "np.linalg.norm(W_hh, 2, axis=1)")],
    "NORM_OF_COLUMNS": [(SVD, "np.linalg.norm(W_hh, 2, axis=0)")],
    "SMALLEST_SINGULAR_VALUE": [(SIGMA, "singular_values.min()")],
    "SQUARED_SINGULAR_VALUE": [(SVD, "np.linalg.eigvalsh(W_hh.T @ W_hh)")],
    "LARGEST_ENTRY": [(SVD, "np.abs(W_hh)")],
    "RHO_SIGNED": [(RHO, "eigenvalues.real.max()")],
    "RHO_REAL_PART": [(RHO, "np.abs(eigenvalues.real).max()")],
    "RHO_OF_LARGEST_REAL_PART": [(RHO, "np.abs(eigenvalues[np.argmax(eigenvalues.real)])")],
    "RHO_SMALLEST": [(RHO, "np.abs(eigenvalues).min()")],
    "AS_IF_SYMMETRIC": [(EIGVALS, "np.linalg.eigvalsh(W_hh)")],
}

FACTOR = "gamma * sigma1"
FORECAST = {
    "EIGEN_FOR_TANH": [(FACTOR, "gamma * rho")],
    "SIGMA_GT1_EXPLODES": [('"explodes_for_sure": False', '"explodes_for_sure": factor > 1')],
    "RHO_GT1_EXPLODES": [('"explodes_for_sure": False', '"explodes_for_sure": gamma * rho > 1')],
    "SIGMA_LT1_NEEDED": [('"can_explode": factor > 1', '"can_explode": True')],
    "SIGMA_FOR_LINEAR": [('"linear_vanishes": rho < 1', '"linear_vanishes": sigma1 < 1'),
                         ('"linear_explodes": rho > 1', '"linear_explodes": sigma1 > 1')],
    "GAMMA_FOR_LINEAR": [('"linear_vanishes": rho < 1', '"linear_vanishes": gamma * rho < 1'),
                         ('"linear_explodes": rho > 1', '"linear_explodes": gamma * rho > 1')],
    "GAMMA_FORGOTTEN": [(FACTOR, "sigma1")],
    "GAMMA_UPSIDE_DOWN": [(FACTOR, "sigma1 / gamma")],
    "GAMMA_ONCE": [("factor**steps", "gamma * sigma1**steps")],
    "FACTOR_TIMES_STEPS": [("factor**steps", "factor * steps")],
    "ONE_STEP_TOO_MANY": [("factor**steps", "factor ** (steps + 1)")],
    "BORDER_VANISHES": [("factor < 1", "factor <= 1")],
    "BORDER_EXPLODES": [("factor > 1", "factor >= 1")],
}  # fmt: skip

H_STAR = "w * y_star - np.arctanh(y_star)"
LATCH_BASIN = {
    "SQRT_MISSING": [("np.sqrt(1 - 1 / w)", "1 - 1 / w")],
    "H_STAR_WITHOUT_W": [(H_STAR, "y_star - np.arctanh(y_star)")],
    "H_STAR_WITHOUT_ARCTANH": [(H_STAR, "w * y_star")],
    "H_STAR_AT_THE_TOUCHING_POINT": [(H_STAR, "np.arctanh(y_star)")],
    "LATCHES_BY_W_ALONE": [("abs(h) < h_star", "w > 1")],
    "SIGN_OF_H": [("abs(h) < h_star", "h < h_star")],
    "STARTS_AT_ZERO": [("a = w + abs(h)", "a = 0.0")],
    "INPUT_INSIDE_TANH": [("w * np.tanh(a) + h", "w * np.tanh(a + h)")],
    "INPUT_FORGOTTEN": [("w * np.tanh(a) + h", "w * np.tanh(a)")],
    "Y_FOR_A": [('"a": a', '"a": np.tanh(a)')],
    "FACTOR_AT_ZERO": [("w * (1 - np.tanh(a) ** 2)", "w")],
    "FACTOR_WITHOUT_W": [("w * (1 - np.tanh(a) ** 2)", "1 - np.tanh(a) ** 2")],
    "TANH_PRIME_OF_A": [("1 - np.tanh(a) ** 2", "1 - a**2")],
}

CLIFF_LOSS = {
    "ONLY_LAST_STEP": [("reversed(xs[:-1])", "xs[-2:-1]")],
    "LAST_STEP_LEFT_OUT": [("reversed(xs[:-1])", "reversed(xs[:-2])")],
    "STEPS_OFF_BY_ONE": [("range(T)", "range(T - 1)")],
    "TIME_FORWARD": [("reversed(xs[:-1])", "xs[:-1]")],
    "NO_WAY_BACK": [("dx = dx * w * s * (1 - s)", "dx = dx * 1.0")],
    "W_MISSING_IN_CHAIN": [("dx * w * s * (1 - s)", "dx * s * (1 - s)")],
    "SIGMOID_PRIME_MISSING": [("dx * w * s * (1 - s)", "dx * w")],
    "SIGMOID_PRIME_LINEAR": [("dx * w * s * (1 - s)", "dx * w * (1 - s)")],
    "SIGMOID_PRIME_OF_X": [("dx * w * s * (1 - s)", "dx * w * x_prev * (1 - x_prev)")],
    "STALE_X": [("s = sigmoid(x_prev)", "s = sigmoid(w * sigmoid(x_prev) + b)")],
    "DW_USES_X": [("dw += dx * s", "dw += dx * x_prev")],
    "DB_LIKE_DW": [("db += dx", "db += dx * s")],
    "OVERWRITE_NOT_ADD": [("dw += dx * s", "dw = dx * s"), ("db += dx", "db = dx")],
    "CHAIN_BEFORE_USE": [("dw += dx * s", "pass"), ("db += dx", "pass"),
                         ("dx = dx * w * s * (1 - s)", "dx = dx * w * s * (1 - s); dw += dx * s; db += dx")],
    "OUTPUT_PRIME_MISSING": [("2 * (y - 0.7) * y * (1 - y)", "2 * (y - 0.7)")],
    "TWO_MISSING": [("2 * (y - 0.7) * y * (1 - y)", "(y - 0.7) * y * (1 - y)")],
    "OUTPUT_NOT_SQUASHED": [("y = sigmoid(xs[-1])", "y = xs[-1]")],
}  # fmt: skip

NORM, SCALE = "np.sqrt(sum(np.sum(g**2) for g in grads))", "max_norm / norm if norm > max_norm else 1.0"
SCALED = "[scale * g for g in grads]"
EACH = "[g * min(1.0, max_norm / max(np.linalg.norm(g), 1e-300)) for g in grads]"
CLIP_GLOBAL = {
    "SQUARED_NORM_CLIP": [(NORM, "sum(np.sum(g**2) for g in grads)")],
    "SQUARED_NORM_IN_SCALE": [(SCALE, "max_norm / norm**2 if norm**2 > max_norm else 1.0")],
    "SUM_OF_NORMS": [(NORM, "sum(np.sqrt(np.sum(g**2)) for g in grads)")],
    "LARGEST_NORM": [(NORM, "max(np.sqrt(np.sum(g**2)) for g in grads)")],
    "ROOT_OF_MEAN": [(NORM, "np.sqrt(sum(np.sum(g**2) for g in grads) / sum(g.size for g in grads))")],
    "SPECTRAL_NORM": [(NORM, "np.sqrt(sum(np.linalg.norm(g, 2) ** 2 for g in grads))")],
    "SUM_OF_SIZES": [(NORM, "sum(np.sum(np.abs(g)) for g in grads)")],
    "FIRST_ONLY": [(NORM, "np.sqrt(np.sum(grads[0] ** 2))")],
    "PER_TENSOR_CLIP": [(SCALED, EACH)],
    "CLIP_BY_VALUE": [(SCALED, "[np.clip(g, -max_norm, max_norm) for g in grads]")],
    "ALWAYS_RESCALE": [(SCALE, "max_norm / norm")],
    "SCALED_TO_ONE": [(SCALE, "1 / norm if norm > max_norm else 1.0")],
    "DIVIDED_BY_THRESHOLD": [(SCALE, "1 / max_norm if norm > max_norm else 1.0")],
    "UPSIDE_DOWN": [(SCALE, "norm / max_norm if norm > max_norm else 1.0")],
    "MAX_FOR_MIN": [(SCALE, "max(1.0, max_norm / norm)")],
    "DROPPED": [(SCALE, "0.0 if norm > max_norm else 1.0")],
    "NORM_AFTER_CLIPPING": [("], norm", "], scale * norm")],
}

CLIPPED, STEP = "np.clip(g, -limit, limit)", "theta - lr * clipped"
CLIP_VALUE = {
    "CLIP_AFTER_STEP": [(STEP, "theta - lr * g")],
    "CLIPS_THE_STEP": [(STEP, "theta - np.clip(lr * g, -limit, limit)")],
    "CLIPS_THE_PARAMETERS": [(STEP, "np.clip(theta - lr * g, -limit, limit)")],
    "UPHILL": [(STEP, "theta + lr * clipped")],
    "LR_FORGOTTEN": [(STEP, "theta - clipped")],
    "ONE_SIDED": [(CLIPPED, "np.minimum(g, limit)")],
    "SIGN_LOST": [(CLIPPED, "np.minimum(np.abs(g), limit)")],
    "ALL_TO_THE_LIMIT": [(CLIPPED, "np.sign(g) * limit")],
    "LARGE_ENTRIES_DROPPED": [(CLIPPED, "np.where(np.abs(g) <= limit, g, 0.0)")],
    "SCALED_NOT_CLIPPED": [(CLIPPED, "g * min(1.0, limit / np.abs(g).max())")],
    "CLIPPED_BY_NORM": [(CLIPPED, "g * min(1.0, limit / np.linalg.norm(g))")],
    "COSINE_IS_DOT": [("(g @ clipped) / (np.linalg.norm(g) * np.linalg.norm(clipped))", "g @ clipped")],
    "COSINE_BY_ONE_NORM": [("(np.linalg.norm(g) * np.linalg.norm(clipped))", "np.linalg.norm(g) ** 2")],
}

OMEGA = {
    "SQUARE_MISSING": [("excess**2", "excess")],
    "ONE_NOT_SUBTRACTED": [("after / before - 1", "after / before")],
    "RATIO_UPSIDE_DOWN": [("after / before - 1", "before / after - 1")],
    "SQUARED_NORMS": [("after / before - 1", "after**2 / before**2 - 1")],
    "DIAG_MISSING": [("dHs[k + 1] * (1 - Hs[k + 1] ** 2)", "dHs[k + 1] * 1.0")],
    "TANH_PRIME_LINEAR": [("1 - Hs[k + 1] ** 2", "1 - Hs[k + 1]")],
    "STALE_H": [("1 - Hs[k + 1] ** 2", "1 - Hs[k] ** 2")],
    "W_NOT_TRANSPOSED": [("da @ W_hh.T", "da @ W_hh")],
    "NORM_OF_THE_TOTAL": [("np.linalg.norm(v)", "np.linalg.norm(dHs[k])")],
    "DIVIDED_AT_K": [("np.linalg.norm(dHs[k + 1])", "np.linalg.norm(dHs[k])")],
    "MEAN_NOT_SUM": [("terms.sum()", "terms.mean()")],
    "TWO_MISSING": [("2 * excess / before", "excess / before")],
    "DW_TRANSPOSED": [("np.outer(v, da)", "np.outer(da, v)")],
    "DW_WITHOUT_NORM": [("np.outer(v, da) / after", "np.outer(v, da)")],
    "DW_OVERWRITTEN": [("dW_hh += 2", "dW_hh = 2")],
}

MISTAKES = {
    "jac_product": JAC_PRODUCT,
    "spectral": SPECTRAL,
    "forecast": FORECAST,
    "latch_basin": LATCH_BASIN,
    "cliff_loss": CLIFF_LOSS,
    "clip_global": CLIP_GLOBAL,
    "clip_value": CLIP_VALUE,
    "omega": OMEGA,
}
