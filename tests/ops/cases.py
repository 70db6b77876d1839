"""One table of cases for all operations: what to compute, on which numbers, and what NumPy and PyTorch call it.

`f` takes Tensors (or arrays) and gives one Tensor or several. `numpy` takes arrays; `torch` takes the module and then
its tensors. The numbers keep away from kinks and ties, which have tests of their own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

import tinygrad_rnn as tg
from tinygrad_rnn import backend, ops
from tinygrad_rnn.core import raw
from tinygrad_rnn.ops import placement


@dataclass(frozen=True)
class Case:
    name: str
    f: Callable[..., Any]
    inputs: tuple[np.ndarray, ...]
    numpy: Callable[..., Any] | None = None
    torch: Callable[..., Any] | None = None
    analytic: bool = True


def real(*shape: int, seed: int = 0) -> np.ndarray:
    """Numbers in [-1.7, -0.2] and [0.2, 1.7], in random order, all different and different for another seed."""
    n = int(np.prod(shape))
    magnitude = np.linspace(0.2, 1.6, n) + 0.007 * seed
    signs = np.where(np.arange(n) % 2 == 0, 1.0, -1.0)
    return np.random.default_rng([seed, n]).permutation(magnitude * signs).reshape(shape)


def positive(*shape: int, seed: int = 0) -> np.ndarray:
    return np.abs(real(*shape, seed=seed))


A, B, C = real(3, 4), real(3, 4, seed=1), real(4, seed=2)
X3 = real(2, 3, 4)
P, Q = positive(3, 4), positive(3, 4, seed=1)
COLUMN = real(3, 1, seed=3)
MASK = np.arange(12).reshape(3, 4) % 3 == 0
TARGETS = np.array([1, 3, 0])
ROWS = np.array([[0, 2], [2, 2]])
PERMUTED = (2, 0, 1)


def mask_on(x: Any) -> Any:
    """MASK on the device of x (a mask as an operand, unlike one as an index, must be there)."""
    return backend.to_device(MASK, backend.of(raw(x)).device)


def both(name: str, x: Any, analytic: bool = True, torch: str | None = None, numpy: Any = None, **params: Any) -> Case:
    """A function of one array, of the same name everywhere."""
    f = getattr(tg, name)
    peer = lambda t, *xs: getattr(t, torch or name)(*xs)  # noqa: E731
    return Case(name, lambda *xs: f(*xs, **params), x if isinstance(x, tuple) else (x,), numpy or getattr(np, name),
                peer, analytic)  # fmt: skip


def functional(name: str) -> Callable[..., Any]:
    return lambda t, *xs: getattr(t.nn.functional, name)(*xs)


ELEMENTWISE = [
    both("add", (A, B)),
    Case("add of a row", lambda x, y: x + y, (A, C), lambda x, y: x + y, lambda t, x, y: x + y),
    Case("add to itself", lambda x: x + x, (A,), lambda x: x + x, lambda t, x: x + x),
    both("subtract", (A, COLUMN)),
    Case("subtract from a number", lambda x: 2 - x, (A,), lambda x: 2 - x, lambda t, x: 2 - x),
    both("multiply", (A, C)),
    Case("multiply by itself", lambda x: x * x, (A,), lambda x: x * x, lambda t, x: x * x),
    both("divide", (A, Q)),
    Case("divide a number", lambda x: 2 / x, (A,), lambda x: 2 / x, lambda t, x: 2 / x),
    both("power", (P, B), torch="pow"),
    Case("power of a negative", lambda x: x**3, (A,), lambda x: x**3, lambda t, x: x**3),
    Case("power of a number", lambda x: 2**x, (A,), lambda x: 2**x, lambda t, x: 2**x),
    Case("power -0.5", lambda x: x**-0.5, (P,), lambda x: x**-0.5, lambda t, x: x**-0.5),
    both("negative", A),
    both("exp", A), both("log", P), both("sqrt", P), both("sin", A), both("cos", A), both("tanh", A),
    both("sigmoid", A, numpy=lambda x: 1 / (1 + np.exp(-x))),
    both("relu", A, False, numpy=lambda x: np.maximum(x, 0)),
    Case("leaky_relu", lambda x: tg.leaky_relu(x, 0.1), (A,), lambda x: np.where(x > 0, x, 0.1 * x),
         lambda t, x: t.nn.functional.leaky_relu(x, 0.1), False),
    Case("elu", lambda x: tg.elu(x, 1.5), (A,), lambda x: np.where(x > 0, x, 1.5 * np.expm1(x)),
         lambda t, x: t.nn.functional.elu(x, 1.5), False),
    Case("softplus", tg.softplus, (A,), lambda x: np.log1p(np.exp(x)), functional("softplus")),
    both("abs", A, False),
    Case("sign", lambda x: tg.sign(x) * x, (A,), np.abs, lambda t, x: t.sign(x) * x, False),
    both("maximum", (A, B), False), both("minimum", (A, B), False),
    Case("maximum of a number", lambda x: tg.maximum(x, 0.5), (A,), lambda x: np.maximum(x, 0.5),
         lambda t, x: t.clamp(x, min=0.5), False),
    Case("where", lambda x, y: tg.where(mask_on(x), x, y), (A, B), lambda x, y: np.where(MASK, x, y),
         lambda t, x, y: t.where(t.tensor(MASK), x, y)),
    Case("where a number", lambda x: tg.where(mask_on(x), x, 2.0), (A,), lambda x: np.where(MASK, x, 2.0),
         lambda t, x: t.where(t.tensor(MASK), x, 2.0)),
    Case("clip", lambda x: tg.clip(x, -0.9, 0.7), (A,), lambda x: np.clip(x, -0.9, 0.7),
         lambda t, x: t.clamp(x, -0.9, 0.7), False),
    Case("copy", tg.copy, (A,), np.copy, lambda t, x: x * 1),
    Case("astype", lambda x: tg.astype(x, x.dtype) * x, (A,), lambda x: x * x, lambda t, x: x * x),
    Case("to_device", lambda x: tg.to_device(x, "cpu") ** 2.0, (A,), lambda x: x * x, lambda t, x: x * x),
    Case("zeros_like", lambda x: placement.zeros_like(x) * x + x, (A,), lambda x: x, lambda t, x: x * 1),
]  # fmt: skip


def _products(spec: str, *xs: np.ndarray) -> Case:
    return Case(f"einsum {spec}", lambda *a: tg.einsum(spec, *a), xs, lambda *a: np.einsum(spec, *a),
                lambda t, *a: t.einsum(spec, *a))  # fmt: skip


def _matmul(name: str, *xs: np.ndarray) -> Case:
    return Case(f"matmul {name}", tg.matmul, xs, np.matmul, lambda t, x, y: t.matmul(x, y))


LINEAR = [
    _matmul("of matrices", A, real(4, 2)), _matmul("matrix vector", A, C), _matmul("vector matrix", real(3), A),
    _matmul("of vectors", C, real(4, seed=5)), _matmul("of stacks", X3, real(2, 4, 3, seed=1)),
    _matmul("stack by matrix", X3, real(4, 2)), _matmul("matrix by stack", real(2, 3), X3),
    _matmul("stack by vector", X3, C), _matmul("vector by stack", real(3), X3),
    _matmul("of stacks that broadcast", real(2, 1, 3, 4), real(5, 4, 2)),
    Case("affine", tg.affine, (X3, real(4, 2), real(2)), lambda x, W, b: x @ W + b, lambda t, x, W, b: x @ W + b),
    _products("bi,ij->bj", A, real(4, 2)), _products("ij->ji", A), _products("ij->", A), _products("ij->j", A),
    _products("i,j->ij", real(3), C), _products("bij,bjk,k->bi", X3, real(2, 4, 2), real(2)),
    _products("i,jk->i", real(3), real(2, 2)), _products(",i->i", real(), C), _products("i,i->", C, C[::-1].copy()),
]  # fmt: skip


def _reductions() -> list[Case]:
    cases = []
    for name in ("sum", "mean", "var", "max", "min"):
        f, g = getattr(tg, name), getattr(np, name)
        smooth = name in ("sum", "mean")
        peer: Any = {"max": lambda t, x, a, k: t.amax(x, a, keepdim=k),
                     "min": lambda t, x, a, k: t.amin(x, a, keepdim=k),
                     "var": lambda t, x, a, k: t.var(x, a, correction=0, keepdim=k)}.get(
                         name, lambda t, x, a, k, name=name: getattr(t, name)(x, a, keepdim=k))  # fmt: skip
        for axis, keep in ((None, False), (None, True), (0, False), (-1, True), ((0, 2), False), ((1, -1), True)):
            dims = tuple(range(3)) if axis is None else axis
            cases.append(Case(f"{name} {axis} {keep}", lambda x, f=f, a=axis, k=keep: f(x, axis=a, keepdims=k), (X3,),
                              lambda x, g=g, a=axis, k=keep: g(x, axis=a, keepdims=k),
                              lambda t, x, p=peer, a=dims, k=keep: p(t, x, a, k), smooth))  # fmt: skip
    return cases


REDUCTION = [
    *_reductions(),
    Case("var ddof", lambda x: tg.var(x, 0, 1), (A,), lambda x: np.var(x, 0, ddof=1), lambda t, x: t.var(x, 0), False),
    Case("logsumexp", lambda x: tg.logsumexp(x), (X3,), lambda x: np.log(np.exp(x).sum()),
         lambda t, x: t.logsumexp(x, (0, 1, 2))),
    Case("logsumexp axes", lambda x: tg.logsumexp(x, (0, -1), True), (X3,),
         lambda x: np.log(np.exp(x).sum((0, 2), keepdims=True)), lambda t, x: t.logsumexp(x, (0, 2), keepdim=True)),
    Case("logsumexp axis", lambda x: tg.logsumexp(x, 1), (X3,), lambda x: np.log(np.exp(x).sum(1)),
         lambda t, x: t.logsumexp(x, 1)),
    Case("sum_to", lambda x: tg.sum_to(x, (3, 1)), (X3,), lambda x: x.sum(0).sum(1, keepdims=True),
         lambda t, x: x.sum_to_size(3, 1)),
    Case("sum_to a scalar", lambda x: tg.sum_to(x, ()), (X3,), np.sum, lambda t, x: x.sum()),
]  # fmt: skip

SHAPE = [
    Case("reshape", lambda x: tg.reshape(x, (-1, 2)), (A,), lambda x: x.reshape(-1, 2), lambda t, x: x.reshape(-1, 2)),
    Case("transpose", tg.transpose, (X3,), np.transpose, lambda t, x: x.permute(2, 1, 0)),
    Case("transpose axes", lambda x: tg.transpose(x, PERMUTED), (X3,), lambda x: x.transpose(PERMUTED),
         lambda t, x: x.permute(PERMUTED)),
    Case("squeeze", tg.squeeze, (real(1, 3, 1),), np.squeeze, lambda t, x: x.squeeze()),
    Case("squeeze axis", lambda x: tg.squeeze(x, -1), (real(1, 3, 1),), lambda x: x.squeeze(-1),
         lambda t, x: x.squeeze(-1)),
    Case("expand_dims", lambda x: tg.expand_dims(x, (0, -1)), (A,), lambda x: np.expand_dims(x, (0, -1)),
         lambda t, x: x[None, :, :, None]),
    Case("broadcast_to", lambda x: tg.broadcast_to(x, (2, 3, 4)), (COLUMN,), lambda x: np.broadcast_to(x, (2, 3, 4)),
         lambda t, x: x.expand(2, 3, 4)),
    Case("concat", lambda x, y: tg.concat([x, y, x], axis=-1), (A, real(3, 2)),
         lambda x, y: np.concatenate([x, y, x], -1), lambda t, x, y: t.cat([x, y, x], -1)),
    Case("stack", lambda x, y: tg.stack([x, y], axis=-1), (A, B), lambda x, y: np.stack([x, y], -1),
         lambda t, x, y: t.stack([x, y], -1)),
    Case("unstack", lambda x: tg.unstack(x, axis=-2), (X3,), lambda x: tuple(np.moveaxis(x, -2, 0)),
         lambda t, x: t.unbind(x, -2)),
    Case("unstack, one unused", lambda x: tg.unstack(x)[1] ** 2, (A,), lambda x: x[1] ** 2,
         lambda t, x: t.unbind(x)[1] ** 2),
    Case("split", lambda x: tg.split(x, 2, axis=1), (A,), lambda x: tuple(np.split(x, 2, 1)),
         lambda t, x: t.split(x, 2, 1)),
    Case("split at", lambda x: tg.split(x, [1, 3], axis=-1)[::2], (A,), lambda x: tuple(np.split(x, [1, 3], 1)[::2]),
         lambda t, x: (x[:, :1], x[:, 3:])),
    Case("put", lambda x: tg.put(x, (5, 4), np.array([0, 3, 0])), (A,),
         lambda x: np.stack([x[0] + x[2], 0 * x[0], 0 * x[0], x[1], 0 * x[0]]),
         lambda t, x: t.zeros(5, 4, dtype=x.dtype).index_add(0, t.tensor([0, 3, 0]), x)),
    Case("take", lambda x: tg.take(x, ROWS), (A,), lambda x: x[ROWS],
         lambda t, x: t.nn.functional.embedding(t.tensor(ROWS), x)),
]  # fmt: skip

INDICES: dict[str, Any] = {
    "integer": 1, "negative": -1, "slice": slice(0, 2), "backward slice": slice(None, None, -2), "ellipsis": (..., 1),
    "newaxis": (None, 1, ..., None), "mixed": (1, slice(1, 3)), "two integers": (1, 2), "all of them": (2, -1, 0),
    "integers": np.array([2, 0, 2, -1]), "list": [0, 2, 2],
    "integers on two axes": (np.array([0, 0, 1]), np.array([1, 1, 2])),
    "integers and slice": (slice(None), np.array([1, 1]), slice(0, 2)),
    "integers apart": (np.array([0, 1]), slice(0, 2), 0),
    "bool": np.arange(3) > 0, "bool on two axes": np.eye(3, 4) > 0, "bool and integer": (np.arange(3) != 1, 0),
    "nothing": slice(0, 0), "empty tuple": (),
}  # fmt: skip
_X = real(3, 4, 2)


def _torch_index(t: Any, index: Any) -> tuple[Any, ...]:
    parts = index if isinstance(index, tuple) else (index,)
    return tuple(t.tensor(p) if isinstance(p, np.ndarray) else p for p in parts)


GETITEM = [Case(f"getitem {name}", lambda x, i=index: x[i], (_X,), lambda x, i=index: x[i],
                None if name == "backward slice" else lambda t, x, i=index: x[_torch_index(t, i)])
           for name, index in INDICES.items()]  # fmt: skip
WEIGHTS = np.array([1.0, 0.0, 1.0])
SOFT = np.array([[0.0, 1.0, 0.3, 0.7]] * 3)


def _losses(x: np.ndarray) -> np.ndarray:
    return np.log(np.exp(x).sum(-1)) - x[np.arange(3), TARGETS]


def _dropped(x: Any) -> Any:
    return tg.dropout(x, 0.4, np.random.default_rng(3))


LOSS = [
    Case("softmax", tg.softmax, (A,), lambda x: np.exp(x) / np.exp(x).sum(-1, keepdims=True),
         lambda t, x: t.softmax(x, -1)),
    Case("softmax axis", lambda x: tg.softmax(x, 1), (X3,), lambda x: np.exp(x) / np.exp(x).sum(1, keepdims=True),
         lambda t, x: t.softmax(x, 1)),
    Case("log_softmax", tg.log_softmax, (A,), lambda x: x - np.log(np.exp(x).sum(-1, keepdims=True)),
         lambda t, x: t.log_softmax(x, -1)),
    Case("cross_entropy", lambda x: tg.cross_entropy(x, TARGETS), (A,), lambda x: _losses(x).mean(),
         lambda t, x: t.nn.functional.cross_entropy(x, t.tensor(TARGETS))),
    Case("cross_entropy none", lambda x: tg.cross_entropy(x, TARGETS, None, "none"), (A,), _losses,
         lambda t, x: t.nn.functional.cross_entropy(x, t.tensor(TARGETS), reduction="none")),
    Case("cross_entropy sum", lambda x: tg.cross_entropy(x, TARGETS, None, "sum"), (A,), lambda x: _losses(x).sum(),
         lambda t, x: t.nn.functional.cross_entropy(x, t.tensor(TARGETS), reduction="sum")),
    Case("cross_entropy mask", lambda x: tg.cross_entropy(x, TARGETS, WEIGHTS), (A,),
         lambda x: (_losses(x) * WEIGHTS).sum() / 2,
         lambda t, x: t.nn.functional.cross_entropy(x, t.tensor([1, -100, 0]))),
    Case("cross_entropy mask none", lambda x: tg.cross_entropy(x, TARGETS, WEIGHTS > 0, "none"), (A,),
         lambda x: _losses(x) * WEIGHTS),
    Case("binary_cross_entropy", lambda x, y: tg.binary_cross_entropy(x, y), (A, SOFT),
         lambda x, y: (np.log1p(np.exp(x)) - x * y).mean(), functional("binary_cross_entropy_with_logits")),
    Case("mse_loss", lambda x, y: tg.mse_loss(x, y), (A, B), lambda x, y: ((x - y) ** 2).mean(),
         functional("mse_loss")),
    Case("sequence_loss", lambda x: tg.sequence_loss(x, np.array([[0, 1, 3], [2, 2, 1]])), (X3,), None,
         lambda t, x: t.nn.functional.cross_entropy(x.reshape(6, 4), t.tensor([0, 1, 3, 2, 2, 1])) * 2),
    Case("dropout", _dropped, (A,), lambda x: x * (np.random.default_rng(3).random(x.shape) >= 0.4) / 0.6),
]  # fmt: skip

IMAGES, KERNELS = real(2, 3, 5, 4), real(2, 3, 3, 2, seed=1)


def _windows(x: np.ndarray, size: tuple[int, int], stride: tuple[int, int]) -> np.ndarray:
    """NumPy's view of all windows (B, C, H', W', kh, kw)."""
    return np.lib.stride_tricks.sliding_window_view(x, size, (2, 3))[:, :, :: stride[0], :: stride[1]]


