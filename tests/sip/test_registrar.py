"""Phones register with us: ladders in simulated time (RFC 3261 section 10.3, RFC 3327, RFC 5626)."""

from dataclasses import replace
from itertools import count

import pytest

from sipgw.errors import PeerError
from sipgw.flow import Flow
from sipgw.options import PhoneOptions, SipOptions, TrunkOptions
from sipgw.sip.bindings import BindingEvent, PhoneBound, PhoneUnbound
from sipgw.sip.digest import Challenge, secret_of
from sipgw.sip.events import Invited
from tests.fakes.desk_phone import DESK, DeskPhone
from tests.fakes.sip_phone import FLOW, OFFER, OURS, Heard, Wire, reply

FAR = ("192.168.7.9", 40_000)
"""Private, as the phone is behind it: nothing else tells them apart."""
NATTED = Flow("udp", OURS, FAR)
STREAM = Flow("tcp", OURS, FAR)
OTHER = PhoneOptions("lobby", "300", "other secret")


def wire(*phones: PhoneOptions, **more: object) -> Wire:
    return Wire(SipOptions(phones=phones or (DESK,), known=(), **more))  # type: ignore[arg-type]


def phone(one: Wire, **more: object) -> DeskPhone:
    return DeskPhone(one, **more)  # type: ignore[arg-type]


def heard(one: Wire) -> list[tuple[str, str]]:
    """What is told from now on: what happened, and the contact's URI."""
    told: list[tuple[str, str]] = []

    def hear(event: BindingEvent, now: float) -> None:
        what = event.reason if isinstance(event, PhoneUnbound) else "new" if event.new else "refreshed"
        told.append((what, str(event.binding.contact.uri)))

    one.agent.registrar.bindings.told = hear
    return told


def uris(one: Wire, address: str = "phone:desk") -> list[str]:
    try:
        return [reach.uri for reach in one.agent.registrar.locate(address)]
    except PeerError:
        return []


def test_a_phone_registers_refreshes_and_leaves() -> None:
    one = wire()
    told = heard(one)
    desk = phone(one, contact="<sip:200@127.0.0.1:5070;rinstance=abc>")
    response = desk.register()
    assert (response.brief, response["Contact"]) == ("200", "<sip:200@127.0.0.1:5070;rinstance=abc>;expires=3600")
    (reach,) = one.agent.registrar.locate("phone:desk")
    assert (reach.uri, reach.flow) == ("sip:200@127.0.0.1:5070;rinstance=abc", FLOW)
    one.until(100.0)
    # One that only asks changes nothing, and hears how long it has.
    assert desk.register("Subject: query")["Contact"].endswith(";expires=3500")
    assert desk.register()["Contact"].endswith(";expires=3600")
    assert "Contact" not in desk.register(f"Contact: {desk.contact}", "Expires: 0")
    assert uris(one) == []
    assert [what for what, _ in told] == ["new", "refreshed", "left"]


@pytest.mark.parametrize("algorithm", ["MD5", "SHA-256", "SHA-512-256"])
@pytest.mark.parametrize("hashed", [False, True])
def test_with_every_algorithm_by_password_and_by_hash(algorithm: str, hashed: bool) -> None:
    options = DESK
    if hashed:
        options = replace(DESK, password="", hashes=((algorithm, secret_of(algorithm, "200", "sipgw", DESK.password)),))
    one = wire(options, algorithms=(algorithm,))
    assert phone(one, algorithm=algorithm).register().brief == "200"
    assert phone(one, algorithm=algorithm, password="guess", call_id="2").register().brief == "401"
    assert "wrong_credentials" in one.drops()


def test_an_old_nonce_and_a_repeated_count_are_stale() -> None:
    one = wire()
    desk = phone(one)
    desk.register()
    one.now = 400.0
    (again,) = one.gets(desk.request("REGISTER"), desk.source)
    challenge = Challenge.parse(again["WWW-Authenticate"])
    assert challenge is not None
    assert (again.brief, challenge.stale) == ("401", True)
    desk.learn(again)
    assert desk.register().brief == "200"
    desk.uses -= 1
    assert one.gets(desk.request("REGISTER"), desk.source)[0].brief == "401"
    assert "replayed_credentials" in one.drops()


def test_expiry_by_time() -> None:
    one = wire()
    told = heard(one)
    phone(one).register("Contact: <sip:200@127.0.0.1:5070>;expires=100", "Expires: 3000")
    one.until(99.9)
    assert uris(one) == ["sip:200@127.0.0.1:5070"]
    one.until(100.1)
    assert uris(one) == []
    assert [what for what, _ in told] == ["new", "expired"]
    one.until(200.0)
    assert one.agent.next_timer() is None


