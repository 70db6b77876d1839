"""The command line as its users meet it: what it makes, and what it says when something is wrong."""

import json
import os
import re
import signal
import subprocess
import sys
import time
import types
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("typer")
pytest.importorskip("rich")
pytest.importorskip("safetensors")

from tinygrad_rnn import __version__, backend
from tinygrad_rnn.course.display import line
from tinygrad_rnn.course.training import Progress, Run

SMALL = ["--hidden", "8", "--seq-len", "5", "--batch", "4"]


@pytest.fixture
def text(tmp_path):
    path = tmp_path / "text.txt"
    path.write_text("the cat sat on the mat and the rat ran. " * 30)
    return str(path)


def run(*arguments, **options):
    return subprocess.run([sys.executable, "-m", "tinygrad_rnn", *map(str, arguments)], text=True, timeout=60,
                          capture_output=True, **options)  # fmt: skip


# Training and writing


def test_a_model_is_trained_goes_on_and_writes(call, text, tmp_path):
    out = tmp_path / "deep" / "model"
    begun = call("train", "--text", text, *SMALL, "--cell", "gru", "--steps", 6, "--every", 3, "--out", out)
    code, said, progress = begun
    assert code == 0
    assert str(out) in said
    assert re.fullmatch(r"(step \d/6  loss \d\.\d+ nats, \d\.\d+ bits/char \(validation \d\.\d+\)  [\d,]+ chars/s  "
                        r"0:\d\d left\n){2}", progress)  # fmt: skip
    assert json.loads((out / "config.json").read_text())["settings"]["cell"] == "gru"

    assert call("train", "--out", out, "--resume", "--steps", 9, "--quiet") == (0, "", "")
    assert Run.load(out).step == 9  # and it found the text again

    write = ["sample", "--model", out, "--prime", "the ", "--length", 20, "--seed"]
    code, said, _ = call(*write, 1)
    assert code == 0
    assert len(said) == 25
    assert said.startswith("the ")
    assert call(*write, 1)[1] == said
    assert call(*write, 2)[1] != said


def test_stopping_and_going_on_gives_the_same_files_as_not_stopping(call, text, tmp_path):
    common = ["train", "--text", text, *SMALL, "--quiet", "--out"]
    call(*common, tmp_path / "a", "--steps", 8)
    call(*common, tmp_path / "b", "--steps", 4)
    call("train", "--resume", "--quiet", "--out", tmp_path / "b", "--steps", 8)
    a, b = (Run.load(tmp_path / name).model.state_dict() for name in "ab")
    assert all(np.array_equal(a[name], b[name]) for name in a)


def test_ctrl_c_leaves_a_model_that_goes_on_to_its_goal(call, text, tmp_path):
    out = tmp_path / "model"
    command = [sys.executable, "-m", "tinygrad_rnn", "train", "--text", text, *SMALL, "--steps", "1000000"]
    with subprocess.Popen([*command, "--every", "5", "--out", str(out)], text=True, stdout=-1, stderr=-1) as training:
        while not (out / "model.safetensors").exists():
            assert training.poll() is None
            time.sleep(0.02)
        training.send_signal(signal.SIGINT)
        said, told = training.communicate(timeout=30)
    assert training.returncode == 130
    assert said == ""
    assert f"--out {out} --resume" in told.splitlines()[-1]
    assert "Traceback" not in told
    stopped = Run.load(out)
    assert stopped.goal == 1_000_000
    assert f"stopped at step {stopped.step} " in told
    assert sorted(os.listdir(out)) == ["config.json", "model.safetensors"]
    assert call("sample", "--model", out, "--length", 5)[0] == 0
    assert call("train", "--resume", "--out", out, "--quiet", "--seconds", 0.1)[0] == 0
    assert Run.load(out).step > stopped.step


def test_ctrl_c_during_the_tour_says_that_nothing_was_written(tmp_path):
    command = [sys.executable, "-m", "tinygrad_rnn", "tour", "--seconds", "60", "--out", str(tmp_path / "page")]
    with subprocess.Popen(command, text=True, stdout=-1, stderr=-1) as touring:
        assert "hello" in touring.stderr.readline()
        touring.send_signal(signal.SIGINT)
        said, told = touring.communicate(timeout=30)
    assert touring.returncode == 130
    assert said == ""
    assert told.endswith("tinygrad-rnn: stopped; nothing was written\n")
    assert "Traceback" not in told
    assert not os.listdir(tmp_path)


