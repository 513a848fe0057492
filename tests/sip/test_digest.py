"""Digest: published vectors, both directions against each other, and values that are none."""

import json
from typing import Any

import pytest

from sipgw.errors import PeerError
from sipgw.sip.digest import ALGORITHMS, Authorization, Challenge, Credentials, challenges
from tests.shared import shared


def vectors() -> list[dict[str, Any]]:
    loaded: list[dict[str, Any]] = json.loads(shared("vectors/digest/digest_vectors.json").read_text())
    return [vector for vector in loaded if "alg" in vector]


def test_the_published_vectors() -> None:
    for vector in vectors():
        one = Authorization(
            vector["user"], vector["realm"], vector["nonce"], vector["uri"], "", vector["alg"],
            vector.get("qop"), vector.get("nc"), vector.get("cnonce"),
        )  # fmt: skip
        signed = one.signed(vector["password"], vector["method"], vector["body"].encode())
        assert signed.response == (vector["published"] or vector["computed"]), vector["name"]


@pytest.mark.parametrize("algorithm", [*ALGORITHMS, "MD5-sess", "SHA-256-sess", "sha-256"])
@pytest.mark.parametrize("qop", [("auth",), ("auth-int",), ("auth-int", "auth"), ()])
def test_an_answer_is_read_as_it_was_written(algorithm: str, qop: tuple[str, ...]) -> None:
    challenge = Challenge('a "quoted" realm', "n,o=nce", algorithm, qop, opaque="o")
    read = Challenge.parse(str(challenge))
    assert read == challenge
    known = Credentials("bob", "zanzibar")
    answer = challenge.answered(known, "INVITE", "sip:b@c;x=1", b"v=0", count=17, cnonce="c")
    parsed = Authorization.parse(str(answer))
    assert parsed == answer
    assert answer.qop == ("auth" if "auth" in qop else "auth-int" if qop else None)
    assert answer.count == (17 if qop else None)
    assert parsed.signed("zanzibar", "INVITE", b"v=0") == answer
    assert parsed.signed("Zanzibar", "INVITE", b"v=0") != answer
    assert parsed.signed("zanzibar", "BYE", b"v=0") != answer


def test_a_challenge_as_carriers_write_it() -> None:
    text = 'Digest  realm="sip.example",nonce="abc" , algorithm=MD5,qop="auth, auth-int",stale=TRUE'
    assert Challenge.parse(text) == Challenge("sip.example", "abc", "MD5", ("auth", "auth-int"), None, True)
    assert Challenge.parse('Digest realm="r", nonce="n"') == Challenge("r", "n", "MD5")
    assert Challenge.parse('Basic realm="r"') is None


@pytest.mark.parametrize("text", ["Digest", 'Digest realm="r"', 'Digest realm="r", realm="r", nonce="n"', "Digest =x"])
def test_what_is_no_challenge(text: str) -> None:
    with pytest.raises(PeerError, match="400"):
        Challenge.parse(text)


def test_what_cannot_be_answered_is_passed_over() -> None:
    values = [
        'Digest realm="r", nonce="1", algorithm=AKAv1-MD5',
        "Digest nonsense",
        'Basic realm="r"',
        'Digest realm="r", nonce="2", qop="auth-conf"',
        'Digest realm="r", nonce="3", algorithm=SHA-512-256, qop="auth"',
        'Digest realm="r", nonce="4"',
    ]
    assert [one.nonce for one in challenges(values)] == ["3", "4"]


@pytest.mark.parametrize("nc", ["", "1", "0000000g", "000000001", "-0000001"])
def test_a_count_that_is_none(nc: str) -> None:
    assert Authorization("u", "r", "n", "sip:a", "", nc=nc).count is None
