"""SIP over TCP, TLS and WebSocket, against sockets that know nothing of ours."""

import asyncio
import contextlib
import os
import ssl
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
import uvloop
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus
from websockets.frames import CloseCode
from websockets.typing import Subprotocol

from sipgw.errors import Unavailable
from sipgw.flow import Flow
from sipgw.io.transports import Transports
from sipgw.options import ListenerOptions, SipOptions, StreamOptions, TlsOptions
from sipgw.sip.framing import StreamFramer
from sipgw.trace import Note
from tests.fakes.certificates import Authority, Pair
from tests.ports import free_port

HOST = "127.0.0.1"
LIMIT = 5.0
MESSAGE = b"OPTIONS sip:a@b SIP/2.0\r\nCall-ID: 1\r\nContent-Length: 4\r\n\r\nbody"


@dataclass
class User:
    """Takes what the transports say."""

    received: asyncio.Queue[tuple[bytes, Flow]] = field(default_factory=asyncio.Queue)
    broken: list[Exception] = field(default_factory=list)
    losses: asyncio.Queue[Flow] = field(default_factory=asyncio.Queue)
    names: list[str] = field(default_factory=list)
    banned: bool = False
    spared: bool = False

    def receive(self, data: bytes, source: Flow) -> None:
        self.received.put_nowait((data, source))

    def broke(self, error: Exception, flow: Flow) -> None:
        self.broken.append(error)

    def refused(self, name: str, flow: Flow) -> None:
        self.names.append(name)

    def lost(self, flow: Flow) -> None:
        self.losses.put_nowait(flow)

    def welcome(self, flow: Flow) -> bool:
        return not self.banned

    def spares(self, flow: Flow) -> bool:
        return self.spared

    async def message(self) -> tuple[bytes, Flow]:
        return await asyncio.wait_for(self.received.get(), LIMIT)

    async def loss(self) -> Flow:
        return await asyncio.wait_for(self.losses.get(), LIMIT)


@dataclass
class Node:
    """Open transports and their user."""

    transports: Transports
    user: User
    notes: list[Note]

    def dropped(self, name: str) -> bool:
        return any(note.name == name for note in self.notes)


@contextlib.asynccontextmanager
async def open_transports(*listeners: ListenerOptions, **streams: float) -> AsyncIterator[Node]:
    options = SipOptions(listeners, streams=replace(StreamOptions(), **streams))  # type: ignore[arg-type]
    user, notes = User(), list[Note]()
    transports = Transports(options, lambda ours: StreamFramer(opened_by_us=ours), user, trace=notes.append)
    await transports.open()
    try:
        yield Node(transports, user, notes)
    finally:
        await transports.close()


def tcp(**more: object) -> ListenerOptions:
    return replace(ListenerOptions("tcp", HOST, free_port()), **more)  # type: ignore[arg-type]


def tls(pair: Pair, **more: str) -> ListenerOptions:
    options = TlsOptions(str(pair.certificate), str(pair.key), **more)  # type: ignore[arg-type]
    return replace(tcp(), transport="tls", tls=options)


async def closed(reader: asyncio.StreamReader) -> bytes:
    """What comes until the far end closes."""
    with contextlib.suppress(ConnectionError):
        return await asyncio.wait_for(reader.read(), LIMIT)
    return b""


async def test_messages_come_whole_and_answers_go_back_on_the_same_connection() -> None:
    listener = tcp()
    async with open_transports(listener) as node:
        reader, writer = await asyncio.open_connection(*listener.local)
        for byte in MESSAGE + MESSAGE:
            writer.write(bytes([byte]))
            await writer.drain()
        data, flow = await node.user.message()
        assert data == MESSAGE
        assert flow == Flow("tcp", listener.local, writer.get_extra_info("sockname"))
        assert (await node.user.message()) == (MESSAGE, flow)
        node.transports.send(b"answer", flow)
        assert await asyncio.wait_for(reader.readexactly(6), LIMIT) == b"answer"
        writer.close()
        assert await node.user.loss() == flow


async def test_pings_are_answered() -> None:
    listener = tcp()
    async with open_transports(listener) as node:
        reader, writer = await asyncio.open_connection(*listener.local)
        writer.write(b"\r\n\r\n")
        assert await asyncio.wait_for(reader.readexactly(2), LIMIT) == b"\r\n"
        assert node.user.received.empty()
        writer.close()


