"""Asks services of others where calls go, in a thread of its own."""