def _convolved(x: np.ndarray, k: np.ndarray, stride: tuple[int, int], padding: tuple[int, int]) -> np.ndarray:
    ph, pw = padding
    padded = np.pad(x, ((0, 0), (0, 0), (ph, ph), (pw, pw)))
    return np.einsum("bcmnij,ocij->bomn", _windows(padded, k.shape[2:], stride), k)


def _conv(name: str, stride: Any = 1, padding: Any = 0, x: np.ndarray = IMAGES, k: np.ndarray = KERNELS) -> Case:
    s, p = ((v, v) if isinstance(v, int) else v for v in (stride, padding))
    return Case(f"conv2d {name}", lambda x, k: tg.conv2d(x, k, stride, padding), (x, k),
                lambda x, k: _convolved(x, k, s, p),
                lambda t, x, k: t.nn.functional.conv2d(x, k, stride=s, padding=p))  # fmt: skip


def _pool(name: str, size: Any, stride: Any = None) -> Case:
    k, s = ((v, v) if isinstance(v, int) else v for v in (size, stride or size))
    return Case(f"max_pool2d {name}", lambda x: tg.max_pool2d(x, size, stride), (IMAGES,),
                lambda x: _windows(x, k, s).max((4, 5)), lambda t, x: t.nn.functional.max_pool2d(x, k, s), False)


