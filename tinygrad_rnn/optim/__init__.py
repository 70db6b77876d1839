"""Learning: optimizers that move parameters along their gradients, and clipping of gradients that explode."""

from . import schedules
from .adaptive import Adagrad, Adam, AdamW, RMSprop
from .clip import clip_grad_norm, clip_grad_value
from .optimizer import Optimizer
from .penalties import l1_penalty, l2_penalty
from .sgd import SGD

__all__ = ["SGD", "Adagrad", "Adam", "AdamW", "Optimizer", "RMSprop", "clip_grad_norm", "clip_grad_value",
           "l1_penalty", "l2_penalty", "schedules"]  # fmt: skip
