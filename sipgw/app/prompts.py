"""The prompts there are, as the media plane wants them."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from sipgw.audio.prompts import decode
from sipgw.settings import embedded

_RATE_HZ = 24_000
_SAMPLE_BYTES = 2


def load_prompts(own: Mapping[str, str] | None = None) -> dict[str, bytes]:
    """PCM16 at 24 kHz by name, such as `apology`: every WAV file in `config/prompts`, and those of the configuration.

    Args:
        own: files by name, which have passed the configuration's checks.
    """
    return _built_in() | {name: _read(Path(path)) for name, path in (own or {}).items()}


@cache
def _built_in() -> dict[str, bytes]:
    folder = embedded("config/prompts/apology.wav").parent
    return {path.stem: _read(path) for path in sorted(folder.glob("*.wav"))}


def _read(path: Path) -> bytes:
    return decode(path.read_bytes(), _RATE_HZ).tobytes()


def seconds(prompts: Mapping[str, bytes]) -> dict[str, float]:
    """How long each prompt lasts."""
    return {name: len(audio) / _SAMPLE_BYTES / _RATE_HZ for name, audio in prompts.items()}
