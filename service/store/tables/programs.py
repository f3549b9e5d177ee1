"""Programs and their join words."""

from datetime import datetime

from sqlalchemy import CheckConstraint, Text, UniqueConstraint
from sqlmodel import Field, SQLModel

from service.domain.consent import OptOutMode
from service.store.tables.base import Instant, checked, identity, reference


class Program(SQLModel, table=True):
    """One recurring poll on one sender. One sender serves one program: the To names it."""

    __tablename__ = "program"
    __table_args__ = (
        CheckConstraint("monthly_texts > 0", name="monthly_texts"),
        CheckConstraint("send_rate > 0", name="send_rate"),
        CheckConstraint("late_limit_minutes >= 0", name="late_limit_minutes"),
        CheckConstraint("slot_open_hours BETWEEN 1 AND 167", name="slot_open_hours"),
        CheckConstraint("slot_lead_hours BETWEEN 1 AND 167", name="slot_lead_hours"),
    )

    id: int | None = identity()
    slug: str = Field(sa_type=Text, unique=True)
    name: str = Field(sa_type=Text)
    organization: str = Field(sa_type=Text)
    respondents: str = Field(sa_type=Text)
    sender: str = Field(sa_type=Text, unique=True)
    messaging_service_sid: str | None = Field(default=None, sa_type=Text, unique=True)
    opt_out_mode: OptOutMode = Field(default=OptOutMode.APP, sa_type=checked(OptOutMode))
    help_contact: str = Field(sa_type=Text)
    timezone: str = Field(sa_type=Text)
    quiet_hours: str = Field(sa_type=Text)
    slot: str | None = Field(default=None, sa_type=Text)
    slot_open_hours: int = Field(default=72, sa_column_kwargs={"server_default": "72"})
    slot_lead_hours: int = Field(default=24, sa_column_kwargs={"server_default": "24"})
    slot_set_by: str = Field(default="", sa_type=Text, sa_column_kwargs={"server_default": ""})
    monthly_texts: int = 15
    send_rate: int = 100
    late_limit_minutes: int = 60
    created_at: datetime = Field(sa_type=Instant)


class Keyword(SQLModel, table=True):
    """A join word of a program and the campaign it stands for."""

    __tablename__ = "keyword"
    __table_args__ = (UniqueConstraint("program_id", "word"),)

    id: int | None = identity()
    program_id: int = reference("program.id")
    word: str = Field(sa_type=Text)
    campaign: str = Field(sa_type=Text)
