"""What is wrong with cues: the rules of docs/timed-text.md, checked one by one. Pure.

`check` finds violations and `summary` counts them. `to_report` makes the report that is written beside a
subtitle file, and `sentence` makes its one line. If the words are known, `reasons` says why a cue could not
keep a rule.
"""

# ruff: noqa: RUF001 - dashes and full stops of other scripts are meant here.

from __future__ import annotations

import itertools
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from protocol.subtitles.quality import BrokenCue, ForeignCues, Number, QualityReport, RuleReport
from protocol.subtitles.rules import INFORMING, QUALITY_RULES, QualityRule
from protocol.timeline import Cue, Word
from workers.engines.common.cues.checking.reasons import CueAmongOthers, speech_of_cues, why
from workers.engines.common.cues.checking.speakers import MOST_SPEAKERS, check_speakers, of_lines
from workers.engines.common.cues.cut import CueRules
from workers.engines.common.cues.phrases import joiner, line_break_cost
from workers.engines.common.cues.repeats import repeats
from workers.engines.common.cues.speakers import changes_of, without_hyphens
from workers.engines.common.cues.widths import width

__all__ = [
    "Violation",
    "check",
    "is_ok",
    "read_length",
    "sentence",
    "summary",
    "to_report",
]

_WORST_BREAK = 20
"""`line_break_cost` of two words that nothing holds together; a break that costs more is inside a phrase."""
_ROUNDING_MS = 1
"""Cue times are whole milliseconds, so a cue may be this much shorter than its reading time."""
_CONTROLS = frozenset({"Cc", "Cs", "Zl", "Zp"})
_SPEAKERS = ("-", "‐", "‑", "–", "—", "−", "―", ">>", "♪", "♫", "#")
"""What a line of another speaker opens with, and a line of a song."""
_ENDS = frozenset(".?!…।॥۔؟。？！—–-")
_ASIDE_ENDS = frozenset(")]）］♪♫")
"""Behind the name of a noise, or a song, somebody may begin to speak."""
_CLOSERS = " \"'”’»)]」』"
_EAST_ASIAN = frozenset({"CJK", "HIRAGANA", "KATAKANA", "HANGUL", "FULLWIDTH", "HALFWIDTH"})
_DIRECTIONS = dict.fromkeys([*range(0x200E, 0x2010), *range(0x202A, 0x202F), *range(0x2066, 0x206A)])
"""Marks of writing direction: the text has them, but nobody reads them."""


@dataclass(frozen=True, kw_only=True)
class Violation:
    """One cue that breaks one rule."""

    rule: str
    cue: int
    """Counted from 1; the later one if two cues break the rule."""
    value: Number
    """What was found, in the rule's unit: ms, graphemes, graphemes a second, lines, characters."""
    limit: Number
    reason: str = ""
    """Why the cue could not keep the rule; empty: it could, or the reason is not known."""


_Finding = tuple[str, Number, Number]


def check(
    cues: Sequence[Cue], rules: CueRules, words: Sequence[Word] = (), *, resolution_ms: int = 0
) -> tuple[Violation, ...]:
    """Return all violations of rules: at most one for a cue and a rule.

    They have the order of the cues, and for one cue the order of `QUALITY_RULES`. The cues were cut from
    `words`, which give the reasons. `resolution_ms` is how exact the cues' times are (a file's format rounds
    them): a duration or gap that close to its limit keeps it.
    """
    spoken = speech_of_cues(cues, rules, words)
    found: list[Violation] = []
    findings = [[*_of_cue(cue, rules, resolution_ms)] for cue in cues]
    for place, finding in _between(cues, rules, resolution_ms):
        findings[place].append(finding)
    # A word that is said twice is shown twice: only a file can repeat what was said once.
    for place, lines in repeats(cues, rules.min_gap_ms) if not words else ():
        findings[place].append(("repeated_text", lines, 0))
    for place, of_cue in enumerate(findings):
        for rule, value, limit in of_cue:
            here = CueAmongOthers(cues=cues, place=place, rules=rules, spoken=spoken)
            reason = why(rule, here, read_length(cues[place], rules.language)) if spoken else ""
            found.append(
                Violation(rule=rule, cue=place + 1, value=round(value, 2), limit=limit, reason=reason)
            )
    order = {rule: place for place, rule in enumerate(QUALITY_RULES)}
    return tuple(sorted(found, key=lambda violation: (violation.cue, order[violation.rule])))


def summary(violations: Sequence[Violation]) -> dict[str, int]:
    """Return how many cues break each rule; a rule that all cues keep is left out."""
    counts = {rule: sum(violation.rule == rule for violation in violations) for rule in QUALITY_RULES}
    return {rule: count for rule, count in counts.items() if count}


