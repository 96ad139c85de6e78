"""The times of words, by a wav2vec2 model of the language through whisperx."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

from protocol.timeline import Segment
from workers.speech.sound import SAMPLE_RATE, Sound
from workers.speech.word_times import AttendedPiece, TimedWord, join_attended

__all__ = ["WAV2VEC2", "Letters", "aligned_words", "time_words_of"]

log = logging.getLogger(__name__)

WAV2VEC2 = "wav2vec2"


class _OneSentence:
    """Takes the place of NLTK's sentence splitter, for which whisperx would download data inside a job.

    whisperx uses it only to cut its result into segments. Sentences are cut later, for every method alike.
    """

    def span_tokenize(self, text: str) -> list[tuple[int, int]]:
        """Return the whole text as one sentence."""
        return [(0, len(text))]


class _AnswerKeeper:
    """Takes the place of the model and keeps its answer, of which whisperx returns the times only."""

    def __init__(self, model: Any) -> None:
        self._model = model
        self.answer: Any = None

    def __call__(self, waveform: Any) -> Any:
        """Return the model's answer."""
        self.answer = self._model(waveform)
        return self.answer


@dataclass(frozen=True, kw_only=True)
class Letters:
    """How probable every letter is, for every 20 ms of sound."""

    probabilities: Any
    """float32, shape (frames, letters)."""
    frames_per_s: float
    numbers: dict[str, int]
    """From a letter to its place in a frame."""

    def score(self, word: str, start_s: float, end_s: float) -> float | None:
        """Return the mean probability of the word's letters, each at its best moment; None if none is known.

        whisperx's own score counts the pauses between letters too: it is high for words in silence.
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
    """Return the segment's words with their score as `probability`, None for a word without times.

    Where the model fails on the segment, there are no words, and the log says why. Only an error for lack of
    memory is raised.
    """
    import whisperx.alignment as library

    keeper, metadata = _AnswerKeeper(aligner[0]), aligner[1]
    library.nltk_load = lambda _name: _OneSentence()
    samples = sound.between(segment.start_ms, segment.end_ms)
    if len(samples) < SAMPLE_RATE // 10:
        return []
    asked = [{"start": 0.0, "end": len(samples) / SAMPLE_RATE, "text": segment.text}]
    try:
        aligned = library.align(asked, keeper, metadata, samples, device)
        words = [word for part in aligned["segments"] for word in part["words"]]
        return aligned_words(words, segment, metadata["language"], _letters(keeper, metadata, len(samples)))
    except (ArithmeticError, AssertionError, LookupError, RuntimeError, TypeError, ValueError) as error:
        if type(error).__name__ == "OutOfMemoryError":
            raise
        log.warning("wav2vec2 failed on the segment at %d ms: %s", segment.start_ms, error)
        return []


def _letters(keeper: _AnswerKeeper, metadata: dict[str, Any], sample_count: int) -> Letters:
    if keeper.answer is None:
        message = "its text has no letter that could be aligned"
        raise ValueError(message)
    probabilities = keeper.answer.logits[0].float().softmax(dim=-1).cpu().numpy()
    return Letters(
        probabilities=probabilities,
        frames_per_s=len(probabilities) * SAMPLE_RATE / sample_count,
        numbers={letter: number for letter, number in metadata["dictionary"].items() if len(letter) == 1},
    )


def aligned_words(
    found: list[dict[str, Any]], segment: Segment, language: str, letters: Letters
) -> list[TimedWord]:
    """Return whisperx's words on the film's clock; punctuation that stands alone is joined to its word.

    A word without times starts where the word before it ends.
    """
    pieces: list[AttendedPiece] = []
    read = 0
    for word in found:
        before = pieces[-1].end_ms if pieces else segment.start_ms
        start = segment.start_ms + round(word["start"] * 1000) if "start" in word else before
        end = segment.start_ms + round(word["end"] * 1000) if "end" in word else start
        timed = "start" in word and "end" in word
        score = letters.score(word["word"], word["start"], word["end"]) if timed else None
        # Chinese and Japanese come letter by letter. The spaces before the letters tell Latin words apart.
        at = segment.text.index(word["word"], read)
        text = segment.text[read:at] + word["word"]
        read = at + len(word["word"])
        pieces.append(AttendedPiece(text=text, start_ms=start, end_ms=max(start, end), probability=score))
    return join_attended(pieces, language)
