"""Writes a track in one of the formats. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from protocol.errors import UsageError
from protocol.subtitles.formats import WRITTEN_FORMATS
from workers.engines.common.formats import ass, rttm, srt_vtt, transcript_json, tsv, ttml, txt
from workers.engines.common.formats.base import Writable

__all__ = ["WRITERS", "check_formats", "write"]

WRITERS: dict[str, Callable[[Writable], str]] = {
    "srt": srt_vtt.write_srt,
    "vtt": srt_vtt.write_vtt,
    "ass": ass.write,
    "ttml": ttml.write,
    "tsv": tsv.write,
    "txt": txt.write,
    "json": transcript_json.write,
    "rttm": rttm.write,
}


def write(track: Writable, name: str) -> bytes:
    """Return the file of the format `name`: UTF-8 without a mark at its start."""
    return WRITERS[name](track).encode("utf-8", "replace")


def check_formats(names: Sequence[str]) -> None:
    """Raise `UsageError` unless every format is one that this program writes."""
    unknown = [name for name in names if name not in WRITTEN_FORMATS]
    if unknown:
        message = f"{unknown[0]!r} is not a subtitle format this program writes."
        raise UsageError(message, f"Write some of {', '.join(WRITTEN_FORMATS)}.")
