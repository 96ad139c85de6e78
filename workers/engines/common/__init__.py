"""Engines of the environment `common`: no model, no weights."""
