"""RFC 4475 and RFC 5118 at the level of messages; what needs a user agent is tested with the agent."""

import re

import pytest

from sipgw.errors import PeerError
from sipgw.sip.message import Malformed, Request, Response, expires, parse, respond, validate
from sipgw.sip.values import NameAddr, Via
from tests.sip.torture import Case, message, messages

FOLDERS = ("rfc4475", "rfc5118")

LENIENT = {
    "baddate": "Date is of no use to us, so it is not read",
    "baddn": "only one address can follow From and To, so the comma is no separator",
    "ipv6-bug-abnf-3-colons": "the grammar of RFC 3261 itself yields it; nobody resolves it here",
}
"""Rows that leave a choice, and why ours is to accept."""


def verdict(data: bytes) -> str:
    """`accept`, the status of the refusal, or `discard`."""
    try:
        parsed = parse(data)
        validate(parsed)
    except Malformed as error:
        return "discard" if error.request is None else str(error.status)
    except PeerError as error:
        return "discard" if isinstance(parsed, Response) else str(error.status)
    return "accept"


def allowed(case: Case) -> set[str]:
    """What a row of EXPECTED.tsv allows at the level of messages."""
    named = set(re.findall(r"\b[45]\d\d\b", case.expected))
    if case.verdict == "discard" or "UAC discards" in case.expected:
        return {"discard"}
    if case.verdict == "reject" or (case.kind == "invalid" and not case.verdict):
        return named
    if case.name in ("insuf", "multi01", "unkscm", "novelsc"):
        return named
    return {"accept"}


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_message_gets_the_verdict_its_row_asks_for(folder: str) -> None:
    wrong = [(case.name, verdict(case.data)) for case in messages(folder) if verdict(case.data) not in allowed(case)]
    assert not wrong


@pytest.mark.parametrize("folder", FOLDERS)
def test_where_a_row_leaves_a_choice_there_is_a_reason(folder: str) -> None:
    for case in messages(folder):
        if "lenient" in (case.verdict, case.kind):
            assert LENIENT[case.name]


@pytest.mark.parametrize("folder", FOLDERS)
def test_whatever_is_taken_is_printed_so_that_it_reads_the_same(folder: str) -> None:
    for case in messages(folder):
        if verdict(case.data) != "accept":
            continue
        first = parse(case.data)
        again = parse(bytes(first))
        assert again.headers.without("Content-Length") == first.headers.without("Content-Length"), case.name
        assert (again.body, type(again)) == (first.body, type(first)), case.name
        assert bytes(again) == bytes(first), case.name


@pytest.mark.parametrize("folder", FOLDERS)
def test_whatever_is_refused_can_be_answered(folder: str) -> None:
    for case in messages(folder):
        if not verdict(case.data).isdigit():
            continue
        request = as_far_as_read(case.data)
        answer = bytes(respond(request, 400, to_tag="ours"))
        assert answer.startswith(b"SIP/2.0 400 Bad Request\r\n")
        for name in ("Via", "Call-ID", "CSeq", "From"):
            for value in request.headers.all(name):
                assert f"{name}: {value}\r\n".lower().encode() in answer.lower(), case.name


def as_far_as_read(data: bytes) -> Request:
    try:
        parsed = parse(data)
    except Malformed as error:
        parsed = error.request or pytest.fail("nothing to answer")
    assert isinstance(parsed, Request)
    return parsed


def request(name: str, folder: str = "rfc4475") -> Request:
    parsed = parse(message(name, folder))
    assert isinstance(parsed, Request)
    validate(parsed)
    return parsed


def response(name: str) -> Response:
    parsed = parse(message(name))
    assert isinstance(parsed, Response)
    return parsed


