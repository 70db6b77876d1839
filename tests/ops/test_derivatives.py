"""Every derivative in the table, against differences, against itself on Tensors, and against PyTorch."""

from __future__ import annotations

import numpy as np
import pytest

import tinygrad_rnn as tg
from tests.ops.cases import CASES, IDS, PRIMITIVES, Case, outputs

each = pytest.mark.parametrize("case", CASES, ids=IDS)


def weights_for(y: tg.Tensor, seed: int) -> np.ndarray:
    return np.random.default_rng([seed, len(y.shape)]).uniform(0.5, 1.5, tuple(y.shape))


def total(ys) -> tg.Tensor:
    """One number that depends on every entry of `ys`, each in its own way."""
    return sum(tg.sum(y * tg.tensor(weights_for(y, i), device=y.device)) for i, y in enumerate(ys))


def leaves(case: Case, device: str = "cpu", dtype=np.float64) -> list[tg.Tensor]:
    return [tg.tensor(x.astype(dtype), requires_grad=True, device=device) for x in case.inputs]


def second_order(case: Case, xs: list[tg.Tensor]) -> tuple[list, list]:
    """The gradients of the case, recorded, and the gradients of those."""
    first = tg.grad(total(outputs(case.f(*xs))), xs, create_graph=True, allow_unused=True)
    tracked = [g for g in first if g is not None and g.requires_grad]
    second = tg.grad(total(tracked), xs, allow_unused=True) if tracked else [None] * len(xs)
    return list(first), list(second)


def test_every_primitive_has_a_case():
    covered = set()
    for case in CASES:
        with tg.trace() as tr:
            ys = outputs(case.f(*leaves(case)))
            tg.grad(total(ys), leaves(case), allow_unused=True)
        covered |= {node.op for node in tr.nodes}
    constant = {op for op in PRIMITIVES if not op.differentiable}
    assert {op.name for op in constant} == {"sign", "zeros_like"}  # these leave no node
    inside = {op for op in PRIMITIVES if op.name == "minus_one_hot"}  # part of a rule: recorded by create_graph alone
    assert {op.name for op in PRIMITIVES - constant - inside - covered} == set()


@each
def test_central_differences_to_second_order(case):
    assert tg.gradcheck(case.f, list(case.inputs), order=2)


@pytest.mark.parametrize("case", [c for c in CASES if c.analytic], ids=[c.name for c in CASES if c.analytic])
def test_complex_step_to_second_order(case):
    assert tg.gradcheck(case.f, list(case.inputs), order=2, method="complex")


@each
def test_rules_give_the_same_on_arrays_and_on_tensors(case):
    xs = leaves(case)
    plain = tg.grad(total(outputs(case.f(*xs))), xs, allow_unused=True)
    recorded, _ = second_order(case, xs)
    for p, r in zip(plain, recorded, strict=True):
        np.testing.assert_allclose(p.numpy(), r.numpy(), rtol=1e-12, atol=1e-12)


@each
def test_arrays_in_arrays_out(case):
    """Without a Tensor among its arguments an operation is a plain function, with the same numbers."""
    for y, z in zip(outputs(case.f(*case.inputs)), outputs(case.f(*leaves(case))), strict=True):
        assert not isinstance(y, tg.Tensor)
        np.testing.assert_array_equal(y, z.numpy())


@pytest.mark.parametrize("case", [c for c in CASES if c.numpy], ids=[c.name for c in CASES if c.numpy])
def test_values_are_numpys(case):
    for y, z in zip(outputs(case.f(*leaves(case))), outputs(case.numpy(*case.inputs)), strict=True):
        assert y.shape == np.shape(z)
        np.testing.assert_allclose(y.numpy(), z, rtol=1e-13, atol=1e-14)


@each
def test_float32_stays_float32(case):
    xs = leaves(case, dtype=np.float32)
    ys = outputs(case.f(*xs))
    gradients = tg.grad(sum(tg.sum(y) for y in ys), xs, allow_unused=True)
    recorded = tg.grad(sum(tg.sum(y) for y in ys), xs, create_graph=True, allow_unused=True)
    assert {y.dtype for y in (*ys, *gradients, *recorded)} == {np.dtype(np.float32)}


@pytest.mark.parametrize("case", [c for c in CASES if c.torch], ids=[c.name for c in CASES if c.torch])
def test_pytorch_agrees_to_second_order(case):
    torch = pytest.importorskip("torch")
    xs = leaves(case)
    ys = outputs(case.f(*xs))
    first, second = second_order(case, xs)

    def whole(ts):
        return sum((t * torch.tensor(weights_for(t.detach(), i))).sum() for i, t in enumerate(ts))

    ts = [torch.tensor(x, requires_grad=True) for x in case.inputs]
    us = outputs(case.torch(torch, *ts))
    for y, u in zip(ys, us, strict=True):
        np.testing.assert_allclose(y.numpy(), u.detach().numpy(), rtol=1e-12, atol=1e-12)
    firsts = torch.autograd.grad(whole(us), ts, create_graph=True)
    for g, u in zip(first, firsts, strict=True):
        np.testing.assert_allclose(g.numpy(), u.detach().numpy(), rtol=1e-11, atol=1e-11)
    tracked = [u for u, g in zip(firsts, first, strict=True) if g.requires_grad]
    missed = [u for u, g in zip(firsts, first, strict=True) if not g.requires_grad and u.requires_grad]
    assert not any(u is not None and u.abs().max() > 0 for m in missed
                   for u in torch.autograd.grad(m.sum(), ts, retain_graph=True, allow_unused=True))  # fmt: skip
    seconds = (
        torch.autograd.grad(whole(tracked), ts, allow_unused=True) if any(u.requires_grad for u in tracked) else []
    )
    for h, u in zip(second, seconds, strict=False):
        expected = 0 if u is None else u.numpy()
        np.testing.assert_allclose(0 if h is None else h.numpy(), expected, rtol=1e-10, atol=1e-10)
