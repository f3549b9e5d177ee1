"""Background work: jobs with leases, and the next instant of each recurring one."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Text, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, Index, SQLModel, text

from service.store.tables.base import Instant, checked, identity


class JobState(StrEnum):
    """How far a job has come. ``dead`` ones wait for a person."""

    READY = "ready"
    RUNNING = "running"
    DONE = "done"
    DEAD = "dead"


class Job(SQLModel, table=True):
    """One piece of background work; (name, key) makes it once-only. Handlers are idempotent."""

    __tablename__ = "job"
    __table_args__ = (
        UniqueConstraint("name", "key"),
        Index("ix_job_due", "run_at", "id", postgresql_where=text("state IN ('ready', 'running')")),
    )

    id: int | None = identity()
    name: str = Field(sa_type=Text)
    key: str = Field(sa_type=Text)
    payload: dict[str, Any] = Field(default_factory=dict, sa_type=JSONB)
    state: JobState = Field(default=JobState.READY, sa_type=checked(JobState))
    run_at: datetime = Field(sa_type=Instant)
    attempts: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    leased_until: datetime | None = Field(default=None, sa_type=Instant)
    leased_by: str | None = Field(default=None, sa_type=Text)
    last_error: str = Field(default="", sa_type=Text, sa_column_kwargs={"server_default": ""})
    created_at: datetime = Field(sa_type=Instant)
    finished_at: datetime | None = Field(default=None, sa_type=Instant)
