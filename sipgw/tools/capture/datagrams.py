"""The UDP datagrams of a capture, where nothing else of it is wanted."""

from collections.abc import Iterator
from pathlib import Path

from sipgw.tools.capture.errors import CaptureError
from sipgw.tools.capture.ip import Datagram, IpReader
from sipgw.tools.capture.records import Records


def datagrams(path: Path) -> Iterator[Datagram]:
    """The UDP datagrams of a capture, in its order. What else it holds, and what is broken, is passed over.

    Raises:
        CaptureError: it cannot be opened, or is no capture, or comes only from interfaces of other kinds.
    """
    reader = IpReader()
    for record in Records(path):
        packet = reader.read(record.when, record.link, record.frame)
        if isinstance(packet, Datagram):
            yield packet
    refuse_unknown(path, reader)


def refuse_unknown(path: Path, reader: IpReader) -> None:
    """Raises CaptureError where no frame came from an interface that is known here."""
    if reader.unknown_links and not reader.frames:
        link = next(iter(reader.unknown_links))
        raise CaptureError(f"{path} was captured on an interface of link type {link}, which is not known here")
