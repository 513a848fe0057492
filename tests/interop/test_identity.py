"""Who calls, by headers that SIPp sends, at the other ends of a real gateway: the backend, the log and the record."""

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.backend import FakeBackend
from tests.interop.gateway import running
from tests.interop.test_sipp import sipp

pytestmark = pytest.mark.interop

SIGNED = 'eyJhbGci.eyJvcmln.c2lnbmF0dXJl;info=<https://certificates.example/sp.pem>;alg=ES256;ppt="shaken"'
COMPACT = "..c2lnbmF0dXJl;info=<https://certificates.example/sp.pem>"
NUMBER = "+15550100123"


async def call(folder: Path, privacy: str, trunks: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any], str]:
    """One call from this machine: what the backend was told of it, its record, and the gateway's whole log."""
    async with FakeBackend() as backend:
        settings = {
            "state": str(folder / "state"),
            "backends": {"ai": {"dialect": "sipgw", "url": backend.url}},
            "trunks": trunks,
            "routes": [{"number": "*", "targets": ["ai"], "sources": ["127.0.0.1"]}],
        }
        async with running(folder, settings) as gateway:
            await sipp(gateway, "identity", folder, "-key", "privacy", privacy)
            await gateway.said("call ended")
        (start,) = await backend.sent("start")
        log = json.dumps(gateway.lines)
    with sqlite3.connect(folder / "state" / "records.db") as database:
        database.row_factory = sqlite3.Row
        (row,) = database.execute("SELECT * FROM calls").fetchall()
    database.close()
    return start["call"], dict(row), log


CARRIER = {"carrier": {"sources": ["127.0.0.1"]}}


async def test_a_trunk_says_who_calls(tmp_path: Path) -> None:
    told, record, _ = await call(tmp_path, "none", CARRIER)
    assert (told["caller"], told["caller_name"]) == (record["caller"], record["caller_name"]) == (NUMBER, "Ann Lee")
    carried = told["carried"]
    assert json.loads(record["carried"]) == carried
    assert carried["attestation"] == {"level": "B", "source": "p-asserted-identity"}
    assert carried["diversions"] == [
        {"number": "+15550111", "name": "Desk", "reason": "no-answer", "counter": 2},
        {"number": "anonymous", "name": "anonymous", "reason": "unknown", "counter": 1},
    ]
    assert [(one["index"], one["cause"]) for one in carried["history"]] == [("1", 302), ("1.1", None)]
    assert [one["data"] for one in carried["user_to_user"]] == ["00fa1b2c", "two, words"]
    assert carried["identity"] == [SIGNED, COMPACT]
    assert json.loads(record["headers"]) == told["headers"]
    assert (told["headers"]["X-Account"], told["headers"]["X-ANI"]) == ("4711", NUMBER[1:])
    assert (record["attestation"], record["privacy"], record["diverted_by"]) == ("B", "none", "+15550111")


async def test_a_private_caller_is_nobody_at_the_backend_in_the_record_and_in_the_log(tmp_path: Path) -> None:
    told, record, log = await call(tmp_path, "id", CARRIER)
    assert (told["caller"], told["caller_name"]) == (record["caller"], record["caller_name"]) == ("anonymous",) * 2
    assert (told["carried"]["asserted"], told["carried"]["identity"]) == ([], [])
    assert told["headers"].keys() == {"X-Account", "User-to-User"}
    for text in (json.dumps(told), str(record), log):
        assert NUMBER[-7:] not in text
        assert "Ann Lee" not in text


async def test_whoever_is_no_trunk_is_believed_nothing(tmp_path: Path) -> None:
    told, record, log = await call(tmp_path, "none", {})
    assert (told["caller"], record["caller"]) == ("200", "200")
    carried = told["carried"]
    assert (carried["asserted"], carried["diversions"], carried["history"]) == ([], [], [])
    assert carried["attestation"] == {"level": "unknown", "source": ""}
    assert carried["identity"] == [SIGNED, COMPACT]
    assert "Ann Lee" not in log + str(record)
