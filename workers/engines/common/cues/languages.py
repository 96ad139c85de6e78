"""Cues of a film in several languages: each stretch is cut and checked by the rules of its own. Pure."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from protocol.timeline import Cue, Word
from workers.engines.common.cues.checking.quality import Violation, check
from workers.engines.common.cues.cut import CueRules, cut
from workers.engines.common.cues.shots import respect_shots

__all__ = ["CuePart", "RulesOf", "check_parts", "cut_parts"]

RulesOf = Callable[[str], CueRules]
"""A language (ISO 639-1) to the rules for its cues."""
_BETWEEN = frozenset({"overlap", "order", "gap"})
"""The rules that the last cue of a part and the first of the next are held to together."""


@dataclass(frozen=True, kw_only=True)
class CuePart:
    """Cues in a row whose text is in one language."""

    words: tuple[Word, ...]
    rules: CueRules
    cues: tuple[Cue, ...]


def cut_parts(
    runs: Sequence[tuple[str, tuple[Word, ...]]], rules_of: RulesOf, shots_ms: Sequence[int]
) -> tuple[CuePart, ...]:
    """Return the cues of runs of words, each of one language; no cue is in two languages, none overlap."""
    parts: list[CuePart] = []
    for place, (language, words) in enumerate(runs):
        rules = rules_of(language)
        following = next((later[0].start_ms for _, later in runs[place + 1 :] if later), None)
        cues = respect_shots(cut(words, _until(following, words, rules)), words, shots_ms, rules)
        parts.append(CuePart(words=words, rules=rules, cues=_clear_of(parts, cues)))
        if len(parts) > 1:
            parts[-2] = replace(parts[-2], cues=_cleared(parts[-2].cues, parts[-1].cues, rules))
    return tuple(parts)


def _until(following_ms: int | None, words: Sequence[Word], rules: CueRules) -> CueRules:
    """Return rules by which no cue goes on into the next language, where its words leave it the room."""
    if following_ms is None or not words:
        return rules
    limit = following_ms - rules.min_gap_ms
    has_room = limit - words[0].start_ms >= rules.min_cue_ms and limit >= words[-1].start_ms
    return replace(rules, media_duration_ms=limit) if has_room else rules


def _clear_of(parts: Sequence[CuePart], cues: tuple[Cue, ...]) -> tuple[Cue, ...]:
    """Return the cues, none of which begins before the last one of the parts before."""
    before = next((part.cues[-1] for part in reversed(parts) if part.cues), None)
    if before is None:
        return cues
    earliest = before.start_ms + 1
    found: list[Cue] = []
    for cue in cues:
        start = max(cue.start_ms, earliest)
        found.append(replace(cue, start_ms=start, end_ms=max(cue.end_ms, start + 1)))
        earliest = found[-1].end_ms if start > cue.start_ms else 0
    return tuple(found)


def _cleared(cues: tuple[Cue, ...], following: Sequence[Cue], rules: CueRules) -> tuple[Cue, ...]:
    """Return the cues, the last of which ends before the next language begins."""
    if not cues or not following:
        return cues
    last, ceiling = cues[-1], following[0].start_ms - rules.min_gap_ms
    end = min(last.end_ms, max(ceiling, min(last.start_ms + rules.min_cue_ms, following[0].start_ms)))
    return (*cues[:-1], replace(last, end_ms=end))


def check_parts(parts: Sequence[CuePart]) -> tuple[Violation, ...]:
    """Return the violations of all parts, each by its own rules; cues are counted through the parts."""
    found: list[Violation] = []
    firsts = list(itertools.accumulate((len(part.cues) for part in parts), initial=0))
    for first, part in zip(firsts, parts, strict=False):
        found += [_counted(violation, first) for violation in check(part.cues, part.rules, part.words)]
    filled = [(first, part) for first, part in zip(firsts, parts, strict=False) if part.cues]
    for (_, left), (first, right) in itertools.pairwise(filled):
        both = check((left.cues[-1], right.cues[0]), right.rules)
        found += [
            _counted(violation, first - 1)
            for violation in both
            if violation.rule in _BETWEEN and violation.cue > 1
        ]
    return tuple(sorted(found, key=lambda violation: violation.cue))


def _counted(violation: Violation, first: int) -> Violation:
    return replace(violation, cue=violation.cue + first)
