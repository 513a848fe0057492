"""`sipgw run` under its supervisor: how control is started, and what is said when it dies."""

import os
import sys
from functools import partial
from pathlib import Path

from sipgw.app.supervisor import Supervisor
from sipgw.io.process import become_subreaper


def main(config: Path | None, *, prove_it: bool) -> int:
    """Serve `config` until SIGTERM or Ctrl-C; the exit code is control's."""
    become_subreaper()
    return Supervisor(partial(_command, config, prove_it), partial(_say, config)).run()


def _command(config: Path | None, prove_it: bool, starts: int) -> list[str]:
    """The command that started us, as control alone; only the first one is to prove itself."""
    program = [sys.argv[0]] if os.access(sys.argv[0], os.X_OK) and os.path.isfile(sys.argv[0]) else ["-m", "sipgw"]
    given = ["--config", str(config)] if config is not None else []
    proof = ["--prove"] if prove_it and starts == 0 else []
    return [sys.executable, *program, "run", "--no-supervisor", *given, *proof]


def _say(config: Path | None, how: str, wait: float | None) -> None:
    # Imported when needed: most supervisors never say a word, and need not carry these along.
    from sipgw.ops.logs import configure
    from sipgw.settings import SettingsError, load

    try:
        wanted = load(config).log
        log = configure(wanted.format, wanted.level)
    except SettingsError:  # control tells what is wrong with it
        log = configure()
    if wait is None:
        log.error("control keeps dying", how=how, remedy="look at what it said before; its calls are in the journal")
    else:
        log.warning("control died", how=how, restart_in=wait)
