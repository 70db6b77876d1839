"""The LSTM's arithmetic in one pass: by Numba, where it is prepared, and as CUDA text, here run by a C++ compiler.
Both against NumPy's. And when each of them may be used."""

from __future__ import annotations

import ctypes
import importlib
import json
import os
import shutil
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tinygrad_rnn as tg
from tinygrad_rnn import ops
from tinygrad_rnn.ops.recurrent import cuda, fast, lstm, one_pass

CASES = settings(max_examples=60, deadline=None)


def run(kernels, x, arrays, used, monkeypatch, **options):
    """Outputs and gradients of one LSTM whose arithmetic is `kernels`, None for NumPy; `used`: of hs, h and c."""
    asked = []
    monkeypatch.setattr(lstm, "kernels_for", lambda lib, dtype: asked.append(dtype) or kernels)
    leaves = [tg.core.Tensor(a, True) for a in (x, *arrays)]  # which are taken as they lie in memory
    for leaf in leaves:
        leaf.data.flags.writeable = False
    outputs = ops.lstm_sequence(*leaves, **options)
    rng = np.random.default_rng(0)
    weights = [rng.standard_normal(y.shape).astype(y.dtype) for y in outputs]
    sum(tg.sum(y.T * w.T) for y, w, u in zip(outputs, weights, used, strict=True) if u).backward()  # .T: not contiguous
    assert len(asked) == 2
    return [y.numpy() for y in outputs] + [leaf.grad.numpy() for leaf in leaves]


def agree(got, expected, tolerance):
    for a, b in zip(got, expected, strict=True):
        assert a.dtype == b.dtype
        assert np.abs(a - b).max() <= tolerance * max(1, np.abs(b).max())


def numbers(T, B, D, H, dtype, seed):
    """x, h, c, W_xh, W_hh and b_h, some of them not contiguous; weights as a layer draws them."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((B, T, D)).astype(dtype).transpose(1, 0, 2)
    h, c = (rng.standard_normal((H, B)).astype(dtype).T for _ in range(2))
    bound = 1 / np.sqrt(H)
    W_xh, W_hh = (rng.uniform(-bound, bound, (4 * H, n)).astype(dtype).T for n in (D, H))
    return x, [h, c, W_xh, W_hh, rng.uniform(-bound, bound, 4 * H).astype(dtype)]


def mask_for(kind, T, B, seed):
    rng = np.random.default_rng(seed)
    return {"none": None, "holes": rng.random((T, B)) < 0.6,
            "lengths": np.arange(T)[:, None] < rng.integers(0, T + 1, B)}[kind]  # fmt: skip


sizes = st.tuples(st.integers(1, 30), st.integers(1, 40), st.integers(1, 5), st.integers(1, 80))
masks = st.sampled_from(["none", "none", "lengths", "holes"])
subsets = st.sampled_from([(1, 1, 1), (1, 0, 0), (0, 1, 0), (0, 0, 1), (0, 1, 1)])


@pytest.fixture(scope="module")
def compiled():
    pytest.importorskip("numba", reason="the extra `fast` is not installed: pip install numba")
    return importlib.import_module("tinygrad_rnn.ops.recurrent.compiled")


@CASES
@given(size=sizes, mask=masks, reverse=st.booleans(), used=subsets, seed=st.integers(0, 10**6))
def test_numbas_arithmetic_is_numpys(compiled, size, mask, reverse, used, seed):
    T, B, D, H = size
    x, arrays = numbers(T, B, D, H, np.float32, seed)
    options = {"mask": mask_for(mask, T, B, seed), "reverse": reverse}
    with pytest.MonkeyPatch.context() as patch:
        expected = run(None, x, arrays, used, patch, **options)
        agree(run(compiled, x, arrays, used, patch, **options), expected, 1e-5)


@pytest.mark.parametrize("at_once", [False, True])
@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("used", [(1, 1, 1), (0, 0, 1)])
def test_both_walks_of_numbas(compiled, at_once, reverse, used, monkeypatch):
    """Small products inside the compiled loop, and larger ones outside."""
    monkeypatch.setattr(one_pass, "SMALL", 10**9 if at_once else 0)
    x, arrays = numbers(9, 5, 3, 7, np.float32, 1)
    agree(run(compiled, x, arrays, used, monkeypatch, reverse=reverse),
          run(None, x, arrays, used, monkeypatch, reverse=reverse), 1e-6)  # fmt: skip


@pytest.mark.parametrize("small", [0, 10**9])
@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
def test_numba_hides_no_wrong_number(compiled, small, wrong, monkeypatch):
    """A NaN that comes in comes out, wherever NumPy's does; an infinite input saturates its gates."""
    monkeypatch.setattr(one_pass, "SMALL", small)
    x, arrays = numbers(6, 3, 2, 16, np.float32, 2)
    x = x.copy()
    x[2, 1] = (wrong, 0)
    with np.errstate(invalid="ignore"):  # 0 times infinity, on the way back
        y, expected = (run(k, x, arrays, (1, 0, 0), monkeypatch)[:3] for k in (compiled, None))
    for a, b in zip(y, expected, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5)  # NaN where NaN
    assert np.isnan(y[0]).any() == np.isnan(wrong)


