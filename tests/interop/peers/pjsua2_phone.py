"""Runs in the `pjsua2` environment: one call by PJSIP, driven by a JSON plan, told as JSON lines.

Plan: {"uri", "play", "record", "seconds", "codec", "dtmf", "hold_at", "unhold_at", "transport" ("udp", "tcp", "tls"),
"ca" (PEM file of who is believed), "auth" ([user, password]), "prack" and "timer" (PJSUA's words for how much it wants
them), "expires" (of the session timer), "srtp" (suites it insists on; none: wants it where it can be had), "headers"
([[name, value]])}; every line printed is {"at", "what", …}.
"""

import json
import os
import sys
import time

import pjsua2 as pj

PLAN = json.loads(sys.argv[1])
START = time.monotonic()


def tell(what, **fields):
    print(json.dumps({"at": round(time.monotonic() - START, 3), "what": what, **fields}), flush=True)


class Phone(pj.Call):
    player = recorder = None
    media = None
    over = False

    def onCallState(self, _):
        info = self.getInfo()
        tell("state", state=info.stateText, status=info.lastStatusCode, reason=info.lastReason)
        if info.state == pj.PJSIP_INV_STATE_DISCONNECTED:
            self.over = True

    def onCallTsxState(self, told):
        event = told.e.body.tsxState
        if event.type != pj.PJSIP_EVENT_RX_MSG:
            return
        text = event.src.rdata.wholeMsg
        first, *lines = text.partition("\r\n\r\n")[0].split("\r\n")
        headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        if first.startswith("SIP/2.0"):
            method = headers["cseq"].split()[-1]
            tell("response", status=int(first.split()[1]), method=method, headers=headers)

    def onDtmfDigit(self, pressed):
        tell("digit", digit=pressed.digit)

    def onCallMediaState(self, _):
        # SWIG's vectors live in their owner: it must be kept while they are walked.
        info = self.getInfo()
        for media in info.media:
            tell("media", status=media.status, direction=media.dir)
            if media.type != pj.PJMEDIA_TYPE_AUDIO or media.status != pj.PJSUA_CALL_MEDIA_ACTIVE:
                continue
            audio = self.getAudioMedia(media.index)
            self.player.startTransmit(audio)
            audio.startTransmit(self.recorder)
            stream = self.getStreamInfo(media.index)
            tell("stream", codec=stream.codecName, payload_type=stream.txPt)
            self.media = media.index


def endpoint():
    made = pj.Endpoint()
    made.libCreate()
    config = pj.EpConfig()
    config.uaConfig.threadCnt = 0
    config.uaConfig.mainThreadOnly = True
    config.logConfig.level = config.logConfig.consoleLevel = 0
    config.medConfig.noVad = True
    config.medConfig.ecTailLen = 0
    config.medConfig.clockRate = 8000
    made.libInit(config)
    transport = pj.TransportConfig()
    transport.boundAddress = transport.publicAddress = "127.0.0.1"
    if "ca" in PLAN:
        transport.tlsConfig.CaListFile = PLAN["ca"]
        transport.tlsConfig.verifyServer = True
    kinds = {"udp": pj.PJSIP_TRANSPORT_UDP, "tcp": pj.PJSIP_TRANSPORT_TCP, "tls": pj.PJSIP_TRANSPORT_TLS}
    identity = made.transportCreate(kinds[PLAN.get("transport", "udp")], transport)
    made.libStart()
    made.audDevManager().setNullDev()
    for codec in made.codecEnum2():
        made.codecSetPriority(codec.codecId, 255 if codec.codecId.startswith(PLAN.get("codec", "PCMU")) else 0)
    return made, identity


def account(transport, user="pjsip", kind=pj.Account):
    config = pj.AccountConfig()
    config.idUri = f"sip:{user}@127.0.0.1"
    config.sipConfig.transportId = transport
    config.mediaConfig.transportConfig.boundAddress = "127.0.0.1"
    if "srtp" in PLAN:
        config.mediaConfig.srtpUse = pj.PJMEDIA_SRTP_MANDATORY if PLAN["srtp"] else pj.PJMEDIA_SRTP_OPTIONAL
        config.mediaConfig.srtpSecureSignaling = 0
        config.mediaConfig.srtpOpt.keyings.append(pj.PJMEDIA_SRTP_KEYING_SDES)
        for name in PLAN["srtp"]:
            suite = pj.SrtpCrypto()
            suite.name = name
            config.mediaConfig.srtpOpt.cryptos.append(suite)
    if "auth" in PLAN:
        user, password = PLAN["auth"]
        config.sipConfig.authCreds.append(pj.AuthCredInfo("digest", "*", user, 0, password))
    config.callConfig.prackUse = PLAN.get("prack", 0)
    config.callConfig.timerUse = PLAN.get("timer", 1)
    config.callConfig.timerSessExpiresSec = PLAN.get("expires", 1800)
    made = kind()
    made.create(config)
    return made


def steps(call):
    due = []
    for digit, at in PLAN.get("dtmf", []):
        due.append((at, lambda digit=digit: call.dialDtmf(digit)))
    if "hold_at" in PLAN:
        due.append((PLAN["hold_at"], lambda: call.setHold(pj.CallOpParam(True))))
    if "unhold_at" in PLAN:
        again = pj.CallOpParam(True)
        again.opt.flag = pj.PJSUA_CALL_UNHOLD
        due.append((PLAN["unhold_at"], lambda: call.reinvite(again)))
    due.append((PLAN["seconds"], lambda: hang_up(call)))
    return sorted(due, key=lambda step: step[0])


def hang_up(call):
    if call.media is not None:
        rtcp = call.getStreamStat(call.media).rtcp
        tell("rtp", sent=rtcp.txStat.pkt, received=rtcp.rxStat.pkt, lost=rtcp.rxStat.loss)
    call.hangup(pj.CallOpParam(True))


def main():
    library, transport = endpoint()
    owner = account(transport)
    call = Phone(owner)
    call.player, call.recorder = pj.AudioMediaPlayer(), pj.AudioMediaRecorder()
    call.player.createPlayer(PLAN["play"], pj.PJMEDIA_FILE_NO_LOOP)
    call.recorder.createRecorder(PLAN["record"])
    wanted = pj.CallOpParam(True)
    for name, value in PLAN.get("headers", []):
        header = pj.SipHeader()
        header.hName, header.hValue = name, value
        wanted.txOption.headers.append(header)
    call.makeCall(PLAN["uri"], wanted)
    due, began, limit = steps(call), None, time.monotonic() + PLAN["seconds"] + 10
    while not call.over and time.monotonic() < limit:
        library.libHandleEvents(5)
        if began is None and call.media is not None:
            began = time.monotonic()
        while due and began is not None and time.monotonic() - began >= due[0][0]:
            due.pop(0)[1]()
    tell("end", over=call.over)
    call.player = call.recorder = None
    if due:
        # The far end hung up: PJSUA has forgotten the call, and its destructor would fail an assertion.
        os._exit(0)
    del call
    library.libDestroy()


if __name__ == "__main__":
    main()
