"""SIP that was sent over TLS, opened with a key log: tshark decrypts, and we read what comes out.

tshark writes the messages as a capture of "exported PDUs" (LINKTYPE_WIRESHARK_UPPER_PDU): each is preceded by tags that
say which protocol it is of and between whom it went.
"""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from sipgw.flow import Endpoint
from sipgw.tools.capture.errors import CaptureError
from sipgw.tools.capture.ip import text
from sipgw.tools.capture.records import Record, Records

_LINK = 252
_END, _PROTOCOL, _SOURCE_PORT, _DESTINATION_PORT, _NUMBER = 0, 12, 25, 26, 30
_SOURCES, _DESTINATIONS = (20, 22), (21, 23)
"""Tags of addresses, IPv4 and IPv6."""
_LONGEST = 600.0
"""Seconds."""


class Opened(NamedTuple):
    """One message that was decrypted."""

    number: int
    """Of its packet in the capture."""
    when: float
    source: Endpoint
    destination: Endpoint
    data: bytes


def opened(path: Path, keylog: Path) -> list[Opened]:
    """The SIP messages in the TLS of a capture, in its order.

    Raises:
        CaptureError: tshark is not installed or fails, or there is no such key log.
    """
    tshark = shutil.which("tshark")
    if tshark is None:
        raise CaptureError("--keylog needs tshark, which is not installed (Debian: apt-get install tshark)")
    if not keylog.is_file():
        raise CaptureError(f"{keylog} cannot be read: no such file")
    with TemporaryDirectory(prefix="sipgw-inspect-") as folder:
        target = Path(folder) / "opened.pcapng"
        _run(
            [tshark, "-n", "-r", str(path), "-o", f"tls.keylog_file:{keylog}", "-Y", "tls", "-U", "OSI layer 7"], target
        )
        return [message for record in Records(target) if (message := _message(record))]


def _run(command: list[str], target: Path) -> None:
    try:
        done = subprocess.run([*command, "-w", str(target)], capture_output=True, timeout=_LONGEST, check=False)
    except subprocess.TimeoutExpired:
        raise CaptureError(f"tshark took longer than {_LONGEST:.0f} s to decrypt") from None
    if done.returncode or not target.exists():
        words = done.stderr.decode(errors="replace").strip().splitlines() or ["no reason given"]
        raise CaptureError(f"tshark cannot decrypt: {words[-1]}")


def _message(record: Record) -> Opened | None:
    """The message of a record; None for another protocol, of which tshark exports the same bytes once more."""
    tags, start = dict(_tags(record.frame)), _payload(record.frame)
    source = next((tags[tag] for tag in _SOURCES if tag in tags), b"")
    destination = next((tags[tag] for tag in _DESTINATIONS if tag in tags), b"")
    if record.link != _LINK or tags.get(_PROTOCOL, b"").rstrip(b"\0") != b"sip":
        return None
    if len(source) not in (4, 16) or len(destination) not in (4, 16):
        return None
    numbers = {tag: int.from_bytes(tags.get(tag, b""), "big") for tag in (_NUMBER, _SOURCE_PORT, _DESTINATION_PORT)}
    ends = (text(source), numbers[_SOURCE_PORT]), (text(destination), numbers[_DESTINATION_PORT])
    return Opened(numbers[_NUMBER], record.when, *ends, record.frame[start:])


def _tags(frame: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at + 4 <= len(frame):
        tag, size = int.from_bytes(frame[at : at + 2], "big"), int.from_bytes(frame[at + 2 : at + 4], "big")
        if tag == _END:
            return
        yield tag, frame[at + 4 : at + 4 + size]
        at += 4 + size


def _payload(frame: bytes) -> int:
    """Where the tags end."""
    return sum(4 + len(value) for _, value in _tags(frame)) + 4
