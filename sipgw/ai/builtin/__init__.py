"""Backends that need no network: real dialects, without a socket."""
