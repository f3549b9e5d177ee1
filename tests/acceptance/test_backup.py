"""A backup restored into an empty place is the same database."""

import stat
from dataclasses import replace
from pathlib import Path

from sqlalchemy import text
from sqlmodel import SQLModel

from service.store import embedded
from service.store.engine import make_engine
from tests.acceptance.house import House, open_house
from tests.fakes import FakeGateway
from tests.make import make_members, make_open_poll, run_background, text_in


async def contents(house: House) -> dict[str, list[str]]:
    """Every row of every table, as text."""
    engine = make_engine(house.database_url)
    async with engine.connect() as connection:
        found = {}
        for table in SQLModel.metadata.sorted_tables:
            rows = await connection.execute(
                text(f"SELECT t::text AS row FROM {table.name} t ORDER BY 1")
            )
            found[table.name] = [row.row for row in rows]
    await engine.dispose()
    return found


async def test_what_is_restored_equals_what_was_backed_up(
    server: embedded.EmbeddedServer, tmp_path: Path
) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir()
    there.mkdir()
    file = tmp_path / "all.dump"
    async with open_house(server, here) as house:
        await house.make_program()
        assert house.runtime is not None
        runtime = replace(house.runtime, gateway=FakeGateway())
        number, other = await make_members(runtime, 2)
        await make_open_poll(runtime)
        await run_background(runtime)
        assert "counted" in str((await text_in(runtime, number, "Yes - a señor coaches 👍")).body)
        await text_in(runtime, other, "STOP")
        done = await house.pollwire("backup", str(file))
        assert done["bytes"] == file.stat().st_size > 0
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        expected = await contents(house)
        code, _, err = await house.run("backup", str(file))
        assert (code, "nothing was overwritten" in err) == (1, True)

    async with open_house(server, there, migrated=False) as house:
        code, _, err = await house.run("restore", str(tmp_path / "none.dump"))
        assert (code, "no such file" in err) == (1, True)
        broken = tmp_path / "broken.dump"
        broken.write_bytes(file.read_bytes()[:5000])
        code, _, err = await house.run("restore", str(broken))
        assert (code, "pg_restore failed" in err) == (1, True)
        await house.pollwire("restore", str(file))
        assert await contents(house) == expected
        # Keys go on where they were: a new row does not meet an old one.
        assert (await house.pollwire("poll", "list"))[0]["slug"] == "coaching"
        poll = tmp_path / "next.yaml"
        poll.write_text("slug: next\ntitle: Next\nquestions: [{text: 'Ready?', kind: yes_no}]\n")
        await house.pollwire("poll", "create", str(poll))
        code, _, err = await house.run("restore", str(file))
        assert (code, "not empty" in err) == (1, True)
