"""The seam between control and media: commands go down, events come back, no audio and no vendor JSON crosses.

Every message is a frozen, tagged struct, so that one line encodes any of them for a worker in another process.
A session is one RTP stream with a far end, and, where connected, one conversation with an AI backend.
"""

from collections.abc import Callable
from typing import Protocol

import msgspec

from sipgw.ai.events import CallFacts, Intent, Report
from sipgw.flow import Endpoint
from sipgw.options import BackendOptions


class Message(msgspec.Struct, frozen=True, tag=True):
    """Base of what crosses the seam."""


class Srtp(msgspec.Struct, frozen=True):
    """How a stream is protected (RFC 3711). Its keys are shown to nobody."""

    suite: str
    """By the name that SDP has for it (RFC 4568 section 6.2)."""
    ours: bytes
    """Master key and salt of what we send."""
    theirs: bytes

    def __repr__(self) -> str:
        return f"Srtp({self.suite})"


class Stream(msgspec.Struct, frozen=True):
    """What offer and answer agreed for one RTP stream (RFC 3264), as the engine needs it."""

    codec: str
    """Encoding name, as the registry of codecs has it: `PCMU`, `OPUS` …"""
    remote: Endpoint
    """Where RTP goes until a source is latched; with port 0, nowhere until then."""
    remote_rtcp: Endpoint
    receive_types: tuple[int, ...]
    """Payload types that mean `codec` towards us."""
    send_type: int
    dtmf_receive_type: int | None = None
    """Payload type of telephone-event towards us (RFC 4733)."""
    dtmf_send_type: int | None = None
    ptime_ms: int = 20
    parameters: str = ""
    """The far end's format parameters for what we send (`a=fmtp`)."""
    srtp: Srtp | None = None
    """None where it is plain RTP."""
    sending: bool = True
    """Whether the far end wants to hear us (its direction is not sendonly or inactive)."""
    receiving: bool = True
    """Whether the far end talks to us (its direction is not recvonly or inactive)."""

    @property
    def held(self) -> bool:
        """Whether the far end may be silent: inactivity is not watched.

        Also with `sendonly`: a phone that has no music puts a call on hold with it and sends nothing.
        """
        return not (self.sending and self.receiving)

    def hushed(self) -> "Stream":
        """The same, but next to nothing is to be sent: a packet now and then."""
        return msgspec.structs.replace(self, sending=False)


class StreamStats(msgspec.Struct, frozen=True):
    """What one session carried (RFC 3550 section 6.4)."""

    sent_packets: int = 0
    received_packets: int = 0
    lost_packets: int = 0
    loss_bursts: int = 0
    """How often packets were missing, one or more in a row."""
    jitter_ms: float = 0.0
    late_packets: int = 0
    concealed_ms: int = 0
    filled_ms: int = 0
    round_trip_ms: float | None = None
    mos: float | None = None
    """How the far end sounds to us, by the E-model; None without a packet."""
    far_lost_packets: int | None = None
    """Of what we sent, as the far end reports it; None where it never did."""
    far_jitter_ms: float | None = None
    far_mos: float | None = None
    """How we sound to the far end."""
    first_audio_ms: int | None = None
    """From `StartSession` to the first packet of AI speech."""
    drops: dict[str, int] = {}
    """Dropped packets by the reason's name."""


class Continuation(msgspec.Struct, frozen=True):
    """Where a session goes on that was cut off elsewhere. Times are the machine's monotonic clock."""

    ssrc: int
    sequence: int
    """Of the next packet; the bits above the 16 sent are SRTP's rollover counter (RFC 3711)."""
    timestamp: int
    """Of the next packet."""
    cname: str
    """Of its RTCP (RFC 7022)."""
    source: Endpoint | None = None
    """The latched one."""
    started: float | None = None
    """When RTP began to leave."""
    first_audio: float | None = None
    """When the first speech left."""
    sent_ms: int = 0
    octets: int = 0
    stats: StreamStats = StreamStats()
    """As last written down: a second old at most."""
    receive_ssrc: int = 0
    """Of the far end, 0 where it has sent nothing; likewise."""
    receive_sequence: int = 0
    """The highest extended one; likewise."""


