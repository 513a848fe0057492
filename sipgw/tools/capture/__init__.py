"""Reads captures of calls, by anyone and from anywhere, and says what happened in them."""
