"""The experiments, one a file: `temporal_order.py` is called `temporal-order`, and holds an EXPERIMENT."""

from __future__ import annotations

import difflib
import importlib
import importlib.util
import pkgutil

from ..experiment import Experiment


def names() -> list[str]:
    """All of them, in alphabetical order."""
    return sorted(module.name.replace("_", "-") for module in pkgutil.iter_modules(__path__))


def load(name: str) -> Experiment:
    """The experiment of this name. Raises ValueError where there is none, RuntimeError where it needs a package that is
    not installed."""
    if name not in names():
        near = difflib.get_close_matches(name, names(), 1)
        hint = f"did you mean {near[0]!r}?" if near else "tinygrad-rnn experiment --list names them"
        raise ValueError(f"there is no experiment {name!r}: {hint}")
    experiment: Experiment = module(name).EXPERIMENT
    missing = [need for need in experiment.needs if importlib.util.find_spec(need) is None]
    if missing:
        raise RuntimeError(f"the experiment {name} needs {', '.join(missing)}: pip install 'tinygrad_rnn[data]'")
    return experiment


def module(name: str):  # type: ignore[no-untyped-def]
    """The module that holds it."""
    return importlib.import_module(f".{name.replace('-', '_')}", __name__)
