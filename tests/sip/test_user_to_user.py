"""User-to-User, as contact centres write it."""

import pytest

from sipgw.errors import PeerError
from sipgw.sip.headers import Headers
from sipgw.sip.user_to_user import UserToUser


@pytest.mark.parametrize(
    ("text", "octets", "encoding", "purpose", "content"),
    [
        ("56a390f3;encoding=hex;purpose=foo;content=bar", b"\x56\xa3\x90\xf3", "hex", "foo", "bar"),
        ("00FA1B2C;encoding=hex", b"\0\xfa\x1b\x2c", "hex", "", ""),
        ("00FA1B2C ; Encoding = HEX", b"\0\xfa\x1b\x2c", "hex", "", ""),
        ('"two words; and more";content=isdn-uui', b"two words; and more", "", "", "isdn-uui"),
        ("account=17|tier=gold", b"account=17|tier=gold", "", "", ""),
        ("c2lwZ3c=;encoding=base64", b"c2lwZ3c=", "base64", "", ""),
        (";encoding=hex", None, "", "", ""),
        ("0;encoding=hex", None, "", "", ""),
        ("00zz;encoding=hex", None, "", "", ""),
        ("two words", None, "", "", ""),
        ('"open', None, "", "", ""),
        ("", None, "", "", ""),
        ("\u0661\u0662;encoding=hex", None, "", "", ""),
    ],
)  # fmt: skip
def test_user_to_user(text: str, octets: bytes | None, encoding: str, purpose: str, content: str) -> None:
    if octets is None:
        with pytest.raises(PeerError):
            UserToUser.parse(text)
        return
    one = UserToUser.parse(text)
    assert (one.octets, one.encoding, one.purpose, one.content) == (octets, encoding, purpose, content)


def test_several_come_in_lines_and_in_lists() -> None:
    headers = Headers([("User-to-User", 'aa;encoding=hex, "b,b"'), ("user-to-user", "cc;encoding=hex")])
    assert [UserToUser.parse(text).data for text in headers.listed("User-to-User")] == ["aa", "b,b", "cc"]
