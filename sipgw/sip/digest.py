"""Digest authentication (RFC 3261 section 22, RFC 7616, RFC 8760): what a response is made of, and its headers."""

import hashlib
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from sipgw.errors import PeerError
from sipgw.sip.grammar import bad, is_token, quote, split_list, unquote

_HASHES: dict[str, str] = {"MD5": "md5", "SHA-256": "sha256", "SHA-512-256": "sha512_256"}
_SESSION = "-sess"
_COUNT = re.compile(r"[0-9A-Fa-f]{8}")
_BARE = frozenset({"algorithm", "nc", "stale", "qop"})
"""Written without quotes in Authorization; a challenge has its qop in quotes (RFC 7616 sections 3.3 and 3.4)."""

ALGORITHMS = tuple(_HASHES)


@dataclass(frozen=True, slots=True)
class Credentials:
    """What somebody knows."""

    username: str
    password: str
    realm: str = ""
    """Where they are good for; empty for any realm."""


@dataclass(frozen=True, slots=True)
class Challenge:
    """One WWW-Authenticate or Proxy-Authenticate value."""

    realm: str
    nonce: str
    algorithm: str = "MD5"
    """As it is written; MD5 where it is left out."""
    qop: tuple[str, ...] = ()
    """Empty for a server by RFC 2069, which knows none."""
    opaque: str | None = None
    stale: bool = False

    @classmethod
    def parse(cls, text: str) -> "Challenge | None":
        """Read a value; None where its scheme is not Digest.

        Raises:
            PeerError: 400 where it is one and cannot be read.
        """
        fields = read(text)
        if fields is None:
            return None
        if "realm" not in fields or "nonce" not in fields:
            bad("challenge")
        return cls(
            fields["realm"],
            fields["nonce"],
            fields.get("algorithm", "MD5"),
            tuple(word.strip().lower() for word in fields.get("qop", "").split(",") if word.strip()),
            fields.get("opaque"),
            fields.get("stale", "").lower() == "true",
        )

    def __str__(self) -> str:
        words = [f"realm={quote(self.realm)}", f"nonce={quote(self.nonce)}", f"algorithm={self.algorithm}"]
        if self.qop:
            words.append(f"qop={quote(','.join(self.qop))}")
        if self.opaque is not None:
            words.append(f"opaque={quote(self.opaque)}")
        if self.stale:
            words.append("stale=true")
        return "Digest " + ", ".join(words)

    @property
    def usable(self) -> bool:
        """Whether we know its algorithm and one of its qops."""
        return hash_of(self.algorithm) is not None and (not self.qop or self._chosen_qop is not None)

    @property
    def _chosen_qop(self) -> str | None:
        return next((one for one in ("auth", "auth-int") if one in self.qop), None)

    def answered(
        self, known: Credentials, method: str, uri: str, body: bytes, *, count: int, cnonce: str
    ) -> "Authorization":
        """The answer to it, for one request. `count` says how often its nonce was used, this time included."""
        qop = self._chosen_qop
        plain = Authorization(
            known.username, self.realm, self.nonce, uri, "", self.algorithm,
            qop=qop, nc=f"{count:08x}" if qop else None,
            cnonce=cnonce if qop or self.algorithm.lower().endswith(_SESSION) else None,
            opaque=self.opaque,
        )  # fmt: skip
        return plain.signed(known.password, method, body)


