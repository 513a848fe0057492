"""Calls with SRTP: by whose policy, with whose keys, and who gets to know of it."""

import base64

import pytest

from sipgw.call import effects as do
from sipgw.call.commands import HoldCall, ResumeCall
from sipgw.call.feed import Kind
from sipgw.media import plane
from sipgw.options import CallOptions, SrtpPolicy
from sipgw.sdp.model import Sdp
from tests.fakes.control import Control, commands, only, route, sdp

SUITE = "AES_CM_128_HMAC_SHA1_80"
FIRST, SECOND = bytes(range(30)), bytes(range(30, 60))


def secure(key: bytes = FIRST, protocol: str = "RTP/SAVP", **changes: object) -> bytes:
    """What the phone offers or answers, with a key of its own."""
    plain = sdp(**changes)  # type: ignore[arg-type]
    line = f"a=crypto:1 {SUITE} inline:{base64.b64encode(key).decode()}\r\n".encode()
    return plain.replace(b"RTP/AVP", protocol.encode()) + line


def policy(srtp: SrtpPolicy, by_trunk: dict[str, SrtpPolicy] | None = None) -> CallOptions:
    return CallOptions(routes=(route("ai"),), srtp=srtp, trunk_srtp=by_trunk or {})


def keys_in(body: bytes) -> list[bytes]:
    values = Sdp.parse(body).media[0].values("crypto")
    return [base64.b64decode(value.partition("inline:")[2]) for value in values]


def changed(effects: list[do.Effect]) -> plane.Srtp | None:
    return only(plane.UpdateSession, commands(effects)).stream.srtp


def test_keys_are_agreed_kept_and_changed() -> None:
    control = Control()
    phone = control.invite(secure())
    created = only(plane.CreateSession, control.commands()).stream.srtp
    assert created is not None
    assert (created.suite, created.theirs) == (SUITE, FIRST)
    phone.talks()
    (answer,) = [effect for effect in control.effects if isinstance(effect, do.Answer)]
    assert keys_in(answer.body) == [created.ours]
    assert b"m=audio 20002 RTP/SAVP 0 101\r\n" in answer.body
    # The phone holds and resumes with the key it has.
    assert changed(phone.reinvite(secure(way="sendonly", version=2))) == created
    phone.ack()
    assert changed(phone.reinvite(secure(version=3))) == created
    phone.ack()
    # We hold: transport and key are what they were.
    offer = only(do.Reinvite, control.command(HoldCall("n1-0001"))).body
    assert b"RTP/SAVP" in offer
    assert keys_in(offer) == [created.ours]
    assert changed(phone.accepts(secure(way="recvonly", version=4))) == created
    # Another process goes on with them.
    control.restart()
    control.command(ResumeCall("n1-0001"))
    assert changed(phone.accepts(secure(version=5))) == created
    # The phone takes another key, and gets another.
    effects = phone.reinvite(secure(SECOND, version=6))
    fresh = changed(effects)
    assert fresh is not None
    assert (fresh.suite, fresh.theirs) == (SUITE, SECOND)
    assert fresh.ours != created.ours
    assert keys_in(only(do.Answer, effects).body) == [fresh.ours]


def test_without_an_offer_keys_are_offered_and_the_ack_takes_one() -> None:
    control = Control(policy("required"))
    phone = control.invite(b"")
    phone.ready()
    offered = only(do.Answer, control.effects).body
    assert b"RTP/SAVP" in offered
    assert len(keys_in(offered)) == 3
    assert changed(phone.ack(secure())) == plane.Srtp(SUITE, keys_in(offered)[0], FIRST)


@pytest.mark.parametrize(
    ("options", "trunk", "status"),
    [
        (policy("required"), "", 488),
        (policy("required", {"carrier": "optional"}), "carrier", 0),
        (policy("off", {"carrier": "required"}), "carrier", 488),
        (policy("optional", {"carrier": "required"}), "other", 0),
        (policy("optional", {"phone:desk": "required"}), "phone:desk", 488),
    ],
)
def test_plain_rtp_goes_by_the_policy_of_the_trunk(options: CallOptions, trunk: str, status: int) -> None:
    control = Control(options)
    control.invite(trunk=trunk)
    refusals = [effect for effect in control.effects if isinstance(effect, do.Refuse)]
    assert [one.status for one in refusals] == ([status] if status else [])
    if refusals:
        assert "SRTP is required" in dict(refusals[0].headers)["Warning"]


def test_a_re_invite_to_plain_rtp_is_refused_where_srtp_is_required_and_the_call_goes_on() -> None:
    control = Control(policy("required"))
    phone = control.invite(secure()).talks()
    effects = phone.reinvite(sdp(version=2))
    assert only(do.Refuse, effects).status == 488
    assert commands(effects) == []
    phone.bye()
    phone.over()
    assert (control.record.cause, control.record.srtp) == ("normal", SUITE)


def test_who_takes_the_callers_place_goes_by_the_policy_of_its_own_trunk() -> None:
    control = Control(policy("off", {"carrier": "required"}))
    phone = control.invite().talks()
    refusal = only(do.Refuse, phone.replaced(trunk="carrier"))
    assert (refusal.leg, refusal.status) == ("leg2", 488)
    assert control.calls.calls()[0].srtp == ""
    keys = changed(phone.replaced(leg="leg3", trunk="carrier", body=secure(port=41_000)))
    assert keys is not None
    assert (keys.suite, keys.theirs) == (SUITE, FIRST)
    assert control.calls.calls()[0].srtp == SUITE


@pytest.mark.parametrize(("offer", "suite"), [(secure(), SUITE), (secure(protocol="RTP/AVP"), SUITE), (sdp(), "")])
def test_who_looks_is_told_the_suite_and_nobody_a_key(offer: bytes, suite: str) -> None:
    control = Control()
    phone = control.invite(offer).talks()
    assert control.calls.calls()[0].srtp == suite
    ours = control.known[phone.session].stream.srtp
    phone.bye()
    phone.over()
    (answered,) = [one for one in control.happenings if one.kind is Kind.ANSWERED]
    assert answered.data["srtp"] == control.record.srtp == suite
    told = repr((control.notes, control.happenings, control.logs, control.record, control.commands()))
    for key in (ours.ours, ours.theirs) if ours else ():
        assert base64.b64encode(key).decode() not in told
        assert repr(key)[2:-1] not in told
