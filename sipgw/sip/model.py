"""Requests and responses as values (RFC 3261 section 7): they print themselves and read each header once."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from sipgw.errors import PeerError, UsageError
from sipgw.sip.grammar import WHITESPACE, Latin1, bad, encode, number
from sipgw.sip.headers import Headers, key
from sipgw.sip.uri import Uri
from sipgw.sip.values import CSeq, NameAddr, Via

T = TypeVar("T")

_MEDIA_TYPE = re.compile(r"[ \t]*+([^\s/;]++)[ \t]*+/[ \t]*+([^\s/;]++)[ \t]*+(?:;.*)?", re.DOTALL)


class Message:
    """What requests and responses have in common.

    Properties read a header at the first use and keep the result. All raise PeerError with 400 where the header is
    malformed, and, where they cannot be None or empty, where it is missing or repeated.
    """

    __slots__ = ()

    headers: Headers
    body: bytes
    _read: dict[str, Any]

    @property
    def vias(self) -> tuple[Via, ...]:
        """The path of the request so far, the last hop first."""
        return self._once("vias", self._read_vias)

    @property
    def via(self) -> Via:
        """The last hop of the request."""
        return self.vias[0]

    @property
    def from_(self) -> NameAddr:
        """Who sent the request."""
        return self._once("from", lambda: NameAddr.parse(self.single("From")))

    @property
    def to(self) -> NameAddr:
        """Whom the request is for; with a tag inside a dialog."""
        return self._once("to", lambda: NameAddr.parse(self.single("To")))

    @property
    def cseq(self) -> CSeq:
        """The request's number in its dialog."""
        return self._once("cseq", lambda: CSeq.parse(self.single("CSeq")))

    @property
    def call_id(self) -> str:
        """Names the call, together with the tags; compared octet by octet (section 20.8)."""
        return self._once("call_id", self._read_call_id)

    @property
    def contacts(self) -> tuple[NameAddr, ...]:
        """Where the sender can be reached."""
        return self._addresses("Contact")

    @property
    def contact(self) -> NameAddr | None:
        """Where the sender can be reached: the first Contact."""
        contacts = self.contacts
        return contacts[0] if contacts else None

    @property
    def routes(self) -> tuple[NameAddr, ...]:
        """The proxies a request has yet to pass (section 20.34)."""
        return self._addresses("Route")

    @property
    def record_routes(self) -> tuple[NameAddr, ...]:
        """The proxies that want to stay in the path (section 20.30)."""
        return self._addresses("Record-Route")

    @property
    def max_forwards(self) -> int | None:
        """How many hops the request may still take (section 20.22); None from RFC 2543 senders."""
        return self._once("max_forwards", self._read_max_forwards)

    @property
    def require(self) -> tuple[str, ...]:
        """Option tags the other side must know (section 20.32)."""
        return self.headers.listed("Require")

    @property
    def supported(self) -> tuple[str, ...]:
        """Option tags the sender knows (section 20.37)."""
        return self.headers.listed("Supported")

    @property
    def content_type(self) -> str:
        """The body's media type in lower case without parameters; empty where there is none."""
        return self._once("content_type", self._read_content_type)

    def know_vias(self, vias: tuple[Via, ...]) -> None:
        """What `vias` is: whoever wrote the lines need not have them read again."""
        self._read["vias"] = vias

    def single(self, name: str) -> str:
        """The value of a header that must be there exactly once.

        Raises:
            PeerError: 400 where it is missing or repeated.
        """
        values = self.headers.all(name)
        if len(values) != 1:
            raise PeerError(400, f"{'Repeated' if values else 'Missing'} {name}")
        return values[0]

    def supports(self, option: str) -> bool:
        """Whether the sender knows an option, such as `timer`; it may say so in Supported or in Require."""
        return any(tag.lower() == option for tag in (*self.supported, *self.require))

    def _once(self, name: str, read: Callable[[], T]) -> T:
        if name in self._read:
            known: T = self._read[name]
            return known
        found = self._read[name] = read()
        return found

    def _addresses(self, name: str) -> tuple[NameAddr, ...]:
        return self._once(name, lambda: tuple(NameAddr.parse(item) for item in self.headers.listed(name)))

    def _read_vias(self) -> tuple[Via, ...]:
        vias = tuple(Via.parse(item) for item in self.headers.listed("Via"))
        if not vias:
            raise PeerError(400, "Missing Via")
        return vias

    def _read_call_id(self) -> str:
        call_id = self.single("Call-ID")
        if not call_id or any(space in call_id for space in WHITESPACE):
            bad("Call-ID")
        return call_id

    def _read_max_forwards(self) -> int | None:
        if "Max-Forwards" not in self.headers:
            return None
        return number(self.single("Max-Forwards"), 255, "Max-Forwards")

    def _read_content_type(self) -> str:
        if "Content-Type" not in self.headers:
            return ""
        found = _MEDIA_TYPE.fullmatch(self.single("Content-Type"))
        if not found:
            bad("Content-Type")
        return f"{found[1]}/{found[2]}".lower()

    def _print(self, start: str) -> bytes:
        pairs = _with_length(self.headers.pairs, len(self.body))
        if any(type(value) is Latin1 for _, value in pairs):
            head = b"\r\n".join((encode(start), *(encode(f"{name}: ") + encode(value) for name, value in pairs)))
        else:
            head = encode("\r\n".join((start, *(f"{name}: {value}" for name, value in pairs))))
        # A line end inside a value would start a header of its own; nothing we parsed has one.
        if head.count(b"\n") != len(pairs) or head.count(b"\r") != len(pairs):
            raise UsageError("a header or start line holds a line end")
        return head + b"\r\n\r\n" + self.body


def _with_length(pairs: tuple[tuple[str, str], ...], length: int) -> list[tuple[str, str]]:
    """The lines with one Content-Length that is right, in the place of the first; at the end where there was none."""
    kept = [pair for pair in pairs if key(pair[0]) != "content-length"]
    if len(kept) == len(pairs):
        kept.append(("Content-Length", str(length)))
        return kept
    name, at = next((pair[0], at) for at, pair in enumerate(pairs) if key(pair[0]) == "content-length")
    kept.insert(at, (name, str(length)))
    return kept


@dataclass(frozen=True, slots=True)
class Request(Message):
    """A request (section 7.1)."""

    method: str
    uri: str
    """The Request-URI as written; see `target`."""
    headers: Headers
    body: bytes = b""
    _read: dict[str, Any] = field(default_factory=dict, init=False, compare=False, repr=False)

    @property
    def target(self) -> Uri:
        """The Request-URI."""
        return self._once("target", lambda: Uri.parse(self.uri))

    def __bytes__(self) -> bytes:
        if " " in self.uri or " " in self.method:
            raise UsageError("a request line holds a space")
        return self._print(f"{self.method} {self.uri} SIP/2.0")


@dataclass(frozen=True, slots=True)
class Response(Message):
    """A response (section 7.2)."""

    status: int
    reason: str
    headers: Headers
    body: bytes = b""
    _read: dict[str, Any] = field(default_factory=dict, init=False, compare=False, repr=False)

    def __bytes__(self) -> bytes:
        reason = self.reason.replace("\r", " ").replace("\n", " ")
        return self._print(f"SIP/2.0 {self.status} {reason}")
