"""Fixtures for all tests: the devices that there are here, and one generator."""

from __future__ import annotations

import numpy as np
import pytest

from tests.strict import STRICT
from tinygrad_rnn import backend


def _has_cuda() -> bool:
    try:
        backend.get("cuda")
    except RuntimeError:
        return False
    return True


DEVICES = ["cpu", "strict", *(["cuda"] if _has_cuda() else [])]


@pytest.fixture(scope="session", autouse=True)
def strict_device():
    """The device "strict": an array library with a GPU's manners."""
    backend.register(STRICT)


@pytest.fixture(params=DEVICES)
def device(request) -> str:
    return request.param


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)
