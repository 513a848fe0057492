"""Who calls whom, as an INVITE says it."""

import pytest

from sipgw.call.invitation import party, passed_on
from sipgw.sip.uri import Uri


@pytest.mark.parametrize(
    ("uri", "name"),
    [
        ("sip:alice@example.com", "alice"),
        ("sip:%2B4930@example.com;user=phone", "+4930"),
        ("tel:+4930;phone-context=x", "+4930"),
        ("sip:gw.example.com:5060", "gw.example.com"),
        ("sip:[2001:db8::1]", "2001:db8::1"),
        ("sip:anonymous@anonymous.invalid", "anonymous"),
    ],
)
def test_a_party_is_its_user_or_its_host(uri: str, name: str) -> None:
    assert party(Uri.parse(uri)) == name


def test_headers_meant_for_applications_are_passed_on() -> None:
    headers = [("X-One", "1"), ("x-two", "2"), ("USER-TO-USER", "3"), ("X-One", "again"), ("Subject", "no")]
    assert passed_on(headers) == {"X-One": "1", "x-two": "2", "USER-TO-USER": "3"}
