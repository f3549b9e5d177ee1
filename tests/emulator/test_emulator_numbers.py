"""What the emulator tells of numbers: reports of those given up, look-ups, blocked ones."""

from datetime import UTC, datetime, timedelta

import httpx
from emulator_helpers import ACCOUNT, MESSAGES, NUMBER

from emulator.settings import OptoutMode

SERVICE = "MG" + "1" * 32
OTHER = "+13035550101"


async def test_numbers_given_up_stand_in_the_report_of_their_day(product, emulate):
    emulator = await emulate()
    given_up = {"numbers": [NUMBER, "303-555-0101"]}
    day = (await emulator.http.post("/emulator/deactivations", json=given_up)).json()["day"]
    answer = await emulator.http.get("/v1/Deactivations", params={"Date": day})
    assert answer.status_code == 307
    link = answer.json()["redirect_to"]
    transport = httpx.ASGITransport(app=emulator.app)
    async with httpx.AsyncClient(transport=transport) as anybody:
        assert (await anybody.get(link)).text == "13035550100\n13035550101\n"
        assert (await anybody.get("http://emulator/reports/unknown.txt")).status_code == 403


async def test_a_day_that_is_not_over_has_no_report(product, emulate):
    emulator = await emulate()
    today = datetime.now(UTC).date()
    for day, status in ((today, 404), (today - timedelta(days=3), 307), ("soon", 400)):
        answer = await emulator.http.get("/v1/Deactivations", params={"Date": str(day)})
        assert answer.status_code == status


async def test_a_look_up_tells_the_kind_of_line_where_asked(product, emulate):
    emulator = await emulate()
    await emulator.http.post(f"/emulator/phones/{OTHER}", json={"undelivered": 30006})
    asked = {"Fields": "line_type_intelligence"}
    basic = (await emulator.http.get(f"/v2/PhoneNumbers/{NUMBER}")).json()
    assert (basic["valid"], basic["line_type_intelligence"]) == (True, None)
    kinds = []
    for number in (NUMBER, OTHER):
        found = (await emulator.http.get(f"/v2/PhoneNumbers/{number}", params=asked)).json()
        kinds.append(found["line_type_intelligence"]["type"])
    assert kinds == ["mobile", "landline"]
    assert (await emulator.http.get("/v2/PhoneNumbers/+1303")).json()["valid"] is False


async def test_a_services_senders_are_listed(product, emulate):
    emulator = await emulate(messaging_service_sid=SERVICE)
    codes = (await emulator.http.get(f"/v1/Services/{SERVICE}/ShortCodes")).json()
    numbers = (await emulator.http.get(f"/v1/Services/{SERVICE}/PhoneNumbers")).json()
    assert [code["short_code"] for code in codes["short_codes"]] == ["33550"]
    assert numbers["phone_numbers"] == []
    assert (await emulator.http.get(f"/v1/Services/{SERVICE}/Nothing")).status_code == 404


async def test_advanced_opt_out_takes_a_text_to_a_blocked_number_and_fails_it(product, emulate):
    emulator = await emulate(optout_mode=OptoutMode.ADVANCED)
    await emulator.text("STOP")
    created = await emulator.create(statusCallback=f"{product.base_url}/status")
    assert created.status_code == 201
    await product.wait_for(lambda: len(product.receipts) == 1)
    form = product.receipts[0][1]
    assert (form["MessageStatus"], form["ErrorCode"]) == ("failed", "21610")


async def test_a_text_whose_webhook_failed_is_listed_as_received(product, emulate):
    emulator = await emulate(inbound_url="http://127.0.0.1:9/nobody", connect_retries=0)
    before = datetime.now(UTC) - timedelta(seconds=2)
    outcome = await emulator.text("STOP")
    assert (outcome["status"], outcome["error_code"]) == (0, 11205)
    await emulator.create()
    query = {"To": "33550", "DateSent>": before.strftime("%Y-%m-%dT%H:%M:%SZ")}
    listed = (await emulator.http.get(f"{MESSAGES}.json", params=query)).json()["messages"]
    assert [(one["sid"], one["direction"], one["from"]) for one in listed] == [
        (outcome["sid"], "inbound", NUMBER)
    ]
    query["DateSent>"] = (before + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert (await emulator.http.get(f"{MESSAGES}.json", params=query)).json()["messages"] == []
    assert listed[0]["account_sid"] == ACCOUNT
