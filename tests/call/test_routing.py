"""Which route takes a call."""

import pytest

from sipgw.call.routing import Route, Routes
from sipgw.errors import Cause
from sipgw.options import BackendOptions, RouteOptions

BACKENDS = (BackendOptions("a", "echo"), BackendOptions("b", "echo"))


def taken(
    routes: Routes, number: str, source: str = "192.0.2.1", caller: str = "", attestation: str = "unknown"
) -> str | Cause:
    """The first target of the route that takes a call, or why none does."""
    found = routes.find(number, source, caller=caller, attestation=attestation)
    return found.targets[0].name if isinstance(found, Route) else found


@pytest.mark.parametrize(
    ("pattern", "number", "fits"),
    [
        ("+49301", "+49301", True),
        ("+49301", "+493012", False),
        ("+49*", "+49301", True),
        ("+49*", "+49", True),
        ("+49*", "+48301", False),
        ("*", "anything", True),
        ("*", "", True),
        ("echo", "ECHO", False),
    ],
)
def test_a_pattern_is_a_number_or_its_beginning(pattern: str, number: str, fits: bool) -> None:
    routes = Routes([RouteOptions(pattern, ("a",), anyone=True)], BACKENDS)
    assert taken(routes, number) == ("a" if fits else Cause.NOT_FOUND)


@pytest.mark.parametrize(
    ("sources", "source", "served"),
    [
        (("192.0.2.1",), "192.0.2.1", True),
        (("192.0.2.1",), "192.0.2.2", False),
        (("198.51.100.0/24", "192.0.2.0/24"), "192.0.2.200", True),
        (("192.0.2.77/24",), "192.0.2.1", True),
        (("2001:db8::/32",), "2001:db8::7", True),
        (("2001:db8::/32",), "192.0.2.1", False),
        (("192.0.2.0/24",), "::ffff:192.0.2.1", True),
        (("fe80::/10",), "fe80::1%eth0", True),
        (("192.0.2.0/24",), "pbx.example", False),
        ((), "192.0.2.1", False),
    ],
)
def test_a_route_serves_its_sources_only(sources: tuple[str, ...], source: str, served: bool) -> None:
    routes = Routes([RouteOptions("*", ("a",), sources=sources)], BACKENDS)
    assert taken(routes, "1", source) == ("a" if served else Cause.FORBIDDEN)


def test_anyone_means_anyone() -> None:
    routes = Routes([RouteOptions("*", ("a",), anyone=True)], BACKENDS)
    assert taken(routes, "1", "who knows") == "a"


def test_the_first_route_that_fits_is_taken_as_written() -> None:
    wide, narrow = RouteOptions("+49*", ("a",), anyone=True), RouteOptions("+4930*", ("b",), anyone=True)
    assert taken(Routes([wide, narrow], BACKENDS), "+49301") == "a"
    assert taken(Routes([narrow, wide], BACKENDS), "+49301") == "b"


def test_two_trunks_may_have_the_same_numbers() -> None:
    one, other = (
        RouteOptions("*", ("a",), sources=("192.0.2.0/24",)),
        RouteOptions("*", ("b",), sources=("10.0.0.0/8",)),
    )
    routes = Routes([one, other], BACKENDS)
    assert (taken(routes, "1", "192.0.2.1"), taken(routes, "1", "10.1.1.1")) == ("a", "b")
    assert taken(routes, "1", "203.0.113.1") is Cause.FORBIDDEN


def test_targets_come_in_order_with_their_backends() -> None:
    found = Routes([RouteOptions("*", ("b", "nobody", "a"), anyone=True)], BACKENDS).find("1", "192.0.2.1")
    assert isinstance(found, Route)
    assert [(one.name, one.backend) for one in found.targets] == [
        ("b", BACKENDS[1]),
        ("nobody", None),
        ("a", BACKENDS[0]),
    ]


@pytest.mark.parametrize(
    ("caller", "attestation", "target"),
    [
        ("+4930123", "A", "a"),
        ("+4930123", "B", "a"),
        ("+4930123", "C", "b"),
        ("+4930123", "unknown", "b"),
        ("+4940123", "A", "b"),
        ("200", "A", "a"),
        ("2001", "A", "b"),
        ("+4930666", "failed", Cause.NOT_FOUND),
    ],
)
def test_a_route_may_be_for_some_callers_and_some_certainty(caller: str, attestation: str, target: str | Cause) -> None:
    routes = Routes(
        [
            RouteOptions("*", ("a",), callers=("+4930*", "200"), attestation=("A", "B"), anyone=True),
            RouteOptions("*", ("b",), attestation=("A", "C", "unknown"), anyone=True),
        ],
        BACKENDS,
    )
    assert taken(routes, "1", caller=caller, attestation=attestation) == target
