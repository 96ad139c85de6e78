"""What files call the speakers, and the colours they give them. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from protocol.timeline import Cue, Speaker, Turn, Word
from workers.engines.common.formats.base import Writable

__all__ = ["PALETTE", "colours_of", "named_cues", "names_of", "shown_name", "turns_of"]

PALETTE = ((255, 255, 255), (255, 255, 0), (0, 255, 255), (0, 255, 0))
"""White, yellow, cyan, green: BBC Subtitle Guidelines 8.3, "Speaker colours", in their order of priority."""
_ONE_TURN_MS = 300
"""A shorter pause does not end a turn, as in NIST's reference files."""


def shown_name(speaker: Speaker) -> str:
    """Return what a file calls a speaker, in one line: a voice without a name keeps its number."""
    return " ".join(speaker.name.split()) or f"Speaker {speaker.id}"


def names_of(speakers: Sequence[Speaker]) -> dict[str, str]:
    """Return what a file calls each speaker, by the ids."""
    return {speaker.id: shown_name(speaker) for speaker in speakers}


def named_cues(track: Writable) -> tuple[Cue, ...]:
    """Return the track's cues with the names of their lines' speakers in place of the ids."""
    names = names_of(track.transcript.speakers)
    return tuple(
        replace(cue, speakers=tuple(names.get(speaker, speaker) for speaker in cue.speakers))
        if cue.speakers
        else cue
        for cue in track.cues
    )


def colours_of(speakers: Sequence[Speaker]) -> dict[str, tuple[int, int, int]]:
    """Return the colour of each speaker by name: who speaks most has the first of `PALETTE`.

    White is for any number of speakers (BBC, 8.5): all from the fifth on have it.
    """
    ranked = sorted(speakers, key=lambda speaker: -speaker.speech_ms)
    return {
        shown_name(speaker): PALETTE[place] if place < len(PALETTE) else PALETTE[0]
        for place, speaker in enumerate(ranked)
    }


def turns_of(words: Sequence[Word]) -> tuple[Turn, ...]:
    """Return the stretches in which one person speaks, by the words whose speaker is known.

    They are in the order of time, though the segments of two who speak at once may not be. None is without
    length.
    """
    found = (turn for turn in _runs_of(words) if turn.end_ms > turn.start_ms)
    return tuple(sorted(found, key=lambda turn: (turn.start_ms, turn.end_ms, turn.speaker)))


def _runs_of(words: Sequence[Word]) -> Iterator[Turn]:
    turn: Turn | None = None
    for word in words:
        if turn is not None and (word.speaker != turn.speaker or _is_apart(turn, word)):
            yield turn
            turn = None
        if word.speaker and turn is not None:
            turn = replace(turn, end_ms=max(turn.end_ms, word.end_ms))
        elif word.speaker:
            turn = Turn(start_ms=word.start_ms, end_ms=word.end_ms, speaker=word.speaker)
    if turn is not None:
        yield turn


def _is_apart(turn: Turn, word: Word) -> bool:
    return word.start_ms < turn.start_ms or word.start_ms - turn.end_ms > _ONE_TURN_MS
