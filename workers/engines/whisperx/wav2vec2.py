"""Times of words by a wav2vec2 model of the language, through whisperx."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

from protocol.timeline import Segment
from workers.speech.sound import SAMPLE_RATE, Sound
from workers.speech.word_times import Attended, TimedWord, join_attended

__all__ = ["WAV2VEC2", "Letters", "aligned_words", "time_words_of"]

log = logging.getLogger(__name__)

WAV2VEC2 = "wav2vec2"


class _OneSentence:
    """Stands in for NLTK's sentence splitter, whose data whisperx would download inside a job.

    whisperx only uses it to cut its result into segments; sentences are cut later, for every method alike.
    """

    def span_tokenize(self, text: str) -> list[tuple[int, int]]:
        """Return the whole text as one sentence."""
        return [(0, len(text))]


class _Listener:
    """Stands in for the model and keeps what it has heard, of which whisperx gives times only."""

    def __init__(self, model: Any) -> None:
        self._model = model
        self.heard: Any = None

    def __call__(self, waveform: Any) -> Any:
        """Return the model's answer."""
        self.heard = self._model(waveform)
        return self.heard


@dataclass(frozen=True, kw_only=True)
class Letters:
    """How probable every letter is, 20 ms for 20 ms."""

    probabilities: Any
    """float32, shape (frames, letters)."""
    frames_per_s: float
    numbers: dict[str, int]
    """Letter to its place in a frame."""

    def score(self, word: str, start_s: float, end_s: float) -> float | None:
        """Return how probable the word's letters are, each where it is most so; None where none is known.

        whisperx's own score counts the pauses between letters too, and is high for words put into silence.
        """
        known = [self.numbers[letter] for letter in word.lower() if letter in self.numbers]
        first, last = round(start_s * self.frames_per_s), round(end_s * self.frames_per_s)
        frames = self.probabilities[first : max(first + 1, last)]
        if not known or not len(frames):
            return None
        return round(float(frames[:, known].max(axis=0).mean()), 4)


def time_words_of(
    aligner: tuple[Any, dict[str, Any]], sound: Sound, segment: Segment, device: str
) -> list[TimedWord]:
    """Return the segment's words with their score as `probability`, None for one that could not be timed.

    None of them where the model fails on the segment; the log says why. Memory that ran out is no such
    failure: it is raised.
    """
    import whisperx.alignment as library

    listener, metadata = _Listener(aligner[0]), aligner[1]
    library.nltk_load = lambda _name: _OneSentence()
    samples = sound.between(segment.start_ms, segment.end_ms)
    if len(samples) < SAMPLE_RATE // 10:
        return []
    asked = [{"start": 0.0, "end": len(samples) / SAMPLE_RATE, "text": segment.text}]
    try:
        aligned = library.align(asked, listener, metadata, samples, device)
        words = [word for part in aligned["segments"] for word in part["words"]]
        return aligned_words(words, segment, metadata["language"], _letters(listener, metadata, len(samples)))
    except (ArithmeticError, AssertionError, LookupError, RuntimeError, TypeError, ValueError) as error:
        if type(error).__name__ == "OutOfMemoryError":
            raise
        log.warning("wav2vec2 failed on the segment at %d ms: %s", segment.start_ms, error)
        return []


def _letters(listener: _Listener, metadata: dict[str, Any], sample_count: int) -> Letters:
    if listener.heard is None:
        message = "its text has no letter that could be aligned"
        raise ValueError(message)
    probabilities = listener.heard.logits[0].float().softmax(dim=-1).cpu().numpy()
    return Letters(
        probabilities=probabilities,
        frames_per_s=len(probabilities) * SAMPLE_RATE / sample_count,
        numbers={letter: number for letter, number in metadata["dictionary"].items() if len(letter) == 1},
    )


def aligned_words(
    found: list[dict[str, Any]], segment: Segment, language: str, letters: Letters
) -> list[TimedWord]:
    """Return whisperx's words on the film's clock, punctuation that stands alone joined to its word.

    A word without times starts where the word before it ends.
    """
    pieces: list[Attended] = []
    read = 0
    for word in found:
        before = pieces[-1].end_ms if pieces else segment.start_ms
        start = segment.start_ms + round(word["start"] * 1000) if "start" in word else before
        end = segment.start_ms + round(word["end"] * 1000) if "end" in word else start
        timed = "start" in word and "end" in word
        score = letters.score(word["word"], word["start"], word["end"]) if timed else None
        # Chinese and Japanese come letter by letter; what stands before each tells words in Latin apart.
        at = segment.text.index(word["word"], read)
        text = segment.text[read:at] + word["word"]
        read = at + len(word["word"])
        pieces.append(Attended(text=text, start_ms=start, end_ms=max(start, end), probability=score))
    return join_attended(pieces, language)
