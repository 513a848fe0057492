"""Who calls, by all headers that say so, and what others are told of it."""

import pytest

from sipgw.call.caller import Caller, Reader, party
from sipgw.options import NOBODY, IdentityOptions
from sipgw.sip.message import Headers, Request
from sipgw.sip.uri import Uri


@pytest.mark.parametrize(
    ("uri", "name"),
    [
        ("sip:alice@example.com", "alice"),
        ("sip:%2B4930@example.com;user=phone", "+4930"),
        ("tel:+4930;phone-context=x", "+4930"),
        ("sip:+15551234567;npdi;rn=+15550000000@example.com;user=phone", "+15551234567"),
        ("sip:5551234567;phone-context=+1@example.com", "5551234567"),
        ("tel:+1-(555)-123.4567;npdi", "+15551234567"),
        ("tel:7042;phone-context=example.com", "7042"),
        ("sip:*98#@example.com", "*98#"),
        ("sip:100-200@example.com", "100-200"),
        ("sip:alice;day=tuesday@example.com", "alice;day=tuesday"),
        ("sip:192.0.2.1", "192.0.2.1"),
        ("sip:gw.example.com:5060", "gw.example.com"),
        ("sip:[2001:db8::1]", "2001:db8::1"),
        ("sip:anonymous@anonymous.invalid", "anonymous"),
    ],
)
def test_a_party_is_its_user_or_its_host(uri: str, name: str) -> None:
    assert party(Uri.parse(uri)) == name


PAI, RPID, PPI = "P-Asserted-Identity", "Remote-Party-ID", "P-Preferred-Identity"
ANN = (PAI, '"Ann Lee" <sip:+15550100@carrier.example>')
ANONYMOUS = '"Anonymous" <sip:anonymous@anonymous.invalid>;tag=1'
BELIEVED = IdentityOptions()


def caller(
    *headers: tuple[str, str], from_: str = '"Phone" <sip:200@pbx.example>;tag=1', options: IdentityOptions = BELIEVED
) -> tuple[Caller, list[tuple[str, str]]]:
    """Who calls, and what was left out of what says so."""
    dropped: list[tuple[str, str]] = []
    request = Request("INVITE", "sip:100@gw.example", Headers([("From", from_), *headers]))
    return Caller.of(Reader(request, lambda name, detail: dropped.append((name, detail))), options), dropped


@pytest.mark.parametrize(
    ("headers", "number", "name"),
    [
        ([], "200", "Phone"),
        ([ANN], "+15550100", "Ann Lee"),
        ([(PAI, "<sip:ann@carrier.example>, <tel:+1-555-0101>")], "+15550101", ""),
        ([(PAI, '"Ann" <sip:ann@carrier.example>')], "ann", "Ann"),
        ([(PAI, "<tel:+15550101>"), (PAI, '"Ann" <sip:ann@carrier.example>')], "+15550101", "Ann"),
        ([ANN, (RPID, "<sip:300@x>;screen=yes")], "+15550100", "Ann Lee"),
        ([(RPID, '"Bob" <sip:300@x>;party=calling;screen=yes')], "300", "Bob"),
        ([(RPID, '"Bob" <sip:300@x>;screen=no')], "200", "Phone"),
        ([(RPID, '"Bob" <sip:300@x>;party=called;screen=yes')], "200", "Phone"),
        ([(PPI, '"Bob" <sip:300@x>')], "200", "Phone"),
        ([("Privacy", "none"), ANN], "+15550100", "Ann Lee"),
    ],
)
def test_a_believed_peer_says_who_calls(headers: list[tuple[str, str]], number: str, name: str) -> None:
    found, dropped = caller(*headers)
    assert (found.number, found.name) == (found.shown_number, found.shown_name) == (number, name)
    assert dropped == []


@pytest.mark.parametrize(
    ("order", "number"),
    [
        (("from",), "200"),
        (("rpid",), "300"),
        (("ppi", "pai"), "400"),
        (("pai", "rpid", "from"), "+15550100"),
        (("from", "pai"), "200"),
    ],
)
def test_each_trunk_has_its_order(order: tuple[str, ...], number: str) -> None:
    headers = (ANN, (RPID, "<sip:300@x>;screen=yes"), (PPI, "<sip:400@x>"))
    assert caller(*headers, options=IdentityOptions(order=order))[0].number == number
    assert caller(options=IdentityOptions(order=order))[0].number == "200"


