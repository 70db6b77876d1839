"""Layers for images and deep nets: PyTorch's numbers with PyTorch's weights, and closed forms where it has no model."""

import numpy as np
import pytest

import tinygrad_rnn as tg
from tinygrad_rnn import nn, optim


def numbers(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape)


def close(ours, theirs, tolerance=1e-10):
    np.testing.assert_allclose(ours, theirs, rtol=tolerance, atol=tolerance)


def same_as_pytorch(ours, theirs, x):
    """Outputs, and all gradients under PyTorch's names, of two models with the same weights."""
    torch = pytest.importorskip("torch")
    xs, ts = tg.tensor(x, requires_grad=True), torch.tensor(x, requires_grad=True)
    y, z = ours(xs), theirs(ts)
    close(y.numpy(), z.detach().numpy())
    seed = numbers(*y.shape, seed=9)
    tg.sum(y * seed).backward()
    (z * torch.tensor(seed)).sum().backward()
    close(xs.grad.numpy(), ts.grad.numpy())
    for p in ours.parameters():
        p.data = p.grad.data  # so that the names and layouts of gradients are those of the weights
    gradients = nn.to_torch(ours)
    for name, p in theirs.named_parameters():
        close(gradients[name], p.grad.numpy())


# Convolution, pooling, LeNet5


@pytest.mark.parametrize(("kernel", "options"), [
    (3, {}), ((3, 2), {"stride": 2, "padding": (1, 0)}), ((3, 5), {"padding": "same"}), (1, {"bias": False}),
])  # fmt: skip
def test_conv2d_is_pytorchs(kernel, options):
    torch = pytest.importorskip("torch")
    theirs = torch.nn.Conv2d(2, 3, kernel, dtype=torch.float64, **options)
    ours = nn.Conv2d(2, 3, kernel, **options)
    nn.load_torch(ours, theirs.state_dict())
    same_as_pytorch(ours, theirs, numbers(2, 2, 6, 5))


def lecture_lenet(torch):
    """The class of the lecture, word for word but for the names of packages."""
    t = torch.nn

    class LeNet5(t.Module):
        def __init__(self, n_categories):
            super().__init__()
            self.conv_block1 = t.Sequential(t.Conv2d(1, 6, kernel_size=(5, 5)), t.ReLU(), t.MaxPool2d((2, 2)))
            self.conv_block2 = t.Sequential(t.Conv2d(6, 16, kernel_size=(5, 5)), t.ReLU(), t.MaxPool2d((2, 2)))
            self.fc1 = t.Linear(400, 120)
            self.fc2 = t.Linear(120, 84)
            self.fc3 = t.Linear(84, n_categories)

        def forward(self, x):
            out = self.conv_block1(x)
            out = self.conv_block2(out)
            out = out.reshape(out.size(0), -1)
            out = t.ReLU()(self.fc1(out))
            out = t.ReLU()(self.fc2(out))
            return self.fc3(out)

    return LeNet5(10).double()


def test_lenet5_is_the_lectures():
    torch = pytest.importorskip("torch")
    theirs, ours = lecture_lenet(torch), nn.LeNet5()
    nn.load_torch(ours, theirs.state_dict())
    assert ours.count_parameters() == 61706
    same_as_pytorch(ours, theirs, numbers(3, 1, 32, 32))


def test_lenet5_has_the_lectures_shapes():
    net, x = nn.LeNet5(rng=0), np.zeros((2, 1, 32, 32), np.float32)
    first = net.conv_block1(x)
    second = net.conv_block2(first)
    assert (first.shape, second.shape, net.flatten(second).shape) == ((2, 6, 14, 14), (2, 16, 5, 5), (2, 400))
    assert net(x).shape == (2, 10)
    with pytest.raises(ValueError, match=r"LeNet5 takes images \(B, C, 32, 32\), not \(2, 1, 28, 28\)"):
        net(np.zeros((2, 1, 28, 28)))


def test_conv2d_says_what_it_takes():
    with pytest.raises(ValueError, match=r"Conv2d\(2, 3, 3\) takes x \(B, 2, H, W\), not array \(1, 1, 4, 4\)"):
        nn.Conv2d(2, 3, 3)(np.zeros((1, 1, 4, 4)))
    with pytest.raises(ValueError, match='"same" needs odd kernels and stride 1'):
        nn.Conv2d(2, 3, 4, padding="same")


# Batch normalisation


