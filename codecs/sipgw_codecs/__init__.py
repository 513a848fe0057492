"""The gateway's codecs: one file each, and `registry` with their order."""
