"""``staff …``: who runs polls, and whose phone gets alerts."""

from typing import Annotated

import typer

from service.cli.common import AsJson, print_json, print_table, with_runtime
from service.domain.staff import StaffRole, parse_email

app = typer.Typer(no_args_is_help=True, help="The staff, and the phones that get alerts.")
Email = Annotated[str, typer.Argument(help="E-mail address.", show_default=False)]


@app.command()
def add(
    email: Email,
    role: Annotated[StaffRole, typer.Option(help="What the person may do.")],
    phone: Annotated[str | None, typer.Option(help="Phone number that gets alerts.")] = None,
    as_json: AsJson = False,
) -> None:
    """Put a person on the staff.

    Example: `pollwire staff add ana@example.org --role editor --phone 303-555-0123`
    """
    from service.actions.staff import add_staff
    from service.domain.phone import mask, parse_number

    number = parse_number(phone) if phone else None
    address = with_runtime(lambda runtime, _: add_staff(runtime, email, role=role, phone=number))
    masked = mask(number) if number else None
    if as_json:
        print_json({"email": address, "role": role.value, "phone": masked})
    else:
        print(f"{address} is {role.value}" + (f"; alerts go to {masked}." if masked else "."))


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """Everybody on the staff."""
    from service.actions.staff import list_staff

    found = with_runtime(lambda runtime, _: list_staff(runtime))
    if as_json:
        print_json(found)
        return
    columns = ["email", "role", "phone", "since"]
    rows = [[person[name] for name in columns] for person in found]
    print_table("", columns, rows, none="Nobody is on the staff; see: pollwire staff add --help")


@app.command()
def remove(email: Email, as_json: AsJson = False) -> None:
    """Take a person off the staff.

    Example: `pollwire staff remove ana@example.org`
    """
    from service.actions.staff import remove_staff

    address = parse_email(email)
    with_runtime(lambda runtime, _: remove_staff(runtime, address))
    if as_json:
        print_json({"email": address, "removed": True})
    else:
        print(f"{address} is off the staff.")
