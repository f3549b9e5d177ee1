"""``migrate``, ``backup`` and ``restore``: the database as a whole."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from service.cli.common import AsJson, print_json
from service.errors import RefusedError


def migrate(as_json: AsJson = False) -> None:
    """Bring the database's schema to this version's.

    Example: `pollwire migrate`
    """
    from service.bootstrap import open_engine
    from service.settings import read_settings
    from service.store import migrations

    async def whole() -> str:
        async with open_engine(read_settings()) as engine:
            return await migrations.upgrade(engine)

    revision = asyncio.run(whole())
    if as_json:
        print_json({"revision": revision})
    else:
        print(f"The schema is at revision {revision}.")


def backup(
    file: Annotated[Path, typer.Argument(help="File to make.", show_default=False)],
    as_json: AsJson = False,
) -> None:
    """The whole database to one file, while everything runs.

    Keep NUMBER_KEY beside it: without that key no opt-out in it can be found again.

    Example: `pollwire backup pollwire-2026-03-03.dump`
    """
    from service.bootstrap import open_engine
    from service.settings import read_settings
    from service.store.backup import dump

    async def whole() -> None:
        async with open_engine(read_settings()) as engine:
            url = engine.url.render_as_string(hide_password=False)
            await asyncio.to_thread(dump, url, file)

    asyncio.run(whole())
    size = file.stat().st_size
    if as_json:
        print_json({"file": str(file), "bytes": size})
    else:
        print(f"{file}: {size:,} bytes.")


def restore(
    file: Annotated[Path, typer.Argument(help="A file of `backup`.", show_default=False)],
    as_json: AsJson = False,
) -> None:
    """Fill an empty database from a backup, then bring it to this version's schema.

    Example: `pollwire restore pollwire-2026-03-03.dump`
    """
    from service.bootstrap import open_engine
    from service.settings import read_settings
    from service.store import migrations
    from service.store.backup import load

    async def whole() -> str:
        async with open_engine(read_settings()) as engine:
            if await migrations.has_tables(engine):
                raise RefusedError("the database is not empty; nothing was changed")
            url = engine.url.render_as_string(hide_password=False)
            await asyncio.to_thread(load, url, file)
            return await migrations.upgrade(engine)

    revision = asyncio.run(whole())
    if as_json:
        print_json({"file": str(file), "revision": revision})
    else:
        print(f"Restored; the schema is at revision {revision}.")