def test_ctrl_c_elsewhere_is_one_line_too(refused, monkeypatch, tmp_path):
    def interrupted(*arguments, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr("tinygrad_rnn.pictures.draw", interrupted)
    assert refused("draw", "hello", "--out", tmp_path / "hello.svg", code=130) == "tinygrad-rnn: stopped\n"


def test_the_default_text_is_there_without_a_file(call, tmp_path):
    code, _, _ = call("train", *SMALL, "--steps", 1, "--quiet", "--out", tmp_path / "m")
    assert code == 0
    assert Run.load(tmp_path / "m").text["source"] is None


def test_epochs_are_times_through_the_text(call, text, tmp_path):
    call("train", "--text", text, *SMALL, "--epochs", 2, "--quiet", "--out", tmp_path / "m")
    assert Run.load(tmp_path / "m").step == 2 * ((1140 // 4 - 1) // 5)


# What is refused


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        (["--text", "none.txt"], 1, "none.txt: there is no such file"),
        (["--text", "."], 1, "is a folder"),
        (["--text", "binary"], 1, "binary is binary"),
        (["--text", "latin"], 1, "latin is not UTF-8"),
        (["--text", "empty"], 1, "empty is empty"),
        (["--text", "short"], 1, "17 characters of text are fewer than one window"),
        (["--cell", "lsmt"], 1, "cell 'lsmt' is unknown: use rnn, lstm, gru"),
        (["--device", "tpu"], 1, "device 'tpu' is unknown"),
        (["--dtype", "float8"], 1, "dtype must be float32 or float64"),
        (["--lr", "0"], 1, "lr must be above 0"),
        (["--steps", "0"], 2, "--steps"),
        (["--steps", "five"], 2, "--steps"),
        (["--hidden", "-1"], 2, "--hidden"),
        (["--epochs", "1", "--steps", "1"], 2, "give one"),
        (["--volume", "11"], 2, "--volume"),
        (["--out", "short"], 1, "short is not a folder"),
        (["--out", "short/deep"], 1, "short is not a folder"),
        (["--resume"], 1, "holds no model"),
    ],
)
def test_a_training_that_cannot_be_is_refused_in_one_line_and_leaves_nothing(
    refused, tmp_path, monkeypatch, options, code, said
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "binary").write_bytes(b"\x89PNG\0\0")
    (tmp_path / "latin").write_bytes(b"caf\xe9")
    (tmp_path / "empty").write_bytes(b"")
    (tmp_path / "short").write_text("too short a text.")
    before = sorted(os.listdir(tmp_path))
    assert said in refused("train", *options, code=code)
    assert sorted(os.listdir(tmp_path)) == before


@pytest.mark.skipif(not os.path.isdir("/proc/1"), reason="needs Linux's /proc, where nobody can make a file")
@pytest.mark.parametrize("command", ["train", "tour"])
def test_a_folder_that_cannot_be_written_is_refused_before_the_work(refused, command):
    began = time.perf_counter()
    assert "/proc/out cannot be written" in refused(command, "--out", "/proc/out")
    assert time.perf_counter() - began < 5


def test_a_device_that_is_not_here_is_refused(refused, tmp_path):
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "cupy", None)
        patch.delitem(backend._by_device, "cuda", raising=False)
        told = refused("train", "--device", "cuda", "--out", tmp_path / "m")
    assert "tinygrad_rnn[gpu]" in told
    assert os.listdir(tmp_path) == []


def test_more_than_the_memory_holds_is_one_line(refused, text, tmp_path):
    told = refused("train", "--text", text, *SMALL, "--hidden", 20_000_000, "--out", tmp_path / "m")
    assert "not enough memory" in told
    assert "smaller" in told
    assert not (tmp_path / "m").exists()


def test_a_loss_worse_than_knowing_nothing_is_told(call, text, tmp_path):
    code, said, told = call("train", "--text", text, *SMALL, "--lr", "1e6", "--steps", 20, "--quiet",
                            "--out", tmp_path / "m")  # fmt: skip
    assert (code, said) == (0, "")
    assert re.fullmatch(r"tinygrad-rnn: warning: a character costs \S+ bits, and 3\.\d\d .* smaller --lr.*\n", told)


@pytest.mark.parametrize("every", [1, 100])
def test_a_diverging_training_ends_in_one_line_and_leaves_no_broken_model(refused, text, tmp_path, every):
    told = refused("train", "--text", text, *SMALL, "--lr", "1e300", "--steps", 50, "--every", every, "--quiet",
                   "--out", tmp_path / "m")  # fmt: skip
    assert "smaller lr" in told
    assert not (tmp_path / "m").exists()


