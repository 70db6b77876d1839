"""The commands that show and train whole models: tour, draw, train, sample."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from .. import backend
from ..data import default_corpus, read_text
from .lines import NAME, Stopped

EPOCHS = 5  # times through the text where nobody says how long: a minute or two for the default text


def tour(
    out: Annotated[Path, typer.Option(help="The folder for index.html, its figures and its numbers.")] = Path("tour"),
    text: Annotated[Path | None, typer.Option(help="A text file. (default: what every Python carries)")] = None,
    seconds: Annotated[float, typer.Option(min=1, help="About how long it may take.")] = 60,
    device: Annotated[str, typer.Option(help="cpu or cuda.")] = "cpu",
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress.")] = False,
) -> None:
    """Make a page that shows where gradients flow and die, from networks trained while you wait."""
    from ..course.saving import check_writable

    check_writable(out)
    backend.get(device)
    words = None if text is None else read_text(text)
    from ..course.display import tell
    from ..course.tour import run_tour

    try:
        page = run_tour(out, words, seconds, device, (lambda line: None) if quiet else tell)
    except KeyboardInterrupt:
        raise Stopped("stopped; nothing was written") from None
    if not quiet:
        print(page)


def draw(
    name: Annotated[str | None, typer.Argument(help="A built-in model; see --list.")] = None,
    view: Annotated[str, typer.Option(help="auto, cells, rolled, gates, ops or flow.")] = "auto",
    steps: Annotated[int, typer.Option(min=1, help="Time steps to unroll.")] = 4,
    every: Annotated[bool, typer.Option("--all", help="Draw every step, however many.")] = False,
    values: Annotated[
        bool | None, typer.Option("--values/--no-values", help="Show the numbers. (default: where they are few)")
    ] = None,
    state: Annotated[str, typer.Option(help="What the flow view follows: h, or an LSTM's c.")] = "h",
    out: Annotated[
        Path | None, typer.Option(help="A .svg, .png, .pdf, .dot or .html file. (default: NAME-VIEW.svg)")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Draws weights and inputs.")] = 0,
    list_: Annotated[bool, typer.Option("--list", help="List the built-in models.")] = False,
) -> None:
    """Draw the graph of a built-in model."""
    from ..pictures import draw as picture
    from ..pictures.drawing import SUFFIXES
    from ..pictures.examples import EXAMPLES

    if list_:
        for known, example in EXAMPLES.items():
            print(f"{known:<12}{(example.__doc__ or '').strip().splitlines()[0] if example.__doc__ else ''}".rstrip())
        return
    if name not in EXAMPLES:
        told = "name a built-in model" if name is None else f"there is no built-in model {name!r}"
        raise typer.BadParameter(f"{told}: {', '.join(EXAMPLES)}")
    out = Path(f"{name}-{view}.svg") if out is None else out
    drawing = picture(EXAMPLES[name](steps, np.random.default_rng(seed)), view, steps="all" if every else None,
                      values="auto" if values is None else values, state=state)  # fmt: skip
    if out.suffix.lower() in SUFFIXES:  # else save says which there are
        out.parent.mkdir(parents=True, exist_ok=True)
    drawing.save(out)
    print(f"{out}: {drawing.figure.note}" if drawing.figure.note else out)


def train(
    text: Annotated[Path | None, typer.Option(help="A text file. (default: what every Python carries)")] = None,
    cell: Annotated[str | None, typer.Option(help="rnn, lstm or gru. (default: lstm)")] = None,
    hidden: Annotated[int | None, typer.Option(min=1, help="Units of a layer. (default: 128)")] = None,
    layers: Annotated[int | None, typer.Option(min=1, help="Layers. (default: 1)")] = None,
    forget_bias: Annotated[float | None, typer.Option(help="The LSTM's, at the start. (default: 1)")] = None,
    seq_len: Annotated[int | None, typer.Option(min=1, help="Steps back that gradients go. (default: 50)")] = None,
    batch: Annotated[int | None, typer.Option(min=1, help="Parallel streams of text. (default: 32)")] = None,
    lr: Annotated[float | None, typer.Option(help="Adam's learning rate. (default: 0.005)")] = None,
    clip: Annotated[float | None, typer.Option(help="The gradients' largest norm. (default: 1)")] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Draws the weights. (default: 0)")] = None,
    dtype: Annotated[str | None, typer.Option(help="float32 or float64. (default: float32)")] = None,
    epochs: Annotated[int | None, typer.Option(min=1, help=f"Times through the text. (default: {EPOCHS})")] = None,
    steps: Annotated[int | None, typer.Option(min=1, help="Steps in all, instead.")] = None,
    seconds: Annotated[float | None, typer.Option(min=0.1, help="Stop after so long.")] = None,
    every: Annotated[int, typer.Option(min=1, help="Validate and save every so many steps.")] = 100,
    device: Annotated[str, typer.Option(help="cpu or cuda.")] = "cpu",
    out: Annotated[Path, typer.Option(help="The model's folder.")] = Path("model"),
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the model in --out, exactly.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress.")] = False,
) -> None:
    """Train a character model on a text. Ctrl-C saves; --resume goes on."""
    from ..course import saving, training
    from ..course.display import Display, tell

    options = {"cell": cell, "hidden_size": hidden, "num_layers": layers, "forget_bias": forget_bias,
               "seq_len": seq_len, "batch_size": batch, "lr": lr, "clip": clip, "seed": seed,
               "dtype": dtype}  # fmt: skip
    chosen: dict[str, Any] = {key: value for key, value in options.items() if value is not None}
    if steps is not None and epochs is not None:
        raise typer.BadParameter("--steps and --epochs both say how long: give one")
    saving.check_writable(out)
    backend.get(device)
    run = training.Run.load(out, device) if resume else None
    if run is not None:
        changed = [key for key, value in chosen.items() if getattr(run.settings, key) != value]
        if changed:
            raise ValueError(f"the model in {out} has {changed[0]} {getattr(run.settings, changed[0])}, which cannot "
                             "change now: leave it out, or start anew in another folder")  # fmt: skip
        text = Path(run.text["source"]) if text is None and run.text["source"] else text
    elif saving.has_model(out):
        raise ValueError(f"{out} holds a model already: go on with --resume, or choose another folder with --out")
    settings = training.Settings(**chosen) if run is None else run.settings
    words = default_corpus() if text is None else read_text(text)
    data = training.Text(words, settings, None if text is None else str(text))
    run = training.Run.start(settings, data, device) if run is None else run
    steps = _steps(steps, epochs, seconds, len(data.train), run.goal)
    with Display(quiet) as display:
        finished = training.train(run, data, steps=steps, seconds=seconds, every=every, report=display, folder=out)
    cost, knowing = run.curve[-1]["validation"] or run.curve[-1]["train"] or 0.0, math.log2(len(data.vocabulary))
    if cost > 1.1 * knowing:
        tell(f"{NAME}: warning: a character costs {cost:.3g} bits, and {knowing:.2f} for who knows nothing: start anew "
             "with a smaller --lr, in another folder")  # fmt: skip
    if not finished:
        raise Stopped(f"stopped at step {run.step} and saved; to go on: {NAME} train --out {out} --resume")
    if not quiet:
        print(f"{out}: {run.step} steps; to hear it: {NAME} sample --model {out}")


def _steps(steps: int | None, epochs: int | None, seconds: float | None, epoch: int, goal: int | None) -> int | None:
    """Steps in all: as told, else where the run was going, else a few epochs unless seconds say when to stop."""
    if steps is not None:
        return steps
    if epochs is not None:
        return epochs * epoch
    return goal if goal is not None else None if seconds is not None else EPOCHS * epoch


def sample(
    model: Annotated[Path, typer.Option(help="The folder given to train --out.")] = Path("model"),
    prime: Annotated[str, typer.Option(help="What the model reads first.")] = "",
    length: Annotated[int, typer.Option(min=0, help="Characters to write.")] = 500,
    temperature: Annotated[float, typer.Option(help="0: always the likeliest; 1: as learned; above: wilder.")] = 0.8,
    seed: Annotated[int | None, typer.Option(min=0, help="For the same again. (default: another each time)")] = None,
    device: Annotated[str, typer.Option(help="cpu or cuda.")] = "cpu",
) -> None:
    """Let a trained model write."""
    from ..course.charmodel import stream
    from ..course.training import load_model

    written = stream(load_model(model, device), prime, length, temperature, np.random.default_rng(seed))
    print(prime, end="")
    for char in written:
        print(char, end="", flush=True)
    print()