def test_numbas_tanh_is_tanh(compiled):
    a = np.concatenate([np.linspace(-20, 20, 4001), 10.0 ** np.arange(-37, 0)]).astype(np.float32)
    H = len(a)
    rows = np.zeros((1, 4 * H), np.float32)
    rows[0, : 3 * H] = 40  # gates open
    rows[0, 3 * H :] = a
    gates, tanh_c, c, h = (np.zeros(s, np.float32) for s in ((5, 1, H), (1, H), (1, H), (1, H)))
    compiled.lstm_forward(rows, np.zeros_like(rows), gates, tanh_c, c, h)
    np.testing.assert_allclose(gates[3, 0], np.tanh(a.astype(np.float64)), rtol=1e-6)
    np.testing.assert_allclose(tanh_c[0], np.tanh(c[0].astype(np.float64)), rtol=1e-6)


# CUDA


class OnTheHost:
    """The kernels of `cuda`, their text compiled as C++ and called for one thread after the other, with its launches'
    geometry."""

    SHIM = """
        #include <cmath>
        using std::tanh;
        #define __global__
        struct { int x; } blockIdx, blockDim, threadIdx;
        typedef %s real;
    """
    LAUNCH = """
        #define EACH(call) for (blockIdx.x = 0; blockIdx.x < blocks; blockIdx.x++) \\
            for (threadIdx.x = 0; threadIdx.x < threads; threadIdx.x++) call;
        extern "C" void launch_forward(int blocks, int threads, real* a, real* x, real* g, real* t, real* c, real* h,
                                       int B, int H) {
            blockDim.x = threads;
            EACH(lstm_forward(a, x, g, t, c, h, B, H))
        }
        extern "C" void launch_backward(int blocks, int threads, real* o, real* b, real* dc, real* g, real* t, real* da,
                                        int B, int H) {
            blockDim.x = threads;
            EACH(lstm_backward(o, b, dc, g, t, da, B, H))
        }
    """

    def __init__(self, compiler, folder, real):
        source, library = folder / f"{real}.cpp", folder / f"{real}.so"
        source.write_text(self.SHIM % real + cuda.SOURCE + self.LAUNCH)
        subprocess.run([compiler, "-O1", "-shared", "-fPIC", "-o", library, source], check=True, timeout=60)
        self.library = ctypes.CDLL(str(library))

    def _launch(self, name, like, *arrays):
        B, H = like.shape
        assert all(a.flags.c_contiguous and a.dtype == like.dtype for a in arrays)
        blocks = -(-B * H // cuda.THREADS)
        pointers = [a.ctypes.data_as(ctypes.c_void_p) for a in arrays]
        getattr(self.library, name)(blocks, cuda.THREADS, *pointers, B, H)

    def lstm_forward(self, a, x, gates, tanh_c, c, h):
        self._launch("launch_forward", h, a, x, gates, tanh_c, c, h)

    def lstm_backward(self, dh_out, dh_before, dc, gates, tanh_c, da):
        self._launch("launch_backward", dc, dh_out, dh_before, dc, gates, tanh_c, da)


@pytest.fixture(scope="module")
def on_the_host(tmp_path_factory):
    compiler = shutil.which("g++") or shutil.which("c++")
    if compiler is None:
        pytest.skip("no C++ compiler here to run the cuda text without a GPU")
    folder = tmp_path_factory.mktemp("cuda")
    return {dtype: OnTheHost(compiler, folder, real) for dtype, real in ((np.float32, "float"), (np.float64, "double"))}


@CASES
@given(size=sizes, mask=masks, reverse=st.booleans(), used=subsets, seed=st.integers(0, 10**6),
       dtype=st.sampled_from([np.float32, np.float64]))  # fmt: skip
def test_the_cuda_text_computes_what_numpy_does(on_the_host, size, mask, reverse, used, seed, dtype):
    T, B, D, H = size
    T = min(T, 8)
    x, arrays = numbers(T, B, D, H, dtype, seed)
    options = {"mask": mask_for(mask, T, B, seed), "reverse": reverse}
    with pytest.MonkeyPatch.context() as patch:
        expected = run(None, x, arrays, used, patch, **options)
        got = run(on_the_host[dtype], x, arrays, used, patch, **options)
    agree(got, expected, 1e-5 if dtype == np.float32 else 1e-12)


def test_each_library_and_dtype_has_its_arithmetic(monkeypatch):
    monkeypatch.setattr(fast, "kernels", lambda: "numba's")
    cupy = SimpleNamespace(__name__="cupy")
    assert one_pass.kernels_for(np, np.dtype(np.float32)) == "numba's"
    assert one_pass.kernels_for(np, np.dtype(np.float64)) is None
    assert one_pass.kernels_for(np, np.dtype(np.complex64)) is None
    assert one_pass.kernels_for(cupy, np.dtype(np.float32)) is one_pass.kernels_for(cupy, np.dtype(np.float64)) is cuda
    assert one_pass.kernels_for(cupy, np.dtype(np.float16)) is None


# When compiled arithmetic is used


@pytest.fixture
def note(tmp_path, monkeypatch):
    """Where it is noted that something was compiled: nothing yet."""
    pytest.importorskip("numba", reason="the extra `fast` is not installed: pip install numba")
    monkeypatch.setattr(fast, "_NOTES", (tmp_path / "a" / "compiled.json", tmp_path / "b" / "compiled.json"))
    monkeypatch.delenv("TINYGRAD_RNN_FAST", raising=False)
    fast.kernels.cache_clear()
    yield fast._NOTES[0]
    fast.kernels.cache_clear()


NOT_YET = "not compiled yet: tinygrad-rnn compile"


def kernels_now():
    fast.kernels.cache_clear()
    return fast.kernels()


def test_numpy_computes_until_it_is_compiled(note):
    assert (fast.status(), fast.kernels()) == (NOT_YET, None)
    assert fast.prepare() == note
    assert fast.status() == "ready"
    assert fast.kernels().__name__ == "tinygrad_rnn.ops.recurrent.compiled"  # without another process


def test_numpy_computes_where_the_note_no_longer_holds(note, monkeypatch):
    fast.prepare()
    good = json.loads(note.read_text())
    for stale in ({"source": [0, 0]}, {"numba": "0.1"}, {"python": "2.7"}, {"processor": "another"}):
        note.write_text(json.dumps(good | stale))
        assert (fast.status(), kernels_now()) == (NOT_YET, None), stale
    note.write_text(json.dumps(good))
    assert fast.status() == "ready"
    monkeypatch.setenv("TINYGRAD_RNN_FAST", "0")
    assert (fast.status(), kernels_now()) == ("turned off by TINYGRAD_RNN_FAST=0", None)
    monkeypatch.setenv("TINYGRAD_RNN_FAST", "1")
    assert kernels_now() is not None


def test_a_changed_source_is_not_compiled_yet(note, monkeypatch, tmp_path):
    fast.prepare()
    changed = tmp_path / "compiled.py"
    shutil.copy2(fast._SOURCE, changed)
    monkeypatch.setattr(fast, "_SOURCE", changed)
    assert fast.status() == "ready"
    os.utime(changed, (1, 1))
    assert (fast.status(), kernels_now()) == (NOT_YET, None)


@pytest.mark.parametrize("damaged", ["", "{", "[]", "null", "3", "{}", "\x00", '{"processor": "x"}'])
def test_a_damaged_note_is_none(note, damaged):
    note.parent.mkdir()
    note.write_text(damaged)
    assert (fast.status(), kernels_now()) == (NOT_YET, None)


def test_a_note_of_another_making_is_none(note):
    fast.prepare()
    noted = json.loads(note.read_text())
    del noted["processor"]
    note.write_text(json.dumps(noted))
    assert fast.status() == NOT_YET


def test_the_second_place_serves_where_the_first_cannot_be_written(note):
    note.parent.write_text("a file, where a folder should be")
    assert fast.prepare() == fast._NOTES[1]
    assert fast.status() == "ready"
    fast._NOTES[1].unlink()
    fast._NOTES[1].parent.rmdir()
    fast._NOTES[1].parent.write_text("another")
    with pytest.raises(OSError, match="Errno"):
        fast.prepare()


def test_without_numba_the_remedy_is_said(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    monkeypatch.delenv("TINYGRAD_RNN_FAST", raising=False)
    remedy = "Numba is not installed: pip install 'tinygrad_rnn[fast]'"
    assert fast.status() == remedy
    with pytest.raises(RuntimeError) as told:
        fast.prepare()
    assert str(told.value) == remedy


def test_nobody_waits_for_a_compiler_by_surprise():
    """In a process of its own, whether or not something is compiled on this machine: turned off, Numba stays out."""
    code = "import sys, numpy as np, tinygrad_rnn as tg\n" \
           "assert 'numba' not in sys.modules, 'on import'\n" \
           "from tinygrad_rnn.ops.recurrent import fast\n" \
           "fast._NOTES = ()\n" \
           "y = tg.nn.LSTM(2, 3)(np.ones((4, 1, 2), np.float32))[0]\n" \
           "tg.sum(y).backward()\n" \
           "assert y.op == 'lstm_sequence'\n" \
           "assert not {'numba', 'llvmlite'} & set(sys.modules), 'in use'\n"  # fmt: skip
    for fast_is in ("0", "1"):
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False,
                              env={**os.environ, "TINYGRAD_RNN_FAST": fast_is})  # fmt: skip
        assert (done.returncode, done.stderr) == (0, "")
