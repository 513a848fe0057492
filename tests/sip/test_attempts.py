"""A request of ours that is tried again: another address, TCP for a large one, a connection that is over."""

from sipgw.flow import Flow
from sipgw.options import ListenerOptions, SipOptions
from sipgw.sip.events import Answered, Refused, Released
from tests.fakes.sip_phone import FLOW, OURS, PHONE, Heard, Phone, Wire, answered, reply

SECOND = Flow("udp", OURS, ("127.0.0.2", 5070))
STREAM = Flow("tcp", OURS, PHONE)
LARGE = b"v=0\r\n" + b"a=candidate:1 1 udp 1 192.0.2.1 9 typ host\r\n" * 30


def calling(wire: Wire, *flows: Flow, body: bytes = b"v=0\r\n") -> Heard:
    wire.agent.invite("sip:human@127.0.0.1:5070", flows or (FLOW,), body, wire.now, from_="<sip:gw@127.0.0.1>")
    (invite,) = wire.take()
    return invite


def numbers(invite: Heard) -> tuple[str, str]:
    return invite["CSeq"], invite["Via"].partition(";branch=")[2]


def test_the_next_address_is_taken_where_the_transport_fails() -> None:
    wire = Wire()
    first = calling(wire, FLOW, SECOND)
    wire.agent.transport_failed(FLOW, 0.0)
    (second,) = wire.take()
    assert (first.flow, second.flow) == (FLOW, SECOND)
    assert numbers(second)[1] != numbers(first)[1]
    assert (second["Call-ID"], second["From"]) == (first["Call-ID"], first["From"])
    wire.gets(reply(second, 200, to_tag="human"), SECOND)
    assert [type(event) for event in wire.events()] == [Answered]


def test_the_next_address_is_taken_on_503_and_on_silence() -> None:
    for way in ("503", "100 and 503", "silence"):
        wire = Wire()
        first = calling(wire, FLOW, SECOND)
        if way == "100 and 503":
            wire.gets(reply(first, 100))
        if way != "silence":
            ack, second = wire.gets(reply(first, 503, to_tag="full"))
            assert ack.brief == "ACK"
        else:
            second = wire.until(32.1)[-1]
        assert (second.brief, second.flow) == ("INVITE", SECOND)
        assert wire.events() == []


def test_the_last_refusal_is_told() -> None:
    wire = Wire()
    first = calling(wire, FLOW, SECOND)
    _, second = wire.gets(reply(first, 503, to_tag="full"))
    wire.gets(reply(second, 503, to_tag="full"), SECOND)
    (event,) = wire.events()
    assert isinstance(event, Refused)
    assert event.status == 503


def test_once_it_rings_no_other_address_is_tried() -> None:
    wire = Wire()
    first = calling(wire, FLOW, SECOND)
    wire.gets(reply(first, 180, to_tag="human"))
    assert [one.brief for one in wire.gets(reply(first, 503, to_tag="human"))] == ["ACK"]
    assert isinstance(wire.events()[-1], Refused)


def test_a_hang_up_ends_the_tries() -> None:
    wire = Wire()
    first = calling(wire, FLOW, SECOND)
    leg = first["From"].partition(";tag=")[2]
    wire.agent.hang_up(leg, 0.0)
    assert [one.brief for one in wire.gets(reply(first, 503, to_tag="full"))] == ["ACK"]
    assert [type(event) for event in wire.events()] == [Released]


def test_a_large_request_goes_over_tcp() -> None:
    wire = Wire()
    invite = calling(wire, body=LARGE)
    assert invite.flow == STREAM
    assert invite["Via"].startswith("SIP/2.0/TCP 127.0.0.1:5060;")
    assert invite["Contact"] == "<sip:127.0.0.1:5060;transport=tcp>"
    assert invite["CSeq"] == "1 INVITE"


def test_where_nobody_takes_the_connection_it_is_a_datagram_after_all_and_stays_so() -> None:
    wire = Wire()
    calling(wire, body=LARGE)
    wire.agent.flow_lost(STREAM, 0.0)
    (datagram,) = wire.take()
    assert datagram.flow == FLOW
    assert datagram["Via"].startswith("SIP/2.0/UDP ")
    wire.gets(reply(datagram, 200, to_tag="human"))
    assert [type(event) for event in wire.events()] == [Answered]
    assert calling(wire, body=LARGE).flow == FLOW


def test_without_a_tcp_listener_a_large_request_is_a_datagram() -> None:
    assert calling(Wire(SipOptions((ListenerOptions(),))), body=LARGE).flow == FLOW


def test_a_dialog_whose_connection_is_over_goes_on_at_the_address_its_peer_named() -> None:
    # A phone behind TCP: it connected from a port of the moment and named the one it listens on in Contact.
    wire = Wire()
    source = Flow("tcp", OURS, (PHONE[0], 40000))
    (*_, ringing) = wire.gets(Phone().invite().replace("SIP/2.0/UDP", "SIP/2.0/TCP"), source)
    leg = ringing.to_tag or wire.events()[0].leg
    wire.agent.answer(leg, b"v=0\r\n", 0.0)
    (ok,) = wire.take()
    assert ok.flow == source
    wire.gets(Phone().within(ok).ack(), source)
    wire.agent.flow_lost(source, 1.0)
    wire.agent.hang_up(leg, 1.0)
    (bye,) = wire.take()
    assert (bye.brief, bye.flow) == ("BYE", Flow("tcp", OURS, PHONE))


def test_a_dialog_over_udp_does_not_care() -> None:
    wire = Wire()
    _, phone = answered(wire)
    wire.agent.hang_up(phone.to_tag, 1.0)
    (bye,) = wire.take()
    assert bye.flow == FLOW
