"""How calls end by the AI's word, and what it gets to hear of its wishes."""

import asyncio
from pathlib import Path

from tests.e2e.phone import Phone, calling
from tests.e2e.plan import BOTH, ai, plan, to
from tests.e2e.sound import level_at, tone
from tests.fakes.backend import CloseWith, FakeBackend, Voice
from tests.interop.gateway import Gateway, running

RATE_HZ = 24_000
WORDS = Voice(tone(1.0, 1100, RATE_HZ).tobytes(), "good-bye")


async def heard_to_the_end(gateway: Gateway, number: str) -> None:
    """A call that the AI ends, once the caller has heard all it said."""
    async with calling(f"{number}@{gateway.address}") as phone:
        await phone.ended()
        assert phone.bye is not None, "the gateway hangs up"
        spoken = [packet for packet in phone.heard if packet.audible]
        assert abs(20 * len(spoken) - 1000) <= 20, "the last words were heard whole"
        assert level_at(phone.sound(), 1100) > 100
        assert phone.ended_at - spoken[-1].when < 0.3


async def does_not_wait_for_ever(gateway: Gateway) -> None:
    """An AI that says more than the farewell limit allows is cut short."""
    async with calling(f"chatty@{gateway.address}") as phone:
        await phone.ended()
        spoken = [packet for packet in phone.heard if packet.audible]
        assert 1.5 <= spoken[-1].when - spoken[0].when <= 2.0
        assert phone.bye is not None


async def cannot_transfer(gateway: Gateway, backend: FakeBackend) -> None:
    """A transfer is declined by name, and the call goes on."""
    async with calling(f"transfers@{gateway.address}") as phone:
        result = (await backend.sent("result"))[0]
        assert result["id"] == "t1"
        assert result["failed"] is True
        assert "not configured" in result["output"]["error"]
        await asyncio.sleep(0.3)
        assert phone.up
    assert (await backend.sent("end"))[0]["reason"] == "normal"


async def gives_up(gateway: Gateway, backend: FakeBackend) -> None:
    """A caller who hangs up while it rings: the AI that gets ready is told, too."""
    phone = Phone(f"slow@{gateway.address}")
    phone.invite()
    await backend.sent("start")
    await phone.hang_up()
    phone.close()
    await backend.until(lambda: backend.last.closed is not None)
    assert backend.last.of("end") == [{"type": "end", "reason": "cancelled"}]
    assert backend.last.closed == 1000


@BOTH
async def test_the_ai_may_end_a_call_and_its_last_words_are_heard(tmp_path: Path, workers: int) -> None:
    many = Voice(tone(6.0, 1100, RATE_HZ).tobytes())
    async with (
        FakeBackend({"open": [WORDS, {"type": "hang_up", "reason": "done"}]}) as polite,
        FakeBackend({"open": [WORDS, CloseWith(1000, "finished")]}) as closing,
        FakeBackend({"open": [many, {"type": "hang_up"}]}) as chatty,
        FakeBackend({"open": [{"type": "transfer", "target": "sales", "id": "t1"}]}) as transfers,
        FakeBackend() as slow,
    ):
        ways = (
            *(to("polite", ai(polite)), to("closing", ai(closing))),
            *(to("chatty", ai(chatty)), to("transfers", ai(transfers))),
            to("slow", ai(slow, settings={"wait_ready": True})),
        )
        async with running(tmp_path, plan(*ways, calls={"farewell_limit": 1.75}, workers=workers)) as gateway:
            await asyncio.gather(
                heard_to_the_end(gateway, "polite"),
                heard_to_the_end(gateway, "closing"),
                does_not_wait_for_ever(gateway),
                cannot_transfer(gateway, transfers),
                gives_up(gateway, slow),
            )
            ended = {line["called"]: line for line in await gateway.said("call ended", 5)}
        assert [(ended[one]["hung_up_by"], ended[one]["reason"]) for one in ("polite", "closing", "chatty")] == [
            ("backend", "done"),
            ("backend", "finished"),
            ("backend", ""),
        ]
        assert ended["transfers"]["hung_up_by"] == "caller"
        assert ended["slow"]["cause"] == "cancelled"
        assert polite.last.of("end"), "a good-bye before the socket closes"
