"""What was measured on: the machine, the versions, and which kernels the linear algebra runs."""

from __future__ import annotations

import importlib.util
import os
import platform
from datetime import date
from pathlib import Path

import numpy as np


def describe(threads: int) -> dict[str, str | int]:
    """Names and values, in the order in which they are printed."""
    return {
        "CPU": cpu(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
        "threads": threads,
        "Python": platform.python_version(),
        "NumPy": f"{np.__version__} ({blas()})",
        "PyTorch": torch(),
        "date": f"{date.today().day} {date.today():%B %Y}",
    }


def cpu() -> str:
    """The model, as the system calls it."""
    told = Path("/proc/cpuinfo")
    models = [line.split(":", 1)[1].strip() for line in told.read_text().splitlines() if line.startswith("model name")
              ] if told.exists() else []  # fmt: skip
    return f"{models[0] if models else platform.processor() or 'unknown'} ({platform.machine()})"


def blas() -> str:
    """NumPy's BLAS, and for which processor it chose its kernels where threadpoolctl, which can ask, is installed."""
    if importlib.util.find_spec("threadpoolctl"):
        from threadpoolctl import threadpool_info

        for pool in threadpool_info():
            if pool["user_api"] == "blas":
                kernels = f", {pool['architecture']} kernels" if pool.get("architecture") else ""
                return f"{pool['internal_api']} {pool['version']}{kernels}"
    built = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
    return f"{built['name']} {built['version']}"


def torch() -> str:
    if not importlib.util.find_spec("torch"):
        return "not installed"
    import torch

    kernels = torch.backends.cpu.get_cpu_capability()
    lapack = "MKL" if torch.backends.mkl.is_available() else "no MKL"
    return f"{torch.__version__} ({lapack}, {kernels} kernels)"


def line(machine: dict[str, str | int]) -> str:
    """All of it in one line."""
    words = {"CPU": "{}", "cores": "{} core{s}", "threads": "{} thread{s} each", "date": "{}"}
    told = (words.get(name, f"{name} {{}}").format(value, s="s" * (value != 1)) for name, value in machine.items())
    return ", ".join(told)
