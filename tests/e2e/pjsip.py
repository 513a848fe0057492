"""PJSIP as the caller: a phone of independent make, where what is said and heard must be beyond doubt."""

import json
import wave
from pathlib import Path
from typing import Any

import numpy as np

from tests.e2e.sound import RATE_HZ, Pcm
from tests.interop import peers
from tests.interop.programs import finish
from tests.interop.quality import samples_of


async def call(target: str, says: Pcm, seconds: float, folder: Path, **plan: Any) -> Pcm:
    """One call, hung up by the phone after `seconds`; what it heard, at 8 kHz.

    Args:
        target: `number@host:port`.
        says: what it plays, from the answer on.
        seconds: from the answer on.
        folder: for recordings.
        plan: more of it, such as `dtmf`, as `peers/pjsua2_phone.py` wants it.
    """
    play, record = folder / "said.wav", folder / "heard.wav"
    with wave.open(str(play), "wb") as file:
        file.setparams((1, 2, RATE_HZ, 0, "NONE", ""))
        file.writeframes(says.tobytes())
    whole = {"uri": f"sip:{target}", "play": str(play), "record": str(record), "seconds": seconds, **plan}
    script = peers.SCRIPTS / "pjsua2_phone.py"
    code, printed = await finish([peers.python("pjsua2"), script, json.dumps(whole)], seconds + 25)
    assert code == 0, printed
    heard, rate = samples_of(record)
    assert rate == RATE_HZ
    return np.ascontiguousarray(heard)
