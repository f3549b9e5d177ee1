"""``poll …``: polls from a file, through their life, to their results."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from service.cli.common import Actor, AsJson, ProgramSlug, print_json, print_table, with_runtime
from service.cli.common import shown as as_shown
from service.errors import InvalidInputError

if TYPE_CHECKING:
    from service.runtime import Runtime

app = typer.Typer(no_args_is_help=True, help="Polls: create, schedule, watch, publish.")
Slug = Annotated[str, typer.Argument(help="The poll's slug.", show_default=False)]


@app.command()
def create(
    file: Annotated[Path, typer.Argument(help="The poll file, YAML.", show_default=False)],
    actor: Actor,
    program: ProgramSlug = None,
    as_json: AsJson = False,
) -> None:
    """Store a poll file as a draft.

    Example: `pollwire poll create coaching.yaml`
    """
    from service.actions.polls import create_poll

    content = read_yaml(file)
    try:
        slug = with_runtime(
            lambda runtime, _: create_poll(runtime, content, program=program, actor=actor)
        )
    except InvalidInputError as error:
        raise InvalidInputError(f"{file}: {error}") from error
    _say({"slug": slug, "state": "draft"}, f"Poll {slug} is a draft.", as_json)


@app.command()
def schedule(
    slug: Slug,
    opens_at: Annotated[str, typer.Option(metavar="ISO", help="Such as 2026-03-03T10:00-07:00.")],
    closes_at: Annotated[str, typer.Option(metavar="ISO", help="When intake ends.")],
    actor: Actor,
    yes: Annotated[
        bool, typer.Option("--yes", help="Do not ask: the number of people shown is confirmed.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Fix a draft's times, or move a poll that has not opened; it opens and closes by itself.

    A time without a zone is the program's local time.

    Example: `pollwire poll schedule coaching --opens-at 2026-03-03T10:00
    --closes-at 2026-03-05T17:00`
    """
    from service.actions.polls import schedule_poll
    from service.actions.show_polls import preview_poll

    async def look(runtime: "Runtime") -> tuple[datetime, datetime, dict[str, Any]]:
        zone = (await preview_poll(runtime, slug))["timezone"]
        opens = _instant(opens_at, "--opens-at", zone)
        closes = _instant(closes_at, "--closes-at", zone)
        return opens, closes, await preview_poll(runtime, slug, opens_at=opens, closes_at=closes)

    opens, closes, shown = with_runtime(lambda runtime, _: look(runtime))
    if not as_json:
        _print_texts(shown)
        print(f"people: {shown['people']:,}")
    if not yes:
        typed = typer.prompt("Type the number of people to confirm", type=int, err=True)
        if typed != shown["people"]:
            raise InvalidInputError(f"{typed} is not {shown['people']}; nothing was scheduled")
    with_runtime(
        lambda runtime, _: schedule_poll(
            runtime,
            slug,
            opens_at=opens,
            closes_at=closes,
            confirmed_people=shown["people"],
            actor=actor,
        )
    )
    _say(
        {"slug": slug, "state": "scheduled", "opens_at": opens, "closes_at": closes},
        f"Poll {slug} opens {opens:%Y-%m-%d %H:%M} UTC and closes {closes:%Y-%m-%d %H:%M} UTC.",
        as_json,
    )


@app.command("open")
def open_(slug: Slug, actor: Actor, as_json: AsJson = False) -> None:
    """Open a scheduled poll now, also one that is late or whose audience has grown."""
    from service.actions.polls import open_poll

    async def open_it(runtime: "Runtime", name: str) -> None:
        await open_poll(runtime, name, actor=actor)

    _act(open_it, slug, "open", as_json)


@app.command()
def pause(slug: Slug, as_json: AsJson = False) -> None:
    """Stop sending; answers still count and the closing stands."""
    from service.actions.polls import pause_poll

    closes_at = with_runtime(lambda runtime, _: pause_poll(runtime, slug))
    _say(
        {"slug": slug, "state": "paused", "closes_at": closes_at},
        f"Poll {slug} is paused: nothing is sent, answers count. "
        f"It still closes at {closes_at:%Y-%m-%d %H:%M} UTC.",
        as_json,
    )


@app.command()
def resume(slug: Slug, as_json: AsJson = False) -> None:
    """Go on sending."""
    from service.actions.polls import resume_poll

    _act(resume_poll, slug, "open", as_json)


@app.command()
def cancel(slug: Slug, actor: Actor, as_json: AsJson = False) -> None:
    """Stop sending and taking answers; what came is kept."""
    from service.actions.polls import cancel_poll

    async def cancel_it(runtime: "Runtime", name: str) -> None:
        await cancel_poll(runtime, name, actor=actor)

    _act(cancel_it, slug, "cancelled", as_json)


@app.command()
def close(slug: Slug, as_json: AsJson = False) -> None:
    """End intake now."""
    from service.actions.polls import close_poll

    _act(close_poll, slug, "closed", as_json)


@app.command()
def publish(slug: Slug, actor: Actor, as_json: AsJson = False) -> None:
    """Freeze the result and make it public."""
    from service.actions.polls import publish_poll

    async def publish_it(runtime: "Runtime", name: str) -> None:
        await publish_poll(runtime, name, actor=actor)

    _act(publish_it, slug, "published", as_json)