CONVOLUTION = [
    _conv("plain"), _conv("padded", padding=1), _conv("with strides", (2, 1), (1, 2)),
    _conv("1x1", k=real(2, 3, 1, 1)), _conv("of the whole image", k=real(1, 3, 5, 4)),
    _conv("that leaves a rest", 3, 0, real(1, 1, 6, 5), real(1, 1, 2, 2)),
    _pool("side by side", 2), _pool("overlapping", (3, 2), 1), _pool("with gaps", 1, 2),
    Case("unfold", lambda x: tg.unfold(x, (2, 3), (2, 1), 1) * tg.unfold(x, (2, 3), (2, 1), 1), (IMAGES,),
         lambda x: _windows(np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1))), (2, 3), (2, 1)).transpose(1, 4, 5, 0, 2, 3)**2,
         lambda t, x: t.nn.functional.unfold(x, (2, 3), padding=1, stride=(2, 1)).reshape(2, 3, 2, 3, 3, 4)
         .permute(1, 2, 3, 0, 4, 5) ** 2),
    Case("fold", lambda y: tg.fold(y, (1, 1, 3, 3)) ** 2.0, (real(1, 2, 2, 1, 2, 2),), None,
         lambda t, y: t.nn.functional.fold(y.reshape(1, 4, 4), (3, 3), 2) ** 2),
]  # fmt: skip



