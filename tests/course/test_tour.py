"""The tour: a page from a short run, its numbers, its words for every outcome, and what it does to folders."""

import json
import math
import re
from html.parser import HTMLParser

import numpy as np
import pytest

import tinygrad_rnn as tg
from tests.conftest import DEVICES, steps_recorded
from tinygrad_rnn.course.render.blocks import plain
from tinygrad_rnn.course.render.page import marked, visible
from tinygrad_rnn.course.tour import captions, clipping, hello, language, output, radius, remarks, run_tour
from tinygrad_rnn.course.tour.by_hand import bptt
from tinygrad_rnn.course.tour.clock import Clock
from tinygrad_rnn.course.tour.memory import remember

VOID = {"meta", "br", "hr", "img", "input", "link"}
PARTS = ["hello", "by_hand", "radius", "language", "reach", "adding", "clipping"]
NAMES = ["Elman", "LSTM bias 0", "LSTM bias 1", "LSTM bias 2"]
SHORT = "the quick brown fox jumps over the lazy dog. " * 30


class Page(HTMLParser):
    """Checks that elements nest, and collects ids, addresses, headings, captions and what has a text alternative."""

    def __init__(self, text):
        super().__init__()
        self.open, self.ids, self.addresses, self.tags = [], [], [], []
        self.svg_described = []
        self.feed(text)
        self.close()
        assert not self.open, self.open

    def handle_starttag(self, tag, attributes):
        found = dict(attributes)
        self.tags.append(tag)
        self.ids += [found["id"]] if "id" in found else []
        self.addresses += [found[key] for key in ("href", "src", "xlink:href", "action") if key in found]
        if tag == "svg":
            self.svg_described.append(found.get("aria-labelledby", "").split())
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag


@pytest.fixture(scope="module")
def tour(tmp_path_factory):
    """One short tour on a short text: its folder, page, numbers and what it reported."""
    out, said = tmp_path_factory.mktemp("run") / "tour", []
    with steps_recorded():  # it trains with fused layers, and looks into copies that record their steps
        path = run_tour(out, SHORT, seconds=1.5, report=said.append)
    assert path == out / "index.html"
    return out, path.read_text(encoding="utf-8"), json.loads((out / "numbers.json").read_text(encoding="utf-8")), said


def test_the_page_is_well_formed_and_needs_nothing_else(tour):
    _, text, _, _ = tour
    page = Page(text)
    assert len(set(page.ids)) == len(page.ids)
    assert set(page.tags).isdisjoint({"script", "link", "img", "iframe", "image"})
    assert all(address.startswith("#") and address[1:] in page.ids for address in page.addresses)
    assert re.findall(r"https?://[^\s\"'<]+", text.replace("http://www.w3.org/", "")) == []
    assert "@import" not in text
    assert "url(" not in text
    assert '<meta name="viewport"' in text
    assert '<html lang="en">' in text


def test_the_page_has_every_part_with_its_figures_and_their_words(tour):
    out, text, numbers, _ = tour
    page = Page(text)
    assert list(numbers["parts"]) == PARTS
    assert set(PARTS) <= set(page.ids)
    figures = sorted(path.stem for path in (out / "figures").iterdir())
    assert {f"hello_{view}" for view in ("cells", "rolled", "ops", "gates", "flow")} <= set(figures)
    assert {
        "gradient_flow",
        "language_loss",
        "reach_before",
        "reach_after",
        "ledger_before",
        "ledger_after",
        "adding_before",
        "adding_after",
        "adding_ledger",
        "adding_error",
        "wall",
        "wall_descent",
        "order_wrong",
        "order_norms",
    } <= set(figures)
    assert set(figures) <= set(page.ids)
    assert page.tags.count("svg") == len(figures)
    for title, about in page.svg_described:
        found = re.search(rf'<desc id="{re.escape(about)}">([^<]+)</desc>', text)
        assert f'<title id="{title}">' in text
        assert found
        assert len(found[1]) > 20
    assert len(re.findall(r"<figcaption><b>Figure \d+\.</b> \S", text)) == len(figures)
    assert "def bptt(" in text
    assert "-&gt; tuple[float, " in text
    assert "dh_next = da @ p[" in text
    assert not re.search(r"\b(NaN|nan|inf|None(?! of))\b", re.sub(r"<pre.*?</pre>", "", text, flags=re.S))
    for name in figures:
        svg = (out / "figures" / f"{name}.svg").read_text(encoding="utf-8")
        assert "xmlns" in svg
        Page(svg[svg.index("<svg") :])