@pytest.mark.parametrize(
    ("rows", "expires"),
    [
        (("Contact: <sip:a@b>",), 3600),
        (("Contact: <sip:a@b>", "Expires: 99999"), 3600),
        (("Contact: <sip:a@b>;expires=soon",), 3600),
        (("Contact: sip:a@b;expires=90",), 90),
    ],
)
def test_how_long_it_lasts(rows: tuple[str, ...], expires: int) -> None:
    assert phone(wire()).register(*rows)["Contact"] == f"<sip:a@b>;expires={expires}"


def test_too_brief_an_interval_is_refused_with_what_is_long_enough() -> None:
    one = wire()
    response = phone(one).register("Contact: <sip:a@b>", "Expires: 30")
    assert (response.brief, response["Min-Expires"]) == ("423", "60")
    assert uris(one) == []


@pytest.mark.parametrize(
    ("rows", "status"),
    [
        (("Contact: *", "Expires: 60"), "400"),
        (("Contact: *",), "400"),
        (("Contact: *, <sip:a@b>", "Expires: 0"), "400"),
        (("Contact: <mailto:a@b>",), "400"),
        (("Contact: <sip:a@b?Subject=x>",), "400"),
        ((f"Contact: <sip:{'a' * 1000}@b>",), "400"),
        (("Contact: <sip:a@b>", "Path: <tel:1>"), "400"),
        ((f"Contact: {','.join(f'<sip:{n}@b>' for n in range(6))}",), "403"),
        (("Contact: <sip:a@b>", "Require: outbound"), "420"),
        (("Contact: <sip:a@b>", "Require: gruu"), "420"),
    ],
)
def test_what_is_refused_changes_nothing(rows: tuple[str, ...], status: str) -> None:
    one = wire()
    desk = phone(one)
    desk.register()
    assert desk.register(*rows).brief == status
    assert uris(one) == ["sip:200@127.0.0.1:5070"]


def test_a_phone_speaks_for_itself_alone() -> None:
    one = wire(DESK, OTHER)
    desk = phone(one)
    assert desk.register("Contact: <sip:a@b>", to="300").brief == "403"
    assert desk.register("Contact: <sip:a@b>", to="999").brief == "404"
    assert uris(one, "phone:lobby") == []
    with pytest.raises(PeerError, match="480"):
        one.agent.registrar.locate("phone:desk")
    with pytest.raises(PeerError, match="404"):
        one.agent.registrar.locate("phone:nobody")


def test_all_are_taken_away_at_once() -> None:
    one = wire()
    desk = phone(one)
    desk.register("Contact: <sip:a@b>, <sip:c@d>")
    assert "Contact" not in desk.register("Contact: *", "Expires: 0")
    assert uris(one) == []


def test_the_best_place_is_called_first_and_of_equals_the_newest() -> None:
    one = wire()
    desk = phone(one)
    desk.register("Contact: <sip:a@b>;q=0.5, <sip:c@d>;q=0.9, <sip:e@f>;q=never")
    desk.register("Contact: <sip:g@h>;q=0.5")
    assert uris(one) == ["sip:e@f", "sip:c@d", "sip:g@h", "sip:a@b"]


def test_one_place_too_many_takes_that_of_the_oldest() -> None:
    one = wire(replace(DESK, max_contacts=2))
    told = heard(one)
    desk = phone(one)
    for host in ("a", "b", "a", "c"):
        desk.register(f"Contact: <sip:200@{host}>")
    assert uris(one) == ["sip:200@c", "sip:200@a"]
    assert told[-1] == ("crowded_out", "sip:200@b")


def test_one_that_was_overtaken_changes_nothing() -> None:
    one = wire()
    desk = phone(one)
    desk.register()
    for late in (f"Contact: {desk.contact}", "Contact: *"):
        one.until(one.now + 40.0)  # until then it is taken for a repeat
        desk.numbers = count(2)
        assert desk.register(late, "Expires: 0").brief == "500"
    assert uris(one) == ["sip:200@127.0.0.1:5070"]
    # Another Call-ID is a phone that was started anew.
    assert phone(one, call_id="2").register(f"Contact: {desk.contact}", "Expires: 0").brief == "200"
    assert uris(one) == []


