"""Sequence numbers through wraps, losses, disorder and restarts."""

from sipgw.rtp.sequence import Seen, Sequence


def believed(first: int) -> Sequence:
    sequence = Sequence(probation=1)
    assert sequence.receive(first)[0] is Seen.VALID
    return sequence


def test_a_source_is_believed_after_two_packets_in_order() -> None:
    sequence = Sequence()
    assert sequence.receive(7)[0] is Seen.PROBATION
    assert sequence.receive(9)[0] is Seen.PROBATION
    assert sequence.receive(10)[0] is Seen.VALID
    assert sequence.expected == 1


def test_probation_takes_the_number_of_packets_asked_for() -> None:
    sequence = Sequence(probation=3)
    assert [sequence.receive(n)[0] for n in (1, 2, 3)] == [Seen.PROBATION, Seen.PROBATION, Seen.VALID]


def test_extended_numbers_grow_across_the_wrap() -> None:
    sequence = believed(65_534)
    numbers = [sequence.receive(n)[1] for n in (65_535, 0, 1)]
    assert numbers == [numbers[0], numbers[0] + 1, numbers[0] + 2]
    assert sequence.expected == 4


def test_a_gap_counts_as_expected() -> None:
    sequence = believed(10)
    assert sequence.receive(15)[0] is Seen.VALID
    assert sequence.expected == 6


def test_a_late_packet_has_its_own_place() -> None:
    sequence = believed(65_535)
    _, one = sequence.receive(1)
    assert sequence.receive(0) == (Seen.LATE, one - 1)
    assert sequence.receive(65_534) == (Seen.LATE, one - 3)
    assert sequence.receive(1) == (Seen.LATE, one)
    assert sequence.newest == one


def test_a_late_packet_from_before_the_first_has_no_negative_number() -> None:
    assert believed(0).receive(65_535)[1] >= 0


def test_one_stray_packet_far_off_changes_nothing() -> None:
    sequence = believed(100)
    assert sequence.receive(40_000)[0] is Seen.JUMP
    assert sequence.receive(101)[0] is Seen.VALID
    assert sequence.receive(40_001)[0] is Seen.JUMP
    assert sequence.expected == 2


def test_two_packets_in_a_row_far_off_are_a_restart() -> None:
    sequence = believed(100)
    sequence.receive(40_000)
    seen, number = sequence.receive(40_001)
    assert seen is Seen.RESTARTED
    assert number % 65_536 == 40_001
    assert sequence.runs == 2
    assert sequence.expected == 2
    assert sequence.receive(40_002) == (Seen.VALID, number + 1)


def test_a_restart_just_behind_the_newest_number_counts_as_late_only_within_reach() -> None:
    sequence = believed(1000)
    assert sequence.receive(900)[0] is Seen.LATE
    assert sequence.receive(899)[0] is Seen.JUMP
    assert sequence.receive(1000 + 2999)[0] is Seen.VALID
    assert sequence.receive(3999 + 3000)[0] is Seen.JUMP
