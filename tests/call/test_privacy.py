"""Where a caller's identity goes within a call, and where it does not if the caller wishes so."""

from sipgw.ai.carried import Attestation
from sipgw.call.feed import Kind
from sipgw.media import plane
from sipgw.options import CallOptions, IdentityOptions
from tests.fakes.control import AI, SPARE, Control, only, route

CARRIER = IdentityOptions()
NUMBER = "+15550100123"
SAID = (
    ("P-Asserted-Identity", f'"Ann Lee" <sip:{NUMBER}@carrier.example;verstat=TN-Validation-Passed>'),
    ("Diversion", "<sip:+15550111@pbx.example>;reason=user-busy"),
    ("X-ANI", NUMBER),
    ("X-Account", "7"),
)


def call(control: Control, *more: tuple[str, str], identity: IdentityOptions = CARRIER) -> None:
    """A whole call with these headers."""
    phone = control.invite(headers=(*SAID, *more), identity=identity)
    phone.talks()
    phone.bye()
    phone.session_ended()
    control.settled()


def test_backend_view_feed_log_and_record_learn_who_calls_and_how_sure_that_is() -> None:
    control = Control()
    phone = control.invite(headers=SAID, identity=CARRIER)
    facts = only(plane.ConnectBackend, control.commands()).facts
    assert (facts.caller, facts.caller_name) == (NUMBER, "Ann Lee")
    assert facts.carried.attestation == Attestation("A", "p-asserted-identity")
    (view,) = control.calls.calls()
    assert (view.caller, view.carried) == (NUMBER, facts.carried)
    phone.talks()
    phone.bye()
    phone.session_ended()
    record = control.record
    assert (record.caller, record.caller_name, record.carried) == (NUMBER, "Ann Lee", facts.carried)
    assert record.headers == {"X-ANI": NUMBER, "X-Account": "7"}
    brief = {
        "attestation": "A", "attestation_source": "p-asserted-identity", "privacy": "", "diverted_by": "+15550111",
    }  # fmt: skip
    for kind in (Kind.STARTED, Kind.ENDED):
        (told,) = (one.data for one in control.happenings if one.kind is kind)
        assert brief.items() <= told.items()
    assert brief.items() <= control.logs[-1].fields.items()


def test_nobody_outside_learns_who_a_private_caller_is() -> None:
    control = Control()
    call(control, ("Privacy", "id"))
    record = control.record
    assert (record.caller, record.caller_name, record.headers) == ("anonymous", "anonymous", {"X-Account": "7"})
    assert record.carried.privacy == ("id",)
    outside = (record, control.happenings, control.logs, only(plane.ConnectBackend, control.commands()).facts)
    for told in map(str, (*outside, *control.notes)):
        assert NUMBER[-7:] not in told
        assert "Ann Lee" not in told


def test_what_was_left_out_is_traced_by_name() -> None:
    control = Control()
    call(control, ("Privacy", "id"), ("Diversion", "<sip"))
    found = [(note.name, note.detail) for note in control.notes if note.name in ("private_header", "bad_header")]
    assert found == [("private_header", "X-ANI"), ("bad_header", "Diversion")]


def test_routes_see_the_number_that_others_do_not() -> None:
    routes = (route(callers=("+1555010*",), attestation=("A",)), route("spare"))
    for identity, target in ((CARRIER, "ai"), (IdentityOptions(order=("from",)), "spare")):
        control = Control(CallOptions(routes=routes, backends=(AI, SPARE)))
        call(control, ("Privacy", "id"), identity=identity)
        assert (control.record.target, control.record.caller) == (target, "anonymous")
