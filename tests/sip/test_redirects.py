"""Calls of ours that are redirected: which places are tried, in which order, how many, and which never."""

from dataclasses import replace

import pytest

from sipgw.flow import Flow
from sipgw.options import RedirectOptions, SipOptions
from sipgw.sip.digest import Credentials
from sipgw.sip.events import Answered, Progressed, Redirected, Refused, Released
from sipgw.sip.message import Headers, Response
from sipgw.sip.redirects import Redirects, Target
from tests.fakes.sip_phone import FLOW, OURS, Heard, Wire, reply
from tests.sip.test_agent_uac import calling, empty

ANYWHERE = RedirectOptions(hosts=("*",))
THERE = Flow("udp", OURS, ("192.0.2.20", 5060))


def moved(*contacts: str, status: int = 302) -> Response:
    return Response(status, "Moved", Headers([("Contact", contact) for contact in contacts]))


def tried(redirects: Redirects, *responses: Response) -> list[str]:
    """Every place that is tried, in order."""
    for response in responses:
        redirects.take("sip:100@pbx.example", response)
    return [target.uri for target in iter(redirects.next, None)]


# Which


def test_the_best_comes_first_and_among_equals_the_order_counts() -> None:
    contacts = ("<sip:c@h>;q=0.1", "<sip:a@h>", "<sip:b@h>;q=0.7", "<sip:e@h>;q=nonsense, <sip:d@h>;q=0.1")
    found = tried(Redirects("sip:100@pbx.example", ANYWHERE), moved(*contacts))
    assert found == ["sip:a@h", "sip:b@h", "sip:c@h", "sip:d@h", "sip:e@h"]


def test_no_more_are_tried_than_the_limit() -> None:
    redirects = Redirects("sip:100@pbx.example", replace(ANYWHERE, limit=2))
    assert tried(redirects, moved(*(f"<sip:{n}@h>" for n in range(9)))) == ["sip:0@h", "sip:1@h"]
    assert tried(redirects, moved("<sip:more@h>")) == []
    assert tried(Redirects("sip:100@pbx.example", RedirectOptions(0, ("*",))), moved("<sip:a@h>")) == []


@pytest.mark.parametrize(
    "contact",
    ["<sip:100@pbx.example>", "<sip:100@PBX.example>", "<sip:%31%30%30@pbx.example>", "<sip:100@pbx.example?X=1>"],
)
def test_the_place_that_sent_us_away_is_not_tried_again(contact: str) -> None:
    redirects = Redirects("sip:100@pbx.example", ANYWHERE)
    assert redirects.take("sip:100@pbx.example", moved(contact)) == [
        f"{contact.strip('<>').partition('?')[0]}: tried already"
    ]
    assert redirects.next() is None


def test_another_port_or_transport_is_another_place() -> None:
    contacts = ("<sip:100@pbx.example:5080>", "<sip:100@pbx.example;transport=tcp>")
    assert len(tried(Redirects("sip:100@pbx.example", RedirectOptions()), moved(*contacts))) == 2


def test_only_the_same_host_unless_others_are_allowed() -> None:
    contacts = ("<sip:a@evil.example>", "<sip:b@pbx.example>", "<sip:c@192.0.2.9>")
    assert tried(Redirects("sip:100@pbx.example", RedirectOptions()), moved(*contacts)) == ["sip:b@pbx.example"]


@pytest.mark.parametrize(
    ("allowed", "host"),
    [("a.example", "A.example"), ("*.example", "a.b.example"), ("*", "anything"),
     ("192.0.2.0/24", "192.0.2.9"), ("192.0.2.9", "192.0.2.9"), ("2001:db8::/32", "[2001:db8::1]")],
)  # fmt: skip
def test_hosts_that_are_allowed(allowed: str, host: str) -> None:
    options = RedirectOptions(hosts=("none.example", allowed))
    assert tried(Redirects("sip:1@pbx", options), moved(f"<sip:a@{host}>")) == [f"sip:a@{host}"]


@pytest.mark.parametrize(
    ("allowed", "host"),
    [("a.example", "b.example"), ("a.example", "xa.example"), ("*.example", "example"), ("*.example", "aexample"),
     ("192.0.2.0/24", "192.0.3.9"), ("192.0.2.9", "192.0.2.99")],
)  # fmt: skip
def test_hosts_that_are_not(allowed: str, host: str) -> None:
    options = RedirectOptions(hosts=(allowed,))
    assert tried(Redirects("sip:1@pbx", options), moved(f"<sip:a@{host}>")) == []


