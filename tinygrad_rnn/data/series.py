"""Real series, from the package statsmodels, which brings them along: sunspots, carbon dioxide, the Nile."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Series:
    """`values (T,)` in `unit`, measured at `times (T,)`, in years; `filled (T,)` says which were missing and are a line
    between their neighbours instead. `source` is who measured."""

    name: str
    times: np.ndarray
    values: np.ndarray
    filled: np.ndarray
    unit: str
    source: str

    def __len__(self) -> int:
        return len(self.values)


def sunspots() -> Series:
    """The yearly number of sunspots, 1700 to 2008, 309 values, none missing (National Geophysical Data Center, US).

    Raises RuntimeError where statsmodels is not installed, as the others do.
    """
    data = _load("sunspots")
    return _series("sunspots", data["YEAR"], data["SUNACTIVITY"], "mean number of sunspots",
                   "National Geophysical Data Center, US; by way of statsmodels")  # fmt: skip


def nile() -> Series:
    """The volume of the Nile at Aswan each year, 1871 to 1970, 100 values, none missing (Cobb 1978)."""
    data = _load("nile")
    return _series("nile", data["year"], data["volume"], "100 million cubic metres",
                   'G. Cobb, "The Problem of the Nile", Biometrika 1978; by way of statsmodels')  # fmt: skip


def co2() -> Series:
    """Weekly carbon dioxide at Mauna Loa, March 1958 to December 2001, 2284 values, of which 59 are missing.

    Missing weeks, up to 18 on end, in early 1964, are filled by a straight line between their neighbours: `filled` says
    where, so that a loss can leave them out. Series by C. Keeling and T. Whorf, Scripps Institution of Oceanography.
    """
    frame = _load("co2")
    days = frame.index.to_numpy().astype("datetime64[D]")
    years = 1970 + days.astype(np.int64) / 365.2425
    return _series("co2", years, frame["co2"], "parts per million by volume",
                   "C. Keeling and T. Whorf, Scripps Institution of Oceanography; by way of statsmodels")  # fmt: skip


def _series(name: str, times: Any, values: Any, unit: str, source: str) -> Series:
    t, y = np.asarray(times, np.float64), np.asarray(values, np.float64)
    missing = np.isnan(y)
    return Series(name, t, np.where(missing, np.interp(t, t[~missing], y[~missing]), y), missing, unit, source)


def _load(name: str) -> Any:
    """The table of one of statsmodels' data sets; imported only here, since that takes a second."""
    try:
        data = importlib.import_module(f"statsmodels.datasets.{name}")
    except ImportError:
        raise RuntimeError(f"{name}: this series comes with statsmodels, which is not installed: "
                           "pip install 'tinygrad_rnn[data]'") from None  # fmt: skip
    return data.load_pandas().data
