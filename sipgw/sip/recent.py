"""What is remembered of things that others can make as many of as they like: the newest, so many at most."""

from typing import TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Recent(dict[K, V]):
    """A dict whose oldest entry is forgotten when there is one too many.

    Args:
        keep: how many.
    """

    def __init__(self, keep: int) -> None:
        super().__init__()
        self._keep = keep

    def put(self, key: K, value: V) -> None:
        """Remember this as the newest, whether or not it was there before."""
        self.pop(key, None)
        self[key] = value
        if len(self) > self._keep:
            del self[next(iter(self))]
