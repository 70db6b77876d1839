"""Jacobian products against `tg.jacobian` of the composed function, closed forms, and differences of the function."""

from __future__ import annotations

import numpy as np
import pytest

import tinygrad_rnn as tg
from tests.flow.runs import elman, lstm, lstm_step, weight
from tinygrad_rnn import flow


def test_products_are_the_jacobians_of_the_composed_function():
    run = elman(T=6, B=3, H=5)
    products = flow.jacobian_products(run.states, sample=1)
    for k in range(7):

        def later(h, k=k):
            states = [h]
            for t in range(k, 6):
                states.append(tg.tanh(run.X[t][1] @ run.W_xh + run.b_h + states[-1] @ run.W_hh))
            return tg.stack(states)

        expected = tg.jacobian(later, tg.tensor(run.states[k].data[1])).data
        for t in range(k, 7):
            np.testing.assert_allclose(products.matrix(t, k), expected[t - k], rtol=0, atol=1e-12 * abs(expected).max())
            sigma = np.linalg.svd(expected[t - k], compute_uv=False)
            np.testing.assert_allclose(products.singular_values[t, k], sigma, atol=1e-12)
            np.testing.assert_allclose(products.norms[t, k], sigma[0], rtol=1e-11)
            np.testing.assert_allclose(products.frobenius[t, k], np.linalg.norm(expected[t - k]), rtol=1e-11)
    assert not np.triu(products.norms, 1).any()
    assert products.steps == (None, 0, 1, 2, 3, 4, 5)
    assert not products.carousel.any()  # an Elman net has no direct path


def test_a_step_of_an_elman_net_is_the_closed_form():
    run = elman(T=3)
    step = flow.jacobian_products(run.states, sample=2).step_jacobians[1]
    h = run.states[2].data[2]
    np.testing.assert_allclose(step, (1 - h**2)[:, None] * run.W_hh.data.T, rtol=1e-13)


def test_the_scalar_linear_net_gives_powers():
    w, states = tg.tensor(np.array(0.7), requires_grad=True), [tg.tensor(np.array(1.0), requires_grad=True)]
    for t in range(5):
        with tg.step(t):
            states.append(w * states[-1] + 1.0)
    products = flow.jacobian_products(states)
    t, k = np.indices((6, 6))
    np.testing.assert_allclose(products.norms, np.where(t >= k, 0.7 ** (t - k), 0), rtol=1e-14)
    np.testing.assert_allclose(products.carousel, 0.7)  # h is only scaled and added to
    assert products.gates.norms.max() < 1e-15


def test_the_whole_lstm_state_has_exact_products():
    run = lstm(T=4, H=3)
    products = flow.jacobian_products(run.states, sample=1)

    def last(s):
        h, c = s[:3], s[3:]
        for t in range(1, 4):
            h, c, _ = lstm_step(run.X[t][1], h, c, run.W_xh, run.W_hh, run.b_h)
        return tg.concat([h, c])

    start = np.concatenate([x.data[1] for x in run.states[1]])
    expected = tg.jacobian(last, tg.tensor(start)).data
    np.testing.assert_allclose(products.matrix(4, 1), expected, rtol=0, atol=1e-12 * abs(expected).max())


def test_the_cell_path_of_an_lstm_is_the_formula_with_all_its_terms():
    """dc_t/dc_{t-1} = diag(f) + [diag(c f(1-f)) U_f + diag(g i(1-i)) U_i + diag(i(1-g^2)) U_g] diag(o'(1-tanh^2 c))."""
    run, b, H = lstm(T=5, H=4), 1, 4
    products = flow.jacobian_products(run.states, of=1, sample=b)
    U_i, U_f, _, U_g = (run.W_hh.data[:, k * H : (k + 1) * H].T for k in range(4))
    for t in range(2, 6):
        c, gate, o = run.states[t - 1][1].data[b], run.gates[t - 1], run.gates[t - 2].o.data[b]
        i, f, g = gate.i.data[b], gate.f.data[b], gate.g.data[b]
        through = np.diag(c * f * (1 - f)) @ U_f + np.diag(g * i * (1 - i)) @ U_i + np.diag(i * (1 - g**2)) @ U_g
        gates = through @ np.diag(o * (1 - np.tanh(c) ** 2))
        np.testing.assert_allclose(products.matrix(t, t - 1), np.diag(f) + gates, atol=1e-14)
        np.testing.assert_allclose(products.carousel[t - 1], f, rtol=1e-14)
        np.testing.assert_allclose(products.direct.matrix(t, t - 1), np.diag(f), atol=1e-15)
        np.testing.assert_allclose(products.gates.matrix(t, t - 1), gates, atol=1e-14)


