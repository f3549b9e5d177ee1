"""The public pages: what is on them, and what is not before a poll is published."""

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from service.actions.polls import publish_poll
from service.runtime import Runtime
from service.store.engine import make_engine
from tests.conftest import MovableClock
from tests.make import COACHING, make_members, make_open_poll, make_program
from tests.markup import Page
from tests.published import CHALLENGE, WAIT, make_published_poll


async def read(client: httpx.AsyncClient, path: str, status: int = 200) -> Page:
    answer = await client.get(path)
    assert answer.status_code == status
    page = Page(answer.text)
    assert page.problems == []
    return page


async def published(
    runtime: Runtime, replies: Mapping[str, int], people: int = 20, **details: Any
) -> list[str]:
    await make_program(
        runtime,
        organization="Acme Medical Managers Association",
        respondents="healthcare leaders",
    )
    numbers = await make_members(runtime, people)
    await make_published_poll(runtime, numbers, replies, **details)
    return numbers


async def test_a_poll_is_not_there_before_it_is_published(
    runtime: Runtime, client: httpx.AsyncClient
) -> None:
    await make_program(runtime)
    await make_members(runtime, 1)
    await make_open_poll(runtime)
    unpublished = await client.get("/polls/coaching")
    nonsense = await client.get("/polls/no-such-poll")
    assert (unpublished.status_code, nonsense.status_code) == (404, 404)
    assert unpublished.content == nonsense.content
    assert "coaching" not in (await client.get("/")).text


async def test_a_published_result_says_how_many_said_what_and_when(
    runtime: Runtime, client: httpx.AsyncClient
) -> None:
    await published(runtime, {"yes": 9, "no": 11})
    page = await read(client, "/polls/coaching")
    question = str(COACHING["questions"][0]["text"])
    assert f"“{question}”" in page.text
    assert "45% Yes 9 responses" in page.text
    assert "55% No 11 responses" in page.text
    assert "The poll was conducted March 30, 2021, with 20 applicable responses." in page.text
    assert "Acme Stat asked healthcare leaders by text message." in page.text
    assert "45.0%" in page.all("width")


async def test_the_arithmetic_leads_from_the_members_to_the_responses(
    runtime: Runtime, client: httpx.AsyncClient
) -> None:
    replies = {"yes": 4, "no": 5, "N/A": 3, "perhaps so, who knows": 1}
    await published(runtime, replies, late=2)
    page = await read(client, "/polls/coaching")
    for line in (
        "Members this poll was for20",
        "Texts sent20",
        "of these delivered20",
        "Members who replied15",
        "left out: not applicable−3",
        "left out: too late−2",
        "left out: not understood−1",
        "Applicable responses9",
    ):
        assert line in page.text


async def test_of_an_open_question_only_the_number_of_answers_is_shown(
    runtime: Runtime, client: httpx.AsyncClient
) -> None:
    numbers = await published(runtime, {"yes": 9, "no": 11}, follow_ups=6)
    page = await read(client, "/polls/coaching")
    assert "Then we asked those who said “yes”" in page.text
    assert "6 answers in members’ own words" in page.text
    assert "outside coach" not in page.text
    assert not any(number[-4:] in page.text for number in numbers)


async def test_shares_that_do_not_make_a_hundred_are_explained(
    runtime: Runtime, client: httpx.AsyncClient
) -> None:
    await published(runtime, {"A": 2, "B": 2, "C": 2}, content=CHALLENGE)
    page = await read(client, "/polls/biggest-challenge")
    assert "Each share is rounded by itself; together they make 99%." in page.text


async def test_shares_that_make_a_hundred_need_no_word(
    runtime: Runtime, client: httpx.AsyncClient
) -> None:
    await published(runtime, {"yes": 9, "no": 11})
    assert "rounded" not in (await read(client, "/polls/coaching")).text


async def test_a_number_question_shows_its_median_and_middle_half(
    runtime: Runtime, client: httpx.AsyncClient
) -> None:
    await published(runtime, {"4": 1, "10": 1, "12": 1, "20": 1, "91": 1}, content=WAIT)
    page = await read(client, "/polls/waiting-days")
    assert "12 days" in page.text
    assert "The median of 5 answers. The middle half of them lies between 10 and 20." in page.text


async def test_few_answers_to_a_follow_up_are_not_split_out(
    runtime: Runtime, client: httpx.AsyncClient
) -> None:
    follow_up = {"text": "Is the coach paid?", "kind": "yes_no", "when": "yes"}
    content = {**COACHING, "questions": [COACHING["questions"][0], follow_up]}
    numbers = await published(runtime, {"yes": 9, "no": 11}, content=content)
    assert numbers
    page = await read(client, "/polls/coaching")
    assert "Fewer than five people answered, so their answers are not shown." in page.text


async def test_a_result_invites_to_join_with_everything_that_must_be_said(
    runtime: Runtime, client: httpx.AsyncClient
) -> None:
    await published(runtime, {"yes": 1})
    page = await read(client, "/polls/coaching")
    assert (
        "Text STAT to 33550 to join Acme Stat, a weekly one-question poll. 1 poll/week plus "
        "replies, up to 15 msgs/month. Message and data rates may apply. Text HELP to 33550 for "
        "help, STOP to cancel. Terms and privacy."
    ) in page.text
    assert {"/terms", "/privacy", "sms:33550?&body=STAT"} <= set(page.all("href"))


