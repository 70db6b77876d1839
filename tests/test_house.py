"""How the package is built: floors import only those below, the bare import is light, and names do not hide modules."""

import ast
import importlib
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import tinygrad_rnn as tg

ROOT = Path(tg.__file__).parent
FLOORS = {"ops": 0, "nn": 1, "optim": 1, "data": 1, "flow": 2, "pictures": 3, "course": 4, "experiments": 5, "cli": 6}
BESIDE = {("optim", "nn")}  # of the same floor: an optimizer that cuts a graph detaches a layer's state


def imported(path):
    """The floors that a module of the package imports from, wherever in it."""
    place = list(path.relative_to(ROOT).parts[:-1])
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level:
            above = place[: len(place) - node.level + 1]
            where = above + (node.module.split(".") if node.module else [])
            yield from [where[0]] if where else (alias.name for alias in node.names)


@pytest.mark.parametrize("floor", FLOORS)
def test_a_floor_imports_only_floors_below_it(floor):
    paths = sorted((ROOT / floor).rglob("*.py"))
    assert paths
    for path in paths:
        for other in set(imported(path)) & FLOORS.keys() - {floor}:
            assert FLOORS[other] < FLOORS[floor] or (floor, other) in BESIDE, f"{path} imports {other}"


def test_the_engine_imports_no_floor_but_ops():
    for path in ROOT.glob("*.py"):
        assert set(imported(path)) & FLOORS.keys() <= {"ops"} | ({"cli"} if path.name == "__main__.py" else set()), path


def test_the_bare_import_loads_the_engine_alone():
    code = "import sys, tinygrad_rnn; print(*sorted(m for m in sys.modules if m.startswith('tinygrad_rnn.')))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT.parent)
    loaded = {name.split(".")[1] for name in done.stdout.split()}
    assert "ops" in loaded
    assert loaded & FLOORS.keys() == {"ops"}


@pytest.mark.parametrize("package", ["nn", "nn.cells", "nn.generative", "nn.wirings", "optim", "flow"])
def test_what_is_public_is_there_and_no_function_hides_a_module(package):
    module = importlib.import_module(f"tinygrad_rnn.{package}")
    assert len(set(module.__all__)) == len(module.__all__)
    inside = {each.name for each in pkgutil.iter_modules(module.__path__)}
    for name in module.__all__:
        thing = getattr(module, name)
        assert name not in inside or type(thing).__name__ == "module", f"{package}.{name}"
