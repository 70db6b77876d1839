"""Jacobian products: how a change of one state changes a later one, and by which road.

dh_t/dh_k is the product of the Jacobians of the steps between, dh_j/dh_{j-1} (Pascanu et al. 2013, equation 5). Its
largest singular value bounds how much of a gradient survives the way from t back to k.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from .. import backend
from ..core import Tensor, describe
from .one_step import State, check_whole, direct_diagonal, flat, matrix_between, order


class Spectrum(NamedTuple):
    """`sigma_1`: the largest singular value; `rho`: the spectral radius, the largest modulus of an eigenvalue."""

    sigma_1: float
    rho: float


def spectrum(W: Any) -> Spectrum:
    """The two numbers that are often confused, of a square matrix W (H, H).

    A linear net's gradient shrinks in the long run iff rho < 1; sigma_1 < 1 is enough for it to shrink at every step,
    and rho <= sigma_1 (equal for normal matrices). With tanh, sigma_1 > 1 is necessary for growth but not sufficient
    (Pascanu et al. 2013, section 2.1). Raises ValueError where W is not square: take one gate's block of a stacked one.

    >>> shear = spectrum([[0.5, 3.0], [0.0, 0.5]])  # grows at first, dies in the end
    >>> round(shear.sigma_1, 2), shear.rho
    (3.08, 0.5)
    """
    matrix = backend.to_numpy(W.data if isinstance(W, Tensor) else W)
    matrix = np.asarray(matrix, float)
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or not matrix.size:
        raise ValueError(f"spectrum: W has shape {matrix.shape}: eigenvalues need a square matrix (one gate's block)")
    sigma_1 = float(np.linalg.svd(matrix, compute_uv=False)[0])
    return Spectrum(sigma_1, float(np.abs(np.linalg.eigvals(matrix)).max()))


class Pairs:
    """A matrix for each pair of times t >= k, as products of one matrix a step.

    `steps (T,)`: the steps of the states. `norms (T, T)`: the spectral norm (largest singular value) for t in rows and
    k in columns, 0 above the diagonal; `frobenius (T, T)`; `singular_values (T, T, n)`, falling. Products lose the
    small singular values to rounding: those below 1e-16 of the largest are noise.
    """

    def __init__(self, steps: tuple[int | None, ...], rows: Callable[[int], list[np.ndarray]]) -> None:
        self.steps = steps
        self._rows = rows  # of k: the matrices for t = k, k+1, ...

    def matrix(self, t: int, k: int) -> np.ndarray:
        """d(state t)/d(state k), (n, n), for positions t >= k in the list of states; negative ones count back."""
        t, k = (i + len(self.steps) if i < 0 else i for i in (t, k))
        if not 0 <= k <= t < len(self.steps):
            raise IndexError(f"matrix({t}, {k}): give 0 <= k <= t < {len(self.steps)}; a state depends on no later one")
        return self._rows(k)[t - k]

    @cached_property
    def singular_values(self) -> np.ndarray:
        count = len(self.steps)
        values = []
        for k in range(count):
            sigma = _singular(np.stack(self._rows(k)))
            values.append(np.concatenate([np.zeros((k, sigma.shape[1])), sigma]))
        return np.stack(values, axis=1)

    @property
    def norms(self) -> np.ndarray:
        return self.singular_values[..., 0]

    @property
    def frobenius(self) -> np.ndarray:
        sigma = self.singular_values
        largest = np.where(sigma[..., :1] > 0, sigma[..., :1], 1.0)
        return np.asarray(largest[..., 0] * np.sqrt(((sigma / largest) ** 2).sum(-1)))

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {len(self.steps)} states>"


def _singular(matrices: np.ndarray) -> np.ndarray:
    """Singular values of each (n, n) matrix, falling; NaN for those with entries that are not finite."""
    finite = np.isfinite(matrices).all(axis=(1, 2))
    sigma = np.full((len(matrices), min(matrices.shape[1:])), np.nan)
    sigma[finite] = np.linalg.svd(matrices[finite], compute_uv=False)
    return sigma


class JacobianProducts(Pairs):
    """d(state t)/d(state k) by all paths; `.direct` and `.gates` (Pairs) apart, and the matrices of single steps.

    `step_jacobians (T-1, S, S)`: d(whole state j+1)/d(whole state j), with the parts of a state (h and c) side by side.
    `carousel (T-1, n)`: the diagonal of each step's direct path: f_t of an LSTM's c, z_t of a GRU.
    """

    def __init__(self, states: list[State], of: int | None, sample: int) -> None:
        self._states, self._of, self._sample = states, of, sample
        self._since = [max(order(x) for x in state) for state in states]
        check_whole(states, self._since)
        self.step_jacobians = np.stack(
            [matrix_between(new, old, since, sample)
             for old, new, since in zip(states, states[1:], self._since, strict=False)])  # fmt: skip
        edges = np.cumsum([0, *(flat(x.data, sample).size for x in states[0])])
        self._block = slice(0, int(edges[-1])) if of is None else slice(int(edges[of]), int(edges[of + 1]))
        super().__init__(tuple(state[of or 0].step for state in states), self._products)

    def _products(self, k: int) -> list[np.ndarray]:
        """d(state t)/d(state k) for t = k, k+1, ..."""
        product = self._within(k)
        rows = [product[self._block]]
        for step in self.step_jacobians[k:]:
            product = step @ product
            rows.append(product[self._block])
        return rows

    def _within(self, k: int) -> np.ndarray:
        """d(whole state k)/d(its part `of`): the other parts follow, where they were made from it (h of c)."""
        state, of = self._states[k], self._of
        if of is None:
            return np.eye(self.step_jacobians.shape[1])
        part = state[of]
        identity = np.eye(flat(part.data, self._sample).size)
        return np.concatenate([
            identity if x is part else matrix_between((x,), (part,), order(part), self._sample) for x in state
        ])

    @cached_property
    def carousel(self) -> np.ndarray:
        pairs = zip(self._states, self._states[1:], self._since, strict=False)
        diagonals = [np.concatenate([flat(direct_diagonal(n, o, since), self._sample) for o, n in zip(old, new,
                     strict=True)]) for old, new, since in pairs]  # fmt: skip
        return np.stack(diagonals)[:, self._block]

    @cached_property
    def direct(self) -> Pairs:
        """The path on which the state is only scaled and added to, never mixed by a matrix nor squashed."""
        return Pairs(self.steps, lambda k: [np.diag(d) for d in self._scales(k)])

    @cached_property
    def gates(self) -> Pairs:
        """All other paths together: those through the gates, and through the candidate."""
        return Pairs(self.steps, self._others)

    def _others(self, k: int) -> list[np.ndarray]:
        return [m - np.diag(d) for m, d in zip(self._products(k), self._scales(k), strict=True)]

    def _scales(self, k: int) -> np.ndarray:
        size = self.carousel.shape[1]
        return np.cumprod(np.concatenate([np.ones((1, size)), self.carousel[k:]]), axis=0)


def _listed(states: Any) -> list[State]:
    """Each state as the tuple of its parts; TypeError for what is no list of states."""
    if isinstance(states, Mapping):
        names = ", ".join(map(repr, states))
        raise TypeError(f"jacobian_products: these are {len(states)} sequences by name ({names}): give one layer's, "
                        'found["h"], or list(zip(found["h"], found["c"])) for an LSTM')  # fmt: skip
    if isinstance(states, Tensor) or not isinstance(states, Iterable):
        what = describe(states) if isinstance(states, Tensor) else f"a {type(states).__name__}"
        raise TypeError(f"jacobian_products: give a list of states, [h_0, h_1, ...], not {what}: "
                        "flow.find_states(loss) finds them, by name")  # fmt: skip
    whole = [tuple(state) if isinstance(state, (tuple, list)) else (state,) for state in states]
    for x in (x for state in whole for x in state):
        if not isinstance(x, Tensor):
            raise TypeError(f"jacobian_products: states are Tensors, or tuples of them, not {type(x).__name__}")
    return whole


def jacobian_products(states: Sequence[Tensor | Sequence[Tensor]], of: int | None = None,
                      sample: int = 0) -> JacobianProducts:  # fmt: skip
    """dh_t/dh_k for every pair of states of a recorded run, as matrices, norms and singular values.

    `states`: [h_0, h_1, ...] as the run made them; for a cell with several, [(h_0, c_0), (h_1, c_1), ...], because the
    product rule holds for the whole state only. They are (B, H), of which one `sample` is read, or (H,). `of=1` asks
    for dc_t/dc_k alone: the total derivative, with h_k a function of c_k and the gates of step k held, as
    dc_t/dc_{t-1} = diag(f_t) + [diag(c_{t-1} f_t (1-f_t)) U_f + ...] diag(o_{t-1} (1-tanh^2 c_{t-1})) means it.
    `.direct` is the first term alone (products of diag(f)), `.gates` the rest.

    Raises ValueError where the states are not the whole state (a step uses something else that depends on earlier
    ones), where a state requires no gradient (make the start state with requires_grad=True, or leave it out) or comes
    from another graph, where a fused operation hides the direct path, or for fewer than two states;
    TypeError for what is no list of states.
    """
    whole = _listed(states)
    if len(whole) < 2:
        raise ValueError(f"jacobian_products: {len(whole)} states have no step between them: give at least two")
    for i, state in enumerate(whole):
        if [x.shape for x in state] != [x.shape for x in whole[0]]:
            raise ValueError(f"jacobian_products: state {i} has shapes {[x.shape for x in state]}, state 0 "
                             f"{[x.shape for x in whole[0]]}: give states of one layer")  # fmt: skip
        if untracked := [x for x in state if not x.requires_grad]:
            raise ValueError(f"jacobian_products: state {i}, {describe(untracked[0])}, requires no gradient: make it "
                             "with requires_grad=True, or leave it out")  # fmt: skip
    if of is not None and not 0 <= of < len(whole[0]):
        raise ValueError(f"jacobian_products: of={of}, but a state has {len(whole[0])} parts, counted from 0")
    for x in whole[0]:
        if x.ndim > 1 and not -len(x.data) <= sample < len(x.data):
            raise ValueError(f"jacobian_products: sample={sample}, but {describe(x)} has {len(x.data)} rows")
    return JacobianProducts(whole, of, sample)
