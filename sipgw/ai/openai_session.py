"""OpenAI Realtime: what its settings may be, where they connect to, and the `session.update` they make.

The GA interface nests its session; the beta one, which clones still speak, is flat (`beta: true` chooses it).
"""

from collections.abc import Mapping
from typing import Any, Literal
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import msgspec

from sipgw.ai.dialect import Connect
from sipgw.ai.events import AudioFormat, CallFacts
from sipgw.ai.openai_tools import offered
from sipgw.options import BackendOptions

DEFAULT_URL = "wss://api.openai.com/v1/realtime"

GA_FORMATS: dict[AudioFormat, dict[str, object]] = {
    AudioFormat.PCM16_24K: {"type": "audio/pcm", "rate": 24_000},
    AudioFormat.PCMU_8K: {"type": "audio/pcmu"},
    AudioFormat.PCMA_8K: {"type": "audio/pcma"},
}
"""The three formats there are. The G.711 ones have no `rate`: servers refuse the unknown field."""

BETA_FORMATS = {AudioFormat.PCM16_24K: "pcm16", AudioFormat.PCMU_8K: "g711_ulaw", AudioFormat.PCMA_8K: "g711_alaw"}


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The `settings` of an `openai-realtime` backend."""

    model: str = ""
    """Put into the URL's `model`, unless the URL names one."""
    voice: str = ""
    instructions: str = ""
    turn_detection: str | dict[str, Any] | None = "server_vad"
    """`server_vad`, `semantic_vad`, the whole object with its options, or null: then our own VAD ends the turns."""
    transcription: str | dict[str, Any] | None = None
    """A model's name, or the whole object: the caller's words come as transcripts."""
    noise_reduction: str | None = None
    """`near_field` or `far_field`."""
    speed: float | None = None
    greeting: bool | str = False
    """Speak first: true as the instructions have it, or these words."""
    digits: Literal["respond", "note", "ignore"] = "respond"
    """What a key does: tell the model and ask for an answer, only tell it, or nothing."""
    hang_up: bool = True
    """Offer the model a tool that ends the call."""
    transfer: bool = True
    """Offer the model a tool that hands the call over."""
    tools: list[dict[str, Any]] = []
    """Further function tools, as the interface wants them."""
    beta: bool = False
    """Speak the beta interface: its header and its flat session."""

    @property
    def vad(self) -> dict[str, Any] | None:
        """The turn detection as an object."""
        return {"type": self.turn_detection} if isinstance(self.turn_detection, str) else self.turn_detection

    @property
    def server_interrupts(self) -> bool:
        """Whether the server cancels its response by itself when the caller speaks."""
        return self.vad is not None and self.vad.get("interrupt_response", True) is not False


def settings_of(options: BackendOptions, facts: CallFacts) -> Settings:
    """The settings in `options`, with the call's own instructions where it has some.

    Raises:
        ValueError: an unknown key, a wrong type or an audio format that is not offered.
    """
    if audio_format(options) not in GA_FORMATS:
        known = ", ".join(each.value for each in GA_FORMATS)
        raise ValueError(f"backend {options.name}: audio {options.audio} is not one of {known}")
    try:
        settings = msgspec.convert(dict(options.settings), Settings)
    except msgspec.ValidationError as error:
        raise ValueError(f"backend {options.name}: settings: {error}") from error
    if settings.vad is None and options.barge_in not in ("local", "both"):
        raise ValueError(f"backend {options.name}: turn_detection: null needs our own VAD: barge_in: local or both")
    return msgspec.structs.replace(settings, instructions=facts.instructions or settings.instructions)


def audio_format(options: BackendOptions) -> AudioFormat:
    """The format named in `options`. Raises ValueError."""
    return AudioFormat(options.audio)


def connection(options: BackendOptions, settings: Settings) -> Connect:
    """The WebSocket to open."""
    headers = dict(options.headers)
    if settings.beta:
        headers["OpenAI-Beta"] = "realtime=v1"
    return Connect(url=_with_model(options.url or DEFAULT_URL, settings.model), headers=headers)


def _with_model(url: str, model: str) -> str:
    parts = urlsplit(url)
    query = parse_qsl(parts.query, keep_blank_values=True)
    if not model or any(name in ("model", "deployment", "call_id") for name, _ in query):
        return url
    return urlunsplit(parts._replace(query=urlencode([*query, ("model", model)])))


def session_update(settings: Settings, audio: AudioFormat) -> dict[str, object]:
    """The session as it is to be; only what is set is named, so that the server's defaults stay."""
    common = _set(
        {"instructions": settings.instructions, "tools": offered(settings.hang_up, settings.transfer, settings.tools)}
    )
    if settings.beta:
        return _beta_session(settings, audio) | common
    hears: dict[str, object] = {"format": GA_FORMATS[audio], "turn_detection": settings.vad}
    hears |= _set({"transcription": _transcription(settings)})
    hears |= _set({"noise_reduction": settings.noise_reduction and {"type": settings.noise_reduction}})
    speaks = {"format": GA_FORMATS[audio]} | _set({"voice": settings.voice, "speed": settings.speed})
    return {
        "type": "realtime",
        "output_modalities": ["audio"],
        "audio": {"input": hears, "output": speaks},
        **common,
    }


def _beta_session(settings: Settings, audio: AudioFormat) -> dict[str, object]:
    return {
        "modalities": ["audio", "text"],
        "input_audio_format": BETA_FORMATS[audio],
        "output_audio_format": BETA_FORMATS[audio],
        "turn_detection": settings.vad,
        **_set({"voice": settings.voice, "input_audio_transcription": _transcription(settings)}),
    }


def _transcription(settings: Settings) -> dict[str, Any] | None:
    chosen = settings.transcription
    return {"model": chosen} if isinstance(chosen, str) else chosen


def _set(values: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in values.items() if value}


def refused_format(session: Mapping[str, Any], settings: Settings, audio: AudioFormat) -> str:
    """What the server settled on instead of the format we asked for, or the empty string.

    Servers are known to grant PCM where G.711 was asked for: noise for the caller, so better no call.
    """
    if settings.beta or "audio" not in session:
        return _unlike(session.get("output_audio_format"), BETA_FORMATS[audio])
    for side in ("input", "output"):
        granted = _at(session, "audio", side, "format")
        for name, wanted in GA_FORMATS[audio].items():
            if different := _unlike(_at(granted, name), wanted):
                return f"{side} {different}"
    return ""


def _at(value: object, *names: str) -> object:
    for name in names:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def _unlike(granted: object, wanted: object) -> str:
    return "" if granted is None or granted == wanted else str(granted)
