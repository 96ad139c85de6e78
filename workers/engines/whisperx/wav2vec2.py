"""Times of words by a wav2vec2 model of the language, through whisperx."""

from __future__ import annotations

from typing import Any

from protocol.timeline import Segment, Span
from workers.engines.whisperx.settling import TimedWord, settle
from workers.engines.whisperx.sound import SAMPLE_RATE, Sound
from workers.engines.whisperx.spans import within

__all__ = ["WAV2VEC2", "time_words_of"]

WAV2VEC2 = "wav2vec2"
_MOST_UNTIMED = 0.5
"""A segment with more of its words untimed (digits, letters the model lacks) is left to another method."""


class _OneSentence:
    """Stands in for NLTK's sentence splitter, whose data whisperx would download inside a job.

    whisperx only uses it to cut its result into segments; sentences are cut later, for every method alike.
    """

    def span_tokenize(self, text: str) -> list[tuple[int, int]]:
        """Return the whole text as one sentence."""
        return [(0, len(text))]


def time_words_of(
    aligner: tuple[Any, dict[str, Any]], sound: Sound, segment: Segment, speech: list[Span], device: str
) -> list[TimedWord]:
    """Return the segment's words inside `speech`; none where the model could not time most of them."""
    import whisperx.alignment as library

    model, metadata = aligner
    library.nltk_load = lambda _name: _OneSentence()
    length = (segment.end_ms - segment.start_ms) / 1000
    samples = sound.between(segment.start_ms, segment.end_ms)
    if len(samples) < SAMPLE_RATE // 10:
        return []
    asked = [{"start": 0.0, "end": length, "text": segment.text}]
    aligned = library.align(asked, model, metadata, samples, device)
    words = [each for part in aligned["segments"] for each in part["words"]]
    timed = [each for each in words if "start" in each and "end" in each]
    if not words or len(timed) < (1 - _MOST_UNTIMED) * len(words):
        return []
    return settle(_complete(words, segment), within(speech, segment.start_ms, segment.end_ms))


def _complete(words: list[dict[str, Any]], segment: Segment) -> list[TimedWord]:
    """Return the words on the film's clock; one without times starts where the word before it ends."""
    complete: list[TimedWord] = []
    for word in words:
        before = complete[-1].end_ms if complete else segment.start_ms
        start = segment.start_ms + round(word["start"] * 1000) if "start" in word else before
        end = segment.start_ms + round(word["end"] * 1000) if "end" in word else start
        complete.append(
            TimedWord(text=word["word"].strip(), start_ms=start, end_ms=end, probability=word.get("score"))
        )
    return complete
