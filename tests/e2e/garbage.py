"""A process that floods a SIP port: `python -m tests.e2e.garbage PORT RATE SECONDS`. Prints how many datagrams it sent.

From several addresses of the loopback, none of them the phones': noise, half a message, INVITEs that cannot be read,
INVITEs for numbers that are not there, responses to nothing, what scanners send.
"""

import random
import secrets
import socket
import sys
import time

HOST = "127.0.0.1"
SOURCES = tuple(f"127.0.0.{last}" for last in range(11, 15))
_BURST = 0.002
"""Seconds between two bursts."""


def request(method: str, source: str, more: str = "") -> bytes:
    """A request as a scanner writes it."""
    word = secrets.token_hex(6)
    return (
        f"{method} sip:{secrets.randbelow(10**6)}@{HOST} SIP/2.0\r\n"
        f"Via: SIP/2.0/UDP {source}:5060;branch=z9hG4bK{word};rport\r\nFrom: <sip:100@{source}>;tag={word}\r\n"
        f"To: <sip:100@{HOST}>\r\nCall-ID: {word}\r\nCSeq: 1 {method}\r\nMax-Forwards: 70\r\n"
        f"Contact: <sip:100@{source}:5060>\r\nUser-Agent: friendly-scanner\r\n{more}Content-Length: 0\r\n\r\n"
    ).encode()


def datagram(dice: random.Random, source: str) -> bytes:
    """Something nobody wants; three in four are no message at all."""
    match dice.randrange(16):
        case 0:
            return request("INVITE", source)
        case 1:
            return request("INVITE", source).replace(b"CSeq: 1", b"CSeq: x")
        case 2:
            return request(dice.choice(("OPTIONS", "REGISTER", "BYE", "CANCEL", "NOTIFY")), source)
        case 3:
            return request("INVITE", source).replace(b"INVITE sip:", b"SIP/2.0 200 ")
        case kind if kind < 6:
            return request("INVITE", source)[: dice.randrange(200)]
        case _:
            return dice.randbytes(dice.randrange(1, 1200))


def flood(port: int, rate: int, seconds: float) -> int:
    """Send; how many there were."""
    dice, sent, began = random.Random(7), 0, time.monotonic()
    sockets = []
    for source in SOURCES:
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.bind((source, 0))
        sockets.append((sock, source))
    ready = [(sock, datagram(dice, source)) for sock, source in sockets for _ in range(500)]
    while (passed := time.monotonic() - began) < seconds:
        while sent < passed * rate:
            sock, data = dice.choice(ready)
            sock.sendto(data, (HOST, port))
            sent += 1
        time.sleep(_BURST)
    return sent


if __name__ == "__main__":
    print(flood(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])))
