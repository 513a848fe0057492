"""Opus (RFC 6716) over RTP (RFC 7587), straight from libopus.

Encoder and decoder run at 24 kHz, which is what AIs speak: libopus resamples inside and for nothing. The RTP clock is
48 kHz all the same. We send mono; a stereo stream is decoded to mono.
"""

import ctypes
from dataclasses import dataclass
from functools import cache
from typing import Any

from sipgw_codecs import libopus as lib
from sipgw_codecs.framed import BadPayload, Shaping
from sipgw_codecs.linear import Linear

CLOCK_HZ = 48_000
RATE_HZ = 24_000
_SOUND = Linear(RATE_HZ)
_UNITS = CLOCK_HZ // RATE_HZ
_LONGEST = RATE_HZ * 120 // 1000
"""Samples of the longest packet (RFC 6716 section 3.2.5: 120 ms)."""
_SHORTEST = RATE_HZ // 400
"""Samples of 2.5 ms, of which libopus makes up whole multiples."""
_ROOM = 1275
"""Octets of the longest frame (RFC 6716 section 3.4)."""
_BANDWIDTHS = ((8_000, 1101), (12_000, 1102), (16_000, 1103), (24_000, 1104), (48_000, 1105))
"""`maxplaybackrate` to libopus's name of the widest band worth sending."""
_LEAST_BITRATE, _MOST_BITRATE = 6_000, 510_000
_INTERVALS = (60, 40, 20, 10)


def _frame_units() -> tuple[int, ...]:
    """The length of a frame by the first five bits of a packet (RFC 6716 section 3.1), in timestamp units."""
    silk, hybrid, celt = (480, 960, 1920, 2880), (480, 960), (120, 240, 480, 960)
    return silk * 3 + hybrid * 2 + celt * 4


_FRAME_UNITS = _frame_units()


def units(payload: bytes) -> int:
    """How long a packet lasts, in units of 48 kHz; 0 for one that makes no sense (RFC 6716 section 3.1)."""
    if not payload:
        return 0
    code = payload[0] & 3
    if code < 3:
        frames = 1 if code == 0 else 2
    else:
        frames = payload[1] & 0x3F if len(payload) > 1 else 0
    total = _FRAME_UNITS[payload[0] >> 3] * frames
    return total if total <= _LONGEST * _UNITS else 0


