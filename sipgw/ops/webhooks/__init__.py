"""Tells endpoints of others what happens in calls: kept on disk until they have it, signed, off the calls' loop."""
