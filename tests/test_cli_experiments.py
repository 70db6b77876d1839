"""`tinygrad-rnn experiment`, as its users meet it: lists, refuses, stops, goes on, and says the same each time."""

import os
import signal
import subprocess
import sys
import time

import pytest

pytest.importorskip("typer")
pytest.importorskip("rich")

from tinygrad_rnn.experiments import catalogue

SHORT = ["embedded-reber", "anbn", "recall"]


def test_it_lists_all(call):
    code, out, err = call("experiment", "--list")
    assert (code, err) == (0, "")
    assert [line.split()[0] for line in out.splitlines()] == catalogue.names()


def test_wrong_names_are_one_line(refused, tmp_path):
    assert "did you mean 'anbn'?" in refused("experiment", "anb", "--out", tmp_path / "out")
    assert "name an experiment" in refused("experiment", code=2)
    assert "not both" in refused("experiment", "anbn", "--all", code=2)
    (tmp_path / "file").write_text("")
    assert "not a folder" in refused("experiment", "anbn", "--out", tmp_path / "file")
    assert not (tmp_path / "out").exists()


def test_a_missing_package_is_one_line(refused, tmp_path, monkeypatch):
    import dataclasses

    module = catalogue.module("anbn")
    monkeypatch.setattr(module, "EXPERIMENT", dataclasses.replace(module.EXPERIMENT, needs=("no_such_package",)))
    said = refused("experiment", "anbn", "--out", tmp_path / "out")
    assert said == "tinygrad-rnn: the experiment anbn needs no_such_package: pip install 'tinygrad_rnn[data]'\n"


def test_the_name_of_a_table_of_many_is_one_that_a_file_can_have():
    from tinygrad_rnn.cli.experiments import _name

    assert _name(SHORT) == "-".join(SHORT)
    assert _name(catalogue.names()) == f"ablation-and-{len(catalogue.names()) - 1}-more"


def start(folder, *more):
    line = [sys.executable, "-m", "tinygrad_rnn", "experiment", *SHORT, "--quick", "--out", str(folder), *more]
    return subprocess.Popen(line,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                            start_new_session=True)  # fmt: skip


@pytest.mark.skipif(os.name == "nt", reason="Ctrl-C is sent by POSIX signals")
def test_stopped_it_goes_on_and_however_many_work_on_it_the_table_is_the_same(tmp_path):
    stopped = start(tmp_path / "a", "--jobs", "1")
    deadline = time.monotonic() + 60
    while not list((tmp_path / "a").rglob("*seed*.json")) and time.monotonic() < deadline:
        time.sleep(0.02)
    os.killpg(stopped.pid, signal.SIGINT)  # as a terminal does: to all of them
    out, err = stopped.communicate(timeout=60)
    assert stopped.returncode == 130, err
    assert out == ""
    last = err.splitlines()[-1]
    assert last.startswith("tinygrad-rnn: stopped after ")
    assert "Traceback" not in err
    kept = {path: path.stat().st_mtime_ns for path in (tmp_path / "a").rglob("*seed*.json")}
    assert 0 < len(kept) < 7

    again = start(tmp_path / "a", "--jobs", "1")
    whole = start(tmp_path / "b", "--jobs", "2")
    first, second = (each.communicate(timeout=120)[0] for each in (again, whole))
    assert again.returncode == whole.returncode == 0
    assert first.replace(str(tmp_path / "a"), "") == second.replace(str(tmp_path / "b"), "")
    assert all(path.stat().st_mtime_ns == when for path, when in kept.items())
    name = "quick/" + "-".join(SHORT)
    for suffix in ("md", "json", "html"):
        assert (tmp_path / "a" / f"{name}.{suffix}").read_text() == (tmp_path / "b" / f"{name}.{suffix}").read_text()
