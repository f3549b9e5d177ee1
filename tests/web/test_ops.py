"""Endpoints for operators: alive, ready, figures."""

import base64
import hashlib
import hmac
import re
from datetime import timedelta

import httpx
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import text

from service.asgi import build_app
from service.runtime import Runtime
from service.store import migrations
from service.store.engine import make_engine
from tests.conftest import MovableClock
from tests.make import a_number, make_members, make_open_poll, make_program, run_background
from webhooks.signature import signed_form

TOKEN = "a token"
Figures = dict[tuple[str, frozenset[tuple[str, str]]], float]


def reader_of(runtime: Runtime) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app=build_app(runtime, [TOKEN]))
    return httpx.AsyncClient(transport=transport, base_url=runtime.public_base_url)


async def figures(client: httpx.AsyncClient) -> Figures:
    answer = await client.get("/metrics")
    assert answer.status_code == 200
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def at(found: Figures, name: str, /, **labels: str) -> float | None:
    return found.get((f"pollwire_{name}", frozenset(labels.items())))


async def post(client: httpx.AsyncClient, path: str, **fields: str) -> httpx.Response:
    signed = f"https://stat.example.org{path}{signed_form(fields.items())}".encode()
    digest = hmac.new(TOKEN.encode(), signed, hashlib.sha1).digest()
    headers = {"x-twilio-signature": base64.b64encode(digest).decode()}
    return await client.post(path, data=fields, headers=headers)


async def text_in(client: httpx.AsyncClient, sid: str, body: str) -> None:
    answer = await post(
        client,
        "/webhooks/twilio/inbound",
        MessageSid=sid,
        From=a_number(1),
        To="33550",
        Body=body,
    )
    assert answer.status_code == 200


async def test_a_process_that_answers_is_alive(client: httpx.AsyncClient) -> None:
    answer = await client.get("/healthz")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


async def test_with_its_database_a_process_is_ready(client: httpx.AsyncClient) -> None:
    answer = await client.get("/readyz")
    told = {"status": "ready", "database": "ok", "schema": "ok"}
    assert (answer.status_code, answer.json()) == (200, told)


async def test_without_its_database_a_process_is_alive_but_not_ready(
    runtime: Runtime, client: httpx.AsyncClient
) -> None:
    away = make_engine("postgresql://nobody@127.0.0.1:9/nowhere")
    runtime.sessions.configure(bind=away)
    assert (await client.get("/healthz")).status_code == 200
    answer = await client.get("/readyz")
    assert (answer.status_code, answer.json()["database"]) == (503, "away")
    assert at(await figures(client), "database_up") == 0
    await away.dispose()


async def test_a_database_not_migrated_yet_is_not_ready(
    runtime: Runtime, client: httpx.AsyncClient
) -> None:
    change = "UPDATE alembic_version SET version_num = :revision"
    async with runtime.sessions.begin() as session:
        head = await session.scalar(text("SELECT version_num FROM alembic_version"))
        await session.execute(text("DELETE FROM alembic_version"))
    behind = await client.get("/readyz")
    async with runtime.sessions.begin() as session:
        await session.execute(text("INSERT INTO alembic_version VALUES (:head)"), {"head": head})
        await session.execute(text(change), {"revision": "9999_of_a_later_version"})
    ahead = await client.get("/readyz")
    async with runtime.sessions.begin() as session:
        await session.execute(text(change), {"revision": head})
    assert (behind.status_code, behind.json()["schema"]) == (503, "not migrated")
    assert ahead.status_code == 200


def test_only_revisions_before_head_are_too_old() -> None:
    assert not migrations.serves(None)
    assert migrations.serves("9999_of_a_later_version")


async def test_texts_in_are_counted_by_what_they_were_read_as(runtime: Runtime) -> None:
    await make_program(runtime)
    async with reader_of(runtime) as client:
        await text_in(client, "SM1", "STAT")
        await text_in(client, "SM1", "STAT")
        await text_in(client, "SM2", "stop")
        found = await figures(client)
    assert at(found, "texts_in_total", label="join") == 1
    assert at(found, "texts_in_total", label="stop") == 1
    assert at(found, "texts_in_total", label="duplicate") == 1
    assert at(found, "webhook_seconds_count", endpoint="inbound", status="200") == 3
    assert at(found, "batch_size_sum", endpoint="inbound") == 3
    assert at(found, "batch_seconds_count", endpoint="inbound") == 3
    assert at(found, "webhook_queue", endpoint="inbound") == 0


async def test_receipts_and_refused_webhooks_are_timed_too(runtime: Runtime) -> None:
    async with reader_of(runtime) as client:
        status = {"MessageSid": "SM7", "MessageStatus": "delivered", "To": a_number(1)}
        assert (await post(client, "/webhooks/twilio/status", **status)).status_code == 204
        await client.post("/webhooks/twilio/status", data=status)
        found = await figures(client)
    assert at(found, "webhook_seconds_count", endpoint="status", status="204") == 1
    assert at(found, "webhook_seconds_count", endpoint="status", status="403") == 1
    assert at(found, "batch_size_sum", endpoint="status") == 1


async def test_each_app_counts_for_itself(runtime: Runtime) -> None:
    await make_program(runtime)
    async with reader_of(runtime) as one, reader_of(runtime) as other:
        await text_in(one, "SM1", "STAT")
        assert at(await figures(one), "texts_in_total", label="join") == 1
        assert at(await figures(other), "texts_in_total", label="join") is None


async def test_the_ledgers_and_the_jobs_backlog_is_told(
    runtime: Runtime, client: httpx.AsyncClient
) -> None:
    from service.actions.jobs import run_due_job

    await make_program(runtime)
    await make_members(runtime, 3)
    await make_open_poll(runtime)
    assert isinstance(runtime.clock, MovableClock)
    runtime.clock.advance(timedelta(seconds=90))
    found = await figures(client)
    assert 90 <= (at(found, "job_oldest_due_seconds") or 0) < 100
    assert at(found, "jobs", name="fan_out", state="ready") == 1
    assert at(found, "polls", state="open") == 1
    while await run_due_job(runtime):
        pass
    runtime.clock.advance(timedelta(seconds=30))
    async with reader_of(runtime) as later:
        found = await figures(later)
    assert at(found, "deliveries_unsettled", state="ready") == 3
    assert 30 <= (at(found, "delivery_oldest_due_seconds") or 0) < 40
    assert at(found, "texts_out_recent", purpose="ask", state="ready") == 3
    await run_background(runtime)
    async with reader_of(runtime) as last:
        found = await figures(last)
    assert at(found, "texts_out_recent", purpose="ask", state="accepted") == 3
    assert at(found, "deliveries_unsettled", state="ready") == 0
    assert at(found, "delivery_oldest_due_seconds") == 0


async def test_no_figure_names_a_number(runtime: Runtime, client: httpx.AsyncClient) -> None:
    await make_program(runtime)
    await make_members(runtime, 3)
    exposition = (await client.get("/metrics")).text
    assert not re.search(r"\+1\d{10}|30320000", exposition)
