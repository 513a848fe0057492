"""`a=crypto`: what carriers and phones send, what we take of it, and what we answer."""

import base64
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sipgw.rtp.srtp import SUITES
from sipgw.sdp.crypto import KEY_BYTES, OFFERED, Crypto, Keys, RandomBytes, accepted, chosen, offered_by, offers
from sipgw.sdp.lines import Attribute
from sipgw.sdp.model import Media

KEY = bytes(range(30))
INLINE = f"inline:{base64.b64encode(KEY).decode()}"


def media(*values: str) -> Media:
    return Media("audio", 4000, "RTP/SAVP", ("0",), attributes=tuple(Attribute("crypto", value) for value in values))


def drawn() -> RandomBytes:
    """Keys that can be told apart."""
    number = count(1)

    def random(size: int) -> bytes:
        return bytes([next(number)]) * size

    return random


def test_every_suite_of_sdp_is_one_of_srtp() -> None:
    assert {name: suite.key_bytes for name, suite in SUITES.items()} == KEY_BYTES
    assert set(OFFERED) <= set(KEY_BYTES)


@pytest.mark.parametrize(
    "value",
    [
        f"1 AES_CM_128_HMAC_SHA1_80 {INLINE}",
        f"1 AES_CM_128_HMAC_SHA1_80 {INLINE}|2^31",
        f"1 AES_CM_128_HMAC_SHA1_80 {INLINE}|2^20",
        f"1 aes_cm_128_hmac_sha1_80 {INLINE}|1048576",
        f"1  AES_CM_128_HMAC_SHA1_80  {INLINE}  WSH=64 ",
        f"1 AES_CM_128_HMAC_SHA1_80 {INLINE} KDR=0 -NEWER=1",
        f"1 AES_CM_128_HMAC_SHA1_80 {INLINE.rstrip('=')}",
    ],
)
def test_what_carriers_and_phones_send_is_read(value: str) -> None:
    assert offered_by(media(value)) == [Crypto(1, "AES_CM_128_HMAC_SHA1_80", KEY)]


@pytest.mark.parametrize(
    "value",
    [
        "",
        "1",
        f"x AES_CM_128_HMAC_SHA1_80 {INLINE}",
        f"1 F8_128_HMAC_SHA1_80 {INLINE}",
        f"1 AES_CM_128_HMAC_SHA1_80 {INLINE}|2^31|1:4",  # MKI
        f"1 AES_CM_128_HMAC_SHA1_80 {INLINE};{INLINE}",  # several keys
        f"1 AES_CM_128_HMAC_SHA1_80 {INLINE} UNENCRYPTED_SRTP",
        f"1 AES_CM_128_HMAC_SHA1_80 {INLINE} UNAUTHENTICATED_SRTP",
        f"1 AES_CM_128_HMAC_SHA1_80 {INLINE} KDR=24",
        "1 AES_CM_128_HMAC_SHA1_80 inline:AAAA",  # too short
        "1 AES_CM_128_HMAC_SHA1_80 inline:***",
        "1 AES_CM_128_HMAC_SHA1_80 file:/key",
    ],
)
def test_what_cannot_be_done_exactly_as_asked_is_passed_over(value: str) -> None:
    good = f"2 AES_CM_128_HMAC_SHA1_80 {INLINE}"
    assert [one.tag for one in offered_by(media(value, good))] == [2]


def test_the_first_that_we_have_is_taken_under_its_tag_with_a_key_of_ours() -> None:
    theirs = [Crypto(7, "AES_CM_128_HMAC_SHA1_32", KEY), Crypto(8, "AES_CM_128_HMAC_SHA1_80", KEY)]
    found = chosen(theirs, drawn())
    assert found == (Crypto(7, "AES_CM_128_HMAC_SHA1_32", b"\1" * 30), Keys("AES_CM_128_HMAC_SHA1_32", b"\1" * 30, KEY))
    assert chosen([], drawn()) is None


def test_who_keeps_the_key_finds_ours_kept_and_who_changes_it_gets_another() -> None:
    random = drawn()
    first = chosen([Crypto(1, "AES_CM_128_HMAC_SHA1_80", KEY)], random)
    assert first is not None
    again = chosen([Crypto(1, "AES_CM_128_HMAC_SHA1_80", KEY)], random, first[1])
    assert again == first
    other = chosen([Crypto(1, "AES_CM_128_HMAC_SHA1_80", KEY[::-1])], random, first[1])
    assert other is not None
    assert other[1] == Keys("AES_CM_128_HMAC_SHA1_80", b"\2" * 30, KEY[::-1])


def test_our_offers_are_read_as_they_were_made_and_an_answer_takes_one() -> None:
    ours = offers(drawn())
    line = media(*(one.attribute().value or "" for one in ours))
    assert offered_by(line) == ours
    answer = media(f"1 AES_CM_128_HMAC_SHA1_80 {INLINE}")
    assert accepted(ours, answer) == Keys("AES_CM_128_HMAC_SHA1_80", ours[0].key, KEY)


@pytest.mark.parametrize(
    "values",
    [
        (),
        (f"9 AES_CM_128_HMAC_SHA1_80 {INLINE}",),
        (f"1 AES_CM_128_HMAC_SHA1_32 {INLINE}",),
        (f"1 AES_CM_128_HMAC_SHA1_80 {INLINE}", f"3 AES_CM_128_HMAC_SHA1_32 {INLINE}"),
    ],
)
def test_an_answer_that_takes_nothing_we_offered_or_more_than_one_agrees_on_nothing(values: tuple[str, ...]) -> None:
    assert accepted(offers(drawn()), media(*values)) is None


def test_keys_are_shown_to_nobody() -> None:
    assert "0001" not in repr(Crypto(1, "AES_CM_128_HMAC_SHA1_80", KEY))
    assert "key" not in repr(Crypto(1, "AES_CM_128_HMAC_SHA1_80", KEY))
    assert repr(Keys("AES_CM_128_HMAC_SHA1_80", KEY, KEY)) == "Keys(suite='AES_CM_128_HMAC_SHA1_80')"


@given(st.text(max_size=120))
def test_any_text_is_read_or_passed_over(value: str) -> None:
    assert len(offered_by(media(value))) <= 1
