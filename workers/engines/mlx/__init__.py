"""Engines of the environment `mlx`: mlx-whisper, on Apple's GPU, and slowly on any processor."""
