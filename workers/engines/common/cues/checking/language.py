"""Cues whose text is in another language than it should be: the rule `language`. Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from protocol.subtitles.quality import ForeignCues
from protocol.subtitles.rules import QUALITY_RULES
from protocol.timeline import UNDETERMINED, Cue
from workers.engines.common.cues.checking.quality import Violation
from workers.text.languages.stretches import Foreign, Line, foreign_in
from workers.text.languages.telling import Judge, is_in_latin

__all__ = ["ForeignText", "check_language", "lines_of", "with_language"]

_RULE = "language"


@dataclass(frozen=True, kw_only=True)
class ForeignText:
    """What cues have in another language: as stretches, and cue by cue."""

    stretches: tuple[ForeignCues, ...] = ()
    violations: tuple[Violation, ...] = ()
    in_latin: int = 0
    """So many other cues are in Latin letters, of a language that has letters of its own."""


def lines_of(cues: Sequence[Cue], languages: Sequence[str], spared: Collection[int] = ()) -> list[Line]:
    """Return the cues, without those at the places `spared`, as lines to be judged."""
    return [
        Line(place=place, text="\n".join(cue.lines), language=language)
        for place, (cue, language) in enumerate(zip(cues, languages, strict=True))
        if place not in spared and language != UNDETERMINED
    ]


def check_language(
    cues: Sequence[Cue], lines: Sequence[Line], judge: Judge, text_lines: Sequence[int] = ()
) -> ForeignText:
    """Return which of the cues are in another language than their line says.

    `text_lines` says in which line of a file each cue's text begins, if that is known.
    """
    found = foreign_in(lines, judge)
    places = sorted({place for stretch in found for place in stretch.places})
    others = [line for line in lines if line.place not in set(places)]
    return ForeignText(
        stretches=tuple(_stretch(stretch, cues, text_lines) for stretch in found),
        violations=tuple(Violation(rule=_RULE, cue=place + 1, value=1, limit=0) for place in places),
        in_latin=sum(is_in_latin(line.text, line.language) for line in others),
    )


def with_language(violations: Sequence[Violation], foreign: ForeignText | None) -> tuple[Violation, ...]:
    """Return all violations, in the order of the cues and of the rules."""
    order = {rule: place for place, rule in enumerate(QUALITY_RULES)}
    both = (*violations, *(foreign.violations if foreign else ()))
    return tuple(sorted(both, key=lambda violation: (violation.cue, order[violation.rule])))


def _stretch(found: Foreign, cues: Sequence[Cue], text_lines: Sequence[int]) -> ForeignCues:
    first, last = found.places[0], found.places[-1]
    return ForeignCues(
        first_cue=first + 1,
        last_cue=last + 1,
        start_ms=cues[first].start_ms,
        end_ms=cues[last].end_ms,
        language=found.language,
        instead_of=found.instead_of,
        first_line=text_lines[first] if text_lines else None,
        last_line=text_lines[last] + max(0, len(cues[last].lines) - 1) if text_lines else None,
    )
