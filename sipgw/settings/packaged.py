"""Files that come with the program: in a wheel under `sipgw/_data`, in a checkout at its root."""

from importlib.resources import files
from pathlib import Path

from sipgw.errors import UsageError


def prompt_names() -> list[str]:
    """The prompts there are."""
    return sorted(path.stem for path in embedded("config/prompts/apology.wav").parent.glob("*.wav"))


def embedded(path: str) -> Path:
    """A file that comes with the program, such as `config/sipgw.yaml` or `pcaps/first-call.pcap`.

    Raises:
        UsageError: there is no such file.
    """
    package = Path(str(files("sipgw")))
    for root in (package / "_data", package.parent):
        if (root / path).is_file():
            return root / path
    raise UsageError(f"{path} does not come with this installation")
