"""`sipgw health`: whether the gateway of a configuration answers SIP, for container health checks and scripts.

It asks as a carrier does, with OPTIONS, so that it passes through the same socket, loop and agent as a call.
"""

import secrets
import socket
import time
from pathlib import Path

from rich.console import Console

from sipgw.flow import Endpoint, reachable, written
from sipgw.settings import SettingsError, load

_ASKED = (0.5, 1.0, 1.5)
"""Seconds to wait for the answer each time OPTIONS is sent."""
_LARGEST = 65_535
_PLAIN = {"udp": socket.SOCK_DGRAM, "tcp": socket.SOCK_STREAM}
"""Transports that it takes no certificate to ask over."""


def health(config: Path | None) -> int:
    """Print what the gateway of `config` answers; 0 if it does, 1 if not, 2 where the configuration is wrong.

    Any answer is a sign of life: a gateway that drains says 503, so that carriers go elsewhere, and must not be
    restarted for it.
    """
    try:
        listeners = load(config).sip_options().listeners
    except SettingsError as error:
        Console(stderr=True, highlight=False).print(str(error), markup=False, soft_wrap=True)
        return 2
    console = Console(highlight=False, soft_wrap=True)
    plain = [listener for listener in listeners if listener.transport in _PLAIN]
    if not plain:
        console.print("no listener can be asked: OPTIONS goes over udp or tcp, and there is neither")
        return 1
    transport, address = plain[0].transport, reachable(plain[0].local)
    answer = ask(address, transport)
    shown = f"{transport}:{written(address)}"
    console.print(f"{shown} answers: {answer}" if answer else f"{shown} does not answer", markup=False)
    return 0 if answer else 1


def ask(address: Endpoint, transport: str = "udp", waits: tuple[float, ...] = _ASKED) -> str:
    """Send OPTIONS to `address`, again after each of `waits` seconds; the answer's status and reason, "" for none."""
    family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
    with socket.socket(family, _PLAIN[transport]) as sock:
        sock.settimeout(waits[0])
        try:
            sock.connect(address)
            request = _options(address, sock.getsockname()[:2], transport)
            for wait in waits:
                sock.send(request)
                if answer := _answer(sock, time.monotonic() + wait):
                    return answer
        except OSError:
            return ""  # nobody has the port (ICMP says so on a connected socket), or there is no such address
    return ""


def _answer(sock: socket.socket, until: float) -> str:
    while (left := until - time.monotonic()) > 0:
        sock.settimeout(left)
        try:
            received = sock.recv(_LARGEST)
        except TimeoutError:
            break
        if not received:  # TCP: it hung up
            break
        version, _, status = received.partition(b"\r\n")[0].decode(errors="replace").partition(" ")
        if version == "SIP/2.0":
            return status
    return ""


def _options(address: Endpoint, here: Endpoint, transport: str) -> bytes:
    word = secrets.token_hex(8)
    lines = (
        f"OPTIONS sip:{written(address)} SIP/2.0",
        f"Via: SIP/2.0/{transport.upper()} {written(here)};rport;branch=z9hG4bK{word}",
        "Max-Forwards: 70",
        f"From: <sip:health@{written(here)}>;tag={word}",
        f"To: <sip:{written(address)}>",
        f"Call-ID: {word}",
        "CSeq: 1 OPTIONS",
        "Content-Length: 0",
    )
    return "\r\n".join((*lines, "", "")).encode()
