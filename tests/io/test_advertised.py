"""What an operator may say of the address that others reach us at."""

import pytest

from sipgw.io.advertised import Advertised, Way, parse


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("198.51.100.7", Advertised(Way.WRITTEN, "198.51.100.7")),
        ("2001:DB8:0::7", Advertised(Way.WRITTEN, "2001:db8::7")),
        ("sbc.example.com", Advertised(Way.WRITTEN, "sbc.example.com")),
        ("gateway-1", Advertised(Way.WRITTEN, "gateway-1")),
        ("auto", Advertised(Way.ROUTE)),
        ("interface:eth0.100", Advertised(Way.INTERFACE, "eth0.100")),
        ("stun:stun.example.com", Advertised(Way.STUN, "stun.example.com", 3478)),
        ("stun:198.51.100.3:3479", Advertised(Way.STUN, "198.51.100.3", 3479)),
        ("stun:[2001:db8::3]:3479", Advertised(Way.STUN, "2001:db8::3", 3479)),
    ],
)
def test_it_is_read(text: str, said: Advertised) -> None:
    assert parse(text) == said


@pytest.mark.parametrize(("text", "is_name"), [("sbc.example.com", True), ("198.51.100.7", False), ("auto", False)])
def test_a_name_is_told_from_an_address(text: str, is_name: bool) -> None:
    assert parse(text).is_name is is_name


@pytest.mark.parametrize(
    "text",
    ["0.0.0.0", "::", "198.51.100", "198.51.100.777", "a..b", "-a", "interface:", "stun:", "stun:a:b", "x y", ""],
)
def test_what_it_is_not_is_said(text: str) -> None:
    with pytest.raises(ValueError, match=r"is nobody's address|is neither an address nor a name"):
        parse(text)
