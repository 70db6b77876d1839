"""Transfer learning: which parameters of a trained model go on learning, and which stay as they are.

    model.load_state_dict(trained)                      # a model that has learned another task
    model.fc3 = nn.Linear(84, 5, rng=rng)               # a new head in place of the old one
    nn.freeze(model, "conv_block*")                     # features as they are ...
    optim.Adam(nn.matching(model, "fc*").values())      # ... and what learns, here with one learning rate

Where parts learn at different rates ("fine-tuning"), each has an optimizer of its own:

    optimizers = [optim.Adam(nn.matching(model, "fc3.*").values(), lr=1e-3),
                  optim.Adam(nn.matching(model, "conv*", "fc1.*", "fc2.*").values(), lr=1e-4)]
"""

from __future__ import annotations

import difflib
from fnmatch import fnmatchcase

from ..core import Tensor
from .module import Module


def matching(module: Module, *patterns: str) -> dict[str, Tensor]:
    """The parameters whose dotted names match one of the patterns (`*` any letters, `?` one), or all, for no pattern.

    Raises ValueError for a pattern that matches nothing, so that a slip of the pen does not go unnoticed.

    >>> from tinygrad_rnn import nn
    >>> list(matching(nn.LeNet5(), "fc3.*", "*block1*"))
    ['conv_block1.0.W', 'conv_block1.0.b', 'fc3.W', 'fc3.b']
    """
    named = dict(module.named_parameters())
    for pattern in patterns:
        if not any(fnmatchcase(name, pattern) for name in named):
            near = difflib.get_close_matches(pattern, named, n=1, cutoff=0)
            raise ValueError(f"{type(module).__name__}: no parameter matches {pattern!r}"
                             + (f": its names are like {near[0]}" if near else ": it has none"))  # fmt: skip
    return {name: p for name, p in named.items()
            if not patterns or any(fnmatchcase(name, pattern) for pattern in patterns)}  # fmt: skip


def freeze(module: Module, *patterns: str) -> list[str]:
    """Let no gradient into the parameters that match, and forget those that they have: an optimizer then leaves them
    alone, weight decay and momentum too. Gives their names.

    Statistics of a BatchNorm still move in training: put that part into evaluation mode with `.eval()`.
    """
    return _learns(module, patterns, False)


def unfreeze(module: Module, *patterns: str) -> list[str]:
    """Let the parameters that match learn again. Gives their names."""
    return _learns(module, patterns, True)


def _learns(module: Module, patterns: tuple[str, ...], learns: bool) -> list[str]:
    found = matching(module, *patterns)
    for p in found.values():
        p.requires_grad, p.grad = learns, None
    return list(found)
