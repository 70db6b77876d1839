"""Learning: optimizers that move parameters along their gradients, and clipping of gradients that explode."""

from . import schedules
from .adaptive import Adagrad, Adam, AdamW, RMSprop
from .clip import clip_grad_norm, clip_grad_value
from .conjugate_gradient import conjugate_gradient
from .curvature import GaussNewton, hessian_of, softmax_hessian, squared_hessian
from .optimizer import Optimizer
from .penalties import l1_penalty, l2_penalty
from .sgd import SGD

__all__ = [
    "SGD", "Adagrad", "Adam", "AdamW", "GaussNewton", "Optimizer", "RMSprop", "clip_grad_norm", "clip_grad_value",
    "conjugate_gradient", "hessian_of", "l1_penalty", "l2_penalty", "schedules", "softmax_hessian", "squared_hessian",
]  # fmt: skip
