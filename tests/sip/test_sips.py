"""What we call ourselves in Contact, and SIPS URIs among that (RFC 3261 sections 8.1.1.8 and 12.1.1, RFC 7118)."""

from dataclasses import replace

import pytest

from sipgw.flow import Flow
from sipgw.options import ListenerOptions, SipOptions
from sipgw.sip.paths import contact
from tests.fakes.sip_phone import OFFER, OURS, PHONE, Heard, Phone, Wire, answered, reply

TLS = Flow("tls", ("127.0.0.1", 5061), PHONE)
LISTENER = ListenerOptions("tls", "127.0.0.1", 5061, "SBC.example.com")
SIPS = "sips:echo@sbc.example.com"
ROUTE = "Record-Route: <sips:edge.example.com;lr>\r\n"


def wire() -> Wire:
    return Wire(SipOptions((LISTENER, ListenerOptions())))


def rung(phone: Phone, source: Flow = TLS) -> Heard:
    """The 180 that a call gets."""
    one = wire()
    one.gets(phone.invite(), source)
    one.agent.ring(one.events()[-1].leg, 0.0)
    return one.take()[-1]


@pytest.mark.parametrize(
    ("transport", "plain", "secure"),
    [
        ("udp", "sip:me@h:5060", "sip:me@h:5060"),
        ("tcp", "sip:me@h:5060;transport=tcp", "sip:me@h:5060;transport=tcp"),
        ("tls", "sip:me@h:5060;transport=tls", "sips:me@h:5060"),
        ("ws", "sip:me@h:5060;transport=ws", "sip:me@h:5060;transport=ws"),
        ("wss", "sip:me@h:5060;transport=ws", "sips:me@h:5060;transport=ws"),
    ],
)
def test_the_uri_that_leads_to_us_by_transport(transport: str, plain: str, secure: str) -> None:
    flow = Flow(transport, OURS, PHONE)
    assert contact("H", flow, user="me") == plain
    assert contact("H", flow, user="me", secure=True) == secure


def test_a_peer_that_wants_a_name_gets_one_from_the_listener_that_has_it() -> None:
    assert rung(Phone())["Contact"] == "<sip:sbc.example.com:5061;transport=tls>"
    assert rung(Phone(), Flow("udp", OURS, PHONE))["Contact"] == "<sip:127.0.0.1:5060>"


@pytest.mark.parametrize(
    "phone",
    [
        Phone(uri=SIPS),
        Phone(more=ROUTE),
        Phone(contact="<sips:phone@127.0.0.1:5071>"),
        Phone(uri=SIPS, contact="<sip:phone@127.0.0.1:5071>"),
    ],
)
def test_who_comes_by_sips_is_answered_with_sips(phone: Phone) -> None:
    assert rung(phone)["Contact"] == "<sips:sbc.example.com:5061>"


def test_the_route_counts_more_than_the_contact() -> None:
    phone = Phone(more="Record-Route: <sip:edge.example.com;lr>\r\n", contact="<sips:phone@127.0.0.1:5071>")
    assert rung(phone)["Contact"] == "<sip:sbc.example.com:5061;transport=tls>"


@pytest.mark.parametrize("method", ["INVITE", "OPTIONS"])
def test_sips_over_what_is_not_secure_is_refused(method: str) -> None:
    (refused,) = wire().gets(Phone(uri=SIPS).request(method, OFFER if method == "INVITE" else ""))
    assert refused.first == "SIP/2.0 416 SIPS Needs TLS"


def test_our_own_requests_follow_where_they_go() -> None:
    one = wire()
    leg = one.agent.invite("sips:you@example.com", TLS, b"v=0\r\n", 0.0, from_="<sips:me@example.com>")
    (invite,) = one.take()
    assert invite["Contact"] == "<sips:sbc.example.com:5061>"
    one.gets(reply(invite, 200, to_tag="x", contact="<sips:you@127.0.0.1:5071>"), TLS)
    one.take()
    one.agent.reinvite(leg, b"v=0\r\n", 0.0)
    (again,) = one.take()
    assert (again.first, again["Contact"]) == (
        "INVITE sips:you@127.0.0.1:5071 SIP/2.0",
        "<sips:sbc.example.com:5061>",
    )


def test_so_do_refreshes_by_route() -> None:
    one = wire()
    leg, phone = answered(one, Phone(more=ROUTE))
    one.agent.reinvite(leg, b"v=0\r\n", 0.0)
    (again,) = one.take()
    # Over UDP nobody can reach us by sips.
    assert again["Contact"] == "<sip:127.0.0.1:5060>"
    dialog = one.agent.dialog(phone.to_tag)
    assert dialog is not None
    assert dialog.secure
    assert not replace(dialog, routes=()).secure


def test_whoever_knows_better_says_by_which_host_we_are_reached() -> None:
    one = wire()
    one.agent.naming = lambda flow: {"127.0.0.1": "198.51.100.7"}[flow.remote[0]]
    _, phone = answered(one)
    one.agent.hang_up(phone.to_tag, 0.0)
    (bye,) = one.take()
    assert bye["Via"].startswith("SIP/2.0/UDP 198.51.100.7:5060;")
    one.agent.naming = lambda flow: "198.51.100.8"
    one.gets(reply(bye, 200))
    assert one.drops() == [], "what was asked under one name is answered to that"
