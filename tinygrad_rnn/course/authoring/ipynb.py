"""lesson.py, a script in cells, as a notebook: the same bytes wherever it is built."""

from __future__ import annotations

import json
import re
from typing import Any

from ..files import write_whole
from ..manifest import Lesson
from ..words import say
from .running import AuthoringError
from .signatures import Source, read_source

SOURCE = "lesson.py"
FIRST_CELL = '''\
# Run me first: I find the lesson, and what you write in exercise.py, beside this notebook.
try:
    from tinygrad_rnn.course import lesson
except ImportError:  # a hosted notebook, say: fetch the course, once
    import subprocess
    import sys

    subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", "tinygrad_rnn[course]"], check=True)
    from tinygrad_rnn.course import lesson

here = lesson("{slug}")  # whatever is missing here comes from the installed package
check, hint = here.check, here.hint
exercise = here.exercise  # your own code, read again whenever you save it'''


def first_cell(slug: str) -> str:
    """The code cell that every lesson's notebook begins with: it works in Jupyter, in VS Code, and in a hosted notebook
    that holds nothing but the .ipynb."""
    return FIRST_CELL.replace("{slug}", slug)


def notebook(lesson: Lesson) -> str:
    """The text of lesson.ipynb, without outputs. Raises AuthoringError where lesson.py cannot be made one."""
    source = read_source(lesson.file(SOURCE))
    cells = _cells(source)
    code = next((text for kind, text, _ in cells if kind == "code"), None)
    if code is None:
        raise source.error("no_code_cell")
    if code != first_cell(lesson.id):
        raise source.error("first_cell", _first_code_line(source.text) + 1, lesson=lesson.id)
    made: list[dict[str, Any]] = []
    for number, (kind, text, metadata) in enumerate(cells, 1):
        cell = {"cell_type": kind, "id": f"{lesson.id}-{number:03d}", "metadata": metadata,
                "source": text.splitlines(keepends=True)}  # fmt: skip
        made.append({**cell, "execution_count": None, "outputs": []} if kind == "code" else cell)
    about = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    whole = {"cells": made, "metadata": about, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(whole, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def until_first_check(lesson: Lesson) -> str:
    """lesson.py up to the end of the first cell that checks an exercise, or the whole of it."""
    kept = []
    for cell in re.split(r"(?m)^(?=# %%)", read_source(lesson.file(SOURCE)).text):
        kept.append(cell)
        if checks(cell):
            break
    return "".join(kept)


def checks(cell: str, kind: str = "code") -> bool:
    """Whether a code cell calls check(...)."""
    return kind == "code" and re.search(r"^[^#\n]*\bcheck\(", cell, re.MULTILINE) is not None


def unasked(lesson: Lesson) -> list[str]:
    """The keys of the exercises that no code cell of lesson.py checks by name: `check("bptt.2")`."""
    asked: set[str] = set()
    for cell in re.split(r"(?m)^(?=# %%)", read_source(lesson.file(SOURCE)).text):
        if _first_code_line(cell):
            asked.update(re.findall(r"""(?m)^[^#\n]*\bcheck\(\s*["']([\w.]+)["']""", cell))
    return [exercise.key for exercise in lesson.exercises if exercise.key not in asked]


def mend_first_cell(lesson: Lesson) -> bool:
    """Put this version's first cell where lesson.py has its own; true if that changed the file."""
    source = read_source(lesson.file(SOURCE))
    start, lines = _first_code_line(source.text), source.lines
    if start == 0:
        raise source.error("no_code_cell")
    end = next((n for n, line in enumerate(lines) if n >= start and line.startswith("# %%")), len(lines))
    text = "\n".join([*lines[:start], first_cell(lesson.id), "", *lines[end:]]) + "\n"
    if text == source.text:
        return False
    write_whole(source.path, text.encode())
    return True


def _first_code_line(text: str) -> int:
    """The line, from 1, of the first code cell's `# %%`; 0 where there is none."""
    cell = re.search(r"^# %%(?! *\[(markdown|md|raw)\])", text, re.MULTILINE)
    return text[: cell.start()].count("\n") + 1 if cell else 0


def _cells(source: Source) -> list[tuple[str, str, dict[str, Any]]]:
    """The kind, the text and the tags of each cell, as jupytext reads them; what else it adds is its version's."""
    try:
        import jupytext
    except ImportError:
        raise AuthoringError(say("authors.no_jupytext")) from None
    found = jupytext.reads(source.text, fmt="py:percent")
    return [
        (cell.cell_type, cell.source, {"tags": list(cell.metadata["tags"])} if cell.metadata.get("tags") else {})
        for cell in found.cells
    ]
