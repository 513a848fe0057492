"""The backends that need no network, in simulated time."""

from typing import Any

import numpy as np
import pytest

from sipgw.ai.actions import Play
from sipgw.ai.builtin.demo import LONGEST_MS, Demo, at_rate, narrow
from sipgw.ai.builtin.echo import Echo
from sipgw.ai.builtin.pacer import EVERY, Pacer
from sipgw.ai.builtin.tone import Tone
from sipgw.ai.conversation import Conversation
from sipgw.ai.events import (
    AudioFormat,
    BackendEvent,
    CallerSpoke,
    CallerStopped,
    CallFacts,
    Clear,
    DigitPressed,
    Ended,
    GatewayEvent,
    Interrupted,
    Open,
    Ready,
    Speech,
    SpeechEnded,
    Started,
)
from sipgw.options import BackendOptions

FACTS = CallFacts("n1-1")
PROMPTS = {name: bytes([n + 1, 0]) * 24_000 for n, name in enumerate(("greeting", "key-5", "key-star", "key-hash"))}
FRAME_MS = 20


def options(dialect: str, audio: str = "pcm16/24000", **settings: Any) -> BackendOptions:
    return BackendOptions(dialect, dialect, audio=audio, settings=settings)


def demo(audio: str = "pcm16/24000") -> Demo:
    core = Demo(options("demo", audio), FACTS, PROMPTS)
    assert core.open(0.0) is None
    assert core.events() == [Ready()]
    return core


def told(core: Demo | Tone, event: GatewayEvent, now: float) -> list[BackendEvent]:
    core.send(event, now)
    return core.events()


def until(core: Demo | Tone, now: float) -> list[BackendEvent]:
    """What it says as its timers come, up to `now`."""
    said: list[BackendEvent] = []
    while (due := core.next_timer()) is not None and due <= now:
        core.handle_timers(due)
        said += core.events()
    return said


def speech(events: list[BackendEvent]) -> bytes:
    return b"".join(event.audio for event in events if isinstance(event, Speech))


def buzz(ms: int, rate_hz: int = 24_000) -> bytes:
    """Something a voice detector takes for a voice: pulses at a speaker's pitch."""
    at = np.arange(rate_hz * ms // 1000)
    wave = sum(np.sin(2 * np.pi * 120 * k * at / rate_hz) / k for k in range(1, 20))
    return bytes((np.asarray(wave) * 6000).astype("<i2"))


def listen(core: Demo, audio: bytes, now: float) -> list[BackendEvent]:
    """What it says as it hears `audio`, frame by frame."""
    size = core.audio_format.bytes_of(FRAME_MS)
    said: list[BackendEvent] = []
    for n, at in enumerate(range(0, len(audio), size)):
        core.audio(audio[at : at + size], now + n * FRAME_MS / 1000)
        said += core.events()
    return said


# --- echo ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("audio", [each.value for each in AudioFormat])
def test_the_echo_says_every_frame_at_once_in_any_format(audio: str) -> None:
    core = Echo(options("echo", audio), FACTS)
    assert core.open(0.0) is None
    assert core.events() == [Ready()]
    assert core.audio(memoryview(b"abcd"), 1.0) is None
    assert core.events() == [Speech(b"abcd")]
    assert core.to_send() == []


def test_the_echo_speaks_through_the_conversation_in_the_same_call() -> None:
    talk = Conversation(Echo(options("echo"), FACTS), barge_in="off")
    talk.connect(0.0)
    talk.connected(0.0)
    talk.intent(Open(), 0.1)
    talk.actions()
    assert talk.caller_audio(bytes(960), 0.2) == []
    assert talk.actions() == [Play(bytes(960), "")]


def test_the_echo_has_no_settings() -> None:
    with pytest.raises(ValueError, match="unknown field `pitch`"):
        Echo(options("echo", pitch=1), FACTS)


# --- tone ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("audio", ["pcm16/24000", "pcm16/16000", "pcm16/8000"])
def test_the_tone_is_one_sine_however_it_is_cut(audio: str) -> None:
    core = Tone(options("tone", audio, frequency_hz=500.0, level_dbfs=-6.0), FACTS)
    core.open(0.0)
    core.events()
    assert core.next_timer() is None
    said = told(core, Started(), 1.0) + until(core, 3.05)
    samples = np.frombuffer(speech(said), "<i2") / 32_768
    rate_hz = core.audio_format.rate_hz
    # Two seconds have passed, two tenths are ahead.
    assert len(samples) / rate_hz == pytest.approx(2.2)
    expected = 10 ** (-6 / 20) * np.sin(2 * np.pi * 500 * np.arange(len(samples)) / rate_hz)
    assert np.abs(samples - expected).max() < 1e-3


def test_the_tone_starts_anew_under_another_name_when_it_is_cut_off() -> None:
    core = Tone(options("tone"), FACTS)
    said = told(core, Started(), 1.0) + told(core, Interrupted("tone-1", 100, 200), 1.05)
    assert [event.item for event in said if isinstance(event, Speech)] == ["tone-1", "tone-2"]


def test_the_tone_does_not_make_up_for_a_long_sleep() -> None:
    core = Tone(options("tone"), FACTS)
    told(core, Started(), 1.0)
    core.handle_timers(100.0)
    assert AudioFormat.PCM16_24K.ms_of(len(speech(core.events()))) <= 1200


def test_the_tone_ends_with_the_call() -> None:
    core = Tone(options("tone"), FACTS)
    told(core, Started(), 1.0)
    told(core, Ended("over"), 1.1)
    assert core.next_timer() is None
    core.handle_timers(2.0)
    assert core.events() == []


@pytest.mark.parametrize("settings", [{"frequency_hz": 9000.0}, {"level_dbfs": 3.0}, {"pitch": 1}])
def test_a_tone_nobody_could_hear_is_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="backend tone: settings"):
        Tone(options("tone", **settings), FACTS)


