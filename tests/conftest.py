"""What holds for every test."""

import os

from hypothesis import settings

# The gate asks the same questions each time; new ones are asked by the long suite, or with SIPGW_FUZZ=1.
settings.register_profile("gate", derandomize=True, deadline=None)
settings.register_profile("fuzz", deadline=None, max_examples=1000)
settings.load_profile("fuzz" if os.environ.get("SIPGW_FUZZ") else "gate")

# Several gateways of the built-in defaults run at a time, and one port is not enough for all of them.
os.environ.setdefault("SIPGW_API_PORT", "0")
