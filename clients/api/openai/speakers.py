"""Who says what, in the form of OpenAI's `diarized_json`. Pure.

Source of the form: openai-python, `types/audio/transcription_diarized.py` and its segment. Nobody has a name
there unless the request brings known speakers: labels are capital letters in the order of their first words.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from string import ascii_uppercase
from typing import Any

from protocol.timeline import Segment, Transcript, Word

__all__ = ["said_by"]


def said_by(transcript: Transcript) -> list[dict[str, Any]]:
    """Return the segments, cut where another person speaks, each with the label of who does.

    A word that nobody is known to say belongs to who spoke before it, at the start to who speaks first. Where
    no voices were found all is said by `A`.
    """
    labels: dict[str, str] = {}
    last = next((word.speaker for word in transcript.words() if word.speaker), "")
    found: list[dict[str, Any]] = []
    for segment in transcript.segments:
        for speaker, text, start_ms, end_ms in _turns(segment, last):
            last = speaker
            label = labels.setdefault(speaker, _letters(len(labels)))
            found.append(
                {
                    "type": "transcript.text.segment",
                    "id": f"seg_{len(found):03d}",
                    "start": start_ms / 1000,
                    "end": end_ms / 1000,
                    "text": text,
                    "speaker": label,
                }
            )
    return found


def _turns(segment: Segment, last: str) -> Iterator[tuple[str, str, int, int]]:
    if not segment.words:
        yield last, segment.text.strip(), segment.start_ms, segment.end_ms
        return
    speakers = []
    for word in segment.words:
        last = word.speaker or last
        speakers.append(last)
    at = 0
    for speaker, group in groupby(zip(speakers, segment.words, strict=True), key=lambda pair: pair[0]):
        words = [word for _, word in group]
        text, at = _written(segment.text, words, at)
        yield speaker, text, words[0].start_ms, words[-1].end_ms


def _written(text: str, words: Sequence[Word], at: int) -> tuple[str, int]:
    """Return the words as the segment writes them, from the place `at` on, and the place after them."""
    stop = at
    for word in words:
        place = text.find(word.text.strip(), stop)
        if place < 0:
            return " ".join(word.text.strip() for word in words), stop
        stop = place + len(word.text.strip())
    return text[at:stop].strip(), stop


def _letters(number: int) -> str:
    """Return A, B, ... Z, AA, AB, ..."""
    before, last = divmod(number, len(ascii_uppercase))
    return (_letters(before - 1) if before else "") + ascii_uppercase[last]
