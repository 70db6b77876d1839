"""Text for character models: where it comes from, its characters as numbers, and its cutting into windows."""

from __future__ import annotations

import contextlib
import hashlib
import importlib
import importlib.util
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

# Modules that are mostly prose and plain code, in every Python since 3.11, about 0.75 MB together.
_MODULES = (
    "bisect", "calendar", "cmd", "colorsys", "configparser", "contextlib", "copy", "csv", "difflib", "enum",
    "fnmatch", "fractions", "functools", "glob", "gettext", "graphlib", "heapq", "json.decoder", "json.encoder",
    "keyword", "linecache", "numbers", "operator", "queue", "random", "reprlib", "sched", "shlex", "statistics",
    "string", "textwrap", "timeit", "tokenize", "traceback", "weakref",
)  # fmt: skip
_PLAIN = str.maketrans({"“": '"', "”": '"', "‘": "'", "’": "'", "–": "-", "—": "-", "…": "...", "\t": "    ", "\f": ""})


def default_corpus() -> str:
    """English prose and code that every Python carries: its language reference (`pydoc_data.topics`) and some modules.

    About 1.2 million characters of ASCII. The documents stand in the order of the hashes of their names: always the
    same for one version of Python, with prose and code mixed, so that the end of the text (what `split` keeps for
    validation) is like its beginning. Raises RuntimeError where this Python came without its sources.
    """
    documents = {name: source for name in _MODULES if (source := _source(name))}
    with contextlib.suppress(ImportError):  # some systems package it apart; the modules alone will do
        documents |= importlib.import_module("pydoc_data.topics").topics
    if not documents:
        raise RuntimeError("this Python came without its sources, which are the default text: give a text file instead")
    ordered = sorted(documents, key=lambda name: hashlib.sha256(name.encode()).digest())
    return "\n\n".join(ascii_text(documents[name]).strip() for name in ordered) + "\n"


def _source(module: str) -> str | None:
    """The source of a module of the standard library, which may lie in a folder or in a zip; None where it does not."""
    try:
        spec = importlib.util.find_spec(module)
        return spec.loader.get_source(module) if spec and spec.loader else None  # type: ignore[attr-defined]
    except (ImportError, OSError, AttributeError):
        return None


def ascii_text(text: str) -> str:
    """Typographic signs as a typewriter has them, accents taken off, what is left over dropped."""
    return unicodedata.normalize("NFKD", text.translate(_PLAIN)).encode("ascii", "ignore").decode()


def read_text(path: str | Path) -> str:
    """The text of a UTF-8 file, with line ends as `\\n`.

    Raises FileNotFoundError, IsADirectoryError, PermissionError, or ValueError where the file is binary, not UTF-8 or
    empty; the message is one line that says what to do.
    """
    path = Path(path)
    if path.is_dir():
        raise IsADirectoryError(f"{path} is a folder: give one text file")
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise FileNotFoundError(f"{path}: there is no such file (looked from {Path.cwd()})") from None
    except OSError as why:
        raise PermissionError(f"{path} cannot be read ({why.strerror}): choose another file") from None
    if b"\0" in content:
        raise ValueError(f"{path} is binary (a zero byte at {content.index(0)}): give plain text, saved as UTF-8")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as why:
        raise ValueError(f"{path} is not UTF-8 (byte 0x{content[why.start]:02x} at {why.start}): save it as UTF-8, "
                         f"e.g. iconv -f latin1 -t utf-8 {path.name}") from None  # fmt: skip
    if not text.strip():
        raise ValueError(f"{path} is empty: give a file with some text")
    return text.replace("\r\n", "\n").replace("\r", "\n")


