"""A Windows job object: processes in it share a limit on memory, and end when it does."""

from __future__ import annotations

import ctypes
import subprocess
import sys
from ctypes import c_int64, c_size_t, c_uint32, c_uint64

_EXTENDED = 9  # JobObjectExtendedLimitInformation
_MEMORY, _QUIET, _END_TOGETHER = 0x200, 0x400, 0x2000  # JOB_OBJECT_LIMIT_: JOB_MEMORY, DIE_ON_UNHANDLED_.., KILL_ON_..


class Limits(ctypes.Structure):
    """JOBOBJECT_EXTENDED_LIMIT_INFORMATION."""

    _fields_ = (
        ("process_time", c_int64), ("job_time", c_int64), ("flags", c_uint32),
        ("least_working_set", c_size_t), ("most_working_set", c_size_t), ("processes", c_uint32),
        ("affinity", c_size_t), ("priority", c_uint32), ("scheduling", c_uint32),
        ("io", c_uint64 * 6),
        ("process_memory", c_size_t), ("job_memory", c_size_t),
        ("peak_process_memory", c_size_t), ("peak_job_memory", c_size_t),
    )  # fmt: skip


if sys.platform == "win32":

    class Job:
        """Holds a process that was just started. OSError where Windows refuses."""

        def __init__(self, process: subprocess.Popen[bytes], memory_mb: int) -> None:
            from ctypes import wintypes

            self._api = ctypes.WinDLL("kernel32", use_last_error=True)
            self._api.CreateJobObjectW.restype = wintypes.HANDLE
            self._api.CreateJobObjectW.argtypes = (ctypes.c_void_p, ctypes.c_void_p)
            self._api.SetInformationJobObject.argtypes = (
                wintypes.HANDLE, ctypes.c_int, ctypes.c_void_p, wintypes.DWORD,
            )  # fmt: skip
            self._api.AssignProcessToJobObject.argtypes = (wintypes.HANDLE, wintypes.HANDLE)
            self._api.TerminateJobObject.argtypes = (wintypes.HANDLE, wintypes.UINT)
            self._api.CloseHandle.argtypes = (wintypes.HANDLE,)
            self._handle = self._api.CreateJobObjectW(None, None)
            limits = Limits(flags=_MEMORY | _QUIET | _END_TOGETHER, job_memory=memory_mb * 2**20)
            done = (
                self._handle
                and self._api.SetInformationJobObject(
                    self._handle, _EXTENDED, ctypes.byref(limits), ctypes.sizeof(limits)
                )
                and self._api.AssignProcessToJobObject(self._handle, int(process._handle))  # type: ignore[attr-defined]
            )
            if not done:
                error = ctypes.get_last_error()
                if self._handle:
                    self._api.CloseHandle(self._handle)
                raise ctypes.WinError(error)

        def end(self) -> None:
            """End all processes in it, at once."""
            if self._handle:
                self._api.TerminateJobObject(self._handle, 1)
                self._api.CloseHandle(self._handle)
                self._handle = None
