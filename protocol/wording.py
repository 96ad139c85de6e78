"""Words and numbers that the daemon and its clients say alike. Pure."""

from __future__ import annotations

__all__ = ["size"]


def size(amount: int) -> str:
    """Return bytes as `812 MB` or `3.4 GB`; nothing where there are none."""
    if amount <= 0:
        return ""
    if amount < 999_500_000:
        return f"{max(1, round(amount / 1e6))} MB"
    return f"{amount / 1e9:.1f} GB"
