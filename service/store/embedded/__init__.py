"""The embedded PostgreSQL: started by ``server``, as whom ``account`` says, with ``databases``."""

from service.store.embedded.account import binaries
from service.store.embedded.databases import drop_database, ensure_database
from service.store.embedded.server import EmbeddedServer, holds_cluster, start

__all__ = [
    "EmbeddedServer",
    "binaries",
    "drop_database",
    "ensure_database",
    "holds_cluster",
    "start",
]
