"""Autograd from scratch: the rules of the gates, a judge for them, and an engine of your own.

Everything is NumPy, float64. A gradient has the shape of its value, and rows are samples: `X (B, D)`.
"""

import numpy as np


class Node:
    """A value that remembers how it was made.

    data    the value, an array of float64
    inputs  the Nodes that it was computed from; () for a leaf
    rules   one function for each input: given dL/d(this), it returns what this use adds to dL/d(input)
    grad    dL/d(this), once a backward pass has been here; None before
    """

    def __init__(self, data, inputs=(), rules=()):
        self.data = np.asarray(data, dtype=np.float64)
        self.inputs, self.rules = tuple(inputs), tuple(rules)
        self.grad = None


def mul_backward(g, x, y):
    """The backward pass of `z = x * y`, entry by entry: the mul gate of the lectures.

    g (B, H)    dL/dz, what arrives from further on
    x (B, H), y (B, H)    the factors, as they were in the forward pass
    Returns the tuple (gx, gy): gx (B, H) is dL/dx, gy (B, H) is dL/dy.
    """
    return g * y, g * x


def matmul_backward(g, X, W):
    """The backward pass of `O = X @ W` (Goodfellow et al. 2016, section 6.5.6).

    g (B, H)    dL/dO
    X (B, D), W (D, H)    the factors
    Returns the tuple (gX, gW): gX (B, D) is dL/dX, gW (D, H) is dL/dW.
    """
    return g @ W.T, X.T @ g


def numgrad(f, x, eps=1e-5):
    """The gradient of f at x by central differences: from values of f alone, no derivative known.

    f      a function from an array shaped like x to a number
    x (B, D)    where; it may have any shape, and is not to be changed
    eps    how far each entry is moved, up and down
    Returns an array shaped like x.
    """
    gradient = np.zeros(x.shape)
    for i in np.ndindex(x.shape):
        above, below = x.copy(), x.copy()
        above[i] += eps
        below[i] -= eps
        gradient[i] = (f(above) - f(below)) / (2 * eps)
    return gradient


def copy_backward(gs):
    """The backward pass of a value that goes to several places: the copy gate of the lectures.

    gs     a list of arrays (B, H): dL/d(copy), one for each place that uses the value
    Returns g (B, H), dL/d(value). The arrays in the list stay as they are.
    """
    return np.sum(gs, axis=0)


def unbroadcast(g, shape):
    """The backward pass of NumPy's broadcasting: a value of `shape` was stretched to the shape of g.

    g      dL/d(stretched value), an array
    shape  a tuple, the shape that the value had before: shorter than g's, or with 1 where g has more, or both
    Returns dL/d(value), an array of `shape`. A shape equal to g's is allowed.
    """
    while g.ndim > len(shape):
        g = g.sum(axis=0)
    for axis, size in enumerate(shape):
        if size == 1:
            g = g.sum(axis=axis, keepdims=True)
    return g


def softmax_xent(o, y):
    """Softmax and cross-entropy in one gate, forward and backward (Goodfellow et al. 2016, section 6.2.2.3).

    o (B, C)    logits; they may be as large as a thousand
    y (B,)      the right class of each row, integers from 0 to C-1
    Returns the tuple (loss, do): loss (), a number, is the mean over the batch of -log p[y], and do (B, C) is dL/do.
    """
    rows = np.arange(len(o))
    shifted = o - o.max(axis=1, keepdims=True)
    exps = np.exp(shifted)
    sums = exps.sum(axis=1, keepdims=True)
    log_p = shifted - np.log(sums)
    loss = -log_p[rows, y].mean()
    do = exps / sums
    do[rows, y] -= 1
    return loss, do / len(o)


def toposort(root):
    """The Nodes that root was made from, root too, in an order in which a forward pass could make them.

    root   a Node
    Returns a list of Nodes: each once, and after all of its `inputs`. A chain of thousands of Nodes must work.
    """
    order, seen = [], set()
    stack = [(root, False)]
    while stack:
        node, inputs_are_in = stack.pop()
        if inputs_are_in:
            order.append(node)
        elif node not in seen:
            seen.add(node)
            stack.append((node, True))
            stack.extend((x, False) for x in node.inputs)
    return order


class Tensor(Node):
    """A Node with operations: each returns a new Tensor that knows its inputs, and one rule for each of them.

    `other` is a Tensor. You may call your own functions from above, `unbroadcast` and `toposort` first of all.
    """

    def __add__(self, other):
        """self + other, with NumPy's broadcasting: `self` (B, H), `other` (B, H) or (H,). Returns a Tensor (B, H)."""
        return Tensor(self.data + other.data, (self, other), (
            lambda g: unbroadcast(g, self.data.shape),
            lambda g: unbroadcast(g, other.data.shape),
        ))

    def __mul__(self, other):
        """self * other, entry by entry: both (B, H), or `other` (H,). Returns a Tensor (B, H)."""
        return Tensor(self.data * other.data, (self, other), (
            lambda g: unbroadcast(g * other.data, self.data.shape),
            lambda g: unbroadcast(g * self.data, other.data.shape),
        ))

    def __matmul__(self, other):
        """self @ other: `self` (B, D), `other` (D, H). Returns a Tensor (B, H)."""
        return Tensor(self.data @ other.data, (self, other), (
            lambda g: g @ other.data.T,
            lambda g: self.data.T @ g,
        ))

    def tanh(self):
        """tanh of each entry. Returns a Tensor of the same shape."""
        y = np.tanh(self.data)
        return Tensor(y, (self,), (lambda g: g * (1 - y * y),))

    def sum(self):
        """The sum of all entries. Returns a Tensor of shape ()."""
        return Tensor(self.data.sum(), (self,), (lambda g: np.broadcast_to(g, self.data.shape),))

    def backward(self):
        """d(self)/d(node) into `.grad` of each Node that self was made from, and 1 into its own.

        Gradients of earlier calls are forgotten. Each `.grad` has the shape of its `.data`. Returns nothing.
        """
        order = toposort(self)
        for node in order:
            node.grad = np.zeros_like(node.data)
        self.grad = np.ones_like(self.data)
        for node in reversed(order):
            for x, rule in zip(node.inputs, node.rules, strict=True):
                x.grad = x.grad + rule(node.grad)
