"""Kamailio between callers and the gateway: as dispatcher with failover, and as the edge that changes transports."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from sipgw.sip.message import Response, parse
from tests.fakes.certificates import Authority
from tests.interop import test_pjsua2 as pjsip
from tests.interop.gateway import Gateway, running
from tests.interop.programs import Words, background, program
from tests.interop.scenario import HELD, OFFER, Scenario, plays
from tests.ports import free_port

pytestmark = [pytest.mark.interop, pytest.mark.asyncio(loop_scope="module")]

HOST = "127.0.0.1"
WEB = (
    f"From: <sip:web@{HOST}>;tag=web",
    "Call-ID: web",
    "Contact: <sip:web@phone.invalid;transport=ws>",
    "Max-Forwards: 70",
)
"""What every request of a phone in a browser has: it knows no address of its own (RFC 7118)."""


@dataclass(frozen=True)
class Edge:
    """A Kamailio in front of a gateway."""

    gateway: Gateway
    port: int
    tls: int
    authority: Authority

    @property
    def address(self) -> str:
        """Host and port of its UDP and TCP."""
        return f"{HOST}:{self.port}"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def edge(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Edge]:
    executable = program("kamailio")
    folder = tmp_path_factory.mktemp("edge")
    authority = Authority(folder)
    pair = authority.issue("edge", HOST)
    secure = free_port()
    settings = {
        "sip": {
            "listeners": [
                {"transport": "tls", "port": secure, "certificate": str(pair.certificate), "private_key": str(pair.key)}
            ],
        },
        "routes": [
            {"number": "echo", "targets": ["echo"], "anyone": True},
            {"number": "short", "targets": ["echo"], "anyone": True, "max_duration": 1.0},
        ],
    }
    async with running(folder, settings) as gateway:
        port = gateway.port
        made = Edge(gateway, free_port(), free_port(), authority)
        # Nobody is at the first place of set 1.
        (folder / "gateways.list").write_text(
            f"1 sip:{HOST}:{free_port()} 0 9\n1 sip:{HOST}:{port} 0 1\n"
            f"2 sip:{HOST}:{port};transport=tcp 0 1\n3 sip:{HOST}:{secure};transport=tls 0 1\n"
        )
        text = (Path(__file__).parent / "kamailio" / "edge.cfg").read_text()
        for name, value in (("TLS_PORT", made.tls), ("PORT", made.port), ("FOLDER", folder)):
            text = text.replace(name, str(value))
        (folder / "edge.cfg").write_text(text)
        words: Words = [
            executable,
            "-f",
            folder / "edge.cfg",
            "-Y",
            folder,
            "-P",
            folder / "edge.pid",
            "-DD",
            "-E",
        ]
        async with background(words, made.port, cwd=folder):
            yield made


def over(transport: str) -> Scenario:
    """A call that is answered, and goes to the gateway over that."""
    return Scenario(f"by-{transport}").invite(f"X-Over: {transport}").may_get(100, 180).gets(200).ack()


async def test_a_dead_gateway_is_passed_over(edge: Edge, tmp_path: Path) -> None:
    caller = over("udp").within("BYE").gets(200)
    await plays(caller, tmp_path, remote=edge.address)
    ended = await edge.gateway.ended("by-udp")
    assert (ended["cause"], ended["hung_up_by"]) == ("normal", "caller")


@pytest.mark.parametrize("transport", ["tcp", "tls"])
async def test_a_call_changes_its_transport_on_the_way(edge: Edge, tmp_path: Path, transport: str) -> None:
    caller = over(transport).within("INVITE", body=HELD)
    caller.may_get(100).gets(200, body="a=recvonly").ack().within("BYE").gets(200)
    await plays(caller, tmp_path, remote=edge.address)
    assert (await edge.gateway.ended(f"by-{transport}"))["cause"] == "normal"


@pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])
async def test_our_bye_takes_the_way_back(edge: Edge, tmp_path: Path, transport: str) -> None:
    caller = Scenario(f"short-{transport}", "short").invite(f"X-Over: {transport}").may_get(100, 180).gets(200).ack()
    await plays(caller.takes("BYE").answers(200), tmp_path, remote=edge.address)
    ended = await edge.gateway.ended(f"short-{transport}")
    assert (ended["cause"], ended["hung_up_by"]) == ("time_limit", "gateway")


async def test_a_phone_calls_over_tls_and_hears_itself(edge: Edge, tmp_path: Path) -> None:
    target = f"sip:echo@{HOST}:{edge.tls};transport=tls"
    told = await pjsip.call(
        edge.gateway, "echo", tmp_path, 2, uri=target, transport="tls", ca=str(edge.authority.file),
        headers=[["X-Over", "tcp"]],
    )  # fmt: skip
    assert pjsip.the(told, "rtp")["received"] > 60
    assert (await edge.gateway.ended("pjsip"))["lost_packets"] == 0


async def test_a_call_over_websocket_through_the_edge(edge: Edge) -> None:
    async with connect(f"ws://{edge.address}", subprotocols=[Subprotocol("sip")]) as socket:

        async def asks(method: str, cseq: int, to: str, *lines: str, body: str = "") -> None:
            via = f"SIP/2.0/WS phone.invalid;branch=z9hG4bK{cseq}{method}"
            head = [f"{method} {to} SIP/2.0", f"Via: {via}", f"CSeq: {cseq} {method}", *WEB, *lines]
            await socket.send("\r\n".join([*head, f"Content-Length: {len(body)}", "", body]))

        async def gets(status: int) -> Response:
            async with asyncio.timeout(5):
                while True:
                    data = await socket.recv()
                    message = parse(data if isinstance(data, bytes) else data.encode())
                    if isinstance(message, Response) and message.status == status:
                        return message

        sdp = OFFER.replace("IP[media_ip_type]", "IP4").replace("[media_ip]", HOST).replace("[media_port]", "4000")
        offer = sdp.replace("\n", "\r\n")
        await asks(
            "INVITE", 1, f"sip:echo@{HOST}", f"To: <sip:echo@{HOST}>", "Content-Type: application/sdp", body=offer
        )
        answer = await gets(200)
        routes = [f"Route: {value}" for value in reversed(answer.headers.all("Record-Route"))]
        within = (str(answer.contacts[0].uri), f"To: {answer.headers.get('To')}", *routes)
        await asks("ACK", 1, *within)
        await asks("BYE", 2, *within)
        await gets(200)
    assert (await edge.gateway.ended("web"))["cause"] == "normal"