@pytest.mark.parametrize("contact", ["<tel:+4930>", "<mailto:a@b>", "<http://b/>", "*", "nonsense", "<sip:>"])
def test_what_is_no_sip_uri_costs_itself(contact: str) -> None:
    found = tried(Redirects("sip:100@pbx.example", ANYWHERE), moved(contact, "<sip:a@h>"))
    assert found == ["sip:a@h"]


def test_a_secure_call_stays_secure() -> None:
    redirects = Redirects("sips:100@pbx.example", ANYWHERE)
    assert tried(redirects, moved("<sip:a@h>", "<sips:b@h>")) == ["sips:b@h"]


def test_headers_in_a_contact_are_left_out() -> None:
    contact = "<sip:a@h;x=1?Replaces=a%3Bto-tag%3D1%3Bfrom-tag%3D2&Subject=b>"
    assert tried(Redirects("sip:100@pbx.example", ANYWHERE), moved(contact)) == ["sip:a@h;x=1"]


def test_use_proxy_keeps_whom_is_called() -> None:
    redirects = Redirects("sip:100@pbx.example", ANYWHERE)
    redirects.take("sip:100@pbx.example", moved("<sip:proxy.example>", status=305))
    target = redirects.next()
    assert target == Target("sip:100@pbx.example", "sip:proxy.example")
    assert target.hop == "sip:proxy.example"


def test_thousands_of_contacts_are_not_kept() -> None:
    redirects = Redirects("sip:100@pbx.example", RedirectOptions(20, ("*",)))
    assert len(tried(redirects, moved(*(f"<sip:{n}@h>" for n in range(5000))))) == 16


# The ladder


def wire(**more: object) -> Wire:
    return Wire(SipOptions(redirects=RedirectOptions(**{"hosts": ("192.0.2.0/24",), **more})))  # type: ignore[arg-type]


def sent_on(one: Wire, invite: Heard, *contacts: str, status: int = 302) -> Redirected:
    """The INVITE is redirected; what the agent asks for."""
    (ack,) = one.gets(reply(invite, status, to_tag="x", contact=", ".join(contacts)))
    assert ack.brief == "ACK"
    (event,) = one.events()
    assert isinstance(event, Redirected)
    return event


def followed(one: Wire, leg: str, flow: Flow = THERE) -> Heard:
    one.agent.follow(leg, (flow,), one.now)
    (invite,) = one.take()
    return invite


@pytest.mark.parametrize("status", [300, 301, 302, 380])
def test_a_redirected_call_goes_on_as_the_same_leg(status: int) -> None:
    leg, first = calling(one := wire())
    assert sent_on(one, first, "<sip:desk@192.0.2.20>", status=status) == Redirected(leg, "sip:desk@192.0.2.20")
    second = followed(one, leg)
    assert second.first == "INVITE sip:desk@192.0.2.20 SIP/2.0"
    # Same call, next number (section 8.1.3.4).
    assert (second["Call-ID"], second["From"], second["To"], second["CSeq"]) == (
        *(first["Call-ID"], first["From"], first["To"], "2 INVITE"),
    )
    assert (second.flow, second.body, second["X-A"]) == (THERE, first.body, "1")
    assert second["Via"] != first["Via"]
    one.gets(reply(second, 180, to_tag="desk"), THERE)
    (ack,) = one.gets(reply(second, 200, to_tag="desk", contact="<sip:desk@192.0.2.20>"), THERE)
    assert ack["CSeq"] == "2 ACK"
    assert [type(event) for event in one.events()] == [Progressed, Answered]


def test_use_proxy_goes_by_the_proxy() -> None:
    leg, first = calling(one := wire())
    assert sent_on(one, first, "<sip:192.0.2.20>", status=305).uri == "sip:192.0.2.20"
    second = followed(one, leg)
    assert (second.first, second["Route"]) == (first.first, "<sip:192.0.2.20;lr>")


def test_places_are_tried_one_after_the_other_and_the_last_refusal_is_told() -> None:
    leg, invite = calling(one := wire())
    assert sent_on(one, invite, "<sip:b@192.0.2.2>;q=0.5", "<sip:a@192.0.2.1>").uri == "sip:a@192.0.2.1"
    invite = followed(one, leg)
    # That one sends us on as well, and back.
    assert sent_on(one, invite, "<sip:c@192.0.2.3>;q=0.2, <sip:human@127.0.0.1:5070>").uri == "sip:b@192.0.2.2"
    invite = followed(one, leg)
    one.gets(reply(invite, 486, to_tag="b"))
    assert one.events() == [Redirected(leg, "sip:c@192.0.2.3")]
    invite = followed(one, leg)
    one.gets(reply(invite, 480, to_tag="c"))
    (event,) = one.events()
    assert isinstance(event, Refused)
    assert (event.status, event.initial) == (480, True)
    one.until(200.0)
    assert empty(one)


