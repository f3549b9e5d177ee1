"""The ``pollwire`` command: a file per group of commands; they print, they never decide."""

import sys

from service.errors import PollwireError


def main() -> None:
    """Entry point: one clear line per error; exit 0 ok, 1 refused or failed, 2 usage."""
    from service.cli.app import app

    try:
        app()
    except PollwireError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as error:
        if not _is_disconnect(error):
            raise
        print(f"error: the database cannot be reached ({type(error).__name__})", file=sys.stderr)
        sys.exit(1)


def _is_disconnect(error: Exception) -> bool:
    from service.store.engine import is_disconnect

    return is_disconnect(error)
