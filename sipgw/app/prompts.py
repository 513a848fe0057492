"""The prompts that come with the program, as the media plane wants them."""

from sipgw.audio.prompts import decode
from sipgw.settings import embedded

_RATE_HZ = 24_000


def load_prompts() -> dict[str, bytes]:
    """PCM16 at 24 kHz by name, such as `apology`: every WAV file in `config/prompts`."""
    folder = embedded("config/prompts/apology.wav").parent
    return {path.stem: decode(path.read_bytes(), _RATE_HZ).tobytes() for path in sorted(folder.glob("*.wav"))}
