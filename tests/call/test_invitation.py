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
        ("sip:+15551234567;npdi;rn=+15550000000@example.com;user=phone", "+15551234567"),
        ("sip:5551234567;phone-context=+1@example.com", "5551234567"),
        ("tel:+1-(555)-123.4567;npdi", "+15551234567"),
        ("tel:7042;phone-context=example.com", "7042"),
        ("sip:*98#@example.com", "*98#"),
        ("sip:100-200@example.com", "100-200"),
        ("sip:alice;day=tuesday@example.com", "alice;day=tuesday"),
        ("sip:192.0.2.1", "192.0.2.1"),
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
