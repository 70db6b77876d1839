"""Three roads to one number: RTRL, BPTT and the complex step."""

from __future__ import annotations

import numpy as np
import pytest

import tinygrad_rnn as tg
from tinygrad_rnn import flow, nn

T, D, H = 7, 2, 4


def setting(kind=nn.RNNCell, seed=0, hidden=H):
    rng = np.random.default_rng(seed)
    cell = kind(D, hidden, dtype=np.float64, rng=rng)
    cell.W_hh.data = 1.5 * cell.W_hh.data
    return cell, rng.standard_normal((T, 1, D)), rng.standard_normal((T, 1, hidden))


def top(state):
    return state[0] if isinstance(state, tuple) else state


def bptt(cell, x, c):
    state, loss = cell.zero_state(1), 0
    for x_t, c_t in zip(x, c, strict=True):
        state = cell(x_t, state)
        loss = loss + tg.sum(top(state) * c_t)
    return [g.numpy() for g in tg.grad(loss, list(cell.parameters()))]


def rtrl(cell, x, c):
    online, total = flow.RTRL(cell, cell.parameters(), cell.zero_state(1)), None
    for x_t, c_t in zip(x, c, strict=True):
        online.advance(x_t)
        found = online.gradients(lambda state: tg.sum(top(state) * c_t))  # noqa: B023
        total = found if total is None else [a + b for a, b in zip(total, found, strict=True)]
    return total, online


@pytest.mark.parametrize("kind", [nn.RNNCell, nn.LSTMCell, nn.GRUCell])
def test_it_is_bptt(kind):
    cell, x, c = setting(kind)
    for ours, theirs in zip(rtrl(cell, x, c)[0], bptt(cell, x, c), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-10, atol=1e-12)


def test_it_is_the_complex_step():
    cell, x, c = setting()
    weights = [p.numpy() for p in (cell.W_xh, cell.W_hh, cell.b_h)]

    def loss(W_xh, W_hh, b_h):
        h, total = np.zeros((1, H)), 0
        for x_t, c_t in zip(x, c, strict=True):
            h = np.tanh(x_t @ W_xh + h @ W_hh + b_h)
            total = total + (h * c_t).sum()
        return total

    for i, found in enumerate(rtrl(cell, x, c)[0]):
        for at in np.ndindex(found.shape):
            moved = [w.astype(complex) for w in weights]
            moved[i][at] += 1e-30j
            np.testing.assert_allclose(found[at], loss(*moved).imag / 1e-30, rtol=1e-10, atol=1e-13)


def test_p_is_dh_by_dw_of_the_elman_recursion():
    """Williams and Zipser's own indices: p[j; a, b] = f'(j) (sum_i W[i, j] p[i; a, b] + [b = j] h[a])."""
    cell, x, _ = setting()
    online = flow.RTRL(cell, [cell.W_hh], cell.zero_state(1))
    W, p, h = cell.W_hh.numpy(), np.zeros((H, H, H)), np.zeros(H)
    for x_t in x:
        new = np.tanh(x_t[0] @ cell.W_xh.numpy() + h @ W + cell.b_h.numpy())
        p = np.einsum("ij,iab->jab", W, p)
        for j in range(H):
            p[j, :, j] += h
        p, h = p * (1 - new**2)[:, None, None], new
        online.advance(x_t)
        np.testing.assert_allclose(online.P.reshape(H, H, H), p, rtol=1e-10, atol=1e-14)


def test_its_cost_grows_with_the_fourth_power_of_h():
    counts = {}
    for hidden in (4, 8, 16):
        cell, x, _ = setting(hidden=hidden)
        online = flow.RTRL(cell, [cell.W_hh], cell.zero_state(1))
        online.advance(x[0])
        counts[hidden] = online.multiplications
    assert counts == {4: 4**4, 8: 8**4, 16: 16**4}


def test_bad_input_is_answered_in_one_line():
    cell, x, _ = setting()
    with pytest.raises(ValueError, match=r"the state is \(1, H\), of one sequence, not \(2, 4\)"):
        flow.RTRL(cell, cell.parameters(), cell.zero_state(2))
    with pytest.raises(TypeError, match="the cell gives ndarray, not Tensors"):
        flow.RTRL(lambda x, h: np.ones((1, H)), cell.parameters(), cell.zero_state(1)).advance(x[0])
