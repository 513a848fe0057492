"""SIP messages in the shapes that known carriers and phones send, written for these tests from their public facts."""

from sipgw.sip.message import Request, Response, parse


def request(data: bytes) -> Request:
    """The bytes read as a request."""
    parsed = parse(data)
    assert isinstance(parsed, Request)
    return parsed


def response(data: bytes) -> Response:
    """The bytes read as a response."""
    parsed = parse(data)
    assert isinstance(parsed, Response)
    return parsed


def lines(*head: str, body: bytes = b"") -> bytes:
    """A message from its head's lines; Content-Length is added where no line gives it."""
    given = any(line.lower().startswith(("content-length", "l:")) for line in head)
    more = () if given else (f"Content-Length: {len(body)}",)
    return "\r\n".join((*head, *more)).encode() + b"\r\n\r\n" + body


SDP = b"v=0\r\no=- 1 1 IN IP4 192.0.2.5\r\ns=-\r\nc=IN IP4 192.0.2.5\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n"

INVITE = lines(
    "INVITE sip:+4930123456@192.0.2.1:5060;user=phone SIP/2.0",
    "Via: SIP/2.0/UDP 192.0.2.5:5060;branch=z9hG4bK-1;rport",
    "Max-Forwards: 69",
    'From: "Alice" <sip:+4940654321@192.0.2.5>;tag=a1',
    "To: <sip:+4930123456@192.0.2.1;user=phone>",
    "Call-ID: 1@192.0.2.5",
    "CSeq: 1 INVITE",
    "Contact: <sip:alice@192.0.2.5:5060>",
    "Content-Type: application/sdp",
    body=SDP,
)
"""A plain INVITE."""

OK = lines(
    "SIP/2.0 200 OK",
    "Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK-1",
    "From: <sip:a@b>;tag=1",
    "To: <sip:c@d>;tag=2",
    "Call-ID: 1",
    "CSeq: 1 INVITE",
)
"""The plainest of responses."""

TEAMS = lines(
    "INVITE sip:+14255550100@sbc.example.com:5061;user=phone;transport=tls SIP/2.0",
    "FROM: Alice<sip:+14255550199@sip.pstnhub.microsoft.com:5061;user=phone>;tag=9b2bd6dc",
    "TO: <sip:+14255550100@sbc.example.com:5061;user=phone>",
    "CSEQ: 1 INVITE",
    "CALL-ID: 7a3dd6dcbd3a4f1e",
    "MAX-FORWARDS: 70",
    "VIA: SIP/2.0/TLS 52.114.75.24:5061;branch=z9hG4bK2f6c1d5d",
    "RECORD-ROUTE: <sip:sip-du-a-eu.pstnhub.microsoft.com:5061;transport=tls;lr>",
    "CONTACT: <sip:api-du-a-euwe.pstnhub.microsoft.com:443;x-i=7a3dd6dc;x-c=/v1/ngc/call/7a3d/d/8/s/1/0;user=phone>",
    "CONTENT-TYPE: application/sdp",
    "ALLOW: INVITE,ACK,OPTIONS,CANCEL,BYE,NOTIFY",
    "HISTORY-INFO: <sip:+14255550101@sip.pstnhub.microsoft.com;user=phone?Reason=SIP;cause=302>;index=1, "
    "<sip:+14255550100@sbc.example.com;user=phone>;index=1.1",
    "P-ASSERTED-IDENTITY: <tel:+14255550199>,<sip:+14255550199@sip.pstnhub.microsoft.com>",
    "SUPPORTED: histinfo, timer",
    "SESSION-EXPIRES: 3600",
    "MIN-SE: 300",
    "PRIVACY: id",
    f"CONTENT-LENGTH: {len(SDP)}",
    body=SDP,
)
"""Header names in capitals, no space before the bracket, URI parameters with slashes."""

ZOOM = lines(
    "INVITE sip:+16505550100@203.0.113.7:5061;transport=tls SIP/2.0",
    "Via: SIP/2.0/TLS 162.12.232.1:5061;branch=z9hG4bKa;rport, SIP/2.0/TLS 10.10.1.2:5091;received=10.10.1.3"
    ";branch=z9hG4bKb,SIP/2.0/UDP 10.10.1.4;branch=z9hG4bKc",
    "Record-Route: <sip:162.12.232.1:5061;transport=tls;lr>,<sip:10.10.1.2;lr;ftag=x>",
    'From: "Smith, Bob" <sip:+16505550199@zoom.example>;tag=zz',
    "To: <sip:+16505550100@203.0.113.7>",
    "Call-ID: zoom-1",
    "CSeq: 102 INVITE",
    "Contact: <sip:+16505550199@162.12.232.1:5061;transport=tls>",
    "Allow: INVITE, ACK, BYE, CANCEL, OPTIONS, INFO, REFER, UPDATE",
    "Supported: timer,replaces",
    "Session-Expires: 1800",
    "Min-SE: 90",
    "X-Trace-ID: 00000000",
    "Privacy: none",
    'P-Asserted-Identity: "Smith, Bob" <sip:+16505550199@zoom.example>',
    "Content-Type: application/sdp",
    body=SDP,
)
"""Several hops in one Via line."""

TWILIO = lines(
    "INVITE sip:+15550100@example.pstn.twilio.com;edge=ashburn SIP/2.0",
    "Record-Route: <sip:54.172.60.2:5060;lr;twnat=sip:10.255.1.1:5060>",
    "Via: SIP/2.0/UDP 54.172.60.2:5060;branch=z9hG4bK8a.1",
    "Via: SIP/2.0/UDP 172.25.1.1:5060;rport=5060;received=10.255.1.1;branch=z9hG4bK-b",
    'From: "+15550199" <sip:+15550199@example.pstn.twilio.com:5060>;tag=84103265_c3356d0b',
    "To: <sip:+15550100@example.pstn.twilio.com;edge=ashburn>",
    "Call-ID: 5ea3b3d2c0a14@0.0.0.0",
    "CSeq: 1 INVITE",
    "Max-Forwards: 67",
    "Diversion: <sip:+15550111@twilio.com>;reason=unconditional",
    "X-Twilio-VerStat: TN-Validation-Passed-A",
    "User-to-User: 00FA1B2C;encoding=hex",
    "Contact: <sip:+15550199@172.25.1.1:5060;transport=udp>",
    "Content-Type: application/sdp",
    "Content-Disposition: session;handling=required",
    body=SDP,
)
"""A whole URI as the value of a URI parameter."""

TELNYX = lines(
    "INVITE sip:+13125550100@192.0.2.1:5060 SIP/2.0",
    "Via: SIP/2.0/UDP 192.76.120.10;rport;branch=z9hG4bKtelnyx",
    "v:SIP/2.0/UDP 10.0.0.1:6060;branch=z9hG4bKold",
    "f:<sip:+13125550199@sip.telnyx.com>;tag=gK0",
    "t:<sip:+13125550100@192.0.2.1>",
    "i:telnyx-1",
    "CSeq:32 INVITE",
    "m:<sip:mod_sofia@192.76.120.10:5060>",
    'P-Asserted-Identity: "BOB" <sip:+13125550199@sip.telnyx.com;verstat=TN-Validation-Passed>',
    "c:application/sdp;charset=utf-8",
    "k:timer,path,replaces",
    "x:600;refresher=uas",
    f"l:{len(SDP)}",
    body=SDP,
)
"""Compact forms without spaces."""

CARRIERS = {"plain": INVITE, "teams": TEAMS, "zoom": ZOOM, "twilio": TWILIO, "telnyx": TELNYX}
