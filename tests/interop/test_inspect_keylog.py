"""SIP over TLS is read with a key log, through tshark: a real handshake, captured as segments."""

import shutil
import ssl
from itertools import product
from pathlib import Path

import pytest

from sipgw.tools.capture.errors import CaptureError
from sipgw.tools.capture.opened import opened
from sipgw.tools.capture.reading import read
from tests.fakes.capture_file import CALLEE_RTP, CALLER_RTP, CaptureFile, sdp, sip
from tests.interop.programs import finish, program

pytestmark = pytest.mark.interop

CLIENT, SERVER = ("192.0.2.1", 50_000), ("192.0.2.2", 5061)


class Talk:
    """A TLS connection in memory, whose segments end up in a capture."""

    def __init__(self, file: CaptureFile, certificate: Path, key: Path, keylog: Path) -> None:
        self._file, self.now = file, 0.0
        server, client = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        server.load_cert_chain(certificate, key)
        client.check_hostname, client.verify_mode = False, ssl.CERT_NONE
        client.keylog_filename = str(keylog)
        self._pipes = {end: (ssl.MemoryBIO(), ssl.MemoryBIO()) for end in (CLIENT, SERVER)}
        self._next = {CLIENT: 1000, SERVER: 9000}
        self._ends = {
            CLIENT: client.wrap_bio(*self._pipes[CLIENT]),
            SERVER: server.wrap_bio(*self._pipes[SERVER], server_side=True),
        }
        file.tcp(0.0, CLIENT, SERVER, 999, b"", 0x02)
        file.tcp(0.0, SERVER, CLIENT, 8999, b"", 0x12)
        for _, end in product(range(4), (CLIENT, SERVER)):
            self._shake(end)

    def say(self, when: float, end: tuple[str, int], message: bytes) -> None:
        """One of them sends a message."""
        self.now = when
        self._ends[end].write(message)
        self._move(end)

    def _shake(self, end: tuple[str, int]) -> None:
        try:
            self._ends[end].do_handshake()
        except ssl.SSLWantReadError:
            self.now += 0.001
        self._move(end)

    def _move(self, end: tuple[str, int]) -> None:
        other = SERVER if end == CLIENT else CLIENT
        data = self._pipes[end][1].read()
        for start in range(0, len(data), 1400):
            self._file.tcp(self.now + 0.01, end, other, self._next[end], data[start : start + 1400])
            self._next[end] += len(data[start : start + 1400])
        self._pipes[other][0].write(data)


async def encrypted_call(tmp_path: Path) -> tuple[Path, Path]:
    """A capture of a call over TLS, and its key log."""
    key, certificate, keylog = tmp_path / "key.pem", tmp_path / "certificate.pem", tmp_path / "keys.log"
    made = ("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", "/CN=test")
    code, printed = await finish([program("openssl"), *made, "-keyout", key, "-out", certificate], 20)
    assert code == 0, printed
    file = CaptureFile()
    talk = Talk(file, certificate, key, keylog)
    talk.say(1.0, CLIENT, sip("INVITE sip:callee@test SIP/2.0", "1 INVITE", sdp(CALLER_RTP), dialog=False))
    talk.say(2.0, SERVER, sip("SIP/2.0 200 OK", "1 INVITE", sdp(CALLEE_RTP), dialog=True))
    talk.say(2.1, CLIENT, sip("ACK sip:callee@test SIP/2.0", "1 ACK", dialog=True))
    file.speech(2.2, 4.2, CALLER_RTP, CALLEE_RTP, ssrc=1)
    file.speech(2.2, 4.2, CALLEE_RTP, CALLER_RTP, ssrc=2)
    return file.write(tmp_path / "tls.pcap"), keylog


async def test_a_call_over_tls_is_read_with_its_key_log(tmp_path: Path) -> None:
    program("tshark")
    path, keylog = await encrypted_call(tmp_path)
    closed = read(path)
    assert (closed.calls, [problem.name for problem in closed.problems]) == ((), ["encrypted"])
    capture = read(path, keylog=keylog)
    assert capture.problems == ()
    (call,) = capture.calls
    assert [(m.transport, m.label, m.source) for m in call.messages] == [
        ("tls", "INVITE", CLIENT),
        ("tls", "200 OK (INVITE)", SERVER),
        ("tls", "ACK", CLIENT),
    ]
    assert call.answer_delay == pytest.approx(1.0)
    assert [(s.sender, s.packets, s.negotiated) for s in call.streams] == [("caller", 100, True), ("callee", 100, True)]


def test_without_tshark_or_without_the_key_log_the_reason_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: f"/nowhere/{name}")
    with pytest.raises(CaptureError, match=r"gone cannot be read: no such file"):
        opened(tmp_path / "x.pcap", tmp_path / "gone")
    monkeypatch.setattr(shutil, "which", lambda _: None)
    with pytest.raises(CaptureError, match="--keylog needs tshark, which is not installed"):
        opened(tmp_path / "x.pcap", tmp_path / "gone")


def test_what_tshark_says_against_it_is_told(tmp_path: Path) -> None:
    program("tshark")
    (tmp_path / "x.pcap").write_bytes(b"no capture")
    (tmp_path / "keys.log").write_text("")
    with pytest.raises(CaptureError, match="tshark cannot decrypt: "):
        opened(tmp_path / "x.pcap", tmp_path / "keys.log")
