"""The stage clean: finds what the recogniser wrote but nobody said, with evidence."""
