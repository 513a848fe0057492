"""The HTTP API: calls as they stand, what happens in them, and what may be done with them."""
