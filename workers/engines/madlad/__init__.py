"""Engines of the environment `madlad`: translation between a hundred languages, free for every use."""
