"""SIP over TLS and TCP by programs of others: both versions, with certificates that are believed and that are not."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio

from tests.fakes.certificates import Authority, Pair
from tests.interop import baresip
from tests.interop import test_pjsua2 as pjsip
from tests.interop.gateway import Gateway, running
from tests.interop.programs import program
from tests.ports import free_port

pytestmark = [pytest.mark.interop, pytest.mark.asyncio(loop_scope="module")]

HOST = "127.0.0.1"


@dataclass(frozen=True)
class Secured:
    """A gateway with a TLS listener for all, and one that speaks 1.3 and wants a certificate."""

    gateway: Gateway
    port: int
    mutual: int
    authority: Authority
    folder: Path


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def secured(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Secured]:
    folder = tmp_path_factory.mktemp("gateway")
    authority, ports = Authority(folder), (free_port(), free_port())
    pair = authority.issue("ours", HOST)
    shown = {"transport": "tls", "certificate": str(pair.certificate), "private_key": str(pair.key)}
    mutual = {"clients": "required", "authorities": str(authority.file), "minimum": "1.3"}
    settings = {
        "sip": {
            "listeners": [{**shown, "port": ports[0]}, {**shown, **mutual, "port": ports[1]}],
        },
        "trunks": {"carrier": {"names": ["sbc.carrier.example"]}},
    }
    async with running(folder, settings) as made:
        yield Secured(made, *ports, authority, folder)


async def test_pjsip_believes_our_certificate(secured: Secured, tmp_path: Path) -> None:
    target = f"sip:echo@{HOST}:{secured.port};transport=tls"
    told = await pjsip.call(
        secured.gateway, "echo", tmp_path, 2, uri=target, transport="tls", ca=str(secured.authority.file), hold_at=0.5,
        unhold_at=1,
    )  # fmt: skip
    assert pjsip.statuses(told, "INVITE").count(200) == 3
    ended = await secured.gateway.ended("pjsip")
    assert (ended["cause"], ended["lost_packets"]) == ("normal", 0)


async def test_pjsip_does_not_believe_a_stranger(secured: Secured, tmp_path: Path) -> None:
    other = Authority(tmp_path, "other")
    target = f"sip:echo@{HOST}:{secured.port};transport=tls"
    told = await pjsip.call(secured.gateway, "echo", tmp_path, 1, uri=target, transport="tls", ca=str(other.file))
    assert pjsip.the(told, "state")["status"] == 503


@pytest.mark.parametrize("transport", ["tcp", "tls"])
async def test_baresip_calls(secured: Secured, tmp_path: Path, transport: str) -> None:
    port = secured.port if transport == "tls" else secured.gateway.port
    settings = f"sip_cafile {secured.authority.file}\n"
    async with baresip.phone(tmp_path, "PCMA/8000/1", user=f"bob-{transport}", settings=settings) as bob:
        await bob.command("dial", f"sip:echo@{HOST}:{port};transport={transport}")
        await bob.happened("CALL_ESTABLISHED")
        await bob.command("hangup")
        await bob.happened("CALL_CLOSED")
    ended = await secured.gateway.ended(f"bob-{transport}")
    assert (ended["cause"], ended["codec"]) == ("normal", "PCMA")


INVITE = f"""INVITE sip:echo@{HOST} SIP/2.0\r
Via: SIP/2.0/TLS {HOST}:5061;branch=z9hG4bKCALLER\r
From: <sip:CALLER@{HOST}>;tag=1\r
To: <sip:echo@{HOST}>\r
Call-ID: CALLER\r
CSeq: 1 INVITE\r
Contact: <sip:{HOST}:5061;transport=tls>\r
Max-Forwards: 70\r
Content-Type: application/sdp\r
Content-Length: LENGTH\r
\r
v=0\r
o=- 1 1 IN IP4 {HOST}\r
s=-\r
c=IN IP4 {HOST}\r
t=0 0\r
m=audio 4000 RTP/AVP 18\r
"""
"""G.729 alone, which is refused: so the call is over with one message each way, and in the log."""


async def openssl(secured: Secured, caller: str, pair: Pair | None, *more: str) -> str:
    """What `openssl s_client` prints where it sends the INVITE to the listener that wants a certificate."""
    words = [
        program("openssl"),
        "s_client",
        "-connect",
        f"{HOST}:{secured.mutual}",
        "-CAfile",
        str(secured.authority.file),
    ]
    words += ["-verify_return_error", "-ign_eof", *more]
    words += ["-cert", str(pair.certificate), "-key", str(pair.key)] if pair else []
    process = await asyncio.create_subprocess_exec(
        *words, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    assert process.stdin is not None
    assert process.stdout is not None
    head, blank, body = INVITE.replace("CALLER", caller).partition("\r\n\r\n")
    process.stdin.write((head.replace("LENGTH", str(len(body))) + blank + body).encode())
    printed = b""
    try:
        async with asyncio.timeout(10):
            while piece := await process.stdout.read(65536):
                printed += piece
                if b"SIP/2.0 488" in printed:
                    break
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
    return printed.decode(errors="replace")


async def test_the_name_in_a_certificate_makes_the_trunk(secured: Secured) -> None:
    pair = secured.authority.issue("theirs", "sbc.carrier.example")
    printed = await openssl(secured, "proven", pair)
    assert "SIP/2.0 488" in printed
    assert "TLSv1.3" in printed
    assert (await secured.gateway.ended("proven"))["trunk"] == "carrier"


async def test_another_name_makes_none(secured: Secured) -> None:
    pair = secured.authority.issue("others", "sbc.other.example")
    assert "SIP/2.0 488" in await openssl(secured, "unproven", pair)
    assert (await secured.gateway.ended("unproven"))["trunk"] == ""


async def test_who_has_no_certificate_or_a_forged_one_or_an_old_tls_gets_nowhere(
    secured: Secured, tmp_path: Path
) -> None:
    forged = Authority(tmp_path).issue("forged", "sbc.carrier.example")
    pair = secured.authority.issue("theirs", "sbc.carrier.example")
    for caller, shown, more in (("nobody", None, ()), ("forger", forged, ()), ("old", pair, ("-tls1_2",))):
        assert "SIP/2.0" not in await openssl(secured, caller, shown, *more)
    assert not [line for line in secured.gateway.lines if line.get("caller") in ("nobody", "forger", "old")]
