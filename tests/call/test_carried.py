"""What an INVITE carries, as backends, hooks and records get to know it; and what is kept from them."""

from dataclasses import replace

import pytest

from sipgw.ai.carried import Attestation, Carried, Diverted, Passed, UserData
from sipgw.call.invitation import Invitation
from sipgw.flow import Flow
from sipgw.options import NOBODY, CallOptions, IdentityOptions
from sipgw.sip.events import Invited
from sipgw.sip.message import Headers, Request, parse

FLOW = Flow("udp", ("127.0.0.1", 5060), ("192.0.2.7", 5060))
CARRIER = IdentityOptions()
SIGNED = "eyJhbGci.eyJvcmln.c2ln;info=<https://c.example/x>;alg=ES256;ppt=shaken"
COMPACT = '..c2ln;info=<https://c.example/x>;alg=ES256;ppt="shaken"'
INVITE = (
    ("From", '"Ann" <sip:+15550100123@carrier.example>;tag=1'),
    ("To", "<sip:+15550199@gw.example>"),
    ("Call-ID", "abc@phone"),
    ("P-Asserted-Identity", '"Ann" <sip:+15550100123@carrier.example;verstat=TN-Validation-Passed-B>'),
    ("Diversion", '"Desk" <sip:+15550111@pbx.example>;reason=no-answer;counter=2, <tel:+15550112>;privacy=full'),
    ("History-Info", "<sip:+15550112@x?Reason=SIP%3Bcause%3D302>;index=1, <sip:+15550111@x>;index=1.1"),
    ("User-to-User", "00fa;encoding=hex;purpose=crm;content=isdn-uui"),
    ("Identity", SIGNED),
    ("Y", COMPACT),
    ("X-Account", "7"),
    ("Subject", "no"),
)


def invitation(
    *more: tuple[str, str],
    identity: IdentityOptions = CARRIER,
    options: CallOptions | None = None,
    headers: tuple[tuple[str, str], ...] = INVITE,
) -> tuple[Invitation, list[tuple[str, str]]]:
    """Who calls whom with these headers, and what was left out."""
    dropped: list[tuple[str, str]] = []
    event = Invited("leg", Request("INVITE", "sip:100@gw.example", Headers((*headers, *more))), FLOW, "", identity)
    return Invitation.of(event, options or CallOptions(), lambda *what: dropped.append(what)), dropped


def test_what_a_believed_peer_sends() -> None:
    found, dropped = invitation()
    assert (found.caller, found.caller_name, found.called) == ("+15550100123", "Ann", "100")
    assert found.headers == {"User-to-User": "00fa;encoding=hex;purpose=crm;content=isdn-uui", "X-Account": "7"}
    assert found.carried == Carried(
        from_="sip:+15550100123@carrier.example",
        to="sip:+15550199@gw.example",
        asserted=("sip:+15550100123@carrier.example;verstat=TN-Validation-Passed-B",),
        attestation=Attestation("B", "p-asserted-identity"),
        diversions=(Diverted("+15550111", "Desk", "no-answer", 2), Diverted("anonymous", "anonymous", "unknown", 1)),
        history=(Passed("1", "+15550112", 302), Passed("1.1", "+15550111", None)),
        user_to_user=(UserData("00fa", "hex", "crm", "isdn-uui"),),
        identity=(SIGNED, COMPACT),
    )
    assert dropped == []


def test_what_a_private_caller_keeps_for_itself() -> None:
    found, dropped = invitation(("Privacy", "id;history"), ("X-ANI", "555-010-0123"), ("X-CNAM", "ann"))
    assert (found.number, found.caller, found.caller_name) == ("+15550100123", "anonymous", "anonymous")
    assert found.headers == {"User-to-User": "00fa;encoding=hex;purpose=crm;content=isdn-uui", "X-Account": "7"}
    told = found.carried
    assert told.from_ == "sip:anonymous@anonymous.invalid"
    assert (told.asserted, told.identity) == ((), ())
    assert told.privacy == ("id", "history")
    # How sure the carrier is gives nobody away, nor who sent the call on; where it was before is kept as it wishes.
    assert told.attestation == Attestation("B", "p-asserted-identity")
    assert told.diverted_by == "+15550111"
    assert told.history == (Passed("1", "anonymous", 302), Passed("1.1", "anonymous", None))
    assert dropped == [("private_header", "X-ANI"), ("private_header", "X-CNAM")]
    for part in (found.question("c", "n", "*", 0.0), found.facts("c", "PCMU", 0.0, {}, "")):
        assert "0100123" not in str(part)
        assert "Ann" not in str(part)