@pytest.mark.parametrize("shape", [(5, 3), (4, 3, 2, 2)])
def test_batch_norm_is_pytorchs_in_training_and_in_evaluation(shape):
    torch = pytest.importorskip("torch")
    theirs = (torch.nn.BatchNorm1d if len(shape) == 2 else torch.nn.BatchNorm2d)(3, dtype=torch.float64)
    with torch.no_grad():
        theirs.weight.copy_(torch.tensor(numbers(3, seed=1)))
        theirs.bias.copy_(torch.tensor(numbers(3, seed=2)))
    ours = nn.BatchNorm(3, dtype=np.float64)
    nn.load_torch(ours, theirs.state_dict())
    for seed in range(2):  # the running statistics move twice
        ours(numbers(*shape, seed=seed))
        theirs(torch.tensor(numbers(*shape, seed=seed)))
    close(ours.running_mean.data, theirs.running_mean.numpy())
    close(ours.running_var.data, theirs.running_var.numpy())
    weights = ours.state_dict()
    same_as_pytorch(ours.eval(), theirs.eval(), numbers(*shape, seed=5))
    theirs.zero_grad()
    ours.zero_grad()
    ours.load_state_dict(weights)
    same_as_pytorch(ours.train(), theirs.train(), numbers(*shape, seed=6))


def test_the_training_gradient_of_batch_norm_knows_the_statistics_and_that_of_evaluation_does_not():
    """dx = w / sqrt(var + eps) (dy - mean(dy) - x_hat mean(dy x_hat)) against w / sqrt(var + eps) dy."""
    x, dy, eps = numbers(6, 3), numbers(6, 3, seed=1), 1e-5
    layer = nn.BatchNorm(3, momentum=1.0, eps=eps, dtype=np.float64)
    layer.w.data = numbers(3, seed=2)
    x_hat, scale = (x - x.mean(0)) / np.sqrt(x.var(0) + eps), layer.w.data / np.sqrt(x.var(0) + eps)
    leaf = tg.tensor(x, requires_grad=True)
    (got,) = tg.grad(tg.sum(layer(leaf) * dy), leaf)
    close(got.numpy(), scale * (dy - dy.mean(0) - x_hat * (dy * x_hat).mean(0)))
    (got,) = tg.grad(tg.sum(layer.eval()(leaf) * dy), leaf)
    close(got.numpy(), layer.w.data / np.sqrt(x.var(0, ddof=1) + eps) * dy)  # momentum 1: running is that of x


def test_running_statistics_are_saved_and_moved_but_not_learned(device):
    layer = nn.Sequential(nn.Linear(2, 3, rng=0), nn.BatchNorm(3))
    layer(numbers(5, 2).astype(np.float32))
    saved = layer.state_dict()
    assert list(saved) == ["0.W", "0.b", "1.w", "1.b", "1.running_mean", "1.running_var"]
    assert [name for name, _ in layer.named_parameters()] == ["0.W", "0.b", "1.w", "1.b"]
    assert layer.count_parameters() == 15
    other = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm(3))
    other.load_state_dict(saved)
    x = numbers(4, 2, seed=3).astype(np.float32)
    expected = layer.eval()(x).numpy()
    y = other.eval().to(device)(tg.tensor(x, device=device))
    assert y.device == other[1].running_mean.device == device
    np.testing.assert_allclose(y.numpy(), expected, rtol=1e-5, atol=1e-6)
    layer.train()(tg.tensor(x)).sum().backward()
    assert layer[1].running_mean.grad is None
    assert layer.astype(np.float64)[1].running_var.dtype == np.float64


def test_batch_norm_says_what_it_cannot_do():
    with pytest.raises(ValueError, match=r"BatchNorm\(3\) has 1 number a feature to train on"):
        nn.BatchNorm(3)(np.zeros((1, 3)))
    assert nn.BatchNorm(3).eval()(np.ones((1, 3))).shape == (1, 3)
    with pytest.raises(ValueError, match=r"BatchNorm\(3\) takes x \(B, 3\) or \(B, 3, H, W\), not array \(2, 4\)"):
        nn.BatchNorm(3)(np.zeros((2, 4)))


# Depth: highway and residual


def test_a_highway_layer_is_the_lectures_formula():
    layer, x = nn.HighwayLayer(4, rng=0, dtype=np.float64), numbers(5, 4)
    g = 1 / (1 + np.exp(-(x @ layer.W_T.data + layer.b_T.data)))
    H = np.tanh(x @ layer.W_H.data + layer.b_H.data)
    close(layer(x).numpy(), g * H + (1 - g) * x)
    assert (layer.b_T.data == -2).all()