def test_a_refusal_for_everywhere_ends_it() -> None:
    leg, invite = calling(one := wire())
    sent_on(one, invite, "<sip:a@192.0.2.1>", "<sip:b@192.0.2.2>")
    one.gets(reply(followed(one, leg), 603, to_tag="a"))
    (event,) = one.events()
    assert isinstance(event, Refused)
    assert event.status == 603


def test_a_place_that_cannot_be_found_is_passed_over() -> None:
    leg, invite = calling(one := wire())
    sent_on(one, invite, "<sip:a@192.0.2.1>", "<sip:b@192.0.2.2>")
    one.agent.follow(leg, (), 0.0)
    assert one.events() == [Redirected(leg, "sip:b@192.0.2.2")]
    one.agent.follow(leg, (), 0.0)
    (event,) = one.events()
    assert isinstance(event, Refused)
    assert event.status == 302
    one.until(200.0)
    assert empty(one)


def test_where_nobody_says_where_it_is_the_call_ends() -> None:
    leg, invite = calling(one := wire())
    sent_on(one, invite, "<sip:a@192.0.2.1>")
    one.until(31.9)
    assert one.events() == []
    one.until(32.0)
    (event,) = one.events()
    assert isinstance(event, Refused)
    assert event.status == 302
    one.agent.follow(leg, (THERE,), 33.0)
    assert one.take() == []
    assert one.drops()[-1] == "late_command"


@pytest.mark.parametrize("more", [{"limit": 0}, {"hosts": ()}])
def test_a_foreign_place_is_not_followed_unless_allowed(more: dict[str, object]) -> None:
    _, invite = calling(one := wire(**more))
    one.gets(reply(invite, 302, to_tag="x", contact="<sip:a@192.0.2.1>"))
    (event,) = one.events()
    assert isinstance(event, Refused)
    assert event.status == 302


def test_a_foreign_place_does_not_get_our_credentials() -> None:
    one = wire()
    known = (Credentials("us", "secret"),)
    leg = one.agent.invite("sip:100@127.0.0.1:5070", FLOW, b"", 0.0, from_="<sip:us@b>", credentials=known)
    (invite,) = one.take()
    sent_on(one, invite, "<sip:a@192.0.2.1>")
    asked = 'WWW-Authenticate: Digest realm="r", nonce="n", algorithm=MD5\r\n'
    one.gets(reply(followed(one, leg), 401, to_tag="x", more=asked))
    (event,) = one.events()
    assert isinstance(event, Refused)
    assert event.status == 401


# Giving up meanwhile


def test_a_call_that_is_given_up_while_a_place_is_looked_for_is_released() -> None:
    leg, invite = calling(one := wire())
    sent_on(one, invite, "<sip:a@192.0.2.1>")
    one.agent.hang_up(leg, 0.0)
    assert (one.take(), one.events()) == ([], [Released(leg)])
    one.agent.follow(leg, (THERE,), 0.0)
    assert one.take() == []
    one.until(200.0)
    assert empty(one)


def test_a_redirection_that_crosses_our_cancel_is_not_followed() -> None:
    leg, invite = calling(one := wire())
    one.gets(reply(invite, 100))
    one.agent.hang_up(leg, 0.0)
    one.take()
    one.gets(reply(invite, 302, to_tag="x", contact="<sip:a@192.0.2.1>"))
    assert one.events() == [Released(leg)]


def test_the_second_place_is_cancelled_where_it_is() -> None:
    leg, invite = calling(one := wire())
    sent_on(one, invite, "<sip:a@192.0.2.1>")
    second = followed(one, leg)
    one.gets(reply(second, 180, to_tag="a"), THERE)
    one.agent.hang_up(leg, 0.0)
    (cancel,) = one.take()
    assert (cancel.first, cancel["CSeq"], cancel.flow) == ("CANCEL sip:a@192.0.2.1 SIP/2.0", "2 CANCEL", THERE)


def test_a_word_nobody_asked_for_changes_nothing() -> None:
    leg, _ = calling(one := wire())
    one.agent.follow(leg, (THERE,), 0.0)
    assert (one.take(), one.events(), one.drops()) == ([], [], ["late_command"])
