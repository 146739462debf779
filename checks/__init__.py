"""The knowledge: one file, one thing that can be wrong. ``ls`` is the catalogue."""
