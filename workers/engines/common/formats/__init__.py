"""Subtitle formats: one format a module, written and read."""
