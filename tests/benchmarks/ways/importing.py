"""An import, in a fresh interpreter each time; its start is not counted."""

from __future__ import annotations

import subprocess
import sys

from .way import Way, Work


def importing(module: str) -> Work:
    """Seconds, as the fresh interpreter measures them."""
    code = f"import time; start = time.perf_counter(); import {module}; print(time.perf_counter() - start)"

    def once() -> float:
        return float(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout)

    return once


WAYS = {
    "import tinygrad_rnn": Way(lambda: importing("tinygrad_rnn"), "import tinygrad_rnn", times_itself=True),
    "import numpy": Way(lambda: importing("numpy"), "import numpy", times_itself=True),
}
