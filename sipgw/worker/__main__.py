"""`python -m sipgw.worker LISTENER SETUP`: a media worker process; control starts it with these two descriptors."""

import os
import sys

# Before numpy: its BLAS would spin helper threads for products of a few kilobytes, at sixteen times the cost.
os.environ["OPENBLAS_NUM_THREADS"] = "1"

if __name__ == "__main__":
    from sipgw.worker.process import main

    main(int(sys.argv[1]), int(sys.argv[2]))