def _standard(x: np.ndarray, axes: Any) -> np.ndarray:
    return (x - x.mean(axes, keepdims=True)) / np.sqrt(x.var(axes, keepdims=True) + 0.1)


NORMALISATION = [
    Case("standardize", lambda x: tg.standardize(x, -1, 0.1), (A,), lambda x: _standard(x, -1),
         lambda t, x: t.nn.functional.layer_norm(x, (4,), eps=0.1)),
    Case("batch_norm of features", lambda x, w, b: tg.batch_norm(x, w, b, 0.1), (A, C, real(4, seed=3)),
         lambda x, w, b: w * _standard(x, 0) + b,
         lambda t, x, w, b: t.nn.functional.batch_norm(x, None, None, w, b, True, 0.1, 0.1)),
    Case("batch_norm of channels", lambda x, w, b: tg.batch_norm(x, w, b, 0.1),
         (real(2, 3, 2, 2), real(3), real(3, seed=3)),
         lambda x, w, b: w[:, None, None] * _standard(x, (0, 2, 3)) + b[:, None, None],
         lambda t, x, w, b: t.nn.functional.batch_norm(x, None, None, w, b, True, 0.1, 0.1)),
]  # fmt: skip

CASES = [*ELEMENTWISE, *LINEAR, *REDUCTION, *SHAPE, *GETITEM, *LOSS, *CONVOLUTION, *NORMALISATION]
IDS = [case.name for case in CASES]
MODULES = (ops.elementwise, placement, ops.convolution, ops.linear, ops.reduction, ops.shape, ops.loss, ops.noise,
           ops.normalisation)  # fmt: skip
PRIMITIVES = {value for module in MODULES for value in vars(module).values() if isinstance(value, tg.Primitive)}


def outputs(y: Any) -> tuple[Any, ...]:
    return tuple(y) if isinstance(y, (tuple, list)) else (y,)
