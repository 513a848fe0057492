"""Tools on top: captures, a test phone, ladders, WAV files."""
