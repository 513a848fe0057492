"""What a routing hook is asked, what it may say, and what comes of that for a backend."""

import re
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from sipgw.ai.carried import NOTHING, Carried
from sipgw.options import BackendOptions, HookOptions
from sipgw.sip.identity import ANONYMOUS

_PLACE = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}")
_MOST = 10_000
"""Answers remembered; the oldest go first."""


@dataclass(frozen=True, slots=True)
class Question:
    """What a hook gets to know of a call."""

    call: str
    node: str
    route: str
    """The pattern of the route."""
    trunk: str
    """The trunk it came by; empty where it came by none."""
    caller: str
    caller_name: str
    called: str
    source: str
    """The address the INVITE came from."""
    headers: Mapping[str, str]
    """Those that backends get."""
    sip_call_id: str
    started: str
    """When the INVITE came: RFC 3339, UTC."""
    tried: tuple[str, ...] = ()
    """Targets that failed before."""
    carried: Carried = NOTHING


@dataclass(frozen=True, slots=True)
class Rejection:
    """The call is not wanted."""

    status: int
    reason: str = ""
    """The reason phrase; empty means the usual one."""


@dataclass(frozen=True, slots=True)
class Advice:
    """What a hook said."""

    reject: Rejection | None = None
    backend: str = ""
    """Who is to take the call; empty: the route's next target."""
    settings: Mapping[str, object] = field(default_factory=dict)
    """Take the place of that backend's own."""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Sent besides that backend's own when its connection is opened."""
    variables: Mapping[str, str] = field(default_factory=dict, repr=False)
    """For whoever takes the call, as are the instructions."""
    instructions: str = field(default="", repr=False)
    ring: bool | None = None
    """Whether the caller hears ringing while a target gets ready; None: as the route has it."""

    def __str__(self) -> str:
        if self.reject is not None:
            return f"reject {self.reject.status}"
        return f"backend {self.backend}" if self.backend else "continue"


class Memory:
    """The last answer of each hook for each caller, or whatever its answers depend on."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[str, ...], tuple[float, Advice]] = OrderedDict()

    def keep(self, hook: HookOptions, question: Question, advice: Advice, now: float) -> None:
        """The hook said so. It is not kept for callers without a number where it depends on that: they are not one."""
        if question.caller == ANONYMOUS and "caller" in hook.cache_by:
            return
        key = _key(hook, question)
        self._kept[key] = now, advice
        self._kept.move_to_end(key)
        if len(self._kept) > _MOST:
            self._kept.popitem(last=False)

    def recall(self, hook: HookOptions, question: Question, oldest: float) -> Advice | None:
        """What it said last, unless that was before `oldest`."""
        when, advice = self._kept.get(_key(hook, question), (0.0, None))
        return advice if advice is not None and when > oldest else None


def advised(backend: BackendOptions, advice: Advice) -> BackendOptions:
    """A backend with what a hook said of its settings and headers."""
    return replace(
        backend, settings={**backend.settings, **advice.settings}, headers={**backend.headers, **advice.headers}
    )


def filled(backend: BackendOptions, variables: Mapping[str, str]) -> BackendOptions:
    """A backend whose settings have the values of variables in the place of `{name}`; unknown names stay."""
    settings = {name: _filled(value, variables) for name, value in backend.settings.items()}
    return replace(backend, settings=settings)


def _filled(value: object, variables: Mapping[str, str]) -> object:
    match value:
        case str():
            return _PLACE.sub(lambda match: variables.get(match[1], match[0]), value)
        case Mapping():
            return {name: _filled(inner, variables) for name, inner in value.items()}
        case list() | tuple():
            return [_filled(inner, variables) for inner in value]
    return value


def _key(hook: HookOptions, question: Question) -> tuple[str, ...]:
    values = {"called": question.called, "caller": question.caller, "trunk": question.trunk}
    return (hook.place.name, question.route, *(values[name] for name in hook.cache_by))
