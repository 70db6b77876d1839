"""What a run shows: one table, the same as JSON and as a page with pictures, and each picture as a file.

The table does not depend on how long anything took or how many processes there were. The rest does not either, but
for `gru-lstm`, which is asked for a time and gives one: in its figure's note, and among its numbers in the JSON.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .. import __version__
from ..course.files import write_whole
from ..course.render.blocks import Block, File, Part, Picture, Prose, Table
from ..course.render.blocks import plain as rounded
from ..course.render.page import page
from .experiment import CHAPTERS, Outcome
from .running import Run
from .verdict import ENOUGH, LITTLE, Verdict, judge

HEADER = ("experiment", "claim", "true of", "95 % of seeds", "verdict", "here", "in the paper")


@dataclass(frozen=True)
class Row:
    """One claim of one experiment."""

    run: Run
    verdict: Verdict
    here: str

    def cells(self) -> tuple[str, ...]:
        low, high = self.verdict.interval
        seeds = f"{self.verdict.held} of {self.verdict.seeds}"
        share = f"{low:.0%} to {high:.0%}".replace("%", " %")
        claim = self.verdict.claim
        return (self.run.name, claim.text, seeds, share, self.verdict.word, self.here, claim.paper)

    def facts(self) -> dict[str, Any]:
        (low, high), claim = self.verdict.interval, self.verdict.claim
        return {"claim": claim.text, "held": self.verdict.held, "seeds": self.verdict.seeds, "low": low, "high": high,
                "verdict": self.verdict.word, "here": self.here, "paper": claim.paper}  # fmt: skip


def rows(runs: Iterable[Run]) -> list[Row]:
    """The claims of those that are whole, in the order of the chapters."""
    found = []
    for run in ordered(runs):
        if run.whole:
            results = run.results()
            found += [Row(run, judge(claim, results), claim.ours(results)) for claim in run.experiment.claims]
    return found


def ordered(runs: Iterable[Run]) -> list[Run]:
    """By chapter, and by name within each."""
    chapters = list(CHAPTERS)
    return sorted(runs, key=lambda run: (chapters.index(run.experiment.chapter), run.name))


def write(runs: Sequence[Run], folder: Path, name: str) -> Path:
    """Write `NAME.md`, `NAME.json` and `NAME.html` to the folder, and the figures beside them; gives the page."""
    table = rows(runs)
    folder.mkdir(parents=True, exist_ok=True)
    parts = [_part(run, [row for row in table if row.run is run], folder) for run in ordered(runs)]
    scale = runs[0].scale
    words = [row.verdict.word for row in table]
    lead = (f"{len(runs)} experiments of the lectures and their papers, at the size `{scale}`. Each learning rate was "
            "chosen on seeds that count for nothing else (of digits and sunspots there is only one set); each claim is "
            f"true or false of each fresh seed. Reproduced: true of {100 * ENOUGH:g} % of them or more; not: of "
            f"{100 * LITTLE:g} % or fewer; in part: in between. The papers' tasks are larger, mostly; where they have "
            "no figure, the claim is ours.")  # fmt: skip
    if scale == "full":
        lead += f" Of {len(words)} claims, {words.count('reproduced')} are reproduced, {words.count('in part')} in part"
        lead += f" and {words.count('not reproduced')} not."
    closing = f"Made by tinygrad_rnn {__version__}. The same table is in `{name}.md` and `{name}.json`."
    title = "The classic experiments" if len(runs) > 1 else runs[0].experiment.title
    content = {"md": markdown(table), "json": as_json(runs, table), "html": page(title, parts, lead, closing)}
    for suffix, text in content.items():
        write_whole(folder / f"{name}.{suffix}", text.encode("utf-8", "replace"))
    return folder / f"{name}.html"


def markdown(table: Sequence[Row]) -> str:
    """The table as Markdown."""
    lines = [HEADER, ("---",) * len(HEADER), *(row.cells() for row in table)]
    return "".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |\n" for line in lines)


def as_json(runs: Sequence[Run], table: Sequence[Row]) -> str:
    """The same with every number: chosen rates, and each seed's outcome but for its curves."""
    said = []
    for run in ordered(runs):
        facts: dict[str, Any] = {"name": run.name, "title": run.experiment.title, "source": run.experiment.source,
                                 "size": repr(run.experiment.size(run.scale)), "failed": run.failed,
                                 "claims": [row.facts() for row in table if row.run is run]}  # fmt: skip
        if run.whole:
            results = run.results()
            facts["rates"] = results.rates
            facts["seeds"] = [{arm: _numbers(outcome) for arm, outcome in seed.items()} for seed in results.seeds]
        said.append(facts)
    return json.dumps(rounded({"version": __version__, "experiments": said}), indent=1, ensure_ascii=False) + "\n"


def _numbers(outcome: Outcome) -> Outcome:
    return {key: value for key, value in outcome.items() if not isinstance(value, (list, dict))}


def _part(run: Run, table: Sequence[Row], folder: Path) -> Part:
    experiment = run.experiment
    blocks: list[Block] = [Prose(experiment.about), Prose(f"*Source:* {experiment.source}.")]
    if run.failed:
        return Part(run.name, experiment.title, "failed", [*blocks, Prose(f"It failed: {run.failed}")])
    results = run.results()
    blocks.append(Table(HEADER[1:], [row.cells()[1:] for row in table], words=True))
    rates = [(arm, "none" if rate is None else f"{rate:g}") for arm, rate in results.rates.items()]
    if any(rate != "none" for _, rate in rates):
        blocks.append(Table(("arm", "learning rate"), rates))
    (folder / "figures").mkdir(exist_ok=True)
    for figure, drawn in experiment.figures(results).items():
        path = f"figures/{run.name}-{figure}"
        if isinstance(drawn, str):
            suffix = "svg" if re.match(r"\s*(<\?xml[^>]*>\s*)?<svg", drawn) else "html" if "<" in drawn[:100] else "txt"
            write_whole(folder / f"{path}.{suffix}", drawn.encode("utf-8", "replace"))
            blocks.append(File(f"{path}.{suffix}", drawn))
        else:
            write_whole(folder / f"{path}.svg", drawn.svg.encode())
            blocks.append(Picture(f"{run.name}-{figure}", drawn, f"`{path}.svg`"))
    words = [row.verdict.word for row in table]
    told = ", ".join(f"{words.count(word)} {word}" for word in dict.fromkeys(words))
    return Part(run.name, experiment.title, f"{told}.", blocks)
