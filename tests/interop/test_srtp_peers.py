"""SRTP with phones of others: by every suite and in every way they have of offering it, both ways, through hold."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.interop.baresip import phone
from tests.interop.gateway import running
from tests.interop.quality import samples_of
from tests.interop.test_pjsua2 import call

pytestmark = pytest.mark.interop

REQUIRED: dict[str, Any] = {"media": {"srtp": "required"}}


def loudest(path: Path) -> int:
    return int(np.abs(samples_of(path)[0].astype(np.int32)).max())


@pytest.mark.parametrize("suite", ["AES_256_CM_HMAC_SHA1_80", "AES_CM_128_HMAC_SHA1_80", "AES_CM_128_HMAC_SHA1_32"])
async def test_pjsip_insists_and_hears_its_speech_before_and_after_hold(tmp_path: Path, suite: str) -> None:
    async with running(tmp_path, REQUIRED) as gateway:
        told = await call(gateway, "echo", tmp_path, 5, srtp=[suite], hold_at=2, unhold_at=3)
        ended = await gateway.ended("pjsip")
    assert [line["status"] for line in told if line["what"] == "media"][-1] == 1, "active again"
    assert (ended["cause"], ended["srtp"], ended["drops"]) == ("normal", suite, "")
    assert ended["received_packets"] > 100
    heard, rate = samples_of(tmp_path / "heard.wav")
    assert np.abs(heard[-rate:].astype(np.int32)).max() > 1000, "nothing after the hold"


async def test_pjsip_takes_srtp_where_it_can_be_had(tmp_path: Path) -> None:
    async with running(tmp_path) as gateway:
        await call(gateway, "echo", tmp_path, 2, srtp=[])
        ended = await gateway.ended("pjsip")
    assert (ended["cause"], ended["srtp"], ended["drops"]) == ("normal", "AES_256_CM_HMAC_SHA1_80", "")
    assert loudest(tmp_path / "heard.wav") > 1000


async def test_pjsip_without_srtp_is_refused_where_it_is_required(tmp_path: Path) -> None:
    async with running(tmp_path, REQUIRED) as gateway:
        told = await call(gateway, "echo", tmp_path, 1)
    assert [line["status"] for line in told if line["what"] == "state"][-1] == 488


@pytest.mark.parametrize("way", ["srtp", "srtp-mand", "srtp-mandf"])
async def test_baresip_hears_its_speech_by_every_way_it_has(tmp_path: Path, way: str) -> None:
    secure = phone(tmp_path, "PCMU/8000/1", account=f"mediaenc={way}", settings="module srtp.so\n")
    async with running(tmp_path, REQUIRED) as gateway, secure as bob:
        await bob.command("dial", f"sip:echo@{gateway.address}")
        await bob.happened("CALL_ESTABLISHED")
        await bob.happened("CALL_CLOSED", within=30)
        ended = await gateway.ended("bob")
    assert ended["cause"] == "normal"
    # What it opens its own NAT with is no SRTP.
    assert ended["drops"] in ("", "1 srtp_unusable")
    assert ended["srtp"] in ("AES_CM_128_HMAC_SHA1_80", "AEAD_AES_256_GCM", "AEAD_AES_128_GCM")
    (heard,) = tmp_path.glob("dump-*-dec.wav")
    assert loudest(heard) > 1000
