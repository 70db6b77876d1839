"""Large pictures, from the traced output to SVG, against the seconds that a reader will wait."""

from __future__ import annotations

import os
import shutil
import time
from typing import Any

import numpy as np


def rows(steps: tuple[int, int] = (1000, 770)) -> list[dict[str, Any]]:
    """An LSTM drawn at every step, as cells, and op by op by Graphviz."""
    return [picture("cells", steps[0], None, 2.0), picture("ops", steps[1], "dot", 5.0)]


def picture(view: str, T: int, engine: str | None, limit: float) -> dict[str, Any]:
    """One picture, drawn once, by `engine` or by the default one."""
    import tinygrad_rnn as tg

    told = {"name": f"drawing {view}, T={T}", "peer": f"{limit:g} s", "unit": "s", "at_most": 1.0}
    if engine and not shutil.which(engine):
        return told | {"note": f"{engine} is not installed"}
    if engine:
        os.environ["TINYGRAD_RNN_ENGINE"] = engine
    rng = np.random.default_rng(0)
    outputs, _ = tg.nn.LSTM(3, 4, rng=rng, kernel="unrolled")(
        tg.tensor(rng.normal(size=(T, 2, 3)).astype(np.float32))
    )
    output = tg.sum(outputs * outputs)
    start = time.perf_counter()
    drawing = tg.draw(output, view=view, steps="all")
    svg = drawing.svg
    took = time.perf_counter() - start
    told["name"] += f", {len(drawing.figure.nodes):,} nodes, {len(svg) / 1e6:.1f} MB, by {drawing.engine}"
    return told | {"ours": took, "peers": limit}
