"""What the benchmarks print is what was measured: pairs, medians, verdicts, and the same work on both sides. Nothing
here looks at how fast anything is."""

from __future__ import annotations

import json
import math
import re
import xml.etree.ElementTree as ET
from dataclasses import replace

import numpy as np
import pytest

from tests.benchmarks import __main__ as command
from tests.benchmarks import chain, drawing, indexing, plot, table, worker
from tests.benchmarks.results import Point, Report, Result
from tests.benchmarks.rows import ROWS, Row, Run
from tests.benchmarks.runner import Failed, Runner
from tests.benchmarks.ways import WAYS, Way
from tests.benchmarks.ways.sampling import fingerprint
from tinygrad_rnn.ops.recurrent import fast

TINY = {"T": 5, "B": 3, "H": 4, "D": 6, "V": 6}
MACHINE = {"CPU": "Z80", "cores": 1, "threads": 1, "Python": "3.11", "date": "1 May 2026"}


def tiny(run: Run) -> Run:
    return replace(run, sizes={k: min(v, TINY[k]) if k in TINY else v for k, v in run.sizes.items()})


@pytest.fixture
def report() -> Report:
    rows = [
        Result("this", "that", [1.0, 2.0, 30.0], [4.0, 2.0, 10.0], at_most=0.9),  # ratios 0.25, 1, 3; of medians 0.5
        Result("light", "heavy", [0.5], [2.0], unit="MB", at_most=0.25),
        Result("free", "peer", [1.5], [1.0]),
        Result("lonely", "torch.nn", note="torch is not installed", at_most=0.5),
    ]
    return Report(MACHINE, "3 rounds", rows, [Point("fused", 16, 1.5, 0.25), Point("unrolled", 16, 12.25, 1024.0)])


@pytest.mark.parametrize("row", [row for row in ROWS if row.same_loss and row.peer.way != "products"], ids=str)
def test_both_ways_of_a_row_compute_the_same_loss(row, monkeypatch):
    for run in (row.ours, row.peer):
        if WAYS[run.way].missing:
            pytest.skip(WAYS[run.way].missing)
    for name, value in WAYS[row.ours.way].environment.items():
        monkeypatch.setenv(name, value)
    fast.kernels.cache_clear()
    ours, peer = (WAYS[run.way].build(**tiny(run).sizes) for run in (row.ours, row.peer))
    for _ in range(2):  # the second time from the same state as the first
        assert math.isclose(ours(), peer(), rel_tol=1e-5)
    fast.kernels.cache_clear()


def test_the_matrix_products_are_those_that_are_told(monkeypatch):
    T, B, H, V = 5, 3, 4, 6
    once = WAYS["products"].build(T=T, B=B, H=H, V=V)
    flops, dot = [], np.dot
    monkeypatch.setattr(np, "dot", lambda a, b, out: flops.append(2 * a.size * b.shape[1]) or dot(a, b, out=out))
    once()
    assert len(flops) == 2 * T + 1 + 3
    assert sum(flops) == 3 * (2 * T * B * H * 4 * H) + 3 * (2 * T * B * H * V)


def test_a_fingerprint_tells_the_order_of_characters():
    assert fingerprint([0, 1, 2]) != fingerprint([0, 2, 1])


def test_sides_take_turns_and_ratios_are_of_pairs(monkeypatch):
    asked = []

    def ask(self, **task):
        asked.append(task["way"])
        return {"ms": [1, 2, 6, 3, 5, 50][len(asked) - 1], "loss": 3.0}

    monkeypatch.setattr(Runner, "ask", ask)
    row = Row("op-level", Run("op-level"), Run("by hand"))
    result = Result(row.name, row.peer_label)
    Runner(rounds=3).row(row, result)
    assert asked == ["op-level", "by hand"] * 3
    assert result.ratios == [0.5, 2.0, 0.1]
    assert result.ratio == 0.5


def test_times_are_told_for_each_step(monkeypatch):
    monkeypatch.setattr(Runner, "ask", lambda self, **task: {"ms": task["sizes"]["T"] * 0.002, "loss": None})
    row = Row("long", Run("by hand", {"T": 8}), Run("by hand", {"T": 4}), per="step", same_loss=False)
    result = Result(row.name, "short")
    Runner(rounds=1).row(row, result)
    assert result.ours == pytest.approx([2.0])
    assert result.peers == pytest.approx([2.0])


