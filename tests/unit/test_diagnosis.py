"""What doctor concludes from what it sees."""

from datetime import UTC, datetime, timedelta

import pytest

from service.domain.diagnosis import (
    InboundWebhook,
    RecurringJob,
    Verdict,
    is_healthy,
    judge_clock,
    judge_lost_webhooks,
    judge_number_key,
    judge_public_address,
    judge_schema,
    judge_webhook,
    judge_worker,
    ok,
    warn,
)

NOW = datetime(2021, 3, 30, 18, tzinfo=UTC)
OURS = "https://polls.example.org/webhooks/twilio/inbound"


def a_job(finished_ago: float | None = None, **details: object) -> RecurringJob:
    finished_at = None if finished_ago is None else NOW - timedelta(seconds=finished_ago)
    values = {"run_at": NOW, "leased_until": None, "last_error": "", **details}
    return RecurringJob(finished_at, **values)


def a_webhook(url: str = OURS + "#rc=3", **details: str) -> InboundWebhook:
    return InboundWebhook(**{"url": url, "method": "POST", "fallback_url": OURS, **details})


def test_warnings_leave_an_installation_healthy() -> None:
    assert is_healthy([ok("a", "b"), warn("c", "d", "e")])


@pytest.mark.parametrize(
    ("ahead", "verdict"),
    [
        ({}, Verdict.WARN),
        ({"database": 4.9, "Twilio's API": -4.9}, Verdict.OK),
        ({"database": 0.1, "Twilio's API": -5.0}, Verdict.FAIL),
    ],
)
def test_clocks_may_differ_by_less_than_five_seconds(
    ahead: dict[str, float], verdict: Verdict
) -> None:
    assert judge_clock(ahead, None).verdict is verdict


def test_a_shifted_clock_is_noted() -> None:
    assert "POLLWIRE_CLOCK_START" in judge_clock({"database": 0.0}, NOW).says


@pytest.mark.parametrize(
    ("jobs", "verdict"),
    [
        ([], Verdict.FAIL),
        ([a_job()], Verdict.FAIL),
        ([a_job(61), a_job(59)], Verdict.OK),
        ([a_job(61)], Verdict.FAIL),
        ([a_job(leased_until=NOW + timedelta(seconds=1))], Verdict.OK),
        ([a_job(last_error="away")], Verdict.WARN),
        ([a_job(last_error="away", run_at=NOW - timedelta(minutes=2))], Verdict.FAIL),
    ],
)
def test_a_worker_is_known_by_its_recurring_jobs(
    jobs: list[RecurringJob], verdict: Verdict
) -> None:
    assert judge_worker(jobs, NOW).verdict is verdict


@pytest.mark.parametrize(
    ("hours_ago", "verdict"), [(None, Verdict.OK), (25, Verdict.OK), (1, Verdict.WARN)]
)
def test_texts_that_came_by_the_list_only_are_told_for_a_day(
    hours_ago: int | None, verdict: Verdict
) -> None:
    last_at = None if hours_ago is None else NOW - timedelta(hours=hours_ago)
    assert judge_lost_webhooks(0 if last_at is None else 3, last_at, NOW).verdict is verdict


@pytest.mark.parametrize(
    ("webhook", "verdict"),
    [
        (a_webhook(), Verdict.OK),
        (a_webhook(OURS), Verdict.WARN),
        (a_webhook(""), Verdict.FAIL),
        (a_webhook(OURS + "/"), Verdict.FAIL),
        (a_webhook(OURS.replace("https", "http")), Verdict.FAIL),
        (a_webhook(method="GET"), Verdict.FAIL),
        (a_webhook(application_sid="AP1"), Verdict.FAIL),
    ],
)
def test_texts_must_be_posted_to_our_address(webhook: InboundWebhook, verdict: Verdict) -> None:
    first = judge_webhook("stat", webhook, OURS)[0]
    assert first.verdict is verdict
    assert (first.mend == "") == (verdict is Verdict.OK)


def test_a_missing_fallback_is_a_warning_of_its_own() -> None:
    found = judge_webhook("stat", a_webhook(fallback_url=""), OURS)
    assert [finding.verdict for finding in found] == [Verdict.OK, Verdict.WARN]


def test_a_foreign_address_is_told_without_its_password() -> None:
    (found,) = judge_webhook("stat", a_webhook("https://ana:secret@x.example/in?key=9"), OURS)
    assert "x.example/in" in found.says
    assert "secret" not in found.says
    assert "key" not in found.says


@pytest.mark.parametrize(
    ("address", "is_twilio", "verdict"),
    [
        ("https://polls.example.org", True, Verdict.OK),
        ("http://polls.example.org", True, Verdict.FAIL),
        ("http://127.0.0.1:8000", False, Verdict.OK),
        ("https://my_polls.example.org", True, Verdict.FAIL),
    ],
)
def test_twilio_needs_https_and_a_plain_host(
    address: str, is_twilio: bool, verdict: Verdict
) -> None:
    assert judge_public_address(address, is_twilio=is_twilio).verdict is verdict


def test_a_schema_of_a_newer_version_works_and_is_warned_of() -> None:
    assert judge_schema("0009", serves=True, is_known=False).verdict is Verdict.WARN
    assert judge_schema(None, serves=False, is_known=False).verdict is Verdict.FAIL


def test_the_number_key_is_known_by_its_fingerprint() -> None:
    assert judge_number_key("a", "a").verdict is Verdict.OK
    assert judge_number_key("a", None).verdict is Verdict.OK
    assert judge_number_key("a", "b").verdict is Verdict.FAIL
    assert "Make one" in judge_number_key(None, None).mend
    assert "filled under" in judge_number_key(None, "b").mend
