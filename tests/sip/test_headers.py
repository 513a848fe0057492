"""Headers: found in any spelling, changed into new ones, plain when read."""

import pytest

from sipgw.sip.message import Headers
from tests.sip.samples import INVITE, request

HEADERS = Headers([("Via", "a"), ("X-One", "1"), ("v", "b, c"), ("x-ONE", "2"), ("Supported", "")])


def test_headers_are_found_in_any_spelling_and_keep_their_own() -> None:
    assert (HEADERS.get("VIA"), HEADERS.get("V"), HEADERS.get("none")) == ("a", "a", None)
    assert (HEADERS.all("via"), HEADERS.listed("via"), HEADERS.all("none")) == (("a", "b, c"), ("a", "b", "c"), ())
    assert (HEADERS.all("x-one"), HEADERS.get("k"), HEADERS.listed("Supported")) == (("1", "2"), "", ())
    assert ("X-ONE" in HEADERS, "k" in HEADERS, "none" in HEADERS, len(HEADERS)) == (True, True, False, 5)
    assert [name for name, _ in HEADERS] == ["Via", "X-One", "v", "x-ONE", "Supported"]


def test_headers_are_changed_into_new_ones() -> None:
    assert list(HEADERS.with_("x-one", "3")) == [
        ("Via", "a"),
        ("X-One", "3"),
        ("v", "b, c"),
        ("Supported", ""),
    ]
    assert list(HEADERS.without("via")) == [("X-One", "1"), ("x-ONE", "2"), ("Supported", "")]
    assert list(Headers().with_("A", "1").plus(("B", "2"), ("a", "3"))) == [("A", "1"), ("B", "2"), ("a", "3")]
    assert len(HEADERS) == 5
    assert Headers([("A", "1")]) == Headers([("A", "1")]) != Headers([("a", "1")])
    assert hash(Headers([("A", "1")])) == hash(Headers([("A", "1")]))


@pytest.mark.parametrize(
    ("compact", "name"),
    [
        *(("i", "Call-ID"), ("m", "Contact"), ("e", "Content-Encoding"), ("l", "Content-Length")),
        *(("c", "Content-Type"), ("f", "From"), ("s", "Subject"), ("k", "Supported"), ("t", "To"), ("v", "Via")),
        *(("o", "Event"), ("u", "Allow-Events"), ("r", "Refer-To"), ("b", "Referred-By"), ("x", "Session-Expires")),
        *(("a", "Accept-Contact"), ("j", "Reject-Contact"), ("d", "Request-Disposition")),
        *(("y", "Identity"), ("n", "Identity-Info")),
    ],
)
def test_compact_forms(compact: str, name: str) -> None:
    assert Headers([(compact, "x")]).get(name) == Headers([(name, "x")]).get(compact.upper()) == "x"


def test_what_is_read_is_plain_text_whatever_it_came_in() -> None:
    headers = request(INVITE.replace(b"Alice", b"J\xfcrgen")).headers
    read = (headers.get("From"), *headers.all("From"), *headers.listed("From"), *(value for _, value in headers))
    assert {type(value) for value in read} == {str}
