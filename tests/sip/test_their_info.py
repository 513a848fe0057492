"""INFO within a call: keys, and what we do not take (RFC 6086)."""

import pytest

from sipgw.sip.events import HungUp, KeyPressed
from tests.fakes.sip_phone import Phone, Wire, answered

RELAY, PLAIN = "application/dtmf-relay", "application/dtmf"


def info(body: str, kind: str = "", more: str = "") -> tuple[list[str], list[tuple[str, int]]]:
    """What an INFO in a call gets: responses and keys; the call goes on as before."""
    wire = Wire()
    leg, phone = answered(wire)
    phone = phone.next("z9hG4bK-info")
    heard = wire.gets(phone.request("INFO", body, more=(f"Content-Type: {kind}\r\n" if kind else "") + more))
    keys = [(one.digit, one.duration_ms) for one in wire.events() if isinstance(one, KeyPressed) and one.leg == leg]
    assert [one.brief for one in wire.gets(phone.bye())] == ["200"]
    assert [type(event) for event in wire.events()] == [HungUp]
    return [one.text for one in heard], keys


@pytest.mark.parametrize(
    ("body", "kind", "pressed"),
    [
        ("Signal=5\r\nDuration=250\r\n", RELAY, ("5", 250)),
        ("Signal= 5\nDuration= 250\n", RELAY, ("5", 250)),
        ("signal=#\r\n", "Application/DTMF-Relay; charset=utf-8", ("#", 160)),
        ("Signal=11\r\nDuration=x\r\n", RELAY, ("#", 160)),
        ("Signal=d\r\nDuration=99999999\r\n", RELAY, ("D", 10_000)),
        ("7", PLAIN, ("7", 160)),
        ("10\r\n", PLAIN, ("*", 160)),
    ],
)
def test_a_key_is_taken_in_every_spelling(body: str, kind: str, pressed: tuple[str, int]) -> None:
    said, keys = info(body, kind)
    assert [text.split("\r\n")[0] for text in said] == ["SIP/2.0 200 OK"]
    assert keys == [pressed]


@pytest.mark.parametrize(
    ("body", "kind", "more", "line"),
    [
        ("", "", "", "SIP/2.0 200 OK"),
        ("<picture_fast_update/>", "application/media_control+xml", "", "SIP/2.0 415 Unsupported Media Type"),
        ("5", "", "", "SIP/2.0 415 Unsupported Media Type"),
        ("Signal=x\r\n", RELAY, "", "SIP/2.0 400 no DTMF key"),
        ("", PLAIN, "Info-Package: trickle-ice\r\n", "SIP/2.0 469 Bad Info Package"),
        ("Signal=5", RELAY, "Info-Package: dtmf\r\n", "SIP/2.0 469 Bad Info Package"),
        ("Duration=160\r\n", RELAY, "", "SIP/2.0 400 no DTMF key"),
    ],
)
def test_what_is_no_key_does_no_harm(body: str, kind: str, more: str, line: str) -> None:
    said, keys = info(body, kind, more)
    assert [text.split("\r\n")[0] for text in said] == [line]
    assert keys == []
    assert ("Recv-Info:" in said[0]) == (" 469 " in line)
    assert ("Accept: application/dtmf-relay, application/dtmf" in said[0]) == (" 415 " in line)


def test_a_repeated_info_is_one_key() -> None:
    wire = Wire()
    leg, phone = answered(wire)
    text = phone.next("z9hG4bK-info").request("INFO", "5", more=f"Content-Type: {PLAIN}\r\n")
    assert [one.brief for _ in range(3) for one in wire.gets(text)] == ["200"] * 3
    assert wire.events() == [KeyPressed(leg, "5", 160)]


def test_outside_a_call_there_is_nothing_to_press() -> None:
    wire = Wire()
    assert [one.brief for one in wire.gets(Phone().request("INFO"))] == ["481"]
    assert [one.brief for one in wire.gets(Phone(to_tag="gone", branch="z9hG4bK-2").request("INFO"))] == ["481"]
    assert wire.events() == []


@pytest.mark.parametrize("method", ["MESSAGE", "SUBSCRIBE", "NOTIFY", "REFER", "PUBLISH", "REGISTER"])
def test_methods_that_are_not_served_leave_a_call_alone(method: str) -> None:
    wire = Wire()
    _, phone = answered(wire)
    phone = phone.next("z9hG4bK-other")
    assert [one.brief for one in wire.gets(phone.request(method, "x", more="Content-Type: text/plain\r\n"))] == ["405"]
    assert wire.events() == []
    assert [one.brief for one in wire.gets(phone.bye())] == ["200"]
