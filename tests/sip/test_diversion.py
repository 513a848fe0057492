"""Diversion and History-Info, as carriers, PBXs and Teams write them."""

import pytest

from sipgw.errors import PeerError
from sipgw.sip.diversion import Diversion, HistoryEntry
from sipgw.sip.headers import Headers


@pytest.mark.parametrize(
    ("text", "user", "reason", "counter", "hidden"),
    [
        (
            "<sip:+15550100@192.0.2.1>;reason=unconditional;counter=1;privacy=off",
            "+15550100", "unconditional", 1, (False, False),
        ),
        ('"Desk" <sip:200@pbx.example>;Reason="No-Answer";screen=no', "200", "no-answer", 1, (False, False)),
        ("<sip:200@pbx.example>;counter=0007;limit=9", "200", "unknown", 7, (False, False)),
        ("<tel:+15550100>;reason=user-busy;privacy=full", "+15550100", "user-busy", 1, (True, True)),
        ("sip:200@pbx.example;reason=deflection;privacy=name", "200", "deflection", 1, (False, True)),
        ("<sip:200@pbx.example>;privacy=URI", "200", "unknown", 1, (True, False)),
    ],
)  # fmt: skip
def test_a_diversion(text: str, user: str, reason: str, counter: int, hidden: tuple[bool, bool]) -> None:
    one = Diversion.parse(text)
    assert (one.party.uri.user_text, one.reason, one.counter) == (user, reason, counter)
    assert (one.hides_number, one.hides_name) == hidden


@pytest.mark.parametrize(
    "text", ["", "<>", "<sip:1@x>;counter=x", "<sip:1@x>;counter=-1", "<sip:1@x>;counter=99999", "\0"]
)
def test_what_is_no_diversion_is_refused(text: str) -> None:
    with pytest.raises(PeerError):
        Diversion.parse(text)


def test_several_diversions_come_in_lines_and_in_lists() -> None:
    headers = Headers([
        ("Diversion", '"One, two" <sip:1@x>;reason=no-answer, <sip:2@x>'), ("DIVERSION", "<sip:3@x>;counter=2"),
    ])  # fmt: skip
    assert [Diversion.parse(text).party.uri.user for text in headers.listed("Diversion")] == ["1", "2", "3"]


@pytest.mark.parametrize(
    ("text", "index", "cause", "hidden"),
    [
        ("<sip:bob@example.com>;index=1", "1", None, False),
        ("<sip:bob@example.com?Reason=SIP%3Bcause%3D302%3Btext%3D%22Moved%22>;index=1.1;rc=1", "1.1", 302, False),
        ("<sip:+15550100@sip.pstnhub.microsoft.com;user=phone?Reason=SIP;cause=302>;index=1", "1", 302, False),
        ("<sip:+15550100@192.0.2.1;cause=486>;index=1.2.1;mp=1", "1.2.1", 486, False),
        ("<sip:bob@example.com?Privacy=history&Reason=SIP%3Bcause%3D480>;index=1", "1", 480, True),
        ("<tel:+15550100>;index=1", "1", None, False),
        ("<sip:bob@example.com;cause=x>;index=1", "1", None, False),
    ],
)
def test_an_entry_of_the_history(text: str, index: str, cause: int | None, hidden: bool) -> None:
    one = HistoryEntry.parse(text)
    assert (one.index, one.cause, one.hidden) == (index, cause, hidden)


@pytest.mark.parametrize(
    "text", ["", "<sip:bob@example.com>", "<sip:bob@example.com>;index=1.", "<sip:b@x>;index=a", "<sip"]
)
def test_what_is_no_entry_is_refused(text: str) -> None:
    with pytest.raises(PeerError):
        HistoryEntry.parse(text)