class Alive(msgspec.Struct, frozen=True):
    """What a session that has outlived control is at, as its worker has it."""

    session: str
    stream: Stream
    started: bool
    attempt: int | None
    """Of its conversation; None where there is none any more."""
    ready: bool
    """Its backend was."""
    opened: bool
    muted: bool
    play: int | None
    """The prompt that plays, by its number."""
    recording: bool = False
    """It is recorded, and not yet to stop."""
    paused: bool = False
    """The recording is."""


# --- commands -----------------------------------------------------------------------------------------------------


class CreateSession(Message, frozen=True):
    """Open a session on the sockets that travel with the command. RTP leaves from `StartSession` on."""

    session: str
    call: str
    stream: Stream
    after: Continuation | None = None
    """Goes on with a session that was cut off: the far end sees one stream. RTP leaves at once if it did before."""


class StartSession(Message, frozen=True):
    """Begin to send RTP: at the 200 OK, to open NATs. From here a packet leaves every ptime.

    With early media it comes at the 183, and again at the 200 OK, from which on the far end's RTP is waited for.
    """

    session: str


class UpdateSession(Message, frozen=True):
    """A re-INVITE changed the stream; the source may be latched anew."""

    session: str
    stream: Stream


class ConnectBackend(Message, frozen=True):
    """Open a conversation, warm: socket open, session set up, nothing asked for, caller audio discarded.

    Replaces the session's earlier conversation. `attempt` comes back in every report, so that the last words of a
    replaced backend cannot be taken for the new one's.
    """

    session: str
    attempt: int
    backend: BackendOptions
    facts: CallFacts
    farewell_limit: float = 10.0
    """Seconds a hang-up wished by the backend waits for its last words to be played."""


class Tell(Message, frozen=True):
    """An intent for the session's conversation."""

    session: str
    intent: Intent


class Play(Message, frozen=True):
    """Play a prompt to the far end, over its conversation and in place of a prompt that plays. `Played` follows."""

    session: str
    prompt: str
    """A name of one there is, such as `apology`."""
    play: int = 0
    """Comes back in `Played`."""
    repeat: bool = False
    """Again and again, until it is stopped or another takes its place."""


class StopPlaying(Message, frozen=True):
    """End the prompt that plays; `Played` says so."""

    session: str


class SendDigits(Message, frozen=True):
    """Press keys towards the far end (RFC 4733), behind those that are still on their way. `DigitsSent` follows."""

    session: str
    digits: str
    duration_ms: int = 160
    gap_ms: int = 80
    """Silence between two keys."""


class NoteDigit(Message, frozen=True):
    """The far end pressed a key in signalling: as if it had come in RTP. `Digit` follows."""

    session: str
    digit: str
    duration_ms: int


class WatchSilence(Message, frozen=True):
    """Tell with `NobodySpeaks` when neither side has spoken for so long, from now on; 0 ends that."""

    session: str
    seconds: float


class StartRecording(Message, frozen=True):
    """Record both directions from now on; `RecordingStarted` or `RecordingFailed` follows. Ignored while one runs."""

    session: str
    name: str
    """What the recording is called: a relative path without an ending."""


class StopRecording(Message, frozen=True):
    """Record no longer; `Recorded` or `RecordingFailed` follows, as it does when the session ends."""

    session: str


class PauseRecording(Message, frozen=True):
    """Keep nothing of what passes from now on (a card's digits, say): silence, true to time."""

    session: str


class ResumeRecording(Message, frozen=True):
    """Go on after a pause."""

    session: str


class DestroySession(Message, frozen=True):
    """End the session; `SessionEnded` follows and the sockets are free."""

    session: str


