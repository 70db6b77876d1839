"""exercise.py, lesson.ipynb, test_exercise.py and cases.npz, made from what an author writes."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
import types

import nbformat
import pytest

from tests.course.tiny_lesson import SOLUTION, write_tiny
from tinygrad_rnn.course.authoring import AuthoringError, ipynb
from tinygrad_rnn.course.authoring.build import GENERATED, build, generated, test_file
from tinygrad_rnn.course.authoring.ipynb import first_cell, mend_first_cell, notebook, until_first_check
from tinygrad_rnn.course.authoring.stub import emptied_lines, stub
from tinygrad_rnn.course.cases import pack, unpack
from tinygrad_rnn.course.manifest import read_lesson


@pytest.fixture
def lesson(tmp_path):
    return read_lesson(write_tiny(tmp_path))


def change(lesson, name, old, new):
    """Edit a file of a lesson, and read the lesson again."""
    path = lesson.folder / name
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1, old
    path.write_text(text.replace(old, new), encoding="utf-8", newline="\n")
    return read_lesson(lesson.folder)


SOLVED = "instructor/solution.py"
ANEW = "`tinygrad-rnn course build` makes it anew"


def defined(text):
    return {node.name: node for node in ast.parse(text).body if isinstance(node, ast.FunctionDef | ast.ClassDef)}


# exercise.py


def test_functions_keep_signature_and_docstring_and_lose_their_body(lesson):
    made, solved = defined(stub(lesson)), defined(SOLUTION)
    for number, name in enumerate(("states_backward", "linear_backward"), 1):
        assert ast.get_docstring(made[name]) == ast.get_docstring(solved[name])
        assert ast.unparse(made[name].args) == ast.unparse(solved[name].args)
        assert ast.unparse(made[name].body[-1]) == f"raise NotImplementedError('tiny.{number}')"
    assert len(made["linear_backward"].body) == 2


def test_all_else_is_given_as_it_stands(lesson):
    text = stub(lesson)
    assert "import numpy as np\n\nSCALE = 1.0  # given to the learner as it stands\n" in text
    assert '    """tanh of a (B, H), given to the learner."""\n    return SCALE * np.tanh(a)\n' in text
    assert "    dH = np.zeros_like(dY)  # to be filled, from the last step to the first\n    raise Not" in text
    assert "_step" not in text
    assert "The solution of lesson tiny" not in text
    assert "tinygrad-rnn check tiny" in ast.get_docstring(ast.parse(text))
    assert "\n\n\n\n" not in text


def test_a_given_return_takes_the_place_of_the_raise(lesson):
    given = "    #: return dy @ W, x.T @ dy  # is that right?\n"
    lesson = change(lesson, SOLVED, "    dx = dy @ W.T\n", given + "    dx = dy @ W.T\n")
    assert ast.unparse(defined(stub(lesson))["linear_backward"].body[1:]) == "return (dy @ W, x.T @ dy)"


def test_given_lines_keep_their_own_indentation_and_a_string_is_no_given_line(lesson):
    given = '    #: for t in reversed(range(len(dY))):\n    #:     pass  # here\n'
    given += '    s = """\n    #: return 1\n    """\n'
    lesson = change(lesson, SOLVED, "    dw = np.zeros_like(w)\n", given + "    dw = np.zeros_like(w)\n")
    body = stub(lesson).split("to the first\n")[1].split("def ")[0]
    assert body == (
        '    for t in reversed(range(len(dY))):\n        pass  # here\n    raise NotImplementedError("tiny.1")\n\n\n'
    )


def test_comments_of_what_is_taken_out_go_with_it(lesson):
    lesson = change(lesson, SOLVED, "def _step", "# right above what is private\ndef _step")
    lesson = change(lesson, SOLVED, "    return dx, dW\n", "    return dx, dW\n    # a last remark: dW = x.T @ dy\n")
    lesson = change(lesson, SOLVED, "def squash", "# --- what is given ---\n\n\ndef squash")
    text = stub(lesson)
    assert "right above" not in text
    assert "last remark" not in text
    assert "# --- what is given ---\n" in text


def test_imports_go_only_with_what_is_private(lesson):
    imports = "import numpy as np\nimport math\nfrom itertools import count\nimport json as _json\n"
    lesson = change(lesson, SOLVED, "import numpy as np\n", imports)
    lesson = change(lesson, SOLVED, "return dh * (1 - h**2)", "return dh * (1 - h**2) * next(count(1))")
    lesson = change(lesson, SOLVED, "dx = dy @ W.T", "dx = dy @ W.T * math.exp(0.0)")
    text = stub(lesson)
    assert "import math\n" in text  # the learner's body will need it, as the solution's did
    assert "count" not in text
    assert "json" not in text


