"""``deliveries …``: the ledger of texts out, and those in doubt."""

from typing import Annotated

import typer

from service.cli.common import Actor, AsJson, print_json, print_table, with_runtime
from service.domain.deliveries import DeliveryState, DoubtDecision

app = typer.Typer(no_args_is_help=True, help="Texts out: what became of them; those in doubt.")


@app.command("list")
def list_(
    state: Annotated[DeliveryState, typer.Option(help="How far they have come.")] = (
        DeliveryState.IN_DOUBT
    ),
    poll: Annotated[str | None, typer.Option(help="Only texts of this poll.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="Not more than these.")] = 200,
    as_json: AsJson = False,
) -> None:
    """Texts in one state, oldest first.

    Example: `pollwire deliveries list --state in_doubt --poll coaching`
    """
    from service.actions.doubts import list_deliveries

    found = with_runtime(lambda runtime, _: list_deliveries(runtime, state, poll=poll, size=limit))
    if as_json:
        print_json(found)
        return
    columns = ["id", "handed_at", "number", "purpose", "poll", "reason", "again_from"]
    none = f"No text is {state.value.replace('_', ' ')}."
    print_table("", columns, [[row[name] for name in columns] for row in found], none=none)


@app.command()
def settle(
    text: Annotated[int, typer.Argument(help="The id that `deliveries list` shows.")],
    decision: Annotated[
        DoubtDecision, typer.Option("--as", help="It went; send it again; or drop it.")
    ],
    actor: Actor,
    as_json: AsJson = False,
) -> None:
    """Decide what became of a text in doubt, when Twilio's own log has told you.

    Example: `pollwire deliveries settle 4711 --as went`
    """
    from service.actions.doubts import settle_doubt

    with_runtime(lambda runtime, _: settle_doubt(runtime, text, decision, actor=actor))
    said = {
        DoubtDecision.WENT: "counts as sent",
        DoubtDecision.AGAIN: "is due again",
        DoubtDecision.DROP: "has failed",
    }[decision]
    if as_json:
        print_json({"id": text, "settled_as": decision.value, "actor": actor})
    else:
        print(f"Text {text} {said}.")
