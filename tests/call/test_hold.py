"""The far end's hold, in every spelling there is, and the way back (RFC 3264 section 8.4, RFC 6337 section 5.3)."""

import pytest

from sipgw.ai import events as ai
from sipgw.call import effects as do
from sipgw.call.commands import HoldCall
from sipgw.call.negotiation import Negotiation
from sipgw.media import plane
from sipgw.options import MediaOptions
from tests.fakes.control import Control, commands, only, sdp, told

SIX = sdp(address="2001:db8::7").replace(b"IN IP4", b"IN IP6")


def session_level(way: str, own: str = "") -> bytes:
    """The direction is the session's; `own` is that of the line itself."""
    return sdp(way=own or "x").replace(b"t=0 0\r\n", b"t=0 0\r\na=" + way.encode() + b"\r\n")


def line_level(address: str, way: str = "sendrecv") -> bytes:
    """The line has a `c=` of its own."""
    return sdp(way=way).replace(b"a=rtpmap", f"c=IN IP4 {address}\r\na=rtpmap".encode(), 1)


HOLDS: dict[str, tuple[bytes, bytes]] = {
    "sendonly": (sdp(way="sendonly"), b"a=recvonly\r\n"),
    "inactive": (sdp(way="inactive"), b"a=inactive\r\n"),
    "in capitals": (sdp(way="SENDONLY"), b"a=recvonly\r\n"),
    "sendonly of the session": (session_level("sendonly"), b"a=recvonly\r\n"),
    "inactive of the session": (session_level("inactive"), b"a=inactive\r\n"),
    "of the line, not the session": (session_level("sendrecv", "inactive"), b"a=inactive\r\n"),
    "address of zero": (sdp(address="0.0.0.0"), b"a=inactive\r\n"),
    "address of zero on the line": (line_level("0.0.0.0"), b"a=inactive\r\n"),
    "address of zero, with music": (sdp(address="0.0.0.0", way="sendonly"), b"a=recvonly\r\n"),
    "address of zero of the other family": (sdp(address="::").replace(b"IP4 ::", b"IP6 ::"), b"a=inactive\r\n"),
    "port of zero": (sdp(port=0), b"m=audio 0 RTP/AVP 0 8 101\r\n"),
}
"""The offer, and what our answer says."""


def held(control: Control) -> tuple[str, ...]:
    """Who holds the one call."""
    return control.calls.calls()[0].held_by


@pytest.mark.parametrize("spelling", HOLDS)
def test_hold_is_hold_however_it_is_spelled_and_ends_with_sendrecv(spelling: str) -> None:
    offer, said = HOLDS[spelling]
    control = Control()
    phone = control.invite().talks()
    effects = phone.reinvite(offer)
    assert said in only(do.Answer, effects).body
    assert not only(plane.UpdateSession, commands(effects)).stream.sending
    assert told(effects) == [ai.Mute(True)]
    assert held(control) == ("caller",)
    phone.ack()
    # Said twice, it is the same hold.
    assert told(phone.reinvite(offer)) == []
    phone.ack()
    effects = phone.reinvite(sdp(version=3))
    assert b"a=sendrecv\r\n" in only(do.Answer, effects).body
    stream = only(plane.UpdateSession, commands(effects)).stream
    assert (stream.sending, stream.receiving, stream.remote) == (True, True, ("192.0.2.7", 40_000))
    assert told(effects) == [ai.Mute(False)]
    assert held(control) == ()


@pytest.mark.parametrize(
    ("offer", "said"),
    [
        # It does not hold us: it is silent itself, such as a phone whose microphone is off.
        (sdp(way="recvonly"), b"a=sendonly\r\n"),
        (session_level("inactive", "sendrecv"), b"a=sendrecv\r\n"),
        (line_level("192.0.2.7").replace(b"c=IN IP4 192.0.2.7\r\nt=", b"c=IN IP4 0.0.0.0\r\nt="), b"a=sendrecv\r\n"),
    ],
)
def test_what_only_looks_like_hold_is_none(offer: bytes, said: bytes) -> None:
    control = Control()
    phone = control.invite().talks()
    effects = phone.reinvite(offer)
    assert said in only(do.Answer, effects).body
    assert told(effects) == []
    assert held(control) == ()


HELD_SIX = (
    SIX.replace(b"c=IN IP6 2001:db8::7", b"c=IN IP6 ::"),
    SIX.replace(b"c=IN IP6 2001:db8::7", b"c=IN IP4 0.0.0.0"),
    SIX.replace(b"sendrecv", b"inactive"),
)


@pytest.mark.parametrize("offer", HELD_SIX)
def test_hold_over_ipv6(offer: bytes) -> None:
    one = Negotiation("n1-1", MediaOptions())
    one.read(SIX, six=True)
    one.begin("2001:db8::1", 20_002)
    body, stream = one.reinvited(offer)
    assert b"a=inactive\r\n" in body
    assert stream is not None
    assert not stream.sending
    assert one.far_holds


@pytest.mark.parametrize("spelling", HOLDS)
def test_where_both_hold_either_can_resume_first(spelling: str) -> None:
    offer, _ = HOLDS[spelling]
    control = Control()
    phone = control.invite().talks()
    phone.reinvite(offer)
    phone.ack()
    control.command(HoldCall("n1-0001"))
    phone.accepts(sdp(way="inactive"))
    assert held(control) == ("gateway", "caller")
    assert b"a=sendonly\r\n" in only(do.Answer, phone.reinvite(sdp(version=3))).body
    assert held(control) == ("gateway",)


def test_a_call_may_begin_with_a_stream_but_not_without() -> None:
    control = Control()
    control.invite(sdp(port=0))
    assert only(do.Refuse, control.effects).status == 488


def test_an_offer_of_something_else_is_no_hold() -> None:
    """A fax machine's, say: refused, and the call goes on as it was."""
    control = Control()
    phone = control.invite().talks()
    fax = sdp().replace(b"m=audio 40000 RTP/AVP 0 8 101", b"m=image 40000 udptl t38")
    assert only(do.Refuse, phone.reinvite(fax)).status == 488
    assert held(control) == ()
