"""Sentences as an aligner leaves them, and what cleaning makes of them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from protocol.stages.clean import CleanRules
from protocol.timeline import Segment, Span, Transcript, Word
from workers.engines.common.cleaning.rules import Cleaned, decide
from workers.text.writing import join

ALL = CleanRules()
FILM_MS = 600_000
IN_SPEECH = (Span(start_ms=0, end_ms=FILM_MS, peak=0.99),)


def sentence(
    text: str,
    start_ms: int = 10_000,
    each_ms: int = 300,
    language: str = "en",
    probability: float | None = 0.9,
    **fields: Any,
) -> Segment:
    """Return a sentence whose words last `each_ms` each, one behind the other."""
    texts = text.split()
    words = tuple(
        Word(
            text=text,
            start_ms=start_ms + place * each_ms,
            end_ms=start_ms + (place + 1) * each_ms,
            probability=probability,
            timed_by="cross-attention",
        )
        for place, text in enumerate(texts)
    )
    given: dict[str, Any] = {"avg_logprob": -0.2, "no_speech": 0.02} | fields
    end_ms = start_ms + len(texts) * each_ms
    return Segment(start_ms=start_ms, end_ms=end_ms, text=join(texts, language), words=words, **given)


def cleaned(
    *segments: Segment, speech: tuple[Span, ...] = IN_SPEECH, language: str = "en", **rules: Any
) -> Cleaned:
    """Return what the rules make of a film of these sentences."""
    transcript = Transcript(language=language, segments=segments)
    return decide(transcript, speech, replace(ALL, **rules), FILM_MS)


def texts(found: Cleaned) -> list[str]:
    """Return the sentences that are left."""
    return [segment.text for segment in found.transcript.segments]


def rules_of(found: Cleaned) -> list[str]:
    """Return the rule of each removal."""
    return [removal.rule for removal in found.removed]
