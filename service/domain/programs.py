"""A program as the rules see it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from service.domain.consent import OptOutMode
from service.domain.quiet_hours import QuietHours


@dataclass(frozen=True, slots=True)
class Program:
    """One recurring poll on one sender.

    Attributes:
        name: the brand that opens every text.
        organization: who runs it.
        respondents: what answerers are called, such as "healthcare leaders".
        sender: the short or long code texts come from and go to.
        keywords: join word (upper case) to campaign.
        monthly_texts: the number of texts a month stated at sign-up; without another word, that
            of a weekly question with one follow-up and its acknowledgement.
        send_rate: segments a second that the sender allows.
        late_limit_minutes: a poll later than this does not open by itself.
        slot: the weekly slot, such as ``Tuesdays 10:00 America/Denver``; empty for none.
    """

    identifier: int
    slug: str
    name: str
    organization: str
    respondents: str
    sender: str
    messaging_service_sid: str | None = None
    keywords: Mapping[str, str] = field(default_factory=dict)
    opt_out_mode: OptOutMode = OptOutMode.APP
    help_contact: str = ""
    timezone: str = "America/Denver"
    quiet_hours: QuietHours = field(default_factory=QuietHours)
    monthly_texts: int = 15
    send_rate: int = 100
    late_limit_minutes: int = 60
    slot: str = ""

    @property
    def keyword(self) -> str:
        """The join word to name in texts."""
        return next(iter(self.keywords), "START")
