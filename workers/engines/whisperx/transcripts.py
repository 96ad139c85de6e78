"""The timed words of recognised chunks, as segments of one sentence each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from protocol.timeline import HEARD_AGAIN, Segment
from workers.speech.unheard import Filling
from workers.speech.word_times import CROSS_ATTENTION, TimedWord, to_words
from workers.text.writing import cut_to_sentences

__all__ = ["TimedPart", "put_in", "to_segments"]


@dataclass(frozen=True, kw_only=True)
class TimedPart:
    """Some sentences of a chunk, and their words."""

    segment: Segment
    words: list[TimedWord]
    timed_by: str

    def segments(self, language: str, words: list[TimedWord] | None = None) -> list[Segment]:
        """Return the sentences of these words of it; of all where none are named."""
        return to_segments(self.segment, self.words if words is None else words, self.timed_by, language)


def to_segments(segment: Segment, words: list[TimedWord], timed_by: str, language: str) -> list[Segment]:
    """Return the segment with its timed words, cut to sentences of `language`."""
    return cut_to_sentences(replace(segment, words=to_words(words, timed_by)), language)


def put_in(parts: Sequence[TimedPart], fillings: Sequence[Filling], language: str) -> list[Segment]:
    """Return the sentences of the parts with the fillings where they are said; all are in order.

    `language` is the transcript's: that of parts whose segment names none. At the border of two languages a
    filling keeps the one in which it was heard, whichever part it stands behind.

    A filling makes segments of its own, marked `HEARD_AGAIN`: a sentence that goes on after it is cut in two.
    """
    starts = [part.words[0].start_ms if part.words else part.segment.start_ms for part in parts]
    owners = [max(0, sum(start <= filling.words[0].start_ms for start in starts) - 1) for filling in fillings]
    return [
        segment
        for index, part in enumerate(parts)
        for segment in _with_fillings(
            part,
            [filling for filling, owner in zip(fillings, owners, strict=True) if owner == index],
            language,
        )
    ]


def _with_fillings(part: TimedPart, fillings: Sequence[Filling], language: str) -> list[Segment]:
    own = part.segment.language or language
    gone = {filling.instead_of for filling in fillings}
    rest = [word for word in part.words if word not in gone]
    segments: list[Segment] = []
    for filling in fillings:
        start_ms = filling.words[0].start_ms
        before = [word for word in rest if word.start_ms < start_ms]
        rest = rest[len(before) :]
        if before:
            before[-1] = replace(before[-1], end_ms=min(before[-1].end_ms, start_ms))
        heard_in = filling.language or own
        named = "" if heard_in == language else heard_in
        segments += part.segments(own, before)
        segments += [replace(segment, language=named) for segment in _segments_of(filling, heard_in)]
    return segments + part.segments(own, rest)


def _segments_of(filling: Filling, language: str) -> list[Segment]:
    whole = Segment(
        start_ms=filling.words[0].start_ms,
        end_ms=filling.words[-1].end_ms,
        text="",
        avg_logprob=round(filling.guess.avg_logprob, 4),
        no_speech=round(filling.guess.no_speech, 4),
    )
    sentences = to_segments(whole, list(filling.words), CROSS_ATTENTION, language)
    return [replace(sentence, marks=(HEARD_AGAIN,)) for sentence in sentences]