Command = (
    CreateSession
    | StartSession
    | UpdateSession
    | ConnectBackend
    | Tell
    | Play
    | StopPlaying
    | SendDigits
    | NoteDigit
    | WatchSilence
    | StartRecording
    | StopRecording
    | PauseRecording
    | ResumeRecording
    | DestroySession
)


# --- events -------------------------------------------------------------------------------------------------------


class FirstPacket(Message, frozen=True):
    """The first valid RTP packet of the far end came."""

    session: str


class Digit(Message, frozen=True):
    """A key the far end pressed, once each (RFC 4733)."""

    session: str
    digit: str
    duration_ms: int


class Inactive(Message, frozen=True):
    """Neither RTP nor RTCP came for the time allowed."""

    session: str
    seconds: float
    never: bool
    """Not one packet came since the call was answered."""


class NobodySpeaks(Message, frozen=True):
    """Neither side has for as long as was asked. Comes again after as long; not while the far end is on hold."""

    session: str
    seconds: float
    caller_seconds: float
    """How long the far end has not."""


class Played(Message, frozen=True):
    """A prompt has left to its last packet, or could not be played."""

    session: str
    prompt: str
    complete: bool
    play: int = 0
    """Of the command."""


class DigitsSent(Message, frozen=True):
    """The keys of one `SendDigits` have left, or could not."""

    session: str
    count: int
    complete: bool


class Reported(Message, frozen=True):
    """What the session's conversation tells control."""

    session: str
    attempt: int
    report: Report


class RecordingStarted(Message, frozen=True):
    """A recording is being written."""

    session: str
    path: str
    """Where it will be found."""


class Recorded(Message, frozen=True):
    """A recording is complete and durable. It may come after the session's end."""

    session: str
    path: str
    seconds: float
    sha256: str
    """Of the whole, in hexadecimal."""
    paused: tuple[tuple[float, float], ...] = ()
    """What was left out on purpose: from and to, in seconds of the recording."""
    lost_ms: int = 0
    """Left out because it could not be written in time."""
    failure: str = ""
    """Why it ended early."""


class RecordingFailed(Message, frozen=True):
    """Nothing is recorded, or it could not be finished; the session goes on."""

    session: str
    reason: str
    path: str = ""
    """Where what there is of it may be found."""


class SessionFailed(Message, frozen=True):
    """A session could not be created or broke; it is gone."""

    session: str
    reason: str


class SessionEnded(Message, frozen=True):
    """The session is closed; its last counters."""

    session: str
    stats: StreamStats


Event = (
    FirstPacket
    | Digit
    | Inactive
    | NobodySpeaks
    | Played
    | DigitsSent
    | Reported
    | RecordingStarted
    | Recorded
    | RecordingFailed
    | SessionFailed
    | SessionEnded
)


_encoder = msgspec.msgpack.Encoder()
_commands: msgspec.msgpack.Decoder[Command] = msgspec.msgpack.Decoder(Command)
_events: msgspec.msgpack.Decoder[Event] = msgspec.msgpack.Decoder(Event)


def encode(message: Command | Event) -> bytes:
    """One message as bytes for the seam."""
    return _encoder.encode(message)


def decode_command(data: bytes) -> Command:
    """The command in `data`. Raises msgspec.DecodeError."""
    return _commands.decode(data)


def decode_event(data: bytes) -> Event:
    """The event in `data`. Raises msgspec.DecodeError."""
    return _events.decode(data)


class MediaPlane(Protocol):
    """Carries commands to wherever a session lives and brings its events back."""

    async def start(self) -> None:
        """Get ready for commands. Raises Unavailable."""

    def command(self, command: Command, sockets: tuple[int, int] | None = None) -> None:
        """Carry out `command`; `sockets` are the RTP and RTCP descriptors of a `CreateSession`.

        Never raises for what goes wrong with a session: that comes back as an event.
        """

    def listen(self, listener: Callable[[Event], None]) -> None:
        """Send every event to `listener` from now on."""

    async def close(self) -> None:
        """End all sessions and release everything."""
