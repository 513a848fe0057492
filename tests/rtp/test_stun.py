"""A STUN question against the vectors of RFC 5769, in simulated time."""

import struct

import pytest

from sipgw.rtp.stun import Binding

TRANSACTION = bytes.fromhex("b7e7a701bc34d686fa87dfae")
HEAD = "2112a442" + TRANSACTION.hex()
SOFTWARE = "8022000b7465737420766563746f7220"
V4 = bytes.fromhex(
    "0101003c" + HEAD + SOFTWARE + "002000080001a147e112a643"
    "000800142b91f599fd9e90c38c7489f92af9ba53f06be7d7" + "80280004c07d4c96"
)
"""Section 2.2."""
V6 = bytes.fromhex(
    "01010048" + HEAD + SOFTWARE + "002000140002a1470113a9faa5d3f179bc25f4b5bed2b9d9"
    "00080014a382954e4be67bf11784c97c8292c275bfe3ed41" + "80280004c8fb0b4c"
)
"""Section 2.3."""


def answer(attributes: str, kind: int = 0x0101) -> bytes:
    body = bytes.fromhex(attributes)
    return struct.pack("!HH", kind, len(body)) + bytes.fromhex(HEAD) + body


def asked() -> Binding:
    return Binding(TRANSACTION, 0.0)


def test_the_request_is_a_bare_header() -> None:
    assert asked().to_send() == [bytes.fromhex("00010000" + HEAD)]


@pytest.mark.parametrize(("data", "address"), [(V4, "192.0.2.1"), (V6, "2001:db8:1234:5678:11:2233:4455:6677")])
def test_the_address_is_told(data: bytes, address: str) -> None:
    one = asked()
    one.receive(data)
    assert (one.address, one.failure, one.next_timer()) == ((address, 32_853), "", None)


def test_an_old_servers_plain_address_does_as_well() -> None:
    one = asked()
    one.receive(answer("00010008" + "00018055c0000201" + "00040008" + "00010d96c0000209"))
    assert one.address == ("192.0.2.1", 32_853)


def test_without_an_answer_it_is_asked_four_times_in_all() -> None:
    one = asked()
    times = [0.0] * len(one.to_send())
    while (due := one.next_timer()) is not None:
        one.handle_timers(due - 0.001)
        assert one.to_send() == []
        one.handle_timers(due)
        times += [due] * len(one.to_send())
    assert (times, one.failure) == ([0.0, 0.5, 1.5, 3.5], "no answer")
    one.receive(V4)
    assert one.address is None


@pytest.mark.parametrize(
    "data",
    [
        b"",
        V4[:19],
        V4[:-1],
        V4.replace(TRANSACTION, bytes(12)),
        V4.replace(b"\x21\x12\xa4\x42", bytes(4)),
        b"\x00\x01" + V4[2:],
    ],
)
def test_what_is_no_answer_to_it_is_ignored(data: bytes) -> None:
    one = asked()
    one.receive(data)
    assert not one.over


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (answer("00090011" + "00000414" + b"Try elsewhere".hex() + "000000", 0x0111), "420 Try elsewhere"),
        (answer("", 0x0111), "refused"),
        (answer(""), "an answer without an address"),
        (answer("00200004" + "0001a147"), "an answer with an address of no family"),
        (answer("00200008" + "0003a147e112a643"), "an answer with an address of no family"),
        (answer("00200008" + "0001a147"), "an answer that ends in an attribute"),
        (answer("0020"), "an answer that ends in an attribute"),
        (answer("00770000"), "an answer with attribute 0x0077, which is not understood"),
        (V4[:-1] + b"\0", "an answer with a wrong fingerprint"),
    ],
)
def test_what_is_wrong_with_an_answer_is_said(data: bytes, why: str) -> None:
    one = asked()
    one.receive(data)
    assert (one.address, one.failure) == (None, why)
