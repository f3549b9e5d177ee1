"""What Twilio itself does with STOP, START and HELP, by mode."""

from typing import Final

from emulator.settings import OptoutMode

STOP_WORDS: Final = frozenset(
    {"stop", "stopall", "unsubscribe", "cancel", "end", "quit", "revoke", "optout"}
)
HELP_WORDS: Final = frozenset({"help", "info"})
# In the default mode a bare YES resubscribes. Advanced Opt-Out is set up here
# as the guides advise a poll to do it, without YES.
START_WORDS: Final = {
    OptoutMode.DEFAULT: frozenset({"start", "yes", "unstop"}),
    OptoutMode.ADVANCED: frozenset({"start", "unstop"}),
}
ANSWERS: Final = {
    "STOP": "You have successfully been unsubscribed. You will not receive any more messages "
    "from this number. Reply START to resubscribe.",
    "START": "You have successfully been re-subscribed to messages from this number. "
    "Reply HELP for help. Reply STOP to unsubscribe. Msg&Data Rates May Apply.",
    "HELP": "Reply STOP to unsubscribe. Msg&Data Rates May Apply.",
}


def recognise(mode: OptoutMode, body: str) -> str:
    """``STOP``, ``START`` or ``HELP`` where Twilio would act on the whole text, else empty.

    >>> recognise(OptoutMode.DEFAULT, " Stop "), recognise(OptoutMode.NONE, "STOP")
    ('STOP', '')
    """
    if mode is OptoutMode.NONE:
        return ""
    word = body.strip().lower()
    if word in STOP_WORDS:
        return "STOP"
    if word in START_WORDS[mode]:
        return "START"
    return "HELP" if word in HELP_WORDS else ""
