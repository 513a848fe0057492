"""What the test phone reports of a call: its ladder, its counts, its delays, and what was heard."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Self

import numpy as np

from sipgw.tools.ladder.draw import Step
from sipgw.tools.listening import echo_delay, hearing
from sipgw.tools.phone_media import PhoneMedia
from sipgw.tools.sound import CLOCK_HZ
from sipgw.tools.wav import Pcm

PHONE = "phone"
FAR_END = "gateway"


@dataclass(frozen=True, slots=True)
class Signal:
    """One SIP message that was sent or came."""

    when: float
    label: str
    sent: bool

    @classmethod
    def of(cls, when: float, data: bytes, *, sent: bool) -> Self:
        """Named by its first line and, for a response, by the request it answers."""
        lines = data.decode("utf-8", "replace").splitlines() or [""]
        words = lines[0].split(None, 2)
        if words[:1] != ["SIP/2.0"]:
            return cls(when, words[0] if words else "(empty)", sent)
        method = next((line.split()[-1] for line in lines if line.lower().startswith("cseq") and line.split()), "")
        return cls(when, f"{' '.join(words[1:])} ({method})", sent)

    def step(self, began: float) -> Step:
        """As a rung of the ladder."""
        ways = (PHONE, FAR_END) if self.sent else (FAR_END, PHONE)
        return Step(self.when - began, *ways, self.label)


@dataclass(frozen=True, slots=True)
class CallReport:
    """What became of one call. Delays are in seconds."""

    uri: str
    status: int
    """The INVITE's last response, 200 where it was answered; 408 or 503 also where nobody was there."""
    ending: str
    """How it ended, in words."""
    answer_delay: float | None = None
    """From the INVITE to the 200."""
    talk: float = 0.0
    """From the answer to the end."""
    codec: str = ""
    packets_sent: int = 0
    packets_received: int = 0
    packets_lost: int = 0
    jitter_ms: float = 0.0
    late_ms: float = 0.0
    """How late our own latest packet left."""
    first_packet_delay: float | None = None
    """From the answer to the first RTP packet."""
    first_audio_delay: float | None = None
    """From the answer to the first packet that is no silence; less than 0 where it was early media."""
    echo_delay: float | None = None
    """From a sound to its return, where it returned."""
    heard: Pcm = field(default_factory=lambda: np.zeros(0, np.int16), repr=False)
    """At 8 kHz, from the first packet on."""
    said: Pcm = field(default_factory=lambda: np.zeros(0, np.int16), repr=False)
    """At 8 kHz, as far as it came before the end."""
    steps: tuple[Step, ...] = field(default=(), repr=False)
    """For `print_ladder((PHONE, FAR_END), …)`; seconds from the INVITE."""

    @property
    def answered(self) -> bool:
        """Whether the far end took the call."""
        return self.answer_delay is not None

    def facts(self) -> list[tuple[str, str]]:
        """Name and value of everything worth telling."""
        rows = [("call", f"{self.uri}: {self.status}, {self.ending}")]
        if not self.answered:
            return rows
        loss = f"{self.packets_sent} sent, {self.packets_received} received, {self.packets_lost} lost"
        rows += [
            ("answered after", _seconds(self.answer_delay)),
            ("talked for", f"{self.talk:.2f} s in {self.codec}"),
            ("packets", f"{loss}, jitter {self.jitter_ms:.1f} ms"),
            ("first sound heard", _since_answer(self.first_audio_delay)),
        ]
        if self.said.any():
            rows.append(("own words came back", _seconds(self.echo_delay, "no", "after ")))
        return rows


def report(
    *,
    uri: str,
    status: int,
    ending: str,
    began: float,
    answered: float | None,
    ended: float,
    signals: Sequence[Signal],
    media: PhoneMedia,
) -> CallReport:
    """Put together what the phone saw; times are the phone's clock's."""
    steps = [signal.step(began) for signal in signals]
    if answered is None or media.stream is None:
        delay = None if answered is None else answered - began
        return CallReport(uri, status, ending, delay, steps=tuple(steps))
    names = dict.fromkeys(media.stream.receive_types, media.stream.codec)
    heard = hearing(media.heard, names)
    said = media.said.pcm()[: round((ended - media.began) * CLOCK_HZ)]
    said_began = media.began + media.said.lead  # reckoned as `hearing` does it
    silence = np.zeros(0, np.int16)
    return CallReport(
        uri,
        status,
        ending,
        answered - began,
        ended - answered,
        media.stream.codec,
        len(media.sent),
        heard.packets,
        heard.lost,
        heard.jitter_ms,
        media.late_ms,
        media.heard[0].when - answered if media.heard else None,
        None if heard.first_sound is None else heard.first_sound - answered,
        None if heard.pcm is None else echo_delay(said, said_began, heard.pcm, heard.began),
        silence if heard.pcm is None else heard.pcm,
        said,
        tuple(steps + _media_steps(media, heard.first_sound, began)),
    )


def _media_steps(media: PhoneMedia, first_sound: float | None, began: float) -> list[Step]:
    """The rungs of the sound."""
    steps = []
    codec = media.stream.codec if media.stream else ""
    if media.sent:
        label = f"{len(media.sent)} packets {codec}"
        steps.append(Step(media.sent[0] - began, PHONE, FAR_END, label, True, media.sent[-1] - began))
    if media.heard:
        first, last = media.heard[0].when - began, media.heard[-1].when - began
        steps.append(Step(first, FAR_END, PHONE, f"{len(media.heard)} packets {codec}", True, last))
    if first_sound is not None:
        steps.append(Step(first_sound - began, PHONE, PHONE, "hears the first sound"))
    return steps


def _since_answer(delay: float | None) -> str:
    early = delay is not None and delay < 0
    return f"{-1000 * (delay or 0.0):.0f} ms before the answer" if early else _seconds(delay, "never")


def _seconds(value: float | None, otherwise: str = "-", before: str = "") -> str:
    return otherwise if value is None else f"{before}{value * 1000:.0f} ms"