def is_ok(violations: Sequence[Violation]) -> bool:
    """Return whether the cues keep every rule, except rules of taste and what they could not keep."""
    return all(violation.reason or violation.rule in INFORMING for violation in violations)


def sentence(violations: Sequence[Violation]) -> str:
    """Return one line for a summary; empty if all is well. Rules of taste are left out."""
    hard = [violation for violation in violations if violation.rule not in INFORMING]
    parts = []
    for rule, count in summary(hard).items():
        helpless = sum(bool(violation.reason) for violation in hard if violation.rule == rule)
        aside = (
            "" if not helpless else " (unavoidable)" if helpless == count else f" ({helpless} unavoidable)"
        )
        parts.append(f"{count} {'cue' if count == 1 else 'cues'} {QUALITY_RULES[rule].of_many}{aside}")
    return ", ".join(parts)


def to_report(
    cues: Sequence[Cue],
    rules: CueRules,
    violations: Sequence[Violation],
    *,
    profile: str = "",
    foreign: Sequence[ForeignCues] | None = None,
) -> QualityReport:
    """Return the report on the cues: every rule with its limit and the cues that break it.

    `foreign` are the stretches in another language; None: nobody judged that.
    """
    limits = _limits(rules) | {"language": None if foreign is None else 0}
    if not any(cue.speakers for cue in cues):
        limits |= dict.fromkeys(("speakers", "no_hyphens", "needless_hyphen"))
    return QualityReport(
        profile=profile,
        language=rules.language,
        media_duration_ms=rules.media_duration_ms or None,
        ok=is_ok(violations),
        sentence=sentence(violations),
        cue_count=len(cues),
        rules=tuple(_of_rule(rule, limits[rule.name], cues, violations) for rule in QUALITY_RULES.values()),
        foreign=tuple(foreign or ()),
    )


def _of_rule(
    rule: QualityRule, limit: Number | None, cues: Sequence[Cue], violations: Sequence[Violation]
) -> RuleReport:
    broken = [violation for violation in violations if violation.rule == rule.name]
    return RuleReport(
        rule=rule.name,
        limit=limit,
        unit=rule.unit,
        informs_only=rule.informs_only,
        count=len(broken),
        unavoidable=sum(bool(violation.reason) for violation in broken),
        cues=tuple(_broken_cue(cues[violation.cue - 1], violation) for violation in broken),
    )


def _broken_cue(cue: Cue, violation: Violation) -> BrokenCue:
    return BrokenCue(
        cue=violation.cue,
        start_ms=cue.start_ms,
        end_ms=cue.end_ms,
        lines=cue.lines,
        value=violation.value,
        limit=violation.limit,
        reason=violation.reason,
    )


def _limits(rules: CueRules) -> dict[str, Number | None]:
    """Return each rule's number; None if it does not apply."""
    return {
        "line_length": rules.max_line_graphemes,
        "line_count": rules.max_lines,
        "reading_speed": rules.max_graphemes_per_second,
        "word_time": rules.min_word_ms or None,
        "min_duration": rules.min_cue_ms,
        "max_duration": rules.max_cue_ms,
        "gap": rules.min_gap_ms,
        "past_end": rules.media_duration_ms or None,
        "bad_break": _WORST_BREAK,
        "open_gap": rules.close_gap_ms,
        "one_line": rules.max_line_graphemes,
        **dict.fromkeys(
            ("overlap", "order", "empty", "edge_spaces", "control_characters", "below_zero", "repeated_text"),
            0,
        ),
        "speakers": MOST_SPEAKERS,
        **dict.fromkeys(("no_hyphens", "needless_hyphen"), 0),
    }


def _shown(text: str) -> str:
    """Return the part of a line that can be seen: without marks of direction."""
    return text.translate(_DIRECTIONS)


def read_length(cue: Cue, language: str) -> float:
    """Return how many graphemes are read, with spaces and marks; a line break counts as a space.

    In wide scripts those of half width count half.
    """
    return width(_shown(joiner(language).join(cue.lines)), language)


def _of_cue(cue: Cue, rules: CueRules, resolution_ms: int) -> Iterator[_Finding]:
    for finder in (_text, _lines, _breaks, check_speakers):
        yield from finder(cue, rules)
    for timed in (_durations, _speed, _edges):
        yield from timed(cue, rules, resolution_ms)


def _text(cue: Cue, _: CueRules) -> Iterator[_Finding]:
    bare = [line for line in cue.lines if not _shown(line).strip()]
    if bare or not cue.lines:
        yield "empty", max(1, len(bare)), 0
    edges = sum(line != line.strip() for line in cue.lines if _shown(line).strip())
    if edges:
        yield "edge_spaces", edges, 0
    controls = sum(unicodedata.category(character) in _CONTROLS for line in cue.lines for character in line)
    if controls:
        yield "control_characters", controls, 0


