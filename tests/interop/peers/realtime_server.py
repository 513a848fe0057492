"""Runs in the `speech-to-speech` environment: its Realtime (GA) server on 127.0.0.1, with a parrot for a model.

realtime_server.py PORT

The protocol is theirs. In place of recogniser, model and voice stands one thread a session: it hears loud from quiet,
says what it heard as a transcript and repeats it. It answers at about twice real time, so that a caller can interrupt.
"""

import sys
import threading
import time
from queue import Queue

import numpy as np
from speech_to_speech.api.openai_realtime.pipeline_unit import PipelineUnit
from speech_to_speech.api.openai_realtime.server import RealtimeServer
from speech_to_speech.api.openai_realtime.service import RealtimeService
from speech_to_speech.pipeline.cancel_scope import CancelScope
from speech_to_speech.pipeline.control import PipelineControlMessage
from speech_to_speech.pipeline.events import (
    AssistantOutputEvent,
    SpeechStartedEvent,
    SpeechStoppedEvent,
    TranscriptionCompletedEvent,
)
from speech_to_speech.pipeline.messages import AUDIO_RESPONSE_DONE, AudioOutput

CHUNK_MS = 32
LOUD = 1500
QUIET_CHUNKS = 10


class Parrot:
    """Hears one session's audio and repeats each utterance."""

    def __init__(self, unit):
        self.unit = unit
        self.heard_ms = 0
        self.turns = 0
        self.forget()

    def forget(self):
        self.utterance = []
        self.talking = False
        self.quiet = 0

    def run(self):
        while True:
            given = self.unit.input_queue.get()
            if isinstance(given, PipelineControlMessage):
                # The server frees the session's slot when this has gone all the way through.
                self.forget()
                self.heard_ms = 0
                self.unit.output_queue.put(given)
            else:
                self.hear(given[0])

    def hear(self, chunk):
        self.heard_ms += CHUNK_MS
        loud = np.abs(np.frombuffer(chunk, np.int16).astype(int)).max() > LOUD
        if loud and not self.talking:
            self.turns += 1
            self.talking = True
            self.say(SpeechStartedEvent(audio_start_ms=self.heard_ms, **self.turn))
        if self.talking:
            self.utterance.append(chunk)
            self.quiet = 0 if loud else self.quiet + 1
            if self.quiet == QUIET_CHUNKS:
                self.end_of_turn()

    @property
    def turn(self):
        return {"turn_id": f"t{self.turns}", "turn_revision": 0}

    def say(self, event):
        self.unit.text_output_queue.put(event)

    def end_of_turn(self):
        seconds = len(self.utterance) * CHUNK_MS / 1000
        self.say(SpeechStoppedEvent(audio_end_ms=self.heard_ms, duration_s=seconds, **self.turn))
        self.say(TranscriptionCompletedEvent(transcript="(the caller spoke)", **self.turn))
        generation = self.unit.cancel_scope.generation
        threading.Thread(target=self.repeat, args=(self.utterance, generation, self.turn), daemon=True).start()
        self.forget()

    def repeat(self, utterance, generation, turn):
        put = self.unit.output_queue.put
        put(AssistantOutputEvent(text="(the parrot repeats)", cancel_generation=generation, **turn))
        for chunk in utterance:
            put(AudioOutput(audio=chunk, cancel_generation=generation))
            time.sleep(CHUNK_MS / 2000)
        put(AudioOutput(audio=AUDIO_RESPONSE_DONE, cancel_generation=generation))


def unit_of(index):
    prompts, listening = Queue(), threading.Event()
    listening.set()
    unit = PipelineUnit(
        index=index,
        service=RealtimeService(text_prompt_queue=prompts, should_listen=listening),
        cancel_scope=CancelScope(),
        should_listen=listening,
        response_playing=threading.Event(),
        input_queue=Queue(),
        output_queue=Queue(),
        text_output_queue=Queue(),
        text_prompt_queue=prompts,
        handlers=[],
    )
    threading.Thread(target=Parrot(unit).run, daemon=True).start()
    return unit


RealtimeServer(threading.Event(), [unit_of(0)], host="127.0.0.1", port=int(sys.argv[1])).run()
