"""What differs between Linux, macOS and Windows: starting a process apart, and ending it with all that it started."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

_KEPT = ("SYSTEMROOT", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")  # what Python and NumPy may need to start at all
_ONE_THREAD = ("OPENBLAS", "OMP", "MKL", "VECLIB_MAXIMUM", "NUMEXPR")


def missing_limits() -> tuple[str, ...]:
    """What a check cannot limit on this platform, one sentence each."""
    missing = ["An exercise can read your files and use the network: check only code that you trust."]
    if sys.platform == "darwin":
        missing.append("macOS honours no limit on memory: an exercise that fills it is stopped by the clock only.")
    if sys.platform == "win32":
        missing.append("Windows has no limit on the size of files that an exercise writes.")
    else:
        missing.append("The number of processes that an exercise starts is not limited; all are ended after it.")
    if sys.platform not in ("linux", "win32"):
        missing.append("A process that an exercise detaches from its group (setsid) can outlive the check.")
    return tuple(missing)


def executable() -> str:
    """The interpreter. In a virtual environment on Windows sys.executable only starts the real one, which would be a
    process that we do not hold."""
    return (getattr(sys, "_base_executable", None) or sys.executable) if sys.platform == "win32" else sys.executable


def environment(directory: str) -> dict[str, str]:
    """A cleared environment, with temporary files in `directory`; that entry also marks every process started there."""
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


def end(process: subprocess.Popen[bytes], directory: str, job: Any = None) -> None:
    """End a process and all that it started. Nothing here asks the process; nothing in it can refuse."""
    if sys.platform == "win32":
        if job is not None:
            job.end()
        elif process.poll() is None:
            subprocess.run(["taskkill", "/F", "/T", "/PID", str(process.pid)], capture_output=True, check=False)
        if process.poll() is None:
            process.kill()
    else:
        if process.returncode is None:  # not waited for yet, so the group's number is still its own
            with suppress(ProcessLookupError, PermissionError):  # macOS: of a group where only a dead process is left
                os.killpg(process.pid, signal.SIGKILL)
            process.kill()
        process.wait()
        _sweep(directory)
    process.wait()


def _sweep(directory: str) -> None:
    """Linux: end what left the group, known by the environment that it was started with."""
    if sys.platform != "linux":
        return
    mark = f"TMPDIR={directory}\0".encode()
    for _ in range(100):  # what forks while we look is found the next time
        found = [pid for pid in _processes() if mark in _environment(pid)]
        if not found:
            return
        for pid in found:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.001)


def _processes() -> list[int]:
    try:
        return [int(name) for name in os.listdir("/proc") if name.isdecimal()]
    except OSError:
        return []


def _environment(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/environ").read_bytes()
    except OSError:
        return b""  # gone meanwhile, or another user's
