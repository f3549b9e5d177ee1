"""The emulator as a process: it starts, says it is up, and leaves when told."""

import asyncio
import signal
import socket
import sys

import httpx


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def test_the_process_serves_and_leaves_in_order():
    port = _free_port()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "emulator", "--port", str(port)
    )
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
        for _ in range(500):
            try:
                health = await client.get("/emulator/health")
                break
            except httpx.ConnectError:
                await asyncio.sleep(0.02)
        assert health.json() == {"ok": True}
    process.send_signal(signal.SIGTERM)
    assert await asyncio.wait_for(process.wait(), 5) == 0
