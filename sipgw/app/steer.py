"""`sipgw calls`: finds the API of the gateway a configuration is for, and the token that opens it."""

import os
from collections.abc import Callable
from pathlib import Path

from rich.console import Console

from sipgw.app.api import TOKEN_FILE
from sipgw.errors import SipgwError
from sipgw.flow import reachable, written
from sipgw.ops.api.access import Role
from sipgw.settings import Settings, SettingsError, load
from sipgw.tools.steer import Access, NotDone, Remote

TOKEN = "SIPGW_API_TOKEN"
"""A variable of the environment that may hold the token."""


def main(config: Path | None, url: str, token_file: Path | None, act: Callable[[Remote], None]) -> int:
    """Let `act` have the gateway; the exit code: 1 where it could not be done, 2 where the configuration is wrong."""
    try:
        settings = load(config)
        act(Remote(Access(url or _url(settings), _token(settings, token_file)), Console(highlight=False)))
    except KeyboardInterrupt:
        return 0
    except (SettingsError, SipgwError, OSError) as error:
        Console(stderr=True, highlight=False).print(str(error), style="red", markup=False, soft_wrap=True)
        return 2 if isinstance(error, SettingsError) else 1
    return 0


def _url(settings: Settings) -> str:
    api = settings.api
    if not api.port:
        raise NotDone("this configuration serves no API; set api.port and restart, or say where it is with --url")
    return f"http://{written(reachable((api.host, api.port)))}"


def _token(settings: Settings, token_file: Path | None) -> str:
    """From the file named, the environment, the configuration (that which may most), or the state folder."""
    if token_file is not None:
        return token_file.read_text(encoding="utf-8").strip()
    if token := os.environ.get(TOKEN):
        return token
    if settings.api.tokens:
        return max(settings.api.tokens, key=lambda one: Role[one.role.upper()]).token.get_secret_value()
    try:
        return (settings.state.expanduser() / TOKEN_FILE).read_text(encoding="utf-8").strip()
    except FileNotFoundError as error:
        raise NotDone(
            f"no token in {error.filename}: the gateway makes one at its first start, in its state folder; "
            f"run this where it runs, or name a file with --token-file"
        ) from None
