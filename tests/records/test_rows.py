"""From records to rows: exact numbers."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from sipgw.call.cdr import HOOK, Attempt, Replacement
from sipgw.records.rows import call_row, percentile, rows
from tests.records.records import NOON, record, refused


def test_the_row_of_an_answered_call() -> None:
    noon = datetime(2023, 11, 15, 12, tzinfo=UTC)
    assert call_row(record()) == {
        "call": "n1-1", "node": "n1", "sip_call_id": "n1-1@phone", "source": "192.0.2.7", "trunk": "", "route": "1*",
        "caller": "+4930123", "caller_name": "Ann", "called": "100", "target": "second",
        "started": noon,
        "ringing": noon.replace(microsecond=50_000),
        "answered": noon.replace(microsecond=800_000),
        "ended": noon.replace(second=20, microsecond=800_000),
        "seconds": 20.0, "post_dial_seconds": 0.05,
        "cause": "normal", "status": 200, "q850": 16, "hung_up_by": "caller", "reason": "", "codec": "PCMU",
        "digits": 3, "first_audio_ms": 310, "mos": 4.02,
        "turns_ms": [400, 900, 500, 700], "turn_p50_ms": 500, "turn_p95_ms": 900,
        "far_status": None, "far_q850": None, "far_text": "",
        "attestation": "B", "attestation_source": "p-asserted-identity", "privacy": "none, critical",
        "diverted_by": "+4930111", "headers": {"X-Account": "17"},
        "carried": {
            "from": "sip:+4930123@carrier.example", "to": "sip:100@gw.example", "asserted": ["tel:+4930123"],
            "privacy": ["none", "critical"], "attestation": {"level": "B", "source": "p-asserted-identity"},
            "diversions": [{"number": "+4930111", "name": "", "reason": "no-answer", "counter": 1}],
            "history": [], "user_to_user": [], "identity": [],
        },
    }  # fmt: skip


def test_the_callers_leg_has_what_was_counted_both_ways() -> None:
    noon = datetime(2023, 11, 15, 12, tzinfo=UTC)
    leg = rows(record())["legs"][0]
    assert leg == {
        "call": "n1-1", "number": 0, "kind": "caller", "name": "+4930123", "sip_call_id": "n1-1@phone",
        "dialect": "", "failure": "", "advice": "", "started": noon, "ready": noon.replace(microsecond=800_000),
        "ended": noon.replace(second=20, microsecond=800_000),
        "connected_ms": None, "heard_ms": 0, "said_ms": 0, "codec": "PCMU", "srtp": "",
        "sent_packets": 1000, "received_packets": 990, "lost_packets": 10, "late_packets": 0, "jitter_ms": 1.5,
        "round_trip_ms": 42.0, "mos": 4.21, "far_lost_packets": 30, "far_jitter_ms": 3.0, "far_mos": 4.02,
        "concealed_ms": 0, "filled_ms": 0, "drops": {"stranger": 2},
    }  # fmt: skip


def test_each_backend_that_was_tried_has_a_leg_that_says_when_and_why_it_failed() -> None:
    legs = rows(record())["legs"][1:]
    wanted = ("number", "kind", "name", "dialect", "failure", "connected_ms", "heard_ms", "said_ms", "sent_packets")
    assert [tuple(leg[name] for name in wanted) for leg in legs] == [
        (1, "ai", "first", "sipgw", "refused", None, 0, 0, None),
        (2, "ai", "second", "openai-realtime", "", 120, 19_500, 8_000, None),
    ]
    noon = datetime(2023, 11, 15, 12, tzinfo=UTC)
    assert (legs[0]["ready"], legs[0]["ended"]) == (None, noon.replace(microsecond=200_000))
    assert legs[1]["ready"] == noon.replace(microsecond=700_000)


def test_a_hook_that_was_asked_has_a_leg_that_says_what_it_said() -> None:
    said = Attempt("ask:crm", 1.0, HOOK, ended=1.1, advice="backend ai")
    silent = Attempt("ask:crm", 1.0, HOOK, ended=2.0, failure="timeout", advice="continue", remembered="stale")
    legs = rows(replace(record(), targets=(said, silent)))["legs"][1:]
    assert [(leg["kind"], leg["name"], leg["failure"], leg["advice"]) for leg in legs] == [
        ("hook", "ask:crm", "", "backend ai"),
        ("hook", "ask:crm", "timeout", "continue (stale)"),
    ]


def test_who_took_the_callers_place_has_a_leg_with_its_own_dialog() -> None:
    one, other = Replacement(NOON + 5, "desk", "192.0.2.8", "b@desk"), Replacement(NOON + 9, "bob", "192.0.2.9", "c@b")
    legs = rows(record(replacements=(one, other)))["legs"]
    noon = datetime(2023, 11, 15, 12, tzinfo=UTC)
    wanted = ("number", "kind", "name", "sip_call_id", "started", "ended")
    end = noon.replace(second=20, microsecond=800_000)
    assert [tuple(leg[name] for name in wanted) for leg in (legs[0], *legs[-2:])] == [
        (0, "caller", "+4930123", "n1-1@phone", noon, noon.replace(second=5)),
        (3, "replacement", "desk", "b@desk", noon.replace(second=5), noon.replace(second=9)),
        (4, "replacement", "bob", "c@b", noon.replace(second=9), end),
    ]


def test_words_and_files_are_rows_in_their_order() -> None:
    noon = datetime(2023, 11, 15, 12, tzinfo=UTC)
    both = rows(record())
    assert both["utterances"] == [
        {"call": "n1-1", "number": 1, "at": noon.replace(second=2), "who": "agent",
         "text": "Harbour office, good morning."},
        {"call": "n1-1", "number": 2, "at": noon.replace(second=5), "who": "caller", "text": "Moin!"},
    ]  # fmt: skip
    assert both["recordings"] == [
        {"call": "n1-1", "number": 1, "path": "/var/lib/sipgw/n1-1.wav", "started": noon.replace(microsecond=800_000),
         "seconds": 20.0, "sha256": "ab" * 32, "paused": [[3.0, 7.5]], "lost_ms": 0, "failure": ""},
    ]  # fmt: skip


def test_a_refused_call_has_the_callers_leg_alone() -> None:
    every = rows(refused())
    assert [leg["kind"] for leg in every["legs"]] == ["caller"]
    assert (every["legs"][0]["sent_packets"], every["legs"][0]["drops"]) == (None, {})
    assert (every["utterances"], every["recordings"]) == ([], [])


def test_what_never_came_is_nothing_in_the_row_of_a_refused_call() -> None:
    row = call_row(refused())
    assert {name for name, value in row.items() if value is None} == {
        "ringing", "answered", "post_dial_seconds", "first_audio_ms", "mos", "turn_p50_ms", "turn_p95_ms",
        "far_status", "far_q850",
    }  # fmt: skip
    assert (row["status"], row["seconds"], row["turns_ms"], row["target"]) == (404, 0.0, [], "")


def test_without_ringing_the_answer_is_the_first_sign_of_life() -> None:
    assert call_row(record(ringing=None))["post_dial_seconds"] == 0.8


def test_what_the_far_end_said_has_columns_of_its_own() -> None:
    row = call_row(record(far_status=486, far_q850=17, far_text="Busy"))
    assert (row["far_status"], row["far_q850"], row["far_text"]) == (486, 17, "Busy")


def test_a_zero_byte_from_a_far_end_becomes_a_mark_that_every_database_takes() -> None:
    assert call_row(record(caller="a\0b"))["caller"] == "a\ufffdb"


@pytest.mark.parametrize(
    ("values", "percent", "expected"),
    [([], 50, None), ([7], 50, 7), ([7], 95, 7), ([3, 1, 2], 50, 2), ([1, 2], 50, 1), (list(range(1, 101)), 95, 95)],
)
def test_percentiles_are_values_that_were_there(values: list[int], percent: int, expected: int | None) -> None:
    assert percentile(values, percent) == expected
