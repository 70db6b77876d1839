"""Graphs, gates and an engine of your own: your part of it.

Each function says in its docstring what it is given and what it returns. Write its body in place of the line that
raises. To see how far you are: `tinygrad-rnn check autograd` in a terminal, `pytest` in this folder, or
`check("autograd.1")` in the notebook.
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
    raise NotImplementedError("autograd.1")


def matmul_backward(g, X, W):
    """The backward pass of `O = X @ W` (Goodfellow et al. 2016, section 6.5.6).

    g (B, H)    dL/dO
    X (B, D), W (D, H)    the factors
    Returns the tuple (gX, gW): gX (B, D) is dL/dX, gW (D, H) is dL/dW.
    """
    raise NotImplementedError("autograd.2")


def numgrad(f, x, eps=1e-5):
    """The gradient of f at x by central differences: from values of f alone, no derivative known.

    f      a function from an array shaped like x to a number
    x (B, D)    where; it may have any shape, and is not to be changed
    eps    how far each entry is moved, up and down
    Returns an array shaped like x.
    """
    raise NotImplementedError("autograd.3")


def copy_backward(gs):
    """The backward pass of a value that goes to several places: the copy gate of the lectures.

    gs     a list of arrays (B, H): dL/d(copy), one for each place that uses the value
    Returns g (B, H), dL/d(value). The arrays in the list stay as they are.
    """
    raise NotImplementedError("autograd.4")


def unbroadcast(g, shape):
    """The backward pass of NumPy's broadcasting: a value of `shape` was stretched to the shape of g.

    g      dL/d(stretched value), an array
    shape  a tuple, the shape that the value had before: shorter than g's, or with 1 where g has more, or both
    Returns dL/d(value), an array of `shape`. A shape equal to g's is allowed.
    """
    raise NotImplementedError("autograd.5")


def softmax_xent(o, y):
    """Softmax and cross-entropy in one gate, forward and backward (Goodfellow et al. 2016, section 6.2.2.3).

    o (B, C)    logits; they may be as large as a thousand
    y (B,)      the right class of each row, integers from 0 to C-1
    Returns the tuple (loss, do): loss (), a number, is the mean over the batch of -log p[y], and do (B, C) is dL/do.
    """
    raise NotImplementedError("autograd.6")


def toposort(root):
    """The Nodes that root was made from, root too, in an order in which a forward pass could make them.

    root   a Node
    Returns a list of Nodes: each once, and after all of its `inputs`. A chain of thousands of Nodes must work.
    """
    raise NotImplementedError("autograd.7")


class Tensor(Node):
    """A Node with operations: each returns a new Tensor that knows its inputs, and one rule for each of them.

    `other` is a Tensor. You may call your own functions from above, `unbroadcast` and `toposort` first of all.
    """

    def __add__(self, other):
        """self + other, with NumPy's broadcasting: `self` (B, H), `other` (B, H) or (H,). Returns a Tensor (B, H)."""
        raise NotImplementedError("autograd.8")

    def __mul__(self, other):
        """self * other, entry by entry: both (B, H), or `other` (H,). Returns a Tensor (B, H)."""
        raise NotImplementedError("autograd.8")

    def __matmul__(self, other):
        """self @ other: `self` (B, D), `other` (D, H). Returns a Tensor (B, H)."""
        raise NotImplementedError("autograd.8")

    def tanh(self):
        """tanh of each entry. Returns a Tensor of the same shape."""
        raise NotImplementedError("autograd.8")

    def sum(self):
        """The sum of all entries. Returns a Tensor of shape ()."""
        raise NotImplementedError("autograd.8")

    def backward(self):
        """d(self)/d(node) into `.grad` of each Node that self was made from, and 1 into its own.

        Gradients of earlier calls are forgotten. Each `.grad` has the shape of its `.data`. Returns nothing.
        """
        raise NotImplementedError("autograd.8")