@pytest.mark.parametrize("kind", [Tone, lambda given, facts: Demo(given, facts, {})])
def test_who_makes_sound_makes_pcm16(kind: type[Tone]) -> None:
    with pytest.raises(ValueError, match="speaks pcm16, not pcmu/8000"):
        kind(options("tone", "pcmu/8000"), FACTS)


# --- demo ---------------------------------------------------------------------------------------------------------


def test_the_demo_greets_in_pieces_ahead_of_real_time() -> None:
    core = demo()
    first = told(core, Started(), 1.0)
    assert first == [Speech(PROMPTS["greeting"][:9600], "greeting-1")]
    rest = until(core, 9.0)
    assert speech(first + rest) == PROMPTS["greeting"]
    assert rest[-1] == SpeechEnded("greeting-1")
    assert len(rest) == 5
    assert core.next_timer() is None


def test_the_demo_does_not_greet_again_where_a_conversation_goes_on_elsewhere() -> None:
    core = Demo(options("demo"), CallFacts("c1", resumed=True), PROMPTS)
    assert told(core, Started(), 1.0) == []


def test_the_demo_repeats_what_it_hears_once_the_caller_stops() -> None:
    core = demo()
    words = buzz(600)
    said = listen(core, bytes(24_000) + words + bytes(48_000), 1.0)
    assert [type(event) for event in said[:2]] == [CallerSpoke, CallerStopped]
    repeated = speech(said + until(core, 99.0))
    assert words in repeated
    # Little more than the words: what was kept from before, and the pause that ended them.
    assert AudioFormat.PCM16_24K.ms_of(len(repeated)) < 600 + 240 + 600


@pytest.mark.parametrize("audio", ["pcm16/16000", "pcm16/8000"])
def test_the_demo_hears_at_any_rate(audio: str) -> None:
    core = demo(audio)
    rate_hz = core.audio_format.rate_hz
    said = listen(core, buzz(600, rate_hz) + bytes(rate_hz * 2), 1.0)
    assert CallerStopped() in said


def test_silence_says_nothing_to_the_demo() -> None:
    assert listen(demo(), bytes(240_000), 1.0) == []


def test_the_demo_repeats_no_more_than_half_a_minute() -> None:
    core = demo()
    listen(core, buzz(LONGEST_MS + 2000) + bytes(48_000), 1.0)
    assert AudioFormat.PCM16_24K.ms_of(len(speech(until(core, 99.0)))) <= LONGEST_MS


@pytest.mark.parametrize(("digit", "prompt"), [("5", "key-5"), ("*", "key-star"), ("#", "key-hash")])
def test_the_demo_names_the_key_and_drops_what_it_was_saying(digit: str, prompt: str) -> None:
    core = demo()
    told(core, Started(), 1.0)
    answer = told(core, DigitPressed(digit, 100), 1.05)
    assert answer[0] == Clear()
    assert speech(answer + until(core, 99.0)) == PROMPTS[prompt]


def test_the_demo_says_nothing_it_has_no_prompt_for() -> None:
    assert told(demo(), DigitPressed("A", 100), 1.0) == [Clear()]


@pytest.mark.parametrize("event", [Interrupted("greeting-1", 100, 200), Ended("over")])
def test_the_demo_falls_silent_when_it_is_interrupted(event: GatewayEvent) -> None:
    core = demo()
    told(core, Started(), 1.0)
    assert told(core, event, 1.05) == []
    assert until(core, 9.0) == []


def test_prompts_and_frames_change_their_rate() -> None:
    tone = (8000 * np.sin(2 * np.pi * 400 * np.arange(24_000) / 24_000)).astype("<i2").tobytes()
    for rate_hz in (8000, 16_000, 24_000):
        prompt = np.frombuffer(at_rate(tone, rate_hz), "<i2")
        expected = 8000 * np.sin(2 * np.pi * 400 * np.arange(rate_hz) / rate_hz)
        assert np.abs(prompt - expected).max() < 80
        assert len(narrow(at_rate(tone, rate_hz), rate_hz)) == 16_000


# --- pacing -------------------------------------------------------------------------------------------------------


def test_utterances_follow_one_another() -> None:
    pacer = Pacer(AudioFormat.PCM16_8K)
    pacer.say("a", b"a" * 4000, 1.0)
    pacer.say("b", b"b" * 100, 1.0)
    pacer.say("c", b"", 1.0)
    assert pacer.take(1.0) == [Speech(b"a" * 3200, "a")]
    assert pacer.next_timer() == 1.0 + EVERY
    assert pacer.take(1.05) == []
    assert pacer.take(1.25) == [
        Speech(b"a" * 800, "a"),
        SpeechEnded("a"),
        Speech(b"b" * 100, "b"),
        SpeechEnded("b"),
    ]
    assert pacer.take(9.0) == [SpeechEnded("c")]
    assert pacer.next_timer() is None
