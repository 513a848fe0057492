"""RFC 3263 with a zone in a dictionary."""

from collections import Counter
from random import Random

import pytest

from sipgw.errors import PeerError
from sipgw.sip.locate import Answers, Naptr, Place, Question, Srv, locate, weighted
from sipgw.sip.uri import Uri

Zone = dict[tuple[str, str], Answers]
ALL = ("udp", "tcp", "tls")


def find(
    uri: str, zone: Zone | None = None, transports: tuple[str, ...] = ALL, families: tuple[str, ...] = ("A",)
) -> tuple[list[str], list[tuple[str, str]]]:
    """The places found, and the questions asked."""
    places, asked = ask(uri, zone or {}, transports, families)
    return [f"{one.transport} {one.address} {one.port}" for one in places], asked


def ask(
    uri: str, zone: Zone, transports: tuple[str, ...] = ALL, families: tuple[str, ...] = ("A",)
) -> tuple[tuple[Place, ...], list[tuple[str, str]]]:
    lookup = locate(Uri.parse(uri), transports, families, Random(1))
    asked: list[tuple[str, str]] = []
    answers: Answers | None = None
    try:
        while True:
            question: Question = next(lookup) if answers is None else lookup.send(answers)
            asked.append((question.kind, question.name))
            answers = zone.get((question.kind, question.name), ())
    except StopIteration as done:
        places: tuple[Place, ...] = done.value
        return places, asked


@pytest.mark.parametrize(
    ("uri", "place"),
    [
        ("sip:a@192.0.2.1", "udp 192.0.2.1 5060"),
        ("sip:a@192.0.2.1:5070", "udp 192.0.2.1 5070"),
        ("sip:a@192.0.2.1;transport=tcp", "tcp 192.0.2.1 5060"),
        ("sip:a@192.0.2.1;transport=TLS", "tls 192.0.2.1 5061"),
        ("sips:a@192.0.2.1", "tls 192.0.2.1 5061"),
        ("sips:a@192.0.2.1;transport=tcp", "tls 192.0.2.1 5061"),
        ("sip:a@[2001:db8::1]", "udp 2001:db8::1 5060"),
    ],
)
def test_an_address_needs_no_question(uri: str, place: str) -> None:
    assert find(uri) == ([place], [])


def test_a_name_with_a_port_is_looked_up_as_a_host() -> None:
    zone: Zone = {("A", "gw.example"): ("192.0.2.1", "192.0.2.2")}
    assert find("sip:a@gw.example:5070", zone) == (
        ["udp 192.0.2.1 5070", "udp 192.0.2.2 5070"],
        [("A", "gw.example")],
    )


def test_the_example_of_the_rfc() -> None:
    zone: Zone = {
        ("NAPTR", "example.com"): (
            Naptr(90, 50, "s", "SIP+D2T", "_sip._tcp.example.com."),
            Naptr(50, 50, "s", "SIPS+D2T", "_sips._tcp.example.com."),
            Naptr(100, 50, "s", "SIP+D2U", "_sip._udp.example.com."),
            Naptr(10, 50, "s", "E2U+email", "mail.example.com."),
        ),
        ("SRV", "_sips._tcp.example.com"): (Srv(1, 0, 5061, "s1.example.com."),),
        ("SRV", "_sip._tcp.example.com"): (Srv(0, 1, 5060, "s1.example.com."), Srv(0, 2, 5060, "s2.example.com.")),
        ("SRV", "_sip._udp.example.com"): (Srv(0, 1, 5060, "s2.example.com."),),
        ("A", "s1.example.com"): ("192.0.2.1",),
        ("A", "s2.example.com"): ("192.0.2.2",),
    }
    places, _ = find("sip:a@example.com", zone)
    assert places[0] == "tls 192.0.2.1 5061"
    assert set(places[1:3]) == {"tcp 192.0.2.1 5060", "tcp 192.0.2.2 5060"}
    assert places[3] == "udp 192.0.2.2 5060"
    assert find("sip:a@example.com", zone, ("udp",))[0] == ["udp 192.0.2.2 5060"]
    assert find("sips:a@example.com", zone)[0] == ["tls 192.0.2.1 5061"]


