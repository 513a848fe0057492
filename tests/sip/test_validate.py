"""What a user agent refuses before it looks closer."""

import pytest

from sipgw.errors import PeerError
from sipgw.sip.message import validate
from tests.sip.samples import INVITE, OK, request, response


@pytest.mark.parametrize(
    ("old", "new", "status"),
    [
        (b"INVITE sip:", b"INVITE http:", 416),
        (b"INVITE sip:", b"INVITE ", 400),
        (b";user=phone SIP", b"?Route=x SIP", 400),
        (b"CSeq: 1 INVITE", b"CSeq: 1 BYE", 400),
        (b"CSeq: 1", b"CSeq: 2147483648", 400),
        (b"CSeq: 1 INVITE\r\n", b"", 400),
        (b"CSeq: 1", b"CSeq: 1 INVITE\r\nCSeq: 1", 400),
        (b"Call-ID: 1@192.0.2.5", b"Call-ID: ", 400),
        (b"Call-ID: 1@", b"Call-ID: 1 @", 400),
        (b"Call-ID", b"X-Call-ID", 400),
        (b"From: ", b"X-From: ", 400),
        (b"To: ", b"To: sip:a@b\r\nt: ", 400),
        (b"To: <", b"To: <<", 400),
        (b"Max-Forwards: 69", b"Max-Forwards: 256", 400),
        (b"Max-Forwards: 69", b"Max-Forwards: 69\r\nMax-Forwards: 69", 400),
        (b"Max-Forwards: 69", b"Expires: 4294967296", 400),
        (b"Max-Forwards: 69", b"Route: x", 400),
        (b"Max-Forwards: 69", b"Record-Route: x", 400),
        (b"Contact: <sip", b"Contact: <", 400),
        (b"application/sdp", b"sdp", 400),
        (b";rport", b";rport=x", 400),
        (b"Via: SIP", b"Via: SIP/2.0/UDP a,, SIX", 400),
    ],
)
def test_what_a_user_agent_refuses_before_it_looks_closer(old: bytes, new: bytes, status: int) -> None:
    data = INVITE.replace(old, new, 1)
    assert data != INVITE
    with pytest.raises(PeerError) as caught:
        validate(request(data))
    assert caught.value.status == status


def test_a_tel_uri_may_be_called() -> None:
    validate(request(INVITE.replace(b"sip:+4930123456@192.0.2.1:5060;user=phone SIP", b"tel:+4930123456 SIP")))


def test_a_response_for_another_hop_is_refused() -> None:
    validate(response(OK))
    with pytest.raises(PeerError):
        validate(response(OK.replace(b"From", b"v: SIP/2.0/UDP b\r\nFrom", 1)))
