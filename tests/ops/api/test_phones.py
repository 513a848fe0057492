"""`/v1/phones`, page by page."""

from pathlib import Path

from sipgw.ops.api.gateway import ContactView, PhoneView
from tests.ops.api.served import served

PLACE = ContactView(
    "sip:200@192.0.2.7", "udp:192.0.2.7:5060", 0.5, 1.0, 3601.0, "<urn:uuid:1>", "Desk 1.0", ("<sip:e>",)
)


async def test_phones_are_listed_by_name_with_where_they_are(tmp_path: Path) -> None:
    async with served(tmp_path) as api:
        api.gateway.known_phones = [PhoneView(f"p{n}", str(n), "", (PLACE,) * n) for n in range(3)]
        first = (await api.client.get("/v1/phones", params={"limit": 2})).json()
        assert [phone["name"] for phone in first["phones"]] == ["p0", "p1"]
        assert first["phones"][1]["contacts"] == [
            {
                "uri": "sip:200@192.0.2.7", "source": "udp:192.0.2.7:5060", "q": 0.5, "registered": 1.0,
                "expires": 3601.0, "instance": "<urn:uuid:1>", "user_agent": "Desk 1.0", "path": ["<sip:e>"],
            }
        ]  # fmt: skip
        last = (await api.client.get("/v1/phones", params={"limit": 2, "after": first["next"]})).json()
        assert ([phone["name"] for phone in last["phones"]], last["next"]) == (["p2"], None)
