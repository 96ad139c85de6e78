"""Engines of the environment `nllb`: translation between two hundred languages."""
