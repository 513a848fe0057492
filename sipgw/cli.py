"""The command line: arguments and nothing else. What a command does is in `app` and `tools`."""

import os
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from sqlalchemy import URL

    from sipgw.tools.steer import Remote

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
    supervisor: Annotated[
        bool, typer.Option(help="Watch over the gateway from a process of its own, which restarts it if it dies.")
    ] = True,
) -> None:
    """Run the gateway until SIGTERM or Ctrl-C."""
    if supervisor and not once:
        from sipgw.app.supervise import main as supervise

        raise typer.Exit(supervise(config, prove_it=prove))
    from sipgw.app.serve import main as serve

    raise typer.Exit(serve(config, prove_it=prove or once, once=once))


@cli.command()
def check(
    config: Config = None,
    show: Annotated[bool, typer.Option("--print", help="Print the configuration in force, without secrets.")] = False,
    schema: Annotated[bool, typer.Option("--schema", help="Print the JSON Schema of configurations instead.")] = False,
) -> None:
    """Check a configuration: says file, line, key and what to do."""
    from sipgw.app.check import main as examine
    from sipgw.app.check import print_schema

    raise typer.Exit(print_schema() if schema else examine(config, show=show))


@cli.command()
def health(config: Config = None) -> None:
    """Ask the running gateway for a sign of life, with OPTIONS. Exit code 1 where it gives none."""
    from sipgw.app.health import health as asked

    raise typer.Exit(asked(config))


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


@cli.command()
def inspect(
    file: Annotated[Path, typer.Argument(help="A capture: pcap or pcapng, plain or gzipped.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")] = False,
    wav: Annotated[Path | None, typer.Option(help="Folder to write the sound of each call into.")] = None,
    one: Annotated[
        str | None, typer.Option("--call", help="Only this call: its number, or part of its Call-ID.")
    ] = None,
    keylog: Annotated[Path | None, typer.Option(help="TLS secrets (SSLKEYLOGFILE) to open SIP over TLS with.")] = None,
) -> None:
    """Look into a capture: its calls, their audio, what went wrong and why. Exit code 1 where something did."""
    from sipgw.tools.inspect import Question
    from sipgw.tools.inspect import inspect as look

    raise typer.Exit(look(Question(file, as_json, wav, one, keylog)))


@cli.command()
def ladder(
    file: Annotated[Path, typer.Argument(help="A capture: pcap or pcapng, plain or gzipped.")],
    call: Annotated[str | None, typer.Option(help="Only this call: its number, or part of its Call-ID.")] = None,
    html: Annotated[Path | None, typer.Option(help="Write a page of its own instead: no script, no network.")] = None,
) -> None:
    """Draw the calls of a capture as ladders: SIP, RTP, keys and what went wrong, on one time axis."""
    from rich.console import Console

    from sipgw.tools.ladder.command import Plan
    from sipgw.tools.ladder.command import ladder as drawn

    raise typer.Exit(drawn(Plan(file, call, html), Console()))


@cli.command()
def replay(
    file: Annotated[Path, typer.Argument(help="The capture: pcap or pcapng.")],
    config: Config = None,
    call: Annotated[str | None, typer.Option(help="Only this call: its number, or part of its Call-ID.")] = None,
    backend: Annotated[
        str | None, typer.Option(help="The backend for all calls: echo, demo, tone, or one of the configuration.")
    ] = None,
    route: Annotated[str | None, typer.Option(help="The route for all calls, by its number.")] = None,
    expect: Annotated[
        Path | None, typer.Option(help="Compare with this expectation; exit code 1 if it differs.")
    ] = None,
    write_expect: Annotated[Path | None, typer.Option(help="Write what was seen as an expectation.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print everything as JSON.")] = False,
    html: Annotated[Path | None, typer.Option(help="Write the ladders as a page of its own.")] = None,
) -> None:
    """Replay a capture's callers against this build, offline and in simulated time."""
    from sipgw.app.replay import main as replayed
    from sipgw.tools.replay.command import Plan

    raise typer.Exit(replayed(Plan(file, call, backend, route, expect, write_expect, json, html), config))


webhooks = typer.Typer(help="Who is told what happens in calls, and what they still have to get.", no_args_is_help=True)
cli.add_typer(webhooks, name="webhooks")
Endpoint = Annotated[str, typer.Argument(help="The endpoint, by its name in the configuration.")]


@webhooks.command("list")
def webhooks_list(config: Config = None) -> None:
    """Show what each endpoint still has to get, what was given up, and which are disabled."""
    from sipgw.app.webhooks import show

    raise typer.Exit(show(config))


