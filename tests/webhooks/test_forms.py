"""Reading a form: the same as the standard library's reader, and what no database holds."""

from urllib.parse import parse_qsl, urlencode

from hypothesis import example, given
from hypothesis import strategies as st

from tests.webhooks.test_signature import PAIRS
from webhooks.door import Posted
from webhooks.forms import form_pairs, read_form
from webhooks.signature import SignatureCheck

BODIES = st.lists(
    st.sampled_from(["a", "=", "&", "%", "%2B", "%C3%A9", "%ff", "+", "é", ";", "\0"])
)


@given(pieces=BODIES)
@example(pieces=["&", "=", "&", "a", "&", "a", "=", "=", "&"])
def test_equal_to_the_standard_reader_on_any_body(pieces: list[str]) -> None:
    body = "".join(pieces)
    assert form_pairs(body) == parse_qsl(body, keep_blank_values=True)


class _Trusting(SignatureCheck):
    def __init__(self) -> None:
        super().__init__("https://stat.example.org", [])

    def accepts(self, *_: object) -> bool:
        return True


@given(pairs=PAIRS)
@example(pairs=[("Body", "first"), ("Body", "second")])
def test_a_repeated_field_counts_with_its_first_value(pairs: list[tuple[str, str]]) -> None:
    form = read_form(Posted(b"/", b"", "", urlencode(pairs).encode()), _Trusting())
    for name, _ in pairs:
        first = next(value for key, value in pairs if key == name)
        assert form.get(name) == first.replace("\0", "\ufffd")
