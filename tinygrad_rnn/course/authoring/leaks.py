"""What must not travel: no line that a learner is to find may stand in anything that the learner gets."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator, Mapping

from ..cases import unpack
from ..manifest import CASES, DRIVER, MANIFEST, NOTEBOOK, Lesson
from ..parsing import parse
from ..words import say
from .ipynb import SOURCE
from .stub import emptied_lines

SHORTEST = 12  # a line of so few characters, or one that says no more than names, gives nothing away

PLAIN = {
    "zeros", "zeros_like", "empty", "empty_like", "ones", "ones_like", "copy", "range", "reversed", "len", "append",
    "dict", "list", "float", "int", "asarray", "array", "enumerate", "zip", "items", "max", "min",
}  # fmt: skip


def leaks(lesson: Lesson, files: Mapping[str, bytes]) -> Iterator[str]:
    """Lines of the solution in the generated `files`, in lesson.toml, lesson.py or driver.py, and in the hints."""
    secret = {squeezed(line): line for line in emptied_lines(lesson) if telling(line)}
    for exercise in lesson.exercises:
        for number, hint in enumerate(exercise.hints, 1):
            for line in _among(secret, squeezed(hint)):
                yield say("proof.hint_leaks", exercise=exercise.key, number=number, line=line)
    for name, text in _travelling(lesson, files):
        for number, each in enumerate(text.splitlines(), 1):
            for line in _among(secret, squeezed(each)):
                yield say("proof.leak", lesson=lesson.id, file=name, number=number, line=line)


def _travelling(lesson: Lesson, files: Mapping[str, bytes]) -> Iterator[tuple[str, str]]:
    for name in (MANIFEST, SOURCE, DRIVER):
        if lesson.file(name).is_file():
            yield name, lesson.file(name).read_text(encoding="utf-8")
    for name, content in files.items():
        if name == CASES:
            yield name, "\n".join(case.name for cases in unpack(content).values() for case in cases.scored)
        elif name == NOTEBOOK:
            yield name, "\n".join("".join(cell["source"]) for cell in json.loads(content)["cells"])
        else:
            yield name, content.decode()


def _among(secret: Mapping[str, str], text: str) -> Iterator[str]:
    return (line for short, line in secret.items() if short in text)


def squeezed(line: str) -> str:
    """A line without its spaces: `dx = dy@W.T` and `dx=dy @ W.T` are one."""
    return "".join(line.split())


def telling(line: str) -> bool:
    """Whether a line of a solution gives something away: a product, a sum, a call of more than shapes and zeros.

    >>> telling("dx = dy @ W.T  # back"), telling("dW = np.zeros_like(W)"), telling("for t in reversed(range(T)):")
    (True, False, False)
    >>> telling('return {"dx": dx, "dW": dW}'), telling("T, B, H = dY.shape"), telling('return dy @ W.T')
    (False, False, True)
    """
    line = line.split("  #")[0].strip()
    if len(line) <= SHORTEST:
        return False
    try:
        tree = parse(line + " pass" if line.endswith(":") else line)
    except SyntaxError:  # a part of a statement, or of a docstring
        return any(sign in line for sign in ("@", " * ", "einsum", "exp(", "tanh(")) and "=" in line
    if any(isinstance(node, ast.FunctionDef | ast.Import | ast.ImportFrom | ast.Raise) for node in tree.body):
        return False
    for node in ast.walk(tree):
        if isinstance(node, ast.BinOp) and not _counts(node):
            return True
        if isinstance(node, ast.Call):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if called not in PLAIN:
                return True
        if isinstance(node, ast.AugAssign) and not isinstance(node.value, ast.Constant | ast.Name):
            return True
    return False


def _counts(node: ast.BinOp) -> bool:
    """`t + 1`, `T - 1`: arithmetic of indices alone."""
    return isinstance(node.right, ast.Constant) and isinstance(node.op, ast.Add | ast.Sub) and not isinstance(
        node.left, ast.BinOp
    )
