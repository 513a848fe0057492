"""Judges recordings: PESQ by the ITU's own model, in an environment of its own; tones by their spectrum."""

import json
import wave
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import numpy as np

from tests.interop import peers
from tests.interop.programs import finish


async def pesq(reference: Path, degraded: Path) -> dict[str, Any]:
    """`pesq` (1.0 to 4.5), `lag_ms` and how many `seconds` could be compared."""
    script = Path(__file__).parent / "peers" / "quality.py"
    code, printed = await finish([peers.python("quality"), script, reference, degraded], 60)
    assert code == 0, printed
    judged: dict[str, Any] = json.loads(printed.splitlines()[-1])
    return judged


async def best_pesq(call: Callable[[], Awaitable[tuple[Path, Path]]], wanted: float, tries: int = 6) -> dict[str, Any]:
    """The best judgement of up to `tries` calls, each of which gives a reference and what became of it.

    PESQ tells what codec and resampling do to speech, and one phone that was not scheduled for 30 ms on a busy machine
    costs 0.2 of it: a clean call must be possible, not every call be clean.
    """
    best: dict[str, Any] = {"pesq": 0.0}
    for _ in range(tries):
        judged = await pesq(*await call())
        print(judged)
        best = max(best, judged, key=lambda one: one["pesq"])
        if best["pesq"] >= wanted:
            break
    return best


def samples_of(path: Path) -> tuple[np.ndarray[Any, np.dtype[np.int16]], int]:
    """First channel of a 16-bit WAV, and its rate."""
    with wave.open(str(path)) as reader:
        data = np.frombuffer(reader.readframes(reader.getnframes()), np.int16)
        return data[:: reader.getnchannels()], reader.getframerate()


def loudest_hz(path: Path, skip_seconds: float = 0.5) -> float:
    """Frequency of the strongest component, in Hz, past the first `skip_seconds`."""
    data, rate = samples_of(path)
    data = data[int(skip_seconds * rate) :]
    assert len(data) > rate // 2, f"only {len(data)} samples in {path}"
    assert np.abs(data).max() > 200, f"silence in {path}"
    spectrum = np.abs(np.fft.rfft(data * np.hanning(len(data))))
    return float(np.argmax(spectrum) * rate / len(data))