def test_the_numbers_are_complete_and_finite(tour):
    _, text, numbers, _ = tour

    def walk(x):
        if isinstance(x, dict):
            for value in x.values():
                walk(value)
        elif isinstance(x, list):
            for value in x:
                walk(value)
        else:
            assert x is None or isinstance(x, (str, bool, int)) or math.isfinite(x)

    walk(numbers)
    assert numbers["what"] == output.MARK
    assert numbers["seed"] == 0
    assert numbers["seconds_asked"] == 1.5
    parts = numbers["parts"]
    assert (
        list(parts["language"]["models"]) == list(parts["reach"]["after"]) == list(parts["adding"]["models"]) == NAMES
    )
    assert parts["language"]["updates"] >= 3
    assert parts["language"]["seconds"] > 0
    assert all(m["updates"] >= 3 and m["seconds"] > 0 for m in parts["adding"]["models"].values())
    for moment in ("before", "after"):
        for facts in parts["reach"][moment].values():
            assert len(facts["norms_by_lag"]) == len(facts["ledger_W_hh"]) == facts["lags"] + 1
    # what the captions say is what the numbers say
    assert captions.language(parts["language"]) in text
    assert marked(remarks.by_hand(max(parts["by_hand"]["largest_difference"].values()))) in text
    assert len(parts["clipping"]["order"]["runs"]) == 2 * clipping.RUNS


def test_it_says_how_it_goes(tour):
    said = tour[3]
    assert all(re.match(r" *\d+\.\d s  \S", line) for line in said)
    assert len(said) >= 8
    assert said[-1].endswith("index.html")


# By hand


def test_the_gradients_by_hand_are_the_engines(tour):
    assert max(tour[2]["parts"]["by_hand"]["largest_difference"].values()) <= 1e-12
    rng = np.random.default_rng(7)
    p = {name: rng.normal(size=array.shape) for name, array in hello.weights(rng, 5).items()}
    xs, targets = rng.normal(size=(6, 3, 5)), rng.integers(0, 5, (6, 3))
    loss, d = bptt(p, xs, targets, np.zeros((3, hello.HIDDEN)))
    leaves, total = hello.network(p, xs, targets)
    assert loss == pytest.approx(total.item(), abs=1e-12)
    for name, g in zip(leaves, tg.grad(total, list(leaves.values())), strict=True):
        assert np.abs(g.numpy() - d[name]).max() <= 1e-12, name


def test_the_gradients_by_hand_are_those_of_differences():
    rng = np.random.default_rng(3)
    p = {name: rng.normal(size=array.shape) for name, array in hello.weights(rng, 4).items()}
    xs, targets, h0 = rng.normal(size=(4, 2, 4)), rng.integers(0, 4, (4, 2)), rng.normal(size=(2, hello.HIDDEN))
    _, d = bptt(p, xs, targets, h0)
    for name, array in p.items():
        move = rng.normal(size=array.shape)
        ends = [bptt({**p, name: array + side * 1e-5 * move}, xs, targets, h0)[0] for side in (1, -1)]
        assert (ends[0] - ends[1]) / 2e-5 == pytest.approx(float((d[name] * move).sum()), rel=1e-7)


def test_hello_learns_to_say_hello(tour):
    numbers = tour[2]["parts"]["by_hand"]
    assert numbers["says"] == "ello"
    assert numbers["loss_after"] < numbers["loss_without_memory"]


# What is measured


def test_the_radius_figure_shows_what_linear_algebra_says():
    cases = radius.radius_part(0).numbers["cases"]
    for case in cases[:3]:  # weak inputs: an orthogonal matrix times rho changes each norm by rho
        expected = case["rho"] ** np.arange(radius.STEPS, -1.0, -1.0)
        np.testing.assert_allclose(case["norms"], expected, rtol=1e-2)
        assert case["sigma_1"] == pytest.approx(case["rho"])
    assert cases[3]["last"] < cases[2]["last"]


def test_the_direct_path_is_the_product_of_the_forget_gates():
    rng = np.random.default_rng(0)
    layer = tg.nn.LSTM(3, 4, forget_bias=1.0, dtype=np.float64, rng=rng)
    cell = layer.layers[0].forward
    cell.W_hh.data = np.zeros_like(cell.W_hh.data)  # then nothing comes round through W_hh
    outputs, _ = layer(tg.tensor(rng.normal(size=(9, 2, 3))))
    memory = remember((outputs[-1] ** 2).sum(), cell.W_hh)
    assert memory.state == "c"
    assert 0 < memory.forget < 1
    np.testing.assert_allclose(memory.direct, memory.norms, rtol=1e-12)


def test_temporal_order_has_its_two_letters_where_they_belong():
    x, y = clipping.temporal_order(np.random.default_rng(0), 20, 500)
    letters = x.argmax(axis=2)
    assert (x.sum(axis=2) == 1).all()
    assert ((letters < 2).sum(axis=0) == 2).all()
    for column, answer in zip(letters.T, y, strict=True):
        first, second = np.flatnonzero(column < 2)
        assert 2 <= first <= 4
        assert 8 <= second <= 10
        assert answer == 2 * column[first] + column[second]
    assert np.bincount(y).min() > 80


def test_the_walls_slope_is_the_derivative_of_its_error():
    w = np.array([4.2, 4.9, 5.3])
    (above, _), (below, _) = clipping.slope(w + 1e-6), clipping.slope(w - 1e-6)
    np.testing.assert_allclose(clipping.slope(w)[1], (above - below) / 2e-6, rtol=1e-5)


