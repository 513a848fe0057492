"""The prompts that come with the program, as the media plane wants them."""

from collections.abc import Mapping
from functools import cache

from sipgw.audio.prompts import decode
from sipgw.settings import embedded

_RATE_HZ = 24_000
_SAMPLE_BYTES = 2


@cache
def load_prompts() -> dict[str, bytes]:
    """PCM16 at 24 kHz by name, such as `apology`: every WAV file in `config/prompts`."""
    folder = embedded("config/prompts/apology.wav").parent
    return {path.stem: decode(path.read_bytes(), _RATE_HZ).tobytes() for path in sorted(folder.glob("*.wav"))}


def seconds(prompts: Mapping[str, bytes]) -> dict[str, float]:
    """How long each prompt lasts."""
    return {name: len(audio) / _SAMPLE_BYTES / _RATE_HZ for name, audio in prompts.items()}
