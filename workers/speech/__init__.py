"""Recognising speech, as far as it needs no model library: sound, stretches of speech, word times."""
