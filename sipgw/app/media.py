"""Which media plane a gateway has: workers in processes of their own, or one in the main process."""

from dataclasses import replace
from pathlib import Path

from sipgw.app.prompts import load_prompts
from sipgw.ops.logs import both
from sipgw.ops.metrics import Metrics
from sipgw.settings import Settings
from sipgw.trace import Trace
from sipgw.worker.crew import Alarm
from sipgw.worker.local import LocalPlane
from sipgw.worker.processes import ProcessPlane


def media_plane(
    settings: Settings, state: Path, trace: Trace, metrics: Metrics, alarm: Alarm
) -> LocalPlane | ProcessPlane:
    """The plane that `workers` wants; it is to be started.

    Args:
        state: the state folder, in which workers are found again by a main process that was restarted.
        trace: takes notes for the log.
        metrics: count drops, and show what workers count.
        alarm: takes what an operator should look at.
    """
    options = replace(settings.media_options(), recording=settings.recording_options())
    prompts = load_prompts(settings.prompts)
    plane: LocalPlane | ProcessPlane
    if settings.worker_count:
        plane = ProcessPlane(
            options, prompts, settings.worker_count,
            folder=state / "workers", trace=trace, dropped=metrics.dropped, alarm=alarm,
        )  # fmt: skip
    else:
        plane = LocalPlane(options, prompts, both(trace, metrics.trace))
    metrics.watch_media(lambda: plane.workers)
    return plane