async def test_we_connect_where_there_is_no_connection_and_use_it_again() -> None:
    accepted: asyncio.Queue[asyncio.StreamReader] = asyncio.Queue()
    writers = list[asyncio.StreamWriter]()

    async def peer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        accepted.put_nowait(reader)

    server = await asyncio.start_server(peer, HOST, 0)
    listener = tcp()
    async with open_transports(listener) as node:
        flow = Flow("tcp", listener.local, server.sockets[0].getsockname())
        node.transports.send(b"one", flow)
        node.transports.send(b"two", flow)
        reader = await asyncio.wait_for(accepted.get(), LIMIT)
        assert await asyncio.wait_for(reader.readexactly(6), LIMIT) == b"onetwo"
        writers[0].write(MESSAGE)
        assert await node.user.message() == (MESSAGE, flow)
        assert accepted.empty()
        # The peer closes: the flow is lost, and the next message makes another connection.
        writers[0].close()
        assert await node.user.loss() == flow
        node.transports.send(b"three", flow)
        again = await asyncio.wait_for(accepted.get(), LIMIT)
        assert await asyncio.wait_for(again.readexactly(5), LIMIT) == b"three"
    for writer in writers:
        writer.close()
    server.close()
    await server.wait_closed()


async def test_a_connection_that_cannot_be_made_is_a_lost_flow() -> None:
    listener = tcp()
    async with open_transports(listener) as node:
        flow = Flow("tcp", listener.local, (HOST, free_port()))
        node.transports.send(b"one", flow)
        assert await node.user.loss() == flow
        assert node.dropped("not_connected")


async def test_our_connections_are_kept_alive_and_one_that_stops_answering_is_cut() -> None:
    pings: asyncio.Queue[asyncio.StreamWriter] = asyncio.Queue()

    async def peer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while await reader.readexactly(4) == b"\r\n\r\n":
                pings.put_nowait(writer)
                if pings.qsize() == 1:
                    writer.write(b"\r\n")
        writer.close()

    server = await asyncio.start_server(peer, HOST, 0)
    listener = tcp()
    async with open_transports(listener, keep_alive=0.1, pong_limit=0.5) as node:
        flow = Flow("tcp", listener.local, server.sockets[0].getsockname())
        node.transports.send(b"", flow)
        assert await node.user.loss() == flow
        assert node.dropped("no_pong")
        assert pings.qsize() == 2
    server.close()
    await server.wait_closed()


async def test_a_message_fed_in_drops_and_a_silent_peer_are_cut_off() -> None:
    listener = tcp()
    async with open_transports(listener, message_limit=0.5, idle_limit=1.5) as node:
        drip, dripping = await asyncio.open_connection(*listener.local)
        silent, keeps_silent = await asyncio.open_connection(*listener.local)
        dripping.write(b"INVITE ")
        assert await closed(drip) == b""
        assert node.dropped("message_too_slow")
        assert await closed(silent) == b""
        for writer in (dripping, keeps_silent):
            writer.close()


async def drip(writer: asyncio.StreamWriter, data: bytes) -> None:
    """Feed it byte by byte, never finishing in time, until the other side has enough."""
    with contextlib.suppress(ConnectionError):
        for byte in data:
            writer.write(bytes([byte]))
            await writer.drain()
            await asyncio.sleep(0.05)


async def test_a_handshake_fed_in_drops_is_cut_off(tmp_path: Path) -> None:
    listener = tls(Authority(tmp_path).issue("ours", HOST))
    async with open_transports(listener, handshake_limit=0.5):
        reader, writer = await asyncio.open_connection(*listener.local)
        hello = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(500)
        dripping = asyncio.create_task(drip(writer, hello))
        began = asyncio.get_running_loop().time()
        await closed(reader)
        assert 0.3 < asyncio.get_running_loop().time() - began < 3.0
        writer.close()
        await dripping


async def test_a_message_fed_in_drops_over_tls_is_cut_off_and_one_that_is_quick_enough_comes_whole(
    tmp_path: Path,
) -> None:
    authority = Authority(tmp_path)
    listener = tls(authority.issue("ours", HOST))
    context = ssl.create_default_context(cafile=str(authority.file))
    async with open_transports(listener, message_limit=1.0) as node:
        reader, writer = await asyncio.open_connection(*listener.local, ssl=context, server_hostname=HOST)
        for byte in MESSAGE:
            writer.write(bytes([byte]))
            await writer.drain()
        assert (await node.user.message())[0] == MESSAGE
        dripping = asyncio.create_task(drip(writer, MESSAGE))
        assert await closed(reader) == b""
        assert node.dropped("message_too_slow")
        assert node.user.received.empty()
        dripping.cancel()
        writer.close()


