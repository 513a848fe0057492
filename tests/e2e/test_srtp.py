"""An encrypted call on real sockets: both ways, past the death of control, and without a trace of its keys."""

import base64
import os
import secrets
import signal
from pathlib import Path
from typing import Any

from sipgw.rtp.srtp import Protection
from sipgw.sdp.model import Sdp
from tests.e2e.phone import Phone, called_by
from tests.e2e.test_restart import control_of, on_record
from tests.interop.gateway import running

SUITE = "AES_CM_128_HMAC_SHA1_80"


class SecurePhone(Phone):
    """It offers SRTP and nothing else."""

    def __init__(self, target: str) -> None:
        self.key = secrets.token_bytes(30)
        self._keys: Protection | None = None
        super().__init__(target)

    def offer(self, way: str = "sendrecv") -> bytes:
        line = f"a=crypto:1 {SUITE} inline:{base64.b64encode(self.key).decode()}\r\n"
        return super().offer(way).replace(b"RTP/AVP", b"RTP/SAVP") + line.encode()

    @property
    def their_key(self) -> bytes:
        """In the gateway's answer."""
        assert self.response is not None
        (value,) = Sdp.parse(self.response.body).media[0].values("crypto")
        return base64.b64decode(value.partition("inline:")[2])

    @property
    def protection(self) -> Protection:
        if self._keys is None:
            self._keys = Protection(SUITE, self.key, self.their_key, self._ssrc)
        return self._keys

    def sealed(self, packet: bytes) -> bytes:
        return self.protection.protect(packet)

    def opened(self, packet: bytes) -> bytes:
        return self.protection.unprotect(packet)


def written(key: bytes) -> tuple[bytes, ...]:
    """In every way it could be."""
    return key, base64.b64encode(key).rstrip(b"="), key.hex().encode(), repr(key)[2:-1].encode()


async def test_an_encrypted_call_survives_control_and_leaves_no_key_behind(tmp_path: Path) -> None:
    state = tmp_path / "state"
    more: dict[str, Any] = {
        "state": str(state),
        "workers": 1,
        "media": {"srtp": "required"},
        "log": {"format": "json", "level": "debug"},
    }
    async with running(tmp_path, more, supervised=True) as gateway:
        async with called_by(SecurePhone(f"tone@{gateway.address}")) as phone:
            await phone.hears(25)
            os.kill(control_of(gateway), signal.SIGKILL)
            await gateway.said("alarm")
            await phone.reinvite("sendrecv")  # it knows the keys, and keeps them
            await phone.hears(25, since=phone.now)
            keys = [text for key in (phone.key, phone.their_key) for text in written(key)]
            with_keys = [path for path in state.rglob("*") if path.is_file() and _has(path, keys)]
            assert with_keys, "the journal has them, for the next process"
            for path in with_keys:
                assert path.name.startswith("journal-")
                assert path.stat().st_mode & 0o077 == 0
        (ended,) = await gateway.said("call ended")
        await on_record(state, 1)
    assert (ended["srtp"], ended["drops"]) == (SUITE, "")
    assert ended["received_packets"] > 50
    told = repr(gateway.lines).encode()
    assert not [text for text in keys if text in told]
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and _has(path, keys)]


def _has(path: Path, keys: list[bytes]) -> bool:
    data = path.read_bytes()
    return any(text in data for text in keys)
