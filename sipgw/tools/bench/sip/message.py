"""What one message costs: an INVITE of the size and shape that carriers send, parsed and built."""

import time
from collections.abc import Callable

from sipgw.sip.message import Request, parse, stamped, validate

INVITE = (
    b"INVITE sip:+15550100100@198.51.100.7:5060;transport=udp SIP/2.0\r\n"
    b"Record-Route: <sip:203.0.113.60:5060;lr;ftag=88171934_c3356d0b_gw>\r\n"
    b"Via: SIP/2.0/UDP 203.0.113.60:5060;branch=z9hG4bK7a2d.b9d0f4a5000000000000000000000000.0;rport\r\n"
    b"Via: SIP/2.0/UDP 172.18.40.11:5060;rport=5060;received=172.18.40.11;branch=z9hG4bK9f1c7a55-2b0d\r\n"
    b'From: "+15550199077" <sip:+15550199077@carrier.example.com:5060;isup-oli=0>;tag=88171934_c3356d0b_gw\r\n'
    b"To: <sip:+15550100100@198.51.100.7:5060>\r\n"
    b"Call-ID: 6f2a1d7744c94b6e8d5b3f0a91e2c7d8@0.0.0.0\r\n"
    b"CSeq: 1 INVITE\r\n"
    b"Max-Forwards: 67\r\n"
    b"Contact: <sip:+15550199077@172.18.40.11:5060;transport=udp>\r\n"
    b"Allow: INVITE, ACK, CANCEL, OPTIONS, BYE, UPDATE, PRACK\r\n"
    b"Supported: 100rel, timer\r\n"
    b"Session-Expires: 1800;refresher=uac\r\n"
    b"Min-SE: 120\r\n"
    b"P-Asserted-Identity: <sip:+15550199077@carrier.example.com;verstat=TN-Validation-Passed>\r\n"
    b"Diversion: <sip:+15550123123@203.0.113.60>;reason=unconditional\r\n"
    b"User-Agent: Carrier Gateway\r\n"
    b"X-Carrier-CallSid: CA5ef8732a3c49700934481addd5ce1659\r\n"
    b"Content-Type: application/sdp\r\n"
    b"Content-Length: 263\r\n\r\n"
    b"v=0\r\n"
    b"o=root 1791083122 1791083122 IN IP4 172.18.156.72\r\n"
    b"s=Carrier Media Gateway\r\n"
    b"c=IN IP4 203.0.113.132\r\n"
    b"t=0 0\r\n"
    b"m=audio 17560 RTP/AVP 0 8 101\r\n"
    b"a=rtpmap:0 PCMU/8000\r\n"
    b"a=rtpmap:8 PCMA/8000\r\n"
    b"a=rtpmap:101 telephone-event/8000\r\n"
    b"a=fmtp:101 0-16\r\n"
    b"a=ptime:20\r\na=sendrecv\r\n"
)
_TIMES = 500
"""Messages between two looks at the clock."""
_READ = ("via", "from_", "to", "cseq", "call_id", "contact", "routes", "record_routes", "require", "supported")


def parse_and_build() -> bytes:
    """Read an INVITE and print it again."""
    return bytes(parse(INVITE))


def take() -> bytes:
    """All that is done to an INVITE before a call is told of it, and print it as it is passed up."""
    request = parse(INVITE)
    assert isinstance(request, Request), "it is an INVITE"
    request = stamped(request, "203.0.113.60", 5060)
    validate(request)
    for name in _READ:
        getattr(request, name)
    return bytes(request)


def microseconds(work: Callable[[], object], runs: int) -> list[float]:
    """CPU of each time that `work` is done, in several runs."""
    found = []
    for _ in range(runs):
        began = time.process_time()
        for _ in range(_TIMES):
            work()
        found.append(round((time.process_time() - began) / _TIMES * 1e6, 2))
    return found
