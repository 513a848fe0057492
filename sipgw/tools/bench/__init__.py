"""Benchmarks: what a call costs and how long its audio takes, as ratios to what the machine itself needs for it."""
