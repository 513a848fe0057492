"""Dialogs: route sets, targets, where requests go, and writing them down."""

import json
from dataclasses import replace

import pytest

from sipgw.errors import PeerError
from sipgw.flow import Flow
from sipgw.options import Nat, SipOptions, TrunkOptions
from sipgw.sip.dialog import Dialog
from sipgw.sip.message import Headers, Request, Response, parse
from sipgw.sip.paths import next_hop, response_flow
from sipgw.sip.uri import Uri
from tests.fakes.sip_phone import FLOW, OURS, Phone, Wire, reply

ROUTES = "Record-Route: <sip:127.0.0.1:5091;lr>, <sip:127.0.0.1:5092;lr>\r\n"
SDP = b"v=0\r\n"


def request(text: str) -> Request:
    message = parse(text.encode())
    assert isinstance(message, Request)
    return message


def called(**how: str) -> Dialog:
    return Dialog.of_request(request(Phone(**how).invite()), FLOW, "ours")  # type: ignore[arg-type]


def test_the_callee_takes_the_route_set_in_order() -> None:
    dialog = called(more=ROUTES)
    uri, routes, flow = dialog.address()
    assert uri == "sip:phone@127.0.0.1:5070"
    assert routes == ("<sip:127.0.0.1:5091;lr>", "<sip:127.0.0.1:5092;lr>")
    assert flow.remote == ("127.0.0.1", 5091)


def test_the_caller_takes_the_route_set_in_reverse() -> None:
    wire = Wire()
    leg = wire.agent.invite("sip:a@127.0.0.1:5070", FLOW, SDP, 0.0, from_="<sip:b@127.0.0.1>")
    (ack,) = wire.gets(reply(wire.take()[0], 200, to_tag="x", more=ROUTES))
    assert ack.all("Route") == ["<sip:127.0.0.1:5092;lr>", "<sip:127.0.0.1:5091;lr>"]
    assert ack.flow.remote == ("127.0.0.1", 5092)
    wire.agent.hang_up(leg, 0.0)
    assert wire.take()[0].all("Route") == ack.all("Route")


def test_the_200_of_the_callee_repeats_the_record_route() -> None:
    wire = Wire()
    wire.gets(Phone(more=ROUTES).invite())
    wire.agent.answer(wire.events()[0].leg, SDP, 0.0)
    (ok,) = wire.take()
    assert ok.all("Record-Route") == ["<sip:127.0.0.1:5091;lr>, <sip:127.0.0.1:5092;lr>"]


def test_a_strict_router_gets_itself_as_the_request_uri() -> None:
    dialog = called(more="Record-Route: <sip:127.0.0.1:5091>, <sip:127.0.0.1:5092;lr>\r\n")
    uri, routes, flow = dialog.address()
    assert uri == "sip:127.0.0.1:5091"
    assert routes == ("<sip:127.0.0.1:5092;lr>", "<sip:phone@127.0.0.1:5070>")
    assert flow.remote == ("127.0.0.1", 5091)


def test_a_reinvite_moves_the_target_but_not_the_routes() -> None:
    dialog = called(more=ROUTES)
    dialog.refresh(request(Phone(contact="<sip:new@127.0.0.1:5099>").invite()))
    assert dialog.target == "sip:new@127.0.0.1:5099"
    assert len(dialog.routes) == 2


def test_a_contact_that_cannot_be_read_is_no_new_target() -> None:
    dialog = called()
    dialog.refresh(Response(200, "OK", request(Phone(contact="nonsense here").invite()).headers))
    assert dialog.target == "sip:phone@127.0.0.1:5070"


def test_an_invite_without_contact_leaves_from() -> None:
    text = Phone().invite().replace("Contact: <sip:phone@127.0.0.1:5070>\r\n", "")
    assert Dialog.of_request(request(text), FLOW, "ours").target == "sip:phone@127.0.0.1"


def test_cseq_may_jump_and_repeat_but_not_go_back() -> None:
    dialog = called(more="")
    dialog.heard(request(Phone(cseq=50).bye()), FLOW)
    dialog.heard(request(Phone(cseq=50).bye()), FLOW)
    with pytest.raises(PeerError) as caught:
        dialog.heard(request(Phone(cseq=49).bye()), FLOW)
    assert caught.value.status == 500


@pytest.mark.parametrize(
    ("uri", "remote", "behind_nat", "expected"),
    [
        ("sip:a@127.0.0.1:5099", "127.0.0.1", False, ("127.0.0.1", 5099)),
        ("sip:a@127.0.0.1", "127.0.0.1", False, ("127.0.0.1", 5060)),
        ("sip:a@198.51.100.9", "203.0.113.5", False, ("198.51.100.9", 5060)),
        ("sip:a@8.8.8.8", "9.9.9.9", False, ("8.8.8.8", 5060)),
        ("sip:a@8.8.8.8", "9.9.9.9", True, None),
        ("sip:a@192.168.1.5:5060", "9.9.9.9", False, None),
        ("sip:a@127.0.0.1:5060", "192.168.1.5", False, None),
        ("sip:a@169.254.7.7:5060", "192.168.1.5", False, None),
        ("sip:a@[fe80::7]:5060", "2001:470::5", False, None),
        ("sip:a@10.1.1.1:5060", "192.168.1.5", False, ("10.1.1.1", 5060)),
        ("sip:a@phone.example.com", "127.0.0.1", False, None),
        ("sip:a@127.0.0.1:5099;transport=tcp", "127.0.0.1", False, None),
        ("sip:a@127.0.0.1:5099;transport=UDP", "127.0.0.1", False, ("127.0.0.1", 5099)),
        ("sip:a@0.0.0.0", "127.0.0.1", False, None),
        ("sip:a@255.255.255.255", "127.0.0.1", False, None),
        ("sip:a@224.0.1.75", "127.0.0.1", False, None),
        ("sip:a@[::1]:5099", "127.0.0.1", False, None),
        ("sip:a@[::1]:5099", "::1", False, ("::1", 5099)),
        ("tel:+15550100", "127.0.0.1", False, None),
    ],
)
def test_where_a_request_goes(uri: str, remote: str, behind_nat: bool, expected: tuple[str, int] | None) -> None:
    flow = Flow("udp", OURS, (remote, 5070))
    assert next_hop(Uri.parse(uri), flow, behind_nat=behind_nat).remote == (expected or flow.remote)


