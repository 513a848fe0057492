"""Legs whose codec has state: decoded packet by packet, encoded session by session, and otherwise as any other."""

from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray

from sipgw.ai.events import AudioFormat
from sipgw.audio.level import rms
from sipgw.media.batch import Happened
from sipgw.media.convert import sound_of
from sipgw.media.plane import Digit, NobodySpeaks, SendDigits, Stream, UpdateSession, WatchSilence
from sipgw.media.stereo import Mixdown
from sipgw.media.tap import Tap
from sipgw.rtp.dtmf import press
from sipgw_codecs.framed import Framed, Shaping
from sipgw_codecs.g722 import G722_64
from sipgw_codecs.l16 import L16_16K
from sipgw_codecs.opus import OPUS
from tests.fakes.engine import KEYS_TYPE, Phone, Rig, stream
from tests.shared import missing

Pcm = NDArray[np.int16]
CODED: list[Framed] = [OPUS, G722_64, L16_16K]
EVERY = pytest.mark.parametrize("codec", CODED, ids=[one.name for one in CODED])
FORMATS = pytest.mark.parametrize("audio", list(AudioFormat), ids=[one.name for one in AudioFormat])
DYNAMIC = 111


@pytest.fixture(autouse=True)
def library() -> None:
    if why := OPUS.available():
        missing(why)


def kind(codec: Framed) -> int:
    return DYNAMIC if codec.payload_type is None else codec.payload_type


def agreed(codec: Framed, **changes: object) -> Stream:
    return stream(codec.name, receive_types=(kind(codec),), send_type=kind(codec), **changes)


def tone(hz: float, rate_hz: int, seconds: float) -> Pcm:
    wave = 8000 * np.sin(2 * np.pi * hz * np.arange(round(rate_hz * seconds)) / rate_hz)
    return np.asarray(np.rint(wave), np.int16)


def loudest_hz(pcm: Pcm, rate_hz: int) -> float:
    return float(np.argmax(np.abs(np.fft.rfft(pcm * np.hanning(len(pcm))))) * rate_hz / len(pcm))


def as_pcm(audio: AudioFormat, heard: bytes) -> Pcm:
    return sound_of(audio).pcm(heard)


class Speaker:
    """A phone with an encoder."""

    def __init__(self, rig: Rig, slot: int, codec: Framed, ms: int = 20) -> None:
        self.phone, self.codec, self.ms = Phone(rig, slot, payload_type=kind(codec)), codec, ms
        self.encoder = codec.encoder(Shaping())

    def packets(self, pcm: Pcm) -> list[bytes]:
        size = self.codec.sound.sample_rate_hz * self.ms // 1000
        return [self.encoder.encode(pcm[at : at + size].tobytes()) for at in range(0, len(pcm) - size + 1, size)]

    def say(self, pcm: Pcm, lost: frozenset[int] = frozenset()) -> None:
        """At its own pace; the packets numbered in `lost` do not arrive."""
        for number, payload in enumerate(self.packets(pcm)):
            if number in lost:
                self.phone.sequence += 1
            else:
                self.phone.send(self.phone.payload_type, self.phone.timestamp, payload)
            self.phone.timestamp += self.codec.clock_hz * self.ms // 1000
            self.phone.rig.run(self.ms / 1000)

    def listen(self) -> Pcm:
        """What the phone has heard."""
        decoder = self.codec.decoder()
        packets = self.phone.rig.sent[self.phone.slot]
        return np.frombuffer(b"".join(decoder.decode(p.payload) for p in packets), np.int16)


# --- both ways ----------------------------------------------------------------------------------------------------


