"""Checking cues: where they break a rule, and why that could not be helped."""
