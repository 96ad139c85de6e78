"""What a voice says first in a film: its first lines with their times."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from protocol.artefacts import read_json_as
from protocol.errors import SchemaError
from protocol.jobs.voices import SpeakersReport
from protocol.languages import UNSPACED, read_tag
from protocol.timeline import Transcript, Word

__all__ = ["FIRST_LINES", "SaidLine", "first_lines"]

FIRST_LINES = 3
"""So many are enough to know a voice by."""
_MOST_WORDS = 12
_PAUSE_MS = 1_000


@dataclass(frozen=True, kw_only=True)
class SaidLine:
    """What one person says without a pause; times are on the film's clock."""

    start_ms: int
    end_ms: int
    text: str


def first_lines(report: SpeakersReport) -> dict[str, tuple[SaidLine, ...]]:
    """Return the first lines of each voice by its id; none where the transcript cannot be read."""
    try:
        if not report.transcript:
            return {}
        transcript = read_json_as(Transcript, Path(report.transcript), nan=True)
    except (OSError, ValueError, SchemaError):
        # The file may have been moved: the voices are who they are all the same.
        return {}
    found: dict[str, list[list[Word]]] = {}
    last = ""
    for word in transcript.words():
        if not word.speaker:
            continue
        lines = found.setdefault(word.speaker, [])
        if last == word.speaker and word.start_ms - lines[-1][-1].end_ms <= _PAUSE_MS:
            lines[-1].append(word)
        else:
            lines.append([word])
        last = word.speaker
    joint = "" if read_tag(transcript.language).language in UNSPACED else " "
    return {
        speaker: tuple(_line(line, report.offset_ms, joint) for line in _telling(lines))
        for speaker, lines in found.items()
    }


def _telling(lines: list[list[Word]]) -> list[list[Word]]:
    """Return the first lines of some length, in order; the first of all where none has."""
    long = [line for line in lines if len(line) > 2]
    return (long or lines)[:FIRST_LINES]


def _line(words: list[Word], offset_ms: int, joint: str) -> SaidLine:
    shown = words[:_MOST_WORDS]
    text = joint.join(word.text for word in shown)
    return SaidLine(
        start_ms=words[0].start_ms + offset_ms,
        end_ms=shown[-1].end_ms + offset_ms,
        text=f"{text} ..." if len(words) > len(shown) else text,
    )
