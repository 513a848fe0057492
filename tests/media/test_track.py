"""Where packets lie on a recording's clock, to the sample."""

from itertools import accumulate
from random import Random

import numpy as np
import pytest
from numpy.typing import NDArray

from sipgw.media.tap import Passed
from sipgw.media.track import RATE_HZ, Track
from sipgw_codecs.g711 import PCMA, PCMU

NEVER = float("inf")
FRAME = 160
PATIENCE = 1.5


def payload(number: int) -> bytes:
    """160 samples nobody else has; never silence."""
    return bytes((number * 7 + index) % 120 + 1 for index in range(FRAME))


def packets(count: int, first: float = 0.0, stamp: int = 1000, start: int = 0) -> list[Passed]:
    """One every 20 ms."""
    return [(first + 0.02 * n, (stamp + FRAME * n) % 2**32, payload(start + n), "PCMU") for n in range(count)]


def heard(sent: list[Passed], seconds: float, block: float = 1.0) -> NDArray[np.int16]:
    """What a track makes of packets that are taken once a `block`."""
    track, out, at = Track(0.0), [], 0
    for now in accumulate([block] * round(seconds / block)):
        track.add([one for one in sent if now - block <= one[0] < now], now)
        end = round((now - PATIENCE) * RATE_HZ)
        piece = np.zeros(max(end - at, 0), np.int16)
        track.write(piece, at)
        out.append(piece)
        at += len(piece)
    track.add([], NEVER)
    rest = np.zeros(round(seconds * RATE_HZ) - at, np.int16)
    track.write(rest, at)
    return np.concatenate([*out, rest])


def whole(sent: list[Passed]) -> NDArray[np.int16]:
    return PCMU.decode(np.frombuffer(b"".join(one[2] for one in sent), np.uint8))


def test_packets_that_follow_each_other_are_their_own_samples_from_the_first_ones_arrival() -> None:
    sent = packets(200, first=0.5)
    sound = heard(sent, 5.0)
    assert not sound[:4000].any()
    assert np.array_equal(sound[4000:36_000], whole(sent))
    assert not sound[36_000:].any()


def test_jitter_moves_nothing() -> None:
    random = Random(1)
    sent = [
        (when + random.random() * 0.1 * (n != 30), stamp, data, law)
        for n, (when, stamp, data, law) in enumerate(packets(200))
    ]
    # As they come: some overtake others.
    assert np.array_equal(heard(sorted(sent), 5.0)[:32_000], whole(sent))


def test_timestamps_wrap() -> None:
    sent = packets(100, stamp=2**32 - 50 * FRAME - 3)
    assert np.array_equal(heard(sent, 2.0), whole(sent))


def test_what_is_lost_is_silence_of_its_own_length() -> None:
    sent = packets(100)
    sound = heard(sent[:40] + sent[45:], 2.0)
    assert np.array_equal(sound[: 40 * FRAME], whole(sent[:40]))
    assert not sound[40 * FRAME : 45 * FRAME].any()
    assert np.array_equal(sound[45 * FRAME :], whole(sent[45:]))


def test_what_comes_too_late_is_not_heard() -> None:
    sent = packets(200)
    late = (3.9, *sent[50][1:])
    sound = heard([*sent[:50], *sent[51:195], late, *sent[195:]], 4.0)
    assert not sound[50 * FRAME : 51 * FRAME].any()
    assert np.array_equal(sound[51 * FRAME :], whole(sent[51:]))


@pytest.mark.parametrize("stamp", [5, 3_000_000_000, 1000 + 100 * FRAME])
def test_a_sender_that_begins_anew_goes_on_where_its_packets_come(stamp: int) -> None:
    first, second = packets(100), packets(100, first=3.0, stamp=stamp, start=50)
    sound = heard(first + second, 5.0)
    assert np.array_equal(sound[:16_000], whole(first))
    assert not sound[16_000:24_000].any()
    assert np.array_equal(sound[24_000:], whole(second))


def test_silence_that_timestamps_do_not_tell_of_is_as_long_as_it_was() -> None:
    # Held for 5 s; the sender's timestamps stood still.
    first, second = packets(30), packets(50, first=5.6, stamp=1000 + 30 * FRAME, start=30)
    sound = heard(first + second, 7.0)
    assert np.array_equal(sound[: 30 * FRAME], whole(first))
    assert np.array_equal(sound[44_800 : 44_800 + 50 * FRAME], whole(second))
    assert np.count_nonzero(sound) == np.count_nonzero(whole(first + second))


def test_what_waited_while_we_stood_still_lies_where_it_was_said() -> None:
    sent = [(max(when, 2.7) if when > 1.2 else when, stamp, data, law) for when, stamp, data, law in packets(200)]
    # Taken all at once, since who writes stood still as well; what had been written meanwhile is not.
    assert np.array_equal(heard(sent, 4.0, block=2.0), whole(sent))


@pytest.mark.parametrize("drift", [200e-6, -200e-6])
def test_a_clock_that_drifts_for_an_hour_stays_within_a_frame(drift: float) -> None:
    random = Random(2)
    track, at, now = Track(0.0), 0, 0.0
    came, found = [], []
    for second in range(3600):
        sent: list[Passed] = []
        for number in range(second * 50, second * 50 + 50):
            now = number * 0.02 * (1 + drift) + random.random() * 0.004
            sent.append((now, number * FRAME % 2**32, b"\x81" + b"\xfe" * (FRAME - 1), "PCMU"))
        came += [one[0] * RATE_HZ for one in sent]
        track.add(sent, now)
        out = np.zeros(max(round((now - PATIENCE) * RATE_HZ) - at, 0), np.int16)
        track.write(out, at)
        found += list(at + np.flatnonzero(out > 10_000))
        at += len(out)
    # Each packet begins with a click; where two overlap, one is lost.
    nearest = np.array(came)[np.searchsorted(came, np.array(found) - FRAME // 2)]
    assert len(found) > 3597 * 50
    assert np.abs(nearest - found).max() <= FRAME


def test_a_change_of_codec_is_heard_in_both() -> None:
    pcm = np.full(FRAME, 4000, np.int16)
    sent: list[Passed] = [
        (0.0, 0, PCMU.encode(pcm).tobytes(), "PCMU"),
        (0.02, FRAME, PCMA.encode(pcm).tobytes(), "PCMA"),
    ]
    sound = heard(sent, 1.0)
    assert np.abs(sound[: 2 * FRAME] - 4000).max() <= 128
    assert not sound[2 * FRAME :].any()


def test_a_sound_that_was_under_way_when_the_recording_began_is_cut() -> None:
    track = Track(10.0)
    track.add(packets(10, first=9.95), NEVER)
    out = np.zeros(8000, np.int16)
    track.write(out, 0)
    assert np.array_equal(out[: 10 * FRAME - 400], whole(packets(10))[400:])
