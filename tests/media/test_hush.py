"""Whether anybody speaks: by the bytes of both sides, and in a whole engine."""

import numpy as np
import pytest
from numpy.typing import NDArray

from sipgw.ai.events import AudioFormat
from sipgw.media.hush import Hush, quiet
from sipgw.media.plane import NobodySpeaks, UpdateSession, WatchSilence
from sipgw.rtp.dtmf import press
from sipgw_codecs.g711 import G711, PCMA, PCMU
from sipgw_codecs.registry import LAWS
from tests.fakes.engine import KEYS_TYPE, Phone, Rig, stream

RANDOM = np.random.default_rng(7)


def noise(rms: float, codec: G711 = PCMU) -> bytes:
    """20 ms of white noise, as the codec has it."""
    return codec.encode(np.clip(RANDOM.normal(0, rms, 160), -32_000, 32_000).astype(np.int16)).tobytes()


def tone(peak: float, codec: G711 = PCMU) -> bytes:
    """20 ms of 400 Hz."""
    return codec.encode(np.rint(peak * np.sin(np.arange(160) * np.pi / 10)).astype(np.int16)).tobytes()


# --- by itself ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("codec", LAWS.values(), ids=LAWS)
def test_every_byte_is_quiet_or_loud_by_its_sample(codec: G711) -> None:
    samples = codec.decode(np.arange(256, dtype=np.uint8)).astype(int)
    assert [value for value in range(256) if abs(samples[value]) < 512] == sorted(quiet(codec))


@pytest.mark.parametrize("codec", LAWS.values(), ids=LAWS)
@pytest.mark.parametrize(
    ("sound", "is_speech"),
    [(0.0, False), (30.0, False), (150.0, False), (600.0, True), (3000.0, True)],
    ids=["silence", "-61 dBFS", "-47 dBFS", "-35 dBFS", "-21 dBFS"],
)
def test_the_noise_of_a_line_is_no_speech(codec: G711, sound: float, is_speech: bool) -> None:
    hush = Hush(codec, 5.0, 0.0)
    for tick in range(100):
        hush.heard(noise(sound, codec), tick / 50)
    assert (hush.next_timer() > 6.0) is is_speech


def test_clicks_are_no_speech() -> None:
    hush = Hush(PCMU, 5.0, 0.0)
    click = bytes([PCMU.silence_byte]) * 150 + b"\x00" * 10
    for tick in range(100):
        hush.heard(click, tick / 50)
    assert hush.next_timer() == 5.0


def test_silence_is_told_with_that_of_the_caller_and_again_after_as_long() -> None:
    hush = Hush(PCMU, 5.0, 100.0)
    hush.heard(tone(8000), 103.0)
    hush.said(tone(8000), 104.0)
    assert hush.handle_timers(108.9) is None
    assert hush.handle_timers(109.0) == (5.0, 6.0)
    assert hush.handle_timers(109.1) is None
    assert hush.handle_timers(114.0) == (5.0, 11.0)
    hush.spoke(115.0)
    assert hush.next_timer() == 120.0


def test_another_codec_is_read_by_its_own_bytes() -> None:
    hush = Hush(PCMU, 5.0, 0.0)
    hush.change(PCMA)
    hush.heard(bytes([PCMA.silence_byte]) * 160, 1.0)
    assert hush.next_timer() == 5.0
    hush.heard(tone(8000, PCMA), 2.0)
    assert hush.next_timer() == 7.0


# --- in an engine -------------------------------------------------------------------------------------------------


def told(rig: Rig) -> list[NobodySpeaks]:
    return [event for event in rig.events if isinstance(event, NobodySpeaks)]


def watched(seconds: float = 2.0) -> tuple[Rig, Phone]:
    rig = Rig()
    phone = Phone(rig, rig.session())
    rig.engine.watch_silence(WatchSilence("s", seconds), rig.now)
    return rig, phone


def speech(seconds: float, peak: float = 8000) -> NDArray[np.int16]:
    wave: NDArray[np.int16] = np.rint(peak * np.sin(np.arange(round(24_000 * seconds)) * 0.2)).astype(np.int16)
    return wave


def test_nothing_is_told_unless_it_is_asked_for() -> None:
    rig = Rig()
    Phone(rig, rig.session()).talk(250, noise(20))
    rig.engine.watch_silence(WatchSilence("s", 2.0), rig.now)
    rig.run(1.0)
    rig.engine.watch_silence(WatchSilence("s", 0.0), rig.now)
    rig.run(5.0)
    assert not told(rig)


def test_a_line_on_which_nobody_speaks_is_told_again_and_again() -> None:
    rig, phone = watched()
    phone.talk(325, noise(20))
    heard = told(rig)
    # Looked at every 50 ms.
    assert [event.seconds for event in heard] == pytest.approx([2.0, 2.0, 2.0], abs=0.1)
    assert [event.caller_seconds for event in heard] == pytest.approx([2.0, 4.0, 6.0], abs=0.15)


def test_who_speaks_puts_it_off() -> None:
    rig, phone = watched()
    for _ in range(5):
        phone.talk(75, noise(20))
        phone.talk(10, tone(6000))
    assert not told(rig)
    for _ in range(5):
        rig.engine.playout("s").add(speech(0.3).tobytes())
        phone.talk(90, noise(20))
    assert not told(rig)
    phone.talk(25, noise(20))
    (event,) = told(rig)
    assert event.caller_seconds == pytest.approx(9.5, abs=0.3)


def test_an_ai_that_sends_silence_does_not_speak() -> None:
    rig, phone = watched()
    rig.engine.playout("s").add(bytes(2 * 24_000 * 5))
    phone.talk(110, noise(20))
    assert len(told(rig)) == 1


def test_a_key_is_a_word() -> None:
    rig, phone = watched()
    phone.talk(75, noise(20))
    for packet in press("5"):
        phone.send(KEYS_TYPE, phone.timestamp, packet.payload, packet.marker)
    phone.talk(75, noise(20))
    assert not told(rig)


def test_on_hold_nobody_has_to_speak_and_it_counts_anew_afterwards() -> None:
    rig, phone = watched()
    phone.talk(50, noise(20))
    rig.engine.update(UpdateSession("s", stream(sending=False)), rig.now)
    rig.run(10.0)
    assert not told(rig)
    rig.engine.update(UpdateSession("s", stream()), rig.now)
    phone.talk(90, noise(20))
    assert not told(rig)
    phone.talk(20, noise(20))
    assert len(told(rig)) == 1


def test_a_conversation_that_is_replaced_does_not_end_the_watch() -> None:
    rig, phone = watched()
    rig.engine.set_audio("s", None)
    rig.engine.set_audio("s", AudioFormat.PCMU_8K)
    phone.talk(110, noise(20))
    assert len(told(rig)) == 1
