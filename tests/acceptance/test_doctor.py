"""``pollwire doctor`` on a healthy installation, and on one with each thing broken."""

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from service.store import embedded
from tests.acceptance.house import ACCOUNT, House, open_house, until

NUMBER_KEY, SECRET_KEY = "number-key-9f41c27a", "secret-key-5bd03e8c"
TOKEN, KEY_SECRET = "b1946ac92492d2347c6235b4d2611184", "591785b794601e212b260e25925636fd"
PASSWORD, UNFIT_PASSWORD = "0a4d55a8d778e502", "7d79/3037a@40b6"
SECRETS = (NUMBER_KEY, SECRET_KEY, TOKEN, KEY_SECRET, PASSWORD, UNFIT_PASSWORD, "3037a", "40b6")
OVERRIDES = "#ct=2000&rt=4000&rc=3&rp=5xx,ct,rt"


@pytest.fixture(scope="module")
async def house(
    server: embedded.EmbeddedServer, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[House]:
    settings = {
        "NUMBER_KEY": NUMBER_KEY,
        "SECRET_KEY": SECRET_KEY,
        "TWILIO_AUTH_TOKEN": TOKEN,
    }
    folder = tmp_path_factory.mktemp("doctor")
    async with open_house(server, folder, **settings) as opened:
        await opened.make_program()
        await start_emulator(opened)
        await opened.start_web()
        await opened.start_worker()
        await until(lambda: worker_is_seen(opened), "the worker")
        yield opened


async def start_emulator(house: House, *options: str) -> None:
    """One with this file's token, and with the webhook as the documentation has it."""
    inbound = f"{house.public_url}/webhooks/twilio/inbound"
    await house.start_emulator(
        *("--auth-token", TOKEN, "--inbound-url", inbound + OVERRIDES, "--fallback-url", inbound),
        *("--api-key-sid", "SK" + "1" * 32, "--api-key-secret", KEY_SECRET),
        *options,
    )


async def worker_is_seen(house: House) -> bool:
    code, _ = await examine(house)
    return code == 0


async def examine(house: House, **broken: str) -> tuple[int, dict[str, Any]]:
    """Exit code and JSON under changed settings; no output may hold a secret."""
    with changed(house, **broken):
        code, out, err = await house.run("doctor", "--json")
    assert err == ""
    assert not [secret for secret in SECRETS if secret in out]
    return code, json.loads(out)


@contextmanager
def changed(house: House, **broken: str) -> Iterator[None]:
    before = dict(house.settings)
    house.settings.update(broken)
    try:
        yield
    finally:
        house.settings = before


def finding(report: dict[str, Any], check: str) -> dict[str, str]:
    found = [row for row in report["checks"] if row["check"] == check]
    assert found, f"{check} is not among {[row['check'] for row in report['checks']]}"
    return found[0]


def failed(report: dict[str, Any]) -> list[str]:
    rows = [row for row in report["checks"] if row["verdict"] == "fail"]
    assert all(row["mend"].strip() for row in rows)
    return [row["check"] for row in rows]


async def test_a_healthy_installation_needs_no_mending(house: House) -> None:
    code, report = await examine(house)
    assert (code, report["healthy"], failed(report)) == (0, True, [])
    assert {row["verdict"] for row in report["checks"]} == {"ok"}, report["checks"]
    assert {row["check"] for row in report["checks"]} == {
        *("settings", "NUMBER_KEY", "SECRET_KEY", "DATA_DIR", "database", "schema", "program"),
        *("worker", "clock", "PUBLIC_BASE_URL", "public address", "Twilio account"),
        *("sender of stat", "webhook of stat", "fallback of stat", "lost webhooks"),
    }
    clock = finding(report, "clock")["says"]
    assert "database" in clock
    assert "Twilio's API" in clock
    assert "POLLWIRE_CLOCK_START" in clock


async def test_settings_are_shown_without_what_is_secret(house: House) -> None:
    _, report = await examine(house, TWILIO_AUTH_TOKEN=f"{TOKEN},{KEY_SECRET}")
    shown = report["settings"]
    assert shown["NUMBER_KEY"] == f"set (…{NUMBER_KEY[-2:]})"
    assert shown["TWILIO_AUTH_TOKEN"] == f"set (…{TOKEN[-2:]}, …{KEY_SECRET[-2:]})"
    assert shown["TWILIO_ACCOUNT_SID"] == ACCOUNT
    assert shown["TWILIO_API_KEY_SECRET"] == "not set"
    assert shown["SEND_CONCURRENCY"] == "25 (default)"


async def test_the_table_for_people_says_the_same(house: House) -> None:
    code, out, err = await house.run("doctor")
    assert (code, err) == (0, "")
    assert "ok      webhook of stat: " in out
    assert out.endswith("Nothing must be mended.\n")
    with changed(house, NUMBER_KEY=""):
        code, out, err = await house.run("doctor")
    assert (code, err) == (1, "")
    assert "fail    NUMBER_KEY: not set\n        → Set the key this database" in out
    assert not [secret for secret in SECRETS if secret in out]


@pytest.mark.parametrize(
    ("setting", "value", "check", "says", "mend"),
    [
        ("TWILIO_AUTH_TOKEN", KEY_SECRET, "Twilio account", "20003", "Copy TWILIO_ACCOUNT_SID"),
        ("TWILIO_AUTH_TOKEN", "", "Twilio account", "no account and token", "Set TWILIO_ACC"),
        ("TWILIO_ACCOUNT_SID", "AC" + "1" * 32, "Twilio account", "20003", "Copy TWILIO_ACC"),
        ("TWILIO_API_BASE_URL", "http://127.0.0.1:9", "Twilio account", "no connection", "network"),
        ("NUMBER_KEY", "", "NUMBER_KEY", "not set", "Set the key this database"),
        ("NUMBER_KEY", "another", "NUMBER_KEY", "not the key this database", "old key"),
        ("SECRET_KEY", "", "SECRET_KEY", "not set", "Make one"),
        ("DATA_DIR", "/dev/null/x", "DATA_DIR", "/dev/null/x", "Make the folder"),
        ("PORT", "eighty", "settings", "PORT: ", "docs/operations.md"),
        ("PUBLIC_BASE_URL", "http://my_host", "PUBLIC_BASE_URL", "underscore", "host name without"),
        ("PUBLIC_BASE_URL", "http://127.0.0.1:9", "webhook of stat", "texts go to", "Set it at"),
        (
            *("DATABASE_URL", f"postgresql://ana:{PASSWORD}@127.0.0.1:9/x"),
            *("database", "", "correct DATABASE_URL"),
        ),
        (
            *("DATABASE_URL", f"postgresql://ana:{UNFIT_PASSWORD}@127.0.0.1/x", "settings"),
            *("DATABASE_URL: must be", "docs/operations.md"),
        ),
        (
            *("DATABASE_URL", f"mysql://ana:{PASSWORD}@127.0.0.1/x", "settings"),
            *("DATABASE_URL: must be", "docs/operations.md"),
        ),
    ],
)
async def test_what_is_broken_is_named_with_its_mend(
    house: House, setting: str, value: str, check: str, says: str, mend: str
) -> None:
    code, report = await examine(house, **{setting: value})
    assert (code, report["healthy"]) == (1, False)
    assert check in failed(report)
    assert says in finding(report, check)["says"]
    assert mend in finding(report, check)["mend"]


async def test_a_public_address_out_of_reach_is_no_failure_by_itself(house: House) -> None:
    _, report = await examine(house, PUBLIC_BASE_URL="http://127.0.0.1:9")
    assert finding(report, "public address")["verdict"] == "warn"


async def test_a_public_address_of_somebody_else_is_a_failure(house: House) -> None:
    elsewhere = f"http://127.0.0.1:{house.emulator_port}"
    _, report = await examine(house, PUBLIC_BASE_URL=elsewhere)
    assert "answers 404" in finding(report, "public address")["says"]


async def test_twilio_itself_wants_https(house: House) -> None:
    _, report = await examine(
        house,
        TWILIO_API_BASE_URL="https://api.twilio.com:9",  # nobody is there to be asked
        POLLWIRE_CLOCK_START="",
        PUBLIC_BASE_URL=house.public_url,
    )
    assert "PUBLIC_BASE_URL" in failed(report)


async def test_an_old_token_of_a_rotation_is_only_a_warning(house: House) -> None:
    code, report = await examine(house, TWILIO_AUTH_TOKEN=f"{TOKEN},{KEY_SECRET}")
    rows = [row for row in report["checks"] if row["check"] == "Twilio account"]
    assert (code, [row["verdict"] for row in rows]) == (0, ["ok", "warn"])


async def test_an_api_key_is_tried_on_the_senders(house: House) -> None:
    key = {"TWILIO_API_KEY_SID": "SK" + "1" * 32, "TWILIO_API_KEY_SECRET": KEY_SECRET}
    code, report = await examine(house, **key)
    assert (code, finding(report, "sender of stat")["verdict"]) == (0, "ok")
    code, report = await examine(house, **{**key, "TWILIO_API_KEY_SID": "SK" + "2" * 32})
    assert (code, failed(report)) == (1, ["sender of stat"])
    assert "TWILIO_API_KEY_SECRET" in finding(report, "sender of stat")["mend"]


async def test_programs_are_checked_against_the_account(house: House) -> None:
    service = ("--messaging-service-sid", "MG" + "1" * 32)
    other = ("program", "set", "--program", "other", "--name", "Other", "--help-contact", "x@y.org")
    await house.pollwire(*other, "--sender", "+13035550111", "--keyword", "OTHER", *service)
    _, report = await examine(house)
    assert "no +13035550111" in finding(report, "sender of other")["says"]
    await house.end("emulator")
    await start_emulator(
        house, "--sender", "+13035550111", "--messaging-service-sid", "MG" + "1" * 32
    )
    try:
        _, report = await examine(house)
        assert failed(report) == ["sender of stat"]
        assert finding(report, "webhook of other")["verdict"] == "ok"
    finally:
        await house.end("emulator")
        await start_emulator(house)


async def test_a_webhook_without_overrides_and_fallback_is_warned_of(house: House) -> None:
    await house.end("emulator")
    inbound = f"{house.public_url}/webhooks/twilio/inbound"
    await house.start_emulator("--auth-token", TOKEN, "--inbound-url", inbound)
    try:
        _, report = await examine(house)
    finally:
        await house.end("emulator")
        await start_emulator(house)
    assert finding(report, "webhook of stat")["verdict"] == "warn"
    assert finding(report, "fallback of stat")["verdict"] == "warn"


async def test_a_worker_that_never_ran_is_missed(
    server: embedded.EmbeddedServer, tmp_path_factory: pytest.TempPathFactory
) -> None:
    async with open_house(server, tmp_path_factory.mktemp("unattended")) as house:
        code, out, _ = await house.run("doctor", "--json")
        report = json.loads(out)
    assert code == 1
    assert "never seen" in finding(report, "worker")["says"]
    assert "there is none" in finding(report, "program")["says"]


async def test_a_database_without_our_tables_is_to_be_migrated(
    server: embedded.EmbeddedServer, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("unmigrated")
    async with open_house(server, folder, migrated=False) as house:
        code, out, _ = await house.run("doctor", "--json")
        report = json.loads(out)
        assert (code, finding(report, "schema")["mend"]) == (1, "Run: pollwire migrate")
        # Looking makes neither tables nor an embedded database.
        with changed(house, DATABASE_URL="", DATA_DIR=str(folder / "new")):
            code, out, _ = await house.run("doctor", "--json")
        assert "no database in DATA_DIR" in finding(json.loads(out), "database")["says"]
        assert not (folder / "new").exists()
        assert finding(json.loads((await house.run("doctor", "--json"))[1]), "schema") == finding(
            report, "schema"
        )
