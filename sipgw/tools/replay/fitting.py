"""Makes the caller's messages and packets fit our dialog instead of the one they were captured in. Pure.

What the far end chose differs from the capture: its tag, its Contact, its address and payload types, and when it
answered. What the caller chose (Call-ID, its tag, branches, CSeq, its SDP) stays as it was.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from sipgw.rtp.packet import BadPacket, is_rtcp, parse
from sipgw.sip.headers import Headers
from sipgw.sip.message import Request, Response, respond, with_top_via
from sipgw.tools.replay.script import Reaction
from sipgw_codecs.registry import LAWS

_BRANCH = "z9hG4bK-replay-"
_SPEECH = frozenset(LAWS)
_MASK_TYPE, _MARKER = 0x7F, 0x80


@dataclass(frozen=True, slots=True)
class Dialog:
    """What the caller has learned of our side."""

    to: str = ""
    """The whole To value of our response, with our tag."""
    target: str = ""
    """Our Contact."""

    def heard(self, response: Response) -> "Dialog":
        """With what a response above 100 says."""
        contact = response.contact
        return Dialog(response.single("To"), str(contact.uri) if contact is not None else self.target)


def _to_uri(request: Request, uri: str) -> Request:
    """The same request to another Request-URI."""
    return Request(request.method, uri, request.headers, request.body)


def within(request: Request, dialog: Dialog) -> Request:
    """A request of the caller's in our dialog: our tag, our Contact; the capture's proxies are not on the way."""
    headers = request.headers.with_("To", dialog.to).without("Route")
    return Request(request.method, dialog.target or request.uri, headers, request.body)


def cancelling(cancel: Request, invite: Request) -> Request:
    """A CANCEL, to the same URI and with the same top Via as the INVITE it is about (RFC 3261 section 9.1)."""
    return with_top_via(_to_uri(cancel, invite.uri), invite.via)


def acknowledging(captured: Reaction | None, invite: Request, response: Response, dialog: Dialog) -> Request:
    """The ACK of a final response: in the INVITE's transaction for a refusal, one of its own for a 2xx.

    Args:
        captured: the caller's own ACK, where it has one; its headers and body are taken.
        invite: as it was sent.
        response: what is acknowledged.
        dialog: ours.
    """
    like = invite if captured is None or not isinstance(captured.message, Request) else captured.message
    body = b"" if like is invite else like.body
    headers = _kept(like.headers, body).with_("To", response.single("To"))
    headers = headers.with_("CSeq", f"{invite.cseq.number} ACK").with_("Max-Forwards", "70")
    if response.status >= 300:
        return with_top_via(Request("ACK", invite.uri, headers), invite.via)
    ack = Request("ACK", dialog.target or invite.uri, headers.without("Route"), body)
    return ack if like is not invite else _own_branch(ack, invite.cseq.number)


def hanging_up(invite: Request, dialog: Dialog, number: int) -> Request:
    """A BYE the caller did not send, as the far end or a CANCEL ended the call that was captured."""
    headers = _kept(invite.headers, b"").with_("To", dialog.to).without("Route")
    headers = headers.with_("CSeq", f"{number} BYE").with_("Max-Forwards", "70")
    return _own_branch(Request("BYE", dialog.target or invite.uri, headers), number)


def replying(captured: Reaction | None, request: Request) -> Response:
    """The caller's response to a request of ours: the captured one's status and body, or 200."""
    if captured is None or not isinstance(captured.message, Response):
        return respond(request, 200)
    like = captured.message
    kind = like.headers.get("Content-Type")
    headers = (("Content-Type", kind),) if like.body and kind else ()
    return respond(request, like.status, like.reason, headers=headers, body=like.body)


def packet(data: bytes, names: Mapping[int, str], ours: Mapping[int, str]) -> bytes:
    """An RTP packet under the payload type that means the same to us, converted where we chose the other G.711 law.

    Args:
        data: as captured; RTCP and whatever is no RTP stays as it is.
        names: what payload types meant in the capture.
        ours: what they mean by our SDP.
    """
    if len(data) < 2 or is_rtcp(data):
        return data
    kind = data[1] & _MASK_TYPE
    name = names.get(kind)
    if name is None or ours.get(kind) == name:
        return data
    types = {ours[number]: number for number in sorted(ours, reverse=True)}
    if name in types:
        return bytes((data[0], data[1] & _MARKER | types[name])) + data[2:]
    other = next((one for one in types if one in _SPEECH), None)
    return data if name not in _SPEECH or other is None else _converted(data, name, other, types[other])


def _converted(data: bytes, have: str, want: str, kind: int) -> bytes:
    try:
        read = parse(data)
    except BadPacket:
        return data
    samples = LAWS[have].decode(np.frombuffer(read.payload, np.uint8))
    return bytes(replace(read, payload_type=kind, payload=LAWS[want].encode(samples).tobytes()))


def _kept(headers: Headers, body: bytes) -> Headers:
    """What of a request's headers another of the same dialog has: not what described its body or the offer."""
    names = ("Content-Length", "Supported", "Require", "Allow", "Expires", "Session-Expires", "Min-SE", "Contact")
    for name in names if body else (*names, "Content-Type"):
        headers = headers.without(name)
    return headers


def _own_branch(request: Request, number: int) -> Request:
    """Under a branch the capture has not used; the same in every run."""
    via = request.via
    params = via.params.with_("branch", f"{_BRANCH}{request.method.lower()}-{number}")
    return with_top_via(request, replace(via, params=params))
