"""Marks what is doubtful about a translation that was heard: as a text, and as speech. Pure.

The stage clean takes out of a transcript what two witnesses doubt. A translation of speech does not go
through it and loses nothing: here one witness is enough, and what it doubts is marked. So whatever clean
would take out of a translation has a mark.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from protocol.stages.clean import CleanRules
from protocol.subtitles.doubts import (
    ADDRESSES,
    CREDITS,
    EMPTY,
    HASTE,
    IMPROBABLE,
    LENGTH,
    LOOP,
    NOTATION,
    NUMBERS,
    OUTSIDE_SPEECH,
)
from protocol.timeline import Segment, Span, Word
from workers.speech.credits import credit_in
from workers.speech.judging import is_repetitive
from workers.speech.word_evidence import crammed, mean_logprob
from workers.text.checks.letters import bare
from workers.text.checks.loops import is_loop
from workers.text.checks.marking import marks_of

__all__ = ["SpokenSource", "marked"]

_RULES = CleanRules()
_ENGLISH = "en"
_LOST = frozenset({ADDRESSES, NUMBERS})
"""They may stand in another sentence of the chunk: the engine parts sentences in its own way."""
_OF_THE_WHOLE = frozenset({EMPTY, LENGTH, LOOP, NOTATION})
_SAME_WORDS = 3
"""A sentence of so many words that comes twice in a row is a loop, unless it was said twice."""


@dataclass(frozen=True, kw_only=True)
class SpokenSource:
    """What the translation was made of."""

    language: str
    segments: tuple[Segment, ...]
    """The sentences of one chunk, as they were recognised."""
    speech: Sequence[Span] = ()
    """Where VAD heard speech; empty: not known."""

    @property
    def text(self) -> str:
        """Return all that was said."""
        return " ".join(segment.text for segment in self.segments)


def marked(sentences: Sequence[Segment], source: SpokenSource, before: str = "") -> list[Segment]:
    """Return the English sentences of one chunk, which have words, with their marks.

    A sentence is compared with the one of the source that was said at its time, in letters and script; the
    whole chunk in length. A number that the chunk lost marks the sentence at its time. `before` is the text
    of the sentence before the chunk.
    """
    found = [_of_speech(sentence, source.speech) for sentence in sentences]
    texts = [before, *(sentence.text for sentence in sentences)]
    for place, sentence in enumerate(sentences):
        found[place] |= _of_text(sentence, source)
        if _is_repeated(sentence.text, texts[place], source.text):
            found[place].add(LOOP)
    for place, mark in _lost(sentences, source):
        found[place].add(mark)
    return [
        replace(sentence, marks=tuple(sorted(marks)))
        for sentence, marks in zip(sentences, found, strict=True)
    ]


def _of_text(sentence: Segment, source: SpokenSource) -> set[str]:
    said = _nearest(sentence, source.segments)
    if said is None:
        return set()
    found = marks_of(said.text, sentence.text, source.language, _ENGLISH)
    return set(found) - _LOST - _OF_THE_WHOLE


def _lost(sentences: Sequence[Segment], source: SpokenSource) -> list[tuple[int, str]]:
    """Return what the whole chunk lost, each with the place of the sentence that it marks."""
    if not sentences or not source.segments:
        return []
    written = " ".join(sentence.text for sentence in sentences)
    found = []
    for segment in source.segments:
        lost = _LOST & {*marks_of(segment.text, written, source.language, _ENGLISH)}
        place = max(range(len(sentences)), key=lambda index: _overlap(sentences[index], segment))
        found += [(place, mark) for mark in lost]
    length = LENGTH in marks_of(source.text, written, source.language, _ENGLISH)
    return found + [(place, LENGTH) for place in range(len(sentences)) if length]


def _is_repeated(text: str, before: str, said: str) -> bool:
    """Return whether the sentence repeats itself, or the one before it, and the source does not."""
    twice = len(text.split()) >= _SAME_WORDS and bare(text) == bare(before)
    loops = is_loop(said, text) or (is_repetitive(text) and not is_repetitive(said))
    return loops or (twice and not _is_said_twice(said))


def _is_said_twice(said: str) -> bool:
    words = said.split()
    half = len(words) // 2
    return half > 0 and bare(" ".join(words[:half])) == bare(" ".join(words[half:]))


def _of_speech(sentence: Segment, speech: Sequence[Span]) -> set[str]:
    confidence = mean_logprob(sentence.words)
    outside = bool(speech) and not any(_is_inside(word, speech) for word in sentence.words)
    chunk = sentence.avg_logprob
    improbable = any(known is not None and known < _RULES.min_logprob for known in (confidence, chunk))
    unsure = confidence is not None and confidence < _RULES.credits_logprob
    found = {
        IMPROBABLE: improbable,
        OUTSIDE_SPEECH: outside,
        HASTE: crammed(sentence.words, _RULES.max_graphemes_per_second, _letters) > 0,
        CREDITS: bool(credit_in(sentence.text)) and (improbable or unsure or outside),
    }
    return {mark for mark, so in found.items() if so}


def _is_inside(word: Word, speech: Sequence[Span]) -> bool:
    """Return whether a third of the word is in speech, or near it."""
    margin, inside = _RULES.speech_margin_ms, 0
    for span in speech:
        start, end = span.start_ms - margin, span.end_ms + margin
        inside += max(0, min(end, word.end_ms) - max(start, word.start_ms))
    return inside > 0 and inside * 3 >= word.end_ms - word.start_ms


def _letters(words: Sequence[Word]) -> int:
    """Return how many letters and digits the words have; they are English."""
    return sum(map(str.isalnum, "".join(word.text for word in words)))


def _nearest(sentence: Segment, segments: Sequence[Segment]) -> Segment | None:
    return max(segments, key=lambda segment: _overlap(segment, sentence), default=None)


def _overlap(one: Segment, other: Segment) -> int:
    """Return for how long the two overlap; where they do not, their distance as a negative number."""
    return min(one.end_ms, other.end_ms) - max(one.start_ms, other.start_ms)
