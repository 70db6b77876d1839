"""The same numbers on every device, and no array that slips from one to another by itself."""

from __future__ import annotations

import numpy as np
import pytest

import tinygrad_rnn as tg
from tests.conftest import DEVICES
from tests.ops.cases import CASES, IDS, outputs
from tests.ops.test_derivatives import leaves, second_order, total
from tinygrad_rnn import backend

AWAY = [d for d in DEVICES if d != "cpu"]


def test_cuda_is_among_the_devices():
    if "cuda" not in DEVICES:
        pytest.skip("no CuPy or no GPU here: the device tests ran on the CPU and on the strict array library")


@pytest.mark.parametrize("away", AWAY)
def test_a_device_has_a_gpus_manners(away):
    """What these tests lean on: the array library itself refuses what would be a silent transfer."""
    x = tg.tensor([[1.0, 2.0], [3.0, 4.0]], device=away).data
    library = backend.get(away).xp
    assert not isinstance(x, np.ndarray)
    for leak in (
        np.asarray,
        lambda x: x + np.ones(2),
        lambda x: np.ones(2) * x,
        lambda x: library.maximum(x, np.ones(2)),
    ):
        with pytest.raises(TypeError):
            leak(x)
    assert type(x.sum()) is type(x[0, 0]) is type(x)
    assert not hasattr(x.flags, "writeable")
    assert float(x[library.arange(3)][2, 0]) == 1.0  # row 2 of 2 wraps around


@pytest.mark.parametrize("away", AWAY)
@pytest.mark.parametrize("case", CASES, ids=IDS)
def test_values_and_derivatives_are_those_of_the_cpu(case, away):
    numbers = []
    for device in ("cpu", away):
        xs = leaves(case, device)
        ys = outputs(case.f(*xs))
        first = tg.grad(total(ys), xs, allow_unused=True)
        recorded, second = second_order(case, xs)
        everything = [t for t in (*ys, *first, *recorded, *second) if t is not None]
        if case.name != "to_device":
            assert {t.device for t in everything} == {device}
        numbers.append([t.numpy() for t in everything])
    for here, there in zip(*numbers, strict=True):
        assert type(there) is np.ndarray
        np.testing.assert_allclose(there, here, rtol=1e-12, atol=1e-12)


def test_tensor_is_made_on_the_device_and_brought_back(device):
    x = tg.tensor([[1.0, 2.0]], device=device)
    assert x.device == device
    assert type(x.data) is backend.get(device).array
    assert type(x.numpy()) is np.ndarray
    assert x.tolist() == [[1.0, 2.0]]
    assert tg.sum(x).item() == 3.0
    assert f"device={device!r}" in repr(x) or device == "cpu"


@pytest.mark.parametrize("away", AWAY)
def test_to_is_differentiable_both_ways(away):
    x = tg.tensor([1.0, 2.0], requires_grad=True)
    there = x.to(away)
    assert (there.device, there.to("cpu").device) == (away, "cpu")
    (g,) = tg.grad(tg.sum((there * there).to("cpu")), x, create_graph=True)
    assert g.device == "cpu"
    assert g.tolist() == [2.0, 4.0]
    assert tg.grad(tg.sum(g), x)[0].tolist() == [2.0, 2.0]
    assert x.to("cpu") is x
    y = tg.tensor([3.0], requires_grad=True, device=away)
    tg.sum(y.to("cpu") ** 2).backward()
    assert y.grad.device == away
    assert y.grad.tolist() == [6.0]


@pytest.mark.parametrize("away", AWAY)
@pytest.mark.parametrize(
    "op", [tg.add, tg.multiply, tg.matmul, tg.maximum, lambda x, y: tg.concat([x, y]), lambda x, y: tg.stack([x, y])]
)
def test_mixing_devices_names_both(away, op):
    here, there = tg.tensor(np.eye(2), requires_grad=True), tg.tensor(np.eye(2), device=away)
    for pair in ((here, there), (there, here), (np.eye(2), there)):
        with pytest.raises((TypeError, ValueError), match=rf"on (cpu and {away}|{away} and cpu).*\.to\("):
            op(*pair)


