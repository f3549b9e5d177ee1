"""The weekly slot's weeks, the days without one, and the drafts that wait for one."""

from datetime import date, datetime, time

from sqlalchemy import BigInteger, CheckConstraint, Date, Text, Time, UniqueConstraint
from sqlmodel import Field, Index, SQLModel

from service.domain.slots import OccurrenceState
from service.store.tables.base import Instant, checked, identity, reference


class SlotOccurrence(SQLModel, table=True):
    """One week's slot: an instant with the local time it stands for; one a day at most.

    ``warned_hours`` is how long before it staff were last warned that no draft is there for it,
    ``refusal`` why the first draft was not taken.
    """

    __tablename__ = "slot_occurrence"
    __table_args__ = (
        UniqueConstraint("program_id", "day"),
        CheckConstraint("(state = 'filled') = (poll_id IS NOT NULL)", name="filled"),
    )

    id: int | None = identity()
    program_id: int = reference("program.id")
    day: date = Field(sa_type=Date)
    local_time: time = Field(sa_type=Time)
    timezone: str = Field(sa_type=Text)
    opens_at: datetime = Field(sa_type=Instant)
    state: OccurrenceState = Field(sa_type=checked(OccurrenceState))
    poll_id: int | None = Field(default=None, foreign_key="poll.id", sa_type=BigInteger)
    warned_hours: int | None = None
    refusal: str = Field(default="", sa_type=Text, sa_column_kwargs={"server_default": ""})


class SlotSkip(SQLModel, table=True):
    """A day on which staff want no poll."""

    __tablename__ = "slot_skip"
    __table_args__ = (UniqueConstraint("program_id", "day"),)

    id: int | None = identity()
    program_id: int = reference("program.id")
    day: date = Field(sa_type=Date)
    skipped_by: str = Field(sa_type=Text)
    skipped_at: datetime = Field(sa_type=Instant)


class QueuedDraft(SQLModel, table=True):
    """A draft that waits for a slot; ``position`` counts from 1 within its program."""

    __tablename__ = "queued_draft"
    __table_args__ = (Index("ix_queued_draft_program", "program_id", "position"),)

    id: int | None = identity()
    program_id: int = reference("program.id")
    poll_id: int = reference("poll.id", unique=True)
    position: int
    added_by: str = Field(sa_type=Text)
    added_at: datetime = Field(sa_type=Instant)
