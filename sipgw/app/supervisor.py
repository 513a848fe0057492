"""The supervisor: runs control as its child, starts it again when it dies, and passes signals on.

It holds nothing that could go wrong: no loop, no socket, no settings until it has something to say. What control was
doing when it died is in the journal, for the next one to take up.
"""

import os
import signal
from collections import deque
from collections.abc import Callable
from time import monotonic

CRASHED = 70
"""Exit code of a control that ended by an exception of its own (EX_SOFTWARE)."""
SUPERVISOR = "SIPGW_SUPERVISOR"
"""In the environment of control: the process that watches over it."""

_FINAL = (0, 1, 2)
"""Exit codes by which control says that starting it again is of no use: it was told to stop, or cannot start."""
PASSED_ON = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
"""Signals that control hears of through us. It begins with them blocked."""
_STOPS = (signal.SIGTERM, signal.SIGINT)
_AWAITED = (*PASSED_ON, signal.SIGCHLD)

Command = Callable[[int], list[str]]
"""The command line of control, by how often it has been started before."""


class Patience:
    """How long to wait before control is started again; the first time not at all, for its calls are waiting.

    Args:
        most: deaths that are put up with.
        within: in so many seconds.
    """

    def __init__(self, most: int = 5, within: float = 60.0) -> None:
        self.most, self.within = most, within
        self._deaths: deque[float] = deque()

    def died(self, now: float) -> float | None:
        """Seconds to wait; None where it is no use."""
        self._deaths.append(now)
        while now - self._deaths[0] > self.within:
            self._deaths.popleft()
        recent = len(self._deaths)
        if recent > self.most:
            return None
        return 0.0 if recent == 1 else 0.25 * 2.0**recent


class Supervisor:
    """Watches over one control.

    Args:
        command: how it is started.
        died: told how it died, and the seconds until the next start; None where there is none.
        patience: when to try again.
    """

    def __init__(
        self, command: Command, died: Callable[[str, float | None], None], patience: Patience | None = None
    ) -> None:
        self._command, self._died = command, died
        self._patience = patience or Patience()
        self._child: int | None = None
        self._starts = 0
        self._due: float | None = None
        self._stopping = False

    def run(self) -> int:
        """Until control ends for good; its exit code, as a shell would tell it."""
        # Taken one by one from here on; nothing is interrupted, and none is missed.
        signal.pthread_sigmask(signal.SIG_BLOCK, _AWAITED)
        self._start()
        while True:
            number = self._await()
            if number is None:
                self._start()
            elif number == signal.SIGCHLD:
                code = self._reap()
                if code is not None and self._is_over(code):
                    return code
            else:
                self._pass_on(number)
                if self._stopping and self._child is None:
                    self._start()

    def _start(self) -> None:
        """In a process group of its own: Ctrl-C in a terminal reaches us alone, and control once, through us."""
        command = self._command(self._starts)
        environment = {**os.environ, SUPERVISOR: str(os.getpid())}
        # What it is to do on a signal it does not know yet: until then they wait.
        self._child = os.posix_spawn(command[0], command, environment, setpgroup=0, setsigmask=PASSED_ON)
        self._starts += 1
        self._due = None
        if self._stopping:
            os.kill(self._child, signal.SIGTERM)

    def _await(self) -> int | None:
        """The next signal; None when it is time to start control again."""
        if self._due is None:
            return signal.sigwaitinfo(_AWAITED).si_signo
        found = signal.sigtimedwait(_AWAITED, max(self._due - monotonic(), 0.0))
        return found.si_signo if found is not None else None

    def _reap(self) -> int | None:
        """Wait for all who have ended, orphans of control's included; control's exit code, if it was among them."""
        code = None
        while True:
            try:
                ended, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return code
            if ended == 0:
                return code
            if ended == self._child:
                self._child = None
                code = os.waitstatus_to_exitcode(status)
                code = 128 - code if code < 0 else code

    def _is_over(self, code: int) -> bool:
        """Whether control is not to be started again; else it is, now or later.

        One that died has left calls up: it is started even to be stopped, and tried again where it cannot start.
        """
        if code == 0 or (code in _FINAL and self._starts == 1):
            return True
        now = monotonic()
        wait = self._patience.died(now)
        if wait is not None:
            self._due = now + wait
            if not wait:
                self._start()
        self._died(_how(code), wait)
        return wait is None

    def _pass_on(self, number: int) -> None:
        self._stopping |= number in _STOPS
        if self._child is not None:
            os.kill(self._child, number)


def _how(code: int) -> str:
    """How a process with this exit code ended."""
    return signal.Signals(code - 128).name if code > 128 else f"exit code {code}"
