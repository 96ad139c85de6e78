"""Puts right what cross-attention is known to get wrong about the times of words. Pure.

Its words start in the pause before the sentence, reach over pauses, have no length, or overlap: the
decoder attends to something at every step, speech or not. VAD knows where speech is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from protocol.stages.asr import Span
from workers.engines.whisperx.writing import ends_sentence

__all__ = ["TimedWord", "settle", "spread_words"]

_SHORTEST_MS = 60
"""No spoken word is shorter."""
_FILL_MS = 600
"""A last word that ends so little before VAD hears the speech end, lasts until then."""
_TOUCH_MS = 40
"""Two of Whisper's frames: less overlap with a span is chance."""
_FAR_MS = 1_500
"""A word further from any speech is left where it is: there VAD has missed something."""


@dataclass(frozen=True, kw_only=True)
class TimedWord:
    """A word as written, its times in milliseconds on the film's clock."""

    text: str
    start_ms: int
    end_ms: int
    probability: float | None = None


def settle(words: Sequence[TimedWord], speech: Sequence[Span]) -> list[TimedWord]:
    """Return the words inside `speech`, in order, not overlapping, none without length.

    Without `speech` only order and lengths are put right. A text with more words than the speech has room
    for has them shorter than a spoken word.
    """
    if not words:
        return []
    if not speech:
        return _fit(words, words[0].start_ms, max(each.end_ms for each in words))
    settled: list[TimedWord] = []
    for index, group in _by_span(words, speech):
        span = speech[index]
        low, high = span.start_ms, span.end_ms
        if group[-1].end_ms < low - _FAR_MS or group[0].start_ms > high + _FAR_MS:
            low, high = group[0].start_ms, max(each.end_ms for each in group)
        low = max(low, settled[-1].end_ms) if settled else low
        inside = [_clip(each, low, high) for each in group]
        if 0 < high - inside[-1].end_ms <= _FILL_MS:
            inside[-1] = replace(inside[-1], end_ms=high)
        settled.extend(_fit(inside, low, max(high, low + len(group))))
    return settled


def spread_words(texts: Sequence[str], speech: Sequence[Span]) -> list[TimedWord]:
    """Give the words the time of the speech, each a share by its length; the last resort."""
    total_ms = sum(each.end_ms - each.start_ms for each in speech)
    letters = sum(len(each) for each in texts) or 1
    words = []
    said = 0
    for text in texts:
        start = _clock(speech, total_ms * said // letters, at_start=True)
        said += len(text)
        end = _clock(speech, total_ms * said // letters, at_start=False)
        words.append(TimedWord(text=text, start_ms=start, end_ms=end))
    return settle(words, speech)


def _clock(speech: Sequence[Span], spoken_ms: int, *, at_start: bool) -> int:
    """Return the time at which so much speech has been heard; a start goes behind a pause, an end before."""
    for span in speech:
        length = span.end_ms - span.start_ms
        if spoken_ms < length or (spoken_ms == length and not at_start):
            return span.start_ms + spoken_ms
        spoken_ms -= length
    return speech[-1].end_ms


def _by_span(words: Sequence[TimedWord], speech: Sequence[Span]) -> list[tuple[int, list[TimedWord]]]:
    groups: list[tuple[int, list[TimedWord]]] = []
    reached = 0
    opens = True
    for word in words:
        reached = max(reached, _choose(word, speech, opens=opens))
        opens = ends_sentence(word.text)
        if groups and groups[-1][0] == reached:
            groups[-1][1].append(word)
        else:
            groups.append((reached, [word]))
    return groups


def _choose(word: TimedWord, speech: Sequence[Span], *, opens: bool) -> int:
    """Return the index of the span the word belongs to.

    Where a word touches several it is the one it overlaps most, but a sentence's first word belongs behind
    the pause and its last word before it. A word in a pause goes to the nearer side.
    """
    overlaps = [
        (min(word.end_ms, each.end_ms) - max(word.start_ms, each.start_ms), index)
        for index, each in enumerate(speech)
    ]
    touched = [index for overlap, index in overlaps if overlap >= _TOUCH_MS]
    if touched and opens:
        return touched[-1]
    if touched and ends_sentence(word.text):
        return touched[0]
    # Overlap is negative distance where there is none; of two as good, the earlier.
    best, chosen = max(overlaps, key=lambda each: (each[0], -each[1]))
    later = chosen + 1
    if best < _TOUCH_MS and opens and word.start_ms >= speech[chosen].end_ms and later < len(speech):
        near = speech[later].start_ms - word.end_ms <= _FAR_MS
        return later if near else chosen
    return chosen


def _clip(word: TimedWord, low: int, high: int) -> TimedWord:
    start = min(max(word.start_ms, low), high)
    return replace(word, start_ms=start, end_ms=min(max(word.end_ms, start), high))


def _fit(words: Sequence[TimedWord], low: int, high: int) -> list[TimedWord]:
    """Put the words into `low` to `high` in order, moving each as little as gives all a length."""
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
