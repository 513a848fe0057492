"""What is to be known of a session to bring it up again elsewhere, as far as its state table does not say it.

Control and worker both keep it: control for when the worker dies, the worker for when control does.
"""

from typing import NamedTuple

import msgspec

from sipgw.ai.events import REMEMBERED, Close, Closed, Failed, Mute, Open, Ready, Transcript, Words
from sipgw.media import plane


class Known(msgspec.Struct):
    """One session, as commands and events have made it."""

    session: str
    call: str
    stream: plane.Stream
    started: bool = False
    connect: plane.ConnectBackend | None = None
    """The conversation there is; None once it failed or was closed."""
    ready: bool = False
    """Its backend was."""
    opened: Open | None = None
    muted: bool = False
    said: list[Words] = []
    """Its last turns."""
    prompt: plane.Play | None = None
    """What is being played."""
    keys: list[int] = []
    """How many keys each `SendDigits` had that is still at it."""
    watch: plane.WatchSilence | None = None
    """What silence is told of."""
    recording: plane.StartRecording | None = None
    """What is being recorded, or finished."""
    path: str = ""
    """Where it is."""
    paused: bool = False
    """It is."""
    recorded: bool = False
    """It was to end."""
    ending: bool = False
    """It was to end."""

    @staticmethod
    def of(command: plane.CreateSession) -> "Known":
        """A session that is being created."""
        started = command.after is not None and command.after.started is not None
        return Known(command.session, command.call, command.stream, started)

    def command(self, command: plane.Command) -> None:
        """A command was given."""
        match command:
            case plane.StartSession():
                self.started = True
            case plane.UpdateSession(stream=stream):
                self.stream = stream
            case plane.ConnectBackend():
                self._converse(command)
            case plane.Play():
                self.prompt = command
            case plane.StopPlaying():
                self.prompt = None
            case plane.SendDigits(digits=digits):
                self.keys = [*self.keys, len(digits)]
            case plane.WatchSilence():
                self.watch = command
            case plane.Tell(intent=Open() as intent):
                self.opened = intent
            case plane.Tell(intent=Mute(muted=muted)):
                self.muted = muted
            case plane.Tell(intent=Close()):
                self._converse(None)
            case plane.StartRecording() if self.recording is None or self.recorded:
                self.recording, self.path, self.paused, self.recorded = command, "", False, False
            case plane.PauseRecording() | plane.ResumeRecording():
                self.paused = isinstance(command, plane.PauseRecording)
            case plane.StopRecording():
                self.recorded = True
            case plane.DestroySession():
                self.ending = True

    def event(self, event: plane.Event) -> None:
        """Something happened."""
        match event:
            case plane.Played(play=play) if self.prompt and play == self.prompt.play:
                self.prompt = None
            case plane.DigitsSent():
                self.keys = self.keys[1:]
            case plane.RecordingStarted(path=path):
                self.path = path
            case plane.Recorded(path=path) | plane.RecordingFailed(path=path) if path == self.path:
                self.recording = None
            case plane.Reported(attempt=attempt, report=report) if self.connect and attempt == self.connect.attempt:
                self._reported(report)

    def _reported(self, report: object) -> None:
        match report:
            case Ready():
                self.ready = True
            case Failed() | Closed():
                self._converse(None)
            case Transcript(who=who, text=text, final=True):
                self.said = [*self.said[1 - REMEMBERED :], Words(who, text)]

    def _converse(self, command: plane.ConnectBackend | None) -> None:
        self.connect, self.ready, self.opened, self.muted, self.said = command, False, None, False, []

    @property
    def alive(self) -> plane.Alive:
        """What a control that was restarted is told of it."""
        return plane.Alive(
            self.session,
            self.stream,
            started=self.started,
            attempt=self.connect.attempt if self.connect else None,
            ready=self.ready,
            opened=self.opened is not None and not self.opened.early,
            muted=self.muted,
            play=self.prompt.play if self.prompt else None,
            recording=self.recording is not None and not self.recorded,
            paused=self.paused,
        )

    def again(self, after: plane.Continuation | None) -> list[plane.Command]:
        """The commands that bring the session up elsewhere; `after` is where its stream goes on."""
        name = self.session
        commands: list[plane.Command] = [plane.CreateSession(name, self.call, self.stream, after)]
        if self.started and (after is None or after.started is None):
            commands.append(plane.StartSession(name))
        commands += [self.prompt] if self.prompt else []
        if self.connect is not None:
            commands.append(self._resumed(self.connect))
            commands += [plane.Tell(name, Mute(True))] * self.muted
            commands += [plane.Tell(name, self.opened)] if self.opened else []
        commands += [self.watch] if self.watch else []
        if self.recording is not None and not self.recorded:
            commands.append(self.recording)
            commands += [plane.PauseRecording(name)] * self.paused
        return commands

    def lost(self) -> list[plane.Event]:
        """What is told of what ended with its worker."""
        events: list[plane.Event] = [plane.DigitsSent(self.session, count, complete=False) for count in self.keys]
        if self.recording is not None:
            events.append(plane.RecordingFailed(self.session, "its media worker died", self.path))
        return events

    def _resumed(self, connect: plane.ConnectBackend) -> plane.ConnectBackend:
        """The backend is told that it resumes where it has spoken with the caller before."""
        if self.opened is None or not self.ready:
            return connect
        facts = msgspec.structs.replace(connect.facts, resumed=True, said=tuple(self.said))
        return msgspec.structs.replace(connect, facts=facts)


class Adopted(NamedTuple):
    """A session that a worker has kept up while there was no control."""

    known: Known
    sockets: tuple[int, int]
    """Of RTP and RTCP, the caller's own copies."""
