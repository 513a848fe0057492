"""An INVITE that takes the place of a dialog: whom it means, who may send it, and what it gets otherwise."""

from dataclasses import replace

import pytest

from sipgw.errors import PeerError
from sipgw.flow import Flow
from sipgw.options import ListenerOptions, PhoneOptions, SipOptions, TrunkOptions
from sipgw.sip.digest import Credentials
from sipgw.sip.events import Confirmed, Invited, Released
from sipgw.sip.replaces import Replaces
from tests.fakes.sip_phone import FLOW, OURS, Heard, Phone, Wire, answered, reply
from tests.sip.test_agent_uac import calling, up
from tests.sip.test_memory import restored
from tests.sip.test_trust import answer, challenge

OTHER = Phone(call_id="call-2", tag="desk", branch="z9hG4bK-desk")
"""Who takes over."""


def taking(phone: Phone, **how: str) -> Phone:
    """Somebody who wants the place of `phone`, or of what `how` changes of it."""
    named = {"call_id": phone.call_id, "to_tag": phone.to_tag, "from_tag": phone.tag, "flags": "", **how}
    value = "{call_id};to-tag={to_tag};from-tag={from_tag}{flags}".format(**named)
    return replace(OTHER, more=f"Replaces: {value}\r\n")


def status(wire: Wire, phone: Phone, source: Flow = FLOW) -> str:
    """What an INVITE gets last."""
    return wire.gets(phone.invite(), source)[-1].brief


# The header


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("a@b;to-tag=1;from-tag=2", Replaces("a@b", "1", "2")),
        (" a@b ; from-tag=2 ;TO-TAG=1;early-only;x=y", Replaces("a@b", "1", "2", early_only=True)),
        ("a;to-tag=1;from-tag=0", Replaces("a", "1", "0")),
    ],
)
def test_what_others_write(text: str, read: Replaces) -> None:
    assert Replaces.parse(text) == read
    assert Replaces.parse(str(read)) == read


@pytest.mark.parametrize(
    "text",
    ["", "a@b", "a@b;to-tag=1", "a@b;from-tag=1", ";to-tag=1;from-tag=2", "a;to-tag;from-tag=1", "a;to-tag=1;=2",
     "a;to-tag=1;from-tag=2;from-tag=3", "a;to-tag=1;from-tag=2, b;to-tag=1;from-tag=2"],
)  # fmt: skip
def test_what_names_no_dialog(text: str) -> None:
    with pytest.raises(PeerError, match="400 Bad"):
        Replaces.parse(text)


# As the one who is called


def test_the_layer_above_learns_whose_place_is_wanted_and_hangs_that_up() -> None:
    leg, phone = answered(wire := Wire())
    wire.gets(taking(phone).invite())
    (event,) = wire.events()
    assert isinstance(event, Invited)
    assert (event.replaces, event.leg != leg) == (leg, True)
    wire.agent.answer(event.leg, b"v=0\r\n", 0.0)
    wire.agent.hang_up(leg, 0.0)
    ok, bye = wire.take()
    assert (ok.brief, ok.to_tag, bye.brief, bye["Call-ID"]) == ("200", event.leg, "BYE", "call-1")
    wire.gets(taking(phone).within(ok).ack())
    wire.gets(reply(bye, 200))
    confirmed, released = wire.events()
    assert isinstance(confirmed, Confirmed)
    assert (confirmed.leg, released) == (event.leg, Released(leg))


def test_one_that_is_refused_changes_nothing() -> None:
    leg, phone = answered(wire := Wire())
    wire.gets(taking(phone).invite())
    wire.agent.refuse(wire.events()[0].leg, 488, 0.0)
    assert [heard.brief for heard in wire.take()] == ["488"]
    assert wire.agent.dialog(leg) is not None
    assert [heard.brief for heard in wire.gets(phone.bye())] == ["200"]


def test_one_that_is_cancelled_changes_nothing() -> None:
    leg, phone = answered(wire := Wire())
    wire.gets(taking(phone).invite())
    assert [heard.brief for heard in wire.gets(OTHER.cancel())] == ["200", "487"]
    assert wire.agent.dialog(leg) is not None


def test_a_call_that_was_answered_and_waits_for_its_ack_can_be_replaced() -> None:
    wire = Wire()
    wire.gets(Phone().invite())
    leg = wire.events()[0].leg
    wire.agent.answer(leg, b"v=0\r\n", 0.0)
    phone = Phone().within(wire.take()[-1])
    wire.gets(taking(phone).invite())
    (event,) = wire.events()
    wire.agent.answer(event.leg, b"v=0\r\n", 0.0)
    wire.agent.hang_up(leg, 0.0)
    assert [heard.brief for heard in wire.take()] == ["200"]
    # The BYE waits until the old one may have it (RFC 3261 section 15).
    assert [heard.brief for heard in wire.gets(phone.ack())] == ["BYE"]


