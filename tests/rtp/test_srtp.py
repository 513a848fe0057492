"""SRTP against vectors, and what a session must not accept or repeat."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sipgw.errors import UsageError
from sipgw.rtp.packet import BadPacket, pack
from sipgw.rtp.srtp import SUITES, Protection, Resumption
from tests.shared import shared

OURS, THEIRS = 0xCAFEBABE, 0x0BADCAFE
EVERY = pytest.mark.parametrize("suite", SUITES)


def keys(suite: str) -> tuple[bytes, bytes]:
    """Ours and theirs."""
    size = SUITES[suite].key_bytes
    return bytes(range(size)), bytes(range(100, 100 + size))


def pair(suite: str = "AES_CM_128_HMAC_SHA1_80") -> tuple[Protection, Protection]:
    """We and the far end."""
    ours, theirs = keys(suite)
    return Protection(suite, ours, theirs, OURS), Protection(suite, theirs, ours, THEIRS)


def packet(extended: int, ssrc: int = OURS) -> bytes:
    return pack(0, False, extended & 0xFFFF, extended * 160 & 0xFFFFFFFF, ssrc) + b"sound of 20 ms"


def vectors() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(shared("vectors/srtp/srtp_vectors.json").read_text())
    return loaded


@pytest.mark.parametrize(
    ("suite", "vector", "protected"),
    [
        ("AES_CM_128_HMAC_SHA1_80", "libsrtp_AES_CM_128_HMAC_SHA1", "srtp_tag80"),
        ("AES_CM_128_HMAC_SHA1_32", "libsrtp_AES_CM_128_HMAC_SHA1", "srtp_tag32"),
        ("AES_256_CM_HMAC_SHA1_80", "libsrtp_AES_256_CM_HMAC_SHA1_80", "srtp"),
    ],
)
def test_packets_are_protected_as_the_vectors_say(suite: str, vector: str, protected: str) -> None:
    known = vectors()[vector]
    key = bytes.fromhex(known["master_key"] + known["master_salt"])
    plain, secret = bytes.fromhex(known["rtp_plain"]), bytes.fromhex(known[protected])
    assert Protection(suite, key, key, OURS).protect(plain) == secret
    assert Protection(suite, key, key, THEIRS).unprotect(secret) == plain


def test_reports_and_a_second_round_of_numbers_are_as_the_vectors_say() -> None:
    known = vectors()["libsrtp_AES_CM_128_HMAC_SHA1"]
    key = bytes.fromhex(known["master_key"] + known["master_salt"])
    one = Protection("AES_CM_128_HMAC_SHA1_80", key, key, OURS, Resumption(sent=0x1_1234))
    assert one.protect(bytes.fromhex(known["rtp_plain"])).hex() == known["roc_wrap"]["srtp_tag80"]
    assert one.protect_rtcp(bytes.fromhex(known["rtcp_plain"])).hex() == known["srtcp_tag80"]


@EVERY
def test_what_one_side_protects_the_other_reads_past_the_end_of_the_sequence_numbers(suite: str) -> None:
    we, they = pair(suite)
    for extended in range(65_500, 65_600):
        assert they.unprotect(we.protect(packet(extended))) == packet(extended)
    report = bytes.fromhex("80c90001cafebabe")
    assert they.unprotect_rtcp(we.protect_rtcp(report)) == report


@EVERY
def test_a_packet_is_taken_once_whole_and_from_who_has_the_key(suite: str) -> None:
    we, they = pair(suite)
    secret = we.protect(packet(7))
    with pytest.raises(BadPacket, match="srtp_not_authentic"):
        they.unprotect(secret[:-1] + bytes([secret[-1] ^ 1]))
    with pytest.raises(BadPacket, match="srtp_not_authentic"):
        we.unprotect(secret)
    they.unprotect(secret)
    with pytest.raises(BadPacket, match="srtp_replayed"):
        they.unprotect(secret)


def test_late_packets_are_taken_within_the_window_only() -> None:
    we, they = pair()
    secrets = {number: we.protect(packet(number)) for number in range(1000, 1300)}
    they.unprotect(secrets[1200])
    they.unprotect(secrets[1100])
    with pytest.raises(BadPacket, match="srtp_too_old"):
        they.unprotect(secrets[1000])


@EVERY
def test_a_session_goes_on_elsewhere_without_using_a_number_twice(suite: str) -> None:
    we, they = pair(suite)
    ours, theirs = keys(suite)
    for extended in range(65_530, 65_540):
        they.unprotect(we.protect(packet(extended)))
        we.unprotect(they.protect(packet(extended, THEIRS)))
    report = bytes.fromhex("80c90001cafebabe")
    for _ in range(3):
        they.unprotect_rtcp(we.protect_rtcp(report))
    assert we.received(THEIRS, 65_539 & 0xFFFF) == 65_539
    where = Resumption(sent=65_604, sent_reports=5, source=THEIRS, received=65_539)
    elsewhere = Protection(suite, ours, theirs, OURS, where)
    assert they.unprotect(elsewhere.protect(packet(65_604))) == packet(65_604)
    assert elsewhere.unprotect(they.protect(packet(65_540, THEIRS))) == packet(65_540, THEIRS)
    assert they.unprotect_rtcp(elsewhere.protect_rtcp(report)) == report


@given(st.binary(max_size=200))
def test_any_bytes_are_refused_by_name(data: bytes) -> None:
    _, they = pair()
    for unprotect in (they.unprotect, they.unprotect_rtcp):
        with pytest.raises(BadPacket, match="srtp_"):
            unprotect(data)


def test_a_suite_that_there_is_not_and_a_key_that_does_not_fit_are_named() -> None:
    with pytest.raises(UsageError, match="no SRTP suite 'NULL'; there are AEAD_AES_256_GCM"):
        Protection("NULL", b"", b"", OURS)
    with pytest.raises(UsageError, match="30 octets, not 16"):
        Protection("AES_CM_128_HMAC_SHA1_80", bytes(16), bytes(30), OURS)
