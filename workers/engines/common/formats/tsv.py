"""Writes cues as tab-separated values, as Whisper's own writer does. Pure.

Source of the form: openai/whisper, `whisper/utils.py`, `WriteTSV`: a head line `start end text`, whole
milliseconds, one cue a line. Where speakers are known, a fourth column `speaker` has their names: a program
that reads columns by name or the first three finds what it did before.
"""

from __future__ import annotations

from collections.abc import Sequence

from protocol.timeline import Cue
from workers.engines.common.cues.phrases import joiner
from workers.engines.common.formats.base import Writable
from workers.engines.common.formats.lines import languages_of, plain
from workers.engines.common.formats.voices import named_cues

__all__ = ["to_tsv", "write"]

_HEAD = "start\tend\ttext"
_BETWEEN_NAMES = "; "


def write(track: Writable) -> str:
    """Return the track's cues as TSV."""
    return to_tsv(named_cues(track), track.languages)


def to_tsv(cues: Sequence[Cue], language: str | Sequence[str] = "") -> str:
    """Return the cues as TSV; a cue's lines become one text, with spaces for tabs and line ends.

    Nothing is quoted: after `plain` no text holds a tab or a line end, and quotes are text. Two lines are
    joined as two words of `language` (of all cues, or of each) are: with nothing between them in Japanese.
    `Cue.speakers` are the speakers' names.
    """
    each = zip(cues, languages_of(language, len(cues)), strict=True)
    rows = [[str(cue.start_ms), str(cue.end_ms), _one_text(cue, own)] for cue, own in each]
    head = _HEAD
    if any(cue.speakers for cue in cues):
        head += "\tspeaker"
        for row, cue in zip(rows, cues, strict=True):
            row.append(_BETWEEN_NAMES.join(dict.fromkeys(filter(None, map(plain, cue.speakers)))))
    return head + "\n" + "".join("\t".join(row) + "\n" for row in rows)


def _one_text(cue: Cue, language: str) -> str:
    text = ""
    for line in filter(None, (plain(line).strip() for line in cue.lines)):
        # Two Latin words or numbers have a space between them in every language.
        latin = all(character.isascii() and character.isalnum() for character in (text[-1:], line[:1]))
        text += (" " if latin else joiner(language) if text else "") + line
    return text
