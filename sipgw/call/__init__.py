"""Call logic as a pure core: events and the time in, effects out."""
