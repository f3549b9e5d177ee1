"""Locks that the kernel drops with their holders, and the pid files that cannot be trusted."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from service.errors import EmbeddedServerError

_POLL_SECONDS = 0.02


@contextmanager
def opened(directory: Path) -> Iterator[int]:
    """A directory's descriptor, which is what is locked."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def try_lock(descriptor: int) -> bool:
    """Take the lock if nobody else has it."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def lock(descriptor: int, deadline: float, complaint: str) -> None:
    """Take the lock, waiting for whoever has it."""
    while not try_lock(descriptor):
        pause(deadline, complaint)


def pause(deadline: float, complaint: str) -> None:
    """Wait a moment, or give up with ``complaint`` at the deadline."""
    if time.monotonic() > deadline:
        raise EmbeddedServerError(complaint)
    time.sleep(_POLL_SECONDS)


def recorded_pid(lock_file: Path) -> int:
    """The pid in a lock file of PostgreSQL's; 0 if the file is missing or half written."""
    try:
        return abs(int(lock_file.read_text().splitlines()[0]))
    except (FileNotFoundError, ValueError, IndexError):
        return 0


def drop_if_stale(lock_file: Path, data: Path) -> None:
    """Remove a lock file for which PostgreSQL would refuse to start although it means nobody.

    Only while `data` is locked, so no server of ours lives; one started by hand is spared. A dead
    pid is left to PostgreSQL, which then checks shared memory too.
    """
    pid = recorded_pid(lock_file)
    if pid == 0 or (Path(f"/proc/{pid}").exists() and not _may_serve(pid, data)):
        lock_file.unlink(missing_ok=True)


def _may_serve(pid: int, data: Path) -> bool:
    """Whether a process is the postmaster of `data`, as far as /proc tells; in doubt, yes."""
    process = Path(f"/proc/{pid}")
    try:
        name, _, rest = (process / "stat").read_text().partition("(")[2].rpartition(")")
        is_zombie = rest.split()[0] in {"Z", "X"}
        return name == "postgres" and not is_zombie and (process / "cwd").readlink() == data
    except PermissionError:
        return True
    except (FileNotFoundError, ProcessLookupError):
        return False