@EVERY
@FORMATS
def test_the_ais_voice_reaches_the_phone(codec: Framed, audio: AudioFormat) -> None:
    rig = Rig()
    slot = rig.session(agreed=agreed(codec), audio=audio)
    sound = sound_of(audio)
    rig.engine.playout("s").add(sound.encode(tone(1000, sound.sample_rate_hz, 1.0)).tobytes())
    rig.run(1.0)
    heard = Speaker(rig, slot, codec).listen()
    rate_hz = codec.sound.sample_rate_hz
    assert len(heard) == rate_hz
    assert loudest_hz(heard, rate_hz) == pytest.approx(1000, abs=2)
    assert rms(heard[rate_hz // 5 :]) == pytest.approx(8000 / 2**0.5, rel=0.1)


@EVERY
@FORMATS
@pytest.mark.parametrize("ms", [10, 20, 40])
def test_the_phone_is_heard_by_the_ai(codec: Framed, audio: AudioFormat, ms: int) -> None:
    rig = Rig()
    speaker = Speaker(rig, rig.session(agreed=agreed(codec, ptime_ms=ms), audio=audio), codec, ms)
    speaker.say(tone(1000, codec.sound.sample_rate_hz, 1.0))
    heard = as_pcm(audio, rig.heard["s"])
    assert len(heard) == pytest.approx(audio.rate_hz, abs=audio.rate_hz // 250)
    assert loudest_hz(heard, audio.rate_hz) == pytest.approx(1000, abs=2)
    assert rms(heard[audio.rate_hz // 5 :]) == pytest.approx(8000 / 2**0.5, rel=0.1)


@EVERY
@pytest.mark.parametrize("wish_ms", [10, 20, 30, 60])
def test_packets_are_of_a_length_the_codec_has_and_numbers_are_unbroken(codec: Framed, wish_ms: int) -> None:
    rig = Rig()
    slot = rig.session(agreed=agreed(codec, ptime_ms=wish_ms))
    rig.engine.playout("s").add(tone(500, 24_000, 0.36).tobytes())
    rig.run(1.2)
    packets, step = rig.sent[slot], codec.clock_hz * codec.interval(wish_ms) // 1000
    assert {codec.units(packet.payload) for packet in packets} == {step}
    assert {b.timestamp - a.timestamp & 0xFFFFFFFF for a, b in pairwise(packets)} == {step}
    assert {b.sequence - a.sequence & 0xFFFF for a, b in pairwise(packets)} == {1}
    assert [packet.marker for packet in packets].count(True) == 1
    stats = rig.engine.destroy("s", rig.now)
    assert stats.sent_packets == len(packets)


@EVERY
def test_silence_is_the_codecs_own_once_speech_has_ended(codec: Framed) -> None:
    rig = Rig()
    slot = rig.session(agreed=agreed(codec))
    rig.engine.playout("s").add(tone(500, 24_000, 0.2).tobytes())
    rig.run(1.0)
    payloads = [packet.payload for packet in rig.sent[slot]]
    assert set(payloads[-15:]) <= {codec.silence(20, nth) for nth in range(10)}
    assert np.abs(Speaker(rig, slot, codec).listen()[-1000:]).max() < 30


# --- losses -------------------------------------------------------------------------------------------------------


@EVERY
def test_lost_packets_are_made_up_and_counted(codec: Framed) -> None:
    rig = Rig()
    speaker = Speaker(rig, rig.session(agreed=agreed(codec)), codec)
    speaker.say(tone(500, codec.sound.sample_rate_hz, 1.0), lost=frozenset({20, 30, 40}))
    rig.run(0.06)
    heard = rig.pcm()[:24_000]
    assert rms(heard[20 * 480 : 21 * 480]) > 2500  # not a hole
    stats = rig.engine.destroy("s", rig.now)
    assert (stats.lost_packets, stats.concealed_ms) == (3, 60)
    assert stats.mos is None or stats.mos < 4.2


@EVERY
def test_a_payload_that_is_none_of_the_codec_costs_itself(codec: Framed) -> None:
    rig = Rig()
    speaker = Speaker(rig, rig.session(agreed=agreed(codec)), codec)
    speaker.say(tone(500, codec.sound.sample_rate_hz, 0.2))
    bad = {"OPUS": b"\xff\xff\xff", "L16": b"\0" * 641}.get(codec.name)
    if bad is None:
        return  # any bytes are G.722
    speaker.phone.send(kind(codec), speaker.phone.timestamp, bad)
    speaker.phone.timestamp += codec.units(bad)
    speaker.say(tone(500, codec.sound.sample_rate_hz, 0.2))
    assert rig.engine.destroy("s", rig.now).drops == {"bad_payload": 1}
    assert len(rig.pcm()) >= 9600


@EVERY
def test_a_pause_is_filled_and_speech_behind_it_is_not_late(codec: Framed) -> None:
    rig = Rig()
    speaker = Speaker(rig, rig.session(agreed=agreed(codec)), codec)
    speaker.say(tone(500, codec.sound.sample_rate_hz, 0.2))
    rig.run(0.5)
    speaker.phone.timestamp += codec.clock_hz // 2
    speaker.say(tone(500, codec.sound.sample_rate_hz, 0.2))
    assert len(rig.pcm()) == pytest.approx(0.9 * 24_000, abs=480)


# --- everything else ----------------------------------------------------------------------------------------------


@EVERY
def test_keys_go_both_ways(codec: Framed) -> None:
    rig = Rig()
    slot = rig.session(agreed=agreed(codec, dtmf_send_type=KEYS_TYPE))
    rig.engine.press(SendDigits("s", "5", 100, 50))
    rig.run(0.4)
    events = [packet for packet in rig.sent[slot] if packet.payload_type == KEYS_TYPE]
    assert {packet.payload[0] for packet in events} == {5}
    lengths = [int.from_bytes(packet.payload[2:4], "big") for packet in events]
    assert max(lengths) == codec.clock_hz // 10
    phone = Phone(rig, slot)
    for packet in press("7", 100, 20, codec.clock_hz):
        phone.send(KEYS_TYPE, 9000, packet.payload)
    rig.run(0.02)
    assert Digit("s", "7", 100) in rig.events


@EVERY
def test_the_codec_changes_in_mid_call_and_the_stream_goes_on(codec: Framed) -> None:
    rig = Rig()
    slot = rig.session(agreed=stream("PCMU"))
    Phone(rig, slot).talk(10)
    rig.engine.update(UpdateSession("s", agreed(codec)), rig.now)
    rig.engine.playout("s").add(tone(1000, 24_000, 0.4).tobytes())
    Speaker(rig, slot, codec).say(tone(700, codec.sound.sample_rate_hz, 0.4))
    heard = rig.pcm()[-7200:]
    assert loudest_hz(heard, 24_000) == pytest.approx(700, abs=4)
    rig.engine.update(UpdateSession("s", stream("PCMU")), rig.now)
    rig.run(0.2)
    packets = rig.sent[slot]
    assert len({packet.ssrc for packet in packets}) == 1
    assert {b.sequence - a.sequence & 0xFFFF for a, b in pairwise(packets)} == {1}
    assert {packet.payload_type for packet in packets} == {0, kind(codec)}


@EVERY
def test_a_refresh_without_a_change_does_not_disturb_what_is_said(codec: Framed) -> None:
    def heard(refresh: bool) -> Pcm:
        rig = Rig()
        slot = rig.session(agreed=agreed(codec))
        rig.engine.playout("s").add(tone(1000, 24_000, 0.4).tobytes())
        rig.run(0.2)
        if refresh:
            rig.engine.update(UpdateSession("s", agreed(codec)), rig.now)
        rig.run(0.2)
        return Speaker(rig, slot, codec).listen()

    length = min(len(heard(False)), len(heard(True)))
    assert np.array_equal(heard(False)[:length], heard(True)[:length])


@EVERY
@pytest.mark.parametrize("audio", [None, AudioFormat.PCM16_24K])
def test_a_caller_who_speaks_is_not_silent(codec: Framed, audio: AudioFormat | None) -> None:
    rig = Rig()
    speaker = Speaker(rig, rig.session(agreed=agreed(codec), audio=audio), codec)
    rig.engine.watch_silence(WatchSilence("s", 0.5), rig.now)
    speaker.say(tone(400, codec.sound.sample_rate_hz, 1.2))
    assert not [event for event in rig.events if isinstance(event, NobodySpeaks)]
    speaker.say(np.zeros(codec.sound.sample_rate_hz, np.int16))
    assert [event for event in rig.events if isinstance(event, NobodySpeaks)]


@EVERY
def test_the_gateways_own_ear_works_at_any_rate(codec: Framed) -> None:
    rig = Rig()
    speaker = Speaker(rig, rig.session(agreed=agreed(codec)), codec)
    rig.engine.set_vad("s", True)
    rate_hz = codec.sound.sample_rate_hz
    at = np.arange(rate_hz) / rate_hz
    vowel = sum(np.sin(2 * np.pi * 140 * n * at) / n for n in range(1, 22)) * 4000 * (1 + np.sin(2 * np.pi * 4 * at))
    speaker.say(np.clip(vowel, -32_000, 32_000).astype(np.int16))
    speaker.say(np.zeros(rate_hz, np.int16))
    told = [event.event.speaking for event in rig.events if isinstance(event, Happened)]  # type: ignore[union-attr]
    assert told == [True, False]


@EVERY
def test_a_recording_has_both_sides_at_its_own_rate(codec: Framed) -> None:
    rig = Rig()
    slot = rig.session(agreed=agreed(codec))
    tap = Tap(rig.now)
    rig.engine.tap("s", tap)
    rig.engine.playout("s").add(tone(1000, 24_000, 1.0).tobytes())
    Speaker(rig, slot, codec).say(tone(600, codec.sound.sample_rate_hz, 1.0))
    tap.end(rig.now)
    sound = Mixdown(tap).block(rig.now)
    assert len(sound) == pytest.approx(8000, abs=80)
    for column, hz in ((0, 600), (1, 1000)):
        assert loudest_hz(sound[800:7200, column], 8000) == pytest.approx(hz, abs=4)
        assert rms(sound[800:7200, column].copy()) == pytest.approx(8000 / 2**0.5, rel=0.1)
