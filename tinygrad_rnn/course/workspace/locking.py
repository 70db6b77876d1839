"""One process at a time: a lock that the system itself takes back when its holder ends, in whichever way.

The lock is on a file beside the progress, which stays: taking it away would let two processes lock two files.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

LOCK = ".tinygrad_rnn.lock"
PATIENCE, PAUSE = 5.0, 0.005  # seconds: a holder needs some milliseconds

if sys.platform == "win32":
    import msvcrt

    Held = PermissionError

    def _lock(handle: int) -> None:
        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)

    def _unlock(handle: int) -> None:
        msvcrt.locking(handle, msvcrt.LK_UNLCK, 1)
else:
    import fcntl

    Held = BlockingIOError

    def _lock(handle: int) -> None:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def _unlock(handle: int) -> None:
        fcntl.flock(handle, fcntl.LOCK_UN)  # closing is not enough: a child that was forked meanwhile has it open too


@contextmanager
def alone(folder: Path) -> Iterator[bool]:
    """`with alone(folder):` runs its block while no other process, nor thread, is in such a block of that folder.

    Gives whether that is sure. Where there is no locking (a read-only folder, a file system without locks), or another
    holds on to it for too long, the block runs all the same: a lock is not worth stopping the work.
    """
    try:
        handle = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o666)
    except OSError:
        handle = -1
    held = handle >= 0 and _taken(handle)
    try:
        yield held
    finally:
        if held:
            _unlock(handle)
        if handle >= 0:
            os.close(handle)


def _taken(handle: int) -> bool:
    """Whether the lock was got in time."""
    end = time.monotonic() + PATIENCE
    while True:
        try:
            _lock(handle)
            return True
        except Held:
            if time.monotonic() >= end:
                return False
            time.sleep(PAUSE)
        except OSError:  # no locks here
            return False
