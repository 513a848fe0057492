"""URIs: what each part of them is, what is none, and that they print as they came."""

from dataclasses import replace

import pytest

from sipgw.errors import PeerError
from sipgw.sip.params import Params
from sipgw.sip.uri import Uri

FOUND = {
    "sip:example.com": (None, None, "example.com", None, "", ""),
    "sip:alice@example.com": ("alice", None, "example.com", None, "", ""),
    "sip:alice:secretword@atlanta.com;transport=tcp": (
        "alice",
        "secretword",
        "atlanta.com",
        None,
        ";transport=tcp",
        "",
    ),
    "sip:alice:@192.0.2.4": ("alice", "", "192.0.2.4", None, "", ""),
    "sips:alice@atlanta.com?subject=project%20x&priority=urgent": (
        "alice",
        None,
        "atlanta.com",
        None,
        "",
        "subject=project%20x&priority=urgent",
    ),
    "sip:+1-212-555-1212:1234@gateway.com;user=phone": (
        "+1-212-555-1212",
        "1234",
        "gateway.com",
        None,
        ";user=phone",
        "",
    ),
    "sip:atlanta.com;method=REGISTER?to=alice%40atlanta.com": (
        None,
        None,
        "atlanta.com",
        None,
        ";method=REGISTER",
        "to=alice%40atlanta.com",
    ),
    "sip:alice;day=tuesday@atlanta.com": ("alice;day=tuesday", None, "atlanta.com", None, "", ""),
    "sip:[2001:db8::10]:5070;lr": (None, None, "[2001:db8::10]", 5070, ";lr", ""),
    "SIP:a_b@under_score.example.com:05060": ("a_b", None, "under_score.example.com", 5060, "", ""),
    "sip:@192.0.2.1": ("", None, "192.0.2.1", None, "", ""),
    "sip:*97@pbx": ("*97", None, "pbx", None, "", ""),
    "sip:%23123@pbx": ("%23123", None, "pbx", None, "", ""),
    "sip:#31#+4930@pbx": ("#31#+4930", None, "pbx", None, "", ""),
    "sip:100@pbx?Replaces=a%40b%3Bto-tag%3D1": ("100", None, "pbx", None, "", "Replaces=a%40b%3Bto-tag%3D1"),
    "sip:proj_abc123@sip.api.openai.com;transport=tls": (
        "proj_abc123",
        None,
        "sip.api.openai.com",
        None,
        ";transport=tls",
        "",
    ),
    "sip:+15551234567@sip.telnyx.com;verstat=TN-Validation-Passed": (
        "+15551234567",
        None,
        "sip.telnyx.com",
        None,
        ";verstat=TN-Validation-Passed",
        "",
    ),
}


@pytest.mark.parametrize("text", FOUND)
def test_the_parts_of_a_sip_uri(text: str) -> None:
    uri = Uri.parse(text)
    assert (uri.user, uri.password, uri.host, uri.port, str(uri.params), uri.headers) == FOUND[text]
    assert uri.scheme == text.partition(":")[0].lower()
    assert uri.is_sip
    assert str(uri) == uri.raw == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "sip",
        "sip:",
        "sip:alice@",
        "sip:2001:db8::10",
        "sip:a@b:65536",
        "sip:a@b:",
        "sip:a@b:port",
        "sip:a@b c",
        "sip:a b@c",
        " sip:a@b",
        "sip:a@b\n",
        "<sip:a@b>",
        "sip:a@b;;lr",
        "sip:a@b;=x",
        "sip:a@b@c",
        "sip:a@[::1",
        "sip:a@-b",
        'sip:"a"@b',
        "1tel:+49",
        ":a",
        "user",
        "*",
    ],
)
def test_what_is_no_uri(text: str) -> None:
    with pytest.raises(PeerError, match="400"):
        Uri.parse(text)


def test_a_tel_uri_is_kept_and_names_its_number() -> None:
    uri = Uri.parse("tel:+1-201-555-0123;phone-context=example.com")
    assert (uri.scheme, uri.opaque, uri.host, uri.is_sip) == (
        "tel",
        "+1-201-555-0123;phone-context=example.com",
        "",
        False,
    )
    assert uri.user_text == "+1-201-555-0123"
    assert str(uri) == "tel:+1-201-555-0123;phone-context=example.com"


def test_escapes_are_resolved_as_utf8_or_latin_1() -> None:
    assert Uri.parse("sip:j%C3%BCrgen@x").user_text == "jürgen"
    assert Uri.parse("sip:j%FCrgen@x").user_text == "jürgen"
    assert Uri.parse("sip:100%@x").user_text == "100%"
    assert Uri.parse("sip:x").user_text == ""


def test_parameters_are_found_without_regard_to_case_or_escapes() -> None:
    uri = Uri.parse("sip:x;LR;Trans%70ort=TCP;x=%2B")
    assert (uri.param("lr"), uri.param("transport"), uri.param("x"), uri.param("y")) == ("", "TCP", "+", None)


def test_equal_means_written_alike() -> None:
    assert Uri.parse("sip:a@b") == Uri.parse("sip:a@b") == Uri("sip", "a", host="b")
    assert Uri.parse("sip:a@b") != Uri.parse("sip:a@B")
    assert Uri.parse("sip:a@b:05060") != Uri.parse("sip:a@b:5060")
    assert len({Uri.parse("sip:a@b"), Uri("sip", "a", host="b")}) == 1


def test_a_uri_put_together_prints_and_a_changed_one_prints_the_change() -> None:
    uri = Uri("sip", "a", "p", "[::1]", 5061, Params((("lr", None),)), "x=y")
    assert str(uri) == "sip:a:p@[::1]:5061;lr?x=y"
    assert uri.address == "::1"
    assert str(replace(Uri.parse("sip:a@b:05060;lr"), port=5070)) == "sip:a@b:5070;lr"
