"""The yardstick: one-row INSERTs by 32 clients into the same server, in the same run.

The least that taking in a text can mean: a row under its unique MessageSid, committed. pgbench's
own protocol, one INSERT a transaction.
"""

import asyncio
import os
import re

from benchmarks.rig import Rig
from service.store.embedded import binaries

CLIENTS = 32
_TABLE = """
CREATE TABLE IF NOT EXISTS yardstick (id bigserial PRIMARY KEY, sid text UNIQUE, body text)
"""
_SCRIPT = r"""
\set n random(1, 9000000000000000000)
INSERT INTO yardstick (sid, body) VALUES (md5(:n::text), 'Yes');
"""


async def inserts_per_second(rig: Rig, seconds: float) -> float:
    """Transactions a second, each one INSERT and its commit."""
    script = rig.folder / "insert.sql"
    script.write_text(_SCRIPT)
    where = ("-h", str(rig.server.socket_dir), "-p", "5432", "-U", "postgres")
    await _run(rig, "psql", *where, "-q", "-c", _TABLE, "postgres")
    told = ("-n", "-c", str(CLIENTS), "-j", "2", "-T", str(int(seconds)))
    out = await _run(rig, "pgbench", *where, *told, "-f", str(script), "postgres")
    found = re.search(r"tps = ([\d.]+)", out)
    assert found, out
    return float(found[1])


async def _run(rig: Rig, program: str, *arguments: str) -> str:
    process = await asyncio.create_subprocess_exec(
        str(binaries() / program),
        *arguments,
        env={key: value for key, value in os.environ.items() if key[:2] != "PG"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    out, _ = await process.communicate()
    assert process.returncode == 0, out.decode()
    return out.decode()
