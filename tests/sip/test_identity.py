"""Asserted identities, Remote-Party-ID and Privacy, as carriers and PBXs write them."""

import pytest

from sipgw.errors import PeerError
from sipgw.sip.identity import Privacy, RemoteParty, identities, is_anonymous
from sipgw.sip.values import NameAddr

PAI = "P-Asserted-Identity"


@pytest.mark.parametrize(
    ("values", "found"),
    [
        (
            ['"John Doe" <sip:+18889809750@sip.telnyx.com;verstat=TN-Validation-Passed>'],
            [("John Doe", "+18889809750")],
        ),
        (["<sip:+13339990000;verstat=No-TN-Validation@192.0.2.1>"], [("", "+13339990000;verstat=No-TN-Validation")]),
        (["tel:+15551234567"], [("", "+15551234567")]),
        (['"Ann" <sip:ann@example.com>', "<tel:+15551234567;verstat=x>"], [("Ann", "ann"), ("", "+15551234567")]),
        (["<tel:+1555123>", "sip:+1555124@example.com;user=phone"], [("", "+1555123"), ("", "+1555124")]),
        # Three, which nobody may send: the first of each kind.
        (["<sip:one@a.example>", "<sip:two@a.example>", "<tel:3>"], [("", "one"), ("", "3")]),
        ([], []),
    ],
)  # fmt: skip
def test_who_is_asserted(values: list[str], found: list[tuple[str, str]]) -> None:
    assert [(party.display, party.uri.user_text) for party in identities(values, PAI)] == found


@pytest.mark.parametrize(
    "value", ["", "<http://example.com>", "<sip:>", "Ann sip:ann@example.com", "*", "<tel:1", "\0"]
)
def test_what_is_no_identity_is_refused(value: str) -> None:
    with pytest.raises(PeerError):
        identities([value], PAI)


@pytest.mark.parametrize(
    ("text", "caller", "screened", "number", "name"),
    [
        ('"Bob" <sip:200@192.0.2.9>;party=calling;privacy=off;screen=yes', True, True, False, False),
        ('"Bob" <sip:200@192.0.2.9>;privacy=off;screen=no', True, False, False, False),
        ("<sip:200@192.0.2.9>", True, False, False, False),
        ("<sip:200@192.0.2.9>;party=called;screen=yes", False, True, False, False),
        ("<sip:200@192.0.2.9>;Screen=YES;Privacy=Full", True, True, True, True),
        ('<sip:200@192.0.2.9>;screen=yes;privacy="full-network"', True, True, True, True),
        ("<sip:200@192.0.2.9>;screen=yes;privacy=name", True, True, False, True),
        ("<sip:200@192.0.2.9>;screen=yes;privacy=uri", True, True, True, False),
    ],
)
def test_a_remote_party(text: str, caller: bool, screened: bool, number: bool, name: bool) -> None:
    one = RemoteParty.parse(text)
    assert (one.is_caller, one.is_screened, one.hides_number, one.hides_name) == (caller, screened, number, name)


@pytest.mark.parametrize(
    ("texts", "values", "caller", "history", "waived"),
    [
        ([], (), False, False, False),
        (["id"], ("id",), True, False, False),
        (["ID; Critical"], ("id", "critical"), True, False, False),
        (["user;id", "header"], ("user", "id", "header"), True, True, False),
        (["none"], ("none",), False, False, True),
        (["none;critical"], ("none", "critical"), False, False, True),
        # Against RFC 3323, but it happens; the stricter wish counts.
        (["none;id"], ("none", "id"), True, False, False),
        (["id, header"], ("id", "header"), True, True, False),
        (["session"], ("session",), False, False, False),
        (["history"], ("history",), False, True, False),
        (["header"], ("header",), False, True, False),
        (["something-new"], ("something-new",), True, False, False),
        ([";; id ;"], ("id",), True, False, False),
    ],
)  # fmt: skip
def test_privacy(texts: list[str], values: tuple[str, ...], caller: bool, history: bool, waived: bool) -> None:
    wish = Privacy.parse(texts)
    assert (wish.values, wish.hides_caller, wish.hides_history, wish.is_waived) == (values, caller, history, waived)


@pytest.mark.parametrize("text", ["i d", '"id"', "<id>", "id=1", "id\0"])
def test_what_is_no_privacy_is_refused(text: str) -> None:
    with pytest.raises(PeerError):
        Privacy.parse([text])


@pytest.mark.parametrize(
    ("text", "anonymous"),
    [
        ('"Anonymous" <sip:anonymous@anonymous.invalid>;tag=1', True),
        ("<sip:+15551234567@Anonymous.Invalid>", True),
        ("<sip:Anonymous@192.0.2.1>", True),
        ("<sip:@anonymous.invalid>", True),
        ('"Anonymous" <sip:+15551234567@example.com>', False),
        ("<tel:+15551234567>", False),
    ],
)
def test_who_calls_without_a_name(text: str, anonymous: bool) -> None:
    assert is_anonymous(NameAddr.parse(text)) is anonymous
