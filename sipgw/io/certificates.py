"""The certificates of all listeners, looked at again and again: what changed is taken, what is no good is not."""

import asyncio
from collections.abc import Iterable

from sipgw.errors import Unavailable
from sipgw.flow import Endpoint, Flow
from sipgw.io.clock import Clock
from sipgw.io.tls import TlsFiles
from sipgw.options import SECURE, ListenerOptions
from sipgw.trace import Mark, Note, Trace

_WATCHED = 10.0
"""Seconds between looks."""


class Certificates:
    """Those of one agent's listeners.

    Args:
        listeners: all of them.
        trace: takes notes.
        clock: for the notes.
    """

    def __init__(self, listeners: Iterable[ListenerOptions], trace: Trace, clock: Clock) -> None:
        self._listeners = tuple(one for one in listeners if one.transport in SECURE)
        self._trace, self._clock = trace, clock
        self._files: dict[tuple[str, Endpoint], TlsFiles] = {}
        self._watch: asyncio.TimerHandle | None = None

    def open(self) -> None:
        """Read them, and look for changes from now on.

        Raises:
            Unavailable: a listener has none, or a file is no good.
        """
        for one in self._listeners:
            if not one.tls.certificate:
                raise Unavailable(f"a {one.transport} listener needs a certificate")
            self._files[one.transport, one.local] = TlsFiles(one.tls)
        if self._files:
            self._watch = asyncio.get_running_loop().call_later(_WATCHED, self._look)

    def of(self, transport: str, local: Endpoint) -> TlsFiles | None:
        """Those of one listener; None where there is none such."""
        return self._files.get((transport, local))

    def reload(self) -> None:
        """Take those that have changed; what is no good changes nothing and is traced."""
        for (transport, local), files in self._files.items():
            if not files.stale():
                continue
            flow = Flow(transport, local, local)
            try:
                files.load()
            except Unavailable as error:
                self._note(Mark.DROP, "bad_certificate", f"{flow} {error}")
            else:
                self._note(Mark.STATE, "certificate_changed", str(flow))

    def close(self) -> None:
        """Look no longer."""
        if self._watch is not None:
            self._watch.cancel()

    def _look(self) -> None:
        self._watch = asyncio.get_running_loop().call_later(_WATCHED, self._look)
        self.reload()

    def _note(self, mark: Mark, name: str, detail: str) -> None:
        self._trace(Note(self._clock.now(), "io", mark, name, detail=detail))
