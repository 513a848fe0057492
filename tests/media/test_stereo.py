"""A recording as the engine feeds it: each party has a tone of its own, and both are where they were on the wire."""

import numpy as np
from numpy.typing import NDArray

from sipgw.ai.events import AudioFormat
from sipgw.media.plane import UpdateSession
from sipgw.media.stereo import Mixdown
from sipgw.media.tap import Tap
from sipgw_codecs.g711 import PCMA, PCMU
from tests.fakes.engine import Phone, Rig, stream

RATE_HZ = 8000
FRAME = 160


def tone(hz: float, seconds: float) -> NDArray[np.int16]:
    """A tone without a silent sample."""
    time = (np.arange(round(RATE_HZ * seconds)) + 0.25) / RATE_HZ
    sound: NDArray[np.int16] = np.rint(8000 * np.sin(2 * np.pi * hz * time) + 300).astype(np.int16)
    return sound


class Scene:
    """A recorded session whose caller says one tone while the AI says another."""

    def __init__(self) -> None:
        self.rig = Rig()
        self.slot = self.rig.session(audio=AudioFormat.PCMU_8K)
        self.phone = Phone(self.rig, self.slot)
        self.rig.run(0.1)
        self.tap = Tap(self.rig.now)
        self.mix = Mixdown(self.tap)
        self.rig.engine.tap("s", self.tap)
        self.said: list[bytes] = []
        self.blocks: list[NDArray[np.int16]] = []

    def agent(self, seconds: float) -> None:
        """The AI says its tone."""
        self.rig.engine.playout("s").add(PCMU.encode(tone(700, seconds)).tobytes())

    def talk(self, seconds: float) -> None:
        """The caller says its tone; the writer takes a block once a second."""
        sound = PCMU.encode(tone(400, seconds)).tobytes()
        for at in range(0, len(sound), FRAME):
            self.said.append(sound[at : at + FRAME])
            self.phone.say(self.said[-1])
            self.rig.run(0.02)
            if not (at // FRAME) % 50:
                self.blocks.append(self.mix.block(self.rig.now))

    def end(self) -> NDArray[np.int16]:
        """The whole recording."""
        self.rig.engine.tap("s", None)
        self.tap.end(self.rig.now)
        return np.concatenate([*self.blocks, self.mix.block(self.rig.now)])

    def caller_heard(self, law: object = PCMU) -> NDArray[np.int16]:
        """What has left for the phone."""
        return PCMU.decode(np.frombuffer(self.phone.listen(), np.uint8))


def place(needle: NDArray[np.int16], hay: NDArray[np.int16]) -> int:
    """Where `needle` lies in `hay`, to the sample."""
    spectrum = np.fft.rfft(hay.astype(float), 2 * len(hay)) * np.conj(np.fft.rfft(needle.astype(float), 2 * len(hay)))
    return int(np.argmax(np.fft.irfft(spectrum)[: len(hay)]))


def test_the_left_is_what_the_caller_said_and_the_right_what_it_heard() -> None:
    scene = Scene()
    before = len(scene.caller_heard())
    scene.agent(2.0)
    scene.talk(3.0)
    sound = scene.end()
    assert sound.shape == (3 * RATE_HZ, 2)
    assert np.array_equal(sound[:, 0], PCMU.decode(np.frombuffer(b"".join(scene.said), np.uint8)))
    left = scene.caller_heard()[before:]
    first = round((scene.rig.times[scene.slot][before // FRAME] - scene.tap.began) * RATE_HZ)
    assert np.array_equal(sound[first:, 1], left[: len(sound) - first])
    assert not sound[:first, 1].any()


def test_loss_a_hold_another_stream_and_a_stall_of_ours_leave_both_where_they_were() -> None:
    scene = Scene()
    scene.agent(30.0)
    scene.talk(1.0)
    scene.phone.sequence += 5
    scene.phone.timestamp += 5 * FRAME
    scene.rig.run(0.1)
    scene.talk(1.0)
    hold = scene.rig.now
    scene.rig.engine.update(UpdateSession("s", stream(sending=False, receiving=False)), scene.rig.now)
    scene.rig.run(2.0)
    scene.rig.engine.update(UpdateSession("s", stream()), scene.rig.now)
    resumed = scene.rig.now
    scene.phone.ssrc, scene.phone.timestamp = 6, 77
    scene.talk(1.0)
    scene.rig.step(missed=60)
    scene.talk(1.0)
    sound = scene.end()
    began = scene.tap.began

    def at(when: float) -> int:
        return round((when - began) * RATE_HZ)

    assert len(sound) == at(scene.rig.now)
    # The caller: four times a second of tone.
    starts = [0.0, 1.1, resumed - began, resumed - began + 1.305]
    for start in starts:
        piece = sound[round(start * RATE_HZ) :][:RATE_HZ, 0]
        assert np.array_equal(piece, PCMU.decode(PCMU.encode(tone(400, 1.0))))
    assert np.count_nonzero(sound[:, 0]) == 4 * RATE_HZ
    # The agent: each packet where it left.
    times = scene.rig.times[scene.slot]
    for packet, when in zip(scene.rig.sent[scene.slot], times, strict=True):
        start = at(when)
        if start > 0 and not hold <= when <= resumed:
            payload = PCMU.decode(np.frombuffer(packet.payload, np.uint8))
            near = sound[max(start - FRAME, 0) : start + 2 * FRAME, 1]
            if payload.any() and len(near) == 3 * FRAME:
                assert abs(place(payload, near) - FRAME) <= FRAME
    assert not sound[at(hold) + FRAME : at(resumed), 1].any()


def test_a_pause_is_silence_on_both_sides_and_as_long_as_it_was() -> None:
    scene = Scene()
    scene.agent(5.0)
    scene.talk(1.0)
    scene.tap.pause(scene.rig.now)
    scene.talk(1.0)
    scene.tap.resume(scene.rig.now)
    scene.talk(1.0)
    sound = scene.end()
    assert scene.tap.pauses() == ((1.0, 2.0),)
    assert not sound[RATE_HZ + FRAME : 2 * RATE_HZ].any()
    said = PCMU.decode(PCMU.encode(tone(400, 1.0)))
    assert np.array_equal(sound[:RATE_HZ, 0], said)
    assert np.array_equal(sound[2 * RATE_HZ :, 0], said)
    assert np.count_nonzero(sound[2 * RATE_HZ + FRAME :, 1]) == RATE_HZ - FRAME


def test_a_session_whose_codec_changes_is_heard_throughout() -> None:
    scene = Scene()
    scene.talk(1.0)
    scene.rig.engine.update(UpdateSession("s", stream("PCMA")), scene.rig.now)
    scene.phone.payload_type = 8
    said = PCMA.encode(tone(400, 1.0)).tobytes()
    for at in range(0, len(said), FRAME):
        scene.phone.say(said[at : at + FRAME])
        scene.rig.run(0.02)
    sound = scene.end()
    expected = np.concatenate([PCMU.decode(PCMU.encode(tone(400, 1.0))), PCMA.decode(PCMA.encode(tone(400, 1.0)))])
    assert np.array_equal(sound[:, 0], expected)


def test_a_session_without_a_conversation_is_recorded_too() -> None:
    scene = Scene()
    scene.rig.engine.set_audio("s", None)
    scene.talk(1.0)
    assert np.count_nonzero(scene.end()[:, 0]) == RATE_HZ