def test_what_is_trained_is_not_overwritten_nor_changed_on_the_way(refused, call, text, tmp_path):
    out = tmp_path / "m"
    call("train", "--text", text, *SMALL, "--steps", 2, "--quiet", "--out", out)
    before = (out / "model.safetensors").read_bytes()
    assert "holds a model already" in refused("train", "--text", text, *SMALL, "--steps", 2, "--out", out)
    assert "hidden_size 8, which cannot change" in refused("train", "--resume", "--hidden", 9, "--out", out)
    assert "2 have been taken already" in refused("train", "--resume", "--out", out)
    other = tmp_path / "other.txt"
    other.write_text("another text, as long as need be. " * 20)
    assert "not the text" in refused("train", "--resume", "--text", other, "--steps", 3, "--out", out)
    assert (out / "model.safetensors").read_bytes() == before


def test_writing_that_cannot_be_is_refused(refused, call, text, tmp_path):
    assert "holds no model" in refused("sample", "--model", tmp_path)
    out = tmp_path / "m"
    call("train", "--text", text, *SMALL, "--steps", 1, "--quiet", "--out", out)
    assert "temperature must be 0" in refused("sample", "--model", out, "--temperature", -1)
    assert "'Z'" in refused("sample", "--model", out, "--prime", "Zebra")
    (out / "model.safetensors").write_bytes((out / "model.safetensors").read_bytes()[:-3])
    assert "is broken" in refused("sample", "--model", out)
    assert "is broken" in refused("train", "--resume", "--out", out)


# The other commands


def test_a_model_is_drawn(call, tmp_path):
    out = tmp_path / "deep" / "hello.svg"
    code, listed, _ = call("draw", "--list")
    assert code == 0
    name = listed.split()[0]
    code, said, _ = call("draw", name, "--view", "cells", "--steps", 3, "--out", out)
    assert code == 0
    assert str(out) in said
    assert "<svg" in out.read_text("utf-8")
    long = ["draw", name, "--view", "cells", "--steps", 30, "--out", out]
    assert "are left out" in call(*long)[1]
    assert "left out" not in call(*long, "--all")[1]


def test_the_flow_view_follows_the_state_asked_for(call, refused, tmp_path):
    texts = {}
    for state in ("h", "c"):
        out = tmp_path / f"{state}.svg"
        assert call("draw", "lstm", "--view", "flow", "--state", state, "--out", out)[0] == 0
        texts[state] = out.read_text("utf-8")
    assert texts["h"] != texts["c"]
    assert "needs an LSTM's cell state" in refused("draw", "elman", "--view", "flow", "--state", "c")