@dataclass(frozen=True)
class Vocabulary:
    """The characters that a model knows; a character's number is its place in `chars`.

    Raises ValueError where `chars` is empty or names one twice.

    >>> v = Vocabulary.of("hello")
    >>> v.chars, v.encode("hole").tolist(), v.decode([1, 0])
    ('ehlo', [1, 3, 2, 0], 'he')
    """

    chars: str

    def __post_init__(self) -> None:
        if not self.chars or len(set(self.chars)) < len(self.chars):
            raise ValueError(f"a vocabulary needs characters, each once, not {self.chars!r}")

    @classmethod
    def of(cls, text: str) -> Vocabulary:
        """The characters of `text`, sorted."""
        return cls("".join(sorted(set(text))))

    def __len__(self) -> int:
        return len(self.chars)

    @cached_property
    def _table(self) -> tuple[np.ndarray, np.ndarray]:
        """Code points in order, and the number of each."""
        points = _code_points(self.chars)
        order = np.argsort(points)
        return points[order], order

    def encode(self, text: str) -> np.ndarray:
        """The numbers of the characters of `text`, int64 (len(text),). Raises ValueError, naming the first that is
        unknown."""
        points, numbers = self._table
        wanted = _code_points(text)
        places = np.minimum(np.searchsorted(points, wanted), len(points) - 1)
        wrong = np.flatnonzero(points[places] != wanted)
        if wrong.size:
            at = int(wrong[0])
            raise ValueError(f"character {text[at]!r} (number {at + 1} of the text) is not one of the {len(self)} that "
                             f"the model knows: {_shortened(self.chars)}")  # fmt: skip
        return numbers[places]

    def decode(self, ids: Any) -> str:
        """The characters with these numbers (integers, any number of them, from 0 to len - 1)."""
        return "".join(self.chars[i] for i in np.asarray(ids).ravel().tolist())


def _code_points(text: str) -> np.ndarray:
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype="<u4")


def _shortened(chars: str, width: int = 110) -> str:
    shown = repr(chars)
    return shown if len(shown) <= width else shown[:width] + "..."


def split(ids: np.ndarray, validation: float = 0.1) -> tuple[np.ndarray, np.ndarray]:
    """The first part of a text for training and its last `validation` of 1 for validation; both are views.

    The end, not random places: a window cut out of the middle would have its neighbours in the training text.
    Raises ValueError unless 0 <= validation < 1.
    """
    if not 0 <= validation < 1:
        raise ValueError(f"validation is a part of the text, from 0 to below 1, not {validation}")
    cut = len(ids) - int(len(ids) * validation)
    return ids[:cut], ids[cut:]


class Batches(Sequence[np.ndarray]):
    """A text as windows for truncated backpropagation through time: `ids (N,)` cut into B parallel streams, read T
    steps at a time, so that the state after one window is where the next window begins.

    `batches[i]` is window i, a view (T + 1, B): inputs are `window[:-1]`, targets `window[1:]`, the same one step on.
    With the 26 letters, B = 2 and T = 4, rows are time (downwards) and columns are streams:

        stream     0 1
                   a n   |                      a n -> b o
                   b o   | window 0: inputs     b o -> c p   targets
                   c p   |                      c p -> d q
                   d q   |                      d q -> e r
                   e r     <- the last target of window 0, the first input of window 1
                   f s
                   ...

    A stream of L characters gives (L - 1) // T windows; what is left over at its end is not used. After the last
    window the text begins again, and so should the state. Nothing is copied or shuffled.
    Raises ValueError where the text is shorter than one window of each stream, B (T + 1) characters.

    >>> batches = Batches(np.arange(26), batch_size=2, seq_len=4)
    >>> len(batches), batches[1].T.tolist()
    (3, [[4, 5, 6, 7, 8], [17, 18, 19, 20, 21]])
    """

    def __init__(self, ids: np.ndarray, batch_size: int, seq_len: int) -> None:
        if batch_size < 1 or seq_len < 1:
            raise ValueError(f"batch_size and seq_len must be 1 or more, not {batch_size} and {seq_len}")
        length = len(ids) // batch_size
        if length < seq_len + 1:
            needed = batch_size * (seq_len + 1)
            raise ValueError(f"{len(ids)} characters of text are fewer than one window, batch {batch_size} x (seq-len "
                             f"{seq_len} + 1) = {needed}: give more text or a smaller batch or seq-len")  # fmt: skip
        self.batch_size, self.seq_len = batch_size, seq_len
        self.streams = ids[: batch_size * length].reshape(batch_size, length).T

    def __len__(self) -> int:
        return (len(self.streams) - 1) // self.seq_len

    def __getitem__(self, i: Any) -> Any:
        start = range(len(self))[i] * self.seq_len
        return self.streams[start : start + self.seq_len + 1]
