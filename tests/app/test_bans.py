"""Bans as operators see them."""

from io import StringIO

from sipgw.app.bans import Bans
from sipgw.ops.api.gateway import BanView
from sipgw.ops.logs import configure
from sipgw.ops.metrics import Metrics
from sipgw.options import DefenceOptions
from sipgw.sip import bans


def test_bans_are_counted_listed_in_unix_time_and_logged_but_not_by_the_thousand() -> None:
    core, metrics, lines = bans.Bans(DefenceOptions(offences=1, ban_seconds=60.0)), Metrics(), StringIO()
    log = configure("json", stream=lines)
    seen = Bans(core, lambda: 30.0, lambda now: 1000.0 + now, metrics, log)
    for number in range(50):
        core.offence(f"192.0.2.{number}", "not_sip", reliable=False, now=25.0)
    assert seen.list()[0] == BanView("192.0.2.0", "not_sip", 1025.0, 1085.0, datagrams_only=True)
    assert lines.getvalue().count('"event": "banned"') == 10
    text = metrics.render().decode()
    assert 'sipgw_bans_total{reason="not_sip"} 50.0' in text
    assert "sipgw_banned 50.0" in text
    assert seen.lift("192.0.2.0")
    assert not seen.lift("192.0.2.0")
    assert len(seen.list()) == 49
    assert lines.getvalue().count('"event": "ban lifted"') == 1
