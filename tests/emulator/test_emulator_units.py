"""The pure parts: settings, segments, TwiML, signatures, overrides, opt-out words."""

import doctest
import importlib
import pkgutil

import pytest
from twilio.request_validator import RequestValidator

import emulator
from emulator.segments import count_segments
from emulator.settings import OptoutMode, Span, read_settings
from emulator.twiml import Reply, TwimlError, read_replies
from emulator.webhooks import Override, read_override, sign


def test_every_example_in_a_docstring_is_true():
    names = [module.name for module in pkgutil.iter_modules(emulator.__path__)]
    for name in names:
        if name != "__main__":
            assert doctest.testmod(importlib.import_module(f"emulator.{name}")).failed == 0


def test_an_option_goes_before_the_environment_and_that_before_the_default():
    environment = {"EMULATOR_PORT": "9100", "EMULATOR_SEED": "5", "EMULATOR_OPTOUT_MODE": "default"}
    settings = read_settings(["--port", "9200", "--answer-seconds", "1,2"], environment)
    assert (settings.port, settings.seed, settings.sender) == (9200, 5, "33550")
    assert settings.optout_mode is OptoutMode.DEFAULT
    assert settings.answer_seconds == Span(1.0, 2.0)


def test_a_span_that_runs_backwards_is_refused():
    with pytest.raises(SystemExit):
        read_settings(["--receipt-seconds", "3,1"], {})


@pytest.mark.parametrize(
    ("body", "segments"),
    [
        ("", 1),
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("a" * 306, 2),
        ("a" * 307, 3),
        ("€" * 80, 1),
        ("a" + "€" * 80, 2),
        ("ą" * 70, 1),
        ("ą" * 71, 2),
        ("😀" * 35, 1),
        ("😀" * 36, 2),
        ("a" * 66 + "😀" * 3, 2),
        ("“" + "a" * 1599, 24),
        ("a" * 1600, 11),
    ],
)
def test_segments_are_counted_as_carriers_bill_them(body, segments):
    assert count_segments(body) == segments


def test_signatures_are_those_of_the_sdk():
    url = "https://mycompany.com/myapp.php?foo=1&bar=2"
    fields = {
        "CallSid": "CA1234567890ABCDE",
        "Caller": "+14158675309",
        "Digits": "1234",
        "From": "+14158675309",
        "To": "+18005551212",
    }
    assert sign("12345", url, fields) == "RSOYDt4T1cUTdK1PDd93/VVr8B8="
    odd = {"b": "", "B": "é😀 &=", "a_": "2", "a": "1"}
    assert sign("k", url, odd) == RequestValidator("k").compute_signature(url, odd)


def test_connection_overrides_are_read_and_the_rest_stays():
    standard = Override(repeats=2)
    assert read_override("", standard) is standard
    given = read_override("ct=2000&rt=4000&rc=3&rp=5xx,ct,rt&tt=99000", standard)
    assert given == Override(2.0, 4.0, 15.0, 3, frozenset({"5xx", "ct", "rt"}))
    assert given.repeats_on("5xx")
    assert not given.repeats_on("4xx")
    assert read_override("rp=all", standard).repeats_on("4xx")


def test_messages_are_read_from_twiml_whatever_their_form():
    document = """<?xml version="1.0" encoding="UTF-8"?>
    <Response>
      <Message statusCallback="/status?delivery=1">One &amp; two</Message>
      <Message to="+13035550199"><Body>Three</Body><Media>https://example.org/a.png</Media></Message>
      <Message></Message><Message>{}</Message>
    </Response>""".format("x" * 1601)
    assert read_replies("text/xml; charset=utf-8", document) == [
        Reply("One & two", status_callback="/status?delivery=1"),
        Reply("Three", to="+13035550199", media=1),
    ]


def test_no_more_than_ten_messages_are_sent():
    document = f"<Response>{'<Message>x</Message>' * 12}</Response>"
    assert len(read_replies("application/xml", document)) == 10


def test_plain_text_is_texted_and_silence_is_not():
    assert read_replies("text/plain", "OK") == [Reply("OK")]
    assert read_replies("text/plain", " ") == []
    assert read_replies("text/html", "") == []


@pytest.mark.parametrize(
    ("content_type", "text", "code"),
    [
        ("application/json", "{}", 12300),
        ("", "<Response/>", 12300),
        ("text/xml", "<Response>", 12100),
        ("text/xml", "<Html/>", 12100),
    ],
)
def test_answers_that_cannot_be_obeyed_have_their_codes(content_type, text, code):
    with pytest.raises(TwimlError) as failure:
        read_replies(content_type, text)
    assert failure.value.code == code
