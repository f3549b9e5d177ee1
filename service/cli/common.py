"""What the commands share: options, a runtime to act with, and ways to print."""

import asyncio
import getpass
import json
import re
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

if TYPE_CHECKING:
    from service.runtime import Runtime
    from service.settings import Settings

T = TypeVar("T")
_INSTANT = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?\+\d\d:\d\d")

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")]
ProgramSlug = Annotated[
    str | None, typer.Option("--program", help="Which program; may be left out where one exists.")
]


def login() -> str:
    """Who acts, for the record: ``cli:`` and the login name."""
    try:
        return f"cli:{getpass.getuser()}"
    except (KeyError, OSError):  # no such account in this container
        return "cli:unknown"


Actor = Annotated[
    str,
    typer.Option(
        "--actor",
        default_factory=login,
        show_default=False,
        help="Who does this, for the record; cli: and your login name, if not said.",
    ),
]


def with_runtime(work: Callable[["Runtime", "Settings"], Awaitable[T]]) -> T:
    """Run ``work`` on a runtime built from the environment."""
    from service.bootstrap import open_runtime
    from service.settings import read_settings

    settings = read_settings()

    async def whole() -> T:
        async with open_runtime(settings) as runtime:
            return await work(runtime, settings)

    return asyncio.run(whole())


def print_json(data: Any) -> None:
    """Data for scripts."""
    print(json.dumps(data, indent=2, ensure_ascii=False, default=str))


def print_table(title: str, columns: list[str], rows: list[list[Any]], *, none: str = "") -> None:
    """Rows for people.

    Args:
        none: said where there are no rows.
    """
    from rich.console import Console
    from rich.table import Table

    if title:
        print(title)
    if not rows:
        if none:
            print(none)
        return
    table = Table(box=None, pad_edge=False)
    cells = [[shown(cell) for cell in row] for row in rows]
    for index, column in enumerate(columns):
        instants = any(row[index].endswith(" UTC") for row in cells)
        table.add_column(column, overflow="fold", no_wrap=instants)
    for row in cells:
        table.add_row(*row)
    Console().print(table)


def shown(value: Any) -> str:
    """A value for people: instants to the minute, yes and no, nothing for what is not known."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str) and _INSTANT.fullmatch(value):
        value = datetime.fromisoformat(value)
    if isinstance(value, datetime):
        return f"{value.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    return str(value)