@pytest.mark.parametrize(("theirs", "broken"), [(3.0001, False), (3.01, True), (math.nan, True)])
def test_a_side_that_computes_something_else_has_no_ratio(monkeypatch, theirs, broken):
    losses = {"op-level": 3.0, "by hand": theirs}
    monkeypatch.setattr(Runner, "ask", lambda self, **task: {"ms": 1.0, "loss": losses[task["way"]]})
    row = Row("op-level", Run("op-level"), Run("by hand"))
    result = Result(row.name, row.peer_label)
    Runner(rounds=2).row(row, result)
    assert result.broken == broken
    assert (result.ratio is None) == broken
    assert ("not the same work" in result.note) == broken


def test_a_peer_that_is_not_installed_is_shown_and_never_run(monkeypatch):
    monkeypatch.setitem(WAYS, "absent", Way(lambda: None, "Absent", needs="no_such_module"))
    monkeypatch.setattr(Runner, "ask", lambda self, **task: pytest.fail("ran"))
    row = Row("op-level", Run("op-level"), Run("absent"))
    result = Result(row.name, row.peer_label)
    Runner().row(row, result)
    assert table.row(result)[-1] == "no_such_module is not installed"
    assert not result.broken


def test_workers_answer_from_a_process_of_their_own():
    sizes = {"T": 3, "B": 2, "H": 4, "D": 5}
    row = Row("small", Run("op-level", sizes), Run("by hand", sizes))
    result = Result(row.name, row.peer_label)
    Runner(rounds=1, seconds=0.01, threads=1).row(row, result)
    assert result.note == ""
    assert result.ratio > 0


def test_a_worker_that_fails_says_why():
    with pytest.raises(Failed, match="KeyError: 'no such way'"):
        Runner().ask(task="measure", way="no such way", sizes={}, seconds=1)


def test_a_median_is_of_what_a_way_measures_itself(monkeypatch):
    seconds = iter([9.0, 9.0, *[0.001, 0.002, 0.003, 0.004, 0.050]])  # two to warm up
    monkeypatch.setitem(WAYS, "clock", Way(lambda: lambda: next(seconds), "clock", times_itself=True))
    assert worker.measure("clock", {}, seconds=1e-9) == {"ms": 3.0, "loss": None}


def test_a_peak_counts_arrays_that_were_let_go(monkeypatch):
    def once():
        np.ones(10**6)
        return 0.0

    monkeypatch.setitem(WAYS, "hungry", Way(lambda: once, "hungry"))
    assert worker.peak("hungry", {})["MB"] == pytest.approx(8, rel=0.01)


def test_every_module_tells_rows_that_the_table_knows():
    told = [*chain.rows(long=40, short=10, rounds=2), *indexing.rows(long=8, short=4, rounds=2)]
    told.append(drawing.picture("cells", 3, None, 2.0))
    for result in map(Result.of, json.loads(json.dumps(told))):
        assert result.ratio > 0
        assert table.row(result)[4] == f"{result.ratio:.2f}"
    with pytest.raises(KeyError, match="not by speed"):
        Result.of({"name": "x", "speed": 1})


def test_the_table_shows_ratio_spread_target_and_verdict(report):
    lines = table.plain(report).splitlines()
    this, light, free, lonely = ([cell.strip() for cell in line.split("  ") if cell.strip()] for line in lines[3:7])
    assert this == ["this", "that", "2 ms", "4 ms", "1.00", "0.25..3.00", "0.90", "misses, in 2 of 3 rounds, unsteady"]
    assert light == ["light", "heavy", "0.5 MB", "2 MB", "0.25", "0.25..0.25", "0.25", "holds"]
    assert free == ["free", "peer", "1.5 ms", "1 ms", "1.50", "1.50..1.50"]
    assert lonely == ["lonely", "torch.nn", "0.50", "torch is not installed"]
    assert lines[-1].split() == ["16", "1.5", "12.2", "0.25", "1024"]
    assert "Z80" in lines[0]
    assert "1 May 2026" in lines[0]


