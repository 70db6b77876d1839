"""Every experiment runs at its quick size, and says and draws what it found."""

import json
import math

import pytest

pytest.importorskip("rich")

from tests.experiments.test_running import Here
from tinygrad_rnn.experiments import catalogue, report, running, store


@pytest.mark.parametrize("name", catalogue.names())
def test_it_runs_says_and_draws(name, tmp_path):
    for need in catalogue.module(name).EXPERIMENT.needs:
        pytest.importorskip(need)
    (run,), whole = running.run([name], "quick", tmp_path, executor=Here())
    assert whole
    assert run.failed == ""
    page = report.write([run], tmp_path / "quick", name).read_text()
    experiment, results = run.experiment, run.results()
    for arm in experiment.arms:
        assert all(not math.isnan(score) for score in results.of(arm.name, "score")), arm.name
    table = report.rows([run])
    assert len(table) == len(experiment.claims) > 0
    assert all(row.here and row.verdict.claim.paper for row in table)
    assert "<svg" in page
    json.loads((tmp_path / "quick" / f"{name}.json").read_text())


def test_an_unknown_name_is_told_with_the_nearest():
    nearest = catalogue.names()[0]
    with pytest.raises(ValueError, match=f"did you mean '{nearest}'"):
        catalogue.load(nearest + "x")


def test_full_sizes_have_seeds_enough_for_a_verdict():
    for name in catalogue.names():
        experiment = catalogue.module(name).EXPERIMENT
        assert experiment.full.seeds >= 3, name
        assert any(len(arm.rates) > 1 for arm in experiment.arms) <= (experiment.full.pilots > 0), name


def test_what_is_claimed_fits_the_table():
    for name in catalogue.names():
        for claim in catalogue.module(name).EXPERIMENT.claims:
            assert len(claim.text) <= 75, (name, claim.text)
            assert len(claim.paper) <= 90, (name, claim.paper)


def test_what_a_trial_depends_on_can_be_written_down():
    for name in catalogue.names():
        for arm in catalogue.module(name).EXPERIMENT.arms:
            assert " at 0x" not in store.settings(arm), (name, arm.name)  # which is another in each process
