"""Our signature check against the recorded vectors and against the SDK's own."""

import json
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twilio.request_validator import RequestValidator

from webhooks.signature import SignatureCheck, signed_form

NAMES = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
PAIRS = st.lists(st.tuples(NAMES, NAMES), max_size=12)


def split(url: str) -> tuple[str, bytes]:
    """Base address and the raw path with its query."""
    parts = urlsplit(url)
    target = parts.path + (f"?{parts.query}" if parts.query else "")
    return f"{parts.scheme}://{parts.netloc}", target.encode()


def test_the_recorded_vectors(shared_data: Path) -> None:
    vectors = json.loads((shared_data / "vectors" / "signatures.json").read_text())
    assert len(vectors) == 12
    for vector in vectors:
        params = vector["params"] or {}  # nothing of a JSON body is signed but its hash in the URL
        pairs = [tuple(pair) for pair in (params.items() if isinstance(params, dict) else params)]
        base, target = split(vector["url"])
        check = SignatureCheck(base, [vector["auth_token"]])
        assert check.accepts(vector["signature"], target, pairs) is vector["valid"], vector["name"]


@given(pairs=PAIRS, query=st.sampled_from(["", "?delivery=12", "?a=1&b="]))
def test_equal_to_the_sdk_on_any_form(pairs: list[tuple[str, str]], query: str) -> None:
    form: dict[str, list[str]] = {}
    for name, value in pairs:
        form.setdefault(name, []).append(value)
    url = f"https://stat.example.org/webhooks/twilio/inbound{query}"
    expected = RequestValidator("token").compute_signature(url, MultiForm(form))
    base, target = split(url)
    check = SignatureCheck(base, ["other", "token"])
    assert check.accepts(expected, target, pairs)
    assert not check.accepts(expected[:-2] + "A=", target, [*pairs, ("Extra", "1")])
    assert not SignatureCheck(base, ["other"]).accepts(expected, target, pairs)


@given(pairs=PAIRS)
def test_the_order_of_fields_does_not_matter(pairs: list[tuple[str, str]]) -> None:
    assert signed_form(pairs) == signed_form(list(reversed(pairs)))


@pytest.mark.parametrize(
    ("told", "signed"),
    [
        ("https://stat.example.org", "https://stat.example.org:443"),
        ("https://stat.example.org:8443", "https://stat.example.org"),
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000"),
    ],
)
def test_a_port_may_be_added_or_dropped(told: str, signed: str) -> None:
    signature = RequestValidator("token").compute_signature(f"{signed}/path", {"a": "1"})
    assert SignatureCheck(told, ["token"]).accepts(signature, b"/path", [("a", "1")])


@pytest.mark.parametrize("other", ["http://stat.example.org", "https://stat.example.org/base"])
def test_another_scheme_or_path_is_refused(other: str) -> None:
    signature = RequestValidator("token").compute_signature(f"{other}/path", {})
    assert not SignatureCheck("https://stat.example.org", ["token"]).accepts(
        signature, b"/path", []
    )


@given(st.text())
def test_no_signature_breaks_the_check(signature: str) -> None:
    check = SignatureCheck("https://stat.example.org", ["token"])
    assert not check.accepts(signature, b"/path", [])


class MultiForm(dict):  # type: ignore[type-arg]
    """A form with repeated keys, as the SDK expects it of frameworks."""

    def getlist(self, name: str) -> list[str]:
        """All values of a key."""
        return list(self[name])