def test_the_gradient_of_a_highway_layer_in_closed_form():
    """dL/dx = g_ (1 - H^2) g @ W_H.T + g_ (H - x) g (1 - g) @ W_T.T + (1 - g) g_, with g_ = dL/dy."""
    layer, x, up = nn.HighwayLayer(4, rng=0, gate_bias=0.3, dtype=np.float64), numbers(5, 4), numbers(5, 4, seed=1)
    leaf = tg.tensor(x, requires_grad=True)
    got = tg.grad(tg.sum(layer(leaf) * up), [leaf, layer.W_T, layer.b_H])
    g = 1 / (1 + np.exp(-(x @ layer.W_T.data + 0.3)))
    H = np.tanh(x @ layer.W_H.data)
    through_H, through_T = up * g * (1 - H**2), up * (H - x) * g * (1 - g)
    close(got[0].numpy(), through_H @ layer.W_H.data.T + through_T @ layer.W_T.data.T + (1 - g) * up)
    close(got[1].numpy(), x.T @ through_T)
    close(got[2].numpy(), through_H.sum(0))


@pytest.mark.parametrize("depth", [1, 40])
def test_a_closed_highway_is_its_entry_and_its_exit(depth):
    net = nn.Highway(3, 4, 2, depth, gate_bias=-100.0, rng=0, dtype=np.float64)
    x = numbers(5, 3)
    close(net(x).numpy(), net[-1](net[0](x)).numpy())
    with pytest.raises(ValueError, match=r"HighwayLayer\(4\) takes x \(..., 4\), to carry it on"):
        net[1](x)


def test_a_residual_block_adds_and_its_derivative_is_that_of_the_body_plus_one():
    body = nn.Linear(3, 3, rng=0, dtype=np.float64)
    block, x = nn.Residual(body), numbers(3)
    close(block(x).numpy(), x + x @ body.W.data)
    close(tg.jacobian(block, tg.tensor(x)).numpy(), np.eye(3) + body.W.data.T)
    with pytest.raises(ValueError, match=r"the body gives \(2, 1\): keep the sizes"):
        nn.Residual(nn.Linear(3, 1))(np.zeros((2, 3)))


def test_a_sequential_can_be_looked_into():
    net = nn.MLP([3, 4, 4, 2], tg.tanh, rng=0, dtype=np.float64)
    x = numbers(5, 3)
    hidden = np.tanh(x @ net[0].W.data + net[0].b.data)
    close(net[:2](x).numpy(), hidden)
    close(net[2:](hidden).numpy(), net(x).numpy())
    assert (len(net), len(net.parameters())) == (5, 6)
    with pytest.raises(ValueError, match="sizes"):
        nn.MLP([3])


# Transfer


def trained_step(model, params, x):
    optimizer = optim.SGD(params, lr=0.1, momentum=0.9, weight_decay=0.1)
    for _ in range(2):
        optimizer.zero_grad()
        (model(x) ** 2.0).mean().backward()
        optimizer.step()


def test_what_is_frozen_stays_and_the_rest_learns():
    model = nn.MLP([3, 4, 2], rng=0)
    x = tg.tensor(numbers(5, 3).astype(np.float32))
    trained_step(model, model.parameters(), x)  # leaves gradients behind, which must not move what is frozen next
    assert nn.freeze(model, "0.*") == ["0.W", "0.b"]
    before = model.state_dict()
    trained_step(model, model.parameters(), x)  # weight decay and momentum would move it too
    changed = {name for name, array in model.state_dict().items() if (array != before[name]).any()}
    assert changed == {"2.W", "2.b"}
    assert nn.unfreeze(model) == list(before)
    trained_step(model, nn.matching(model, "0.W").values(), x)
    assert (model[0].W.data != before["0.W"]).any()


def test_a_head_can_be_replaced():
    model = nn.LeNet5(rng=0)
    model.fc3 = nn.Linear(84, 5, rng=0)
    assert model(np.zeros((1, 1, 32, 32), np.float32)).shape == (1, 5)
    with pytest.raises(ValueError, match=r"LeNet5: no parameter matches 'fc3': its names are like fc3\.[Wb]"):
        nn.freeze(model, "fc3")


# Dropout


def test_dropout_in_training_is_on_average_what_it_is_in_evaluation():
    """The lecture's a = w1 x + w2 y with p = 1/2: the four masks, each as likely, and half of everything kept. Here
    what is kept is divided by 1 - p, so that the mean is w1 x + w2 y itself."""
    x = np.array([0.7, -1.3])
    w, masks = np.array([1.1, 0.4]), [(1, 1), (1, 0), (0, 0), (0, 1)]
    assert sum(0.25 * (w * x * m).sum() for m in masks) == pytest.approx(0.5 * (w * x).sum())
    layer = nn.Dropout(0.5, rng=0)
    seen = {}
    for _ in range(100):
        y = layer(tg.tensor(x)).numpy()
        seen[tuple((y != 0).astype(int).tolist())] = (w * y).sum()
    assert set(seen) == set(masks)  # every mask, each with its own activation
    assert sum(seen.values()) / 4 == pytest.approx((w * layer.eval()(x)).sum())
