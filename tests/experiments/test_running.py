"""Running experiments: rates are chosen on pilots, seeds are fresh, and nothing that was finished is lost."""

import json
import math
import re
from concurrent.futures import Executor, Future

import pytest

pytest.importorskip("rich")

from tinygrad_rnn.experiments import Arm, Claim, Experiment, Size, catalogue, report, running, store
from tinygrad_rnn.experiments.store import Key, Store
from tinygrad_rnn.pictures.charts import curve_chart


class Here(Executor):
    """Runs what it is given at once, in this process."""

    def submit(self, f, /, *args, **kwargs):
        future = Future()
        try:
            future.set_result(f(*args, **kwargs))
        except BaseException as why:
            if isinstance(why, KeyboardInterrupt):
                raise
            future.set_exception(why)
        return future


def make(trial, **changes):
    options = {
        "title": "A toy",
        "chapter": "cells",
        "source": "nobody",
        "about": "Two arms.",
        "arms": (Arm("good", rates=(0.1, 0.2, 0.3)), Arm("bad")),
        "trial": trial,
        "claims": (
            Claim("good is better", lambda seed: seed["good"]["score"] < seed["bad"]["score"], "so it says",
                  lambda results: f"{results.median('good'):.2f} | {results.median('bad'):.2f}"),
        ),
        "figures": lambda results: {"curve": curve_chart({"good": ([0, 1], [0, 1])}), "text": "a"},
        "quick": Size(seeds=1),
        "full": Size(seeds=4, pilots=2, T=7),
    }  # fmt: skip
    return Experiment(**options | changes)


@pytest.fixture
def toy(monkeypatch):
    """A catalogue of one experiment, `toy`, and the trials that were really run."""
    ran = []

    def trial(arm, rate, seed, size):
        ran.append((arm.name, rate, seed))
        return {"score": 1.0 + seed / 1e4 if rate is None else abs(rate - 0.2) + seed / 1e4, "T": size.numbers.get("T")}

    experiments = {"toy": make(trial)}
    monkeypatch.setattr(catalogue, "load", lambda name: experiments[name])
    monkeypatch.setattr(running, "fingerprint", lambda name, experiment, scale: repr(experiment.size(scale)))
    experiments["ran"] = ran
    return experiments


def go(folder, scale="full", **options):
    (run,), whole = running.run(["toy"], scale, folder, executor=Here(), **options)
    assert whole
    return run


def test_the_rate_is_chosen_on_pilot_seeds_which_count_for_nothing_else(toy, tmp_path):
    run = go(tmp_path)
    results = run.results()
    assert results.rates == {"good": 0.2, "bad": None}
    pilots = {(arm, rate, seed) for arm, rate, seed in toy["ran"] if seed < running.FRESH}
    assert pilots == {("good", rate, seed) for rate in (0.1, 0.2, 0.3) for seed in (0, 1)}
    counted = [each for each in toy["ran"] if each[2] >= running.FRESH]
    assert sorted(counted, key=str) == sorted(
        [(arm, rate, running.FRESH + i) for i in range(4) for arm, rate in (("good", 0.2), ("bad", None))], key=str)
    assert results.of("good", "T") == [7, 7, 7, 7]
    assert len(results.seeds) == 4


def test_without_pilots_the_middle_rate_is_taken(toy, tmp_path):
    assert go(tmp_path, "quick").results().rates["good"] == 0.2


def test_a_rate_whose_trial_diverged_is_not_chosen(toy, tmp_path):
    toy["toy"] = make(lambda arm, rate, seed, size: {"score": math.nan if rate == 0.2 else rate or 1.0})
    assert go(tmp_path).results().rates["good"] == 0.1


def test_what_was_run_is_not_run_again_unless_the_experiment_changed(toy, tmp_path):
    first = report.markdown(report.rows([go(tmp_path)]))
    toy["ran"].clear()
    assert report.markdown(report.rows([go(tmp_path)])) == first
    assert toy["ran"] == []
    toy["toy"] = make(toy["toy"].trial, full=Size(seeds=4, pilots=2, T=8))
    go(tmp_path)
    assert len(toy["ran"]) == 6 + 8


def test_a_broken_file_is_run_again(toy, tmp_path):
    go(tmp_path)
    toy["ran"].clear()
    path = Store(tmp_path).path(Key("toy", "full", "bad", None, "seed", running.FRESH))
    path.write_text(path.read_text()[:20])
    go(tmp_path)
    assert toy["ran"] == [("bad", None, running.FRESH)]


def test_interrupted_it_keeps_what_is_done_and_goes_on(toy, tmp_path):
    def interrupted(arm, rate, seed, size):
        if len(toy["ran"]) == 5:
            raise KeyboardInterrupt
        return whole(arm, rate, seed, size)

    whole = toy["toy"].trial
    toy["toy"] = make(interrupted)

    class OneByOne(Here):
        """Each trial only when the one before has been kept, as a pool of one process would."""

        def submit(self, f, /, *args, **kwargs):
            future = Future()
            future.run = lambda: future.set_result(f(*args, **kwargs))
            return future

    def wait(futures, **options):
        first = next(iter(futures))
        first.run()
        return type("Done", (), {"done": {first}})

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(running, "wait", wait)
        with pytest.raises(KeyboardInterrupt):
            running.run(["toy"], "full", tmp_path, executor=OneByOne())
    assert len(list(tmp_path.rglob("*.json"))) == 5
    toy["ran"].clear()
    toy["toy"] = make(whole)
    go(tmp_path)
    assert len(toy["ran"]) == 6 + 8 - 5


