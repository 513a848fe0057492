"""The folder of recordings: finishes what killed writers left, and deletes what is old. All of it may block."""

from collections.abc import Iterator
from pathlib import Path

from sipgw.audio.wav import HEAD_BYTES, mended
from sipgw.media import plane
from sipgw.worker.sink import PARTIAL, Kept, recover

_DAY = 86_400.0


def recover_all(folder: Path) -> Iterator[Kept]:
    """Finish every recording whose writer is gone."""
    for partial in sorted(folder.rglob(f"*.wav{PARTIAL}")):
        try:
            kept = recover(partial)
        except FileNotFoundError:  # its writer has just finished it
            continue
        if kept is not None:
            yield kept


def purge(folder: Path, keep_days: int, now: float) -> int:
    """Delete recordings of ours that are older, and folders that are empty then; returns how many.

    Args:
        folder: where to look, and below.
        keep_days: 0 keeps everything.
        now: Unix time.
    """
    if not keep_days:
        return 0
    deleted = 0
    for path in sorted(folder.rglob("*.wav")):
        if path.is_file() and path.stat().st_mtime < now - keep_days * _DAY and _is_ours(path):
            path.unlink()
            deleted += 1
            if path.parent != folder and not any(path.parent.iterdir()):
                path.parent.rmdir()
    return deleted


def finished(event: plane.RecordingFailed) -> plane.Recorded | plane.RecordingFailed:
    """What has become of a recording that its worker could not finish: whole as far as it goes, if it can be."""
    try:
        kept = recover(Path(event.path + PARTIAL))
    except OSError:
        return event
    if kept is None:
        return event
    return plane.Recorded(event.session, kept.path, kept.seconds, kept.sha256, failure=event.reason)


def _is_ours(path: Path) -> bool:
    """Whether we wrote it: somebody may keep other sound in the same folder."""
    with path.open("rb") as file:
        return mended(file.read(HEAD_BYTES), path.stat().st_size) is not None