@app.command("list")
def list_(program: ProgramSlug = None, as_json: AsJson = False) -> None:
    """All polls, newest first."""
    from service.actions.show_polls import list_all_polls

    polls = with_runtime(lambda runtime, _: list_all_polls(runtime, program))
    if as_json:
        print_json(polls)
        return
    columns = ["slug", "state", "opens_at", "closes_at", "title"]
    for poll in polls:
        poll["state"] += " (late)" if poll["late"] else ""
    rows = [[poll[name] for name in columns] for poll in polls]
    print_table("", columns, rows, none="There is no poll yet; see: pollwire poll create --help")


@app.command()
def show(slug: Slug, as_json: AsJson = False) -> None:
    """A poll's texts, times and state."""
    from service.actions.show_polls import preview_poll

    shown = with_runtime(lambda runtime, _: preview_poll(runtime, slug))
    if as_json:
        print_json(shown)
        return
    asked = ("slug", "title", "state", "opens_at", "closes_at", "people")
    lines = {name: shown[name] for name in asked}
    lines |= {"late": shown["late"] or None, "paused": shown["pause_reason"] or None}
    lines |= {name: shown[name] for name in ("confirmed_people", "grown_to")}
    for name, value in lines.items():
        if value is not None:
            print(f"{name.replace('_', ' ') + ':':18}{as_shown(value)}")
    _print_texts(shown)


@app.command()
def results(slug: Slug, as_json: AsJson = False) -> None:
    """The tally, from the people chosen to the shares.

    Example: `pollwire poll results coaching --json`
    """
    from service.actions.results import read_results

    found = with_runtime(lambda runtime, _: read_results(runtime, slug))
    if as_json:
        print_json(found)
    else:
        print_results(found)


def print_results(found: dict[str, Any]) -> None:
    """A result for people: funnel, exclusions, shares, sentence."""
    steps = [["people chosen", found["audience"]], ["sent", found["sent"]]]
    steps += [[f"  {name}", people] for name, people in sorted(found["by_receipt"].items())]
    steps += [[f"  not sent: {name}", people] for name, people in sorted(found["not_sent"].items())]
    steps += [["replied", found["replied"]], ["  applicable", found["applicable"]]]
    steps += [[f"  {name}", people] for name, people in sorted(found["excluded"].items())]
    print_table(found["title"], ["people", ""], [[name, f"{n:,}"] for name, n in steps])
    for question in found["questions"]:
        print(f"\n{question['text']}")
        for line in question["choices"]:
            print(f"  {line['percent']:3}%  {line['label']} ({line['count']:,})")
        if not question["choices"]:
            print(f"  answers: {question['applicable']:,}")
        if sum(line["percent"] for line in question["choices"]) not in (0, 100):
            print("  Shares are rounded one by one, so they need not add up to 100.")
    print(f"\n{found['sentence']}")
    if found["waiting"]:
        print(f"\nReplies that wait for a person: {found['waiting']:,} (see: pollwire review list)")


def read_yaml(file: Path) -> Any:
    """A poll file's content.

    Raises:
        InvalidInputError: naming the file and, where there is one, the line.
    """
    import yaml

    try:
        return yaml.safe_load(file.read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        raise InvalidInputError(f"{file}: {reason}") from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        problem = getattr(error, "problem", None) or "not YAML"
        raise InvalidInputError(f"{file}: {place}{problem}") from error


def _print_texts(shown: dict[str, Any]) -> None:
    for text in shown["texts"]:
        print(f"  {_described(text)}")
    if shown["reminder"]:
        text = shown["reminder"]["text"]
        words = _described(text) if text else "(its words name the close, so they come with it)"
        hours = shown["reminder"]["after_hours"]
        after = "1 hour" if hours == 1 else f"{hours} hours"
        print(f"  after {after}, to who is silent: {words}")
    if shown["results_text"]:
        at = as_shown(shown["results_at"])
        print(f"  at {at}, to who answered: {_described(shown['results_text'])}")


def _described(text: dict[str, Any]) -> str:
    offenders = f" because of {' '.join(text['offenders'])}" if text["offenders"] else ""
    return f"{text['segments']} segment(s), {text['encoding']}{offenders}: {text['body']}"


def _instant(typed: str, option: str, timezone: str) -> datetime:
    from datetime import UTC
    from zoneinfo import ZoneInfo

    try:
        instant = datetime.fromisoformat(typed)
    except ValueError:
        raise typer.BadParameter(f"{typed!r} is not an ISO time", param_hint=option) from None
    return (instant if instant.tzinfo else instant.replace(tzinfo=ZoneInfo(timezone))).astimezone(
        UTC
    )


def _act(
    action: Callable[["Runtime", str], Awaitable[None]], slug: str, state: str, as_json: bool
) -> None:
    with_runtime(lambda runtime, _: action(runtime, slug))
    _say({"slug": slug, "state": state}, f"Poll {slug} is {state}.", as_json)


def _say(data: dict[str, Any], sentence: str, as_json: bool) -> None:
    if as_json:
        print_json(data)
    else:
        print(sentence)
