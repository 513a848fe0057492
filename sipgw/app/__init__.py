"""The composition root: settings in, running gateway out."""
