"""Workspaces: the large arrays of a fused recurrence, used again from call to call.

Fresh memory costs as much as the arithmetic done in it: the system hands it out page by page, each page at its first
touch. So what a backward pass will need of a forward pass is written into a workspace that an earlier call has left. A
workspace belongs to one lease at a time, and a lease to one node: two calls in one graph never share.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable
from functools import cached_property
from threading import Lock
from typing import Any

LIMIT = 256 * 2**20  # bytes that wait to be used again, in all; beyond that the longest waiting are given up


class Workspace:
    """Base of the workspaces: a subclass allocates in `__init__(lib, dtype, *sizes)`. Arrays are attributes, views of
    them stand in lists and tuples."""

    @cached_property
    def nbytes(self) -> int:
        return sum(getattr(x, "nbytes", 0) for x in vars(self).values())


class Lease:
    """A workspace of one kind and size, `space`, for as long as this object lives, or as the `with` block lasts."""

    space: Any = None

    def __init__(self, kind: Callable[..., Workspace], lib: Any, dtype: Any, *sizes: Any) -> None:
        self._key = (kind, id(lib), dtype, *sizes)
        self.space = _shelf.take(self._key) or kind(lib, dtype, *sizes)

    @property
    def nbytes(self) -> int:
        """Bytes held, for whoever asks what a graph holds."""
        return self.space.nbytes

    def __enter__(self) -> Any:
        return self.space

    def __exit__(self, *_: object) -> None:
        space, self.space = self.space, None
        if space is not None:
            _shelf.put_back(self._key, space)

    def __del__(self) -> None:
        self.__exit__()


class _Shelf:
    """Workspaces without a lease, by kind and size, those last that came back last."""

    def __init__(self) -> None:
        self._spaces: OrderedDict[Any, list[Workspace]] = OrderedDict()
        self._bytes = 0
        self._lock = Lock()
        self._back: deque[tuple[Any, Workspace]] = deque()  # came back, and stands in no list yet

    def take(self, key: Any) -> Workspace | None:
        with self._lock:
            self._sort()
            spaces = self._spaces.get(key)
            if not spaces:
                return None
            space = spaces.pop()
            if not spaces:
                del self._spaces[key]
            self._bytes -= space.nbytes
            return space

    def put_back(self, key: Any, space: Workspace) -> None:
        """Never waits: the garbage collector may call this from inside the other methods."""
        if space.nbytes > LIMIT:
            return
        self._back.append((key, space))
        if self._lock.acquire(blocking=False):
            try:
                self._sort()
            finally:
                self._lock.release()

    def _sort(self) -> None:
        while self._back:
            key, space = self._back.popleft()
            self._spaces.setdefault(key, []).append(space)
            self._spaces.move_to_end(key)
            self._bytes += space.nbytes
        while self._bytes > LIMIT:
            longest, spaces = next(iter(self._spaces.items()))
            self._bytes -= spaces.pop(0).nbytes
            if not spaces:
                del self._spaces[longest]


_shelf = _Shelf()
