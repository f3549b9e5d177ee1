"""``program set`` and ``program show``."""

from typing import Annotated, Any

import typer

from service.cli.common import AsJson, ProgramSlug, login, print_json, with_runtime
from service.domain.consent import OptOutMode

app = typer.Typer(no_args_is_help=True, help="Programs: a recurring poll on one sender.")


@app.command("set")
def set_(
    program: Annotated[str, typer.Option("--program", help="Short name, such as stat.")] = "stat",
    name: Annotated[str | None, typer.Option(help="Brand that opens every text.")] = None,
    organization: Annotated[str | None, typer.Option(help="Who runs it.")] = None,
    respondents: Annotated[
        str | None, typer.Option(help='What answerers are called, such as "healthcare leaders".')
    ] = None,
    sender: Annotated[str | None, typer.Option(help="Short or long code texts go to.")] = None,
    messaging_service_sid: Annotated[
        str | None, typer.Option(help="Twilio Messaging Service, where one is used.")
    ] = None,
    optout_mode: Annotated[OptOutMode | None, typer.Option(help="Who answers STOP.")] = None,
    keyword: Annotated[
        list[str] | None,
        typer.Option(metavar="WORD[:CAMPAIGN]", help="Join word; repeat for more."),
    ] = None,
    help_contact: Annotated[
        str | None, typer.Option(help="Phone or e-mail that HELP names.")
    ] = None,
    timezone: Annotated[str | None, typer.Option(help="Such as America/Denver.")] = None,
    slot: Annotated[
        str | None,
        typer.Option(help='Weekly slot, "Tuesdays 10:00 America/Denver"; more: pollwire slot set.'),
    ] = None,
    monthly_texts: Annotated[
        int | None,
        typer.Option(help="Texts a month, as stated at sign-up: five times what a poll comes to."),
    ] = None,
    send_rate: Annotated[
        int | None, typer.Option(help="Segments a second the sender allows.")
    ] = None,
    quiet_hours: Annotated[
        str | None, typer.Option(help="Allowed hours, 10:00-18:00, or none (rehearsals).")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Make a program or change it; what is not named stays as it is.

    Example: `pollwire program set --name "Acme Stat" --sender 33550 --keyword STAT
    --help-contact 800-555-0100`
    """
    from service.actions.programs import ProgramChanges, set_program
    from service.domain.keywords import parse_keyword

    changes = ProgramChanges(
        name=name,
        organization=organization,
        respondents=respondents,
        sender=sender,
        messaging_service_sid=messaging_service_sid,
        opt_out_mode=optout_mode,
        help_contact=help_contact,
        timezone=timezone,
        slot=slot,
        slot_set_by=login() if slot else None,
        monthly_texts=monthly_texts,
        send_rate=send_rate,
        quiet_hours=quiet_hours,
    )
    words = [parse_keyword(word) for word in keyword or ()]
    stored = with_runtime(
        lambda runtime, settings: set_program(
            runtime, program, changes, words, allow_quiet_hours_none=not settings.is_twilio
        )
    )
    _print(_data(stored), as_json)


@app.command()
def show(program: ProgramSlug = None, as_json: AsJson = False) -> None:
    """A program's settings.

    Example: `pollwire program show`
    """
    from service.actions.programs import find_program

    _print(_data(with_runtime(lambda runtime, _: find_program(runtime, program))), as_json)


def _data(program: Any) -> dict[str, Any]:
    return {
        "program": program.slug,
        "name": program.name,
        "organization": program.organization,
        "respondents": program.respondents,
        "sender": program.sender,
        "messaging_service_sid": program.messaging_service_sid,
        "optout_mode": program.opt_out_mode.value,
        "keywords": dict(program.keywords),
        "help_contact": program.help_contact,
        "timezone": program.timezone,
        "quiet_hours": str(program.quiet_hours),
        "monthly_texts": program.monthly_texts,
        "send_rate": program.send_rate,
        "slot": program.slot or None,
    }


def _print(data: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print_json(data)
        return
    for name, value in data.items():
        if value is not None:
            shown = (
                ", ".join(f"{k} ({v})" for k, v in value.items()) if name == "keywords" else value
            )
            print(f"{name + ':':24}{shown}")
