"""Reason headers of others, and ours."""

import pytest

from sipgw.sip.events import Cancelled, HungUp, Refused
from sipgw.sip.message import Headers, Request, Response
from sipgw.sip.reason import Q850, SIP, FarReason, reason, reason_of
from tests.fakes.sip_phone import Phone, Wire, answered, reply
from tests.sip.test_agent_uac import calling


def bye(*values: str) -> Request:
    return Request("BYE", "sip:a@b", Headers([("Reason", value) for value in values]))


@pytest.mark.parametrize(
    ("values", "told"),
    [
        (['Q.850;cause=16;text="Terminated"'], FarReason(None, 16, "Terminated")),
        (["Q.850 ;cause=31; text=Normal"], FarReason(None, 31, "Normal")),
        (['q.850;cause="17"'], FarReason(None, 17)),
        (['SIP;cause=200;text="Call completed elsewhere"'], FarReason(200, None, "Call completed elsewhere")),
        (['SIP ;cause=486 ;text="a, b", Q.850;cause=17'], FarReason(486, 17, "a, b")),
        (['SIP;cause=600;text="Busy"', 'Q.850;cause=17;text="User busy"'], FarReason(600, 17, "User busy")),
        # Of several of one protocol the first counts.
        (["Q.850;cause=16", "Q.850;cause=31"], FarReason(None, 16)),
        # What is no reason costs itself alone.
        (["Q.850;cause=16;text=", "X.int;reasonCode=0x1"], FarReason(None, 16)),
        (["Q.850;cause=900", "Q.850;cause=-1", "Q.850", "Q.850;cause", ";;;", 'Q.850;cause=16;text="'], FarReason()),
        (["SIP;cause=7000", "Q.850;cause=127"], FarReason(None, 127)),
        (["SIP;cause=0"], FarReason()),
        ([], FarReason()),
    ],
)
def test_what_others_write(values: list[str], told: FarReason) -> None:
    assert reason_of(bye(*values)) == told


def test_what_is_told_is_bounded_and_can_be_printed() -> None:
    told = reason_of(bye(f'Q.850;cause=16;text="\x1b[31mred\x07 {"x" * 500}"'))
    assert told.text.startswith("[31mred x")
    assert len(told.text) <= 128
    assert reason_of(bye(*["X;cause=1"] * 50, "Q.850;cause=16")) == FarReason()


def test_a_response_tells_its_status_and_its_phrase() -> None:
    assert reason_of(Response(480, "Nobody home", Headers())) == FarReason(480, None, "Nobody home")
    headers = Headers([("Reason", 'Q.850;cause=19;text="no answer"'), ("Reason", "SIP;cause=503")])
    assert reason_of(Response(480, "Nobody home", headers)) == FarReason(480, 19, "no answer")
    assert reason_of(None) == FarReason()


def test_ours_is_read_as_it_was_meant() -> None:
    for protocol, told in ((Q850, FarReason(None, 41, 'say "no"')), (SIP, FarReason(408, None, 'say "no"'))):
        header = reason(protocol, told.q850 or told.status or 0, told.text)
        assert reason_of(Request("BYE", "sip:a@b", Headers([header]))) == told


def test_events_tell_why_the_far_end_ended_the_call() -> None:
    why = 'Reason: Q.850;cause=27;text="out of order"\r\n'
    _, phone = answered(wire := Wire())
    wire.gets(phone.request("BYE", cseq=2, branch="z9hG4bK-bye", more=why))
    (event,) = wire.events()
    assert isinstance(event, HungUp)
    assert event.reason == FarReason(None, 27, "out of order")


def test_a_cancel_tells_that_another_phone_answered() -> None:
    wire = Wire()
    wire.gets(Phone().invite())
    wire.events()
    wire.gets(Phone().request("CANCEL", more="Reason: SIP;cause=200\r\n"))
    (event,) = wire.events()
    assert isinstance(event, Cancelled)
    assert event.reason == FarReason(200)


def test_a_refusal_of_our_invite_tells_both() -> None:
    _, invite = calling(wire := Wire())
    wire.gets(reply(invite, 500, to_tag="x", more="Reason: Q.850;cause=38\r\n"))
    (event,) = wire.events()
    assert isinstance(event, Refused)
    assert event.reason == FarReason(500, 38, "Whatever")


def test_our_bye_to_who_never_acknowledged_says_so() -> None:
    wire = Wire()
    wire.gets(Phone().invite())
    wire.agent.answer(wire.events()[0].leg, b"v=0\r\n", 0.0)
    byes = [heard for heard in wire.until(40.0) if heard.brief == "BYE"]
    assert byes[0]["Reason"] == 'SIP;cause=408;text="no ACK came"'


def test_our_bye_to_a_second_phone_says_that_another_answered() -> None:
    _, invite = calling(wire := Wire())
    wire.gets(reply(invite, 200, to_tag="first"))
    _, bye = wire.gets(reply(invite, 200, to_tag="second"))
    assert bye["Reason"] == 'SIP;cause=200;text="Call completed elsewhere"'
