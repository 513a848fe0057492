"""WAV files, as 16-bit mono samples at the rate that is wanted."""

import wave
from pathlib import Path

import numpy as np
import soxr
from numpy.typing import NDArray

from sipgw.errors import SipgwError

Pcm = NDArray[np.int16]


class WavError(SipgwError):
    """A file that cannot be used as sound; the message says why."""


def read_wav(path: Path, rate_hz: int) -> Pcm:
    """The sound in a file of 16-bit PCM: channels are mixed, the rate is converted.

    Raises:
        WavError: it cannot be read, or is something else.
    """
    try:
        with path.open("rb") as opened, wave.open(opened, "rb") as file:
            channels, width, rate, count = file.getparams()[:4]
            data = file.readframes(count)
    except OSError as error:
        raise WavError(f"{path} cannot be read: {error.strerror}") from None
    except (wave.Error, EOFError) as error:
        raise WavError(f"{path} is no WAV file of PCM: {str(error) or 'it ends too soon'}") from None
    if width != 2:
        raise WavError(f"{path} has {width * 8} bits a sample; convert it: sox {path.name} -b 16 out.wav")
    whole = len(data) // (2 * channels) * channels
    samples = np.frombuffer(data, "<i2", whole).reshape(-1, channels).mean(axis=1)
    if rate != rate_hz:
        samples = soxr.resample(samples, rate, rate_hz)
    return np.asarray(np.clip(np.rint(samples), -32_768, 32_767), np.int16)


def write_wav(path: Path, pcm: Pcm, rate_hz: int) -> None:
    """Write samples as 16-bit mono PCM.

    Raises:
        WavError: the file cannot be written.
    """
    try:
        with path.open("wb") as opened, wave.open(opened, "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(rate_hz)
            file.writeframes(pcm.astype("<i2").tobytes())
    except OSError as error:
        raise WavError(f"{path} cannot be written: {error.strerror}") from None
