"""We register with a carrier: ladders in simulated time (RFC 3261 section 10)."""

import pytest

from sipgw.flow import Flow
from sipgw.options import CredentialOptions, RegistrationOptions, SipOptions, TrunkOptions
from sipgw.sip.digest import Challenge
from sipgw.sip.events import Invited
from sipgw.sip.registration import PlacesWanted, Registered, RegistrationEvent, Unregistered
from tests.fakes.sip_phone import FLOW, OURS, Heard, Phone, Wire, reply

FIRST, SECOND = "sip:one.carrier.example", "sip:two.carrier.example;transport=udp"
ELSEWHERE = Flow("udp", OURS, ("192.0.2.2", 5060))


def trunk(*registrars: str, **more: object) -> TrunkOptions:
    options = RegistrationOptions(registrars or (FIRST,), "15551234", "carrier.example", **more)  # type: ignore[arg-type]
    return TrunkOptions("carrier", credentials=(CredentialOptions("user", "secret"),), register=options)


def told(wire: Wire) -> list[RegistrationEvent]:
    return wire.agent.registration_events()


def asking(wire: Wire, options: TrunkOptions | None = None, *flows: Flow) -> Heard:
    """The REGISTER that has just been sent."""
    wire.agent.register(options or trunk(), wire.now)
    assert told(wire) == [PlacesWanted("carrier", FIRST)]
    wire.agent.places("carrier", flows or (FLOW,), wire.now)
    (register,) = wire.take()
    return register


def granted(register: Heard, expires: int) -> str:
    """A 200 that lists our binding and somebody else's."""
    more = f"Contact: <sip:other@192.0.2.7>;expires=7\r\nContact: {register['Contact']};expires={expires}\r\n"
    return reply(register, 200, to_tag="r", more=more)


def again(wire: Wire, until: float) -> Heard:
    """The next REGISTER, once its places were asked for and told."""
    wire.until(until)
    (wanted,) = told(wire)
    assert isinstance(wanted, PlacesWanted)
    wire.agent.places("carrier", (FLOW,), wire.now)
    (register,) = wire.take()
    return register


def test_a_registration_and_its_refresh() -> None:
    wire = Wire()
    register = asking(wire)
    assert register.first == "REGISTER sip:one.carrier.example SIP/2.0"
    assert register["To"] == "<sip:15551234@carrier.example>"
    assert register["From"].startswith("<sip:15551234@carrier.example>;tag=")
    assert register["Contact"].startswith("<sip:15551234@127.0.0.1:5060;rinstance=")
    assert (register["Expires"], register["CSeq"]) == ("3600", "1 REGISTER")
    wire.gets(granted(register, 120))
    assert told(wire) == [Registered("carrier", 120, FLOW)]
    # Not all of a node at once, and early enough for a lost round.
    wire.until(89.9)
    assert told(wire) == []
    refresh = again(wire, 108.1)
    assert refresh["CSeq"] == "2 REGISTER"
    assert (refresh["Call-ID"], refresh["Contact"]) == (register["Call-ID"], register["Contact"])


def test_without_a_contact_in_the_answer_expires_counts_and_then_what_we_asked_for() -> None:
    for more, seconds in (("Expires: 60\r\n", 60), ("", 3600), ("Expires: soon\r\n", 3600)):
        wire = Wire()
        wire.gets(reply(asking(wire), 200, to_tag="r", more=more, contact="<sip:x@192.0.2.1>"))
        (registered,) = told(wire)
        assert isinstance(registered, Registered)
        assert registered.expires == seconds


def test_a_registrar_that_asks_who_we_are() -> None:
    wire = Wire()
    register = asking(wire)
    challenge = Challenge("carrier.example", "n", "MD5", ("auth",))
    (second,) = wire.gets(reply(register, 401, to_tag="r", more=f"WWW-Authenticate: {challenge}\r\n"))
    assert 'username="user"' in second["Authorization"]
    assert second["CSeq"] == "2 REGISTER"
    wire.gets(granted(second, 100))
    assert isinstance(told(wire)[0], Registered)
    # The refresh proves it without being asked.
    assert "nc=00000002" in again(wire, 91.0)["Authorization"]


def test_too_brief_an_interval_is_asked_for_again() -> None:
    wire = Wire()
    register = asking(wire, trunk(expires=60))
    (second,) = wire.gets(reply(register, 423, to_tag="r", more="Min-Expires: 300\r\n"))
    assert (second["Expires"], second["CSeq"]) == ("300", "2 REGISTER")


