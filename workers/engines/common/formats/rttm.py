"""Writes who speaks when as RTTM, the table that programs for telling speakers apart compare. Pure.

The form is NIST's, of its Rich Transcription evaluations: fields with spaces between them,
`SPEAKER file channel start duration <NA> <NA> name <NA> <NA>`, times in seconds.
"""

from __future__ import annotations

from workers.engines.common.formats.base import Writable
from workers.engines.common.formats.voices import names_of, turns_of

__all__ = ["write"]

_NONE = "<NA>"


def write(track: Writable) -> str:
    """Return a line for each stretch in which one person speaks; an empty file where no speaker is known.

    Spaces part the fields, so those of a title or a name become low lines.
    """
    names = names_of(track.transcript.speakers)
    title = _field(str(track.made_by.get("title", "")))
    lines = []
    for turn in turns_of(track.transcript.words()):
        times = f"{turn.start_ms / 1_000:.3f} {(turn.end_ms - turn.start_ms) / 1_000:.3f}"
        name = _field(names.get(turn.speaker, turn.speaker))
        lines.append(f"SPEAKER {title} 1 {times} {_NONE} {_NONE} {name} {_NONE} {_NONE}\n")
    return "".join(lines)


def _field(text: str) -> str:
    return "_".join(text.split()) or _NONE
