import numpy as np
import pytest

import tinygrad_rnn as tg
from tinygrad_rnn import nn

rng = np.random.default_rng(0)


@pytest.mark.parametrize("shape", [(3,), (2, 3), (4, 2, 3), (0, 3)])
def test_linear_is_a_product_and_a_sum(shape):
    layer = nn.Linear(3, 5, rng=0, dtype=np.float64)
    layer.b.data = rng.standard_normal(5)
    x = rng.standard_normal(shape)
    np.testing.assert_allclose(layer(x).numpy(), x @ layer.W.data + layer.b.data, rtol=1e-12)


def test_linear_without_bias():
    layer = nn.Linear(3, 5, bias=False)
    assert list(layer.state_dict()) == ["W"]
    assert not layer(np.zeros((2, 3))).numpy().any()


def test_linear_refuses_another_size():
    with pytest.raises(ValueError, match=r"Linear\(3, 5\) takes x \(\.\.\., 3\), not array \(2, 4\)"):
        nn.Linear(3, 5)(np.ones((2, 4)))


def test_embedding_is_a_one_hot_times_the_table():
    layer = nn.Embedding(6, 2, rng=0, dtype=np.float64)
    indices = rng.integers(0, 6, (4, 3))
    y = layer(indices)
    np.testing.assert_array_equal(y.numpy(), np.eye(6)[indices] @ layer.W.data)
    y.sum().backward()
    np.testing.assert_array_equal(layer.W.grad.numpy()[:, 0], np.bincount(indices.ravel(), minlength=6))
    with pytest.raises(IndexError, match="6"):
        layer(np.array([6]))


def test_dropout_keeps_the_mean_in_training_and_everything_otherwise():
    x = np.ones((100, 100))
    layer = nn.Dropout(0.25, rng=0)
    y = layer(tg.tensor(x)).numpy()
    assert set(np.unique(y)) == {0.0, 1 / 0.75}
    assert abs(y.mean() - 1) < 4 * np.sqrt(0.25 / 0.75) / 100  # four standard errors
    assert (layer(tg.tensor(x)).numpy() != y).any()
    np.testing.assert_array_equal(layer.eval()(tg.tensor(x)).numpy(), x)
    with pytest.raises(ValueError, match="between 0 and 1"):
        nn.Dropout(1.5)


def test_on_every_device(device):
    embedding, linear, dropout = nn.Embedding(6, 3, rng=0), nn.Linear(3, 2, rng=0), nn.Dropout(0.5, rng=0)
    indices = rng.integers(0, 6, (4, 2))
    expected = linear(dropout(embedding(indices))).numpy()
    dropout.rng = np.random.default_rng(0)
    y = linear.to(device)(dropout(embedding.to(device)(indices)))  # NumPy indices may come from the CPU
    y.sum().backward()
    assert y.device == embedding.W.grad.device == linear.W.grad.device == device
    np.testing.assert_allclose(y.numpy(), expected, rtol=1e-6, atol=1e-6)


def test_the_same_seed_gives_the_same_weights_and_none_gives_others():
    np.testing.assert_array_equal(nn.Linear(3, 5, rng=4).W.data, nn.Linear(3, 5, rng=np.random.default_rng(4)).W.data)
    assert (nn.Linear(3, 5).W.data != nn.Linear(3, 5).W.data).any()
