"""What no single key of `phones` can tell: how each proves who it is, and that no two are the same."""

import re

from sipgw.settings.checks_sip import check_networks
from sipgw.settings.model import Settings
from sipgw.settings.phones import Phone
from sipgw.settings.problems import Where
from sipgw.settings.source import Source

_DIGITS = {"MD5": 32, "SHA-256": 64, "SHA-512-256": 64}
_USER = re.compile(r"[A-Za-z0-9\-_.!~*'()&=+$,;?/%]+")
"""What a SIP URI may have before its `@` (RFC 3261 section 25.1), besides a password."""


def check_phones(settings: Settings, users: dict[str, Where], source: Source) -> None:
    """Note every contradiction in `source.problems`.

    Args:
        settings: with `phones`.
        users: who proves to be somebody else by digest already, and where that is written.
        source: takes the problems.
    """
    sip = settings.sip
    if sip.min_register_expires > sip.max_register_expires:
        text = f"{sip.min_register_expires} is more than max_register_expires"
        source.complain(("sip", "min_register_expires"), text, f"write {sip.max_register_expires} or less")
    for name, phone in settings.phones.items():
        where: Where = ("phones", name)
        _phone(phone, sip.algorithms, where, source)
        user = phone.user or name
        if users.setdefault(user, where) is not where:
            source.complain(where, f"{user!r} is somebody else's user as well", "give each a name of its own")
        if not _USER.fullmatch(user):
            source.complain((*where, "user"), f"{user!r} cannot stand in an address", "write an extension, as 200")


def _phone(phone: Phone, algorithms: tuple[str, ...], where: Where, source: Source) -> None:
    check_networks(phone.sources, where, source)
    if bool(phone.password.get_secret_value()) == bool(phone.ha1):
        source.complain(where, "needs either password or ha1", "give it a password_file, say")
    for algorithm, one in phone.ha1.items():
        if not re.fullmatch(rf"[0-9A-Fa-f]{{{_DIGITS[algorithm]}}}", one.get_secret_value()):
            text = f"is no hash of {algorithm}: that has {_DIGITS[algorithm]} hex digits"
            source.complain((*where, "ha1", algorithm), text, "hash user:realm:password")
    missing = [algorithm for algorithm in algorithms if phone.ha1 and algorithm not in phone.ha1]
    if missing:
        hint = "add them, or leave those algorithms out of sip.algorithms"
        source.complain((*where, "ha1"), f"has none for {' and '.join(missing)}, which we ask for", hint)
