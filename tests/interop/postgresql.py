"""A PostgreSQL server of our own: a cluster in a folder of its own, run as a user without rights, ended by its pid."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import URL

from tests.e2e.phone import HOST
from tests.ports import free_port
from tests.shared import missing

LIMIT = 30.0
_ROLE = "sipgw"


class Cluster:
    """One server. It may be stopped and started again; what it holds stays."""

    def __init__(self, programs: Path, folder: Path) -> None:
        self._programs, self._folder = programs, folder
        self._as_user = _as_user()
        self._data, self._log = folder / "data", folder / "log"
        self.port = free_port()
        self._server: subprocess.Popen[bytes] | None = None
        self._databases = 0
        self._run("initdb", "-D", str(self._data), "-U", _ROLE, "-A", "trust", "--no-sync", "-E", "UTF8", "--no-locale")

    def start(self) -> None:
        """Serve, and return once it answers."""
        with self._log.open("ab") as log:
            self._server = subprocess.Popen(
                [*self._as_user, str(self._programs / "postgres"), "-D", str(self._data), "-k", str(self._folder),
                 "-c", f"listen_addresses={HOST}", "-c", "fsync=off", "-p", str(self.port)],
                stdout=subprocess.DEVNULL, stderr=log, cwd="/",
            )  # fmt: skip
        deadline = time.monotonic() + LIMIT
        while not self._answers():
            assert self._server.poll() is None, self._log.read_text()
            assert time.monotonic() < deadline, self._log.read_text()
            time.sleep(0.05)

    def stop(self) -> None:
        """End it at once, its connections too."""
        if self._server is not None:
            self._server.send_signal(signal.SIGINT)
            self._server.wait(LIMIT)
            self._server = None

    def database(self) -> URL:
        """The URL of a new, empty database."""
        self._databases += 1
        name = f"test{self._databases}"
        self._run("createdb", "-h", HOST, "-p", str(self.port), "-U", _ROLE, name)
        return URL.create("postgresql+asyncpg", _ROLE, "any", HOST, self.port, name)

    def _answers(self) -> bool:
        asked = [str(self._programs / "pg_isready"), "-q", "-h", HOST, "-p", str(self.port)]
        return subprocess.run(asked, check=False, timeout=LIMIT).returncode == 0

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run(
            [*self._as_user, str(self._programs / program), *arguments],
            check=True, capture_output=True, timeout=LIMIT, cwd="/",
        )  # fmt: skip


@contextmanager
def cluster() -> Iterator[Cluster]:
    """A running server, or a skip with the reason (a failure under `SIPGW_REQUIRE_PEERS=1`)."""
    programs = _programs()
    folder = Path(tempfile.mkdtemp(prefix="sipgw-postgresql-"))
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres")
    try:
        server = Cluster(programs, folder)
        try:
            server.start()
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder)


def _programs() -> Path:
    """Where the server's programs are: Debian keeps them out of the path."""
    places = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda place: float(place.parent.name))
    if places:
        return places[-1]
    on_path = shutil.which("initdb")
    if on_path is None:
        missing("postgresql is not installed")
    assert on_path is not None
    return Path(on_path).resolve().parent


def _as_user() -> list[str]:
    """PostgreSQL refuses to run as root: then it runs as the user its package made."""
    if os.geteuid() != 0:
        return []
    try:
        pwd.getpwnam("postgres")
    except KeyError:
        missing("there is no user postgres to run PostgreSQL as")
    return ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