def test_a_drawing_that_cannot_be_is_refused_with_what_can(refused, call, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    listed = call("draw", "--list")[1].splitlines()
    name = listed[0].split()[0]
    for told in (refused("draw", "nothing", code=2), refused("draw", code=2)):
        assert all(line.split()[0] in told for line in listed)
    told = refused("draw", name, "--view", "sideways")
    assert all(view in told for view in ("ops", "gates", "cells", "rolled", "flow"))
    assert "known suffixes" in refused("draw", name, "--out", "a.bmp")
    assert "known suffixes" in refused("draw", name, "--out", "none/a.bmp")
    assert os.listdir(tmp_path) == []


def test_the_tour_gets_the_text_itself_and_says_how_it_goes(call, text, tmp_path, monkeypatch):
    got = []

    def run_tour(out, text, seconds, device, report):
        got.append((out, text, seconds, device))
        report("half way")
        return out / "index.html"

    monkeypatch.setitem(sys.modules, "tinygrad_rnn.course.tour", types.SimpleNamespace(run_tour=run_tour))
    told = call("tour", "--out", tmp_path / "t", "--text", text, "--seconds", 5)
    assert told == (0, f"{tmp_path / 't' / 'index.html'}\n", "half way\n")
    assert call("tour", "--out", tmp_path / "t", "--quiet") == (0, "", "")
    assert got[0] == (tmp_path / "t", Path(text).read_text(), 5.0, "cpu")
    assert got[1][1:] == (None, 60.0, "cpu")


def test_the_doctor_tells_what_is_here_and_what_is_missing(call, monkeypatch):
    code, said, err = call("doctor")
    assert (code, err) == (0, "")
    for what in (__version__, np.__version__, "python", "device cpu", "device cuda", "drawing builtin", "safetensors"):
        assert what in said
    monkeypatch.setenv("PATH", "")
    assert re.search(r"drawing dot +missing .*apt install graphviz", call("doctor")[1])


# As a program


def test_the_version_and_the_help_are_those_of_the_program():
    assert run("--version").stdout == f"tinygrad-rnn {__version__}\n"
    told = run("--help")
    assert told.returncode == 0
    course = ("start", "next", "check", "watch", "hint", "list", "reset", "update", "solution", "course")
    for command in ("tour", "draw", "train", "sample", "doctor", *course):
        assert f" {command} " in told.stdout


def test_without_its_extra_it_names_the_line_that_installs_it():
    code = "import sys; sys.modules['typer'] = None; from tinygrad_rnn.cli import main; sys.exit(main(['doctor']))"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert told.returncode == 1
    assert told.stderr == ("tinygrad-rnn: the command line needs typer and rich: "
                           "pip install 'tinygrad_rnn[course]'\n")  # fmt: skip


def test_who_reads_only_the_beginning_hears_no_complaint(call, text, tmp_path):
    out = tmp_path / "m"
    call("train", "--text", text, *SMALL, "--steps", 1, "--quiet", "--out", out)
    command = f"'{sys.executable}' -m tinygrad_rnn sample --model '{out}' --length 100000 | head -c 20"
    told = subprocess.run(["sh", "-c", command], capture_output=True, text=True, timeout=60)
    assert len(told.stdout) == 20
    assert told.stderr == ""


def test_a_terminal_without_the_characters_shows_others(call, tmp_path):
    (tmp_path / "text").write_text("déjà vu, déjà entendu. " * 30, "utf-8")
    out = tmp_path / "m"
    call("train", "--text", tmp_path / "text", *SMALL, "--steps", 1, "--quiet", "--out", out)
    environment = {**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "1"}
    told = run("sample", "--model", out, "--prime", "déjà", "--length", 3, env=environment)
    assert (told.returncode, told.stderr) == (0, "")
    assert told.stdout.startswith("d?j?")


@pytest.mark.parametrize("command", ["tour --seconds 1", "train --seq-len 5 --batch 4 --steps 4 --every 1"])
def test_who_stops_reading_the_progress_does_not_stop_the_work(text, tmp_path, command):
    out = tmp_path / "out"
    piped = f"'{sys.executable}' -m tinygrad_rnn {command} --text '{text}' --out '{out}' 2>&1 | head -n 1"
    told = subprocess.run(["sh", "-c", piped], capture_output=True, text=True, timeout=60)
    assert told.stdout.count("\n") == 1
    assert told.stderr == ""
    assert len(os.listdir(out)) >= 2


def test_a_wrong_option_names_the_help_of_its_command(refused):
    assert refused("train", "--volume", 11, code=2).endswith("(see tinygrad-rnn train --help)\n")
    assert refused("dance", code=2).endswith("(see tinygrad-rnn --help)\n")


@pytest.mark.parametrize(("width", "kept"), [(150, 5), (80, 4), (65, 3), (45, 2), (10, 2)])
def test_a_narrow_terminal_loses_the_least_important_first(width, kept):
    p = Progress(12345, 99999, 2.41, 3.48, None, 1.0, 83_000.0, 12.0, 0.1)
    parts = ["0:12 left", "3.480 bits/char", "(validation 3.520)", "2.410 nats", "83,000 chars/s"]
    told = line(p, 3.52, width)
    assert [part in told for part in parts] == [i < kept for i in range(5)]
    assert told.startswith("step 12345/99999  ")
    assert len(told) <= width or kept == 2


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
@pytest.mark.parametrize("no_color", [False, True])
def test_a_terminal_gets_a_bar_in_colour_unless_told_otherwise(text, tmp_path, no_color):
    import pty

    ours, theirs = pty.openpty()
    environment = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "FORCE_COLOR")}
    environment |= {"TERM": "xterm-256color", "COLUMNS": "150", **({"NO_COLOR": "1"} if no_color else {})}
    command = [sys.executable, "-m", "tinygrad_rnn", "train", "--text", text, *SMALL, "--steps", "40",
               "--out", str(tmp_path / "m")]  # fmt: skip
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=theirs, env=environment) as training:
        os.close(theirs)
        shown = b""
        try:
            while piece := os.read(ours, 4096):
                shown += piece
        except OSError:  # Linux's way to say that the other end is closed
            pass
        os.close(ours)
    assert training.returncode == 0
    assert b"step 40/40" in shown
    assert b"100%" in shown
    assert bool(re.search(rb"\x1b\[[\d;]*3[0-9][\d;]*m", shown)) is not no_color
