"""What staff are to know, until one of them says so."""

from datetime import datetime

from sqlalchemy import BigInteger, Text
from sqlmodel import Field, Index, SQLModel, text

from service.domain.alerts import AlertKind
from service.store.tables.base import Instant, checked, identity


class Alert(SQLModel, table=True):
    """One matter for the staff; at most one of each kind and key stands open."""

    __tablename__ = "alert"
    __table_args__ = (
        Index(
            "uq_alert_open",
            "kind",
            "key",
            unique=True,
            postgresql_where=text("acknowledged_at IS NULL"),
        ),
    )

    id: int | None = identity()
    kind: AlertKind = Field(sa_type=checked(AlertKind))
    key: str = Field(sa_type=Text)
    program_id: int | None = Field(default=None, foreign_key="program.id", sa_type=BigInteger)
    poll_id: int | None = Field(default=None, foreign_key="poll.id", sa_type=BigInteger)
    sentence: str = Field(sa_type=Text)
    raised_at: datetime = Field(sa_type=Instant)
    told_at: datetime | None = Field(default=None, sa_type=Instant)
    told_times: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    acknowledged_at: datetime | None = Field(default=None, sa_type=Instant)
    acknowledged_by: str | None = Field(default=None, sa_type=Text)
