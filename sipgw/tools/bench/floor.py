"""The floor: relays the same datagrams and frames between raw sockets, and does nothing else.

What it costs is what this machine takes for the bytes of a call: two datagrams and two TCP segments every 20 ms, read
and written from Python without looking at them. A gateway's cost as a multiple of it can be compared between machines,
and between a quiet and a busy hour of one.
"""

import base64
import gc
import json
import os
import select
import socket
import struct
import time
from collections.abc import Callable
from multiprocessing.connection import Connection

from sipgw.flow import Endpoint
from sipgw.tools.bench.echo import CALLER
from sipgw.tools.bench.plan import HOST

SWEEP = 0.005
"""Seconds between two looks at the sockets: the gateway's own step."""
_LARGEST_UDP, _LARGEST_TCP = 2048, 1 << 16
_PACKET = bytes([0x80, 0]) + bytes(170)
"""20 ms of G.711 in RTP, by size."""


def relay(calls: int, frame_bytes: int, backend: Endpoint, parent: Connection) -> None:
    """The process: opens everything, tells its UDP ports, relays until told to stop."""
    relays = [_Relay(call, frame_bytes, backend) for call in range(calls)]
    epoll = select.epoll()
    readers: dict[int, Callable[[], None]] = {}
    for one in relays:
        for sock, take in ((one.udp, one.from_caller), (one.tcp, one.from_backend)):
            readers[sock.fileno()] = take
            epoll.register(sock.fileno(), select.EPOLLIN)
    parent.send([one.udp.getsockname()[1] for one in relays])
    gc.collect()
    gc.disable()
    due = time.monotonic()
    while not parent.poll():
        due += SWEEP
        time.sleep(max(due - time.monotonic(), 0.0))
        while ready := epoll.poll(0, 1024):
            for descriptor, _ in ready:
                readers[descriptor]()
    parent.send("stopped")


class _Relay:
    """The two sockets of one call."""

    def __init__(self, call: int, frame_bytes: int, backend: Endpoint) -> None:
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.bind((HOST, 0))
        self.udp.setblocking(False)
        self.tcp = _websocket(call, backend)
        self.tcp.setblocking(False)
        self._frame = masked(2, bytes(frame_bytes))
        self._coming = len(self._frame) - 4  # a server does not mask
        self._caller: Endpoint = (HOST, 9)
        self._rest = 0

    def from_caller(self) -> None:
        _, self._caller = self.udp.recvfrom(_LARGEST_UDP)
        self.tcp.send(self._frame)

    def from_backend(self) -> None:
        frames, self._rest = divmod(self._rest + len(self.tcp.recv(_LARGEST_TCP)), self._coming)
        for _ in range(frames):
            self.udp.sendto(_PACKET, self._caller)


def _websocket(call: int, backend: Endpoint) -> socket.socket:
    """A connection to the backend that has shaken hands (RFC 6455 section 4.1) and said whose it is."""
    tcp = socket.create_connection(backend)
    tcp.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    key = base64.b64encode(os.urandom(16)).decode()
    lines = (
        "GET / HTTP/1.1",
        f"Host: {backend[0]}:{backend[1]}",
        "Upgrade: websocket",
        "Connection: Upgrade",
        f"Sec-WebSocket-Key: {key}",
        "Sec-WebSocket-Version: 13",
    )
    tcp.sendall("\r\n".join((*lines, "", "")).encode())
    answer = b""
    while not answer.endswith(b"\r\n\r\n"):
        answer += tcp.recv(1)
    start = {"type": "start", "call": {"caller": f"{CALLER}{call}"}}
    tcp.sendall(masked(1, json.dumps(start).encode()))
    return tcp


def masked(opcode: int, payload: bytes) -> bytes:
    """A whole WebSocket message of a client, masked with zeros (RFC 6455 section 5.2)."""
    length = len(payload)
    head = bytes([0x80 | opcode, 0x80 | length]) if length < 126 else struct.pack("!BBH", 0x80 | opcode, 0xFE, length)
    return head + bytes(4) + payload
