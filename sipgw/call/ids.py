"""Names of what a call owns. Each begins with the call's id, so that an event finds its call without a table."""


def call_id(node: str, token: str) -> str:
    """The id of a new call; it names the node that made it. `token` is what nobody else has."""
    return f"{node}-{token}"


def session_id(call: str) -> str:
    """The media session of the caller's leg, and the ports opened for it."""
    return f"{call}/caller"


def timer_id(call: str, name: str, serial: int) -> str:
    """One run of one timer; the next run has another serial, so a firing that comes too late is known as such."""
    return f"{call}/{name}/{serial}"


def ask_id(call: str, serial: int) -> str:
    """One question to a hook; the next has another serial, so an answer that comes too late is known as such."""
    return f"{call}/ask/{serial}"


def owner(name: str) -> str:
    """The call that a session, a pair of ports, a question or a timer belongs to."""
    return name.partition("/")[0]
