"""Each optimizer, step by step, is PyTorch's, and goes on from a saved state as if it had never stopped."""

import json

import numpy as np
import pytest

import tinygrad_rnn as tg
from tinygrad_rnn import nn, optim

CASES = [
    ("SGD", {"lr": 0.1}),
    ("SGD", {"lr": 0.1, "weight_decay": 0.2}),
    ("SGD", {"lr": 0.1, "momentum": 0.9}),
    ("SGD", {"lr": 0.1, "momentum": 0.9, "nesterov": True, "weight_decay": 0.1}),
    ("Adagrad", {"lr": 0.1}),
    ("Adagrad", {"lr": 0.1, "weight_decay": 0.1}),
    ("RMSprop", {"lr": 0.05}),
    ("RMSprop", {"lr": 0.05, "alpha": 0.9, "momentum": 0.8, "weight_decay": 0.1}),
    ("RMSprop", {"lr": 0.05, "centered": True, "momentum": 0.5}),
    ("Adam", {"lr": 0.1}),
    ("Adam", {"lr": 0.1, "betas": (0.5, 0.7), "eps": 1e-4, "weight_decay": 0.1}),
    ("AdamW", {"lr": 0.1}),
    ("AdamW", {"lr": 0.1, "weight_decay": 0.3}),
]
IDS = [f"{name} {' '.join(list(options)[1:])}" for name, options in CASES]
SHAPES = [(3, 4), (4,), ()]


def numbers(seed, shape):
    return np.random.default_rng(seed).standard_normal(shape)


def leaves(dtype=np.float64, device=None):
    return [tg.tensor(numbers(i, s), requires_grad=True, dtype=dtype, device=device) for i, s in enumerate(SHAPES)]


def set_gradients(params, step):
    for i, p in enumerate(params):
        p.grad = tg.tensor(numbers(100 * step + i, p.shape) * 10.0 ** (i - 1), dtype=p.dtype, device=p.device)


