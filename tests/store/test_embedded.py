"""The embedded PostgreSQL against real servers, each in a folder of its own."""

import asyncio
import importlib.util
import multiprocessing
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from service.errors import EmbeddedServerError
from service.store import embedded
from service.store.embedded import EmbeddedServer

REPOSITORY = Path(__file__).parents[2]
FAST = {"fsync": "off", "shared_buffers": "16MB"}
STARTER = f"""
import signal, sys, time
from pathlib import Path
from service.store import embedded
signal.signal(signal.SIGINT, signal.default_int_handler)  # a background shell has it ignored
server = embedded.start(Path(sys.argv[1]), options={FAST!r})
print(server.started_here, server.postmaster_pid, flush=True)
time.sleep(float(sys.argv[2]))
"""
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can act as other users")


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A folder below one of mode 0700, whose server is stopped afterwards."""
    yield tmp_path / "pg"
    stop_server(tmp_path / "pg")


@pytest.fixture
def open_parent() -> Iterator[Path]:
    """A folder that every account can enter and write to, unlike `tmp_path`."""
    parent = Path(tempfile.mkdtemp(prefix="pollwire-test-"))
    parent.chmod(0o777)
    yield parent
    stop_server(parent / "pg")
    shutil.rmtree(parent)


def start(folder: Path) -> EmbeddedServer:
    return embedded.start(folder, options=FAST, timeout_seconds=30)


def stop_server(folder: Path) -> None:
    pid_file = folder / "data" / "postmaster.pid"
    if pid_file.exists():
        pid = int(pid_file.read_text().split()[0])
        EmbeddedServer(folder, folder, started_here=False, postmaster_pid=pid).stop("immediate")


def run_sql(server: EmbeddedServer, *statements: str, database: str = "postgres") -> object:
    """Run statements in one transaction; return the last one's first value, if it has rows."""

    async def run() -> object:
        engine = create_async_engine(server.url(database), poolclass=NullPool)
        async with engine.begin() as connection:
            for statement in statements:
                result = await connection.execute(text(statement))
            return result.scalar() if result.returns_rows else None

    return asyncio.run(run())


def run_starter(folder: Path, stay_seconds: float = 0) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-c", STARTER, str(folder), str(stay_seconds)],
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def run_as(uid: int, action: Callable[[], None]) -> int:
    """Run an action in a forked child of another user; return its exit code, 0 if all went well.

    Forked, because that user may be unable to reach this interpreter's files.
    """

    def become_and_act() -> None:
        os.setgroups([])
        os.setgid(pwd.getpwuid(uid).pw_gid)
        os.setuid(uid)
        action()

    child = multiprocessing.get_context("fork").Process(target=become_and_act)
    child.start()
    child.join(30)
    return -1 if child.exitcode is None else child.exitcode


def effective_capabilities(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("CapEff:")[2].split()[0], 16)


def nobody() -> int:
    return pwd.getpwnam("nobody").pw_uid


def skip_unless_nobody_can_reach_the_binaries() -> None:
    server = str(embedded.binaries() / "postgres")
    try:
        subprocess.run([server, "--version"], user=nobody(), capture_output=True, check=True)
    except PermissionError:
        pytest.skip(f"the account nobody cannot reach {embedded.binaries()}")


def test_a_cold_start_serves_the_url_it_gives_and_listens_on_no_port(folder: Path) -> None:
    server = start(folder)
    assert server.started_here
    assert run_sql(server, "SELECT upper('ä')") == "Ä"
    assert run_sql(server, "SHOW fsync") == "off"
    assert run_sql(server, "SHOW timezone") == "UTC"
    assert run_sql(server, "SHOW listen_addresses") == ""
    assert folder.stat().st_mode & 0o777 == 0o700


