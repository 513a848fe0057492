"""We are asked who we are: 401 and 407, several at once, on any request."""

import pytest

from sipgw.sip.digest import Authorization, Challenge, Credentials
from sipgw.sip.events import Answered, Refused, Released
from tests.fakes.sip_phone import FLOW, Heard, Wire, reply

KNOWN = Credentials("15551234", "secret")


def calling(wire: Wire, *known: Credentials) -> tuple[str, Heard]:
    leg = wire.agent.invite(
        *("sip:human@127.0.0.1:5070", FLOW, b"v=0\r\n", wire.now),
        from_="<sip:gw@127.0.0.1>",
        credentials=known or (KNOWN,),
    )
    (invite,) = wire.take()
    return leg, invite


def asks(request: Heard, nonce: str, status: int = 401, realm: str = "carrier", stale: bool = False) -> str:
    name = "WWW-Authenticate" if status == 401 else "Proxy-Authenticate"
    challenge = Challenge(realm, nonce, "SHA-256", ("auth",), stale=stale)
    return reply(request, status, to_tag="asks", more=f"{name}: {challenge}\r\n")


def proof(request: Heard, header: str = "Authorization") -> Authorization:
    read = Authorization.parse(request[header])
    assert read is not None
    method = request.first.split(" ")[0]
    assert read.signed("secret", method, request.body.encode()) == read
    assert read.uri == request.first.split(" ")[1]
    return read


def test_a_challenged_invite_is_sent_again_with_proof() -> None:
    wire = Wire()
    _, first = calling(wire)
    ack, second = wire.gets(asks(first, "n1"))
    assert (ack.brief, second.brief) == ("ACK", "INVITE")
    assert (second["Call-ID"], second["From"]) == (first["Call-ID"], first["From"])
    assert (first["CSeq"], second["CSeq"]) == ("1 INVITE", "2 INVITE")
    assert first["Via"] != second["Via"]
    assert (proof(second).nonce, proof(second).nc) == ("n1", "00000001")
    (ack2,) = wire.gets(reply(second, 200, to_tag="human"))
    assert ack2["CSeq"] == "2 ACK"
    assert ack2["Authorization"] == second["Authorization"]
    assert [type(event) for event in wire.events()] == [Answered]


def test_the_bye_uses_what_was_learned_and_answers_a_nonce_that_went_stale() -> None:
    wire = Wire()
    leg, first = calling(wire)
    _, second = wire.gets(asks(first, "n1"))
    wire.gets(reply(second, 200, to_tag="human"))
    wire.agent.hang_up(leg, 1.0)
    (bye,) = wire.take()
    assert (proof(bye).nonce, proof(bye).nc) == ("n1", "00000002")
    (again,) = wire.gets(asks(bye, "n2", stale=True))
    assert (proof(again).nonce, proof(again).nc) == ("n2", "00000001")
    wire.events()
    wire.gets(reply(again, 200))
    assert [type(event) for event in wire.events()] == [Released]


def test_a_reinvite_is_answered_for_as_well() -> None:
    wire = Wire()
    leg, first = calling(wire)
    wire.gets(reply(first, 200, to_tag="human"))
    wire.agent.reinvite(leg, b"v=0\r\n", 1.0)
    (reinvite,) = wire.take()
    assert "Authorization" not in reinvite
    _, again = wire.gets(asks(reinvite, "n1"))
    assert proof(again).nonce == "n1"


def test_a_proxy_and_the_server_behind_it_both_ask() -> None:
    wire = Wire()
    _, first = calling(wire)
    _, second = wire.gets(asks(first, "p", 407, "proxy"))
    assert proof(second, "Proxy-Authorization").realm == "proxy"
    _, third = wire.gets(asks(second, "s", 401, "server"))
    assert (proof(third).realm, proof(third, "Proxy-Authorization").realm) == ("server", "proxy")
    assert proof(third, "Proxy-Authorization").nc == "00000002"


