"""Writes a transcript as text: one sentence a line. Pure.

Where the speaker is known, the line begins with `[Name]: `, as whisperX's writer has it
(m-bain/whisperX, `whisperx/utils.py`, `WriteTXT`).
"""

from __future__ import annotations

from workers.engines.common.formats.base import Writable
from workers.engines.common.formats.voices import names_of

__all__ = ["write"]


def write(track: Writable) -> str:
    """Return one sentence a line, without times."""
    names = names_of(track.transcript.speakers)
    return "".join(
        f"[{names[speaker]}]: {text}\n" if speaker in names else f"{text}\n"
        for speaker, text in track.spoken_sentences()
    )
