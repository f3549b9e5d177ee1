"""Opt-outs, and what only looks like them."""

import pytest

from service.domain.reading import Label
from tests.unit.reading.reading_helpers import choice, open_question, reading, yes_no

OPT_OUTS = {
    "a word": "STOP|stop.|Unsubscribe|CANCEL|End|quit!|Revoke|OPT-OUT|opt out|stopall",
    "a word with filler": "please stop|Stop now|STOP thanks|pls unsubscribe me|hey stop|just stop"
    "|can you please stop|I said stop|I want to unsubscribe|stop texts|STOP ALL 56161|ugh stop"
    "|stop Acme Stat|STOP STAT|not interested STOP|stop 12",
    "a clause": "Stop. Thank you|Stop, thanks|STOP - wrong person|No. Stop|Not interested: STOP"
    "|Who is this? Stop.|no thanks, unsubscribe",
    "a phrase": "stop texting me|Please quit sending me these|take me off your list"
    "|remove my number|don’t text me|do not contact this number again|I don't want any more texts"
    "|no longer wish to receive messages|no more texts please|opt me out|leave me alone"
    "|lose my number|sorry, wrong number|You have the wrong number|I revoke my consent"
    "|cancel my subscription|I want off this list|never text me again|unsubscribe from this",
    "a phrase after a vote": "No, and please don't text me|Yes but stop texting me|no stop",
    "a misspelling": "sotp|stpo|stopp|stoooop|5TOP|st0p|S T O P|s.t.o.p|unsuscribe|unsusbcribe"
    "|un subscribe|cancle|cancell|qiut",
    "the footer": "Reply STOP to opt out|STOP to opt out.|text STOP to cancel|stop to end",
    "an emoji": "🛑|🛑🛑|STOP 🛑|✋ no more",
    "Spanish": "ALTO|parar|baja|no más|no mas mensajes|No me escriban más"
    "|dejen de mandarme mensajes|ya no quiero recibir mensajes|número equivocado"
    "|cancelar por favor",
    "other languages": "STOPP|abmelden|стоп|退订|수신거부|descadastrar",
    "French": "ARRET|arrêt|arrêter|désabonner|arrêtez svp",
}
LOOK_ALIKES = """We opt out of Medicare
end of year
I'll stop by at 3
can you stop by Saturday?
Please don't stop
do not stop sending me messages
No, we stopped doing that in 2019
Yes until the end of the quarter
we had to cancel the program
No, everyone quit
no more raises
No thanks
we text patients reminders
patients do not text us
Text me tomorrow
don't text me until after 3
keep the texts coming
my car won't stop pulling left
your ONE STOP shop
I need to cancel a reservation
cancer
guitar
quite
start with staffing
Yes. End of story.
The end
You quit?""".splitlines()


@pytest.mark.parametrize("text", [text for texts in OPT_OUTS.values() for text in texts.split("|")])
@pytest.mark.parametrize("question", [yes_no(), choice(), open_question()], ids=lambda q: q.kind)
def test_an_opt_out_is_one_whatever_is_asked(text: str, question: object) -> None:
    assert reading(text, question).label is Label.STOP  # type: ignore[arg-type]


@pytest.mark.parametrize("text", LOOK_ALIKES)
def test_a_stop_word_inside_an_ordinary_text_opts_nobody_out(text: str) -> None:
    assert reading(text, yes_no()).label is not Label.STOP


@pytest.mark.parametrize(
    "text",
    [
        "This is spam",
        "who gave you my number",
        "my attorney will call",
        "FCC complaint filed",
        "stap",
        "Go away",
        "I never signed up for this",
        "how do I stop",
        "cancel that",
        "no more",
        "please no more messages from you guys ok",
    ],
)
def test_what_may_be_an_opt_out_waits_for_a_person(text: str) -> None:
    assert reading(text, yes_no()).label is Label.HOLD


@pytest.mark.parametrize("text", ["top", "step", "are you okay", "stop by tomorrow", "non-stop"])
def test_a_real_word_near_an_opt_out_word_is_not_held(text: str) -> None:
    assert reading(text, yes_no()).label is Label.UNCLEAR


def test_a_hold_never_overrides_an_answer() -> None:
    assert reading("No, we stopped", yes_no()).choice == "no"
    assert reading("Spam calls take our time", open_question()).label is Label.ANSWER


@pytest.mark.parametrize("text", ["this is spam", "go away", "FCC", "fuck off", "No, this is spam"])
def test_an_open_question_does_not_swallow_what_may_be_an_opt_out(text: str) -> None:
    assert reading(text, open_question()).label is not Label.STOP
    assert reading("this is spam", open_question()).label is Label.HOLD


def test_an_opt_out_inside_an_automatic_reply_is_held() -> None:
    text = "This is an automated message. Please stop texting this number."
    assert reading(text).label is Label.HOLD


def test_a_quoted_footer_above_the_answer_is_not_an_opt_out() -> None:
    text = "> Acme Stat: Ready? Reply YES or NO.\n> Reply STOP to opt out.\nYes"
    assert reading(text, yes_no()).choice == "yes"
