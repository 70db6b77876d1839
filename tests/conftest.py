"""Fixtures for all tests: the devices that there are here, and one generator."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest
from hypothesis import settings

from tests.strict import STRICT
from tinygrad_rnn import backend, fusion

settings.register_profile("patient", deadline=None)  # how long an example takes is the machine's affair
settings.load_profile("patient")


def _has_cuda() -> bool:
    try:
        backend.get("cuda")
    except RuntimeError:
        return False
    return True


@contextmanager
def steps_recorded() -> Iterator[None]:
    """Inside, it is an error where a fused layer has to be unrolled to be looked into, even if that was said before."""
    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
        patch.setattr(fusion, "_told", False)
        warnings.simplefilter("error", fusion.SlowerRoad)
        yield


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


@pytest.fixture
def call(capsys):
    """Run the command line in this process: its exit code, what it said on stdout, and on stderr."""
    from tinygrad_rnn import cli

    def call(*arguments):
        code = cli.main([str(a) for a in arguments])
        said = capsys.readouterr()
        return code, said.out, said.err

    return call


@pytest.fixture
def refused(call):
    """Run it, expecting failure: the one line that it says."""

    def refused(*arguments, code=1):
        got, out, err = call(*arguments)
        assert got == code, err
        assert out == ""
        assert err.startswith("tinygrad-rnn: ")
        assert err.count("\n") == 1
        return err

    return refused
