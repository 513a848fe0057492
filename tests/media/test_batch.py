"""The engine as phones and AIs see it, in simulated time."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from sipgw.ai.events import AudioFormat
from sipgw.audio.level import rms
from sipgw.audio.playout import Drained, MarkReached, PlayoutStarted
from sipgw.errors import Unavailable, UsageError
from sipgw.media.batch import Happened
from sipgw.media.plane import CreateSession, Digit, FirstPacket, Inactive, UpdateSession
from sipgw.options import MediaOptions
from sipgw.rtp import rtcp
from sipgw.rtp.dtmf import press
from sipgw_codecs.g711 import G711, PCMA, PCMU
from tests.fakes.engine import KEYS_TYPE, PHONE, PHONE_RTCP, Phone, Rig, stream

SILENCE = b"\xff" * 160
LAWS = {"PCMU": PCMU, "PCMA": PCMA}
PCM_FORMATS = [AudioFormat.PCM16_24K, AudioFormat.PCM16_16K, AudioFormat.PCM16_8K]


def tone(hz: float, rate_hz: int, seconds: float, amplitude: float = 8000) -> NDArray[np.int16]:
    time = np.arange(round(rate_hz * seconds)) / rate_hz
    return np.rint(amplitude * np.sin(2 * np.pi * hz * time)).astype(np.int16)


def loudest_hz(pcm: NDArray[np.int16], rate_hz: int) -> float:
    spectrum = np.abs(np.fft.rfft(pcm * np.hanning(len(pcm))))
    return float(np.argmax(spectrum) * rate_hz / len(pcm))


# --- RTP never stops ------------------------------------------------------------------------------------------------


def test_from_the_start_a_packet_of_silence_leaves_every_twenty_milliseconds() -> None:
    rig = Rig()
    slot = rig.session()
    rig.run(1.0)
    packets = rig.sent[slot]
    assert len(packets) == 50
    assert rig.times[slot][0] <= 100.0 + 0.02
    assert {packet.payload for packet in packets} == {SILENCE}
    assert set(rig.destinations[slot]) == {PHONE}


def test_nothing_leaves_before_the_start() -> None:
    rig = Rig()
    rig.engine.create(CreateSession("s", "c", stream()), rig.now)
    rig.run(0.1)
    assert not rig.sent


def test_sequence_and_timestamps_are_unbroken_whatever_is_played_and_across_wraps() -> None:
    rig = Rig()
    slot = rig.session()
    rig.engine._table.sequence[slot] = (1 << 16) - 20
    rig.engine._wheel.lane(rig.engine._sessions["s"])._rebuild()  # type: ignore[union-attr]
    for _ in range(5):
        rig.run(0.1)
        rig.engine.playout("s").add(tone(440, 24_000, 0.13).tobytes())
        rig.run(0.3)
        rig.engine.clear("s")
    packets = rig.sent[slot]
    assert len(packets) == 100
    assert len({packet.ssrc for packet in packets}) == 1
    for before, after in pairwise(packets):
        assert after.sequence == (before.sequence + 1) % (1 << 16)
        assert after.timestamp == (before.timestamp + 160) % (1 << 32)


def test_the_marker_tells_where_a_talkspurt_begins() -> None:
    rig = Rig()
    slot = rig.session()
    rig.run(0.1)
    rig.engine.playout("s").add(tone(440, 24_000, 0.1).tobytes())
    rig.run(0.3)
    marked = [index for index, packet in enumerate(rig.sent[slot]) if packet.marker]
    assert marked == [0, 5]
    assert rig.sent[slot][5].payload != SILENCE


@pytest.mark.parametrize("ptime_ms", [10, 20, 30, 40, 60])
def test_the_far_ends_packet_interval_is_kept(ptime_ms: int) -> None:
    rig = Rig()
    slot = rig.session(agreed=stream(ptime_ms=ptime_ms))
    rig.engine.playout("s").add(tone(1000, 24_000, 3.0).tobytes())
    rig.run(1.2)
    assert len(rig.sent[slot]) == 1200 // ptime_ms
    assert {len(packet.payload) for packet in rig.sent[slot]} == {8 * ptime_ms}
    assert loudest_hz(PCMU.decode(np.frombuffer(Phone(rig, slot).listen(), np.uint8)), 8000) == pytest.approx(1000, 1)


def bursts(rig: Rig) -> list[int]:
    """How many packets leave at each of four sub-ticks."""
    counts = []
    for _ in range(4):
        before = sum(map(len, rig.sent.values()))
        rig.step()
        counts.append(sum(map(len, rig.sent.values())) - before)
    return counts


def test_many_sessions_spread_over_the_phases_and_few_share_one() -> None:
    rig = Rig(MediaOptions(last_port=20_511))
    seen = {}
    for number in range(1, 161):
        rig.session(f"{number}", audio=None)
        seen[number] = sorted(bursts(rig)) if number in (20, 60, 160) else []
    assert seen[20] == [0, 0, 0, 20]
    assert seen[60] == [0, 0, 30, 30]
    assert seen[160] == [40, 40, 40, 40]


@pytest.mark.parametrize("missed", [4, 7, 299])
def test_missed_ticks_are_not_made_up_for(missed: int) -> None:
    rig = Rig()
    slot = rig.session()
    rig.run(0.2)
    last, sent = rig.sent[slot][-1], len(rig.sent[slot])
    rig.step(missed)
    rig.run(0.1)
    late = rig.sent[slot][sent:]
    passed = rig.number - 40 + 1
    assert len(late) in (5, 6, 7)
    assert late[0].marker == (late[0].timestamp != (last.timestamp + 160) % (1 << 32))
    assert [packet.sequence for packet in late] == [last.sequence + 1 + n for n in range(len(late))]
    assert late[-1].timestamp - last.timestamp == pytest.approx(passed * 40, abs=160)


@pytest.mark.parametrize("missed", [1, 2, 3])
def test_a_tick_that_is_a_little_late_costs_no_packet(missed: int) -> None:
    rig = Rig(MediaOptions(last_port=20_255))
    slots = [rig.session(f"{number}", audio=None) for number in range(120)]
    rig.run(0.2)
    rig.step(missed)
    rig.run(0.2 - 0.005 * (1 + missed))
    for slot in slots:
        assert len(rig.sent[slot]) == 20
        assert len({(packet.timestamp - 160 * packet.sequence) % (1 << 32) for packet in rig.sent[slot]}) == 1


def test_a_live_queue_loses_what_was_missed() -> None:
    rig = Rig()
    rig.session(audio=None)
    rig.engine.set_audio("s", AudioFormat.PCM16_24K, live=True)
    rig.engine.playout("s").add(tone(440, 24_000, 0.2).tobytes())
    rig.step(missed=20)
    assert rig.engine.playout("s").queued_ms <= 120


# --- the AI's voice -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("audio", PCM_FORMATS)
@pytest.mark.parametrize("law", LAWS.values(), ids=list(LAWS))
def test_the_ais_voice_reaches_the_phone(audio: AudioFormat, law: G711) -> None:
    rig = Rig()
    slot = rig.session(agreed=stream(law.name), audio=audio)
    rig.engine.playout("s").add(tone(1000, audio.rate_hz, 1.0).tobytes())
    rig.run(1.0)
    heard = law.decode(np.frombuffer(Phone(rig, slot).listen(), np.uint8))
    assert loudest_hz(heard, 8000) == pytest.approx(1000, abs=1)
    assert rms(heard[800:]) == pytest.approx(8000 / 2**0.5, rel=0.02)


@pytest.mark.parametrize("law", LAWS.values(), ids=list(LAWS))
@pytest.mark.parametrize("audio", [AudioFormat.PCMU_8K, AudioFormat.PCMA_8K])
def test_g711_of_the_ai_goes_through_or_by_one_table(audio: AudioFormat, law: G711) -> None:
    rig = Rig()
    slot = rig.session(agreed=stream(law.name), audio=audio)
    spoken = LAWS[audio.name[:4]]
    payload = spoken.encode(tone(700, 8000, 0.2)).tobytes()
    rig.engine.playout("s").add(payload)
    rig.run(0.2)
    heard = Phone(rig, slot).listen()
    if spoken is law:
        assert heard == payload
    else:
        assert heard == law.encode(spoken.decode(np.frombuffer(payload, np.uint8))).tobytes()


def test_speech_ends_without_a_click() -> None:
    rig = Rig()
    slot = rig.session()
    rig.engine.playout("s").add(np.full(4800, 8000, np.int16).tobytes())
    rig.engine.playout("s").end()
    rig.run(0.3)
    heard = PCMU.decode(np.frombuffer(Phone(rig, slot).listen(), np.uint8)).astype(int)
    # The filter lets the step out over its length instead of cutting it.
    assert heard[1600:1620].any()
    assert not heard[1640:].any()


def test_sessions_do_not_hear_each_other() -> None:
    rig = Rig()
    tones = {f"{number}": 300 + 100 * number for number in range(12)}
    slots = {name: rig.session(name, stream("PCMA" if int(name) % 3 else "PCMU")) for name in tones}
    for name, hz in tones.items():
        rig.engine.playout(name).add(tone(hz, 24_000, 1.0).tobytes())
    rig.run(1.0)
    for name, hz in tones.items():
        law = PCMA if int(name) % 3 else PCMU
        heard = law.decode(np.frombuffer(Phone(rig, slots[name]).listen(), np.uint8))
        assert loudest_hz(heard, 8000) == pytest.approx(hz, abs=2)


def test_no_speech_leaves_later_than_twenty_five_milliseconds_after_a_clear() -> None:
    rig = Rig()
    slot = rig.session()
    rig.engine.playout("s").add(tone(440, 24_000, 5.0).tobytes(), "a")
    rig.run(0.5)
    cleared, sent = rig.now, len(rig.sent[slot])
    (item,) = rig.engine.clear("s").items
    rig.run(0.2)
    assert item == ("a", 20 * sent, 5000)
    for when, packet in zip(rig.times[slot][sent:], rig.sent[slot][sent:], strict=True):
        if when > cleared + 0.025:
            assert packet.payload == SILENCE
    fade = PCMU.decode(np.frombuffer(rig.sent[slot][sent].payload, np.uint8))
    assert fade[:40].any()
    assert not fade[60:].any()


def test_marks_and_the_end_of_playout_are_told_once_their_packets_have_left() -> None:
    rig = Rig()
    slot = rig.session()
    playout = rig.engine.playout("s")
    playout.add(tone(440, 24_000, 0.1).tobytes(), "a")
    playout.mark("m")
    while not any(isinstance(event, Happened) and event.event == MarkReached("m") for event in rig.events):
        rig.step()
    assert sum(packet.payload != SILENCE for packet in rig.sent[slot]) == 5
    rig.run(0.1)
    happened = [event.event for event in rig.events if isinstance(event, Happened)]
    assert happened == [PlayoutStarted("a"), MarkReached("m"), Drained()]


# --- the phone's voice ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("audio", PCM_FORMATS)
@pytest.mark.parametrize("law", LAWS.values(), ids=list(LAWS))
def test_the_phone_is_heard_by_the_ai(audio: AudioFormat, law: G711) -> None:
    rig = Rig()
    phone = Phone(rig, rig.session(agreed=stream(law.name), audio=audio), payload_type=law.payload_type)
    speech = law.encode(tone(1000, 8000, 1.0)).tobytes()
    for at in range(0, 8000, 160):
        phone.say(speech[at : at + 160])
        rig.run(0.02)
    assert len(rig.pcm()) == audio.rate_hz
    assert loudest_hz(rig.pcm(), audio.rate_hz) == pytest.approx(1000, abs=1)
    assert rms(rig.pcm()[1000:]) == pytest.approx(8000 / 2**0.5, rel=0.02)


def test_a_packet_reaches_the_ai_in_the_sub_tick_it_came_in() -> None:
    rig = Rig()
    phone = Phone(rig, rig.session())
    phone.say()
    rig.serve()
    assert len(rig.heard["s"]) == 960


@pytest.mark.parametrize("audio", [AudioFormat.PCMU_8K, AudioFormat.PCMA_8K])
def test_an_ai_that_speaks_g711_hears_it_as_it_came(audio: AudioFormat) -> None:
    rig = Rig()
    phone = Phone(rig, rig.session(audio=audio))
    payload = bytes(range(160))
    phone.say(payload)
    rig.serve()
    expected = payload if audio is AudioFormat.PCMU_8K else PCMA.encode(PCMU.decode(np.frombuffer(payload, np.uint8)))
    assert rig.heard["s"] == bytes(expected)


@pytest.mark.parametrize("size", [80, 160, 163, 240, 480])
def test_packets_of_any_length_make_one_stream(size: int) -> None:
    rig = Rig()
    phone = Phone(rig, rig.session())
    speech = PCMU.encode(tone(1000, 8000, 1.2)).tobytes()
    for at in range(0, len(speech) - size, size):
        phone.send(0, at, speech[at : at + size])
        rig.serve()
        rig.now += size / 8000
    assert loudest_hz(rig.pcm()[:24_000], 24_000) == pytest.approx(1000, abs=1)


def test_a_lost_packet_is_concealed_and_counted() -> None:
    rig = Rig()
    phone = Phone(rig, rig.session(audio=AudioFormat.PCM16_8K))
    speech = PCMU.encode(tone(200, 8000, 1.0)).tobytes()
    for at in range(0, 8000, 160):
        if at == 3200:
            phone.sequence += 1
            phone.timestamp += 160
        else:
            phone.say(speech[at : at + 160])
        rig.run(0.02)
    stats = rig.engine.destroy("s", rig.now)
    assert (stats.concealed_ms, stats.lost_packets, stats.received_packets) == (20, 1, 49)
    assert stats.loss_bursts == 1
    assert len(rig.pcm()) == 8000
    assert np.abs(rig.pcm()[3200:3280]).max() > 4000


def test_a_silent_phone_is_silence_for_the_ai_at_real_time_pace() -> None:
    rig = Rig()
    rig.session()
    rig.run(3.0)
    assert len(rig.pcm()) == pytest.approx(72_000, abs=24 * 60)
    assert not rig.pcm().any()


def test_without_a_conversation_nothing_is_decoded() -> None:
    rig = Rig()
    phone = Phone(rig, rig.session(audio=None))
    phone.talk(10)
    assert not rig.heard
    rig.engine.set_audio("s", AudioFormat.PCM16_24K)
    phone.talk(10)
    assert len(rig.heard["s"]) == 9600
    rig.engine.set_audio("s", None)
    phone.talk(10)
    assert len(rig.heard["s"]) == 9600
    with pytest.raises(UsageError):
        rig.engine.playout("s")


# --- who speaks -----------------------------------------------------------------------------------------------------


def test_rtp_goes_back_where_it_comes_from() -> None:
    rig = Rig()
    slot = rig.session()
    Phone(rig, slot, source=("203.0.113.5", 9000)).talk(2)
    assert rig.destinations[slot][-1] == ("203.0.113.5", 9000)
    assert rig.events[0] == FirstPacket("s")
    assert rig.engine._table.latched(slot) == ("203.0.113.5", 9000)


def test_a_stranger_is_dropped_and_counted() -> None:
    rig = Rig()
    slot = rig.session()
    phone, stranger = Phone(rig, slot), Phone(rig, slot, source=("203.0.113.5", 9000), ssrc=6)
    phone.say()
    stranger.say()
    assert rig.engine.destroy("s", rig.now).drops == {"stranger": 1}
    assert [note.name for note in rig.notes if note.call == "call-s"] == ["latched", "stranger"]


def test_a_re_invite_moves_the_stream_at_once() -> None:
    rig = Rig()
    slot = rig.session()
    Phone(rig, slot).talk(5)
    moved = ("198.51.100.1", 5000)
    rig.engine.update(UpdateSession("s", stream(remote=moved, remote_rtcp=("198.51.100.1", 5001))), rig.now)
    before = rig.sent[slot][-1]
    rig.run(0.02)
    assert rig.destinations[slot][-1] == moved
    Phone(rig, slot, source=moved, ssrc=9).talk(5)
    assert rig.destinations[slot][-1] == moved
    assert rig.sent[slot][-1].ssrc == before.ssrc
    assert rig.sent[slot][-1].sequence == before.sequence + 6


def test_a_re_invite_may_change_the_codec_in_the_middle_of_speech() -> None:
    rig = Rig()
    slot = rig.session()
    rig.engine.playout("s").add(tone(1000, 24_000, 2.0).tobytes())
    rig.run(0.5)
    rig.engine.update(UpdateSession("s", stream("PCMA", ptime_ms=30)), rig.now)
    count = len(rig.sent[slot])
    rig.run(0.9)
    packets = rig.sent[slot][count:]
    assert {(packet.payload_type, len(packet.payload)) for packet in packets} == {(8, 240)}
    heard = PCMA.decode(np.frombuffer(b"".join(packet.payload for packet in packets), np.uint8))
    assert loudest_hz(heard, 8000) == pytest.approx(1000, abs=2)


def test_a_codec_changed_in_mid_call_is_heard_and_our_stream_goes_on() -> None:
    rig = Rig()
    slot = rig.session()
    phone = Phone(rig, slot)
    phone.talk(10)
    before = rig.sent[slot][-1]
    rig.engine.update(UpdateSession("s", stream("PCMA")), rig.now)
    already = len(rig.heard["s"])
    sound = PCMA.encode(tone(1000, 8000, 1.0)).tobytes()
    phone.payload_type = 8
    for at in range(0, len(sound), 160):
        phone.say(sound[at : at + 160])
        rig.run(0.02)
    heard = np.frombuffer(rig.heard["s"][already:], np.int16)
    assert loudest_hz(heard, 24_000) == pytest.approx(1000, abs=2)
    after = rig.sent[slot][-1]
    assert (after.ssrc, after.payload_type) == (before.ssrc, 8)
    sent = after.sequence - before.sequence
    assert after.timestamp - before.timestamp == 160 * sent


def test_another_ssrc_of_the_same_source_is_followed() -> None:
    rig = Rig()
    slot = rig.session()
    Phone(rig, slot).talk(10)
    other = Phone(rig, slot, ssrc=77)
    other.sequence, other.timestamp = 40_000, 9
    other.talk(10)
    assert len(rig.heard["s"]) == 20 * 960
    assert rig.engine.destroy("s", rig.now).received_packets == 20


def test_a_sender_that_begins_anew_is_believed_at_its_second_packet() -> None:
    rig = Rig()
    slot = rig.session()
    phone = Phone(rig, slot)
    phone.talk(10)
    phone.sequence, phone.timestamp = 30_000, 123
    phone.talk(10)
    assert len(rig.heard["s"]) == 20 * 960
    assert rig.engine.destroy("s", rig.now).drops == {"sequence_jump": 1}


@pytest.mark.parametrize(
    ("data", "reason"),
    [(b"", "too_short"), (b"\x40" + bytes(20), "bad_version"), (b"\x80\x60" + bytes(20), "unknown_payload_type")],
)
def test_what_cannot_be_used_is_dropped_by_name(data: bytes, reason: str) -> None:
    rig = Rig()
    slot = rig.session()
    rig.engine.receive(slot, data, PHONE, rig.now)
    assert rig.engine.destroy("s", rig.now).drops == {reason: 1}


@given(st.lists(st.tuples(st.binary(max_size=60), st.booleans(), st.sampled_from([PHONE, PHONE_RTCP]))))
@settings(max_examples=50, deadline=None)
def test_any_bytes_may_come(datagrams: list[tuple[bytes, bool, tuple[str, int]]]) -> None:
    rig = Rig()
    slot = rig.session()
    for data, is_rtcp, source in datagrams:
        (rig.engine.receive_rtcp if is_rtcp else rig.engine.receive)(slot, data, source, rig.now)
        rig.engine.receive(slot, b"\x80\x00" + data, source, rig.now)
        rig.step()


# --- keys -----------------------------------------------------------------------------------------------------------


def test_a_key_is_told_once_and_is_silence_for_the_ai() -> None:
    rig = Rig()
    phone = Phone(rig, rig.session(audio=AudioFormat.PCM16_8K))
    phone.talk(10)
    for packet in press("5", duration_ms=200):
        phone.send(KEYS_TYPE, phone.timestamp + packet.timestamp, packet.payload, packet.marker)
        rig.run(0.02)
    phone.timestamp += 12 * 160
    phone.talk(10)
    assert [event for event in rig.events if isinstance(event, Digit)] == [Digit("s", "5", 200)]
    assert len(rig.pcm()) == 32 * 160
    assert not rig.pcm()[1600 : 1600 + 12 * 160].any()
    assert rig.engine.destroy("s", rig.now).concealed_ms == 0


def test_a_key_whose_end_got_lost_is_told_in_time() -> None:
    rig = Rig()
    phone = Phone(rig, rig.session(audio=None))
    first = next(iter(press("7")))
    phone.send(KEYS_TYPE, 0, first.payload, marker=True)
    rig.run(0.3)
    assert [event.digit for event in rig.events if isinstance(event, Digit)] == ["7"]


# --- silence of the far end -----------------------------------------------------------------------------------------


def inactive(rig: Rig) -> list[Inactive]:
    return [event for event in rig.events if isinstance(event, Inactive)]


def test_a_far_end_that_never_speaks_is_told_of_after_its_own_limit() -> None:
    rig = Rig(MediaOptions(first_packet_timeout=2.0, inactivity_timeout=1.0, last_port=20_127))
    rig.session(audio=None)
    rig.run(1.9)
    assert not inactive(rig)
    rig.run(3.0)
    assert inactive(rig) == [Inactive("s", 2.0, True)]


def test_after_early_media_the_limit_counts_from_the_answer() -> None:
    rig = Rig(MediaOptions(first_packet_timeout=2.0, last_port=20_127))
    slot = rig.session(audio=None)
    rig.run(5.0)
    rig.engine.start("s", rig.now)
    rig.run(1.9)
    assert inactive(rig) == [Inactive("s", 2.0, True)]
    rig.run(0.2)
    assert inactive(rig)[1:] == [Inactive("s", 2.0, True)]
    # What leaves knows nothing of it.
    assert [after.sequence - before.sequence for before, after in pairwise(rig.sent[slot])] == [1] * 354


def test_a_far_end_that_falls_silent_is_told_of_once() -> None:
    rig = Rig(MediaOptions(inactivity_timeout=1.0, last_port=20_127))
    phone = Phone(rig, rig.session(audio=None))
    phone.say()
    rig.run(3.0)
    assert inactive(rig) == [Inactive("s", 1.0, False)]
    phone.say()
    rig.run(1.5)
    assert len(inactive(rig)) == 2


def test_rtcp_is_a_sign_of_life() -> None:
    rig = Rig(MediaOptions(inactivity_timeout=1.0, last_port=20_127))
    slot = rig.session(audio=None)
    Phone(rig, slot).say()
    for _ in range(4):
        rig.run(0.8)
        report = rtcp.compound([rtcp.ReceiverReport(5), rtcp.SourceDescription(5, "phone")])
        rig.engine.receive_rtcp(slot, report, PHONE_RTCP, rig.now)
    assert not inactive(rig)


@pytest.mark.parametrize(("sending", "receiving"), [(False, True), (True, False), (False, False)])
def test_a_far_end_on_hold_may_be_silent(sending: bool, receiving: bool) -> None:
    rig = Rig(MediaOptions(inactivity_timeout=1.0, last_port=20_127))
    Phone(rig, rig.session(audio=None)).say()
    rig.engine.update(UpdateSession("s", stream(sending=sending, receiving=receiving)), rig.now)
    rig.run(5.0)
    assert not inactive(rig)
    rig.engine.update(UpdateSession("s", stream()), rig.now)
    rig.run(0.9)
    assert not inactive(rig)
    rig.run(0.2)
    assert len(inactive(rig)) == 1


def test_who_does_not_want_to_hear_us_gets_a_packet_now_and_then() -> None:
    rig = Rig()
    slot = rig.session(audio=None)
    rig.run(1.0)
    rig.engine.update(UpdateSession("s", stream(sending=False)), rig.now)
    rig.run(20.0)
    assert len(rig.sent[slot]) == 51
    rig.engine.update(UpdateSession("s", stream()), rig.now)
    rig.run(1.0)
    packets = rig.sent[slot]
    assert len(packets) == 101
    assert packets[51].marker
    assert packets[51].sequence == packets[50].sequence + 1
    assert packets[51].timestamp - packets[49].timestamp == pytest.approx(20 * 8000, abs=320)


# --- RTCP -----------------------------------------------------------------------------------------------------------


def test_reports_go_out_and_the_last_one_says_good_bye() -> None:
    rig = Rig()
    slot = rig.session(audio=None)
    phone = Phone(rig, slot)
    phone.talk(500)
    stats = rig.engine.destroy("s", rig.now)
    rig.rtcp += rig.engine.rtcp_to_send()
    assert 2 <= len(rig.rtcp) <= 6
    assert {(place, destination) for place, _, destination in rig.rtcp} == {(slot, PHONE_RTCP)}
    report, description, bye = rtcp.parse(rig.rtcp[-1][1])
    assert isinstance(report, rtcp.SenderReport)
    assert (report.packets, report.octets) == (500, 80_000) == (stats.sent_packets, 160 * stats.sent_packets)
    (block,) = report.blocks
    assert (block.ssrc, block.lost) == (5, 0)
    assert block.highest_sequence & 0xFFFF == 1499
    assert isinstance(description, rtcp.SourceDescription)
    assert bye == rtcp.Goodbye((report.ssrc,))
    assert report.ssrc == rig.sent[slot][0].ssrc


def test_the_round_trip_is_measured() -> None:
    rig = Rig()
    slot = rig.session(audio=None)
    Phone(rig, slot).say()
    while not rig.rtcp:
        rig.run(0.1)
    ours = rtcp.parse(rig.rtcp[0][1])[0]
    assert isinstance(ours, rtcp.SenderReport)
    at = rig.now
    rig.run(0.5)
    block = rtcp.ReportBlock(ours.ssrc, 0, 0, 0, 0, ours.ntp >> 16 & 0xFFFFFFFF, int(0.4 * 65_536))
    rig.engine.receive_rtcp(slot, bytes(rtcp.ReceiverReport(5, (block,))), PHONE_RTCP, rig.now)
    trip = rig.engine.destroy("s", rig.now).round_trip_ms
    assert trip == pytest.approx(100 + 1000 * (at - ours.ntp / (1 << 32) + 2_208_988_800), abs=110)


def test_what_the_far_end_reports_of_us_is_kept_and_scored() -> None:
    rig = Rig()
    slot = rig.session(audio=None)
    Phone(rig, slot).talk(100)
    ours = rig.sent[slot][0].ssrc
    for ssrc, lost in ((ours, 3), (ours + 1, 90), (ours, 4)):
        block = rtcp.ReportBlock(ssrc, 0, lost, 0, jitter=160)
        rig.engine.receive_rtcp(slot, bytes(rtcp.ReceiverReport(5, (block,))), PHONE_RTCP, rig.now)
    stats = rig.engine.destroy("s", rig.now)
    assert (stats.far_lost_packets, stats.far_jitter_ms) == (4, 20.0)
    assert stats.mos is not None
    assert stats.far_mos is not None
    assert stats.mos > 4.3 > stats.far_mos > 3.9


def test_rtcp_on_the_rtp_port_is_rtcp() -> None:
    rig = Rig()
    slot = rig.session(audio=None)
    report = rtcp.compound([rtcp.ReceiverReport(5), rtcp.SourceDescription(5, "phone")])
    rig.engine.receive(slot, report, PHONE, rig.now)
    assert rig.engine.destroy("s", rig.now).drops == {}


# --- coming and going -----------------------------------------------------------------------------------------------


def test_a_slot_is_free_again_and_clean() -> None:
    rig = Rig()
    slot = rig.session("a")
    Phone(rig, slot).talk(3)
    rig.engine.playout("a").add(tone(440, 24_000, 1.0).tobytes())
    rig.run(0.1)
    rig.engine.destroy("a", rig.now)
    rig.run(0.1)
    assert rig.session("b") == slot
    count = len(rig.sent[slot])
    rig.run(0.1)
    assert {packet.payload for packet in rig.sent[slot][count:]} == {SILENCE}
    rig.engine.receive(slot + 1, b"late", PHONE, rig.now)  # nobody's


def test_what_makes_no_sense_is_refused() -> None:
    rig = Rig(MediaOptions(last_port=20_001))
    rig.session()
    with pytest.raises(UsageError):
        rig.engine.create(CreateSession("s", "c", stream()), rig.now)
    with pytest.raises(Unavailable):
        rig.engine.create(CreateSession("t", "c", stream()), rig.now)
    with pytest.raises(UsageError):
        rig.engine.start("unknown", rig.now)


def test_an_unknown_codec_takes_no_slot() -> None:
    rig = Rig(MediaOptions(last_port=20_001))
    agreed = stream()
    unknown = type(agreed)("G729", PHONE, PHONE_RTCP, (18,), 18)
    with pytest.raises(UsageError):
        rig.engine.create(CreateSession("s", "c", unknown), rig.now)
    rig.session()


def test_first_audio_is_measured_from_the_start() -> None:
    rig = Rig()
    rig.session()
    rig.run(0.5)
    rig.engine.playout("s").add(tone(440, 24_000, 0.1).tobytes())
    rig.run(0.1)
    assert rig.engine.destroy("s", rig.now).first_audio_ms == pytest.approx(500, abs=25)
