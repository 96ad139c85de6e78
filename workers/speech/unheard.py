"""Speech that no word covers, and the words of a second hearing that fill it. Pure.

Whisper learnt from subtitles, and these write once what is said again and again: a refrain, a slogan, a name
that is called. Its words then leave speech uncovered. Heard by itself, such a stretch is written.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from protocol.timeline import Segment, Span
from workers.speech.judging import Guess, is_doubtful, same_words
from workers.speech.spans import within
from workers.speech.word_times import TimedWord, correct_word_times

__all__ = ["LONGEST_GAP_MS", "Filling", "Gap", "fill", "find_gaps", "trusted_speech"]

LONGEST_GAP_MS = 6_000
"""A longer gap is cut where it is quietest: heard at once, its repetitions would be swallowed again."""
_LEAST_MS = 1_500
"""A shorter stretch beside a word is a pause that VAD passed over, or the end of the word. In ten minutes of
speech that says nothing twice in a row the longest has 1,360 ms."""
_LEAST_WHOLE_MS = 700
"""A stretch of speech without any word is a gap from this length on, where VAD is ..."""
_CLEAR_SPEECH = 0.9
"""... so sure of it."""
_LONGEST_WORD_MS = 1_500
"""A word that lasts longer stands somewhere in its time: what else is said there is swallowed."""
_BEGUN_MS = 300
"""Such a word covers only this much of its time: it is heard again with the rest."""

_LEAST_LOGPROB = -0.6
"""Of what fills a gap, and of the segment around it: a piece of what is hard to hear is no clearer. In noise
of battle the best text is at -0.82, and what is said at -0.45 and above."""
_MOST_NO_SPEECH = 0.4
_LEAST_PROBABILITY = 0.5
"""The least mean probability of the words that fill a gap."""
_LEAST_FILLED = 0.4
"""So much of a gap its words must take: what is made up is a short phrase in a long noise."""
_MOST_LETTERS_PER_SECOND = 25.0
"""Nobody says more."""
_ECHO_MS = 300
"""A word so near to the gap's edge may be the end of the word before it, or the start of the next."""


@dataclass(frozen=True, kw_only=True)
class Gap:
    """A stretch of speech that no word covers, and the words beside it in the same speech."""

    span: Span
    before: TimedWord | None = None
    after: TimedWord | None = None

    def cut(self, parts: Sequence[Span]) -> list[Gap]:
        """Return the gap in these parts: the first has the word before it, the last the word after it.

        A word that lasts too long may be said in any part.
        """
        anywhere = self.before if self.before and _is_too_long(self.before) else None
        return [
            Gap(
                span=part,
                before=anywhere if index else self.before,
                after=self.after if index + 1 == len(parts) else None,
            )
            for index, part in enumerate(parts)
        ]


@dataclass(frozen=True, kw_only=True)
class Filling:
    """What is said in a gap."""

    words: tuple[TimedWord, ...]
    """There is at least one."""
    guess: Guess
    instead_of: TimedWord | None = None
    """A word that lasted too long: these words have it where it is said."""
    language: str = ""
    """In which it was heard; empty: in that of the words before it."""


def trusted_speech(segments: Sequence[Segment], speech: Sequence[Span]) -> list[Span]:
    """Return the speech inside those segments of which the recogniser was sure."""
    sure = [
        segment
        for segment in segments
        if segment.avg_logprob is None or segment.avg_logprob >= _LEAST_LOGPROB
    ]
    return [
        replace(part, peak=span.peak)
        for span in speech
        for segment in sure
        for part in within([span], segment.start_ms, segment.end_ms)
    ]


def find_gaps(words: Sequence[TimedWord], speech: Iterable[Span]) -> list[Gap]:
    """Return the parts of the speech that no word covers and in which something may be said; all in order."""
    return [gap for span in speech for gap in _gaps_of(span, words)]


def _gaps_of(span: Span, words: Sequence[TimedWord]) -> list[Gap]:
    inside = [word for word in words if word.end_ms > span.start_ms and word.start_ms < span.end_ms]
    if not inside:
        is_clear = span.end_ms - span.start_ms >= _LEAST_WHOLE_MS and span.peak >= _CLEAR_SPEECH
        return [Gap(span=span)] if is_clear else []
    edges = [
        (span.start_ms, None),
        *((word.start_ms + _BEGUN_MS if _is_too_long(word) else word.end_ms, word) for word in inside),
    ]
    nexts = [*((word.start_ms, word) for word in inside), (span.end_ms, None)]
    return [
        Gap(span=replace(span, start_ms=low, end_ms=high), before=before, after=after)
        for (low, before), (high, after) in zip(edges, nexts, strict=True)
        if high - low >= _LEAST_MS
    ]


def _is_too_long(word: TimedWord) -> bool:
    return word.end_ms - word.start_ms > _LONGEST_WORD_MS


def fill(gap: Gap, guess: Guess, words: Sequence[TimedWord], language: str) -> Filling | None:
    """Return what a second hearing finds in the gap; None where it is not sure, or finds nothing new.

    `words` are all words of the hearing, with the times that cross-attention gives: those outside the gap
    were heard before.
    """
    if (
        guess.avg_logprob < _LEAST_LOGPROB
        or guess.no_speech > _MOST_NO_SPEECH
        or is_doubtful(guess, language)
    ):
        return None
    low, high = gap.span.start_ms, gap.span.end_ms
    inside = [word for word in words if low <= (word.start_ms + word.end_ms) // 2 < high]
    found = _without_echoes(gap, correct_word_times(inside, [gap.span]))
    if not found or not _is_said(found, gap.span):
        return None
    if gap.before is None or not _is_too_long(gap.before) or not _has_at_an_edge(found, gap.before):
        return Filling(words=tuple(found), guess=guess, language=language)
    if len(found) < 2:
        return None
    return Filling(words=tuple(found), guess=guess, instead_of=gap.before, language=language)


def _without_echoes(gap: Gap, words: list[TimedWord]) -> list[TimedWord]:
    """Return the words without one that is the end of the word before the gap, or the start of the next."""
    before, after = gap.before, gap.after
    if words and before and not _is_too_long(before) and same_words(words[0].text, before.text):
        words = words[1:] if words[0].start_ms - gap.span.start_ms < _ECHO_MS else words
    if words and after and same_words(words[-1].text, after.text):
        words = words[:-1] if gap.span.end_ms - words[-1].end_ms < _ECHO_MS else words
    return words


def _has_at_an_edge(words: Sequence[TimedWord], word: TimedWord) -> bool:
    return any(same_words(edge.text, word.text) for edge in (words[0], words[-1]))


def _is_said(words: Sequence[TimedWord], gap: Span) -> bool:
    """Return whether the words are probable, can be said in their time, and fill the gap."""
    known = [word.probability for word in words if word.probability is not None]
    lasts_ms = sum(min(word.end_ms - word.start_ms, _LONGEST_WORD_MS) for word in words)
    letters = sum(character.isalnum() for word in words for character in word.text)
    return (
        sum(known) >= _LEAST_PROBABILITY * len(known)
        and lasts_ms >= _LEAST_FILLED * (gap.end_ms - gap.start_ms)
        and 0 < letters * 1_000 <= _MOST_LETTERS_PER_SECOND * lasts_ms
    )
