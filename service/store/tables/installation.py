"""Facts about the installation itself."""

from sqlalchemy import Text
from sqlmodel import Field, SQLModel


class Installation(SQLModel, table=True):
    """A named fact: the fingerprint of ``NUMBER_KEY``, the origin of the shared clock."""

    __tablename__ = "installation"

    name: str = Field(primary_key=True, sa_type=Text)
    value: str = Field(sa_type=Text)
