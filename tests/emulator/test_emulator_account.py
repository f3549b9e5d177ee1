"""What the emulator tells of its account, as ``doctor`` reads it through the SDK."""

import pytest
from emulator_helpers import ACCOUNT, TOKEN

API = f"/2010-04-01/Accounts/{ACCOUNT}"


async def test_the_account_is_active_and_only_its_token_may_look(product, emulate):
    emulator = await emulate(api_key_sid="SK1", api_key_secret="key")
    account = (await emulator.http.get(f"{API}.json")).json()
    assert (account["sid"], account["status"]) == (ACCOUNT, "active")
    for credentials in (("SK1", "key"), (ACCOUNT, "wrong")):
        refused = await emulator.http.get(f"{API}.json", auth=credentials)
        assert (refused.status_code, refused.json()["code"]) == (401, 20003)
    other = await emulator.http.get(f"/2010-04-01/Accounts/AC{'1' * 32}.json")
    assert (other.status_code, other.json()["code"]) == (404, 20404)


async def test_a_short_code_tells_where_its_texts_go(product, emulate):
    emulator = await emulate(
        inbound_url="http://web:8000/inbound#rc=3",
        signing_base_url="https://polls.example.org",
        fallback_url="https://elsewhere.example.org/",
        api_key_sid="SK1",
        api_key_secret="key",
    )
    listed = (
        await emulator.http.get(
            f"{API}/SMS/ShortCodes.json", params={"ShortCode": "33550"}, auth=("SK1", "key")
        )
    ).json()
    (code,) = listed["short_codes"]
    assert (code["short_code"], code["sms_method"]) == ("33550", "POST")
    assert code["sms_url"] == "https://polls.example.org/inbound#rc=3"
    assert code["sms_fallback_url"] == "https://elsewhere.example.org/"
    for path in ("SMS/ShortCodes.json?ShortCode=33551", "IncomingPhoneNumbers.json"):
        answer = (await emulator.http.get(f"{API}/{path}")).json()
        assert answer.get("short_codes") or answer.get("incoming_phone_numbers") or [] == []


async def test_a_long_code_is_listed_as_a_number(product, emulate):
    emulator = await emulate(sender="+13035550111")
    path = f"{API}/IncomingPhoneNumbers.json"
    listed = (await emulator.http.get(path, params={"PhoneNumber": "+13035550111"})).json()
    (number,) = listed["incoming_phone_numbers"]
    assert (number["phone_number"], number["sms_url"]) == ("+13035550111", product.inbound_url)
    assert (await emulator.http.get(f"{API}/SMS/ShortCodes.json")).json()["short_codes"] == []


@pytest.mark.parametrize(("sid", "status"), [("MG1", 200), ("MG2", 404)])
async def test_a_messaging_service_is_known_by_its_sid(product, emulate, sid, status):
    emulator = await emulate(messaging_service_sid="MG1")
    answer = await emulator.http.get(f"/v1/Services/{sid}", auth=(ACCOUNT, TOKEN))
    assert answer.status_code == status
    if status == 200:
        assert answer.json()["inbound_request_url"] == product.inbound_url
