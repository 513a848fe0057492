"""What holds for every test."""

import os

from hypothesis import settings

# The gate asks the same questions each time; new ones are asked by the long suite, or with SIPGW_FUZZ=1.
settings.register_profile("gate", derandomize=True, deadline=None)
settings.register_profile("fuzz", deadline=None, max_examples=1000)
settings.load_profile("fuzz" if os.environ.get("SIPGW_FUZZ") else "gate")
