"""Ports for tests."""

import socket

_drawn: set[int] = set()
"""Each is drawn once: one program is often given several of them before it takes any."""


def free_port() -> int:
    """A port that was free on 127.0.0.1 a moment ago, for UDP and TCP: SIP is spoken over both. No two are alike."""
    for _ in range(100):
        with (
            socket.socket(socket.AF_INET, socket.SOCK_STREAM) as stream,
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagram,
        ):
            stream.bind(("127.0.0.1", 0))
            port: int = stream.getsockname()[1]
            try:
                datagram.bind(("127.0.0.1", port))
            except OSError:
                continue
            if port not in _drawn:
                _drawn.add(port)
                return port
    raise AssertionError("no port of 127.0.0.1 is free for UDP and TCP")
