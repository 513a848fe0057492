"""Identity is kept to the byte, in both forms."""

import pytest

from sipgw.errors import PeerError
from sipgw.sip.signed_identity import LONGEST, SignedIdentity

INFO = b";info=<https://certificates.example/sp.pem>"
FULL = b"eyJhbGciOiJFUzI1NiJ9.eyJhdHRlc3QiOiJBIn0.c2lnbmF0dXJl-_x"


@pytest.mark.parametrize(
    ("raw", "params"),
    [
        (FULL + INFO + b";alg=ES256;ppt=shaken", {"alg": "ES256", "ppt": "shaken"}),
        (FULL + INFO + b';alg=ES256;ppt="shaken"', {"alg": "ES256", "ppt": "shaken"}),
        (FULL + b";alg=ES256;ppt=div;info=<https://c.example/x?y=1,2;z>", {"alg": "ES256", "ppt": "div"}),
        (FULL + b" ; Info = <https://c.example/x> ; ppt = shaken", {"ppt": "shaken"}),
        (b"..c2lnbmF0dXJl" + INFO, {}),
        (b"..c2lnbmF0dXJl" + INFO + b";alg=ES384", {"alg": "ES384"}),
    ],
)
def test_an_identity(raw: bytes, params: dict[str, str]) -> None:
    one = SignedIdentity.parse(b" " + raw + b"\t")
    assert one.raw == raw
    assert {name: one.params.get(name) for name, _ in one.params} == params
    assert one.info.startswith("https://c")


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        FULL,  # no certificate
        FULL + b";info=https://c.example/x",
        FULL + b";info=<a>;info=<b>",
        b'"c2lnbmF0dXJl";info=<https://c.example/x>;alg=rsa-sha1',  # RFC 4474's, which RFC 8224 replaces
        b"onlyone" + INFO,
        b"a.b." + INFO,
        b"a.b.c.d" + INFO,
        b"a.b.c\xe9" + INFO,
        FULL + INFO + b";\xff",
        b"a.b." + b"c" * LONGEST + INFO,
    ],
)
def test_what_has_not_its_shape_is_refused(raw: bytes) -> None:
    with pytest.raises(PeerError):
        SignedIdentity.parse(raw)