def test_classes_are_emptied_method_by_method(lesson):
    made = '''
class Layer:
    """A layer of W (D, H)."""

    rate = 0.1

    def __init__(self, W):
        self.W = W

    def forward(self, x):
        """x (B, D) -> (B, H)."""
        return x @ self.W

    def _secret(self):
        return 3
'''
    lesson = change(lesson, SOLVED, '"""The solution of lesson tiny."""\n', f'"""The solution."""\n{made}')
    lesson = change(lesson, "lesson.toml", 'function = "linear_backward"', 'function = "Layer"')
    with pytest.raises(AuthoringError, match=r"solution.py:3: Layer is a class: driver.py must say how it is called"):
        stub(lesson)
    (lesson.folder / "driver.py").write_text("def drive_Layer(exercise, dy, x, W):\n    return dy, x\n")
    made = defined(stub(lesson))["Layer"]
    assert [node.name for node in made.body if isinstance(node, ast.FunctionDef)] == ["__init__", "forward"]
    assert ast.unparse(made.body[-1].body[-1]) == "raise NotImplementedError('tiny.2')"
    assert "rate = 0.1" in ast.unparse(made)
    assert "@" not in ast.unparse(made)


def test_signatures_are_those_of_the_table_or_of_the_driver(lesson):
    lesson = change(lesson, SOLVED, "def linear_backward(dy, x, W)", "def linear_backward(dy, W, x)")
    with pytest.raises(AuthoringError, match=r"linear_backward takes \(dy, W, x\), and lesson.toml says \(dy, x, W\)"):
        stub(lesson)
    (lesson.folder / "driver.py").write_text("def drive_linear_backward(exercise, dy, x, W):\n    pass\n")
    stub(lesson)
    (lesson.folder / "driver.py").write_text("def drive_linear_backward(exercise, dy, x):\n    pass\n")
    with pytest.raises(AuthoringError, match=r"driver.py:1: drive_linear_backward takes \(dy, x\)"):
        stub(lesson)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("    dy (B, H): the gradient of y. x", "    x", r"\d+: the docstring of linear_backward says nothing of dy"),
        ("def linear_backward", "def other", r"no function or class linear_backward, .* for tiny.2"),
        ("    return SCALE * np.tanh(a)", "    return _step(a, a)", r"\d+: the learner keeps this line, and not _step"),
        ("SCALE = 1.0", "SCALE, _two = 1.0, 2", r"solution.py:5: _two is the solution's own"),
        ('"""The solution of lesson tiny."""\n', "", r"solution.py:1: begin with a docstring"),
        ("    #: dH = ", "    #: dH = (", r"solution.py:1: the lines given with #: make no Python"),
        ("import numpy as np", "import numpy as (np", r"solution.py:3: "),
        ("def squash", "def linear_backward(dy, x, W):\n    pass\n\n\ndef squash", r"linear_backward is defined twice"),
    ],
)  # fmt: skip
def test_what_cannot_be_emptied_is_told_in_one_line(lesson, old, new, told):
    lesson = change(lesson, SOLVED, old, new)
    with pytest.raises(AuthoringError, match=told) as caught:
        stub(lesson)
    assert len(str(caught.value).splitlines()) == 1


def test_one_line_functions_are_refused(lesson):
    head, _, _ = (lesson.folder / SOLVED).read_text().partition("def linear_backward")
    short = 'def linear_backward(dy, x, W): "dy x W"; return dy @ W.T, x.T @ dy\n'
    (lesson.folder / SOLVED).write_text(head + short)
    with pytest.raises(AuthoringError, match="linear_backward cannot be emptied"):
        stub(lesson)


def test_files_that_are_no_utf8_or_missing_are_told(lesson):
    (lesson.folder / SOLVED).write_bytes(b'"""\xff"""')
    with pytest.raises(AuthoringError, match="not UTF-8 at byte 3"):
        stub(lesson)
    (lesson.folder / SOLVED).unlink()
    with pytest.raises(AuthoringError, match=r"solution.py: not there"):
        stub(lesson)


def test_line_ends_of_windows_make_no_difference(lesson):
    plain = stub(lesson)
    for name in (SOLVED, "lesson.py"):
        path = lesson.folder / name
        path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert stub(lesson) == plain
    notebook(lesson)


def test_what_the_learner_is_to_find_is_known(lesson):
    assert {"dx = dy @ W.T", "carried = w * da", "return dh * (1 - h**2)"} <= emptied_lines(lesson)
    assert not {"import numpy as np", "dH = np.zeros_like(dY)", "return SCALE * np.tanh(a)"} & emptied_lines(lesson)