@pytest.mark.parametrize(
    ("uri", "nat", "expected"),
    [
        ("sip:a@8.8.8.8:5066", "always", None),
        ("sip:a@8.8.8.8:5066", "never", ("8.8.8.8", 5066)),
        ("sip:a@192.168.1.5:5066", "always", None),
        ("sip:a@192.168.1.5:5066", "never", ("192.168.1.5", 5066)),
        ("sip:a@224.0.1.75", "never", None),
        ("sip:a@phone.example.com", "never", None),
        ("sip:a@8.8.8.8;transport=tcp", "never", None),
    ],
)
def test_a_trunk_may_say_whether_a_contact_is_believed(uri: str, nat: Nat, expected: tuple[str, int] | None) -> None:
    flow = Flow("udp", OURS, ("9.9.9.9", 5070))
    for behind_nat in (True, False):
        hop = next_hop(Uri.parse(uri), flow, behind_nat=behind_nat, nat=nat)
        assert hop.remote == (expected or flow.remote)


@pytest.mark.parametrize(("nat", "port"), [("auto", 5070), ("always", 1024), ("never", 5070)])
def test_requests_within_a_call_go_as_its_trunk_has_it(nat: Nat, port: int) -> None:
    source = Flow("udp", OURS, ("127.0.0.1", 1024))
    wire = Wire(SipOptions(trunks=(TrunkOptions("carrier", ("127.0.0.0/8",), nat=nat),)))
    phone = Phone(contact="<sip:phone@127.0.0.1:5070>")
    wire.gets(phone.invite(), source)
    leg = wire.events()[0].leg
    wire.agent.answer(leg, SDP, 0.0)
    wire.gets(phone.within(wire.take()[-1]).ack(), source)
    wire.agent.hang_up(leg, 0.0)
    (bye,) = wire.take()
    assert (bye.flow.remote[1], bye.first) == (port, "BYE sip:phone@127.0.0.1:5070 SIP/2.0")


def test_a_peer_behind_a_nat_is_answered_where_it_was_last_heard() -> None:
    wire = Wire()
    home, moved = (Flow("udp", OURS, ("9.9.9.9", port)) for port in (1024, 2048))
    text = Phone(contact="<sip:phone@8.8.8.8:5070>").invite().replace("UDP 127.0.0.1:5070", "UDP 8.8.8.8:5070;rport")
    wire.gets(text, home)
    leg = wire.events()[0].leg
    wire.agent.answer(leg, SDP, 0.0)
    phone = replace(Phone().within(wire.take()[0]), branch="z9hG4bK-ping")
    wire.gets(phone.ack(), home)
    ping = phone.request("OPTIONS", cseq=2).replace("UDP 127.0.0.1:5070", "UDP 8.8.8.8:5070;rport")
    wire.gets(ping, moved)
    wire.agent.hang_up(leg, 0.0)
    (bye,) = wire.take()
    assert bye.flow == moved
    assert bye.first == "BYE sip:phone@8.8.8.8:5070 SIP/2.0"


def test_a_stream_is_kept_for_the_whole_dialog() -> None:
    flow = Flow("tcp", OURS, ("127.0.0.1", 40_000))
    assert next_hop(Uri.parse("sip:a@127.0.0.1:5099;transport=tcp"), flow, behind_nat=False) == flow


# Writing down


def test_a_dialog_survives_json() -> None:
    dialog = called(more=ROUTES)
    assert Dialog.restore(json.loads(json.dumps(dialog.snapshot()))) == dialog


def test_dialogs_of_other_versions_are_refused() -> None:
    with pytest.raises(ValueError, match="version None"):
        Dialog.restore({})


@pytest.mark.parametrize(
    ("via", "port"),
    [
        ("SIP/2.0/UDP phone.example.com", 5060),
        ("SIP/2.0/UDP 192.168.1.5:5066", 5066),
        ("SIP/2.0/UDP 192.168.1.5:5066;rport", 1024),
        ("SIP/2.0/UDP 192.168.1.5:5066;rport=99", 1024),
        ("SIP/2.0/UDP 192.168.1.5:0", 5060),
    ],
)
def test_a_response_goes_to_the_source_and_to_its_port_only_where_the_via_asks_for_that(via: str, port: int) -> None:
    source = Flow("udp", OURS, ("9.9.9.9", 1024))
    request = Request("OPTIONS", "sip:a@b", Headers([("Via", f"{via};branch=z9hG4bK1")]))
    assert response_flow(request, source).remote == ("9.9.9.9", port)
