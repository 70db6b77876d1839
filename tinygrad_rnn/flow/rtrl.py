"""Real-time recurrent learning: the gradient carried forwards in time, beside the state."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from .. import backend
from ..autograd import grad
from ..core import Tensor, tensor
from ..recording import enable_grad, step


class RTRL:
    """P_t = dh_t/dtheta, by the forward recursion P_t = (dh_t/dh_{t-1}) P_{t-1} + (immediate) dh_t/dtheta, so that the
    gradient of a loss at t is (dL_t/dh_t) P_t: at once, with no past kept (Williams & Zipser 1989).

    `cell(x, state)` is any cell or function of one step, for one sequence: the state (1, H), or a tuple of such. After
    each `advance(x)`, which gives the new state, `gradients(loss)` are those of `loss(state)`, a scalar of that state,
    by each of `parameters`, exact as long as these have not moved. That of a sum of losses is the sum of what came
    after each step. Where the parameters do move after each, learning is online, and P follows with a small error.

    `P (S, N)`, S numbers of state and N of parameters, is why it is rare: for an Elman cell N is about H^2, so that P
    holds H^3 numbers, and a step's product (S, S) @ (S, N) takes H^4 multiplications, where BPTT's step takes H^2 and
    keeps H numbers. `multiplications` counts them.

    Raises ValueError for a batch of more than one, and TypeError where the cell gives no Tensors.

    >>> from .. import nn
    >>> cell = nn.RNNCell(2, 3, rng=0)
    >>> online = RTRL(cell, cell.parameters(), cell.zero_state(1))
    >>> h = online.advance(np.ones((1, 2), np.float32))
    >>> [g.shape for g in online.gradients(lambda h: (h * h).sum())], online.P.shape
    ([(2, 3), (3, 3), (3,)], (3, 18))
    """

    def __init__(self, cell: Callable[[Any, Any], Any], parameters: Iterable[Tensor], state: Any) -> None:
        self.cell, self.parameters = cell, list(parameters)
        self.several = isinstance(state, (tuple, list))
        self.state = tuple(s.detach() for s in (state if self.several else (state,)))
        for part in self.state:
            if part.ndim != 2 or len(part.data) != 1:
                raise ValueError(f"RTRL: the state is (1, H), of one sequence, not {tuple(part.shape)}: a batch would "
                                 "need as many P")  # fmt: skip
        size = sum(p.size for p in self.parameters)
        self.P = np.zeros((sum(s.size for s in self.state), size), np.result_type(*(s.dtype for s in self.state)))
        self.multiplications = 0
        self.t = 0

    def advance(self, x: Any) -> Any:
        """One step: the new state, out of the graph."""
        old = [tensor(s.data, requires_grad=True) for s in self.state]
        with enable_grad(), step(self.t):
            made = self.cell(x, tuple(old) if self.several else old[0])
        new = tuple(made) if self.several else (made,)
        if not all(isinstance(s, Tensor) for s in new):
            raise TypeError(f"RTRL: the cell gives {', '.join(type(s).__name__ for s in new)}, not Tensors: compute "
                            "the state from Tensors")  # fmt: skip
        immediate, J = _rows(new, self.parameters), _rows(new, old)
        self.P = J @ self.P + immediate
        self.multiplications += J.shape[0] * J.shape[1] * self.P.shape[1]
        self.state, self.t = tuple(s.detach() for s in new), self.t + 1
        return self.state if self.several else self.state[0]

    def gradients(self, loss: Callable[[Any], Tensor]) -> list[np.ndarray]:
        """d loss(state) / d parameter, for each, through all the past; what the read-out inside `loss` gets itself is
        an ordinary gradient."""
        leaves = [tensor(s.data, requires_grad=True) for s in self.state]
        with enable_grad():
            value = loss(tuple(leaves) if self.several else leaves[0])
        flat = _rows((value,), leaves)[0] @ self.P
        ends = np.cumsum([p.size for p in self.parameters])[:-1]
        return [part.reshape(p.shape) for part, p in zip(np.split(flat, ends), self.parameters, strict=True)]


def _rows(outputs: tuple[Tensor, ...], inputs: list[Tensor]) -> np.ndarray:
    """The Jacobian of one step, a backward pass a row: d(outputs)/d(inputs), both flat."""
    rows = []
    for y in outputs:
        for i in range(y.size):
            seed = np.zeros(y.size, y.dtype)
            seed[i] = 1
            weight = backend.to_device(seed.reshape(y.shape), y.device)
            found = grad(y, inputs, Tensor(weight), allow_unused=True) if y.requires_grad else [None] * len(inputs)
            rows.append(np.concatenate([np.zeros(x.size, y.dtype) if g is None else backend.to_numpy(g.data).reshape(-1)
                                        for g, x in zip(found, inputs, strict=True)]))  # fmt: skip
    return np.stack(rows)
