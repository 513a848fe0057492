"""Secrets never reach a log: neither passwords, nor what proves them, whoever sends them and however wrong they are."""

from dataclasses import replace
from io import StringIO

from sipgw.flow import Flow
from sipgw.ops.logs import configure, trace_to
from sipgw.options import CredentialOptions, SipOptions, TrunkOptions
from sipgw.sip.digest import Credentials
from sipgw.sip.uri import without_secrets
from tests.fakes.sip_phone import FLOW, OURS, Heard, Phone, Wire
from tests.sip.test_trust import answer, challenge

THEIRS, MINE, IN_URI, IN_HEADER = "hush-theirs", "hush-mine", "hush-uri", "hush-header"
OTHER = Flow("udp", OURS, ("192.0.2.9", 5060))


def wire() -> Wire:
    users = (CredentialOptions("pbx", THEIRS),)
    mine = (CredentialOptions("me", MINE),)
    return Wire(SipOptions(trunks=(TrunkOptions("pbx", (FLOW.remote[0],), users=users, credentials=mine),)))


def asked(request: Heard) -> str:
    """The phone asks who we are."""
    names = "\r\n".join(f"{name}: {request[name]}" for name in ("Via", "From", "To", "Call-ID", "CSeq"))
    mark = 'Proxy-Authenticate: Digest realm="carrier", nonce="n", algorithm=MD5, qop="auth"'
    return f"SIP/2.0 407 Who\r\n{names}\r\n{mark}\r\nContent-Length: 0\r\n\r\n"


def everything(one: Wire) -> list[str]:
    """A call that proves itself in all ways, right and wrong; the digests that went over the wire."""
    first = one.gets(Phone().invite())[-1]
    wrong = replace(Phone(branch="z9hG4bK-2", cseq=2), more=answer(challenge(first), Phone(), Credentials("pbx", "no")))
    right = replace(
        Phone(branch="z9hG4bK-3", cseq=3), more=answer(challenge(first), Phone(), Credentials("pbx", THEIRS))
    )
    broken = replace(wrong, branch="z9hG4bK-4", more=f"Authorization: Digest {IN_HEADER},,=\r\n")
    for phone in (wrong, broken, right):
        one.gets(phone.invite())
    leg = one.events()[-1].leg
    one.agent.answer(leg, b"v=0\r\n", one.now)
    phone = right.within(one.take()[-1])
    one.gets(phone.ack())
    one.agent.hang_up(leg, one.now)
    (proof,) = one.gets(asked(one.take()[-1]))
    uri = f"sip:alice:{IN_URI}@127.0.0.1:5060?Authorization={IN_HEADER}"
    for method in ("INVITE", "OPTIONS"):
        one.gets(Phone(call_id="x", uri=uri, branch=f"z9hG4bK-x{method}").request(method), OTHER)
    one.agent.invite(f"sip:bob:{IN_URI}@192.0.2.9", OTHER, b"v=0\r\n", one.now, from_="<sip:me@127.0.0.1>")
    one.until(one.now + 200.0)
    digests = [
        value.partition('response="')[2][:32] for value in (wrong.more, right.more, proof["Proxy-Authorization"])
    ]
    assert all(len(set(one)) > 4 for one in digests), "they are digests"
    return digests


def test_no_note_holds_a_secret_or_its_digest() -> None:
    one, out = wire(), StringIO()
    digests = everything(one)
    # As the log has them at DEBUG, and without the mask that knows configured secrets.
    trace = trace_to(configure("json", "debug", stream=out))
    for note in one.notes:
        trace(note)
    text = out.getvalue()
    assert "wrong_credentials" in text
    assert "***@" in text
    for secret in (THEIRS, MINE, IN_URI, IN_HEADER, *digests):
        assert secret not in text


def test_lines_without_secrets_are_shown_as_they_are() -> None:
    for line in ("INVITE sip:+4930@192.0.2.1:5060;user=phone SIP/2.0", "SIP/2.0 200 OK", "BYE tel:+4930 SIP/2.0"):
        assert without_secrets(line) == line
    assert without_secrets("A sip:a:b@c:1?d=e SIP/2.0") == "A sip:a:***@c:1?*** SIP/2.0"
