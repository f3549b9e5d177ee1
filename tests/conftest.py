"""What all tests share: one PostgreSQL for the session, a clean database for each test."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlmodel import SQLModel

from service.clock import Clock
from service.runtime import Runtime
from service.store import embedded, migrations
from service.store.catalog import Catalog
from service.store.engine import Sessions, make_engine
from tests.fakes import FakeGateway

SHARED_DATA = Path(__file__).parents[2] / "shared" / "data"
NOON = datetime(2021, 3, 30, 18, tzinfo=UTC)
"""Tuesday noon in Denver: every contiguous state may be texted."""
FAST_AND_UNSAFE = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "shared_buffers": "32MB",
}


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[embedded.EmbeddedServer]:
    """The session's own PostgreSQL, from the embedded binaries."""
    started = embedded.start(tmp_path_factory.mktemp("postgres"), options=FAST_AND_UNSAFE)
    yield started
    started.stop("immediate")


@pytest.fixture(scope="session")
async def engine(server: embedded.EmbeddedServer) -> AsyncIterator[AsyncEngine]:
    """The engine on the session's migrated database."""
    await asyncio.to_thread(embedded.ensure_database, server, "pollwire")
    created = make_engine(server.url("pollwire"))
    await migrations.upgrade(created)
    yield created
    await created.dispose()


@pytest.fixture
async def runtime(engine: AsyncEngine) -> AsyncIterator[Runtime]:
    """A runtime on an empty database, with a fake carrier, at noon on March 30, 2021."""
    await _empty(engine)
    sessions = Sessions(engine)
    yield Runtime(
        sessions=sessions,
        clock=MovableClock(),
        catalog=Catalog(),
        number_secret=b"tests",
        public_base_url="https://stat.example.org",
        gateway=FakeGateway(),
        send_rate=100_000,
        name="tests",
    )
    await sessions.close()


async def _empty(engine: AsyncEngine) -> None:
    """As after the migrations, in a tenth of the time that TRUNCATE takes."""
    tables = (table.name for table in reversed(SQLModel.metadata.sorted_tables))
    rows = " ".join(f"DELETE FROM {name};" for name in tables)
    keys = "PERFORM setval(seqrelid::regclass, 1, false) FROM pg_sequence;"
    async with engine.begin() as connection:
        await connection.execute(text(f"DO $$ BEGIN {rows} {keys} END $$"))


class MovableClock(Clock):
    """A clock that starts at noon and moves when a test says so."""

    def __init__(self, start: datetime = NOON) -> None:
        super().__init__(start - datetime.now(UTC))

    def advance(self, by: timedelta) -> None:
        """Let time pass."""
        self.offset += by


@pytest.fixture
def gateway(runtime: Runtime) -> FakeGateway:
    """The runtime's carrier."""
    assert isinstance(runtime.gateway, FakeGateway)
    return runtime.gateway


@pytest.fixture
def clock(runtime: Runtime) -> MovableClock:
    """The runtime's clock."""
    assert isinstance(runtime.clock, MovableClock)
    return runtime.clock


@pytest.fixture
def shared_data() -> Path:
    """The folder of recorded data, where it lies beside the project."""
    if not SHARED_DATA.is_dir():
        pytest.skip("the recorded data do not lie beside the project")
    return SHARED_DATA
