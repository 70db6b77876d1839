"""Checks again whenever the learner saves, and listens to a few keys meanwhile."""

from __future__ import annotations

import os
import queue
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from ..manifest import EXERCISE, Exercise, Lesson
from ..words import say
from .desk import Desk

QUIET = 0.2  # seconds without a further save that end a burst: an editor writes, renames and touches
GLANCE = 0.5  # seconds between two looks where nothing tells of changes


class Session:
    """Which exercise is watched, and what a save and each key do. It knows nothing of terminals.

    `check(lesson, numbers)` checks these exercises (None: all) and shows the verdicts; `show(text)` shows a text.
    """

    def __init__(self, desk: Desk, lesson: Lesson | None, keys: bool,
                 check: Callable[[Lesson, list[int] | None], None], show: Callable[[str], None]) -> None:  # fmt: skip
        self.desk, self.scope, self.keys = desk, lesson, keys
        self.check, self.show = check, show
        self.done = False
        self.current: Exercise | None = None

    @property
    def lessons(self) -> list[Lesson]:
        return [self.scope] if self.scope else self.desk.lessons

    def begin(self) -> None:
        """Go where the learner is: to the first exercise that is not solved."""
        self.current = self.desk.next_exercise(self.scope)
        self._look() if self.current else self._finish()

    def saved(self, folder: Path) -> None:
        """exercise.py in `folder` was saved."""
        lesson = next((each for each in self.lessons if each.folder == folder), None)
        if lesson is None:
            return
        if self.current is None or self.current.lesson != lesson.id:
            self.current = self.desk.next_exercise(lesson) or lesson.exercises[0]
        elif not self.keys and self._solved():  # nobody can press n
            self.current = self.desk.next_exercise(self.scope) or self.current
        self._look()

    def key(self, key: str) -> None:
        """One of n, h, l, c, q; any other does nothing."""
        assert self.current is not None
        if key == "q":
            self.done = True
        elif key == "n":
            self._next()
        elif key == "h":
            self.show(self.desk.hint(self.current))
        elif key == "l":
            self.show(self.desk.overview())
        elif key == "c":
            self.check(self.desk.lesson_of(self.current), None)
        if key in "hlc" and not self.done:
            self._foot()

    def _next(self) -> None:
        assert self.current is not None
        left = self.desk.unsolved(self.scope)
        if not left:
            self._finish()
            return
        at = left.index(self.current) + 1 if self.current in left else 0
        self.current = left[at % len(left)]
        self._look()

    def _look(self) -> None:
        assert self.current is not None
        self.check(self.desk.lesson_of(self.current), [self.current.id])
        if not self.keys and not self.desk.unsolved(self.scope):
            self._finish()
        else:
            self._foot()

    def _foot(self) -> None:
        """What can be done now."""
        assert self.current is not None
        key, lines = self.current.key, []
        if self._solved():
            following = self.desk.next_exercise(self.scope)
            if self.keys or following is None:
                lines.append(say("workspace.stays", key=key))
            else:
                lines.append(say("workspace.goes_on", key=key, next=following.key))
        else:
            file = self.desk.place.shown(self.desk.lesson_of(self.current).file(EXERCISE))
            lines.append(say("workspace.watching", file=file, key=key))
        self.show("\n".join([*lines, say("workspace.keys")] if self.keys else lines))

    def _solved(self) -> bool:
        """By the last verdict, not only once upon a time."""
        return self.current is not None and self.desk.state.of(self.current.key).kind == "right"

    def _finish(self) -> None:
        what = self.scope.title if self.scope else say("workspace.the_course")
        self.show(say("workspace.none_left", what=what) if self.scope else self.desk.what_next())
        self.done = True


class Events:
    """Saves and keys, in the order in which they came; a burst of saves of one file is one."""

    def __init__(self) -> None:
        self._queue: queue.SimpleQueue[Path | str] = queue.SimpleQueue()
        self._held: list[Path | str] = []
        self.stop = threading.Event()

    def put(self, event: Path | str) -> None:
        self._queue.put(event)

    def get(self) -> Path | str:
        """The next event: a lesson's folder, or a key. Waits for it; for a save, until the burst is over."""
        event = self._held.pop(0) if self._held else self._wait()
        if isinstance(event, str):
            return event
        while (further := self._get(QUIET)) is not None:
            if further != event:
                self._held.append(further)
        self._held = [each for each in self._held if each != event]
        return event

    def _wait(self) -> Path | str:
        while (event := self._get(GLANCE)) is None:  # never for ever: on Windows that could not be interrupted
            pass
        return event

    def _get(self, seconds: float) -> Path | str | None:
        try:
            return self._queue.get(timeout=seconds)
        except queue.Empty:
            return None


