"""Schedules in closed form, and as PyTorch counts them; penalties and what they do to a step."""

import math

import numpy as np
import pytest

import tinygrad_rnn as tg
from tinygrad_rnn import optim
from tinygrad_rnn.optim import schedules

T = 40
PEERS = {
    "StepLR": (schedules.step_decay(0.3, every=7, factor=0.5), {"step_size": 7, "gamma": 0.5}),
    "ExponentialLR": (schedules.exponential(0.3, 0.9), {"gamma": 0.9}),
    "CosineAnnealingLR": (schedules.cosine(0.3, steps=T, end=0.01), {"T_max": T, "eta_min": 0.01}),
    "LinearLR": (schedules.linear(0.3, steps=10, end=0.03), {"start_factor": 1, "end_factor": 0.1, "total_iters": 10}),
}


@pytest.mark.parametrize("peer", PEERS)
def test_schedules_are_pytorchs(peer):
    torch = pytest.importorskip("torch")
    ours, options = PEERS[peer]
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.3)
    theirs = getattr(torch.optim.lr_scheduler, peer)(optimizer, **options)
    for t in range(T):
        assert ours(t) == pytest.approx(theirs.get_last_lr()[0], rel=1e-9)
        optimizer.step()
        theirs.step()


def test_ends_and_middles_in_closed_form():
    rate = schedules.cosine(1.0, steps=100, end=0.2)
    assert [rate(t) for t in (0, 50, 100, 1000)] == pytest.approx([1.0, 0.6, 0.2, 0.2])
    assert schedules.linear(1.0, steps=4)(3) == pytest.approx(0.25)
    assert schedules.linear(1.0, steps=4)(9) == 0
    assert [schedules.inverse_time(2.0, 0.5)(t) for t in (0, 2, 8)] == pytest.approx([2.0, 1.0, 0.4])


def test_warming_up_takes_a_share_and_then_all():
    rate = schedules.warm_up(schedules.exponential(1.0, 0.5), steps=4)
    assert [rate(t) for t in range(6)] == pytest.approx([1 / 4, 0.5 * 2 / 4, 0.25 * 3 / 4, 0.125, 0.0625, 0.03125])


def test_a_rate_set_before_a_step_is_the_one_that_is_used():
    p = tg.tensor([0.0], requires_grad=True)
    optimizer, rate = optim.SGD(p, lr=1.0), schedules.step_decay(1.0, every=2)
    for t in range(4):
        optimizer.lr, p.grad = rate(t), tg.tensor([-1.0])
        optimizer.step()
    assert p.item() == pytest.approx(2 + 2 * 0.1)


@pytest.mark.parametrize("schedule", [lambda: schedules.cosine(1, 0), lambda: schedules.linear(1, 0),
                                      lambda: schedules.step_decay(1, 0),
                                      lambda: schedules.warm_up(schedules.cosine(1, 5), 0)])  # fmt: skip
def test_no_updates_are_refused(schedule):
    with pytest.raises(ValueError, match="is a number of updates, 1 or more, not 0"):
        schedule()


def weights():
    return [tg.tensor([[1.0, -2.0], [0.0, 3.0]], requires_grad=True, dtype=np.float64),
            tg.tensor([-0.5], requires_grad=True, dtype=np.float64)]  # fmt: skip


def test_penalties_and_their_gradients():
    _, b = ws = weights()
    assert optim.l1_penalty(ws, 0.1).item() == pytest.approx(0.65)
    assert optim.l2_penalty(ws, 0.1).item() == pytest.approx(0.05 * 14.25)
    l1, l2 = tg.grad(optim.l1_penalty(ws, 0.1), ws), tg.grad(optim.l2_penalty(ws, 0.1), ws)
    for p, g1, g2 in zip(ws, l1, l2, strict=True):
        np.testing.assert_allclose(g1.numpy(), 0.1 * np.sign(p.data))
        np.testing.assert_allclose(g2.numpy(), 0.1 * p.data)
    assert optim.l1_penalty(b).item() == 0.5


def test_the_l2_penalty_is_weight_decay_for_sgd_and_not_for_adam():
    for kind, alike in ((optim.SGD, True), (optim.AdamW, False)):
        decayed, penalised = weights(), weights()
        for ws, decay in ((decayed, 0.3), (penalised, 0.0)):
            optimizer = kind(ws, lr=0.1, weight_decay=decay)
            for _ in range(3):
                optimizer.zero_grad()
                loss = (ws[0] ** 2.0).sum() + ws[1].sum()
                (loss if decay else loss + optim.l2_penalty(ws, 0.3)).backward()
                optimizer.step()
        assert all(np.allclose(a.data, b.data, rtol=1e-12) for a, b in zip(decayed, penalised, strict=True)) is alike


def test_penalties_say_what_is_wrong():
    with pytest.raises(ValueError, match="l2_penalty: there are no parameters"):
        optim.l2_penalty([])
    for strength in (-1, math.nan):
        with pytest.raises(ValueError, match="l1_penalty: strength must be finite and not negative"):
            optim.l1_penalty(weights(), strength)
    with pytest.raises(ValueError, match="and it is -1"):
        optim.l2_penalty(weights(), -1)
