"""Runs in the `pjsua2` environment: registers by PJSIP, rings when it is called, leaves, and tells it as JSON lines.

Plan: {"registrar", "transport"}; every line printed is {"at", "what", …}. It leaves once a call is over.
"""

import json
import os
import sys
import time

import pjsua2 as pj

PLAN = json.loads(sys.argv[1])
START = time.monotonic()
TRANSPORTS = {"udp": pj.PJSIP_TRANSPORT_UDP, "tcp": pj.PJSIP_TRANSPORT_TCP, "tls": pj.PJSIP_TRANSPORT_TLS}


def tell(what, **fields):
    print(json.dumps({"at": round(time.monotonic() - START, 3), "what": what, **fields}), flush=True)


class Incoming(pj.Call):
    over = False

    def onCallState(self, _):
        info = self.getInfo()
        tell("state", state=info.stateText, status=info.lastStatusCode)
        self.over = info.state == pj.PJSIP_INV_STATE_DISCONNECTED


class Desk(pj.Account):
    call = None
    active = False
    answered = 0

    def onRegState(self, told):
        self.active, self.answered = self.getInfo().regIsActive, self.answered + 1
        tell("registered", status=told.code, active=self.active, expires=told.expiration)

    def onIncomingCall(self, told):
        self.call = Incoming(self, told.callId)
        ringing = pj.CallOpParam()
        ringing.statusCode = 180
        self.call.answer(ringing)


def endpoint():
    made = pj.Endpoint()
    made.libCreate()
    config = pj.EpConfig()
    config.uaConfig.threadCnt = 0
    config.uaConfig.mainThreadOnly = True
    config.logConfig.level = config.logConfig.consoleLevel = 0
    made.libInit(config)
    transport = pj.TransportConfig()
    transport.boundAddress = transport.publicAddress = "127.0.0.1"
    identity = made.transportCreate(TRANSPORTS[PLAN["transport"]], transport)
    made.libStart()
    made.audDevManager().setNullDev()
    return made, identity


def account(transport):
    config = pj.AccountConfig()
    config.idUri = "sip:200@127.0.0.1"
    config.regConfig.registrarUri = PLAN["registrar"]
    config.regConfig.timeoutSec = 60
    config.sipConfig.transportId = transport
    config.sipConfig.authCreds.append(pj.AuthCredInfo("digest", "*", "200", 0, "secret"))
    made = Desk()
    made.create(config)
    return made


def until(library, is_so, seconds=10):
    limit = time.monotonic() + seconds
    while not is_so() and time.monotonic() < limit:
        library.libHandleEvents(5)


def main():
    library, transport = endpoint()
    desk = account(transport)
    until(library, lambda: desk.active)
    until(library, lambda: desk.call is not None and desk.call.over)
    before = desk.answered
    desk.setRegistration(True)
    until(library, lambda: desk.answered > before)
    desk.setRegistration(False)
    until(library, lambda: not desk.active)
    tell("end", active=desk.active)
    # PJSUA has forgotten the call, and its destructor would fail an assertion.
    os._exit(0)


main()