def test_wsinv_every_field_is_readable() -> None:
    invite = request("wsinv")
    assert (invite.method, invite.uri) == ("INVITE", "sip:vivekg@chair-dnrc.example.com;unknownparam")
    assert invite.target.param("unknownparam") == ""
    assert (invite.to.uri.raw, invite.to.tag) == ("sip:vivekg@chair-dnrc.example.com", "1918181833n")
    assert (invite.from_.display, invite.from_.tag) == ('J Rosenberg \\"', "98asjd8")
    assert invite.from_.uri.raw == "sip:jdrosen@example.com"
    assert (invite.max_forwards, invite.cseq.number, invite.cseq.method) == (68, 9, "INVITE")
    assert invite.call_id == "wsinv.ndaksdj@192.0.2.1"
    assert [(via.transport, via.host, via.branch) for via in invite.vias] == [
        ("UDP", "192.0.2.2", "390skdjuw"),
        ("TCP", "spindle.example.com", "z9hG4bK9ikj8"),
        ("UDP", "192.168.255.111", "z9hG4bK30239"),
    ]
    assert invite.headers.get("Subject") == ""
    assert invite.headers.get("NewFangledHeader") == "newfangled value continued newfangled value"
    assert invite.headers.get("unknownheaderwithunusualvalue") == ";;,,;;,;"
    assert [route.uri.param("lr") for route in invite.routes] == [""]
    assert invite.routes[0].uri.param("unknownwith") == "value"
    assert invite.contact is not None
    assert (invite.contact.display, invite.contact.uri.raw) == ('Quoted string ""', "sip:jdrosen@example.com")
    assert list(invite.contact.params) == [("newparam", "newvalue"), ("secondparam", None), ("q", "0.33")]
    assert invite.content_type == "application/sdp"
    assert len(invite.body) == 150
    assert invite.body.startswith(b"v=0\r\n")


def test_intmeth_keeps_every_unusual_character() -> None:
    odd = request("intmeth")
    assert odd.method == odd.cseq.method == "!interesting-Method0123456789_*+`.%indeed'~"
    assert odd.target.user == "1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*"
    assert odd.target.password == "&it+has=1,weird!*pas$wo~d_too.(doesn't-it)"
    assert odd.target.host == "example.com"
    assert odd.to.display == "BEL:\x07 NUL:\0 DEL:\x7f"
    assert odd.from_.display == "token1~` token2'+_ token3*%!.-"
    assert odd.from_.tag == "_token~1'+`*%!-."
    assert odd.from_.params.get("fromParam''~+*_!.-%") == "работающий"
    assert odd.call_id == r"""intmeth.word%ZK-!.*_+'@word`~)(><:\/"][?}{"""
    assert odd.headers.get("extensionHeader-!.%*+_`'~") == "\ufeff大停電"


def test_esc01_escapes_are_resolved_in_the_user_only_when_asked() -> None:
    invite = request("esc01")
    assert (invite.target.scheme, invite.target.host) == ("sip", "example.net")
    assert (invite.target.user, invite.target.user_text) == ("sips%3Auser%40example.com", "sips:user@example.com")
    assert invite.to.uri.user_text == "user"
    assert invite.from_.uri.user_text == "I have spaces"
    assert invite.contact is not None
    assert invite.contact.uri.user_text == "caller"
    assert invite.contact.uri.param("lr") == ""
    assert invite.contact.uri.param("name") == "value%41"


def test_escnull_an_escaped_null_ends_nothing() -> None:
    register = request("escnull")
    assert register.to.uri.user_text == "null-\0-null"
    assert [contact.uri.user_text for contact in register.contacts] == ["\0", "\0\0"]


def test_esc02_a_percent_sign_in_a_token_is_a_percent_sign() -> None:
    odd = request("esc02")
    assert odd.method == "RE%47IST%45R"
    assert odd.to.display == odd.from_.display == "%Z%45"
    assert [contact.uri.user for contact in odd.contacts] == ["alias1", "alias3"]


def test_lwsdisp_no_space_is_needed_before_the_bracket() -> None:
    caller = request("lwsdisp").from_
    assert (caller.display, caller.uri.raw, caller.tag) == ("caller", "sip:caller@example.com", "323")


def test_longreq_nothing_is_cut() -> None:
    data = message("longreq").decode()
    invite = request("longreq")
    assert [via.host for via in invite.vias] == [*(f"sip{n}.example.com" for n in range(33, 0, -1)), "host.example.com"]
    assert f'"{invite.to.display}"<{invite.to.uri}>' in data
    assert f"F: {invite.from_.uri};tag={invite.from_.tag};" in data
    assert invite.to.display == f"I have a user name of {10 * 'extreme'} proportion"
    assert invite.call_id == f"longreq.one{20 * 'really'}longcallid"


