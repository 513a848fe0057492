"""Runs in the `pjsua2` environment: an attended transfer by PJSIP, told as JSON lines.

Ann calls `uri`, then Bob; she transfers Bob to her first call (REFER with Replaces, RFC 5589 section 7), and Bob's phone
takes her place there. Plan: {"uri", "play", "record", "seconds"}; what Bob hears of the first call is recorded.
"""

import os
import time

import pjsua2 as pj
from pjsua2_phone import PLAN, Phone, account, endpoint, tell


class Bob(Phone):
    """Answers Ann, and calls where she sends him."""

    there = None

    def onCallTransferRequest(self, asked):
        tell("transferred", to=asked.dstUri)
        Bob.there = asked.newCall = with_sound(Phone(self.owner), PLAN["record"])


class Desk(pj.Account):
    """Bob's account."""

    call = None

    def onIncomingCall(self, incoming):
        self.call = with_sound(Bob(self, incoming.callId), PLAN["record"] + ".bob.wav")
        self.call.owner = self
        accepted = pj.CallOpParam()
        accepted.statusCode = 200
        self.call.answer(accepted)


def with_sound(call, path):
    call.player, call.recorder = pj.AudioMediaPlayer(), pj.AudioMediaRecorder()
    call.player.createPlayer(PLAN["play"], pj.PJMEDIA_FILE_NO_LOOP)
    call.recorder.createRecorder(path)
    return call


def main():
    library, transport = endpoint()
    ann, bob = account(transport, "ann"), account(transport, "bob", Desk)
    here = library.transportGetInfo(transport).localName
    first = with_sound(Phone(ann), PLAN["record"] + ".ann.wav")
    second = with_sound(Phone(ann), PLAN["record"] + ".between.wav")
    limit = time.monotonic() + PLAN["seconds"] + 15

    def until(happened):
        while not happened() and time.monotonic() < limit:
            library.libHandleEvents(5)
        return happened()

    first.makeCall(PLAN["uri"], pj.CallOpParam(True))
    assert until(lambda: first.media is not None)
    second.makeCall(f"sip:bob@{here}", pj.CallOpParam(True))
    assert until(lambda: second.media is not None)
    second.xferReplaces(first, pj.CallOpParam(True))
    assert until(lambda: Bob.there is not None and Bob.there.media is not None)
    # The gateway says BYE to Ann, whose place is taken.
    assert until(lambda: first.over)
    enough = time.monotonic() + PLAN["seconds"]
    until(lambda: time.monotonic() > enough)
    Bob.there.hangup(pj.CallOpParam(True))
    over = until(lambda: Bob.there.over)
    library.libDestroy()  # which completes the recordings
    tell("end", over=over)
    # Calls that PJSUA has forgotten must not be destroyed by Python: an assertion would fail.
    os._exit(0)


main()
