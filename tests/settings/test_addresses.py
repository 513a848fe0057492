"""Where the media of a listener's calls go."""

from pathlib import Path

import pytest

from sipgw.options import AddressOptions
from sipgw.settings import SettingsError, load
from sipgw.settings.addresses import media_of

FOUR = AddressOptions("192.0.2.10", "198.51.100.7")
"""Of the media section."""


def test_without_a_word_it_is_the_media_sections() -> None:
    assert media_of("10.0.0.5", "", "", FOUR) == (FOUR,)
    assert media_of("10.0.0.5", "", "203.0.113.1", FOUR) == (AddressOptions("192.0.2.10", "203.0.113.1"),)


def test_its_own_is_told_as_it_is_unless_it_says_otherwise() -> None:
    assert media_of("10.0.0.5", "10.0.0.6", "", FOUR) == (AddressOptions("10.0.0.6"),)
    assert media_of("10.0.0.5", "10.0.0.6", "203.0.113.1", FOUR) == (AddressOptions("10.0.0.6", "203.0.113.1"),)


def test_over_ipv6_it_is_the_listeners_and_the_other_for_who_speaks_ipv4() -> None:
    assert media_of("2001:db8::5", "", "", FOUR) == (AddressOptions("2001:db8::5"), FOUR)
    assert media_of("2001:db8::5", "192.0.2.11", "", FOUR) == (AddressOptions("192.0.2.11"),)


def test_who_is_elsewhere_is_not_told_the_loopback() -> None:
    loopback = AddressOptions("127.0.0.1")
    assert media_of("2001:db8::5", "", "", loopback) == (AddressOptions("2001:db8::5"),)
    assert media_of("::1", "", "", loopback) == (AddressOptions("::1"), loopback)


@pytest.mark.parametrize(
    ("sip", "said"),
    [
        ("{listeners: [{transport: udp, port: 5070, media_host: here}]}",
         "sip.listeners[0].media_host: 'here' is not an IP address; give one of this machine"),
        ("{listeners: [{transport: udp, port: 5070, media_host: 0.0.0.0}]}",
         "sip.listeners[0].media_host: 0.0.0.0 cannot be told to others; "
         "set its media_advertised to the address they reach, or to auto"),
        ("{listeners: [{transport: udp, port: 5070, host: '::', advertised: sbc.example}]}",
         "sip.listeners[0].media_host: :: cannot be told to others; "
         "set its media_advertised to the address they reach, or to auto"),
        ("{advertised: '2001:db8::1'}",
         "sip.advertised: 2001:db8::1 is of another family than its host; give one of IPv4"),
        ("{listeners: [{transport: udp, port: 5070, media_advertised: 'stun:'}]}",
         "sip.listeners[0].media_advertised: 'stun:' is neither an address nor a name, nor auto, interface:NAME or "
         "stun:HOST:PORT; give what others reach"),
        ("{host: '::', advertised: sbc.example}",
         "media.host: 127.0.0.1 is no place for the media of calls to ::; write listeners with a media_host each"),
    ],
)  # fmt: skip
def test_what_others_cannot_be_told_is_refused(tmp_path: Path, sip: str, said: str) -> None:
    path = tmp_path / "x.yaml"
    path.write_text(f"sip: {sip}\nbackends: {{demo: {{dialect: demo}}}}\nroutes: [{{targets: [demo], anyone: true}}]\n")
    with pytest.raises(SettingsError) as caught:
        load(path, {})
    assert [f"{one.key}: {one.text}; {one.hint}" for one in caught.value.problems] == [said]