# lesson.ipynb


def test_the_notebook_is_valid_and_its_cells_are_numbered(lesson):
    made = nbformat.reads(notebook(lesson), as_version=4)
    nbformat.validate(made)
    assert [cell.id for cell in made.cells] == [f"tiny-{number:03d}" for number in range(1, len(made.cells) + 1)]
    assert next(cell.source for cell in made.cells if cell.cell_type == "code") == first_cell("tiny")
    assert not any(cell.get("outputs") for cell in made.cells)


def test_the_notebook_depends_on_lesson_py_alone(lesson, monkeypatch):
    plain = notebook(lesson)
    import jupytext

    def other_version(text, fmt):
        made = reads(text, fmt=fmt)
        made.metadata["jupytext"] = {"version": "9.9"}
        for cell in made.cells:
            cell["id"] = "random"
            cell.metadata["lines_to_next_cell"] = 7
        return made

    reads = jupytext.reads
    monkeypatch.setattr(jupytext, "reads", other_version)
    assert notebook(lesson) == plain


def test_tags_of_cells_are_kept(lesson):
    lesson = change(lesson, "lesson.py", "# %%\nimport numpy", '# %% tags=["raises-exception"]\nimport numpy')
    tagged = [c for c in json.loads(notebook(lesson))["cells"] if c["metadata"]]
    assert [c["metadata"] for c in tagged] == [{"tags": ["raises-exception"]}]


def test_another_first_cell_is_refused_and_mended(lesson):
    right = (lesson.folder / "lesson.py").read_bytes()
    lesson = change(lesson, "lesson.py", "here = lesson(", "there = lesson(")
    with pytest.raises(AuthoringError, match=r"lesson.py:7: the first code cell is not .* course build --mend tiny"):
        notebook(lesson)
    assert mend_first_cell(lesson)
    assert (lesson.folder / "lesson.py").read_bytes() == right
    assert not mend_first_cell(lesson)
    (lesson.folder / "lesson.py").write_text("# %% [markdown]\n# Nothing to run.\n")
    for look in (notebook, mend_first_cell):
        with pytest.raises(AuthoringError, match="no code cell"):
            look(lesson)


def test_the_first_check_is_found(lesson):
    assert until_first_check(lesson).rstrip().endswith('check("tiny.1")')


def test_the_first_cell_fetches_what_is_missing(monkeypatch):
    """A hosted notebook: the first import fails, pip is run once, the second import succeeds."""
    asked = []
    here = types.SimpleNamespace(check=1, hint=2, exercise=3)
    monkeypatch.setitem(sys.modules, "tinygrad_rnn.course", None)

    def run(command, check):
        asked.append((command, check))
        monkeypatch.setitem(sys.modules, "tinygrad_rnn.course", types.SimpleNamespace(lesson=lambda slug: here))

    monkeypatch.setattr(subprocess, "run", run)
    names = {}
    exec(first_cell("tiny"), names)
    assert asked == [([sys.executable, "-m", "pip", "install", "--quiet", "tinygrad_rnn[course]"], True)]
    assert (names["check"], names["hint"], names["exercise"], names["here"]) == (1, 2, 3, here)


def test_without_jupytext_the_remedy_is_told(lesson, monkeypatch):
    monkeypatch.setitem(sys.modules, "jupytext", None)
    with pytest.raises(AuthoringError, match=r"pip install 'tinygrad_rnn\[course\]'"):
        ipynb.notebook(lesson)


# build


def test_build_writes_what_changed_and_nothing_else(lesson):
    assert build(lesson.folder) == list(GENERATED)
    assert build(lesson.folder.parent, check=True) == []
    times = {name: (lesson.folder / name).stat().st_mtime_ns for name in GENERATED}
    lesson = change(lesson, "lesson.py", "Ten minutes.", "Nine minutes.")
    assert build(lesson) == ["lesson.ipynb"]
    after = {name: (lesson.folder / name).stat().st_mtime_ns for name in GENERATED}
    assert [name for name in GENERATED if times[name] != after[name]] == ["lesson.ipynb"]
    assert not [path for path in lesson.folder.iterdir() if path.name.startswith(".")]


def test_check_writes_nothing_and_says_what_is_stale(lesson):
    assert build(lesson, check=True) == [f"tiny: {name} is missing: {ANEW}" for name in GENERATED]
    assert not (lesson.folder / "exercise.py").exists()
    build(lesson)
    change(lesson, "exercise.py", "SCALE = 1.0", "SCALE = 2.0")
    before = (lesson.folder / "exercise.py").read_bytes()
    (told,) = build(lesson, check=True)
    assert told.startswith("tiny: exercise.py is stale from line 10: ")
    assert "SCALE = 2.0" in told
    assert told.endswith(": `tinygrad-rnn course build` makes it anew")
    assert (lesson.folder / "exercise.py").read_bytes() == before


