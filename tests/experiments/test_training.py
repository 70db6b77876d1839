"""The loop that trials share."""

import numpy as np
import pytest

import tinygrad_rnn as tg
from tinygrad_rnn.experiments.training import train
from tinygrad_rnn.optim import schedules


def test_a_schedule_gives_the_rate_of_each_update():
    """Along a slope of 1, plain SGD walks the sum of the rates."""
    p = tg.tensor(np.zeros(1), requires_grad=True)
    schedule = schedules.linear(0.4, steps=4)
    curve, early = train([p], lambda update: p.sum(), schedule, 4, optimizer="sgd", every=2)
    assert p.data.item() == pytest.approx(-(0.4 + 0.3 + 0.2 + 0.1))
    assert [update for update, _ in curve] == [2, 4]
    assert not early


def test_a_fixed_rate_stays():
    p = tg.tensor(np.zeros(1), requires_grad=True)
    train([p], lambda update: p.sum(), 0.1, 3, optimizer="sgd")
    assert p.data.item() == pytest.approx(-0.3)
