"""Simulated members: who they are, how they read texts, and a small crowd at work."""

import asyncio
from collections import Counter
from random import Random

import phonenumbers
import pytest
from emulator_helpers import twiml

from emulator.crowd import AREA_CODES, crowd_numbers
from emulator.people import SHARES, Kind, Member, Persona, Wordings
from emulator.settings import Span
from emulator.twiml import LONGEST_BODY

STOP_LINE = "Reply STOP to opt out."
GREETING = "Acme Stat: you're in. Reply HELP for help, STOP to cancel."
QUESTION = f"Acme Stat: Do you coach clinicians? Reply YES, NO or N/A. {STOP_LINE}"
FOLLOW_UP = f"Acme Stat: Tell us how, in a few words. {STOP_LINE}"
CHOICES = f"Acme Stat: What is hardest? Reply A for Staffing, B for Cost or C for Time. {STOP_LINE}"
UNCLEAR = "Acme Stat: Sorry, we could not read your answer. Reply YES, NO or N/A."
SPAN = Span(1.0, 2.0)
WORDINGS = Wordings.load()


def make_member(persona: Persona, seed: int = 1) -> Member:
    return Member("+13035550100", persona, Random(seed), joined=True)


def make_answering(choice: str) -> Member:
    """A member of persona YES or NO who has just been asked and said only that."""
    persona = Persona.YES if choice == "yes" else Persona.NO
    for seed in range(50):
        member = make_member(persona, seed)
        if member.read(QUESTION, WORDINGS, SPAN)[0].kind is Kind.ANSWER:
            return member
    raise AssertionError("nobody says only that")


def test_numbers_are_valid_distinct_and_the_same_for_a_seed():
    numbers = crowd_numbers(2000, 7)
    assert numbers == crowd_numbers(2000, 7)
    assert numbers[:100] == crowd_numbers(100, 7)
    assert numbers != crowd_numbers(2000, 8)
    assert len(set(numbers)) == 2000
    for number in numbers:
        parsed = phonenumbers.parse(number)
        assert phonenumbers.is_valid_number(parsed), number
        assert phonenumbers.region_code_for_number(parsed) == "US", number


def test_every_area_code_in_use_is_one_phonenumbers_knows():
    assert len(set(AREA_CODES)) == len(AREA_CODES)
    for area in AREA_CODES:
        assert phonenumbers.is_valid_number(phonenumbers.parse(f"+1{area}2345678")), area


def test_personas_come_in_their_shares():
    members = [Member.of(number, 7) for number in crowd_numbers(5000, 7)]
    seen = Counter(member.persona for member in members)
    for persona, share in SHARES.items():
        assert seen[persona] / 5000 == pytest.approx(share / sum(SHARES.values()), abs=0.02)


def test_the_same_member_says_the_same():
    first, second = (Member.of("+13035550100", 7) for _ in range(2))
    for text in (GREETING, QUESTION, FOLLOW_UP):
        assert first.read(text, WORDINGS, SPAN) == second.read(text, WORDINGS, SPAN)


def test_a_greeting_is_not_answered_and_a_first_question_is():
    newcomer = Member("+13035550100", Persona.NO, Random(1))
    assert newcomer.read(GREETING, WORDINGS, SPAN) == []
    assert newcomer.joined
    imported = Member("+13035550100", Persona.NO, Random(1))
    assert [action.kind for action in imported.read(QUESTION, WORDINGS, SPAN)] == [Kind.ANSWER]


@pytest.mark.parametrize(
    ("persona", "kinds"),
    [
        (Persona.NO, [Kind.ANSWER]),
        (Persona.NOT_APPLICABLE, [Kind.ANSWER]),
        (Persona.SILENT, []),
        (Persona.LATE, []),
        (Persona.UNREADABLE, [Kind.UNREADABLE]),
        (Persona.STOPS_INSTEAD, [Kind.STOP]),
        (Persona.STOPS_AFTER, [Kind.ANSWER, Kind.STOP]),
        (Persona.CHANGES, [Kind.ANSWER, Kind.CHANGE]),
        (Persona.TWICE, [Kind.ANSWER, Kind.REPEAT]),
    ],
)
def test_each_persona_does_its_thing(persona, kinds):
    actions = make_member(persona).read(QUESTION, WORDINGS, SPAN)
    assert [action.kind for action in actions] == kinds
    delays = [action.delay_seconds for action in actions]
    assert delays == sorted(delays)
    assert all(1.0 <= delay <= 4.0 for delay in delays)


def test_a_change_of_mind_is_the_other_answer_in_plain_words():
    first, second = make_member(Persona.CHANGES).read(QUESTION, WORDINGS, SPAN)
    assert {first.body.lower(), second.body.lower()} == {"yes", "no"}