@pytest.mark.parametrize(
    "how", [{"call_id": "call-9"}, {"to_tag": "nobody"}, {"from_tag": "nobody"}, {"from_tag": "0"}]
)
def test_a_dialog_that_is_not_there_is_481(how: dict[str, str]) -> None:
    _, phone = answered(wire := Wire())
    assert status(wire, taking(phone, **how)) == "481"
    assert wire.events() == []


def test_a_peer_without_a_tag_is_0() -> None:
    _, phone = answered(wire := Wire(), Phone(tag=""))
    wire.gets(taking(phone, from_tag="0").invite())
    assert isinstance(wire.events()[0], Invited)


def test_a_call_of_theirs_that_rings_cannot_be_replaced() -> None:
    wire = Wire()
    wire.gets(Phone().invite())
    wire.agent.ring(wire.events()[0].leg, 0.0)
    phone = Phone().within(wire.take()[-1])
    assert status(wire, taking(phone)) == "481"


def test_one_that_was_answered_is_busy_to_who_wants_only_an_early_one() -> None:
    _, phone = answered(wire := Wire())
    assert status(wire, taking(phone, flags=";early-only")) == "486"


@pytest.mark.parametrize("by", ["them", "us", "us, unanswered"])
def test_one_that_is_over_is_declined(by: str) -> None:
    leg, phone = answered(wire := Wire())
    if by == "them":
        wire.gets(phone.bye())
    else:
        wire.agent.hang_up(leg, 0.0)
        (bye,) = wire.take()
        if by == "us":
            wire.gets(reply(bye, 200))
    wire.events()
    assert status(wire, taking(phone)) == "603"
    assert wire.events() == []


def test_one_that_is_over_by_a_bye_that_came_first_is_declined_and_its_bye_answered() -> None:
    _, phone = answered(wire := Wire())
    assert [heard.brief for heard in wire.gets(phone.bye())] == ["200"]
    assert status(wire, taking(phone)) == "603"


@pytest.mark.parametrize(
    "more",
    ["Replaces: a;to-tag=1;from-tag=2\r\nReplaces: a;to-tag=1;from-tag=2\r\n", "Replaces: a\r\n",
     "Replaces: a;to-tag=1;from-tag=2\r\nJoin: a;to-tag=1;from-tag=2\r\n"],
)  # fmt: skip
def test_what_cannot_be_meant_is_400(more: str) -> None:
    wire = Wire()
    assert status(wire, replace(OTHER, more=more)) == "400"
    assert wire.events() == []


def test_a_reinvite_and_other_requests_must_not_have_it() -> None:
    _, phone = answered(wire := Wire())
    inner = taking(phone).more
    assert [heard.brief for heard in wire.gets(phone.next("z9hG4bK-2", more=inner).invite())] == ["400"]
    assert [heard.brief for heard in wire.gets(replace(OTHER, more=inner).request("OPTIONS"))] == ["400"]
    assert wire.events() == []


def test_a_full_house_does_not_keep_out_who_takes_a_place_in_it() -> None:
    leg, phone = answered(wire := Wire())
    wire.agent.door = lambda source, now: PeerError(503)
    assert status(wire, replace(OTHER, branch="z9hG4bK-3")) == "503"
    assert status(wire, taking(phone, to_tag="nobody")) == "503"
    wire.gets(replace(taking(phone), branch="z9hG4bK-4").invite())
    assert [event.replaces for event in wire.events() if isinstance(event, Invited)] == [leg]


# Who may

TRUNKS = SipOptions(trunks=(TrunkOptions("east", ("127.0.0.1",)), TrunkOptions("west", ("192.0.2.0/24",))))
ELSEWHERE = Flow("udp", OURS, ("192.0.2.9", 5060))


def test_only_the_trunk_that_a_dialog_is_with_may_replace_it() -> None:
    options = replace(TRUNKS, trunks=(TrunkOptions("east", ("127.0.0.1", "198.51.100.7")), TRUNKS.trunks[1]))
    leg, phone = answered(wire := Wire(options))
    assert status(wire, taking(phone), ELSEWHERE) == "403"
    # Another host of the same trunk may.
    wire.gets(
        replace(taking(phone), call_id="call-3", branch="z9hG4bK-5").invite(), Flow("udp", OURS, ("198.51.100.7", 5060))
    )
    assert [event.replaces for event in wire.events() if isinstance(event, Invited)] == [leg]


