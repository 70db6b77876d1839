"""What is compared with what, at which sizes, and how fast it should be."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from .ways import WAYS

Sizes = dict[str, Any]


@dataclass(frozen=True)
class Run:
    """One side of a row: the name of a way, and the sizes that it is built with."""

    way: str
    sizes: Sizes = field(default_factory=dict)


@dataclass(frozen=True)
class Row:
    """Our time / the peer's time, and at most how much it should be (None: no target). `per` says of which size, T,
    both times are divided by: "step" or "char"; else they are whole. `same_loss`: both must compute the same number.
    """

    name: str
    ours: Run
    peer: Run
    at_most: float | None = None
    per: str = ""
    peer_name: str = ""
    same_loss: bool = True

    @property
    def peer_label(self) -> str:
        return self.peer_name or WAYS[self.peer.way].label

    def __str__(self) -> str:
        return f"{self.name} / {self.peer_label}"


def told(sizes: Sizes) -> str:
    """T=64 B=32 H=128."""
    return " ".join(f"{name}={value}" for name, value in sizes.items())


def op_level(peer: str, B: int, at_most: float | None = None) -> Row:
    sizes = {"T": 100, "B": B, "H": 32, "D": 27}
    return Row(f"Elman op by op, {told(sizes)}", Run("op-level", sizes), Run(peer, sizes), at_most)


def fused(kind: str, T: int, B: int, H: int, V: int, at_most: float | None = None, compiled: bool = False,
          peer: str = "torch.nn") -> Row:  # fmt: skip
    sizes = {"T": T, "B": B, "H": H, "V": V}
    named = sizes if peer == "products" else {"kind": kind} | sizes
    way, extra = ("character, compiled", ", compiled") if compiled else ("character", "")
    return Row(f"fused {kind}{extra}, {told(sizes)}", Run(way, {"kernel": "fused", "kind": kind} | sizes),
               Run(peer, named), at_most, peer_name=f"torch.nn.{kind}" if peer == "torch.nn" else "")  # fmt: skip


def growing(T: int) -> Sizes:
    """The LSTM whose growth with T is looked at."""
    return {"kind": "LSTM", "T": T, "B": 4, "H": 64, "V": 64}


def sampling(T: int, H: int, V: int, at_most: float) -> Row:
    sizes = {"T": T, "H": H, "V": V}
    return Row(f"sampling, LSTM H={H} V={V}", Run("sampling", sizes), Run("torch.nn sampling", sizes), at_most,
               per="char")  # fmt: skip


ROWS = [
    op_level("torch eager", 16, 0.78),
    op_level("by hand", 16),
    op_level("hips", 16),
    op_level("torch eager", 1, 0.90),
    fused("RNN", 100, 16, 32, 27, 0.45),
    fused("RNN", 100, 1, 32, 27, 0.15),
    fused("LSTM", 100, 1, 64, 64, 1.2),
    fused("LSTM", 100, 1, 64, 64, 0.8, compiled=True),
    fused("LSTM", 64, 32, 128, 96, 1.6),
    fused("LSTM", 64, 32, 128, 96, 1.1, compiled=True),
    fused("LSTM", 64, 32, 256, 96, 1.5),
    fused("LSTM", 64, 32, 256, 96, 1.15, compiled=True),
    fused("LSTM", 64, 64, 512, 96, 1.2),
    fused("LSTM", 64, 64, 512, 96, 1.05, compiled=True),
    fused("LSTM", 64, 64, 512, 96, 1.6, peer="products"),
    fused("LSTM", 64, 64, 512, 96, 1.35, compiled=True, peer="products"),
    fused("GRU", 64, 32, 128, 96),
    sampling(200, 256, 96, 0.7),
    Row("fused LSTM, T=4096 B=4 H=64 V=64", Run("character", {"kernel": "fused"} | growing(4096)),
        Run("character", {"kernel": "fused"} | growing(64)), 1.15, per="step", peer_name="itself at T=64",
        same_loss=False),
    Row("import tinygrad_rnn", Run("import tinygrad_rnn"), Run("import numpy"), 1.3, same_loss=False),
]  # fmt: skip
