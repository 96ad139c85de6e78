"""Corrects the times that cross-attention gives to words. Pure.

Its words start in the pause before the sentence, reach over pauses, have no length, or overlap: the decoder
attends to something at every step, whether somebody speaks or not. VAD knows where speech is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from protocol.timeline import Span, Word
from workers.text.sentence_ends.rule import find_ends
from workers.text.writing import glue, is_punctuation

__all__ = [
    "CROSS_ATTENTION",
    "AttendedPiece",
    "TimedWord",
    "correct_word_times",
    "join_attended",
    "spread_words",
    "to_words",
]

CROSS_ATTENTION = "cross-attention"
"""The name of the method, in `Word.timed_by`."""
_SHORTEST_MS = 60
"""No spoken word is shorter."""
_FILL_MS = 600
"""A last word that ends so little before the speech ends is said until the speech ends."""
_TOUCH_MS = 40
"""Two of Whisper's frames: a shorter overlap with a span is chance."""
_FAR_MS = 1_500
"""A word that is further from all speech stays where it is: VAD has missed something there."""


@dataclass(frozen=True, kw_only=True)
class TimedWord:
    """A word as written, with its times in milliseconds on the film's clock."""

    text: str
    start_ms: int
    end_ms: int
    probability: float | None = None


@dataclass(frozen=True, kw_only=True)
class AttendedPiece:
    """A piece of text from the tokenizer, and when the decoder attended to it, in ms on the film's clock."""

    text: str
    start_ms: int
    end_ms: int
    probability: float | None


def to_words(words: Sequence[TimedWord], timed_by: str) -> tuple[Word, ...]:
    """Return the words as a transcript holds them; `timed_by` names the method that timed them."""
    return tuple(
        Word(
            text=word.text,
            start_ms=word.start_ms,
            end_ms=word.end_ms,
            probability=word.probability,
            timed_by=timed_by,
        )
        for word in words
    )


def join_attended(pieces: Sequence[AttendedPiece], language: str) -> list[TimedWord]:
    """Join pieces to words. Punctuation belongs to its word's text, but not to its time: nobody says it."""
    words = []
    for group in glue([piece.text for piece in pieces], language):
        parts = [pieces[index] for index in group]
        spoken = [part for part in parts if not is_punctuation(part.text)] or parts
        known = [piece.probability for piece in spoken if piece.probability is not None]
        words.append(
            TimedWord(
                text="".join(part.text for part in parts).strip(),
                start_ms=spoken[0].start_ms,
                end_ms=spoken[-1].end_ms,
                probability=round(sum(known) / len(known), 4) if known else None,
            )
        )
    return words


def correct_word_times(
    words: Sequence[TimedWord], speech: Sequence[Span], language: str = ""
) -> list[TimedWord]:
    """Return the words inside `speech`, in order, each with a length, none over its neighbours.

    `language` (ISO 639-1; empty where nobody knows it) says which full stops end a sentence.
    Without `speech` only the order and the lengths are corrected. Where the speech has no room for all words,
    each is shorter than a spoken word.
    """
    if not words:
        return []
    if not speech:
        return _fit(words, words[0].start_ms, max(word.end_ms for word in words))
    corrected: list[TimedWord] = []
    for (index, far), group in _by_span(words, speech, language):
        low, high = speech[index].start_ms, speech[index].end_ms
        if far:
            low, high = group[0].start_ms, max(word.end_ms for word in group)
        low = max(low, corrected[-1].end_ms) if corrected else low
        inside = [_clip(word, low, high) for word in group]
        if 0 < high - inside[-1].end_ms <= _FILL_MS:
            inside[-1] = replace(inside[-1], end_ms=high)
        corrected.extend(_fit(inside, low, max(high, low + len(group))))
    return corrected


def spread_words(texts: Sequence[str], speech: Sequence[Span], language: str = "") -> list[TimedWord]:
    """Share the time of the speech among the words, by their length: for words that nothing has timed."""
    total_ms = sum(span.end_ms - span.start_ms for span in speech)
    letters = sum(len(text) for text in texts) or 1
    words = []
    said = 0
    for text in texts:
        start = _clock(speech, total_ms * said // letters, at_start=True)
        said += len(text)
        end = _clock(speech, total_ms * said // letters, at_start=False)
        words.append(TimedWord(text=text, start_ms=start, end_ms=end))
    return correct_word_times(words, speech, language)


def _clock(speech: Sequence[Span], spoken_ms: int, *, at_start: bool) -> int:
    """Return when so much speech is over. In a pause, a start comes after it and an end before it."""
    for span in speech:
        length = span.end_ms - span.start_ms
        if spoken_ms < length or (spoken_ms == length and not at_start):
            return span.start_ms + spoken_ms
        spoken_ms -= length
    return speech[-1].end_ms


_Group = tuple[tuple[int, bool], list[TimedWord]]
"""The index of a span, whether the words are far from it, and the words."""


def _by_span(words: Sequence[TimedWord], speech: Sequence[Span], language: str) -> list[_Group]:
    groups: list[_Group] = []
    reached = 0
    opens = True
    for word, closes in zip(words, find_ends([word.text for word in words], language), strict=True):
        reached = max(reached, _choose(word, speech, opens=opens, closes=closes))
        opens = closes
        key = (reached, -_overlap(word, speech[reached]) > _FAR_MS)
        if groups and groups[-1][0] == key:
            groups[-1][1].append(word)
        else:
            groups.append((key, [word]))
    return groups


def _overlap(word: TimedWord, span: Span) -> int:
    """Return for how long the two overlap; where they do not, their distance as a negative number."""
    return min(word.end_ms, span.end_ms) - max(word.start_ms, span.start_ms)


def _choose(word: TimedWord, speech: Sequence[Span], *, opens: bool, closes: bool) -> int:
    """Return the index of the span that the word belongs to.

    A word that touches several spans belongs to the one it overlaps most. But the first word of a sentence
    belongs to the span after the pause, and the last word to the span before it. A word in a pause goes to
    the nearer span, and the first word of a sentence to the span after the pause.
    """
    overlaps = [_overlap(word, span) for span in speech]
    touched = [index for index, overlap in enumerate(overlaps) if overlap >= _TOUCH_MS]
    if touched and opens != closes:
        return touched[-1] if opens else touched[0]
    chosen = max(range(len(speech)), key=lambda index: (overlaps[index], -index))
    later = chosen + 1
    in_pause = not touched and word.start_ms >= speech[chosen].end_ms and later < len(speech)
    if in_pause and opens and -overlaps[later] <= _FAR_MS:
        return later
    return chosen


def _clip(word: TimedWord, low: int, high: int) -> TimedWord:
    start = min(max(word.start_ms, low), high)
    return replace(word, start_ms=start, end_ms=min(max(word.end_ms, start), high))


def _fit(words: Sequence[TimedWord], low: int, high: int) -> list[TimedWord]:
    """Put the words between `low` and `high`, in order; move each as little as possible."""
    shortest = max(1, min(_SHORTEST_MS, (high - low) // len(words)))
    fitted: list[TimedWord] = []
    for word in words:
        start = max(word.start_ms, fitted[-1].end_ms if fitted else low)
        fitted.append(replace(word, start_ms=start, end_ms=max(word.end_ms, start + shortest)))
    for index in range(len(fitted) - 1, -1, -1):
        end = min(fitted[index].end_ms, high)
        start = min(fitted[index].start_ms, end - shortest)
        fitted[index] = replace(fitted[index], start_ms=start, end_ms=end)
        high = min(high, start)
    return fitted