class OpusDecoder:
    """One stream that comes in."""

    def __init__(self) -> None:
        self._lib = lib.libopus()
        self._state = _created(self._lib.opus_decoder_create, RATE_HZ, 1)
        self._out = (ctypes.c_int16 * _LONGEST)()

    def __del__(self) -> None:
        if state := getattr(self, "_state", None):
            self._lib.opus_decoder_destroy(state)

    def decode(self, payload: bytes) -> bytes:
        """See `Decoder`."""
        return self._run(payload, _LONGEST, False)

    def conceal(self, samples: int, following: bytes | None) -> bytes:
        """See `Decoder`. The last frame comes from `following` where that carries it (RFC 6716 section 2.1.7)."""
        rest = samples - samples % _SHORTEST
        carried = min(units(following) // _UNITS, rest) if following else 0
        made = b""
        while rest > carried:
            length = min(rest - carried, _LONGEST)
            made += self._run(None, length, False)
            rest -= length
        if carried and following is not None:
            made += self._run(following, carried, True)
        return made + bytes(2 * (samples % _SHORTEST))

    def _run(self, payload: bytes | None, samples: int, earlier: bool) -> bytes:
        size = 0 if payload is None else len(payload)
        count = self._lib.opus_decode(self._state, payload, size, self._out, samples, int(earlier))
        if count < 0:
            raise BadPayload(f"Opus: {lib.reason(count)}")
        return ctypes.string_at(self._out, 2 * count)


class OpusEncoder:
    """One stream that goes out.

    Args:
        shaping: our settings, and what the far end wishes (RFC 7587 section 6.1).
    """

    def __init__(self, shaping: Shaping) -> None:
        self._lib = lib.libopus()
        wishes = _parameters(shaping.wishes)
        mode = lib.LOW_DELAY if shaping.low_delay else lib.VOIP
        self._state = _created(self._lib.opus_encoder_create, RATE_HZ, 1, mode)
        self._out = ctypes.create_string_buffer(_ROOM)
        self._protects = not shaping.low_delay and wishes.get("useinbandfec") == 1
        self._loss = 0
        most = wishes.get("maxaveragebitrate", _MOST_BITRATE)
        self._set(lib.SET_BITRATE, max(_LEAST_BITRATE, min(shaping.bitrate, most)))
        self._set(lib.SET_COMPLEXITY, shaping.complexity)
        self._set(lib.SET_SIGNAL, lib.SIGNAL_VOICE)
        self._set(lib.SET_VBR, 0 if wishes.get("cbr") == 1 else 1)
        rate = wishes.get("maxplaybackrate", CLOCK_HZ)
        self._set(lib.SET_MAX_BANDWIDTH, next((name for top, name in _BANDWIDTHS if rate <= top), _BANDWIDTHS[-1][1]))

    def __del__(self) -> None:
        if state := getattr(self, "_state", None):
            self._lib.opus_encoder_destroy(state)

    def encode(self, pcm: bytes) -> bytes:
        """See `Encoder`. Takes 10, 20, 40 or 60 ms."""
        size = self._lib.opus_encode(self._state, pcm, len(pcm) // 2, self._out, _ROOM)
        if size < 0:
            raise ValueError(f"Opus: {lib.reason(size)}")
        return self._out.raw[:size]

    def expect_loss(self, percent: int) -> None:
        """See `Encoder`. What is carried again costs bits of the sound itself, so only as much as is lost."""
        if self._protects and percent != self._loss:
            self._loss = percent
            self._set(lib.SET_INBAND_FEC, 1 if percent else 0)
            self._set(lib.SET_PACKET_LOSS, min(percent, 100))

    def reset(self) -> None:
        """See `Encoder`."""
        self._lib.opus_encoder_ctl(ctypes.c_void_p(self._state), lib.RESET_STATE)

    def _set(self, request: int, value: int) -> None:
        code = self._lib.opus_encoder_ctl(ctypes.c_void_p(self._state), request, ctypes.c_int32(value))
        if code < 0:
            raise ValueError(f"Opus takes no {value} for {request}: {lib.reason(code)}")


@dataclass(frozen=True)
class Opus:
    """The codec."""

    name: str = "OPUS"
    payload_type: None = None
    clock_hz: int = CLOCK_HZ
    sound: Linear = _SOUND
    settling_ms: int = 40

    def available(self) -> str:
        """See `Framed`."""
        try:
            lib.libopus()
        except lib.Missing as missing:
            return f"libopus is not there ({missing}): install it, or name it in SIPGW_LIBOPUS"
        return ""

    def units(self, payload: bytes) -> int:
        """See `Framed`."""
        return units(payload)

    def interval(self, ptime_ms: int) -> int:
        """See `Framed`: Opus has frames of 10, 20, 40 and 60 ms."""
        return next((ms for ms in _INTERVALS if ms <= ptime_ms), _INTERVALS[-1])

    def decoder(self) -> OpusDecoder:
        """See `Framed`."""
        return OpusDecoder()

    def encoder(self, shaping: Shaping) -> OpusEncoder:
        """See `Framed`."""
        return OpusEncoder(shaping)

    def silence(self, ms: int, nth: int = 0) -> bytes:
        """See `Framed`. As a new encoder has it, in the mode without prediction, so that it fits after anything."""
        return _silence(ms)


@cache
def _silence(ms: int) -> bytes:
    return OpusEncoder(Shaping(low_delay=True, complexity=0)).encode(bytes(2 * RATE_HZ * ms // 1000))


def _created(create: Any, *arguments: int) -> int:
    code = ctypes.c_int()
    state = create(*arguments, ctypes.byref(code))
    if not state:
        raise MemoryError(f"Opus: {lib.reason(code.value)}")
    return int(state)


def _parameters(wishes: str) -> dict[str, int]:
    """The format parameters that are numbers; others, and nonsense, mean nothing to us."""
    parameters = {}
    for part in wishes.split(";"):
        name, _, value = part.partition("=")
        if value.strip().isascii() and value.strip().isdecimal() and len(value.strip()) < 8:
            parameters[name.strip().lower()] = int(value)
    return parameters


OPUS = Opus()