def test_who_is_not_believed_is_who_from_says() -> None:
    for options in (NOBODY, IdentityOptions(believed=False, order=("ppi", "pai"))):
        assert caller((PPI, "<sip:400@x>"), options=options)[0].number == "200"


@pytest.mark.parametrize(
    ("headers", "from_", "hidden", "nameless"),
    [
        ([ANN, ("Privacy", "id")], ANONYMOUS, True, True),
        ([ANN, ("Privacy", "id")], "<sip:200@pbx.example>", True, True),
        ([ANN, ("Privacy", "user;critical")], "<sip:200@pbx.example>", True, True),
        ([ANN, ("Privacy", "none")], ANONYMOUS, False, False),
        ([ANN], ANONYMOUS, True, True),
        ([], ANONYMOUS, True, True),
        ([(PAI, "<sip:anonymous@anonymous.invalid>")], "<sip:200@pbx.example>", True, True),
        ([ANN, ("Privacy", "session")], "<sip:200@pbx.example>", False, False),
        ([ANN, ("Privacy", "<bad>")], "<sip:200@pbx.example>", True, True),
        ([(RPID, "<sip:300@x>;screen=yes;privacy=full")], "<sip:200@pbx.example>", True, True),
        ([(RPID, "<sip:300@x>;screen=no;privacy=uri")], "<sip:200@pbx.example>", True, False),
        ([(RPID, "<sip:300@x>;screen=yes;privacy=name")], "<sip:200@pbx.example>", False, True),
        ([(RPID, "<sip:300@x>;party=called;privacy=full")], "<sip:200@pbx.example>", False, False),
    ],
)
def test_a_wish_for_privacy_withholds(headers: list[tuple[str, str]], from_: str, hidden: bool, nameless: bool) -> None:
    found, _ = caller(*headers, from_=from_)
    assert (found.hidden, found.nameless) == (hidden, nameless)
    assert (found.shown_number == "anonymous", found.shown_name == "anonymous") == (hidden, nameless)


def test_the_wish_is_heeded_whoever_has_it_and_the_number_stays_for_us() -> None:
    found, _ = caller(("Privacy", "id"), options=NOBODY)
    assert (found.shown_number, found.shown_name, found.number) == ("anonymous", "anonymous", "200")


def test_a_malformed_header_is_left_out_and_does_not_cost_the_call() -> None:
    found, dropped = caller((PAI, "<sip:"), (RPID, "x y z"), (RPID, '"Bob" <sip:300@x>;screen=yes'), ("Privacy", "?=?"))
    assert (found.number, found.hidden) == ("300", True)
    assert dropped == [("bad_header", "Privacy"), ("bad_header", RPID), ("bad_header", PAI)]


def test_of_very_many_only_the_first_are_read() -> None:
    found, dropped = caller(*[(RPID, "<sip:300@x>;party=called")] * 50, (RPID, "<sip:301@x>;screen=yes"))
    assert found.number == "200"
    assert dropped == [("too_many_headers", f"51 of {RPID}")]


@pytest.mark.parametrize(
    ("text", "given_away"),
    [
        ("+15550100123", True),
        ("tel:0015550100123", True),
        ("0100123", True),
        ("(555) 010-0123 called", True),
        ("555.0100.123", True),
        ("caller is ANN LEE", True),
        ("04414e4e204c4545;encoding=hex", True),
        ("002b31353535303130303132332c;encoding=hex", True),
        ("002b31353535303130303132342c;encoding=hex", False),
        ("010012", False),
        ("5550100124", False),
        ("account 17", False),
        ("", False),
    ],
)
def test_a_text_that_gives_a_withheld_caller_away(text: str, given_away: bool) -> None:
    hidden, _ = caller((PAI, '"Ann Lee" <sip:+15550100123@x>'), ("Privacy", "id"))
    shown, _ = caller((PAI, '"Ann Lee" <sip:+15550100123@x>'))
    assert (hidden.is_given_away(text), shown.is_given_away(text)) == (given_away, False)


def test_a_short_number_or_none_is_found_where_it_can_be_told_apart() -> None:
    extension, _ = caller(("Privacy", "id"))
    assert (extension.is_given_away("x200x"), extension.is_given_away("201")) == (True, False)
    short, _ = caller(("Privacy", "id"), from_='"A" <sip:7@x>')
    assert not short.is_given_away("7 A")
