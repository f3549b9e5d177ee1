"""Who is on the staff."""

from typing import Any

from sqlalchemy.exc import IntegrityError

from service.domain.phone import mask
from service.domain.staff import StaffRole, parse_email
from service.errors import NotFoundError, RefusedError
from service.runtime import Runtime
from service.store import staff, tables


async def add_staff(
    runtime: Runtime, email: str, *, role: StaffRole, phone: str | None = None
) -> str:
    """Put a person on the staff; gives the address as stored.

    Args:
        phone: E.164; it gets alerts.

    Raises:
        InvalidInputError: no e-mail address.
        RefusedError: the person is on the staff already.
    """
    address = parse_email(email)
    try:
        async with runtime.sessions.begin() as session:
            now = runtime.clock.now()
            session.add(tables.Staff(email=address, role=role, phone=phone, created_at=now))
    except IntegrityError as error:
        raise RefusedError(f"{address} is on the staff already") from error
    return address


async def list_staff(runtime: Runtime) -> list[dict[str, Any]]:
    """Everybody on the staff."""
    async with runtime.sessions() as session:
        people = await staff.list_staff(session)
    return [
        {
            "email": person.email,
            "role": person.role.value,
            "phone": mask(person.phone) if person.phone else None,
            "since": person.created_at.isoformat(),
        }
        for person in people
    ]


async def remove_staff(runtime: Runtime, email: str) -> None:
    """Take a person off the staff.

    Raises:
        NotFoundError: there is no such person.
    """
    address = parse_email(email)
    async with runtime.sessions.begin() as session:
        if not await staff.remove_staff(session, address):
            raise NotFoundError(f"{address} is not on the staff")
