"""`sipgw run`: what it prints, how it ends, and what signals do."""

import contextlib
import gc
import logging
import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from sipgw.app.serve import main
from tests.fakes.sip_phone import Heard, Phone
from tests.ports import free_port


@pytest.fixture(autouse=True)
def as_before(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What serving changes for the whole process is changed back."""
    monkeypatch.setattr(gc, "freeze", lambda: None)
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    watchdog = threading.Timer(20, kill, (2,))
    watchdog.start()
    yield
    watchdog.cancel()
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


class Caller:
    """A phone on a blocking socket."""

    def __init__(self, port: int) -> None:
        self._sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._sock.bind(("127.0.0.1", 0))
        self._sock.settimeout(0.3)
        self._gateway = ("127.0.0.1", port)
        self._phone = Phone()

    def _say(self, text: str) -> None:
        here = f"127.0.0.1:{self._sock.getsockname()[1]}"
        self._sock.sendto(text.replace("127.0.0.1:5070", here).encode(), self._gateway)

    def call(self) -> None:
        """Call until it is up; a gateway that is still starting does not hear the first INVITE."""
        for _ in range(20):
            self._say(self._phone.invite())
            with contextlib.suppress(TimeoutError):
                self._phone = self._phone.within(self.hears("200"))
                self._say(self._phone.ack())
                return

    def hears(self, brief: str) -> Heard:
        """The next message of that method or status."""
        while True:
            data, _ = self._sock.recvfrom(65_535)
            heard = Heard(0.0, data.decode(), None)  # type: ignore[arg-type]
            if heard.brief == brief:
                return heard

    def close(self) -> None:
        self._sock.close()


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def config(tmp_path: Path, port: int) -> Path:
    path = tmp_path / "sipgw.yaml"
    path.write_text(
        f"state: {tmp_path / 'state'}\n"
        f"sip: {{port: {port}}}\n"
        'media: {ports: "20801-20820"}\n'
        "calls: {drain_limit: 60}\n"
        "backends: {tone: {dialect: tone}}\n"
        "routes: [{targets: [tone], anyone: true}]\n"
    )
    return path


def kill(times: int = 1, delay: float = 0.4) -> None:
    """Send this process SIGTERM, as a supervisor would, each time after a delay."""
    for _ in range(times):
        time.sleep(delay)
        os.kill(os.getpid(), signal.SIGTERM)


def kill_after(delay: float) -> None:
    """The same, once, while the test goes on."""
    threading.Thread(target=kill, args=(1, delay), daemon=True).start()


def test_a_mistake_is_told_and_is_exit_code_2(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config.write_text(config.read_text().replace("anyone", "[anyone]"))
    assert main(config) == 2
    assert str(config) in capsys.readouterr().err


def test_a_taken_port_is_named_with_what_moves_ours(
    config: Path, port: int, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", port))
        assert main(config) == 1
    said = capsys.readouterr().err
    assert f"127.0.0.1:{port}" in said
    assert "SIPGW_SIP_PORT" in said


def test_sigterm_ends_an_idle_gateway_at_once(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kill_after(0.5)
    began = time.monotonic()
    assert main(config) == 0
    assert time.monotonic() - began < 5
    assert "stopped" in capsys.readouterr().err


def test_a_second_sigterm_does_not_wait_for_running_calls(
    config: Path, port: int, capsys: pytest.CaptureFixture[str]
) -> None:
    caller = Caller(port)

    def calls_and_kills() -> None:
        caller.call()
        kill(times=2)

    calling = threading.Thread(target=calls_and_kills, daemon=True)
    calling.start()
    began = time.monotonic()
    assert main(config) == 0
    assert 0.8 <= time.monotonic() - began < 10, "the first one drains"
    calling.join(5)
    caller.close()
    said = capsys.readouterr().err
    assert "call answered" in said
    assert "call ended" in said


def test_sigterm_during_the_proof_ends_it_and_is_no_proof(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kill_after(1.0)
    began = time.monotonic()
    assert main(config, prove_it=True, once=True) == 1
    assert time.monotonic() - began < 5, "the call would take nine seconds"
    assert "It works" not in capsys.readouterr().out


def test_a_proof_that_cannot_be_made_is_told(
    config: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sipgw.tools.phone._PORTS", (1, 1))
    assert main(config, prove_it=True, once=True) == 1
    assert "no RTP ports left" in capsys.readouterr().err
