"""Who calls, by all headers that say so, and how much of that others may be told."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from sipgw.errors import PeerError
from sipgw.options import IdentityOptions
from sipgw.sip.identity import ANONYMOUS, Privacy, RemoteParty, identities, is_anonymous
from sipgw.sip.message import Request
from sipgw.sip.uri import Uri
from sipgw.sip.values import NameAddr

T = TypeVar("T")

Drop = Callable[[str, str], None]
"""Takes the name and the detail of what is left out."""

_MOST_PARTIES = 8
_NUMBER = re.compile(r"(\+?[0-9*#().\-]*[0-9*#][().\-]*)(?:;|\Z)")
"""A telephone number, and then parameters or nothing; `alice;day=tuesday` is a name (RFC 3261 section 19.1.2)."""
_SEPARATORS = str.maketrans("", "", "().-")
_BETWEEN_DIGITS = re.compile(r"(?<=[0-9])[ ().\-/]+(?=[0-9])")
_HEX = re.compile(r"(?:[0-9A-Fa-f]{2}){3,}")
_TELLING_DIGITS = 7
"""A subscriber's number without prefixes: by these it is found, however it is written."""
_SHORTEST = 3
"""Characters of what is looked for; less is found in anything."""


def party(uri: Uri) -> str:
    """How a party is called: its user or number, else its host.

    A number is told without what carriers put beside it (`;npdi`, `;rn=…`: RFC 4694) and without the separators that
    only people read (RFC 3966 section 5.1.1).
    """
    name = uri.user_text or uri.address
    number = _NUMBER.match(name)
    if number is None:
        return name
    readable = uri.scheme == "tel" or number[1].startswith("+")
    return number[1].translate(_SEPARATORS) if readable else number[1]


class Reader:
    """Reads values of an INVITE's headers. One that is malformed is left out; it does not cost the call.

    Args:
        request: the INVITE.
        drop: hears of what is left out.
    """

    def __init__(self, request: Request, drop: Drop) -> None:
        self.request = request
        self.drop = drop

    def each(self, name: str, texts: Sequence[str], parse: Callable[[str], T], most: int) -> tuple[T, ...]:
        """The first so many values of a header, as far as they can be read."""
        if len(texts) > most:
            self.drop("too_many_headers", f"{len(texts)} of {name}")
        found = []
        for text in texts[:most]:
            try:
                found.append(parse(text))
            except PeerError:
                self.drop("bad_header", name)
        return tuple(found)

    def listed(self, name: str, parse: Callable[[str], T], most: int) -> tuple[T, ...]:
        """The same of a header whose values may be joined by commas."""
        return self.each(name, self.request.headers.listed(name), parse, most)

    def identities(self, name: str) -> tuple[NameAddr, ...]:
        """The parties of a header that says who calls."""
        try:
            return identities(self.request.headers.listed(name), name)
        except PeerError:
            self.drop("bad_header", name)
            return ()

    def privacy(self) -> Privacy:
        """What the caller wishes; a wish that cannot be read is taken for the usual one."""
        try:
            return Privacy.parse(self.request.headers.all("Privacy"))
        except PeerError:
            self.drop("bad_header", "Privacy")
            return Privacy(("id",))


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls."""

    number: str
    """The user part or number, or a host where there is none. Not for others where it is `hidden`."""
    name: str
    privacy: Privacy
    hidden: bool
    """The number is to be withheld."""
    nameless: bool
    """The name is."""
    asserted: tuple[NameAddr, ...]
    """By the network."""

    @classmethod
    def of(cls, reader: Reader, options: IdentityOptions) -> "Caller":
        """Read an INVITE.

        Raises:
            PeerError: 400 where From is malformed; other headers are left out then.
        """
        from_ = reader.request.from_
        privacy = reader.privacy()
        remotes = [one for one in reader.listed("Remote-Party-ID", RemoteParty.parse, _MOST_PARTIES) if one.is_caller]
        asserted = reader.identities("P-Asserted-Identity")
        known = {
            "pai": asserted,
            "rpid": tuple(one.party for one in remotes if one.is_screened),
            "ppi": reader.identities("P-Preferred-Identity"),
            "from": (from_,),
        }
        order = options.order if options.believed else ()
        parties = next((known[name] for name in order if known[name]), (from_,))
        anonymous = not privacy.is_waived and any(map(is_anonymous, (from_, *parties)))
        withheld = privacy.hides_caller or anonymous
        return cls(
            _number(parties),
            next((one.display for one in parties if one.display), ""),
            privacy,
            withheld or any(one.hides_number for one in remotes),
            withheld or any(one.hides_name for one in remotes),
            asserted,
        )

    @property
    def shown_number(self) -> str:
        """The number for others."""
        return ANONYMOUS if self.hidden else self.number

    @property
    def shown_name(self) -> str:
        """The name for others."""
        return ANONYMOUS if self.nameless else self.name

    def is_given_away(self, text: str) -> bool:
        """Whether a text that others would get holds what is withheld, in hex as well (RFC 7433).

        A sieve, not a promise: other codes pass.
        """
        texts = (text, *(bytes.fromhex(found).decode("latin-1") for found in _HEX.findall(text)))
        return any(
            (self.hidden and _holds_number(each, self.number)) or (self.nameless and _holds(each, self.name))
            for each in texts
        )


def _number(parties: Sequence[NameAddr]) -> str:
    """Of what the network says of one party, the tel URI is the number (RFC 3325 section 9.1)."""
    return party(next((one.uri for one in parties if one.uri.scheme == "tel"), parties[0].uri))


def _holds_number(text: str, number: str) -> bool:
    digits = re.sub("[^0-9]", "", number)
    if len(digits) < _TELLING_DIGITS:
        return _holds(text, number)
    return digits[-_TELLING_DIGITS:] in _BETWEEN_DIGITS.sub("", text)


def _holds(text: str, word: str) -> bool:
    return len(word) >= _SHORTEST and word.casefold() in text.casefold()
