"""Paths to URIs, by a real name server on loopback."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import cast

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest

from sipgw.app.locator import Locator
from sipgw.errors import PeerError
from sipgw.io.dns import Dns
from sipgw.options import ListenerOptions
from sipgw.sip.uri import Uri
from sipgw.trace import Note

ZONE = {
    ("example.com.", "NAPTR"): [
        '10 10 "s" "SIPS+D2T" "" _sips._tcp.example.com.',
        '20 10 "s" "SIP+D2U" "" _sip._udp.example.com.',
    ],
    ("_sips._tcp.example.com.", "SRV"): ["1 0 5061 secure.example.com."],
    ("_sip._udp.example.com.", "SRV"): ["2 0 5070 backup.example.com.", "1 0 5060 main.example.com."],
    ("secure.example.com.", "A"): ["192.0.2.3"],
    ("main.example.com.", "A"): ["192.0.2.1"],
    ("main.example.com.", "AAAA"): ["2001:db8::1"],
    ("backup.example.com.", "A"): ["192.0.2.2"],
}


class NameServer(asyncio.DatagramProtocol):
    """Answers from ZONE; what it was asked is in `asked`."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.ttl = 60
        self.silent = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        query = dns.message.from_wire(data)
        (question,) = query.question
        name, kind = question.name.to_text(), question.rdtype.name
        self.asked.append(f"{kind} {name}")
        if self.silent:
            return
        response = dns.message.make_response(query)
        response.flags |= dns.flags.AA
        records = ZONE.get((name, kind))
        if records:
            response.answer.append(dns.rrset.from_text_list(name, self.ttl, "IN", kind, records))
        elif not any(known == name for known, _ in ZONE):
            response.set_rcode(dns.rcode.NXDOMAIN)
        self._transport.sendto(response.to_wire(), addr)


@pytest.fixture
async def server() -> AsyncIterator[tuple[NameServer, str]]:
    transport, protocol = await asyncio.get_running_loop().create_datagram_endpoint(
        NameServer, local_addr=("127.0.0.1", 0)
    )
    host, port = transport.get_extra_info("sockname")
    yield protocol, f"{host}:{port}"
    transport.close()


Served = tuple[NameServer, str]
LISTENERS = (ListenerOptions(), ListenerOptions("tcp"), ListenerOptions("tls", port=5061))


def found(locator: Locator) -> Callable[[str], "asyncio.Future[list[str]]"]:
    async def find(uri: str) -> list[str]:
        return [f"{flow} {' '.join(flow.names)}".strip() for flow in await locator.find(Uri.parse(uri))]

    return lambda uri: asyncio.ensure_future(find(uri))


async def test_a_zone_with_naptr_and_srv(server: Served) -> None:
    find = found(Locator(Dns((server[1],)), LISTENERS))
    assert await find("sip:a@example.com") == [
        "tls:192.0.2.3:5061 example.com",
        "udp:192.0.2.1:5060",
        "udp:192.0.2.2:5070",
    ]


async def test_flows_leave_from_the_listener_that_can_send_there(server: Served) -> None:
    six = ListenerOptions("udp", "::1", 5060)
    locator = Locator(Dns((server[1],)), (ListenerOptions(), six))
    flows = await locator.find(Uri.parse("sip:main.example.com:5060"))
    assert [(flow.local, flow.remote) for flow in flows] == [
        (("127.0.0.1", 5060), ("192.0.2.1", 5060)),
        (("::1", 5060), ("2001:db8::1", 5060)),
    ]
    assert [flow.local for flow in await locator.find(Uri.parse("sip:main.example.com:5060"), host="::1")] == [
        six.local
    ]


async def test_answers_are_kept_as_long_as_they_say(server: Served) -> None:
    names, address = server
    find = found(Locator(Dns((address,)), LISTENERS))
    await find("sip:main.example.com:5060")
    await find("sip:main.example.com:5060")
    assert names.asked == ["A main.example.com."]
    names.ttl = 0
    await find("sip:backup.example.com:5060")
    await find("sip:backup.example.com:5060")
    assert names.asked.count("A backup.example.com.") == 2


async def test_a_name_that_is_none_leads_nowhere(server: Served) -> None:
    assert await found(Locator(Dns((server[1],)), LISTENERS))("sip:a@nowhere.example") == []


async def test_a_server_that_does_not_answer_is_told_and_not_waited_for(server: Served) -> None:
    names, address = server
    names.silent = True
    notes: list[Note] = []
    assert await found(Locator(Dns((address,), 0.3, notes.append), LISTENERS))("sip:main.example.com:5060") == []
    assert [note.name for note in notes] == ["dns_failed"]


async def test_a_transport_without_a_listener_is_refused(server: Served) -> None:
    with pytest.raises(PeerError, match="480"):
        await found(Locator(Dns((server[1],)), (ListenerOptions(),)))("sip:a@example.com;transport=tls")
