"""Engines of the environment `spleeter`: the voices of a film, by Spleeter's two stems."""
