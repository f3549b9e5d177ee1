"""``migrate``: the schema to head."""

import asyncio

from service.cli.common import AsJson, print_json


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
