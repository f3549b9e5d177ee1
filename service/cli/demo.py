"""``demo``: the whole service on one machine, with simulated members and no account."""

import asyncio
import signal
from collections.abc import Coroutine
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from service.cli.common import AsJson, print_json

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from service.cli.demo_stage import Stage
    from service.runtime import Runtime
    from service.settings import Settings

CLOCK_START = datetime(2021, 3, 30, 18, tzinfo=UTC)
"""Noon in Denver on the seed's own day, when every state but Hawaii may be texted."""
_SEND_RATE = 400
_LOOK_SECONDS = 0.2


def demo(
    members: Annotated[int, typer.Option(min=1, max=50_000, help="Simulated members.")] = 2000,
    seed: Annotated[int, typer.Option(help="The same seed gives the same members.")] = 7,
    serve: Annotated[bool, typer.Option(help="Keep the pages up at the end.")] = True,
    as_json: AsJson = False,
) -> None:
    """Watch a real poll go out by text, be answered, counted and reported.

    Everything runs on this machine: an embedded database, the web and worker processes, and an
    emulator of Twilio with simulated members. No account is needed and nothing leaves.

    Example: `pollwire demo --members 500`
    """
    from service.settings import read_settings

    asyncio.run(_until_told_to_stop(_story(read_settings(), members, seed, serve, as_json)))


async def _until_told_to_stop(story: Coroutine[Any, Any, None]) -> None:
    """SIGTERM ends the story as Ctrl-C does, so that its processes end too, and is no failure."""
    task = asyncio.ensure_future(story)
    told = asyncio.Event()

    def stop() -> None:
        told.set()
        task.cancel()

    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop)
    try:
        await task
    except asyncio.CancelledError:
        if not told.is_set():
            raise


async def _story(base: "Settings", members: int, seed: int, serve: bool, as_json: bool) -> None:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    from service.bootstrap import open_runtime
    from service.cli.demo_stage import open_stage
    from service.cli.poll import print_results

    console = Console(stderr=True)
    console.print(
        f"A poll of {members:,} simulated members, as if on {CLOCK_START:%B %d, %Y}. "
        "Nothing leaves this machine.",
        soft_wrap=True,
    )
    columns = (TextColumn("{task.description:22}"), BarColumn(40), MofNCompleteColumn())
    async with open_stage(base, clock_start=CLOCK_START, seed=seed, send_rate=_SEND_RATE) as stage:
        async with open_runtime(stage.settings) as runtime:
            with Progress(*columns, TimeElapsedColumn(), console=console) as progress:
                found = await _play(stage, runtime, progress, members, seed)
        if as_json:
            print_json(found)
        else:
            print_results(found)
        if serve:
            page = f"{stage.settings.public_base_url}/polls/{found['slug']}"
            console.print(
                f"\nThe published result: {page} (Ctrl-C ends everything)", soft_wrap=True
            )
            await asyncio.Event().wait()


async def _play(
    stage: "Stage", runtime: "Runtime", progress: "Progress", members: int, seed: int
) -> dict[str, Any]:
    """Join, ask, answer, close, answer too late, publish."""
    from service.actions.polls import close_poll, create_poll, publish_poll, schedule_poll
    from service.actions.results import read_results
    from service.cli.demo_stage import SENDER
    from service.cli.poll import read_yaml

    await _make_program(runtime, SENDER)
    content = read_yaml(Path(str(files("service.cli") / "coaching.yaml")))
    slug = await create_poll(runtime, content, program=None, actor="cli:demo")

    task = progress.add_task("Members join", total=members)
    await stage.control(
        "POST", "/crowd", members=members, seed=seed, keyword="STAT", joins_per_second=400
    )
    await _until_quiet(stage, progress, task, "joined")

    now = runtime.clock.now()
    await schedule_poll(runtime, slug, opens_at=now, closes_at=now + timedelta(days=2))
    asked = progress.add_task("The poll goes out", total=members)
    answers = progress.add_task("Members answer", total=None)
    await _until_sent(stage, runtime, progress, (asked, answers), slug)

    await close_poll(runtime, slug)
    late = await stage.control("POST", "/crowd/late")
    task = progress.add_task("Late answers", total=late["members"])
    await _until_quiet(stage, progress, task, "late_waiting", countdown_from=late["members"])
    await publish_poll(runtime, slug, actor="cli:demo")
    return await read_results(runtime, slug)


async def _make_program(runtime: "Runtime", sender: str) -> None:
    from service.actions.programs import ProgramChanges, set_program
    from service.domain.keywords import parse_keyword

    changes = ProgramChanges(
        name="Acme Stat",
        organization="Acme Medical Managers Association",
        respondents="healthcare leaders",
        sender=sender,
        help_contact="800-555-0100 or help@acme.example",
        timezone="America/Denver",
        slot="Tuesdays 12:00",
    )
    await set_program(runtime, "stat", changes, [parse_keyword("STAT"), parse_keyword("TOP10")])


async def _until_sent(
    stage: "Stage",
    runtime: "Runtime",
    progress: "Progress",
    tasks: "tuple[TaskID, TaskID]",
    slug: str,
) -> None:
    """Until every text has gone out and every member who will answer has."""
    from service.actions.results import read_results

    while True:
        found = await read_results(runtime, slug)
        crowd = await stage.control("GET", "/crowd")
        progress.update(tasks[0], completed=found["sent"])
        if found["audience"]:
            progress.update(tasks[0], total=found["audience"])
        progress.update(tasks[1], completed=crowd["answered"], total=found["audience"] or None)
        waiting = {"waiting", "handed over"} & found["not_sent"].keys()
        if found["audience"] and not waiting and _is_quiet(crowd):
            progress.update(tasks[1], total=crowd["answered"])
            return
        await asyncio.sleep(_LOOK_SECONDS)


async def _until_quiet(
    stage: "Stage",
    progress: "Progress",
    task: "TaskID",
    count: str,
    *,
    countdown_from: int | None = None,
) -> None:
    while True:
        crowd = await stage.control("GET", "/crowd")
        done = crowd[count] if countdown_from is None else countdown_from - crowd[count]
        progress.update(task, completed=done)
        if _is_quiet(crowd):
            return
        await asyncio.sleep(_LOOK_SECONDS)


def _is_quiet(crowd: dict[str, Any]) -> bool:
    return not (crowd["pending"] or crowd["in_transit"] or crowd["receipts_waiting"])
