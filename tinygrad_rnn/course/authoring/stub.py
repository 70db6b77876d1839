"""exercise.py, the learner's file, from the solution: what is to be written is taken out, all else stays.

Works on the text, with the positions that `ast` gives, so that comments, spacing and formulas are as their
author set them.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterable, Iterator
from textwrap import dedent

from ..manifest import INSTRUCTOR, Lesson
from ..parsing import parse
from ..words import say
from .running import SOLUTION
from .signatures import Definition, Function, Source, check_signature, definitions, read_source

GIVEN = "#:"  # begins the lines of a solution that the learner is given


def stub(lesson: Lesson) -> str:
    """The text of exercise.py. Raises AuthoringError where the solution cannot be emptied, or is not as the table."""
    source = read_source(lesson.file(INSTRUCTOR) / SOLUTION)
    edits = _Edits(source)
    for statement in source.tree.body:
        if _is_private(statement, source):
            edits.drop(statement)
    edits.replace_docstring(say("authors.stub", title=lesson.title, lesson=lesson.id, exercise=lesson.exercises[0].key))
    for exercise, definition in definitions(lesson, source):
        check_signature(lesson, exercise, source, definition)
        edits.empty(definition, exercise.key)
    edits.drop_imports()
    return _checked(edits.text(), lesson, source)


def emptied_lines(lesson: Lesson) -> set[str]:
    """What the learner is to find: the lines, stripped, that stand in the solution and not in the stub."""
    given = {_bare(line) for line in stub(lesson).splitlines()}
    solved = read_source(lesson.file(INSTRUCTOR) / SOLUTION).lines
    return {_bare(line) for line in solved} - given - {""}


def _bare(line: str) -> str:
    """A line without its indentation and its comment."""
    return re.sub(r"(^|\s\s)#.*$", "", line.strip()).strip()


def _bound(statement: ast.stmt) -> list[str]:
    """The names that a top-level statement gives to the module."""
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return [statement.name]
    if isinstance(statement, ast.Import | ast.ImportFrom):
        return [(alias.asname or alias.name).partition(".")[0] for alias in statement.names]
    return [n.id for n in ast.walk(statement) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)]


def _is_private(statement: ast.stmt, source: Source) -> bool:
    names = _bound(statement)
    private = [name for name in names if name.startswith("_")]
    if private and len(private) < len(names):
        raise source.error("half_private", statement.lineno, name=private[0])
    return bool(private)


def _used(nodes: Iterable[ast.AST]) -> Iterator[ast.Name]:
    return (n for node in nodes for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load))


class _Edits:
    """The solution's lines, by number from 1, and what becomes of them."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.lines: dict[int, str | None] = dict(enumerate(source.lines, 1))
        self.dropped: list[ast.stmt] = []
        self.comments = {
            token.start[0]: token for token in tokenize.generate_tokens(io.StringIO(source.text).readline)
            if token.type == tokenize.COMMENT and token.line[: token.start[1]].isspace() | (token.start[1] == 0)
        }  # fmt: skip

    def text(self) -> str:
        return "\n".join(line for line in self.lines.values() if line is not None).rstrip() + "\n"

    def replace_docstring(self, docstring: str) -> None:
        first = self.source.tree.body[0] if self.source.tree.body else None
        if first is None or ast.get_docstring(self.source.tree) is None:
            raise self.source.error("no_module_docstring")
        self._clear(first.lineno, first.end_lineno or 0)
        safe = docstring.strip().replace("\\", r"\\").replace('"""', "'''")
        self.lines[first.lineno] = f'"""{safe}\n"""'

    def drop(self, statement: ast.stmt) -> None:
        """Take out a statement with the comment that stands right above it, and the empty lines below."""
        self.dropped.append(statement)
        start, end = _start(statement), self._end(statement)
        while start - 1 in self.comments:
            start -= 1
        while self._is_empty(end + 1):
            end += 1
        self._clear(start, end)

    def empty(self, definition: Definition, key: str) -> None:
        """Leave the signature, the docstring and the lines that are given; raise NotImplementedError below them."""
        if isinstance(definition, ast.ClassDef):
            for node in definition.body:
                if isinstance(node, Function) and re.match(r"_(?!_)", node.name):
                    self.drop(node)
                elif isinstance(node, Function):
                    self.empty(node, key)
            return
        body = definition.body
        documented = ast.get_docstring(definition) is not None
        head = body[0].end_lineno if documented else body[0].lineno - 1
        if body[0].lineno <= _signature_end(definition, self.source) or (documented and len(body) == 1):
            raise self.source.error("not_emptied", definition.lineno, name=definition.name)
        start, end = (head or 0) + 1, self._end(definition)
        indent = " " * body[0].col_offset
        given = [self._given(line) for line in range(start, end + 1) if self._is_given(line)]
        if not _returns(given):
            given.append(f'{indent}raise NotImplementedError("{key}")')
        self._clear(start, end)
        self.lines[start] = "\n".join(given)

    def drop_imports(self) -> None:
        """Take out the imports that only what was taken out needed, and refuse what is left without what it needs."""
        top = self.source.tree.body
        gone = {name for statement in self.dropped for name in _bound(statement)}
        kept = [statement for statement in top if statement not in self.dropped]
        for use in _used(self._standing(kept)):
            if use.id in gone:
                raise self.source.error("needs_private", use.lineno, name=use.id)
        needed, spared = {n.id for n in _used(kept)}, {n.id for n in _used(self.dropped)}
        for statement in kept:
            if isinstance(statement, ast.Import | ast.ImportFrom):
                names = set(_bound(statement))
                if names <= spared - needed:
                    self.drop(statement)

    def _standing(self, statements: Iterable[ast.stmt]) -> Iterator[ast.AST]:
        """Of these statements, what the learner still sees: an emptied function's body does not count."""
        for statement in statements:
            for node in ast.walk(statement):
                line = getattr(node, "lineno", None)
                if isinstance(node, ast.Name) and line is not None and self.lines[line] == self.source.lines[line - 1]:
                    yield node

    def _is_given(self, line: int) -> bool:
        comment = self.comments.get(line)
        return comment is not None and (comment.string == GIVEN or comment.string.startswith(f"{GIVEN} "))

    def _given(self, line: int) -> str:
        indent = " " * self.comments[line].start[1]
        return (indent + self.comments[line].string.removeprefix(GIVEN).removeprefix(" ")).rstrip()

    def _end(self, statement: ast.stmt) -> int:
        """The last line of a statement, with the indented comments that close its block."""
        end = line = statement.end_lineno or statement.lineno
        while self._is_empty(line + 1) or self._is_inside(line + 1, statement):
            line += 1
            end = line if line in self.comments else end
        return end

    def _is_inside(self, line: int, statement: ast.stmt) -> bool:
        return line in self.comments and self.comments[line].start[1] > statement.col_offset

    def _is_empty(self, line: int) -> bool:
        return line <= len(self.source.lines) and not self.source.lines[line - 1].strip()

    def _clear(self, start: int, end: int) -> None:
        for line in range(start, end + 1):
            self.lines[line] = None


def _start(statement: ast.stmt) -> int:
    decorators = getattr(statement, "decorator_list", [])
    return min([statement.lineno, *(each.lineno for each in decorators)])


def _signature_end(definition: Function, source: Source) -> int:
    """The line on which the signature ends: the last one of its arguments, defaults and annotations, or its own."""
    parts = [definition.args, definition.returns, definition]
    inner = [n for part in parts[:2] if part is not None for n in ast.walk(part)]
    return max([definition.lineno, *(getattr(node, "end_lineno", 0) or 0 for node in inner)])


def _returns(given: list[str]) -> bool:
    """Whether the given lines are a body of their own, with a return."""
    try:
        tree = parse(dedent("\n".join(given)))
    except SyntaxError:  # told, with its place, when the whole file is looked at
        return any(line.split()[:1] == ["return"] for line in given)
    return any(isinstance(node, ast.Return) for node in ast.walk(tree))


def _checked(text: str, lesson: Lesson, source: Source) -> str:
    try:
        parse(text)
    except SyntaxError as why:
        line = text.splitlines()[(why.lineno or 1) - 1].strip() if text else ""
        raise source.error("broken_stub", why=why.msg, line=line) from None
    return text
