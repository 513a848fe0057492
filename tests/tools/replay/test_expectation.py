"""Expectations: written, read back, and compared with other outcomes."""

from dataclasses import replace
from pathlib import Path

import pytest

from sipgw.app.replay import gateway
from sipgw.settings import load
from sipgw.tools.replay import expectation
from sipgw.tools.replay.command import run
from sipgw.tools.replay.expectation import Expectation, ExpectationError
from sipgw.tools.replay.outcome import Outcome

ROOT = Path(__file__).parents[3]
CAPTURE = ROOT / "pcaps" / "first-call.pcap"


def outcome(backend: str = "echo") -> Outcome:
    return run(CAPTURE, gateway(load(ROOT / "config" / "sipgw.yaml", {}), backend))[0]


@pytest.fixture(scope="module")
def echoed() -> Outcome:
    return outcome()


@pytest.fixture(scope="module")
def written(echoed: Outcome, tmp_path_factory: pytest.TempPathFactory) -> Expectation:
    path = tmp_path_factory.mktemp("expected") / "call.expect.yaml"
    expectation.write(path, CAPTURE, echoed, "echo", None)
    return expectation.read(path)


def differing(wanted: Expectation, got: Outcome) -> list[str]:
    return [one.where.rpartition("@127.0.0.1")[2] or one.where for one in expectation.compare(wanted, got)]


def test_what_was_written_is_what_was_seen(written: Expectation, echoed: Outcome) -> None:
    assert (written.backend, written.capture) == ("echo", str(CAPTURE))
    assert expectation.compare(written, echoed) == []


def test_another_backend_differs_in_events_and_sound_but_not_in_the_ladder(written: Expectation) -> None:
    found = differing(written, outcome("tone"))
    assert ", what the caller heard" in found
    assert any("AI events" in where for where in found)
    assert not any("ladder" in where or "digits" in where for where in found)


def test_a_message_more_or_less_is_named_with_its_place(written: Expectation, echoed: Outcome) -> None:
    call = echoed.calls[0]
    fewer = replace(echoed, calls=(replace(call, messages=(*call.messages[:2], *call.messages[3:])),))
    [one] = expectation.compare(written, fewer)
    assert one.where.endswith("ladder, line 3")
    assert (one.what, one.expected, one.got) == ("missing", "gateway: 180 Ringing (INVITE)", "(nothing)")
    assert "expected  gateway: 180 Ringing (INVITE)" in str(one)


def test_digits_causes_and_counters_are_compared(written: Expectation, echoed: Outcome) -> None:
    call = echoed.calls[0]
    assert call.record is not None
    assert call.record.stats is not None
    stats = type(call.record.stats)(sent_packets=200, received_packets=245, first_audio_ms=90)
    record = replace(call.record, cause="media_timeout", stats=stats)
    found = differing(written, replace(echoed, calls=(replace(call, keys=(), record=record),)))
    assert found == [", cause", ", digits", ", stats, filled_ms", ", stats, sent_packets"]


def test_a_call_that_is_not_there_is_missed(written: Expectation, echoed: Outcome) -> None:
    [one] = expectation.compare(written, replace(echoed, calls=()))
    assert (one.where, one.what) == ("calls, line 1", "missing")


def test_a_new_drop_is_a_difference(written: Expectation, echoed: Outcome) -> None:
    assert differing(written, replace(echoed, drops={"sip.bad_message": 9})) == ["drops, sip.bad_message"]


@pytest.mark.parametrize(
    "text",
    ["", "[]", "format: 1", "a: [", "\0", "format: one\ncapture: x\ncalls: []\ndrops: {}", "!!python/object:os.x {}"],
)
def test_a_file_that_is_something_else_says_so(text: str, tmp_path: Path) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ExpectationError, match="is no expectation"):
        expectation.read(path)


def test_one_of_another_format_or_place_says_so(tmp_path: Path) -> None:
    path = tmp_path / "old.yaml"
    path.write_text("format: 99\ncapture: x\ncalls: []\ndrops: {}\n", encoding="utf-8")
    with pytest.raises(ExpectationError, match="format 99"):
        expectation.read(path)
    with pytest.raises(ExpectationError, match="cannot be read"):
        expectation.read(tmp_path / "absent.yaml")