async def test_a_stream_that_is_not_sip_is_told_and_closed() -> None:
    listener = tcp()
    async with open_transports(listener) as node:
        reader, writer = await asyncio.open_connection(*listener.local)
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert await closed(reader) == b""
        assert len(node.user.broken) == 1
        writer.close()


async def test_one_source_gets_so_many_connections_and_no_more() -> None:
    listener = tcp()
    async with open_transports(listener, connections_per_source=2) as node:
        pairs = [await asyncio.open_connection(*listener.local) for _ in range(3)]
        assert await closed(pairs[2][0]) == b""
        assert node.dropped("too_many_connections")
        pairs[0][1].close()
        await node.user.loss()
        reader, writer = await asyncio.open_connection(*listener.local)
        writer.write(MESSAGE)
        assert (await node.user.message())[0] == MESSAGE
        for _, each in (*pairs, (reader, writer)):
            each.close()


async def test_who_is_spared_has_room_where_others_have_taken_all() -> None:
    listener = tcp()
    async with open_transports(listener, connections=1) as node:
        _, stranger = await asyncio.open_connection(*listener.local)
        stranger.write(MESSAGE)
        await node.user.message()
        node.user.spared = True
        _, trunk = await asyncio.open_connection(*listener.local)
        trunk.write(MESSAGE)
        assert (await node.user.message())[1].remote == trunk.get_extra_info("sockname")
        for each in (stranger, trunk):
            each.close()


async def test_who_gets_banned_is_cut_off_and_not_let_in_again() -> None:
    listener = tcp()
    async with open_transports(listener) as node:
        reader, writer = await asyncio.open_connection(*listener.local)
        writer.write(MESSAGE)
        await node.user.message()
        node.user.banned = True
        assert await closed(reader) == b""
        await node.user.loss()
        again, writing = await asyncio.open_connection(*listener.local)
        assert await closed(again) == b""
        assert [note.name for note in node.notes].count("banned") == 2
        for each in (writer, writing):
            each.close()


async def test_a_peer_that_does_not_read_is_cut_off() -> None:
    listener = tcp()
    async with open_transports(listener, backlog_bytes=65_536) as node:
        _, writer = await asyncio.open_connection(*listener.local)
        writer.write(MESSAGE)
        _, flow = await node.user.message()
        for _ in range(400):
            node.transports.send(bytes(65_536), flow)
            if node.dropped("peer_does_not_read"):
                break
        assert await node.user.loss() == flow
        assert node.dropped("peer_does_not_read")
        writer.close()


