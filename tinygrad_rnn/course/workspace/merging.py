"""A learner's exercise.py and the course's stub of it: one function back to its stub, and new stubs added below.

Works on the text, by the positions that `ast` gives, so that what is not replaced stays as it is, letter by letter.
"""

from __future__ import annotations

import ast
import io
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from ..parsing import parse
from ..words import say

Definition = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


class Unreadable(ValueError):
    """A learner's file that cannot be taken apart: not UTF-8, or not Python; the message says where."""


@dataclass(frozen=True)
class Merged:
    """`text` is the learner's, with what was missing below it; `added` and `changed` are names for a report."""

    text: str
    added: tuple[str, ...]
    changed: tuple[str, ...]


def read_python(path: Path) -> str:
    """A learner's file as text, its line ends as they are. Raises Unreadable, in one line, and OSError."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
        parse(text)
    except UnicodeDecodeError as why:
        raise Unreadable(say("workspace.not_utf8", file=path, byte=why.start)) from None
    except SyntaxError as why:
        raise Unreadable(say("workspace.no_python", file=path, line=why.lineno or 1, why=why.msg)) from None
    except (ValueError, RecursionError, MemoryError) as why:  # null bytes; nested beyond what Python reads
        raise Unreadable(say("workspace.no_python", file=path, line=1, why=why)) from None
    return text


def replaced(mine: str, stub: str, name: str) -> str:
    """`mine` with the function or class `name` as in `stub`, which has it; appended where `mine` has none. Of several
    definitions of that name the last is replaced, as it is the one that counts."""
    new = next(node for key, node in _named(parse(stub)) if key == name)
    old = [node for key, node in _named(parse(mine)) if key == name and isinstance(node, Definition)]
    text = _text(stub, new)
    if not old:
        return _appended(mine, [text])
    lines, (start, end) = _lines(mine), _span(old[-1])
    return "".join([*lines[:start], _in_line_ends_of(mine, text), *lines[end:]])


def merge(mine: str, stub: str, exercises: Collection[str]) -> Merged:
    """`mine`, with everything that stands in `stub` alone appended.

    `changed` names what both have and the course has otherwise: of the functions to write (`exercises`) the signature
    or the docstring, of all that is given, anything.
    """
    own = dict(_named(parse(mine)))
    added, texts, changed = [], [], []
    for name, node in _named(parse(stub)):
        if name not in own:
            added.append(name)
            texts.append(_text(stub, node))
        elif _face(node, name in exercises) != _face(own[name], name in exercises, like=node):
            changed.append(name)
    # `import a, b` is one statement of two names, and is appended once
    return Merged(_appended(mine, list(dict.fromkeys(texts))), tuple(added), tuple(changed))


def _named(tree: ast.Module) -> Iterator[tuple[str, ast.stmt]]:
    """Each name that the module's statements bind, with the statement."""
    for node in tree.body:
        if isinstance(node, Definition):
            yield node.name, node
        elif isinstance(node, ast.Import | ast.ImportFrom):
            yield from (((alias.asname or alias.name).partition(".")[0], node) for alias in node.names)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            names = (n for n in ast.walk(node) if isinstance(n, ast.Name))
            yield from ((n.id, node) for n in names if isinstance(n.ctx, ast.Store))


def _face(node: ast.stmt, outside_only: bool, like: ast.stmt | None = None) -> object:
    """What of a statement counts in a comparison. Of a class, only the methods that `like` has."""
    if not outside_only or not isinstance(node, Definition):
        return ast.unparse(node)
    if isinstance(node, ast.ClassDef):
        wanted = {each.name for each in getattr(like or node, "body", []) if isinstance(each, Definition)}
        methods = {each.name: _face(each, True) for each in node.body if isinstance(each, Definition)}
        return ast.get_docstring(node), {name: face for name, face in methods.items() if name in wanted}
    return ast.unparse(node.args), ast.get_docstring(node)


def _span(node: ast.stmt) -> tuple[int, int]:
    """The lines of a statement, as a slice, decorators included."""
    decorators = getattr(node, "decorator_list", [])
    return min([node.lineno, *(each.lineno for each in decorators)]) - 1, node.end_lineno or node.lineno


def _text(source: str, node: ast.stmt) -> str:
    start, end = _span(node)
    return "".join(_lines(source)[start:end]).rstrip("\r\n") + "\n"


def _lines(text: str) -> list[str]:
    """Lines as Python counts them: a form feed or a Unicode separator ends none."""
    return list(io.StringIO(text, newline=""))


def _appended(mine: str, texts: list[str]) -> str:
    if not texts:
        return mine
    return mine.rstrip() + _in_line_ends_of(mine, "".join(f"\n\n\n{text}".rstrip() for text in texts) + "\n")


def _in_line_ends_of(mine: str, text: str) -> str:
    return text.replace("\n", "\r\n") if "\r\n" in mine else text


def excerpt(source: str, name: str) -> str:
    """The function `name` of `source`, below the private ones (`_step`) that it needs."""
    nodes = dict(_named(parse(source)))
    wanted, queue = {name}, [name]
    while queue:
        for node in ast.walk(nodes[queue.pop()]):
            if isinstance(node, ast.Name) and node.id.startswith("_") and node.id in nodes and node.id not in wanted:
                wanted.add(node.id)
                queue.append(node.id)
    return "\n\n".join(_text(source, node) for key, node in nodes.items() if key in wanted)
