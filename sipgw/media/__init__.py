"""The media plane: sessions, their batch engine, and the seam to control. Pure."""