def test_plain_numbers_are_what_json_can_say():
    given = {"a": np.array([1.0, math.inf]), 2: (math.nan, np.float32(0.5), np.int64(3), np.True_, None, "x")}
    assert plain(given) == {"a": [1.0, None], "2": [None, 0.5, 3, True, None, "x"]}
    json.dumps(plain(given), allow_nan=False)


def test_a_clock_grants_its_least_rounds_and_then_stops():
    clock, rounds = Clock(1e-9, least=3), 0
    while clock:
        rounds += 1
    assert rounds == 3
    assert clock.share == 1.0


# Texts


@pytest.mark.parametrize("text", ["ab" * 20, "a" * 60, "中文字" * 30 + "\x0c\ud800<&>"])
def test_short_and_odd_texts_are_prepared_and_followed(text):
    vocabulary, train, held_out, window = language.prepared(text)
    model = language.CharModel(vocabulary, "lstm", 4, rng=np.random.default_rng(0))
    learner = language.Learner("LSTM", model)
    learner.read(train[0], again=len(train) == 1)
    learner.write(0)
    assert held_out is None
    assert len(learner.written[0][1]) == language.WRITES
    memory = language.followed(model, window)
    assert len(memory.norms) == len(window) - 1
    assert captions.lags({"LSTM": memory.facts})
    assert captions.ledgers({"LSTM": memory.facts})
    plain(memory.numbers)


def test_text_that_is_too_short_is_refused_before_anything_is_written(tmp_path):
    with pytest.raises(ValueError, match="12 characters: the tour needs at least 40"):
        run_tour(tmp_path / "t", "hello world.", 1, report=pytest.fail)  # before any work
    assert list(tmp_path.iterdir()) == []


def test_what_a_page_cannot_show_is_shown_as_a_dot():
    assert visible("a\tb\x00\nc\ud800") == "a·b·\nc·"


# Folders


def test_a_tour_is_replaced_and_nothing_else(tour, tmp_path):
    out = tmp_path / "t"
    files = {"index.html": "new", "numbers.json": json.dumps({"what": output.MARK}), "figures/a.svg": "<svg/>"}
    out.mkdir()
    output.write(out, files)  # an empty folder
    output.write(out, {**files, "index.html": "newer"})
    assert (out / "index.html").read_text() == "newer"
    assert [p.name for p in tmp_path.iterdir()] == ["t"]
    for foreign in (out / "notes.txt", out / "figures" / "holiday.jpg"):
        foreign.write_text("mine")
        with pytest.raises(FileExistsError, match="other files"):
            run_tour(out, SHORT, 1, report=pytest.fail)  # before any work
        foreign.unlink()
    (out / "numbers.json").write_text("{}")
    with pytest.raises(FileExistsError, match="name another folder"):
        output.check_place(out)
    (tmp_path / "file").write_text("")
    with pytest.raises(NotADirectoryError, match="is a file"):
        output.check_place(tmp_path / "file")


@pytest.mark.parametrize("when", range(1, 6))
def test_what_stops_the_writing_leaves_the_older_tour(tmp_path, monkeypatch, when):
    out = tmp_path / "t"
    files = {"index.html": "old", "numbers.json": json.dumps({"what": output.MARK}), "figures/a.svg": "old"}
    output.write(out, files)
    real, calls = output.os.replace, []

    def interrupted(a, b):
        calls.append(b)
        if len(calls) == when:
            raise KeyboardInterrupt
        real(a, b)

    monkeypatch.setattr(output.os, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        output.write(out, {**files, "index.html": "new", "figures/a.svg": "new", "figures/b.svg": "new"})
    assert [p.name for p in tmp_path.iterdir()] == ["t"]
    assert {p.name for p in out.iterdir()} == {"index.html", "numbers.json", "figures"}
    assert (out / "index.html").read_text() == "old"
    assert [p.read_text() for p in (out / "figures").iterdir()] == ["old"]


def test_stopping_the_tour_leaves_nothing(tmp_path):
    def stop(line):
        if "learn to add" in line:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_tour(tmp_path / "t", SHORT, 0.5, report=stop)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("seconds", "device", "error"), [(0, "cpu", ValueError), (math.nan, "cpu", ValueError), (1, "tpu", ValueError)]
)
def test_bad_arguments_are_refused(tmp_path, seconds, device, error):
    with pytest.raises(error):
        run_tour(tmp_path / "t", SHORT, seconds, device, report=lambda line: None)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("device", [name for name in DEVICES if name != "cpu"])
def test_the_tour_runs_where_arrays_are_not_numpys(tmp_path, device):
    run_tour(tmp_path / "t", SHORT, 0.3, device, report=lambda line: None)
    numbers = json.loads((tmp_path / "t" / "numbers.json").read_text(encoding="utf-8"))
    assert numbers["device"] == device
    assert list(numbers["parts"]) == PARTS