def test_a_named_transport_asks_for_its_servers_alone() -> None:
    zone: Zone = {
        ("SRV", "_sip._tcp.example.com"): (Srv(10, 0, 5080, "b.example.com"), Srv(5, 0, 5070, "a.example.com")),
        ("A", "a.example.com"): ("192.0.2.1",),
        ("A", "b.example.com"): ("192.0.2.2",),
    }
    places, asked = find("sip:a@example.com;transport=tcp", zone)
    assert places == ["tcp 192.0.2.1 5070", "tcp 192.0.2.2 5080"]
    assert asked[0] == ("SRV", "_sip._tcp.example.com")


def test_without_naptr_the_servers_of_each_transport_are_asked_for_and_then_the_host() -> None:
    places, asked = find("sip:a@gw.example", {("A", "gw.example"): ("192.0.2.1",)})
    assert places == ["udp 192.0.2.1 5060"]
    assert asked == [
        ("NAPTR", "gw.example"), ("SRV", "_sip._udp.gw.example"), ("SRV", "_sip._tcp.gw.example"),
        ("SRV", "_sips._tcp.gw.example"), ("A", "gw.example"),
    ]  # fmt: skip
    assert find("sips:a@gw.example", {("A", "gw.example"): ("192.0.2.1",)})[0] == ["tls 192.0.2.1 5061"]


def test_a_zone_may_say_that_there_is_no_such_service() -> None:
    zone: Zone = {
        ("SRV", "_sip._udp.gw.example"): (Srv(0, 0, 0, "."),),
        ("SRV", "_sip._tcp.gw.example"): (Srv(0, 0, 5060, "gw.example"),),
        ("A", "gw.example"): ("192.0.2.1",),
    }
    assert find("sip:a@gw.example", zone)[0] == ["tcp 192.0.2.1 5060"]


def test_both_families_are_asked_for_in_our_order() -> None:
    zone: Zone = {("A", "gw.example"): ("192.0.2.1",), ("AAAA", "gw.example"): ("2001:db8::1",)}
    assert find("sip:a@gw.example:5060", zone, families=("AAAA", "A"))[0] == [
        "udp 2001:db8::1 5060",
        "udp 192.0.2.1 5060",
    ]


def test_the_certificate_must_prove_the_name_that_was_called() -> None:
    zone: Zone = {
        ("SRV", "_sips._tcp.example.com"): (Srv(0, 0, 5061, "sbc7.carrier.example"),),
        ("A", "sbc7.carrier.example"): ("192.0.2.1",),
    }
    places, _ = ask("sips:a@example.com", zone)
    assert [one.name for one in places] == ["example.com"]


def test_nothing_found_is_nothing() -> None:
    assert find("sip:a@nowhere.example")[0] == []


@pytest.mark.parametrize(
    ("uri", "status"), [("tel:+4930", 416), ("sip:a@b;transport=sctp", 480), ("sips:a@b;transport=udp", 480)]
)
def test_what_we_cannot_call(uri: str, status: int) -> None:
    with pytest.raises(PeerError, match=str(status)):
        find(uri)


def test_sips_needs_tls() -> None:
    with pytest.raises(PeerError, match="480"):
        find("sips:a@b", transports=("udp", "tcp"))


def test_weights_say_how_often_a_server_comes_first() -> None:
    records = (Srv(1, 0, 1, "never.first"), Srv(0, 75, 2, "often"), Srv(0, 25, 3, "seldom"), Srv(0, 0, 4, "hardly"))
    random = Random(7)
    firsts = Counter(weighted(records, random)[0].target for _ in range(2000))
    assert firsts["never.first"] == 0
    assert 1350 < firsts["often"] < 1620
    assert 380 < firsts["seldom"] < 620
    assert 0 < firsts["hardly"] < 80
    assert [one.target for one in weighted(records, random)][-1] == "never.first"


def test_a_zone_cannot_send_us_everywhere() -> None:
    zone: Zone = {("A", "gw.example"): tuple(f"192.0.2.{number}" for number in range(200))}
    assert len(find("sip:a@gw.example:5060", zone)[0]) == 16
