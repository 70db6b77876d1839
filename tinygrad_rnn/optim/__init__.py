"""Learning: optimizers that move parameters along their gradients, and clipping of gradients that explode."""

from . import schedules
from .adaptive import Adagrad, Adam, AdamW, RMSprop
from .clip import clip_grad_norm, clip_grad_value
from .curvature import GaussNewton, hessian_of, softmax_hessian, squared_hessian
from .hessian_free import HessianFree, Run
from .krylov import conjugate_gradient
from .momentum import Momentum, momentum_path, momentum_schedule
from .optimizer import Optimizer
from .penalties import l1_penalty, l2_penalty
from .regulariser import omega
from .ridge import Ridge
from .sgd import SGD
from .truncated import carried, windows

__all__ = [
    "SGD", "Adagrad", "Adam", "AdamW", "GaussNewton", "HessianFree", "Momentum", "Optimizer", "RMSprop", "Ridge",
    "Run", "carried", "clip_grad_norm", "clip_grad_value", "conjugate_gradient", "hessian_of", "l1_penalty",
    "l2_penalty", "momentum_path", "momentum_schedule", "omega", "schedules", "softmax_hessian", "squared_hessian",
    "windows",
]  # fmt: skip