@dataclass(frozen=True, slots=True)
class Authorization:
    """One Authorization or Proxy-Authorization value."""

    username: str
    realm: str
    nonce: str
    uri: str
    response: str
    algorithm: str = "MD5"
    qop: str | None = None
    nc: str | None = None
    cnonce: str | None = None
    opaque: str | None = None

    @classmethod
    def parse(cls, text: str) -> "Authorization | None":
        """Read a value; None where its scheme is not Digest.

        Raises:
            PeerError: 400 where it is one and cannot be read.
        """
        fields = read(text)
        if fields is None:
            return None
        wanted = ("username", "realm", "nonce", "uri", "response")
        if any(name not in fields for name in wanted):
            bad("authorization")
        username, realm, nonce, uri, response = (fields[name] for name in wanted)
        return cls(
            username, realm, nonce, uri, response, fields.get("algorithm", "MD5"),
            fields.get("qop"), fields.get("nc"), fields.get("cnonce"), fields.get("opaque"),
        )  # fmt: skip

    def __str__(self) -> str:
        fields = {
            "username": self.username, "realm": self.realm, "nonce": self.nonce, "uri": self.uri,
            "response": self.response, "algorithm": self.algorithm, "cnonce": self.cnonce, "qop": self.qop,
            "nc": self.nc, "opaque": self.opaque,
        }  # fmt: skip
        pairs = ((name, value) for name, value in fields.items() if value is not None)
        return "Digest " + ", ".join(f"{name}={value if name in _BARE else quote(value)}" for name, value in pairs)

    def signed(self, password: str, method: str, body: bytes) -> "Authorization":
        """The same with the response that `password` makes."""
        made = response_of(self, password, method, body)
        return Authorization(
            self.username, self.realm, self.nonce, self.uri, made, self.algorithm,
            self.qop, self.nc, self.cnonce, self.opaque,
        )  # fmt: skip

    @property
    def count(self) -> int | None:
        """How often the nonce was used, by its own account; None where it does not say."""
        return int(self.nc, 16) if self.nc is not None and _COUNT.fullmatch(self.nc) else None


def hash_of(algorithm: str) -> Callable[[bytes], str] | None:
    """The hash function of an algorithm, with or without `-sess`; None for one we do not know."""
    name = _HASHES.get(algorithm.upper().removesuffix(_SESSION.upper()))
    if name is None:
        return None
    return lambda data: hashlib.new(name, data, usedforsecurity=False).hexdigest()


def response_of(authorization: Authorization, password: str, method: str, body: bytes) -> str:
    """The response that goes with everything else in `authorization` (RFC 7616 section 3.4.1).

    Raises:
        PeerError: 400 where its algorithm is unknown.
    """
    one = authorization
    return response_by(one, secret_of(one.algorithm, one.username, one.realm, password), method, body)


def secret_of(algorithm: str, username: str, realm: str, password: str) -> str:
    """What a password is hashed to, to be known without it (HA1 of RFC 7616 section 3.4.2).

    Raises:
        PeerError: 400 where the algorithm is unknown.
    """
    hashed = hash_of(algorithm)
    if hashed is None:
        raise PeerError(400, "Unknown Digest Algorithm")
    return hashed(f"{username}:{realm}:{password}".encode())


def response_by(authorization: Authorization, secret: str, method: str, body: bytes) -> str:
    """The same as `response_of`, by what the password is hashed to.

    Raises:
        PeerError: 400 where its algorithm is unknown.
    """
    one = authorization
    hashed = hash_of(one.algorithm)
    if hashed is None:
        raise PeerError(400, "Unknown Digest Algorithm")

    def joined(*words: str) -> str:
        return hashed(":".join(words).encode())

    if one.algorithm.lower().endswith(_SESSION):
        secret = joined(secret, one.nonce, one.cnonce or "")
    if one.qop == "auth-int":
        request = joined(method, one.uri, hashed(body))
    else:
        request = joined(method, one.uri)
    if not one.qop:
        return joined(secret, one.nonce, request)
    return joined(secret, one.nonce, one.nc or "", one.cnonce or "", one.qop, request)


def challenges(values: Iterable[str]) -> list[Challenge]:
    """Those of the values that are Digest challenges we can answer, the preferred first; others are passed over."""
    found = []
    for value in values:
        try:
            challenge = Challenge.parse(value)
        except PeerError:
            continue
        if challenge is not None and challenge.usable:
            found.append(challenge)
    return found


def read(text: str) -> dict[str, str] | None:
    """The fields of a Digest value by their names in lower case, without quotes; None for another scheme.

    Raises:
        PeerError: 400.
    """
    scheme, _, rest = text.strip().partition(" ")
    if scheme.lower() != "digest":
        return None
    fields: dict[str, str] = {}
    for item in split_list(rest):
        name, equals, value = item.partition("=")
        name = name.strip().lower()
        if not equals or not is_token(name) or name in fields:
            bad("digest")
        fields[name] = unquote(value.strip())
    return fields
