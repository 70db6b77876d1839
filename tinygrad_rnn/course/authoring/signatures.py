"""A solution's functions, read as text and held to the table of signatures in lesson.toml."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from pathlib import Path

from ..manifest import DRIVER, INSTRUCTOR, Exercise, Lesson
from ..parsing import parse
from ..words import say
from .running import SOLUTION, AuthoringError

Function = ast.FunctionDef
Definition = ast.FunctionDef | ast.ClassDef


@dataclass(frozen=True)
class Source:
    """A Python file of a lesson, read and parsed."""

    path: Path
    text: str
    tree: ast.Module

    @property
    def lines(self) -> list[str]:
        """The text by lines; line 1 is `lines[0]`."""
        return self.text.splitlines()

    def error(self, key: str, line: int = 1, /, **values: object) -> AuthoringError:
        """The catalogue's sentence `authors.key`, with the file and the line before it."""
        return AuthoringError(f"{self.path}:{line}: {say(f'authors.{key}', **values)}")


def read_source(path: Path) -> Source:
    """Read a Python file. Raises AuthoringError where it is missing, not UTF-8 or not Python."""
    try:
        text = path.read_bytes().decode("utf-8-sig").replace("\r\n", "\n")
        return Source(path, text, parse(text))
    except FileNotFoundError:
        raise AuthoringError(f"{path}: {say('authors.missing_file')}") from None
    except UnicodeDecodeError as why:
        raise AuthoringError(f"{path}: {say('authors.not_utf8', byte=why.start)}") from None
    except SyntaxError as why:
        raise AuthoringError(f"{path}:{why.lineno}: {why.msg}") from None


def docstrings(lesson: Lesson) -> dict[str, str]:
    """What each function of the table says of itself, with the methods of a class."""
    found = {}
    for exercise, definition in definitions(lesson, read_source(lesson.file(INSTRUCTOR) / SOLUTION)):
        inner = [node for node in ast.walk(definition) if isinstance(node, Definition)]
        found[exercise.function] = "\n".join(ast.get_docstring(node) or "" for node in inner)
    return found


def definitions(lesson: Lesson, source: Source) -> list[tuple[Exercise, Definition]]:
    """Each exercise with its function or class in the solution."""
    found: dict[str, Definition] = {}
    for node in source.tree.body:
        if isinstance(node, Definition):
            if node.name in found:
                raise source.error("twice", node.lineno, name=node.name)
            found[node.name] = node
    for exercise in lesson.exercises:
        if exercise.function not in found:
            raise source.error("no_function", name=exercise.function, key=exercise.key)
    return [(exercise, found[exercise.function]) for exercise in lesson.exercises]


def check_signature(lesson: Lesson, exercise: Exercise, source: Source, definition: Definition) -> None:
    """Raise AuthoringError unless arguments are those of the table, in order, and the docstring tells of each.

    Where driver.py calls the function, the table is the driver's.
    """
    docstring = ast.get_docstring(definition)
    if docstring is None:
        raise source.error("no_docstring", definition.lineno, name=definition.name)
    own = _parameters(definition)
    for name in own:
        if not re.search(rf"\b{re.escape(name)}\b", docstring):
            raise source.error("argument_untold", definition.lineno, name=definition.name, argument=name)
    driver = driver_of(lesson, exercise)
    if driver is not None:
        source, definition = driver
        own = _parameters(definition)[1:]
        if definition.args.kwarg is not None:  # drive_f(exercise, **inputs) takes what there is
            return
    elif isinstance(definition, ast.ClassDef):
        raise source.error("class_without_driver", definition.lineno, name=definition.name)
    if tuple(own) != exercise.parameters:
        raise source.error("other_signature", definition.lineno, name=definition.name, has=", ".join(own) or "nothing",
                           wanted=", ".join(exercise.parameters), key=exercise.key)  # fmt: skip


def driver_of(lesson: Lesson, exercise: Exercise) -> tuple[Source, Function] | None:
    """`drive_<function>` of driver.py, where there is one."""
    if not lesson.file(DRIVER).is_file():
        return None
    source = read_source(lesson.file(DRIVER))
    for node in source.tree.body:
        if isinstance(node, Function) and node.name == f"drive_{exercise.function}":
            return source, node
    return None


def _parameters(definition: Definition) -> list[str]:
    if isinstance(definition, ast.ClassDef):
        makers = [n for n in definition.body if isinstance(n, Function) and n.name == "__init__"]
        return _parameters(makers[0])[1:] if makers else []
    a = definition.args
    return [each.arg for each in (*a.posonlyargs, *a.args, *a.kwonlyargs)]
