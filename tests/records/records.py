"""Records of calls as the core makes them."""

from typing import Any

from sipgw.ai.carried import NOTHING, Attestation, Carried, Diverted
from sipgw.call.cdr import Attempt, CallRecord, Recording, Utterance
from sipgw.media.plane import StreamStats

NOON = 1_700_049_600.0
"""2023-11-15 12:00 UTC."""
STATS = StreamStats(
    sent_packets=1000, received_packets=990, lost_packets=10, loss_bursts=8, jitter_ms=1.5, round_trip_ms=42.0,
    mos=4.21, far_lost_packets=30, far_jitter_ms=3.0, far_mos=4.02, first_audio_ms=310, drops={"stranger": 2},
)  # fmt: skip


def record(call: str = "n1-1", **more: Any) -> CallRecord:
    """A call of Ann's to 100: the first backend refused, the second talked."""
    given: dict[str, Any] = {
        "call": call, "node": "n1", "sip_call_id": f"{call}@phone", "caller": "+4930123", "caller_name": "Ann",
        "called": "100", "source": "192.0.2.7", "trunk": "", "route": "1*",
        "targets": (
            Attempt("first", NOON + 0.1, "sipgw", ended=NOON + 0.2, failure="refused", number=1),
            Attempt(
                "second", NOON + 0.2, "openai-realtime", ready=NOON + 0.7, ended=NOON + 20.8,
                number=2, connected_ms=120, heard_ms=19_500, said_ms=8_000,
            ),
        ),
        "started": NOON, "ringing": NOON + 0.05, "answered": NOON + 0.8, "ended": NOON + 20.8, "cause": "normal",
        "status": 200, "q850": 16, "hung_up_by": "caller", "reason": "", "codec": "PCMU", "digits": 3, "stats": STATS,
        "turns_ms": (400, 900, 500, 700),
        "recordings": (Recording("/var/lib/sipgw/n1-1.wav", NOON + 0.8, 20.0, "ab" * 32, ((3.0, 7.5),)),),
        "transcript": (
            Utterance(NOON + 2, "agent", "Harbour office, good morning."), Utterance(NOON + 5, "caller", "Moin!"),
        ),
        "headers": {"X-Account": "17"},
        "carried": Carried(
            "sip:+4930123@carrier.example", "sip:100@gw.example", ("tel:+4930123",), ("none", "critical"),
            Attestation("B", "p-asserted-identity"), (Diverted("+4930111", "", "no-answer", 1),),
        ),
    }  # fmt: skip
    return CallRecord(**{**given, **more})


def refused(call: str = "n1-2", **more: Any) -> CallRecord:
    """A call that nobody took."""
    return record(
        call, **{
            "targets": (), "ringing": None, "answered": None, "ended": NOON, "cause": "not_found", "status": 404,
            "q850": 1, "hung_up_by": "gateway", "codec": "", "digits": 0, "stats": None, "turns_ms": (), "route": "",
            "recordings": (), "transcript": (), "headers": {}, "carried": NOTHING,
            **more,
        },
    )  # fmt: skip
