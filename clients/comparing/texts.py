"""Two jobs' texts in one language: who made them, what is doubted, and the lines that differ. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from clients.comparing.pairing import pair_up
from protocol.languages import UNSPACED, read_tag
from protocol.subtitles.comparing import TextPairs, TextScores
from protocol.subtitles.doubts import DOUBTS
from protocol.timeline import Segment, Transcript

__all__ = ["DifferentLine", "Made", "PairedTexts", "TextComparison", "compare_texts", "pair_texts"]


@dataclass(frozen=True, kw_only=True)
class Made:
    """What made a text, and what is doubted in it."""

    translated_from: str
    """Empty: it was heard."""
    engines: Mapping[str, int]
    """How many segments each engine made."""
    model: str
    marks: Mapping[str, int]
    """How many segments have each mark, in the order in which a person is told."""
    note: str = ""
    """What the step that made it says of its work."""


@dataclass(frozen=True, kw_only=True)
class DifferentLine:
    """A stretch in which the two say it differently."""

    start_ms: int
    a: str
    b: str
    chrf: float | None = None
    """chrF of B against A; None: it was not measured."""


@dataclass(frozen=True, kw_only=True)
class TextComparison:
    """Two texts in one language."""

    a: Made
    b: Made
    lines: int = 0
    """Stretches that both were cut into to be compared."""
    chrf: float | None = None
    """chrF of B against A, 0 to 100; None: not measured, or A has no text."""
    different: tuple[DifferentLine, ...] = ()
    """The most different first; in the film's order where chrF was not measured."""


@dataclass(frozen=True, kw_only=True)
class PairedTexts:
    """What both say, stretch by stretch."""

    starts_ms: tuple[int, ...]
    texts: TextPairs = field(default_factory=lambda: TextPairs(a=(), b=()))


def pair_texts(a: Transcript, b: Transcript) -> PairedTexts:
    """Return both texts cut into the stretches that belong together by their times."""
    rows = [_in_order(transcript) for transcript in (a, b)]
    joint = "" if read_tag(a.language).language in UNSPACED else " "
    pairs = pair_up(*rows)
    return PairedTexts(
        starts_ms=tuple(pair.start_ms for pair in pairs),
        texts=TextPairs(
            a=tuple(_text(rows[0], pair.a, joint) for pair in pairs),
            b=tuple(_text(rows[1], pair.b, joint) for pair in pairs),
        ),
    )


def _in_order(transcript: Transcript) -> list[Segment]:
    filled = [segment for segment in transcript.segments if segment.text.strip()]
    return sorted(filled, key=lambda segment: segment.start_ms)


def _text(segments: Sequence[Segment], places: Sequence[int], joint: str) -> str:
    return joint.join(" ".join(segments[place].text.split()) for place in places)


def compare_texts(
    a: Transcript, b: Transcript, paired: PairedTexts | None, scores: TextScores | None
) -> TextComparison:
    """Return how the two differ. `paired` is None for what nobody translated: that differs word by word."""
    comparison = TextComparison(a=_made(a), b=_made(b))
    if paired is None:
        return comparison
    chrf: Sequence[float | None] = scores.lines if scores is not None else [None] * len(paired.starts_ms)
    rows = zip(paired.starts_ms, paired.texts.a, paired.texts.b, chrf, strict=True)
    different = [
        DifferentLine(start_ms=start, a=text_a, b=text_b, chrf=value)
        for start, text_a, text_b, value in rows
        if text_a != text_b
    ]
    return replace(
        comparison,
        lines=len(paired.starts_ms),
        chrf=scores.chrf if scores is not None else None,
        different=tuple(sorted(different, key=lambda line: (line.chrf or 0.0, line.start_ms))),
    )


def _made(transcript: Transcript) -> Made:
    engines = Counter(segment.engine or transcript.engine for segment in transcript.segments)
    marks = Counter(mark for segment in transcript.segments for mark in segment.marks)
    order = [*DOUBTS, *sorted(marks.keys() - DOUBTS.keys())]
    return Made(
        translated_from=transcript.translated_from,
        engines=dict(engines.most_common()),
        model=transcript.model,
        marks={mark: marks[mark] for mark in order if marks[mark]},
    )
