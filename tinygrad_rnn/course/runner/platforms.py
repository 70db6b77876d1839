"""What differs between Linux, macOS and Windows: starting a process apart, and ending it with all that it started."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from contextlib import suppress
from typing import Any

from ..words import say

_KEPT = ("SYSTEMROOT", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")  # what Python and NumPy may need to start at all
_ONE_THREAD = ("OPENBLAS", "OMP", "MKL", "VECLIB_MAXIMUM", "NUMEXPR")


def missing_limits() -> tuple[str, ...]:
    """What a check cannot limit on this platform, one sentence each."""
    missing = ["trust"]
    if sys.platform == "darwin":
        missing.append("memory")
    missing.append("files" if sys.platform == "win32" else "processes")
    if sys.platform != "win32":
        missing.append("hidden" if sys.platform == "linux" else "detached")
    return tuple(say(f"runner.{name}") for name in missing)


def executable() -> str:
    """The interpreter. In a virtual environment on Windows sys.executable only starts the real one, which would be a
    process that we do not hold."""
    return (getattr(sys, "_base_executable", None) or sys.executable) if sys.platform == "win32" else sys.executable


def environment(directory: str) -> dict[str, str]:
    """A cleared environment, with temporary files in `directory`."""
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    threads = {f"{library}_NUM_THREADS": "1" for library in _ONE_THREAD}
    return {**kept, **threads, "TMPDIR": directory, "TEMP": directory, "TMP": directory}


def start_options() -> dict[str, Any]:
    """Arguments of Popen: a group of its own, which a Ctrl-C in the terminal does not reach."""
    if sys.platform == "win32":
        return {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW}
    return {"start_new_session": True}


def hold(process: subprocess.Popen[bytes], memory_mb: int) -> Any:
    """On Windows a job object: its memory is limited, and what the process starts ends with it. Elsewhere None."""
    if sys.platform == "win32":
        from .windows import Job

        try:
            return Job(process, memory_mb)
        except OSError:
            return None  # then end() asks taskkill
    return None


def has_ended(process: subprocess.Popen[bytes]) -> bool:
    """Whether it is known to have ended. Nobody waits for it here: end() needs its number to be still its own."""
    if process.returncode is not None:
        return True
    if sys.platform == "win32":
        return process.poll() is not None
    if sys.platform == "linux":
        return os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
    return False  # macOS: the pipes tell


def end(process: subprocess.Popen[bytes], mark: int, job: Any = None) -> None:
    """End a process and all that it started. Nothing here asks the process; nothing in it can refuse.

    mark: the RLIMIT_RSS with which it was started, which stands for no limit.
    """
    if sys.platform == "win32":
        if job is not None:
            job.end()
        elif process.poll() is None:
            subprocess.run(["taskkill", "/F", "/T", "/PID", str(process.pid)], capture_output=True, check=False)
        if process.poll() is None:
            process.kill()
    elif process.returncode is None:  # not waited for yet, so the group's number is still its own
        away = _stopped(process.pid, mark) if sys.platform == "linux" else ()
        with suppress(ProcessLookupError, PermissionError):  # macOS: of a group where only a dead process is left
            os.killpg(process.pid, signal.SIGKILL)
        for pid in away:
            _signal(pid, signal.SIGKILL)
        process.kill()
    process.wait()


def _stopped(top: int, mark: int) -> set[int]:
    """Linux: the processes that `top` started, in its group or not. They stand still, so that none starts another."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(top, signal.SIGSTOP)
    found: set[int] = set()
    for _ in range(100):  # what forked while we looked is found the next time
        new = _started(top, mark) - found
        for pid in new:
            _signal(pid, signal.SIGSTOP)
        found |= new
        if not new:
            break
    return found


def _started(top: int, mark: int) -> set[int]:
    """The processes below `top`, which adopts those whose parent died (`child.adopt`), and those with the mark."""
    marked = re.compile(rb"^Max resident set +%d " % mark, re.MULTILINE)
    children: dict[int, list[int]] = {}
    found: set[int] = set()
    for pid in _processes():
        with suppress(OSError, IndexError, ValueError):  # gone meanwhile, or another user's
            children.setdefault(int(_read(pid, "stat").rpartition(b")")[2].split()[1]), []).append(pid)
            if marked.search(_read(pid, "limits")):
                found.add(pid)
    below = [top]
    for pid in below:
        below += children.get(pid, [])
    return (found | set(below)) - {top}


def _processes() -> list[int]:
    try:
        return [int(name) for name in os.listdir("/proc") if name.isdecimal()]
    except OSError:
        return []


def _read(pid: int, name: str) -> bytes:
    with open(f"/proc/{pid}/{name}", "rb", buffering=0) as file:
        return file.read()


def _signal(pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.kill(pid, number)
