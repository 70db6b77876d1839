"""Every way, by its name. A peer is imported only when its way is built."""

from __future__ import annotations

from . import character, elman, importing, products, sampling
from .way import Way, Work

WAYS: dict[str, Way] = elman.WAYS | character.WAYS | products.WAYS | sampling.WAYS | importing.WAYS

__all__ = ["WAYS", "Way", "Work"]
