"""``alerts …``: what the service wants a person to know."""

from typing import Annotated

import typer

from service.cli.common import Actor, AsJson, print_json, print_table, with_runtime
from service.errors import InvalidInputError

app = typer.Typer(no_args_is_help=True, help="Alerts: what needs a person.")


@app.command("list")
def list_(
    every: Annotated[bool, typer.Option("--all", help="Those acknowledged, too.")] = False,
    as_json: AsJson = False,
) -> None:
    """Open alerts, newest first.

    Example: `pollwire alerts list --all`
    """
    from service.actions.alerts import list_alerts

    found = with_runtime(lambda runtime, _: list_alerts(runtime, every=every))
    if as_json:
        print_json(found)
        return
    columns = ["id", "raised_at", "kind", "sentence"]
    columns += ["acknowledged_by"] if every else []
    none = "There has been no alert." if every else "No alert is open."
    print_table("", columns, [[alert[name] for name in columns] for alert in found], none=none)


@app.command()
def ack(
    actor: Actor,
    alerts: Annotated[
        list[int] | None, typer.Argument(metavar="ID…", help="As `alerts list` shows them.")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="All that are open.")] = False,
    as_json: AsJson = False,
) -> None:
    """You have seen these alerts; nobody is told of them again.

    Example: `pollwire alerts ack 3 4`
    """
    from service.actions.alerts import acknowledge_alerts

    if bool(alerts) == every:
        raise InvalidInputError("name the alerts, or --all")
    ids = None if every else alerts
    seen = with_runtime(lambda runtime, _: acknowledge_alerts(runtime, ids, actor=actor))
    if as_json:
        print_json({"acknowledged": seen})
    else:
        print(f"Acknowledged: {', '.join(map(str, seen)) or 'none was open'}.")