def _lines(cue: Cue, rules: CueRules) -> Iterator[_Finding]:
    longest = max((width(_shown(line), rules.language) for line in cue.lines), default=0)
    if longest > rules.max_line_graphemes:
        yield "line_length", longest, rules.max_line_graphemes
    if len(cue.lines) > rules.max_lines:
        yield "line_count", len(cue.lines), rules.max_lines
    elif len(cue.lines) > 1 and _is_one_text(cue):
        length = read_length(cue, rules.language)
        if length <= rules.max_line_graphemes:
            yield "one_line", length, rules.max_line_graphemes


def _is_one_text(cue: Cue) -> bool:
    """Return whether the lines are one speaker's text in one script, so that they could be one line."""
    if changes_of(cue.speakers) or any(not _shown(line).strip() or _opens_speech(line) for line in cue.lines):
        return False
    scripts = {_script(letter) for line in cue.lines for letter in [next(filter(str.isalpha, line), "")]}
    return len(scripts - {""}) <= 1


def _opens_speech(line: str) -> bool:
    """Return whether the line opens with the mark of another speaker, or of a song."""
    return _shown(line).lstrip().startswith(_SPEAKERS)


def _script(letter: str) -> str:
    script = unicodedata.name(letter, "").partition(" ")[0] if letter else ""
    return "CJK" if script in _EAST_ASIAN else script


def _breaks(cue: Cue, rules: CueRules) -> Iterator[_Finding]:
    worst = 0
    pairs = zip(itertools.pairwise(cue.lines), itertools.pairwise(of_lines(cue)), strict=True)
    for (upper, lower), (one, two) in pairs:
        if one == two and not _changes_speaker(upper, lower):
            worst = max(worst, line_break_cost(upper, lower, rules.language))
    if worst > _WORST_BREAK:
        yield "bad_break", worst, _WORST_BREAK


def _changes_speaker(upper: str, lower: str) -> bool:
    """Return whether another person speaks in the lower line; a dash may also go on with a sentence."""
    if not _opens_speech(lower):
        return False
    named = _shown(upper).rstrip()[-1:] in _ASIDE_ENDS
    return named or _opens_speech(upper) or upper.rstrip(_CLOSERS)[-1:] in _ENDS


def _durations(cue: Cue, rules: CueRules, resolution_ms: int) -> Iterator[_Finding]:
    seen = cue.end_ms - cue.start_ms
    if seen + resolution_ms < rules.min_cue_ms:
        yield "min_duration", seen, rules.min_cue_ms
    if seen - resolution_ms > rules.max_cue_ms:
        yield "max_duration", seen, rules.max_cue_ms


def _speed(cue: Cue, rules: CueRules, resolution_ms: int) -> Iterator[_Finding]:
    seen = cue.end_ms - cue.start_ms
    if seen <= 0:
        return
    graphemes, most = read_length(cue, rules.language), rules.max_graphemes_per_second
    if graphemes * 1_000 > most * (seen + resolution_ms + _ROUNDING_MS):
        yield "reading_speed", graphemes * 1_000 / seen, most
    words = sum(len(line.split()) for line in without_hyphens(cue, rules))
    if words and seen + resolution_ms + _ROUNDING_MS < words * rules.min_word_ms:
        yield "word_time", seen / words, rules.min_word_ms


def _edges(cue: Cue, rules: CueRules, resolution_ms: int) -> Iterator[_Finding]:
    last = max(cue.start_ms, cue.end_ms)
    if rules.media_duration_ms and last - resolution_ms > rules.media_duration_ms:
        yield "past_end", last, rules.media_duration_ms
    first = min(cue.start_ms, cue.end_ms)
    if first < 0:
        yield "below_zero", first, 0


def _between(cues: Sequence[Cue], rules: CueRules, resolution_ms: int) -> Iterator[tuple[int, _Finding]]:
    """Find what is wrong between one cue and the next; each finding has the place of the later cue."""
    for place, (before, cue) in enumerate(itertools.pairwise(cues), 1):
        if cue.start_ms < before.start_ms:
            yield place, ("order", before.start_ms - cue.start_ms, 0)
    places = sorted(range(len(cues)), key=lambda place: (cues[place].start_ms, place))
    shown_until = cues[places[0]].end_ms if places else 0
    for place in places[1:]:
        gap = cues[place].start_ms - shown_until
        shown_until = max(shown_until, cues[place].end_ms)
        if gap < 0:
            yield place, ("overlap", -gap, 0)
        elif gap + resolution_ms < rules.min_gap_ms:
            yield place, ("gap", gap, rules.min_gap_ms)
        elif rules.min_gap_ms + resolution_ms < gap <= rules.close_gap_ms:
            yield place, ("open_gap", gap, rules.close_gap_ms)