def test_a_stray_pg_environment_changes_nothing(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGPORT", "6000")
    monkeypatch.setenv("PGDATA", "/nonexistent")
    server = start(folder)
    assert run_sql(server, "SHOW port") == "5432"


def test_a_second_start_attaches(folder: Path) -> None:
    first, second = start(folder), start(folder)
    assert first.started_here
    assert not second.started_here
    assert second.postmaster_pid == first.postmaster_pid


def test_four_processes_at_once_share_one_server(folder: Path) -> None:
    starters = [run_starter(folder) for _ in range(4)]
    answers = [starter.communicate(timeout=30)[0].split() for starter in starters]
    assert sorted(started for started, _ in answers) == ["False", "False", "False", "True"]
    assert len({pid for _, pid in answers}) == 1


def test_stop_is_idempotent_and_spares_a_later_server(folder: Path) -> None:
    first = start(folder)
    first.stop()
    first.stop()
    assert not embedded.server._answers(folder)
    second = start(folder)
    first.stop()
    assert second.started_here
    assert run_sql(second, "SELECT 1") == 1


def test_committed_data_outlives_a_killed_postmaster(folder: Path) -> None:
    killed = start(folder)
    run_sql(killed, "CREATE TABLE kept (id int)", "INSERT INTO kept VALUES (42)")
    os.kill(killed.postmaster_pid, signal.SIGKILL)
    recovered = start(folder)
    assert recovered.started_here
    assert run_sql(recovered, "SELECT id FROM kept") == 42


def test_start_waits_for_the_orphans_of_a_killed_postmaster(folder: Path) -> None:
    killed = start(folder)

    async def kill_during_a_query() -> None:
        engine = create_async_engine(killed.url("postgres"), poolclass=NullPool)
        async with engine.connect() as connection:
            # Busy rather than asleep: a sleeping backend notices the death of its postmaster.
            busy = "SELECT count(*) FROM generate_series(1, 8000000)"
            query = asyncio.ensure_future(connection.execute(text(busy)))
            await asyncio.sleep(0.1)
            os.kill(killed.postmaster_pid, signal.SIGKILL)
            recovered = await asyncio.to_thread(start, folder)
            assert recovered.started_here
            await asyncio.gather(query, return_exceptions=True)
            await connection.invalidate()

    asyncio.run(kill_during_a_query())
    assert run_sql(start(folder), "SELECT 1") == 1


def test_start_waits_for_a_server_that_does_not_answer_yet(folder: Path) -> None:
    server = start(folder)
    os.kill(server.postmaster_pid, signal.SIGSTOP)
    try:
        with pytest.raises(EmbeddedServerError, match="does not answer"):
            embedded.start(folder, timeout_seconds=0.5)
    finally:
        os.kill(server.postmaster_pid, signal.SIGCONT)
    assert not start(folder).started_here


def test_a_pid_file_naming_a_foreign_process_of_the_same_user_is_dropped(folder: Path) -> None:
    server = start(folder)
    owner = folder.stat().st_uid
    server_files = (folder / "data" / "postmaster.pid", folder / ".s.PGSQL.5432.lock")
    kept = [path.read_text().split("\n", 1)[1] for path in server_files]
    server.stop()
    become = owner if os.geteuid() == 0 else None
    with subprocess.Popen(["sleep", "60"], user=become) as foreign:
        for path, rest in zip(server_files, kept, strict=True):
            path.write_text(f"{foreign.pid}\n{rest}")
            os.chown(path, owner, -1)
        again = start(folder)
        assert again.started_here
        assert run_sql(again, "SELECT 1") == 1
        assert foreign.poll() is None
        foreign.terminate()


@pytest.mark.parametrize("content", ["", "12", "not a pid\n"])
def test_a_half_written_pid_file_is_dropped(folder: Path, content: str) -> None:
    start(folder).stop()
    pid_file = folder / "data" / "postmaster.pid"
    pid_file.write_text(content)
    os.chown(pid_file, folder.stat().st_uid, -1)
    assert start(folder).started_here


def test_the_pid_file_of_a_server_started_by_hand_is_spared(folder: Path) -> None:
    server = start(folder)
    pid_file = folder / "data" / "postmaster.pid"
    embedded.locks.drop_if_stale(pid_file, folder / "data")
    assert pid_file.read_text().startswith(f"{server.postmaster_pid}\n")


def test_an_interrupted_initdb_is_cleared_away(folder: Path) -> None:
    (folder / "data.new-1" / "base").mkdir(parents=True)
    assert start(folder).started_here
    assert not (folder / "data.new-1").exists()


@pytest.mark.parametrize("name", ["long" * 40, 'it\'s a $HOME, 100% "odd" `name`', "mit Ärger"])
def test_any_path_works(tmp_path: Path, name: str) -> None:
    folder = tmp_path / name / "pg"
    try:
        server = start(folder)
        assert run_sql(server, "SELECT 1") == 1
        assert not start(folder).started_here
        if server.socket_dir != folder:
            found = server.socket_dir.stat()
            assert (found.st_mode & 0o777, found.st_uid) == (0o700, folder.stat().st_uid)
    finally:
        stop_server(folder)
    if server.socket_dir != folder:
        shutil.rmtree(server.socket_dir)


def test_a_socket_folder_that_others_can_enter_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / ("long" * 40)
    socket_dir = embedded.server._socket_dir(folder)
    socket_dir.mkdir()
    socket_dir.chmod(0o755)
    try:
        with pytest.raises(EmbeddedServerError, match="another owner or mode"):
            start(folder)
    finally:
        socket_dir.rmdir()


def test_a_parent_of_mode_0700_stays_closed(tmp_path: Path) -> None:
    parent = tmp_path / "closed"
    parent.mkdir(mode=0o700)
    owner = parent.stat().st_uid
    try:
        assert run_sql(start(parent / "pg"), "SELECT 1") == 1
    finally:
        stop_server(parent / "pg")
    assert (parent.stat().st_mode & 0o777, parent.stat().st_uid) == (0o700, owner)


@needs_root
def test_under_root_the_server_has_no_capability_where_none_is_needed(open_parent: Path) -> None:
    skip_unless_nobody_can_reach_the_binaries()
    server = start(open_parent / "pg")
    assert (open_parent / "pg").stat().st_uid != 0
    assert effective_capabilities(server.postmaster_pid) == 0


@needs_root
def test_without_setpriv_a_closed_parent_is_an_error_that_names_the_mend(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: None)
    with pytest.raises(EmbeddedServerError, match=r"cannot get to .* set DATABASE_URL"):
        start(folder)


@needs_root
def test_root_attaches_to_and_restarts_an_ordinary_users_server(open_parent: Path) -> None:
    skip_unless_nobody_can_reach_the_binaries()
    folder = open_parent / "pg"
    assert run_as(nobody(), lambda: print(start(folder))) == 0
    assert folder.stat().st_uid == nobody()
    attached = start(folder)
    assert not attached.started_here
    attached.stop()
    restarted = start(folder)
    assert restarted.started_here
    assert Path(f"/proc/{restarted.postmaster_pid}").stat().st_uid == nobody()


@needs_root
def test_roots_server_is_refused_to_an_ordinary_user(open_parent: Path) -> None:
    start(open_parent / "pg")

    def attach() -> None:
        with pytest.raises(EmbeddedServerError, match="Permission denied"):
            start(open_parent / "pg")

    stranger = pwd.getpwnam("daemon").pw_uid
    assert run_as(stranger, attach) == 0


def test_ctrl_c_leaves_the_server_running(folder: Path) -> None:
    starter = run_starter(folder, stay_seconds=60)
    assert starter.stdout is not None
    assert starter.stdout.readline().startswith("True ")
    os.killpg(starter.pid, signal.SIGINT)
    starter.communicate(timeout=30)
    time.sleep(0.2)  # a signal that reached the server would show by now
    assert not start(folder).started_here


def test_four_callers_at_once_make_one_database(folder: Path) -> None:
    server = start(folder)
    name = 'odd "name": 100%'
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(embedded.ensure_database, [server] * 4, [name] * 4))
    assert run_sql(server, "SELECT current_database()", database=name) == name


def test_a_failed_start_quotes_the_log(folder: Path) -> None:
    with pytest.raises(EmbeddedServerError, match="no_such_setting"):
        embedded.start(folder, options={"no_such_setting": "1"})


def test_a_folder_with_other_files_is_refused_and_left_alone(folder: Path) -> None:
    folder.mkdir(mode=0o755)
    (folder / "thesis.txt").touch()
    with pytest.raises(EmbeddedServerError, match="holds other files"):
        start(folder)
    assert (folder.stat().st_mode & 0o777, folder.stat().st_uid) == (0o755, os.geteuid())


def test_a_missing_wheel_is_named_and_leaves_no_folder(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(EmbeddedServerError, match=r"pollwire\[embedded\].*DATABASE_URL"):
        start(folder)
    assert not folder.exists()
