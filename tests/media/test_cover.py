"""A prompt over a conversation: heard instead of it, whatever the conversation's format; then that goes on."""

import numpy as np
import pytest

from sipgw.ai.events import AudioFormat
from sipgw.media.batch import Happened
from sipgw.media.cover import PromptEnded
from sipgw_codecs.g711 import PCMU
from tests.fakes.engine import Rig

RATE_HZ = 24_000


def tone(hz: int, ms: int, rate_hz: int = RATE_HZ) -> bytes:
    """A sine, PCM16."""
    return (8000 * np.sin(2 * np.pi * hz * np.arange(rate_hz * ms // 1000) / rate_hz)).astype(np.int16).tobytes()


def loudest(payload: bytes) -> int:
    """The loudest frequency of µ-law audio in Hz; 0 is silence."""
    pcm = PCMU.decode(np.frombuffer(payload, np.uint8)).astype(float)
    if np.abs(pcm).max() < 200:
        return 0
    spectrum = np.abs(np.fft.rfft(pcm * np.hanning(len(pcm))))
    return round(int(spectrum.argmax()) * 8000 / len(pcm))


def heard(rig: Rig, slot: int, last: int = 0) -> list[int]:
    """What each packet sounds like."""
    return [loudest(packet.payload) for packet in rig.sent[slot][-last:]]


def prompts_ended(rig: Rig) -> int:
    """How often the end of a prompt was told."""
    return sum(event == Happened("s", PromptEnded()) for event in rig.events)


@pytest.mark.parametrize("audio", [None, *AudioFormat])
def test_a_prompt_is_heard_to_its_end_and_the_conversation_goes_on(audio: AudioFormat | None) -> None:
    rig = Rig()
    slot = rig.session(audio=audio)
    rig.engine.cover("s", tone(1000, 200))
    rig.run(0.3)
    spoken = [hz for hz in heard(rig, slot) if hz]
    assert 10 <= len(spoken) <= 11
    assert all(hz == pytest.approx(1000, abs=60) for hz in spoken[1:10])
    assert prompts_ended(rig) == 1
    if audio is AudioFormat.PCM16_24K:
        rig.engine.playout("s").add(tone(500, 100))
        rig.run(0.1)
        assert [hz for hz in heard(rig, slot, 5) if hz][1] == pytest.approx(500, abs=60)


def test_what_the_conversation_says_meanwhile_waits() -> None:
    rig = Rig()
    slot = rig.session()
    rig.engine.cover("s", tone(1000, 100))
    rig.engine.playout("s").add(tone(500, 100))
    rig.run(0.4)
    spoken = [hz for hz in heard(rig, slot) if hz]
    assert [hz > 750 for hz in spoken[1:5]] == [True] * 4
    assert [hz > 750 for hz in spoken[6:10]] == [False] * 4


def test_speech_that_was_cut_off_fades_before_the_prompt_begins() -> None:
    rig = Rig()
    slot = rig.session()
    rig.engine.playout("s").add(tone(500, 1000))
    rig.run(0.1)
    rig.engine.clear("s")
    rig.engine.cover("s", tone(1000, 100))
    before = len(rig.sent[slot])
    rig.run(0.2)
    # One packet that fades out, then the prompt; and nothing of the old speech after it.
    sounds = [loudest(packet.payload) for packet in rig.sent[slot][before:]]
    assert sounds[0] < 750
    assert [hz > 750 for hz in sounds[2:5]] == [True] * 3
    assert sounds[8:] == [0] * len(sounds[8:])


def test_a_prompt_that_is_stopped_fades_out() -> None:
    rig = Rig()
    slot = rig.session()
    rig.engine.cover("s", tone(1000, 1000))
    rig.run(0.1)
    rig.engine.uncover("s")
    before = len(rig.sent[slot])
    rig.run(0.1)
    sounds = [loudest(packet.payload) for packet in rig.sent[slot][before:]]
    assert sounds[0] > 0
    assert sounds[2:] == [0] * len(sounds[2:])
    assert prompts_ended(rig) == 0


def test_a_prompt_that_repeats_has_no_gap() -> None:
    rig = Rig()
    slot = rig.session(audio=None)
    rig.engine.cover("s", tone(1000, 100))
    for _ in range(40):
        before = prompts_ended(rig)
        rig.run(0.005)
        if prompts_ended(rig) > before:
            rig.engine.cover("s", tone(1000, 100))
    spoken = heard(rig, slot)
    assert all(spoken[1:])


def test_a_prompt_is_not_the_ais_first_word() -> None:
    rig = Rig()
    rig.session()
    rig.engine.cover("s", tone(1000, 100))
    rig.run(0.3)
    rig.engine.playout("s").add(tone(500, 100))
    rig.run(0.2)
    first = rig.engine.destroy("s", rig.now).first_audio_ms
    assert first is not None
    assert first >= 300
