"""The command line: arguments and nothing else. What a command does is in `app` and `tools`."""

import os
from pathlib import Path
from typing import Annotated

import typer

# Before numpy: its BLAS would spin helper threads for products of a few kilobytes, at sixteen times the cost.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

Config = Annotated[
    Path | None,
    typer.Option(
        "--config", "-c", help="The configuration file; without one, the built-in defaults.", envvar="SIPGW_CONFIG"
    ),
]

cli = typer.Typer(
    help="A SIP-to-AI media gateway: phone calls on one side, voice AIs over WebSocket on the other.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@cli.command()
def run(
    config: Config = None,
    prove: Annotated[bool, typer.Option(help="Prove that it works with one real call, once it is up.")] = False,
    once: Annotated[bool, typer.Option(help="Stop after that call; the exit code says whether it worked.")] = False,
) -> None:
    """Run the gateway until SIGTERM or Ctrl-C."""
    from sipgw.app.serve import main as serve

    raise typer.Exit(serve(config, prove_it=prove or once, once=once))


@cli.command()
def check(
    config: Config = None,
    show: Annotated[bool, typer.Option("--print", help="Print the configuration in force, without secrets.")] = False,
) -> None:
    """Check a configuration: says file, line, key and what to do."""
    from sipgw.app.serve import check as examine

    raise typer.Exit(examine(config, show_it=show))


@cli.command()
def call(
    uri: Annotated[str, typer.Argument(help="Whom to call, such as sip:demo@127.0.0.1:5060.")],
    play: Annotated[Path | None, typer.Option(help="WAV to play; without one, silence.")] = None,
    capture: Annotated[Path | None, typer.Option(help="Play the caller's RTP of a pcap instead.")] = None,
    record: Annotated[Path | None, typer.Option(help="WAV to record what is heard into.")] = None,
    dtmf: Annotated[str, typer.Option(help="Keys to press, one a second, once the call is up.")] = "",
    seconds: Annotated[
        float | None, typer.Option(help="Hang up after so long; default: once everything was played, or 10 s.")
    ] = None,
    caller: Annotated[str, typer.Option("--from", help="The calling number or user.")] = "phone",
    codec: Annotated[list[str] | None, typer.Option(help="Codecs to offer, in order: PCMU, PCMA.")] = None,
) -> None:
    """A small test phone: calls, plays, records, and prints the call as a ladder."""
    from sipgw.tools.call import Plan, place

    plan = Plan(uri, play, capture, record, dtmf, seconds, caller, tuple(codec or ("PCMU", "PCMA")))
    raise typer.Exit(place(plan))


def main() -> None:
    """The `sipgw` command."""
    cli()
