"""A drawing shows itself, and saves itself whole or not at all."""

import base64
import os
import xml.etree.ElementTree as ET
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tinygrad_rnn.pictures import drawing as module
from tinygrad_rnn.pictures import engines
from tinygrad_rnn.pictures.charts import curve_chart
from tinygrad_rnn.pictures.drawing import Drawing
from tinygrad_rnn.pictures.figure import Figure

from .samples import SVG, cells, hostile, shapes


@pytest.fixture(autouse=True)
def builtin(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(engines.VARIABLE, "builtin")


def test_it_shows_itself() -> None:
    drawing = Drawing(cells())
    assert repr(drawing) == "<Drawing 'Elman network, 3 steps': 12 nodes, 15 edges, 3 boxes>"
    shown, about = drawing._repr_mimebundle_()
    assert set(shown) == {"text/html", "image/svg+xml", "text/plain"}
    assert shown["text/plain"] == repr(drawing)
    assert about["image/svg+xml"] == {"alt": "Elman network, 3 steps. " + drawing.figure.description}
    assert drawing.svg is drawing.svg  # drawn once
    assert drawing.dot is drawing.dot
    assert drawing.keys == drawing.figure.keys()
    assert "\n" not in repr(Drawing(Figure("two\nlines")))


@pytest.mark.parametrize("drawing", [Drawing(hostile()), curve_chart({"a < b": ([0, 1], [2.0, 1.0])})], ids=repr)
def test_a_notebook_shows_it_no_wider_than_the_page_and_reads_it_out(drawing: Drawing) -> None:
    """As an image, which is all that nbconvert and JupyterLab make of SVG, but with what they leave out."""
    shown, about = drawing._repr_mimebundle_()
    images: list[dict[str, str | None]] = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            images.append({"tag": tag, **dict(attrs)})

    Reader().feed(shown["text/html"])
    (image,) = images
    assert (image["tag"], image["style"]) == ("img", "max-width:100%;height:auto")
    assert image["alt"] == about["image/svg+xml"]["alt"]
    assert drawing.figure.title in image["alt"]
    assert drawing.figure.description in image["alt"]
    kind, content = image["src"].split(",")
    assert kind == "data:image/svg+xml;base64"
    assert base64.b64decode(content).decode() == drawing.svg
    inlined, kept = ET.fromstring(shown["image/svg+xml"]), ET.fromstring(drawing.svg)
    assert inlined.attrib.pop("style") == "max-width:100%;height:auto"  # for those who put the element in their page
    assert ET.tostring(inlined) == ET.tostring(kept)
    assert "max-width" not in drawing.svg  # a file for print keeps its size


@pytest.mark.parametrize("suffix", ["svg", "dot", "html", "SVG"])
def test_save_and_read_back(suffix: str, tmp_path: Path) -> None:
    drawing = Drawing(hostile())
    path = drawing.save(tmp_path / f"picture.{suffix}")
    content = path.read_text(encoding="utf-8")
    assert content == {"svg": drawing.svg, "dot": drawing.dot, "html": drawing.html}[suffix.lower()]
    assert os.listdir(tmp_path) == [path.name]
    assert drawing.save(str(path)) == path  # again, over the old one


def test_html_stands_alone(tmp_path: Path) -> None:
    figure = hostile()
    page = Drawing(figure).html
    seen: list[tuple[str, str | None]] = []
    said: list[str] = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            seen.extend((name, value) for name, value in attrs if name in ("src", "href", "xlink:href"))

        def handle_data(self, data: str) -> None:
            said.append(data)

    Reader().feed(page)
    assert seen == []
    assert said.count(figure.title) >= 2
    assert figure.description in said
    start, end = page.index("<svg"), page.index("</svg>") + 6
    assert ET.fromstring(page[start:end]).tag == f"{SVG}svg"


@pytest.mark.parametrize("name", ["picture.jpg", "picture", "picture.svg.gz"])
def test_an_unknown_suffix_names_the_known_ones(name: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"known suffixes are \.svg, \.png, \.pdf, \.dot, \.html"):
        Drawing(cells()).save(tmp_path / name)
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("scale", [0, -1, float("nan"), float("inf")])
def test_a_scale_is_positive(scale: float, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="scale"):
        Drawing(cells()).save(tmp_path / "a.png", scale=scale)


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"there is no folder .*nowhere") as error:
        Drawing(cells()).save(tmp_path / "nowhere" / "a.svg")
    assert "\n" not in str(error.value)


def test_a_folder_in_the_way_is_named_and_nothing_is_left(tmp_path: Path) -> None:
    (tmp_path / "a.svg").mkdir()
    with pytest.raises(OSError, match=r"cannot write .*a\.svg"):
        Drawing(cells()).save(tmp_path / "a.svg")
    assert os.listdir(tmp_path) == ["a.svg"]


@pytest.mark.parametrize("broken", ["os.replace", "Path.write_bytes"])
def test_an_interrupted_save_leaves_the_old_file(broken: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "a.svg"
    target.write_text("old")

    def stop(*arguments: object) -> None:
        raise KeyboardInterrupt

    owner, name = broken.split(".")
    monkeypatch.setattr(getattr(module, owner), name, stop)
    with pytest.raises(KeyboardInterrupt):
        Drawing(cells()).save(target)
    assert target.read_text() == "old"
    assert os.listdir(tmp_path) == ["a.svg"]


def test_a_full_disk_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "a.dot"
    target.write_text("old")

    def full(*arguments: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(module.os, "replace", full)
    with pytest.raises(OSError, match=r"cannot write .*a\.dot.*: No space left"):
        Drawing(cells()).save(target)
    assert (target.read_text(), os.listdir(tmp_path)) == ("old", ["a.dot"])


@pytest.mark.skipif(os.name == "nt", reason="modes are POSIX's")
def test_the_file_has_the_usual_mode(tmp_path: Path) -> None:
    (tmp_path / "usual").write_text("")
    saved = Drawing(shapes()).save(tmp_path / "a.svg")
    assert saved.stat().st_mode == (tmp_path / "usual").stat().st_mode


def test_a_large_figure_is_drawn_by_our_own_writer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(engines.VARIABLE)
    monkeypatch.setattr(engines, "run", lambda *a, **k: pytest.fail("asked an engine"))
    drawing = Drawing(cells(module.LARGE // 3 + 1))
    assert drawing.engine == "builtin"
