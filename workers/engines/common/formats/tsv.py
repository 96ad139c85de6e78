"""Writes cues as tab-separated values, as Whisper's own writer does. Pure.

Source of the form: openai/whisper, `whisper/utils.py`, `WriteTSV`: a head line `start end text`, whole
milliseconds, one cue a line.
"""

from __future__ import annotations

from collections.abc import Sequence

from protocol.timeline import Cue
from workers.engines.common.cues.phrases import joiner
from workers.engines.common.formats.base import Writable
from workers.engines.common.formats.lines import languages_of, plain

__all__ = ["to_tsv", "write"]

_HEAD = "start\tend\ttext\n"


def write(track: Writable) -> str:
    """Return the track's cues as TSV."""
    return to_tsv(track.cues, track.languages)


def to_tsv(cues: Sequence[Cue], language: str | Sequence[str] = "") -> str:
    """Return the cues as TSV; a cue's lines become one text, with spaces for tabs and line ends.

    Nothing is quoted: after `plain` no text holds a tab or a line end, and quotes are text. Two lines are
    joined as two words of `language` (of all cues, or of each) are: with nothing between them in Japanese.
    """
    each = zip(cues, languages_of(language, len(cues)), strict=True)
    return _HEAD + "".join(f"{cue.start_ms}\t{cue.end_ms}\t{_one_text(cue, own)}\n" for cue, own in each)


def _one_text(cue: Cue, language: str) -> str:
    text = ""
    for line in filter(None, (plain(line).strip() for line in cue.lines)):
        # Two Latin words or numbers have a space between them in every language.
        latin = all(character.isascii() and character.isalnum() for character in (text[-1:], line[:1]))
        text += (" " if latin else joiner(language) if text else "") + line
    return text
