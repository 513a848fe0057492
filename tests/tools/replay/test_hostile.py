"""Captures that were broken on purpose: replayed as far as they go, or refused with a sentence."""

import random
from pathlib import Path

import pytest

from sipgw.app.replay import gateway
from sipgw.errors import SipgwError
from sipgw.settings import load
from sipgw.tools.capture.reading import read
from sipgw.tools.ladder.of_capture import ladder_of
from sipgw.tools.ladder.page import page
from sipgw.tools.replay.command import run
from sipgw.tools.replay.outcome import Outcome

ROOT = Path(__file__).parents[3]
FIRST_CALL = (ROOT / "pcaps" / "first-call.pcap").read_bytes()
HEAD = 24
GATEWAY = gateway(load(ROOT / "config" / "sipgw.yaml", {}), "demo")


def broken(seed: int) -> bytes:
    """The first call with some bytes changed, mostly in its messages, and perhaps cut off."""
    draw, data = random.Random(seed), bytearray(FIRST_CALL)
    messages = [
        at for at in range(HEAD, len(data) - 8) if FIRST_CALL[at : at + 7] in (b"INVITE ", b"SIP/2.0", b"BYE sip")
    ]
    for _ in range(draw.randrange(1, 40)):
        at = draw.choice(messages) + draw.randrange(600) if draw.random() < 0.7 else draw.randrange(HEAD, len(data))
        data[min(at, len(data) - 1)] = draw.choice(b"\0\r\n:;<>@= 0189aZ\xff")
    return bytes(data[: draw.randrange(HEAD, len(data))] if draw.random() < 0.2 else data)


def replayed(data: bytes, path: Path) -> Outcome | None:
    path.write_bytes(data)
    try:
        return run(path, GATEWAY)[0]
    except SipgwError:
        return None


@pytest.mark.parametrize("seed", range(25))
def test_a_broken_capture_breaks_nothing(seed: int, tmp_path: Path) -> None:
    outcome = replayed(broken(seed), tmp_path / "x.pcap")
    if outcome is not None:
        assert [note.detail for note in outcome.notes if note.name == "defect"] == []


@pytest.mark.parametrize("seed", range(25))
def test_a_broken_capture_is_drawn(seed: int, tmp_path: Path) -> None:
    path = tmp_path / "x.pcap"
    path.write_bytes(broken(seed))
    assert page("x", [ladder_of(call) for call in read(path).calls]).endswith("</html>\n")
