"""What an AI learns of a call before it takes it."""

from pathlib import Path

from tests.e2e.phone import calling
from tests.e2e.plan import BOTH, ai, plan, to
from tests.e2e.sound import tone
from tests.fakes.backend import FakeBackend, Voice, Wait
from tests.interop.gateway import running

HEADERS = (
    ("X-Customer", "17"),
    ("x-account-Tier", "gold; since=2019"),
    ("User-to-User", "56a390f3d2b7310023a2;encoding=hex"),
    ("P-Asserted-Identity", "<sip:secret@127.0.0.1>"),
    ("Subject", "nothing to the AI"),
)


@BOTH
async def test_the_ai_is_told_who_calls_whom_and_the_headers_meant_for_it(tmp_path: Path, workers: int) -> None:
    backend_options = {
        "headers": {"Authorization": "Bearer one-two-three"},
        "settings": {"parameters": {"tenant": "a"}},
    }
    async with FakeBackend() as backend:
        async with running(tmp_path, plan(to("+49*", ai(backend, **backend_options)), workers=workers)) as gateway:
            async with calling(f"+493012@{gateway.address}", headers=HEADERS):
                await backend.sent("open")
            log = (await gateway.said("call ended"))[0]
        start = backend.last.messages[0]
        call = start["call"]
        assert (start["type"], start["resumed"], start["parameters"]) == ("start", False, {"tenant": "a"})
        assert (call["caller"], call["called"], call["codec"]) == ("+4930123", "+493012", "PCMU")
        assert call["id"] == log["call"]
        assert call["headers"] == dict(HEADERS[:3])
        assert backend.last.headers["Authorization"] == "Bearer one-two-three"
        assert "one-two-three" not in str(gateway.lines)


async def test_what_the_ai_says_while_the_phone_still_rings_is_heard_whole(tmp_path: Path) -> None:
    greeting = Voice(tone(0.5, 1100, 24_000).tobytes(), "greeting")
    async with FakeBackend({"start": [greeting, Wait(0.4), {"type": "ready"}]}) as backend:
        eager = ai(backend, settings={"wait_ready": True})
        async with running(tmp_path, plan(to("*", eager))) as gateway, calling(f"ai@{gateway.address}") as phone:
            await backend.sent("drained")
            heard = await phone.hears(25)
            assert phone.answered_at <= heard[0].when
            assert 25 <= len(heard) <= 26
