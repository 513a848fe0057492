"""The deeds that record an answered call, and the prompt that tells the caller of it before.

A recording may begin again by itself, on the worker that takes up the calls of one that died; so what runs is counted
by what the media plane says, and each file has its own place in the call's record.
"""

from dataclasses import replace

from sipgw.ai.events import RecordingWish
from sipgw.call.cdr import Draft, Recording
from sipgw.call.commands import Command, PauseRecording, ResumeRecording, StartRecording, StopRecording
from sipgw.call.feed import Happened, Kind
from sipgw.call.holdings import Holdings
from sipgw.call.naming import recording_name
from sipgw.call.snapshot import KeptRecorder
from sipgw.call.steering import Steering
from sipgw.call.surroundings import Moment, Surroundings
from sipgw.media import plane
from sipgw.options import RouteOptions

ALWAYS, NEVER = "always", "never"


class Recorder(Steering):
    """One call's."""

    def __init__(self, call: str, held: Holdings, draft: Draft, around: Surroundings, happened: Happened) -> None:
        super().__init__(call, held, draft, around, happened)
        self._route: RouteOptions | None = None
        self._began = 0.0
        """When the recording did that was ordered last."""
        self._paused = False
        self._announced: bool | None = None
        """Whether the caller has heard the consent prompt; None while that is to come."""

    @property
    def recording(self) -> str:
        """`on`, `paused` or `off`."""
        if not self._held.recorded:
            return "off"
        return "paused" if self._paused else "on"

    @property
    def _its_route(self) -> RouteOptions:
        assert self._route is not None, "a call with ports has a route"
        return self._route

    def snapshot_recorder(self) -> KeptRecorder:
        """What `restore_recorder` needs."""
        return KeptRecorder(self._began, self._paused, self._announced)

    def restore_recorder(self, kept: KeptRecorder) -> None:
        """Go on from there."""
        self._began, self._paused, self._announced = kept.began, kept.paused, kept.announced

    def objection(self, command: Command) -> str:
        """Why this cannot be done now, beyond the call's state; empty where nothing speaks against it."""
        match command:
            case StartRecording() if self._its_route.record == NEVER:
                return "calls of this route are never recorded; set record to on_demand or always"
            case StartRecording() if self._held.recorded:
                return "the call is recorded already"
            case StartRecording() if self._must_announce or self._announced is False:
                return "the caller has not heard the consent prompt"
            case StopRecording() | PauseRecording() | ResumeRecording() if not self._held.recorded:
                return "the call is not recorded"
            case PauseRecording() if self._paused:
                return "the recording is paused already"
            case ResumeRecording() if not self._paused:
                return "the recording is not paused"
        return super().objection(command)

    # --- consent --------------------------------------------------------------------------------------------------

    @property
    def _must_announce(self) -> bool:
        options = self._its_route
        return bool(options.consent) and options.record != NEVER and self._announced is None

    def announce(self, moment: Moment) -> None:
        """The caller hears first that the call is recorded, or may be."""
        if self._held.prompt != self._its_route.consent:
            self._play(self._its_route.consent, moment.now)

    def note_played(self, moment: Moment) -> None:
        """A prompt is over; who has not heard that of consent to its end is not recorded."""
        super().note_played(moment)
        played: plane.Played = moment.event
        if not self._must_announce or played.prompt != self._its_route.consent:
            return
        self._announced = played.complete
        if not played.complete:
            self._failed_to_record("the consent prompt could not be played", moment.now)
        elif self._its_route.record == ALWAYS and not self._held.recorded:
            self._record(moment.now)

    # --- recording ------------------------------------------------------------------------------------------------

    def record_from_answer(self, now: float) -> None:
        """Where all calls of the route are recorded; a consent prompt is heard before, unless it belongs to it."""
        options = self._its_route
        if options.record == ALWAYS and (options.consent_recorded or not options.consent):
            self._record(now)

    def start_recording(self, moment: Moment) -> None:
        """Record from now on."""
        self._record(moment.now)

    def stop_recording(self, moment: Moment) -> None:
        """Record no longer; the media plane tells when the file is complete."""
        self._held.stop_recording()

    def pause_recording(self, moment: Moment) -> None:
        """Leave out what is said from now on."""
        self._pause(paused=True, now=moment.now)

    def resume_recording(self, moment: Moment) -> None:
        """Go on."""
        self._pause(paused=False, now=moment.now)

    def heed_recording_wish(self, moment: Moment) -> None:
        """The backend wants the recording paused, before a card's digits say, or resumed."""
        wish: RecordingWish = moment.event.report
        if not self._its_route.backend_pauses:
            self._around.drop(self._call, "pause_not_allowed", self._draft.route, moment.now)
        elif self._held.recorded and wish.paused is not self._paused:
            self._pause(paused=wish.paused, now=moment.now)

    def _record(self, now: float) -> None:
        draft, when = self._draft, self._around.wall(now)
        name = recording_name(
            self._around.options.recording_name, when,
            call=self._call, caller=draft.caller, called=draft.called, route=draft.route,
        )  # fmt: skip
        self._began, self._paused = when, False
        self._held.start_recording(name)

    def _pause(self, *, paused: bool, now: float) -> None:
        self._paused = paused
        self._held.pause_recording(paused)
        self._happened(Kind.RECORDING, now, state="paused" if paused else "resumed")

    # --- the media plane's word -----------------------------------------------------------------------------------

    def note_recording(self, moment: Moment) -> None:
        """A file is being written: the one that was ordered, or the next after a worker died."""
        started: plane.RecordingStarted = moment.event
        ordered = self._held.recording_began()
        when = self._began if ordered else self._around.wall(moment.now)
        self._draft.recordings.append(Recording(started.path, when))
        self._happened(Kind.RECORDING, moment.now, state="started", path=started.path)

    def note_recorded(self, moment: Moment) -> None:
        """A file is complete, as far as it goes."""
        event: plane.Recorded | plane.RecordingFailed = moment.event
        if isinstance(event, plane.RecordingFailed):
            self._held.recording_over(begun=bool(event.path))
            self._keep(Recording(event.path, self._began, failure=event.reason))
            self._failed_to_record(event.reason, moment.now)
            return
        self._held.recording_over(begun=True)
        self._keep(Recording(
            event.path, self._began, event.seconds, event.sha256, event.paused, event.lost_ms, event.failure
        ))  # fmt: skip
        self._happened(
            Kind.RECORDED, moment.now,
            path=event.path, seconds=event.seconds, sha256=event.sha256, lost_ms=event.lost_ms, failure=event.failure,
        )  # fmt: skip
        if event.failure:
            self._failed_to_record(event.failure, moment.now)

    def _keep(self, recording: Recording) -> None:
        """In the place of what is known of it so far."""
        kept = self._draft.recordings
        for index, earlier in enumerate(kept):
            if recording.path and earlier.path == recording.path:
                kept[index] = replace(recording, started=earlier.started)
                return
        kept.append(recording)

    def _failed_to_record(self, reason: str, now: float) -> None:
        self._around.drop(self._call, "recording_failed", reason, now)
        self._happened(Kind.ALARM, now, name="recording_failed", detail=reason)