def test_most_who_said_yes_answer_the_follow_up_and_nobody_else_does():
    assert make_answering("no").read(FOLLOW_UP, WORDINGS, SPAN) == []
    told = []
    for number in crowd_numbers(1500, 3):
        member = Member(number, Persona.YES, Random(number), joined=True)
        actions = member.read(QUESTION, WORDINGS, SPAN) + member.read(FOLLOW_UP, WORDINGS, SPAN)
        told.append(any(action.kind is not Kind.ANSWER for action in actions))
        reasons = [a.body for a in actions if a.kind is Kind.ANSWER_WITH_REASON]
        assert all(body.startswith("Yes - ") for body in reasons)
    assert sum(told) / len(told) == pytest.approx(0.6, abs=0.05)


def test_a_reminder_in_the_same_words_is_not_answered_again():
    member = make_answering("no")
    assert member.read(QUESTION, WORDINGS, SPAN) == []


def test_who_was_not_understood_says_it_plainly():
    said = make_answering("no").read(UNCLEAR, WORDINGS, SPAN)
    assert [(action.kind, action.body.lower()) for action in said] == [(Kind.REPEAT, "no")]
    mumbler = make_member(Persona.UNREADABLE)
    mumbler.read(QUESTION, WORDINGS, SPAN)
    assert mumbler.read(UNCLEAR, WORDINGS, SPAN) == []


def test_choices_are_answered_with_a_letter():
    bodies = set()
    for number in crowd_numbers(200, 1):
        member = Member(number, Persona.NO, Random(number), joined=True)
        bodies |= {action.body for action in member.read(CHOICES, WORDINGS, SPAN)}
    assert {body.upper().rstrip(".)") for body in bodies} == {"A", "B", "C"}


def test_a_late_member_answers_when_told_to():
    member = make_member(Persona.LATE)
    member.read(QUESTION, WORDINGS, SPAN)
    assert member.waits
    assert [a.kind for a in member.answer_late(WORDINGS, SPAN)] == [Kind.ANSWER]
    assert member.answer_late(WORDINGS, SPAN) == []


def test_wordings_are_fit_to_send():
    assert set(WORDINGS.lists) == {"yes", "no", "na", "unreadable", "follow_up", "stop"}
    for texts, weights in WORDINGS.lists.values():
        assert len(set(texts)) == len(texts)
        assert all(0 < len(text) <= LONGEST_BODY for text in texts)
        assert min(weights) > 0
    reasons, _ = WORDINGS.lists["follow_up"]
    assert len(reasons) >= 25
    assert all(len(reason.split()) >= 3 for reason in reasons)


async def _finish(emulator) -> dict[str, int]:
    while True:
        counts = (await emulator.http.get("/emulator/crowd")).json()
        if not (counts["pending"] or counts["in_transit"] or counts["receipts_waiting"]):
            return counts
        await asyncio.sleep(0.01)


async def test_a_crowd_joins_answers_and_is_counted(product, emulate):
    def answer(form):
        body = form["Body"]
        if body == "STAT":
            return twiml(GREETING, callback="/status?delivery=1")
        asks = body.lower().startswith("y") and " - " not in body
        return twiml(FOLLOW_UP) if asks else twiml()

    product.answer = answer
    emulator = await emulate()
    crowd = {"members": 150, "seed": 7, "keyword": "STAT", "joins_per_second": 5000}
    started = await emulator.http.post("/emulator/crowd", json=crowd)
    assert started.json() == {"members": 150}
    again = await emulator.http.post("/emulator/crowd", json=crowd)
    assert again.status_code == 409
    counts = await _finish(emulator)
    assert (counts["members"], counts["joined"], counts["asked"]) == (150, 150, 0)
    assert counts["webhook_failures"] == 0

    numbers = (await emulator.http.get("/emulator/crowd/numbers")).json()["numbers"]
    for number in numbers:
        assert (await emulator.create(to=number, body=QUESTION)).status_code == 201
    counts = await _finish(emulator)
    assert counts["asked"] == 150
    late = counts["late_waiting"]
    assert late > 0
    assert counts["followed_up"] > 10
    spoke_first = counts["answered"] + counts["unreadable"] + counts["silent"] + late
    stops_instead = 150 - spoke_first
    assert 0 <= stops_instead <= counts["stopped"]
    assert (await emulator.http.post("/emulator/crowd/late")).json() == {"members": late}
    after = await _finish(emulator)
    assert after["answered"] == counts["answered"] + late
    assert after["late_waiting"] == 0
    assert after["texts_in"] == len(product.inbound)
