"""Cutting words into cues, and judging cues: rules, profiles, phrases, shot changes."""
