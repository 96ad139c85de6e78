"""Engines of the environment `demucs`: the voices of a film, by Hybrid Transformer Demucs."""
