"""Staff, alerts and doubtful texts at the command line."""

from collections.abc import AsyncIterator

import pytest

from service.domain.alerts import AlertKind
from service.store import embedded
from service.store.alerts import raise_alert
from tests.acceptance.house import House, open_house


@pytest.fixture(scope="module")
async def house(
    server: embedded.EmbeddedServer, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[House]:
    async with open_house(server, tmp_path_factory.mktemp("staff")) as opened:
        await opened.make_program()
        yield opened


async def test_a_person_joins_and_leaves_the_staff(house: House) -> None:
    phone = ("--phone", "303-555-0123")
    added = await house.pollwire("staff", "add", "Ana@example.org", "--role", "editor", *phone)
    assert added == {"email": "ana@example.org", "role": "editor", "phone": "•••-•••-0123"}
    assert [one["email"] for one in await house.pollwire("staff", "list")] == ["ana@example.org"]
    code, _, said = await house.run("staff", "add", "ana@example.org", "--role", "admin")
    assert (code, "already" in said) == (1, True)
    code, _, _ = await house.run("staff", "add", "ben@example.org", "--role", "king")
    assert code == 2
    gone = await house.pollwire("staff", "remove", "Ana@example.org")
    assert gone == {"email": "ana@example.org", "removed": True}
    assert await house.pollwire("staff", "list") == []
    code, out, _ = await house.run("staff", "list")
    assert (code, out.startswith("Nobody is on the staff")) == (0, True)


async def test_alerts_are_listed_and_acknowledged(house: House) -> None:
    async with house.runtime.sessions.begin() as session:
        now = house.runtime.clock.now()
        await raise_alert(session, AlertKind.LATE_POLL, "poll:1", "Poll x is late.", now=now)
    (alert,) = await house.pollwire("alerts", "list")
    assert (alert["kind"], alert["sentence"]) == ("late_poll", "Poll x is late.")
    code, _, said = await house.run("alerts", "ack")
    assert (code, said) == (1, "error: name the alerts, or --all\n")
    acknowledged = await house.pollwire("alerts", "ack", str(alert["id"]), "--actor", "ana")
    assert acknowledged == {"acknowledged": [alert["id"]]}
    assert await house.pollwire("alerts", "list") == []
    (seen,) = await house.pollwire("alerts", "list", "--all")
    assert seen["acknowledged_by"] == "ana"


async def test_a_webhook_for_alerts_needs_a_key_and_is_never_shown(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    from service.errors import SettingsError
    from service.settings import read_settings, shown_settings

    monkeypatch.setenv("ALERT_WEBHOOK_URL", "https://hooks.example.org/services/T000/sesame-open")
    monkeypatch.delenv("SECRET_KEY", raising=False)
    with pytest.raises(SettingsError, match="needs SECRET_KEY"):
        read_settings()
    assert "T000" not in shown_settings()["ALERT_WEBHOOK_URL"]
    monkeypatch.setenv("SECRET_KEY", "k" * 32)
    read_settings()
    monkeypatch.setenv("ALERT_WEBHOOK_URL", "hooks.example.org")
    with pytest.raises(SettingsError, match="ALERT_WEBHOOK_URL: must be an address"):
        read_settings()


async def test_texts_are_listed_by_state_and_only_doubts_are_settled(house: House) -> None:
    assert await house.pollwire("deliveries", "list", "--state", "in_doubt") == []
    assert await house.run("deliveries", "list") == (0, "No text is in doubt.\n", "")
    code, _, said = await house.run("deliveries", "list", "--poll", "none")
    assert (code, said) == (1, "error: there is no poll 'none'\n")
    code, _, said = await house.run("deliveries", "settle", "9" * 20, "--as", "went")
    assert (code, said) == (1, "error: one of the numbers is too large\n")
    code, _, said = await house.run("deliveries", "settle", "17", "--as", "went")
    assert (code, said) == (1, "error: there is no text 17\n")
    code, _, _ = await house.run("deliveries", "settle", "17", "--as", "guess")
    assert code == 2
