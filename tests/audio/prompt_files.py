"""Where the prompts are that come with the gateway."""

from pathlib import Path

PROMPTS = Path(__file__).parents[2] / "config" / "prompts"
