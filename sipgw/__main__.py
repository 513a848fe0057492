"""`python -m sipgw`."""

from sipgw.cli import main

main()
