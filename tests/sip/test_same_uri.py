"""Which URIs are the same, by the examples of RFC 3261 section 19.1.4."""

import pytest

from sipgw.sip.same_uri import same_uri
from sipgw.sip.uri import Uri


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("sip:%61lice@atlanta.com;transport=TCP", "sip:alice@AtlanTa.CoM;Transport=tcp"),
        ("sip:carol@chicago.com", "sip:carol@chicago.com;newparam=5"),
        ("sip:carol@chicago.com;security=on", "sip:carol@chicago.com;newparam=5"),
        ("sip:alice@atlanta.com?subject=a&priority=urgent", "sip:alice@atlanta.com?priority=urgent&subject=a"),
        ("sip:a@[2001:db8::1]", "sip:a@[2001:DB8:0::1]"),
        ("mailto:a@b", "mailto:a@b"),
    ],
)
def test_the_same(one: str, other: str) -> None:
    assert same_uri(Uri.parse(one), Uri.parse(other))
    assert same_uri(Uri.parse(other), Uri.parse(one))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("SIP:ALICE@AtLanTa.CoM;Transport=udp", "sip:alice@AtlanTa.CoM;Transport=UDP"),
        ("sip:bob@biloxi.com", "sip:bob@biloxi.com:5060"),
        ("sip:bob@biloxi.com", "sip:bob@biloxi.com;transport=udp"),
        ("sip:bob@biloxi.com;security=on", "sip:bob@biloxi.com;security=off"),
        ("sip:carol@chicago.com", "sip:carol@chicago.com?Subject=next%20meeting"),
        ("sip:bob@biloxi.com", "sips:bob@biloxi.com"),
        ("sip:bob:x@biloxi.com", "sip:bob@biloxi.com"),
        ("sip:biloxi.com", "sip:@biloxi.com"),
        ("sip:bob@192.0.2.1", "sip:bob@192.0.2.2"),
        ("mailto:a@b", "mailto:A@b"),
        ("sip:a@b", "tel:1"),
    ],
)
def test_not_the_same(one: str, other: str) -> None:
    assert not same_uri(Uri.parse(one), Uri.parse(other))
    assert not same_uri(Uri.parse(other), Uri.parse(one))
