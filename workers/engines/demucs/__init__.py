"""Engines of the environment `demucs`: voices by Hybrid Transformer Demucs, the film a stretch at a time."""
