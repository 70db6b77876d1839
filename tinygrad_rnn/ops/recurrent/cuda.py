"""The LSTM's arithmetic as CUDA kernels, one launch a step each way, for CuPy arrays.

As separate operations a step is some ten launches over the same few numbers, and on a GPU the launches are what takes
the time. The products stay cuBLAS's. Nothing here waits for the GPU: launches queue up behind each other.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

THREADS = 256  # a block

SOURCE = r"""
extern "C" __global__ void lstm_forward(const real* a, const real* x, real* gates, real* tanh_c, real* c, real* h,
                                        const int B, const int H) {
    const int n = blockIdx.x * blockDim.x + threadIdx.x, size = B * H;
    if (n >= size) return;
    const int at = n / H * 4 * H + n % H;  /* of the first gate's entry in a row (4H) */
    const real half = 0.5;
    const real i = half * tanh(half * (a[at] + x[at])) + half;
    const real f = half * tanh(half * (a[at + H] + x[at + H])) + half;
    const real o = half * tanh(half * (a[at + 2 * H] + x[at + 2 * H])) + half;
    const real g = tanh(a[at + 3 * H] + x[at + 3 * H]);
    const real new_c = f * gates[n + 4 * size] + i * g, t = tanh(new_c);
    gates[n] = i; gates[n + size] = f; gates[n + 2 * size] = o; gates[n + 3 * size] = g;
    c[n] = new_c; tanh_c[n] = t; h[n] = o * t;
}

extern "C" __global__ void lstm_backward(const real* dh_out, const real* dh_before, real* dc, const real* gates,
                                         const real* tanh_c, real* da, const int B, const int H) {
    const int n = blockIdx.x * blockDim.x + threadIdx.x, size = B * H;
    if (n >= size) return;
    const int at = n / H * 4 * H + n % H;
    const real one = 1;
    const real i = gates[n], f = gates[n + size], o = gates[n + 2 * size], g = gates[n + 3 * size];
    const real c_before = gates[n + 4 * size], t = tanh_c[n];
    const real dh = dh_out[n] + dh_before[n];
    const real d = dc[n] + dh * o * (one - t * t);
    da[at] = d * g * i * (one - i);
    da[at + H] = d * c_before * f * (one - f);
    da[at + 2 * H] = dh * t * o * (one - o);
    da[at + 3 * H] = d * i * (one - g * g);
    dc[n] = d * f;
}
"""


@cache
def _kernel(name: str, dtype: str) -> Any:
    import cupy

    real = {"float32": "float", "float64": "double"}[dtype]
    return cupy.RawModule(code=f"typedef {real} real;\n{SOURCE}", backend="nvrtc").get_function(name)


def _launch(name: str, like: Any, *arrays: Any) -> None:
    B, H = like.shape
    blocks = -(-B * H // THREADS)
    _kernel(name, str(like.dtype))((blocks,), (THREADS,), (*arrays, np.int32(B), np.int32(H)))


def lstm_forward(a: Any, x: Any, gates: Any, tanh_c: Any, c: Any, h: Any) -> None:
    """As `compiled.lstm_forward`; arrays in adjacent memory. c may be the c' of the step after."""
    _launch("lstm_forward", h, a, x, gates, tanh_c, c, h)


def lstm_backward(dh_out: Any, dh_before: Any, dc: Any, gates: Any, tanh_c: Any, da: Any) -> None:
    """As `compiled.lstm_backward`."""
    _launch("lstm_backward", dc, dh_out, dh_before, dc, gates, tanh_c, da)
