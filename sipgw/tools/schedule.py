"""What the test phone sends when: a sound, silence after it, and keys in their place. Pure."""

import heapq
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sipgw.rtp.dtmf import press
from sipgw.tools.sound import CLOCK_HZ, TELEPHONE_EVENT, Sound, Sounding
from sipgw_codecs.registry import LAWS

_PRESS_MS = 160
_GAP = 1.0
"""Between the beginnings of two keys."""


@dataclass(frozen=True, slots=True)
class Key:
    """A key to press."""

    delay: float
    digit: str

    @property
    def end(self) -> float:
        """When it is let go."""
        return self.delay + _PRESS_MS / 1000


def keys_after(start: float, digits: str) -> tuple[Key, ...]:
    """The digits, one a second from `start` on."""
    return tuple(Key(start + index * _GAP, digit) for index, digit in enumerate(digits))


def schedule(sound: Sound, keys: Sequence[Key], name: str, ptime_ms: int) -> Iterator[Sounding]:
    """Every packet in the order of its time; it never ends, as RTP goes on until somebody hangs up.

    While a key is down its packets take the place of sound (RFC 4733 section 2.5.1.2).
    """
    spoken = itertools.chain(sound.packets, _silence(sound, name, ptime_ms))
    heard = (one for one in spoken if not any(key.delay <= one.delay < key.end for key in keys))
    pressed = sorted((one for key in keys for one in _pressed(key, ptime_ms)), key=_delay)
    return heapq.merge(heard, pressed, key=_delay)


def _silence(sound: Sound, name: str, ptime_ms: int) -> Iterator[Sounding]:
    """Silence from the end of the sound on, without end."""
    size = CLOCK_HZ * ptime_ms // 1000
    start, at = _after(sound)
    payload = LAWS[name].silence(ptime_ms)
    for index in itertools.count():
        yield Sounding(start + index * ptime_ms / 1000, name, payload, at + index * size, marker=index == 0)


def _after(sound: Sound) -> tuple[float, int]:
    """Where a sound ends: its delay and its timestamp."""
    spoken = [one for one in sound.packets if one.codec != TELEPHONE_EVENT]
    if not spoken:
        return 0.0, 0
    last = max(spoken, key=lambda one: one.timestamp)
    at = last.timestamp + len(last.payload)  # one byte a sample
    delay = max(last.delay + len(last.payload) / CLOCK_HZ, sound.seconds)
    return delay, max(at, round(delay * CLOCK_HZ))


def _pressed(key: Key, ptime_ms: int) -> Iterator[Sounding]:
    at = round(key.delay * CLOCK_HZ)
    for index, packet in enumerate(press(key.digit, _PRESS_MS, ptime_ms, CLOCK_HZ)):
        delay = key.delay + index * ptime_ms / 1000
        yield Sounding(delay, TELEPHONE_EVENT, packet.payload, at + packet.timestamp, packet.marker)


def _delay(packet: Sounding) -> float:
    return packet.delay
