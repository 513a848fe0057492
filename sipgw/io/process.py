"""What Linux offers to processes that look after each other (prctl(2))."""

import ctypes
import os
import signal

_SET_PARENT_DEATH_SIGNAL = 1
_SET_CHILD_SUBREAPER = 36


def become_subreaper() -> None:
    """Be given the orphans among our descendants, as init would be, so that somebody waits for them.

    Raises:
        OSError: the kernel refuses.
    """
    _prctl(_SET_CHILD_SUBREAPER, 1)


def hear_of_parents_death(number: signal.Signals) -> None:
    """Be sent this signal when the parent dies.

    Raises:
        OSError: the kernel refuses.
    """
    _prctl(_SET_PARENT_DEATH_SIGNAL, number)


def _prctl(option: int, value: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(option, ctypes.c_ulong(value), 0, 0, 0) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
