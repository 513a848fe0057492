"""The versions; each names the one before it."""
