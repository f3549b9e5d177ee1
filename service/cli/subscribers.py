"""``subscribers …``: one person's standing, and taking a number out."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from service.cli.common import Actor, AsJson, print_json, print_table, with_runtime

if TYPE_CHECKING:
    from service.runtime import Runtime

app = typer.Typer(no_args_is_help=True, help="People and their consent.")
Number = Annotated[str, typer.Argument(help="Phone number.", show_default=False)]


@app.command()
def show(number: Number, as_json: AsJson = False) -> None:
    """Where a number stands in each program, the evidence of its consent, its poll texts.

    Each text shows what the last look before it left found: person, poll, limits, local hour.

    Example: `pollwire subscribers show 303-555-0123`
    """
    from service.actions.people import describe_person
    from service.domain.phone import mask, parse_number

    parsed = parse_number(number)
    found: dict[str, Any] = with_runtime(lambda runtime, _: describe_person(runtime, parsed))
    if as_json:
        print_json(found)
        return
    print(mask(parsed) + ("" if found["programs"] or found["events"] else ": never heard of"))
    columns = ["program", "state", "hold", "review", "campaign", "since"]
    print_table("", columns, [[row[name] for name in columns] for row in found["programs"]])
    columns = ["at", "event", "program", "medium", "actor", "rule", "words"]
    print_table("", columns, [[row[name] for name in columns] for row in found["events"]])
    columns = ["poll", "purpose", "state", "reason", "checked_at", "checks"]
    print_table("", columns, [[row[name] for name in columns] for row in found["texts"]])


@app.command()
def optout(number: Number, actor: Actor, as_json: AsJson = False) -> None:
    """Take a number out of every program; only its own handset brings it back.

    Example: `pollwire subscribers optout 303-555-0123`
    """
    from service.actions.opt_out import opt_out
    from service.actions.people import describe_person
    from service.domain.phone import mask, parse_number

    parsed = parse_number(number)

    async def stop(runtime: "Runtime") -> bool:
        found = await describe_person(runtime, parsed)
        await opt_out(runtime, parsed, actor=actor)
        return bool(found["events"])

    known = with_runtime(lambda runtime, _: stop(runtime))
    if as_json:
        print_json({"number": mask(parsed), "state": "opted_out", "known_before": known})
    else:
        print(f"{mask(parsed)} is out of every program.")
        if not known:
            print("It was not known here before; check the digits.")
