"""Who is who: trunks by address, by certificate and by digest; strangers get silence."""

from dataclasses import replace

import pytest

from sipgw.flow import Flow
from sipgw.options import NOBODY, CredentialOptions, IdentityOptions, SipOptions, TrunkOptions
from sipgw.sip import accounts
from sipgw.sip.accounts import NONCE_LIFE
from sipgw.sip.digest import Challenge, Credentials
from sipgw.sip.events import Confirmed, Invited
from sipgw.sip.message import Request, parse
from sipgw.sip.trust import Trust
from tests.fakes.sip_phone import FLOW, OFFER, OURS, Heard, Phone, Wire, reply

KNOWN = Credentials("pbx", "secret")
USERS = (CredentialOptions("pbx", "secret"),)
ELSEWHERE = Flow("udp", OURS, ("192.0.2.9", 5060))


def wire(*trunks: TrunkOptions, known: tuple[str, ...] = (), **more: str) -> Wire:
    return Wire(replace(SipOptions(trunks=trunks, known=known), **more))  # type: ignore[arg-type]


def challenge(response: Heard, which: int = 0) -> Challenge:
    read = Challenge.parse(response.all("WWW-Authenticate")[which])
    assert read is not None
    return read


def answer(to: Challenge, phone: Phone, known: Credentials = KNOWN, count: int = 1, method: str = "INVITE") -> str:
    proof = to.answered(known, method, phone.uri, b"", count=count, cnonce="c")
    return f"Authorization: {proof}\r\n"


def invited(one: Wire) -> str | None:
    """The trunk by which a call came; None where none did."""
    found = [event for event in one.events() if isinstance(event, Invited)]
    return found[0].trunk if found else None


def test_a_trunk_is_known_by_its_address() -> None:
    one = wire(TrunkOptions("carrier", ("127.0.0.0/24",)), TrunkOptions("other", ("192.0.2.9",)))
    one.gets(Phone().invite())
    assert invited(one) == "carrier"
    one.gets(Phone(call_id="2", tag="2", branch="z9hG4bK-2").invite(), ELSEWHERE)
    assert invited(one) == "other"


def test_a_trunk_is_known_by_what_its_certificate_proves() -> None:
    one = wire(TrunkOptions("carrier", names=("sbc.carrier.example",)))
    source = Flow("tls", OURS, ("192.0.2.9", 40000), ("sbc.carrier.example",))
    one.gets(Phone().invite(), source)
    assert invited(one) == "carrier"
    assert one.gets(Phone(call_id="2", branch="z9hG4bK-2").invite(), replace(source, names=("x",))) == []


def test_strangers_get_silence_whatever_they_send() -> None:
    one = wire(TrunkOptions("carrier", ("192.0.2.9",)))
    phone = Phone()
    guess = replace(phone, to_tag="guess")
    requests = (phone.invite(), phone.request("OPTIONS"), phone.request("REGISTER"), phone.cancel(), guess.bye())
    for text in (*requests, "INVITE x\r\n\r\n"):
        assert one.gets(text) == []
    assert one.events() == []
    assert one.drops().count("stranger") >= 5
    assert one.agent._core.exchange._transactions == {}


def test_strangers_are_told_where_the_operator_wants_it() -> None:
    one = wire(TrunkOptions("carrier", ("192.0.2.9",)), strangers="refuse")
    (response,) = one.gets(Phone().invite())
    assert response.brief == "403"
    assert one.agent._core.exchange._transactions == {}


def test_somebody_a_route_knows_is_no_stranger_and_no_trunk() -> None:
    one = wire(TrunkOptions("carrier", ("192.0.2.9",)), known=("127.0.0.1",))
    one.gets(Phone().invite())
    assert invited(one) == ""


def test_a_user_proves_who_it_is() -> None:
    one = wire(TrunkOptions("pbx", users=USERS))
    asked = one.gets(Phone().invite())[-1]
    assert asked.brief == "401"
    assert [challenge(asked, which).algorithm for which in (0, 1)] == ["SHA-256", "MD5"]
    one.gets(Phone(to_tag=asked.to_tag).ack(branch="z9hG4bK-1"))
    for which in (0, 1):
        phone = Phone(call_id=f"call-{which}", branch=f"z9hG4bK-a{which}", cseq=2)
        one.gets(replace(phone, more=answer(challenge(asked, which), phone, count=which + 1)).invite())
        assert invited(one) == "pbx"


