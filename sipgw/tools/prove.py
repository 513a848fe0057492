"""The proof call: a captured caller calls the gateway through real sockets and talks with an AI that echoes.

Everything on the way is the real thing: SIP and RTP over UDP, the call core, the media engine, a WebSocket.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rich.console import Console

from sipgw.flow import Endpoint
from sipgw.tools.call import facts
from sipgw.tools.echo_ai import RATE_HZ, EchoAi
from sipgw.tools.ladder.draw import Step, print_ladder
from sipgw.tools.listening import match
from sipgw.tools.phone import Order, call
from sipgw.tools.report import FAR_END, PHONE, CallReport
from sipgw.tools.sound import from_capture

AI = "AI"
_ENOUGH = 0.9
"""Of what was said must have been heard."""
_ALIKE = 0.5
"""From which likeness on it is the same sound; a key pressed in between is not heard as sound."""


@dataclass(frozen=True, slots=True)
class Proof:
    """What the call showed."""

    report: CallReport
    ai_seconds: float
    """How much sound reached the AI."""
    ai_likeness: float
    """How alike what the AI heard is to what was said, 0 to 1."""
    keys: str
    """The keys the AI was told of."""

    @property
    def failures(self) -> list[str]:
        """What did not work; empty where all is well."""
        report = self.report
        if not report.answered:
            return [f"the call was not answered: {report.status}, {report.ending}"]
        checks = {
            "the AI heard nothing like what was said": self.ai_likeness < _ALIKE,
            f"the AI heard only {self.ai_seconds:.1f} s of {report.talk:.1f} s": self.ai_seconds
            < _ENOUGH * report.talk,
            "the caller's words did not come back": report.echo_delay is None,
            f"{report.packets_lost} packets to the caller were lost": report.packets_lost > 0,
        }
        return [failure for failure, failed in checks.items() if failed]


async def prove(gateway: Endpoint, called: str, ai: EchoAi, capture: Path) -> Proof:
    """Replay the caller of `capture` against the gateway, which connects `called` with `ai`."""
    host, port = gateway
    where = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    sound = from_capture(capture)
    report = await call(Order(f"sip:{called}@{where}", sound, caller="capture"))
    heard = ai.samples()
    # Every third sample: what the AI heard ends at 3.4 kHz anyway.
    _, likeness = match(report.said, heard[::3])
    return Proof(report, len(heard) / RATE_HZ, likeness, ai.digits)


def show(proof: Proof, console: Console) -> None:
    """Print the ladder, what each side heard, and the delays."""
    report = proof.report
    print_ladder((PHONE, FAR_END, AI), [*report.steps, *_ai_steps(proof)], console)
    console.print()
    rows = report.facts()
    if report.answered:
        rows.append(
            ("the AI heard", f"{proof.ai_seconds:.2f} s at {RATE_HZ // 1000} kHz, keys: {proof.keys or 'none'}")
        )
        rows.append(("the caller heard", f"{len(report.heard) / 8000:.2f} s, {_level(report.heard)}"))
    console.print(facts(rows))
    for failure in proof.failures:
        console.print(f"[red bold]failed:[/red bold] {failure}", highlight=False)
    if not proof.failures:
        console.print("[green bold]It works.[/green bold]")


def _ai_steps(proof: Proof) -> list[Step]:
    """The AI's rungs; the gateway carried them while the caller's RTP ran."""
    spans = [step for step in proof.report.steps if step.media]
    if len(spans) < 2:
        return []
    there, back = spans
    label = f"WebSocket: {proof.ai_seconds:.2f} s PCM16"
    return [
        Step(there.when + 0.0001, FAR_END, AI, label, True, there.until),
        Step(back.when + 0.0001, AI, FAR_END, "WebSocket: the same back", True, back.until),
    ]


def _level(samples: "np.ndarray[tuple[int, ...], np.dtype[np.int16]]") -> str:
    loudest = int(np.abs(samples.astype(np.int32)).max(initial=0))
    return f"peak {20 * np.log10(loudest / 32768):.1f} dBFS" if loudest else "silence"
