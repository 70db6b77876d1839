"""The tour: one page that shows, from numbers just computed, how gradients flow through recurrent networks, and die."""

from .run import run_tour

__all__ = ["run_tour"]