def test_a_wrong_password_is_not_tried_twice() -> None:
    wire = Wire()
    _, first = calling(wire)
    _, second = wire.gets(asks(first, "n1"))
    assert [one.brief for one in wire.gets(asks(second, "n2"))] == ["ACK"]
    (event,) = wire.events()
    assert isinstance(event, Refused)
    assert event.status == 401


def test_endless_stale_nonces_end() -> None:
    wire = Wire()
    _, request = calling(wire)
    for number in range(10):
        sent = wire.gets(asks(request, f"n{number}", stale=True))
        if sent[-1].brief == "ACK":
            break
        request = sent[-1]
    assert number == 4
    assert isinstance(wire.events()[-1], Refused)


@pytest.mark.parametrize("known", [Credentials("u", "p", "elsewhere"), None])
def test_who_asks_for_what_we_do_not_know_gets_nothing(known: Credentials | None) -> None:
    wire = Wire()
    if known is not None:
        _, first = calling(wire, known)
    else:
        wire.agent.invite("sip:a@127.0.0.1:5070", FLOW, b"", 0.0, from_="<sip:gw@127.0.0.1>")
        (first,) = wire.take()
    assert [one.brief for one in wire.gets(asks(first, "n1"))] == ["ACK"]
    assert isinstance(wire.events()[-1], Refused)


def test_the_realm_chooses_the_credentials() -> None:
    wire = Wire()
    _, first = calling(wire, Credentials("other", "x", "elsewhere"), Credentials("15551234", "secret", "carrier"))
    _, second = wire.gets(asks(first, "n1"))
    assert proof(second).username == "15551234"


def test_the_strongest_of_several_challenges_is_the_first_we_know() -> None:
    wire = Wire()
    _, first = calling(wire)
    more = "".join(
        f"WWW-Authenticate: {Challenge('carrier', nonce, algorithm, ('auth',))}\r\n"
        for nonce, algorithm in (("1", "SHA-999"), ("2", "SHA-512-256"), ("3", "MD5"))
    )
    _, second = wire.gets(reply(first, 401, to_tag="asks", more=more))
    assert (proof(second).nonce, proof(second).algorithm) == ("2", "SHA-512-256")


def test_a_nonce_that_was_good_may_age_without_a_word() -> None:
    wire = Wire()
    leg, first = calling(wire)
    _, second = wire.gets(asks(first, "n1"))
    wire.gets(reply(second, 200, to_tag="human"))
    wire.agent.hang_up(leg, 1.0)
    (bye,) = wire.take()
    assert proof(bye).nonce == "n1"
    (again,) = wire.gets(asks(bye, "n2"))
    assert (proof(again).nonce, proof(again).nc) == ("n2", "00000001")
    assert wire.gets(asks(again, "n3")) == []


def test_what_was_refused_is_not_said_again() -> None:
    wire = Wire()
    leg, first = calling(wire)
    wire.gets(reply(first, 200, to_tag="human"))
    wire.agent.reinvite(leg, b"v=0\r\n", 1.0)
    (reinvite,) = wire.take()
    _, again = wire.gets(asks(reinvite, "n1"))
    wire.gets(asks(again, "n2"))
    wire.agent.reinvite(leg, b"v=0\r\n", 2.0)
    (later,) = wire.take()
    assert "Authorization" not in later


def test_what_is_sent_again_is_cancelled_once_it_was_heard() -> None:
    wire = Wire()
    leg, first = calling(wire)
    wire.gets(reply(first, 100))
    _, second = wire.gets(asks(first, "n1"))
    wire.agent.hang_up(leg, 0.0)
    assert wire.take() == []
    (cancel,) = wire.gets(reply(second, 180, to_tag="human"))
    assert (cancel.brief, cancel["CSeq"]) == ("CANCEL", "2 CANCEL")


@pytest.mark.parametrize("early", [True, False])
def test_who_hung_up_does_not_prove_who_it_was(early: bool) -> None:
    wire = Wire()
    leg, first = calling(wire)
    if not early:
        wire.gets(reply(first, 100))
    wire.agent.hang_up(leg, 0.0)
    wire.take()
    assert [one.brief for one in wire.gets(asks(first, "n1"))] == ["ACK"]
    assert [type(event) for event in wire.events()] == [Released]
