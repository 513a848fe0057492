"""The outer wall: what is dropped unread, what nobody may have too much of, and who is never shut out."""

from collections import Counter
from dataclasses import replace

import pytest

from sipgw.flow import Flow
from sipgw.options import CredentialOptions, DefenceOptions, SipOptions, TrunkOptions
from tests.fakes.sip_phone import FLOW, OURS, Phone, Wire, answered

OTHER = Flow("udp", OURS, ("192.0.2.9", 5060))
TRUNK = TrunkOptions("carrier", (OTHER.remote[0],))
EVERYBODY = ("0.0.0.0/0", "::/0")
GARBAGE = "\x01\x02 garbage\r\n\r\n"


def wire(*trunks: TrunkOptions, known: tuple[str, ...] = EVERYBODY, **defence: object) -> Wire:
    options = DefenceOptions(**defence)  # type: ignore[arg-type]
    return Wire(SipOptions(trunks=trunks, known=known, defence=options))


def new_call(number: int) -> Phone:
    return Phone(call_id=f"call-{number}", tag=f"p{number}", branch=f"z9hG4bK-{number}")


def calls(one: Wire, source: Flow = FLOW, number: int = 0) -> list[str]:
    """What a new call gets at once."""
    phone = new_call(number)
    return [heard.brief for heard in one.gets(phone.invite(), source) if heard["Call-ID"] == phone.call_id]


# --- dropped unread -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("agent", ["friendly-scanner", "sipvicious", "Asterisk PBX 18.9"])
def test_scanners_get_silence_and_leave_no_trace(agent: str) -> None:
    one = wire(TRUNK, known=())
    phone = Phone(more=f"User-Agent: {agent}\r\n")
    for method in ("OPTIONS", "REGISTER", "INVITE", "SUBSCRIBE", "CANCEL", "ACK", "BYE"):
        assert one.gets(phone.request(method)) == []
    for text in (GARBAGE, "SIP/2.0 200 OK\r\n\r\n", "GET / HTTP/1.1\r\n\r\n", "\x16\x03\x01"):
        assert one.gets(text) == []
    assert Counter(one.drops()) == {"stranger": 11}
    assert (len(one.agent._core.exchange), one.agent.next_timer(), one.agent.bans.now(0.0)) == (0, None, [])


def test_what_is_no_sip_is_not_parsed_and_keep_alives_are_no_offence() -> None:
    one = wire(offences=2)
    for text in ("\r\n\r\n", "\0\0\0\0", "\r\n", ""):
        one.gets(text)
    assert one.drops() == ["keep_alive"] * 4
    one.gets(GARBAGE)
    one.gets("OPTIONS sip:x\r\n\r\n")
    assert one.drops()[4:] == ["not_sip"] * 2
    assert [ban.reason for ban in one.agent.bans.now(0.0)] == ["not_sip"]


def test_one_header_line_too_many_or_too_long_is_told() -> None:
    one = wire()
    for more in ("X-A: b\r\n" * 260, f"X-A: {'b' * 9000}\r\n", f"X-A: b\r\n{' b' * 2000}\r\n{' b' * 3000}\r\n"):
        (refused,) = one.gets(Phone(more=more).invite())
        assert refused.brief == "400"
        assert len(refused.text) < 600
    assert one.drops() == ["bad_message"] * 3
    assert calls(one) == ["100"]


# --- rates --------------------------------------------------------------------------------------------------------


def test_more_messages_a_second_than_a_source_may_send_are_dropped() -> None:
    one = wire(messages_per_second=10)
    sent = [bool(one.gets(new_call(number).request("OPTIONS"))) for number in range(15)]
    assert sent == [True] * 10 + [False] * 5
    assert one.gets(new_call(99).request("OPTIONS"), OTHER)
    one.now = 0.1
    assert one.gets(new_call(20).request("OPTIONS"))
    assert not one.gets(new_call(21).request("OPTIONS"))
    assert Counter(one.drops()) == {"too_many_messages": 6}


def test_a_second_of_too_many_messages_is_one_offence() -> None:
    one = wire(messages_per_second=10, offences=3)
    for second in range(3):
        one.now = float(second)
        assert one.agent.bans.now(one.now) == []
        for number in range(100):
            one.gets(new_call(100 * second + number).request("OPTIONS"))
    assert [ban.reason for ban in one.agent.bans.now(2.0)] == ["too_many_messages"]


