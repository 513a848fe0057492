"""One word for how sure a carrier is of the caller, from every way in which carriers say it."""

import pytest

from sipgw.sip.attestation import LEVELS, attestation
from sipgw.sip.headers import Headers
from sipgw.sip.identity import identities
from sipgw.sip.values import NameAddr

PAI, TWILIO, PLIVO = "P-Asserted-Identity", "X-Twilio-VerStat", "X-Plivo-Stir-Verification"
INDICATOR = "P-Attestation-Indicator"


def said(*headers: tuple[str, str], caller: str = "<sip:+15551234567@example.com>") -> tuple[str, str]:
    """Level and source, of these headers and this From."""
    all_ = Headers(headers)
    found = attestation(all_, identities(all_.listed(PAI), PAI), NameAddr.parse(caller))
    assert found.level in LEVELS
    return found.level, found.source


@pytest.mark.parametrize(
    ("value", "level"),
    [
        ("TN-Validation-Passed", "A"),
        ("TN-Validation-Passed-A", "A"),
        ("TN-Validation-Passed-B", "B"),
        ("tn-validation-passed-c", "C"),
        ("TN-Validation-Passed-A-Diverted", "A"),
        ("TN-Validation-Passed-C-Passthrough", "C"),
        ("TN-Validation-Passed-B-Diverted-Passthrough", "B"),
        ("TN-Validation-Failed", "failed"),
        ("TN-Validation-Failed-A", "failed"),
        ("TN-Validation-Failed-B-Diverted", "failed"),
        ("No-TN-Validation", "unknown"),
    ],
)
def test_every_verstat_wherever_it_stands(value: str, level: str) -> None:
    assert said((TWILIO, value)) == (level, "x-twilio-verstat")
    for party in (
        f"<sip:+15551234567@carrier.example;verstat={value}>",  # Telnyx
        f"<sip:+15551234567;verstat={value}@192.0.2.1:5060>",  # Plivo, and 3GPP
        f"<tel:+15551234567;verstat={value}>",
        f'"Ann" <sip:+15551234567@carrier.example;user=phone>;verstat={value}',
    ):
        assert said((PAI, party)) == (level, "p-asserted-identity")
        assert said(caller=f"{party};tag=1") == (level, "from")


@pytest.mark.parametrize(
    "value", ["", "TN-Validation-Passed-D", "TN-Validation-Passedx", "passed", "A", "TN-Validation"]
)
def test_what_nobody_knows_says_nothing(value: str) -> None:
    assert said((TWILIO, value)) == ("unknown", "")


@pytest.mark.parametrize(
    ("value", "level"),
    [("Verified", "A"), (" verified ", "A"), ("Not Verified", "unknown"), ("Not Applicable", "unknown")],
)
def test_plivo(value: str, level: str) -> None:
    assert said((PLIVO, value)) == (level, "x-plivo-stir-verification")


@pytest.mark.parametrize(
    ("headers", "found"),
    [
        # Some tell that it passed in one place and the level in another.
        ([(PAI, "<sip:+1@x;verstat=TN-Validation-Passed>"), (INDICATOR, "B")], ("B", "p-asserted-identity")),
        ([(PAI, "<sip:+1@x;verstat=TN-Validation-Passed-A>"), (INDICATOR, "B")], ("A", "p-asserted-identity")),
        ([(PAI, "<sip:+1@x;verstat=TN-Validation-Failed>"), (INDICATOR, "A")], ("failed", "p-asserted-identity")),
        ([(INDICATOR, "c")], ("C", "p-attestation-indicator")),
        ([(INDICATOR, "D")], ("unknown", "")),
        # The first that says something counts.
        (
            [(PAI, "<sip:+1@x>, <tel:+1;verstat=TN-Validation-Passed-C>"), (TWILIO, "TN-Validation-Passed-A")],
            ("C", "p-asserted-identity"),
        ),
        ([(TWILIO, "TN-Validation-Failed"), (PLIVO, "Verified")], ("failed", "x-twilio-verstat")),
        ([(TWILIO, "strange"), (PLIVO, "Verified")], ("A", "x-plivo-stir-verification")),
        ([], ("unknown", "")),
    ],
)  # fmt: skip
def test_several_words(headers: list[tuple[str, str]], found: tuple[str, str]) -> None:
    assert said(*headers) == found
