"""The keys of each backend."""

from typing import Annotated, Literal

from pydantic import Field, SecretStr

from sipgw.options import BackendOptions
from sipgw.settings.dialects import USUAL, Usual
from sipgw.settings.section import Seconds, Section


class Backend(Section):
    """One AI that can take calls."""

    dialect: str
    """What it speaks: `sipgw`, `openai-realtime`, or one built in: `echo`, `demo`, `tone`."""
    url: str = ""
    """Where it listens: `ws://…` or `wss://…`."""
    headers: dict[str, SecretStr] = Field(default_factory=dict)
    """Sent when the WebSocket is opened; never printed or logged."""
    ca_file: str = ""
    """PEM file of further authorities that its certificate may come from; the system's count as well."""
    audio: Literal["pcm16/24000", "pcm16/16000", "pcm16/8000", "pcmu/8000", "pcma/8000"] = "pcm16/24000"
    """Sound on its side: encoding and samples a second."""
    barge_in: Literal["backend", "local", "both", "off"] | None = None
    """Who notices that the caller interrupts: the `backend`, our own voice detection (`local`), `both`, or `off`."""
    live: bool | None = None
    """Its sound comes in real time (an echo, a person), so a standing queue is delay and gets trimmed."""
    connect_timeout: Seconds = 5.0
    """Seconds to connect and set the session up."""
    ping_interval: Seconds = 20.0
    """Seconds between WebSocket pings."""
    ping_timeout: Seconds = 20.0
    """Seconds to wait for the pong before the connection counts as lost."""
    reconnects: Annotated[int, Field(ge=0, le=10)] = 0
    """How often a connection lost during a call is opened again."""
    variables: dict[str, str] = Field(default_factory=dict)
    """What `{name}` in a text of `settings` stands for, unless a hook says something else of the call."""
    settings: dict[str, object] = Field(default_factory=dict)
    """What only this dialect understands: model, voice, instructions …"""

    def options(self, name: str) -> BackendOptions:
        """As the layers below see it, with what its dialect sets where the file says nothing."""
        usual = USUAL.get(self.dialect, Usual())
        values = self.model_dump(exclude={"headers", "barge_in", "live"})
        headers = {header: value.get_secret_value() for header, value in self.headers.items()}
        return BackendOptions(
            name=name,
            **values,
            headers=headers,
            barge_in=self.barge_in or usual.barge_in,
            live=usual.live if self.live is None else self.live,
        )
