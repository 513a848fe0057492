"""Replay of a captured caller through the gateway's own cores, in simulated time."""