def test_outputs_in_a_notebook_are_told(lesson):
    build(lesson)
    made = json.loads((lesson.folder / "lesson.ipynb").read_text())
    made["cells"][1]["outputs"] = [{"output_type": "stream", "name": "stdout", "text": "hello"}]
    (lesson.folder / "lesson.ipynb").write_text(json.dumps(made))
    assert build(lesson, check=True) == [f"tiny: lesson.ipynb holds outputs: {ANEW}"]
    (lesson.folder / "lesson.ipynb").write_text("{")
    assert build(lesson, check=True) == [f"tiny: lesson.ipynb cannot be read: {ANEW}"]


def recase(lesson, edit):
    """Write cases.npz anew, the first exercise's arrays edited."""
    path = lesson.folder / "cases.npz"
    cases = unpack(path.read_bytes())
    edit(cases["states_backward"].scored[1].expected["dH"])
    path.write_bytes(pack(cases))


def test_cases_of_another_machine_are_fresh_and_other_ones_stale(lesson):
    build(lesson)

    def rounding(dH):
        dH *= 1 + 1e-13

    recase(lesson, rounding)
    kept = (lesson.folder / "cases.npz").read_bytes()
    assert build(lesson) == []
    assert (lesson.folder / "cases.npz").read_bytes() == kept

    def wrong(dH):
        dH[0, 0, 0] += 1e-6

    recase(lesson, wrong)
    assert build(lesson, check=True) == [f"tiny: cases.npz is stale: states_backward/general/out/dH differs: {ANEW}"]
    assert build(lesson) == ["cases.npz"]
    (lesson.folder / "cases.npz").write_bytes(b"PK")
    assert build(lesson, check=True) == [f"tiny: cases.npz cannot be read: {ANEW}"]


def test_a_mistake_that_was_removed_is_told(lesson):
    build(lesson)
    edit = '        "NO_TANH": [("da = _step(dH[t], Hs[t + 1])", "da = dH[t].copy()")],\n'
    change(lesson, "instructor/mistakes.py", edit, "")
    text = (lesson.folder / "lesson.toml").read_text()
    head, _, rest = text.partition('[[exercise.mistake]]\nname = "NO_TANH"')
    (lesson.folder / "lesson.toml").write_text(head + rest[rest.index("[[exercise.mistake]]") :])
    told = build(read_lesson(lesson.folder), check=True)
    assert told == [
        f"tiny: cases.npz knows the mistake NO_TANH of states_backward, which lesson.toml does not: {ANEW}"
    ]


def test_paths_of_a_machine_are_refused(lesson):
    lesson = change(lesson, "lesson.py", "import numpy as np", 'import numpy as np\nX = np.load("/home/ann/x.npy")')
    with pytest.raises(AuthoringError, match=r"lesson.py:\d+: /home/ann/x.npy is a path of your machine"):
        generated(lesson)


def test_nothing_is_written_where_something_cannot_be_made(lesson):
    lesson = change(lesson, "instructor/generate.py", "def linear_backward", "def lost")
    with pytest.raises(AuthoringError, match=r"generate.py: no function linear_backward"):
        build(lesson)
    assert not [name for name in GENERATED if (lesson.folder / name).exists()]


def test_an_empty_folder_is_told(tmp_path):
    with pytest.raises(AuthoringError, match="course new SLUG"):
        build(tmp_path)


@pytest.mark.parametrize("there", [True, False])
def test_the_test_file_fails_in_one_line_where_the_plugin_is_not(lesson, tmp_path, there):
    (tmp_path / "test_exercise.py").write_text(test_file(lesson))
    if there:
        (tmp_path / "lesson.toml").write_bytes((lesson.folder / "lesson.toml").read_bytes())
    options = ["-q", "-p", "no:tinygrad_rnn", "-p", "no:cacheprovider"]
    ran = subprocess.run([sys.executable, "-m", "pytest", *options], cwd=tmp_path, capture_output=True, text=True)
    assert ran.returncode == 1
    assert ("the grader is not installed: pip install 'tinygrad_rnn[course]'" in ran.stdout) == there
    assert ("lesson.toml is not beside this file: `tinygrad-rnn update` brings it back" in ran.stdout) != there
    assert "Traceback" not in ran.stdout
    assert len(ran.stdout.splitlines()) < 12
