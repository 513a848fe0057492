"""Simulated time."""

from sipgw.tools.replay.timeline import Timeline


def test_what_is_due_first_comes_first_and_equals_in_the_order_they_were_made() -> None:
    timeline, seen = Timeline(), list[str]()
    timeline.at(2.0, lambda: seen.append("later"))
    timeline.at(1.0, lambda: seen.append("one"))
    timeline.at(1.0, lambda: seen.append("two"))
    while timeline.next() is not None:
        timeline.step()
    assert seen == ["one", "two", "later"]
    assert timeline.now == 2.0


def test_what_was_cancelled_does_not_happen_and_does_not_move_the_clock() -> None:
    timeline = Timeline()
    timeline.at(1.0, lambda: None).cancel()
    assert timeline.next() is None
    timeline.step()
    assert timeline.now == 0.0


def test_an_appointment_in_the_past_is_for_now() -> None:
    timeline, seen = Timeline(), list[float]()

    def look_back() -> None:
        timeline.at(1.0, lambda: seen.append(timeline.now))

    timeline.at(3.0, look_back)
    timeline.step()
    timeline.step()
    assert seen == [3.0]
