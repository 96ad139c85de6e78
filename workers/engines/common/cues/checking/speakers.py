"""Whether a cue shows who speaks as it should: two people at most, a line each, and hyphens. Pure."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from protocol.timeline import Cue
from workers.engines.common.cues.rules import CueRules
from workers.engines.common.cues.speakers import changes_of

__all__ = ["MOST_SPEAKERS", "check_speakers", "of_lines"]

_HYPHENS = frozenset("-‐‑–")  # noqa: RUF001 (the dashes are meant)

MOST_SPEAKERS = 2
"""Netflix: "a maximum of one speaker per line", and of two lines."""


def of_lines(cue: Cue) -> tuple[str, ...]:
    """Return the id of each line's speaker; empty where that is not known."""
    return cue.speakers if len(cue.speakers) == len(cue.lines) else ("",) * len(cue.lines)


def check_speakers(cue: Cue, rules: CueRules) -> Iterator[tuple[str, int, int]]:
    """Yield the rules that a cue breaks, each with what was found and its limit.

    Only of cues whose speakers are known: nobody can tell from a dash alone who speaks.
    """
    speakers = of_lines(cue)
    if not any(speakers):
        return
    count = len(set(speakers))
    if count > MOST_SPEAKERS or changes_of(speakers) >= MOST_SPEAKERS:
        yield "speakers", max(count, changes_of(speakers) + 1), MOST_SPEAKERS
    upper, lower = rules.hyphens
    missing = sum(
        one != two and not _has_hyphen(line, lower)
        for (one, two), line in zip(itertools.pairwise(speakers), cue.lines[1:], strict=True)
    )
    if changes_of(speakers) and upper and not _has_hyphen(cue.lines[0], upper):
        missing += 1
    if missing:
        yield "no_hyphens", missing, 0
    needless = sum(map(_opens_turn, cue.lines))
    if needless and not changes_of(speakers):
        yield "needless_hyphen", needless, 0


def _has_hyphen(line: str, hyphen: str) -> bool:
    return (hyphen != "" and line.startswith(hyphen)) or _opens_turn(line)


def _opens_turn(line: str) -> bool:
    """Return whether the line begins with a dash that somebody speaks behind: no minus, no broken word."""
    after = line[1:].lstrip()
    return line[:1] in _HYPHENS and after[:1] not in _HYPHENS and not _goes_on(after)


def _goes_on(text: str) -> bool:
    """Return whether what follows a dash goes on with a sentence, or is a number: `-5`, `- he said`."""
    return text == "" or text[0].isdecimal() or text[0].islower()