def test_markdown_has_the_same_cells(report):
    lines = table.markdown(report).splitlines()
    assert "| this | that | 2 ms | 4 ms | 1.00 | 0.25..3.00 | 0.90 | misses, in 2 of 3 rounds, unsteady |" in lines
    tables = [line for line in lines if line.startswith("|")]
    assert {line.count("|") for line in tables[:6]} == {9}
    assert {line.count("|") for line in tables[6:]} == {6}


def test_json_comes_back_as_it_was(report, tmp_path):
    report.save(tmp_path / "run.json")
    assert Report.load(tmp_path / "run.json") == report
    row = json.loads((tmp_path / "run.json").read_text())["rows"][0]
    assert (row["ratio"], row["ratios"]) == (1.0, [0.25, 1.0, 3.0])
    assert row["verdict"] == "misses, in 2 of 3 rounds, unsteady"


def test_the_plot_tells_in_words_what_it_shows(report, tmp_path):
    pytest.importorskip("matplotlib")
    plot.save(report, tmp_path / "run.svg")
    tree = ET.parse(tmp_path / "run.svg").getroot()
    told = tree.find("{*}desc").text
    assert tree.find("{*}title").text
    for words in ("this / that: 1.00 misses", "light / heavy: 0.25 holds", "lonely / torch.nn: torch is not installed",
                  "unrolled, T=16: 12.2 ms"):  # fmt: skip
        assert words in told
    plot.save(replace(report, rows=[]), tmp_path / "growth.png")
    plot.save(replace(report, growth=[]), tmp_path / "rows.png")
    for name in ("growth.png", "rows.png"):
        assert (tmp_path / name).read_bytes().startswith(b"\x89PNG")


def test_after_ctrl_c_what_was_measured_is_shown_and_kept(monkeypatch, tmp_path, capsys):
    asked = []

    def ask(self, task, **rest):
        if task == "machine":
            return MACHINE
        asked.append(rest["way"])
        if len(asked) == 6:
            raise KeyboardInterrupt
        return {"ms": 2.0, "loss": 1.0}

    monkeypatch.setattr(Runner, "ask", ask)
    file = tmp_path / "run.json"
    assert command.main(["--only", "B=16 H=32 D=27 / NumPy", "--rounds", "4", "--json", str(file)]) == 130
    assert "interrupted" in capsys.readouterr().out
    assert Report.load(file).rows[0].ratios == [1.0, 1.0]


def test_only_takes_part_of_a_name(monkeypatch, capsys):
    monkeypatch.setattr(Runner, "ask", lambda self, task, **_: MACHINE if task == "machine" else {"ms": 1, "loss": 1})
    assert command.main(["--only", "numpy by hand", "gru", "--quick"]) == 0
    printed = capsys.readouterr().out
    assert "NumPy by hand" in printed
    assert "fused GRU" in printed
    assert "fused LSTM" not in printed
    with pytest.raises(SystemExit):
        command.main(["--only", "transformer"])
    assert "no row has 'transformer' in its name" in capsys.readouterr().err


def test_a_way_that_is_not_compiled_says_so(monkeypatch, capsys):
    monkeypatch.setenv("TINYGRAD_RNN_FAST", "0")
    monkeypatch.setattr(Runner, "ask", lambda self, task, **_: MACHINE if task == "machine" else {"ms": 1, "loss": 1})
    assert command.main(["--only", "LSTM, compiled, T=100", "--quick"]) == 0
    assert re.search("turned off by TINYGRAD_RNN_FAST=0|numba is not installed", capsys.readouterr().out)


def test_files_of_one_run_are_joined_and_of_two_machines_refused(report, tmp_path, capsys):
    paths = [str(tmp_path / f"{k}.json") for k in range(3)]
    report.save(tmp_path / "0.json")
    replace(report, rows=[Result("more", "peer", [3.0], [2.0])], growth=[]).save(tmp_path / "1.json")
    replace(report, machine=MACHINE | {"CPU": "6502"}).save(tmp_path / "2.json")
    command.main(["--from", *paths[:2], "--markdown"])
    printed = capsys.readouterr().out
    assert "| this |" in printed
    assert "| more |" in printed
    with pytest.raises(SystemExit, match="measured elsewhere"):
        command.main(["--from", *paths])