@webhooks.command("retry")
def webhooks_retry(endpoint: Endpoint, config: Config = None) -> None:
    """Deliver now what waits for an endpoint or was given up, and enable it again."""
    from sipgw.app.webhooks import retry

    raise typer.Exit(retry(endpoint, config))


@webhooks.command("test")
def webhooks_test(endpoint: Endpoint, config: Config = None) -> None:
    """Send an endpoint a signed message of type `test`. Exit code 1 where it does not take it."""
    from sipgw.app.webhooks import test

    raise typer.Exit(test(endpoint, config))


calls = typer.Typer(help="Look at the calls of a running gateway and steer them.", no_args_is_help=True)
cli.add_typer(calls, name="calls")
CallId = Annotated[str, typer.Argument(metavar="CALL", help="The call's id, as `sipgw calls list` shows it.")]


@calls.callback()
def _gateway(
    context: typer.Context,
    config: Config = None,
    url: Annotated[str, typer.Option(help="Where its API is, such as http://127.0.0.1:8060.")] = "",
    token_file: Annotated[Path | None, typer.Option(help="File with the token; default: the state folder's.")] = None,
) -> None:
    def done(act: "Callable[[Remote], None]") -> None:
        from sipgw.app.steer import main as steered

        raise typer.Exit(steered(config, url, token_file, act))

    context.obj = done


@calls.command("list")
def list_calls(
    context: typer.Context,
    state: Annotated[str, typer.Option(help="Only those in this state, such as talking.")] = "",
    caller: Annotated[str, typer.Option("--from", help="Only those from this number.")] = "",
    called: Annotated[str, typer.Option("--to", help="Only those to this number.")] = "",
    target: Annotated[str, typer.Option(help="Only those with this backend.")] = "",
) -> None:
    """The calls there are, the oldest first."""
    context.obj(lambda remote: remote.list({"state": state, "caller": caller, "called": called, "target": target}))


@calls.command()
def show(context: typer.Context, call_id: CallId) -> None:
    """All that is known of one call."""
    context.obj(lambda remote: remote.show(call_id))


@calls.command()
def hangup(context: typer.Context, call_id: CallId) -> None:
    """End a call; one that rings is refused."""
    context.obj(lambda remote: remote.steer(call_id, "hangup"))


@calls.command("play")
def play_prompt(
    context: typer.Context, call_id: CallId, prompt: Annotated[str, typer.Argument(help="Such as greeting.")]
) -> None:
    """Play a prompt to the caller; the AI is silent meanwhile."""
    context.obj(lambda remote: remote.steer(call_id, "play", prompt=prompt))


@calls.command()
def stop(context: typer.Context, call_id: CallId) -> None:
    """End the prompt that plays."""
    context.obj(lambda remote: remote.steer(call_id, "stop"))


@calls.command()
def dtmf(
    context: typer.Context,
    call_id: CallId,
    digits: Annotated[str, typer.Argument(help="0 to 9, *, # and A to D.")],
    duration_ms: Annotated[int, typer.Option("--ms", help="Length of each key.")] = 160,
) -> None:
    """Press keys towards the caller."""
    context.obj(lambda remote: remote.steer(call_id, "dtmf", digits=digits, duration_ms=duration_ms))


@calls.command()
def hold(
    context: typer.Context,
    call_id: CallId,
    music: Annotated[str | None, typer.Option(help="Prompt that repeats meanwhile; empty: silence.")] = None,
) -> None:
    """Put the caller on hold."""
    context.obj(lambda remote: remote.steer(call_id, "hold", music=music))


@calls.command()
def resume(context: typer.Context, call_id: CallId) -> None:
    """Take the caller off hold."""
    context.obj(lambda remote: remote.steer(call_id, "resume"))


class RecordingAct(StrEnum):
    """What can be done with a recording."""

    START = "start"
    STOP = "stop"
    PAUSE = "pause"
    RESUME = "resume"


@calls.command()
def record(
    context: typer.Context,
    call_id: CallId,
    act: Annotated[RecordingAct, typer.Argument(help="Pause leaves out what is said, a card's digits say.")],
) -> None:
    """Record the call, or no longer; pause the recording, and go on."""
    context.obj(lambda remote: remote.steer(call_id, f"recording/{act}"))


