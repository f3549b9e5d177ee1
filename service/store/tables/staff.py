"""People who run polls."""

from datetime import datetime

from sqlalchemy import Text
from sqlmodel import Field, SQLModel

from service.domain.staff import StaffRole
from service.store.tables.base import Instant, checked, identity


class Staff(SQLModel, table=True):
    """One person on the staff; a ``phone`` gets alerts."""

    __tablename__ = "staff"

    id: int | None = identity()
    email: str = Field(sa_type=Text, unique=True)
    role: StaffRole = Field(sa_type=checked(StaffRole))
    phone: str | None = Field(default=None, sa_type=Text)
    created_at: datetime = Field(sa_type=Instant)
