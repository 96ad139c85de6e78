"""Subtitle formats, a row each: what is written, what is read, and what a format can hold.

How to add one: `workers/engines/common/formats/__init__.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

__all__ = ["FORMATS", "WRITTEN_FORMATS", "SubtitleFormat", "WrittenFormat"]


@dataclass(frozen=True, kw_only=True)
class SubtitleFormat:
    """What is known of a format."""

    name: str
    """In options and documents; of a format that is written, the end of its files' names too."""
    title: str
    """What people call it."""
    written: bool = False
    bilingual: bool = False
    """Two languages can share a file: it holds cues and nothing else."""
    karaoke: bool = False
    """A word can light up when it is spoken."""
    readable: bool = False
    suffix: str = ""
    """Of readable files; empty: it belongs to several formats, and tells nothing."""
    resolution_ms: int = 1
    """How exact the times in a file are."""
    read_order: int = 0
    """Where a job has its cues in several formats, 1 is read first; 0: never."""


FORMATS: dict[str, SubtitleFormat] = {
    row.name: row
    for row in (
        SubtitleFormat(
            name="srt",
            title="SRT",
            written=True,
            bilingual=True,
            readable=True,
            suffix=".srt",
            read_order=2,
        ),
        SubtitleFormat(
            name="vtt",
            title="WebVTT",
            written=True,
            bilingual=True,
            readable=True,
            suffix=".vtt",
            # It tells text from markup, which SubRip cannot.
            read_order=1,
        ),
        SubtitleFormat(
            name="ass",
            title="ASS",
            written=True,
            bilingual=True,
            karaoke=True,
            readable=True,
            suffix=".ass",
            resolution_ms=10,
            read_order=4,
        ),
        SubtitleFormat(
            name="ttml",
            title="TTML",
            written=True,
            bilingual=True,
            readable=True,
            suffix=".ttml",
            read_order=3,
        ),
        SubtitleFormat(name="tsv", title="TSV", written=True, bilingual=True),
        SubtitleFormat(name="txt", title="text", written=True),
        SubtitleFormat(name="json", title="JSON", written=True),
        SubtitleFormat(name="rttm", title="RTTM", written=True),
        SubtitleFormat(name="ssa", title="ASS", readable=True, suffix=".ssa", resolution_ms=10),
        SubtitleFormat(name="sami", title="SAMI", readable=True, suffix=".smi"),
        SubtitleFormat(name="microdvd", title="MicroDVD", readable=True),
        SubtitleFormat(name="mpl2", title="MPL2", readable=True, resolution_ms=100),
        SubtitleFormat(name="tmp", title="TMP", readable=True, resolution_ms=1_000),
    )
}
"""By name; in the order in which they are offered."""

WRITTEN_FORMATS = tuple(row.name for row in FORMATS.values() if row.written)

if TYPE_CHECKING:
    WrittenFormat: TypeAlias = str
else:
    WrittenFormat = Literal[WRITTEN_FORMATS]
    """A name of `WRITTEN_FORMATS`: what a person writes is held to the rows."""