@calls.command()
def say(
    context: typer.Context, call_id: CallId, text: Annotated[str, typer.Argument(help="What it is asked to say.")]
) -> None:
    """Ask the AI to say something."""
    context.obj(lambda remote: remote.steer(call_id, "say", text=text))


@calls.command()
def events(
    context: typer.Context,
    one: Annotated[str, typer.Option("--call", help="Only what happens in this call.")] = "",
    kind: Annotated[list[str] | None, typer.Option(help="Only these kinds, such as call.answered.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="A JSON object a line.")] = False,
) -> None:
    """What happens, as it happens, until Ctrl-C."""
    context.obj(lambda remote: remote.follow(one, tuple(kind or ()), as_json=as_json))


bans = typer.Typer(help="The sources that a running gateway takes nothing from.", no_args_is_help=True)
cli.add_typer(bans, name="bans")
bans.callback()(_gateway)


@bans.command("list")
def list_bans(context: typer.Context) -> None:
    """Who is banned, for what, and until when."""
    context.obj(lambda remote: remote.list_bans())


@bans.command("lift")
def lift_ban(
    context: typer.Context, source: Annotated[str, typer.Argument(help="As `sipgw bans list` shows it.")]
) -> None:
    """Let a source in again."""
    context.obj(lambda remote: remote.lift_ban(source))


phones = typer.Typer(help="Look at the phones that may register with a running gateway.", no_args_is_help=True)
phones.callback()(_gateway)
cli.add_typer(phones, name="phones")


@phones.command("list")
def list_phones(context: typer.Context) -> None:
    """The phones of its configuration, and where each is registered."""
    context.obj(lambda remote: remote.phones())


cdr = typer.Typer(help="Look at the records of calls that are over.", no_args_is_help=True)
cli.add_typer(cdr, name="cdr")
DatabaseUrl = Annotated[str, typer.Option("--url", help="The database, instead of the configuration's.")]
Since = Annotated[str, typer.Option(help="Only calls since then: 2h, 3d, 2026-11-25, 2026-11-25T10:30 (UTC).")]
Until = Annotated[str, typer.Option(help="Only calls before then, written likewise.")]
Number = Annotated[str, typer.Option(help="Only calls from or to this number; a * at its end stands for the rest.")]
Cause = Annotated[str, typer.Option(help="Only calls that ended for this cause, such as normal or backend_failed.")]
RouteName = Annotated[str, typer.Option("--route", help="Only calls of the route for this number, as configured.")]
TrunkName = Annotated[str, typer.Option("--trunk", help="Only calls that came by this trunk.")]
BackendName = Annotated[str, typer.Option("--backend", help="Only calls for which this backend was tried.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@cdr.command("list")
def list_records(
    config: Config = None, url: DatabaseUrl = "", since: Since = "", until: Until = "", number: Number = "",
    cause: Cause = "", route: RouteName = "", trunk: TrunkName = "", backend: BackendName = "",
    limit: Annotated[int, typer.Option(min=1, help="The newest so many.")] = 50, as_json: AsJson = False,
) -> None:  # fmt: skip
    """List calls, the newest first."""
    from sipgw.app.cdr import main as with_database
    from sipgw.app.cdr import wanted
    from sipgw.tools.cdr.command import list_calls

    def act(database: "URL") -> None:
        list_calls(database, wanted(since, until, number, cause, route, trunk, backend), limit, as_json=as_json)

    raise typer.Exit(with_database(config, url, act))


@cdr.command("show")
def show_record(
    call_id: Annotated[str, typer.Argument(metavar="CALL", help="The call's id, or its SIP Call-ID.")],
    config: Config = None,
    url: DatabaseUrl = "",
    as_json: AsJson = False,
) -> None:
    """Show all there is of one call: times, targets tried, quality, turns, recordings, words."""
    from sipgw.app.cdr import main as with_database
    from sipgw.tools.cdr.command import show

    raise typer.Exit(with_database(config, url, lambda database: show(database, call_id, as_json=as_json)))


@cdr.command("export")
def export_records(
    config: Config = None, url: DatabaseUrl = "", since: Since = "", until: Until = "", number: Number = "",
    cause: Cause = "", route: RouteName = "", trunk: TrunkName = "", backend: BackendName = "",
    form: Annotated[
        str, typer.Option("--format", help="csv: a row a call; legs: CSV, a row a leg; jsonl: all, a line a call.")
    ] = "csv",
    output: Annotated[Path | None, typer.Option("--output", "-o", help="The file; default: standard output.")] = None,
) -> None:  # fmt: skip
    """Write calls for other programs, in the order they began."""
    from sipgw.app.cdr import form_of, wanted
    from sipgw.app.cdr import main as with_database
    from sipgw.tools.cdr.command import export

    def act(database: "URL") -> None:
        export(database, wanted(since, until, number, cause, route, trunk, backend), form_of(form), output)

    raise typer.Exit(with_database(config, url, act))


@cdr.command("migrate")
def migrate_records(config: Config = None, url: DatabaseUrl = "") -> None:
    """Bring the tables up to date; a gateway does that too when it starts."""
    from sipgw.app.cdr import main as with_database
    from sipgw.tools.cdr.command import migrate

    raise typer.Exit(with_database(config, url, migrate))


benches = typer.Typer(help="Measure this build on this machine.", no_args_is_help=True)
cli.add_typer(benches, name="bench")


@benches.command("calls")
def bench_calls(
    calls: Annotated[str, typer.Option(help="How many at a time: one number, or several to be measured in turn.")] = (
        "50,200"
    ),
    seconds: Annotated[float, typer.Option(help="Measured in each run, once all calls are up.")] = 10.0,
    runs: Annotated[int, typer.Option(help="Of each number of calls; the result is the median.")] = 5,
    workers: Annotated[int, typer.Option(help="The gateway's `workers`.")] = 0,
    backend_audio: Annotated[str, typer.Option(help="The backend's `audio`: pcm16/24000, pcm16/16000, pcm16/8000.")] = (
        "pcm16/24000"
    ),
    settings: Annotated[
        Path | None, typer.Option(help="YAML with further keys of the gateway's configuration; they replace ours.")
    ] = None,
    target: Annotated[
        str | None, typer.Option(help="Measure a gateway that runs already: echo@127.0.0.1:5060. It must echo.")
    ] = None,
    pid: Annotated[int | None, typer.Option(help="Of the target's main process, for its CPU and memory.")] = None,
    floor: Annotated[bool, typer.Option(help="Measure the floor beside each run.")] = True,
    realtime: Annotated[bool, typer.Option(help="Far ends at real-time priority, for busy machines.")] = False,
    srtp: Annotated[bool, typer.Option("--srtp", help="The callers' RTP is encrypted.")] = False,
    into: Annotated[Path | None, typer.Option("--json", help="Write the result to this file.")] = None,
    against: Annotated[Path | None, typer.Option("--compare", help="Compare with the result in this file.")] = None,
) -> None:
    """What a call costs: N calls through the real gateway, with callers and backend in processes of their own."""
    import sys

    from sipgw.tools.bench.command import bench
    from sipgw.tools.bench.order import Order
    from sipgw.tools.bench.plan import Plan, Target, extra

    def order() -> Order[Plan]:
        at = Target.of(target, pid) if target is not None else None
        plan = Plan(
            Plan.counts(calls), seconds, runs, workers, backend_audio, extra(settings), floor, realtime, srtp, target=at
        )
        return Order(plan, tuple(sys.argv[1:]), into, against)

    raise typer.Exit(bench(order))


@benches.command("sip")
def bench_sip(
    rate: Annotated[int, typer.Option(help="Calls offered a second.")] = 100,
    seconds: Annotated[float, typer.Option(help="Of each window that is measured.")] = 10.0,
    windows: Annotated[int, typer.Option(help="How many; the result is their median.")] = 5,
    warm_up: Annotated[float, typer.Option(help="Seconds of calls before, until old transactions end.")] = 36.0,
    workers: Annotated[int, typer.Option(help="The gateway's `workers`.")] = 1,
    settings: Annotated[
        Path | None, typer.Option(help="YAML with further keys of the gateway's configuration; they replace ours.")
    ] = None,
    into: Annotated[Path | None, typer.Option("--json", help="Write the result to this file.")] = None,
    against: Annotated[Path | None, typer.Option("--compare", help="Compare with the result in this file.")] = None,
) -> None:
    """What signalling costs: calls without an AI, made by SIPp, and one INVITE parsed and built."""
    import sys

    from sipgw.tools.bench.order import Order
    from sipgw.tools.bench.plan import extra
    from sipgw.tools.bench.sip.command import bench
    from sipgw.tools.bench.sip.plan import SipPlan

    def order() -> Order[SipPlan]:
        plan = SipPlan(rate, 200, warm_up, seconds, windows, workers, extra(settings))
        return Order(plan, tuple(sys.argv[1:]), into, against)

    raise typer.Exit(bench(order))


def main() -> None:
    """The `sipgw` command."""
    cli()