def test_without_a_trunk_only_the_same_host_may() -> None:
    leg, phone = answered(wire := Wire())
    assert status(wire, taking(phone), ELSEWHERE) == "403"
    wire.gets(
        replace(taking(phone), call_id="call-3", branch="z9hG4bK-5").invite(), Flow("tcp", OURS, ("127.0.0.1", 40_000))
    )
    assert [event.replaces for event in wire.events() if isinstance(event, Invited)] == [leg]


def test_phones_of_ours_may_replace_one_another_but_nobody_else_may() -> None:
    phones = tuple(PhoneOptions(name, name, f"{name}-secret") for name in ("ann", "bob"))
    wire = Wire(replace(SipOptions(phones=phones, trunks=TRUNKS.trunks[1:]), known=()))

    def proven(phone: Phone, name: str) -> list[Heard]:
        (asked,) = wire.gets(phone.invite())
        wire.gets(phone.ack(branch=phone.branch))
        again = replace(phone, cseq=2, branch=f"{phone.branch}-2")
        proof = answer(challenge(asked), again, Credentials(name, f"{name}-secret"))
        return wire.gets(replace(again, more=phone.more + proof).invite())

    proven(Phone(), "ann")
    leg = wire.events()[0].leg
    wire.agent.answer(leg, b"v=0\r\n", 0.0)
    phone = Phone(cseq=2).within(wire.take()[-1])
    wire.gets(phone.ack())
    wire.events()
    assert status(wire, replace(taking(phone), call_id="call-3", branch="z9hG4bK-3"), ELSEWHERE) == "403"
    proven(taking(phone), "bob")
    assert [event.replaces for event in wire.events() if isinstance(event, Invited)] == [leg]


# A dialog that we began


def test_an_answered_call_of_ours_can_be_replaced() -> None:
    leg, invite = up(wire := Wire())
    wire.gets(taking(Phone(call_id=invite["Call-ID"], tag="human", to_tag=leg)).invite())
    assert [event.replaces for event in wire.events() if isinstance(event, Invited)] == [leg]


@pytest.mark.parametrize("flags", ["", ";early-only"])
def test_one_of_ours_that_rings_can_be_replaced_by_any_of_its_early_dialogs(flags: str) -> None:
    leg, invite = calling(wire := Wire())
    wire.gets(reply(invite, 180, to_tag="first"))
    wire.gets(reply(invite, 180, to_tag="second"))
    wire.events()
    wire.gets(taking(Phone(call_id=invite["Call-ID"], tag="second", to_tag=leg), flags=flags).invite())
    (event,) = wire.events()
    assert isinstance(event, Invited)
    assert event.replaces == leg
    wire.agent.answer(event.leg, b"v=0\r\n", 0.0)
    wire.agent.hang_up(leg, 0.0)
    assert [heard.brief for heard in wire.take()] == ["200", "CANCEL"]


def test_one_of_ours_that_is_being_cancelled_is_declined() -> None:
    leg, invite = calling(wire := Wire())
    wire.gets(reply(invite, 180, to_tag="human"))
    wire.agent.hang_up(leg, 0.0)
    wire.take()
    assert status(wire, taking(Phone(call_id=invite["Call-ID"], tag="human", to_tag=leg))) == "603"


# As the one who calls


def test_our_invite_may_take_the_place_of_a_dialog() -> None:
    leg, phone = answered(wire := Wire())
    dialog = wire.agent.dialog(leg)
    assert dialog is not None
    # What a third party would have to send to our far end to take our place.
    named = Replaces.of(dialog)
    assert named == Replaces(phone.call_id, phone.tag, leg)
    wire.agent.invite("sip:phone@127.0.0.1", FLOW, b"", 0.0, from_="<sip:a@b>", headers=named.headers)
    (invite,) = wire.take()
    assert (invite["Replaces"], invite["Require"]) == (f"call-1;to-tag=phone;from-tag={leg}", "replaces")


# After a restart


def test_a_restored_dialog_can_be_replaced() -> None:
    leg, phone = answered(wire := Wire())
    other = restored(wire, leg)
    other.gets(taking(phone).invite())
    assert [event.replaces for event in other.events() if isinstance(event, Invited)] == [leg]


def test_it_is_offered_wherever_capabilities_are_told() -> None:
    wire = Wire(SipOptions((ListenerOptions(),)))
    _, invite = calling(wire)
    assert "replaces" in invite["Supported"].split(", ")
    assert "replaces" in wire.gets(Phone().request("OPTIONS"))[0]["Supported"].split(", ")
