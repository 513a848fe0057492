"""Writes `hook.schema.json` anew: python -m tests.ops.hooks.publish."""

import json
from pathlib import Path

import sipgw.ops.hooks
from sipgw.ops.hooks.wire import schema

if __name__ == "__main__":
    path = Path(sipgw.ops.hooks.__file__).parent / "hook.schema.json"
    path.write_text(json.dumps(schema(), indent=2) + "\n")
