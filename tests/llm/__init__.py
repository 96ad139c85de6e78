"""Endpoints of language models, for tests and benches: one that is played, one of llama.cpp."""