def test_a_phone_behind_a_nat_is_called_where_it_sends_from() -> None:
    one = wire()
    phone(one, source=NATTED, via="192.168.1.2:5060", contact="<sip:200@192.168.1.2:5060>").register()
    (reach,) = one.agent.registrar.locate("phone:desk")
    assert (reach.uri, reach.flow) == ("sip:200@192.168.1.2:5060", NATTED)


def test_a_phone_behind_a_proxy_is_called_there_once_its_connection_is_over() -> None:
    one = wire()
    desk = phone(one, source=STREAM, via=f"{FAR[0]}:5060")
    desk.register("Contact: <sip:200@10.0.0.1>", f"Path: <sip:{FAR[0]}:5062;transport=tcp;lr>")
    one.agent.flow_lost(STREAM, 10.0)
    assert one.agent.registrar.locate("phone:desk")[0].flow == Flow("tcp", OURS, (FAR[0], 5062))


# --- calls to phones ------------------------------------------------------------------------------------------------


def call(one: Wire) -> tuple[str, Heard]:
    """Call the desk: the leg, and the INVITE as it was sent."""
    (reach,) = one.agent.registrar.locate("phone:desk")
    leg = one.agent.invite(
        reach.uri, reach.flow, OFFER.encode(), one.now, from_="<sip:gateway@sipgw.example>", headers=reach.headers
    )
    (invite,) = one.take()
    return leg, invite


def test_a_call_to_a_phone_behind_a_nat_stays_on_its_way_through_it() -> None:
    one = wire()
    contact = "<sip:200@192.168.1.2:5060;rinstance=abc>"
    phone(one, source=NATTED, via="192.168.1.2:5060", contact=contact).register()
    leg, invite = call(one)
    assert (invite.first, invite.flow) == ("INVITE sip:200@192.168.1.2:5060;rinstance=abc SIP/2.0", NATTED)
    # What it answers names its inside address, which may be one of ours as well.
    (ack,) = one.gets(reply(invite, 200, to_tag="d", body=OFFER, contact=contact), NATTED)
    assert (ack.brief, ack.flow) == ("ACK", NATTED)
    one.agent.hang_up(leg, 1.0)
    (bye,) = one.take()
    assert (bye.first, bye.flow) == ("BYE sip:200@192.168.1.2:5060;rinstance=abc SIP/2.0", NATTED)


def test_a_call_to_a_phone_takes_its_connection_and_its_route() -> None:
    one = wire()
    path = "<sip:edge.example;lr>"
    phone(one, source=STREAM).register("Contact: <sip:200@10.0.0.1>", f"Path: {path}", "Supported: path")
    _, invite = call(one)
    assert (invite["Route"], invite.flow) == (path, STREAM)


def test_a_proxy_that_wants_to_stay_in_between_is_called_first() -> None:
    one = wire()
    path = "<sip:edge.example;lr;ob>"
    response = phone(one, source=STREAM).register("Contact: <sip:200@10.0.0.1>", f"Path: {path}", "Supported: path")
    assert (response["Path"], response["Supported"]) == (path, "path, outbound")
    (reach,) = one.agent.registrar.locate("phone:desk")
    assert (reach.headers, reach.flow) == ((("Route", path),), STREAM)


def test_outbound_replaces_what_the_same_device_registered_before() -> None:
    one = wire()
    device = '+sip.instance="<urn:uuid:1>";reg-id=1'
    desk = phone(one, source=STREAM)
    response = desk.register(f"Contact: <sip:200@10.0.0.1:5060>;{device}", "Supported: path, outbound")
    assert (response["Require"], response["Flow-Timer"]) == ("outbound", "600")
    assert response["Contact"] == f"<sip:200@10.0.0.1:5060>;{device};expires=3600"
    anew = phone(one, source=replace(STREAM, remote=(FAR[0], 41_000)), call_id="2")
    anew.register(f"Contact: <sip:200@10.0.0.1:6060>;{device}", "Supported: path, outbound")
    assert uris(one) == ["sip:200@10.0.0.1:6060"]


def test_over_udp_outbound_is_not_claimed() -> None:
    response = phone(wire()).register('Contact: <sip:a@b>;+sip.instance="<x>";reg-id=1', "Supported: outbound")
    assert "Require" not in response
    assert response["Contact"] == '<sip:a@b>;+sip.instance="<x>";reg-id=1;expires=3600'


def test_a_phone_is_gone_with_its_connection() -> None:
    one = wire()
    told = heard(one)
    phone(one, source=STREAM, via="10.0.0.1:5060", contact="<sip:200@10.0.0.1:5060;transport=tcp>").register()
    assert one.agent.registrar.locate("phone:desk")[0].flow == STREAM
    one.agent.flow_lost(STREAM, 10.0)
    assert uris(one) == []
    assert told[-1][0] == "connection_lost"


