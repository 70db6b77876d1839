"""Pictures of computations: unrolled graphs, gates, and gradients on their way back through time."""

from .drawing import Drawing
from .figure import Figure
from .show import VIEWS, draw

__all__ = ["VIEWS", "Drawing", "Figure", "draw"]
