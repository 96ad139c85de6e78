"""Evidence for or against a sentence: its times, VAD, and the recogniser's own probabilities. Pure."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

import regex

from protocol.stages.clean import CleanRules
from protocol.timeline import Segment, Span, Word
from workers.speech.word_evidence import mean_logprob

__all__ = ["Witnesses", "weight"]

_SYLLABIC = regex.compile(
    r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Hangul}\p{Devanagari}\p{Bengali}\p{Gurmukhi}\p{Gujarati}\p{Oriya}\p{Tamil}"
    r"\p{Telugu}\p{Kannada}\p{Malayalam}\p{Sinhala}\p{Myanmar}\p{Khmer}\p{Tibetan}\p{Ethiopic}\p{Ol_Chiki}]"
)
_SPOKEN = regex.compile(r"[\p{L}\p{N}]")
_GRAPHEME = regex.compile(r"\X")
_CROSS_ATTENTION = "cross-attention"
"""Words with this timing carry Whisper's own probability; wav2vec2's score has another scale."""

# openai/whisper, timing.py and transcribe.py, `word_anomaly_score`.
_IMPROBABLE = 0.15
_SHORT_MS = 133
_LONG_MS = 2_000


@dataclass(frozen=True)
class Witnesses:
    """Answers questions about the sentences of one transcript."""

    rules: CleanRules
    duration_ms: int
    speech: tuple[Span, ...]
    """In order; empty: not known."""
    _widened: tuple[tuple[int, int], ...]
    """The same spans, widened by the margin and joined where they meet."""

    @classmethod
    def of(cls, speech: Sequence[Span], rules: CleanRules, duration_ms: int) -> Witnesses:
        """Return the witnesses of a film of this length with this speech."""
        spans = tuple(sorted(speech, key=lambda span: span.start_ms))
        joined: list[tuple[int, int]] = []
        for span in spans:
            start, end = span.start_ms - rules.speech_margin_ms, span.end_ms + rules.speech_margin_ms
            if joined and start <= joined[-1][1]:
                joined[-1] = (joined[-1][0], max(joined[-1][1], end))
            else:
                joined.append((start, end))
        return cls(rules, duration_ms, spans, tuple(joined))

    def outside(self, words: Sequence[Word]) -> bool:
        """Return whether the speech is known and no word has a third of its time in it."""
        return bool(self._widened) and not any(self._is_inside(word) for word in words)

    def _is_inside(self, word: Word) -> bool:
        length, inside = word.end_ms - word.start_ms, 0
        for start, end in self._widened[max(0, bisect_right(self._widened, (word.start_ms, math.inf)) - 1) :]:
            if start > word.end_ms:
                break
            if start <= word.start_ms <= end and length <= 0:
                return True
            inside += max(0, min(end, word.end_ms) - max(start, word.start_ms))
        return inside > 0 and inside * 3 >= length

    def peak(self, segment: Segment) -> float | None:
        """Return VAD's highest score in the speech that the sentence is in; None if it is in none."""
        peaks = [
            span.peak
            for span in self.speech
            if span.start_ms < segment.end_ms and span.end_ms > segment.start_ms
        ]
        return max(peaks, default=None)

    def is_faint(self, segment: Segment) -> bool:
        """Return whether VAD hardly heard speech in the sentence."""
        peak = self.peak(segment)
        return peak is not None and peak < self.rules.min_speech_peak

    def no_speech(self, segment: Segment) -> bool:
        """Return whether the recogniser thinks that nothing was said."""
        return segment.no_speech is not None and segment.no_speech > self.rules.max_no_speech

    def confidence(self, segment: Segment, words: Sequence[Word]) -> float | None:
        """Return the mean log probability of the sentence's words; if they have none, that of its chunk."""
        own = mean_logprob(word for word in words if word.timed_by == _CROSS_ATTENTION)
        return segment.avg_logprob if own is None else own

    def doubt(self, segment: Segment, words: Sequence[Word]) -> bool:
        """Return whether the recogniser doubts both the sentence's words and the chunk that they are in."""
        least = self.rules.min_logprob
        known = [
            logprob
            for logprob in (self.confidence(segment, words), segment.avg_logprob)
            if logprob is not None
        ]
        return bool(known) and max(known) < least

    def sure(self, segment: Segment, words: Sequence[Word]) -> bool:
        """Return whether the recogniser is sure that nothing else was said."""
        found = self.confidence(segment, words)
        return found is not None and found > self.rules.sure_logprob

    def ends_doubtfully(self, segment: Segment, words: Sequence[Word]) -> bool:
        """Return whether the sentence is in the film's last part, less probable than most speech, and VAD is
        not sure that there is any."""
        found, peak = self.confidence(segment, words), self.peak(segment)
        last = segment.end_ms > self.duration_ms - self.rules.credits_end_ms
        strong = peak is not None and peak >= self.rules.strong_speech_peak
        return last and not strong and found is not None and found < self.rules.credits_logprob

    def too_fast(self, words: Sequence[Word]) -> bool:
        """Return whether the words have more letters than anybody can say in their time."""
        spent = sum(word.end_ms - word.start_ms for word in words)
        return weight(words) * 1_000 > self.rules.max_graphemes_per_second * spent

    def odd(self, words: Sequence[Word]) -> int:
        """Return how many words are improbable, too short or too long; 0 if fewer than half are."""
        count = sum(
            not _SHORT_MS <= word.end_ms - word.start_ms <= _LONG_MS
            or (word.probability is not None and word.probability < _IMPROBABLE)
            for word in words
        )
        return count if count * 2 >= len(words) else 0


def weight(words: Sequence[Word]) -> int:
    """Return how much there is to say: graphemes with a letter or digit, where a syllable counts twice."""
    return sum(_weight(word.text) for word in words)


def _weight(text: str) -> int:
    if text.isascii():
        return sum(character.isalnum() for character in text)
    spoken = (grapheme for grapheme in _GRAPHEME.findall(text) if _SPOKEN.search(grapheme))
    return sum(2 if _SYLLABIC.search(grapheme) else 1 for grapheme in spoken)