def test_a_phone_that_takes_connections_is_called_at_its_contact_once_its_own_is_over() -> None:
    one = wire()
    contact = f"<sip:200@{FAR[0]}:5060;transport=tcp>"
    phone(one, source=STREAM, via=f"{FAR[0]}:5060", contact=contact).register()
    one.agent.flow_lost(STREAM, 10.0)
    assert one.agent.registrar.locate("phone:desk")[0].flow == Flow("tcp", OURS, (FAR[0], 5060))


# --- calls from phones ----------------------------------------------------------------------------------------------


def calling(one: Wire) -> str | None:
    """As whose a call came; None where none did."""
    found = [event for event in one.events() if isinstance(event, Invited)]
    return found[0].trunk if found else None


@pytest.mark.parametrize("known", [(), ("127.0.0.0/8",)])
def test_over_udp_a_registered_phone_proves_every_call(known: tuple[str, ...]) -> None:
    one = Wire(SipOptions(phones=(DESK,), known=known))
    desk = phone(one)
    desk.register()
    desk.challenge = None
    asked = desk.invite()[-1]
    assert (asked.brief, calling(one)) == ("401", None)
    desk.learn(asked)
    desk.invite()
    assert calling(one) == "phone:desk"


def test_on_the_connection_it_registered_on_a_phone_is_believed() -> None:
    one = wire()
    desk = phone(one, source=STREAM)
    desk.register()
    desk.challenge = None
    desk.invite()
    assert calling(one) == "phone:desk"
    # Two on one connection have to prove it: it says nothing of which of them calls.
    wider = wire(DESK, OTHER)
    phone(wider, source=STREAM).register()
    lobby = phone(wider, user="300", password="other secret", source=STREAM, call_id="2")
    lobby.register("Contact: <sip:300@10.0.0.2>")
    lobby.challenge = None
    assert lobby.invite()[-1].brief == "401"


def test_where_and_how_a_phone_may_come() -> None:
    one = wire(replace(DESK, sources=("192.168.7.0/24",), transports=("tcp",)))
    assert one.gets(phone(one).request("REGISTER"), FLOW) == [], "a stranger"
    assert phone(one, source=NATTED).register().brief == "401"
    assert phone(one, source=STREAM, call_id="2").register().brief == "200"


def test_without_phones_nobody_registers() -> None:
    one = Wire(SipOptions())
    assert one.gets(phone(one).request("REGISTER"), FLOW)[0].brief == "405"


def test_a_registered_phone_is_more_than_the_trunk_of_its_address() -> None:
    one = wire(trunks=(TrunkOptions("pbx", ("127.0.0.1",)),))
    desk = phone(one)
    desk.register()
    desk.invite()
    assert calling(one) == "phone:desk"


def test_a_reload_takes_away_phones_that_are_gone_or_other_and_no_others() -> None:
    one = wire(DESK, OTHER)
    told = heard(one)
    phone(one).register()
    phone(one, user="300", password="other secret", call_id="2").register("Contact: <sip:300@127.0.0.1:5071>")
    one.agent.reconfigure(SipOptions(phones=(DESK, replace(OTHER, password="new")), known=()), 1.0)
    assert (uris(one), uris(one, "phone:lobby")) == (["sip:200@127.0.0.1:5070"], [])
    one.agent.reconfigure(SipOptions(known=()), 2.0)
    assert [what for what, _ in told] == ["new", "new", "removed", "removed"]


# --- what outlives us -----------------------------------------------------------------------------------------------


def test_bindings_of_an_earlier_run() -> None:
    before = wire()
    kept = []

    def hear(event: BindingEvent, now: float) -> None:
        assert isinstance(event, PhoneBound)
        kept.append(event.binding)

    before.agent.registrar.bindings.told = hear
    phone(before).register()
    phone(before, source=STREAM, call_id="2").register("Contact: <sip:200@10.0.0.1:5060;transport=tcp>")
    after = wire()
    taken = [after.agent.registrar.restore(binding, 50.0) for binding in kept]
    assert taken == [True, False], "no connection outlives its process"
    assert uris(after) == ["sip:200@127.0.0.1:5070"]
    assert after.agent.registrar.restore(kept[0], 3601.0) is False
    assert wire(OTHER).agent.registrar.restore(kept[0], 50.0) is False
    # It goes on as if nothing had been.
    after.now = 60.0
    assert phone(after, call_id="2").register("Subject: query")["Contact"].endswith(";expires=3540")
