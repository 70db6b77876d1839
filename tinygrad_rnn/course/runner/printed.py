"""What a child process prints: read as it comes, kept up to a limit, counted beyond it."""

from __future__ import annotations

import re
import threading
from typing import Any

from .answers import clean
from .child import MARK

_TAIL = 16 * 1024  # holds the mark that ends a call, and the last words of a process that was stopped
_LAST_WORDS = re.compile(rb"(?:Timeout \([0-9:.]+\)!|Fatal Python error: [^\n]*)\n")
_SAID_IN_TIME = re.compile(rb"Timeout \([0-9:.]+\)!\n(?:Thread 0x[^\n]*\n(?:  [^\n]*\n)*\n?)+")
_FRAME = re.compile(r'^  File "(.*)", line ([0-9]+) in (.*)$', re.MULTILINE)


class Printed(threading.Thread):
    """Reads a child's standard error to its end, so that the child never waits for us; keeps `cap` bytes a call.

    stream: an unbuffered binary file; its read(n) returns what is there.
    """

    def __init__(self, stream: Any, cap: int, flood: int) -> None:
        super().__init__(daemon=True)
        self._stream, self._cap, self._flood = stream, cap, flood
        self._lock = threading.Lock()
        self.flooded = threading.Event()
        self._marked = threading.Event()
        self.begin(0)
        self.start()

    def begin(self, number: int) -> None:
        """A new call: what was printed before is forgotten."""
        with self._lock:
            self._kept, self._tail, self._total = bytearray(), b"", 0
            self._mark = MARK.format(number).encode()
            self._begun = False
            self._marked.clear()
            self.flooded.clear()

    def run(self) -> None:
        while True:
            try:
                chunk = self._stream.read(65536)
            except (OSError, ValueError):
                chunk = b""
            if not chunk:
                break
            with self._lock:
                self._kept += chunk[: max(0, self._cap + _TAIL - len(self._kept))]
                self._tail = (self._tail + chunk)[-_TAIL:]
                self._total += len(chunk)
                if self._total > self._flood:
                    self.flooded.set()
                if self._mark in self._tail:
                    self._marked.set()
        self._marked.set()

    def text(self, seconds: float = 1.0) -> str:
        """What the call printed, waiting for its end at most so long."""
        self._marked.wait(seconds if self.is_alive() else 0)
        with self._lock:
            text, mark, _ = bytes(self._kept).partition(self._mark)
            total = self._total - (len(self._mark) if self._mark in self._tail else 0)
            words = _LAST_WORDS.search(self._tail)
        if mark:
            text = _SAID_IN_TIME.sub(b"", text)  # the call ended just after its time, before anybody stopped it
            total = len(text)
        elif words:  # of the interpreter, not of the learner
            total -= len(self._tail) - words.start()
            text = text[:total]
        shown = clean(text[: self._cap].decode(errors="replace").replace("\r\n", "\n"), self._cap, lines=True)
        return f"{shown}\n... {total - self._cap} more bytes cut" if total > self._cap else shown

    def has_last_words(self) -> bool:
        """Whether the interpreter began to say where it is; it is done at the next look."""
        with self._lock:
            begun, self._begun = self._begun, _LAST_WORDS.search(self._tail) is not None
        return begun

    def stopped_at(self, file: str) -> tuple[int, str] | None:
        """(line, function) of `file` in the interpreter's last words: where a call hung or crashed."""
        with self._lock:
            words = _LAST_WORDS.search(self._tail)
            last = self._tail[words.end() :].decode(errors="replace") if words else ""
        for thread in reversed(re.split(r"^(?:Thread|Current thread) 0x.*$", last, flags=re.MULTILINE)):
            for name, line, function in _FRAME.findall(thread):  # innermost first; the main thread stands last
                if name == file:
                    return int(line), function
        return None
