"""`sipgw health`: what counts as a sign of life."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sipgw.app.health import ask, health
from sipgw.flow import Endpoint


@contextmanager
def listener(*answers: bytes) -> Iterator[Endpoint]:
    """Gives one of `answers` to each datagram; nothing to those after the last."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        sock.settimeout(5)

        def serve() -> None:
            for answer in answers:
                _, source = sock.recvfrom(2048)
                sock.sendto(answer, source)

        thread = threading.Thread(target=serve)
        thread.start()
        yield sock.getsockname()
        thread.join()


def test_any_answer_is_a_sign_of_life() -> None:
    with listener(b"SIP/2.0 503 Service Unavailable\r\n\r\n") as address:
        assert ask(address) == "503 Service Unavailable"


def test_what_is_not_sip_is_passed_over_and_the_question_repeated() -> None:
    with listener(b"hello\r\n", b"SIP/2.0 200 OK\r\n\r\n") as address:
        assert ask(address, waits=(0.1, 5.0)) == "200 OK"


def test_silence_is_none() -> None:
    with listener() as address:
        assert ask(address, waits=(0.05, 0.05)) == ""


def test_a_port_that_nobody_has_is_none_at_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with listener() as (_, port):
        pass
    config = tmp_path / "sipgw.yaml"
    config.write_text(
        f"sip: {{host: 0.0.0.0, advertised: 192.0.2.7, port: {port}}}\nbackends: {{tone: {{dialect: tone}}}}\n"
        "routes: [{targets: [tone], sources: [192.0.2.1]}]\n"
    )
    assert health(config) == 1
    assert capsys.readouterr().out == f"udp:127.0.0.1:{port} does not answer\n"


def test_without_udp_it_asks_over_tcp(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                assert connection.recv(2048).startswith(
                    f"OPTIONS sip:127.0.0.1:{port} SIP/2.0\r\nVia: SIP/2.0/TCP".encode()
                )
                connection.sendall(b"SIP/2.0 200 OK\r\n\r\n")

        thread = threading.Thread(target=serve)
        thread.start()
        config = tmp_path / "sipgw.yaml"
        config.write_text(
            f"sip: {{port: {port}, transports: [tcp]}}\nbackends: {{tone: {{dialect: tone}}}}\n"
            "routes: [{targets: [tone], anyone: true}]\n"
        )
        assert health(config) == 0
        thread.join()
    assert capsys.readouterr().out == f"tcp:127.0.0.1:{port} answers: 200 OK\n"


def test_a_bad_configuration_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = tmp_path / "sipgw.yaml"
    config.write_text("sip: {prot: 5060}\n")
    assert health(config) == 2
    assert "sip.prot: unknown key" in capsys.readouterr().err
