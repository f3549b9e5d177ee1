"""Every error this service raises on purpose: one family, each a sentence a person can act on."""


class PollwireError(Exception):
    """Something was refused or failed; ``str(error)`` is one line fit for a person."""


class NotFoundError(PollwireError):
    """A named program, poll or person does not exist."""


class RefusedError(PollwireError):
    """The rules of the program forbid what was asked."""


class InvalidInputError(PollwireError):
    """A file or a value cannot be read; the sentence names the place."""


class SettingsError(PollwireError):
    """The environment is wrong or incomplete."""


class EmbeddedServerError(PollwireError):
    """The embedded PostgreSQL cannot be started or reached."""


class NotifyError(PollwireError):
    """An alert was not taken by the staff's webhook."""


class SendError(PollwireError):
    """A text was not accepted by the carrier's API.

    Attributes:
        code: the vendor's error code, 0 where there is none.
        retryable: whether the very same text may be handed over again.
    """

    retryable = False

    def __init__(self, sentence: str, *, code: int = 0) -> None:
        super().__init__(sentence)
        self.code = code


class NotTakenError(SendError):
    """The API certainly did not take the text (429, connection refused): safe to try again."""

    retryable = True

    def __init__(self, sentence: str, *, code: int = 0, retry_after_seconds: float = 1.0) -> None:
        super().__init__(sentence, code=code)
        self.retry_after_seconds = retry_after_seconds


class RejectedError(SendError):
    """The API refused the text for good; ``code`` says why."""


class UnknownOutcomeError(SendError):
    """Time-out, lost connection or 5xx: the text may or may not have been taken."""
