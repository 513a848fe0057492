"""What crosses between control and a worker process besides the seam's own commands and events.

control ── connects ──► worker           at its start, or once control has been restarted
        ◄── Hello · Held* · event* · AllHeld    who it is, what it holds, and what nobody has heard of that
        ── commands, Shutdown ──►
        ◄── events, Counted, Noted, Logged
"""

from hashlib import blake2b

import msgspec

from sipgw.media import plane
from sipgw.options import MediaOptions
from sipgw.trace import Mark
from sipgw.worker.known import Known


class Setup(msgspec.Struct, frozen=True):
    """What a worker process gets at its start."""

    options: MediaOptions
    prompts: dict[str, bytes]
    """PCM16 at 24 kHz by name."""
    alone_limit: float
    """Seconds the media stays up without control."""


# --- from control -------------------------------------------------------------------------------------------------


class Detail(plane.Message, frozen=True):
    """Tell every note from now on, for DEBUG logs, or none; drops are counted in any case."""

    on: bool


class Shutdown(plane.Message, frozen=True):
    """End all sessions and go."""


# --- from the worker ----------------------------------------------------------------------------------------------


class Hello(plane.Message, frozen=True):
    """The first message; the table's memory travels with it."""

    slots: int
    """Rows of the table."""
    version: str


class Held(plane.Message, frozen=True):
    """A session the worker holds; its RTP and RTCP descriptors travel with it."""

    known: Known


class AllHeld(plane.Message, frozen=True):
    """That was all: ready for commands."""


class Counted(plane.Message, frozen=True):
    """What the worker has counted since its start, once a second."""

    sessions: int
    buckets: list[int]
    """Of the lateness of ticks."""
    ticks: int
    missed: int
    sum_ms: float
    failures: dict[str, int]
    """Failed system calls on RTP sockets, by direction and the error's name."""
    drops: dict[str, int]
    """Since the last time: drops by layer and reason, with a space between."""


class Noted(plane.Message, frozen=True):
    """A note of a core (`trace.Note`)."""

    when: float
    layer: str
    mark: Mark
    name: str
    call: str
    detail: str


class Logged(plane.Message, frozen=True):
    """A line of a library, or of Python itself."""

    level: int
    text: str


ToWorker = plane.Command | Detail | Shutdown
FromWorker = plane.Event | Hello | Held | AllHeld | Counted | Noted | Logged

_schema = msgspec.json.schema(ToWorker | FromWorker, schema_hook=lambda kind: {"title": str(kind)})
VERSION = blake2b(msgspec.json.encode(_schema, order="sorted"), digest_size=8).hexdigest()
"""Of all messages; a worker that has other ones is not adopted."""

to_worker: msgspec.msgpack.Decoder[ToWorker] = msgspec.msgpack.Decoder(ToWorker)
from_worker: msgspec.msgpack.Decoder[FromWorker] = msgspec.msgpack.Decoder(FromWorker)
encode = msgspec.msgpack.Encoder().encode
