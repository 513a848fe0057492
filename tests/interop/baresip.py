"""Runs baresip, an independent phone, and speaks to it through its control port."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.interop.gateway import LIMIT
from tests.interop.programs import program, speech_wav
from tests.ports import free_port

CONFIG = """
sip_listen 127.0.0.1:{sip}
net_interface 127.0.0.1
call_local_timeout 60
call_max_calls 4
audio_source aufile,{speech}
audio_player aufile,{folder}/unused.wav
audio_alert aufile,/dev/null
ausrc_srate 8000
auplay_srate 8000
ausrc_channels 1
auplay_channels 1
audio_txmode thread
audio_level no
ausrc_format s16
auplay_format s16
auenc_format s16
audec_format s16
audio_buffer 20-160
rtp_ports {rtp}-{last_rtp}
rtcp_mux no
jitter_buffer_type fixed
jitter_buffer_delay 5-10
module_path {modules}
module stdio.so
module g711.so
module aufile.so
module sndfile.so
module_tmp uuid.so
module_tmp account.so
module_app menu.so
module_app ctrl_tcp.so
ctrl_tcp_listen 127.0.0.1:{control}
snd_path {folder}
"""


@dataclass
class Baresip:
    """A running baresip, spoken to in netstrings of JSON."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    events: list[dict[str, Any]] = field(default_factory=list)

    async def command(self, name: str, parameters: str = "") -> dict[str, Any]:
        """Run a command; its response. Events that come meanwhile are kept."""
        text = json.dumps({"command": name, "params": parameters, "token": name}).encode()
        self.writer.write(b"%d:%s," % (len(text), text))
        await self.writer.drain()
        while True:
            message = await asyncio.wait_for(self.message(), LIMIT)
            if message.get("response"):
                return message

    async def message(self) -> dict[str, Any]:
        """The next message; an event is kept in `events`."""
        length = int((await self.reader.readuntil(b":"))[:-1])
        told: dict[str, Any] = json.loads(await self.reader.readexactly(length))
        assert await self.reader.readexactly(1) == b","
        if told.get("event"):
            self.events.append(told)
        return told

    async def happened(self, kind: str, within: float = LIMIT) -> dict[str, Any]:
        """The first event of a kind, waited for."""
        async with asyncio.timeout(within):
            while not (found := [event for event in self.events if event["type"] == kind]):
                await self.message()
        return found[0]


def modules() -> str:
    """Where baresip's modules are."""
    for folder in ("/usr/lib/baresip/modules", "/usr/lib/x86_64-linux-gnu/baresip/modules"):
        if Path(folder).is_dir():
            return folder
    raise AssertionError("baresip is installed, but its modules are not where Debian puts them")


@contextlib.asynccontextmanager
async def phone(
    folder: Path, codecs: str, account: str = "", user: str = "bob", settings: str = "", registered: str = ""
) -> AsyncIterator[Baresip]:
    """A baresip on free ports with one account; it plays the speech and records both directions into `folder`.

    Args:
        folder: for its files.
        codecs: as baresip names them.
        account: more parameters of the account.
        user: its name there.
        settings: further lines of its configuration.
        registered: the address it registers; it does not where that is empty.
    """
    executable = program("baresip")
    control, rtp = free_port(), free_port() // 2 * 2
    sip = free_port()
    text = CONFIG.format(
        sip=sip,
        rtp=rtp,
        last_rtp=rtp + 20,
        control=control,
        speech=await speech_wav(folder),
        folder=folder,
        modules=modules(),
    )
    (folder / "config").write_text(text + settings)
    more = f";{account}" if account else ""
    address, interval = (registered, 60) if registered else (f"sip:{user}@127.0.0.1:{sip}", 0)
    (folder / "accounts").write_text(f"<{address}>;regint={interval};audio_codecs={codecs}{more}\n")
    process = await asyncio.create_subprocess_exec(
        *(executable, "-f", str(folder)), stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL
    )
    try:
        reader, writer = await connect(control)
        try:
            yield Baresip(reader, writer)
        finally:
            writer.close()
            await writer.wait_closed()
    finally:
        process.terminate()
        await asyncio.wait_for(process.wait(), LIMIT)


async def connect(port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """The control connection, as soon as baresip listens."""
    async with asyncio.timeout(LIMIT):
        while True:
            with contextlib.suppress(ConnectionRefusedError):
                return await asyncio.open_connection("127.0.0.1", port)
            await asyncio.sleep(0.05)