@pytest.mark.parametrize("data", ["5550100123", "2b3135353530313030313233;encoding=hex"])
def test_user_to_user_data_with_a_private_number_are_kept_too(data: str) -> None:
    headers = tuple(pair for pair in INVITE if pair[0] != "User-to-User")
    found, _ = invitation(("User-to-User", data), ("Privacy", "id"), headers=headers)
    assert found.carried.user_to_user == ()
    assert "User-to-User" not in found.headers


def test_a_peer_that_is_not_believed_attests_nothing() -> None:
    spoofed = (("From", "<sip:+1555;verstat=TN-Validation-Passed@x;verstat=TN-Validation-Passed>;tag=1"), *INVITE[1:3])
    found, _ = invitation(headers=spoofed, identity=NOBODY)
    assert found.carried.attestation == Attestation()
    assert found.carried.from_ == "sip:+1555@x"
    assert found.caller == "+1555"
    found, _ = invitation(headers=spoofed)
    assert found.carried.attestation == Attestation("A", "from")


def test_an_entry_that_cannot_be_read_costs_itself() -> None:
    found, dropped = invitation(
        ("Diversion", "<sip:1@x>;counter=many, <sip:+15550113@x>"), ("History-Info", "<sip:1@x>"),
        ("User-to-User", "zz;encoding=hex"), ("Identity", "nonsense"),
    )  # fmt: skip
    assert [one.number for one in found.carried.diversions] == ["+15550111", "anonymous", "+15550113"]
    assert len(found.carried.history) == 2
    assert len(found.carried.user_to_user) == 1
    assert found.carried.identity == (SIGNED, COMPACT)
    assert dropped == [("bad_header", name) for name in ("Diversion", "History-Info", "User-to-User", "Identity")]


def test_identity_is_kept_to_the_byte_from_the_wire_on() -> None:
    line = b"identity:  " + COMPACT.encode() + b" \r\n"
    wire = (
        b"INVITE sip:100@gw.example SIP/2.0\r\nVia: SIP/2.0/UDP x;branch=z9hG4bK1\r\nFrom: <sip:1@x>;tag=1\r\n"
        b"To: <sip:100@x>\r\nCall-ID: 1\r\nCSeq: 1 INVITE\r\n" + line + b"Content-Length: 0\r\n\r\n"
    )
    request = parse(wire)
    assert isinstance(request, Request)
    found = Invitation.of(Invited("leg", request, FLOW), CallOptions(), lambda *what: None)
    assert found.carried.identity[0].encode() == COMPACT.encode()


# --- headers that are passed on --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("patterns", "names"),
    [
        (("X-*",), ["X-One", "x-two", "X-Two"]),
        (("x-one", "USER-TO-USER"), ["X-One", "User-to-User"]),
        (("X-T*",), ["x-two", "X-Two"]),
        ((), []),
        (("P-Charge-Info", "Auth*", "Proxy-Authorization"), ["P-Charge-Info"]),
    ],
)
def test_what_the_configuration_lets_through(patterns: tuple[str, ...], names: list[str]) -> None:
    headers = [
        *(("X-One", "1"), ("x-two", "2"), ("X-Two", "2"), ("X-One", "again"), ("User-to-User", "aa")),
        *(("P-Charge-Info", "<sip:1@x>"), ("Authorization", "Digest x"), ("Proxy-Authorization", "Digest x")),
    ]
    found, _ = invitation(*headers, headers=INVITE[:3], options=CallOptions(pass_headers=patterns))
    assert list(found.headers) == names
    assert found.headers.get("X-One", "1") == "1"


def test_no_more_than_so_many_and_so_long() -> None:
    options = replace(CallOptions(), max_headers=2, max_header_bytes=20)
    more = [("X-A", "1"), ("X-Long", "1" * 20), ("X-B", "2"), ("X-C", "3")]
    found, dropped = invitation(*more, headers=INVITE[:3], options=options)
    assert found.headers == {"X-A": "1", "X-B": "2"}
    assert dropped == [("too_many_headers", "X-Long"), ("too_many_headers", "X-C")]
