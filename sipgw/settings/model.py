"""The whole configuration: its sections, and what each layer gets to see of them."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, field_validator

from sipgw.options import (
    BackendOptions,
    CallOptions,
    MediaOptions,
    RecordingOptions,
    RecordOptions,
    SipOptions,
    SrtpPolicy,
    WebhookOptions,
)
from sipgw.options.phone import PREFIX
from sipgw.settings.api import Api
from sipgw.settings.backends import Backend
from sipgw.settings.calls import Calls, Route
from sipgw.settings.media import Media
from sipgw.settings.outward import Hook, Webhook
from sipgw.settings.phones import Phone
from sipgw.settings.recording import Recording
from sipgw.settings.records import Records
from sipgw.settings.secrets import hide, secrets_in
from sipgw.settings.section import Section
from sipgw.settings.sip import Sip
from sipgw.settings.trunks import Trunk
from sipgw.settings.watching import Log, Metrics
from sipgw_codecs.registry import codec

EVERYBODY = ("0.0.0.0/0", "::/0")
_MOST_WORKERS = 64


class Settings(Section):
    """The whole configuration."""

    node: Annotated[str, Field(pattern=r"^[A-Za-z0-9-]{1,16}$")] = "n1"
    """Names this gateway in the Call-IDs it makes; letters, digits and `-`."""
    state: Path = Path(".sipgw")
    """Folder for what has to outlive the process, for this gateway alone; SIPGW_STATE overrides it."""
    workers: Annotated[int, Field(ge=0, le=_MOST_WORKERS)] | Literal["auto"] = "auto"
    """Processes for media: a number, or `auto` for one less than there are cores; 0: none, in the main process."""
    sip: Sip = Field(default_factory=Sip)
    """Where SIP is spoken."""
    media: Media = Field(default_factory=Media)
    """Where RTP goes in and out."""
    calls: Calls = Field(default_factory=Calls)
    """Limits and patience."""
    recording: Recording = Field(default_factory=Recording)
    """How the sound of recorded calls is kept."""
    prompts: dict[Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")], str] = Field(default_factory=dict)
    """Prompts of your own: WAV files by names of your choice, which may take the place of one that is built in."""
    records: Records = Field(default_factory=Records)
    """What is kept of calls that are over."""
    log: Log = Field(default_factory=Log)
    """What is written to standard error."""
    metrics: Metrics = Field(default_factory=Metrics)
    """Prometheus counters."""
    webhooks: dict[str, Webhook] = Field(default_factory=dict)
    """Who is told what happens in calls, by names of your choice."""
    api: Api = Field(default_factory=Api)
    """The HTTP API."""
    hooks: dict[str, Hook] = Field(default_factory=dict)
    """Who can be asked where calls go, by names of your choice."""
    backends: dict[str, Backend]
    """The AIs that can take calls, by names of your choice."""
    trunks: dict[str, Trunk] = Field(default_factory=dict)
    """Carriers, PBXs and other peers, by names of your choice."""
    phones: dict[Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,64}$")], Phone] = Field(default_factory=dict)
    """Phones that register with us, by names of your choice."""
    routes: tuple[Route, ...]
    """Which calls go where, first fit."""

    @field_validator("workers", mode="before")
    @classmethod
    def _number_or_auto(cls, value: object) -> object:
        if value != "auto" and not (isinstance(value, int) and 0 <= value <= _MOST_WORKERS):
            raise ValueError(f"is none; give a number from 0 to {_MOST_WORKERS}, or auto")
        return value

    @property
    def worker_count(self) -> int:
        """How many media workers `workers` means on this machine."""
        return max(1, len(os.sched_getaffinity(0)) - 1) if self.workers == "auto" else self.workers

    def sip_options(self) -> SipOptions:
        """What the SIP agent gets to see."""
        trunks = tuple(trunk.options(name) for name, trunk in self.trunks.items())
        phones = tuple(phone.options(name) for name, phone in self.phones.items())
        return self.sip.options(self.node, self.media.address(), trunks, self._known(), phones)

    def media_hosts(self) -> tuple[str, ...]:
        """Every address that RTP sockets bind."""
        addresses = (one.host for listener in self.sip_options().listeners for one in listener.media)
        return tuple(dict.fromkeys(addresses))

    def media_options(self) -> MediaOptions:
        """What the media plane gets to see."""
        first, last = self.media.range
        places = (place for listener in self.sip_options().listeners for place in listener.media)
        hosts = dict.fromkeys(host for place in places for host in (place.host, place.advertised) if host)
        return MediaOptions(
            first_port=first,
            last_port=last,
            hosts=tuple(hosts),
            codecs=tuple(name for name in self.media.codecs if not codec(name).available()),
            opus=self.media.opus.options(),
            **self.media.model_dump(exclude={"ports", "codecs", "opus", "srtp"}),
        )

    def call_options(self) -> CallOptions:
        """What the call core gets to see."""
        return CallOptions(
            node=self.node,
            routes=tuple(route.options(self.phones) for route in self.routes),
            backends=tuple(self._backends()),
            hooks=tuple(hook.options(name) for name, hook in self.hooks.items()),
            recording_name=self.recording.name,
            transcript=self.records.transcript,
            srtp=self.media.srtp,
            trunk_srtp=self._srtp(),
            **self.calls.model_dump(),
        )

    def recording_options(self) -> RecordingOptions:
        """What recorders get to see."""
        return self.recording.options(self.state)

    def record_options(self) -> RecordOptions:
        """What the keeper of records gets to see."""
        return RecordOptions(**self.records.model_dump(exclude={"transcript"}))

    def webhook_options(self) -> tuple[WebhookOptions, ...]:
        """What the webhooks get to see."""
        return tuple(webhook.options(name) for name, webhook in self.webhooks.items())

    def secrets(self) -> frozenset[str]:
        """Every value that must not be printed or logged."""
        return frozenset(secrets_in(self))

    def printable(self) -> dict[str, object]:
        """The configuration in force, secrets masked."""
        secrets = self.secrets()
        return {key: hide(value, secrets) for key, value in self.model_dump(mode="json", by_alias=True).items()}

    def _known(self) -> tuple[str, ...]:
        """Who gets answers besides trunks: whoever may use a route."""
        named = tuple(source for route in self.routes for source in route.sources)
        return (*EVERYBODY, *named) if any(route.anyone for route in self.routes) else named

    def _srtp(self) -> dict[str, SrtpPolicy]:
        """By the names of trunks and the addresses of phones, where they say anything."""
        trunks = ((name, trunk.srtp) for name, trunk in self.trunks.items())
        phones = ((f"{PREFIX}{name}", phone.srtp) for name, phone in self.phones.items())
        return {name: policy for name, policy in (*trunks, *phones) if policy is not None}

    def _backends(self) -> Iterator[BackendOptions]:
        for name, backend in self.backends.items():
            yield backend.options(name)