def trusting(authority: Authority, version: ssl.TLSVersion, pair: Pair | None = None) -> ssl.SSLContext:
    """A peer's context that believes `authority`, and speaks just one version."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(authority.file)
    context.minimum_version = context.maximum_version = version
    if pair is not None:
        context.load_cert_chain(pair.certificate, pair.key)
    return context


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_the_names_of_a_client_certificate_come_with_its_messages(
    tmp_path: Path, version: ssl.TLSVersion
) -> None:
    authority = Authority(tmp_path)
    ours, theirs = (
        authority.issue("ours", HOST),
        authority.issue("theirs", "sip:carrier.example", "SBC.carrier.example"),
    )
    listener = tls(ours, authorities=str(authority.file), clients="required")
    async with open_transports(listener) as node:
        _, writer = await asyncio.open_connection(*listener.local, ssl=trusting(authority, version, theirs))
        writer.write(MESSAGE)
        data, flow = await node.user.message()
        assert (data, set(flow.names)) == (MESSAGE, {"carrier.example", "sbc.carrier.example"})
        writer.close()


async def test_an_authority_that_is_added_is_believed(tmp_path: Path) -> None:
    ours, theirs = Authority(tmp_path), Authority(tmp_path, "theirs")
    pair = theirs.issue("peer", "sbc.carrier.example")
    believed = tmp_path / "believed.pem"
    believed.write_bytes(ours.file.read_bytes())
    listener = tls(ours.issue("ours", HOST), authorities=str(believed), clients="required")
    async with open_transports(listener) as node:
        context = trusting(ours, ssl.TLSVersion.TLSv1_2, pair)
        with pytest.raises((ssl.SSLError, ConnectionError)):
            await asyncio.open_connection(*listener.local, ssl=context)
        believed.write_bytes(ours.file.read_bytes() + theirs.file.read_bytes())
        os.utime(believed, (1, 1))
        node.transports.reload_certificates()
        _, writer = await asyncio.open_connection(*listener.local, ssl=context)
        writer.write(MESSAGE)
        assert (await node.user.message())[1].names == ("sbc.carrier.example",)
        writer.close()


async def test_who_has_no_certificate_where_one_is_required_is_refused(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    listener = tls(authority.issue("ours", HOST), authorities=str(authority.file), clients="required")
    async with open_transports(listener) as node:
        context = trusting(authority, ssl.TLSVersion.TLSv1_2)
        with pytest.raises((ssl.SSLError, ConnectionError)):
            await asyncio.open_connection(*listener.local, ssl=context)
        assert node.user.received.empty()


async def test_the_certificate_shown_is_for_the_name_asked_for(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    first, other = authority.issue("first", "first.example"), authority.issue("other", "other.example")
    listener = tls(first, further=((str(other.certificate), str(other.key)),))  # type: ignore[arg-type]
    async with open_transports(listener):
        for name in ("first.example", "other.example"):
            context = trusting(authority, ssl.TLSVersion.TLSv1_3)
            _, writer = await asyncio.open_connection(*listener.local, ssl=context, server_hostname=name)
            writer.close()


@pytest.mark.parametrize("transport", ["tls", "wss"])
async def test_a_changed_certificate_is_taken_and_a_bad_one_is_not(tmp_path: Path, transport: str) -> None:
    authority = Authority(tmp_path)
    pair = authority.issue("ours", "before.example")
    listener = replace(tls(pair), transport=transport)

    async def shows(name: str) -> bool:
        context = trusting(authority, ssl.TLSVersion.TLSv1_3)
        try:
            _, writer = await asyncio.open_connection(*listener.local, ssl=context, server_hostname=name)
        except ssl.SSLCertVerificationError:
            return False
        writer.close()
        return True

    async with open_transports(listener) as node:
        assert await shows("before.example")
        authority.issue("ours", "after.example")
        node.transports.reload_certificates()
        assert await shows("after.example")
        assert not await shows("before.example")
        pair.certificate.write_text("no certificate")
        node.transports.reload_certificates()
        assert node.dropped("bad_certificate")
        assert await shows("after.example")


@pytest.mark.parametrize(
    ("proves", "wanted", "lost"),
    [("carrier.example", "carrier.example", False), ("*.carrier.example", "sbc1.carrier.example", False),
     ("sip:carrier.example", "carrier.example", False), (HOST, "", False), ("evil.example", "carrier.example", True)],
)  # fmt: skip
async def test_we_believe_a_server_whose_certificate_proves_the_name_we_called(
    tmp_path: Path, proves: str, wanted: str, lost: bool
) -> None:
    authority = Authority(tmp_path)
    theirs = authority.issue("theirs", proves)
    got: asyncio.Queue[bytes] = asyncio.Queue()

    async def peer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            got.put_nowait(await reader.read(3))
        writer.close()

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(theirs.certificate, theirs.key)
    server = await asyncio.start_server(peer, HOST, 0, ssl=context)
    listener = tls(authority.issue("ours", HOST), authorities=str(authority.file))
    async with open_transports(listener) as node:
        names = (wanted,) if wanted else ()
        flow = Flow("tls", listener.local, server.sockets[0].getsockname(), names)
        node.transports.send(b"one", flow)
        if lost:
            assert await node.user.loss() == flow
            assert node.dropped("wrong_certificate")
        else:
            assert await asyncio.wait_for(got.get(), LIMIT) == b"one"
    server.close()
    await server.wait_closed()


async def test_an_unknown_authority_is_not_believed(tmp_path: Path) -> None:
    theirs = Authority(tmp_path, "unknown").issue("theirs", "carrier.example")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(theirs.certificate, theirs.key)
    server = await asyncio.start_server(lambda reader, writer: writer.close(), HOST, 0, ssl=context)
    listener = tls(Authority(tmp_path).issue("ours", HOST))
    async with open_transports(listener) as node:
        flow = Flow("tls", listener.local, server.sockets[0].getsockname(), ("carrier.example",))
        node.transports.send(b"one", flow)
        assert await node.user.loss() == flow
        assert node.dropped("tls_failed")
    server.close()
    await server.wait_closed()


def web(**more: object) -> ListenerOptions:
    return replace(tcp(), transport="ws", origins=("https://phone.example",), **more)  # type: ignore[arg-type]


SIP = [Subprotocol("sip")]


async def test_a_browser_sends_and_gets_one_sip_message_a_websocket_message() -> None:
    listener = web()
    async with open_transports(listener) as node:
        url = f"ws://{HOST}:{listener.port}/"
        async with connect(url, subprotocols=SIP, origin="https://phone.example") as browser:  # type: ignore[arg-type]
            assert browser.subprotocol == "sip"
            await browser.send(MESSAGE.decode())
            data, flow = await node.user.message()
            assert (data, flow.transport) == (MESSAGE, "ws")
            await browser.send(MESSAGE)
            assert (await node.user.message()) == (MESSAGE, flow)
            node.transports.send(b"answer", flow)
            assert await asyncio.wait_for(browser.recv(), LIMIT) == "answer"
        assert await node.user.loss() == flow
        # What is said to it afterwards is lost as well, and not in the middle of saying it.
        node.transports.send(b"late", flow)
        assert node.user.losses.empty()
        assert await node.user.loss() == flow


async def test_one_source_gets_so_many_websockets_and_none_once_it_is_banned() -> None:
    listener = web()
    async with open_transports(listener, connections_per_source=2) as node:
        url = f"ws://{HOST}:{listener.port}/"
        async with (
            connect(url, subprotocols=SIP) as first,
            connect(url, subprotocols=SIP),
            connect(url, subprotocols=SIP) as third,
        ):
            await asyncio.wait_for(third.wait_closed(), LIMIT)
            assert third.close_code == CloseCode.TRY_AGAIN_LATER
            node.user.banned = True
            await first.send(MESSAGE)
            await asyncio.wait_for(first.wait_closed(), LIMIT)
            assert first.close_code == CloseCode.POLICY_VIOLATION
            async with connect(url, subprotocols=SIP) as again:
                await asyncio.wait_for(again.wait_closed(), LIMIT)
                assert again.close_code == CloseCode.POLICY_VIOLATION
        assert node.dropped("too_many_connections")


async def test_other_pages_and_other_protocols_are_refused() -> None:
    listener = web()
    async with open_transports(listener) as node:
        url = f"ws://{HOST}:{listener.port}/"
        with pytest.raises(InvalidStatus):
            await connect(url, subprotocols=SIP, origin="https://evil.example")  # type: ignore[arg-type]
        with pytest.raises(InvalidStatus):
            await connect(url, origin="https://phone.example")  # type: ignore[arg-type]
        assert node.user.received.empty()


@pytest.mark.parametrize(
    "spoil",
    [
        lambda pair: pair.certificate.unlink(),
        lambda pair: pair.certificate.write_text("x"),
        lambda pair: pair.key.write_text("x"),
    ],
)
async def test_a_bad_certificate_is_named_at_the_start(tmp_path: Path, spoil: Callable[[Pair], object]) -> None:
    pair = Authority(tmp_path).issue("ours", HOST)
    spoil(pair)
    with pytest.raises(Unavailable, match=str(pair.certificate)):
        async with open_transports(tls(pair)):
            pass


# The loop that the gateway runs on has transports of its own make.


def on_uvloop(ladder: Coroutine[None, None, None]) -> None:
    # Not by uvloop.run: where a test fails, that waits without end for what the failure left open.
    loop = uvloop.new_event_loop()
    loop.run_until_complete(asyncio.wait_for(ladder, 2 * LIMIT))
    loop.close()


@pytest.mark.parametrize(
    "ladder",
    [
        test_messages_come_whole_and_answers_go_back_on_the_same_connection,
        test_we_connect_where_there_is_no_connection_and_use_it_again,
        test_a_stream_that_is_not_sip_is_told_and_closed,
        test_a_browser_sends_and_gets_one_sip_message_a_websocket_message,
    ],
)
def test_it_is_the_same_on_uvloop(ladder: Callable[[], Coroutine[None, None, None]]) -> None:
    on_uvloop(ladder())


def test_certificates_are_the_same_on_uvloop(tmp_path: Path) -> None:
    on_uvloop(test_the_names_of_a_client_certificate_come_with_its_messages(tmp_path, ssl.TLSVersion.TLSv1_3))
