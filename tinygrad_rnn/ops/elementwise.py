"""Operations that act on each element: y[i] depends on x[i] alone."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .. import backend
from ..backend import xp
from ..primitives import primitive

# Arithmetic. Broadcasting is undone by the engine, so a rule speaks of one element.


@primitive
def add(x: Any, y: Any) -> Any:
    """x + y."""
    return x + y


@add.vjp(0)
def _(g: Any, z: Any, x: Any, y: Any) -> Any:
    return g


@add.vjp(1)
def _(g: Any, z: Any, x: Any, y: Any) -> Any:
    return g


@primitive
def subtract(x: Any, y: Any) -> Any:
    """x - y."""
    return x - y


@subtract.vjp(0)
def _(g: Any, z: Any, x: Any, y: Any) -> Any:
    return g


@subtract.vjp(1)
def _(g: Any, z: Any, x: Any, y: Any) -> Any:
    return -g


@primitive
def multiply(x: Any, y: Any) -> Any:
    """x * y, element by element: the swap multiplier of the lectures."""
    return x * y


@multiply.vjp(0)
def _(g: Any, z: Any, x: Any, y: Any) -> Any:
    return g * y


@multiply.vjp(1)
def _(g: Any, z: Any, x: Any, y: Any) -> Any:
    return g * x


@primitive
def divide(x: Any, y: Any) -> Any:
    """x / y."""
    return x / y


@divide.vjp(0)
def _(g: Any, z: Any, x: Any, y: Any) -> Any:
    return g / y


@divide.vjp(1)
def _(g: Any, z: Any, x: Any, y: Any) -> Any:
    return -g * z / y


@primitive
def power(x: Any, n: Any) -> Any:
    """x ** n; the derivative for n takes 0 ** n as constant."""
    return x**n


@power.vjp(0)
def _(g: Any, z: Any, x: Any, n: Any) -> Any:
    base = x + (n == 0) * (x == 0)  # 0 ** 0 is constant in x: no 0 * (1 / 0)
    return g * (n * base ** (n - 1))


@power.vjp(1)
def _(g: Any, z: Any, x: Any, n: Any) -> Any:
    return g * (z * log(x + (x == 0)))


@primitive
def negative(x: Any) -> Any:
    """-x."""
    return -x


@negative.vjp(0)
def _(g: Any, y: Any, x: Any) -> Any:
    return -g


# Exponentials and trigonometry


@primitive
def exp(x: Any) -> Any:
    """e ** x."""
    return xp(x).exp(x)


@exp.vjp(0)
def _(g: Any, y: Any, x: Any) -> Any:
    return g * y


@primitive
def log(x: Any) -> Any:
    """The natural logarithm."""
    return xp(x).log(x)


@log.vjp(0)
def _(g: Any, y: Any, x: Any) -> Any:
    return g / x


@primitive
def sqrt(x: Any) -> Any:
    """The square root."""
    return xp(x).sqrt(x)


@sqrt.vjp(0)
def _(g: Any, y: Any, x: Any) -> Any:
    return g * 0.5 / y


@primitive
def sin(x: Any) -> Any:
    """The sine of x radians."""
    return xp(x).sin(x)


@sin.vjp(0)
def _(g: Any, y: Any, x: Any) -> Any:
    return g * cos(x)


@primitive
def cos(x: Any) -> Any:
    """The cosine of x radians."""
    return xp(x).cos(x)


@cos.vjp(0)
def _(g: Any, y: Any, x: Any) -> Any:
    return -g * sin(x)


# Activations


@primitive
def tanh(x: Any) -> Any:
    """The hyperbolic tangent; its derivative, 1 - y^2, is at most 1."""
    return xp(x).tanh(x)


@tanh.vjp(0)
def _(g: Any, y: Any, x: Any) -> Any:
    return g * (1 - y * y)


@primitive
def sigmoid(x: Any) -> Any:
    """1 / (1 + e^-x), with all its digits also where it is nearly 0, until e^-x overflows (x below about -88 in
    float32, -709 in float64): from there on it is 0."""
    with np.errstate(over="ignore"):
        return 1 / (1 + xp(x).exp(-x))


@sigmoid.vjp(0)
def _(g: Any, y: Any, x: Any) -> Any:
    return g * (y * (1 - y))


@primitive(analytic=False)
def relu(x: Any) -> Any:
    """max(x, 0); its derivative at 0 is 0."""
    return xp(x).maximum(x, 0)


@relu.vjp(0)
def _(g: Any, y: Any, x: Any) -> Any:
    return g * (x > 0)


@primitive(analytic=False)
def leaky_relu(x: Any, /, slope: float = 0.01) -> Any:
    """x where it is positive, slope * x elsewhere (`slope` is also the derivative at 0)."""
    return xp(x).where(x > 0, x, slope * x)


@leaky_relu.vjp(0)
def _(g: Any, y: Any, x: Any, slope: float) -> Any:
    return where(x > 0, g, slope * g)


@primitive(analytic=False)
def elu(x: Any, /, alpha: float = 1.0) -> Any:
    """x where it is positive, alpha * (e^x - 1) elsewhere."""
    lib = xp(x)
    return lib.where(x > 0, x, alpha * lib.expm1(lib.minimum(x, 0)))


@elu.vjp(0)
def _(g: Any, y: Any, x: Any, alpha: float) -> Any:
    return where(x > 0, g, g * (alpha * exp(minimum(x, 0.0))))


@primitive
def softplus(x: Any) -> Any:
    """log(1 + e^x), a smooth relu, without overflow."""
    lib = xp(x)
    positive = x.real > 0  # -|x| in a form that is analytic on either side of 0, and no inf - inf
    return lib.where(positive, x, 0) + lib.log1p(lib.exp(lib.where(positive, -x, x)))


@softplus.vjp(0)
def _(g: Any, y: Any, x: Any) -> Any:
    return g * sigmoid(x)


# Choices. What has no derivative at a tie shares it.


@primitive(analytic=False)
def abs(x: Any) -> Any:
    """|x|; its derivative at 0 is 0."""
    return xp(x).abs(x)


@abs.vjp(0)
def _(g: Any, y: Any, x: Any) -> Any:
    return g * sign(x)


@primitive(analytic=False)
def sign(x: Any) -> Any:
    """-1, 0 or 1; it has no derivative rule: its gradient is zero wherever there is one."""
    return xp(x).sign(x)


@primitive(analytic=False)
def maximum(x: Any, y: Any) -> Any:
    """The larger of x and y; at a tie each gets half of the gradient."""
    return _lib(x, y).maximum(x, y)


@maximum.vjp(0)
def _(g: Any, z: Any, x: Any, y: Any) -> Any:
    return g * (x > y) + g * 0.5 * (x == y)


@maximum.vjp(1)
def _(g: Any, z: Any, x: Any, y: Any) -> Any:
    return g * (y > x) + g * 0.5 * (x == y)


@primitive(analytic=False)
def minimum(x: Any, y: Any) -> Any:
    """The smaller of x and y; at a tie each gets half of the gradient."""
    return _lib(x, y).minimum(x, y)


@minimum.vjp(0)
def _(g: Any, z: Any, x: Any, y: Any) -> Any:
    return g * (x < y) + g * 0.5 * (x == y)


@minimum.vjp(1)
def _(g: Any, z: Any, x: Any, y: Any) -> Any:
    return g * (y < x) + g * 0.5 * (x == y)


@primitive
def where(condition: Any, x: Any, y: Any) -> Any:
    """x where `condition` holds, y elsewhere; two Python numbers give float32."""
    z = _lib(condition, x, y).where(condition, x, y)
    return z.astype(np.float32) if {type(x), type(y)} <= {int, float} else z


@where.vjp(0)
def _(g: Any, z: Any, condition: Any, x: Any, y: Any) -> Any:
    return None  # which side is taken moves in jumps


@where.vjp(1)
def _(g: Any, z: Any, condition: Any, x: Any, y: Any) -> Any:
    return where(condition, g, 0.0)


@where.vjp(2)
def _(g: Any, z: Any, condition: Any, x: Any, y: Any) -> Any:
    return where(condition, 0.0, g)


@primitive(analytic=False)
def clip(x: Any, /, low: float | None, high: float | None) -> Any:
    """x, kept between low and high (None: no bound); the gradient passes inside and at the ends, and stops outside."""
    return xp(x).clip(x, *_bounds(low, high))


@clip.vjp(0)
def _(g: Any, y: Any, x: Any, low: float | None, high: float | None) -> Any:
    low, high = _bounds(low, high)
    return g * ((x >= low) & (x <= high))


def _bounds(low: float | None, high: float | None) -> tuple[float, float]:
    return -math.inf if low is None else low, math.inf if high is None else high


def _lib(*args: Any) -> Any:
    """The array library of the first argument that is an array."""
    return next((xp(x) for x in args if backend.is_array(x)), xp(args[0]))