async def test_results_link_to_earlier_ones_and_the_archive_has_all(
    runtime: Runtime, client: httpx.AsyncClient
) -> None:
    numbers = await published(runtime, {"A": 3, "B": 1}, content=CHALLENGE)
    assert isinstance(runtime.clock, MovableClock)
    runtime.clock.advance(timedelta(days=7))
    await make_published_poll(runtime, numbers, {"yes": 9, "no": 11})
    newest = await read(client, "/polls/coaching")
    assert "75% Staffing" in newest.text
    assert "/polls/biggest-challenge" in newest.all("href")
    oldest = await read(client, "/polls/biggest-challenge")
    assert "/polls/coaching" not in oldest.all("href")
    home = await read(client, "/")
    assert "What healthcare leaders say" in home.text
    assert home.text.index("April 6, 2021") < home.text.index("March 30, 2021")


@pytest.mark.parametrize("path", ["/", "/terms", "/privacy"])
async def test_pages_stand_before_there_is_a_program(
    path: str, runtime: Runtime, client: httpx.AsyncClient
) -> None:
    page = await read(client, path)
    assert "Join by text" not in page.text


async def test_the_terms_name_the_program_and_every_word_that_leads_out(
    runtime: Runtime, client: httpx.AsyncClient
) -> None:
    await make_program(runtime, organization="Acme Medical Managers Association")
    page = await read(client, "/terms")
    assert "run by Acme Medical Managers Association" in page.text
    assert "text STOP to 33550" in page.text
    assert "text HELP to 33550" in page.text
    privacy = await read(client, "/privacy")
    assert "not shared with third parties for marketing" in privacy.text


async def test_a_correction_is_a_new_version_with_its_day(
    runtime: Runtime, client: httpx.AsyncClient
) -> None:
    await published(runtime, {"yes": 9, "no": 11})
    assert "Corrected" not in (await read(client, "/polls/coaching")).text
    async with runtime.sessions.begin() as session:
        one = "SELECT min(subscriber_id) FROM answer"
        await session.execute(text(f"UPDATE answer SET void = true WHERE subscriber_id = ({one})"))
    assert isinstance(runtime.clock, MovableClock)
    runtime.clock.advance(timedelta(days=2))
    await publish_poll(runtime, "coaching", actor="tests")
    await asyncio.sleep(1.1)
    page = await read(client, "/polls/coaching")
    assert "with 19 applicable responses. Each share" not in page.text
    assert "with 19 applicable responses. Corrected April 1, 2021." in page.text


async def test_a_publication_appears_within_a_second_or_so(
    runtime: Runtime, client: httpx.AsyncClient
) -> None:
    await read(client, "/polls/coaching", 404)
    await published(runtime, {"yes": 1})
    await asyncio.sleep(1.1)
    await read(client, "/polls/coaching")


async def test_what_was_public_stays_readable_while_the_database_is_away(
    runtime: Runtime, client: httpx.AsyncClient
) -> None:
    await published(runtime, {"yes": 1})
    before = await client.get("/polls/coaching")
    away = make_engine("postgresql://nobody@127.0.0.1:9/nowhere")
    runtime.sessions.configure(bind=away)
    await asyncio.sleep(1.1)
    during = await client.get("/polls/coaching")
    await away.dispose()
    assert (during.status_code, during.content) == (200, before.content)


async def test_words_of_staff_cannot_become_markup(
    runtime: Runtime, client: httpx.AsyncClient
) -> None:
    question = {"text": 'Is <script>alert(1)</script> & "so" on your site?', "kind": "yes_no"}
    await published(runtime, {"yes": 1}, questions=[question], title="<b>Bold</b>")
    source = (await client.get("/polls/coaching")).text
    assert "<script" not in source
    assert "<b>Bold" not in source
    assert "&lt;script&gt;" in source


async def test_a_page_known_already_is_not_sent_again(
    runtime: Runtime, client: httpx.AsyncClient
) -> None:
    await published(runtime, {"yes": 1})
    first = await client.get("/polls/coaching")
    assert first.headers["content-encoding"] == "gzip"
    again = await client.get("/polls/coaching", headers={"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    plain = await client.get("/polls/coaching", headers={"accept-encoding": "identity"})
    assert "content-encoding" not in plain.headers
    assert plain.text == first.text


async def test_what_is_nowhere_gets_the_same_friendly_page(
    runtime: Runtime, client: httpx.AsyncClient
) -> None:
    await published(runtime, {"yes": 1})
    page = await read(client, "/no/such/place", 404)
    assert "There is nothing here." in page.text
    assert "/polls/coaching" in page.all("href")


async def test_several_programs_are_told_apart_on_the_front_page(
    runtime: Runtime, client: httpx.AsyncClient
) -> None:
    await published(runtime, {"yes": 1})
    await make_program(runtime, "nurses", name="Nurse Stat", sender="44660", keywords=("NURSE",))
    page = await read(client, "/")
    assert "Text NURSE to 44660" in page.text
    assert "Text STAT to 33550" in page.text