def test_a_trial_that_fails_is_told_and_the_table_leaves_its_experiment_out(toy, tmp_path):
    def failing(arm, rate, seed, size):
        raise ZeroDivisionError("by zero")

    toy["toy"] = make(failing, arms=(Arm("good"), Arm("bad")))
    run = go(tmp_path)
    assert re.fullmatch(r"toy, (good|bad), seed 200\d: ZeroDivisionError: by zero", run.failed)
    assert report.rows([run]) == []
    page = report.write([run], tmp_path / "full", "toy").read_text()
    assert "by zero" in page


def test_a_trial_that_fails_ends_its_own_experiment(toy, tmp_path, monkeypatch):
    ran = []

    def failing(arm, rate, seed, size):
        ran.append(seed)
        raise ZeroDivisionError("by zero")

    class Later(Executor):
        """Nothing runs before it is waited for."""

        def submit(self, f, /, *args, **kwargs):
            future = Future()
            future.call = lambda: f(*args, **kwargs)
            return future

    def wait(futures, **options):
        first = next(iter(futures))
        try:
            first.set_result(first.call())
        except ZeroDivisionError as why:
            first.set_exception(why)
        return type("Done", (), {"done": {first}})

    toy["toy"] = make(failing, arms=(Arm("good"), Arm("bad")))
    monkeypatch.setattr(running, "wait", wait)
    (run,), _ = running.run(["toy"], "full", tmp_path, executor=Later())
    assert "by zero" in run.failed
    assert len(ran) == 1


def test_the_table_the_page_and_the_figures_are_written(toy, tmp_path):
    run = go(tmp_path)
    page = report.write([run], tmp_path / "full", "toy")
    assert page.read_text().count("<svg") == 1
    assert "Reproduced: true of 80 % of them or more; not: of 20 % or fewer" in page.read_text()
    assert (tmp_path / "full" / "figures" / "toy-curve.svg").exists()
    assert (tmp_path / "full" / "figures" / "toy-text.txt").read_text() == "a"
    lines = (tmp_path / "full" / "toy.md").read_text().splitlines()
    assert len(lines) == 3
    assert lines[2] == "| toy | good is better | 4 of 4 | 51 % to 100 % | reproduced | 0.20 \\| 1.20 | so it says |"
    (said,) = json.loads((tmp_path / "full" / "toy.json").read_text())["experiments"]
    assert said["rates"] == {"good": 0.2, "bad": None}
    assert [seed["bad"]["score"] for seed in said["seeds"]] == [1.2, 1.2001, 1.2002, 1.2003]


def test_arms_need_names_of_their_own_and_chapters_exist():
    with pytest.raises(ValueError, match="different names"):
        make(None, arms=(Arm("a"), Arm("a")))
    with pytest.raises(ValueError, match="no chapter 'x'"):
        make(None, chapter="x")


def test_files_of_arms_that_differ_only_in_signs_stay_apart():
    assert Key("e", "full", "a+b", 0.1, "seed", 1).file != Key("e", "full", "a-b", 0.1, "seed", 1).file


def test_the_fingerprint_is_of_what_trials_depend_on_and_not_of_words(monkeypatch):
    source = '''"""Doc."""
RATE = 0.1
def trial(arm, rate, seed, size):
    """Doc."""
    return RATE  # why
def figures(results):
    return {}
EXPERIMENT = 1
'''

    def of(source, **changes):
        monkeypatch.setattr(store.inspect, "getsource", lambda module: source)
        monkeypatch.setattr(catalogue, "module", lambda name: store)
        return store.fingerprint("toy", make(None, **changes), "full")

    same = of(source)
    reworded = source.replace("Doc", "Another").replace("# why", "").replace("{}", "1").replace("ENT = 1", "ENT = 2")
    assert reworded != source
    assert of(reworded) == same
    assert of(source, full=Size(seeds=9, pilots=0, T=7), claims=()) == same
    assert of(source.replace("0.1", "0.2")) != same
    assert of(source.replace("return RATE", "return 2 * RATE")) != same
    assert of(source, full=Size(seeds=4, pilots=2, T=8)) != same
    assert of(source, arms=(Arm("good", settings={"a": 1}), Arm("bad"))) != same


def test_the_fingerprint_is_of_modules_that_are_used_at_second_hand_too(monkeypatch):
    experiment, getsource = catalogue.load("ablation"), store.inspect.getsource  # which takes its training from adding
    before = store.fingerprint("ablation", experiment, "full")

    def changed(module):
        return getsource(module) + "\nx = 1\n" * module.__name__.endswith("experiments.training")

    monkeypatch.setattr(store.inspect, "getsource", changed)
    assert store.fingerprint("ablation", experiment, "full") != before