def test_dblreq_what_follows_the_body_is_not_read() -> None:
    register = request("dblreq")
    assert (register.method, register.body) == ("REGISTER", b"")


def test_semiuri_a_semicolon_before_the_at_sign_is_the_users() -> None:
    target = request("semiuri").target
    assert (target.user, target.user_text) == ("user;par=u%40example.net", "user;par=u@example.net")
    assert not target.params
    assert "multipart/signed" in request("semiuri").headers.listed("Accept")


def test_transports_unknown_ones_are_read() -> None:
    assert [via.transport for via in request("transports").vias] == ["UDP", "SCTP", "TLS", "UNKNOWN", "TCP"]


def test_mpart01_a_body_is_bytes() -> None:
    note = request("mpart01")
    assert note.content_type == "multipart/mixed"
    assert b"\0" in note.body
    assert message("mpart01").endswith(note.body)


def test_reason_phrases_may_be_utf8_or_empty() -> None:
    assert response("unreason").reason.startswith("= 2**3 * 5**2 но сто девяносто девять")
    assert (response("noreason").status, response("noreason").reason) == (100, "")


def test_badbranch_names_no_transaction() -> None:
    assert request("badbranch").via.branch == "z9hG4bK"
    assert not request("badbranch").via.is_unique
    assert request("semiuri").via.is_unique


def test_cparam_brackets_decide_whose_parameter_it_is() -> None:
    outside, inside = request("cparam01").contact, request("cparam02").contact
    assert outside is not None
    assert inside is not None
    assert ("unknownparam" in outside.params, outside.uri.param("unknownparam")) == (True, None)
    assert ("unknownparam" in inside.params, inside.uri.param("unknownparam")) == (False, "")


def test_regescrt_headers_in_a_contact_are_kept() -> None:
    contact = request("regescrt").contact
    assert contact is not None
    assert contact.uri.headers == "Route=%3Csip:sip.example.com%3E"
    assert str(contact.uri) == "sip:user@example.com?Route=%3Csip:sip.example.com%3E"


def test_unksm2_addresses_of_any_scheme_are_read() -> None:
    register = request("unksm2")
    assert (register.to.uri.scheme, register.to.uri.opaque) == ("isbn", "2983792873")
    assert (register.from_.uri.raw, register.from_.tag) == ("http://www.example.com", "3234233")
    assert register.contact == NameAddr("", register.contacts[0].uri)


def test_bcast_names_a_hop_that_is_not_ours() -> None:
    assert [via.host for via in response("bcast").vias] == ["192.0.2.198", "255.255.255.255"]


def test_inv2543_may_lack_branch_tag_and_max_forwards() -> None:
    invite = request("inv2543")
    assert (invite.via.branch, invite.from_.tag, invite.max_forwards) == (None, None, None)
    assert invite.body.startswith(b"v=0")
    assert invite.to.params.get("user") == "phone"


def test_zeromf_and_scalar02_are_numbers() -> None:
    assert request("zeromf").max_forwards == 0
    register = parse(message("scalar02"))
    for read in (lambda: register.cseq, lambda: register.max_forwards, lambda: expires(register)):
        with pytest.raises(PeerError, match="400"):
            read()


def test_ipv6_hosts_and_ports_are_told_apart() -> None:
    ambiguous, clear = request("port-ambiguous", "rfc5118").target, request("port-unambiguous", "rfc5118").target
    assert (ambiguous.host, ambiguous.port) == ("[2001:db8::10:5070]", None)
    assert (clear.host, clear.address, clear.port) == ("[2001:db8::10]", "2001:db8::10", 5070)


def test_ipv6_received_is_read_with_and_without_brackets() -> None:
    for name in ("via-received-param-with-delim", "via-received-param-no-delim"):
        assert request(name, "rfc5118").via.received == "2001:db8::9:255"


def test_ipv6_and_ipv4_hops_mix() -> None:
    assert [(via.host, via.port) for via in request("mult-ip-in-header", "rfc5118").vias] == [
        ("[2001:db8::9:1]", 6050),
        ("192.0.2.1", None),
        ("[2001:db8::9:255]", None),
    ]
    mapped = request("ipv4-mapped-ipv6", "rfc5118").via
    assert mapped == Via("UDP", "[::ffff:192.0.2.10]", 19823, mapped.params)
