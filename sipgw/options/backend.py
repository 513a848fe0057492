"""One AI backend as configured."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class BackendOptions:
    """One AI backend as configured."""

    name: str
    dialect: str
    """`echo`, `demo`, `tone`, `sipgw` or `openai-realtime`."""
    url: str = ""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Sent with the WebSocket handshake."""
    ca_file: str = ""
    """Certificate authorities (PEM) to trust with `wss`, besides the system's."""
    audio: str = "pcm16/24000"
    """Audio format on the AI's side: `pcm16/24000`, `pcm16/16000`, `pcm16/8000`, `pcmu/8000` or `pcma/8000`."""
    barge_in: str = "backend"
    """Whose word interrupts our playout: `backend`, `local` (our VAD), `both` or `off`."""
    live: bool = False
    """The backend's audio is paced in real time (an echo, a person): a standing queue is delay and gets trimmed."""
    connect_timeout: float = 5.0
    """For the socket to open and the session to be set up."""
    ping_interval: float = 20.0
    ping_timeout: float = 20.0
    reconnects: int = 0
    """How often a connection lost during the call is opened again."""
    variables: Mapping[str, str] = field(default_factory=dict)
    """What `{name}` in a text of `settings` stands for, unless a hook says something else."""
    settings: Mapping[str, object] = field(default_factory=dict, repr=False)
    """What only this dialect understands (model, voice, instructions …)."""