@pytest.mark.parametrize("away", AWAY)
def test_numpy_integers_may_index_anything(away):
    W = tg.tensor(np.arange(12.0).reshape(4, 3), requires_grad=True, device=away)
    rows = np.array([[0, 3], [3, 3]])
    assert tg.take(W, rows).shape == (2, 2, 3)
    assert W[rows].tolist() == tg.take(W, rows).tolist()
    assert W[np.array([True, False, True, False])].shape == (2, 3)
    assert W[W > 8].tolist() == [9.0, 10.0, 11.0]
    assert W[1, np.array([0, -1])].tolist() == [3.0, 5.0]
    tg.sum(W[rows]).backward()
    assert W.grad.numpy()[:, 0].tolist() == [1, 0, 0, 3]
    loss = tg.cross_entropy(W, np.array([0, 1, 2, 0]), mask=np.array([True, True, False, True]))
    assert loss.device == away


@pytest.mark.parametrize("wrong", [-1, 3])
def test_a_wrong_target_is_named_before_a_gpu_would_wrap_it(device, wrong):
    logits = tg.tensor(np.zeros((2, 3)), device=device)
    with pytest.raises(IndexError, match=rf"^cross_entropy: target {wrong} is outside 0\.\.2$"):
        tg.cross_entropy(logits, np.array([0, wrong]))
    with pytest.raises(IndexError, match=rf"^take: index {wrong} is outside 0\.\.2$"):
        tg.take(tg.tensor(np.zeros((3, 2)), device=device), tg.tensor(np.array([wrong]), device=device))


def test_numbers_act_on_every_device(device):
    x = tg.tensor([1.0, 4.0], requires_grad=True, device=device)
    y = 2 * x / np.sqrt(4) + np.float64(1) - np.int64(1)
    assert y.dtype == np.float32
    assert y.tolist() == [1.0, 4.0]
    y.backward(grad=[1.0, 2.0])
    assert x.grad.tolist() == [1.0, 2.0]


def test_products_with_jacobians_on_every_device(device):
    x = tg.tensor([0.5, -0.3], dtype=np.float64, device=device)
    v = tg.tensor([1.0, 2.0], dtype=np.float64, device=device)
    f = lambda x: tg.tanh(x) * tg.sum(x)  # noqa: E731
    J = tg.jacobian(f, x)
    assert J.device == device
    np.testing.assert_allclose(tg.jvp(f, x, v)[1].numpy(), J.numpy() @ v.numpy(), rtol=1e-13)
    np.testing.assert_allclose(tg.vjp(f, x, v)[1].numpy(), v.numpy() @ J.numpy(), rtol=1e-13)
    assert tg.hvp(lambda x: tg.sum(x**3), x, v)[1].device == device


def test_checkpoint_and_dropout_on_every_device(device):
    x = tg.tensor(np.ones((4, 5)), requires_grad=True, device=device)
    y = tg.checkpoint(lambda x: tg.dropout(tg.tanh(x), 0.5, np.random.default_rng(1)), x)
    (g,) = tg.grad(tg.sum(y), x)
    np.testing.assert_allclose(
        g.numpy(), tg.grad(tg.sum(tg.dropout(tg.tanh(x), 0.5, np.random.default_rng(1))), x)[0].numpy()
    )


def test_debug_mode_on_every_device(device):
    x = tg.tensor([0.0, 1.0], requires_grad=True, device=device)
    with tg.debug(), np.errstate(all="ignore"), pytest.raises(FloatingPointError, match="log made Inf"):
        tg.log(x)


def test_an_unknown_device_is_named():
    with pytest.raises(ValueError, match="device 'gpu' is unknown: use 'cpu' or 'cuda'"):
        tg.tensor(1.0, device="gpu")


def test_cuda_without_cupy_says_what_to_install(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "cupy", None)
    monkeypatch.delitem(backend._by_device, "cuda", raising=False)
    with pytest.raises(RuntimeError, match=r'device "cuda" is not available here .*pip install'):
        tg.tensor(1.0, device="cuda")