def test_a_million_forged_sources_do_not_take_the_place_of_trunks_and_running_calls() -> None:
    one = wire(TRUNK, unproven_messages_per_second=50)
    leg, phone = answered(one)
    for number in range(300):
        forged = Flow("udp", OURS, (f"198.51.{number >> 8}.{number & 255}", 5060))
        one.gets(new_call(number).request("OPTIONS"), forged)
    assert Counter(one.drops())["too_many_unproven"] == 300 - 49 + 1
    assert one.agent.bans.now(0.0) == [], "whom it hit is not to blame"
    assert calls(one, OTHER, 1000) == ["100"]
    assert [heard.brief for heard in one.gets(phone.bye())] == ["200"]
    assert one.agent.dialog(leg) is None


def test_what_is_remembered_of_sources_is_limited() -> None:
    one = wire(unproven_messages_per_second=0)
    options = Phone().request("OPTIONS").encode()
    one.agent.draining = True  # a short answer
    defence = one.agent._core.defence
    for number in range(25_000):
        flow = Flow("udp", OURS, (f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}", 5060))
        assert not defence.turned_away(options, flow, 0.0)
        defence.prove(flow, 0.0)
    assert (len(defence._buckets), len(defence._proven)) == (10_000, 10_000)
    assert len(defence._named_hosts) <= 10_000


# --- half-open ----------------------------------------------------------------------------------------------------


def test_a_source_with_too_many_open_invites_is_refused_without_state_until_some_are_settled() -> None:
    one = wire(half_open_per_source=3)
    for number in range(3):
        assert calls(one, number=number) == ["100"]
    (refused,) = one.gets(new_call(3).invite())
    assert (refused.brief, refused["Retry-After"]) == ("503", "5")
    assert len(one.agent._core.exchange) == 3
    assert calls(one, OTHER, 4) == ["100"]
    # Answered and acknowledged, refused and acknowledged.
    legs = [event.leg for event in one.events()]
    one.agent.answer(legs[0], b"v=0\r\n", 0.0)
    answer = one.take()[-1]
    assert calls(one, number=5) == ["503"]
    one.gets(new_call(0).within(answer).ack())
    assert calls(one, number=6) == ["100"]
    one.agent.refuse(legs[1], 486, 0.0)
    refusal = one.take()[-1]
    assert calls(one, number=7) == ["503"]
    one.gets(new_call(1).within(refusal).ack(branch="z9hG4bK-1"))
    assert calls(one, number=8) == ["100"]


def test_the_limit_for_all_together_is_none_for_trunks() -> None:
    one = wire(TRUNK, half_open=2)
    assert [calls(one, number=number) for number in range(3)] == [["100"], ["100"], ["503"]]
    assert [calls(one, OTHER, number) for number in range(10, 13)] == [["100"]] * 3
    one.until(40.0)


def test_nothing_stays_half_open_for_ever() -> None:
    one = wire()
    for number in range(5):
        one.gets(new_call(number).invite())
    for event in one.events():
        one.agent.refuse(event.leg, 486, 0.0)
    assert len(one.agent._core.exchange.half_open) == 5
    one.until(64.0)
    assert len(one.agent._core.exchange.half_open) == 0 == len(one.agent._core.exchange)


def test_beyond_the_limit_of_transactions_nothing_new_begins() -> None:
    one = wire(transactions=4)
    for number in range(6):
        one.gets(new_call(number).request("OPTIONS"))
    assert len(one.agent._core.exchange) == 4
    assert Counter(one.drops()) == {"crowded": 2}


# --- bans ---------------------------------------------------------------------------------------------------------


def test_wrong_numbers_get_a_scanner_banned() -> None:
    one = wire(offences=3)
    for number in range(3):
        assert calls(one, number=number) == ["100"]
        one.agent.refuse(one.events()[-1].leg, 404, 0.0)
    one.take()
    assert calls(one, number=4) == []
    assert one.drops()[-1] == "banned"
    one.agent.bans.lift(FLOW.remote[0])
    assert calls(one, number=5) == ["100"]


def test_guessed_passwords_get_a_scanner_banned_and_questions_do_not() -> None:
    one = wire(TrunkOptions("pbx", users=(CredentialOptions("pbx", "secret"),)), known=(), offences=3)
    for number in range(10):
        (asked,) = one.gets(new_call(number).invite())
    more = (
        f'Authorization: Digest username="pbx", realm="sipgw", nonce="{_nonce(asked["WWW-Authenticate"])}", '
        'uri="sip:echo@127.0.0.1:5060", response="0", algorithm=SHA-256, qop=auth, nc=00000001, cnonce="c"\r\n'
    )
    for number in range(20, 23):
        one.gets(replace(new_call(number), more=more).invite())
    assert [ban.reason for ban in one.agent.bans.now(0.0)] == ["wrong_credentials"]


def test_calls_that_are_never_acknowledged_get_their_source_banned() -> None:
    one = wire(offences=2)
    for number in range(2):
        one.gets(new_call(number).invite())
        one.agent.answer(one.events()[-1].leg, b"v=0\r\n", 0.0)
    one.until(40.0)
    assert [ban.reason for ban in one.agent.bans.now(40.0)] == ["no_ack"]


def test_what_is_sent_in_a_trunks_name_does_not_shut_it_out() -> None:
    one = wire(TRUNK, offences=3, messages_per_second=10)
    for _ in range(100):
        one.gets(GARBAGE, OTHER)
        one.gets("INVITE x SIP/2.0\r\nVia: x\r\n\r\n", OTHER)
    assert one.agent.bans.now(0.0) == []
    assert calls(one, OTHER) == ["100"]


def test_neither_does_it_shut_out_who_is_named_or_in_a_call_over_datagrams() -> None:
    one = wire(known=(*EVERYBODY, OTHER.remote[0]), offences=3)
    _, phone = answered(one)
    for _ in range(100):
        one.gets(GARBAGE, OTHER)
        one.gets(GARBAGE, FLOW)
    assert one.agent.bans.now(0.0) == []
    assert [heard.brief for heard in one.gets(phone.bye())] == ["200"]
    # Over a connection the address cannot be forged: that is its own doing.
    for _ in range(3):
        one.gets(GARBAGE, replace(FLOW, transport="tcp"))
    assert [(ban.source, ban.datagrams_only) for ban in one.agent.bans.now(0.0)] == [(FLOW.remote[0], False)]


def test_limits_are_not_for_who_is_named() -> None:
    one = wire(TRUNK)
    assert one.agent.spares(replace(OTHER, transport="tcp"))
    assert not one.agent.spares(replace(FLOW, transport="tcp"))


def test_a_call_of_an_hour_ago_protects_nobody() -> None:
    one = wire(offences=3)
    answered(one)
    one.now = 3700.0
    for _ in range(3):
        one.gets(GARBAGE)
    assert len(one.agent.bans.now(one.now)) == 1


def test_a_reload_brings_other_limits_and_names() -> None:
    one = wire(offences=2)
    one.agent.reconfigure(SipOptions(defence=DefenceOptions(offences=2, never_banned=(FLOW.remote[0],))), 0.0)
    for _ in range(5):
        one.gets(GARBAGE)
        one.gets(GARBAGE, OTHER)
    assert [ban.source for ban in one.agent.bans.now(0.0)] == [OTHER.remote[0]]


# --- no more comes back than must ----------------------------------------------------------------------------------


def sent_back(one: Wire, text: str, source: Flow = FLOW) -> float:
    """Bytes that a source that never says anything more gets in a minute, for each that was sent in its name."""
    heard = one.gets(text, source)
    for event in one.events():
        one.agent.refuse(event.leg, 404, one.now)
    heard += one.take() + one.until(one.now + 64.0)
    return sum(len(one.text) for one in heard) / len(text)


def test_a_forged_source_gets_little_for_what_is_sent_in_its_name() -> None:
    asking = wire(TrunkOptions("pbx", users=(CredentialOptions("pbx", "secret"),)), known=())
    assert sent_back(asking, Phone().invite()) < 2.2, "a challenge, once"
    for method in ("OPTIONS", "REGISTER", "SUBSCRIBE", "BYE"):
        assert sent_back(wire(), Phone().request(method)) < 1.5
    assert sent_back(wire(), Phone(more="Require: nothing\r\n").invite()) < 1.0, "a refusal, once"
    assert sent_back(wire(known=()), Phone().invite()) == 0


def test_who_has_proven_its_address_gets_refusals_until_it_acknowledges() -> None:
    one = wire()
    answered(one)
    one.gets(Phone(call_id="2", branch="z9hG4bK-2", more="Require: nothing\r\n").invite())
    assert [brief for _, brief in one.ladder(2.0)] == ["420", "420"]


def _nonce(challenge: str) -> str:
    return challenge.partition('nonce="')[2].partition('"')[0]