def run(session: Session, folders: list[Path], events: Events) -> None:
    """The loop: until all is solved, or `q`. Ctrl-C raises KeyboardInterrupt. The terminal is left as it was."""
    with ExitStack() as stack:
        stack.enter_context(_terminated_as_interrupted())
        stack.callback(events.stop.set)
        stack.enter_context(keyboard(events))
        threading.Thread(target=_tell_saves, args=(folders, events), daemon=True).start()
        session.begin()
        while not session.done:
            event = events.get()
            session.key(event.lower()) if isinstance(event, str) else session.saved(event)


def _tell_saves(folders: list[Path], events: Events) -> None:
    """Put a lesson's folder for every save of its exercise.py."""
    by_path = {(folder / EXERCISE).resolve(): folder for folder in folders}
    for path in _changes(list(by_path), events.stop):
        events.put(by_path[path])


def _changes(paths: list[Path], stop: threading.Event) -> Iterator[Path]:
    """Whichever of these files was written. Their folders are watched, since editors replace a file by another."""
    try:
        import watchfiles
    except ImportError:
        yield from glances(paths, stop)
        return
    def wanted(kind: watchfiles.Change, path: str) -> bool:
        return Path(path) in paths

    folders = {path.parent for path in paths}
    for changes in watchfiles.watch(*folders, watch_filter=wanted, recursive=False, debounce=400, rust_timeout=1000,
                                    stop_event=stop, raise_interrupt=False):  # fmt: skip
        yield from sorted({Path(path) for kind, path in changes if kind != watchfiles.Change.deleted})


def glances(paths: list[Path], stop: threading.Event, seconds: float = GLANCE) -> Iterator[Path]:
    """The same without watchfiles: by looking at the times and sizes of the files again and again."""
    def look(path: Path) -> tuple[int, int] | None:
        try:
            found = path.stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_size

    before = {path: look(path) for path in paths}
    while not stop.wait(seconds):
        for path in paths:
            now = look(path)
            if now is not None and now != before[path]:
                yield path
            before[path] = now


@contextmanager
def keyboard(events: Events) -> Iterator[None]:
    """Keys as they are pressed, while in the block; nothing where stdin is no terminal. Afterwards it is as before."""
    if not sys.stdin.isatty():
        yield
        return
    if sys.platform == "win32":
        threading.Thread(target=_windows_keys, args=(events,), daemon=True).start()
        yield
        return
    import termios
    import tty

    before = termios.tcgetattr(sys.stdin)
    reader = threading.Thread(target=_posix_keys, args=(events,), daemon=True)
    try:
        tty.setcbreak(sys.stdin)  # keys come one by one and are not echoed; Ctrl-C is still a signal
        reader.start()
        yield
    finally:
        events.stop.set()
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)


def _posix_keys(events: Events) -> None:
    import select

    number = sys.stdin.fileno()
    while not events.stop.is_set():
        if select.select([number], [], [], 0.1)[0]:
            keys = os.read(number, 64).decode(errors="ignore")
            if not keys:  # the terminal is gone
                return
            if not keys.startswith("\x1b"):  # an arrow is not four keys
                for key in keys:
                    events.put(key)


def _windows_keys(events: Events) -> None:
    import msvcrt

    while not events.stop.is_set():
        if msvcrt.kbhit():  # type: ignore[attr-defined,unused-ignore]
            key = msvcrt.getwch()  # type: ignore[attr-defined,unused-ignore]
            if key in "\x00\xe0":  # an arrow or a function key: its second half is no key either
                msvcrt.getwch()  # type: ignore[attr-defined,unused-ignore]
            else:
                events.put(key)
        else:
            time.sleep(0.05)


@contextmanager
def _terminated_as_interrupted() -> Iterator[None]:
    """SIGTERM as Ctrl-C, so that the terminal is put back."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
