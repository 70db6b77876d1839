"""The commands that look inside a trained character model: inside, units, complete."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from ..data import default_corpus, read_text

_MODEL = typer.Option(help="The folder given to train --out.")
_TEXT = typer.Option(help="A text file. (default: what the model was trained on, and for scores its end, held out)")
_STATE = typer.Option(help="h, or an LSTM's c. (default: c where there is one)")
_PROSE = typer.Option("--prose", help="The text is prose, not code.")
_SEED = typer.Option(min=0, help="Draws the shifts of the labels.")


def inside(
    model: Annotated[Path, _MODEL] = Path("model"),
    text: Annotated[Path | None, _TEXT] = None,
    unit: Annotated[int | None, typer.Option(min=0, help="Which unit, counted from 0.")] = None,
    find: Annotated[str | None, typer.Option(help="Or the one that tracks this: quotes, comments, line, ...")] = None,
    state: Annotated[str | None, _STATE] = None,
    start: Annotated[int, typer.Option(min=0, help="The first character that is shown.")] = 0,
    length: Annotated[int, typer.Option(min=1, help="How many characters are shown.")] = 700,
    guesses: Annotated[bool, typer.Option("--guesses", "-g", help="Show what was expected next, too.")] = False,
    saturation: Annotated[bool, typer.Option("--saturation", help="Show instead how often gates are shut.")] = False,
    prose: Annotated[bool, _PROSE] = False,
    seed: Annotated[int, _SEED] = 0,
    out: Annotated[Path, typer.Option(help="A .html, .svg, .png or .pdf file.")] = Path("inside.html"),
) -> None:
    """Show a text coloured by what one unit does; without a unit, what the model expects next."""
    from .. import flow
    from ..course.reading import STREAMS, STRETCH, WARM_UP, find_units, read
    from ..pictures.drawing import SUFFIXES
    from ..pictures.firing import firing, guess_grid
    from ..pictures.saturation import saturation_chart

    net, seen, held_out, shown = _opened(model, text)
    if unit is not None and find is not None:
        raise typer.BadParameter("--unit and --find both say which: give one")
    state = state or _clearest(net)
    if find is not None:
        found = find_units(net, seen, held_out, state, [_known(find, prose)], prose, np.random.default_rng(seed))[find]
        if isinstance(found, str):
            raise ValueError(f"nothing to find for {find!r}: {found}")
        print(f"{find}: {state} {_told(found)}")
        unit = found.unit
    if saturation:
        streams = max(1, min(STREAMS, len(held_out) // STRETCH))
        picture = saturation_chart(flow.gate_saturation(read(net, held_out, streams, STRETCH).recording))
    else:
        if start >= len(shown):
            raise ValueError(f"--start {start}: the text has {len(shown)} characters, counted from 0")
        begin = max(0, start - WARM_UP)
        reading = read(net, shown[begin : start + length])
        shown, expected = shown[start : start + length], reading.guesses()[start - begin :]
        if unit is None:
            picture = guess_grid(shown, expected)
        else:
            values = reading.units(state)[start - begin :]
            if unit >= values.shape[1]:
                raise ValueError(f"there is no unit {unit}: the model has {values.shape[1]}, counted from 0")
            picture = firing(shown, values[:, unit], f"{state} of unit {unit}", expected if guesses else None)
    if out.suffix.lower() in SUFFIXES:  # else save says which there are
        out.parent.mkdir(parents=True, exist_ok=True)
    picture.save(out)
    print(out)


def units(
    model: Annotated[Path, _MODEL] = Path("model"),
    text: Annotated[Path | None, _TEXT] = None,
    state: Annotated[str | None, _STATE] = None,
    prose: Annotated[bool, _PROSE] = False,
    seed: Annotated[int, _SEED] = 0,
) -> None:
    """List the units that track strings, comments, brackets, indentation and the like, scored on text held out."""
    from ..course.reading import find_units
    from ..data.labels import LABELS

    net, seen, held_out, _ = _opened(model, text)
    state = state or _clearest(net)
    found = find_units(net, seen, held_out, state, None, prose, np.random.default_rng(seed))
    print(f"{'label':<12}{'unit':<8}{'held out':<20}{'luck':<8}{'p':<8}{'':<11}what it is")
    for name, each in found.items():
        if isinstance(each, str):
            print(f"{name:<12}{'-':<8}{each}")
            continue
        luck = (each.luck + 1) / 2 if each.binary else each.luck
        verdict = "found" if each.found else "not found"
        told = f"{name:<12}{f'{state} {each.unit}':<8}{_score(each):<20}{luck:<8.3f}{each.p:<8.3f}{verdict:<11}"
        print(told + LABELS[name])


def complete(
    stem: Annotated[str, typer.Argument(help="What the model is to go on with.")],
    model: Annotated[Path, _MODEL] = Path("model"),
    count: Annotated[int, typer.Option("--count", "-n", min=1, help="How many times.")] = 5,
    length: Annotated[int, typer.Option(min=1, help="Characters at most; a line's end ends it, too.")] = 60,
    temperature: Annotated[float, typer.Option(help="0: always the likeliest; 1: as learned; above: wilder.")] = 0.7,
    seed: Annotated[int | None, typer.Option(min=0, help="For the same again. (default: another each time)")] = None,
) -> None:
    """Let a trained model finish a line, several times, and show what it holds likely to come next."""
    from ..course.reading import complete as completed
    from ..course.training import load_model

    done = completed(load_model(model), stem, count, length, temperature, np.random.default_rng(seed))
    print("next: " + "  ".join(f"{character!r} {p:.0%}" for character, p in done.next))
    for written in done.written:
        print(done.stem + written)


def _opened(folder: Path, text: Path | None) -> tuple[Any, str, str, str]:
    """The model, a text to search in and one to score on: of a text that is given the two halves, else the two parts of
    what it was trained on; and a text to show."""
    from ..course.training import Run

    run = Run.load(folder)
    source = run.text["source"]
    whole = read_text(text) if text else read_text(source) if source else default_corpus()
    cut = len(whole) // 2 if text else len(whole) - int(len(whole) * run.settings.validation)
    shown = whole if text else whole[cut:] or whole
    if cut == len(whole):  # nothing was kept from the training: what is chosen on one half is scored on the other
        cut = len(whole) // 2
    return run.model, whole[:cut], whole[cut:], shown


def _clearest(model: Any) -> str:
    return "c" if model.cell == "lstm" else "h"


def _known(name: str, prose: bool) -> str:
    from ..data.labels import IN_PROSE, LABELS

    names = IN_PROSE if prose else tuple(LABELS)
    if name not in names:
        raise typer.BadParameter(f"there is no label {name!r}: {', '.join(names)}")
    return name


def _score(found: Any) -> str:
    return f"AUC {found.auc:.3f}" if found.binary else f"correlation {found.score:.3f}"


def _told(found: Any) -> str:
    word = "found" if found.found else "not found"
    return f"{found.unit}, {_score(found)} on text held out (p = {found.p:.3f}): {word}"
