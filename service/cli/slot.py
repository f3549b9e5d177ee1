"""``slot …``: the weekly slot, the days without one, and the queue of drafts that fills it."""

from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated, Any
from zoneinfo import ZoneInfo

import typer

from service.cli.common import Actor, AsJson, ProgramSlug, print_json, print_table, with_runtime

if TYPE_CHECKING:
    from service.runtime import Runtime

app = typer.Typer(no_args_is_help=True, help="The weekly slot and the queue that fills it.")
queue = typer.Typer(no_args_is_help=True, help="Drafts that wait for a slot, in order.")
app.add_typer(queue, name="queue")
Slug = Annotated[str, typer.Argument(help="The draft's slug.", show_default=False)]
Day = Annotated[str, typer.Argument(metavar="DATE", help="Such as 2026-12-22.", show_default=False)]


@app.command("set")
def set_(
    slot: Annotated[
        str,
        typer.Argument(help="Such as 'Tuesdays 10:00 America/Denver'.", show_default=False),
    ],
    actor: Actor,
    open_hours: Annotated[
        int | None, typer.Option(help="How long its polls stay open; 72 at first.")
    ] = None,
    lead_hours: Annotated[
        int | None, typer.Option(help="How long before it a draft is scheduled; 24 at first.")
    ] = None,
    program: ProgramSlug = None,
    as_json: AsJson = False,
) -> None:
    """Give a program its weekly slot.

    Example: `pollwire slot set "Tuesdays 10:00 America/Denver" --open-hours 72 --lead-hours 24`
    """
    from service.actions.slots import set_slot, show_slot

    async def set_and_show(runtime: "Runtime") -> dict[str, Any]:
        await set_slot(
            runtime, program, slot, actor=actor, open_hours=open_hours, lead_hours=lead_hours
        )
        return await show_slot(runtime, program, weeks=1)

    shown = with_runtime(lambda runtime, _: set_and_show(runtime))
    if as_json:
        print_json(shown)
        return
    print(
        f"Program {shown['program']} polls on {shown['slot']}, open for {shown['open_hours']} "
        f"hours, scheduled {shown['lead_hours']} hours before."
    )


@app.command()
def clear(actor: Actor, program: ProgramSlug = None, as_json: AsJson = False) -> None:
    """Take a program's weekly slot away; weeks that have their poll keep it."""
    from service.actions.slots import clear_slot

    with_runtime(lambda runtime, _: clear_slot(runtime, program, actor=actor))
    _say({"slot": None}, "There is no weekly slot any more.", as_json)


@app.command()
def show(
    program: ProgramSlug = None,
    weeks: Annotated[int, typer.Option(min=1, max=104, help="How many to look ahead.")] = 8,
    as_json: AsJson = False,
) -> None:
    """The weeks to come, which draft takes each, and how long it stays open.

    Example: `pollwire slot show`
    """
    from service.actions.slots import show_slot

    shown = with_runtime(lambda runtime, _: show_slot(runtime, program, weeks=weeks))
    if as_json:
        print_json(shown)
        return
    if shown["slot"] is None:
        print('No weekly slot yet; set one: pollwire slot set "Tuesdays 10:00 America/Denver"')
        return
    title = (
        f"{shown['slot']}: open for {shown['open_hours']} hours, "
        f"scheduled {shown['lead_hours']} hours before"
    )
    print_table(title, ["opens", "closes", "poll", ""], [_line(one) for one in shown["next"]])


def _line(week: dict[str, Any]) -> list[str]:
    if week["skipped"]:
        return [week["local"], "", "", week["skipped"]]
    closes_at = datetime.fromisoformat(week["closes_at"]).astimezone(ZoneInfo(week["timezone"]))
    closes = f"{closes_at:%a %Y-%m-%d %H:%M}"
    return [week["local"], closes, week["poll"] or "(no draft)", week["poll_state"] or ""]


@app.command()
def skip(day: Day, actor: Actor, program: ProgramSlug = None, as_json: AsJson = False) -> None:
    """No poll on a day that would have one.

    Example: `pollwire slot skip 2026-12-22`
    """
    from service.actions.slots import skip_day

    asked = _day(day)
    with_runtime(lambda runtime, _: skip_day(runtime, program, asked, actor=actor))
    _say({"day": f"{asked}", "skipped": True}, f"The slot of {asked} is skipped.", as_json)


@app.command()
def unskip(day: Day, program: ProgramSlug = None, as_json: AsJson = False) -> None:
    """A day that was skipped has its poll again."""
    from service.actions.slots import unskip_day

    asked = _day(day)
    with_runtime(lambda runtime, _: unskip_day(runtime, program, asked))
    _say({"day": f"{asked}", "skipped": False}, f"The slot of {asked} takes place.", as_json)


@queue.command()
def add(slug: Slug, actor: Actor, as_json: AsJson = False) -> None:
    """Put a draft at the end of its program's queue.

    Example: `pollwire slot queue add staffing-2026-12-01`
    """
    from service.actions.slot_queue import add_to_queue

    position = with_runtime(lambda runtime, _: add_to_queue(runtime, slug, actor=actor))
    data = {"slug": slug, "position": position}
    _say(data, f"Draft {slug} waits at place {position}.", as_json)


@queue.command()
def remove(slug: Slug, as_json: AsJson = False) -> None:
    """Take a draft out of the queue; it stays a draft."""
    from service.actions.slot_queue import remove_from_queue

    with_runtime(lambda runtime, _: remove_from_queue(runtime, slug))
    _say({"slug": slug, "position": None}, f"Draft {slug} waits no more.", as_json)


@queue.command()
def move(
    slug: Slug,
    position: Annotated[int, typer.Argument(help="1 is taken next.", show_default=False)],
    as_json: AsJson = False,
) -> None:
    """Give a waiting draft another place.

    Example: `pollwire slot queue move staffing-2026-12-01 1`
    """
    from service.actions.slot_queue import move_in_queue

    with_runtime(lambda runtime, _: move_in_queue(runtime, slug, position))
    data = {"slug": slug, "position": position}
    _say(data, f"Draft {slug} waits at place {position}.", as_json)


@queue.command("list")
def list_(program: ProgramSlug = None, as_json: AsJson = False) -> None:
    """The drafts that wait, the next to be taken first."""
    from service.actions.slot_queue import list_queue

    found = with_runtime(lambda runtime, _: list_queue(runtime, program))
    if as_json:
        print_json(found)
        return
    columns = ["position", "slug", "title"]
    rows = [[draft[name] for name in columns] for draft in found]
    print_table("", columns, rows, none="No draft waits; see: pollwire slot queue add --help")


def _day(typed: str) -> date:
    try:
        return date.fromisoformat(typed)
    except ValueError:
        raise typer.BadParameter(
            f"{typed!r} is not a date such as 2026-12-22", param_hint="DATE"
        ) from None


def _say(data: dict[str, Any], sentence: str, as_json: bool) -> None:
    if as_json:
        print_json(data)
    else:
        print(sentence)