@pytest.mark.parametrize(
    "spoil",
    [
        {"known": Credentials("pbx", "guess")},
        {"known": Credentials("nobody", "secret")},
        {"known": Credentials("nobody", "")},
        {"method": "BYE"},
        {"count": 0},
    ],
)
def test_a_wrong_proof_is_asked_for_again(spoil: dict[str, object]) -> None:
    one = wire(TrunkOptions("pbx", users=USERS))
    asked = one.gets(Phone().invite())[-1]
    phone = Phone(branch="z9hG4bK-2", cseq=2)
    more = answer(challenge(asked), phone, **spoil)  # type: ignore[arg-type]
    assert one.gets(replace(phone, more=more).invite())[-1].brief == "401"
    assert invited(one) is None


def test_a_proof_that_was_heard_before_is_worth_nothing() -> None:
    one = wire(TrunkOptions("pbx", users=USERS))
    asked = one.gets(Phone().invite())[-1]
    phone = Phone(branch="z9hG4bK-2", cseq=2)
    more = answer(challenge(asked), phone)
    one.gets(replace(phone, more=more).invite())
    assert invited(one) == "pbx"
    again = one.gets(replace(phone, more=more, call_id="thief", branch="z9hG4bK-3").invite())[-1]
    assert (again.brief, challenge(again).stale) == ("401", True)
    assert invited(one) is None
    assert "replayed_credentials" in one.drops()


def test_a_proof_whose_count_is_forgotten_is_worth_nothing_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accounts, "_KEPT", 1)
    one = wire(TrunkOptions("pbx", users=USERS))
    proofs = []
    for number in (1, 2):
        one.now = number
        phone = Phone(call_id=f"c{number}", branch=f"z9hG4bK-{number}")
        asked = one.gets(phone.invite())[-1]
        phone = replace(phone, branch=f"z9hG4bK-{number}b", cseq=2)
        proofs.append(answer(challenge(asked), phone))
        one.gets(replace(phone, more=proofs[-1]).invite())
        assert invited(one) == "pbx"
    thief = Phone(call_id="thief", branch="z9hG4bK-3", more=proofs[0])
    again = one.gets(thief.invite())[-1]
    assert (again.brief, challenge(again).stale) == ("401", True)
    assert invited(one) is None


def test_an_old_nonce_is_stale_and_a_nonce_of_others_as_well() -> None:
    one = wire(TrunkOptions("pbx", users=USERS))
    asked = one.gets(Phone().invite())[-1]
    one.now = NONCE_LIFE + 1
    for number, to in enumerate((challenge(asked), replace(challenge(asked), nonce="1.2.3"))):
        phone = Phone(call_id=f"c{number}", branch=f"z9hG4bK-{number + 2}", cseq=2)
        again = one.gets(replace(phone, more=answer(to, phone)).invite())[-1]
        assert (again.brief, challenge(again).stale) == ("401", True)


def test_with_an_address_both_must_be_right() -> None:
    one = wire(TrunkOptions("pbx", ("192.0.2.0/24",), users=USERS), TrunkOptions("carrier", ("127.0.0.1",)))
    asked = one.gets(Phone().invite(), ELSEWHERE)[-1]
    assert asked.brief == "401"
    # Right words from the wrong place: it is who comes from there, and no more.
    phone = Phone(branch="z9hG4bK-2", cseq=2)
    one.gets(replace(phone, more=answer(challenge(asked), phone)).invite())
    assert invited(one) == "carrier"


def test_the_far_end_of_a_call_may_go_on_from_elsewhere() -> None:
    one = wire(TrunkOptions("carrier", ("127.0.0.1",)))
    one.gets(Phone().invite())
    leg = one.events()[0].leg
    one.agent.answer(leg, b"v=0\r\n", 0.0)
    phone = Phone().within(one.take()[-1])
    one.gets(phone.ack(), ELSEWHERE)
    (ok,) = one.gets(phone.bye(), ELSEWHERE)
    assert ok.brief == "200"


