"""What a replay shows: for each call its ladder, keys, AI events, sounds and counters."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from sipgw.ai.events import AudioFormat
from sipgw.call.cdr import CallRecord
from sipgw.sip.message import Request, Response
from sipgw.tools.replay.fingerprint import RATE_HZ, Fingerprint
from sipgw.tools.replay.witness import AiEvent
from sipgw.tools.wav import Pcm
from sipgw.trace import Note
from sipgw_codecs.registry import LAWS

CALLER, GATEWAY = "caller", "gateway"
_LAWS = {AudioFormat.PCMU_8K: "PCMU", AudioFormat.PCMA_8K: "PCMA"}


@dataclass(frozen=True, slots=True)
class Message:
    """One SIP message of the replay."""

    when: float
    by_caller: bool
    label: str
    data: bytes = field(repr=False)

    def __str__(self) -> str:
        return f"{CALLER if self.by_caller else GATEWAY}: {self.label}"


@dataclass(frozen=True, slots=True)
class Flight:
    """RTP one way: when the first packet came, when the last, how many."""

    first: float
    last: float
    packets: int


@dataclass(frozen=True, slots=True)
class CallOutcome:
    """What became of one call."""

    call_id: str
    caller: str
    called: str
    messages: tuple[Message, ...]
    keys: tuple[tuple[float, str], ...]
    events: tuple[AiEvent, ...]
    record: CallRecord | None
    """None where the call was still up when the simulation was stopped."""
    ai_heard: Fingerprint
    caller_heard: Fingerprint
    ai_pcm: Pcm = field(repr=False)
    """At 8 kHz."""
    caller_pcm: Pcm = field(repr=False)
    said: Flight | None
    heard: Flight | None
    left_out: Mapping[str, int]

    @property
    def digits(self) -> str:
        """The keys pressed."""
        return "".join(digit for _, digit in self.keys)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a capture."""

    calls: tuple[CallOutcome, ...]
    drops: Mapping[str, int]
    """By layer and name, such as `sip.repeated_ack`."""
    seconds: float
    """Of simulated time."""
    notes: tuple[Note, ...] = field(repr=False)
    """The whole trace."""
    warnings: tuple[str, ...] = ()


def label(message: Request | Response) -> str:
    """A message in a few words."""
    if isinstance(message, Request):
        return message.method
    return f"{message.status} {message.reason} ({message.cseq.method})"


def narrow(pieces: list[bytes], audio: AudioFormat) -> Pcm:
    """What the AI heard, at 8 kHz; it has nothing above 4 kHz that could alias."""
    data = b"".join(pieces)
    if audio in _LAWS:
        return LAWS[_LAWS[audio]].decode(np.frombuffer(data, np.uint8)).astype(np.int16)
    return np.frombuffer(data, np.int16)[:: audio.rate_hz // RATE_HZ]