def test_a_far_cell_derivative_is_that_of_the_function():
    """dc_T/dc_k with h_k a function of c_k: not the product of dc_t/dc_{t-1}, because o_t passes the cell by."""
    run = lstm(T=5, H=3)

    def last(c):
        h = run.gates[0].o.data[0] * tg.tanh(c)
        for t in range(1, 5):
            h, c, _ = lstm_step(run.X[t][0], h, c, run.W_xh, run.W_hh, run.b_h)
        return c

    expected = tg.jacobian(last, tg.tensor(run.states[1][1].data[0])).data
    products = flow.jacobian_products(run.states, of=1)
    np.testing.assert_allclose(products.matrix(5, 1), expected, rtol=0, atol=1e-12 * abs(expected).max())
    chain = np.linalg.multi_dot([products.matrix(t, t - 1) for t in range(5, 1, -1)])
    assert np.abs(chain - expected).max() > 1e-4 * np.abs(expected).max()
    forget = np.prod([run.gates[t].f.data[0] for t in range(1, 5)], axis=0)
    np.testing.assert_allclose(np.diag(products.direct.matrix(5, 1)), forget, rtol=1e-13)


@pytest.mark.parametrize("keep", ["z", "1-z"])
@pytest.mark.parametrize("reset", ["before", "after"])
def test_the_direct_path_of_a_gru_is_its_keep_gate(keep, reset):
    cell = tg.nn.GRUCell(3, 4, keep=keep, reset=reset, rng=0, dtype=np.float64)
    rng = np.random.default_rng(0)
    states, kept = [weight(rng, 2, 4)], []
    for t in range(3):
        with tg.step(t), tg.trace() as tr:
            states.append(cell(tg.tensor(rng.normal(size=(2, 3))), states[-1]))
        z = next(x.data for node in tr.nodes for x in node.outputs if x.name == "z")
        kept.append(z[0] if keep == "z" else 1 - z[0])
    np.testing.assert_allclose(flow.jacobian_products(states).carousel, kept, rtol=1e-13)


def test_a_leaky_net_keeps_its_leak():
    rng = np.random.default_rng(0)
    W, states = weight(rng, 3, 3), [weight(rng, 1, 3)]
    for t in range(2):
        with tg.step(t):
            states.append(states[-1] * 0.75 + tg.tanh(states[-1] @ W) * 0.25)
    np.testing.assert_array_equal(flow.jacobian_products(states).carousel, 0.75)


def test_a_layer_of_the_library_is_read():
    cell = tg.nn.LSTMCell(3, 4, rng=0, dtype=np.float64)
    rng, states = np.random.default_rng(0), []
    state = (weight(rng, 2, 4), weight(rng, 2, 4))
    for t in range(4):
        with tg.step(t):
            state = cell(tg.tensor(rng.normal(size=(2, 3))), state)
        states.append(state)
    products = flow.jacobian_products(states, of=1)
    assert products.norms.shape == (4, 4)
    np.testing.assert_allclose(products.norms[3, 0], np.linalg.norm(products.matrix(-1, 0), 2))


def test_spectrum_tells_the_two_numbers_apart():
    rng = np.random.default_rng(0)
    Q, _ = np.linalg.qr(rng.normal(size=(5, 5)))
    assert np.allclose(flow.spectrum(tg.tensor(1.5 * Q)), (1.5, 1.5))  # orthogonal: normal, both the same
    shear = flow.spectrum(np.array([[0.5, 3.0], [0.0, 0.5]]))
    assert shear.rho == 0.5
    np.testing.assert_allclose(shear.sigma_1, (3 + np.sqrt(10)) / 2, rtol=1e-12)  # of [[a, b], [0, a]], by hand
    with pytest.raises(ValueError, match="square"):
        flow.spectrum(np.ones((2, 8)))


def test_bad_requests_get_one_clear_line():
    run, cell = elman(T=3), lstm(T=3)
    with pytest.raises(ValueError, match="the whole state"):
        flow.jacobian_products([h for h, _ in cell.states])
    with pytest.raises(ValueError, match="the whole state"):
        flow.jacobian_products([c for _, c in cell.states])
    with pytest.raises(ValueError, match="oldest first"):
        flow.jacobian_products(run.states[::-1])
    with pytest.raises(ValueError, match="at least two"):
        flow.jacobian_products(run.states[:1])
    with pytest.raises(ValueError, match="requires_grad=True"):
        flow.jacobian_products([h.detach() for h in run.states])
    with pytest.raises(ValueError, match="sample=3"):
        flow.jacobian_products(run.states, sample=3)
    with pytest.raises(ValueError, match="of=2"):
        flow.jacobian_products(cell.states, of=2)
    with pytest.raises(IndexError, match="no later one"):
        flow.jacobian_products(run.states).matrix(1, 2)


def test_what_is_no_list_of_states_is_named():
    run = elman(T=3)
    for wrong, said in ((run.total, "not the result of add"), (flow.find_states(run.total), "by name .'tanh'."),
                        (3.0, "not a float"), ([1.0, 2.0], "not float")):  # fmt: skip
        with pytest.raises(TypeError, match=f"jacobian_products: .*{said}"):
            flow.jacobian_products(wrong)