def test_a_trunk_that_asks_back_gets_its_credentials() -> None:
    one = wire(TrunkOptions("carrier", ("127.0.0.1",), credentials=(CredentialOptions("me", "secret"),)))
    one.gets(Phone().invite())
    leg = one.events()[0].leg
    one.agent.answer(leg, b"v=0\r\n", 0.0)
    phone = Phone().within(one.take()[-1])
    one.gets(phone.ack())
    one.agent.hang_up(leg, 1.0)
    (bye,) = one.take()
    text = (
        f"SIP/2.0 407 Who\r\nVia: {bye['Via']}\r\nFrom: {bye['From']}\r\nTo: {bye['To']}\r\n"
        f"Call-ID: {bye['Call-ID']}\r\nCSeq: {bye['CSeq']}\r\n"
        f"Proxy-Authenticate: {Challenge('carrier', 'n', 'MD5', ('auth',))}\r\nContent-Length: 0\r\n\r\n"
    )
    (again,) = one.gets(text)
    assert 'username="me"' in again["Proxy-Authorization"]


def test_trust_is_reloaded() -> None:
    one = wire(TrunkOptions("carrier", ("192.0.2.9",)))
    assert one.gets(Phone().invite()) == []
    one.agent.reconfigure(SipOptions(trunks=(TrunkOptions("phones", (FLOW.remote[0],)),), known=()), 0.0)
    one.gets(Phone(branch="z9hG4bK-2").invite())
    assert invited(one) == "phones"


# --- what a trunk says about its callers ------------------------------------------------------------------------------

SAID = (
    "P-Asserted-Identity: <sip:+15550100@x;verstat=TN-Validation-Passed-A>\r\n"
    "Remote-Party-ID: <sip:1@x>;screen=yes\r\nX-Twilio-VerStat: TN-Validation-Passed-A\r\n"
    "X-Plivo-Stir-Verification: Verified\r\nP-Attestation-Indicator: A\r\n"
    "Diversion: <sip:2@x>\r\nHISTORY-INFO: <sip:3@x>;index=1\r\n"
    "Privacy: id\r\nIdentity: ..c2ln;info=<https://c.example>\r\nX-Account: 7\r\n"
)
RESERVED = {
    *("p-asserted-identity", "remote-party-id", "x-twilio-verstat", "x-plivo-stir-verification"),
    *("p-attestation-indicator", "diversion", "history-info"),
}
FREE = {"privacy", "identity", "x-account"}


def heard(one: Wire) -> tuple[set[str], IdentityOptions]:
    """Which of these headers the layer above gets to see, and what it is to believe."""
    (event,) = (event for event in one.events() if isinstance(event, Invited))
    return {name.lower() for name, _ in event.request.headers} & (RESERVED | FREE), event.identity


def test_a_trunk_is_believed_what_it_says_about_its_callers() -> None:
    one = wire(TrunkOptions("carrier", ("127.0.0.1",)))
    one.gets(Phone(more=SAID).invite())
    assert heard(one) == (RESERVED | FREE, IdentityOptions())
    assert "untrusted_header" not in one.drops()


def test_an_order_of_its_own_goes_along() -> None:
    one = wire(TrunkOptions("carrier", ("127.0.0.1",), identity=IdentityOptions(order=("rpid", "from"))))
    one.gets(Phone(more=SAID).invite())
    assert heard(one)[1].order == ("rpid", "from")


def test_from_whom_no_trunk_is_only_what_anybody_may_say_gets_through() -> None:
    one = wire(known=("127.0.0.1",))
    one.gets(Phone(more=SAID).invite())
    assert heard(one) == (FREE, NOBODY)
    assert one.drops().count("untrusted_header") == 1


def test_a_trunk_may_be_believed_nothing() -> None:
    believes = IdentityOptions(believed=False)
    one = wire(TrunkOptions("pbx", ("127.0.0.1",), identity=believes))
    one.gets(Phone(more=SAID).invite())
    assert heard(one) == (FREE, believes)


def test_who_has_to_prove_it_is_believed_once_it_has() -> None:
    one = wire(TrunkOptions("pbx", users=USERS))
    asked = one.gets(Phone(more=SAID).invite())[-1]
    one.gets(Phone(to_tag=asked.to_tag).ack(branch="z9hG4bK-1"))
    assert one.events() == []
    phone = Phone(call_id="2", branch="z9hG4bK-2", cseq=2)
    one.gets(replace(phone, more=answer(challenge(asked), phone) + SAID).invite())
    assert heard(one) == (RESERVED | FREE, IdentityOptions())


