"""Marks sentences of a transcript that are in another language than it says. Pure.

A recogniser invents English on music, and writes a whole film in a language that it took for the right one.
Nothing is removed: a person may have said it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from protocol.languages import language_name
from protocol.subtitles.doubts import OTHER_LANGUAGE
from protocol.timeline import UNDETERMINED, Transcript
from workers.engines.common.cleaning.rules import Finding
from workers.engines.common.formats.srt_vtt import clock_time
from workers.text.languages.stretches import Foreign, Line, foreign_in
from workers.text.languages.telling import Judge

__all__ = ["MarkedTranscript", "mark_languages"]

_RULE = "other_language"


@dataclass(frozen=True, kw_only=True)
class MarkedTranscript:
    """A transcript with marks, what was marked and why, and a line for the person for each stretch."""

    transcript: Transcript
    found: tuple[Finding, ...] = ()
    notes: tuple[str, ...] = ()


def mark_languages(transcript: Transcript, judge: Judge) -> MarkedTranscript:
    """Return the transcript with `OTHER_LANGUAGE` on every sentence of a stretch in another language.

    A segment that says its own language is held to that one.
    """
    lines = [
        Line(place=place, text=segment.text, language=language)
        for place, segment in enumerate(transcript.segments)
        if (language := transcript.language_of(segment)) != UNDETERMINED
    ]
    segments = list(transcript.segments)
    found: list[Finding] = []
    notes: list[str] = []
    for stretch in foreign_in(lines, judge):
        reason = f"in {language_name(stretch.language)}, not in {language_name(stretch.instead_of)}"
        for place in stretch.places:
            segment = segments[place]
            segments[place] = replace(segment, marks=tuple(sorted({*segment.marks, OTHER_LANGUAGE})))
            found.append(
                Finding(
                    rule=_RULE,
                    reason=reason,
                    start_ms=segment.start_ms,
                    end_ms=segment.end_ms,
                    text=segment.text,
                )
            )
        notes.append(f"{_told(transcript, stretch)} {reason}")
    return MarkedTranscript(
        transcript=replace(transcript, segments=tuple(segments)), found=tuple(found), notes=tuple(notes)
    )


def _told(transcript: Transcript, stretch: Foreign) -> str:
    first, last = transcript.segments[stretch.places[0]], transcript.segments[stretch.places[-1]]
    times = f"from {clock_time(first.start_ms)[:8]} to {clock_time(last.end_ms)[:8]}"
    count = len(stretch.places)
    return f"1 sentence {times} is" if count == 1 else f"{count} sentences {times} are"
