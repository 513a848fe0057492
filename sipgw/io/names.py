"""From names to addresses, as the system resolves them, without letting a slow name server hold anything else up."""

import asyncio
import contextlib
import socket
import threading


class Names:
    """Looks names up, each in a thread of its own; whoever asks for a name that is being looked up waits with it.

    The system's resolver cannot be told to give up. A pool's threads would soon all wait for one dead name server, and
    keep the process from ending; these are few (one a name) and do neither.
    """

    def __init__(self) -> None:
        self._asked: dict[str, asyncio.Future[list[str]]] = {}

    async def addresses(self, host: str) -> list[str]:
        """The addresses of a name, in the system's order of preference; an address is its own.

        Raises:
            OSError: it has none, or nobody can tell.
        """
        found = self._asked.get(host)
        if found is None:
            found = self._asked[host] = asyncio.get_running_loop().create_future()
            threading.Thread(target=_look_up, args=(host, found), name="names", daemon=True).start()
            found.add_done_callback(lambda _: self._asked.pop(host))
        return await asyncio.shield(found)  # one that gives up does not take the answer from the others


def _look_up(host: str, found: asyncio.Future[list[str]]) -> None:
    """Runs in the thread."""
    result: list[str] | OSError
    try:
        result = [str(entry[4][0]) for entry in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)]
    except OSError as error:
        result = error
    except UnicodeError as error:  # a label is empty, or too long
        result = OSError(str(error))
    with contextlib.suppress(RuntimeError):  # the loop has been closed meanwhile: nobody waits any longer
        found.get_loop().call_soon_threadsafe(_tell, found, result)


def _tell(found: asyncio.Future[list[str]], result: list[str] | OSError) -> None:
    if found.cancelled():
        return
    if isinstance(result, OSError):
        found.set_exception(result)
        found.exception()  # whoever asked may have given up, and nobody else need be told
    else:
        found.set_result(result)