def test_where_we_are_registered_is_believed_as_its_trunk_is_and_so_after_a_reload() -> None:
    request = parse(Phone().invite().encode())
    assert isinstance(request, Request)
    trust = Trust(SipOptions(trunks=(TrunkOptions("carrier"),)), lambda: "t")
    trust.admit(FLOW.remote[0], "carrier")
    assert trust.judge(request, FLOW, 0.0).identity == IdentityOptions()
    doubted = TrunkOptions("carrier", identity=IdentityOptions(believed=False))
    trust = Trust(SipOptions(trunks=(doubted,)), lambda: "t", trust)
    assert not trust.judge(request, FLOW, 0.0).identity.believed


def test_where_we_are_registered_is_all_that_its_trunk_is() -> None:
    request = parse(Phone().invite().encode())
    assert isinstance(request, Request)
    natted = TrunkOptions("carrier", nat="always", credentials=(CredentialOptions("gw", "x", "carrier"),))
    trust = Trust(SipOptions(trunks=(natted,)), lambda: "t")
    trust.admit(FLOW.remote[0], "carrier")
    verdict = trust.judge(request, FLOW, 0.0)
    assert (verdict.nat, verdict.credentials) == ("always", (Credentials("gw", "x", "carrier"),))


def test_who_has_to_prove_it_has_to_where_we_are_registered_as_well() -> None:
    request = parse(Phone().invite().encode())
    assert isinstance(request, Request)
    trust = Trust(SipOptions(trunks=(TrunkOptions("pbx", users=USERS),), known=("127.0.0.1",)), lambda: "t")
    trust.admit(FLOW.remote[0], "pbx")
    assert trust.judge(request, FLOW, 0.0).challenge


CERTIFIED = Flow("tls", OURS, ("192.0.2.9", 40000), ("sbc.carrier.example",))


@pytest.mark.parametrize(
    ("source", "status"),
    [
        (replace(CERTIFIED, remote=("192.0.2.10", 40001)), "200"),
        (replace(CERTIFIED, names=("sbc2.carrier.example", "x")), "200"),
        (Flow("udp", OURS, ("198.51.100.1", 5060)), "200"),
        (replace(CERTIFIED, names=("other.example",)), "481"),
        (replace(CERTIFIED, names=()), "481"),
    ],
)
def test_a_dialog_that_a_certificate_began_goes_on_with_its_trunk_alone(source: Flow, status: str) -> None:
    names = ("sbc.carrier.example", "sbc2.carrier.example")
    one = wire(
        TrunkOptions("carrier", ("198.51.100.0/24",), names),
        TrunkOptions("other", names=("other.example",)),
        known=("192.0.2.9", "198.51.100.0/24"),
    )
    one.gets(Phone().invite(), CERTIFIED)
    one.agent.answer(one.events()[-1].leg, b"v=0\r\n", 0.0)
    phone = Phone().within(one.take()[-1])
    one.gets(phone.ack(), CERTIFIED)
    (response,) = one.gets(phone.bye(), source)
    assert response.brief == status


def test_nobody_elses_ack_says_where_media_go() -> None:
    one = wire(TrunkOptions("carrier", names=CERTIFIED.names))
    one.gets(Phone().invite(""), CERTIFIED)
    one.agent.answer(one.events()[-1].leg, b"v=0\r\n", 0.0)
    ack = Phone().within(one.take()[-1]).ack(OFFER)
    one.gets(ack, replace(CERTIFIED, names=()))
    assert one.events() == []
    assert one.drops() == ["not_its_peer"]
    one.gets(ack, CERTIFIED)
    (confirmed,) = one.events()
    assert isinstance(confirmed, Confirmed)


def test_whom_we_called_need_not_show_us_a_certificate() -> None:
    one = wire(TrunkOptions("carrier", ("192.0.2.9",)))
    one.agent.invite("sip:you@carrier.example", CERTIFIED, b"v=0\r\n", 0.0, from_="<sip:me@example.com>")
    (invite,) = one.take()
    (ack,) = one.gets(reply(invite, 200, to_tag="x"), CERTIFIED)
    phone = Phone(call_id=ack["Call-ID"], tag="x", to_tag=ack["From"].partition(";tag=")[2])
    (response,) = one.gets(phone.bye(), replace(CERTIFIED, names=()))
    assert response.brief == "200"
