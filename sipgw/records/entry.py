"""One line of the journal. Later versions read it, so what is in it may only grow, by fields with defaults."""

import msgspec

from sipgw.call.cdr import CallRecord
from sipgw.errors import SipgwError


class BadEntry(SipgwError):
    """A line that cannot be read."""


class Entry(msgspec.Struct, omit_defaults=True, frozen=True):
    """What is to be written."""

    call: CallRecord


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Entry)


def encode(entry: Entry) -> bytes:
    """The entry as a line without its end."""
    try:
        return _encoder.encode(entry)
    except UnicodeEncodeError:  # a lone surrogate, which JSON can escape and UTF-8 cannot hold
        return _encoder.encode(_mended(msgspec.to_builtins(entry)))


def decode(line: bytes) -> Entry:
    """The entry in a line.

    Raises:
        BadEntry: there is none.
    """
    try:
        return _decoder.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadEntry(str(error)) from None


def _mended(value: object) -> object:
    match value:
        case str():
            return value.encode("utf-8", "replace").decode()
        case dict():
            return {_mended(key): _mended(inner) for key, inner in value.items()}
        case list():
            return [_mended(inner) for inner in value]
    return value
