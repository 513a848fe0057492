"""Reads what an INVITE carries besides caller and called, and leaves out what is not for others to know."""

from sipgw.ai.carried import Attestation, Carried, Diverted, Passed, UserData
from sipgw.call.caller import Caller, Reader, party
from sipgw.call.routing import fits
from sipgw.options import CallOptions
from sipgw.sip.attestation import attestation, unattested
from sipgw.sip.diversion import Diversion, HistoryEntry
from sipgw.sip.grammar import encode
from sipgw.sip.headers import key
from sipgw.sip.identity import ANONYMOUS
from sipgw.sip.signed_identity import SignedIdentity
from sipgw.sip.user_to_user import UserToUser

_NEVER = frozenset({"authorization", "proxy-authorization"})
"""Whatever the configuration says: what they prove is a secret's."""
_NOBODY = "sip:anonymous@anonymous.invalid"
_MOST_DIVERSIONS = 10
_MOST_PASSED = 20
_MOST_DATA = 8
_MOST_IDENTITIES = 4


def carried(reader: Reader, caller: Caller, believed: bool) -> Carried:
    """What the INVITE carries; of a peer that is not `believed`, what anybody may say."""
    request = reader.request
    said = attestation(request.headers, caller.asserted, request.from_) if believed else None
    from_ = request.from_.uri.raw if believed else unattested(request.from_.uri.raw)
    return Carried(
        from_=_NOBODY if caller.hidden else from_,
        to=request.to.uri.raw,
        asserted=() if caller.hidden else tuple(one.uri.raw for one in caller.asserted),
        privacy=caller.privacy.values,
        attestation=Attestation() if said is None else Attestation(said.level, said.source),
        diversions=tuple(map(_diverted, reader.listed("Diversion", Diversion.parse, _MOST_DIVERSIONS))),
        history=_history(reader, caller.privacy.hides_history),
        user_to_user=_user_data(reader, caller),
        # The number is in the signed statement, for everybody to read.
        identity=() if caller.hidden else _signed(reader),
    )


def passed_on(reader: Reader, caller: Caller, options: CallOptions) -> dict[str, str]:
    """The headers that backends, hooks and records get as they are, by their names; of repeated ones the first."""
    patterns = [pattern.lower() for pattern in options.pass_headers]
    found: dict[str, str] = {}
    room = options.max_header_bytes
    for name, value in reader.request.headers:
        lower = name.lower()
        if name in found or lower in _NEVER or not any(fits(pattern, lower) for pattern in patterns):
            continue
        size = len(name) + len(encode(value))
        if len(found) == options.max_headers or size > room:
            reader.drop("too_many_headers", name)
        elif caller.is_given_away(value):
            reader.drop("private_header", name)
        else:
            found[name] = value
            room -= size
    return found


def _diverted(one: Diversion) -> Diverted:
    number = ANONYMOUS if one.hides_number else party(one.party.uri)
    return Diverted(number, ANONYMOUS if one.hides_name else one.party.display, one.reason, one.counter)


def _history(reader: Reader, hidden: bool) -> tuple[Passed, ...]:
    entries = reader.listed("History-Info", HistoryEntry.parse, _MOST_PASSED)
    return tuple(
        Passed(one.index, ANONYMOUS if hidden or one.hidden else party(one.party.uri), one.cause) for one in entries
    )


def _user_data(reader: Reader, caller: Caller) -> tuple[UserData, ...]:
    values = reader.listed("User-to-User", UserToUser.parse, _MOST_DATA)
    return tuple(
        UserData(one.data, one.encoding, one.purpose, one.content)
        for one in values
        if not caller.is_given_away(one.data)
    )


def _signed(reader: Reader) -> tuple[str, ...]:
    lines = [value for name, value in reader.request.headers.pairs if key(name) == "identity"]
    signed = reader.each("Identity", lines, lambda line: SignedIdentity.parse(encode(line)), _MOST_IDENTITIES)
    return tuple(one.raw.decode() for one in signed)
