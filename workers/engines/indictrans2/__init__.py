"""Engines of the environment `indictrans2`: translation between Indian languages and English."""
