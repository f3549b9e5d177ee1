"""``review …``: texts and holds that wait for a person."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from service.cli.common import Actor, AsJson, ProgramSlug, print_json, print_table, with_runtime

if TYPE_CHECKING:
    from service.runtime import Runtime

app = typer.Typer(no_args_is_help=True, help="Texts and holds that wait for a person.")
TextId = Annotated[int, typer.Argument(help="The id that `review list` shows.", show_default=False)]


@app.command("list")
def list_(
    program: ProgramSlug = None,
    poll: Annotated[str | None, typer.Option(help="Only replies to this poll.")] = None,
    as_json: AsJson = False,
) -> None:
    """What waits: holds first, for they become opt-outs after three business days.

    Example: `pollwire review list --poll coaching`
    """
    from service.actions.review import list_waiting

    found = with_runtime(lambda runtime, _: list_waiting(runtime, program=program, poll=poll))
    if as_json:
        print_json(found)
        return
    columns = ["id", "waiting", "alike", "number", "poll", "question", "text"]
    rows = [[row[name] for name in columns] for row in found]
    print_table("", columns, rows, none="Nothing waits.")


@app.command()
def assign(
    text: TextId,
    value: Annotated[
        str, typer.Argument(help="Choice, letter or number; - takes an open answer as it is.")
    ],
    actor: Actor,
    as_json: AsJson = False,
) -> None:
    """Count a text as the answer you read in it; the tally changes at once.

    Example: `pollwire review assign 17 yes`
    """
    from service.actions.review import assign as act

    _act(lambda runtime: act(runtime, text, value, actor=actor))
    _say({"id": text, "value": value}, f"Text {text} counts as {value!r}.", as_json)


@app.command()
def alias(
    slug: Annotated[str, typer.Argument(help="The poll's slug.")],
    phrase: Annotated[str, typer.Argument(help="What members text.")],
    choice: Annotated[str, typer.Argument(help="The choice it means.")],
    actor: Actor,
    question: Annotated[int, typer.Option(help="Position of the question.")] = 1,
    as_json: AsJson = False,
) -> None:
    """Teach a poll that a phrase means a choice; texts that wait with it are counted.

    Example: `pollwire review alias coaching "we do that" yes`
    """
    from service.actions.review import teach_alias

    read = with_runtime(
        lambda runtime, _: teach_alias(
            runtime, slug, phrase, choice, position=question, actor=actor
        )
    )
    said = f"{phrase!r} means {choice!r} from now on; waiting texts counted: {read}."
    _say({"slug": slug, "alias": phrase, "choice": choice, "counted": read}, said, as_json)


@app.command()
def release(text: TextId, actor: Actor, as_json: AsJson = False) -> None:
    """You have looked and nothing follows: the number may be texted again.

    Example: `pollwire review release 17`
    """
    from service.actions.review import release as act

    _act(lambda runtime: act(runtime, text, actor=actor))
    _say({"id": text, "released": True}, f"Text {text} waits no more.", as_json)


@app.command()
def optout(text: TextId, actor: Actor, as_json: AsJson = False) -> None:
    """The text was an opt-out: its number is out of every program.

    Example: `pollwire review optout 17`
    """
    from service.actions.review import opt_out_sender

    _act(lambda runtime: opt_out_sender(runtime, text, actor=actor))
    _say({"id": text, "opted_out": True}, f"The sender of text {text} is out.", as_json)


def _act(action: "Callable[[Runtime], Awaitable[None]]") -> None:
    with_runtime(lambda runtime, _: action(runtime))


def _say(data: dict[str, Any], sentence: str, as_json: bool) -> None:
    if as_json:
        print_json(data)
    else:
        print(sentence)
