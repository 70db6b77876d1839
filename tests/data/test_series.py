"""Real series: what is known about them, and what is said where they are missing."""

import sys

import numpy as np
import pytest

from tinygrad_rnn import data


@pytest.fixture
def _statsmodels():
    pytest.importorskip("statsmodels")


@pytest.mark.usefixtures("_statsmodels")
def test_sunspots_have_their_cycle_of_eleven_years():
    s = data.sunspots()
    assert (len(s), s.times[0], s.times[-1]) == (309, 1700, 2008)
    assert not s.filled.any()
    spectrum = np.abs(np.fft.rfft(s.values - s.values.mean())) ** 2
    assert 10 < len(s) / spectrum.argmax() < 12
    assert s.values[s.times == 1957] > 180  # the highest maximum on record


@pytest.mark.usefixtures("_statsmodels")
def test_the_nile_falls_in_1899():
    s = data.nile()
    assert (len(s), s.times[0], s.times[-1]) == (100, 1871, 1970)
    assert not s.filled.any()
    splits = [s.values[:k].var() * k + s.values[k:].var() * (100 - k) for k in range(1, 100)]
    assert s.times[1 + int(np.argmin(splits))] == 1899  # Cobb's change point: the first year of the lower level


@pytest.mark.usefixtures("_statsmodels")
def test_carbon_dioxide_has_gaps_that_are_filled_and_told():
    s = data.co2()
    assert len(s) == 2284
    assert s.filled.sum() == 59
    assert np.isfinite(s.values).all()
    assert s.times[0] == pytest.approx(1958.24, abs=0.01)
    assert np.allclose(np.diff(s.times) * 365.2425, 7)  # every week is there
    runs = "".join("x" if missing else " " for missing in s.filled).split()
    assert max(map(len, runs)) == 18
    inner = np.flatnonzero(s.filled)
    straight = s.values[inner - 1] + s.values[inner + 1] - 2 * s.values[inner]
    lonely = ~(s.filled[inner - 1] | s.filled[inner + 1])
    assert np.abs(straight[lonely]).max() < 1e-9
    slope = np.polyfit(s.times, s.values, 1)[0]
    assert 1.2 < slope < 1.5  # parts per million a year, over these decades


@pytest.mark.parametrize("name", ["sunspots", "nile", "co2"])
def test_a_missing_package_is_told_in_one_line(name, monkeypatch):
    monkeypatch.setitem(sys.modules, f"statsmodels.datasets.{name}", None)
    with pytest.raises(RuntimeError, match=rf"^{name}: .* pip install 'tinygrad_rnn\[data\]'$"):
        getattr(data, name)()
