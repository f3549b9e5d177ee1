"""The command line as a newcomer meets it: help, clear refusals, JSON."""

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from service.cli.demo import _until_told_to_stop
from service.store import embedded
from tests.acceptance.house import House, open_house

POLL = """
slug: staffing
title: Staffing
questions:
  - text: Is staffing your biggest challenge?
    kind: yes_no
"""


@pytest.fixture(scope="module")
async def house(
    server: embedded.EmbeddedServer, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[House]:
    async with open_house(server, tmp_path_factory.mktemp("cli")) as opened:
        await opened.make_program()
        yield opened


async def refused(house: House, *arguments: str) -> str:
    """The one line that a refused command prints."""
    code, out, err = await house.run(*arguments)
    assert code in (1, 2), (out, err)
    assert out == ""
    assert "Traceback" not in err
    if code == 1:
        assert len(err.splitlines()) == 1
    return err


async def test_a_poll_goes_from_file_to_schedule(house: House, tmp_path: Path) -> None:
    file = tmp_path / "poll.yaml"
    file.write_text(POLL)
    assert (await house.pollwire("poll", "create", str(file)))["slug"] == "staffing"
    times = ("--opens-at", "2021-03-31T10:00", "--closes-at", "2021-04-02T10:00-06:00")
    planned = await house.pollwire("poll", "schedule", "staffing", "--yes", *times)
    assert planned["opens_at"].startswith("2021-03-31 16:00")
    shown = await house.pollwire("poll", "show", "staffing")
    assert shown["texts"][0] == {
        "body": "Acme Stat: Is staffing your biggest challenge? Reply YES or NO. "
        "Reply STOP to opt out.",
        "segments": 1,
        "encoding": "GSM-7",
        "offenders": [],
    }
    assert [poll["slug"] for poll in await house.pollwire("poll", "list")] == ["staffing"]
    assert (await house.pollwire("poll", "results", "staffing"))["applicable"] == 0
    assert "already" in await refused(house, "poll", "create", str(file))
    backwards = ("--opens-at", "2021-04-02T10:00", "--closes-at", "2021-04-01T10:00")
    assert "close before it opens" in await refused(
        house, "poll", "schedule", "staffing", "--yes", "--json", *backwards
    )
    said = await refused(house, "poll", "publish", "staffing")
    assert "is scheduled: it cannot become published" in said


@pytest.mark.parametrize(
    ("content", "place"),
    [
        ("slug: [", "line 1"),
        ("just words", "poll: expected fields"),
        (POLL + "reminder: 24\n", "poll.reminder: expected fields such as 'after_hours: 24'"),
        (POLL.replace("yes_no", "essay"), "questions[0].kind"),
        (POLL.replace("slug: staffing", "slug: Not A Slug"), "poll.slug"),
        (POLL + "    choices: [yes, no, stop]\n", "questions[0].choices[2]"),
        (POLL + "    colour: blue\n", "unknown field 'colour'"),
    ],
)
async def test_a_bad_poll_file_is_refused_with_its_place(
    house: House, tmp_path: Path, content: str, place: str
) -> None:
    file = tmp_path / "bad.yaml"
    file.write_text(content)
    said = await refused(house, "poll", "create", str(file))
    assert place in said
    assert "bad.yaml" in said


async def test_what_does_not_exist_is_named(house: House) -> None:
    assert "no poll 'nothing'" in await refused(house, "poll", "show", "nothing")
    assert "no program 'x'" in await refused(house, "program", "show", "--program", "x")
    assert "no poll 'x'" in await refused(house, "review", "list", "--poll", "x")
    assert "No such file" in await refused(house, "poll", "create", "/nowhere/poll.yaml")
    times = ("--opens-at", "soon", "--closes-at", "later")
    assert "there is no poll" in await refused(house, "poll", "schedule", "nothing", *times)


async def test_a_time_that_is_none_is_a_usage_error(house: House, tmp_path: Path) -> None:
    file = tmp_path / "poll.yaml"
    file.write_text(POLL.replace("slug: staffing", "slug: timeless"))
    await house.pollwire("poll", "create", str(file))
    times = ("--opens-at", "soon", "--closes-at", "later")
    code, _, err = await house.run("poll", "schedule", "timeless", "--json", *times)
    assert code == 2
    assert "'soon' is not an ISO time" in err


async def test_a_late_poll_says_so_and_is_moved_or_opened(house: House, tmp_path: Path) -> None:
    file = tmp_path / "poll.yaml"
    file.write_text(
        POLL.replace("slug: staffing", "slug: late-one")
        + "reminder: {after_hours: 24}\nresults_text: true\nresults_at: 2021-04-02T11:00-06:00\n"
    )
    await house.pollwire("poll", "create", str(file))
    await house.pollwire("program", "set", "--monthly-texts", "20")
    code, out, _ = await house.run(
        *("poll", "schedule", "late-one", "--yes", "--actor", "cli:ana"),
        *("--opens-at", "2021-04-01T10:00", "--closes-at", "2021-04-02T10:30"),
    )
    assert code == 0
    assert "after 24 hours, to who is silent: 1 segment(s), GSM-7: Acme Stat reminder: this" in out
    assert "closes Fri 10:30am MT. Is staffing" in out
    assert "to who answered: 1 segment(s), GSM-7: Acme Stat: The results of the poll" in out
    shown = await house.pollwire("poll", "show", "late-one")
    assert (shown["late"], shown["confirmed_people"], shown["grown_to"]) == (False, 0, None)
    _, out, _ = await house.run("poll", "show", "late-one")
    assert "opens at:         2021-04-01 16:00 UTC\n" in out
    assert "late:" not in out
    assert shown["reminder"]["after_hours"] == 24
    moved = await house.pollwire(
        *("poll", "schedule", "late-one", "--yes"),
        *("--opens-at", "2021-03-31T10:00", "--closes-at", "2021-04-02T10:00"),
    )
    assert moved["opens_at"].startswith("2021-03-31 16:00")
    await house.pollwire("poll", "open", "late-one", "--actor", "cli:ana")
    code, out, _ = await house.run("poll", "pause", "late-one")
    assert (code, out) == (
        0,
        "Poll late-one is paused: nothing is sent, answers count. It still closes at "
        "2021-04-02 16:00 UTC.\n",
    )
    assert (await house.pollwire("poll", "cancel", "late-one"))["state"] == "cancelled"


async def test_a_weekly_slot_with_its_queue(house: House, tmp_path: Path) -> None:
    assert (await house.pollwire("slot", "show"))["slot"] is None
    slot = ("Tuesdays 10:00 America/Denver", "--open-hours", "48", "--actor", "cli:ana")
    shown = await house.pollwire("slot", "set", *slot)
    assert (shown["slot"], shown["open_hours"], shown["lead_hours"]) == (slot[0], 48, 24)
    assert (await house.pollwire("program", "show"))["slot"] == slot[0]
    for slug in ("one", "two"):
        file = tmp_path / f"{slug}.yaml"
        file.write_text(POLL.replace("slug: staffing", f"slug: {slug}"))
        await house.pollwire("poll", "create", str(file))
        await house.pollwire("slot", "queue", "add", slug)
    await house.pollwire("slot", "queue", "move", "two", "1")
    queue = await house.pollwire("slot", "queue", "list")
    assert [(draft["position"], draft["slug"]) for draft in queue] == [(1, "two"), (2, "one")]
    assert await house.pollwire("slot", "skip", "2021-04-06", "--actor", "cli:ana") == {
        "day": "2021-04-06",
        "skipped": True,
    }
    weeks = (await house.pollwire("slot", "show", "--weeks", "3"))["next"]
    assert [(week["local"], week["poll"], week["skipped"]) for week in weeks] == [
        ("Tue 2021-04-06 10:00", None, "skipped by staff"),
        ("Tue 2021-04-13 10:00", "two", None),
        ("Tue 2021-04-20 10:00", "one", None),
    ]
    code, out, _ = await house.run("slot", "show", "--weeks", "3")
    assert code == 0
    assert "Thu 2021-04-15 10:00" in out
    await house.pollwire("slot", "unskip", "2021-04-06")
    await house.pollwire("slot", "queue", "remove", "two")
    assert "outside the program's hours" in await refused(house, "slot", "set", "Tuesdays 06:00")
    assert "there is no time zone 'Denver'" in await refused(
        house, "program", "set", "--slot", "Tuesdays 10:00 Denver"
    )
    assert "is a Wednesday" in await refused(house, "slot", "skip", "2021-04-07")
    assert "is not in the queue" in await refused(house, "slot", "queue", "remove", "two")
    assert "no poll 'three'" in await refused(house, "slot", "queue", "add", "three")
    code, _, err = await house.run("slot", "skip", "tomorrow")
    assert code == 2
    assert "'tomorrow' is not a date" in err
    assert await house.pollwire("slot", "clear") == {"slot": None}


async def test_a_person_is_shown_and_taken_out(house: House) -> None:
    assert (await house.pollwire("subscribers", "show", "303-200-0001"))["programs"] == []
    await house.pollwire("subscribers", "optout", "303-200-0001", "--actor", "cli:ana")
    shown = await house.pollwire("subscribers", "show", "(303) 200-0001")
    assert [(event["event"], event["actor"]) for event in shown["events"]] == [
        ("opt_out", "cli:ana")
    ]
    assert "not a valid phone number" in await refused(house, "subscribers", "show", "12345")


async def test_what_waits_can_be_seen_and_settled(house: House) -> None:
    assert await house.pollwire("review", "list") == []
    assert "no text 17" in await refused(house, "review", "assign", "17", "yes")
    assert "no text 17" in await refused(house, "review", "release", "17")
    assert "no text 17" in await refused(house, "review", "optout", "17")
    assert "no poll 'none'" in await refused(house, "review", "alias", "none", "yup", "yes")
    assert await house.pollwire("jobs", "list", "--dead") == []
    assert "job 17 is not dead" in await refused(house, "jobs", "retry", "17")


async def test_classify_reads_lines_as_the_webhook_would(house: House) -> None:
    texts = ["YES", "nope", "STOP", "Liked “Reply STOP”", "purple", "STAT"]
    lines = "".join(json.dumps({"id": i, "text": text}) + "\n" for i, text in enumerate(texts))
    code, out, _ = await house.run(
        *("classify", "--kind", "yes_no", "--keyword", "STAT"), stdin=lines.encode()
    )
    found = [json.loads(line) for line in out.splitlines()]
    assert code == 0
    assert [(row["label"], row["choice"]) for row in found] == [
        ("answer", "yes"),
        ("answer", "no"),
        ("stop", None),
        ("reaction", None),
        ("unclear", None),
        ("join", None),
    ]
    code, _, err = await house.run("classify", "--kind", "yes_no", stdin=b"not json\n")
    assert (code, err.splitlines()[0][:14]) == (1, "error: line 1:")


async def test_another_number_key_is_refused(house: House) -> None:
    house.settings["NUMBER_KEY"] = "another"
    try:
        assert "NUMBER_KEY is not the one" in await refused(house, "program", "show")
    finally:
        del house.settings["NUMBER_KEY"]


@pytest.mark.parametrize(
    ("setting", "value", "said"),
    [
        ("DATABASE_URL", "mysql://x/y", "DATABASE_URL: must be postgresql://"),
        ("DATABASE_URL", "postgresql://nobody@127.0.0.1:9/x", "DATABASE_URL: no connection"),
        ("PORT", "eighty", "PORT: "),
        ("POLLWIRE_CLOCK_START", "2021-03-30", "POLLWIRE_CLOCK_START: must name its zone"),
        ("TWILIO_API_BASE_URL", "https://api.twilio.com", "POLLWIRE_CLOCK_START cannot be set"),
        ("NUMBER_KEY", "", "NUMBER_KEY is not set"),
    ],
)
async def test_wrong_settings_are_named(house: House, setting: str, value: str, said: str) -> None:
    house.settings[setting] = value
    try:
        assert said in await refused(house, "program", "show")
    finally:
        del house.settings[setting]


async def test_help_is_quick_and_has_examples(house: House) -> None:
    loop = asyncio.get_running_loop()
    best = 9.0
    for _ in range(3):
        started = loop.time()
        code, out, _ = await house.run("--help")
        best = min(best, loop.time() - started)
        assert code == 0
        assert "demo" in out
    assert best < 1.5  # generous: the machine runs other things beside
    assert "Example" in (await house.run("poll", "schedule", "--help"))[1]


async def test_the_demonstration_ends_with_its_results(house: House, tmp_path: Path) -> None:
    house.settings["DATA_DIR"] = str(tmp_path)
    try:
        code, out, err = await house.run(
            "demo", "--members", "120", "--seed", "3", "--no-serve", "--json"
        )
    finally:
        del house.settings["DATA_DIR"]
    assert code == 0, err
    found = json.loads(out)
    assert found["audience"] == found["sent"] == 120
    assert found["state"] == "published"
    assert found["sentence"].endswith(
        f"The poll was conducted March 30, 2021, with {found['applicable']} applicable responses."
    )
    assert found["replied"] == found["applicable"] + sum(found["excluded"].values())


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("NUMBER_KEY", "NUMBER_KEY is not set"),
        ("TWILIO_AUTH_TOKEN", "TWILIO_AUTH_TOKEN is not set"),
    ],
)
async def test_a_web_process_that_may_not_start_says_why(
    house: House, setting: str, said: str
) -> None:
    house.settings[setting] = ""
    try:
        code, out, err = await house.run("serve", "--port", str(house.web_ports[0]))
    finally:
        del house.settings[setting]
    assert code == 1
    assert said in out + err
    assert "Traceback" not in out + err


async def test_a_database_out_of_reach_is_one_line(house: House) -> None:
    house.settings["DATABASE_URL"] = "postgresql://nobody@127.0.0.1:9/x"
    try:
        assert "cannot be reached" in await refused(house, "migrate")
    finally:
        del house.settings["DATABASE_URL"]


async def test_a_demonstration_that_is_told_to_stop_ends_without_a_word() -> None:
    loop = asyncio.get_running_loop()
    loop.call_soon(os.kill, os.getpid(), signal.SIGTERM)
    try:
        await _until_told_to_stop(asyncio.Event().wait())
    finally:
        loop.remove_signal_handler(signal.SIGTERM)
