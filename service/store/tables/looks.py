"""How far lists that the carrier keeps have been read."""

from datetime import datetime

from sqlalchemy import Text
from sqlmodel import Field, SQLModel

from service.store.tables.base import Instant


class Look(SQLModel, table=True):
    """One list: read without a gap until ``until``; ``found`` entries were news to us."""

    __tablename__ = "look"

    name: str = Field(primary_key=True, sa_type=Text)
    until: datetime = Field(sa_type=Instant)
    found: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    found_at: datetime | None = Field(default=None, sa_type=Instant)
