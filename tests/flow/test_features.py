"""What layers answer, and the inputs that units like best, against closed forms."""

import numpy as np
import pytest

import tinygrad_rnn as tg
from tinygrad_rnn import flow, nn


def numbers(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape)


def test_activations_are_what_the_layers_give_and_the_model_stays_as_it_was():
    net, x = nn.MLP([3, 4, 2], tg.tanh, rng=0, dtype=np.float64), numbers(5, 3)
    seen = flow.activations(net, x)
    np.testing.assert_allclose(seen["0"], x @ net[0].W.data + net[0].b.data)
    np.testing.assert_array_equal(seen["2"], net(x).numpy())
    assert list(seen) == ["0", "2"]
    assert not any("forward" in vars(module) for module in net.modules())
    assert all(p.grad is None for p in net.parameters())


def test_a_forward_of_its_own_and_an_error_inside_leave_no_trace():
    net = nn.Sequential(nn.Linear(3, 3, rng=0), nn.Linear(3, 3, rng=1))
    mine = lambda x: x + 1  # noqa: E731
    net[0].forward = mine
    np.testing.assert_array_equal(flow.activations(net, np.zeros((1, 3)), "0")["0"], np.ones((1, 3)))
    assert net[0].forward is mine
    with pytest.raises(ValueError, match=r"Linear\(3, 3\) takes x"):
        flow.activations(net, np.zeros((1, 4)))
    assert net[0].forward is mine
    assert "forward" not in vars(net[1])
    with pytest.raises(ValueError, match="Sequential has no module '5': 0, 1"):
        flow.activations(net, np.zeros((1, 3)), "5")


@pytest.mark.parametrize("kernel", ["fused", "unrolled"])
def test_of_a_recurrent_layer_the_outputs_are_seen_and_its_cells_are_let_alone(kernel):
    layer = nn.LSTM(3, 4, num_layers=2, bidirectional=True, kernel=kernel, rng=0)
    net, x = nn.wirings.ManyToOne(layer, nn.Linear(8, 2, rng=1)), numbers(5, 2, 3).astype(np.float32)
    seen = flow.activations(net, x)
    assert list(seen) == ["layer", "head"]
    np.testing.assert_array_equal(seen["layer"], layer(x)[0].numpy())
    np.testing.assert_array_equal(seen["head"], net(x).numpy())
    with pytest.raises(ValueError, match=r"no module 'layer.layers.0': layer, layer.layers.0.forward, "):
        flow.activations(net, x, "layer.layers.0")


def test_the_image_that_a_linear_unit_likes_best_is_its_weights_over_the_penalty():
    """argmax w x - l2 / 2 |x|^2 = w / l2, with the value |w|^2 / (2 l2)."""
    w, l2 = numbers(4), 0.5
    image, goals = flow.maximise(lambda x: (x * w).sum(), numbers(4, seed=1), steps=400, lr=0.1, l2=l2)
    np.testing.assert_allclose(image, w / l2, rtol=1e-6)
    assert goals[-1] == pytest.approx((w**2).sum() / (2 * l2))
    assert (np.diff(goals) >= -1e-12).all()
    assert len(goals) == 401


def test_maximising_a_logit_of_lenet_raises_it_above_all_others():
    net = nn.LeNet5(rng=0)
    start = 0.1 * numbers(1, 1, 32, 32).astype(np.float32)
    for digit in (3, 7):
        image, goals = flow.maximise(lambda x, digit=digit: net(x)[0, digit], start, steps=30, lr=1.0, l2=0.01)
        assert image.dtype == np.float32
        assert goals[-1] > goals[0]
        assert int(net(image).numpy().argmax()) == digit
    assert all(p.grad is None for p in net.parameters())
    with pytest.raises(FloatingPointError, match=r"maximise: step \d+ gives .*: lower lr, or raise l2"):
        flow.maximise(lambda x: (x * x * x * x).sum(), np.full(3, 10.0), lr=10.0)


def test_saliency_is_the_size_of_the_gradient():
    w, x = numbers(3, 2), numbers(5, 3)
    s = flow.saliency(lambda x: (x @ w)[:, 1].sum(), x)
    np.testing.assert_allclose(s, np.broadcast_to(np.abs(w[:, 1]), (5, 3)))
