"""`/v1/calls`: listing, showing, steering; and how errors look."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from sipgw.call.commands import (
    Command,
    HangUpCall,
    HoldCall,
    PauseRecording,
    PlayPrompt,
    ResumeCall,
    ResumeRecording,
    SayText,
    SendDigits,
    StartRecording,
    StopPrompt,
    StopRecording,
)
from tests.fakes.api_gateway import view
from tests.ops.api.served import Served, served

ID = "n1-0001"


@pytest.fixture
async def api(tmp_path: Path) -> AsyncIterator[Served]:
    async with served(tmp_path) as made:
        made.gateway.add(view(1))
        yield made


def problem(response: Any) -> dict[str, Any]:
    """The one shape of errors."""
    assert response.headers["content-type"] == "application/problem+json"
    said: dict[str, Any] = response.json()
    assert set(said) == {"type", "title", "status", "detail"}
    assert said["status"] == response.status_code
    assert said["detail"]
    return said


async def test_one_call(api: Served) -> None:
    shown = (await api.client.get(f"/v1/calls/{ID}")).json()
    assert shown == {
        "id": ID, "caller": "alice", "called": "100", "source": "", "route": "", "state": "talking", "target": "demo",
        "codec": "PCMU", "srtp": "", "started": 1_700_000_001.0, "answered": None, "held_by": [], "prompt": "",
        "recording": "off", "attestation": "unknown", "attestation_source": "", "privacy": "", "diverted_by": "",
    }  # fmt: skip


async def test_a_call_that_is_not_there(api: Served) -> None:
    said = problem(await api.client.get("/v1/calls/n1-9999"))
    assert (said["status"], said["type"]) == (404, "tag:sipgw,2026:no-such-call")
    assert "GET /v1/calls" in said["detail"]


async def test_pages(api: Served) -> None:
    api.gateway.add(*(view(number) for number in range(2, 6)))
    first = (await api.client.get("/v1/calls", params={"limit": 2})).json()
    assert [one["id"] for one in first["calls"]] == ["n1-0001", "n1-0002"]
    assert (first["next"], first["total"]) == (2, 5)
    # The call the page ended with may be over by now.
    del api.gateway.views["n1-0002"]
    second = (await api.client.get("/v1/calls", params={"limit": 2, "after": first["next"]})).json()
    assert [one["id"] for one in second["calls"]] == ["n1-0003", "n1-0004"]
    last = (await api.client.get("/v1/calls", params={"limit": 2, "after": second["next"]})).json()
    assert ([one["id"] for one in last["calls"]], last["next"]) == (["n1-0005"], None)


@pytest.mark.parametrize(
    ("query", "found"),
    [({"state": "ending"}, [2]), ({"caller": "bob"}, [3]), ({"called": "7", "target": "x"}, [4]), ({"state": "x"}, [])],
)
async def test_filters(api: Served, query: dict[str, str], found: list[int]) -> None:
    api.gateway.add(
        view(2, state="ending"), view(3, caller="bob"), view(4, called="7", target="x"), view(5, called="7")
    )
    listed = (await api.client.get("/v1/calls", params=query)).json()
    assert [one["id"] for one in listed["calls"]] == [f"n1-{number:04}" for number in found]


@pytest.mark.parametrize(
    ("path", "body", "command"),
    [
        ("hangup", None, HangUpCall(ID)),
        ("play", {"prompt": "greeting"}, PlayPrompt(ID, "greeting")),
        ("stop", None, StopPrompt(ID)),
        ("dtmf", {"digits": "1a#"}, SendDigits(ID, "1A#", 160, 80)),
        ("dtmf", {"digits": "1", "duration_ms": 2000, "gap_ms": 40}, SendDigits(ID, "1", 2000, 40)),
        ("hold", None, HoldCall(ID)),
        ("hold", {"music": ""}, HoldCall(ID, "")),
        ("hold", {"music": "hold"}, HoldCall(ID, "hold")),
        ("resume", None, ResumeCall(ID)),
        ("say", {"text": "Hello."}, SayText(ID, "Hello.")),
        ("recording/start", None, StartRecording(ID)),
        ("recording/stop", None, StopRecording(ID)),
        ("recording/pause", None, PauseRecording(ID)),
        ("recording/resume", None, ResumeRecording(ID)),
    ],
)
async def test_every_command(api: Served, path: str, body: object, command: Command) -> None:
    response = await api.client.post(f"/v1/calls/{ID}/{path}", json=body)
    assert (response.status_code, response.json()) == (202, {"cursor": "run1.0"})
    assert api.gateway.commands == [command]


@pytest.mark.parametrize(
    ("path", "body", "said"),
    [
        ("play", {"prompt": "no such"}, "GET /v1/prompts"),
        ("play", {}, "body.prompt"),
        ("hold", {"music": "no such"}, "GET /v1/prompts"),
        ("dtmf", {"digits": ""}, "body.digits"),
        ("dtmf", {"digits": "1 2"}, "body.digits"),
        ("dtmf", {"digits": "1", "duration_ms": 99}, "body.duration_ms"),
        ("dtmf", {"digits": "1", "duration_ms": 2001}, "body.duration_ms"),
        ("dtmf", {"digits": "1", "more": 1}, "body.more"),
        ("say", {"text": ""}, "body.text"),
        ("say", {"text": "x" * 2001}, "body.text"),
    ],
)
async def test_what_makes_no_sense_is_told(api: Served, path: str, body: object, said: str) -> None:
    response = await api.client.post(f"/v1/calls/{ID}/{path}", json=body)
    assert response.status_code == 422
    assert said in problem(response)["detail"]
    assert not api.gateway.commands


async def test_what_cannot_be_had_now_is_a_conflict(api: Served) -> None:
    api.gateway.refusal = "the call is on hold; resume it first"
    said = problem(await api.client.post(f"/v1/calls/{ID}/play", json={"prompt": "greeting"}))
    assert (said["status"], said["type"], said["detail"]) == (
        *(409, "tag:sipgw,2026:wrong-state"),
        "the call is on hold; resume it first",
    )


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/v1/nothing", 404), ("DELETE", "/v1/calls", 405), ("POST", "/v1/calls/n1-9999/hangup", 404)],
)
async def test_other_mistakes_look_the_same(api: Served, method: str, path: str, status: int) -> None:
    assert problem(await api.client.request(method, path))["status"] == status


async def test_a_defect_is_no_secret_and_no_story(api: Served) -> None:
    def broken() -> tuple[str, ...]:
        raise RuntimeError("the inside")

    api.gateway.call_ids = broken  # type: ignore[method-assign]
    said = problem(await api.client.get("/v1/calls"))
    assert said["status"] == 500
    assert "the inside" not in str(said)
