"""Ladders of calls: in the terminal, and as a page of their own."""
