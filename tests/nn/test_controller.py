"""The controller is a distribution over tokens, and REINFORCE follows the gradient of the expected reward."""

import itertools

import numpy as np
import pytest

import tinygrad_rnn as tg
from tinygrad_rnn import nn
from tinygrad_rnn.nn.cells.controller import MovingAverage, reinforce_loss

CHOICES = (2, 3, 2)
EVERY = np.array(list(itertools.product(*map(range, CHOICES))))


@pytest.fixture
def controller():
    """With readouts that differ, in float64."""
    model, rng = nn.Controller(CHOICES, hidden_size=6, dtype=np.float64, rng=1), np.random.default_rng(2)
    for head in model.heads:
        head.W.data = rng.standard_normal(head.W.shape)
    return model


def test_at_first_all_sequences_are_as_likely():
    log_p = nn.Controller(CHOICES, rng=0).log_prob(EVERY).numpy()
    np.testing.assert_allclose(log_p, -np.log(12), rtol=1e-6)


def test_probabilities_sum_to_one_and_depend_on_the_tokens_before(controller):
    p = np.exp(controller.log_prob(EVERY).numpy())
    assert p.sum() == pytest.approx(1, abs=1e-12)
    grid = p.reshape(CHOICES)
    assert np.ptp(grid[:, :, 1] / grid.sum(axis=2)) > 0.01  # the last token, given those before it


def test_samples_are_as_likely_as_it_says(controller):
    tokens = controller.sample(40_000, np.random.default_rng(3))
    shares = np.bincount(np.ravel_multi_index(tokens.T, CHOICES), minlength=12) / len(tokens)
    np.testing.assert_allclose(shares, np.exp(controller.log_prob(EVERY).numpy()), atol=0.01)
    np.testing.assert_array_equal(tokens, controller.sample(40_000, np.random.default_rng(3)))


@pytest.mark.parametrize("baseline", [0.0, 0.7])
def test_reinforce_is_the_gradient_of_the_expected_reward(controller, baseline):
    """On average over all twelve sequences, each as often as it is drawn, to rounding; and by differences."""
    rewards = np.random.default_rng(4).standard_normal(12)
    parameters = controller.parameters()

    def expected():
        return (tg.exp(controller.log_prob(EVERY)) * rewards).sum()

    exact = tg.grad(expected(), parameters)
    of_W = tg.grad(expected(), controller.cell.W_hh)[0].numpy()
    p = np.exp(controller.log_prob(EVERY).numpy())
    average = [np.zeros(q.shape) for q in parameters]
    for k in range(12):
        loss = reinforce_loss(controller.log_prob(EVERY[k : k + 1]), rewards[k : k + 1], baseline)
        for total, g in zip(average, tg.grad(loss, parameters), strict=True):
            total -= p[k] * g.numpy()
    for a, b in zip(average, exact, strict=True):
        np.testing.assert_allclose(a, b.numpy(), atol=1e-10)
    W = controller.cell.W_hh
    step = np.zeros(W.shape)
    step[2, 3] = 1e-6
    W.data, start = W.data + step, W.data
    up = expected().item()
    W.data = start - step
    assert (up - expected().item()) / 2e-6 == pytest.approx(of_W[2, 3], abs=1e-8)


def test_reinforce_is_the_mean_over_sequences(controller):
    tokens, rewards = controller.sample(5, np.random.default_rng(0)), np.arange(5.0)
    log_p = controller.log_prob(tokens)
    assert reinforce_loss(log_p, rewards, 1.0).item() == pytest.approx(-((rewards - 1) * log_p.numpy()).mean())


def test_it_learns_which_tokens_are_rewarded():
    controller, rng, baseline = nn.Controller(CHOICES, hidden_size=8, rng=0), np.random.default_rng(0), MovingAverage()
    optimizer = tg.optim.Adam(controller.parameters(), lr=0.05)
    for _ in range(60):
        tokens = controller.sample(10, rng)
        rewards = (tokens == (1, 2, 0)).all(axis=1).astype(float)
        optimizer.zero_grad()
        reinforce_loss(controller.log_prob(tokens), rewards, baseline.value).backward()
        optimizer.step()
        baseline.take(rewards)
    assert np.exp(controller.log_prob(np.array([[1, 2, 0]])).item()) > 0.9
    assert baseline.value > 0.8


@pytest.mark.parametrize(("call", "message"), [
    (lambda: nn.Controller(()), "at least 1, not"),
    (lambda: nn.Controller((2, 0)), "at least 1, not"),
    (lambda: nn.Controller(CHOICES).log_prob([[0, 3, 0]]), r"integers \(N, 3\) below \[2, 3, 2\]"),
    (lambda: nn.Controller(CHOICES).log_prob([0, 1, 0]), r"not these int64 \(3,\)"),
    (lambda: reinforce_loss(tg.tensor([1.0, 2.0]), [1.0]), "one reward a sequence"),
    (lambda: MovingAverage(1.0), "decay must be at least 0 and below 1"),
])  # fmt: skip
def test_bad_input_is_answered_in_one_line(call, message):
    with pytest.raises(ValueError, match=message) as told:
        call()
    assert "\n" not in str(told.value)
