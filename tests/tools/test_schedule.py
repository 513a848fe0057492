"""When the test phone sends what."""

import itertools

import numpy as np

from sipgw.tools.schedule import Key, keys_after, schedule
from sipgw.tools.sound import Sound, Sounding, from_pcm
from sipgw_codecs.g711 import PCMU


def first(count: int, sound: Sound, keys: tuple[Key, ...] = ()) -> list[Sounding]:
    return list(itertools.islice(schedule(sound, keys, "PCMU", 20), count))


def test_silence_follows_the_sound_without_a_gap_and_without_end() -> None:
    packets = first(100, from_pcm(np.full(320, 5000, np.int16), "PCMU", 20))
    assert [round(packet.delay, 3) for packet in packets] == [round(i * 0.02, 3) for i in range(100)]
    assert [packet.timestamp for packet in packets] == list(range(0, 16_000, 160))
    assert packets[1].payload != PCMU.silence(20)
    assert {packet.payload for packet in packets[2:]} == {PCMU.silence(20)}


def test_a_key_takes_the_place_of_sound_while_it_is_down() -> None:
    packets = first(60, Sound(), (Key(0.1, "5"),))
    events = [packet for packet in packets if packet.codec == "TELEPHONE-EVENT"]
    assert len(events) == 10
    assert {packet.timestamp for packet in events} == {800}
    assert {packet.payload[0] for packet in events} == {5}
    silent = [round(packet.delay, 2) for packet in packets if packet.codec == "PCMU"]
    assert [delay for delay in silent if 0.1 <= delay < 0.26] == []
    assert 0.08 in silent
    assert 0.26 in silent


def test_packets_are_in_the_order_of_their_time() -> None:
    packets = first(200, from_pcm(np.zeros(8000, np.int16)), keys_after(0.5, "12#"))
    assert [packet.delay for packet in packets] == sorted(packet.delay for packet in packets)
    assert [packet.payload[0] for packet in packets if packet.marker and packet.codec == "TELEPHONE-EVENT"] == [
        1,
        2,
        11,
    ]


def test_keys_are_pressed_one_a_second() -> None:
    assert keys_after(2.0, "1#") == (Key(2.0, "1"), Key(3.0, "#"))


def test_after_a_capture_that_ends_with_a_key_silence_begins_behind_the_key() -> None:
    sound = Sound((Sounding(0.0, "PCMU", PCMU.silence(20), 0), Sounding(1.0, "TELEPHONE-EVENT", b"\5\x80\0\xa0", 8000)))
    packets = first(4, sound)
    assert packets[2].delay == 1.0
    assert packets[2].timestamp == 8000
