"""Lexical rules: tokens, numbers, lists, quoting, and the encodings lines come in."""

import time

import pytest

from sipgw.errors import PeerError
from sipgw.sip.grammar import Latin1, decode, encode, is_token, number, quote, split_list, unquote
from sipgw.sip.params import Params
from sipgw.sip.values import NameAddr, Via


def test_tokens_are_made_of_exactly_the_rfcs_characters() -> None:
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-.!%*_+`'~"
    for code in range(0x250):
        assert is_token(chr(code)) == (chr(code) in letters), code
    assert not is_token("")
    assert not is_token("a\n")


@pytest.mark.parametrize(("text", "value"), [("0", 0), ("0068", 68), (" 255 ", 255), ("0" * 5000 + "7", 7)])
def test_numbers_may_have_leading_zeros(text: str, value: int) -> None:
    assert number(text, 255, "it") == value


@pytest.mark.parametrize("text", ["", "256", "-1", "+1", "1e1", "1_0", "١", "²", "0x1", "1 1", "9" * 5000])
def test_anything_else_is_no_number(text: str) -> None:
    with pytest.raises(PeerError, match="400 Bad it"):
        number(text, 255, "it")


@pytest.mark.parametrize(
    ("text", "items"),
    [
        ("", []),
        ("a", ["a"]),
        (" a , b,c ", ["a", "b", "c"]),
        (",a,,b,", ["a", "b"]),
        ('"x, y" <sip:a@b>, <sip:c,d@e>;q="1,2"', ['"x, y" <sip:a@b>', '<sip:c,d@e>;q="1,2"']),
        (r'"a\",b" <c>, d', [r'"a\",b" <c>', "d"]),
        (r'"a\\", b', [r'"a\\"', "b"]),
        ('"open, b', ['"open, b']),
        ("<open, b", ["<open, b"]),
    ],
)
def test_lists_are_split_at_commas_outside_quotes_and_brackets(text: str, items: list[str]) -> None:
    assert split_list(text) == items


@pytest.mark.parametrize(
    ("text", "quoted"), [("", '""'), ("a b", '"a b"'), ('say "hi"', r'"say \"hi\""'), ("a\\b", r'"a\\b"')]
)
def test_quoting_and_back(text: str, quoted: str) -> None:
    assert quote(text) == quoted
    assert unquote(quoted) == text


def test_a_backslash_makes_any_character_literal() -> None:
    assert unquote('"\\\0\\\x07\\a"') == "\0\x07a"
    assert unquote("plain") == "plain"
    assert unquote('"') == '"'


def test_lines_are_utf8_or_else_latin_1_and_keep_their_bytes() -> None:
    utf8, latin = "Jürgen".encode(), "Jürgen".encode("latin-1")
    assert decode(utf8) == decode(latin) == "Jürgen"
    assert (type(decode(utf8)), type(decode(latin))) == (str, Latin1)
    assert (encode(decode(utf8)), encode(decode(latin))) == (utf8, latin)


@pytest.mark.parametrize(
    "hostile",
    [
        '"' * 60_000,
        '"\\' * 30_000,
        "<" * 60_000,
        ";" * 60_000,
        " " * 60_000,
        ";a" * 30_000 + "\x00<",
        '";' * 30_000,
        "a" * 60_000 + "<",
        "sip:" + "a:" * 30_000,
        "sip:" + ";a=" * 20_000,
        "SIP/2.0/UDP " + "a." * 30_000 + '"',
    ],
    ids=lambda text: repr(text[:14]),
)
def test_hostile_text_takes_no_longer_than_its_length(hostile: str) -> None:
    start = time.process_time()
    for read in (split_list, Params.parse, NameAddr.parse, Via.parse):
        try:
            read(hostile)
        except PeerError:
            continue
    # A quadratic pattern takes minutes for this; the linear ones take some milliseconds.
    assert time.process_time() - start < 0.5
