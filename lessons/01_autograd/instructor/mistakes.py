"""Wrong answers with a name, each an edit of the solution's text: (right, wrong)."""

IN_TWO_STEPS = "if inputs_are_in:\n            order.append(node)\n        elif node not in seen:"

MISTAKES = {
    "mul_backward": {
        "NO_SWAP": [("return g * y, g * x", "return g * x, g * y")],
        "UPSTREAM_FORGOTTEN": [("return g * y, g * x", "return y.copy(), x.copy()")],
        "LIKE_AN_ADD_GATE": [("return g * y, g * x", "return g.copy(), g.copy()")],
        "PRODUCT_SENT": [("return g * y, g * x", "return g * x * y, g * x * y")],
        "SAME_TO_BOTH": [("return g * y, g * x", "return g * y, g * y")],
    },
    "matmul_backward": {
        "MATMUL_NO_T": [("g @ W.T", "g @ W")],
        "GW_NO_T": [("X.T @ g", "X @ g")],
        "FACTORS_TURNED_ROUND": [("g @ W.T", "W.T @ g")],
        "GW_TRANSPOSED": [("X.T @ g", "g.T @ X")],
        "ENTRY_BY_ENTRY": [("g @ W.T", "g * W")],
        "GW_MEAN": [("X.T @ g", "X.T @ g / len(X)")],
        "UPSTREAM_FORGOTTEN": [("g @ W.T, X.T @ g", "np.ones_like(g) @ W.T, X.T @ np.ones_like(g)")],
    },
    "numgrad": {
        "ONE_SIDED": [("(f(above) - f(below)) / (2 * eps)", "(f(above) - f(x)) / eps")],
        "NO_HALF": [("/ (2 * eps)", "/ eps")],
        "HALF_MISPLACED": [("/ (2 * eps)", "/ 2 * eps")],
        "NOT_PUT_BACK": [
            ("gradient = np.zeros(x.shape)", "gradient, x = np.zeros(x.shape), x.copy()"),
            ("below[i] -= eps", "below[i] -= eps\n        x[i] -= eps"),
        ],
        "ALIASED": [("above, below = x.copy(), x.copy()", "above = below = x.copy()")],
        "ALL_AT_ONCE": [("above[i] += eps", "above += eps"), ("below[i] -= eps", "below -= eps")],
        "ROW_AT_ONCE": [("above[i] += eps", "above[i[0]] += eps"), ("below[i] -= eps", "below[i[0]] -= eps")],
        "EPS_IGNORED": [("gradient = np.zeros(x.shape)", "gradient, eps = np.zeros(x.shape), 1e-5")],
        "FLAT": [("return gradient", "return gradient.ravel()")],
        "SIGN": [("f(above) - f(below)", "f(below) - f(above)")],
    },
    "copy_backward": {
        "COPY_OVERWRITE": [("return np.sum(gs, axis=0)", "return gs[-1].copy()")],
        "COPY_FIRST": [("return np.sum(gs, axis=0)", "return gs[0].copy()")],
        "COPY_MEAN": [("np.sum(gs, axis=0)", "np.mean(gs, axis=0)")],
        "COPY_PRODUCT": [("np.sum(gs, axis=0)", "np.prod(gs, axis=0)")],
        "COPY_ALL_ENTRIES": [("np.sum(gs, axis=0)", "np.sum(gs)")],
        "COPY_WITHIN_EACH": [("np.sum(gs, axis=0)", "np.sum(gs, axis=1)")],
    },
    "unbroadcast": {
        "BROADCAST_NOT_SUMMED": [("while g.ndim > len(shape):", "while False:"), ("if size == 1:", "if False:")],
        "BROADCAST_MEAN": [
            ("g = g.sum(axis=0)", "g = g.mean(axis=0)"),
            ("g = g.sum(axis=axis, keepdims=True)", "g = g.mean(axis=axis, keepdims=True)"),
        ],
        "ONES_NOT_SUMMED": [("if size == 1:", "if False:")],
        "LEADING_NOT_SUMMED": [("while g.ndim > len(shape):", "while False:")],
        "ONES_LOST": [
            ("for axis, size in enumerate(shape):", "for axis, size in reversed(list(enumerate(shape))):"),
            ("keepdims=True", "keepdims=False"),
        ],
        "LAST_AXES_SUMMED": [("g = g.sum(axis=0)", "g = g.sum(axis=-1)")],
        "ONE_COPY_TAKEN": [
            ("g = g.sum(axis=0)", "g = g[0]"),
            ("g = g.sum(axis=axis, keepdims=True)", "g = g.take([0], axis=axis)"),
        ],
        "RESHAPED": [("while g.ndim > len(shape):", "return np.resize(g, shape)\n    while g.ndim > len(shape):")],
    },
    "softmax_xent": {
        "SOFTMAX_NOT_SHIFTED": [("o - o.max(axis=1, keepdims=True)", "o")],
        "SHIFTED_BY_ONE_MAXIMUM": [("o.max(axis=1, keepdims=True)", "o.max()")],
        "LOG_OF_ZERO": [("shifted - np.log(sums)", "np.log(exps / sums)")],
        "SOFTMAX_OVER_BATCH": [
            ("o.max(axis=1, keepdims=True)", "o.max(axis=0, keepdims=True)"),
            ("exps.sum(axis=1, keepdims=True)", "exps.sum(axis=0, keepdims=True)"),
        ],
        "XENT_NO_ONEHOT": [("do[rows, y] -= 1", "pass")],
        "XENT_NO_BATCH_DIV": [("do / len(o)", "do")],
        "XENT_SIGN": [("return loss, ", "return loss, -")],
        "ONLY_RIGHT_CLASS": [
            ("do[rows, y] -= 1", "do[rows, y] -= 1\n    do = do * (np.arange(o.shape[1]) == y[:, None])")
        ],
        "DERIVATIVE_OF_P": [("do[rows, y] -= 1", "do = do * (1 - do)")],
        "LOSS_SUMMED": [("-log_p[rows, y].mean()", "-log_p[rows, y].sum()")],
        "LOSS_SIGN": [("-log_p[rows, y].mean()", "log_p[rows, y].mean()")],
        "LOSS_OVER_CLASSES": [("-log_p[rows, y].mean()", "-log_p[rows, y].sum() / o.size")],
        "LOG2_FOR_LN": [("-log_p[rows, y].mean()", "-log_p[rows, y].mean() / np.log(2)")],
    },
    "toposort": {
        "DFS_VISIT_TWICE": [("elif node not in seen:", "else:")],
        "ROOT_FIRST": [("return order", "return order[::-1]")],
        "APPENDED_WHEN_FOUND": [
            (IN_TWO_STEPS, "if node not in seen:"),
            ("stack.append((node, True))", "order.append(node)"),
            ("return order", "return order[::-1]"),
        ],
        "BREADTH_FIRST": [
            ("stack.pop()", "stack.pop(0)"),
            (IN_TWO_STEPS, "if node not in seen:"),
            ("stack.append((node, True))", "order.append(node)"),
            ("return order", "return order[::-1]"),
        ],
        "SEEN_TOO_EARLY": [
            ("elif node not in seen:\n            seen.add(node)", "else:"),
            (
                "stack.extend((x, False) for x in node.inputs)",
                "for x in node.inputs:\n                if x not in seen:\n                    seen.add(x)\n"
                "                    stack.append((x, False))",
            ),
        ],
        "RECURSIVE": [
            (
                "    stack = [(root, False)]\n    while stack:\n        node, inputs_are_in = stack.pop()\n"
                "        if inputs_are_in:\n            order.append(node)\n        elif node not in seen:\n"
                "            seen.add(node)\n            stack.append((node, True))\n"
                "            stack.extend((x, False) for x in node.inputs)\n",
                "\n    def visit(node):\n        if node not in seen:\n            seen.add(node)\n"
                "            for x in node.inputs:\n                visit(x)\n            order.append(node)\n\n"
                "    visit(root)\n",
            )
        ],
        "ROOT_MISSING": [("return order", "return order[:-1]")],
        "LEAVES_MISSING": [("order.append(node)", "order.extend([node] if node.inputs else [])")],
    },
    "Tensor": {
        "BIAS_NOT_SUMMED": [("lambda g: unbroadcast(g, other.data.shape)", "lambda g: g")],
        "NO_SWAP": [
            ("unbroadcast(g * other.data, self.data.shape)", "unbroadcast(g * self.data, self.data.shape)"),
            ("unbroadcast(g * self.data, other.data.shape)", "unbroadcast(g * other.data, other.data.shape)"),
        ],
        "MATMUL_NO_T": [("g @ other.data.T", "g @ other.data")],
        "TANH_PRIME_OF_Y": [("1 - y * y", "1 - np.tanh(y) ** 2")],
        "TANH_PRIME_LINEAR": [("1 - y * y", "1 - y")],
        "TANH_PRIME_OF_X": [("1 - y * y", "1 - self.data**2")],
        "TANH_UPSTREAM_FORGOTTEN": [("lambda g: g * (1 - y * y)", "lambda g: 1 - y * y")],
        "SUM_NOT_SPREAD": [("np.broadcast_to(g, self.data.shape)", "g")],
        "SUM_SPREAD_AS_MEAN": [("np.broadcast_to(g, self.data.shape)", "np.full(self.data.shape, g / self.data.size)")],
        "SUM_OF_ROWS": [("self.data.sum()", "self.data.sum(axis=0)")],
        "SEED_ZERO": [("self.grad = np.ones_like(self.data)", "self.grad = np.zeros_like(self.data)")],
        "SEED_IS_VALUE": [("self.grad = np.ones_like(self.data)", "self.grad = self.data.copy()")],
        "FORWARD_ORDER": [("reversed(order)", "order")],
        "GRAD_OVERWRITTEN": [("x.grad = x.grad + rule(node.grad)", "x.grad = rule(node.grad)")],
        "GRAD_ALIASED": [
            ("node.grad = np.zeros_like(node.data)", "node.grad = None"),
            (
                "x.grad = x.grad + rule(node.grad)",
                "sent = rule(node.grad)\n                if x.grad is None:\n                    x.grad = sent\n"
                "                else:\n                    x.grad += sent",
            ),
        ],
        "SAME_INPUT_ONCE": [
            ("zip(node.inputs, node.rules, strict=True)", "dict(zip(node.inputs, node.rules, strict=True)).items()")
        ],
        "GRAD_NOT_CLEARED": [
            ("node.grad = np.zeros_like(node.data)", "node.grad = 0.0 * node.data if node.grad is None else node.grad")
        ],
        "UPSTREAM_FORGOTTEN": [("rule(node.grad)", "rule(np.ones_like(node.data))")],
    },
}
