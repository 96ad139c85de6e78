"""Writes a transcript as text: one sentence a line. Pure."""

from __future__ import annotations

from workers.engines.common.formats.base import Writable

__all__ = ["write"]


def write(track: Writable) -> str:
    """Return one sentence a line, without times."""
    return "".join(f"{line}\n" for line in track.sentences())
