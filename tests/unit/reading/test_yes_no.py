"""Yes and no in the many ways people text them."""

import pytest

from service.domain.polls import Choice, Question, QuestionKind, yes_no_choices
from service.domain.reading import Asked, Expected, Label, read
from tests.unit.reading.reading_helpers import open_question, reading, said, yes_no

YES = """Yes|YES!|y|Y.|yep|Yup|yeah we do|We do|Yes sir|yes please|yesss|yessir|Hi, yes|oh yes
hmm yes|My answer is yes|I vote yes|it's a yes from us|hell yes|absolutely|Definitely!
of course|👍|👍🏽👍🏽|✅|Yes 👍|sí|Sí, tenemos|claro que sí|We do, quarterly
Y - we contract with one|Y we do|yessure|correct|true|I think so|“Yes”|(yes)
Currently yes|Yes. Sent from my iPhone"""
NO = """No|NO.|n|N|nope|nah|no sir|No thanks|no thank you|No we don't|we do not|We don’t|not yet
Not at this time|not currently|Unfortunately no|unfortunately not|Sorry no
definitely not|Of course not|hell no|hard no|never|👎|❌|nooooo|No 👎|I don't think so
my answer is no|claro que no|todavía no|no tenemos|nothanks|N, no budget
No budget for it|No one-on-one coaching|No, problem is the budget"""
NEITHER = """no idea|No problem|no prob|No worries|no longer|No longer offered|no one|yes and no
Yes/No|yes or no|Yes?|No?|Y?|Y not|Y do you want to know|maybe|it depends|sometimes|ok
OK!|sure|Sure|k|right|great|yes no|No yes|no wait yes|Yes. No.|yeah right|No kidding
no comment|👍👎|🤷|nothing|north|noon|yesterday|nonsense|no matter|who is this?|?|...|hmm
not yes|kind of|both|no hay problema"""


def rows(texts: str) -> list[str]:
    return [text for line in texts.splitlines() for text in line.split("|")]


@pytest.mark.parametrize("text", rows(YES))
def test_a_yes_is_counted(text: str) -> None:
    assert said(text, yes_no()) == "yes"


@pytest.mark.parametrize("text", rows(NO))
def test_a_no_is_counted(text: str) -> None:
    assert said(text, yes_no()) == "no"


@pytest.mark.parametrize("text", rows(NEITHER))
def test_what_only_looks_like_a_vote_is_none(text: str) -> None:
    assert reading(text, yes_no()).label is not Label.ANSWER


@pytest.mark.parametrize("text", ["1", "2", "a", "B", "no 1", "No. 2", "12", "5-10", "#1", "10-4"])
def test_a_bare_number_or_letter_is_no_vote(text: str) -> None:
    assert reading(text, yes_no()).label is Label.UNCLEAR


@pytest.mark.parametrize(
    ("text", "vote", "comment"),
    [
        ("Yes - we have a coach on staff", "yes", "we have a coach on staff"),
        ("yes, but only for leaders.", "yes", "but only for leaders."),
        ("No—too expensive", "no", "too expensive"),
        ("NO we can't afford it", "no", "we can't afford it"),
        ("no. One of our doctors left", "no", "One of our doctors left"),
        ("Yes, no question", "yes", "no question"),
        ("Yes (started in 2020)", "yes", "(started in 2020)"),
        ("Well, yes: Dr. Lee does", "yes", "Dr. Lee does"),
        ("Y - “circles”", "yes", "“circles”"),
        ("Yes", "yes", ""),
    ],
)
def test_the_rest_is_kept_as_the_comment(text: str, vote: str, comment: str) -> None:
    found = reading(text, yes_no())
    assert (found.choice, found.comment) == (vote, comment)


@pytest.mark.parametrize(
    "text", ["not sure", "I don't know", "idk", "No idea", "no, I'm not sure", "Unsure.", "no sé"]
)
def test_unsure_counts_only_where_it_is_on_the_ballot(text: str) -> None:
    without, standing = reading(text, yes_no()), reading(text, yes_no("Unsure"))
    assert (without.label, without.choice) == (Label.UNSURE, None)
    assert standing.choice == "Unsure"


@pytest.mark.parametrize("text", ["N/A", "n.a.", "NA", "not applicable", "Doesn't apply to us"])
def test_not_applicable_counts_only_where_it_is_on_the_ballot(text: str) -> None:
    without, standing = reading(text, yes_no()), reading(text, yes_no("N/A"))
    assert (without.label, without.choice) == (Label.NOT_APPLICABLE, None)
    assert standing.choice == "N/A"


def test_a_taught_alias_is_an_answer() -> None:
    choices = (Choice("A", "yes"), Choice("B", "no", ("no siree", "we stopped caring")))
    question = Question(1, QuestionKind.YES_NO, "Ready?", choices)
    assert said("We stopped caring!", question) == "no"


def test_beside_an_open_question_only_a_whole_vote_is_one() -> None:
    question = Question(1, QuestionKind.YES_NO, "Ready?", yes_no_choices())
    both = Asked(questions=(Expected(question, whole_message=True), Expected(open_question(2))))
    assert read("No", both).position == 1
    assert read("No thanks", both).position == 1
    assert read("No one-on-one time, so by email", both).position == 2
    assert read("👎", both).position == 1
    assert read("not sure", both).position == 2
    assert read("Never", both).position == 2
    assert read("not yet", both).position == 2
    assert read("Yes we pay for outside coaches", both).position == 2


@pytest.mark.parametrize("text", ["ok", "OK!", "Sure", "sounds good", "okay, thanks", "great"])
def test_agreement_is_no_vote_while_the_question_waits(text: str) -> None:
    assert reading(text, yes_no()).label is Label.UNCLEAR


def test_ok_after_answering_is_a_courtesy() -> None:
    answered = Asked(questions=(Expected(yes_no(), whole_message=True),))
    assert read("ok", answered).label is Label.COURTESY
    assert read("ok thanks!", Asked()).label is Label.COURTESY