@pytest.mark.parametrize(("name", "options"), CASES, ids=IDS)
def test_ten_steps_are_pytorchs(name, options):
    torch = pytest.importorskip("torch")
    ours = leaves()
    theirs = [torch.tensor(p.data.copy(), requires_grad=True) for p in ours]
    optimizer, reference = getattr(optim, name)(ours, **options), getattr(torch.optim, name)(theirs, **options)
    for step in range(10):
        set_gradients(ours, step)
        for p, q in zip(ours, theirs, strict=True):
            q.grad = torch.tensor(p.grad.numpy().copy())
        if step in (3, 4):  # one parameter is not used for a while
            ours[1].grad = theirs[1].grad = None
        if step == 6:
            optimizer.lr = 0.5 * options["lr"]
            reference.param_groups[0]["lr"] = 0.5 * options["lr"]
        optimizer.step()
        reference.step()
        for p, q in zip(ours, theirs, strict=True):
            np.testing.assert_allclose(p.numpy(), q.detach().numpy(), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(("name", "options"), CASES, ids=IDS)
def test_a_saved_state_goes_on_bit_by_bit(name, options):
    ours = leaves(np.float32)
    optimizer = getattr(optim, name)(ours, **options)
    for step in range(4):
        set_gradients(ours, step)
        optimizer.step()
    state = optimizer.state_dict()
    arrays = {key: value for key, value in state.items() if isinstance(value, np.ndarray)}
    rest = json.loads(json.dumps({key: value for key, value in state.items() if key not in arrays}))
    twins = [tg.tensor(p, requires_grad=True) for p in ours]
    twin = getattr(optim, name)(twins, **({"lr": 7.0} if "momentum" not in options else {"lr": 7.0, "momentum": 0.1}))
    twin.load_state_dict(arrays | rest)
    assert twin.lr == options["lr"]
    for step in range(4, 8):
        set_gradients(ours, step)
        set_gradients(twins, step)
        optimizer.step()
        twin.step()
    for p, q in zip(ours, twins, strict=True):
        np.testing.assert_array_equal(p.data, q.data)
    for key, value in arrays.items():
        np.testing.assert_array_equal(value, state[key])  # what was saved is a copy


@pytest.mark.parametrize(("name", "options"), CASES, ids=IDS)
def test_on_every_device(name, options, device):
    ours, expected = leaves(device=device), leaves()
    optimizers = [getattr(optim, name)(params, **options) for params in (ours, expected)]
    for step in range(3):
        for params, optimizer in zip((ours, expected), optimizers, strict=True):
            set_gradients(params, step)
            optimizer.step()
            optimizer.load_state_dict(optimizer.state_dict())
    for p, q in zip(ours, expected, strict=True):
        assert p.device == device
        np.testing.assert_allclose(p.numpy(), q.numpy(), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(("name", "options"), CASES, ids=IDS)
def test_a_step_writes_into_no_array_that_a_graph_or_a_gradient_holds(name, options):
    params = leaves(np.float32)
    optimizer = getattr(optim, name)(params, **options)
    for step in range(3):
        set_gradients(params, step)
        held = [p.data for p in params] + [p.grad.data for p in params]
        copies = [a.copy() for a in held]
        optimizer.lr = np.float64(0.1)  # as schedules give it
        optimizer.step()
        for a, b in zip(held, copies, strict=True):
            np.testing.assert_array_equal(a, b)
        assert all(p.dtype == np.float32 and isinstance(p.data, np.ndarray) for p in params)


def test_learning_lowers_the_loss_of_a_network():
    rng = np.random.default_rng(0)
    layer, head = nn.LSTM(3, 8, rng=rng), nn.Linear(8, 2, rng=rng)
    x, targets = rng.standard_normal((5, 16, 3)).astype(np.float32), rng.integers(0, 2, (5, 16))
    optimizer = optim.Adam([*layer.parameters(), *head.parameters()], lr=0.02)
    losses = []
    for _ in range(60):
        optimizer.zero_grad()
        loss = tg.sequence_loss(head(layer(x)[0]), targets, over_time="mean")
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.5 * losses[0]


def test_a_shared_parameter_moves_once():
    p = tg.tensor([1.0], requires_grad=True)
    p.grad = tg.tensor([1.0])
    optim.SGD([p, p], lr=0.5).step()
    assert p.item() == 0.5


def test_zero_grad():
    params = leaves()
    set_gradients(params, 0)
    optim.SGD(params, lr=1).zero_grad()
    assert [p.grad for p in params] == [None] * 3


@pytest.mark.parametrize(("call", "error", "message"), [
    (lambda p: optim.SGD([], lr=1), ValueError, "no parameters: pass module.parameters"),
    (lambda p: optim.SGD([np.ones(3)], lr=1), TypeError, "parameter 0 is a ndarray, no Tensor"),
    (lambda p: optim.SGD([p * 2], lr=1), ValueError, "parameter 0, the result of multiply .* is no leaf"),
    (lambda p: optim.SGD(p, lr=-1), ValueError, "lr must not be negative or NaN, and it is -1"),
    (lambda p: optim.Adam(p, weight_decay=float("nan")), ValueError, "weight_decay must not be negative"),
    (lambda p: optim.Adam(p, betas=(0.9, 1.0)), ValueError, "beta2 must be at least 0 and below 1"),
    (lambda p: optim.SGD(p, lr=1, nesterov=True), ValueError, "give momentum="),
    (lambda p: optim.SGD(p, lr=1).load_state_dict({"beta1": 0.9}), ValueError, "SGD: unexpected 'beta1'"),
    (lambda p: optim.SGD(p, lr=1).load_state_dict({"1.velocity": p.data}), ValueError, "unexpected '1.velocity'"),
    (lambda p: optim.SGD(p, lr=1).load_state_dict({"0.velocity": np.ones((2, 2))}), ValueError, r"has shape \(2, 2\)"),
])  # fmt: skip
def test_bad_input_is_answered_in_one_line(call, error, message):
    with pytest.raises(error, match=message) as told:
        call(tg.tensor([1.0, 2.0, 3.0], requires_grad=True))
    assert "\n" not in str(told.value)


def stepped(make, n=1, momentum=None):
    params = [tg.tensor([1.0, 2.0], requires_grad=True) for _ in range(n)]
    for p in params:
        p.grad = tg.tensor([1.0, 1.0])
    optimizer = make(params)
    optimizer.step()
    return optimizer


MAKERS = {
    "SGD": lambda p: optim.SGD(p, lr=0.1), "momentum": lambda p: optim.SGD(p, lr=0.1, momentum=0.9),
    "Adagrad": optim.Adagrad, "RMSprop": optim.RMSprop, "centered": lambda p: optim.RMSprop(p, centered=True),
    "Adam": optim.Adam,
}  # fmt: skip


@pytest.mark.parametrize("theirs", MAKERS)
@pytest.mark.parametrize("ours", MAKERS)
def test_only_the_state_of_the_same_optimizer_is_loaded(ours, theirs):
    mine, other = stepped(MAKERS[ours]), stepped(MAKERS[theirs])
    state, before = other.state_dict(), str(mine.state_dict())
    if type(mine) is type(other):
        mine.load_state_dict(state)
        assert str(mine.state_dict()) == str(state)
        return
    with pytest.raises(ValueError, match=rf"^{type(mine).__name__}: (missing|unexpected) "):
        mine.load_state_dict(state)
    assert str(mine.state_dict()) == before


def test_the_state_of_more_or_fewer_parameters_is_refused():
    for m, n in ((1, 2), (2, 1)):
        with pytest.raises(ValueError, match=f"SGD: the state is of {n} parameters?, and here are {m}"):
            stepped(MAKERS["SGD"], m).load_state_dict(stepped(MAKERS["SGD"], n).state_dict())
    broken = stepped(MAKERS["Adam"]).state_dict()
    del broken["0.mean"]
    with pytest.raises(ValueError, match=r"Adam: missing '0\.mean'"):
        stepped(MAKERS["Adam"]).load_state_dict(broken)


@pytest.mark.parametrize(("grad", "error", "line"), [
    (tg.tensor([[1.0], [2.0]]), ValueError, r"the gradient of W \(2,\) has shape \(2, 1\)"),
    (tg.tensor(1.0), ValueError, r"the gradient of W \(2,\) has shape \(\)"),
    (np.ones(2), TypeError, r"the gradient of W \(2,\) is a ndarray, no Tensor: set .grad = tg.tensor\(...\)"),
])  # fmt: skip
def test_a_gradient_that_does_not_fit_is_refused_before_anything_moves(grad, error, line):
    good, bad = (tg.tensor([1.0, 2.0], requires_grad=True, name=name) for name in ("b", "W"))
    good.grad, optimizer = tg.tensor([1.0, 1.0]), optim.Adam([good, bad])
    bad.grad = grad
    for act in (optimizer.step, lambda: optim.clip_grad_norm([good, bad], 0.1),
                lambda: optim.clip_grad_value([good, bad], 0.1)):  # fmt: skip
        with pytest.raises(error, match=line):
            act()
        assert (good.tolist(), good.grad.tolist(), bad.shape) == ([1.0, 2.0], [1.0, 1.0], (2,))
    assert optimizer.memories == [{}, {}]
