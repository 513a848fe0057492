"""What can be asked for, and what is said where it makes no sense."""

from collections.abc import Callable
from pathlib import Path

import pytest

from sipgw.errors import UsageError
from sipgw.tools.bench.command import bench
from sipgw.tools.bench.floor import masked
from sipgw.tools.bench.plan import Plan, Target, extra


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: Plan(backend_audio="opus"), "no audio 'opus'; there are pcm16/8000"),
        (lambda: Plan(calls=(0,)), "there must be a call"),
        (lambda: Plan(seconds=0.1), "a second at least"),
        (lambda: Plan.counts("many"), "write 50,200"),
        (lambda: Target.of("127.0.0.1:5060", None), "write echo@127.0.0.1:5060"),
        (lambda: extra(Path("/no/such.yaml")), "/no/such.yaml cannot be read"),
    ],
)
def test_nonsense_is_named_and_costs_exit_code_2(
    make: Callable[[], object], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(UsageError, match=said):
        make()
    assert bench(make) == 2  # type: ignore[arg-type]
    assert said in capsys.readouterr().err


def test_a_target_and_numbers_of_calls() -> None:
    assert Target.of("echo@[::1]:5070", 7) == Target(("::1", 5070), "echo", 7)
    assert Plan.counts("5,10") == (5, 10)


def test_further_settings_are_keys(tmp_path: Path) -> None:
    path = tmp_path / "more.yaml"
    path.write_text("calls: {max_calls: 10}\n")
    assert extra(path) == {"calls": {"max_calls": 10}}
    assert extra(None) == {}
    path.write_text("- 1\n")
    with pytest.raises(UsageError, match="holds no settings"):
        extra(path)


def test_a_frame_is_20_ms_of_the_backends_audio() -> None:
    assert [Plan(backend_audio=audio).frame_bytes for audio in ("pcm16/8000", "pcm16/24000")] == [320, 960]


def test_the_floors_frames_are_websocket_messages() -> None:
    assert masked(2, bytes(960))[:8] == bytes([0x82, 0xFE, 0x03, 0xC0, 0, 0, 0, 0])
    assert masked(1, b"hello") == b"\x81\x85\0\0\0\0hello"