def test_the_next_registrar_is_tried_at_once_and_the_first_again_after_a_wait() -> None:
    wire = Wire()
    register = asking(wire, trunk(FIRST, SECOND))
    wire.gets(reply(register, 503, to_tag="r"))
    wire.until(0.0)
    assert told(wire) == [Unregistered("carrier", 503, "Whatever", 0.0), PlacesWanted("carrier", SECOND)]
    wire.agent.places("carrier", (), wire.now)
    (failed,) = told(wire)
    assert isinstance(failed, Unregistered)
    assert failed.retry is not None
    assert 15.0 <= failed.retry <= 30.0
    wire.until(30.0)
    assert told(wire) == [PlacesWanted("carrier", FIRST)]


def test_waits_grow_and_retry_after_is_kept_to() -> None:
    wire = Wire()
    register = asking(wire)
    waits = []
    for _ in range(8):
        wire.gets(reply(register, 500, to_tag="r"))
        (failed,) = told(wire)
        assert isinstance(failed, Unregistered)
        assert failed.retry is not None
        waits.append(failed.retry)
        register = again(wire, wire.now + failed.retry + 0.1)
    longest = (30, 60, 120, 240, 480, 960, 1800, 1800)
    assert all(base / 2 <= wait <= base for wait, base in zip(waits, longest, strict=True))
    wire.gets(reply(register, 503, to_tag="r", more="Retry-After: 5000 (maintenance)\r\n"))
    (failed,) = told(wire)
    assert isinstance(failed, Unregistered)
    assert failed.retry == 5000.0


def test_silence_is_a_failure() -> None:
    wire = Wire()
    asking(wire)
    wire.until(32.1)
    assert [type(event) for event in told(wire)] == [Unregistered]


def test_the_next_place_of_a_registrar_is_tried_first() -> None:
    wire = Wire()
    asking(wire, None, FLOW, ELSEWHERE)
    wire.agent.transport_failed(FLOW, 0.0)
    (second,) = wire.take()
    assert second.flow == ELSEWHERE
    wire.gets(granted(second, 100), ELSEWHERE)
    assert told(wire) == [Registered("carrier", 100, ELSEWHERE)]


def test_at_the_end_it_is_taken_back() -> None:
    wire = Wire()
    register = asking(wire)
    wire.gets(granted(register, 100))
    told(wire)
    wire.agent.leave("carrier", 1.0)
    (leaving,) = wire.take()
    assert (leaving.brief, leaving["Expires"], leaving["Contact"]) == ("REGISTER", "0", register["Contact"])
    wire.gets(reply(leaving, 200))
    assert told(wire) == [Unregistered("carrier", 200, "left", None)]
    wire.until(500.0)
    assert told(wire) == []
    assert wire.agent.next_timer() is None


def test_leaving_before_it_was_ever_registered_sends_nothing() -> None:
    wire = Wire()
    wire.agent.register(trunk(), 0.0)
    wire.agent.leave("carrier", 0.0)
    wire.agent.places("carrier", (FLOW,), 0.0)
    assert wire.take() == []


def test_a_lost_connection_is_registered_anew() -> None:
    wire = Wire()
    stream = Flow("tcp", OURS, ("192.0.2.2", 5060))
    register = asking(wire, None, stream)
    assert ";transport=tcp;rinstance=" in register["Contact"]
    wire.gets(granted(register, 100), stream)
    told(wire)
    wire.agent.flow_lost(stream, 10.0)
    wire.until(12.1)
    assert told(wire) == [PlacesWanted("carrier", FIRST)]


def test_calls_come_from_the_registrar() -> None:
    wire = Wire(SipOptions(trunks=(trunk(),), known=()))
    assert wire.gets(Phone().invite()) == []
    wire.gets(granted(asking(wire), 100))
    wire.gets(Phone(branch="z9hG4bK-2").invite())
    (event,) = wire.events()
    assert isinstance(event, Invited)
    assert event.trunk == "carrier"


def test_a_reload_does_not_make_a_stranger_of_the_registrar() -> None:
    wire = Wire(SipOptions(trunks=(trunk(),), known=()))
    wire.gets(granted(asking(wire), 100))
    wire.agent.reconfigure(SipOptions(trunks=(trunk(),), known=()), 0.0)
    wire.gets(Phone().invite())
    assert [type(event) for event in wire.events()] == [Invited]
    wire.agent.reconfigure(SipOptions(known=()), 0.0)
    assert wire.gets(Phone(call_id="2", branch="z9hG4bK-2").invite()) == []


@pytest.mark.parametrize("status", [403, 404, 603])
def test_a_refusal_is_told(status: int) -> None:
    wire = Wire()
    wire.gets(reply(asking(wire), status, to_tag="r"))
    (failed,) = told(wire)
    assert isinstance(failed, Unregistered)
    assert failed.status == status
