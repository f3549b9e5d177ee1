"""The whole database to and from one file, by PostgreSQL's own programs.

They come with the embedded server's wheel; beside a server database they are Debian's
``postgresql-client``. The password goes by environment, so no process list shows it.
"""

import os
import shutil
import subprocess
from pathlib import Path

from sqlalchemy import make_url

from service.errors import EmbeddedServerError, RefusedError
from service.store.embedded import binaries


def dump(url: str, file: Path) -> None:
    """Write the database to a new file that only its owner may read.

    The file appears when it is complete. Blocks.

    Raises:
        RefusedError: the file is there already, or ``pg_dump`` failed or is missing.
    """
    if file.exists():
        raise RefusedError(f"{file} is there already; nothing was overwritten")
    part = file.with_name(f"{file.name}.part")
    try:
        part.touch(mode=0o600)
        _run(url, "pg_dump", "--format=custom", "--no-owner", "--no-acl", f"--file={part}")
        part.replace(file)
    except OSError as error:
        raise RefusedError(f"{file}: {error.strerror}") from error
    finally:
        part.unlink(missing_ok=True)


def load(url: str, file: Path) -> None:
    """Fill an empty database from a file of :func:`dump`, wholly or not at all. Blocks.

    Raises:
        RefusedError: the file is missing or no backup, or ``pg_restore`` failed or is missing.
    """
    if not file.is_file():
        raise RefusedError(f"{file}: there is no such file")
    _run(
        url,
        *("pg_restore", "--no-owner", "--no-acl", "--single-transaction", "--exit-on-error"),
        *(f"--dbname={make_url(url).database}", str(file)),
    )


def _run(url: str, program: str, *arguments: str) -> None:
    done = subprocess.run(
        [_find(program), *arguments],
        env={**os.environ, **_connection(url)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode != 0:
        said = (done.stderr.strip().splitlines() or ["it did not say why"])[0]
        raise RefusedError(f"{program} failed: {said}")


def _find(program: str) -> str:
    try:
        return str(binaries() / program)
    except EmbeddedServerError:
        found = shutil.which(program)
    if found is None:
        raise RefusedError(
            f"{program} is not installed; on Debian: apt-get install postgresql-client"
        )
    return found


def _connection(url: str) -> dict[str, str]:
    """The address in the form that PostgreSQL's programs read from the environment."""
    address = make_url(url)
    named = {
        "PGHOST": address.host or address.query.get("host"),
        "PGPORT": address.port or address.query.get("port"),
        "PGUSER": address.username,
        "PGPASSWORD": address.password,
        "PGDATABASE": address.database,
    }
    return {name: str(value) for name, value in named.items() if value}
