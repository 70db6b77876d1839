"""Lesson start: its solutions against the engine."""

from pathlib import Path

import numpy as np
from numpy.testing import assert_allclose

import tinygrad_rnn as tg
from tinygrad_rnn.course.authoring import solution_of
from tinygrad_rnn.course.manifest import read_lesson

LESSON = read_lesson(Path(__file__).parents[2] / "lessons" / "00_start")
solution = solution_of(LESSON)


def test_the_layer_and_the_step_are_the_engines():
    rng = np.random.default_rng(0)
    x, h, W_xh, W_hh, b = (rng.normal(size=shape) for shape in [(2, 3), (2, 4), (3, 4), (4, 4), (4,)])
    linear, cell = tg.nn.Linear(3, 4, dtype=np.float64), tg.nn.RNNCell(3, 4, dtype=np.float64)
    linear.W.data, linear.b.data = W_xh, b
    cell.W_xh.data, cell.W_hh.data, cell.b_h.data = W_xh, W_hh, b
    assert_allclose(solution.affine(x, W_xh, b), linear(tg.tensor(x)).data, rtol=1e-12)
    assert_allclose(solution.elman_step(x, h, W_xh, W_hh, b), cell(tg.tensor(x), tg.tensor(h)).data, rtol=1e-12)


def test_the_loss_and_its_gradient_are_the_engines():
    rng = np.random.default_rng(1)
    y, target = rng.normal(size=(4, 3)), rng.normal(size=(4, 3))
    tracked = tg.tensor(y, requires_grad=True)
    wanted = ((tracked - target) ** 2).sum() / 8
    loss, dy = solution.squared_loss(y, target)
    assert_allclose(loss, wanted.data, rtol=1e-12)
    assert_allclose(dy, tg.grad(wanted, [tracked])[0].data, rtol=1e-12)
