"""Records as the API's OpenAPI description has them: the columns of the tables. Times are RFC 3339, UTC."""

from datetime import datetime
from typing import Any, Self

from sipgw.ops.api.models import Model
from sipgw.records.reading import Row, Story


class Record(Model):
    """One call that is over."""

    call: str
    node: str
    """Gateway that had it."""
    sip_call_id: str
    source: str
    """Address the INVITE came from."""
    trunk: str
    route: str
    """Pattern of the route that took it; empty where none did."""
    caller: str
    caller_name: str
    called: str
    target: str
    """Backend that had it last."""
    started: datetime
    ringing: datetime | None
    answered: datetime | None
    ended: datetime
    seconds: float
    """From the answer to the end."""
    post_dial_seconds: float | None
    """From the INVITE to ringing, or to the answer."""
    cause: str
    status: int
    """Final response to the INVITE."""
    q850: int
    hung_up_by: str
    """`caller`, `backend`, `gateway`, or `operator`: a command from outside."""
    reason: str
    codec: str
    digits: int
    """Keys pressed."""
    first_audio_ms: int | None
    """From the answer to the AI's first packet."""
    mos: float | None
    """Of the worse direction, by the E-model."""
    turns_ms: list[int]
    """Delay of each turn: from the end of the caller's words to the first packet of the answer."""
    turn_p50_ms: int | None
    turn_p95_ms: int | None
    far_status: int | None
    """Why the far end ended the call, by its own word: the SIP status in its BYE or CANCEL (RFC 3326)."""
    far_q850: int | None
    """The same as a Q.850 cause."""
    far_text: str
    """The same in words."""
    attestation: str
    """How sure the carrier was of the caller's number: `A`, `B`, `C`, `failed` or `unknown`."""
    attestation_source: str
    """Header that said so."""
    privacy: str
    """What the caller wished not to be told (RFC 3323)."""
    diverted_by: str
    """Number that sent the call on last (RFC 5806)."""
    headers: dict[str, str]
    """Of the INVITE, as far as the configuration lets them through."""
    carried: dict[str, Any]
    """All that the INVITE said besides caller and called."""


class RecordLeg(Model):
    """The caller's leg (number 0), a backend that was tried, or who took the caller's place."""

    number: int
    kind: str
    """`caller`, `ai`, `hook` for a service that was asked where the call goes, `replacement` for who took the caller's
    place."""
    name: str
    dialect: str
    started: datetime
    ready: datetime | None
    """When it was answered, or got ready."""
    ended: datetime
    failure: str
    advice: str
    """What a service said."""
    connected_ms: int | None
    heard_ms: int
    """Sound a backend was sent."""
    said_ms: int
    """Sound of a backend that was taken to be played."""
    codec: str
    srtp: str
    """Suite by which RTP was protected (RFC 4568); empty where it was not."""
    sent_packets: int | None
    received_packets: int | None
    lost_packets: int | None
    late_packets: int | None
    jitter_ms: float | None
    round_trip_ms: float | None
    mos: float | None
    far_lost_packets: int | None
    """Of what we sent, as the far end reports it; likewise what follows."""
    far_jitter_ms: float | None
    far_mos: float | None
    concealed_ms: int | None
    filled_ms: int | None
    drops: dict[str, int]
    sip_call_id: str
    """Of its SIP dialog; empty where it has none."""


class Words(Model):
    """Something that was said."""

    at: datetime
    who: str
    """`caller` or `agent`."""
    text: str


class RecordingFile(Model):
    """A file of the call's sound."""

    path: str
    started: datetime
    seconds: float
    sha256: str
    paused: list[list[float]]
    """Left out on purpose: from and to, in seconds of the recording."""
    lost_ms: int
    failure: str


class WholeRecord(Record):
    """All there is of one call."""

    legs: list[RecordLeg]
    transcript: list[Words]
    recordings: list[RecordingFile]

    @classmethod
    def of(cls, story: Story) -> Self:
        """As it was read."""
        return cls.model_validate(story.document())


class RecordPage(Model):
    """Some of the calls that are over, the newest first."""

    records: list[Record]
    next: str | None
    """Hand this in as `before` to get the next page; null on the last."""

    @classmethod
    def of(cls, found: list[Row], limit: int) -> Self:
        """The first so many of what was found; one more says that there is another page."""
        records = [Record.model_validate(row) for row in found[:limit]]
        last = records[-1] if len(found) > limit else None
        return cls(records=records, next=None if last is None else f"{last.started.isoformat()}~{last.call}")
